"""`make deb`: the packages, and what a system has after it has installed them."""

import os
import re
import shutil
import subprocess

import pytest
from pylib.servers import REPO

from .conftest import environment, run

NAMES = ["libzookeeper-mt2-paddock", "libzookeeper-paddock-dev", "libzookeeper-st2-paddock", "paddock"]
HERE = os.path.dirname(os.path.abspath(__file__))
NO_CHROOT = 77

SESSION = r"""
cd /given
rm -f /var/lib/man-db/auto-update # the index of manual pages is not what is tested
export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8
apt-get install -qq -y ./*.deb >apt.log 2>&1 || { cat apt.log; exit 1; }
getent passwd paddock | cut -d: -f1,6
stat -c '%n %U %a' /var/lib/paddock /var/log/paddock
test -e /etc/systemd/system/multi-user.target.wants/paddock.service && echo enabled

as_paddock="setpriv --reuid=paddock --regid=paddock --init-groups env -i PATH=$PATH"
$as_paddock zkServer.sh start 2>/dev/null
until $as_paddock zkServer.sh status >status 2>/dev/null; do :; done # a busy machine may be late to answer
cat status
zkCli.sh create /from-the-shell here >/dev/null 2>&1
zkCli.sh ls / 2>/dev/null | tail -n 1
ls -d /var/lib/paddock/version-2 /var/log/paddock/*.out
cc -o hello hello.c $(pkg-config --cflags --libs libzookeeper_mt)
pkg-config --exists libzookeeper_recipes && echo recipes
ldd hello | grep -o 'libzookeeper_mt.so.2 => [^ ]*'
./hello 127.0.0.1:2181
$as_paddock zkServer.sh stop 2>/dev/null

apt-get purge -qq -y paddock >>apt.log 2>&1
for path in /etc/paddock /var/log/paddock /usr/bin/zkCli.sh /usr/share/paddock; do
    test ! -e $path || echo "left behind: $path"
done
ls -d /var/lib/paddock/version-2
"""
PRINTED = """
paddock:/var/lib/paddock
/var/lib/paddock paddock 750
/var/log/paddock paddock 750
enabled
Starting zookeeper ... STARTED
Client port found: 2181. Client address: localhost. Client SSL: false.
Mode: standalone
[from-the-shell, zookeeper]
/var/lib/paddock/version-2
/var/log/paddock/zookeeper-paddock-server-HOST.out
recipes
libzookeeper_mt.so.2 => /lib/x86_64-linux-gnu/libzookeeper_mt.so.2
ok: world
Stopping zookeeper ... STOPPED
/var/lib/paddock/version-2
"""


def fields(package):
    return dict(
        line.split(": ", 1) for line in run("dpkg-deb", "-f", package).splitlines() if ": " in line
    )


def test_each_package_has_its_name_and_the_version_of_the_program(packages):
    version = run(os.path.join(REPO, "build/paddock"), "version").split()[1].rstrip(",")
    assert [fields(package)["Package"] for package in packages] == NAMES
    assert {fields(package)["Version"] for package in packages} == {version}


def test_the_libraries_stand_in_for_debians(packages):
    for package in packages[0], packages[2]:
        debians = fields(package)["Package"].removesuffix("-paddock")
        assert fields(package)["Provides"] == debians + " (= 3.9.5)"
        assert fields(package)["Conflicts"] == fields(package)["Replaces"] == debians


def test_lintian_finds_nothing(packages):
    if shutil.which("lintian") is None:
        pytest.skip("no lintian: dev/setup.sh test installs it")
    found = subprocess.run(
        ["lintian", "--allow-root", "--profile", "debian", *packages],
        capture_output=True, text=True, env=environment(),
    )  # fmt: skip
    assert (found.stdout, found.stderr) == ("", "")


def test_an_installed_system_serves_and_a_purge_leaves_only_the_data(packages, tmp_path):
    for path in [*packages, os.path.join(HERE, "hello.c")]:
        shutil.copy(path, tmp_path)
    (tmp_path / "session").write_text(SESSION)
    done = subprocess.run(
        [os.path.join(HERE, "in_chroot.sh"), str(tmp_path), "session"], stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment(), timeout=300,
    )  # fmt: skip
    if done.returncode == NO_CHROOT:
        pytest.skip("no overlay or namespace of one's own here: " + done.stdout[-200:])
    printed = re.sub(r"(server-).*(\.out)", r"\1HOST\2", done.stdout)
    assert printed.strip() == PRINTED.strip()
    assert done.returncode == 0
