#!/usr/bin/env python3
"""Runs the checks stage by stage, says how long each took, counts what passed and what failed.

    dev/tally.py test            every test
    dev/tally.py check           every test, sanitizers, valgrind, lint, both compilers
    dev/tally.py check STAGE...  only the stages whose name contains one of the words

A stage's output is in build/ci/<stage>.log, and is printed when it failed. The last line is
`N passed, N failed`; the exit status is 0 only if nothing failed. The tests of ensembles wait more
than they compute: three lanes of other stages run beside them. Two have tests that wait, too; the third
compiles, and gives way to all.
"""

import os
import re
import subprocess
import sys
import threading
import time
import xml.etree.ElementTree

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
LOGS = os.path.join(ROOT, "build", "ci")
JOBS = os.environ.get("JOBS", str(os.cpu_count() or 2))
PYTHON = "/usr/bin/python3"
STAGE_SECONDS_MAX = 1500
FAILED_CMOCKA = r"^\[  FAILED  \] (\w+)$"
WHY_CMOCKA = r"^.*: failed: .*$|^replay with SEED=\d+$"
LINES_AT_END = 4  # of a stage that is not counted
WHY_MAX = 400  # characters of a failed test's message at the end


class Stage:
    """One command and how to count it."""

    def __init__(self, name, *command, env=None, count="one"):
        self.name, self.command, self.env, self.count = name, list(command), env or {}, count
        self.beside = []  # lanes that run meanwhile: (words in front of each command, stages)
        self.log = os.path.join(LOGS, name.replace(" ", "-").replace("/", "-") + ".log")
        self.report = self.log[:-4] + ".xml"

    def run(self, words=()):
        """(passed, failed, skipped). The words stand in front of the command."""
        command = [*words, *self.command]
        if os.path.exists(self.report):
            os.remove(self.report)
        if self.count == "ctest":
            command += ["--output-junit", self.report, "--test-output-size-passed", "1000000"]
            command += ["--test-output-size-failed", "1000000"]
        elif self.count == "pytest":
            command += ["--junitxml", self.report]
        with open(self.log, "wb") as log:
            try:
                status = subprocess.run(
                    command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                    env={**os.environ, **self.env}, timeout=STAGE_SECONDS_MAX,
                ).returncode
            except (OSError, subprocess.TimeoutExpired) as wrong:
                log.write(("\n%s\n" % wrong).encode())
                status = -1
        if self.count == "one":
            return (1, 0, 0) if status == 0 else (0, 1, 0)
        try:
            passed, failed, skipped = getattr(self, "count_" + self.count)()
        except (OSError, xml.etree.ElementTree.ParseError):
            return 0, 1, 0
        if status != 0 and failed == 0:
            failed = 1  # it ended badly outside of any test
        if passed + failed == 0:
            failed = 1  # a suite without a test proves nothing
        return passed, failed, skipped

    def failures(self):
        """What failed and why: a line each, as far as the stage tells."""
        found = []
        if self.count == "one":
            with open(self.log, errors="replace") as log:
                lines = [line.strip() for line in log.read().splitlines()]
            found = [line[:WHY_MAX] for line in lines if line][-LINES_AT_END:]
        elif os.path.exists(self.report):
            for case in xml.etree.ElementTree.parse(self.report).getroot().iter("testcase"):
                name = "%s::%s" % (case.get("classname"), case.get("name"))
                output = case.findtext("system-out") or ""
                tests = set(re.findall(FAILED_CMOCKA, output, re.M))
                if tests:
                    tests |= set(re.findall(WHY_CMOCKA, output, re.M))
                whys = tests or [child.get("message") or "" for child in case
                                 if child.tag in ("failure", "error")]
                found += ["%s: %s" % (name, " ".join(why.split())[:WHY_MAX]) for why in sorted(whys)]
        return found or ["failed"]

    def count_pytest(self):
        passed = failed = skipped = 0
        for case in xml.etree.ElementTree.parse(self.report).getroot().iter("testcase"):
            kinds = {child.tag for child in case}
            if kinds & {"failure", "error"}:
                failed += 1
            elif "skipped" in kinds:
                skipped += 1
            else:
                passed += 1
        return passed, failed, skipped

    def count_ctest(self):
        """The tests inside each program; a program that prints none counts as one."""
        passed = failed = 0
        for case in xml.etree.ElementTree.parse(self.report).getroot().iter("testcase"):
            output = case.findtext("system-out") or ""
            good = len(re.findall(r"^\[       OK \]", output, re.M))
            bad = len(set(re.findall(FAILED_CMOCKA, output, re.M)))
            well = case.get("status") == "run"
            if not well and bad == 0:
                bad = 1
            if well and good == 0:
                good = 1
            passed, failed = passed + good, failed + bad
        return passed, failed, 0


def exists(path):
    return os.path.isdir(os.path.join(ROOT, path)) and any(
        name.startswith("test_") and name.endswith(".py")
        for _, _, names in os.walk(os.path.join(ROOT, path))
        for name in names
    )


def build(preset, *targets):
    words = ["-DPADDOCK_WERROR=ON"]  # a user's own build of the release has it off
    if preset == "clang":
        words.append("-DCMAKE_C_COMPILER=clang")
    script = "cmake --preset %s %s && cmake --build build/%s -j %s --target %s" % (
        preset, " ".join(words), preset, JOBS, " ".join(targets))
    return Stage("build %s" % preset, "sh", "-c", script)


def ctest(preset, *words):
    return Stage("ctest %s" % preset, "ctest", "--test-dir", "build/%s" % preset, "-j", JOBS,
                 "--output-on-failure", *words, count="ctest")


def pytest(name, path, *words, env=None):
    return Stage(name, PYTHON, "-m", "pytest", "-q", "-rf", path, *words, env=env, count="pytest")


def test_stages():
    stages = [build("release", "paddock", "simulate", "client_libraries"),
              build("debug", "all", "tests"), ctest("debug"),
              Stage("simulation", "build/release/simulate", "2000", "0", "0", JOBS)]
    for suite in ("storage", "config", "fourletter", "input", "bench", "tools", "scripts", "shell",
                  "install", "e2e", "crash", "differential"):
        if exists("test/" + suite):
            stages.append(pytest(suite, "test/" + suite))
    if exists("test/conformance"):
        stages.append(pytest("conformance paddock", "test/conformance", "--target", "paddock"))
        stages.append(pytest("conformance java", "test/conformance", "--target", "java"))
    stages.append(pytest("capi", "test/capi"))
    lanes = [("capi", "differential", "tools", "crash", "storage"),
             ("conformance java", "shell", "install", "input", "config", "bench", "scripts")]
    ensemble = pytest("ensemble", "test/ensemble")
    ensemble.beside = [([], [stage for stage in stages if stage.name in lane]) for lane in lanes]
    return [*(stage for stage in stages if stage.name not in sum(lanes, ())), ensemble]


def check_stages():
    asan = {"PADDOCK": os.path.join(ROOT, "build", "asan", "paddock")}
    *stages, ensemble = test_stages()
    ensemble.beside.append((["nice", "-n", "19"], [
        build("asan", "all", "tests"),
        Stage("rooms", "dev/lint.sh", "rooms"),
        Stage("circles", "dev/lint.sh", "circles"),
        build("clang", "all", "tests"),
        Stage("clang-tidy", "dev/lint.sh", "tidy"),
        build("memory", "simulate"),
        # The release build sets every variable to zero: what was never set is seen only here.
        Stage("simulation memory", "build/memory/simulate", "100", "0", "0", "1"),
    ]))
    stages = [
        Stage("format", "dev/lint.sh", "format"),
        *stages,
        Stage("program", "dev/check_program.sh", "build/paddock"),
        ensemble,
        ctest("asan", "--exclude-regex", "test_mutants"),  # whose replicas have bugs on purpose
    ]
    for suite in ("config", "fourletter", "input"):
        if exists("test/" + suite):
            stages.append(pytest(suite + " asan", "test/" + suite, env=asan))
    if exists("test/conformance"):
        stages.append(pytest("conformance asan", "test/conformance", "--target", "paddock", env=asan))
    stages.append(Stage("valgrind", PYTHON, "dev/valgrind.py"))
    return stages


class Tally:
    """Runs stages, prints a line for each, and adds up."""

    def __init__(self):
        self.passed = self.failed = 0
        self.failures, self.broken = [], False
        self.lock = threading.Lock()

    def run(self, stage, words=()):
        start = time.monotonic()
        good, bad, skipped = stage.run(words)
        with self.lock:
            self.passed, self.failed = self.passed + good, self.failed + bad
            print("%-22s %5d passed %4d failed %s %6.1f s" % (
                stage.name, good, bad, "%3d skipped" % skipped if skipped else " " * 11,
                time.monotonic() - start), flush=True)
            if bad:
                self.tell(stage)

    def tell(self, stage):
        self.failures += ["%s: %s" % (stage.name, name) for name in stage.failures()]
        with open(stage.log, errors="replace") as log:
            lines = log.read().splitlines()
        print("\n".join("    " + line for line in lines[-60:]), flush=True)
        if stage.name.startswith("build"):
            print("not run, because %s failed: everything behind it" % stage.name)
            self.broken = True

    def run_all(self, stages, words=()):
        for stage in stages:
            if self.broken:
                return
            lanes = [threading.Thread(target=self.run_all, args=(lane, front))
                     for front, lane in stage.beside]
            for lane in lanes:
                lane.start()
            self.run(stage, words)
            for lane in lanes:
                lane.join()


def main():
    if len(sys.argv) < 2 or sys.argv[1] not in ("test", "check"):
        print(__doc__)
        return 2
    stages = test_stages() if sys.argv[1] == "test" else check_stages()
    if sys.argv[2:]:
        stages += [beside for stage in stages for _, lane in stage.beside for beside in lane]
        stages = [s for s in stages if any(word in s.name for word in sys.argv[2:])]
        for stage in stages:
            stage.beside = []
    os.makedirs(LOGS, exist_ok=True)
    tally = Tally()
    began = time.monotonic()
    tally.run_all(stages)
    for failure in tally.failures:
        print("failed: %s" % failure)
    spent = os.times()
    print("in %.0f s, with %.0f s of processor time" % (
        time.monotonic() - began, spent.children_user + spent.children_system))
    print("%d passed, %d failed" % (tally.passed, tally.failed))
    return 1 if tally.failed else 0


if __name__ == "__main__":
    sys.exit(main())
