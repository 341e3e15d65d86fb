"""The programs of users: the C library under one program, and zkCli.sh, both kinds against the same
Paddock server. "java" is what comes with ZooKeeper: its C library, and its command line.

The library's program is built once, for Debian's library; the loader finds the one or the other.
"""

import os
import re
import subprocess
import time

from servers import CLASSPATH
from workloads import ROOT, BenchFailed

LIBRARY_GETS = "C library: get, 64 in flight (op/s)"
LIBRARY_CPU = "C library: CPU per get (us)"
SHELL_LS = "zkCli.sh ls / (ms)"
ROWS = [LIBRARY_GETS, LIBRARY_CPU, SHELL_LS]

JAVA_SHELL = ["java", "-cp", CLASSPATH, "org.apache.zookeeper.ZooKeeperMain"]
OUR_SHELL = [os.path.join(ROOT, "bin", "zkCli.sh")]
LIBRARIES = os.path.join(ROOT, "build", "release", "lib")
OUTSTANDING = 64
SHELL_ROUNDS = {"java": 3, "paddock": 20}


def build(run):
    program = os.path.join(run.scratch, "client_gets")
    source = os.path.join(ROOT, "bench", "client_gets.c")
    subprocess.run(["cc", "-O2", "-o", program, source, "-lzookeeper_mt"], check=True)
    return program


def library(run, kind, program, address):
    env = dict(os.environ)
    if kind == "paddock":
        env["LD_LIBRARY_PATH"] = LIBRARIES
    words = [program, address, "%d" % run.duration_s, str(OUTSTANDING)]
    done = subprocess.run(words, env=env, capture_output=True, text=True, check=False)
    found = re.match(r"gets_per_s=(\d+) cpu_us_per_get=([\d.]+) gets=\d+ failed=0\n", done.stdout)
    if done.returncode != 0 or not found:
        raise BenchFailed("client_gets says: %s" % (done.stdout + done.stderr).strip())
    run.add(LIBRARY_GETS, kind, float(found.group(1)))
    run.add(LIBRARY_CPU, kind, float(found.group(2)))


def shell(run, kind, address):
    """From the start of the process to its end: it has answered in between. Ours starts by its script,
    with the shell that runs it; Java's without one."""
    first = JAVA_SHELL if kind == "java" else OUR_SHELL
    words = [*first, "-server", address, "ls", "/"]
    for _ in range(SHELL_ROUNDS[kind]):
        began_s = time.monotonic()
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        took_ms = (time.monotonic() - began_s) * 1000
        if done.returncode != 0 or "zookeeper" not in done.stdout:
            raise BenchFailed("%s ls / says: %s" % (kind, (done.stdout + done.stderr).strip()))
        run.add(SHELL_LS, kind, took_ms)
