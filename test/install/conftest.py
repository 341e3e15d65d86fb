"""`make install` and `make deb`, once for all tests that use what they make."""

import glob
import os
import shutil
import subprocess

import pytest
from pylib.servers import REPO


def make(*words):
    """What make printed; it has to succeed. What a make around the tests was told is not for it."""
    env = {key: value for key, value in os.environ.items() if key not in ("MAKEFLAGS", "MFLAGS")}
    done = subprocess.run(
        ["make", "--no-print-directory", "-C", REPO, *map(str, words)],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        env=env,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    return done.stdout


def environment(**more):
    """A user's: nothing in it leads to the build."""
    env = {key: os.environ[key] for key in ("PATH", "HOME") if key in os.environ}
    return {**env, "LC_ALL": "C.UTF-8", **more}


def run(*words, **env):
    """Ends well, or the test fails; what it printed on stdout."""
    return subprocess.run(
        [str(word) for word in words], check=True, stdin=subprocess.DEVNULL, capture_output=True,
        text=True, timeout=60, env=environment(**{key: str(value) for key, value in env.items()}),
    ).stdout  # fmt: skip


@pytest.fixture(scope="session")
def prefix(tmp_path_factory):
    path = tmp_path_factory.mktemp("opt") / "paddock"
    make("install", "PREFIX=%s" % path, "DESTDIR=")
    return path


@pytest.fixture(scope="session")
def packages():
    if shutil.which("dh") is None:
        pytest.skip("no debhelper: dev/setup.sh deb installs it")
    make("deb")
    return sorted(glob.glob(os.path.join(REPO, "build/deb/*.deb")))
