"""The loads, and the load generator that makes them: `paddock bench`, for every server the same."""

import collections
import json
import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PADDOCK = os.environ.get("PADDOCK", os.path.join(ROOT, "build", "paddock"))
# BENCH_CLIENT: another build's load generator, so that two builds are measured by one client.
CLIENT = [os.environ.get("BENCH_CLIENT", PADDOCK), "bench"]

sys.path.append(os.path.join(ROOT, "test"))  # the protocol of the measures is that of the tests
from pylib import zkwire  # noqa: E402

MILLION = 1000000


class BenchFailed(Exception):
    """A figure could not be taken; the message says why."""


# Which figure of a run is which row: a key of the generator's answer, or cpu_us: the processor time
# that the servers used, in microseconds per operation.
Workload = collections.namedtuple("Workload", "words rows")

ONE = ("--sessions", 1, "--outstanding", 1, "--spin")
MANY = ("--sessions", 48, "--outstanding", 32)

READS = (
    Workload(("--op", "get"), {"ops_per_s": "get 16x16 (op/s)", "cpu_us": "CPU per get (us)"}),
    Workload(("--op", "get", *ONE), {"ops_per_s": "get 1x1 (op/s)"}),
)
WRITES = (
    Workload(
        ("--op", "set"),
        {
            "ops_per_s": "set 16x16 (op/s)",
            "p50_us": "set 16x16 p50 (us)",
            "p99_us": "set 16x16 p99 (us)",
            "cpu_us": "CPU per set (us)",
        },
    ),
    Workload(("--op", "set", *ONE), {"ops_per_s": "set 1x1 (op/s)"}),
    Workload(
        ("--op", "create", "--outstanding", 64),
        {
            "ops_per_s": "create 16x64 (op/s)",
            "p50_us": "create 16x64 p50 (us)",
            "p99_us": "create 16x64 p99 (us)",
        },
    ),
    Workload(
        ("--op", "mix", "--sessions", 100, "--outstanding", 32),
        {
            "ops_per_s": "mix 90/10 100x32 (op/s)",
            "p50_us": "mix 90/10 100x32 p50 (us)",
            "p99_us": "mix 90/10 100x32 p99 (us)",
        },
    ),
)
POLLING = Workload(("--op", "get", *ONE), {"ops_per_s": "get 1x1, busy polling (op/s)"})

ENSEMBLE = (
    Workload(("--op", "get", *MANY), {"ops_per_s": "ensemble: get 48x32 (op/s)"}),
    Workload(
        ("--op", "set", *MANY),
        {
            "ops_per_s": "ensemble: set 48x32 (op/s)",
            "p50_us": "ensemble: set 48x32 p50 (us)",
            "p99_us": "ensemble: set 48x32 p99 (us)",
            "cpu_us": "ensemble: CPU of all three per set (us)",
        },
    ),
    Workload(("--op", "mix", *MANY), {"ops_per_s": "ensemble: mix 90/10 48x32 (op/s)"}),
)
ENSEMBLE_ONE = Workload(("--op", "set", *ONE), {"ops_per_s": "ensemble: set 1x1 (op/s)"})


def generator(addresses, *words):
    """The command line of the load generator."""
    return [*CLIENT, "--servers", ",".join(addresses), *map(str, words)]


def run(addresses, *words):
    """Runs the load generator; what it measured, as a dictionary."""
    done = subprocess.run(
        generator(addresses, *words, "--json"), capture_output=True, text=True, check=False
    )
    said = "bench %s: %s" % (" ".join(map(str, words)), done.stderr.strip())
    if done.returncode != 0:
        raise BenchFailed(said)
    result = json.loads(done.stdout.splitlines()[-1])
    if result["errors"]:
        raise BenchFailed(said)
    return result


def measure(target, workload, warmup_s, duration_s, addresses=None):
    """Warms up, then measures; the figure of each row of the workload."""
    addresses = addresses or target.addresses
    run(addresses, *workload.words, "--warmup", 0, "--duration", warmup_s)
    reuse = [] if "create" in workload.words else ["--reuse"]
    cpu_s = target.cpu_s()
    got = run(addresses, *workload.words, *reuse, "--warmup", 0, "--duration", duration_s)
    got["cpu_us"] = (target.cpu_s() - cpu_s) / got["ops"] * 1e6
    return {row: got[key] for key, row in workload.rows.items()}
