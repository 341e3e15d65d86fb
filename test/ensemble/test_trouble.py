"""Whatever comes to the ports of servers, and wrong data directories: the ensemble goes on serving, the
log says who and why, and a start that is refused says what to do."""

import contextlib
import os
import shutil
import socket
import struct
import sys
import time

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from load import Load  # noqa: E402
from pylib.ensemble import Ensemble, Member, Timeout, stop_kazoo  # noqa: E402

FOLLOWER_INFO, OBSERVER_INFO, ACK = 11, 16, 3
LEARNER_PROTOCOL, HELLO_ONE_ADDRESS = 0x10000, -65536
LINE_WAIT_S = 40.0  # the longest limit that a line of the log waits for is initLimit: 10 s


@pytest.fixture
def paddock(shared):
    """Three of our servers. They wait for each other for 10 s: one that only stands still for some seconds
    disturbs nobody."""
    return shared("paddock", lambda: Ensemble(["paddock"] * 3, config={"syncLimit": 20}))


def packet(kind, zxid=0, data=None):
    body = struct.pack(">i", -1) if data is None else struct.pack(">i", len(data)) + data
    return struct.pack(">iq", kind, zxid) + body + struct.pack(">i", -1)


def introduction(server_id, kind=FOLLOWER_INFO, protocol=LEARNER_PROTOCOL, epoch=0):
    return packet(kind, epoch << 32, struct.pack(">qiq", server_id, protocol, 0))


def hello(server_id, version=HELLO_ONE_ADDRESS, address=b"127.0.0.1:1"):
    return struct.pack(">qqi", version, server_id, len(address)) + address


def frame(message):
    return struct.pack(">i", len(message)) + message


def vote(leader, zxid, state=0):
    """A notification: looking, for this leader."""
    return frame(struct.pack(">iqqqqii", state, leader, zxid, 1 << 40, 1 << 30, 2, 0))


@contextlib.contextmanager
def undisturbed(ensemble):
    """Clients at all servers write meanwhile, and none of them sees so much as a lost connection."""
    with Load(ensemble) as load:
        load.wait_for(5)
        yield
        load.wait_for(20)
        for writer in load.writers:
            assert writer.states == [] and writer.lost_answers == 0, (writer.root, writer.states)
        assert len(ensemble.leaders()) == 1 and len(ensemble.followers()) == 2
        ensemble.check_no_trouble()


class Stranger:
    """A connection to a port of a server, and the name that the log gives it."""

    def __init__(self, port, sent=b""):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=LINE_WAIT_S)
        self.name = "peer=127.0.0.1:%d " % self.socket.getsockname()[1]
        with contextlib.suppress(OSError):
            self.socket.sendall(sent)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.socket.close()

    def wait_closed(self):
        """The server ends the connection, whatever it sends before."""
        with contextlib.suppress(ConnectionError):
            while self.socket.recv(65536):
                pass

    def lines(self, member):
        return [line for line in member.log().splitlines() if self.name in line]


def refused_with(ensemble, member, port, sent, words, closed=True):
    """A stranger that sends this is told of in the log of the member, and closed.

    A server logs ten lines a second about strangers, so one that came behind others may have to come again."""
    for _ in range(20):
        with Stranger(port, sent) as stranger:
            if closed:
                stranger.wait_closed()
            with contextlib.suppress(Timeout):
                wait_line(ensemble, member, stranger, words, 2.0)
                return
    raise AssertionError("%r never logs %r\n%s" % (member, words, ensemble.last_lines()))


def wait_line(ensemble, member, stranger, words, wait=LINE_WAIT_S):
    """The one line of the log that says who and why."""
    found = ensemble.wait(
        lambda: [line for line in stranger.lines(member) if words in line],
        "%r logs %r" % (member, words), wait,
    )
    assert len(found) == 1, found


QUORUM = {
    "text": (b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", "it sent bytes that are no packet"),
    "zeros": (b"\0" * 64, "its first packet is not FOLLOWERINFO or OBSERVERINFO"),
    "ones": (b"\xff" * 64, "its first packet is not FOLLOWERINFO or OBSERVERINFO"),
    "too large": (struct.pack(">iqi", FOLLOWER_INFO, 0, 1 << 30), "it sent bytes that are no packet"),
    "wrong packet": (packet(ACK, 7), "its first packet is not FOLLOWERINFO or OBSERVERINFO"),
    "half an id": (packet(FOLLOWER_INFO, 0, b"1234"), "its first packet is not FOLLOWERINFO"),
    "old protocol": (introduction(99, protocol=1), "a protocol older than"),
    "broken promise": (introduction(99) + packet(ACK, 7), "it did not answer LEADERINFO"),
}

ELECTION = {
    "no version": (struct.pack(">q", -65000) + b"\0" * 40, "its first message has an unknown version"),
    "address too long": (struct.pack(">qqi", HELLO_ONE_ADDRESS, 99, 1 << 20), "an unknown version"),
    "message too large": (hello(98) + struct.pack(">i", 1 << 30), "an impossible length"),
    "negative length": (hello(97) + struct.pack(">i", -5), "an impossible length"),
    "text": (b"GET / HTTP/1.1\r\n\r\n", "an impossible length"),
}


@pytest.mark.parametrize("what", QUORUM)
def test_the_leader_closes_who_does_not_speak_the_protocol_and_says_why(paddock, what):
    sent, words = QUORUM[what]
    leader = paddock.wait_leader()
    with undisturbed(paddock):
        refused_with(paddock, leader, leader.quorum_port, sent, words)


@pytest.mark.parametrize("what", ELECTION)
def test_an_election_port_closes_who_does_not_speak_the_protocol_and_says_why(paddock, what):
    sent, words = ELECTION[what]
    with undisturbed(paddock):
        for member in paddock.members:
            refused_with(paddock, member, member.election_port, sent, words)


def test_a_learner_with_the_leader_s_own_id_is_refused(paddock):
    leader = paddock.wait_leader()
    with undisturbed(paddock):
        refused_with(paddock, leader, leader.quorum_port, introduction(leader.id),
                     "it has this server's own id")


def test_a_server_with_one_s_own_id_is_refused_at_the_election_port(paddock):
    with undisturbed(paddock):
        for member in paddock.members:
            refused_with(paddock, member, member.election_port, hello(member.id),
                         "it has this server's own id")


def test_a_second_server_with_the_id_of_a_follower_disturbs_that_follower_alone(paddock):
    leader, follower = paddock.wait_leader(), paddock.followers()[0]
    others = [leader, next(m for m in paddock.followers() if m is not follower)]
    hosts = ",".join(member.address for member in others)
    with Load(paddock, hosts=hosts) as load:
        load.wait_for(5)
        before = leader.log().count("the same server has connected again")
        with Stranger(leader.quorum_port, introduction(follower.id)) as stranger:
            load.wait_for(20)
            # It is in the real one's place until the real one comes back.
            paddock.wait(lambda: stranger.lines(leader), "the double is replaced", LINE_WAIT_S)
        paddock.wait_all()
        load.wait_for(20)
        assert all(writer.states == [] for writer in load.writers)
        assert paddock.wait_leader() is leader
        assert leader.log().count("the same server has connected again") - before >= 2
        load.check()


def test_an_id_that_is_not_configured_is_told_once_and_has_no_vote(paddock):
    leader = paddock.wait_leader()
    epochs = [member.epochs() for member in paddock.members]
    with undisturbed(paddock):
        refused_with(paddock, leader, leader.quorum_port, introduction(99, epoch=0x7FFFFFF0),
                     "no server.N line has its id", closed=False)
        for member in paddock.members:
            for server_id in (0, 99):
                sent = hello(server_id) + vote(server_id, 1 << 60)
                refused_with(paddock, member, member.election_port, sent,
                             "no server.N line has its id", closed=False)
    assert [member.epochs() for member in paddock.members] == epochs


def test_votes_of_a_stranger_do_not_decide_an_election(paddock):
    leader = paddock.wait_leader()
    survivors = [member for member in paddock.members if member is not leader]
    strangers = [
        Stranger(member.election_port, hello(99) + vote(99, 1 << 60) * 10) for member in survivors
    ]
    try:
        leader.kill()
        assert paddock.wait_leader() in survivors
    finally:
        for stranger in strangers:
            stranger.socket.close()
    assert all(member.epochs()[0] < 100 for member in survivors), "an epoch of the stranger's"
    leader.start()
    paddock.wait_all()
    paddock.check_same()


def test_a_port_scan_leaves_no_line(paddock):
    leader = paddock.wait_leader()
    before = {member: len(member.log().splitlines()) for member in paddock.members}
    with undisturbed(paddock):
        for _ in range(50):
            for member in paddock.members:
                Stranger(member.election_port).socket.close()
            Stranger(leader.quorum_port).socket.close()
    for member in paddock.members:
        lines = member.log().splitlines()[before[member]:]
        assert not [line for line in lines if " peer" in line and "port=" in line], lines[:5]


def test_who_says_nothing_is_closed_after_a_while(paddock):
    leader = paddock.wait_leader()
    with undisturbed(paddock):
        with Stranger(leader.election_port) as one, Stranger(leader.quorum_port) as other:
            one.wait_closed()
            other.wait_closed()
            wait_line(paddock, leader, one, "it did not say who it is")
            wait_line(paddock, leader, other, "it was silent for longer than the limit")


def test_thousands_of_connections_are_bounded_and_a_killed_follower_still_comes_back(paddock):
    leader, follower = paddock.wait_leader(), paddock.followers()[0]
    with undisturbed(paddock):
        before = len(leader.log().splitlines())
        strangers = []
        for port in (leader.election_port, leader.quorum_port) * 1500:
            with contextlib.suppress(OSError):
                strangers.append(socket.create_connection(("127.0.0.1", port), timeout=5))
        assert len(strangers) > 2500
        assert len(os.listdir("/proc/%d/fd" % leader.pid)) < 1500
        lines = len(leader.log().splitlines()) - before
        assert lines < 200, "%d lines in the log" % lines
        for stranger in strangers:
            stranger.close()
    follower.kill()
    follower.start()
    paddock.wait_all()
    paddock.check_same()


# -- starts that are refused


def refused(member, status, *words):
    """It ends by itself, with a sentence."""
    before = len(member.log())
    member.start()
    assert member.wait_exit(60.0) == status, member.log()[before:]
    said = member.log()[before:]
    assert all(word in said for word in words), said


@pytest.fixture
def one_down(paddock):
    """A follower that is down, with a transaction in its log; its directory is what it was when the test has
    ended."""
    follower = paddock.followers()[0]
    client = follower.kazoo()
    client.create("/one-down-", b"", sequence=True)
    stop_kazoo(client)
    follower.kill()
    kept = follower.data_dir + ".kept"
    shutil.copytree(follower.data_dir, kept)
    yield follower
    follower.kill()
    follower.__class__ = Member
    shutil.rmtree(follower.data_dir)
    os.rename(kept, follower.data_dir)
    follower.start()
    paddock.wait_all()


def put(member, name, text):
    with open(os.path.join(member.data_dir, name), "w") as file:
        file.write(text)


class Unwritten(Member):
    """One whose configuration and myid stay as the test has left them."""

    def write_config(self):
        pass


@pytest.mark.parametrize("text,status,words", [
    (None, 2, ["myid file is missing", "myid with the number"]),
    ("two\n", 2, ["myid", "two"]),
    ("9\n", 1, ["My id 9 not in the peer list"]),
])
def test_a_start_with_a_myid_that_is_missing_or_wrong_is_refused(one_down, text, status, words):
    one_down.__class__ = Unwritten
    os.remove(os.path.join(one_down.data_dir, "myid"))
    if text is not None:
        put(one_down, "myid", text)
    refused(one_down, status, *words)


def test_a_start_with_a_log_that_is_newer_than_the_promises_is_refused(one_down):
    put(one_down, "version-2/acceptedEpoch", "0")
    put(one_down, "version-2/currentEpoch", "0")
    refused(one_down, 1, "do not belong together", "Restore the directory")


def test_a_start_with_epochs_that_contradict_each_other_is_refused(one_down):
    put(one_down, "version-2/currentEpoch", "%d" % (one_down.epochs()[0] + 1))
    refused(one_down, 1, "currentEpoch is newer than acceptedEpoch", "Restore the directory")


def test_a_start_in_the_directory_of_a_server_that_runs_is_refused(paddock, one_down):
    other = paddock.wait_leader()
    own, one_down.data_dir = one_down.data_dir, other.data_dir
    one_down.__class__ = Unwritten
    with open(one_down.config_path) as file:
        text = file.read()
    with open(one_down.config_path, "w") as file:
        file.write(text.replace(own, other.data_dir))
    try:
        refused(one_down, 3, "in use by another server (pid %d)" % other.pid)
    finally:
        one_down.data_dir = own


def test_a_start_with_a_copy_of_the_directory_of_a_server_that_runs_is_refused(paddock, one_down):
    other = paddock.wait_leader()
    one_down.__class__ = Unwritten
    put(one_down, "myid", "%d\n" % other.id)
    one_down.start()
    began = time.monotonic()
    assert one_down.wait_exit(60.0) != 0, one_down.log()[-2000:]
    assert "election port could not be opened" in one_down.log(), time.monotonic() - began
