#!/usr/bin/env python3
"""A short session of everything under valgrind: no wrong access, no leak, a clean end."""

import os
import signal
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "test"))
os.environ.setdefault("PADDOCK", os.path.join(ROOT, "build", "debug", "paddock"))

from pylib.servers import Server  # noqa: E402

VALGRIND = ["valgrind", "-q", "--error-exitcode=99", "--leak-check=full", "--track-fds=no",
            "--errors-for-leak-kinds=definite,indirect", "--show-leak-kinds=definite,indirect"]
LOADS = (["--op", "get"], ["--op", "set"], ["--op", "create"], ["--op", "mix"],
         ["--op", "watch", "--sessions", "20", "--ops", "5"])


def main():
    program = os.environ["PADDOCK"]
    with tempfile.TemporaryDirectory() as directory:
        for start in ("empty", "again"):  # the second start reads what the first wrote
            server = Server("paddock", {"snapCount": 500}, wrapper=VALGRIND,
                            data_dir=os.path.join(directory, "data"))
            with server:
                for load in LOADS:
                    subprocess.run(
                        [program, "bench", "--servers", server.address, "--sessions", "4", "--paths",
                         "50", "--warmup", "0", "--duration", "1.5", *load],
                        check=True, stdout=subprocess.DEVNULL)
                for word in ("stat", "mntr", "wchp", "dump", "cons"):
                    server.four_letter(word)
                process, log = server.process, server.log_path
                process.send_signal(signal.SIGTERM)
                status = process.wait(60)
                with open(log, errors="replace") as file:
                    text = file.read()
            if status != 0 or "==ERROR" in text:
                print(text[-6000:])
                print("valgrind: start %s: exit status %d" % (start, status))
                return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
