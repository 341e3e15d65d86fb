#!/usr/bin/env python3
"""ZooKeeper in Java and Paddock in turn, on this machine, under the same load generator.

    bench/compare.py                medians of 5 alternations (about half an hour)
    bench/compare.py --quick        one short alternation
    bench/compare.py --rows get     only rows whose name contains the word
    bench/compare.py --only java    only one of the two

Both sync every write to the same file system. Prints one line per row (Java, Paddock, ratio, what
was to be reached, whether it was) and writes everything to build/bench.json.
"""

import argparse
import json
import os
import re
import shutil
import signal
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PADDOCK = os.environ.get("PADDOCK", os.path.join(ROOT, "build", "paddock"))
NULL_SERVER = os.path.join(ROOT, "build", "release", "bench_nullserver")
CLASSPATH = os.environ.get("ZK_CLASSPATH", "/usr/share/java/zookeeper.jar")
JAVA_MAIN = "org.apache.zookeeper.server.quorum.QuorumPeerMain"
PORT = int(os.environ.get("BENCH_PORT", "24281"))
KINDS = ("java", "paddock")
MILLION = 1000000
MILLION_ROWS = ("memory, 1M znodes (MB)", "start, 1M znodes (ms)", "set p99 without snapshot (us)",
                "set p99 while snapshot (us)", "longest silence while snapshot (ms)",
                "longest silence without (ms)")
TICKS = os.sysconf("SC_CLK_TCK")


class BenchFailed(Exception):
    pass


# --- servers -------------------------------------------------------------------------------------


class Server:
    """One server process over a directory that the caller owns."""

    running = None

    def __init__(self, kind, directory, config=None):
        self.kind, self.directory = kind, directory
        keys = {
            "tickTime": 2000,
            "clientPort": PORT,
            "clientPortAddress": "127.0.0.1",
            "dataDir": os.path.join(directory, "data"),
            "maxClientCnxns": 0,
            "admin.enableServer": "false",
            "4lw.commands.whitelist": "*",
        }
        keys.update(config or {})
        os.makedirs(keys["dataDir"], exist_ok=True)
        self.config_path = os.path.join(directory, "zoo.cfg")
        with open(self.config_path, "w") as file:
            file.writelines("%s=%s\n" % item for item in keys.items())
        self.process = None

    def command(self):
        if self.kind == "java":
            return ["java", "-Xmx4g", "-cp", CLASSPATH, JAVA_MAIN, self.config_path]
        if self.kind == "null":
            return [NULL_SERVER, str(PORT), "100"]
        return [PADDOCK, "server", self.config_path]

    def __enter__(self):
        """Starts it and waits for the first answer; start_s says how long that took."""
        os.sync()  # what the server before left to the kernel is not this one's load
        began = time.monotonic()
        with open(os.path.join(self.directory, "log"), "ab") as log:
            self.process = subprocess.Popen(
                self.command(), stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.directory
            )
        Server.running = self
        while not answers():
            if self.process.poll() is not None:
                raise BenchFailed("%s ended at start, see %s/log" % (self.kind, self.directory))
            if time.monotonic() - began > 180:
                raise BenchFailed("%s does not answer" % self.kind)
            time.sleep(0.001)
        self.start_s = time.monotonic() - began
        return self

    def __exit__(self, kind, *exc):
        Server.running = None
        if kind is not None:  # what the server had to say about it
            with open(os.path.join(self.directory, "log"), errors="replace") as log:
                print("".join(log.readlines()[-15:]), file=sys.stderr)
            print("%s: exit status %s" % (self.kind, self.process.poll()), file=sys.stderr)
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def wait_snapshot(self, wait_s=60):
        """Until there is a snapshot of all that is served."""
        zxid = re.search(rb"Zxid: 0x([0-9a-f]+)", four_letter(b"srvr")).group(1).decode()
        path = os.path.join(self.directory, "data", "version-2", "snapshot." + zxid)
        end = time.monotonic() + wait_s
        while not os.path.exists(path):
            if time.monotonic() > end:
                raise BenchFailed("%s wrote no %s" % (self.kind, path))
            time.sleep(0.05)

    def cpu_s(self):
        with open("/proc/%d/stat" % self.process.pid) as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def rss_mb(self):
        with open("/proc/%d/status" % self.process.pid) as file:
            for line in file:
                if line.startswith("VmRSS:"):
                    return int(line.split()[1]) / 1024
        raise BenchFailed("no VmRSS")


def answers():
    """Does the server settle a handshake? A session that cannot exist: nothing is written."""
    request = struct.pack(">iiqiqi16s?", 45, 0, 0, 4000, 1, 16, b"x" * 16, False)
    try:
        with socket.create_connection(("127.0.0.1", PORT), timeout=5) as sock:
            sock.sendall(request)
            return len(sock.recv(64)) >= 40
    except OSError:
        return False


def four_letter(word):
    with socket.create_connection(("127.0.0.1", PORT), timeout=5) as sock:
        sock.sendall(word)
        return b"".join(iter(lambda: sock.recv(65536), b""))


def bench(*words):
    """Runs the load generator; what it measured, as a dictionary."""
    command = [PADDOCK_BENCH[0], *PADDOCK_BENCH[1:], "--servers", "127.0.0.1:%d" % PORT, "--json"]
    done = subprocess.run([*command, *map(str, words)], capture_output=True, text=True)
    if done.returncode != 0:
        raise BenchFailed("bench %s: %s" % (" ".join(map(str, words)), done.stderr.strip()))
    result = json.loads(done.stdout.splitlines()[-1])
    if result["errors"]:
        raise BenchFailed("bench %s: %s" % (" ".join(map(str, words)), done.stderr.strip()))
    return result


PADDOCK_BENCH = [os.environ.get("BENCH_CLIENT", PADDOCK), "bench"]
if "BENCH_CLIENT" in os.environ:
    PADDOCK_BENCH = [os.environ["BENCH_CLIENT"]]


# --- measurements: each adds samples[(row, kind)] ------------------------------------------------


class Run:
    def __init__(self, options):
        self.options = options
        self.samples = {}
        self.scratch = tempfile.mkdtemp(prefix="data-", dir=os.path.join(ROOT, "build"))
        self.seconds = 2.0 if options.quick else 5.0
        self.warmup = 2.0 if options.quick else 4.0

    def add(self, row, kind, value):
        self.samples.setdefault(row, {}).setdefault(kind, []).append(value)
        print("  %-8s %-34s %s" % (kind, row, number(value)), file=sys.stderr, flush=True)

    def fresh(self, name):
        """Nothing is removed before the end: a file system that discards what was deleted would keep
        the disk from the server that comes next."""
        return tempfile.mkdtemp(prefix=name + "-", dir=self.scratch)

    def wants(self, *rows):
        return any(self.options.rows in row for row in rows)

    def kinds(self):
        return [k for k in KINDS if self.options.only in (None, k)]

    def load(self, server, row, words, cpu_row=None, p99_row=None):
        """Warm up, then measure; the same words for every server."""
        if not self.wants(row, cpu_row or row, p99_row or row):
            return
        bench(*words, "--warmup", 0, "--duration", self.warmup)
        reuse = [] if "create" in words else ["--reuse"]
        cpu = server.cpu_s()
        got = bench(*words, *reuse, "--warmup", 0, "--duration", self.seconds)
        cpu = server.cpu_s() - cpu
        self.add(row, server.kind, got["ops_per_s"])
        if cpu_row:
            self.add(cpu_row, server.kind, cpu / got["ops"] * 1e6)
        if p99_row:
            self.add(p99_row, server.kind, got["p99_us"])

    def throughput(self, kind):
        """Every row of load on one fresh server."""
        one = ["--sessions", 1, "--outstanding", 1, "--spin"]
        with Server(kind, self.fresh(kind)) as server:
            self.load(server, "get 16x16 (op/s)", ["--op", "get"], cpu_row="CPU per get (us)")
            self.load(server, "get 1x1 (op/s)", ["--op", "get", *one])
            if kind == "null":
                return
            self.load(server, "set 16x16 (op/s)", ["--op", "set"], cpu_row="CPU per set (us)")
            self.load(server, "set 1x1 (op/s)", ["--op", "set", *one])
            self.load(
                server,
                "create 16x64 (op/s)",
                ["--op", "create", "--outstanding", 64],
                p99_row="create 16x64 p99 (us)",
            )
            self.load(
                server,
                "mix 90/10 100x32 (op/s)",
                ["--op", "mix", "--sessions", 100, "--outstanding", 32],
                p99_row="mix 90/10 100x32 p99 (us)",
            )
            if self.wants("5,000 watchers (ms)"):
                rounds = 5 if self.options.quick else 20
                got = bench("--op", "watch", "--sessions", 5000, "--ops", rounds, "--spin")
                self.add("5,000 watchers (ms)", kind, got["p50_us"] / 1000)

    def idle(self, kind):
        if not self.wants("idle memory (MB)", "memory per idle session (KB)", "start, empty (ms)"):
            return
        with Server(kind, self.fresh("idle-" + kind)) as server:
            self.add("start, empty (ms)", kind, server.start_s * 1000)
            empty_mb = server.rss_mb()
            self.add("idle memory (MB)", kind, empty_mb)
            sessions = 2000 if self.options.quick else 10000
            client = subprocess.Popen(
                [*PADDOCK_BENCH, "--servers", "127.0.0.1:%d" % PORT, "--op", "idle"]
                + ["--sessions", str(sessions), "--duration", "4"],
                stdout=subprocess.PIPE,
                text=True,
            )
            if client.stdout.readline().strip() != "ready":
                raise BenchFailed("idle sessions do not connect")
            time.sleep(2)  # what connecting needed is given back
            used_kb = (server.rss_mb() - empty_mb) * 1024
            self.add("memory per idle session (KB)", kind, used_kb / sessions)
            client.wait()

    def million(self, kind):
        """A directory with a million znodes."""
        directory = self.fresh("million-" + kind)
        with Server(kind, directory) as server:
            bench("--op", "none", "--prefill", MILLION)
            self.add(MILLION_ROWS[0], kind, server.rss_mb())
        return directory

    def over_million(self, kind, directory):
        """A start and sets over it, without a snapshot and with one."""
        paced = ["--op", "set", "--reuse", "--paths", MILLION, "--rate", 10000]
        paced += ["--warmup", self.warmup, "--duration", self.seconds * 2]
        with Server(kind, directory) as server:
            # So that the start measured finds a snapshot and nothing left to replay: Java writes
            # it before it serves, Paddock while it does.
            server.wait_snapshot()
        with Server(kind, directory, {"snapCount": 100 * MILLION}) as server:
            self.add(MILLION_ROWS[1], kind, server.start_s * 1000)
            got = bench(*paced)
            self.add(MILLION_ROWS[2], kind, got["p99_us"])
            self.add(MILLION_ROWS[5], kind, got["silence_us"] / 1000)
        with Server(kind, directory, {"snapCount": 5000}):
            got = bench(*paced)
            self.add(MILLION_ROWS[3], kind, got["p99_us"])
            self.add(MILLION_ROWS[4], kind, got["silence_us"] / 1000)

    def program_size(self):
        if "paddock" in self.kinds() and self.wants("program, stripped (MB)"):
            stripped = os.path.join(self.scratch, "program")
            subprocess.run(["strip", "-o", stripped, PADDOCK], check=True)
            self.add("program, stripped (MB)", "paddock", os.path.getsize(stripped) / 1e6)

    def all(self):
        alternations = self.options.alternations or (1 if self.options.quick else 5)
        for i in range(alternations):
            print("alternation %d of %d" % (i + 1, alternations), file=sys.stderr)
            for kind in [*self.kinds(), "null"]:
                self.throughput(kind)
            for kind in self.kinds():
                self.idle(kind)
        if self.wants(*MILLION_ROWS):
            directories = {kind: self.million(kind) for kind in self.kinds()}
            for _ in range(alternations):
                for kind, directory in directories.items():
                    self.over_million(kind, directory)
        self.program_size()


# --- the table -----------------------------------------------------------------------------------

# row, how the two compare, what is to be reached
#   more: paddock / java at least; less: paddock / java at most; under: paddock under
TARGETS = [
    ("get 16x16 (op/s)", "more", 6.0),
    ("get 1x1 (op/s)", "more", 3.0),
    ("set 16x16 (op/s)", "more", 4.0),
    ("set 1x1 (op/s)", "more", 2.0),
    ("create 16x64 (op/s)", "more", 5.0),
    ("create 16x64 p99 (us)", "less", 1 / 10),
    ("mix 90/10 100x32 (op/s)", "more", 6.0),
    ("mix 90/10 100x32 p99 (us)", "less", 1 / 4),
    ("CPU per get (us)", "less", 1 / 8),
    ("CPU per set (us)", "less", 1 / 6),
    ("5,000 watchers (ms)", "less", 1 / 5),
    ("memory, 1M znodes (MB)", "under", 260),
    ("start, empty (ms)", "under", 30),
    ("start, 1M znodes (ms)", "less", 1 / 10),
    ("set p99 without snapshot (us)", None, None),
    ("set p99 while snapshot (us)", "over-without", 1.2),
    ("longest silence without (ms)", None, None),
    ("longest silence while snapshot (ms)", "under", 10),
    ("idle memory (MB)", "under", 10),
    ("memory per idle session (KB)", "under", 4),
    ("program, stripped (MB)", "under", 3),
]


def number(value):
    if value is None:
        return "-"
    if value >= 1000:
        return "{:,.0f}".format(value)
    return "%.1f" % value if value >= 10 else "%.2f" % value


def judge(row, how, target, medians):
    """(ratio text, target text, reached or None)"""
    java, paddock = medians(row, "java"), medians(row, "paddock")
    ratio = paddock / java if java and paddock else None
    if how is None or paddock is None:
        return (number(ratio), "", None)
    if how == "under":
        return (number(ratio), "under %s" % number(target), paddock < target)
    if how == "over-without":
        without = medians("set p99 without snapshot (us)", "paddock")
        if not without:
            return (number(ratio), "", None)
        own = paddock / without
        return ("%.2f own" % own, "at most %.1f of own" % target, own <= target)
    if ratio is None:
        return ("-", "", None)
    if how == "more":
        return ("%.1fx" % ratio, "%gx" % target, ratio >= target)
    return ("1/%.1f" % (1 / ratio), "1/%g" % round(1 / target), ratio <= target)


def table(samples):
    def medians(row, kind):
        values = samples.get(row, {}).get(kind)
        return statistics.median(values) if values else None

    lines = [("workload", "Java 3.8", "Paddock", "ratio", "to reach", "reached")]
    rows = []
    for row, how, target in TARGETS:
        if row not in samples:
            continue
        ratio, wanted, reached = judge(row, how, target, medians)
        said = {True: "yes", False: "NO", None: ""}[reached]
        lines.append((row, number(medians(row, "java")), number(medians(row, "paddock")), ratio,
                      wanted, said))
        rows.append({"row": row, "java": medians(row, "java"), "paddock": medians(row, "paddock"),
                     "ratio": ratio, "target": wanted, "reached": reached})
        ceiling = medians(row, "null")
        if ceiling:
            paddock = medians(row, "paddock")
            part = "%.2f" % (paddock / ceiling) if paddock else "-"
            half = row.startswith("get 16x16")
            reached = paddock >= ceiling / 2 if paddock and half else None
            lines.append(("  of the do-nothing ceiling", number(ceiling), "", part,
                          "0.5" if half else "", {True: "yes", False: "NO", None: ""}[reached]))
            rows.append({"row": row + ", part of the ceiling", "ceiling": ceiling, "ratio": part,
                         "reached": reached})
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    for line in lines:
        cells = [line[0].ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(line[1:], widths[1:])]
        print("  ".join(cells))
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="one short alternation")
    parser.add_argument("--alternations", type=int, help="how many times in turn (5)")
    parser.add_argument("--rows", default="", help="only rows whose name contains this")
    parser.add_argument("--only", choices=KINDS, help="only one of the two servers")
    options = parser.parse_args()
    os.makedirs(os.path.join(ROOT, "build"), exist_ok=True)
    run = Run(options)
    try:
        run.all()
    except (BenchFailed, KeyboardInterrupt, OSError, subprocess.SubprocessError) as failure:
        print("bench: %s" % (failure or "interrupted"), file=sys.stderr)
        status = 1
    else:
        status = 0
    finally:
        if Server.running is not None:
            Server.running.process.kill()
            Server.running.process.wait()
        shutil.rmtree(run.scratch, ignore_errors=True)
    rows = table(run.samples)
    with open(os.path.join(ROOT, "build", "bench.json"), "w") as file:
        json.dump({"rows": rows, "samples": run.samples, "cpus": os.cpu_count(),
                   "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())}, file, indent=1)
    return status


if __name__ == "__main__":
    sys.exit(main())
