"""Debian's C client library: a program linked to libzookeeper_mt tells one story."""

import os
import subprocess
import time

import pytest
from start import with_both

SOURCE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "c_client.c")
WAIT_S = 30


@pytest.fixture(scope="module")
def program(build_dir):
    path = os.path.join(build_dir, "c_client")
    subprocess.run(
        ["cc", "-std=gnu17", "-Wall", "-Wextra", "-DTHREADED", "-o", path, SOURCE,
         "-lzookeeper_mt", "-lpthread"],
        check=True,
    )  # fmt: skip
    return path


def tell(program, server):
    done = subprocess.run(
        [program, server.address], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        timeout=120,
    )  # fmt: skip
    return done.returncode, done.stdout


def test_a_c_program_creates_reads_watches_changes_and_deletes(program, server):
    status, output = tell(program, server)
    assert status == 0, output
    assert "changed: event 3 /c" in output and "created: event 1 /c/late" in output
    with server.client() as client:
        deadline = time.monotonic() + WAIT_S
        # The library does not wait for the answer to the end of its session.
        while client.exists("/c-ephemeral") is not None:
            assert time.monotonic() < deadline, "the closed session's ephemeral is still there"
        assert client.get_data("/c/multi-0000000004")[0] == b"m"


def test_a_c_program_sees_the_same_with_the_real_server(pytestconfig, program):
    ours, real = with_both(pytestconfig, lambda server: tell(program, server))
    assert ours == real
