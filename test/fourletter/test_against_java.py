"""One history against the real server and against Paddock: after each step of it mntr, srvr, stat,
cons and wchs say the same.

The real server counts some things a moment after its answer. So both are asked again, equally
often, until they agree.
"""

import re
import time

from pylib import zkwire
from pylib.servers import Server

AGREE_WAIT_S = 60.0
SESSION_MS = 600000  # they say nothing for long, while a busy machine compares after each step
SRST = "srst"
PIECE_CHARS = 8192  # the real server sends a long answer in pieces, and counts each as a packet

# What mntr has and this does not compare.
MACHINE = "version uptime open_file_descriptor_count max_file_descriptor_count".split()
TIMES = "avg_latency min_latency max_latency".split()
NOT_HERE = (  # queues and caches that Paddock does not have: docs/compatibility.md
    "prep_processor_queue_size prep_processor_queue_time_ms prep_process_time"
    " proposal_process_time close_session_prep_time sync_processor_queue_size"
    " sync_processor_queue_time_ms"
    " response_packet_cache_hits response_packet_cache_misses"
    " response_packet_get_children_cache_hits response_packet_get_children_cache_misses"
).split()


def is_compared(key):
    kind, _, name = key.partition("_")
    of_a_time = re.search(r"(time|time_ms|latency)$", name) and kind != "cnt"
    return not (of_a_time or {key, name} & {*MACHINE, *TIMES, *NOT_HERE})


class Words:
    """Asks a server. The answers differ in length: the packets of answers are taken out."""

    def __init__(self, server):
        self.server, self.pieces = server, 0

    def ask(self, word):
        text = self.server.four_letter(word).decode()
        before, self.pieces = self.pieces, self.pieces + -(-len(text) // PIECE_CHARS)
        if word == SRST:
            self.pieces -= before
        return text, before

    def mntr(self):
        text, before = self.ask("mntr")
        got = dict(line[3:].split("\t") for line in text[:-1].split("\n"))
        got["packets_sent"] = str(int(got["packets_sent"]) - before)
        return {key: value for key, value in got.items() if is_compared(key)}

    def lines(self, word):
        text, before = self.ask(word)
        for pattern, to in (
            (r"^Sent: (\d+)", lambda sent: "Sent: %d" % (int(sent[1]) - before)),
            (r"^Zookeeper version: .*", "<VERSION>"),
            (r"^Latency .*", "<LATENCY>"),
            (r"/127\.0\.0\.1:\d+", "<PEER>"),
            (r"sid=0x[0-9a-f]+", "sid=<SID>"),
            (r"(est|lresp|llat|minlat|avglat|maxlat)=\d+", r"\1=<N>"),
            (r"^\d+ connections watching", "<N> connections watching"),  # docs/compatibility.md
        ):
            text = re.sub(pattern, to, text, flags=re.M)
        return sorted(text.split("\n"))  # the order of connections is that of a hash table

    def all(self):
        said = {word: self.lines(word) for word in "srvr stat cons wchs".split()}
        return {**said, **self.mntr()}


def history(words):
    """Yields the name of each step when it is done; SRST for one to be done."""
    server = words.server
    yield SRST
    one, other = server.client(timeout_ms=SESSION_MS), server.client(timeout_ms=SESSION_MS)
    yield "two sessions"
    yield from writes(one)
    yield from reads(one)
    yield from network_requests(server, one)
    yield from watches(one, other)
    words.ask("crst")
    yield "crst"
    one.ping()
    yield "a ping after crst"
    for word in (*"ruok isro gtmk conf envi dump wchc wchp dirs nope".split(), b"stmk" + bytes(8)):
        try:
            words.ask(word)
        except zkwire.Closed:
            pass
        yield word
    yield from ends(server, one, other)
    yield SRST


def writes(one):
    one.create("/a", b"data")
    yield "create"
    one.create("/a/e", b"x", flags=zkwire.EPHEMERAL)
    one.create("/a/s", b"x", flags=zkwire.EPHEMERAL_SEQUENTIAL)
    one.ok(zkwire.CREATE2, zkwire.create_request("/a/2"))
    one.ok(zkwire.CREATE_CONTAINER, zkwire.create_request("/c", flags=zkwire.CONTAINER))
    yield "create in other ways"
    one.set_data("/a", b"more")
    yield "setData"
    one.ok(zkwire.SET_ACL, zkwire.set_acl_request("/a"))
    yield "setACL"
    one.delete("/a/2")
    yield "delete"
    for op, request in (
        (zkwire.CREATE, zkwire.create_request("/a")),
        (zkwire.CREATE, zkwire.create_request("/no/where")),
        (zkwire.CREATE, zkwire.create_request("/a//b")),
        (zkwire.SET_DATA, zkwire.set_data_request("/a", b"", 99)),
        (zkwire.DELETE, zkwire.delete_request("/a")),
        (zkwire.MULTI, b"\0"),
        (zkwire.RECONFIG, zkwire.reconfig_request()),
    ):
        one.call(op, request)
        yield "a refused operation %d" % op
    create = zkwire.CREATE, zkwire.create_request("/m")
    change = zkwire.SET_DATA, zkwire.set_data_request("/m", b"y")
    check = zkwire.CHECK, zkwire.check_version_request("/m")
    delete = zkwire.DELETE, zkwire.delete_request("/m")
    one.multi(create, change, check, delete)
    yield "multi"
    one.call(zkwire.MULTI, zkwire.multi_request(create, change, create, delete))
    yield "a multi that is rolled back"


def reads(one):
    one.get_data("/a")
    one.exists("/a")
    one.get_acl("/a")
    one.get_children("/a")
    one.ok(zkwire.GET_CHILDREN2, zkwire.get_children_request("/a"))
    yield "reads"
    one.ok(zkwire.SYNC, zkwire.sync_request("/a"))
    one.ok(zkwire.GET_EPHEMERALS, zkwire.get_ephemerals_request("/"))
    one.ok(zkwire.GET_ALL_CHILDREN_NUMBER, zkwire.get_all_children_number_request("/"))
    one.who_am_i()
    yield "other reads"
    both = (zkwire.GET_DATA, zkwire.get_data_request("/a")), (
        zkwire.GET_CHILDREN,
        zkwire.get_children_request("/no"),
    )
    one.call(zkwire.MULTI_READ, zkwire.multi_request(*both))
    yield "multiRead"
    one.call(zkwire.GET_DATA, zkwire.get_data_request("/no"))
    one.exists("/no")
    one.call(zkwire.GET_DATA, b"\0")
    yield "reads that fail"
    one.ping()
    yield "ping"


def network_requests(server, one):
    one.auth("digest", b"user:secret")
    yield "auth"
    one.call(zkwire.SASL, zkwire.sasl_request(b"token"))
    yield "sasl"
    third = server.client()
    yield "a third session"
    third.auth("nonsense", b"")
    third.expect_eof()
    yield "an auth that fails"
    third = server.client(session=third.session_id, passwd=third.passwd)
    yield "a session that comes back"
    third.call(999)
    third.expect_eof()
    yield "an unknown operation"
    third = server.client(session=third.session_id, passwd=third.passwd)
    third.close_session()
    yield "and ends"


def watches(one, other):
    for client in (one, other):
        client.get_data("/a", watch=True)
        client.get_children("/a", watch=True)
        client.exists("/new", watch=True)
    one.ok(zkwire.ADD_WATCH, zkwire.watches_request("/kept", zkwire.MODE_PERSISTENT))
    yield "watches"
    one.set_data("/a", b"x")
    other.ping()
    yield "an event for two"
    one.create("/a/kid")
    other.ping()
    yield "a child for two"
    one.create("/new")
    other.ping()
    yield "created for two"
    one.get_data("/new", watch=True)
    one.get_children("/new", watch=True)
    other.get_children("/new", watch=True)
    one.delete("/new")
    other.ping()
    yield "deleted, seen as node and as parent"
    one.create("/kept")
    one.set_data("/kept", b"x")
    one.create("/kept/kid")
    one.delete("/kept/kid")
    one.delete("/kept")
    yield "events for a watch that stays"
    for op in (zkwire.CHECK_WATCHES, zkwire.REMOVE_WATCHES, zkwire.REMOVE_WATCHES):
        one.call(op, zkwire.watches_request("/kept", zkwire.WATCH_ANY))
    yield "checkWatches, removeWatches"
    again = zkwire.set_watches_request(0, ["/a", "/gone"], ["/a"], ["/a"])
    one.call(zkwire.SET_WATCHES, again, xid=zkwire.XID_SET_WATCHES)
    yield "setWatches catches up"


def ends(server, one, other):
    dying = server.client(timeout_ms=6000)  # not before there is a watch, where the machine stands still
    dying.create("/dying", flags=zkwire.EPHEMERAL)
    other.exists("/dying", watch=True)
    dying.disconnect()
    other.wait_event(30.0)
    other.ping()
    yield "a session that expires"
    one.close_session()
    yield "closeSession"
    other.disconnect()
    yield "a connection that ends"


def at_the_door(words):
    """What is denied, refused or broken off before it is a request."""
    server = words.server
    yield SRST
    words.ask("ruok")
    yield "a word that is denied"
    clients = [server.client() for _ in range(3)]
    yield "as many connections as are allowed"
    with server.client() as last, zkwire.RawClient(server.host, server.port, connect=False) as over:
        over.expect_eof()
        last.close_session()
    yield "one too many"
    clients[0].create("/large", b"x" * 2000)
    yield "a large request"
    clients[0].send(zkwire.SET_DATA, zkwire.set_data_request("/large", b"x" * 5000))
    clients[0].expect_eof()
    yield "one that is too large"
    clients[1].send_bytes(b"\x7f\0\0\0")
    clients[1].expect_eof()
    yield "a length that no frame has"
    clients[2].send_frame(b"abc")
    clients[2].expect_eof()
    yield "less than a header"
    for name, request in (
        ("a session that is not known", zkwire.connect_request(30000, 1, b"x" * 16, 0, False)),
        ("a zxid ahead", zkwire.connect_request(30000, 0, b"\0" * 16, 99999, False)),
    ):
        with zkwire.RawClient(server.host, server.port, connect=False) as client:
            client.send_frame(request)
            if "session" in name:
                client.recv_frame()
            client.expect_eof()
        yield name
    for start in (b"", b"\0\0", b"\0\0\0\x2c\0"):
        with zkwire.RawClient(server.host, server.port, connect=False) as client:
            client.send_bytes(start)
        yield "a handshake that ends after %d bytes" % len(start)


def differences(ours, theirs):
    return {key: (ours.get(key), said) for key, said in theirs.items() if ours.get(key) != said}


def wait_for_agreement(step, ours, theirs):
    deadline = time.monotonic() + AGREE_WAIT_S
    while True:
        if step == SRST:  # again each time: what came before it may be counted behind it
            ours.ask(SRST)
            theirs.ask(SRST)
        differ = differences(ours.all(), theirs.all())
        if not differ:
            return
        assert time.monotonic() < deadline, "after %s, ours and theirs: %s" % (step, differ)


def compare(tell, config, props=None):
    with Server("paddock", config, props) as paddock, Server("java", config, props) as java:
        ours, theirs = Words(paddock), Words(java)
        for step, same_step in zip(tell(ours), tell(theirs), strict=True):
            assert step == same_step
            wait_for_agreement(step, ours, theirs)


def test_the_words_tell_one_history_as_the_real_server():
    compare(history, {"tickTime": 100, "maxSessionTimeout": SESSION_MS})


def test_the_words_tell_what_did_not_get_in_as_the_real_server():
    compare(
        at_the_door,
        {"maxClientCnxns": 4, "4lw.commands.whitelist": "mntr,srvr,stat,cons,wchs,srst"},
        {"zookeeper.largeRequestThreshold": 1000, "zookeeper.largeRequestMaxBytes": 3000},
    )
