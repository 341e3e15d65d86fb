"""zkServer.sh and zkServer-initialize.sh: every recorded call of ZooKeeper's scripts, with ours in the
same order on real servers."""

import re
import shutil
import socket
import subprocess
import time

import pytest

from pylib import replay
from pylib.servers import free_port

SERVER = {case["id"]: case for case in replay.load("server/zkServer.json")["cases"]}
INITIALIZE = {case["id"]: case for case in replay.load("server/zkServer-initialize.json")["cases"]}
BASE = (
    "tickTime=2000\ninitLimit=10\nsyncLimit=5\ndataDir=%(dir)s/data\nclientPort=%(port)d\n"
    "admin.enableServer=false\n"
)
RECORDED_PORT, RECORDED_OTHER_PORT = "24015", "24016"
WAIT_S = 40


class Place:
    """A scratch directory with configurations as the recording had them; servers end with the test."""

    def __init__(self, tmp_path):
        self.tmp, self.port, self.other_port = tmp_path, free_port(), free_port()

    def conf(self, name, text=BASE, **files):
        folder = self.tmp / name
        (folder / "conf").mkdir(parents=True)
        text = text % {"dir": folder, "port": self.port}
        (folder / "conf" / "zoo.cfg").write_text(text)
        for path, content in files.items():
            path = folder / path.replace("__", "/")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content % {"dir": folder, "port": self.port})
        return folder

    def call(self, words, **env):
        argv = [replay.script("zkServer.sh")] + words
        return replay.Call(argv, self.tmp, {k: str(v) for k, v in env.items()})

    def replayed(self, name, table=SERVER):
        """Runs a recorded call and compares; what it printed."""
        case = table[name]
        env = {key: self.mapped(value) for key, value in case.get("env", {}).items()}
        argv = [self.mapped(word) for word in case["argv"]]
        call = replay.Call(argv, self.tmp, env)
        deadline = time.monotonic() + WAIT_S
        # status gives the server five seconds for its answer, and a machine may stand still for longer.
        while "\nMode: " in case["stdout"] and "\nMode: " not in call.out and time.monotonic() < deadline:
            call = replay.Call(argv, self.tmp, env)
        want, want_err = self.mapped(case["stdout"]), self.mapped(case["stderr"])
        assert masked(call.out) == masked(replay.without_java(want))
        if name not in ("bad_config_start", "missing_config"):  # ours say why
            assert masked(call.err) == masked(want_err)
        assert call.code == case["exit_code"]
        return call

    def mapped(self, text):
        ports = {RECORDED_PORT: str(self.port), RECORDED_OTHER_PORT: str(self.other_port)}
        text = replay.put_in(text, self.tmp)
        return re.sub("|".join(ports), lambda match: ports[match[0]], text)  # at once: ours may be 24016

    def end(self):
        for path in list(self.tmp.rglob("*.pid")):
            pid = path.read_text()
            if pid.isdigit() and pid != "999999":
                subprocess.run(["kill", "-9", pid], stderr=subprocess.DEVNULL)


def masked(text):
    text = re.sub(r"process \d+", "process <PID>", text)
    text = re.sub(r"line \d+: kill", "line N: kill", text)
    return re.sub(r"version 3\.\S+ .* UTC", "version V", text)


@pytest.fixture
def place(tmp_path):
    found = Place(tmp_path)
    yield found
    found.end()


def wait_for_mode(place, folder, mode):
    deadline = time.monotonic() + WAIT_S
    while True:
        call = place.call(["status"], ZOOCFGDIR=folder / "conf", ZOO_LOG_DIR=folder / "logs")
        if "Mode: %s\n" % mode in call.out:
            return call
        assert time.monotonic() < deadline, call.out
        time.sleep(0.1)


def test_a_server_alone_is_started_asked_started_again_and_stopped(place):
    folder = place.conf("zs")
    for name in ("no_argument", "help", "unknown_word", "status_not_running", "stop_not_running",
                 "start", "start_again", "status_standalone", "restart", "status_after_restart"):
        place.replayed(name)
    pid_file = folder / "data" / "zookeeper_server.pid"
    assert pid_file.read_bytes().isdigit()
    assert [f.name for f in (folder / "logs").iterdir()] == ["zookeeper-zk-server-vm.out"]
    place.replayed("stop")
    assert not pid_file.exists()
    for name in ("stop_again", "version", "config_option_status"):
        place.replayed(name)
    for call in (place.call(["print-cmd"], ZOOCFGDIR=folder / "conf", ZOO_LOG_DIR=folder / "logs"),
                 place.call(["--config", str(folder / "conf"), "print-cmd"], ZOO_LOG_DIR=folder / "logs")):
        assert call.code == 0 and call.out.endswith(
            '> "%s/logs/zookeeper-zk-server-vm.out" 2>&1 < /dev/null\n' % folder
        )


def test_the_second_word_names_the_configuration(place):
    folder = place.conf("zs")
    text = (folder / "conf" / "zoo.cfg").read_text()
    (folder / "conf" / "other.cfg").write_text(text.replace(str(place.port), str(place.other_port)))
    for name in ("second_word_is_config_name", "second_word_is_config_path"):
        place.replayed(name)


def test_a_start_that_fails_says_why(place):
    place.conf("zs")
    place.conf("zsbad", BASE.replace("2000", "x"))
    call = place.replayed("bad_config_start")
    assert "tickTime" in call.err and not (place.tmp / "zsbad/data/zookeeper_server.pid").exists()
    call = place.replayed("missing_config")
    assert "There is no configuration file at %s/zs/noconf/zoo.cfg" % place.tmp in call.err
    call = place.call(["start-foreground"], ZOOCFGDIR=place.tmp / "zsbad" / "conf", ZOO_LOG_DIR=place.tmp)
    assert call.code == 2 and "\nInvalid config, exiting abnormally\n" in call.err


def test_a_port_that_is_taken_fails_the_start(place):
    folder = place.conf("zs")
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("0.0.0.0", place.port))
        taken.listen()
        call = place.call(["start"], ZOOCFGDIR=folder / "conf", ZOO_LOG_DIR=folder / "logs")
    assert call.code == 1 and call.out == "Starting zookeeper ... FAILED TO START\n"
    assert str(place.port) in call.err


def test_pid_files_anywhere_and_stale_ones(place):
    place.conf("zs")
    (place.tmp / "zs" / "run").mkdir()
    for name in ("zoopidfile", "zoopidfile_stop"):
        place.replayed(name)
    (place.tmp / "zs" / "run" / "stale.pid").write_text("999999")
    case = "stale_stop"
    call = place.replayed(case)
    assert "No such process" in call.err and not (place.tmp / "zs" / "run" / "stale.pid").exists()


def test_directories_that_must_exist_are_asked_for(place):
    place.conf("zs")
    place.conf("zsac")
    place.replayed("autocreate_disabled")


@pytest.mark.parametrize("name", ["jmx_disabled", "jmx_port", "jmx_port_hostname", "java_home_set"])
def test_words_for_a_jvm_are_taken_and_change_nothing(name, place):
    place.conf("zs")
    place.replayed(name)


NO_PORT = BASE.replace("clientPort=%(port)d\n", "")
IN_LINE = NO_PORT + "server.1=127.0.0.1:1:2;127.0.0.1:%(port)d\n"


@pytest.mark.parametrize(
    "name, folder, text, files",
    [
        ("status_clientportaddress", "zsa", BASE + "clientPortAddress=127.0.0.1\n", {}),
        ("status_inline_comment", "zsi", BASE.replace("%(port)d", "%(port)d #port"), {}),
        ("status_port_in_server_line", "zsl", IN_LINE, {}),
        ("status_port_in_server_line_myid", "zsm", IN_LINE, {"data__myid": "1\n"}),
        (
            "status_dynamic_file", "zsd", NO_PORT + "dynamicConfigFile=%(dir)s/conf/dyn\n",
            {"data__myid": "1\n", "conf__dyn": "server.1=127.0.0.1:1:2:participant;%(port)d\n"},
        ),
        ("status_secure_only", "zss", NO_PORT + "secureClientPort=24018\n", {}),
        ("status_no_port", "zsn", NO_PORT, {}),
    ],
    ids=lambda value: value if isinstance(value, str) and value.startswith("status") else "",
)
def test_status_finds_the_port_where_it_stands(name, folder, text, files, place):
    place.conf("zs")
    place.conf(folder, text, **files)
    place.replayed(name)


def test_a_terminated_server_in_the_foreground_ends_well(place):
    folder = place.conf("zs")
    process = subprocess.Popen(
        [replay.script("zkServer.sh"), "start-foreground"], stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        env=replay.environment(ZOOCFGDIR=str(folder / "conf"), ZOO_LOG_DIR=str(folder / "logs")),
    )
    try:
        wait_for_mode(place, folder, "standalone")
        process.terminate()  # exec: the script is the server
        assert process.wait(timeout=20) == 0
    finally:
        process.kill()
        process.wait()


def test_three_servers_started_one_by_one_show_their_modes(place):
    peers = [(free_port(), free_port(), free_port()) for _ in range(3)]
    lines = "".join(
        "server.%d=127.0.0.1:%d:%d\n" % (i + 1, quorum, election)
        for i, (_, quorum, election) in enumerate(peers)
    )
    folders = []
    for i, (client, _, _) in enumerate(peers):
        text = BASE.replace("%(port)d", str(client)) + "clientPortAddress=127.0.0.1\n" + lines
        folders.append(place.conf("node%d" % (i + 1), text, data__myid="%d\n" % (i + 1)))

    def call(word, folder):
        return place.call([word], ZOOCFGDIR=folder / "conf", ZOO_LOG_DIR=folder / "logs")

    first = call("start", folders[0])  # alone it has no quorum, and the script returns all the same
    assert first.out == "Starting zookeeper ... STARTED\n" and first.code == 0
    status = call("status", folders[0])
    assert status.code == 1 and status.out.endswith(
        "Error contacting service. It is probably not running.\n"
    )
    for folder in folders[1:]:
        assert call("start", folder).code == 0
    deadline = time.monotonic() + WAIT_S
    while True:
        modes = sorted(
            line for folder in folders for line in call("status", folder).out.split("\n")
            if line.startswith("Mode: ")
        )
        if modes == ["Mode: follower", "Mode: follower", "Mode: leader"]:
            break
        assert time.monotonic() < deadline, modes
        time.sleep(0.2)
    for folder in folders:
        stopped = call("stop", folder)
        assert stopped.out == "Stopping zookeeper ... STOPPED\n" and stopped.code == 0


def test_new_data_directories_are_made_as_recorded(place):
    folder = place.conf("zi", BASE + "dataLogDir=%(dir)s/datalog\n")
    place.conf("zin", "tickTime=1\n")

    def replayed(name):
        return place.replayed(name, INITIALIZE)

    for name in ("help", "h", "unknown", "missing_config", "no_myid"):
        replayed(name)
    assert (folder / "data/version-2").is_dir() and (folder / "datalog/version-2").is_dir()
    assert (folder / "data/initialize").exists() and not (folder / "data/myid").exists()
    for name in ("again", "force", "force_myid"):
        replayed(name)
    assert (folder / "data/myid").read_bytes() == b"3\n"
    replayed("force_myid_sep")
    assert (folder / "data/myid").read_bytes() == b"4\n"
    for name in ("configfile_sep", "no_datadir"):
        replayed(name)
    shutil.rmtree(folder / "data")
    replayed("txnlog_exists")


def test_a_link_to_a_script_works(place, tmp_path):
    (tmp_path / "link").symlink_to(replay.script("zkServer.sh"))
    call = replay.Call([str(tmp_path / "link"), "version"], tmp_path)
    assert call.code == 0 and call.out.startswith("Apache ZooKeeper, version ")


def test_without_the_program_the_scripts_say_so(tmp_path):
    shutil.copy(replay.script("zkServer.sh"), tmp_path)
    shutil.copy(replay.script("zkEnv.sh"), tmp_path)
    call = replay.Call([str(tmp_path / "zkServer.sh"), "status"], tmp_path, {"PADDOCK": ""})
    assert call.code == 1 and "the program paddock is neither in" in call.err
