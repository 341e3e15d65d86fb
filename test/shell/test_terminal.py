"""The shell as a person uses it: on a pseudo-terminal, with keys, events and servers that go away."""

import os
import re
import signal

import pytest

from pylib import replay
from pylib.ensemble import Ensemble
from pylib.servers import Server, free_port, paddock_program
from pylib.terminal import Terminal

from .running import until
from .test_golden_cli import masked


@pytest.fixture(scope="module")
def server():
    with Server("paddock", {"minSessionTimeout": 1000, "maxSessionTimeout": 60000}) as one:
        yield one


@pytest.fixture
def start(tmp_path):
    terminals = []

    def begin(servers, *options, columns=200):
        env = replay.environment(PADDOCK_CLI_HISTORY=str(tmp_path / "history"))
        argv = [paddock_program(), "cli", "-server", servers, *options]
        terminals.append(Terminal(argv, env, columns))
        return terminals[-1]

    yield begin
    for terminal in terminals:
        terminal.close()


def address(server):
    return "127.0.0.1:%d" % server.port


def prompt(terminal, number, state="CONNECTED"):
    return terminal.wait(r"\(%s\) %d\] " % (state, number))


def send(terminal, line, number):
    """Types a line; what was printed before the prompt `number`, without prompt and echo."""
    terminal.type(line + "\r")
    text = prompt(terminal, number)
    lines = text.split("\n")
    echoes = [i for i, each in enumerate(lines[:6]) if each.endswith(line)
              and not each.startswith("Command")]
    return "\n".join(lines[echoes[-1] + 1:-1])


def send_read_only(terminal, line, number):
    terminal.type(line + "\r")
    return prompt(terminal, number, "CONNECTEDREADONLY").split(line + "\n")[-1].rsplit("\n", 1)[0]


RECORDED = replay.load("cli/tty_basic.json")["steps"]


def replay_recorded_session(terminal):
    """What differs from the recording: (line, want, got)."""
    prompt(terminal, 0)
    number, wrong = 0, []
    for step in RECORDED:
        line = step.get("send")
        if not line or line.startswith(("quit", "close")) or "\x03" in line:
            continue
        number += 1
        got = send(terminal, line, number)
        want = "\n".join(step["screen"].replace("\r", "").split("\n")[1:])
        want = re.sub(r"\[zk: [^\n]*\] ?$", "", want.rstrip("\n")).rstrip("\n")
        if masked(got) != masked(want):
            wrong.append((line, want, got))
    assert number > 20
    terminal.type("quit\r")
    terminal.wait(r"WatchedEvent state:Closed type:None path:null")
    assert terminal.end() == 0
    return wrong


def test_the_recorded_session_of_the_tutorials_looks_the_same(server, start):
    assert not replay_recorded_session(start(address(server)))


def test_it_looks_the_same_on_three_servers(start):
    with Ensemble(["paddock"] * 3) as ensemble:
        ensemble.wait_all()
        servers = ",".join(address(ensemble[i]) for i in (1, 2, 3))
        wrong = replay_recorded_session(start(servers))
        # A configuration is there only when there is an ensemble.
        assert not [each for each in wrong if "config" not in each[0]]


def test_old_forms_work_with_their_notes(server, start):
    terminal = start(address(server))
    prompt(terminal, 0)
    assert send(terminal, "create /old 1", 1) == "Created /old"
    send(terminal, "create /old/kid 1", 2)
    got = send(terminal, "ls2 /old", 3).split("\n")
    assert got[0] == "'ls2' has been deprecated. Please use 'ls [-s] path' instead."
    assert got[1] == "[kid]" and got[2].startswith("cZxid = 0x") and len(got) == 13
    assert send(terminal, "rmr /old #deleteall /old", 4) == (
        "The command 'rmr' has been deprecated. Please use 'deleteall' instead."
    )
    assert send(terminal, "stat /old", 5) == "Node does not exist: /old"


def test_an_event_is_shown_and_the_line_being_typed_is_kept(server, start):
    first, second = start(address(server)), start(address(server))
    prompt(first, 0)
    prompt(second, 0)
    send(first, "create /watched 1", 1)
    send(first, "get -w /watched", 2)
    first.type("get /wat")
    first.wait("get /wat")
    send(second, "set /watched 2", 1)
    first.wait(r"\nWATCHER::\n\nWatchedEvent state:SyncConnected type:NodeDataChanged path:/watched\n")
    first.wait(r"\(CONNECTED\) 2\] get /wat")  # shown again
    first.type("ched\r")
    assert first.wait(r"\n2\n") and prompt(first, 3)
    send(first, "deleteall /watched", 4)


def test_events_are_silent_while_printwatches_is_off(server, start):
    terminal = start(address(server))
    prompt(terminal, 0)
    send(terminal, "create /silent 1", 1)
    send(terminal, "printwatches off", 2)
    send(terminal, "get -w /silent", 3)
    assert send(terminal, "set /silent 2", 4) == ""
    assert send(terminal, "printwatches on", 5) == ""
    send(terminal, "get -w /silent", 6)
    assert "NodeDeleted path:/silent" in send(terminal, "delete /silent", 7)


def test_tab_completes_commands_and_paths(server, start):
    terminal = start(address(server), columns=60)
    prompt(terminal, 0)
    for i, line in enumerate(("create /app1 1", "create /app2 2", "create /app1/config c")):
        send(terminal, line, i + 1)
    terminal.type("getAl\t")
    terminal.wait("getAllChildrenNumber ")
    terminal.type("/app1\r")
    terminal.wait(r"\n1\n")
    prompt(terminal, 4)
    terminal.type("ls /a\t")
    terminal.wait(r"\napp1   app2   \n")
    terminal.wait(r"4\] ls /app")
    terminal.type("1/c\t")
    terminal.wait(r"ls /app1/config|onfig")
    terminal.type("\r")
    terminal.wait(r"\n\[\]\n")
    prompt(terminal, 5)
    terminal.type("del\t")
    listed = terminal.wait(r"delete +deleteall +delquota +\n")
    assert listed
    terminal.type("\x15")
    send(terminal, "deleteall /app1", 6)
    send(terminal, "delete /app2", 7)


def test_history_is_kept_across_runs_without_credentials(server, start, tmp_path):
    terminal = start(address(server))
    prompt(terminal, 0)
    send(terminal, "ls /zookeeper", 1)
    send(terminal, "addauth digest bob:secret", 2)
    terminal.type("quit\r")
    assert terminal.end() == 0
    again = start(address(server))
    prompt(again, 0)
    again.type("\x1b[A\x1b[A\r")  # the last line was quit
    assert again.wait(r"\[config, quota\]\n")
    assert "secret" not in (tmp_path / "history").read_text()


def test_a_session_outlives_a_restart_of_its_server_and_keeps_its_watches(start):
    with Server("paddock", {}) as server:
        terminal = start(address(server))
        prompt(terminal, 0)
        send(terminal, "create -e /mine 1", 1)
        send(terminal, "addWatch /mine", 2)
        server.stop()
        terminal.wait(r"WatchedEvent state:Disconnected type:None path:null")
        terminal.type("ls /\r")
        terminal.wait(r"KeeperErrorCode = ConnectionLoss for /\n")
        prompt(terminal, 3, "CONNECTING")
        server.start()
        terminal.wait(r"WatchedEvent state:SyncConnected type:None path:null")
        terminal.type("set /mine 2\r")
        terminal.wait(r"WatchedEvent state:SyncConnected type:NodeDataChanged path:/mine")
        terminal.type("\r")
        assert "[/mine]" in send(terminal, "getEphemerals", 5)


def test_a_session_that_expired_says_so_and_another_can_be_made(server, start):
    terminal = start(address(server), "-timeout", "6000")  # a machine may stand still for half of it
    prompt(terminal, 0)
    send(terminal, "create -e /expires 1", 1)
    os.kill(terminal.process.pid, signal.SIGSTOP)
    with server.client() as client:
        until(lambda: client.exists("/expires") is None, "the end of the session")
    os.kill(terminal.process.pid, signal.SIGCONT)
    terminal.wait(r"WatchedEvent state:Disconnected type:None path:null")
    terminal.wait(r"WatchedEvent state:Expired type:None path:null")
    terminal.type("ls /\r")
    terminal.wait(r"Not connected\n")
    prompt(terminal, 2, "CLOSED")
    terminal.type("connect\r")
    terminal.wait(r"WatchedEvent state:SyncConnected")
    assert send(terminal, "ls /zookeeper", 4) == "[config, quota]"


def test_without_a_server_the_prompt_is_there_at_once(start):
    terminal = start("127.0.0.1:%d" % free_port())
    prompt(terminal, 0, "CONNECTING")
    terminal.type("ls /\r")
    terminal.wait(r"KeeperErrorCode = ConnectionLoss for /\n")


def test_the_prompt_below_an_event_shows_the_state_that_came_with_it(start):
    """So a shell that is faster than its connection looks as one that is not, without a key."""
    with Server("paddock", {}) as server:
        server.stop()
        terminal = start(address(server))
        prompt(terminal, 0, "CONNECTING")
        server.start()
        terminal.wait(r"WatchedEvent state:SyncConnected type:None path:null")
        prompt(terminal, 0)
        assert send(terminal, "ls /zookeeper", 1) == "[config, quota]"


def test_the_next_server_of_the_list_is_taken(server, start):
    terminal = start("127.0.0.1:%d,%s,127.0.0.1:%d" % (free_port(), address(server), free_port()))
    prompt(terminal, 0)
    assert send(terminal, "ls /zookeeper", 1) == "[config, quota]"


def test_with_r_a_server_without_a_quorum_is_read_and_written_when_there_is_one(start):
    with Ensemble(["paddock"] * 3, config={"localSessionsEnabled": "true"},
                  props={"readonlymode.enabled": "true"}) as ensemble:
        alone, *others = ensemble.members
        for member in others:
            member.kill()
        ensemble.wait(lambda: alone.mode() == "read-only", "read-only")
        terminal = start(address(alone), "-r")
        prompt(terminal, 0, "CONNECTEDREADONLY")
        assert send_read_only(terminal, "ls /", 1) == "[zookeeper]"
        assert "read only" in send_read_only(terminal, "create /w", 2).lower().replace("-", " ")
        for member in others:
            member.start()
        terminal.wait(r"WatchedEvent state:SyncConnected type:None path:null")
        terminal.type("create /w\r")
        terminal.wait(r"Created /w\n")


def test_with_r_a_read_only_server_is_left_when_another_one_takes_writes(start):
    with Server("paddock") as other:
        other.kill()
        with Ensemble(["paddock"] * 3, config={"localSessionsEnabled": "true"},
                      props={"readonlymode.enabled": "true"}) as ensemble:
            alone, *others = ensemble.members
            for member in others:
                member.kill()
            ensemble.wait(lambda: alone.mode() == "read-only", "read-only")
            terminal = start("%s,%s" % (address(alone), address(other)), "-r")
            prompt(terminal, 0, "CONNECTEDREADONLY")
            other.start()  # its zxids are lower; nothing was asked yet, so it takes the client
            terminal.wait(r"WatchedEvent state:SyncConnected type:None path:null")
            terminal.type("create /w\r")
            terminal.wait(r"Created /w\n")
            ensemble.wait(lambda: alone.mode() == "read-only", "read-only still")
            with other.client() as client:
                assert client.exists("/w")


def test_an_identity_that_is_refused_ends_the_session(server, start):
    terminal = start(address(server))
    prompt(terminal, 0)
    terminal.type("addauth nosuch x\r")
    terminal.wait(r"WatchedEvent state:AuthFailed type:None path:null")
    terminal.type("\r")
    terminal.wait(r"\(AUTH_FAILED\) 1\] ")


def test_ctrl_c_ends_the_shell_with_130_and_ctrl_d_with_the_last_code(server, start):
    terminal = start(address(server))
    prompt(terminal, 0)
    terminal.type("\x03")
    assert terminal.end() == 130
    terminal = start(address(server))
    prompt(terminal, 0)
    assert send(terminal, "get /nothing", 1) == "Node does not exist: /nothing"
    terminal.type("\x04")
    assert terminal.end() == 1
