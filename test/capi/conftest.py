"""The C client libraries under test, and programs that are built for Debian's.

Ours are the build's of the program under test ($PADDOCK, or the release build)."""

import os
import subprocess
import threading
import time

import pytest
from pylib.servers import REPO, Server, paddock_program

HERE = os.path.dirname(os.path.abspath(__file__))
WAIT_S = 60
TIMEOUT_MS = 20000  # of a session that must not end, although a process may stand still for some seconds
DEBIANS, OURS = "/usr/include", os.path.join(REPO, "include")


def library_dir():
    program = paddock_program()
    build = os.path.dirname(program)
    if os.path.basename(build) == "build":
        build = os.path.join(build, "release")
    return os.path.join(build, "lib")


@pytest.fixture(scope="session")
def libraries():
    """The directory with both of our libraries, freshly built."""
    path = library_dir()
    subprocess.run(
        ["cmake", "--build", os.path.dirname(path), "--target", "client_libraries"],
        check=True, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    return path


@pytest.fixture(scope="session")
def build_dir(tmp_path_factory):
    return str(tmp_path_factory.mktemp("capi"))


@pytest.fixture(scope="session")
def compile_program(build_dir):
    """Builds test/capi/NAME.c with Debian's headers; linked to Debian's library unless told."""

    def compile_it(name, words=("-lzookeeper_mt", "-lpthread"), suffix="", headers=DEBIANS):
        path = os.path.join(build_dir, name + suffix)
        source = os.path.join(HERE, name + ".c")
        subprocess.run(
            ["cc", "-std=gnu17", "-g", "-Wall", "-Wextra", "-I" + headers,
             "-I" + os.path.join(headers, "zookeeper"), "-o", path, source, *words],
            check=True,
        )  # fmt: skip
        return path

    return compile_it


@pytest.fixture(scope="session")
def our_headers():
    return OURS


@pytest.fixture(scope="session")
def sanitized(build_dir):
    """Builds our threaded library again with a sanitizer; gives the words that link a program to it."""
    made = {}

    def build(kind):
        if kind not in made:
            path = os.path.join(build_dir, kind)
            os.makedirs(path, exist_ok=True)
            sources = [
                os.path.join(directory, name)
                for room in ("base", "wire", "client", "capi")
                for directory, _, names in os.walk(os.path.join(REPO, "src", room))
                for name in names
                if name.endswith(".c") and not directory.endswith("capi/st")
            ]
            library = os.path.join(path, "libzookeeper_mt.so.2")
            subprocess.run(
                ["cc", "-std=gnu17", "-g", "-O1", "-fPIC", "-shared", "-D_GNU_SOURCE",
                 "-fno-strict-aliasing", "-fwrapv", "-fsanitize=" + kind,
                 "-I" + os.path.join(REPO, "src"), "-I" + OURS,
                 "-Wl,-soname,libzookeeper_mt.so.2", "-o", library, *sources],
                check=True,
            )  # fmt: skip
            made[kind] = ("-fsanitize=" + kind, library, "-lpthread", "-Wl,-rpath," + path)
        return made[kind]

    return build


@pytest.fixture
def server():
    with Server("paddock", {"extendedTypesEnabled": "true"}) as server:
        yield server


def environment(libraries):
    env = dict(os.environ)
    env.pop("LD_LIBRARY_PATH", None)
    if libraries:
        env["LD_LIBRARY_PATH"] = libraries
    return env


def run_program(program, server, libraries, *words, stdin=""):
    """Exit code and output. libraries None: Debian's."""
    done = subprocess.run(
        [program, "%s:%d" % (server.host, server.port), *words], input=stdin,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=600,
        env=environment(libraries),
    )  # fmt: skip
    return done.returncode, done.stdout


def until(condition):
    """Polls what says something new only when it is asked."""
    deadline = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


class Puppet:
    """A program like puppet.c with one of the libraries: say() a line, and wait for the lines that it
    prints. errors: those of its standard error too."""

    def __init__(self, program, hosts, libraries, timeout_ms=TIMEOUT_MS, flags=0, errors=False, words=()):
        self.process = subprocess.Popen(
            [program, hosts, str(timeout_ms), *(words or [str(flags)])], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT if errors else None, text=True, env=environment(libraries),
        )  # fmt: skip
        self.lines, self.changed = [], threading.Condition()
        self.every_line = []
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.process.stdout:
            with self.changed:
                self.lines.append(line.strip())
                self.every_line.append(line.strip())
                self.changed.notify_all()
        with self.changed:
            self.lines.append("(the end)")
            self.changed.notify_all()

    def wait(self, begins, count=1):
        """The line that begins so, and takes all lines up to it away."""
        deadline = time.monotonic() + WAIT_S
        with self.changed:
            while True:
                found = [i for i, line in enumerate(self.lines) if line.startswith(begins)]
                if len(found) >= count:
                    line = self.lines[found[count - 1]]
                    del self.lines[: found[count - 1] + 1]
                    return line
                left = deadline - time.monotonic()
                assert left > 0 and "(the end)" not in self.lines, (begins, self.lines)
                self.changed.wait(left)

    def wait_each(self, *beginnings):
        """Until lines that begin so are there, in any order: answers and events come from two threads."""
        with self.changed:
            done = self.changed.wait_for(
                lambda: all(any(line.startswith(begins) for line in self.lines) for begins in beginnings),
                WAIT_S)
            assert done, (beginnings, self.lines)

    def send(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def say(self, line, answer=None):
        self.send(line)
        return self.wait(answer or line.split()[0] + " ")

    def close(self):
        self.process.kill()
        self.process.wait()


@pytest.fixture
def puppet(compile_program, libraries):
    opened = []
    program = compile_program("puppet")

    def make(hosts, **options):
        opened.append(Puppet(program, hosts, libraries, **options))
        return opened[-1]

    yield make
    for one in opened:
        one.close()


@pytest.fixture(scope="session")
def run():
    return run_program
