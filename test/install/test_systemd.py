"""The service under a real systemd: the package, and what `make install` installs, each in a copy of this
machine's system (machine.py). The tests of the package share one; the last two of them take it away."""

import os
import re
import shutil

import pytest
from pylib.servers import REPO

from .conftest import make
from .machine import WAIT_S, Machine, NotAllowed

EXPOSURE_MAX = 1.8  # of 10, as systemd-analyze counts it
STARTED = "Started paddock.service"
CONFIG = "/etc/paddock/zoo.cfg"
DROP_IN = "/etc/systemd/system/paddock.service.d/test.conf"
# srvr, however long the answer takes: a busy machine may stand still.
SRVR = """/usr/bin/python3 -c "import socket; s = socket.create_connection(('localhost', 2181)); \
s.sendall(b'srvr'); print(s.makefile().read())" """
PLAIN = "clientPort=2181\ndataDir=/var/lib/paddock\n"
MEMBER = """
initLimit=10
syncLimit=5
server.1=one.paddock.test:2888:3888
server.2=two.paddock.test:2889:3889
server.3=three.paddock.test:2890:3890
"""


def boot(directory):
    if os.getuid() != 0:
        pytest.skip("a systemd of one's own needs root")
    for command in "/lib/systemd/systemd", "unshare", "nsenter", "setpriv", "pivot_root":
        if shutil.which(command) is None:
            pytest.skip("no %s: dev/setup.sh test installs it" % command)
    try:
        return Machine(directory)
    except NotAllowed as why:
        pytest.skip("no namespace, overlay or cgroup of one's own here: %s" % why)


class Service:
    """The service paddock in a machine."""

    def __init__(self, machine):
        self.machine, self.journal = machine, machine.journal
        self.run = machine.run

    def ctl(self, words):
        """systemctl, which has to succeed."""
        return self.run("systemctl %s paddock" % words)

    def show(self, *names):
        said = self.ctl("show -p " + ",".join(names))
        values = dict(line.split("=", 1) for line in said.splitlines())
        return [values[name] for name in names]

    def pid(self):
        return int(*self.show("MainPID"))

    def start_in_vain(self):
        """What the journal says of a start that fails. systemctl status may say less: the journal does not
        always learn of which start a process was that ended at once."""
        status, said = self.machine.call("systemctl start paddock")
        assert status == 1 and "failed because the control process exited" in said, said
        self.run("journalctl --sync")
        return "\n".join(self.journal.now())

    def set(self, config, drop_in="", then=""):
        """Another configuration, and lines for the unit's [Service]."""
        self.machine.give("zoo.cfg", config)
        self.machine.give("test.conf", "[Service]\n" + drop_in)
        self.run("cp /given/zoo.cfg %s; mkdir -p $(dirname %s); cp /given/test.conf %s; systemctl daemon-reload\n"
                 % (CONFIG, DROP_IN, DROP_IN) + then)  # fmt: skip

    def zk(self, *lines):
        """The lines that the shell prints for these commands."""
        return self.run("zkCli.sh -server localhost:2181 2>&1", "\n".join(lines) + "\n").splitlines()

    def serves(self):
        return "Mode: standalone" in self.run(SRVR)

    def until(self, script):
        """Waits for what no line of the journal tells."""
        self.run("until %s; do sleep 0.02; done" % script)

    def until_started_again(self):
        """By systemd, and by nobody else."""
        self.journal.until("Scheduled restart job")
        self.journal.until(STARTED)


@pytest.fixture(scope="module")
def installed(packages, tmp_path_factory):
    """A machine on which the package was installed."""
    place = tmp_path_factory.mktemp("systemd")
    shutil.copy(packages[-1], place / "paddock.deb")
    machine = boot(place)
    try:
        # The index of manual pages is not what is tested.
        machine.run("rm -f /var/lib/man-db/auto-update; dpkg -i /given/paddock.deb")
        yield Service(machine)
    finally:
        machine.close()


@pytest.fixture
def paddock(installed):
    """The service with a plain configuration and an empty data directory, started."""
    installed.set(PLAIN, then=": >/etc/default/paddock; systemctl stop paddock; systemctl reset-failed\n"
                              "rm -rf /var/lib/paddock/*; systemctl start paddock")  # fmt: skip
    installed.journal.now()
    return installed


def test_the_package_enables_and_starts_the_service(installed):
    assert installed.ctl("is-enabled") == "enabled\n"
    assert installed.show("ActiveState") == ["active"]
    assert installed.serves()


def test_a_boot_starts_it(paddock):
    paddock.ctl("stop")
    paddock.run("systemctl start multi-user.target")  # what a boot ends with
    assert paddock.serves()
    paddock.run("systemctl stop multi-user.target")


def test_a_start_returns_when_the_server_serves_and_not_before(paddock):
    paddock.ctl("stop")
    paddock.run("mv {0} {0}.kept; mkfifo -m 644 {0}".format(CONFIG))
    start = paddock.machine.begin("systemctl start paddock; " + SRVR)
    try:
        # The pipe can be opened once the server has opened it. The server waits for what is in it.
        state = "exec 3>{0}; systemctl show --value -p ActiveState paddock; cat {0}.kept >&3".format(CONFIG)
        assert paddock.run(state) == "activating\n"
        said = start.communicate(timeout=WAIT_S)[0]
        assert start.returncode == 0 and "Mode: standalone" in said, said
    finally:
        start.kill()
        paddock.run("mv {0}.kept {0}".format(CONFIG))


def test_status_tells_what_the_server_does(paddock):
    said = paddock.run("journalctl --sync; systemctl status --full paddock")
    assert 'Status: "standalone: serving"' in said
    assert "serving port=2181" in said  # the log's last lines


def test_the_server_is_the_user_paddock_with_a_directory_of_its_own(paddock):
    said = paddock.run("cd /var/lib; stat -c '%%U %%G' /proc/%d; stat -c '%%a %%U %%n' paddock paddock/version-2"
                       % paddock.pid())  # fmt: skip
    assert said.splitlines() == ["paddock paddock", "750 paddock paddock", "700 paddock paddock/version-2"]


def test_a_reload_opens_the_log_file_again(paddock):
    log = "/var/lib/paddock/log"
    paddock.set(PLAIN, "ExecStart=\nExecStart=/usr/bin/paddock server --log-file %s %s\n" % (log, CONFIG))
    paddock.ctl("restart")
    pid = paddock.pid()
    paddock.run("mv {0} {0}.1; systemctl reload paddock".format(log))
    paddock.until("grep -q 'SIGHUP received' %s 2>/dev/null" % log)
    assert paddock.pid() == pid and paddock.serves()


def test_a_log_file_elsewhere_is_refused_with_the_reason(paddock):
    paddock.run("systemctl stop paddock; install -d -o paddock /srv/log")
    paddock.set(PLAIN, "ExecStart=\nExecStart=/usr/bin/paddock server --log-file /srv/log/log %s\n" % CONFIG)
    assert "cannot open the log file /srv/log/log: read-only file system" in paddock.start_in_vain()


def test_a_stop_is_clean_and_the_data_is_there_after_the_next_start(paddock):
    paddock.zk("create /kept here")
    paddock.ctl("stop")
    paddock.journal.until("the server has ended")
    assert paddock.show("ActiveState", "Result", "ExecMainStatus") == ["inactive", "success", "0"]
    paddock.ctl("start")
    assert "here" in paddock.zk("get /kept")


def test_a_restart_is_a_clean_stop_and_a_start(paddock):
    paddock.zk("create /kept here")
    pid = paddock.pid()
    paddock.ctl("restart")
    assert paddock.pid() != pid
    paddock.journal.until("the server has ended")
    assert "here" in paddock.zk("get /kept")


def test_a_killed_server_is_started_again_with_what_it_has_acknowledged(paddock):
    assert "Created /kept" in paddock.zk("create /kept here")
    pid = paddock.pid()
    paddock.ctl("kill --kill-who=main --signal=KILL")
    paddock.until_started_again()
    assert paddock.pid() != pid
    assert "here" in paddock.zk("get /kept")


def test_a_server_that_hangs_is_ended_and_started_again(paddock):
    paddock.set(PLAIN, "WatchdogSec=8s\nRestartSec=100ms\n")  # a busy machine may stand still for some of it
    paddock.ctl("restart")
    paddock.journal.now()
    ready, pid = paddock.show("WatchdogTimestampMonotonic", "MainPID")
    # A sign of life came after that which being ready is.
    paddock.until("[ $(systemctl show --value -p WatchdogTimestampMonotonic paddock) != %s ]" % ready)
    paddock.ctl("kill --kill-who=main --signal=STOP")
    paddock.journal.until("Watchdog timeout")
    paddock.until_started_again()
    assert paddock.show("MainPID") != [pid] and paddock.serves()


def test_a_wrong_configuration_is_named_and_not_tried_again(paddock):
    paddock.ctl("stop")
    paddock.set(PLAIN + "tickTime=soon\n")
    said = paddock.start_in_vain()
    assert CONFIG + ":3: " in said and "tickTime" in said and "Invalid config, exiting abnormally" in said
    assert paddock.show("ActiveState", "ExecMainStatus", "NRestarts") == ["failed", "2", "0"]


@pytest.mark.parametrize("elsewhere, why", [
    ("/srv/elsewhere", "read-only file system"), ("/home/elsewhere", "permission denied"),
    ("/tmp/elsewhere", "permission denied"), ("/var/tmp/elsewhere", "permission denied"),
])  # fmt: skip
def test_a_data_directory_elsewhere_is_refused_and_not_tried_again(paddock, elsewhere, why):
    """Though the server's user may write there."""
    paddock.run("systemctl stop paddock; install -d -o paddock -g paddock " + elsewhere)
    paddock.set(PLAIN.replace("/var/lib/paddock", elsewhere))
    said = paddock.start_in_vain()
    assert "Unable to create data directory %s/version-2: %s" % (elsewhere, why) in said
    assert paddock.show("ActiveState", "ExecMainStatus", "NRestarts") == ["failed", "3", "0"]


@pytest.mark.parametrize("elsewhere, lines", [
    ("/srv/elsewhere", "ReadWritePaths=/srv/elsewhere\n"),
    ("/home/elsewhere", "ReadWritePaths=/home/elsewhere\nProtectHome=no\n"),
])  # fmt: skip
def test_a_data_directory_that_the_unit_is_told_of_is_served(paddock, elsewhere, lines):
    paddock.run("systemctl stop paddock; install -d -o paddock -g paddock -m 750 " + elsewhere)
    paddock.set(PLAIN.replace("/var/lib/paddock", elsewhere), lines)
    paddock.ctl("start")
    assert "Created /kept" in paddock.zk("create /kept here")
    assert "log.1" in paddock.run("ls %s/version-2" % elsewhere)


def test_a_port_in_use_is_tried_again_until_it_is_free(paddock):
    paddock.ctl("stop")
    paddock.set(PLAIN, "RestartSec=100ms\n")
    hold = "import os, socket, time; s = socket.create_server(('', 2181)); print(os.getpid(), flush=True)"
    holder = paddock.machine.begin('exec /usr/bin/python3 -c "%s; time.sleep(600)"' % hold)
    pid = int(holder.stdout.readline())
    assert paddock.machine.call("systemctl start paddock")[0] == 1
    paddock.journal.until("address already in use")
    paddock.journal.until("restart counter is at 8")
    paddock.run("kill %d" % pid)
    holder.communicate()
    paddock.journal.until(STARTED)
    assert paddock.serves()


def test_the_sandbox_holds(paddock):
    pid = paddock.pid()
    state = paddock.run("cat /proc/%d/status" % pid).splitlines()
    for line in "Seccomp:\t2", "NoNewPrivs:\t1", "CapEff:\t" + 16 * "0", "CapBnd:\t" + 16 * "0":
        assert line in state
    inside = "nsenter --target %d --mount -- " % pid
    for place in "/", "/etc", "/usr", "/var/lib", "/srv", "/sys":
        status, said = paddock.machine.call(inside + "touch %s/it" % place)
        assert status != 0 and "Read-only file system" in said, (place, said)
    paddock.run(inside + "touch /var/lib/paddock/it")
    as_paddock = inside + "setpriv --reuid=paddock --regid=paddock --clear-groups "
    for place in "/tmp", "/var/tmp", "/home", "/root":
        status, said = paddock.machine.call(as_paddock + "ls " + place)
        assert status != 0 and "Permission denied" in said, (place, said)
    assert "1" not in paddock.run(as_paddock + "ls /proc").split()  # other users' processes


def test_the_unit_is_little_exposed(paddock):
    said = paddock.run("systemd-analyze security --no-pager paddock")
    assert float(re.search(r"Overall exposure level for paddock.service: ([\d.]+)", said)[1]) <= EXPOSURE_MAX


def test_in_the_sandbox_it_writes_snapshots_and_removes_old_ones(paddock):
    paddock.set(PLAIN + "autopurge.purgeInterval=1\n",
                then="echo SERVER_JVMFLAGS=-Dzookeeper.snapCount=10 >/etc/default/paddock")  # fmt: skip
    paddock.ctl("restart")
    snapshots = "ls /var/lib/paddock/version-2 | grep -c snapshot"
    while int(paddock.run(snapshots)) < 5:
        paddock.zk(*["create -s /n x"] * 20)
    paddock.ctl("restart")  # purges at its start
    paddock.journal.until("Removed snapshot.0")
    paddock.journal.until("Purge task completed")
    paddock.run("test ! -e /var/lib/paddock/version-2/snapshot.0")


def test_in_the_sandbox_a_member_finds_others_by_name_and_its_status_tells_its_role(paddock):
    names = "127.0.0.1 one.paddock.test two.paddock.test three.paddock.test"
    paddock.run("systemctl stop paddock; grep -q paddock.test /etc/hosts || echo %s >>/etc/hosts\n"
                "echo 1 >/var/lib/paddock/myid; install -d -o paddock /var/lib/paddock/two\n"
                "echo 2 >/var/lib/paddock/two/myid" % names)  # fmt: skip
    paddock.set(PLAIN + MEMBER)
    paddock.ctl("start")  # returns though there is no majority
    assert "Status: \"LOOKING: no leader yet\"" in paddock.ctl("status")
    two = PLAIN.replace("2181", "2182").replace("/var/lib/paddock", "/var/lib/paddock/two")
    paddock.machine.give("two.cfg", two + MEMBER)
    paddock.run("cp /given/two.cfg {0}; systemd-run --quiet --unit=two --uid=paddock paddock server {0}"
                .format("/var/lib/paddock/two/zoo.cfg"))  # fmt: skip
    try:
        paddock.until("systemctl status paddock | grep -Eq 'Status: \"(LEADING|FOLLOWING): serving, epoch 1\"'")
        assert "Created /agreed" in paddock.zk("create /agreed here")
    finally:
        paddock.run("systemctl stop two")


def test_the_package_put_over_itself_restarts_the_service(paddock):
    paddock.zk("create /kept here")
    pid = paddock.pid()
    paddock.run("dpkg -i /given/paddock.deb")
    assert paddock.pid() != pid
    assert "here" in paddock.zk("get /kept")


def test_the_package_removed_stops_the_service_and_purged_leaves_the_data(paddock):
    paddock.zk("create /kept here")
    pid = paddock.pid()
    paddock.run("rm -r %s; dpkg --remove paddock" % os.path.dirname(DROP_IN))
    paddock.run("test ! -e /proc/%d" % pid)
    paddock.journal.until("the server has ended")
    paddock.run("dpkg --purge paddock; test ! -e /etc/paddock")
    status, said = paddock.machine.call("systemctl start paddock")
    assert status == 5 and "not found" in said
    assert "log.1" in paddock.run("ls /var/lib/paddock/version-2")


def test_the_steps_of_the_handbook_end_with_a_service_that_serves(tmp_path):
    with open(os.path.join(REPO, "docs/operations.md")) as handbook:
        steps = re.search(r"### A systemd service\n+```sh\n(.*?)```", handbook.read(), re.DOTALL)[1]
    make("install", "PREFIX=/usr/local", "DESTDIR=%s" % (tmp_path / "stage"))
    machine = boot(tmp_path)
    try:
        machine.run("cp -a /given/stage/. /")
        said = machine.run(steps)
        assert 'Status: "standalone: serving"' in said
        assert "Mode: standalone" in machine.run("paddock four-letter localhost:2181 srvr")
        assert machine.run("ls -d /var/lib/paddock/version-2")
        assert machine.run("systemctl is-enabled paddock") == "enabled\n"
    finally:
        machine.close()
