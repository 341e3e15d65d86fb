"""A Node client from npm (node-zookeeper-client, no native code) tells one story."""

import json
import os
import shutil
import subprocess

import pytest
from start import with_both

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "node")


@pytest.fixture(scope="module")
def program(build_dir):
    """The script beside its installed client; installed once, then kept."""
    place = os.path.join(build_dir, "node")
    os.makedirs(place, exist_ok=True)
    for name in ("package.json", "client.js"):
        shutil.copy(os.path.join(HERE, name), place)
    if not os.path.isdir(os.path.join(place, "node_modules", "node-zookeeper-client")):
        subprocess.run(
            ["npm", "install", "--no-audit", "--no-fund", "--no-package-lock", "--loglevel=error"],
            cwd=place,
            check=True,
            timeout=180,
        )
    return os.path.join(place, "client.js")


def tell(program, server):
    done = subprocess.run(
        ["node", program, server.address], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_a_node_program_creates_reads_watches_changes_and_deletes(program, server):
    told = dict(tell(program, server))
    assert told["event"] == [3, "/node"] and told["born"] == [1, "/node/new"]
    assert told["sequence"] == ["/node/s-0000000000"]
    assert told["create again"] == {"error": "NODE_EXISTS"}
    assert told["setData old"] == {"error": "BAD_VERSION"}
    with server.client() as client:
        assert client.get_data("/node")[0] == b"two"
        assert client.exists("/node/e") is None, "the closed session's ephemeral is still there"


def test_a_node_program_sees_the_same_with_the_real_server(pytestconfig, program):
    ours, real = with_both(pytestconfig, lambda server: tell(program, server))
    assert ours == real
