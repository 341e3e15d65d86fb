"""Every configuration that was tried on the real server (test/golden/config), tried on Paddock.

Exit code, stderr and the answer to `conf` are the same, except where DIFFERS says why not; those
differences are told in docs/compatibility.md.
"""

import functools
import json
import os
import re
import shlex
import signal
import socket
import subprocess

import pytest

from pylib import zkwire
from pylib.servers import REPO, free_port, paddock_program

with open(os.path.join(REPO, "test/golden/config/config_cases.json")) as file:
    CASES = {case["id"]: case for case in json.load(file)["cases"]}

RUNNING, REFUSED = "running", 1
COMMENT = "a comment behind a value is understood"

DIFFERS = {
    "inline_comment_after_number": (RUNNING, COMMENT),
    "inline_comment_after_port": (RUNNING, COMMENT),
    "inline_comment_after_datadir": (RUNNING, COMMENT),
    "autopurge_inline_comment": (RUNNING, COMMENT),
    "seed000_inline_comments": (RUNNING, COMMENT),
    "inline_comment_after_server": (RUNNING, COMMENT),
    "inline_comment_after_server_with_colon_parts": (RUNNING, COMMENT),
    "seed000_final_config": (RUNNING, COMMENT),
    "seed003_inline_comments": (RUNNING, COMMENT),
    "trailing_space_after_server": (RUNNING, "a blank behind a server line is ignored"),
    "seed003_without_comments": (RUNNING, "a blank behind a server line is ignored"),
    "autopurge_suffix": (RUNNING, "units of ZooKeeper 3.10 are understood"),
    "clientport_zero": (RUNNING, "0 is any free port since 3.9, also with an address"),
    "metrics_class_missing": (RUNNING, "Prometheus is known and has no effect yet: a warning"),
    "admin_port_in_use": (RUNNING, "there is no AdminServer yet: a warning"),
}
# What only the JVM says; the other messages stand in our log, word for word.
JAVA_WORDS = {
    "no_args": "Invalid number of arguments",
    "five_args": "Invalid number of arguments",
    "directory_as_file": "FileNotFoundException",
    "dynamic_file_missing": "FileNotFoundException",
    "clientportaddress_foreign": "BindException",
    "client_port_in_use": "BindException",
    "election_port_in_use": "BindException",
    "servercnxnfactory_bad": "ClassNotFoundException",
    "secureclientport_nio": "SSL isn't supported in NIOServerCnxn",
    "quorum_sasl_no_jaas": "JAAS",
    "snapshot_missing_but_logs": "wording of the store",
    "datadir_is_file": "the reason is added",
    "datalogdir_has_snapshots": "wording of the store",
    "datadir_has_txnlogs": "wording of the store",
    "ens_client_port_conflict": "Java's address form",
}


@functools.lru_cache(maxsize=None)
def peer_port(recorded):
    """In place of a recorded port of a server.N line: one that no server of another test has."""
    return str(free_port())


class Run:
    """One case in a directory of its own."""

    def __init__(self, case, directory):
        self.case, self.dir = case, str(directory)
        self.port, self.taken = free_port(), socket.socket()
        self.taken.bind(("127.0.0.1", 0))
        self.taken.listen()
        self.process = None
        os.makedirs(self.dir, exist_ok=True)
        files = dict(case.get("files", {}))
        if "__datafile" in files:
            self.write("data", files.pop("__datafile"))
        else:
            os.makedirs(os.path.join(self.dir, "data"), exist_ok=True)
        if case.get("myid") is not None:
            files["data/myid"] = str(case["myid"]) + "\n"
        for name, text in files.items():
            self.write(name, text)
        if case["config"] is not None:
            self.write("zoo.cfg", case["config"])

    def fill(self, text):
        text = text.replace("<TMP>/cfg_" + self.case["id"], self.dir)
        taken = self.taken.getsockname()[1]
        ports = {"24011": self.port, "24098": taken, "24099": taken}
        text = text.replace(";127.0.0.1:<PORT>", ";127.0.0.1:24011").replace(":<PORT>", ":24022")
        # In one pass: the port of this run may be one of those numbers.
        return re.sub(
            "24011|2409[89]|2402[28]|2403[1-4]",
            lambda found: str(ports.get(found.group()) or peer_port(found.group())), text,
        )

    def write(self, name, text):
        path = os.path.join(self.dir, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        binary = "\0" in text
        with open(path, "wb") as out:
            out.write(text.encode("latin-1") if binary else self.fill(text).encode())

    def start(self, *options):
        env = dict(os.environ)
        flags = ["-D" + p for p in self.case.get("system_properties", [])]
        env["SERVER_JVMFLAGS"] = " ".join(shlex.quote(f) for f in flags)
        self.log_path = os.path.join(self.dir, "log")
        words = [paddock_program(), "server", "--log-file", self.log_path, *options]
        words += [self.fill(word) for word in self.case["argv"]]
        self.process = subprocess.Popen(
            words,
            cwd=self.dir,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        return self

    def log(self):
        with open(self.log_path, errors="replace") as log:
            return log.read()

    def wait_serving(self):
        """The log line comes once it serves. One that cannot be reached by the others ends soon behind it."""
        while "serving port=" not in self.log_if_any():
            try:
                self.process.wait(0.01)
            except subprocess.TimeoutExpired:
                continue
            log = self.log_if_any()
            assert "serving port=" in log, "ended: %s\n%s" % (self.process.returncode, log)

    def log_if_any(self):
        return self.log() if os.path.exists(self.log_path) else ""

    def end(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        out = self.process.communicate(timeout=20) if self.process else (b"", b"")
        self.taken.close()
        return out


@pytest.fixture
def run(request, tmp_path):
    made = []

    def make(case):
        made.append(Run(case, tmp_path / "run"))
        return made[-1]

    yield make
    for one in made:
        one.end()


def normal(text, one):
    text = re.sub(r"(Size)=\d+", r"\1=<N>", text)
    return text.replace(one.dir, "<TMP>/cfg_" + one.case["id"])


def expected(case):
    """(exit code or None for running)."""
    if case["id"] in DIFFERS:
        outcome = DIFFERS[case["id"]][0]
        return None if outcome == RUNNING else outcome
    return case["exit_code"] if case["outcome"] == "exited" else None


@pytest.mark.parametrize("name", CASES)
def test_a_configuration_does_what_it_does_in_java(name, run):
    case = CASES[name]
    one = run(case).start()
    code = expected(case)
    if code is None:
        one.wait_serving()
        same = name not in DIFFERS
        if same and "answer_to_conf" in case:
            answer = zkwire.four_letter("127.0.0.1", one.port, "conf").decode()
            want = normal(one.fill(case["answer_to_conf"]), one)
            assert normal(answer, one) == want
        return
    assert one.process.wait(20) == code, one.log()
    out, err = one.end()
    assert out == b""
    if name not in DIFFERS:
        assert err.decode() == case["stderr"]
    assert "Exiting JVM with code %d" % code in one.log()


def java_message(case):
    """The last message that Java logged: what is wrong, without the exception's name."""
    lines = [x for x in case["log_warnings_errors"] if re.match(r"(Caused by: )?[\w.$]+: ", x)]
    return re.sub(r"^(Caused by: )?[\w.$]+: ", "", lines[-1]) if lines else None


@pytest.mark.parametrize(
    "name", [n for n, c in CASES.items() if expected(c) and n not in DIFFERS and n not in JAVA_WORDS]
)
def test_an_error_is_told_in_java_s_words(name, run):
    case = CASES[name]
    message = java_message(case)
    assert message, "the case has no message; list it in JAVA_WORDS"
    one = run(case).start()
    one.process.wait(20)
    # "127.0.0.1:<PORT> #x": a masked port hides what stood there
    want = re.split(r"<PORT>", one.fill(message.split("<TMP>")[0]))[0].strip()
    assert want[:80] in one.log()


@pytest.mark.parametrize("name", [n for n, c in CASES.items() if len(c["argv"]) == 1])
def test_check_tells_beforehand_what_a_start_would_refuse(name, run):
    case = CASES[name]
    one = run(case).start("--check")
    status = one.process.wait(20)
    out, err = one.end()
    code = expected(case)
    found_at_start = case["id"].startswith("datadir_") or case["id"] in (
        "clientportaddress_foreign",
        "clientportaddress_unknown",  # --check asks no network
        "client_port_in_use",
        "election_port_in_use",
        "datalogdir_has_snapshots",
        "snapshot_missing_but_logs",
    )
    if code is None or found_at_start:
        assert (status, out.endswith(b": ok\n")) == (0, True), err
    else:
        assert status == code
        assert b"error: " in err and out == b""


def test_every_difference_names_a_case():
    assert set(DIFFERS) <= set(CASES) and set(JAVA_WORDS) <= set(CASES)
