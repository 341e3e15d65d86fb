"""A small, independent codec and raw-socket client for ZooKeeper's client protocol.

It exists to say exactly which bytes go out and which came back, so it validates nothing: every
request encoder takes whatever it is given (None is jute's null), every frame can be sent by hand.

    with RawClient("127.0.0.1", 2181) as c:
        reply = c.call(CREATE, create_request("/a", b"hi"))
        assert reply.err == OK
"""

import base64
import collections
import errno
import hashlib
import select
import socket
import struct
import time

# ---------------------------------------------------------------------------------------------
# Numbers of the protocol

NOTIFICATION, CREATE, DELETE, EXISTS, GET_DATA, SET_DATA = 0, 1, 2, 3, 4, 5
GET_ACL, SET_ACL, GET_CHILDREN, SYNC, PING, GET_CHILDREN2, CHECK = 6, 7, 8, 9, 11, 12, 13
MULTI, CREATE2, RECONFIG, CHECK_WATCHES, REMOVE_WATCHES = 14, 15, 16, 17, 18
CREATE_CONTAINER, DELETE_CONTAINER, CREATE_TTL, MULTI_READ = 19, 20, 21, 22
AUTH, SET_WATCHES, SASL, GET_EPHEMERALS, GET_ALL_CHILDREN_NUMBER = 100, 101, 102, 103, 104
SET_WATCHES2, ADD_WATCH, WHO_AM_I = 105, 106, 107
CREATE_SESSION, CLOSE_SESSION, ERROR_OP = -10, -11, -1

PERSISTENT, EPHEMERAL, PERSISTENT_SEQUENTIAL, EPHEMERAL_SEQUENTIAL = 0, 1, 2, 3
CONTAINER, PERSISTENT_TTL, PERSISTENT_SEQUENTIAL_TTL = 4, 5, 6

OK, RUNTIME_INCONSISTENCY, MARSHALLING_ERROR, UNIMPLEMENTED, BAD_ARGUMENTS = 0, -2, -5, -6, -8
NO_NODE, NO_AUTH, BAD_VERSION, NO_CHILDREN_FOR_EPHEMERALS = -101, -102, -103, -108
NODE_EXISTS, NOT_EMPTY, SESSION_EXPIRED, INVALID_ACL, AUTH_FAILED = -110, -111, -112, -114, -115
NOT_READ_ONLY, EPHEMERAL_ON_LOCAL_SESSION, NO_WATCHER = -119, -120, -121
RECONFIG_DISABLED, SESSION_CLOSED_REQUIRE_SASL_AUTH = -123, -124
QUOTA_EXCEEDED, THROTTLED_OP = -125, -127

NODE_CREATED, NODE_DELETED, NODE_DATA_CHANGED, NODE_CHILDREN_CHANGED = 1, 2, 3, 4
SYNC_CONNECTED = 3

WATCH_CHILDREN, WATCH_DATA, WATCH_ANY, WATCH_PERSISTENT, WATCH_RECURSIVE = 1, 2, 3, 4, 5
MODE_PERSISTENT, MODE_PERSISTENT_RECURSIVE = 0, 1

READ, WRITE, CREATE_PERM, DELETE_PERM, ADMIN, ALL = 1, 2, 4, 8, 16, 31

XID_NOTIFICATION, XID_PING, XID_AUTH, XID_SET_WATCHES = -1, -2, -4, -8

JUTE_MAXBUFFER = 0xFFFFF

Stat = collections.namedtuple(
    "Stat",
    "czxid mzxid ctime mtime version cversion aversion ephemeralOwner dataLength numChildren pzxid",
)
Reply = collections.namedtuple("Reply", "xid zxid err body")
Event = collections.namedtuple("Event", "type path zxid state err")
ConnectResponse = collections.namedtuple(
    "ConnectResponse", "protocol_version timeout session_id passwd read_only length"
)
Acl = collections.namedtuple("Acl", "perms scheme id")
MultiResult = collections.namedtuple("MultiResult", "type err value")

OPEN_ACL = [Acl(ALL, "world", "anyone")]
READ_ACL = [Acl(READ, "world", "anyone")]


class Closed(Exception):
    """The server closed the connection where an answer was expected."""


class Timeout(Exception):
    """Nothing came in time."""


# ---------------------------------------------------------------------------------------------
# Jute primitives


def byte(value):
    return struct.pack(">b", value)


def boolean(value):
    """True, False, or a raw byte value."""
    return bytes([int(value) & 0xFF])


def int32(value):
    return struct.pack(">i", value)


def int64(value):
    if value >= 1 << 63:
        value -= 1 << 64
    return struct.pack(">q", value)


def buffer(value):
    return int32(-1) if value is None else int32(len(value)) + bytes(value)


def ustring(value):
    """str is encoded as UTF-8, bytes go out as they are (for malformed text), None is null."""
    if isinstance(value, str):
        value = value.encode("utf-8")
    return buffer(value)


def vector(items, encode):
    if items is None:
        return int32(-1)
    return int32(len(items)) + b"".join(encode(i) for i in items)


def frame(payload):
    return int32(len(payload)) + payload


class Reader:
    """Reads jute values from a reply's body; reading past the end is an error in the server."""

    def __init__(self, data, offset=0):
        self.data, self.offset = data, offset

    def take(self, size):
        end = self.offset + size
        if size < 0 or end > len(self.data):
            raise ValueError(
                "reply too short: want %d bytes at %d of %s" % (size, self.offset, self.data.hex())
            )
        chunk = self.data[self.offset : end]
        self.offset = end
        return chunk

    def int32(self):
        return struct.unpack(">i", self.take(4))[0]

    def int64(self):
        return struct.unpack(">q", self.take(8))[0]

    def boolean(self):
        return self.take(1)[0]

    def buffer(self):
        size = self.int32()
        return None if size == -1 else self.take(size)

    def raw_string(self):
        return self.buffer()

    def ustring(self):
        raw = self.buffer()
        return None if raw is None else raw.decode("utf-8")

    def vector(self, read):
        count = self.int32()
        return None if count == -1 else [read() for _ in range(count)]

    def acl(self):
        return Acl(self.int32(), self.ustring(), self.ustring())

    def stat(self):
        return Stat(*struct.unpack(">qqqqiiiqiiq", self.take(68)))

    def end(self):
        if self.offset != len(self.data):
            raise ValueError("bytes left over in reply: " + self.data[self.offset :].hex())


# ---------------------------------------------------------------------------------------------
# Request records


def acl(entry):
    return int32(entry[0]) + ustring(entry[1]) + ustring(entry[2])


def acl_vector(entries):
    """A list of (perms, scheme, id); None is the null list; an int is a bare count."""
    return int32(entries) if isinstance(entries, int) else vector(entries, acl)


def create_request(path, data=b"", acls=OPEN_ACL, flags=PERSISTENT):
    return ustring(path) + buffer(data) + acl_vector(acls) + int32(flags)


def create_ttl_request(path, data=b"", acls=OPEN_ACL, flags=PERSISTENT_TTL, ttl=1000):
    return create_request(path, data, acls, flags) + int64(ttl)


def delete_request(path, version=-1):
    return ustring(path) + int32(version)


def watch_request(path, watch=False):
    return ustring(path) + boolean(watch)


exists_request = get_data_request = get_children_request = get_children2_request = watch_request


def set_data_request(path, data=b"", version=-1):
    return ustring(path) + buffer(data) + int32(version)


def get_acl_request(path):
    return ustring(path)


def set_acl_request(path, acls=OPEN_ACL, version=-1):
    return ustring(path) + acl_vector(acls) + int32(version)


def sync_request(path):
    return ustring(path)


def check_version_request(path, version=-1):
    return ustring(path) + int32(version)


def reconfig_request(joining=None, leaving=None, members=None, config_id=-1):
    return ustring(joining) + ustring(leaving) + ustring(members) + int64(config_id)


def watches_request(path, kind):
    return ustring(path) + int32(kind)


check_watches_request = remove_watches_request = add_watch_request = watches_request


def set_watches_request(relative_zxid, data=(), exist=(), child=()):
    return int64(relative_zxid) + b"".join(vector(v, ustring) for v in (data, exist, child))


def set_watches2_request(
    relative_zxid, data=(), exist=(), child=(), persistent=(), persistent_recursive=()
):
    return set_watches_request(relative_zxid, data, exist, child) + b"".join(
        vector(v, ustring) for v in (persistent, persistent_recursive)
    )


def auth_packet(scheme, auth, kind=0):
    return int32(kind) + ustring(scheme) + buffer(auth)


def sasl_request(token):
    return buffer(token)


def get_ephemerals_request(prefix):
    return ustring(prefix)


def get_all_children_number_request(path):
    return ustring(path)


def delete_container_request(path):
    return buffer(path.encode("utf-8") if isinstance(path, str) else path)


def multi_header(kind, done=False, err=-1):
    return int32(kind) + boolean(done) + int32(err)


MULTI_END = multi_header(-1, True, -1)


def multi_request(*ops, end=True):
    """ops are (opcode, encoded record); end=False leaves the end header out."""
    body = b"".join(multi_header(kind) + record for kind, record in ops)
    return body + (MULTI_END if end else b"")


def connect_request(
    timeout_ms=30000,
    session_id=0,
    passwd=b"\0" * 16,
    last_zxid_seen=0,
    read_only=False,
    protocol_version=0,
):
    """read_only=None leaves the byte out, as clients of 3.3 and older do."""
    body = int32(protocol_version) + int64(last_zxid_seen) + int32(timeout_ms)
    body += int64(session_id) + buffer(passwd)
    return body if read_only is None else body + boolean(read_only)


# ---------------------------------------------------------------------------------------------
# Response records: each takes a Reply's body and insists that nothing is left over


def _whole(read):
    def decode(body):
        reader = Reader(body)
        value = read(reader)
        reader.end()
        return value

    return decode


def _string_list(r):
    return r.vector(r.ustring)


parse_path = _whole(lambda r: r.ustring())  # CreateResponse, SyncResponse
parse_raw_path = _whole(lambda r: r.raw_string())
parse_path_stat = _whole(lambda r: (r.ustring(), r.stat()))  # Create2Response
parse_stat = _whole(lambda r: r.stat())  # ExistsResponse, SetDataResponse, SetACLResponse
parse_data = _whole(lambda r: (r.buffer(), r.stat()))  # GetDataResponse
parse_children = _whole(_string_list)
parse_children_stat = _whole(lambda r: (_string_list(r), r.stat()))
parse_acl = _whole(lambda r: (r.vector(r.acl), r.stat()))
parse_strings = _whole(_string_list)  # GetEphemeralsResponse
parse_int = _whole(lambda r: r.int32())  # GetAllChildrenNumberResponse, ErrorResponse
parse_token = _whole(lambda r: r.buffer())  # SetSASLResponse
parse_who_am_i = _whole(lambda r: r.vector(lambda: (r.ustring(), r.ustring())))


def parse_multi(body):
    """A list of MultiResult; value is what the type carries, the error code for a failed one."""
    r = Reader(body)
    results = []
    while True:
        kind, done, err = r.int32(), r.boolean(), r.int32()
        if done:
            if (kind, done, err) != (-1, 1, -1):
                raise ValueError("odd end header: %r" % ((kind, done, err),))
            r.end()
            return results
        if kind == CREATE:
            value = r.ustring()
        elif kind == CREATE2:
            value = (r.ustring(), r.stat())
        elif kind == SET_DATA:
            value = r.stat()
        elif kind == GET_DATA:
            value = (r.buffer(), r.stat())
        elif kind == GET_CHILDREN:
            value = _string_list(r)
        elif kind == ERROR_OP:
            value = r.int32()
            if value != err:
                raise ValueError("error result says %d in its header and %d inside" % (err, value))
        elif kind in (DELETE, CHECK):
            value = None
        else:
            raise ValueError("unknown result type %d" % kind)
        results.append(MultiResult(kind, err, value))


def parse_connect_response(body):
    """Takes the old form (36 bytes) and the new one (37 bytes, readOnly at the end)."""
    r = Reader(body)
    version, timeout, session_id, passwd = r.int32(), r.int32(), r.int64(), r.buffer()
    read_only = None if r.offset == len(body) else r.boolean()
    r.end()
    return ConnectResponse(version, timeout, session_id, passwd, read_only, len(body))


# ---------------------------------------------------------------------------------------------
# The session password and digest identities: docs/protocol.md

_MASK48 = (1 << 48) - 1


def session_password(session_id):
    state = (((session_id & (1 << 64) - 1) ^ 0xB3415C00) ^ 0x5DEECE66D) & _MASK48
    passwd = b""
    for _ in range(4):
        state = (state * 0x5DEECE66D + 0xB) & _MASK48
        passwd += struct.pack("<I", (state >> 16) & 0xFFFFFFFF)
    return passwd


def digest_id(credentials):
    """b"u:p" -> "u:base64(sha1)"."""
    digest = base64.b64encode(hashlib.sha1(credentials).digest()).decode()
    return credentials.split(b":")[0].decode() + ":" + digest


# ---------------------------------------------------------------------------------------------
# The client


# How a peer's close shows on a socket, even while it is being connected or written to.
_CLOSES = (BrokenPipeError, ConnectionResetError, ConnectionAbortedError)


def _connect(host, port, wait):
    """A connected socket; where the server closed it at once, one that reads end of file."""
    try:
        sock = socket.create_connection((host, port), timeout=wait)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return sock
    except _CLOSES:
        pass
    except OSError as failure:
        if failure.errno != errno.EINVAL:  # an option set on a socket that was reset
            raise
    ours, theirs = socket.socketpair()
    theirs.close()
    return ours


class RawClient:
    """One connection. Events are put aside into .events, replies come out of recv() in order.

    session and passwd reattach; read_only=None uses the old handshake; connect=False leaves the
    handshake to the caller (handshake(), or bytes by hand). ping_s: how often it pings while it
    waits for a reply, as client libraries do; else it never does. Those replies are not shown.
    """

    def __init__(
        self,
        host="127.0.0.1",
        port=2181,
        timeout_ms=30000,
        connect=True,
        session=0,
        passwd=None,
        read_only=False,
        last_zxid_seen=0,
        wait=10.0,
        ping_s=None,
    ):
        self.sock = _connect(host, port, wait)
        self.wait, self.ping_s = wait, ping_s
        self.pings_ahead = 0  # sent while it waited, not yet answered
        self.inbox = b""
        self.events = []
        self.arrivals = []  # every frame in order: Reply or Event
        self.next_xid = 1
        self.response = None
        self.session_id, self.passwd, self.timeout_ms = 0, b"\0" * 16, 0
        if connect:
            self.handshake(timeout_ms, session, passwd, read_only, last_zxid_seen)
            if self.response.session_id == 0:
                self.sock.close()
                raise Closed("session refused")

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.disconnect()

    # -- bytes

    def send_bytes(self, data):
        """A connection closed by the server shows when reading, not here."""
        try:
            self.sock.sendall(data)
        except _CLOSES:
            pass

    def recv_bytes(self, size, wait=None):
        """Exactly size bytes; Closed at end of file, Timeout when they do not come. What is there counts,
        even where this process stood still until it was too late to wait for it."""
        deadline = time.monotonic() + (self.wait if wait is None else wait)
        while len(self.inbox) < size:
            left = max(0, deadline - time.monotonic())
            if not select.select([self.sock], [], [], left)[0]:
                raise Timeout("waited for %d bytes, have %d" % (size, len(self.inbox)))
            try:
                chunk = self.sock.recv(1 << 16)
            except _CLOSES:
                chunk = b""
            if not chunk:
                raise Closed("connection closed, %d bytes unread" % len(self.inbox))
            self.inbox += chunk
        data, self.inbox = self.inbox[:size], self.inbox[size:]
        return data

    def send_frame(self, payload):
        self.send_bytes(frame(payload))

    def recv_frame(self, wait=None):
        deadline = time.monotonic() + (self.wait if wait is None else wait)
        size = struct.unpack(">i", self.recv_bytes(4, wait))[0]
        return self.recv_bytes(size, max(0.01, deadline - time.monotonic()))

    def expect_eof(self, wait=None):
        """The server closes without sending anything more (a reset is a close, too)."""
        try:
            data = self.recv_bytes(1, wait)
        except Closed:
            if self.inbox:
                raise AssertionError("bytes before the close: " + self.inbox.hex())
            return
        raise AssertionError("wanted a close, got bytes: " + (data + self.inbox).hex())

    def is_open(self):
        """A ping is answered: the server has not closed this connection."""
        try:
            return self.ping().xid == XID_PING
        except (Closed, OSError):
            return False

    # -- handshake

    def handshake(
        self, timeout_ms=30000, session=0, passwd=None, read_only=False, last_zxid_seen=0
    ):
        if passwd is None:
            passwd = session_password(session) if session else b"\0" * 16
        self.send_frame(connect_request(timeout_ms, session, passwd, last_zxid_seen, read_only))
        return self.recv_connect_response()

    def recv_connect_response(self):
        self.response = parse_connect_response(self.recv_frame())
        self.session_id = self.response.session_id
        self.passwd = self.response.passwd
        self.timeout_ms = self.response.timeout
        return self.response

    # -- requests and replies

    def send(self, op, body=b"", xid=None):
        if xid is None:
            xid, self.next_xid = self.next_xid, self.next_xid + 1
        self.send_frame(int32(xid) + int32(op) + body)
        return xid

    def recv_any(self, wait=None):
        """The next frame: an Event or a Reply."""
        deadline = time.monotonic() + (self.wait if wait is None else wait)
        while True:
            payload = self.recv_frame(max(0.01, deadline - time.monotonic()))
            xid, zxid, err = struct.unpack(">iqi", payload[:16])
            if xid != XID_PING or self.pings_ahead == 0:
                break
            self.pings_ahead -= 1
        if xid == XID_NOTIFICATION and len(payload) > 16:
            r = Reader(payload, 16)
            kind, state, path = r.int32(), r.int32(), r.ustring()
            r.end()
            arrival = Event(kind, path, zxid, state, err)
            self.events.append(arrival)
        else:
            arrival = Reply(xid, zxid, err, payload[16:])
        self.arrivals.append(arrival)
        return arrival

    def recv(self, wait=None):
        """The next reply; events met on the way are in .events."""
        deadline = time.monotonic() + (self.wait if wait is None else wait)
        while True:
            self.ping_until_readable(deadline)
            arrival = self.recv_any(max(0.01, deadline - time.monotonic()))
            if isinstance(arrival, Reply):
                return arrival

    def ping_until_readable(self, deadline):
        while self.ping_s is not None and not self.inbox:
            left = deadline - time.monotonic()
            if left < self.ping_s or select.select([self.sock], [], [], self.ping_s)[0]:
                return
            self.send(PING, xid=XID_PING)
            self.pings_ahead += 1

    def call(self, op, body=b"", xid=None):
        xid = self.send(op, body, xid)
        reply = self.recv()
        if reply.xid != xid:
            raise AssertionError("sent xid %d, got reply %r" % (xid, reply))
        return reply

    def ping(self):
        self.send(PING, xid=XID_PING)
        return self.recv()

    def take_events(self):
        """The events that have arrived; a ping makes sure that none is on its way."""
        self.ping()
        events, self.events = self.events, []
        return events

    def wait_event(self, wait=None):
        """The next event, without sending anything."""
        if self.events:
            return self.events.pop(0)
        arrival = self.recv_any(wait)
        if not isinstance(arrival, Event):
            raise AssertionError("wanted an event, got %r" % (arrival,))
        return self.events.pop(0)

    # -- shorthands for what every test needs; they insist on success

    def ok(self, op, body=b""):
        reply = self.call(op, body)
        if reply.err != OK:
            raise AssertionError("op %d answered %d" % (op, reply.err))
        return reply

    def create(self, path, data=b"", acls=OPEN_ACL, flags=PERSISTENT):
        return parse_path(self.ok(CREATE, create_request(path, data, acls, flags)).body)

    def delete(self, path, version=-1):
        return self.ok(DELETE, delete_request(path, version))

    def set_data(self, path, data=b"", version=-1):
        return parse_stat(self.ok(SET_DATA, set_data_request(path, data, version)).body)

    def get_data(self, path, watch=False):
        return parse_data(self.ok(GET_DATA, get_data_request(path, watch)).body)

    def exists(self, path, watch=False):
        """The Stat, or None when there is no such node."""
        reply = self.call(EXISTS, exists_request(path, watch))
        if reply.err == NO_NODE:
            return None
        if reply.err != OK:
            raise AssertionError("exists answered %d" % reply.err)
        return parse_stat(reply.body)

    def get_children(self, path, watch=False):
        body = self.ok(GET_CHILDREN, get_children_request(path, watch)).body
        return sorted(parse_children(body))

    def get_acl(self, path):
        return parse_acl(self.ok(GET_ACL, get_acl_request(path)).body)

    def multi(self, *ops):
        return parse_multi(self.ok(MULTI, multi_request(*ops)).body)

    def auth(self, scheme, auth):
        return self.call(AUTH, auth_packet(scheme, auth), xid=XID_AUTH)

    def who_am_i(self):
        return sorted(parse_who_am_i(self.ok(WHO_AM_I).body))

    # -- ends

    def close_session(self):
        reply = self.call(CLOSE_SESSION)
        self.expect_eof()
        self.sock.close()
        return reply

    def disconnect(self):
        """Close the TCP connection; the session lives on until its timeout."""
        self.sock.close()


def four_letter(host, port, word, wait=10.0):
    """What the server sends until it closes."""
    with _connect(host, port, wait) as sock:
        sock.settimeout(wait)
        answer = b""
        try:
            sock.sendall(word if isinstance(word, bytes) else word.encode())
            while True:
                chunk = sock.recv(1 << 16)
                if not chunk:
                    return answer
                answer += chunk
        except _CLOSES:
            return answer
