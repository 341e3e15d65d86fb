#!/usr/bin/env python3
"""Writes the seeds of fuzz/corpus/frame and fuzz/corpus/jute: sane sessions, for a fuzzer to break.

Formats: see the top of fuzz_frame.c and fuzz_jute.c. The records' order is that of schema.h.
"""

import os
import re
import struct

HERE = os.path.dirname(os.path.abspath(__file__))
OPEN = [(31, "world", "anyone")]


def text(value):
    if value is None:
        return struct.pack(">i", -1)
    value = value.encode() if isinstance(value, str) else value
    return struct.pack(">i", len(value)) + value


def vector(values, write):
    return struct.pack(">i", len(values)) + b"".join(map(write, values))


def acls(values):
    return vector(values, lambda acl: struct.pack(">i", acl[0]) + text(acl[1]) + text(acl[2]))


def create(path, data=b"d", acl=None, flags=0, ttl=None):
    body = text(path) + text(data) + acls(OPEN if acl is None else acl) + struct.pack(">i", flags)
    return body if ttl is None else body + struct.pack(">q", ttl)


def path_int(path, number):
    return text(path) + struct.pack(">i", number)


def path_watch(path, watch=True):
    return text(path) + struct.pack(">?", watch)


def multi(*operations):
    body = b"".join(struct.pack(">i?i", op, False, -1) + record for op, record in operations)
    return body + struct.pack(">i?i", -1, True, -1)


class Session:
    """Steps of fuzz_frame.c."""

    def __init__(self):
        self.steps, self.xid = b"", 0

    def send(self, op, body=b"", client=0, xid=None):
        self.xid += 1
        frame = struct.pack(">ii", self.xid if xid is None else xid, op) + body
        self.steps += struct.pack(">BH", client << 3, len(frame)) + frame
        return self

    def time(self, ms):
        self.steps += struct.pack(">BH", 3, ms)
        return self

    def sync(self, room=True):
        self.steps += b"\x04" if room else b"\x44"
        return self

    def lose(self, client=0):
        self.steps += bytes([5 | client << 3])
        return self

    def reconnect(self, client=0):
        self.steps += bytes([6 | client << 3])
        return self

    def image(self, parts=1):
        self.steps += b"\x07" * parts
        return self


def frames():
    yield "crud", (
        Session().send(1, create("/a")).sync().send(4, path_watch("/a")).send(3, path_watch("/b"))
        .send(5, text("/a") + text("new") + struct.pack(">i", 0)).sync().send(8, path_watch("/"))
        .send(12, path_watch("/a")).send(6, text("/a")).send(104, text("/")).send(2, path_int("/a", 1))
        .sync().send(9, text("/")).send(11, xid=-2).send(107).send(103, text("/")).send(-11).sync())
    yield "modes", (
        Session().send(15, create("/s-", flags=2)).send(15, create("/e", flags=1))
        .send(15, create("/es-", flags=3)).send(19, create("/c", flags=4))
        .send(21, create("/t", flags=5, ttl=1000)).send(21, create("/ts-", flags=6, ttl=5))
        .sync().send(1, create("/c/x")).send(2, path_int("/c/x", -1)).sync().time(60000).sync()
        .time(60000).sync())
    yield "multi", (
        Session().send(14, multi((1, create("/a")), (5, text("/a") + text("x") + struct.pack(">i", 0)),
                                 (13, path_int("/a", 1)), (2, path_int("/a", -1))))
        .send(14, multi((1, create("/b")), (2, path_int("/none", -1)))).sync()
        .send(22, multi((4, path_watch("/b", False)), (8, path_watch("/", False)))).sync())
    yield "watches", (
        Session().send(106, path_int("/", 1)).send(106, path_int("/w", 0)).send(3, path_watch("/w"))
        .sync().send(1, create("/w"), client=1).send(1, create("/w/x"), client=1).sync()
        .send(5, text("/w") + text("") + struct.pack(">i", -1), client=1)
        .send(2, path_int("/w/x", -1), client=1).sync().send(17, path_int("/w", 3))
        .send(18, path_int("/", 5)).send(18, path_int("/none", 1))
        .send(101, struct.pack(">q", 1) + vector(["/w"], text) + vector(["/n"], text)
              + vector(["/"], text), xid=-8)
        .send(105, struct.pack(">q", 1) + b"".join(vector([p], text) for p in
                                                  ("/w", "/n", "/", "/p", "/r")), xid=-8).sync())
    yield "acl", (
        Session().send(100, struct.pack(">i", 0) + text("digest") + text("u:p"), xid=-4)
        .send(1, create("/a", acl=[(31, "auth", "")])).sync().send(6, text("/a"))
        .send(4, path_watch("/a"), client=1)
        .send(7, text("/a") + acls([(1, "ip", "127.0.0.0/8")]) + struct.pack(">i", 0)).sync()
        .send(5, text("/a") + text("x") + struct.pack(">i", -1))
        .send(100, struct.pack(">i", 0) + text("digest") + text("super:secret"), client=1, xid=-4)
        .send(2, path_int("/a", -1), client=1).sync())
    yield "sessions", (
        Session().send(1, create("/e", flags=1)).sync().lose().time(1000).reconnect()
        .send(3, path_watch("/e")).time(30000).sync().time(30000).sync().reconnect()
        .send(11, xid=-2).reconnect(1).send(-11, client=1).sync())
    yield "quota", (
        Session().send(1, create("/q")).send(1, create("/zookeeper/quota/q"))
        .send(1, create("/zookeeper/quota/q/zookeeper_limits",
                        b"count=2,bytes=10;byteHardLimit=20;countHardLimit=3"))
        .send(1, create("/zookeeper/quota/q/zookeeper_stats", b"count=1,bytes=1")).sync()
        .send(1, create("/q/a", b"0123456789")).send(1, create("/q/b")).send(1, create("/q/c"))
        .send(5, text("/q") + text(b"x" * 30) + struct.pack(">i", -1)).sync())
    yield "odd", (
        Session().send(16, text(None) * 3 + struct.pack(">q", -1)).send(20, text("/a"))
        .send(13, path_int("/a", 1)).send(1, create("/a/")).send(1, create("a"))
        .send(1, create("/\U0001f600")).send(1, create("/zookeeper")).send(2, path_int("/", -1))
        .send(1, create("/x", data=None, acl=[])).send(4, text(None)).send(5, b"\0\0").sync()
        .send(102, text("")).send(500))
    held = Session().send(1, create("/d", b"x" * 4400)).sync().send(1, create("/w"))
    for _ in range(6):  # 1.5 MB of answers behind a write, in a few bytes
        held.send(22, multi(*[(4, path_watch("/d", False))] * 60))
    yield "held", held.sync(room=False).send(2, path_int("/w", -1)).time(1).sync()
    image = Session()
    for i in range(20):
        image.send(1, create("/n%d" % i))
    image.sync().image(2)
    for i in range(10):
        image.send(2, path_int("/n%d" % i, -1)).sync().image()
    yield "image", image.image(30)


def jute():
    with open(os.path.join(HERE, "..", "src", "wire", "schema.h")) as file:
        names = re.findall(r"RECORD\((\w+), ", file.read().split("#define WIRE_RECORDS")[1])
    examples = {
        "connect_request": struct.pack(">iqiqi16s", 0, 0, 30000, 0, 16, b""),
        "create_request": create("/x", b"hi"),
        "create_ttl_request": create("/x", b"hi", flags=5, ttl=100),
        "path_watch_request": path_watch("/x"),
        "set_data_request": text("/x") + text(None) + struct.pack(">i", -1),
        "set_acl_request": text("/x") + acls(OPEN * 3) + struct.pack(">i", 0),
        "set_watches2": struct.pack(">q", 7) + vector(["/a", "/b"], text) * 5,
        "auth_packet": struct.pack(">i", 0) + text("digest") + text("u:p"),
        "close_session_txn": vector(["/a", "\U0001f600", ""], text),
        "create_txn": text("/x") + text("d") + acls(OPEN) + struct.pack(">?i", True, 3),
        "stat_persisted": bytes(range(60)),
        "multi_header": struct.pack(">i?i", 1, False, -1),
    }
    for name, body in examples.items():
        yield name, bytes([names.index(name)]) + body


def write(subject, items):
    directory = os.path.join(HERE, "corpus", subject)
    os.makedirs(directory, exist_ok=True)
    for name, content in items:
        with open(os.path.join(directory, "seed-" + name), "wb") as file:
            file.write(content)


write("frame", ((name, session.steps) for name, session in frames()))
write("jute", jute())
