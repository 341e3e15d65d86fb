"""Keys that govern storage take effect: looked at from outside, in the files and the system calls."""

import os
import re
import subprocess
import textwrap
import time

import pytest

from pylib.servers import Server
from pylib.zkwire import frame, int32


@pytest.fixture
def start():
    servers = []

    def start(config=None, **options):
        servers.append(Server("paddock", config, **options))
        return servers[-1].start()

    yield start
    for server in servers:
        server.close()


def names(server, prefix, directory=None):
    version = os.path.join(directory or server.data_dir, "version-2")
    return sorted(n for n in os.listdir(version) if n.startswith(prefix))


def eventually(check, wait=20.0):
    deadline = time.monotonic() + wait
    while not check():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def write(server, count, size=10):
    with server.client() as client:
        for n in range(count):
            client.create("/n-", b"x" * size, flags=2)
        client.close_session()


def write_until(server, check, size=10, wait=60.0):
    """Writes until it is so; how many znodes were made. Only one snapshot is written at a time: how many
    writes it takes until there are some depends on the disk."""
    deadline, count = time.monotonic() + wait, 0
    while not check():
        assert time.monotonic() < deadline
        write(server, 10, size)
        count += 10
    return count


def test_a_fresh_server_has_snapshot_0_before_anything_is_written(start):
    server = start()
    assert names(server, "snapshot") == ["snapshot.0"] and names(server, "log") == []


def test_snap_count_makes_snapshots_and_new_logs(start):
    server = start({"snapCount": 10})
    count = write_until(server, lambda: len(names(server, "snapshot.")) >= 6)
    assert len(names(server, "log.")) >= 5  # the first snapshot is of the empty tree
    server.restart(kill=True)
    assert len(server.client().get_children("/")) == count + 1


def test_snap_size_limit_makes_snapshots_too(start):
    server = start({"snapSizeLimitInKb": 50})
    write_until(server, lambda: len(names(server, "snapshot.")) >= 3, size=2000)


def test_txn_log_size_limit_rolls_the_log_without_a_snapshot(start):
    server = start({"txnLogSizeLimitInKb": 50, "preAllocSize": 16})
    write(server, 100, size=2000)
    assert len(names(server, "log.")) >= 3
    assert names(server, "snapshot.") == ["snapshot.0"]


@pytest.mark.parametrize("kb", [64, 1024])
def test_pre_alloc_size_is_how_the_log_grows(start, kb):
    server = start({"preAllocSize": kb})
    write(server, 3)
    path = os.path.join(server.data_dir, "version-2", names(server, "log.")[0])
    assert kb * 1024 <= os.path.getsize(path) <= kb * 1024 + 16


def test_the_log_goes_to_data_log_dir(start, tmp_path):
    server = start({"dataLogDir": tmp_path})
    write(server, 3)
    assert len(names(server, "log.", str(tmp_path))) == 1
    assert names(server, "log.") == [] and names(server, "snapshot.", str(tmp_path)) == []
    server.restart(kill=True)
    assert len(server.client().get_children("/")) == 4


@pytest.mark.parametrize("method, ending", [("gz", ".gz"), ("snappy", ".snappy"), ("GZ", ".gz"), ("gzip", ""), ("none", "")])
def test_snapshots_are_compressed_as_configured(start, method, ending):
    server = start({"snapshot.compression.method": method, "snapCount": 10})
    count = write_until(server, lambda: len(names(server, "snapshot.")) >= 3)
    for name in names(server, "snapshot."):
        assert re.fullmatch(r"snapshot\.[0-9a-f]+" + re.escape(ending), name)
    server.restart(kill=True)
    assert len(server.client().get_children("/")) == count + 1


def test_autopurge_keeps_so_many_snapshots(start):
    server = start({"snapCount": 10})
    count = write_until(server, lambda: len(names(server, "snapshot.")) >= 8)
    server.restart({"autopurge.purgeInterval": 1, "autopurge.snapRetainCount": 4, "snapCount": 1000})
    eventually(lambda: "Purge task completed." in server.log())
    assert len(names(server, "snapshot.")) in (4, 5)  # the start's own may come after
    assert len(server.client().get_children("/")) == count + 1
    server.restart(kill=True)
    assert len(server.client().get_children("/")) == count + 1


def test_a_start_writes_a_snapshot_only_when_there_is_something_new(start):
    server = start()
    write(server, 10)
    server.restart()
    eventually(lambda: len(names(server, "snapshot.")) == 2)
    server.restart()
    assert server.client().get_children("/")
    server.stop()
    # the session above is one more transaction; nothing else asked for a snapshot
    assert len(names(server, "snapshot.")) == 2


SLOW_SYNC = textwrap.dedent(
    """
    #include <fcntl.h>
    #include <stdlib.h>
    #include <sys/syscall.h>
    #include <unistd.h>
    int fdatasync(int fd)
    {
        int count = open(getenv("SYNC_COUNT"), O_WRONLY | O_APPEND | O_CREAT, 0644);
        if (write(count, "x", 1) != 1)
            abort();
        close(count);
        usleep((useconds_t)atoi(getenv("SYNC_DELAY_US")));
        return (int)syscall(SYS_fdatasync, fd);
    }
    """
)


@pytest.fixture(scope="session")
def sync_library(tmp_path_factory):
    directory = tmp_path_factory.mktemp("sync")
    (directory / "sync.c").write_text("#define _GNU_SOURCE\n" + SLOW_SYNC)
    library = str(directory / "sync.so")
    source = str(directory / "sync.c")
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source], check=True)
    return library


@pytest.fixture
def counted(start, sync_library, tmp_path):
    """counted(config, delay_us) -> a server and a function that tells its fdatasync calls."""

    def counted(config=None, delay_us=0):
        count = tmp_path / "syncs"
        words = ["LD_PRELOAD=" + sync_library, "SYNC_COUNT=%s" % count]
        words += ["SYNC_DELAY_US=%d" % delay_us, "ASAN_OPTIONS=verify_asan_link_order=0"]
        server = start(config, wrapper=["env", *words])
        return server, lambda: count.stat().st_size if count.exists() else 0

    return counted


def test_every_acknowledged_write_was_synced(counted):
    server, syncs = counted()
    before = syncs()
    write(server, 20)
    assert syncs() - before >= 22  # and the session's two transactions


def test_writes_that_come_together_share_a_sync(counted):
    server, syncs = counted(delay_us=20000)
    clients = [server.client() for _ in range(10)]
    before = syncs()
    for client in clients:
        for _ in range(10):
            client.send(1, b"\0\0\0\3/n-\0\0\0\0\0\0\0\1\0\0\0\x1f\0\0\0\5world\0\0\0\6anyone\0\0\0\2")
    for client in clients:
        assert [client.recv().err for _ in range(10)] == [0] * 10
    assert 1 <= syncs() - before < 30


def test_max_batch_size_1_syncs_each_write(counted):
    server, syncs = counted({"maxBatchSize": 1}, delay_us=1000)
    client = server.client()
    before = syncs()
    for _ in range(20):
        client.send(1, b"\0\0\0\3/n-\0\0\0\0\0\0\0\1\0\0\0\x1f\0\0\0\5world\0\0\0\6anyone\0\0\0\2")
    assert [client.recv().err for _ in range(20)] == [0] * 20
    assert syncs() - before >= 20


def test_flush_delay_waits_for_company(counted):
    server, syncs = counted({"flushDelay": 300, "maxWriteQueuePollTime": 100})
    client = server.client()
    before, begun = syncs(), time.monotonic()
    create = b"\0\0\0\3/n-\0\0\0\0\0\0\0\1\0\0\0\x1f\0\0\0\5world\0\0\0\6anyone\0\0\0\2"
    client.send_bytes(5 * frame(int32(1) + int32(1) + create))  # in one: the test may stand still between two
    assert [client.recv().err for _ in range(5)] == [0] * 5
    assert syncs() - before <= 2 and time.monotonic() - begun < 20


def test_force_sync_no_syncs_nothing_and_says_so_at_every_start(counted):
    server, syncs = counted({"forceSync": "no"})
    before = syncs()
    write(server, 20)
    assert syncs() == before
    assert len(re.findall("forceSync=no", server.log())) == 1
    server.restart()
    assert len(re.findall("forceSync=no", server.log())) == 2


def test_a_slow_sync_is_told_in_java_s_words(counted):
    server, _ = counted({"fsync.warningthresholdms": 20}, delay_us=50000)
    write(server, 1)
    assert re.search(
        r"WARN  \[log\] - fsync-ing the write ahead log in \S+ took \d+ms which will adversely "
        r"effect operation latency\. File size is \d+ bytes",
        server.log(),
    )


def test_skip_acl_is_honoured_and_told_at_every_start(start):
    server = start({"skipACL": "yes"})
    assert "ACL checks will be skipped" in server.log()


def test_logs_without_a_snapshot_are_refused_unless_trusted(start):
    server = start()
    write(server, 10)
    server.stop()
    for name in names(server, "snapshot."):
        os.remove(os.path.join(server.data_dir, "version-2", name))
    server.start(wait=False)
    assert server.wait_exit() == 1
    server.start({"snapshot.trust.empty": "true"})
    assert len(server.client().get_children("/")) == 11
    assert "snapshot.trust.empty=true" in server.log()
