"""Malformed, oversized, negative and truncated frames; slow readers; floods."""

import re
import socket
import struct

import pytest

from pylib import zkwire

from .conftest import resident_kb

MB = 1 << 20


def peer_of(client):
    return "/127.0.0.1:%d" % client.sock.getsockname()[1]


BAD = {
    "oversized": struct.pack(">i", 1048576),
    "negative": struct.pack(">i", -1),
    "most negative": struct.pack(">i", -(2**31)),
    "largest": struct.pack(">i", 2**31 - 1),
    "no record in it": struct.pack(">i", 0),
    "shorter than a header": struct.pack(">i", 7) + b"1234567",
}


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD)
def test_a_bad_frame_closes_its_connection_with_one_line_and_disturbs_nobody(bad, start, logged):
    server = start()
    other, client = server.client(), server.client()
    other.create("/n", b"x")
    peer = peer_of(client)
    client.send_bytes(bad)
    client.expect_eof()
    assert other.get_data("/n")[0] == b"x" and other.is_open()
    assert len(logged(server, re.escape("peer=" + peer))) == 1
    again = server.client(session=client.session_id, passwd=client.passwd)
    assert again.session_id == client.session_id  # the session lives on


@pytest.mark.parametrize(
    "bad",
    [BAD["oversized"], BAD["negative"], b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x02\x00\x01"],
    ids=["oversized", "negative", "HTTP", "TLS"],
)
def test_a_stranger_s_first_bytes_close_with_one_line(bad, start, logged):
    server = start()
    client = server.client(connect=False)
    peer = peer_of(client)
    client.send_bytes(bad)
    client.expect_eof()
    assert len(logged(server, re.escape("peer=" + peer))) == 1


def test_a_thousand_bad_frames_fill_no_log(start, logged):
    server = start({"maxClientCnxns": 0})
    for _ in range(1000):
        client = server.client(connect=False)
        client.send_bytes(BAD["negative"])
        client.expect_eof()
        client.sock.close()
    assert len(logged(server, "frame length")) < 500
    assert server.client().is_open()


def test_a_truncated_frame_leaves_nothing_behind(start, logged):
    server = start()
    client = server.client()
    client.send_bytes(struct.pack(">i", 100000) + b"x" * 50000)
    client.sock.shutdown(socket.SHUT_WR)
    client.expect_eof()
    assert server.client().is_open()


def test_memory_follows_the_bytes_that_arrive_and_not_the_length_that_is_claimed(start):
    server = start({"maxClientCnxns": 0, "jute.maxbuffer": 100 * MB})
    clients = [server.client() for _ in range(50)]
    before = resident_kb(server)
    for client in clients:
        client.send_bytes(struct.pack(">i", 100 * MB) + b"x" * 1000)
    for client in clients[:1]:  # an answer from elsewhere: the bytes above were read
        server.four_letter("ruok")
    assert resident_kb(server) - before < 10 * 1024


def send_until_stuck(client, frames):
    """Until the server takes nothing more; True when it closed instead."""
    client.sock.settimeout(2)
    try:
        while True:
            client.sock.sendall(frames)
    except socket.timeout:
        return False
    except ConnectionError:
        return True


def test_a_client_that_does_not_read_is_closed_and_its_buffer_was_bounded(start, logged):
    server = start({"nio.sessionlessCnxnTimeout": 4000})  # longer than the test stands still in a handshake
    other = server.client()
    other.create("/big", b"x" * 1000000)
    before = resident_kb(server)
    slow = server.client()
    request = zkwire.int32(1) + zkwire.int32(zkwire.GET_DATA) + zkwire.get_data_request("/big")
    # each segment of 256 KB asks for gigabytes
    send_until_stuck(slow, zkwire.frame(request) * 5000)
    assert resident_kb(server) - before < 20 * 1024
    assert other.get_data("/big")[0][:1] == b"x"
    line = logged(server, "does not read its answers")[0]
    assert "peer=%s " % peer_of(slow) in line
    assert resident_kb(server) - before < 20 * 1024


def test_a_client_that_reads_slowly_gets_every_answer(start):
    server = start()
    client = server.client()
    client.create("/big", b"x" * 100000)
    for _ in range(300):
        client.send(zkwire.GET_DATA, zkwire.get_data_request("/big"))
    for _ in range(300):
        assert len(client.recv().body) > 100000


def test_events_for_a_client_that_does_not_read_are_bounded(start, logged):
    server = start({"jute.maxbuffer": 100000})
    writer, slow = server.client(), server.client()
    writer.create("/n")
    slow.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    slow.ok(zkwire.ADD_WATCH, zkwire.watches_request("/n", 0))
    request = zkwire.int32(0) + zkwire.int32(zkwire.SET_DATA) + zkwire.set_data_request("/n")
    frames = zkwire.frame(request) * 1000
    for _ in range(200):
        writer.send_bytes(frames)
        for _ in range(1000):
            writer.recv()
        if "does not read its answers" in server.log():
            break
    assert logged(server, "does not read its answers")
    assert resident_kb(server) < 60 * 1024 and writer.is_open()


def test_one_answer_larger_than_any_bound_is_still_sent(start):
    server = start({"jute.maxbuffer": 4 * MB})
    client = server.client()
    client.create("/p")
    name = "x" * 200
    for n in range(0, 40000, 1000):
        ops = [(zkwire.CREATE, zkwire.create_request("/p/%s%d" % (name, n + i))) for i in range(1000)]
        client.multi(*ops)
    # 8 MB in one reply, read only after all of it had to be queued
    client.send(zkwire.GET_CHILDREN, zkwire.get_children_request("/p"))
    assert server.four_letter("ruok") == b"imok"
    assert len(zkwire.parse_children(client.recv(wait=30).body)) == 40000


def test_a_flood_of_requests_keeps_memory_bounded_and_others_served(start):
    server = start({"globalOutstandingLimit": 100})
    other, flood = server.client(), server.client()
    other.create("/n", b"x")
    before = resident_kb(server)
    request = zkwire.int32(0) + zkwire.int32(zkwire.SET_DATA)
    request += zkwire.set_data_request("/n", b"y" * 1000)
    flood.sock.setblocking(False)
    sent = 0
    frames = zkwire.frame(request) * 64
    while sent < 64 * MB:
        try:
            sent += flood.sock.send(frames)  # replies are never read
        except BlockingIOError:
            assert other.exists("/n") is not None
            if other.get_data("/n")[0] != b"x":
                break  # the server reads no more from the flood until its answers leave
        except ConnectionError:
            break  # or it was closed as a slow reader
    assert other.is_open()
    assert resident_kb(server) - before < 40 * 1024


def test_large_requests_in_progress_are_limited(start, logged):
    config = {"largeRequestThreshold": 1000, "largeRequestMaxBytes": 5000}
    server = start(config)
    client = server.client()
    client.create("/n", b"x" * 3000)
    client.set_data("/n", b"x" * 3000)  # one at a time is fine
    client.send(zkwire.SET_DATA, zkwire.set_data_request("/n", b"x" * 6000))
    client.expect_eof()
    assert logged(server, "large request")
    assert b"zk_large_requests_rejected\t1\n" in server.four_letter("mntr")
