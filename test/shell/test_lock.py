"""lock and elect: a command runs only while its znode is the first, whatever happens to servers, sessions,
answers and to the shell itself."""

import os
import signal
import time

import pytest

from pylib import replay, zkwire
from pylib.ensemble import start_kazoo, stop_kazoo
from pylib.servers import paddock_program
from pylib.terminal import Terminal

from .running import (
    LosesAnswer, Run, address, children, is_alive, is_stopped, own_long_time, sleepers, until)

SHORT = ("-timeout", "6000")  # a machine may stand still for half of it


def sh(text):
    return ["--", "/bin/sh", "-c", text]


# -- the command

def test_the_exit_code_and_the_output_are_the_commands(shared, run, path):
    one = run(shared, "lock", path, *sh("echo out; echo err >&2; exit 7"))
    assert one.code() == 7
    assert (one.out, one.err) == ("out\n", "err\n")
    assert children(shared, path) == []


def test_the_exit_code_tells_of_signals_and_of_programs_that_are_not_there(shared, run, path):
    assert run(shared, "lock", path, *sh("kill -9 $$")).code() == 128 + 9
    missing = run(shared, "lock", path, "--", "/no/such/program")
    assert missing.code() == 127 and "/no/such/program: No such file" in missing.err
    assert run(shared, "lock", path, "--", "/etc/passwd").code() == 126


def test_the_command_is_told_its_znode_and_a_number_that_grows(shared, run, path):
    numbers = []
    for _ in range(2):
        one = run(shared, "lock", path, *sh("echo $PADDOCK_ZNODE $PADDOCK_FENCE"))
        assert one.code() == 0
        znode, number = one.out.split()
        assert znode.startswith(path + "/_c_") and "-lock-" in znode
        numbers.append(int(number))
    assert 0 < numbers[0] < numbers[1]


def test_the_znode_says_who_holds_it(shared, run, path):
    one = run(shared, "elect", "-d", "me:8080", path, *sh("echo $PADDOCK_ZNODE; exec sleep 60"))
    one.wait_out("\n")
    with shared.client() as client:
        assert client.get_data(one.out.strip())[0] == b"me:8080"


def test_wrong_words_are_refused_with_125(shared, run):
    for words in (["/p"], [], ["-t", "x", "/p", "--", "true"], ["p", "--", "true"],
                  ["-g", "-1", "/p", "--", "true"]):
        one = run(shared, "lock", *words)
        assert one.code() in (2, 125) and one.err and not one.out
    assert run(shared, "lock", "p", "--", "true").code() == 125
    long = run(shared, "lock", "-g", "3", "/p", "--", "true", options=SHORT)
    assert long.code() == 125
    assert "a third of the session's timeout, which is 6000 ms" in long.err


def test_without_a_server_it_says_so_within_the_timeout(tmp_path):
    one = Run(tmp_path, "127.0.0.1:1", "lock", "/p", "--", "true", options=("-timeout", "1000"))
    assert one.code() == 125
    assert one.err == "lock: no connection to 127.0.0.1:1: Connection refused\n"


def test_without_the_permission_it_says_so(shared, run, path):
    with shared.client() as client:
        client.create(path, acls=[(1, "world", "anyone")])
    one = run(shared, "lock", path, "--", "true")
    assert one.code() == 125
    assert "Insufficient permission : " + path in one.err


# -- the queue

def test_commands_exclude_each_other(shared, run, path, tmp_path):
    log = tmp_path / "log"
    text = "echo begin >> %s; echo end >> %s" % (log, log)
    runs = [run(shared, "lock", path, *sh(text)) for _ in range(8)]
    assert [each.code() for each in runs] == [0] * 8
    assert log.read_text().split() == ["begin", "end"] * 8


def test_each_waits_for_the_one_before_it_only(server, run, path):
    runs = [run(server, "lock", path, *sh("exec sleep 60"))]
    for count in range(2, 5):
        until(lambda: len(children(server, path)) == count - 1, "a place")
        runs.append(run(server, "lock", path, *sh("exec sleep 60")))
    until(lambda: len(children(server, path)) == 4, "the last place")

    def watched():
        lines = server.four_letter("wchp").decode().splitlines()
        return [line for line in lines if line.startswith(path)], [
            line for line in lines if line.startswith("\t")]

    # The first watches itself, the second, too: one session for each watch, and none on the last.
    paths, sessions = until(lambda: len(watched()[1]) == 4 and watched(), "four watches")
    assert len(paths) == 3 and len(sessions) == 4


def test_the_time_limit_gives_the_place_up(shared, run, path):
    first = run(shared, "lock", path, *sh("echo has; exec sleep 60"))
    first.wait_out("has")
    second = run(shared, "lock", "-t", "0.3", path, "--", "echo", "never")
    assert second.code() == 124
    assert (second.out, second.err) == ("", "lock: %s: not obtained within the time limit\n" % path)
    assert len(children(shared, path)) == 1
    assert run(shared, "lock", "-t", "0", path, "--", "true").code() == 124
    first.signal(signal.SIGTERM)
    assert first.code() == 128 + 15
    assert run(shared, "lock", "-t", "0", path, "--", "true").code() == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_while_it_waits_gives_the_place_up(shared, run, path, number):
    first = run(shared, "lock", path, *sh("echo has; exec sleep 60"))
    first.wait_out("has")
    second = run(shared, "lock", path, "--", "true")
    until(lambda: len(children(shared, path)) == 2, "a place")
    second.signal(number)
    assert second.code() == 128 + number
    assert len(children(shared, path)) == 1


def test_signals_go_to_the_command(shared, run, path):
    text = "trap 'echo usr1' USR1; trap 'echo term; exit 5' TERM; echo has; while :; do sleep 0.05; done"
    one = run(shared, "lock", path, *sh(text))
    one.wait_out("has")
    one.signal(signal.SIGUSR1)
    one.wait_out("usr1")
    one.signal(signal.SIGTERM)
    assert one.code() == 5
    assert one.out.split() == ["has", "usr1", "term"]
    assert children(shared, path) == []


def test_locks_of_kazoo_and_ours_exclude_each_other(shared, run, path):
    client = start_kazoo(shared.address)
    try:
        theirs = client.Lock(path, extra_lock_patterns=["-lock-"])
        theirs.acquire(timeout=30)
        ours = run(shared, "lock", path, *sh("echo has; exec sleep 60"))
        until(lambda: len(children(shared, path)) == 2, "our place")
        assert ours.out == ""
        theirs.release()
        ours.wait_out("has")
        assert not theirs.acquire(blocking=False)
    finally:
        stop_kazoo(client)


# -- failures

def test_after_a_lost_answer_the_own_znode_is_found(shared, tmp_path, path):
    between = LosesAnswer(shared, zkwire.CREATE)
    with shared.client() as client:
        client.create(path)
    one = Run(tmp_path, "127.0.0.1:%d" % between.port, "lock", path,
              *sh("echo has $PADDOCK_ZNODE; exec sleep 60"))
    try:
        one.wait_out("has")
        assert between.lost == 1
        assert [path + "/" + child for child in children(shared, path)] == one.out.split()[1:]
    finally:
        one.close()
        between.close()


def test_a_command_ends_before_the_servers_may_end_the_session(server, run, path):
    """The server is silent, not gone. The command does not heed SIGTERM, nor does its child."""
    long_time = own_long_time()
    one = run(server, "lock", "-g", "6", path,
              *sh("trap 'echo term' TERM; (trap '' TERM; exec sleep %d) & echo has; "
                  "while :; do sleep 0.05; done" % long_time), options=("-timeout", "18000"))
    one.wait_out("has")
    os.kill(server.pid, signal.SIGSTOP)
    start = time.monotonic()
    try:
        one.wait_err("no server answers, and the session may end: the command is stopped")
        one.wait_out("term")
        assert time.monotonic() - start < 18  # 12, and what a busy machine needs
        until(lambda: not sleepers(long_time), "the end of the command's child")
        assert time.monotonic() - start < 18 + 6
        assert one.code() == 123
    finally:
        os.kill(server.pid, signal.SIGCONT)


def test_a_restart_of_the_server_does_not_stop_the_command(server, run, path, tmp_path):
    os.mkfifo(tmp_path / "fifo")
    one = run(server, "lock", path, *sh("echo has; read -r _ < fifo; exit 3"))
    one.wait_out("has")
    server.kill()
    server.start()
    # The lock is held by a session that lives on: nobody else gets it, and the release is seen.
    assert run(server, "lock", "-t", "0.5", path, "--", "true").code() == 124
    with open(tmp_path / "fifo", "w") as fifo:
        fifo.write("\n")
    assert one.code() == 3
    assert run(server, "lock", "-t", "60", path, "--", "true").code() == 0


def test_a_shell_that_slept_too_long_stops_the_command(shared, run, path):
    one = run(shared, "lock", "-g", "4", path,  # the command is killed so long after it is told to end
              *sh("trap 'echo term; exit 0' TERM; echo has; while :; do sleep 0.05; done"),
              options=("-timeout", "12000"))
    one.wait_out("has")
    one.signal(signal.SIGSTOP)
    # The session ends, and another one gets the lock.
    assert run(shared, "lock", path, "--", "true").code() == 0
    one.signal(signal.SIGCONT)
    assert one.code() == 123
    assert one.out.split() == ["has", "term"]
    assert "the command is stopped" in one.err


def test_when_somebody_deletes_the_znode_the_command_is_stopped(shared, run, path):
    one = run(shared, "lock", path, *sh("echo has $PADDOCK_ZNODE; exec sleep 60"))
    one.wait_out("\n")
    with shared.client() as client:
        client.set_data(one.out.split()[1], b"changed")
        client.delete(one.out.split()[1])
    assert one.code() == 123
    assert "somebody has deleted the znode: the command is stopped" in one.err


def test_a_session_that_is_lost_while_waiting_is_replaced(shared, run, path):
    first = run(shared, "lock", path, *sh("echo has; exec sleep 60"))
    first.wait_out("has")
    second = run(shared, "lock", path, *sh("echo has"), options=SHORT)
    until(lambda: len(children(shared, path)) == 2, "a place")
    second.signal(signal.SIGSTOP)
    until(lambda: len(children(shared, path)) == 1, "the end of its session")
    second.signal(signal.SIGCONT)
    second.wait_err("the session was lost; waiting again with a new one")
    until(lambda: len(children(shared, path)) == 2, "a new place")
    first.signal(signal.SIGTERM)
    assert second.code() == 0 and second.out == "has\n"


def test_a_place_that_somebody_deletes_is_taken_again(shared, run, path):
    first = run(shared, "lock", path, *sh("echo has; exec sleep 60"))
    first.wait_out("has")
    second = run(shared, "lock", path, "--", "true")
    until(lambda: len(children(shared, path)) == 2, "a place")
    own = [child for child in children(shared, path) if child.endswith("0000000001")]
    with shared.client() as client:
        client.delete(path + "/" + own[0])
    first.signal(signal.SIGTERM)
    assert second.code() == 0


def test_a_command_does_not_outlive_a_killed_shell(shared, run, path):
    long_time = own_long_time()
    one = run(shared, "lock", "-g", "0.2", path,
              *sh("trap '' TERM; echo $$; sleep %d; sleep %d" % (long_time, long_time)))
    one.wait_out("\n")
    pid = int(one.out)
    assert is_alive(pid)
    one.signal(signal.SIGKILL)
    until(lambda: not is_alive(pid) and not sleepers(long_time), "the end of the command")


def test_a_leader_that_lost_its_znode_is_a_candidate_again(shared, run, path):
    text = "trap 'exit 0' TERM; echo $PADDOCK_ZNODE; while :; do sleep 0.05; done"
    one = run(shared, "elect", "--again", path, *sh(text))
    one.wait_out("\n")
    with shared.client() as client:
        client.delete(one.out.strip())
    one.wait_out("\n", 2)
    first, second = one.out.split()
    assert first != second and [path + "/" + each for each in children(shared, path)] == [second]
    one.signal(signal.SIGTERM)
    assert one.code() == 0


# -- a terminal

@pytest.fixture
def terminal(shared, path, tmp_path):
    terminals = []

    def begin(*words):
        argv = [paddock_program(), "cli", "-server", address(shared), *words]
        terminals.append(Terminal(argv, replay.environment(PADDOCK_CLI_HISTORY=str(tmp_path / "h"))))
        return terminals[-1]

    yield begin
    for each in terminals:
        each.process.send_signal(signal.SIGCONT)
        each.close()


def test_the_command_has_the_terminal_and_ctrl_c_ends_it(shared, terminal, path):
    one = terminal("lock", path, *sh("read -r line; echo got $line; exec sleep 60"))
    one.type("word\r")
    one.wait("got word")
    one.type("\x03")
    assert one.end() == 130
    assert children(shared, path) == []


def test_ctrl_z_stops_both_and_a_lock_that_is_still_held_goes_on(terminal, path):
    one = terminal("lock", path, *sh("echo has; read -r line; echo got $line"))
    one.wait("has")
    one.type("\x1a")
    until(lambda: is_stopped(one.process.pid), "the shell is stopped")
    os.kill(one.process.pid, signal.SIGCONT)
    one.type("word\r")
    one.wait("got word")
    assert one.end() == 0


def test_the_interactive_shell_goes_on_after_a_lock(shared, terminal, path):
    one = terminal()
    one.wait(r"\(CONNECTED\) 0\] ")
    one.type("lock %s -- echo has\r" % path)
    one.wait(r"\nhas\n")
    one.wait(r"\(CONNECTED\) 1\] ")
    one.type("ls %s\r" % path)
    one.wait(r"\n\[\]\n")
    one.type("lock %s -- sleep 60\r" % path)
    until(lambda: len(children(shared, path)) == 1, "the lock")
    one.type("\x03")
    one.wait(r"\(CONNECTED\) 3\] ")
    assert children(shared, path) == []
