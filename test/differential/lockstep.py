"""Does the same to two servers at the same time and compares everything that comes back.

The order of all requests over all connections is fixed: a burst is sent on one connection and
answered before anything is sent on another. So each connection's stream of replies and events is
determined, and equal servers send equal streams.
"""

import collections
import select
import socket
import struct

import normalise
from pylib import zkwire as zk

LEFT, RIGHT = 0, 1
WAIT_S = 20.0
EOF = ("eof",)


class Differs(Exception):
    """The two servers did not do the same; the message tells all of it."""


class HarnessError(Exception):
    """Something that says nothing about the servers, e.g. no answer from the left one."""


class Channel:
    """One connection: frames in, bytes out. tamper(frame) -> list of frames, for self-tests."""

    def __init__(self, address, tamper=None):
        self.sock = socket.create_connection(address, timeout=WAIT_S)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer, self.at, self.tamper = bytearray(), 0, tamper
        self.ready = collections.deque()

    def send(self, data):
        """False when the server has closed already; what it sent before can still be read."""
        try:
            self.sock.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            return False
        return True

    def _need(self, size):
        while len(self.buffer) - self.at < size:
            if self.at:
                del self.buffer[: self.at]
                self.at = 0
            try:
                chunk = self.sock.recv(1 << 18)
            except ConnectionResetError:
                return False
            if not chunk:
                return False
            self.buffer += chunk
        return True

    def hang_up(self):
        """Nothing more is sent: the server closes, if it has not done so already."""
        try:
            self.sock.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def frame(self):
        """The next frame; None at the end. socket.timeout when nothing comes."""
        while not self.ready:
            if not self._need(4):
                return None
            size = struct.unpack_from(">i", self.buffer, self.at)[0]
            if not self._need(4 + size):
                return None
            frame = bytes(self.buffer[self.at + 4 : self.at + 4 + size])
            self.at += 4 + size
            self.ready.extend(self.tamper(frame) if self.tamper else [frame])
        return self.ready.popleft()

    def rest(self):
        """Whatever comes until the server closes, as it comes."""
        while self._need(len(self.buffer) - self.at + 1):
            pass
        data = bytes(self.buffer[self.at :])
        self.buffer, self.at = bytearray(), 0
        return data

    def quiet(self):
        return not select.select([self.sock], [], [], 0)[0]

    def close(self):
        self.sock.close()


class Session:
    def __init__(self, index):
        self.index = index
        self.channels = None  # (left, right) while connected
        self.ids, self.passwds = [0, 0], [b"\0" * 16] * 2
        self.header_zxid = [0, 0]


class Lockstep:
    """sessions: how many. versions_differ: one side is 3.8.0 and the other is not."""

    def __init__(self, left, right, sessions, versions_differ=False, newer=RIGHT, tamper=None):
        self.addresses = [left, right]
        self.sessions = [Session(i) for i in range(sessions)]
        self.normalisers = [normalise.Normaliser(), normalise.Normaliser()]
        self.versions_differ, self.newer, self.tamper = versions_differ, newer, tamper
        self.compensations = 0
        self.events_compared = 0

    # -- connecting

    def open(self):
        return (
            Channel(self.addresses[LEFT]),
            Channel(self.addresses[RIGHT], self.tamper),
        )

    def connect(self, session, timeout=40000, read_only=False, seen=0, passwds=None):
        """Make or re-attach the session. The two ConnectResponses, normalised and equal."""
        self._open_session(session, timeout, read_only, seen, passwds)
        responses = []
        for side in (LEFT, RIGHT):
            frame = self._frame(session.channels[side], side)
            if frame is None:
                responses.append(EOF)
                continue
            response = zk.parse_connect_response(frame)
            if response.session_id:
                if session.ids[side] not in (0, response.session_id):
                    self._forget(session, side)
                session.ids[side], session.passwds[side] = response.session_id, response.passwd
                self.normalisers[side].learn_session(response.session_id, session.index)
            responses.append(self._normal(side, "connect_response", frame))
        self._equal(responses, "connect")
        if responses[LEFT] == EOF or not session.ids[LEFT] or responses[LEFT][3] is False:
            self._must_close(session, "refused connection")
        return responses[LEFT]

    def _open_session(self, session, timeout, read_only, seen, passwds):
        session.channels = self.open()
        session.header_zxid = [0, 0]
        passwds = passwds or session.passwds
        for side in (LEFT, RIGHT):
            body = zk.connect_request(timeout, session.ids[side], passwds[side], seen, read_only)
            session.channels[side].send(zk.frame(body))

    def _forget(self, session, side):
        self.normalisers[side].sessions.pop(session.ids[side], None)

    def drop(self, session):
        """Close the connections and keep the session."""
        for channel in session.channels:
            channel.close()
        session.channels = None

    def steal(self, session, **options):
        """Re-attach while the old connection is open: the old one is closed by the server, or, where the
        password was wrong, by Java only; then it hangs up, and both are even."""
        self._sync(session)
        old = session.channels
        response = self.connect(session, **options)
        if "passwds" in options:
            for channel in old:
                channel.hang_up()
        tails = []
        for side in (LEFT, RIGHT):
            frames = []
            while True:
                frame = self._frame(old[side], side)
                if frame is None:
                    break
                frames.append(self._normal(side, "event", frame))
            tails.append(frames + [EOF])
            old[side].close()
        self._equal(tails, "old connection of a session that moved")
        return response

    # -- requests

    def burst(self, session, requests, unordered=False):
        """Send, await and compare. The normalised replies of the left server."""
        if requests[-1].closes:
            self._sync(session)
        data = b"".join(
            zk.frame(struct.pack(">ii", r.xid, r.op) + r.body) for r in requests
        )
        for channel in session.channels:
            channel.send(data)
        closes = requests[-1].closes
        streams = [self._collect(session, side, len(requests), closes) for side in (LEFT, RIGHT)]
        if len(requests) == 1 and requests[0].undecodable:
            self._level_zxids(session, requests[0], streams)
        return self._compare(session, requests, streams, unordered)

    def raw(self, session, data):
        """Bytes that are no frame: both servers close."""
        self._sync(session)
        for channel in session.channels:
            channel.send(data)
        tails = []
        for side in (LEFT, RIGHT):
            frames = self._collect(session, side, 0, True)
            tails.append([f if f == EOF else self._normal(side, "event", f) for f in frames])
        self._equal(tails, "bytes %r" % data[:40])
        self._end(session)

    def probe(self, first, closes):
        """A connection apart: what comes back to these first bytes."""
        channels = self.open()
        answers = []
        for side in (LEFT, RIGHT):
            channels[side].send(first)
            if closes:
                answers.append(channels[side].rest())
                if len(answers[-1]) == 41:  # a refusal
                    answers[-1] = self._normal(side, "connect_response", answers[-1][4:])
                continue
            frame = self._frame(channels[side], side)
            answers.append(EOF if frame is None else self._normal(side, "connect_response", frame))
            for op in (zk.PING, zk.CLOSE_SESSION):
                channels[side].send(zk.frame(zk.int32(-2) + zk.int32(op)))
                frame = self._frame(channels[side], side)
                if frame is None:
                    answers[-1] += EOF
                    break
                answers[-1] += self._normal(side, "reply", frame, op)
            answers[-1] += (len(channels[side].rest()),)
        for channel in channels:
            channel.close()
        self._equal(answers, "first bytes %r" % first[:60])

    def sync_all(self, unordered=False):
        """Ping on every connection: all events sent so far are received and compared."""
        for session in self.sessions:
            self._sync(session, unordered)

    def _sync(self, session, unordered=False):
        """Call it before a server closes: what it has sent and not yet written goes then."""
        if session.channels:
            for channel in session.channels:
                channel.send(_PING_FRAME)
            streams = [self._collect(session, side, 1, False) for side in (LEFT, RIGHT)]
            self._compare(session, [_PING], streams, unordered)

    def close_session(self, session, request):
        """closeSession; its ephemerals go in no certain order."""
        self.sync_all()
        replies = self.burst(session, [request], unordered=True)
        for side in (LEFT, RIGHT):
            self._forget(session, side)
        session.ids, session.passwds = [0, 0], [b"\0" * 16] * 2
        self.sync_all(unordered=True)
        return replies

    # -- inside

    def _frame(self, channel, side):
        try:
            return channel.frame()
        except socket.timeout:
            message = "no answer from the %s server in %s s" % (("left", "right")[side], WAIT_S)
            raise (HarnessError if side == LEFT else Differs)(message) from None

    def _collect(self, session, side, replies, closes):
        """Frames up to the given number of replies; and, when it closes, up to the end."""
        frames, channel = [], session.channels[side]
        while replies or closes:
            frame = self._frame(channel, side)
            if frame is None:
                frames.append(EOF)
                break
            frames.append(frame)
            if not normalise.is_event(frame):
                replies -= 1
                if replies < 0:
                    break  # more replies than requests: told by the comparison
        return frames

    def _normal(self, side, what, frame, *args):
        try:
            return getattr(self.normalisers[side], what)(frame, *args)
        except (ValueError, struct.error) as error:
            return ("unreadable", side, str(error))

    def _compare(self, session, requests, streams, unordered=False):
        if self.versions_differ:
            self._check_header_zxids(session, streams[self.newer], self.newer)
        normal = [self._normal_stream(side, streams[side], requests) for side in (LEFT, RIGHT)]
        if unordered:
            normal = [
                sorted((v for v in stream if v[0] == "event"), key=repr)
                + [v for v in stream if v[0] != "event"]
                for stream in normal
            ]
        if normal[LEFT] != normal[RIGHT]:
            self._equal_streams(session, requests, normal)
        if EOF in normal[LEFT]:
            self._end(session)
        self.events_compared += sum(1 for value in normal[LEFT] if value[0] == "event")
        return [value for value in normal[LEFT] if value[0] == "reply"]

    def _normal_stream(self, side, frames, requests):
        values, at = [], 0
        for frame in frames:
            if frame == EOF:
                values.append(EOF)
            elif normalise.is_event(frame):
                values.append(self._normal(side, "event", frame))
            else:
                request = requests[at] if at < len(requests) else requests[-1]
                at += 1
                values.append(self._normal(side, "reply", frame, request.op, request.sub_ops))
        return values

    def _check_header_zxids(self, session, frames, side):
        """versions.TABLE, zxid of events: it never goes back, and it is one that has happened."""
        last = session.header_zxid[side]
        replies = [f for f in frames if f != EOF and not normalise.is_event(f)]
        newest = max([struct.unpack_from(">q", f, 4)[0] for f in replies], default=None)
        for frame in frames:
            if frame == EOF:
                continue
            zxid = struct.unpack_from(">q", frame, 4)[0]
            if zxid > 0:
                if zxid < last:
                    raise Differs("zxid %d in a header after %d" % (zxid, last))
                if newest and newest > 0 and zxid > newest:
                    raise Differs("zxid %d in a header before %d happened" % (zxid, newest))
                last = zxid
            elif normalise.is_event(frame) and zxid != -1:
                raise Differs("event with zxid %d" % zxid)
        session.header_zxid[side] = last

    def _level_zxids(self, session, request, streams):
        """versions.TABLE, undecodable writes: the newer server gets one more failing write."""
        if not self.versions_differ or EOF in streams[LEFT] or EOF in streams[RIGHT]:
            return
        newer, older = streams[self.newer][-1], streams[1 - self.newer][-1]
        xid, zxid, err = normalise.HEADER.unpack_from(newer)
        old_zxid = normalise.HEADER.unpack_from(older)[1]
        if request.op not in _WRITES or err != zk.MARSHALLING_ERROR or zxid + 1 != old_zxid:
            return
        streams[self.newer][-1] = normalise.HEADER.pack(xid, old_zxid, err) + newer[16:]
        body = zk.int32(-3) + zk.int32(zk.DELETE) + zk.delete_request("/none/such")
        session.channels[self.newer].send(zk.frame(body))
        reply = self._frame(session.channels[self.newer], self.newer)
        if reply is None or normalise.HEADER.unpack_from(reply)[1] != old_zxid:
            raise Differs("the compensating write answered %r" % (reply,))
        self.compensations += 1

    def _must_close(self, session, why):
        tails = [channel.rest() for channel in session.channels]
        self._equal(tails, why)
        self._end(session)

    def _end(self, session):
        for channel in session.channels:
            channel.close()
        session.channels = None

    def _equal(self, pair, what):
        if pair[LEFT] != pair[RIGHT]:
            raise Differs("%s\n  left:  %r\n  right: %r" % (what, pair[LEFT], pair[RIGHT]))

    def _equal_streams(self, session, requests, normal):
        at = 0
        while at < min(map(len, normal)) and normal[LEFT][at] == normal[RIGHT][at]:
            at += 1
        lines = ["session %d, answer %d of the burst" % (session.index, at)]
        replies_before = sum(1 for value in normal[LEFT][:at] if value[0] == "reply")
        if replies_before < len(requests):
            lines.append("  while answering: " + describe(requests[replies_before]))
        for name, side in (("left", LEFT), ("right", RIGHT)):
            value = normal[side][at] if at < len(normal[side]) else None
            lines.append("  %-5s: %s" % (name, normalise.describe(value)))
        raise Differs("\n".join(lines))


_WRITES = {
    zk.CREATE, zk.CREATE2, zk.CREATE_CONTAINER, zk.CREATE_TTL, zk.DELETE, zk.SET_DATA, zk.SET_ACL,
    zk.RECONFIG,
}  # fmt: skip
_PingRequest = collections.namedtuple("_PingRequest", "xid op body sub_ops")
_PING = _PingRequest(-2, zk.PING, b"", ())
_PING_FRAME = zk.frame(zk.int32(-2) + zk.int32(zk.PING))
OP_NAMES = {
    value: name.lower() for name, value in vars(zk).items()
    if name in (
        "CREATE DELETE EXISTS GET_DATA SET_DATA GET_ACL SET_ACL GET_CHILDREN SYNC PING GET_CHILDREN2"
        " CHECK MULTI CREATE2 RECONFIG CHECK_WATCHES REMOVE_WATCHES CREATE_CONTAINER CREATE_TTL"
        " MULTI_READ AUTH SET_WATCHES SASL GET_EPHEMERALS GET_ALL_CHILDREN_NUMBER SET_WATCHES2"
        " ADD_WATCH WHO_AM_I CLOSE_SESSION"
    ).split()
}  # fmt: skip


def describe(request):
    body = request.body
    text = body.hex() if len(body) <= 160 else "%s... (%d bytes)" % (body[:160].hex(), len(body))
    name = OP_NAMES.get(request.op, "op")
    first = ""
    if len(body) >= 4 and request.op not in (zk.MULTI, zk.MULTI_READ, zk.SET_WATCHES, zk.SET_WATCHES2):
        size = struct.unpack_from(">i", body)[0]
        if 0 <= size <= len(body) - 4:
            first = " %r" % body[4 : 4 + min(size, 80)]
    return "%s(%d) xid %d%s body %s" % (name, request.op, request.xid, first, text)
