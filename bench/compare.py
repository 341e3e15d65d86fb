#!/usr/bin/env python3
"""ZooKeeper in Java and Paddock in turn, on this machine, under the same load generator.

    bench/compare.py                five alternations (more than an hour); writes the results
    bench/compare.py --quick        one short alternation
    bench/compare.py --rows get     only rows whose name contains the word
    bench/compare.py --only java    only one of the two
    bench/compare.py --table        the table of the results, nothing is measured
    bench/compare.py --readme       the tables of the READMEs and docs/performance.svg, from the results

Every write is synced, and all servers use the same file system. The results of a whole run go to
bench/results.json, those of any other to build/bench.json. bench/README.md says what each row is.
"""

import argparse
import json
import os
import platform
import re
import statistics
import subprocess
import sys
import time

import measures
import plot
import report
from workloads import ROOT, BenchFailed

RESULTS = os.path.join(ROOT, "bench", "results.json")
READMES = {"en": "README.md", "zh": "README.zh-CN.md"}
PICTURE = "docs/performance.svg"


def first_match(pattern, text, otherwise="?"):
    found = re.search(pattern, text)
    return found.group(1).strip() if found else otherwise


def output_of(*words):
    try:
        done = subprocess.run(words, capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return done.stdout + done.stderr


def sync_ms():
    """The median of 200 times 4 KB and an fdatasync, over zeros, where the servers have their data."""
    path = os.path.join(ROOT, "build", "sync-probe")
    took_ms = []
    fd = os.open(path, os.O_CREAT | os.O_WRONLY, 0o600)
    try:
        os.write(fd, bytes(200 * 4096))
        os.fsync(fd)
        os.lseek(fd, 0, os.SEEK_SET)
        for _ in range(200):
            os.write(fd, b"x" * 4096)
            began_s = time.monotonic()
            os.fdatasync(fd)
            took_ms.append((time.monotonic() - began_s) * 1000)
    finally:
        os.close(fd)
        os.remove(path)
    return "%.2f" % statistics.median(took_ms)


def machine():
    with open("/proc/cpuinfo") as file:
        cpu = first_match(r"model name\s*: (.*)", file.read())
    package = output_of("dpkg-query", "-W", "-f", "${Version}", "zookeeper")
    return {
        "cpu": cpu,
        "cpus": os.cpu_count(),
        "kernel": "Linux " + first_match(r"^(\d+\.\d+)", platform.release()),
        "java": first_match(r'version "(\d+)', output_of("java", "-version")),
        "zookeeper": first_match(r"^([\d.]+)", package),
        "sync": sync_ms(),
        "commit": output_of("git", "-C", ROOT, "rev-parse", "--short", "HEAD").strip(),
    }


def save(path, run):
    results = {
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "alternations": run.alternations,
        "machine": machine(),
        "samples": {
            row: {kind: [float("%.6g" % v) for v in values] for kind, values in kinds.items()}
            for row, kinds in run.samples.items()
        },
    }
    with open(path, "w") as file:
        json.dump(results, file, indent=1)
        file.write("\n")


def load_results(path):
    with open(path) as file:
        return json.load(file)


def written(results):
    """Path to text: the READMEs and the picture as these results make them."""
    texts = {PICTURE: plot.picture(results)}
    for language, name in READMES.items():
        with open(os.path.join(ROOT, name), encoding="utf-8") as file:
            texts[name] = report.with_block(file.read(), report.readme_block(results, language))
    return texts


def measure(options):
    os.makedirs(os.path.join(ROOT, "build"), exist_ok=True)
    run = measures.Run(options)
    whole = not (options.quick or options.rows or options.only)
    status = 0
    try:
        measures.everything(run)
    except (BenchFailed, KeyboardInterrupt, OSError, subprocess.SubprocessError) as failure:
        print("bench: %s" % (failure or "interrupted"), file=sys.stderr)
        status = 1
    finally:
        run.done()
    path = RESULTS if whole and status == 0 else os.path.join(ROOT, "build", "bench.json")
    save(path, run)
    report.print_table(run.samples)
    print("written to %s" % os.path.relpath(path), file=sys.stderr)
    return status


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="one short alternation")
    parser.add_argument("--alternations", type=int, help="how many times in turn (5)")
    parser.add_argument("--rows", default="", help="only rows whose name contains this")
    parser.add_argument("--only", choices=("java", "paddock"), help="only one of the two servers")
    parser.add_argument("--table", action="store_true", help="print the table of the results")
    parser.add_argument("--readme", action="store_true", help="write README tables and picture")
    parser.add_argument("--results", default=RESULTS, help="the results of --table and --readme")
    options = parser.parse_args()
    if options.table:
        report.print_table(load_results(options.results)["samples"])
        return 0
    if options.readme:
        for name, text in written(load_results(options.results)).items():
            with open(os.path.join(ROOT, name), "w", encoding="utf-8") as file:
                file.write(text)
        return 0
    return measure(options)


if __name__ == "__main__":
    sys.exit(main())
