"""`paddock backup` and `paddock restore`: of servers of both kinds, while they run, and back into both."""

import os
import random
import shutil
import signal
import subprocess
import tarfile
import threading
import time

import pytest

from pylib import offline, replay, terminal
from pylib.offline import Call
from pylib.servers import Server, paddock_program

TARGETS = ("java", "paddock")


@pytest.fixture(scope="module")
def rich(tmp_path_factory):
    """Recorded data of Java's, up to 0x64, and its backup."""
    folder = tmp_path_factory.mktemp("rich")
    data = offline.unpack("standalone-rich", folder)
    call = Call("backup", data, folder / "backup.tar")
    assert call.code == 0 and call.err == ""
    assert call.out == "%s: the state at zxid 0x64; earlier ones back to 0x0 can be restored\n" % (
        folder / "backup.tar")
    return data, folder / "backup.tar"


def restored(file, folder, *words):
    call = Call("restore", *words, file, folder)
    assert call.code == 0, call.err
    assert call.err == ""
    return int(call.out.split()[-1], 16)


def names_in(data_dir, target, path="/"):
    """What a server finds in a copy of the directory."""
    copy = str(data_dir) + "-" + target
    shutil.copytree(data_dir, copy)
    with Server(target, data_dir=copy, props={"zookeeper.extendedTypesEnabled": "true"}) as server:
        with server.client() as client:
            return sorted(client.get_children(path))


class Writer(threading.Thread):
    """Creates /n00000, /n00001, ... until told to stop. created: the acknowledged ones and their zxids."""

    def __init__(self, server):
        super().__init__()
        self.server, self.created, self.ending = server, [], threading.Event()

    def run(self):
        with self.server.client() as client:
            number = 0
            while not self.ending.is_set():
                client.create("/n%05d" % number, b"x" * 500)
                self.created.append(number)
                number += 1

    def __enter__(self):
        self.start()
        self.wait_for(1)
        return self

    def wait_for(self, count):
        while len(self.created) < count:
            assert self.is_alive()
            time.sleep(0.001)

    def __exit__(self, *exc):
        self.ending.set()
        self.join()


# --- of running servers

@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("by", ["address", "directory"])
def test_a_backup_of_a_writing_server_has_all_that_was_acknowledged_before(target, by, tmp_path):
    with Server(target, {"snapCount": 200}) as server, Writer(server) as writer:
        for i in range(3):
            writer.wait_for(len(writer.created) + 150)
            before = len(writer.created)
            file = tmp_path / ("backup%d.tar" % i)
            call = Call("backup", server.address if by == "address" else server.data_dir, file)
            after = len(writer.created) + 1  # one more may be under way
            assert call.code == 0 and call.err == "", call.err
            zxid = int(call.out.split("zxid ")[1].split(";")[0], 16)
            data = tmp_path / ("restored%d" % i)
            assert restored(file, data) == zxid
            if i < 2:
                continue
            for starts in TARGETS:
                found = [n for n in names_in(data, starts) if n.startswith("n")]
                assert found == ["n%05d" % n for n in range(len(found))]
                assert before <= len(found) <= after


@pytest.mark.parametrize("target", TARGETS)
def test_a_restore_to_a_zxid_is_the_state_at_that_zxid(target, tmp_path):
    with Server(target, {"snapCount": 30}) as server:
        with server.client() as client:
            for i in range(100):
                client.create("/n%05d" % i, b"")
        assert Call("backup", server.address, tmp_path / "backup.tar").code == 0
    # The first zxid is the session's.
    oldest = int(Call("restore", "--check", tmp_path / "backup.tar").out.split("back to ")[1].split()[0], 16)
    assert oldest < 80
    for zxid in (oldest, 81, 101):
        data = tmp_path / ("at%d" % zxid)
        assert restored(tmp_path / "backup.tar", data, "--zxid", zxid) == zxid
        assert Call("log", "verify", data).code in (0, 3)  # 3: no log, for all is in the snapshot
        for starts in TARGETS if zxid == 81 else ["paddock"]:
            found = [n for n in names_in(data, starts) if n.startswith("n")]
            assert found == ["n%05d" % n for n in range(max(zxid - 1, 0))]


@pytest.mark.parametrize("starts", TARGETS)
def test_a_fuzzy_snapshot_of_javas_is_restored_where_it_is_exact(starts, tmp_path):
    data = offline.unpack("fuzzy-snapshot", tmp_path)  # snapshot.28 holds changes up to 0x4d
    assert Call("backup", data, tmp_path / "b.tar").code == 0
    call = Call("restore", "--zxid", "0x4c", tmp_path / "b.tar", tmp_path / "early")
    assert call.code == 3 and "from zxid 0x4d to 0x64, and not 0x4c" in call.err
    assert not (tmp_path / "early").exists()
    assert restored(tmp_path / "b.tar", tmp_path / "at", "--zxid", "0x4d") == 0x4D
    reference = offline.unpack("standalone-rich", tmp_path)  # its snapshot.4d is exact
    os.remove(reference / "version-2" / "log.4e")
    assert names_in(tmp_path / "at", starts) == names_in(reference, starts)


@pytest.mark.parametrize("name", ["legacy-34", "snap-gz", "snap-snappy", "snap-395", "log-torn-truncated"])
def test_files_of_other_releases_and_compressions_are_backed_up(name, tmp_path):
    data = offline.unpack(name, tmp_path)
    call = Call("backup", data, tmp_path / "b.tar")
    assert call.code == 0 and call.err == ""
    zxid = restored(tmp_path / "b.tar", tmp_path / "restored")
    assert ("zxid 0x%x;" % zxid) in call.out
    with Server("paddock", data_dir=str(tmp_path / "restored"),
                props={"zookeeper.extendedTypesEnabled": "true"}) as server:
        assert b"Zxid: 0x%x\n" % zxid in server.four_letter("srvr")


def test_logs_in_a_directory_of_their_own_go_back_into_one(tmp_path):
    logs = tmp_path / "logs"
    with Server("paddock", {"dataLogDir": str(logs)}) as server:
        with server.client() as client:
            client.create("/a", b"")
        assert Call("backup", server.address, tmp_path / "one.tar").code == 0
        call = Call("backup", "--log-dir", logs, server.data_dir, tmp_path / "two.tar")
        assert call.code == 0
    for name in ("one", "two"):
        data, log = tmp_path / (name + "-data"), tmp_path / (name + "-log")
        restored(tmp_path / (name + ".tar"), data, "--log-dir", log)
        assert [n.split(".")[0] for n in os.listdir(data / "version-2")] == ["snapshot"]
        assert [n.split(".")[0] for n in os.listdir(log / "version-2")] == ["log"]
        for starts in TARGETS:
            with Server(starts, {"dataLogDir": str(log)}, data_dir=str(data)) as server:
                with server.client() as client:
                    assert "a" in client.get_children("/")


# --- files that change meanwhile

def test_files_that_are_purged_replaced_and_cut_meanwhile_give_a_whole_history_or_none(tmp_path):
    """What a purge and what TRUNC do to the files, again and again, under backups that never stop."""
    source = offline.unpack("standalone-rich", tmp_path) / "version-2"
    data = tmp_path / "live" / "version-2"
    data.mkdir(parents=True)
    ending = threading.Event()

    def put(name):
        shutil.copy(source / name, tmp_path / name)
        os.rename(tmp_path / name, data / name)

    def change():
        log4e = (source / "log.4e").read_bytes()
        while not ending.is_set():
            for name in ("snapshot.4d", "log.4e"):  # a snapshot and a new log
                put(name)
            for name in ("snapshot.0", "log.1"):  # the purge
                os.remove(data / name)
            for name in ("snapshot.0", "log.1"):
                put(name)
            (data / "intent").write_bytes(b"")  # TRUNC to 0x4d
            os.rename(data / "snapshot.4d", data / "truncated.snapshot.4d")
            with open(data / "log.4e", "r+b") as log:
                log.truncate(16 + 100)
            os.remove(data / "log.4e")
            os.remove(data / "truncated.snapshot.4d")
            os.remove(data / "intent")
        (data / "log.4e").write_bytes(log4e)

    for name in ("snapshot.0", "log.1"):
        put(name)
    changer = threading.Thread(target=change)
    changer.start()
    seen, code = set(), []
    try:
        for _ in range(40):
            call = Call("backup", "--overwrite", tmp_path / "live", tmp_path / "b.tar")
            code.append(call.code)
            if call.code == 0:
                seen.add(call.out.split("zxid ")[1].split(";")[0])
                assert Call("restore", "--check", tmp_path / "b.tar").code == 0
            else:
                assert "no consistent copy" in call.err
    finally:
        ending.set()
        changer.join()
    assert code.count(0) >= 10
    for zxid in seen:  # the whole of both logs, or the first, or up to a record of the second
        assert 0x4D <= int(zxid, 16) <= 0x64


def test_a_backup_waits_until_the_files_are_no_longer_changed_as_a_whole(tmp_path):
    data = offline.unpack("standalone-rich", tmp_path)
    (data / "version-2" / "intent").write_bytes(b"")
    process = subprocess.Popen(
        [paddock_program(), "backup", str(data), str(tmp_path / "b.tar")], env=replay.environment(),
        stdout=subprocess.DEVNULL)
    while not (tmp_path / "b.tar.partial").exists():
        assert process.poll() is None
        time.sleep(0.001)
    os.remove(data / "version-2" / "intent")
    assert process.wait(30) == 0
    assert Call("restore", "--check", tmp_path / "b.tar").code == 0


def test_a_backup_that_cannot_be_consistent_is_none(tmp_path):
    data = offline.unpack("standalone-rich", tmp_path)
    (data / "version-2" / "intent").write_bytes(b"")
    call = Call("backup", data, tmp_path / "b.tar")
    assert call.code == 3 and "the file intent is there" in call.err
    assert "b.tar: no backup was made\n" in call.err
    assert [n for n in os.listdir(tmp_path) if n.startswith("b.tar")] == []


def test_a_damaged_log_is_not_backed_up(tmp_path):
    data = offline.unpack("log-corrupt-middle", tmp_path)
    call = Call("backup", data, tmp_path / "b.tar")
    assert call.code == 1 and "log.12: damaged at byte 395 (wrong checksum)" in call.err
    assert not (tmp_path / "b.tar").exists()


def test_a_missing_log_is_noticed(tmp_path):
    data = offline.unpack("standalone-rich", tmp_path)
    os.remove(data / "version-2" / "log.1")
    os.remove(data / "version-2" / "snapshot.4d")
    call = Call("backup", data, tmp_path / "b.tar")
    assert call.code == 1 and "no consistent copy" in call.err


# --- which server

def test_what_the_server_does_not_tell_is_asked_for(tmp_path):
    with Server("paddock", {"4lw.commands.whitelist": "srvr"}) as server:
        call = Call("backup", server.address, tmp_path / "b.tar")
        assert call.code == 3 and "it does not answer conf (4lw.commands.whitelist)" in call.err
    call = Call("backup", server.address, tmp_path / "b.tar")  # it has gone
    assert call.code == 3 and server.address in call.err and "refused" in call.err
    call = Call("backup", tmp_path / "none", tmp_path / "b.tar")
    assert call.code == 3 and "no such directory" in call.err
    assert os.listdir(tmp_path) == []


# --- the file

def test_tar_and_sha256sum_are_enough_to_use_a_backup(rich, tmp_path):
    data, file = rich
    subprocess.run(["tar", "xf", str(file), "-C", str(tmp_path)], check=True)
    subprocess.run(["sha256sum", "--strict", "-c", "MANIFEST"], check=True, cwd=tmp_path)
    assert (tmp_path / "version-2/snapshot.4d").read_bytes() == (data / "version-2/snapshot.4d").read_bytes()
    os.remove(tmp_path / "MANIFEST")
    for starts in TARGETS:
        assert "app" in names_in(tmp_path, starts)
    with tarfile.open(file) as archive:
        assert [m.name for m in archive] == [
            "version-2/snapshot.0", "version-2/snapshot.4d", "version-2/log.1", "version-2/log.4e",
            "MANIFEST"]


def test_how_many_snapshots_decides_how_far_back(rich, tmp_path):
    data, _ = rich
    call = Call("backup", "--snapshots", "1", data, tmp_path / "b.tar")
    assert "back to 0x4d " in call.out
    with tarfile.open(tmp_path / "b.tar") as archive:
        assert "version-2/snapshot.0" not in archive.getnames()


def test_a_file_that_exists_is_kept_unless_told_otherwise(rich, tmp_path):
    data, _ = rich
    (tmp_path / "b.tar").write_bytes(b"mine")
    call = Call("backup", data, tmp_path / "b.tar")
    assert call.code == 3 and "exists already; nothing was written" in call.err
    assert (tmp_path / "b.tar").read_bytes() == b"mine"
    assert Call("backup", "--overwrite", data, tmp_path / "b.tar").code == 0
    assert Call("restore", "--check", tmp_path / "b.tar").code == 0
    assert os.listdir(tmp_path) == ["b.tar"]


# --- damaged backups

def test_a_changed_byte_anywhere_is_found_and_nothing_is_restored(rich, tmp_path):
    whole = rich[1].read_bytes()
    with tarfile.open(rich[1]) as archive:
        members = [m for m in archive]
    places = [m.offset + 3 for m in members]  # in the names
    places += [m.offset_data + random.Random(m.name).randrange(m.size) for m in members[:-1]]
    manifest = whole.index(b"# paddock-backup=1")
    places += [manifest, *(whole.index(text, manifest) + len(text) - 1 for text in (
        b"# zxid=0x64", b"# oldest_zxid=0x0", b"48cd8cd9", b"version-2/log.1"))]
    for at in places:
        changed = bytearray(whole)
        changed[at] ^= 1
        (tmp_path / "b.tar").write_bytes(changed)
        for words in (["--check", tmp_path / "b.tar"], [tmp_path / "b.tar", tmp_path / "to"]):
            call = Call("restore", *words)
            assert call.code == 1 and call.err.startswith("paddock: %s: " % (tmp_path / "b.tar")), at
            assert not (tmp_path / "to").exists()


def test_damage_is_told_with_what_was_expected(rich, tmp_path):
    whole = bytearray(rich[1].read_bytes())
    with tarfile.open(rich[1]) as archive:
        member = archive.getmember("version-2/log.1")
    whole[member.offset_data + 1000] ^= 1
    (tmp_path / "b.tar").write_bytes(whole)
    call = Call("restore", "--check", tmp_path / "b.tar")
    assert call.code == 1
    assert "damaged: SHA-256 48cd8cd94501ab1126530615abaf6d26c04232807fe4d13663b855ed751c8e35 is " \
        "expected of version-2/log.1 (%d bytes at byte %d), and it has " % (
            member.size, member.offset_data) in call.err


def test_a_backup_that_was_cut_anywhere_is_refused(rich, tmp_path):
    whole = rich[1].read_bytes()
    sizes = random.Random(8).sample(range(len(whole) - 1024), 30) + [0, 512, 1000]
    for size in sizes:
        (tmp_path / "b.tar").write_bytes(whole[:size])
        call = Call("restore", tmp_path / "b.tar", tmp_path / "to")
        assert call.code == 1 and "damaged: at byte " in call.err, size
        assert "is expected" in call.err and "whole members before it were read" in call.err
        assert not (tmp_path / "to").exists()


def test_another_tar_archive_is_not_taken_for_a_backup(rich, tmp_path):
    with tarfile.open(tmp_path / "b.tar", "w") as archive:
        archive.add(rich[0] / "version-2", "version-2")
    call = Call("restore", "--check", tmp_path / "b.tar")
    assert call.code == 1 and "it has no MANIFEST: not a backup of Paddock's" in call.err


# --- where to

def test_only_an_empty_directory_is_restored_into(rich, tmp_path):
    full = tmp_path / "full"
    full.mkdir()
    (full / "x").write_bytes(b"")
    call = Call("restore", rich[1], full)
    assert call.code == 3 and "it is not empty (x is in it); nothing was changed" in call.err
    assert os.listdir(full) == ["x"]
    call = Call("restore", "--log-dir", full, rich[1], tmp_path / "new")
    assert call.code == 3 and not (tmp_path / "new").exists()
    member = tmp_path / "member"
    member.mkdir()
    (member / "myid").write_text("1")
    restored(rich[1], member)
    assert sorted(os.listdir(member)) == ["myid", "version-2"]


@pytest.mark.parametrize("zxid", ["0x65", "1000000"])
def test_a_zxid_that_the_backup_has_not_is_refused(zxid, rich, tmp_path):
    call = Call("restore", "--zxid", zxid, rich[1], tmp_path / "to")
    assert call.code == 3 and "it has the states from zxid 0x0 to 0x64, and not 0x" in call.err
    assert not (tmp_path / "to").exists()


# --- interruptions and progress

def large_data(folder, records=40000):
    """60 MB of log behind an empty snapshot."""
    shutil.copytree(offline.unpack("standalone-rich", folder), folder / "large")
    for name in ("snapshot.4d", "log.1", "log.4e"):
        os.remove(folder / "large/version-2" / name)
    data = b"x" * 1400
    offline.write_log(folder / "large/version-2/log.1", (
        offline.record(z, 1, *offline.set_data("/zookeeper", data)) for z in range(1, records + 1)))
    return folder / "large"


def wait_for_path(path, process):
    while not path.exists():
        if process.poll() is not None:
            return False
        time.sleep(0.0005)
    return True


def wait_for_lock(path, process):
    """Until a process has the file locked: it is there a moment earlier."""
    assert wait_for_path(path, process)
    inode = ":%d " % path.stat().st_ino
    while not any("FLOCK" in line and inode in line for line in open("/proc/locks")):
        assert process.poll() is None
        time.sleep(0.0005)


def terminal_output(argv):
    screen = terminal.Terminal(argv, replay.environment())
    code = screen.end()
    while screen.read(0.2):
        pass
    text = screen.text
    screen.close()
    assert code == 0
    return text


def test_ctrl_c_in_a_backup_leaves_no_file(tmp_path):
    data = offline.unpack("standalone-rich", tmp_path)
    (data / "version-2" / "intent").write_bytes(b"")  # it waits for that to go
    for how in (signal.SIGINT, signal.SIGTERM):
        process = subprocess.Popen([paddock_program(), "backup", str(data), str(tmp_path / "b.tar")],
                                   env=replay.environment(), stderr=subprocess.PIPE)
        assert wait_for_path(tmp_path / "b.tar.partial", process)
        process.send_signal(how)
        err = process.communicate(timeout=30)[1]
        assert process.returncode == 130 and b"b.tar: no backup was made" in err
        assert sorted(os.listdir(tmp_path)) == ["standalone-rich"]


def test_ctrl_c_in_a_restore_leaves_no_directory(tmp_path):
    assert Call("backup", large_data(tmp_path), tmp_path / "b.tar").code == 0
    to = tmp_path / "to"
    for _ in range(50):  # a quick one may be done before the signal comes
        process = subprocess.Popen([paddock_program(), "restore", str(tmp_path / "b.tar"), str(to)],
                                   env=replay.environment(), stderr=subprocess.PIPE,
                                   stdout=subprocess.DEVNULL)
        wait_for_path(to / "version-2.partial", process)
        process.send_signal(signal.SIGINT)
        err = process.communicate(timeout=60)[1]
        if process.returncode != 0:
            break
        shutil.rmtree(to)
    assert process.returncode == 130 and b"nothing was restored" in err
    assert not to.exists()


def test_a_killed_backup_is_in_the_way_of_nothing(tmp_path):
    data = offline.unpack("standalone-rich", tmp_path)
    (data / "version-2" / "intent").write_bytes(b"")
    process = subprocess.Popen([paddock_program(), "backup", str(data), str(tmp_path / "b.tar")],
                               env=replay.environment())
    wait_for_lock(tmp_path / "b.tar.partial", process)
    process.send_signal(signal.SIGSTOP)  # it would give up after some seconds
    call = Call("backup", data, tmp_path / "b.tar")
    assert call.code == 3 and "is being written by another process" in call.err
    process.kill()
    process.wait()
    assert not (tmp_path / "b.tar").exists()
    os.remove(data / "version-2" / "intent")
    assert Call("backup", data, tmp_path / "b.tar").code == 0
    assert sorted(os.listdir(tmp_path)) == ["b.tar", "standalone-rich"]


def test_progress_is_shown_on_a_terminal_only(tmp_path):
    data = large_data(tmp_path, 2000)
    words = [paddock_program(), "backup", str(data), str(tmp_path / "b.tar")]
    shell = "exec %s >/dev/null" % " ".join(words)
    shown = terminal_output(["/bin/sh", "-c", shell])
    assert "copying " in shown and " MB" in shown and "checking sums" in shown
    call = Call("restore", tmp_path / "b.tar", tmp_path / "to")
    assert call.err == ""
    shown = terminal_output([paddock_program(), "restore", str(tmp_path / "b.tar"), str(tmp_path / "to2")])
    assert "restoring " in shown and "%  " in shown


# --- wrong words

@pytest.mark.parametrize("words", [
    ["backup"], ["backup", "x"], ["backup", "x", "y", "z"], ["backup", "--nope", "x", "y"],
    ["backup", "--snapshots", "0", "x", "y"], ["backup", "--snapshots", "x", "y"],
    ["restore"], ["restore", "x"], ["restore", "--zxid", "x", "f", "d"], ["restore", "--zxid", "-1", "f", "d"],
    ["restore", "--zxid", "1..2", "f", "d"], ["restore", "--check", "f", "d"], ["restore", "a", "b", "c"],
    ["restore", "--check", "--zxid", "1", "f"],
], ids=" ".join)
def test_wrong_words_get_usage_on_stderr_and_exit_2(words, tmp_path):
    call = Call(*words, cwd=tmp_path)
    assert call.code == 2 and call.out == "" and "usage: paddock %s" % words[0] in call.err
    assert os.listdir(tmp_path) == []


def test_files_that_are_not_there_are_named(tmp_path):
    call = Call("restore", tmp_path / "none.tar", tmp_path / "to")
    assert call.code == 3 and call.err == "paddock: %s/none.tar: not found\n" % tmp_path
    (tmp_path / "empty").mkdir()
    call = Call("backup", tmp_path / "empty", tmp_path / "b.tar")
    assert call.code == 3 and "there is no whole one" in call.err
    call = Call("backup", tmp_path / "empty", tmp_path / "no" / "b.tar")
    assert call.code == 3 and "b.tar.partial: No such file or directory" in call.err
