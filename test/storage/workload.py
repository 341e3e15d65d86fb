"""A random life of a server through its client port, and what it then shows of its tree.

Everything that is written down in logs and snapshots comes by: all create modes, null, empty and
binary data, deletes, ACLs, multis that succeed and fail, failing requests, quotas, several
sessions with ephemerals, closed and left open.
"""

import random

from pylib import zkwire as zk

NAMES = ["a", "b", "c", "d", "\u00e4\u00f6", "\u4e2d\u6587", "e f"]
ACLS = [
    zk.OPEN_ACL,
    [(1, "world", "anyone"), (31, "digest", zk.digest_id(b"u:p"))],
    [(31, "ip", "127.0.0.1")],
    [(31, "digest", zk.digest_id(b"u:p")), (31, "ip", "127.0.0.0/8")],
]
MODES = [0, 0, 0, 1, 2, 3, 4]
JAVA_MODES = MODES[:-1]  # a container's in a plain create: where Java leads it tells a wrong digest
LONG_MS = 600000  # no session that was left open expires while a busy machine looks at the tree
WAIT_S = 30  # for an answer: the disk of a busy machine may take its time


class Workload:
    def __init__(self, server, seed, modes=MODES):
        self.server, self.random, self.modes = server, random.Random(seed), modes
        self.clients = []

    def connect(self):
        client = self.server.client(timeout_ms=LONG_MS)
        client.wait = WAIT_S
        client.auth("digest", b"u:p")
        self.clients.append(client)
        return client

    def path(self):
        return "".join("/" + self.random.choice(NAMES) for _ in range(self.random.randint(1, 3)))

    def data(self):
        kind = self.random.randint(0, 9)
        if kind == 0:
            return None
        if kind == 1:
            return b""
        return self.random.randbytes(self.random.choice([1, 20, 100, 100, 3000, 60000]))

    def step(self, client):
        roll = self.random.randint(0, 99)
        if roll < 45:
            body = zk.create_request(
                self.path(), self.data(), self.random.choice(ACLS), self.random.choice(self.modes)
            )
            return client.call(self.random.choice([zk.CREATE, zk.CREATE2]), body)
        if roll < 50:
            return client.call(
                zk.CREATE_TTL,
                zk.create_ttl_request(self.path(), self.data(), zk.OPEN_ACL, 5, 10**9),
            )
        if roll < 75:
            return client.call(zk.SET_DATA, zk.set_data_request(self.path(), self.data()))
        if roll < 85:
            return client.call(zk.DELETE, zk.delete_request(self.path()))
        if roll < 90:
            return client.call(
                zk.SET_ACL, zk.set_acl_request(self.path(), self.random.choice(ACLS))
            )
        return client.call(
            zk.MULTI,
            zk.multi_request(
                (zk.CREATE, zk.create_request(self.path() + "/m", self.data())),
                (zk.SET_DATA, zk.set_data_request(self.path(), self.data())),
                (zk.CHECK, zk.check_version_request("/", -1)),
            ),
        )

    def run(self, steps):
        for _ in range(3):
            self.connect()
        for _ in range(steps):
            if self.random.randint(0, 60) == 0 and len(self.clients) > 2:
                self.clients.pop(self.random.randrange(len(self.clients))).close_session()
            if len(self.clients) < 4 and self.random.randint(0, 40) == 0:
                self.connect()
            self.step(self.random.choice(self.clients))

    def quota(self):
        client = self.clients[0]
        for path in ("/quota", "/zookeeper/quota/quota"):
            client.create(path, b"x")
        client.create("/zookeeper/quota/quota/zookeeper_limits", b"count=100,bytes=100000")
        client.create("/zookeeper/quota/quota/zookeeper_stats", b"count=0,bytes=0")
        for i in range(3):
            client.create("/quota/%d" % i, b"12345")

    def leave(self):
        """Connections end, sessions stay."""
        for client in self.clients:
            client.disconnect()
        self.clients = []


def tree(server):
    """path -> (data, stat, ACL, children) of every node, and the sessions with ephemerals."""
    nodes = {}
    with server.client() as client:
        client.auth("digest", b"u:p")
        todo = ["/"]
        while todo:
            path = todo.pop()
            data, stat = client.get_data(path)
            acl, _ = client.get_acl(path)
            children = client.get_children(path)
            nodes[path] = (data, tuple(stat), acl, children)
            todo += [path.rstrip("/") + "/" + child for child in children]
        client.close_session()
    return nodes


def ephemerals(server):
    """session -> its paths, as the dump word shows them."""
    sessions, at = {}, None
    dump = server.four_letter("dump").decode()
    for line in dump[dump.index("Sessions with Ephemerals") :].split("\n")[1:]:
        if line.startswith("0x"):
            at = sessions.setdefault(line.strip().rstrip(":"), set())
        elif line.startswith("\t/") and at is not None:
            at.add(line.strip())
        else:
            break
    return sessions


def zxid(server):
    for line in server.four_letter("srvr").decode().split("\n"):
        if line.startswith("Zxid:"):
            return int(line.split()[1], 16)
    raise AssertionError("no Zxid in srvr")

