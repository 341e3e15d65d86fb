"""A seeded stream of things that clients do, sensible and not.

The generator decides from its random numbers and from the answers of the left server only, so a
seed gives the same stream every time; versions.py says what it must not ask.
"""

import collections
import random
import struct
import zlib

from pylib import zkwire as zk

# xid, op, body: what is sent. single: never pipelined with others. closes: the connection ends.
# last: nothing is pipelined behind it. sub_ops: opcodes of a multi. undecodable: the body is not.
Request = collections.namedtuple("Request", "xid op body single closes last sub_ops undecodable")
Step = collections.namedtuple("Step", "kind session requests detail")

SUPER = b"super:secret"
SUPER_DIGEST = "super:lK75jTNcA+U9vtVEw5vB51mj/w4="
WRITES = {
    zk.CREATE, zk.CREATE2, zk.CREATE_CONTAINER, zk.CREATE_TTL, zk.DELETE, zk.SET_DATA, zk.SET_ACL,
    zk.RECONFIG,
}  # fmt: skip

NAMES = ["a", "b", "c", "d", "e", "...", ".h", "with space", "é", "日本", "x" * 40, "k-", "zookeeper"]
ODD_PATHS = [
    None, "", "/", "//", "/n/", "/n//a", "/n/.", "/n/..", "/n/...", "/n/.b", "/n/a.", "/n/a..",
    "foo", "n/a", "/n/\x00", "/n/a\x00b", "/n/\x01", "/n/\x1f", "/n/\x7f", "/n/\x80", "/n/\x9f",
    "/n/\u00a0", "/n/\ud7ff", "/n/\ue000", "/n/\uf8ff", "/n/\uf900", "/n/\uffef", "/n/\ufff0",
    "/n/\ufffd", "/n/\uffff", b"/n/\xff", b"/n/\xc3", b"/n/\xc3(", b"/n/\xe3\x81", b"/n/\xed\xa0\x80",
    b"/n/\xed\xb8\x80x", b"/n/\xc0\xaf", b"/n/\xf0\x9f\x98", b"/n/\xf8\x88\x80\x80\x80",
    b"/n/\xf4\x90\x80\x80", b"/n/\xe0\x80\x80", "/n/\U0001f600", "/n/\U0001f600/b", "/zookeeper",
    "/zookeeper/", "/zookeeper/config", "/zookeeper/quota", "/zookeeper/x", "/zookeeper/config/x",
    "/n/" + "y" * 3000, "/" + "/".join("pqrst" * 20), "/n/\t", "/missing/x", "/missing", "/n /a",
]  # fmt: skip
GOOD_ACLS = [
    zk.OPEN_ACL,
    zk.OPEN_ACL,
    zk.READ_ACL,
    [(31, "world", "anyone"), (31, "world", "anyone")],
    [(31, "world", "anyone"), (1, "world", "anyone"), (31, "world", "anyone")],
    [(1, "world", "anyone"), (31, "ip", "127.0.0.1")],
    [(1, "world", "anyone"), (30, "ip", "127.0.0.0/8"), (2, "ip", "10.0.0.0/8")],
    [(-1, "world", "anyone")],
    [(255, "world", "anyone")],
    [(1, "world", "anyone"), (31, "digest", zk.digest_id(b"u:p"))],
    [(1, "world", "anyone"), (14, "digest", zk.digest_id(b"v:q")), (16, "digest", ":b")],
    [(7, "world", "anyone"), (16, "ip", "127.0.0.1/32")],
    [(31, "world", "anyone"), (31, "auth", "")],
]
CLOSED_ACLS = [
    zk.OPEN_ACL,
    [(0, "world", "anyone")],
    [(2, "world", "anyone")],
    [(16, "world", "anyone")],
    [(18, "world", "anyone"), (1, "digest", zk.digest_id(b"u:p"))],
    [(31, "digest", zk.digest_id(b"u:p"))],
    [(31, "digest", zk.digest_id(b"v:q")), (1, "digest", zk.digest_id(b"u:p"))],
    [(31, "auth", "")],
    [(1, "auth", "ignored"), (31, "auth", None)],
    [(31, "ip", "127.0.0.1")],
    [(31, "ip", "10.1.2.3")],
    [(31, "ip", "0.0.0.0/0")],
    [(16, "digest", zk.digest_id(b"u:p")), (1, "ip", "127.0.0.1")],
]
BAD_ACLS = [
    None, [], -2, [(31, "world", "other")], [(31, "nosuch", "x")], [(31, None, "x")],
    [(31, "digest", "abc")], [(31, "digest", "a:")], [(31, "digest", "a:b:c")],
    [(31, "ip", "foo")], [(31, "ip", "1.2.3")], [(31, "ip", "1.2.3.4/33")], [(31, "ip", "1.2.3.4/")],
    [(31, "ip", "1.2.3.256")], [(31, "ip", "")], [(31, "super", "")], [(31, "", "")],
    [(31, "world", "anyone"), (31, "world", "x")], [(31, "sasl", "bob")], [(31, "x509", "CN=a")],
    [(31, "world", None)], [(31, "digest", None)], [(31, "ip", None)],
]  # fmt: skip
CREDENTIALS = [b"u:p", b"v:q", b"u:p2", b"nocolon", b"", b"w:\xc3\xa9", SUPER]


class Generator:
    def __init__(self, seed, sessions=5, enforce_quota=False):
        self.random = random.Random(seed)
        self.session_count = sessions
        self.enforce_quota = enforce_quota
        self.nodes = {}  # path (str or bytes) -> [version, owner session or None]
        self.paths = []  # the keys, for choosing; may hold a few that are gone
        self.last_zxid = 0
        self.xids = [0] * sessions
        self.connected = [False] * sessions
        self.seen_zxid = [0] * sessions
        self.huge_left = 6
        self.identities = [set() for _ in range(sessions)]  # of the connection, digest only
        self.session = 0  # whose turn it is
        self.watched = [collections.deque(maxlen=10) for _ in range(sessions)]
        self.pending = collections.deque(self._opening())
        self.bodies = {
            zk.CREATE: (14, self._create), zk.CREATE2: (6, self._create2),
            zk.CREATE_CONTAINER: (3, self._create_container), zk.CREATE_TTL: (3, self._create_ttl),
            zk.DELETE: (10, self._delete), zk.SET_DATA: (11, self._set_data),
            zk.EXISTS: (8, self._exists), zk.GET_DATA: (8, self._get_data),
            zk.GET_CHILDREN: (4, self._get_children), zk.GET_CHILDREN2: (5, self._get_children),
            zk.GET_ACL: (3, self._path_only), zk.SET_ACL: (3, self._set_acl),
            zk.SYNC: (2, self._path_only), zk.PING: (1, self._nothing), zk.MULTI: (7, self._multi),
            zk.MULTI_READ: (3, self._multi_read), zk.CHECK_WATCHES: (2, self._check_watches),
            zk.REMOVE_WATCHES: (2, self._remove_watches), zk.ADD_WATCH: (4, self._add_watch),
            zk.SET_WATCHES: (1, self._set_watches), zk.SET_WATCHES2: (2, self._set_watches2),
            zk.GET_EPHEMERALS: (2, self._get_ephemerals), zk.WHO_AM_I: (1, self._nothing),
            zk.GET_ALL_CHILDREN_NUMBER: (2, self._path_only), zk.RECONFIG: (0.3, self._reconfig),
        }  # fmt: skip
        self.ops = list(self.bodies)
        self.op_weights = [weight for weight, _ in self.bodies.values()]
        self.kinds = {
            "burst": 100, "undecodable": 4, "auth": 1.2, "sasl": 0.3, "unknown_op": 0.4,
            "bad_frame": 0.5, "close": 1.2, "drop": 1.5, "steal": 0.5, "steal_refused": 0.3,
            "probe": 1.5, "huge": 0.5, "quota": 0.7,
        }  # fmt: skip

    # -- the stream

    def next(self):
        """The next Step. A session that is not connected connects before it does anything."""
        if self.pending:
            return self.pending.popleft()
        session = self.random.randrange(self.session_count)
        self.session = session
        if not self.connected[session]:
            return self._reconnect(session)
        kind = self.random.choices(list(self.kinds), list(self.kinds.values()))[0]
        return getattr(self, "_step_" + kind)(session)

    def _opening(self):
        for session in range(self.session_count):
            yield Step("connect", session, [], {"timeout": 40000, "read_only": session % 2 == 0})
            self.connected[session] = True
        for path, acl in (("/n", zk.OPEN_ACL), ("/acl", zk.OPEN_ACL), ("/q", zk.OPEN_ACL)):
            yield Step("burst", 0, [self._request(0, zk.CREATE, zk.create_request(path, b"", acl))], None)

    def _request(self, session, op, body, **flags):
        if op == zk.PING:
            xid = -2
        elif op in (zk.AUTH, zk.SET_WATCHES, zk.SET_WATCHES2):
            xid = {zk.AUTH: -4}.get(op, -8)
        elif self.random.random() < 0.01:
            xid = self.random.choice([0, -(2**31), 2**31 - 1, -3, -100])
        else:
            self.xids[session] += 1
            xid = self.xids[session]
        known = {"single": False, "closes": False, "last": False, "sub_ops": (), "undecodable": False}
        known.update(flags)
        return Request(xid, op, body, **known)

    def _reconnect(self, session):
        self.connected[session] = True
        self.identities[session].clear()
        seen = self.seen_zxid[session]
        if self.random.random() < 0.6 and seen:
            body = self._set_watches2(session) if self.random.random() < 0.5 else None
            op = zk.SET_WATCHES2 if body else zk.SET_WATCHES
            body = body or self._set_watches(session)
            self.pending.append(Step("burst", session, [self._request(session, op, body)], None))
        return Step("connect", session, [], {
            "timeout": self.random.choice([30000, 40000, 2**31 - 1, 36000]),
            "read_only": self.random.choice([False, False, None, True]),
            "seen": self.random.choice([0, seen, seen]),
        })  # fmt: skip

    def _step_burst(self, session):
        count = self.random.choice([1, 1, 2, 3, 4, 6, 8, 12, 16])
        requests = []
        while len(requests) < count:
            op = self.random.choices(self.ops, self.op_weights)[0]
            request = self._make(session, op)
            if request.single and requests:
                break
            requests.append(request)
            if request.single or request.last:
                break
        return Step("burst", session, requests, None)

    def _make(self, session, op):
        self.flags = {}
        body = self.bodies[op][1](session)
        self.flags.pop("odd", None)
        if op == zk.SET_ACL:
            self.flags["last"] = True
        return self._request(session, op, body, **self.flags)

    def _step_undecodable(self, session):
        """A known request whose body is cut, stretched, or has a wild length inside."""
        while True:
            request = self._make(session, self.random.choices(self.ops, self.op_weights)[0])
            if request.op not in (zk.PING, zk.WHO_AM_I, zk.CHECK) and len(request.body) > 4:
                break
        body, how, undecodable = request.body, self.random.randrange(4), True
        if how == 0:
            body = body[: self.random.randrange(len(body))]
        elif how == 1:
            body, undecodable = body + self.random.randbytes(self.random.randrange(1, 40)), False
        elif how == 2:
            wild = self.random.choice([-2, -(2**31), 2**31 - 1, 2097151, len(body) + 1])
            body = zk.int32(wild) + body[4:]
        else:
            body = b""
        if request.op in (zk.MULTI, zk.MULTI_READ) and how == 1:
            undecodable = False
        request = request._replace(body=body, single=True, undecodable=undecodable)
        return Step("burst", session, [request], "undecodable body, way %d" % how)

    def _step_auth(self, session):
        scheme, data = "digest", self.random.choice(CREDENTIALS)
        closes = False
        if self.random.random() < 0.15:
            scheme, data, closes = self.random.choice([
                ("nosuch", b"x", True), ("world", b"anyone", True), ("auth", b"", True),
                ("super", b"", True), ("sasl", b"x", True), (None, b"x", True), ("", b"x", True),
                ("digest", None, True), ("ip", b"127.0.0.1", False), ("ip", None, False),
            ])  # fmt: skip
        if scheme == "digest" and not closes:
            self.identities[session].add(data)
        body = zk.auth_packet(scheme, data, self.random.choice([0, 0, 5]))
        return self._alone(session, zk.AUTH, body, closes)

    def _step_sasl(self, session):
        return self._alone(session, zk.SASL, zk.sasl_request(self.random.choice([b"", b"x"])), False)

    def _step_unknown_op(self, session):
        op = self.random.choice([10, 23, 99, 108, 500, 0, -1, -12, 2**31 - 1, -(2**31)])
        return self._alone(session, op, self.random.randbytes(self.random.randrange(20)), True)

    def _alone(self, session, op, body, closes):
        if closes:
            self.connected[session] = False
        request = self._request(session, op, body, single=True, closes=closes)
        return Step("burst", session, [request], None)

    def _step_bad_frame(self, session):
        self.connected[session] = False
        return Step("raw", session, [], self.random.choice([
            b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x80\0\0\0", struct.pack(">i", 1048576), b"ruok",
            b"\0\0\0\x04\0\0\0\x01", b"\0\0\0\x07\0\0\0\x01\0\0\0", struct.pack(">i", 2**31 - 1),
            zk.frame(zk.int32(1) + zk.int32(zk.AUTH) + b"\0\0"),
            zk.frame(zk.int32(1) + zk.int32(zk.SASL) + b"\0\0"),
        ]))  # fmt: skip

    def _step_close(self, session):
        self.connected[session] = False
        request = self._request(session, zk.CLOSE_SESSION, b"", single=True, closes=True)
        return Step("close", session, [request], None)

    def _step_drop(self, session):
        self.connected[session] = False
        return Step("drop", session, [], None)

    def _step_steal(self, session):
        self.identities[session].clear()
        return Step("steal", session, [], {"timeout": 40000})

    def _step_steal_refused(self, session):
        self.connected[session] = False
        passwd = self.random.choice([b"", None, b"\0" * 16, b"x" * 15, b"x" * 17])
        return Step("steal_refused", session, [], {"passwd": passwd})

    def _step_probe(self, session):
        """A connection of its own that does one odd thing."""
        choice = self.random.randrange(10)
        first, closes = None, True
        if choice < 4:
            first = zk.frame(zk.connect_request(
                self.random.choice([0, -1, 1, 3999, 5000, 40001, 2**31 - 1]), 0,
                self.random.choice([b"\0" * 16, None, b"", b"x" * 40]), 0,
                self.random.choice([None, False, True]), self.random.choice([0, 5, -1])))  # fmt: skip
            closes = False
        elif choice == 4:
            first = zk.frame(zk.connect_request(last_zxid_seen=self.last_zxid + 100000))
        elif choice == 5:
            first = zk.frame(zk.connect_request(session_id=0x7777, passwd=b"p" * 16))
        elif choice == 6:
            first = zk.frame(zk.connect_request()[: self.random.choice([0, 3, 20, 27, 30, 43])])
        elif choice == 7:
            first = zk.frame(zk.int32(1) + zk.int32(zk.GET_DATA) + zk.watch_request("/n"))
        elif choice == 8:
            first = self.random.choice([b"ruok", b"isro", b"xyzw", b"\0\x20\0\0", b"\xff\xff\xff\xf0"])
        else:
            first = zk.frame(zk.int32(0) + zk.int64(0) + zk.int32(9000) + zk.int64(0) + zk.int32(-2))
        return Step("probe", session, [], {"first": first, "closes": closes})

    def _step_huge(self, session):
        if self.huge_left == 0:
            return self._step_burst(session)
        self.huge_left -= 1
        path = "/n/huge%d" % self.random.randrange(2)
        size = self.random.choice([200000, 900000, 1048000])
        data = self.random.randbytes(1000) * (size // 1000)
        for op, body in (
            (zk.CREATE, zk.create_request(path, data)), (zk.GET_DATA, zk.watch_request(path, True)),
            (zk.SET_DATA, zk.set_data_request(path, data[:-1])), (zk.GET_DATA, zk.watch_request(path)),
            (zk.DELETE, zk.delete_request(path)),
        ):  # fmt: skip
            request = self._request(session, op, body)
            self.pending.append(Step("burst", session, [request], None))
        exact = zk.int32(7) + zk.int32(zk.GET_DATA) + zk.watch_request("/n")
        exact += b"\0" * (zk.JUTE_MAXBUFFER - len(exact))
        request = Request(7, zk.GET_DATA, exact[8:], True, False, True, (), False)
        self.pending.append(Step("burst", session, [request], "frame of exactly jute.maxbuffer"))
        return self.pending.popleft()

    def _step_quota(self, session):
        """Limits and usage under /zookeeper/quota for a path below /q, and their removal."""
        name = self.random.choice(["/q", "/q/a", "/q/b", "/q/a/c"])
        limits = self.random.choice([
            b"count=5,bytes=100", b"count=-1,bytes=40=;byteHardLimit=60;countHardLimit=6",
            b"count=4,bytes=20=;byteHardLimit=20;countHardLimit=4", b"bytes=7",
            b"count=3,bytes=-1=;countHardLimit=3",
        ])  # fmt: skip
        quota = "/zookeeper/quota" + name
        steps = []
        parts = quota.split("/")
        for depth in range(3, len(parts)):
            steps.append((zk.CREATE, zk.create_request("/".join(parts[: depth + 1]), b"")))
        if self.random.random() < 0.65:
            steps.append((zk.CREATE, zk.create_request(quota + "/zookeeper_limits", limits)))
            steps.append((zk.CREATE, zk.create_request(quota + "/zookeeper_stats", b"count=0,bytes=0")))
            if self.random.random() < 0.3:
                steps.append((zk.SET_DATA, zk.set_data_request(quota + "/zookeeper_limits", limits)))
        else:
            for leaf in ("/zookeeper_limits", "/zookeeper_stats", ""):
                steps.append((zk.DELETE, zk.delete_request(quota + leaf)))
        steps.append((zk.GET_DATA, zk.watch_request(quota + "/zookeeper_limits")))
        steps.append((zk.GET_DATA, zk.watch_request(quota + "/zookeeper_stats")))
        for op, body in steps:
            self.pending.append(Step("burst", session, [self._request(session, op, body)], "quota"))
        for _ in range(self.random.randrange(8)):  # use it, and look after each use
            path = name + "/" + self.random.choice("abcd")
            op, body = self.random.choice([
                (zk.CREATE, zk.create_request(path, b"z" * self.random.randrange(12))),
                (zk.SET_DATA, zk.set_data_request(path, b"z" * self.random.randrange(30), self.random.choice([-1, -1, 50]))),
                (zk.DELETE, zk.delete_request(path)),
            ])  # fmt: skip
            for one in ((op, body), (zk.GET_DATA, zk.watch_request(quota + "/zookeeper_stats"))):
                self.pending.append(Step("burst", session, [self._request(session, *one)], "quota"))
        return self.pending.popleft()

    # -- pieces

    def _path(self, new=False, readable=False):
        """A path; new: likely one that is free; readable: not below /acl."""
        while True:
            roll = self.random.random()
            if roll < (0 if self.tame else 0.07):
                path = self.random.choice(ODD_PATHS)
            elif roll < 0.2 and not readable:
                path = "/acl/" + "/".join(self.random.choices("abcd", k=self.random.choice([1, 1, 2])))
            elif roll < (0.35 if new else 0.85) and self.paths:
                path = self._existing()
            else:
                parent = self._existing() if self.paths and self.random.random() < 0.9 else ""
                if isinstance(parent, bytes):
                    parent = parent.decode("utf-8", "replace")
                if parent == "/" or parent.count("/") > 5:
                    parent = ""
                fresh = self.tame and new and self.random.random() < 0.7
                name = "m%d" % self.random.randrange(10000) if fresh else self.random.choice(NAMES)
                path = parent + "/" + name
            text = path.decode("utf-8", "replace") if isinstance(path, bytes) else path
            if readable and text is not None and text.startswith("/acl"):
                continue
            if self.enforce_quota and text is not None and "/q" in text:
                self.flags["single"] = True
            if text is not None and text.startswith("/zookeeper/quota/"):
                continue  # only _step_quota touches limits and usage
            if path is None or (isinstance(path, bytes) and self.random.random() < 0.5):
                self.flags["odd"] = True
            return path

    def _existing(self):
        for _ in range(8):
            at = self.random.randrange(len(self.paths))
            path = self.paths[at]
            if path in self.nodes:
                return path
            self.paths[at] = self.paths[-1]
            self.paths.pop()
            if not self.paths:
                break
        return "/n"

    def _data(self):
        roll = self.random.random()
        if roll < 0.1:
            return None
        if roll < 0.25:
            return b""
        if roll < 0.95:
            return self.random.randbytes(self.random.randrange(1, 60))
        return self.random.randbytes(self.random.randrange(1000, 20000))

    def _version(self, path):
        known = self.nodes.get(path, [0])[0]
        if self.tame:
            return self.random.choice([-1, -1, known])
        return self.random.choice([-1, -1, -1, known, known, known, 0, known + 1, -2, -(2**31)])

    def _acl(self, path):
        while True:
            acl = self._any_acl(path)
            expands = isinstance(acl, list) and any(entry[1] == "auth" for entry in acl)
            if not expands or len(self.identities[self.session]) < 2:
                return acl  # the order of several identities is a matter of hashing

    def _any_acl(self, path):
        roll = self.random.random() if not self.tame else 1
        if roll < 0.1:
            acl = self.random.choice(BAD_ACLS)
            if isinstance(acl, list) and any(entry[2] is None for entry in acl):
                self.flags["odd"] = True
            return acl
        text = path.decode("utf-8", "replace") if isinstance(path, bytes) else path
        if text is not None and text.startswith("/acl/"):
            return self.random.choice(CLOSED_ACLS)
        return zk.OPEN_ACL if roll < 0.7 or self.tame else self.random.choice(GOOD_ACLS)

    def _flags(self, choices):
        if not self.in_multi and self.random.random() < 0.02:
            return self.random.choice([7, -1, 100, 2**31 - 1, 5, 6])
        return self.random.choice(choices)

    in_multi = False
    tame = False  # nothing that fails for sure

    # -- request records, one for each op

    def _create_record(self, session, choices):
        path = self._path(new=True) if self.random.random() < 0.93 else self._own_path(session)
        flags = self._flags(choices)
        if len(self.nodes) > 250 and self.random.random() < 0.6:
            path = self._path()
        if flags in (2, 3, 6) and self.random.random() < 0.1 and isinstance(path, str):
            path += "/"
        return zk.create_request(path, self._data(), self._acl(path), flags)

    def _create(self, session):
        return self._create_record(session, [0, 0, 0, 1, 1, 2, 3, 4])

    _create2 = _create

    def _create_container(self, session):
        return self._create_record(session, [4] if self.in_multi else [4, 4, 4, 0, 1, 2, 3])

    def _create_ttl(self, session):
        if self.random.random() < 0.85:
            flags, ttl = self.random.choice([5, 6]), self.random.choice(
                [10**9, 10**9, 2**40 - 1, 2**40, 0, -1, -(2**63)]
            )
        else:  # never a negative ttl here: it kills the real server
            flags, ttl = self.random.choice([0, 1, 2, 3, 4]), self.random.choice([10**9, 0, 2**40])
        path = self._path(new=True)
        return zk.create_ttl_request(path, self._data(), self._acl(path), flags, ttl)

    def _delete(self, session):
        path = self._path() if self.random.random() < 0.9 else self._own_path(session)
        return zk.delete_request(path, self._version(path))

    def _set_data(self, session):
        path = self._path()
        return zk.set_data_request(path, self._data(), self._version(path))

    def _path_only(self, session):
        return zk.ustring(self._path())

    def _set_acl(self, session):
        path = self._path()
        if path in (b"", "", "/", "/n", "/q", "/zookeeper", "/zookeeper/quota"):
            path = "/n/a"
        version = self.random.choice([-1, -1, -1, 0, 1, 2, -2])
        return zk.set_acl_request(path, self._acl(path), version)

    def _nothing(self, session):
        return b""

    def _own_path(self, session):
        """One that only this session ever watches: checkWatches needs it, see versions.TABLE."""
        return "/n/own-%d-%d" % (session, self.random.randrange(6))

    def _path_to_watch(self, session, **options):
        return self._own_path(session) if self.random.random() < 0.25 else self._path(**options)

    def _mode(self, session, path):
        """The one watch mode that this session ever uses on this path."""
        if isinstance(path, bytes) or "\ufffd" in (path or ""):
            return "none"  # malformed text: several spellings of one path
        raw = (path or "\0").encode("utf-8", "replace")
        if b"/own-" in raw and b"/own-%d-" % session not in raw:
            return "none"
        return ("standard", "standard", "standard", "persistent", "recursive")[
            zlib.crc32(raw + bytes([session])) % 5
        ]

    def _read(self, session, path):
        watch = self._mode(session, path) == "standard" and self.random.random() < 0.5
        if watch:
            self.watched[session].append(path)
        return zk.ustring(path) + (self.random.choice([b"\1", b"\1", b"\7"]) if watch else b"\0")

    def _exists(self, session):
        return self._read(session, self._path_to_watch(session, readable=True))

    def _get_data(self, session):
        return self._read(session, self._path_to_watch(session))

    _get_children = _get_data

    def _check_watches(self, session):
        return self._watches(session, self._own_path(session))

    def _remove_watches(self, session):
        path = self._path_to_watch(session)
        if self.watched[session] and self.random.random() < 0.6:
            path = self.random.choice(self.watched[session])
        return self._watches(session, path)

    def _watches(self, session, path):
        kinds = [3, 3, 0, 6, 9] if self._mode(session, path) != "standard" else [1, 2, 3, 1, 2, 0]
        return zk.watches_request(path, self.random.choice(kinds))

    def _add_watch(self, session):
        for _ in range(20):
            path = self._path_to_watch(session)
            mode = self._mode(session, path)
            if mode in ("persistent", "recursive") and path is not None:
                break
        if mode not in ("persistent", "recursive") or path is None or self.random.random() < 0.05:
            return zk.watches_request(path, self.random.choice([2, -1, 77]))
        self.watched[session].append(path)
        return zk.watches_request(path, 0 if mode == "persistent" else 1)

    def _watch_lists(self, session, modes):
        lists = []
        for mode in modes:
            paths = [self._path_to_watch(session) for _ in range(self.random.randrange(5))]
            paths = [p for p in paths if self._mode(session, p) == mode and p is not None]
            lists.append(None if self.random.random() < 0.01 else paths)
        return lists

    def _relative_zxid(self, session):
        recent = max(0, self.last_zxid - self.random.randrange(200))
        return self.random.choice([0, self.seen_zxid[session], recent, self.last_zxid, 2**62])

    def _set_watches(self, session):
        self.flags = {}
        lists = self._watch_lists(session, ["standard"] * 3)
        return zk.set_watches_request(self._relative_zxid(session), *lists)

    def _set_watches2(self, session):
        self.flags = {}
        lists = self._watch_lists(session, ["standard"] * 3 + ["persistent", "recursive"])
        return zk.set_watches2_request(self._relative_zxid(session), *lists)

    def _get_ephemerals(self, session):
        return zk.ustring(self.random.choice([None, "", " ", "/", "/n", "/n/a", "/acl", self._path()]))

    def _reconfig(self, session):
        return zk.reconfig_request(None, None, None, -1)

    def _multi(self, session):
        self.in_multi, self.tame = True, self.random.random() < 0.7
        ops = []
        for _ in range(self.random.choice([0, 1, 1, 2, 2, 3, 4, 6])):
            op = self.random.choice([
                zk.CREATE, zk.CREATE, zk.CREATE, zk.CREATE2, zk.CREATE_CONTAINER, zk.CREATE_TTL,
                zk.DELETE, zk.DELETE, zk.SET_DATA, zk.SET_DATA, zk.SET_DATA, zk.CHECK,
            ])  # fmt: skip
            body = self._delete(session) if op == zk.CHECK else self.bodies[op][1](session)
            ops.append((op, body))
        if self.random.random() < 0.25:  # several changes of one new node
            path = "/n/m%d" % self.random.randrange(4)
            ops += [
                (zk.CREATE, zk.create_request(path, b"1")),
                (zk.SET_DATA, zk.set_data_request(path, b"2", 0)),
                (zk.CHECK, zk.check_version_request(path, 1)),
            ]
            if self.random.random() < 0.7:
                ops.append((zk.DELETE, zk.delete_request(path, 1)))
        if not self.tame and self.random.random() < 0.1:
            extra = self.random.choice([zk.SET_ACL, zk.EXISTS, zk.GET_DATA, zk.GET_ACL, 99])
            ops.insert(self.random.randrange(len(ops) + 1), (extra, zk.watch_request("/n")))
        self.in_multi = self.tame = False
        if self.flags.pop("odd", False):
            self.flags["single"] = True
        self.flags["sub_ops"] = tuple(op for op, _ in ops)
        return zk.multi_request(*ops, end=self.random.random() > 0.02)

    def _multi_read(self, session):
        ops = []
        for _ in range(self.random.randrange(6)):
            op = self.random.choice([zk.GET_DATA, zk.GET_CHILDREN])
            ops.append((op, zk.ustring(self._path()) + self.random.choice([b"\0", b"\1"])))
        if self.random.random() < 0.04:
            ops.append((zk.DELETE, zk.delete_request("/n/none")))
        self.flags["sub_ops"] = tuple(op for op, _ in ops)
        return zk.multi_request(*ops)

    # -- what the answers teach

    def learn(self, session, request, reply):
        """reply: the normalised reply of the left server."""
        _, _, zxid, err, body = reply
        if zxid > 0:
            self.last_zxid = max(self.last_zxid, zxid)
            self.seen_zxid[session] = max(self.seen_zxid[session], zxid)
        op = request.op
        if err == zk.NO_NODE and op in (zk.DELETE, zk.SET_DATA, zk.GET_DATA, zk.EXISTS):
            self.nodes.pop(self._request_path(request), None)
        if err != 0:
            return
        if op == zk.CREATE:
            size = struct.unpack_from(">i", body)[0]
            self._learn_create(session, body[4 : 4 + size])
        elif op in (zk.CREATE2, zk.CREATE_CONTAINER, zk.CREATE_TTL):
            self._learn_create(session, body[0])
        elif op == zk.DELETE:
            self.nodes.pop(self._request_path(request), None)
        elif op == zk.SET_DATA:
            node = self.nodes.get(self._request_path(request))
            if node:
                node[0] = body[4]
        elif op == zk.MULTI:
            for result in body:
                if result[0] == zk.CREATE:
                    self._learn_create(session, result[3])
                elif result[0] == zk.CREATE2:
                    self._learn_create(session, result[3][0])

    def _learn_create(self, session, raw):
        path = raw.decode("utf-8", "replace")
        if path.startswith("/zookeeper/quota/"):
            return
        if path not in self.nodes:
            self.paths.append(path)
        self.nodes[path] = [0, session]

    @staticmethod
    def _request_path(request):
        size = struct.unpack_from(">i", request.body)[0]
        return request.body[4 : 4 + size].decode("utf-8", "replace") if size > 0 else ""

    def learn_closed(self, session):
        """The connection is gone although nobody meant it to be."""
        self.connected[session] = False
