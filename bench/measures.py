"""The measures: each starts its servers, takes its figures and gives them to the run.

A group is the rows that one measure fills. It runs when one of them is wanted.
"""

import math
import os
import shutil
import subprocess
import sys
import tempfile
import time

import failover
import programs
import workloads
from servers import LINEUPS, Ensemble, Server
from workloads import MILLION, PADDOCK, ROOT, BenchFailed

BUSY_POLL_MICROS = 100
FAILOVER_ROUNDS = 20
BEHIND = 100000  # transactions
NEVER = 100 * MILLION  # a snapCount that is never reached


class Run:
    """What was asked for, and the samples so far: samples[row][kind] is a list of figures."""

    def __init__(self, options):
        self.options = options
        self.samples = {}
        self.alternations = options.alternations or (1 if options.quick else 5)
        self.duration_s = 2.0 if options.quick else 5.0
        self.warmup_s = 2.0 if options.quick else 4.0
        self.scratch = tempfile.mkdtemp(prefix="data-", dir=os.path.join(ROOT, "build"))

    def add(self, row, kind, value):
        self.samples.setdefault(row, {}).setdefault(kind, []).append(value)
        print("  %-8s %-40s %.6g" % (kind, row, value), file=sys.stderr, flush=True)

    def wants(self, *rows):
        return any(self.options.rows in row for row in rows)

    def kinds(self):
        return [kind for kind in ("java", "paddock") if self.options.only in (None, kind)]

    def fresh(self, name):
        """A new directory. Nothing is removed before the end: a file system that discards what was
        deleted would keep the disk from the server that comes next."""
        return tempfile.mkdtemp(prefix=name + "-", dir=self.scratch)

    def load(self, target, workload, addresses=None):
        if not self.wants(*workload.rows.values()):
            return
        figures = workloads.measure(target, workload, self.warmup_s, self.duration_s, addresses)
        for row, value in figures.items():
            self.add(row, target.kind, value)

    def done(self):
        shutil.rmtree(self.scratch, ignore_errors=True)


def rows_of(*loads):
    return [row for workload in loads for row in workload.rows.values()]


# --- one server ----------------------------------------------------------------------------------

WATCHERS = "5,000 watchers (ms)"
SERVED = [*rows_of(*workloads.READS, *workloads.WRITES), WATCHERS]
IDLE_MEMORY, SESSION_MEMORY = "idle memory (MB)", "memory per idle session (KB)"
START_EMPTY = "start, empty (ms)"
IDLE = [IDLE_MEMORY, SESSION_MEMORY, START_EMPTY]
POLLING = rows_of(workloads.POLLING)
PROGRAM = "program, stripped (MB)"


def serving(run, kind):
    """All loads on one fresh server; of the do-nothing server only the reads, the ceiling."""
    with Server(kind, run.fresh(kind)) as server:
        for workload in workloads.READS:
            run.load(server, workload)
        if kind == "null":
            return
        for workload in workloads.WRITES:
            run.load(server, workload)
        if run.wants(WATCHERS):
            rounds = 5 if run.options.quick else 20
            words = ("--op", "watch", "--sessions", 5000, "--ops", rounds, "--spin")
            run.add(WATCHERS, kind, workloads.run(server.addresses, *words)["p50_us"] / 1000)


def polling(run):
    """One client at a time, while the server asks its sockets before it sleeps."""
    keys = {"paddock.busyPollMicros": BUSY_POLL_MICROS}
    with Server("paddock", run.fresh("polling"), keys) as server:
        run.load(server, workloads.POLLING)


def idle(run, kind):
    with Server(kind, run.fresh("idle-" + kind)) as server:
        run.add(START_EMPTY, kind, server.start_s * 1000)
        empty_mb = server.rss_mb()
        run.add(IDLE_MEMORY, kind, empty_mb)
        sessions = 2000 if run.options.quick else 10000
        words = ("--op", "idle", "--sessions", sessions, "--duration", 4)
        with subprocess.Popen(
            workloads.generator(server.addresses, *words), stdout=subprocess.PIPE, text=True
        ) as client:
            if client.stdout.readline().strip() != "ready":
                raise BenchFailed("idle sessions do not connect")
            time.sleep(2)  # what connecting needed is given back
            run.add(SESSION_MEMORY, kind, (server.rss_mb() - empty_mb) * 1024 / sessions)


def users_programs(run):
    """ZooKeeper's C library and command line beside ours."""
    with Server("paddock", run.fresh("programs")) as server:
        if run.wants(programs.LIBRARY_GETS, programs.LIBRARY_CPU):
            program = programs.build(run)
            for kind in run.kinds():
                programs.library(run, kind, program, server.addresses[0])
        if run.wants(programs.SHELL_LS):
            for kind in run.kinds():
                programs.shell(run, kind, server.addresses[0])


def program_size(run):
    stripped = os.path.join(run.scratch, "program")
    subprocess.run(["strip", "-o", stripped, PADDOCK], check=True)
    run.add(PROGRAM, "paddock", os.path.getsize(stripped) / 1e6)


# --- a million znodes ----------------------------------------------------------------------------

MEMORY = "memory, 1M znodes (MB)"
START_LOG, START_SNAPSHOT = "start, 1M znodes in the log (ms)", "start, 1M znodes (ms)"
P99_WITHOUT = "set p99 without snapshot (us)"
P99_WHILE = "set p99 while snapshot (us)"
TURN_MAX = "longest turn while snapshot (us)"
TURN_P999 = "p99.9 of turns while snapshot (us)"
TURN_CPU = "processor time of the longest turn while snapshot (us)"
TURN_METRICS = {
    TURN_MAX: "zk_max_paddock_turn_time_us",
    TURN_CPU: "zk_max_paddock_turn_cpu_time_us",
    TURN_P999: "zk_p999_paddock_turn_time_us",
}
OVER_MILLION = [MEMORY, START_LOG, START_SNAPSHOT, P99_WITHOUT, P99_WHILE, *TURN_METRICS]


def million(run, kind):
    """A directory with a million creates in the log and no snapshot of them."""
    directory = run.fresh("million-" + kind)
    with Server(kind, directory, {"snapCount": NEVER}) as server:
        workloads.run(server.addresses, "--op", "none", "--prefill", MILLION)
        run.add(MEMORY, kind, server.rss_mb())
        server.kill()
    return directory


def start_from_log(run, kind, directory):
    """The start reads every record of a copy: the directory itself has none beside it."""
    copy = os.path.join(run.fresh("log-" + kind), "copy")
    shutil.copytree(directory, copy)
    os.sync()  # as the server that was killed left it: all of it on the disk
    with Server(kind, copy, {"snapCount": NEVER}) as server:
        run.add(START_LOG, kind, server.start_s * 1000)
        server.kill()


def paced_sets(run):
    words = ("--op", "set", "--reuse", "--paths", MILLION, "--rate", 10000)
    return (*words, "--warmup", run.warmup_s, "--duration", run.duration_s * 2)


def start_from_snapshot(run, kind, directory):
    """A start that finds a snapshot and nothing behind it; then sets, no snapshot being written."""
    with Server(kind, directory, {"snapCount": NEVER}) as server:
        run.add(START_SNAPSHOT, kind, server.start_s * 1000)
        if run.wants(P99_WITHOUT, P99_WHILE):
            run.add(P99_WITHOUT, kind, workloads.run(server.addresses, *paced_sets(run))["p99_us"])


def while_snapshots(run, kind, directory):
    """Sets while one snapshot after the other is written; how long the loop's turns were then."""
    with Server(kind, directory, {"snapCount": 5000}) as server:
        before = server.snapshots()
        run.add(P99_WHILE, kind, workloads.run(server.addresses, *paced_sets(run))["p99_us"])
        if kind == "paddock":
            metrics = server.mntr()
            for row, name in TURN_METRICS.items():
                run.add(row, kind, metrics[name])
            for line in server.log_lines("a turn of the event loop"):
                print("  " + line, file=sys.stderr)
        if not server.snapshots() - before:
            raise BenchFailed("%s wrote no snapshot meanwhile" % kind)


def write_snapshot(kind, directory):
    """So that the start that is measured finds a snapshot and nothing behind it: Java writes one of
    what it has read before it serves, Paddock while it does."""
    with Server(kind, directory) as server:
        server.wait_snapshot()


# --- an ensemble ---------------------------------------------------------------------------------

ENSEMBLE = rows_of(*workloads.ENSEMBLE, workloads.ENSEMBLE_ONE)
FAILOVER = "ensemble: leader killed to next write (ms)"
FAILOVER_WORST = "ensemble: leader killed to next write, worst (ms)"
CATCH_UP = "ensemble: a follower 100,000 behind (ms)"
FILL = "ensemble: an empty follower takes 1M znodes (ms)"


def lineups(run):
    """Which ensembles are measured. Java's alone say nothing, unless they were asked for."""
    if run.options.only == "java":
        return ["java"]
    refused = Ensemble("paddock", run.fresh("check")).refused()
    if refused:
        print("left out, the ensembles: %s" % refused, file=sys.stderr)
        return []
    return ["paddock"] if run.options.only else list(LINEUPS)


def ensemble_serving(run, kind):
    with Ensemble(kind, run.fresh("ensemble-" + kind)) as target:
        for workload in workloads.ENSEMBLE:
            run.load(target, workload)
        # Two of three clients are at a follower.
        run.load(target, workloads.ENSEMBLE_ONE, [target.followers()[0].address])


def ensemble_failover(run, kind):
    rounds = 2 if run.options.quick else math.ceil(FAILOVER_ROUNDS / run.alternations)
    with Ensemble(kind, run.fresh("ensemble-" + kind)) as target:
        failover.prepare(target)
        for _ in range(rounds):
            took_ms = failover.kill_leader(target)
            run.add(FAILOVER, kind, took_ms)
            run.add(FAILOVER_WORST, kind, took_ms)


def ensemble_catch_up(run, kind):
    """From the start of the follower's process until it serves all that the leader has."""
    with Ensemble(kind, run.fresh("ensemble-" + kind)) as target:
        late, other = target.followers()
        addresses = [target.leader().address, other.address]
        if run.wants(CATCH_UP):
            late.kill()
            words = ("--op", "create", "--outstanding", 64, "--ops", BEHIND, "--warmup", 0)
            workloads.run(addresses, *words)
            late.start()
            target.wait_in_step()
            run.add(CATCH_UP, kind, (time.monotonic() - late.began_s) * 1000)
        if run.wants(FILL):
            late.kill()
            workloads.run(addresses, "--op", "none", "--prefill", MILLION)
            shutil.rmtree(os.path.join(late.data_dir, "version-2"))
            late.start()
            target.wait_in_step()
            run.add(FILL, kind, (time.monotonic() - late.began_s) * 1000)


# --- all of them ---------------------------------------------------------------------------------


def alternate(run):
    """The measures whose servers take turns."""
    for kind in [*run.kinds(), "null"]:
        if run.wants(*SERVED):
            serving(run, kind)
    if "paddock" in run.kinds() and run.wants(*POLLING):
        polling(run)
    for kind in run.kinds():
        if run.wants(*IDLE):
            idle(run, kind)
    if run.wants(*programs.ROWS):
        users_programs(run)


def alternate_ensembles(run, kinds):
    for kind in kinds:
        if kind != "mixed" and run.wants(*ENSEMBLE):
            ensemble_serving(run, kind)
    for kind in kinds:
        if run.wants(FAILOVER, FAILOVER_WORST):
            ensemble_failover(run, kind)
    for kind in kinds:
        if kind != "mixed" and run.wants(CATCH_UP, FILL):
            ensemble_catch_up(run, kind)


def all_over_million(run):
    directories = {kind: million(run, kind) for kind in run.kinds()}
    if run.wants(START_LOG):
        for _ in range(run.alternations):
            for kind, directory in directories.items():
                start_from_log(run, kind, directory)
    if run.wants(START_SNAPSHOT, P99_WITHOUT, P99_WHILE, *TURN_METRICS):
        for _ in range(run.alternations):
            for kind, directory in directories.items():
                write_snapshot(kind, directory)
                start_from_snapshot(run, kind, directory)
                if run.wants(P99_WHILE, *TURN_METRICS):
                    while_snapshots(run, kind, directory)


def everything(run):
    kinds = []
    if run.wants(*ENSEMBLE, FAILOVER, FAILOVER_WORST, CATCH_UP, FILL):
        kinds = lineups(run)
    for i in range(run.alternations):
        print("alternation %d of %d" % (i + 1, run.alternations), file=sys.stderr)
        alternate(run)
        alternate_ensembles(run, kinds)
    if run.wants(*OVER_MILLION):
        all_over_million(run)
    if "paddock" in run.kinds() and run.wants(PROGRAM):
        program_size(run)
