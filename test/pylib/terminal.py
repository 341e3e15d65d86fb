"""A program on a pseudo-terminal: what a person at the keyboard would see."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time

WAIT_SECONDS = 20


def begin_session():
    """As a login does: Ctrl-C works, even when the tests run in the background, where it is ignored."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.signal(signal.SIGQUIT, signal.SIG_DFL)


class Terminal:
    """`columns` wide. The text that has come so far is `text`, without escape sequences."""

    def __init__(self, argv, env, columns=200):
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
        self.process = subprocess.Popen(
            argv, stdin=slave, stdout=slave, stderr=slave, env=dict(env, TERM="xterm"),
            start_new_session=True,
            preexec_fn=begin_session,
        )
        os.close(slave)
        self.raw = b""

    @property
    def text(self):
        text = self.raw.decode("utf8", "replace")
        text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[=>()][0-9A-B]?", "", text)
        return text.replace("\r\n", "\n").replace("\r", "")

    def read(self, seconds):
        ready, _, _ = select.select([self.master], [], [], seconds)
        if not ready:
            return False
        try:
            data = os.read(self.master, 65536)
        except OSError:  # the other end is closed
            data = b""
        self.raw += data
        return data != b""

    def wait(self, what, seconds=WAIT_SECONDS):
        """Until the pattern stands in the text that came since the last wait; that text."""
        deadline = time.monotonic() + seconds
        while True:
            found = re.search(what, self.text[self.seen:])
            if found:
                text = self.text[self.seen:self.seen + found.end()]
                self.seen += found.end()
                return text
            ended = self.process.poll() is not None  # before the read: what it said at its end is read, too
            if time.monotonic() > deadline or not self.read(0.2) and ended:
                raise AssertionError("%r did not come; there is %r" % (what, self.text[self.seen:]))

    seen = 0

    def type(self, text):
        os.write(self.master, text.encode() if isinstance(text, str) else text)

    def end(self):
        """The exit code, after the program has ended by itself."""
        deadline = time.monotonic() + WAIT_SECONDS
        while self.process.poll() is None and time.monotonic() < deadline:
            self.read(0.1)
        code = self.process.wait(timeout=1)
        while self.read(0):
            pass
        return code

    def close(self):
        if self.process.poll() is None:
            os.kill(self.process.pid, signal.SIGKILL)
            self.process.wait()
        os.close(self.master)
