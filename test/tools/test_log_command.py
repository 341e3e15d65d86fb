"""`paddock log`: dump, verify, stats, compare and repair, on logs that Java wrote and on ours."""

import base64
import json
import shutil
import subprocess

import pytest

from pylib import offline, replay
from pylib.offline import Call
from pylib.servers import Server, paddock_program

RICH = "standalone-rich"


@pytest.fixture(scope="module")
def rich(tmp_path_factory):
    return offline.unpack(RICH, tmp_path_factory.mktemp("rich"))


@pytest.fixture
def golden(tmp_path):
    return lambda name: offline.unpack(name, tmp_path)


def zxids(call):
    return [int(line.split()[0], 16) for line in call.lines]


# --- dump

def test_text_has_a_line_for_each_transaction_in_order(rich):
    call = Call("log", "dump", rich)
    assert call.code == 0 and call.err == ""
    assert zxids(call) == list(range(1, 0x65))
    assert call.lines[1].endswith(" session 0x100001bf7f40000 cxid 1 create /app 11 bytes")
    assert "timeout 1500000000 ms" in call.lines[0]


def test_json_has_what_text_has_and_the_place_in_the_file(rich):
    call = Call("log", "dump", "--json", "--data", rich)
    rows = [json.loads(line) for line in call.lines]
    assert [int(row["zxid"], 16) for row in rows] == list(range(1, 0x65))
    binary = next(row for row in rows if row.get("path") == "/app/binary" and row["type"] == "create")
    assert base64.b64decode(binary["data_base64"]) == bytes(range(256))
    assert binary["file"] == "log.1" and binary["offset"] == 402
    assert binary["acl"] == [{"scheme": "world", "id": "anyone", "perms": "cdrwa"}]
    multi = next(row for row in rows if row["type"] == "multi")
    assert all("type" in op for op in multi["ops"])
    assert "data_base64" not in Call("log", "dump", "--json", rich).out


FILTERS = [
    (["--zxid", "0x10..0x20"], lambda r: 0x10 <= r["zxid"] <= 0x20),
    (["--zxid", "0x60.."], lambda r: r["zxid"] >= 0x60),
    (["--zxid", "..3"], lambda r: r["zxid"] <= 3),
    (["--zxid=77"], lambda r: r["zxid"] == 77),
    (["--session", "0x100001bf7f40000"], lambda r: r["session"] == 0x100001BF7F40000),
    (["--session", str(0x100001BF9A20000)], lambda r: r["session"] == 0x100001BF9A20000),
    (["--path", "/app"], lambda r: "/app" in r["paths"]),
    (["--path", "/no"], lambda r: False),
    (["--prefix", "/app"], lambda r: any((p + "/").startswith("/app/") for p in r["paths"])),
    (["--prefix", "/ap"], lambda r: False),
    (["--prefix", "/"], lambda r: r["paths"]),
    (["--prefix", "/app", "--zxid", "..5", "--session", "0x100001bf7f40000"],
     lambda r: r["zxid"] <= 5 and any((p + "/").startswith("/app/") for p in r["paths"])),
]


def paths_of(row):
    parts = [row] + row.get("ops", [])
    return [part["path"] for part in parts if "path" in part] + row.get("deleted", [])


@pytest.mark.parametrize("words,fits", FILTERS, ids=lambda x: " ".join(x) if isinstance(x, list) else "")
def test_a_filter_lets_through_what_fits_and_nothing_else(words, fits, rich):
    rows = [json.loads(line) for line in Call("log", "dump", "--json", rich).lines]
    for row in rows:
        row.update(zxid=int(row["zxid"], 16), session=int(row["session"], 16), paths=paths_of(row))
    want = [row["zxid"] for row in rows if fits(row)]
    call = Call("log", "dump", *words, rich)
    assert call.code == 0 and zxids(call) == want


def test_our_own_log_reads_like_javas(tmp_path):
    """The same requests to both servers: the same lines, but for times and sessions."""
    lines = {}
    for target in ("java", "paddock"):
        with Server(target) as server:
            with server.client() as client:
                client.create("/a", b"one")
                client.create("/a/b", b"")
                client.set_data("/a", b"x" * 1000)
                client.delete("/a/b")
            server.stop()
            call = Call("log", "dump", server.data_dir)
            assert call.code == 0
            assert Call("log", "verify", server.data_dir).code == 0
            lines[target] = [" ".join(l.split()[4:]) for l in call.lines]
            lines[target] = [line for line in lines[target] if "closeSession" not in line]
    assert lines["paddock"] == lines["java"]
    assert "cxid 3 setData /a version 1 1000 bytes" in lines["java"]


# --- damage

def test_a_torn_tail_is_told_with_offset_expectation_and_what_was_read(golden):
    data = golden("log-torn-truncated")
    for command in ("dump", "verify", "stats"):
        call = Call("log", command, data)
        assert call.code == 1
        assert "log.12: torn at byte 860, where a record of 111 bytes with checksum 0x4de11ab8 is " \
            "expected: the file ends inside a record; 9 transactions before it were read, up to 0x1a; " \
            "no whole transaction stands after it\n" in call.err
    assert zxids(Call("log", "dump", data)) == list(range(1, 0x1B))


def test_damage_in_the_middle_is_told_with_what_stands_after_it(golden):
    call = Call("log", "verify", golden("log-corrupt-middle"))
    assert call.code == 1
    assert "damaged at byte 395, where a record of 93 bytes" in call.err
    assert "wrong checksum; 4 transactions before it were read, up to 0x15; 5 whole transactions " \
        "stand after it, the first one 0x17" in call.err


def test_missing_transactions_are_told(rich, tmp_path):
    shutil.copytree(rich, tmp_path / "data")
    (tmp_path / "data/version-2/log.1").unlink()
    assert Call("log", "verify", tmp_path / "data").code == 0  # a snapshot has them
    records = [offline.record(z, 1, *offline.set_data("/a", b"")) for z in (1, 2, 5)]
    log = offline.write_log(tmp_path / "log.1", records)
    call = Call("log", "verify", log)
    assert call.code == 1 and "0x5 follows 0x2: transactions are missing" in call.err


@pytest.mark.parametrize("bytes_,words", [
    (b"", "empty or cut off at byte 0"),
    (b"something else entirely", "something else stands at byte 0"),
])
def test_what_is_no_log_is_told(bytes_, words, tmp_path):
    (tmp_path / "log.1").write_bytes(bytes_)
    call = Call("log", "dump", tmp_path / "log.1")
    assert call.code == 1 and words in call.err


# --- stats

def test_stats_count_sessions_types_and_paths(rich):
    stats = json.loads(Call("log", "stats", "--json", "--top", "1000", rich).out)
    rows = [json.loads(line) for line in Call("log", "dump", "--json", rich).lines]
    assert stats["transactions"] == 100 and stats["last_zxid"] == "0x64"
    assert stats["bytes"] == sum(row["record_bytes"] for row in rows)
    for name, key in (("types", "type"), ("sessions_by_count", "session")):
        want = {}
        for row in rows:
            count, size = want.get(row[key], (0, 0))
            want[row[key]] = (count + 1, size + row["record_bytes"])
        table = stats[name]
        assert table["missing_count"] == 0
        assert {e["name"]: (e["count"], e["bytes"]) for e in table["entries"]} == want
        assert [e["count"] for e in table["entries"]] == sorted((c for c, _ in want.values()), reverse=True)
    tops = {e["name"]: e["bytes"] for e in stats["top_level_paths"]["entries"]}
    assert tops["/app"] == sum(
        part["data_bytes"] for row in rows for part in [row] + row.get("ops", [])
        if "data_bytes" in part and (part["path"] + "/").startswith("/app/"))
    assert "1         102400  /app/big100k" in Call("log", "stats", rich).out


def large_log(path, count):
    """1,500 bytes a record, every path and session a new one."""
    data = b"x" * 1400
    return offline.write_log(path, (
        offline.record(z, z, *offline.set_data("/top%d/node%d" % (z, z), data))
        for z in range(1, count + 1)))


def test_a_large_log_needs_no_more_memory_than_a_small_one(tmp_path):
    small, large = large_log(tmp_path / "log.1", 3000), large_log(tmp_path / "log.2", 200000)
    assert large.stat().st_size > 280e6
    for words in (["dump"], ["dump", "--json", "--data"], ["verify"], ["compare", small], ["repair"]):
        for log in (small, large):
            call = offline.call_within(40000, "log", *words, log)
            assert call.err == "" and call.code == (1 if words[0] == "compare" and log == large else 0)
    # Its tables are full at 65,536 names; then it says how much may be missing.
    assert offline.call_within(80000, "log", "stats", large).code == 0
    stats = json.loads(Call("log", "stats", "--json", large).out)
    assert 0 < stats["sessions_by_count"]["missing_count"] <= 8


# --- compare

def test_servers_of_one_ensemble_have_the_same_history(golden):
    data = golden("ensemble-3-epochs")
    call = Call("log", "compare", data / "server1", data / "server2")
    assert call.code == 0 and call.out.startswith("70 transactions in both, 0 of them differ")


def test_a_difference_is_shown_with_both_sides(tmp_path):
    def log(name, *pairs):
        return offline.write_log(
            tmp_path / name, [offline.record(z, 1, *offline.set_data("/a", d)) for z, d in pairs])
    one = log("log.1", (1, b"a"), (2, b"b"), (3, b"c"))
    other = log("log.2", (2, b"b"), (3, b"x"), (4, b"d"), (5, b"e"))
    call = Call("log", "compare", one, other)
    assert call.code == 1 and call.err == ""
    assert call.lines[0] == "only in %s: 0x1" % one
    assert call.lines[1] == "differs:"
    assert call.lines[2].endswith('version 1 1 bytes "c"') and call.lines[3].endswith('1 bytes "x"')
    assert call.lines[4] == "only in %s: 0x4 to 0x5, 2 transactions" % other
    assert call.lines[5] == "2 transactions in both, 1 of them differ; 1 only in %s, 2 only in %s" % (
        one, other)
    assert Call("log", "compare", "--zxid", "2", one, other).code == 0


def test_a_damaged_side_is_not_called_equal(golden):
    data = golden("log-torn-truncated") / "version-2"
    assert Call("log", "compare", data / "log.12", data / "log.12").code == 3


# --- repair

def test_a_repair_asks_and_writes_a_new_file(golden):
    torn = golden("log-torn-truncated") / "version-2" / "log.12"
    before = torn.read_bytes()
    for answer in (b"", b"no\n", b"maybe\n"):
        call = Call("log", "repair", torn, stdin=answer)
        assert call.code == 1 and "nothing was changed" in call.err
        assert not torn.with_name("log.12.repaired").exists()
    call = Call("log", "repair", torn, stdin=b"yes\n")
    assert call.code == 0 and torn.read_bytes() == before
    repaired = torn.with_name("log.12.repaired")
    assert repaired.read_bytes() == before[:860]
    assert Call("log", "verify", repaired).code == 0
    call = Call("log", "repair", "--yes", torn)  # the new file is there already
    assert call.code == 3 and "exists already" in call.err


def test_a_repair_in_place_keeps_what_it_cuts_off(golden):
    torn = golden("log-torn-truncated") / "version-2" / "log.12"
    before = torn.read_bytes()
    call = Call("log", "repair", "--yes", "--in-place", torn)
    assert call.code == 0 and torn.read_bytes() == before[:860]
    assert torn.with_name("torn.log.12.860").read_bytes() == before[860:].rstrip(b"\0")
    assert Call("log", "verify", torn.parent).code == 0
    call = Call("log", "repair", "--in-place", torn)
    assert call.code == 0 and "nothing to repair" in call.out


def test_damage_with_transactions_behind_it_is_not_cut_off(golden):
    bad = golden("log-corrupt-middle") / "version-2" / "log.12"
    before = bad.read_bytes()
    for words in (["--yes"], ["--yes", "--in-place"]):
        call = Call("log", "repair", *words, bad)
        assert call.code == 1 and "would lose the transactions after it" in call.err
    assert bad.read_bytes() == before
    assert not bad.with_name("log.12.repaired").exists()


def test_the_file_of_a_running_server_is_not_cut():
    with Server("paddock") as server:
        with server.client() as client:
            client.create("/a", b"")
        log = server.data_dir + "/version-2/log.1"
        call = Call("log", "repair", "--yes", "--in-place", log)
        assert call.code == 3 and "a server uses this directory (process %d)" % server.pid in call.err


# --- wrong words, interruptions

@pytest.mark.parametrize("words", [
    [], ["nonsense"], ["dump"], ["dump", "--nope", "x"], ["dump", "--path", "a", "x"],
    ["dump", "--path", "/a/", "x"], ["dump", "--path", "/a", "--prefix", "/b", "x"],
    ["dump", "--zxid", "5..3", "x"], ["dump", "--zxid", "..", "x"], ["dump", "--zxid", "0xq", "x"],
    ["dump", "--zxid", "-1", "x"], ["dump", "--session", "0x", "x"], ["dump", "--session", "abc", "x"],
    ["stats", "--top", "0", "x"], ["stats", "--top", "many", "x"], ["stats", "--data", "x"],
    ["compare", "x"], ["compare", "x", "y", "z"], ["repair", "x", "y"], ["verify", "--json", "x"],
    ["repair", "--in-place", "--output", "y", "x"], ["dump", "--json=yes", "x"], ["dump", "x", "--path"],
], ids=" ".join)
def test_wrong_words_get_usage_on_stderr_and_exit_2(words, tmp_path):
    call = Call("log", *words, cwd=tmp_path)
    assert call.code == 2 and call.out == "" and "usage: paddock log" in call.err


def test_help_goes_to_stdout():
    for words in (["--help"], ["dump", "--help"], ["repair", "-h"]):
        call = Call("log", *words)
        assert call.code == 0 and call.err == "" and call.out.startswith("usage: paddock log")


@pytest.mark.parametrize("command", ["dump", "verify", "stats", "repair"])
def test_a_missing_file_is_named(command, tmp_path):
    call = Call("log", command, tmp_path / "none")
    assert call.code == 3 and call.err == "paddock: %s/none: no such file or directory\n" % tmp_path
    call = Call("log", "dump", tmp_path)
    assert call.code == 3 and "no transaction log is in it" in call.err


def test_ctrl_c_at_the_question_changes_nothing(golden):
    torn = golden("log-torn-truncated") / "version-2" / "log.12"
    names = sorted(path.name for path in torn.parent.iterdir())
    process = subprocess.Popen([paddock_program(), "log", "repair", str(torn)], stdin=subprocess.PIPE,
                               stderr=subprocess.PIPE, env=replay.environment())
    assert replay.interrupt_at(process, process.stderr, b"(yes/no)") == 130
    assert sorted(path.name for path in torn.parent.iterdir()) == names
