"""What quotas count and what they refuse (docs/protocol.md, "Quotas")."""

import pytest

from pylib.zkwire import *

from .util import QUOTA, make_quota

enforced = pytest.mark.server(props={"zookeeper.enforceQuota": "true"})


def stats(client, path):
    text = client.get_data(QUOTA + path + "/zookeeper_stats")[0].decode()
    pairs = dict(p.split("=")[:2] for p in text.replace(";", ",").split(",") if p)
    return int(pairs["count"]), int(pairs["bytes"])


def create_err(client, path, data=b""):
    return client.call(CREATE, create_request(path, data)).err


def set_err(client, path, data, version=-1):
    return client.call(SET_DATA, set_data_request(path, data, version)).err


def test_creating_zookeeper_stats_fills_it(client, path):
    client.set_data(path, b"12345")
    client.create(path + "/a", b"678")
    client.create(path + "/a/b", None)
    make_quota(client, path, b"count=10,bytes=100")
    assert stats(client, path) == (3, 8)


def test_usage_follows_create_set_data_delete_and_session_end(connect, client, path):
    make_quota(client, path, b"count=-1,bytes=-1")
    client.create(path + "/a", b"123")
    assert stats(client, path) == (2, 3)
    client.set_data(path + "/a", b"12345")
    assert stats(client, path) == (2, 5)
    client.set_data(path + "/a", None)
    assert stats(client, path) == (2, 0)
    client.multi((CREATE, create_request(path + "/b", b"xy")), (SET_DATA, set_data_request(path, b"z")))
    assert stats(client, path) == (3, 3)
    client.delete(path + "/b")
    assert stats(client, path) == (2, 1)
    other = connect()
    other.create(path + "/e", b"1234", flags=EPHEMERAL)
    assert stats(client, path) == (3, 5)
    other.close_session()
    assert stats(client, path) == (2, 1)


@enforced
def test_the_node_beyond_the_count_limit_answers_quota_exceeded(client, path):
    make_quota(client, path, b"count=-1,bytes=-1=;countHardLimit=3")
    assert create_err(client, path + "/a") == OK
    assert create_err(client, path + "/b") == OK
    reply = client.call(CREATE, create_request(path + "/c"))
    assert (reply.err, reply.body) == (QUOTA_EXCEEDED, b"")
    assert create_err(client, path + "/a/c") == QUOTA_EXCEEDED
    client.delete(path + "/a")
    assert create_err(client, path + "/c") == OK


@enforced
def test_soft_limits_refuse_nothing(client, path):
    make_quota(client, path, b"count=1,bytes=1")
    assert create_err(client, path + "/a", b"long data") == OK
    assert set_err(client, path + "/a", b"longer data than before") == OK
    assert stats(client, path) == (2, 23)


@enforced
def test_quota_comes_before_version_and_behind_existence(client, path):
    make_quota(client, path, b"count=-1,bytes=-1=;byteHardLimit=5;countHardLimit=2")
    assert create_err(client, path + "/a", b"123") == OK
    assert set_err(client, path + "/a", b"123456", 99) == QUOTA_EXCEEDED
    assert set_err(client, path + "/a", b"12345", 99) == BAD_VERSION
    assert set_err(client, path + "/a", b"12345") == OK
    assert set_err(client, path + "/m", b"123456") == NO_NODE
    assert create_err(client, path + "/a") == NODE_EXISTS
    assert create_err(client, path + "/b") == QUOTA_EXCEEDED


@enforced
def test_the_byte_limit_counts_what_a_create_adds(client, path):
    client.set_data(path, b"123")
    make_quota(client, path, b"count=-1,bytes=-1=;byteHardLimit=5")
    assert create_err(client, path + "/a", b"123") == QUOTA_EXCEEDED
    assert create_err(client, path + "/a", b"12") == OK
    assert create_err(client, path + "/b", b"") == OK
    assert set_err(client, path + "/a", b"12") == OK, "no growth is no question"


@enforced
def test_shrinking_is_allowed_beyond_the_limit(client, path):
    client.set_data(path, b"1234567890")
    make_quota(client, path, b"count=-1,bytes=-1=;byteHardLimit=5")
    assert set_err(client, path, b"1234567890") == OK
    assert set_err(client, path, b"12345678901") == QUOTA_EXCEEDED
    assert set_err(client, path, b"12345") == OK


def test_only_the_innermost_quota_is_charged(client, path):
    client.create(path + "/in")
    client.create(path + "/inner")
    make_quota(client, path, b"count=10,bytes=10")
    make_quota(client, path + "/in", b"count=10,bytes=10")
    outer = stats(client, path)
    client.create(path + "/in/a", b"12")
    assert stats(client, path + "/in") == (2, 2)
    assert stats(client, path) == outer
    client.create(path + "/inner/a", b"123")  # matched by component, not by string
    assert stats(client, path + "/in") == (2, 2)
    assert stats(client, path) == (outer[0] + 1, outer[1] + 3)


def test_the_update_of_stats_changes_no_version_and_fires_no_watch(client, path):
    make_quota(client, path, b"count=10,bytes=10")
    node = QUOTA + path + "/zookeeper_stats"
    before = client.get_data(node, watch=True)[1]
    client.create(path + "/a", b"12")
    text, after = client.get_data(node)
    assert after == before._replace(dataLength=len(text))
    assert client.take_events() == []


def test_without_enforcement_hard_limits_are_ignored_and_stats_kept(client, path):
    make_quota(client, path, b"count=-1,bytes=-1=;byteHardLimit=1;countHardLimit=1")
    assert create_err(client, path + "/a", b"123") == OK
    assert stats(client, path) == (2, 3)


@enforced
def test_the_form_with_four_limits_is_parsed(client, path):
    make_quota(client, path, b"count=4,bytes=20=;byteHardLimit=20;countHardLimit=4")
    assert [create_err(client, path + "/n%d" % n) for n in range(4)] == [OK] * 3 + [QUOTA_EXCEEDED]
    assert set_err(client, path + "/n0", b"x" * 21) == QUOTA_EXCEEDED
    assert set_err(client, path + "/n0", b"x" * 20) == OK


@enforced
@pytest.mark.parametrize(
    "limits",
    [
        b"count=-1,bytes=-1,countHardLimit=2",
        b"countHardLimit=2",
        b"countHardLimit=2;other=7",
        b"countHardLimit=2;;,count=1,;",
        b"count==5,bytes=-1=;countHardLimit=2=7",
    ],
)
def test_limits_are_parsed_in_every_form_that_java_parses(client, path, limits):
    make_quota(client, path, limits)
    assert create_err(client, path + "/a") == OK
    assert create_err(client, path + "/b") == QUOTA_EXCEEDED


# real server: an empty value is -1 only where another = follows ("count==5"); "count=" and a
# separator in front of the first pair do not parse.
@enforced
@pytest.mark.parametrize(
    "limits", [b"countHardLimit=many", b"countHardLimit", b"count=,bytes=1", b",count=1"]
)
def test_limits_that_do_not_parse_answer_marshalling_error(client, path, limits):
    make_quota(client, path, limits)
    assert create_err(client, path + "/a") == MARSHALLING_ERROR
    client.set_data(QUOTA + path + "/zookeeper_limits", b"countHardLimit=9")
    assert create_err(client, path + "/a") == OK


@enforced
def test_deleting_the_limits_ends_the_quota(client, path):
    make_quota(client, path, b"countHardLimit=1")
    assert create_err(client, path + "/a") == QUOTA_EXCEEDED
    client.delete(QUOTA + path + "/zookeeper_stats")
    client.delete(QUOTA + path + "/zookeeper_limits")
    assert create_err(client, path + "/a") == OK


@enforced
def test_several_creates_of_one_multi_may_overshoot(client, path):
    make_quota(client, path, b"countHardLimit=2")
    ops = [(CREATE, create_request(path + "/n%d" % n)) for n in range(3)]
    assert [r.err for r in client.multi(*ops)] == [OK] * 3
    assert stats(client, path) == (4, 0)
    results = client.multi((SET_DATA, set_data_request(path)), (CREATE, create_request(path + "/m")))
    assert [r.err for r in results] == [OK, QUOTA_EXCEEDED]


def test_usage_is_computed_again_at_start(start_server):
    server = start_server()
    with server.client() as client:
        client.create("/q", b"12")
        make_quota(client, "/q", b"count=10,bytes=10")
        client.create("/q/a", b"345")
        assert stats(client, "/q") == (2, 5)
    server.restart()
    with server.client() as client:
        assert stats(client, "/q") == (2, 5)
        client.create("/q/b", b"6")
        assert stats(client, "/q") == (3, 6)
