"""The completion of bash: the file is loaded and asked as bash would ask it."""

import os
import re
import shlex
import shutil
import subprocess

import pytest

from pylib import replay
from pylib.servers import REPO, Server, paddock_program

FILE = os.path.join(REPO, "completions", "paddock.bash")
ZSH_FILE = os.path.join(REPO, "completions", "_paddock")


@pytest.fixture
def complete(tmp_path):
    """What bash offers for the last of these words. The programs are found in PATH under their names."""
    for name, target in (("paddock", paddock_program()),
                         ("zkCli.sh", os.path.join(REPO, "bin", "zkCli.sh")),
                         ("zkServer.sh", os.path.join(REPO, "bin", "zkServer.sh"))):
        os.symlink(target, tmp_path / name)
    # The completion gives the shell one second. A busy machine may need more.
    (tmp_path / "timeout").write_text('#!/bin/sh\nshift\nexec "$@"\n')
    (tmp_path / "timeout").chmod(0o755)

    def ask(*words):
        function = {"paddock": "_paddock", "zkCli.sh": "_zkcli", "zkServer.sh": "_zkserver"}[words[0]]
        # Like bash, which takes a colon for a word of its own.
        parts = [part for word in words for part in (re.split("(:)", word) if word else [word])]
        script = "\n".join([
            ". " + shlex.quote(FILE),
            "COMP_WORDS=(%s)" % " ".join(shlex.quote(part) for part in parts),
            "COMP_CWORD=%d" % (len(parts) - 1),
            "%s %s" % (function, words[0]),
            'printf "%s\\n" "${COMPREPLY[@]}"',
        ])
        env = replay.environment()
        env["PATH"] = "%s:%s" % (tmp_path, env["PATH"])
        done = subprocess.run(["bash", "-c", script], env=env, capture_output=True, text=True,
                              cwd=str(tmp_path), timeout=60)
        assert "syntax error" not in done.stderr and "command not found" not in done.stderr
        return sorted(line for line in done.stdout.splitlines() if line)

    return ask


def listed_commands():
    text = subprocess.run([paddock_program(), "help"], capture_output=True, text=True).stdout
    return sorted(set(re.findall(r"(?m)^paddock ([a-z-]+) ", text)))


def test_loading_it_registers_all_programs():
    script = ". %s; complete -p paddock zkCli.sh zkServer.sh" % shlex.quote(FILE)
    assert subprocess.run(["bash", "-c", script]).returncode == 0


def test_the_commands_are_those_that_help_lists(complete):
    commands = listed_commands()
    assert len(commands) > 8
    assert complete("paddock", "") == sorted(commands + ["--help", "--version"])
    assert complete("paddock", "ben") == ["bench"]


def test_options_are_those_of_the_help_texts(complete):
    text = subprocess.run([paddock_program(), "bench", "--help"], capture_output=True, text=True).stdout
    assert complete("paddock", "bench", "-") == sorted(set(re.findall(r"(?m)^  (--[a-z]+)", text)))
    assert complete("paddock", "server", "--log-") == ["--log-file", "--log-level"]
    assert complete("paddock", "server", "--log-level", "de") == ["debug"]
    assert complete("paddock", "bench", "--op", "w") == ["watch"]
    assert complete("paddock", "four-letter", "localhost", "m") == ["mntr"]


@pytest.mark.parametrize("program", [["zkCli.sh"], ["paddock", "cli"]])
def test_the_shells_commands_and_their_options(complete, program):
    assert complete(*program, "getA") == ["getAcl", "getAllChildrenNumber"]
    assert complete(*program, "-server", "localhost:1", "loc") == ["lock"]
    assert complete(*program, "-timeout", "1", "-r", "del") == ["delete", "deleteall", "delquota"]
    with open(os.path.join(REPO, "src", "shell", "shell_main.c")) as file:
        known = re.findall(r'strcmp\(argv\[at\], "(-[a-z-]+)"\)', file.read())
    assert complete(*program, "-") == sorted(set(known))
    assert complete(*program, "--output", "") == ["json", "text"]
    assert complete(*program, "watch", "--re") == ["--recursive"]
    assert complete(*program, "ls", "-") == ["--output", "-R", "-s", "-w"]
    assert complete(*program, "bench", "--dur") == ["--duration"]
    assert complete(*program, "lock", "/path", "--", "sl") and (
        "sleep" in complete(*program, "lock", "/path", "--", "sl"))
    assert complete(*program, "help", "wai") == ["wait"]
    assert complete(*program, "printwatches", "") == ["off", "on"]


@pytest.mark.parametrize("program", [["zkCli.sh"], ["paddock", "cli"]])
def test_paths_are_asked_of_the_server_of_the_line(complete, program):
    with Server("paddock", {}) as server:
        with server.client() as client:
            for path in ("/app", "/app/one", "/app/two words", "/apple"):
                client.create(path)
        line = [*program, "-server", server.address]
        assert complete(*line, "ls", "/ap") == ["/app", "/apple"]
        assert complete(*line, "get", "-s", "/app/") == ["/app/one", "/app/two words"]
        assert complete(*line, "get", "/none/") == []


def test_a_server_that_is_not_there_offers_nothing(complete):
    assert complete("zkCli.sh", "-server", "127.0.0.1:1", "ls", "/") == []


def test_the_words_of_zkserver_are_those_of_its_usage(complete):
    usage = subprocess.run([os.path.join(REPO, "bin", "zkServer.sh")], capture_output=True, text=True,
                           env=replay.environment()).stderr
    words = re.search(r"\{(.*)\}", usage).group(1).split("|")
    assert complete("zkServer.sh", "") == sorted(words + ["--config"])
    assert complete("zkServer.sh", "--config", "dir", "sta") == [
        "start", "start-foreground", "status"]
    with open(ZSH_FILE) as file:
        assert "--config start start-foreground stop version restart status print-cmd" in file.read()


def test_the_file_of_zsh_has_no_wrong_syntax():
    zsh = shutil.which("zsh")
    if zsh is None:
        pytest.skip("there is no zsh")
    assert subprocess.run([zsh, "-n", ZSH_FILE]).returncode == 0
