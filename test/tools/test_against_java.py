"""The same files under ZooKeeper's own offline tools and ours: every transaction and snapshot of the
recorded data directories prints the same."""

import concurrent.futures
import os
import re
import subprocess
import tarfile

import pytest

from pylib import replay
from pylib.servers import JAVA_CLASSPATH, JAVA_FLAGS, paddock_program

CLASSES = {
    "txnlog-toolkit": "org.apache.zookeeper.server.persistence.TxnLogToolkit",
    "snapshot-toolkit": "org.apache.zookeeper.server.SnapshotFormatter",
    "snapshot-comparer": "org.apache.zookeeper.server.SnapshotComparer",
}
ARCHIVES = (
    "standalone-rich", "snap-395", "snap-gz", "snap-snappy", "fuzzy-snapshot", "legacy-34",
    "ensemble-3-epochs", "log-corrupt-middle", "log-torn-truncated",
)
RICH = "standalone-rich/data/version-2/"
CALLS = [
    ("txnlog-toolkit", [RICH + "log.1"], b""),
    ("txnlog-toolkit", ["-d", RICH + "log.4e"], b""),
    ("txnlog-toolkit", ["legacy-34/data/version-2/log.1"], b""),
    ("txnlog-toolkit", ["ensemble-3-epochs/data/server1/version-2/log.200000009"], b""),
    ("txnlog-toolkit", ["log-corrupt-middle/data/version-2/log.12"], b""),
    ("txnlog-toolkit", ["log-torn-truncated/data/version-2/log.12"], b""),
    ("txnlog-toolkit", ["-rq", "x"], b""),
    ("txnlog-toolkit", ["-z"], b""),
    ("snapshot-toolkit", ["-d", RICH + "snapshot.4d"], b""),
    ("snapshot-toolkit", ["-json", RICH + "snapshot.4d"], b""),
    ("snapshot-toolkit", ["-d", "snap-395/data/version-2/snapshot.64"], b""),
    ("snapshot-toolkit", ["snap-gz/data/version-2/snapshot.64.gz"], b""),
    ("snapshot-toolkit", ["-d", "snap-snappy/data/version-2/snapshot.64.snappy"], b""),
    ("snapshot-toolkit", ["fuzzy-snapshot/data/version-2/snapshot.28"], b""),
    ("snapshot-toolkit", ["-d", "ensemble-3-epochs/data/server3/version-2/snapshot.200000011"], b""),
    ("snapshot-comparer", ["-l", "snap-395/data/version-2/snapshot.64", "-r", RICH + "snapshot.4d",
                           "-b", "2", "-n", "1", "-d"], b""),
    ("snapshot-comparer", ["-r", "snap-395/data/version-2/snapshot.64", "-l", RICH + "snapshot.4d",
                           "--bytes=100", "-n1"], b""),
    ("snapshot-comparer", ["-l", RICH + "snapshot.4d", "-r", RICH + "snapshot.0", "-b", "2", "-n", "1",
                           "-i"], b"2\n/zookeeper\n1\n/app\n-1\n+1\n\n\n\n\n\n\n"),
]


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """Every call with both programs: {(tool, words): (Java's answer, ours)}."""
    folder = tmp_path_factory.mktemp("files")
    for name in ARCHIVES:
        with tarfile.open(os.path.join(replay.GOLDEN, "storage", name + ".tar.gz")) as archive:
            archive.extractall(folder / name)
    log = folder / "quiet.xml"
    log.write_text("<configuration><root level='OFF'/></configuration>")

    def run(call):
        tool, words, stdin = call
        env = replay.environment()
        java = ["java", *JAVA_FLAGS, "-Dlogback.configurationFile=%s" % log, "-cp", JAVA_CLASSPATH]
        return [
            subprocess.run(
                argv + words, input=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                cwd=folder, env=env, timeout=60,
            )
            for argv in (java + [CLASSES[tool]], [paddock_program(), tool])
        ]

    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(run, CALLS))
    return {(tool, *words): pair for (tool, words, _), pair in zip(CALLS, answers)}


def without_times(text):
    text = re.sub(rb"in \d+\.\d+ seconds", b"in S seconds", text)
    return re.sub(rb'"timestamp":\d+', b'"timestamp":0', text).split(b"\n")


@pytest.mark.parametrize("call", CALLS, ids=lambda call: " ".join([call[0], *call[1]]))
def test_the_same_call_prints_the_same(call, both):
    java, ours = both[(call[0], *call[1])]
    assert without_times(ours.stdout) == without_times(java.stdout)
    assert ours.returncode == java.returncode
