"""Replays recorded calls of ZooKeeper's scripts with ours, and compares what they print.

A call is a case of test/golden/*/*.json: argv, env, exit_code, stdout, stderr. <DIST> is the directory
above bin/, <TMP> a scratch directory."""

import json
import os
import re
import signal
import subprocess

from .servers import REPO, paddock_program

GOLDEN = os.path.join(REPO, "test", "golden")
CALL_SECONDS_MAX = 60


def load(name):
    with open(os.path.join(GOLDEN, name)) as file:
        return json.load(file)


def environment(**more):
    env = {key: os.environ[key] for key in ("PATH", "HOME") if key in os.environ}
    env.update(TZ="UTC", LC_ALL="C.UTF-8", USER="zk", HOSTNAME="vm", PADDOCK=paddock_program())
    env.update(more)
    return env


class Call:
    """What one call printed. Output goes to files: a started server keeps what it inherits."""

    def __init__(self, argv, tmp_path, env=None, stdin=b"", seconds=CALL_SECONDS_MAX):
        out, err = str(tmp_path / "call.out"), str(tmp_path / "call.err")
        with open(out, "wb") as stdout, open(err, "wb") as stderr:
            process = subprocess.Popen(
                argv, env=environment(**(env or {})), stdin=subprocess.PIPE, stdout=stdout,
                stderr=stderr, cwd=str(tmp_path), start_new_session=True,
            )
            try:
                process.communicate(stdin, timeout=seconds)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
                raise
        self.code = process.returncode
        with open(out, "rb") as file:
            self.out = file.read().decode("utf8", "replace")
        with open(err, "rb") as file:
            self.err = file.read().decode("utf8", "replace")


def interrupt_at(process, stream, question):
    """Ctrl-C when the program has asked this; its exit code."""
    shown = b""
    while question not in shown:
        part = stream.read1(4096)
        assert part, "it ended: %r" % shown
        shown += part
    process.send_signal(signal.SIGINT)
    code = process.wait(20)
    process.stdin.close()
    stream.close()
    return code


def script(name):
    return os.path.join(REPO, "bin", name)


def put_in(text, tmp):
    return text.replace("<TMP>", str(tmp)).replace("<DIST>", REPO)


def without_java(text):
    """Without the line that zkEnv.sh of Java prints, and a Java stack trace reduced to its message."""
    return re.sub(r"^/usr/bin/java\n", "", text, flags=re.M)
