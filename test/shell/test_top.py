"""top, bench and help: what the shell says of servers, and of itself."""

import json
import re
import signal

import pytest

from pylib import replay
from pylib.ensemble import Ensemble
from pylib.servers import Server, free_port, paddock_program
from pylib.terminal import Terminal

from .running import Run, address, until

COLUMNS = ["SERVER", "MODE", "ZXID", "CONNS", "WATCHES", "REQ/S", "QUEUED", "MS", "AVG/MAX", "ZNODES"]


@pytest.fixture(scope="module")
def server():
    with Server("paddock", {"4lw.commands.whitelist": "srvr,mntr"}) as one:
        yield one


def call(tmp_path, servers, *words):
    one = Run(tmp_path, servers, *words)
    one.code()
    return one


def top(tmp_path, servers, is_whole, *words):
    """top, again until all have answered that do: a server that does not within a second is shown as down,
    and a busy one may stand still for longer."""

    def asked():
        one = call(tmp_path, servers, "top", *words)
        return one if is_whole(one) else None

    return until(asked, "the answers of the servers")


def answered(count):
    return lambda one: re.match(r"\S+  %d of " % count, one.out)


def table(text):
    """The rows of one view by their server."""
    lines = text.splitlines()
    assert re.match(r"\d\d:\d\d:\d\d  \d+ of \d+ servers answer", lines[0])
    assert lines[1].split() == COLUMNS
    return {line.split()[0]: line.split()[1:] for line in lines[2:]}


def test_top_shows_what_the_server_says(server, tmp_path):
    with server.client() as client:
        client.create("/top")
        client.exists("/top", watch=True)
        one = top(tmp_path, address(server),
                  lambda one: answered(1)(one) and "-" not in table(one.out)[address(server)],
                  "-n", "1", "-d", "0.2")
        assert one.code() == 0 and not one.err
        mode, zxid, connections, watches, rate, queued, latency, znodes = (
            table(one.out)[address(server)])
        said = dict(line.split(": ", 1) for line in
                    server.four_letter("srvr").decode().splitlines() if ": " in line)
    assert mode == "standalone" and re.fullmatch("0x[0-9a-f]+", zxid)
    assert int(zxid, 16) <= int(said["Zxid"], 16)
    assert int(connections) >= 2 and watches == "1" and queued == "0"
    assert re.fullmatch(r"[\d.]+/\d+", latency) and znodes == said["Node count"]
    assert int(rate) >= 0


def test_top_counts_the_requests_of_clients_and_not_its_own(tmp_path):
    with Server("paddock", {"4lw.commands.whitelist": "*"}) as server:
        quiet = call(tmp_path, address(server), "top", "-n", "2", "-d", "0.5", "-s")
        assert quiet.out.count("SERVER") == 2
        busy = Run(tmp_path, address(server), "top", "-n", "1000", "-d", "0.2", "-s")

        def rates():
            return [int(line.split()[5]) for line in busy.out.splitlines() if "standalone" in line
                    and line.split()[5] != "-"]

        # Its own session pings every ten seconds; the words that it asks, ten a second, are no requests.
        until(lambda: 0 in rates(), "no rate")
        with server.client() as client:

            def ask():
                for _ in range(100):
                    client.exists("/")
                return any(rate > 10 for rate in rates())

            until(ask, "a rate")
        busy.signal(signal.SIGTERM)
        assert busy.code() == 128 + signal.SIGTERM


def test_top_without_the_word_mntr_shows_no_watches(tmp_path):
    with Server("paddock", {"4lw.commands.whitelist": "srvr"}) as server:
        one = top(tmp_path, address(server), answered(1), "-n", "1", "-d", "0.1")
        assert one.code() == 0
        assert table(one.out)[address(server)][3] == "-"


def test_top_has_a_line_for_a_server_that_does_not_answer(server, tmp_path):
    dead = "127.0.0.1:%d" % free_port()
    one = top(tmp_path, address(server) + "," + dead, answered(1), "-n", "1", "-d", "0.1", "-s")
    assert one.code() == 1
    rows = table(one.out)
    assert rows[address(server)][0] == "standalone"
    assert rows[dead] == ["down", "Connection", "refused"]
    assert "1 of 2 servers answer" in one.out


def test_top_shows_an_ensemble_and_its_leader(tmp_path):
    with Ensemble(["paddock"] * 3) as ensemble:
        ensemble.wait_all()
        leader = ensemble.wait_leader()
        names = [address(ensemble[i]) for i in (1, 2, 3)]
        one = top(tmp_path, ",".join(names), answered(3), "-n", "1", "-d", "0.1")
        rows = table(one.out)
        assert one.code() == 0 and sorted(rows) == sorted(names)
        assert [name for name, row in rows.items() if row[0] == "leader"] == [address(leader)]


def test_top_finds_the_servers_in_the_configuration_of_the_ensemble(server, tmp_path):
    with Server("paddock", {"skipACL": "yes"}) as other:
        with other.client() as client:
            client.set_data("/zookeeper/config", (
                "server.1=127.0.0.1:1:2:participant;%d\n"
                "server.2=[::1]:1:2:participant;127.0.0.1:%d\n"
                "server.3=127.0.0.1:1:2:observer;0.0.0.0:1\n"
                "server.4=127.0.0.1:1:2\nversion=5" % (other.port, server.port)).encode())
        one = top(tmp_path, address(other), answered(2), "-n", "1", "-d", "0.1")
        rows = table(one.out)
        assert list(rows) == [address(other), address(server), "127.0.0.1:1"]
        assert [row[0] for row in rows.values()] == ["standalone", "standalone", "down"]
        given = top(tmp_path, address(other), answered(1), "-n", "1", "-d", "0.1", "--servers")
        assert list(table(given.out)) == [address(other)]


def test_top_on_a_terminal_shows_itself_again_and_ends_with_q(server, tmp_path):
    argv = [paddock_program(), "cli", "-server", address(server), "top", "-d", "0.2"]
    one = Terminal(argv, replay.environment())
    try:
        for _ in range(3):
            one.wait("standalone")
        one.type("q")
        assert one.end() == 0
        assert one.raw.rstrip().endswith(b"\x1b[?1049l")
        again = Terminal(argv, replay.environment())
        again.wait("standalone")
        again.type("\x03")
        assert again.end() == 128 + signal.SIGINT
        again.close()
    finally:
        one.close()


def test_top_as_json_has_an_object_for_each_server(server, tmp_path):
    dead = "127.0.0.1:%d" % free_port()
    one = top(tmp_path, address(server) + "," + dead,
              lambda one: {"watches", "requestsPerSecond"} <= json.loads(one.out)["servers"][0].keys(),
              "-d", "0.1", "--output", "json")
    answer = json.loads(one.out)
    assert one.code() == answer["exitCode"] == 1
    up, down = answer["servers"]
    assert up["server"] == address(server) and up["answers"] and up["mode"] == "standalone"
    assert up["requestsPerSecond"] >= 0 and int(up["watches"]) >= 0
    assert down == {"server": dead, "answers": False, "problem": "Connection refused"}


def test_top_refuses_wrong_words(server, tmp_path):
    for words in (["-n", "0"], ["-n", "x"], ["-d", "x"], ["word"], ["-z"]):
        one = call(tmp_path, address(server), "top", *words)
        assert one.code() != 0 and one.err and not one.out


def test_bench_loads_the_servers_of_the_shell(server, tmp_path):
    one = call(tmp_path, address(server) + "/ignored", "bench", "--op", "set", "--ops", "100",
               "--sessions", "2", "--warmup", "0", "--json")
    assert one.code() == 0
    assert '"op":"set"' in one.out.replace(" ", "")
    wrong = call(tmp_path, address(server), "bench", "--op", "nothing")
    assert wrong.code() != 0 and "expected get, set" in wrong.err


def test_help_is_javas_and_help_all_lists_ours_apart(server, tmp_path):
    java = call(tmp_path, address(server), "help")
    assert java.code() == 127
    assert "\tls [-s] [-w] [-R] path\n" in java.err and "\tlock" not in java.err
    every = call(tmp_path, address(server), "help", "--all")
    assert every.code() == 0 and not every.err
    theirs, ours = every.out.split("Commands of this shell", 1)
    assert "\tls [-s] [-w] [-R] path\n" in theirs and "\tlock" not in theirs
    for name in ("bench", "elect", "lock", "top", "wait", "watch"):
        assert "\t%s " % name in ours
        one = call(tmp_path, address(server), "help", name)
        assert one.code() == 0 and one.out.startswith(name + " ")
    assert call(tmp_path, address(server), "help", "nothing").code() == 127
