"""Data directories that cannot, or must not, be served; disks that fill up or fail."""

import os
import select
import signal
import struct
import subprocess
import textwrap

import pytest

from pylib import zkwire
from pylib.servers import Server, StartFailed

ROOT = os.geteuid() == 0


def test_a_directory_in_use_is_refused_and_the_first_server_goes_on(start):
    first = start()
    with pytest.raises(StartFailed) as failure:
        start(data_dir=first.data_dir)
    assert "exit status 3" in str(failure.value)
    assert "in use by another server (pid %d)" % first.pid in str(failure.value)
    assert first.client().is_open()


def test_two_servers_with_one_log_directory_do_not_both_start(start, tmp_path):
    first = start({"dataLogDir": tmp_path / "log"})
    with pytest.raises(StartFailed, match="exit status 3\n(.*\n)*.*in use by another server"):
        start({"dataLogDir": tmp_path / "log"})
    assert first.client().is_open()


def test_a_lock_that_a_killed_server_left_is_no_lock(start):
    server = start()
    server.client().create("/n", b"x")
    server.restart(kill=True)
    assert server.client().get_data("/n")[0] == b"x"


@pytest.mark.skipif(not ROOT, reason="needs root: it gives its rights away, so it must have them")
def test_a_directory_that_is_not_writable_is_refused():
    nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    server = Server("paddock", wrapper=nobody)
    os.chmod(server.dir, 0o755)
    os.makedirs(os.path.join(server.data_dir, "version-2"))
    try:
        with pytest.raises(StartFailed) as failure:
            server.start()
    finally:
        server.close()
    assert "exit status 3" in str(failure.value)
    assert "Cannot write to data directory" in str(failure.value)


@pytest.mark.parametrize(
    "name, content",
    [
        ("snapshot.0", b"ZKSN" + struct.pack(">iq", 99, -1) + b"\0" * 40 + b"\0\0\0\1/"),
        ("log.1", b"ZKLG" + struct.pack(">iq", 99, 0) + b"\0" * 64),
    ],
)
def test_a_directory_of_a_newer_format_is_refused_with_a_sentence(name, content, start, tmp_path):
    version = tmp_path / "version-2"
    version.mkdir()
    (version / name).write_bytes(content)
    with pytest.raises(StartFailed) as failure:
        start(data_dir=str(tmp_path))
    assert "exit status 1" in str(failure.value)
    assert name in str(failure.value)
    assert (version / name).read_bytes() == content  # nothing was touched


def test_initialize_is_used_up_only_by_a_start_that_goes_on(start, tmp_path):
    without = {"zookeeper.db.autocreate": "false"}
    initialize, version = tmp_path / "initialize", tmp_path / "version-2"
    initialize.touch()
    version.mkdir()
    damaged = version / "log.1"
    damaged.write_bytes(b"ZKLG" + struct.pack(">iq", 99, 0) + b"\0" * 64)
    with pytest.raises(StartFailed):
        start(without, data_dir=str(tmp_path))
    assert initialize.exists()  # refused: the operator's word still holds
    damaged.unlink()
    server = start(without, data_dir=str(tmp_path))
    assert not initialize.exists()
    server.stop()
    for file in version.iterdir():
        file.unlink()
    with pytest.raises(StartFailed) as failure:  # it counted once
        start(without, data_dir=str(tmp_path))
    assert "file named initialize" in str(failure.value)


# --- a full disk


NO_SMALL_DISK = "needs a mount name space of its own (unshare -rm), for a file system of 4 MB"
FULL_WRAPPER = 'mkdir -p "$0"; mount -t tmpfs -o size=4m tmpfs "$0" && exec "$@"'


@pytest.fixture
def small_disk(start, tmp_path):
    """A server whose data is on a file system of 4 MB that only it sees."""
    data = str(tmp_path / "small")
    os.makedirs(data)
    wrapper = ["unshare", "-rm", "sh", "-c", FULL_WRAPPER, data]
    if subprocess.run(wrapper + ["true"], capture_output=True).returncode != 0:
        pytest.skip(NO_SMALL_DISK)
    server = start({"preAllocSize": 64, "snapCount": 100000}, data_dir=data, wrapper=wrapper)
    return server, "/proc/%d/root%s" % (server.pid, data)


def fill(directory):
    """Until not a byte is left."""
    with open(os.path.join(directory, "filler"), "wb", buffering=0) as file:
        for size in (65536, 4096, 1):
            try:
                while True:
                    file.write(b"x" * size)
            except OSError:
                continue


NO_SPACE = "no space left for the transaction log"


def answered(client, server):
    """Waits for an answer; False when there is no space for what was asked, and it has to wait."""
    while not select.select([client.sock], [], [], 0.1)[0]:
        if NO_SPACE in server.log():
            return False
    return True


def test_on_a_full_disk_nothing_is_acknowledged_reads_go_on_and_writes_come_back(
    small_disk, logged, tmp_path
):
    server, inside = small_disk
    client, reader = server.client(), server.client()
    client.create("/n", b"0")
    fill(inside)
    acknowledged = 0
    while True:
        client.send(zkwire.SET_DATA, zkwire.set_data_request("/n", b"%d" % (acknowledged + 1) * 500))
        if not answered(client, server):
            break  # the preallocated part of the log is used up
        assert client.recv().err == 0
        acknowledged += 1
    want = b"%d" % acknowledged * 500 if acknowledged else b"0"
    assert reader.get_data("/n")[0] == want
    assert server.four_letter("ruok") == b"imok"
    os.remove(os.path.join(inside, "filler"))
    assert client.recv(wait=25).err == 0  # the one that waited
    assert reader.get_data("/n")[0] == b"%d" % (acknowledged + 1) * 500
    assert logged(server, "there is space for the transaction log again")
    client.set_data("/n", b"after")


def test_a_full_disk_at_the_end_keeps_what_was_acknowledged(small_disk):
    server, inside = small_disk
    client = server.client()
    client.create("/n", b"0")
    fill(inside)
    for _ in range(200):
        client.send(zkwire.SET_DATA, zkwire.set_data_request("/n", b"x" * 1000))
    assert server.stop() == 0


def test_a_snapshot_that_finds_no_space_is_given_up_and_serving_goes_on(
    start, tmp_path, logged, eventually
):
    data, log = str(tmp_path / "small"), str(tmp_path / "log")
    os.makedirs(data)
    wrapper = ["unshare", "-rm", "sh", "-c", FULL_WRAPPER, data]
    if subprocess.run(wrapper + ["true"], capture_output=True).returncode != 0:
        pytest.skip(NO_SMALL_DISK)
    config = {"dataLogDir": log, "snapCount": 20}
    server = start(config, data_dir=data, wrapper=wrapper)
    client = server.client()
    inside = "/proc/%d/root%s" % (server.pid, data)
    fill(inside)
    for n in range(200):
        client.create("/n%d" % n, b"x" * 1000)
    assert logged(server, "no space left for a snapshot")
    left = {"paddock.lock", "snapshot.0"}  # a later try may be on its way
    eventually(lambda: set(os.listdir(os.path.join(inside, "version-2"))) == left)
    os.remove(os.path.join(inside, "filler"))
    for n in range(200, 240):
        client.create("/n%d" % n)
    assert logged(server, "Snapshot taken")


# --- a disk that fails


FAILING = textwrap.dedent(
    """
    #define _GNU_SOURCE
    #include <dlfcn.h>
    #include <errno.h>
    #include <stdlib.h>
    #include <unistd.h>
    int fdatasync(int fd)
    {
        int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
        if (access(getenv("FAIL_SYNC_WHEN"), F_OK) == 0) {
            unlink(getenv("FAIL_SYNC_WHEN")); /* a second try would succeed */
            errno = EIO;
            return -1;
        }
        return real(fd);
    }
    """
)


@pytest.fixture(scope="session")
def failing_sync(tmp_path_factory):
    """A library under which one sync fails when a file says so."""
    directory = tmp_path_factory.mktemp("failing")
    (directory / "failing.c").write_text(FAILING)
    library = directory / "failing.so"
    source = str(directory / "failing.c")
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
    return str(library)


def test_a_failed_sync_ends_the_process_without_an_answer_and_without_a_retry(
    start, failing_sync, tmp_path
):
    trigger = tmp_path / "fail"
    words = ["LD_PRELOAD=" + failing_sync, "FAIL_SYNC_WHEN=%s" % trigger]
    server = start(wrapper=["env", "ASAN_OPTIONS=verify_asan_link_order=0", *words])
    client = server.client()
    client.create("/n", b"x")
    trigger.touch()
    client.send(zkwire.SET_DATA, zkwire.set_data_request("/n", b"y"))
    client.expect_eof()
    assert server.wait_exit() not in (0, -signal.SIGKILL)
    assert "syncing the transaction log failed" in server.log()
    assert "Exiting JVM with code" in server.log()


# --- the end


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_server_cleanly(how, start):
    server = start()
    client = server.client()
    client.create("/n", b"x")
    server.process.send_signal(how)
    assert server.process.wait(60) == 0
    client.expect_eof()
    server.restart()
    assert server.client().get_data("/n")[0] == b"x"


def test_writes_on_their_way_at_the_end_are_answered_or_not_done(start):
    server = start()
    client = server.client()
    client.create("/n", b"0")
    for n in range(500):
        client.send(zkwire.SET_DATA, zkwire.set_data_request("/n", b"%d" % n))
    server.process.send_signal(signal.SIGTERM)
    answered = 0
    try:
        while True:
            assert client.recv().err == 0
            answered += 1
    except zkwire.Closed:
        pass
    assert server.process.wait(60) == 0
    server.restart()
    assert server.client().get_data("/n")[1].version >= answered


def test_hang_up_opens_the_log_file_again(start, tmp_path, eventually):
    log = tmp_path / "zk.log"
    server = start()
    server.stop()
    words = server.command(dict(os.environ))
    words[-1:-1] = ["--log-file", str(log)]
    process = subprocess.Popen(words, cwd=server.dir, stdin=subprocess.DEVNULL)
    try:
        eventually(server.serving)
        os.rename(log, tmp_path / "zk.log.1")
        process.send_signal(signal.SIGHUP)
        eventually(lambda: log.exists() and "SIGHUP received" in log.read_text())
        assert "serving" in (tmp_path / "zk.log.1").read_text()
        assert server.serving()
    finally:
        process.kill()
        process.wait()
