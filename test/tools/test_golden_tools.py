"""The recorded calls of ZooKeeper's offline tools, with our scripts on the same files: the same output,
to the byte, and the same exit code. What is said of an uncaught Java exception is ours."""

import os
import re
import subprocess
import tarfile

import pytest

from pylib import replay

TOOLS = replay.load("tools/tools.json")
CASES = {case["id"]: case for case in TOOLS["cases"]}
DATA = os.path.join(replay.GOLDEN, "tools", "data.tar.gz")
STDIN = {
    "txnlog_recover_yes": b"y\n",
    "txnlog_recover_exists": b"y\n",
    "txnlog_recover_no": b"n\n",
    "txnlog_recover_abort": b"a\n",
    "txnlog_recover_other_answer": b"x\ny\n",
    "comparer_interactive": b"\n1\n/x\nfoo\n99\n/nope\n\n\n\n\n",
}
# An empty dataDir: ZooKeeper names the current directory.
OWN_WORDS = {"cleanup_count_first"}


@pytest.fixture
def files(tmp_path):
    version2 = tmp_path / "tool_t" / "data" / "version-2"
    version2.parent.mkdir(parents=True)
    with tarfile.open(DATA) as archive:
        archive.extractall(tmp_path)
    (tmp_path / "data").rename(version2)
    damaged = bytearray((version2 / "log.1").read_bytes())
    second = 16 + 12 + int.from_bytes(damaged[24:28], "big") + 1
    damaged[second + 7] ^= 0xFF  # the checksum of the second record
    (tmp_path / "log.bad").write_bytes(damaged)
    for name, text in {
        "tc": "tickTime=2000\ndataDir=%s\n" % (tmp_path / "tc" / "data"),
        "tcl": "dataDir=%s\nclientPort=24015\n" % version2.parent,
        "tcl2": "dataDir=/none/x\n",
        "tcl3": "tickTime=1\n",
    }.items():
        (tmp_path / name / "conf").mkdir(parents=True)
        (tmp_path / name / "conf" / "zoo.cfg").write_text(text)
    return tmp_path


def run(name, tmp_path):
    case = CASES[name]
    env = {key: replay.put_in(value, tmp_path) for key, value in case["env"].items()}
    argv = [replay.put_in(word, tmp_path) for word in case["argv"]]
    return replay.Call(argv, tmp_path, env, STDIN.get(name, b""))


def without_times(text):
    text = re.sub(r"in \d+\.\d+ seconds", "in S seconds", text)
    return re.sub(r'"timestamp":\d+', '"timestamp":0', text)


def check(name, tmp_path):
    case, call = CASES[name], run(name, tmp_path)
    want = replay.put_in(case.get("raw_stdout", case["stdout"]), tmp_path)
    recorded_in = "/var/lib/zk"
    got = without_times(call.out)
    want = without_times(replay.without_java(want)).replace(recorded_in, str(tmp_path))
    if name.startswith("cleanup"):  # times are of these copies; the order is a hash table's
        assert sorted(os.path.basename(x) for x in got.split("\n")) == sorted(
            os.path.basename(x) for x in want.split("\n")
        ) or name in OWN_WORDS
    else:
        assert got == want
    assert call.code == case["exit_code"]
    want_err = replay.put_in(case["stderr"], tmp_path)
    if want_err.startswith("Exception in"):
        assert call.err.strip() != "" and "\tat " not in call.err
    elif name not in OWN_WORDS:
        assert call.err == want_err


@pytest.mark.parametrize(
    "name", [n for n in CASES if "recover" not in n and n not in (
        "txnlog_fixed_ok", "txnlog_dump_chopped", "cleanup_again")]
)
def test_it_prints_what_java_printed(name, files):
    check(name, files)


@pytest.mark.parametrize("name", ["yes", "no", "abort", "other_answer", "force", "verbose"])
def test_a_repair_asks_and_prints_as_java_does(name, files):
    check("txnlog_recover_" + name, files)
    assert (files / "log.bad.fixed").exists() == (name != "abort")


def test_a_repaired_log_is_whole_and_a_second_repair_is_refused(files):
    before = (files / "log.bad").read_bytes()
    check("txnlog_recover_yes", files)
    check("txnlog_recover_exists", files)
    check("txnlog_fixed_ok", files)
    whole = (files / "tool_t/data/version-2/log.1").read_bytes().rstrip(b"\0")
    assert (files / "log.bad.fixed").read_bytes() == whole
    assert (files / "log.bad").read_bytes() == before


def test_a_chopped_log_ends_with_its_zxid(files):
    check("txnlog_chop", files)
    assert TOOLS["chopped_name"] == ["log.1.chopped3"]
    check("txnlog_dump_chopped", files)


def test_a_chop_at_a_zxid_that_is_not_there_leaves_no_file(files):
    check("txnlog_chop_absent_zxid", files)
    assert not [f for f in os.listdir(files / "tool_t/data/version-2") if "chopped" in f]


def test_cleaning_keeps_what_java_keeps_and_a_second_time_does_nothing(files):
    check("cleanup_n_3", files)
    assert sorted(os.listdir(files / "tool_t/data/version-2")) == TOOLS["files_after_cleanup"]
    check("cleanup_again", files)


def test_damage_is_told_with_its_offset_and_what_was_read(files):
    path = files / "log.damaged"
    data = bytearray((files / "tool_t/data/version-2/log.1").read_bytes())
    second = 16 + 12 + int.from_bytes(data[24:28], "big") + 1
    data[second + 8:second + 12] = b"\x7f\xff\xff\xff"
    path.write_bytes(data)
    call = replay.Call([replay.script("zkTxnLogToolkit.sh"), str(path)], files)
    assert call.code == 1
    assert "impossible length at offset %d; 1 transactions" % second in call.err
    call = replay.Call([replay.script("zkTxnLogToolkit.sh"), "-r", "-y", str(path)], files)
    assert call.code == 1 and not (files / "log.damaged.fixed").exists()


def test_a_damaged_snapshot_is_refused_with_a_reason(files):
    path = files / "tool_t/data/version-2/snapshot.22"
    data = bytearray(path.read_bytes())
    data[200] ^= 1
    path.write_bytes(data)
    call = replay.Call([replay.script("zkSnapShotToolkit.sh"), str(path)], files)
    assert call.code == 1 and call.out == "" and "snapshot.22: damaged: " in call.err


def test_a_summary_counts_descendants_and_bytes_down_to_a_depth(files):
    path = str(files / "tool_t/data/version-2/snapshot.22")
    call = replay.Call([replay.script("zkSnapshotRecursiveSummaryToolkit.sh"), path, "/", "1"], files)
    assert call.code == 0
    lines = call.out.split("\n")
    assert lines[:3] == [" /", "   children: 32", "   data: 69"]
    at = lines.index("-- /x")
    assert lines[at + 1:at + 3] == ["--   children: 21", "--   data: 54"]
    assert lines[-2:] == ["", ""] and not any("/x/0" in line for line in lines)
    for words in ([path, "/"], [path, "/", "x"], []):
        call = replay.Call([replay.script("zkSnapshotRecursiveSummaryToolkit.sh")] + words, files)
        assert call.code == 2 and call.err.startswith("USAGE:\n")
    call = replay.Call([replay.script("zkSnapshotRecursiveSummaryToolkit.sh"), path, "/no", "0"], files)
    assert call.code == 1 and "there is no node /no" in call.err


def test_ctrl_c_at_the_question_of_a_repair_leaves_no_file(files):
    process = subprocess.Popen([replay.script("zkTxnLogToolkit.sh"), "-r", "log.bad"], cwd=str(files),
                               env=replay.environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               stderr=subprocess.DEVNULL)
    assert replay.interrupt_at(process, process.stdout, b"Would you like to fix it") == 130
    assert sorted(p.name for p in files.iterdir() if p.name.startswith("log.")) == ["log.bad"]
