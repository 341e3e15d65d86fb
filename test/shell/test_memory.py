"""The shell when its memory ends: it ends too, and says so."""

import os
import subprocess

import pytest
from pylib.servers import paddock_program

from .running import address

HERE = os.path.dirname(os.path.abspath(__file__))
ALLOCATIONS_MAX = 2000


@pytest.fixture(scope="module")
def failing_memory(tmp_path_factory):
    with open(paddock_program(), "rb") as program:
        if b"__asan_init" in program.read():
            pytest.skip("AddressSanitizer has the allocations of the program itself")
    path = str(tmp_path_factory.mktemp("memory") / "no_memory.so")
    subprocess.run(["cc", "-shared", "-fPIC", "-o", path, os.path.join(HERE, "no_memory.c")], check=True)
    return path


@pytest.mark.parametrize(
    "words, lines, answer",
    [
        (("ls", "/zookeeper"), "", "[config, quota]"),
        (("stat", "-w", "/zookeeper"), "", "numChildren = 2"),
        ((), "addauth digest bob:pw\nwhoami\n", "digest: bob"),
    ],
    ids=["ls", "stat", "addauth"],
)
def test_each_allocation_that_fails_ends_the_shell_with_a_sentence_or_is_not_missed(
    shared, failing_memory, words, lines, answer
):
    def run(number):
        return subprocess.run(
            [paddock_program(), "cli", "-server", address(shared), *words], text=True, timeout=60,
            env=dict(os.environ, LD_PRELOAD=failing_memory, FAILS_AT=str(number)), input=lines,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE)  # fmt: skip

    right = run(ALLOCATIONS_MAX)
    assert (right.returncode, right.stderr) == (0, "all had memory\n") and answer in right.stdout
    ended = 0
    for number in range(1, ALLOCATIONS_MAX):
        done = run(number)
        if "all had memory" in done.stderr:
            break
        if done.returncode == 0:
            assert answer in done.stdout and done.stderr == "", (number, done)
        elif "out of memory" in done.stderr:
            ended += 1
        else:  # the name of the server was not found
            assert done.returncode == 1 and "ConnectionLoss" in done.stderr, (number, done)
    assert ended >= 10
