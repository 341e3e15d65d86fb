"""watch and wait: they outlive connections and sessions, and miss nothing of what happened meanwhile."""

import json
import signal

import pytest

from pylib import replay
from pylib.servers import paddock_program
from pylib.terminal import Terminal

from .running import Run, address, until

SHORT = ("-timeout", "6000")  # a machine may stand still for half of it


def lines(run):
    """Without the times."""
    return [line.split(" ", 1)[1] for line in run.out.splitlines()]


def change(server, path):
    with server.client() as client:
        client.create(path, b"1")
        client.create(path + "/kid", b"1")
        client.set_data(path + "/kid", b"2")
        client.set_data(path, b"2")
        client.delete(path + "/kid")
        client.delete(path)


@pytest.mark.parametrize("options, want", [
    ([], ["NodeCreated {0}", "NodeChildrenChanged {0}", "NodeDataChanged {0}",
          "NodeChildrenChanged {0}", "NodeDeleted {0}"]),
    (["-d"], ["NodeCreated {0}", "NodeDataChanged {0}", "NodeDeleted {0}"]),
    (["-c"], ["NodeCreated {0}", "NodeChildrenChanged {0}", "NodeChildrenChanged {0}",
              "NodeDeleted {0}"]),
    (["-r"], ["NodeCreated {0}", "NodeCreated {0}/kid", "NodeDataChanged {0}/kid",
              "NodeDataChanged {0}", "NodeDeleted {0}/kid", "NodeDeleted {0}"]),
    (["--recursive", "--data"], ["NodeCreated {0}", "NodeDataChanged {0}/kid",
                                 "NodeDataChanged {0}", "NodeDeleted {0}"]),
])
def test_watch_prints_the_events_that_were_asked_for(shared, run, path, options, want):
    one = run(shared, "watch", *options, "-n", len(want), path)
    one.wait_out("SyncConnected")
    change(shared, path)
    assert one.code() == 0
    assert lines(one) == ["SyncConnected"] + [each.format(path) for each in want]
    assert one.out.startswith("20") and one.out[23:25] == "Z "


def test_watch_as_json_prints_an_object_for_each_event(shared, run, path):
    one = run(shared, "watch", "-n", "1", path, "--output", "json")
    one.wait_out("SyncConnected")
    with shared.client() as client:
        client.create(path)
    assert one.code() == 0
    session, event, answer = [json.loads(line) for line in one.out.splitlines()]
    assert session["event"] == {"type": "None", "state": "SyncConnected", "path": None}
    assert event["event"] == {"type": "NodeCreated", "state": "SyncConnected", "path": path}
    assert answer["command"] == "watch" and answer["exitCode"] == 0


def test_watch_listens_to_several_znodes_until_it_is_stopped(shared, run, path):
    one = run(shared, "watch", path + "1", path + "2")
    one.wait_out("SyncConnected")
    with shared.client() as client:
        client.create(path + "2")
        client.create(path + "1")
    one.wait_out("NodeCreated", 2)
    one.signal(signal.SIGTERM)
    assert one.code() == 128 + 15
    assert lines(one)[1:] == ["NodeCreated %s2" % path, "NodeCreated %s1" % path]


def test_watch_ends_with_its_time_limit(shared, run, path):
    assert run(shared, "watch", "-t", "0.2", path).code() == 124


def test_watch_refuses_wrong_words(shared, run):
    for words in ([], ["-n", "0", "/a"], ["-n", "x", "/a"], ["a"], ["-t", "x", "/a"]):
        one = run(shared, "watch", *words)
        assert one.code() != 0 and one.err and not one.out


def test_after_a_break_watch_shows_what_has_changed_meanwhile(server, run, path, tmp_path):
    for each in ("", "/same", "/set", "/gone"):
        with server.client() as client:
            client.create(path + each)
    one = run(server, "watch", "-r", path, options=("-timeout", "30000"))
    one.wait_out("SyncConnected")
    one.signal(signal.SIGSTOP)  # it is not there when the changes are made
    server.kill()
    server.start()
    with server.client() as client:
        client.set_data(path + "/set", b"2")
        client.delete(path + "/gone")
        client.create(path + "/new")
    one.signal(signal.SIGCONT)
    one.wait_out("SyncConnected", 2)
    one.wait_out("NodeDataChanged")
    with server.client() as client:
        client.set_data(path + "/same", b"2")
    one.wait_out("/same")
    got = lines(one)
    assert got[:3] == ["SyncConnected", "Disconnected", "SyncConnected"]
    assert sorted(got[3:-1]) == ["NodeChildrenChanged " + path, "NodeCreated %s/new" % path,
                                 "NodeDataChanged %s/set" % path]
    assert got[-1] == "NodeDataChanged %s/same" % path


def test_watch_says_that_the_session_was_lost_and_goes_on_with_another(shared, run, path):
    with shared.client() as client:
        client.create(path)
    one = run(shared, "watch", path, options=SHORT)
    one.wait_out("SyncConnected")
    session = watching_session(shared, path)
    one.signal(signal.SIGSTOP)
    # Sessions are not counted: those of the tests before end by themselves, too. And watches go earlier.
    until(lambda: session not in shared.four_letter("dump"), "the end of the session")
    with shared.client() as client:
        client.delete(path)
    one.signal(signal.SIGCONT)
    one.wait_out("NodeDeleted")
    with shared.client() as client:
        client.create(path)
    one.wait_out("NodeCreated")
    assert lines(one) == [
        "SyncConnected", "Disconnected", "Expired: the session was lost; a new one continues",
        "SyncConnected", "NodeDeleted " + path, "NodeCreated " + path]


def watching_session(server, path):
    """The first one that watches the znode, as dump names it; None when there is none."""
    watches = server.four_letter("wchp").splitlines()
    return watches[watches.index(path.encode()) + 1].strip() if path.encode() in watches else None


def test_in_the_interactive_shell_ctrl_c_ends_watch_and_its_watches(shared, path, tmp_path):
    one = Terminal([paddock_program(), "cli", "-server", address(shared)],
                   replay.environment(PADDOCK_CLI_HISTORY=str(tmp_path / "h")))
    try:
        one.wait(r"\(CONNECTED\) 0\] ")
        one.type("watch %s\r" % path)
        one.wait("SyncConnected\n")
        one.type("\x03")
        one.wait(r"\(CONNECTED\) 1\] ")
        one.type("create %s 1\r" % path)
        assert "WATCHER" not in one.wait(r"\(CONNECTED\) 2\] ")
        one.type("quit\r")
        one.end()
    finally:
        one.close()


# -- wait

def test_wait_ends_when_the_znode_exists_and_when_it_is_gone(shared, run, path):
    one = run(shared, "wait", path)
    with shared.client() as client:
        until(lambda: number_of_watches(shared) > 0, "the watch")
        assert not one.ended()
        client.create(path)
        assert one.code() == 0
        assert run(shared, "wait", path).code() == 0
        gone = run(shared, "wait", "--gone", path)
        until(lambda: number_of_watches(shared) > 0, "the watch")
        client.delete(path)
        assert gone.code() == 0
        assert run(shared, "wait", "-g", path).code() == 0
    assert (one.out, one.err) == ("", "")


def number_of_watches(server):
    for line in server.four_letter("mntr").decode().splitlines():
        if line.startswith("zk_watch_count\t"):
            return int(line.split("\t")[1])


@pytest.mark.parametrize("what", ["data", "children", "delete"])
def test_wait_ends_with_a_change(shared, run, path, what):
    with shared.client() as client:
        client.create(path, b"1")
        one = run(shared, "wait", "-c", path)
        until(lambda: number_of_watches(shared) >= 2, "the watches")
        if what == "data":
            client.set_data(path, b"1")
        elif what == "children":
            client.create(path + "/kid")
        else:
            client.delete(path)
        assert one.code() == 0


def test_wait_has_a_time_limit(shared, run, path):
    for words in (["-t", "0.2", path], ["-t", "0.2", "-g", "/"], ["-t", "0.2", "-c", "/"]):
        one = run(shared, "wait", *words)
        assert one.code() == 124
        assert (one.out, one.err) == ("", "")


def test_wait_outlives_its_session(shared, run, path):
    one = run(shared, "wait", path, options=SHORT)
    session = until(lambda: watching_session(shared, path), "the watch")
    one.signal(signal.SIGSTOP)
    until(lambda: session not in shared.four_letter("dump"), "the end of the session")
    with shared.client() as client:
        client.create(path)
    one.signal(signal.SIGCONT)
    assert one.code() == 0


def test_wait_outlives_a_restart_of_the_server(server, run, path):
    one = run(server, "wait", path)
    until(lambda: number_of_watches(server) == 1, "the watch")
    server.kill()
    server.start()
    until(lambda: number_of_watches(server) == 1, "the watch again")
    with server.client() as client:
        client.create(path)
    assert one.code() == 0


def test_wait_refuses_wrong_words(shared, run):
    for words in ([], ["a"], ["-t", "x", "/a"], ["/a", "/b"], ["-g", "-c", "/a"], ["-z", "/a"]):
        one = run(shared, "wait", *words)
        assert one.code() not in (0, 124) and one.err and not one.out


def test_wait_without_a_server_says_so(tmp_path):
    one = Run(tmp_path, "127.0.0.1:1", "wait", "/a", options=("-timeout", "1000"))
    assert one.code() not in (0, 124)
    assert one.err == "wait: no connection to 127.0.0.1:1: Connection refused\n"
