"""Small things that several conformance tests need."""

import time

from pylib import zkwire

QUOTA = "/zookeeper/quota"


def reattach(server, client):
    """A new connection to the client's session: it is still alive."""
    again = server.client(session=client.session_id, passwd=client.passwd)
    assert again.session_id == client.session_id
    return again


def eventually(check, wait=10.0, pause=0.01):
    """Waits for something that no event tells; for answers of the server use an event."""
    deadline = time.monotonic() + wait
    while not check():
        assert time.monotonic() < deadline, "waited %s s in vain" % wait
        time.sleep(pause)


def kinds(events):
    """(type, path) of each event."""
    return [(e.type, e.path) for e in events]


def below(events, path):
    """Only the events of a test's own subtree."""
    return [e for e in events if e.path == path or e.path.startswith(path + "/")]


def pipeline(client, *requests):
    """Sends (op, body) pairs in one segment; their replies, in order."""
    first = client.next_xid
    client.next_xid += len(requests)
    client.send_bytes(
        b"".join(
            zkwire.frame(zkwire.int32(first + n) + zkwire.int32(op) + body)
            for n, (op, body) in enumerate(requests)
        )
    )
    replies = [client.recv() for _ in requests]
    assert [r.xid for r in replies] == list(range(first, first + len(requests)))
    return replies


def make_quota(client, path, limits, stats=b"count=0,bytes=0"):
    """The nodes that the command line's setquota makes."""
    node = QUOTA
    for part in path.split("/")[1:]:
        node += "/" + part
        client.call(zkwire.CREATE, zkwire.create_request(node))
    client.create(node + "/zookeeper_limits", limits)
    client.create(node + "/zookeeper_stats", stats)
