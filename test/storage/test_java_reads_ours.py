"""A directory that Paddock wrote starts under the real Java server with the same content, and one
that Java went on with starts here again; an independent reader agrees with both."""

import glob
import gzip
import importlib.util
import os
import re
import shutil
import types

import pytest

from pylib.servers import REPO, Server

import workload

PROPS = {"zookeeper.extendedTypesEnabled": "true"}
CONFIG = {"snapCount": 100, "maxClientCnxns": 0, "maxSessionTimeout": workload.LONG_MS}


TRAILER_BYTES = 24


def plain_reader():
    path = os.path.join(REPO, "test", "golden", "storage", "zkstore.py")
    spec = importlib.util.spec_from_file_location("zkstore", path)
    reader = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(reader)
    return reader


def independent_reader():
    """One that, as Java, does not look behind the digest, nor at digests of another version."""
    reader = plain_reader()
    parse = reader.parse_txn

    def parse_txn(payload):
        header, txn, digest, left = parse(payload)
        if digest is not None and digest[0] == 0:
            digest = None
        return header, txn, digest, 0 if left == TRAILER_BYTES else left

    def decompress(raw):
        try:
            return gzip.decompress(raw)
        except EOFError as error:  # Java was stopped while it wrote this one: the one before counts
            raise AssertionError from error

    reader.parse_txn = parse_txn
    reader.gzip = types.SimpleNamespace(decompress=decompress)
    return reader


def start(target, data_dir, config):
    return Server(target, {**CONFIG, **config}, PROPS, data_dir=data_dir)


def check_same(got, want):
    assert sorted(got) == sorted(want)
    for path in want:
        assert got[path] == want[path], path


def digest_mismatches(server):
    return int(re.search(r"zk_digest_mismatches_count\t(\d+)", server.four_letter("mntr").decode())[1])


@pytest.mark.parametrize(
    "how, config",
    [
        pytest.param("stop", {}, id="stop"),
        pytest.param("kill", {}, id="kill"),
        pytest.param("stop", {"snapshot.compression.method": "gz", "preAllocSize": 128}, id="gz"),
        pytest.param("kill", {"snapshot.compression.method": "snappy", "preAllocSize": 0}, id="snappy"),
        pytest.param("kill", {"snapCount": 1000000, "txnLogSizeLimitInKb": 300}, id="log-size-limit"),
        pytest.param("stop", {"digest.enabled": "false"}, id="no-digest"),
        pytest.param("kill", {"closeSessionTxn.enabled": "false"}, id="no-paths"),
        pytest.param(
            "stop", {"closeSessionTxn.enabled": "false", "digest.enabled": "false"}, id="no-paths-no-digest"
        ),
    ],
)
def test_java_goes_on_where_paddock_stopped_and_the_other_way_round(tmp_path, how, config):
    data_dir = str(tmp_path / "data")
    config = dict(config)
    props = dict(PROPS)
    for key in ("digest.enabled", "closeSessionTxn.enabled"):
        if key in config:
            props["zookeeper." + key] = config.pop(key)
    if "snapshot.compression.method" in config:
        props["zookeeper.snapshot.compression.method"] = config.pop("snapshot.compression.method")
    java_config = dict(config)
    if "zookeeper.closeSessionTxn.enabled" in props:
        # ZOOKEEPER-3145: Java's snapshot may be written while a session closes, and without the
        # paths in the log nobody then knows what the close did to the parent's pzxid.
        java_config["snapCount"] = 1000000
    right_digests = 0
    for life, target in enumerate(["paddock", "java", "paddock", "java"]):
        own = java_config if target == "java" else config
        with Server(target, {**CONFIG, **own}, props, data_dir=data_dir) as server:
            if target == "java":
                assert digest_mismatches(server) == 0
            if life > 0:
                check_same(workload.tree(server), nodes)
                assert workload.ephemerals(server) == ephemerals
            modes = workload.JAVA_MODES if target == "java" else workload.MODES
            work = workload.Workload(server, seed=life, modes=modes)
            work.run(150)
            if life == 0:
                work.quota()
            nodes, ephemerals = workload.tree(server), workload.ephemerals(server)
            zxid = workload.zxid(server)
            work.leave()
            getattr(server, how)()
            tree = independent_reader().restore(os.path.join(data_dir, "version-2"))
            assert tree.last == zxid
            _, right, wrong = tree.stats
            assert wrong == 0
            right_digests += right
    # Of all lives: a single one can end with a snapshot and one record, of a kind without a digest.
    assert (right_digests > 0) == ("zookeeper.digest.enabled" not in props)


def test_our_trailers_are_there_and_java_does_not_mind(tmp_path):
    """Guards the test above: what Java read really had the trailer."""
    plain = plain_reader()
    data_dir = str(tmp_path / "data")
    with start("paddock", data_dir, {}) as server:
        with server.client() as client:
            client.create("/a", b"a")
            client.call(1, b"\0\0\0\2/a\xff\xff\xff\xff\0\0\0\0\0\0\0\0")
            client.call(2, b"\0\0\0\2/b\xff\xff\xff\xff")  # fails: an error record
        server.kill()
        (log,) = glob.glob(os.path.join(data_dir, "version-2", "log.*"))
        records = plain.read_log(log)["recs"]
        assert len(records) >= 3
        prev, types = 0, set()
        for _, crc, adler, end, payload in records:
            assert crc == adler and end == b"B"
            header, _, digest, left = plain.parse_txn(payload)
            types.add(header["type"])
            assert left == TRAILER_BYTES
            assert digest[0] == 2  # error records, too: Java's have none, but no room then
            assert int.from_bytes(payload[-24:-16], "big") == prev
            prev = header["zxid"]
        assert -1 in types
    copy = str(tmp_path / "copy")
    shutil.copytree(data_dir, copy)
    with start("java", copy, {}) as java:
        assert digest_mismatches(java) == 0
        assert workload.tree(java)["/a"][0] == b"a"
