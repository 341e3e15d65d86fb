"""What the tutorials type, typed into ours: on one server and on three. What they print is what comes, but
for the lines that are listed with a reason. tutorials/README.md has the notation."""

import os
import re
import time

import pytest

from pylib import replay
from pylib.ensemble import Ensemble
from pylib.servers import Server, free_port, paddock_program
from pylib.terminal import Terminal

from .test_golden_cli import masked

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "tutorials")
NAMES = sorted(name[:-4] for name in os.listdir(FOLDER) if name.endswith(".txt"))
ANYTHING = "*"  # after `now`: not compared here


class Step:
    def __init__(self, verb, who="", text=""):
        self.verb, self.who, self.text = verb, who, text
        self.was, self.now, self.pending = [], [], None

    def line(self, text):
        found = re.match(r"(was|now|why)(?: (.*))?$", text)
        if not found:
            self.was.append(text)
            self.now.append(text)
        elif found.group(1) == "why":
            old, new = self.pending
            assert old != new and found.group(2), text  # no difference, no reason
            self.was += old
            self.now += new
            self.pending = None
        else:
            self.pending = self.pending or ([], [])
            if found.group(2) or found.group(1) == "was":
                self.pending[found.group(1) == "now"].append(found.group(2) or "")


def steps(name, where):
    with open(os.path.join(FOLDER, name + ".txt")) as file:
        lines = file.read().split("\n")[:-1]
    found = []
    for line in lines:
        if line.startswith("[three] "):
            if where != "three":
                continue
            line = line[len("[three] "):]
        if line.startswith("# "):
            continue
        begins = re.match(r"(zone|open|quit) (.*)|(given |)(\w+)(> ?| tab> ?| sees$)(.*)", line)
        if not begins:
            found[-1].line(line)
        elif begins.group(1):
            found.append(Step(begins.group(1), *begins.group(2).split(" ")))
        else:
            verb = begins.group(3).strip() or begins.group(5).strip(" >") or "type"
            found.append(Step(verb, begins.group(4), begins.group(6)))
    assert all(step.pending is None for step in found)
    return found


class Shell:
    """A shell on a terminal, and the number that its prompt has."""

    def __init__(self, servers, zone, history):
        env = replay.environment(PADDOCK_CLI_HISTORY=history, TZ=zone)
        self.terminal = Terminal([paddock_program(), "cli", "-server", servers], env)
        self.servers, self.number = servers, 0
        self.prompt()

    def prompt(self):
        return self.terminal.wait(
            r"\[zk: %s\(CONNECTED\) %d\] " % (re.escape(self.servers), self.number))

    def type(self, line):
        """What was printed behind the line, up to the next prompt."""
        self.terminal.type(line + "\r")
        self.number += 1
        lines = self.prompt().split("\n")
        typed = [i for i, each in enumerate(lines[:3]) if each.rstrip().endswith(line.strip())]
        return lines[typed[-1] + 1:-1]

    def tab(self, text, words):
        self.terminal.type(text + "\t")
        self.terminal.wait(r"(?s)" + r".*?".join(r"\b%s\b" % re.escape(word) for word in words))
        self.terminal.type("\x15")  # nothing is left of the line

    def sees(self, lines):
        self.terminal.wait(re.escape("\n".join(lines)) + r"\n")

    def quit(self):
        self.terminal.type("quit\r")
        assert self.terminal.end() == 0


class Stage:
    """The shells of one tutorial, and its servers."""

    def __init__(self, members, tmp_path):
        self.members, self.tmp_path, self.zone, self.shells = members, tmp_path, "UTC", {}
        self.last = None

    def open(self, name, where):
        every = ["127.0.0.1:%d" % member.port for member in self.members]
        servers = ",".join(every) if where == "all" else every[(int(where) - 1) % len(every)]
        self.shells[name] = Shell(servers, self.zone, str(self.tmp_path / name))

    def shell(self, name):
        """Another server may be behind the one that the last shell wrote to; a reader of the tutorial is
        slower than that."""
        if name != self.last and len(self.members) > 1:
            while len({member.zxid() for member in self.members}) > 1:
                time.sleep(0.02)
        self.last = name
        return self.shells[name]

    def play(self, step):
        if step.verb == "zone":
            self.zone = step.who
        elif step.verb == "open":
            self.open(step.who, step.text)
        elif step.verb == "quit":
            self.shell(step.who).quit()
        elif step.verb == "given":
            self.shell(step.who).type(step.text)
        elif step.verb == "tab":
            self.shell(step.who).tab(step.text, " ".join(step.now).split())
        elif step.verb == "sees":
            self.shell(step.who).sees(step.now)
        else:
            self.compare(step, self.shell(step.who).type(step.text))

    def compare(self, step, got):
        want = [normal(line) for line in step.now]
        got = [normal(line) for line in got]
        if ANYTHING in want:
            at = want.index(ANYTHING)
            assert got[:at] == want[:at] and len(got) > at
        else:
            assert got == want, step.text

    def end(self):
        for shell in self.shells.values():
            shell.terminal.close()


def normal(line):
    line = re.sub(r"^(server\.\d+=)[^:]+:\d+:\d+", r"\1<ADDRESS>", line)
    return masked(line) if line else line


@pytest.fixture(params=["alone", "three"])
def where(request):
    return request.param


@pytest.fixture
def stage(where, tmp_path):
    if where == "alone":
        with Server("paddock") as server:
            made = Stage([server], tmp_path)
            yield made
            made.end()
    else:
        with Ensemble(["paddock"] * 3) as ensemble:
            ensemble.wait_all()
            made = Stage([ensemble[i] for i in (1, 2, 3)], tmp_path)
            yield made
            made.end()


@pytest.mark.parametrize("name", NAMES)
def test_the_sessions_of_a_tutorial_look_as_it_says(name, where, stage):
    played = steps(name, where)
    for step in played:
        stage.play(step)
    assert sum(step.verb == "type" for step in played) >= 6


def test_the_words_of_the_older_help_are_still_there(tmp_path):
    old = next(step for step in steps("three_machines", "alone") if step.text == "help").was[1:]
    with Server("paddock") as server:
        stage = Stage([server], tmp_path)
        stage.open("one", "1")
        now = [line.split()[0] for line in stage.shells["one"].type("help") if line.startswith("\t")]
        stage.end()
    assert len(old) == 25
    # ls2 and rmr are understood and no longer shown.
    assert {line.split()[0] for line in old} - set(now) == {"ls2", "rmr"}


def test_a_shell_whose_server_was_closed_says_that_it_connects(tmp_path):
    """As the tutorial met it: the shell was started after the server had ended. The lines of a Java log that it
    shows behind the prompt are not ours."""
    servers = "127.0.0.1:%d" % free_port()
    env = replay.environment(PADDOCK_CLI_HISTORY=str(tmp_path / "history"))
    terminal = Terminal([paddock_program(), "cli", "-server", servers], env)
    try:
        first = terminal.wait(r"\[zk: %s\(CONNECTING\) 0\] " % re.escape(servers))
        assert first.startswith("Connecting to %s\n" % servers)
        assert "Welcome to ZooKeeper!\nJLine support is enabled\n" in first
        terminal.type("quit\r")
        assert terminal.end() == 0
    finally:
        terminal.close()
