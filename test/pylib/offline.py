"""The offline commands on files: calls them, limits their memory, makes logs of any size."""

import os
import struct
import subprocess
import tarfile
import zlib

from . import replay
from .servers import paddock_program

LOG_HEAD = struct.pack(">4siq", b"ZKLG", 2, 0)
ZEROS = bytes(4096)


class Call:
    """`paddock WORDS...`, ended: code, out, err."""

    def __init__(self, *words, stdin=b"", cwd=None, before=()):
        process = subprocess.run(
            [*before, paddock_program(), *[str(word) for word in words]], input=stdin,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=cwd, env=replay.environment(),
            timeout=300,
        )
        self.code = process.returncode
        self.out, self.err = (s.decode("utf8", "replace") for s in (process.stdout, process.stderr))
        self.lines = self.out.splitlines()


def call_within(kilobytes, *words):
    """The same with so much address space; its output is thrown away."""
    limit = "ulimit -v %d && exec \"$@\" >/dev/null" % kilobytes
    return Call(*words, before=["/bin/sh", "-c", limit, "sh"])


def unpack(name, folder):
    """A recorded data directory of Java's; the path of its directory `data`."""
    with tarfile.open(os.path.join(replay.GOLDEN, "storage", name + ".tar.gz")) as archive:
        archive.extractall(folder / name)
    return folder / name / "data"


def text(value):
    return struct.pack(">i", len(value)) + value


def set_data(path, data):
    return 5, text(path.encode()) + text(data) + struct.pack(">i", 1)


def record(zxid, session, kind, body, time_ms=1700000000000):
    payload = struct.pack(">qiqqi", session, 1, zxid, time_ms, kind) + body
    return struct.pack(">qi", zlib.adler32(payload), len(payload)) + payload + b"B"


def write_log(path, records):
    """A log as Java writes it, of records(): with zeros at its end."""
    with open(path, "wb") as out:
        out.write(LOG_HEAD)
        for one in records:
            out.write(one)
        out.write(ZEROS)
    return path
