"""Data directories of real servers under our program: what a client sees is what it saw of Java,
and what is refused is refused with exit status and a sentence that helps."""

import base64
import glob
import json
import os
import re
import tarfile

import pytest

from pylib.servers import REPO, Server, StartFailed

import workload

GOLDEN = os.path.join(REPO, "test", "golden", "storage")
PROPS = {"zookeeper.extendedTypesEnabled": "true", "zookeeper.skipACL": "yes"}
REFUSED = {
    "log-corrupt-middle": r"log\.12 is damaged at byte \d+, after transaction 0x\w+: wrong checksum",
    "log-corrupt-older-read": r"log\.9 is damaged at byte \d+",
    "log-corrupt-eor-middle": r"after transaction 0x15: no end-of-record byte, with whole records",
    "snap-none-with-logs": r"There is no snapshot, but there are log files",
}
JAVA_CANNOT = {"java-bug-closesession-body-off": 0x8, "java-bug-toplevel-check": 0x3}
SEVERAL = {"ensemble-3-epochs", "sync-trunc-before-after"}  # test_golden_storage.c has them
NAMES = sorted(
    os.path.basename(path)[: -len(".tar.gz")] for path in glob.glob(GOLDEN + "/*.tar.gz")
)


def expected(name):
    with open(os.path.join(GOLDEN, name + ".expected.json")) as file:
        want = json.load(file)
    return want.get("java-3.9.5", want)


def server_over(name, tmp_path, **props):
    with tarfile.open(os.path.join(GOLDEN, name + ".tar.gz")) as archive:
        archive.extractall(tmp_path)
    config = {"maxSessionTimeout": 2000000000, "maxClientCnxns": 0}
    return Server("paddock", config, {**PROPS, **props}, data_dir=str(tmp_path / "data"))


def test_there_are_archives():
    assert len(NAMES) == 28


@pytest.mark.parametrize("name", [n for n in NAMES if n not in REFUSED and n not in SEVERAL])
def test_a_client_sees_what_it_saw_of_java(name, tmp_path):
    want = expected(name)
    props = want["properties"] if "properties" in want else {}
    with server_over(name, tmp_path, **props) as server:
        if name in JAVA_CANNOT:
            assert workload.zxid(server) == JAVA_CANNOT[name]
            return
        assert workload.zxid(server) == int(want["highest_zxid_at_load"], 16)
        nodes = workload.tree(server)
        assert sorted(nodes) == sorted(want["nodes"])
        for path, node in want["nodes"].items():
            data, stat, acl, children = nodes[path]
            assert data == (None if node["data"] is None else base64.b64decode(node["data"])), path
            names = (
                "czxid mzxid ctime mtime version cversion aversion ephemeralOwner dataLength "
                "numChildren pzxid"
            ).split()
            assert stat == tuple(node["stat"][field] for field in names), path
            assert acl == [(a["perms"], a["scheme"], a["id"]) for a in node["acl"]], path
            assert children == sorted(node["children"]), path
        assert ("digest of the tree" in server.log()) == want["digest_mismatch_logged"]


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_damage_is_refused_with_a_reason(name, tmp_path):
    with pytest.raises(StartFailed) as failure:
        with server_over(name, tmp_path):
            pass
    assert "exit status 1" in str(failure.value)
    assert re.search(REFUSED[name], str(failure.value))
