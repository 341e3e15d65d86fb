"""Drives the command line of Debian's zookeeper package: the real Java program, unmodified.

Without JLine it reads commands from a pipe, one at a time, so several of them can take part in one
story. `version` is answered without the server and marks the end of each command's output.
"""

import os
import re
import select
import subprocess
import time

CLASSPATH = os.environ.get("ZK_CLASSPATH", "/usr/share/java/zookeeper.jar")
JAVA = ["java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx128m", "-Xshare:auto"]
MAIN = "org.apache.zookeeper.ZooKeeperMain"
WAIT_S = 60.0
END = "ZooKeeper CLI version"
NOISE = ("SLF4J:", "WATCHER::", "Connecting to ", "Welcome to ZooKeeper!", "JLine support is")
CONNECTED = "WatchedEvent state:SyncConnected type:None path:null"


def command(address, *words):
    return [*JAVA, "-cp", CLASSPATH, MAIN, "-server", address, *words]


def environment():
    return dict(os.environ, TZ="UTC", LC_ALL="C.UTF-8")


def once(address, *words):
    """One command in a process of its own: (exit code, lines on stdout and stderr)."""
    done = subprocess.run(
        command(address, *words), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, timeout=90, env=environment(),
    )  # fmt: skip
    lines = [line for line in done.stdout.split("\n") if line and not line.startswith(NOISE)]
    return done.returncode, [line for line in lines if not line.startswith("WatchedEvent")]


class Cli:
    """A command line that stays open. Lines that watches print are put aside into .events."""

    def __init__(self, address, *options):
        self.process = subprocess.Popen(
            command(address, *options), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, env=environment(),
        )  # fmt: skip
        self.lines, self.events, self.partial = [], [], b""
        self.await_event("type:None")
        self.events.clear()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.kill()

    def run(self, line):
        """The lines that this command prints, on either stream."""
        self.send(line + "\nversion\n")
        self._read_until(lambda: any(text.startswith(END) for text in self.lines), line)
        at = next(i for i, text in enumerate(self.lines) if text.startswith(END))
        output, self.lines = self.lines[:at], self.lines[at + 1 :]
        return output

    def send(self, text):
        self.process.stdin.write(text.encode())
        self.process.stdin.flush()

    def await_event(self, part):
        """The first event line that holds `part`; it is taken out of .events."""
        self._read_until(lambda: any(part in event for event in self.events), part)
        event = next(event for event in self.events if part in event)
        self.events.remove(event)
        return event

    def quit(self):
        """The exit status after `quit`."""
        self.send("quit\n")
        self.process.stdin.close()
        while True:
            chunk = self.process.stdout.read()
            if not chunk:
                break
        return self.process.wait(WAIT_S)

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def _read_until(self, ready, what):
        deadline = time.monotonic() + WAIT_S
        while not ready():
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.process.stdout], [], [], left)[0]:
                raise AssertionError("%r: nothing after %r, %r" % (what, self.lines, self.events))
            chunk = os.read(self.process.stdout.fileno(), 1 << 16)
            if not chunk:
                raise AssertionError("%r: it ended after %r" % (what, self.lines))
            *whole, self.partial = (self.partial + chunk).split(b"\n")
            for line in (part.decode() for part in whole):
                if line.startswith("WatchedEvent"):
                    self.events.append(line)
                elif line and not line.startswith(NOISE):
                    self.lines.append(line)


EPOCH = "Thu Jan 01 00:00:00 UTC 1970"
DATE = re.compile(r"[A-Z][a-z]{2} [A-Z][a-z]{2} \d\d \d\d:\d\d:\d\d UTC \d{4}")


def normalised(lines):
    """What differs between two servers although nothing is wrong: dates, session ids, ports."""
    result = []
    for line in lines:
        line = DATE.sub(lambda m: m.group() if m.group() == EPOCH else "<DATE>", line)
        line = re.sub(r"ephemeralOwner = 0x[0-9a-f]{2,}", "ephemeralOwner = <SESSION>", line)
        line = re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:<PORT>", line)
        result.append(line)
    return result
