"""Full disks: one server is held up, the ensemble goes on, and space is all that it needs to come back."""

import contextlib
import itertools
import os
import subprocess
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from history import history  # noqa: E402
from load import Load  # noqa: E402
from pylib.ensemble import Ensemble, stop_kazoo  # noqa: E402

DISK_MB = 32
PAGE_BYTES = 4096
NO_SPACE_FOR_LOG = "no space left for the transaction log"
SPACE_FOR_LOG = "there is space for the transaction log again"
NO_SPACE_FOR_EPOCHS = "no space left for the epochs"


def shell(*words):
    return subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


@contextlib.contextmanager
def small_disk(directory, size_mb):
    os.makedirs(directory)
    done = shell("mount", "-t", "tmpfs", "-o", "size=%dm" % size_mb, "paddock-test", directory)
    if done.returncode != 0:
        pytest.skip("this machine allows no mount: " + done.stdout.strip())
    try:
        yield
    finally:
        shell("umount", "-l", directory)


@contextlib.contextmanager
def on_small_disks(size_mb=DISK_MB, **config):
    """Three servers, each with a disk of its own."""
    ensemble = Ensemble(["paddock"] * 3, config=config)
    with contextlib.ExitStack() as stack:
        for member in ensemble.members:
            stack.enter_context(small_disk(member.data_dir, size_mb))
        yield stack.enter_context(ensemble)


def fill(member, left_bytes=0):
    """The disk has no free page but these; empty_again() undoes it."""
    free = os.statvfs(member.data_dir)
    with contextlib.suppress(OSError), open(ballast_of(member), "wb", buffering=0) as file:
        os.posix_fallocate(file.fileno(), 0, max(free.f_bavail * free.f_frsize - left_bytes, 1))
    with contextlib.suppress(OSError), open(ballast_of(member), "ab", buffering=0) as file:
        while left_bytes == 0:  # the server has taken and given back some meanwhile
            file.write(b"\0" * PAGE_BYTES)


def empty_again(member):
    os.remove(ballast_of(member))


def ballast_of(member):
    return os.path.join(member.data_dir, "ballast")


def write_large(ensemble):
    """A tree of 3.6 MB, so that a snapshot has at least that."""
    client = ensemble.wait_leader().kazoo()
    try:
        for number in range(4):
            client.create("/large%d" % number, os.urandom(900000))
    finally:
        stop_kazoo(client)
    ensemble.wait_same_zxid()


def new_lines(member, before, words):
    return [line for line in member.log()[before:].splitlines() if words in line]


@pytest.mark.parametrize("role", ["follower", "leader"])
def test_a_disk_that_fills_holds_up_that_server_alone(role):
    with on_small_disks() as ensemble, history(ensemble, role):
        leader = ensemble.wait_leader()
        member = leader if role == "leader" else ensemble.followers()[0]
        others = [other for other in ensemble.members if other is not member]
        with Load(ensemble, writers=1, hosts=ensemble.hosts_without(member)) as load:
            load.wait_for(10)
            fill(member)
            ensemble.wait(lambda: NO_SPACE_FOR_LOG in member.log(), "the log says it")
            new_leader = ensemble.wait(
                lambda: next((m for m in others if m.mode() == "leader"
                              and m.mntr().get("zk_synced_followers") == "1"), None),
                "the other two go on without it")
            assert (new_leader is leader) == (role == "follower")
            if role == "leader":
                words = "own log was not synced within syncLimit"
            else:
                words = "it did not acknowledge a proposal within syncLimit"
            ensemble.wait(lambda: words in leader.log(), "the log says why")
            load.wait_for(50)
            assert member.alive() and member.mode() is None
            empty_again(member)
            ensemble.wait_all()
            assert member.mode() == "follower" and SPACE_FOR_LOG in member.log()
            load.wait_for(20)
            load.check()


def test_a_new_epoch_waits_for_space_on_a_full_disk():
    with on_small_disks() as ensemble:
        leader, (full, other) = ensemble.wait_leader(), ensemble.followers()
        client = leader.kazoo()
        client.create("/before", b"")
        ensemble.wait_same_zxid()
        fill(full)
        leader.kill()
        stop_kazoo(client)
        ensemble.wait(lambda: NO_SPACE_FOR_EPOCHS in full.log(), "the log says it")
        assert full.mode() is None and other.mode() is None, "the two cannot promise a new epoch"
        empty_again(full)
        assert ensemble.wait_leader() is not leader
        with Load(ensemble, writers=1, hosts=ensemble.hosts_without(leader)) as load:
            load.wait_for(10)
        leader.start()
        ensemble.wait_all()
        ensemble.check_same()


@pytest.mark.parametrize("role", ["follower", "leader"])
def test_a_snapshot_that_finds_no_space_is_given_up_and_the_server_goes_on(role):
    with on_small_disks(size_mb=128, snapCount=100, syncLimit=40) as ensemble:
        leader = ensemble.wait_leader()
        member = leader if role == "leader" else ensemble.followers()[0]
        started = len(member.log())  # until then it may have come to the leader too early, and again
        write_large(ensemble)
        client = leader.kazoo()
        written = itertools.count()

        def write_until(words):
            """No more than is needed: nothing purges the snapshots, and the disks are small."""
            before = len(member.log())
            while not new_lines(member, before, words):
                for _ in range(10):
                    client.create("/%d" % next(written), b"")

        fill(member, left_bytes=2_000_000)  # for the log, and not for a snapshot
        write_until("no space left for a snapshot")
        assert member.mode() == role
        empty_again(member)
        write_until("Snapshot taken")
        stop_kazoo(client)
        assert ensemble.wait_leader() is leader and not new_lines(member, started, "FOLLOWING ends")
        ensemble.check_same()


def test_a_member_without_space_for_the_leader_s_snapshot_comes_back_when_there_is_some():
    with on_small_disks(snapCount=100) as ensemble:
        member = ensemble.followers()[0]
        write_large(ensemble)
        member.kill()
        member.wipe()
        fill(member, left_bytes=1_000_000)
        before = len(member.log())
        member.start()
        ensemble.wait(lambda: new_lines(member, before, "no space left for"), "the log says it")
        # Some writes only: the disks of the others are small, too, and nothing purges their snapshots.
        with Load(ensemble, hosts=ensemble.hosts_without(member)) as load:
            load.wait_for(10)
        assert member.alive() and member.mode() is None
        empty_again(member)
        ensemble.wait_all()
        with Load(ensemble) as load:
            load.wait_for(10)
            load.check()
        ensemble.check_same()


def test_a_member_that_starts_on_a_full_disk_waits_for_space():
    with on_small_disks() as ensemble, Load(ensemble) as load:
        member = ensemble.followers()[0]
        load.wait_for(20)
        member.kill()
        load.wait_for(20)
        fill(member)
        before = len(member.log())
        member.start()
        ensemble.wait(lambda: new_lines(member, before, "no space left for"), "the log says it")
        load.wait_for(20)
        empty_again(member)
        ensemble.wait_all()
        load.check()
        ensemble.check_same()


def test_a_first_start_on_a_full_disk_is_refused_with_a_sentence():
    with on_small_disks() as ensemble:
        member = ensemble.followers()[0]
        member.kill()
        member.wipe()
        fill(member)
        before = len(member.log())
        member.start()
        assert member.wait_exit(60.0) == 1
        assert new_lines(member, before, "The disk is full"), member.log()[before:]
        empty_again(member)
        member.start()
        ensemble.wait_all()
        ensemble.check_same()
