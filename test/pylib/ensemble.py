"""Starts three or five servers that form an ensemble, Paddock's and Java's in any mixture.

    with Ensemble(["java", "paddock", "paddock"]) as ensemble:
        leader = ensemble.wait_leader()
        leader.kill()
        ensemble.wait_leader()
        leader.start(wait=False)
        ensemble.wait_all()
        ensemble.check_same()

Each member has a directory, a myid and ports of its own on the loopback. What a client writes through
one of them is compared at all of them: the trees as kazoo reads them, and the transaction logs.
"""

import itertools
import os
import re
import shutil
import signal
import time

from kazoo.client import KazooClient
from kazoo.exceptions import NoNodeError
from kazoo.handlers.threading import SequentialThreadingHandler
from kazoo.retry import KazooRetry

from . import txnlog, zkwire
from .servers import START_WAIT_S, Server, StartFailed, free_port

POLL_S = 0.02  # between two looks at the servers
WAIT_S = START_WAIT_S
MODE_WAIT_S = 20.0  # a server that stands still for some seconds has the mode that it had
JAVA_PING_S = 2.0  # behind a request that is not answered
ASKED_AT_ONCE = 64  # znodes, three requests each
CONFIG = "/zookeeper/config"
SERVING = ("leader", "follower", "observer")
# What a server says when a rule of the protocol, or its own tree, was broken. (Java expects 0x1 where an
# epoch begins; and its threads that write to its leader say so when that
# connection breaks.)
TROUBLE = re.compile(
    r"Digests are not matching|digest mismatch|digest differs|Committing zxid 0x|"
    r"Unexpected exception causing shutdown|Got zxid 0x(?!\w+00000001 )\w+ expected 0x(?!1$)|"
    r"Severe unrecoverable error, from thread : (?!Sync|Follower|Observer)|"
    r"assertion|AddressSanitizer|runtime error:",
    re.IGNORECASE,
)
ROLE = re.compile(r"\] - (LOOKING|LEADING|FOLLOWING)")  # Java's tell no such line as a warning


class Timeout(Exception):
    """What was waited for did not happen; the message has the ends of all logs."""


class Member(Server):
    """One server of an ensemble. `target` may be changed while it is down."""

    def __init__(self, target, server_id, observer, config, props):
        super().__init__(target, config, props)
        self.id, self.observer = server_id, observer
        self.port, self.quorum_port, self.election_port = free_port(), free_port(), free_port()
        self.paused = False
        self.peer_host = "127.0.0.1"  # of its server.N line

    def line(self):
        """Its server.N line."""
        role = ":observer" if self.observer else ""
        return "%s:%d:%d%s" % (self.peer_host, self.quorum_port, self.election_port, role)

    def write_config(self):
        super().write_config()
        with open(os.path.join(self.data_dir, "myid"), "w") as file:
            file.write("%d\n" % self.id)

    def start(self, config=None, props=None, wait=False):
        """Does not wait: alone it cannot serve."""
        self.paused = False
        return super().start(config, props, wait)

    def wipe(self):
        """Its data directory is gone, but for myid."""
        shutil.rmtree(self.log_dir)

    def pause(self):
        """SIGSTOP: its sockets stay, and it says nothing. The kernel gives the signal to one thread, and
        the others run on until that one has its turn; when this returns, all have stopped."""
        self.process.send_signal(signal.SIGSTOP)
        self.paused = True
        while not self.all_threads_stopped():
            time.sleep(0.001)

    def all_threads_stopped(self):
        tasks = "/proc/%d/task" % self.process.pid
        for task in os.listdir(tasks):
            try:
                with open("%s/%s/stat" % (tasks, task)) as stat:
                    if stat.read().rpartition(")")[2].split()[0] != "T":
                        return False
            except (FileNotFoundError, ProcessLookupError):
                return False  # it has just ended: look again
        return True

    def resume(self):
        self.process.send_signal(signal.SIGCONT)
        self.paused = False

    def kill(self):
        self.paused = False
        return super().kill()

    def mode(self):
        """leader, follower, observer, read-only; None while it is down, paused or electing."""
        if not self.alive() or self.paused:
            return None
        try:
            text = self.four_letter("srvr", wait=MODE_WAIT_S).decode(errors="replace")
        except (OSError, zkwire.Closed, zkwire.Timeout):
            return None
        found = re.search(r"^Mode: ([\w-]+)", text, re.MULTILINE)
        return found.group(1) if found else None

    def zxid(self):
        """What srvr calls the last zxid."""
        text = self.four_letter("srvr").decode(errors="replace")
        found = re.search(r"^Zxid: 0x([0-9a-f]+)", text, re.MULTILINE)
        return int(found.group(1), 16) if found else None  # it does not serve

    def mntr(self):
        """Name to value, as text."""
        lines = self.four_letter("mntr").decode(errors="replace").splitlines()
        return dict(line.split("\t", 1) for line in lines if "\t" in line)

    @property
    def log_dir(self):
        return os.path.join(self.data_dir, "version-2")

    def files(self, prefix):
        """The files of that kind ("log", "snapshot"), oldest first."""
        names = [n for n in os.listdir(self.log_dir) if n.startswith(prefix + ".")]
        return sorted(names, key=lambda name: int(name.split(".")[1], 16))

    def snapshot_zxid(self):
        """Of the newest snapshot. A server of Java 3.8.0 may lose records that it was sent while it was
        brought in step, when it is killed: its tree has them again, its log has not."""
        if self.target == "java":
            return 1 << 63
        return max((int(name.split(".")[1], 16) for name in self.files("snapshot")), default=0)

    def epochs(self):
        """(accepted, current)"""

        def number(name):
            with open(os.path.join(self.log_dir, name)) as file:
                return int(file.read())

        return number("acceptedEpoch"), number("currentEpoch")

    def records(self):
        return txnlog.read_logs(self.log_dir)

    def client(self, **options):
        """A follower of Java 3.8.0 may keep an answer until it gets another request or COMMIT
        (ZOOKEEPER-4537). A client library's ping is one; so its clients ping here, too, and a session that
        is not answered is asked for again."""
        if self.target != "java":
            return super().client(**options)
        options.setdefault("ping_s", JAVA_PING_S)
        try:
            return super().client(**options)
        except zkwire.Timeout:
            if options.get("session"):
                raise
            return super().client(**options)

    def kazoo(self, **options):
        """A started client of this member alone; close it with stop_kazoo()."""
        return start_kazoo(self.address, **options)

    def tree(self):
        """path -> (data, stat, acls) of everything, as of a moment behind all that was agreed."""
        client = self.kazoo()
        try:
            client.sync("/")
            return read_tree(client)
        finally:
            stop_kazoo(client)

    def troubles(self):
        """The lines of its log that tell of a broken rule."""
        return self.told(TROUBLE)

    def told(self, *patterns):
        return [line for line in self.log().splitlines() if any(p.search(line) for p in patterns)]

    def __repr__(self):
        return "%s server %d (%s)" % (self.target, self.id, self.address)


class Ensemble:
    """All members, and what is asked of them together."""

    def __init__(self, targets, observers=(), config=None, props=None, own_hosts=False):
        """targets: one for each member, ids from 1; observers: ids; own_hosts: server N is 127.0.0.N to
        the others, so that all may have the same observerMasterPort."""
        keys = {"tickTime": 500, "initLimit": 20, "syncLimit": 8, "maxClientCnxns": 0,
                "maxSessionTimeout": 60000}
        keys.update(config or {})
        self.members = [
            Member(target, i, i in observers, keys, props) for i, target in enumerate(targets, 1)
        ]
        for member in self.members if own_hosts else ():
            member.peer_host = "127.0.0.%d" % member.id
        for member in self.members:
            member.config.update(("server.%d" % m.id, m.line()) for m in self.members)
            if member.observer:
                member.config["peerType"] = "observer"

    def __enter__(self):
        if not any(member.process for member in self.members):
            self.start()
        return self

    def __exit__(self, *exc):
        self.close()

    def __getitem__(self, server_id):
        return self.members[server_id - 1]

    def start(self):
        for member in self.members:
            member.start()
        return self.wait_all()

    def mend(self):
        """All members run and serve, whatever was done to them; the leader."""
        for member in self.members:
            if not member.alive():
                member.start()
            elif member.paused:
                member.resume()
        return self.wait_all()

    def close(self):
        for member in self.members:
            member.close()

    # -- who is what

    @property
    def hosts(self):
        """For a client that may use any member."""
        return ",".join(member.address for member in self.members)

    def hosts_without(self, absent):
        """For a client that a stopped server must not hold up. A client tries the servers in any order
        and waits long for one that says nothing: it may do so twice and lose its session."""
        return ",".join(member.address for member in self.members if member is not absent)

    def running(self):
        return [member for member in self.members if member.alive() and not member.paused]

    def leaders(self):
        return [member for member in self.members if member.mode() == "leader"]

    def followers(self):
        return [member for member in self.members if member.mode() == "follower"]

    # -- waiting

    def wait(self, condition, what, wait=WAIT_S, may_end=False):
        """Until condition() gives something true, which is returned."""
        deadline = time.monotonic() + wait
        while True:
            result = condition()
            if result:
                return result
            ended = [m for m in self.members if m.process is not None and m.process.poll() is not None]
            if ended and not may_end:
                raise StartFailed("%r ended with %s\n%s" % (
                    ended[0], ended[0].process.returncode, ended[0].log()[-4000:]))
            if time.monotonic() > deadline:
                raise Timeout("%s: not within %s s\n%s" % (what, wait, self.last_lines()))
            time.sleep(POLL_S)

    def leader_of(self, modes):
        """The one that leads, if a quorum has it."""
        leaders = [member for member, mode in modes.items() if mode == "leader"]
        followers = [member for member, mode in modes.items() if mode == "follower"]
        voters = [member for member in self.members if not member.observer]
        enough = len(leaders) == 1 and len(leaders + followers) > len(voters) // 2
        return leaders[0] if enough else None

    def modes(self):
        return {member: member.mode() for member in self.running()}

    def wait_leader(self, wait=WAIT_S):
        """The one member that leads, once a quorum has it."""
        return self.wait(lambda: self.leader_of(self.modes()), "a leader", wait)

    def wait_all(self, wait=WAIT_S):
        """Until every member that runs serves, and one of them leads; the leader. An old leader that goes on
        says that it leads until it looks at the time: so both are asked of the same modes."""

        def one_leads_and_all_serve():
            modes = self.modes()
            return self.leader_of(modes) if all(mode in SERVING for mode in modes.values()) else None

        return self.wait(one_leads_and_all_serve, "all members that run are serving, and one leads", wait)

    def make_leader(self, member):
        """Of servers that have the same, the one with the highest id leads: give that one. At a start it
        may come too late."""
        for _ in range(10):
            leader = self.wait_leader()
            if leader is member:
                return leader
            client = leader.kazoo()
            client.create("/leaders/", b"", sequence=True, makepath=True)  # a session may be local
            stop_kazoo(client)
            self.wait_same_zxid()
            leader.kill()
            self.wait_leader()
            leader.start()
            self.wait_all()
        raise AssertionError("%r does not come to lead" % member)

    def wait_same_zxid(self, wait=WAIT_S):
        """Until all that run have applied the same. A new leader counts its epoch as a zxid, which the
        others have from its first transaction on: so there is one."""
        stop_kazoo(start_kazoo(self.running()[0].address))
        return self.wait(
            lambda: len(zxids := {member.zxid() for member in self.running()}) == 1
            and None not in zxids,
            "the same zxid", wait,
        )

    # -- comparing

    def check_same(self):
        """Trees and logs of all members that run tell the same; writes have ended."""
        self.check_same_trees()
        self.check_same_logs()
        self.check_no_trouble()

    def check_same_trees(self):
        """A leader's janitor may take a container or a TTL node while the trees are read: then they are
        read again."""
        end = time.monotonic() + WAIT_S
        clients = {member: member.kazoo() for member in self.running()}
        try:
            while True:
                before = self.synced_zxids(clients)
                trees = {member: read_tree(client) for member, client in clients.items()}
                found = [
                    "%r and %r: %s" % (one, other, line)
                    for one, other in itertools.pairwise(trees)
                    for line in tree_differences(trees[one], trees[other])[:20]
                ]
                zxids = before + self.synced_zxids(clients)
                if not found or len(set(zxids)) == 1 or time.monotonic() > end:
                    break
        finally:
            for client in clients.values():
                stop_kazoo(client)
        assert not found, "zxids %r: %s" % (zxids, "\n".join(found))

    @staticmethod
    def synced_zxids(clients):
        for client in clients.values():
            client.sync("/")
        return [client.last_zxid for client in clients.values()]

    def check_same_logs(self):
        self.wait_same_zxid()
        records = {member: member.records() for member in self.running()}
        for one, other in itertools.combinations(records, 2):
            found = txnlog.differences(
                records[one], records[other], (one.snapshot_zxid(), other.snapshot_zxid()))
            assert not found, "%r and %r: %s" % (one, other, "\n".join(found[:20]))

    def check_no_trouble(self):
        assert not any(member.troubles() for member in self.members), "\n".join(
            "%r, %s: %s" % (member, member.mode(), "\n".join(member.told(TROUBLE, ROLE)[:40]))
            for member in self.members)

    def last_lines(self, count=25):
        return "\n".join(
            "--- %r\n%s" % (member, "\n".join(member.log().splitlines()[-count:]))
            for member in self.members
        )


class Shared:
    """The ensemble that the tests of a module use one behind the other. Each gets it with all members
    running; after a test that failed, or when it does not come up again, the next gets a new one. So it
    does when the tree has grown: to compare large trees takes longer than to start."""

    NODES_MAX = 5000

    def __init__(self):
        self.key, self.ensemble = None, None

    def get(self, key, make):
        """make() gives an ensemble, started or not; another key asks for another one."""
        if self.ensemble is not None and self.key == key:
            try:
                self.ensemble.mend()
                if int(self.ensemble.members[0].mntr()["zk_znode_count"]) > self.NODES_MAX:
                    self.close()
            except (Timeout, StartFailed):
                self.close()
        else:
            self.close()
        if self.ensemble is None:
            self.key, self.ensemble = key, make()
            try:
                self.ensemble.mend()
            except BaseException:
                self.close()
                raise
        return self.ensemble

    def close(self):
        if self.ensemble is not None:
            self.ensemble.close()
        self.ensemble = None


# -- clients and trees


def start_kazoo(hosts, timeout_s=10.0, wait=WAIT_S, **options):
    """kazoo waits twice as long behind each round of servers that refuse it, up to a minute: a session
    would end by that alone. Here it tries again within half a second."""
    handler = SequentialThreadingHandler()
    retry = KazooRetry(max_tries=-1, delay=0.05, max_delay=0.5, sleep_func=handler.sleep_func)
    client = KazooClient(
        hosts=hosts, timeout=timeout_s, handler=handler, connection_retry=retry, **options
    )
    client.start(wait)
    return client


def stop_kazoo(client):
    client.stop()
    client.close()


def read_tree(client, root="/"):
    """Many requests at once; a client whose server has died blocks for ever behind some three hundred."""
    tree, ahead = {}, [root]
    while ahead:
        asked = [
            (path, client.get_async(path), client.get_acls_async(path),
             client.get_children_async(path))
            for path in ahead[:ASKED_AT_ONCE]
        ]
        ahead = ahead[ASKED_AT_ONCE:]
        for path, data, acls, children in asked:
            try:
                value, stat = data.get()
                if path == CONFIG:
                    stat = ()  # every server writes this znode itself, at its own time
                tree[path] = (value, tuple(stat), sorted(map(tuple, acls.get()[0])))
                ahead += [path.rstrip("/") + "/" + name for name in sorted(children.get())]
            except NoNodeError:
                continue  # it went between two requests
    return tree


def tree_differences(one, other):
    found = []
    for path in sorted(one.keys() | other.keys()):
        if one.get(path) != other.get(path):
            found.append("%s: %r and %r" % (path, one.get(path), other.get(path)))
    return found
