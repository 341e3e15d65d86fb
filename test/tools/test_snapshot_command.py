"""`paddock snapshot`: dump, verify, stats and compare, on snapshots that Java wrote and on ours."""

import base64
import json
import random
import shutil

import pytest

from pylib import offline, snapshot
from pylib.offline import Call
from pylib.servers import Server


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    names = ("standalone-rich", "snap-395", "snap-gz", "snap-snappy", "legacy-34", "fuzzy-snapshot")
    return {name: offline.unpack(name, folder) / "version-2" for name in names}


def rows_of(*words):
    call = Call("snapshot", "dump", "--json", *words)
    assert call.code == 0, call.err
    return [json.loads(line) for line in call.lines]


def nodes_of(*words):
    return {row["path"]: row for row in rows_of(*words) if "path" in row}


# --- dump

def test_plain_gzip_and_snappy_print_the_same(data):
    gzip = data["snap-gz"] / "snapshot.64.gz"
    snappy = data["snap-snappy"] / "snapshot.64.snappy"
    one, other = nodes_of("--data", gzip), nodes_of("--data", snappy)
    other["/zookeeper/config"]["mtime"] = one["/zookeeper/config"]["mtime"]  # two servers
    assert len(one) == 58
    for path in one:
        for row in (one[path], other[path]):
            row.pop("ctime"), row.pop("mtime")
    assert one == other
    plain = nodes_of("--data", data["snap-395"] / "snapshot.64")
    assert {p: n["data_base64"] for p, n in plain.items()} == {p: n["data_base64"] for p, n in one.items()}


def test_a_znode_has_its_stat_its_list_and_its_data(data):
    node = nodes_of("--data", "--path", "/app/binary", data["standalone-rich"])["/app/binary"]
    assert base64.b64decode(node["data_base64"]) == bytes(range(256))
    assert node["czxid"] == "0x5" and node["version"] == 0 and node["owner"] == "0x0"
    assert node["acl"] == [{"scheme": "world", "id": "anyone", "perms": "cdrwa"}]
    call = Call("snapshot", "dump", data["standalone-rich"])
    assert call.lines[0] == "session 0x100001bf7f40000 timeout 1500000000 ms"
    assert call.lines[2].startswith("/app czxid 0x2 mzxid 0x2 pzxid 0x4a ctime 2026-11-21T01:39:05.959Z ")
    assert call.lines[2].endswith(" version 0 cversion 8 aversion 0 acl world:anyone:cdrwa 11 bytes")


FILTERS = [
    (["--path", "/app"], lambda r: r["path"] == "/app"),
    (["--path", "/"], lambda r: r["path"] == "/"),
    (["--prefix", "/app"], lambda r: (r["path"] + "/").startswith("/app/")),
    (["--prefix", "/ap"], lambda r: False),
    (["--prefix", "/"], lambda r: True),
    (["--zxid", "0x10..0x20"], lambda r: any(0x10 <= r[k] <= 0x20 for k in ("czxid", "mzxid", "pzxid"))),
    (["--session", "0x100001bf7f40000"], lambda r: r["owner"] == "0x100001bf7f40000"),
    (["--session", "1"], lambda r: False),
    (["--prefix", "/app", "--zxid", "5"],
     lambda r: (r["path"] + "/").startswith("/app/") and 5 in (r["czxid"], r["mzxid"], r["pzxid"])),
]


@pytest.mark.parametrize("words,fits", FILTERS, ids=lambda x: " ".join(x) if isinstance(x, list) else "")
def test_a_filter_lets_through_what_fits_and_nothing_else(words, fits, data):
    rows = nodes_of(data["standalone-rich"]).values()
    for row in rows:
        for key in ("czxid", "mzxid", "pzxid"):
            row[key] = int(row[key], 16)
    want = [row["path"] for row in rows if fits(row)]
    assert list(nodes_of(*words, data["standalone-rich"])) == want


def test_names_cannot_break_a_line_or_the_json(tmp_path):
    path = snapshot.write_snapshot(str(tmp_path), {'/a\n"b\\': {"data": b"\xff\n"}})
    assert '/a\n"b\\' in nodes_of(path)
    assert any(line.startswith('/a\\n"b\\ czxid') for line in Call("snapshot", "dump", path).lines)


# --- verify and damage

def test_every_release_and_compression_is_verified(data):
    for name, words in {
        "snap-gz": "snapshot.64.gz: 58 znodes, 108269 bytes (2180 in the file), highest zxid in it 0x64, "
                   "digest 0x1d2af8636c at 0x64",
        "snap-snappy": "snapshot.64.snappy: 58 znodes, 108269 bytes (7696 in the file)",
        "legacy-34": "snapshot.0: 3 znodes, 296 bytes",
        "fuzzy-snapshot": "snapshot.28: 45 znodes, 107149 bytes, highest zxid in it 0x4d",
    }.items():
        call = Call("snapshot", "verify", data[name])
        assert call.code == 0 and words in call.out


@pytest.mark.parametrize("name,at,words", [
    ("snapshot.4d", 300, "damaged at byte 107103: wrong seal: its bytes have changed; 45 znodes"),
    ("snapshot.4d", 0, "damaged at byte 0: no snapshot header; 0 znodes before it were read"),
])
def test_a_changed_byte_is_found(name, at, words, data, tmp_path):
    bytes_ = bytearray((data["standalone-rich"] / name).read_bytes())
    bytes_[at] ^= 0x55
    (tmp_path / name).write_bytes(bytes_)
    for command in ("verify", "dump", "stats"):
        call = Call("snapshot", command, tmp_path / name)
        assert call.code == 1 and words in call.err
    assert Call("snapshot", "compare", tmp_path / name, tmp_path / name).code == 3


@pytest.mark.parametrize("name", ["snap-gz/snapshot.64.gz", "snap-snappy/snapshot.64.snappy",
                                  "snap-395/snapshot.64"])
def test_a_snapshot_that_was_cut_anywhere_is_refused(name, data, tmp_path):
    folder, file = name.split("/")
    whole = (data[folder] / file).read_bytes()
    places = random.Random(8).sample(range(len(whole)), 20)
    for size in places:
        (tmp_path / file).write_bytes(whole[:size])
        call = Call("snapshot", "verify", tmp_path / file)
        # The last section of 3.9 may be missing as a whole: older releases have none.
        assert call.code == 1 and "damaged at byte " in call.err, size


# --- stats

def test_stats_count_what_is_large(data):
    stats = json.loads(Call("snapshot", "stats", "--json", "--top", "100", data["standalone-rich"]).out)
    nodes = nodes_of(data["standalone-rich"])
    assert stats["znodes"] == len(nodes) == 45
    assert stats["data_bytes"] == sum(n["data_bytes"] for n in nodes.values())
    want = sorted((-n["data_bytes"], p) for p, n in nodes.items())
    got = [(-e["bytes"], e["name"]) for e in stats["largest"]["entries"]]
    assert [b for b, _ in got] == [b for b, _ in want] and set(got) == set(want)
    children = {}
    for path in nodes:
        if path != "/":
            parent = path.rsplit("/", 1)[0] or "/"
            children[parent] = children.get(parent, 0) + 1
    assert {e["name"]: e["count"] for e in stats["most_children"]["entries"]} == children
    assert [(e["name"], e["count"]) for e in stats["sessions_by_ephemerals"]["entries"]] == [
        ("0x100001bf7f40000", stats["ephemerals"])]
    short = json.loads(Call("snapshot", "stats", "--json", "--top", "3", data["standalone-rich"]).out)
    assert [e["bytes"] for e in short["largest"]["entries"]] == [-b for b, _ in want[:3]]


def test_a_large_snapshot_needs_no_more_memory_than_a_small_one(tmp_path):
    def make(name, parents, children):
        nodes = {}
        for i in range(parents):
            nodes["/p%d" % i] = {}
            for j in range(children):
                nodes["/p%d/c%d" % (i, j)] = {"data": b"x" * 4000}
        return snapshot.write_snapshot(str(tmp_path / name), nodes)
    small, large = make("small", 10, 20), make("large", 100, 250)
    for words in (["dump"], ["dump", "--json", "--data"], ["verify"], ["stats"]):
        for path in (small, large):
            call = offline.call_within(40000, "snapshot", *words, path)
            assert call.code == 0 and call.err == "", words


# --- compare

def test_equal_snapshots_of_both_servers_are_equal(tmp_path):
    """Java's own snapshot, and the one that Paddock writes after it has loaded Java's data."""
    with Server("java") as java:
        with java.client() as client:
            for i in range(20):
                client.create("/n%d" % i, b"x" * i)
        java.restart()
        java.stop()
        newest = sorted((tmp_path.__class__(java.data_dir) / "version-2").glob("snapshot.*"),
                        key=lambda p: int(p.name.split(".")[1], 16))[-1]
        shutil.copy(newest, tmp_path / newest.name)
        with Server("paddock", {"snapshot.compression.method": "gz"}, data_dir=java.data_dir) as ours:
            ours.stop()
        call = Call("snapshot", "compare", tmp_path / newest.name, java.data_dir)
        assert call.code == 0 and call.err == "" and ", 0 differ, 0 only in " in call.out


def test_differences_are_named(tmp_path):
    both = {"/same": {"data": b"s"}, "/a": {"data": b"1", "version": 1, "mzxid": 5}}
    one = snapshot.write_snapshot(str(tmp_path / "one"), {**both, "/left": {}}, sessions={1: 1000, 2: 5})
    other = snapshot.write_snapshot(
        str(tmp_path / "other"),
        {**both, "/a": {"data": b"222", "version": 2, "mzxid": 9, "acl": 2}, "/right": {}},
        sessions={1: 2000, 3: 5})
    call = Call("snapshot", "compare", one, other)
    assert call.code == 1 and call.err == ""
    assert sorted(call.lines) == sorted([
        "differs: /a: data 1->3 bytes acl world:anyone:cdrwa->world:anyone:r version 1->2 mzxid 0x5->0x9",
        "differs: session 0x1: timeout 1000->2000 ms",
        "only in %s: /left" % one, "only in %s: /right" % other,
        "only in %s: session 0x2" % one, "only in %s: session 0x3" % other,
        "5 the same, 2 differ, 2 only in %s, 2 only in %s" % (one, other),
    ])
    assert Call("snapshot", "compare", "--path", "/same", one, other).code == 0
    assert Call("snapshot", "compare", one, one).code == 0
    call = Call("snapshot", "compare", tmp_path / "one", tmp_path / "other")  # directories
    assert call.code == 1 and "differs: /a:" in call.out


# --- wrong words

@pytest.mark.parametrize("words", [
    [], ["nonsense"], ["dump"], ["dump", "a", "b"], ["dump", "--nope", "x"], ["stats", "--top", "-1", "x"],
    ["verify"], ["compare", "x"], ["dump", "--path", "relative", "x"], ["stats", "--data", "x"],
    ["dump", "--session", "zz", "x"], ["dump", "--zxid", "1..2..3", "x"],
], ids=" ".join)
def test_wrong_words_get_usage_on_stderr_and_exit_2(words, tmp_path):
    call = Call("snapshot", *words, cwd=tmp_path)
    assert call.code == 2 and call.out == "" and "usage: paddock snapshot" in call.err


@pytest.mark.parametrize("command", ["dump", "verify", "stats"])
def test_a_missing_file_is_named(command, tmp_path):
    call = Call("snapshot", command, tmp_path / "none")
    assert call.code == 3 and call.err == "paddock: %s/none: no such file or directory\n" % tmp_path
    call = Call("snapshot", command, tmp_path)
    assert call.code == 3 and "no snapshot is in it" in call.err
