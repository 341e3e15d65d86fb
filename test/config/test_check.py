"""`paddock server --check zoo.cfg` looks, and does nothing else: no name is resolved, no file is made."""

import os
import subprocess

import pytest

from pylib.servers import paddock_program

# A process that calls one of these ends.
FORBIDDEN = r"""
extern long write(int file, const void *bytes, unsigned long size);
extern void abort(void);
#define FORBID(name) int name(void) { static const char text[] = #name " was called\n"; \
    if (write(2, text, sizeof(text) - 1) > 0) abort(); abort(); }
FORBID(getaddrinfo) FORBID(gethostbyname) FORBID(socket) FORBID(connect)
FORBID(mkdir) FORBID(mkdirat) FORBID(unlink) FORBID(unlinkat) FORBID(rename) FORBID(flock)
"""


@pytest.fixture(scope="module")
def forbid(tmp_path_factory):
    """An environment in which the forbidden calls end the process."""
    directory = tmp_path_factory.mktemp("forbid")
    source, library = directory / "forbid.c", directory / "forbid.so"
    source.write_text(FORBIDDEN)
    subprocess.run(["cc", "-w", "-fno-builtin", "-shared", "-fPIC", "-o", library, source], check=True)
    return {"LD_PRELOAD": str(library), "ASAN_OPTIONS": "verify_asan_link_order=0"}


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "zoo.cfg"
    lines = ["dataDir=%s" % (tmp_path / "data"), "dataLogDir=%s" % (tmp_path / "log")]
    lines += ["clientPort=2181", "clientPortAddress=no.such.host.invalid", "initLimit=5", "syncLimit=2"]
    path.write_text("\n".join(lines) + "\n")
    return path


def run(config, env, *options):
    words = [paddock_program(), "server", *options, str(config)]
    return subprocess.run(words, env={**os.environ, **env}, capture_output=True, timeout=60)


def test_check_makes_nothing_and_asks_nobody(config, forbid, tmp_path):
    done = run(config, forbid, "--log-file", str(tmp_path / "server.log"), "--check")
    assert (done.returncode, done.stdout) == (0, b"%s: ok\n" % str(config).encode()), done.stderr
    assert os.listdir(tmp_path) == ["zoo.cfg"]


def test_check_of_an_ensemble_resolves_no_server(config, forbid, tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "myid").write_text("1\n")
    servers = "".join("server.%d=zk%d.invalid:2888:3888;2181\n" % (n, n) for n in (1, 2, 3))
    config.write_text(config.read_text() + servers)
    done = run(config, forbid, "--check")
    assert done.returncode == 0, done.stderr
    assert sorted(os.listdir(tmp_path)) == ["data", "zoo.cfg"]


def test_a_start_resolves_the_name_before_it_makes_a_directory(config, forbid, tmp_path):
    assert b"getaddrinfo was called" in run(config, forbid).stderr
    done = run(config, {})
    assert done.returncode == 2
    assert b"clientPortAddress: no.such.host.invalid: Name or service not known" in done.stderr
    assert os.listdir(tmp_path) == ["zoo.cfg"]
