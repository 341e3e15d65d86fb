"""Calls of our shell, one command each."""

import json
import subprocess

from . import replay
from .servers import paddock_program

CALL_SECONDS_MAX = 60


class Result:
    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err

    @property
    def text(self):
        return self.out.decode()

    @property
    def lines(self):
        return self.text.splitlines()

    @property
    def json(self):
        """The one object that is expected."""
        lines = self.lines
        assert len(lines) == 1, (self.out, self.err)
        return json.loads(lines[0])


def start(port, *words, **more):
    argv = [paddock_program(), "cli", "-server", "127.0.0.1:%d" % port, *words]
    pipe = subprocess.PIPE
    return subprocess.Popen(argv, stdin=pipe, stdout=pipe, stderr=pipe, env=replay.environment(), **more)


def finish(process, stdin=b""):
    out, err = process.communicate(stdin, timeout=CALL_SECONDS_MAX)
    return Result(process.returncode, out, err.decode())


def call(port, *words, stdin=b"", **more):
    return finish(start(port, *words, **more), stdin)
