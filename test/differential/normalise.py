"""Brings the answers of two servers to a form in which equal servers give equal values."""

import struct

from pylib import zkwire as zk

STAT = struct.Struct(">qqqqiiiqiiq")
HEADER = struct.Struct(">iqi")
STAT_BYTES = 68

PATH_AND_STAT = {zk.CREATE2, zk.CREATE_CONTAINER, zk.CREATE_TTL}
STAT_ONLY = {zk.EXISTS, zk.SET_DATA, zk.SET_ACL}
SORTED_LISTS = {zk.GET_CHILDREN, zk.GET_EPHEMERALS}


class Unreadable(ValueError):
    """The reply is not what the protocol says it is."""


def is_event(frame):
    return len(frame) > 16 and frame[:4] == b"\xff\xff\xff\xff"


class Normaliser:
    """One per server: knows the session ids that this server gave out."""

    def __init__(self):
        self.sessions = {}

    def learn_session(self, session_id, index):
        self.sessions[session_id] = "session-%d" % index

    # -- frames

    def event(self, frame):
        _, zxid, err = HEADER.unpack_from(frame)
        reader = zk.Reader(frame, 16)
        kind, state, path = reader.int32(), reader.int32(), reader.buffer()
        reader.end()
        return ("event", err, kind, state, path)

    def reply(self, frame, op, sub_ops=()):
        xid, zxid, err = HEADER.unpack_from(frame)
        try:
            body = self.body(frame, op, err, sub_ops)
        except (ValueError, struct.error) as error:
            raise Unreadable("%s; frame %s" % (error, frame[:400].hex())) from error
        return ("reply", xid, zxid, err, body)

    def body(self, frame, op, err, sub_ops):
        if len(frame) == 16:
            return None
        if err != 0 and op != zk.MULTI_READ:
            return bytes(frame[16:])
        if op in STAT_ONLY:
            self._exact(frame, 16 + STAT_BYTES)
            return self.stat(frame, 16)
        if op == zk.GET_DATA or op in PATH_AND_STAT:
            text, at = self._buffer(frame, 16)
            self._exact(frame, at + STAT_BYTES)
            return (text, self.stat(frame, at))
        if op in SORTED_LISTS:
            names, at = self._list(frame, 16)
            self._exact(frame, at)
            return names
        if op == zk.GET_CHILDREN2:
            names, at = self._list(frame, 16)
            self._exact(frame, at + STAT_BYTES)
            return (names, self.stat(frame, at))
        if op == zk.GET_ACL:
            reader = zk.Reader(frame, 16)
            acls = reader.vector(lambda: (reader.int32(), reader.buffer(), reader.buffer()))
            self._exact(frame, reader.offset + STAT_BYTES)
            return (acls, self.stat(frame, reader.offset))
        if op == zk.WHO_AM_I:
            reader = zk.Reader(frame, 16)
            identities = reader.vector(lambda: (reader.buffer(), reader.buffer()))
            reader.end()
            return sorted(identities)
        if op in (zk.MULTI, zk.MULTI_READ):
            return self.multi(frame, sub_ops)
        return bytes(frame[16:])

    def multi(self, frame, sub_ops):
        results, at = [], 16
        while True:
            kind, done, err = struct.unpack_from(">ibi", frame, at)
            at += 9
            if done:
                self._exact(frame, at)
                results.append((kind, done, err))
                return results
            value = None
            if kind == zk.CREATE:
                value, at = self._buffer(frame, at)
            elif kind == zk.CREATE2:
                path, at = self._buffer(frame, at)
                value, at = (path, self.stat(frame, at)), at + STAT_BYTES
                if len(results) < len(sub_ops) and sub_ops[len(results)] == zk.CREATE2:
                    kind, value = zk.CREATE, path  # versions.TABLE: create2 inside multi
            elif kind == zk.SET_DATA:
                value, at = self.stat(frame, at), at + STAT_BYTES
            elif kind == zk.GET_DATA:
                data, at = self._buffer(frame, at)
                value, at = (data, self.stat(frame, at)), at + STAT_BYTES
            elif kind == zk.GET_CHILDREN:
                value, at = self._list(frame, at)
            elif kind == zk.ERROR_OP:
                value, at = struct.unpack_from(">i", frame, at)[0], at + 4
            elif kind not in (zk.DELETE, zk.CHECK):
                raise Unreadable("result of type %d in a multi" % kind)
            results.append((kind, done, err, value))

    def stat(self, frame, at):
        """Everything but the two times; those must be set or unset together and in order."""
        czxid, mzxid, ctime, mtime, version, cversion, aversion, owner, size, children, pzxid = (
            STAT.unpack_from(frame, at)
        )
        if mtime < ctime:
            raise Unreadable("mtime %d before ctime %d" % (mtime, ctime))
        return (
            czxid,
            mzxid,
            ctime != 0,
            mtime != 0,
            version,
            cversion,
            aversion,
            self.sessions.get(owner, owner),
            size,
            children,
            pzxid,
        )

    def connect_response(self, frame):
        """The session id and the password follow from when the server started: checked apart."""
        response = zk.parse_connect_response(frame)
        if response.session_id:
            wanted = zk.session_password(response.session_id)
            if response.passwd != wanted:
                raise Unreadable("password %s, not %s" % (response.passwd, wanted))
        passwd = len(response.passwd) if response.session_id else response.passwd
        return ("connected", response.protocol_version, response.timeout,
                self.sessions.get(response.session_id, response.session_id != 0), passwd,
                response.read_only)  # fmt: skip

    # -- pieces

    @staticmethod
    def _exact(frame, at):
        if at != len(frame):
            raise Unreadable("%d bytes where %d were expected" % (len(frame), at))

    @staticmethod
    def _buffer(frame, at):
        size = struct.unpack_from(">i", frame, at)[0]
        at += 4
        if size == -1:
            return None, at
        if size < 0 or at + size > len(frame):
            raise Unreadable("buffer of %d bytes at %d of %d" % (size, at, len(frame)))
        return bytes(frame[at : at + size]), at + size

    def _list(self, frame, at):
        count = struct.unpack_from(">i", frame, at)[0]
        at += 4
        names = []
        for _ in range(count):
            name, at = self._buffer(frame, at)
            names.append(name)
        return sorted(names), at


def describe(value):
    """A normalised frame as one line for people."""
    if value is None:
        return "nothing"
    if value[0] == "eof":
        return "the connection closed"
    if value[0] == "event":
        return "event type %d state %d path %r err %d" % (value[2], value[3], value[4], value[1])
    if value[0] == "reply":
        text = repr(value[4])
        return "reply xid %d zxid %d err %d body %s" % (
            value[1],
            value[2],
            value[3],
            text if len(text) < 600 else text[:600] + "...",
        )
    return repr(value)
