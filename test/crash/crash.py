#!/usr/bin/python3
"""SIGKILL under write load, again and again, and nothing that was acknowledged may be missing.

    crash.py --target paddock --kills 200 --seed 1

Each writer has a session and a subtree of its own and pipelines changes there, so what its subtree
may look like after a crash is exactly known: the state after the first n of its operations, for
one n that is at least the number of acknowledged ones. A multi is one operation. Where an
operation was acknowledged, the zxids in the stats must be the ones from its reply.
"""

import argparse
import collections
import copy
import glob
import os
import random
import select
import shutil
import struct
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from pylib import zkwire as zk  # noqa: E402
from pylib.servers import Server  # noqa: E402

WRITERS = 5
SESSION_MS = 40000
KILLS_PER_DIRECTORY = 20
JAVA_EVERY = 10
ANSWERS_BEFORE_KILL = (0, 3, 15, 60)  # at least, however busy the machine is
ANSWER_WAIT_S = 30
NODES_MAX = 60  # below one writer's root
SEQUENTIAL = (2, 3, 6)
TTL_MS = 10**9
OTHER_ACL = [(31, "world", "anyone"), (1, "digest", zk.digest_id(b"u:p"))]
REPLY_HEADER = struct.Struct(">iqi")

COMMON = {"maxClientCnxns": 0, "extendedTypesEnabled": "true"}
# Logs roll and snapshots are written in some of the lives, and never in others.
CONFIGS = (
    {"snapCount": 100, "preAllocSize": 64},
    {},
    {"snapCount": 1000, "preAllocSize": 64, "snapshot.compression.method": "gz"},
    {"snapCount": 100000, "preAllocSize": 1024},
    {"snapCount": 30, "preAllocSize": 64},
)


class Lost(AssertionError):
    """The server broke its word; the message says what was expected and what is there."""


class Node:
    __slots__ = (
        "data", "version", "aversion", "creates", "children", "ephemeral", "czxid", "mzxid", "pzxid",
    )  # fmt: skip

    def __init__(self, data, ephemeral, zxid):
        self.data, self.ephemeral = data, ephemeral
        self.version = self.aversion = self.creates = self.children = 0
        self.czxid = self.mzxid = self.pzxid = zxid

    def __eq__(self, other):
        return all(getattr(self, name) == getattr(other, name) for name in self.__slots__)


class Model:
    """One writer's subtree. A zxid of None is one that no reply has told."""

    def __init__(self, root):
        self.root, self.nodes = root, {}

    def copy(self):
        model = Model(self.root)
        model.nodes = {path: copy.copy(node) for path, node in self.nodes.items()}
        return model

    def apply(self, op, zxid):
        kind = op[0]
        if kind == "create":
            _, path, data, flags = op
            self.nodes[path] = Node(data, flags in (1, 3), zxid)
            parent = self.nodes.get(path.rsplit("/", 1)[0])
            if parent:
                parent.creates += 1
                parent.children += 1
                parent.pzxid = zxid
        elif kind == "set":
            node = self.nodes[op[1]]
            node.data, node.version, node.mzxid = op[2], node.version + 1, zxid
        elif kind == "acl":
            self.nodes[op[1]].aversion += 1
        elif kind == "delete":
            del self.nodes[op[1]]
            parent = self.nodes[op[1].rsplit("/", 1)[0]]
            parent.children -= 1
            parent.pzxid = zxid
        elif kind == "multi":
            for sub in op[1]:
                self.apply(sub, zxid)
        elif kind == "close":
            for path in [p for p, node in self.nodes.items() if node.ephemeral]:
                self.apply(("delete", path), zxid)

    def difference(self, actual, session_id):
        """None, or a sentence: the first thing that is not as in `actual` (path -> data, stat)."""
        for path in sorted(set(self.nodes) | set(actual)):
            node = self.nodes.get(path)
            if node is None:
                return "%s is there and should not be" % path
            if path not in actual:
                return "%s is missing (data %r...)" % (path, (node.data or b"")[:40])
            data, stat = actual[path]
            if data != node.data:
                return "%s has data %r..., not %r..." % (
                    path, (data or b"")[:60], (node.data or b"")[:60])  # fmt: skip
            for name, wanted in (
                ("version", node.version),
                ("cversion", 2 * node.creates - node.children),
                ("numChildren", node.children),
                ("dataLength", len(node.data or b"")),
                ("ephemeralOwner", session_id if node.ephemeral else 0),
                ("aversion", node.aversion),
                ("czxid", node.czxid),
                ("mzxid", node.mzxid),
                ("pzxid", node.pzxid),
            ):
                if wanted is not None and getattr(stat, name) != wanted:
                    return "%s has %s %d, not %d" % (path, name, getattr(stat, name), wanted)
        return None

    def adopt(self, actual):
        """The zxids that no reply told are now known."""
        for path, (_, stat) in actual.items():
            node = self.nodes[path]
            node.czxid, node.mzxid, node.pzxid = stat.czxid, stat.mzxid, stat.pzxid


Sent = collections.namedtuple("Sent", "xid op err")


class Writer:
    def __init__(self, index, rng):
        self.index, self.random = index, rng
        self.root = "/w%d" % index
        self.acknowledged = Model(self.root)  # what replies have promised
        self.sent = Model(self.root)  # with everything that is on its way
        self.pending = collections.deque()  # Sent, not answered yet
        self.session_id, self.passwd = 0, None
        self.seen_zxid = 0
        self.serial = self.xid = 0
        self.client = None
        self.ops_acknowledged = 0
        self.depth = 1
        self.closing = False  # closeSession is sent
        self.closed = False  # and answered

    # -- connection

    def connect(self, server):
        """New session, or the old one again. False: the old session is not there any more."""
        self.closing = False
        self.client = server.client(connect=False, wait=30.0)
        response = self.client.handshake(
            SESSION_MS, self.session_id, self.passwd, last_zxid_seen=self.seen_zxid
        )
        if response.session_id == 0:
            self.client.disconnect()
            return False
        self.session_id, self.passwd = response.session_id, response.passwd
        self.client.sock.setblocking(True)
        self.inbox = bytearray()
        return True

    def new_session(self, server):
        self.session_id, self.passwd, self.closed = 0, None, False
        if not self.connect(server):
            raise Lost("a new session was refused")

    # -- load

    def _payload(self):
        self.serial += 1
        text = b"%d-%d-" % (self.index, self.serial)
        roll = self.random.random()
        if roll < 0.05:
            return None if roll < 0.02 else b""
        if roll < 0.06:
            return text + b"L" * self.random.randrange(20000, 120000)
        return text + b"x" * self.random.randrange(0, 300)

    def _leaf(self, model, ephemeral=None):
        leaves = [
            p for p, n in model.nodes.items()
            if n.children == 0 and p != self.root and (ephemeral is None or n.ephemeral == ephemeral)
        ]  # fmt: skip
        return self.random.choice(leaves) if leaves else None

    def _parent(self, model):
        parents = [p for p, n in model.nodes.items() if not n.ephemeral and p.count("/") < 4]
        return self.random.choice(parents)

    def _simple(self, model):
        """One operation that succeeds on this model."""
        roll = self.random.random()
        crowded = len(model.nodes) > NODES_MAX
        if roll < 0.3 or (crowded and roll < 0.75):
            leaf = self._leaf(model)
            if leaf and (crowded or roll < 0.2):
                return ("delete", leaf)
        if roll < 0.55:
            return ("set", self.random.choice(list(model.nodes)), self._payload())
        parent = self._parent(model)
        flags = self.random.choice([0, 0, 0, 1, 2, 2, 3, 5, 6])
        name = "n%d" % self.serial if flags not in SEQUENTIAL else "s-%010d" % model.nodes[parent].creates
        path = parent + "/" + name
        if path in model.nodes:
            return ("set", path, self._payload())
        return ("create", path, self._payload(), flags)

    def next_op(self):
        """The next operation, its expected error and its bytes."""
        model = self.sent
        if self.root not in model.nodes:
            return ("create", self.root, b"root", 0), 0
        roll = self.random.random()
        if roll < 0.04:
            return ("fail", self.random.choice(["delete", "create", "set", "multi"])), None
        if roll < 0.22:
            trial, subs = model.copy(), []
            for _ in range(self.random.randrange(2, 6)):
                sub = self._simple(trial)
                trial.apply(sub, None)
                subs.append(sub)
            return ("multi", subs), 0
        if roll < 0.223:
            return ("close",), 0
        if roll < 0.26:
            return ("acl", self.random.choice(list(model.nodes))), 0
        return self._simple(model), 0

    def _record(self, op, model):
        kind = op[0]
        if kind == "create":
            _, path, data, flags = op
            wire = path[:-10] if flags in SEQUENTIAL else path
            if flags >= zk.PERSISTENT_TTL:
                return zk.CREATE_TTL, zk.create_ttl_request(wire, data, zk.OPEN_ACL, flags, TTL_MS)
            code = self.random.choice([zk.CREATE, zk.CREATE, zk.CREATE2])
            return code, zk.create_request(wire, data, zk.OPEN_ACL, flags)
        if kind == "set":
            version = self.random.choice([-1, model.nodes[op[1]].version])
            return zk.SET_DATA, zk.set_data_request(op[1], op[2], version)
        if kind == "delete":
            return zk.DELETE, zk.delete_request(op[1], -1)
        if kind == "acl":
            acl = self.random.choice([zk.OPEN_ACL, zk.OPEN_ACL * 2, OTHER_ACL])
            return zk.SET_ACL, zk.set_acl_request(op[1], acl, -1)
        if kind == "close":
            return zk.CLOSE_SESSION, b""
        if kind == "multi":
            trial, records = model.copy(), []
            for sub in op[1]:
                records.append(self._record(sub, trial))
                trial.apply(sub, None)
            return zk.MULTI, zk.multi_request(*records)
        missing = self.root + "/never"
        return {
            "delete": (zk.DELETE, zk.delete_request(missing)),
            "create": (zk.CREATE, zk.create_request(self.root, b"again")),
            "set": (zk.SET_DATA, zk.set_data_request(self.root, b"stale", 2**31 - 1)),
            "multi": (
                zk.MULTI,
                zk.multi_request(
                    (zk.SET_DATA, zk.set_data_request(self.root, b"half a multi")),
                    (zk.CREATE, zk.create_request(missing, b"half a multi")),
                    (zk.DELETE, zk.delete_request(missing + "/x")),
                ),
            ),
        }[op[1]]

    def fill(self):
        """Send until `depth` operations are on their way."""
        data = []
        while len(self.pending) < self.depth and not self.closing:
            op, err = self.next_op()
            code, body = self._record(op, self.sent)
            self.xid += 1
            data.append(zk.frame(struct.pack(">ii", self.xid, code) + body))
            self.pending.append(Sent(self.xid, op, err))
            self.sent.apply(op, None)
            self.closing = op[0] == "close"
        if data:
            try:
                self.client.sock.sendall(b"".join(data))
            except OSError:
                pass  # it has been killed; what it answered is read by drain()

    def receive(self):
        """Reads what is there. False at the end of the connection."""
        try:
            chunk = self.client.sock.recv(1 << 18)
        except OSError:
            return False
        if not chunk:
            return False
        self.inbox += chunk
        at = 0
        while len(self.inbox) - at >= 4:
            size = struct.unpack_from(">i", self.inbox, at)[0]
            if len(self.inbox) - at - 4 < size:
                break
            self._answer(self.inbox[at + 4 : at + 4 + size])
            at += 4 + size
        del self.inbox[:at]
        return True

    def _answer(self, frame):
        xid, zxid, err = REPLY_HEADER.unpack_from(frame)
        if not self.pending or self.pending[0].xid != xid:
            raise Lost("%s: answer to xid %d, waiting for %r" % (self.root, xid, self.pending))
        sent = self.pending.popleft()
        if zxid <= self.seen_zxid and sent.op[0] != "close":
            raise Lost("%s: zxid %d after %d" % (self.root, zxid, self.seen_zxid))
        self.seen_zxid = max(self.seen_zxid, zxid)
        if sent.op[0] == "multi" and err == 0 and frame[16:20] == b"\xff\xff\xff\xff":
            err = "a failed multi"
        if sent.err is not None and err != sent.err:
            raise Lost("%s: %r answered %s" % (self.root, sent.op, err))
        if sent.op[0] == "create" and zk.Reader(frame, 16).ustring() != sent.op[1]:
            raise Lost("%s: %r created %r" % (self.root, sent.op, bytes(frame[16:])))
        self.acknowledged.apply(sent.op, zxid)
        self.closed = sent.op[0] == "close"
        self.ops_acknowledged += 1

    def finish(self, server):
        """Waits for every answer; nothing is on its way then, and the session is there."""
        while self.pending:
            if not self.receive():
                raise Lost("%s: connection closed under load" % self.root)
        if self.closed:
            self.client.disconnect()
            self.new_session(server)

    def drain(self):
        """After the kill: what had been answered counts."""
        while self.receive():
            pass
        self.client.disconnect()

    # -- verification

    def check(self, actual, session_alive):
        """The number of unanswered operations that took effect. Raises Lost."""
        model, reasons = self.acknowledged.copy(), []
        closed = self.closed
        for count in range(len(self.pending) + 1):
            if count:
                op = self.pending[count - 1].op
                model.apply(op, None)
                closed = closed or op[0] == "close"
            if closed != session_alive:
                reason = model.difference(actual, self.session_id)
            else:
                reason = "the session is %s" % ("there" if session_alive else "gone")
            if reason is None:
                return count, model
            reasons.append(reason)
        raise Lost(
            "%s matches no state from %d acknowledged operations on (%d were on their way)\n"
            "  with all acknowledged: %s\n  with all sent: %s\n  sent: %r"
            % (self.root, self.ops_acknowledged, len(self.pending), reasons[0], reasons[-1],
               [shorten(s.op) for s in self.pending])
        )  # fmt: skip

    def settle(self, model, actual):
        model.adopt(actual)
        self.acknowledged, self.sent = model, model.copy()
        self.pending.clear()


def shorten(op):
    return tuple(
        (part[:20] if isinstance(part, bytes) else [shorten(s) for s in part] if isinstance(part, list) else part)
        for part in op
    )  # fmt: skip


def fetch(client, root):
    """path -> (data, stat) of everything below and with root."""
    actual, level = {}, [root]
    while level:
        for path in level:
            client.send(zk.GET_DATA, zk.get_data_request(path))
            client.send(zk.GET_CHILDREN, zk.get_children_request(path))
        following = []
        for path in level:
            data, children = client.recv(), client.recv()
            if data.err == zk.NO_NODE and path == root:
                continue
            if data.err or children.err:
                raise Lost("%s cannot be read: %d, %d" % (path, data.err, children.err))
            actual[path] = zk.parse_data(data.body)
            following += [path + "/" + name for name in zk.parse_children(children.body)]
        level = following
    return actual


def remove_empty_log(data_dir):
    """A kill of the real server between the creation of a log file and its header leaves an empty
    file, and then it refuses to start: so its own kills are spared that. Paddock's must not."""
    empty = [
        path
        for path in glob.glob(os.path.join(data_dir, "version-2", "log.*"))
        if os.path.getsize(path) == 0
    ]
    for path in empty:
        os.remove(path)
    return len(empty)


class Run:
    """A number of kills of one kind of server."""

    def __init__(self, target, seed, java_every=JAVA_EVERY, kills_per_directory=KILLS_PER_DIRECTORY):
        self.target, self.random = target, random.Random(seed)
        self.java_every, self.kills_per_directory = java_every, kills_per_directory
        self.kills = self.directories = self.opened_by_java = self.unanswered_applied = 0
        self.killed_starting = self.acknowledged = self.unanswered = self.empty_logs = 0
        self.server = None

    def go(self, kills):
        try:
            while self.kills < kills:
                self.new_directory()
                last = min(kills, self.kills + self.kills_per_directory)
                while self.kills < last:
                    self.one_kill()
                self.server.start()
                self.verify(self.server)
                self.acknowledged += sum(w.ops_acknowledged for w in self.writers)
        finally:
            if self.server:
                self.server.close()
        return self

    def new_directory(self):
        if self.server:
            self.server.close()
        config = {**CONFIGS[self.directories % len(CONFIGS)], **COMMON}
        self.directories += 1
        self.server = Server(self.target, config)
        self.writers = [Writer(i, self.random) for i in range(WRITERS)]
        self.server.start()
        for writer in self.writers:
            writer.new_session(self.server)

    def one_kill(self):
        if not self.server.alive():
            self.start()
            self.verify(self.server)
        seconds = self.random.choice([0.001, 0.005, 0.02, 0.04, 0.08]) * self.random.random() * 2
        self.load(seconds, ANSWERS_BEFORE_KILL[self.kills % len(ANSWERS_BEFORE_KILL)])
        self.server.kill()
        self.kills += 1
        if self.target == "java":  # its own kills leave what it does not start over
            self.empty_logs += remove_empty_log(self.server.data_dir)
        for writer in self.writers:
            writer.drain()
        self.unanswered += sum(len(w.pending) for w in self.writers)
        if self.java_every and self.kills // self.java_every > self.opened_by_java:
            self.open_with_java()

    def start(self):
        """Start after a kill; now and then it is killed again while it recovers."""
        if self.target != "java" and self.random.random() < 0.15:
            self.server.start(wait=False)
            time.sleep(self.random.random() * 0.02)
            self.server.kill()
            self.kills += 1
            self.killed_starting += 1
        self.server.start()

    def load(self, seconds, answers=0):
        """For so many seconds, and until so many more operations are acknowledged."""
        deadline = time.monotonic() + seconds
        answers += sum(w.ops_acknowledged for w in self.writers)
        for writer in self.writers:
            writer.depth = self.random.choice([1, 4, 16, 64])
        by_socket = {writer.client.sock: writer for writer in self.writers}
        while True:
            for writer in self.writers:
                writer.fill()
            left = max(0, deadline - time.monotonic())
            if sum(w.ops_acknowledged for w in self.writers) < answers:
                left = max(left, ANSWER_WAIT_S)
            if left == 0:
                return
            readable = select.select(list(by_socket), [], [], left)[0]
            if left == ANSWER_WAIT_S and not readable:
                raise Lost("no answer in %s s" % ANSWER_WAIT_S)
            for sock in readable:
                writer = by_socket[sock]
                if not writer.receive():
                    if not writer.closing or writer.pending:
                        raise Lost("%s: connection closed under load" % writer.root)
                    writer.client.disconnect()
                    del by_socket[sock]
                    writer.new_session(self.server)
                    by_socket[writer.client.sock] = writer

    def verify(self, server, settle=True):
        for writer in self.writers:
            saved = (writer.session_id, writer.passwd)
            try:
                alive = writer.connect(server)
            except (zk.Closed, OSError) as error:
                raise Lost(
                    "%s: session not accepted with last zxid %d: %r\n%s"
                    % (writer.root, writer.seen_zxid, error, server.log()[-3000:])
                ) from None
            if alive:
                client = writer.client
            else:
                client = server.client(timeout_ms=SESSION_MS)
            actual = fetch(client, writer.root)
            writer.session_id, writer.passwd = saved
            count, model = writer.check(actual, alive)
            if not settle:
                client.disconnect()
                continue
            self.unanswered_applied += count
            writer.settle(model, actual)
            if not alive:
                client.close_session()
                writer.new_session(server)

    def open_with_java(self):
        """The directory as the kill left it, with the real server."""
        place = tempfile.mkdtemp(prefix="zk-crash-")
        try:
            data_dir = os.path.join(place, "data")
            shutil.copytree(self.server.data_dir, data_dir)
            config = {**COMMON, "forceSync": "no"}
            with Server("java", config, data_dir=data_dir) as java:
                self.verify(java, settle=False)
            self.opened_by_java += 1
        finally:
            shutil.rmtree(place, ignore_errors=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--target", choices=("java", "paddock"), default="paddock")
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--java-every", type=int, default=JAVA_EVERY)
    args = parser.parse_args()
    print("seed %d" % args.seed)
    begin = time.monotonic()
    run = Run(args.target, args.seed, args.java_every).go(args.kills)
    print(
        "%d kills (%d while starting), %d directories, %d opened by Java (%d had an empty log),"
        " %d operations acknowledged, %d unanswered of which %d took effect, %.1f s"
        % (run.kills, run.killed_starting, run.directories, run.opened_by_java, run.empty_logs,
           run.acknowledged, run.unanswered, run.unanswered_applied, time.monotonic() - begin)
    )  # fmt: skip


if __name__ == "__main__":
    main()
