"""Limits on connections, and addresses to listen on."""

import re
import socket

import pytest

from pylib import zkwire


def refused(server):
    client = server.client(connect=False)
    client.expect_eof()
    client.sock.close()


def test_a_host_with_too_many_connections_is_told_in_the_log(start, logged):
    server = start({"maxClientCnxns": 2})
    first, second = server.client(), server.client()
    refused(server)
    assert logged(server, re.escape("Too many connections from /127.0.0.1 - max is 2"))
    assert first.is_open() and second.is_open()
    first.close_session()
    assert server.client().is_open()


def test_max_cnxns_counts_all_hosts(start, logged):
    server = start({"maxCnxns": 2, "maxClientCnxns": 0})
    clients = [server.client(), server.client()]
    refused(server)
    assert logged(server, r"maxCnxns")
    assert all(client.is_open() for client in clients)


def open_many(server, count):
    """Some of them are reset at once."""
    flood = []
    for _ in range(count):
        try:
            flood.append(socket.create_connection((server.host, server.port)))
        except ConnectionResetError:
            continue
    return flood


def test_a_flood_of_connections_leaves_descriptors_for_the_data(start, logged):
    server = start({"maxClientCnxns": 0, "snapCount": 10}, wrapper=["prlimit", "--nofile=100:100"])
    first = server.client()
    flood = open_many(server, 300)
    assert logged(server, "Too many connections|Error accepting")
    for n in range(100):  # new logs and snapshots need files
        first.create("/n%d" % n)
    for sock in flood:
        sock.close()
    assert first.get_children("/")[:1] == ["n0"]
    assert server.alive()


def test_connections_come_back_when_the_flood_is_over(start, eventually):
    server = start({"maxClientCnxns": 0}, wrapper=["prlimit", "--nofile=100:100"])
    for sock in open_many(server, 300):
        sock.close()

    def connects():
        try:
            return server.client(wait=1.0).is_open()
        except (zkwire.Closed, zkwire.Timeout, OSError):
            return False

    assert eventually(connects)


def test_a_connection_that_never_says_anything_is_closed(start):
    # Longer than the machine stands still between a connection and its first bytes, well below the default.
    server = start({"nio.sessionlessCnxnTimeout": 3000})
    silent = server.client(connect=False)
    talking = server.client()
    silent.expect_eof(wait=9.9)
    assert talking.is_open()
    assert b"zk_sessionless_connections_expired\t1\n" in server.four_letter("mntr")


def test_the_connection_throttle_refuses_when_its_tokens_are_gone(start):
    config = {"connection_throttle_tokens": 2, "connection_throttle_fill_time": 10000000}
    server = start(config, wait=False)
    wait_listening(server)
    server.client(), server.client()
    with pytest.raises(zkwire.Closed):
        server.client()
    assert b"zk_connection_rejected\t1\n" in server.four_letter("mntr")


def wait_listening(server):
    """Without a handshake, which would cost a token."""
    while True:
        try:
            assert server.four_letter("ruok") == b"imok"
            return
        except ConnectionRefusedError:
            assert server.alive(), server.log()


def test_without_an_address_both_families_are_served(start):
    server = start({"clientPortAddress": None}, wait=False)
    wait_listening(server)
    for host in ("127.0.0.1", "::1"):
        assert zkwire.four_letter(host, server.port, "ruok") == b"imok"
    stat = zkwire.four_letter("127.0.0.1", server.port, "stat").decode()
    assert re.search(r"^ /127\.0\.0\.1:\d+\[0\]", stat, re.M)
    stat = zkwire.four_letter("::1", server.port, "stat").decode()
    assert re.search(r"^ /0:0:0:0:0:0:0:1:\d+\[0\]", stat, re.M)


def test_a_taken_port_ends_the_start_with_status_1(start):
    first = start()
    second = start({"clientPort": first.port}, wait=False)
    assert second.wait_exit() == 1
    assert "the client port could not be opened: address already in use" in second.log()
    assert first.client().is_open()


def test_port_0_is_any_free_port_and_conf_shows_it(start, logged):
    server = start({"clientPort": "0"}, wait=False)
    port = int(re.search(r":(\d+)$", logged(server, "binding to port")[0]).group(1))
    assert b"clientPort=%d\n" % port in zkwire.four_letter("127.0.0.1", port, "conf")
