"""Four-letter words, compared with what the real server answered (test/golden/4lw).

The same client state is built as for the recording: one session with three data watches, a child
watch and a persistent one, two ephemeral nodes. What changes from run to run is replaced on both
sides (the list is in the README of the golden files).
"""

import os
import re
import shutil
import socket
import subprocess
import time

import pytest

from pylib import zkwire
from pylib.servers import REPO, Server, paddock_program

GOLDEN = os.path.join(REPO, "test/golden/4lw")
WORDS = "conf cons dump envi ruok srvr stat wchs wchc wchp mntr isro gtmk dirs hash crst srst"
UNKNOWN = "kill reqs orst lsnr rwcf abcd RUOK".split()
DATE = r"[A-Z][a-z]{2} [A-Z][a-z]{2} \d\d \d\d:\d\d:\d\d \w+ \d{4}"
LONE = ("mntr", "envi", "dump", "hash")  # compared by their parts below


def golden(folder, word):
    with open(os.path.join(GOLDEN, folder, word + ".txt"), "rb") as file:
        return file.read().decode()


def normal(text):
    for pattern, to in (
        (r"3\.\d\.\d-\S+, built on \d{4}-\d\d-\d\d \d\d:\d\d UTC", "<VERSION>"),
        (r"/127\.0\.0\.1:\d+", "/127.0.0.1:<PORT>"),
        (r"0x1[0-9a-f]{13,15}\b", "<SID>"),
        (DATE, "<DATE>"),
        (r"(est|lresp|llat|minlat|avglat|maxlat|lcxid|lzxid)=(0x)?[0-9a-f]+", r"\1=<N>"),
        (r"Latency min/avg/max: \d+/\d+\.\d+/\d+", "Latency <N>"),
        (r"(Received|Sent|recved|sent)(: |=)\d+", r"\1\2<N>"),
        (r"Zxid: 0x[0-9a-f]+", "Zxid: <ZXID>"),
        (r"(dataDir|dataLogDir)=\S+/version-2", r"\1=<TMP>/version-2"),
        (r"(dataDirSize|dataLogSize)=\d+", r"\1=<N>"),
        (r"(datadir_size|logdir_size): \d+", r"\1: <N>"),
        (r"clientPort=\d+", "clientPort=<PORT>"),
    ):
        text = re.sub(pattern, to, text)
    return text


def start(**config):
    return Server("paddock", {"tickTime": 2000, **config}).start()


@pytest.fixture(scope="module")
def server():
    with start() as server:
        yield server


@pytest.fixture
def client(server):
    """What the recording's client did."""
    client = server.client()
    client.create("/a", b"data")
    client.create("/eph1", b"x", flags=zkwire.EPHEMERAL)
    client.create("/eph2", b"x", flags=zkwire.EPHEMERAL)
    client.get_data("/a", watch=True)
    client.get_children("/a", watch=True)
    client.exists("/nothere", watch=True)
    client.ok(zkwire.ADD_WATCH, zkwire.watches_request("/rec", 1))
    yield client
    client.delete("/a")
    client.close_session()


def lines_by_connection(text):
    """The order of connections is that of a hash table."""
    return sorted(normal(text).split("\n"))


@pytest.mark.parametrize("word", [w for w in WORDS.split() if w not in LONE])
def test_a_word_answers_as_the_real_server(server, client, word):
    got, want = server.four_letter(word).decode(), golden("standalone", word)
    assert got.endswith("\n") == want.endswith("\n")
    assert lines_by_connection(got) == lines_by_connection(want)


def test_stat_has_its_lines_in_the_real_order(server, client):
    def shape(text):
        return [re.sub(r"^ /.*", "<CONNECTION>", x) for x in normal(text).split("\n")]

    assert shape(server.four_letter("stat").decode()) == shape(golden("standalone", "stat"))


def test_dump_has_the_real_parts(server, client):
    got = normal(server.four_letter("dump").decode())
    assert re.fullmatch(
        "SessionTracker dump:\n"
        "Session Sets \\(1\\)/\\(1\\):\n1 expire at <DATE>:\n\t<SID>\n"
        "ephemeral nodes dump:\nSessions with Ephemerals \\(1\\):\n<SID>:\n(\t/eph[12]\n){2}"
        "Connections dump:\nConnections Sets \\(\\d\\)/\\(2\\):\n"
        "([12] expire at <DATE>:\n(\tip: /127.0.0.1:<PORT> sessionId: (<SID>|0x0)\n)+)+",
        got,
    )
    headings = [x for x in golden("standalone", "dump").split("\n") if x.endswith("dump:")]
    assert [x for x in got.split("\n") if x.endswith("dump:")] == headings


def test_envi_names_what_the_real_one_names(server):
    def keys(text):
        return [line.split("=")[0] for line in text.split("\n")]

    got = server.four_letter("envi").decode()
    assert keys(got) == keys(golden("standalone", "envi"))
    assert re.search(r"^os\.name=Linux$", got, re.M)
    assert re.search(r"^os\.memory\.total=\d+MB$", got, re.M)


def metrics(text):
    assert text.endswith("\n")
    return dict(line.split("\t") for line in text[:-1].split("\n"))


def test_mntr_has_every_key_of_the_real_one(server, client):
    text = server.four_letter("mntr").decode()
    got, want = metrics(text), metrics(golden("standalone", "mntr"))
    assert not set(want) - set(got)
    assert list(got)[:2] == ["zk_version", "zk_server_state"]
    for key, value in want.items():
        if key in got and re.fullmatch(r"\d+", value):
            assert re.fullmatch(r"-?\d+", got[key]), key
        elif key in got and re.fullmatch(r"\d+\.\d+", value):
            assert re.fullmatch(r"\d+\.\d+", got[key]), key


def test_mntr_counts_what_happened(server, client):
    before = metrics(server.four_letter("mntr").decode())
    client.set_data("/a", b"more")  # four bytes, as before
    after = metrics(server.four_letter("mntr").decode())
    assert int(after["zk_ephemerals_count"]) == 2
    assert int(after["zk_watch_count"]) == int(before["zk_watch_count"]) - 1
    assert int(after["zk_znode_count"]) == int(golden_metric("zk_znode_count"))
    assert after["zk_approximate_data_size"] == golden_metric("zk_approximate_data_size")
    assert int(after["zk_global_sessions"]) == 1
    assert int(after["zk_num_alive_connections"]) == 2
    assert int(after["zk_cnt_fsynctime"]) > int(before["zk_cnt_fsynctime"])
    assert int(after["zk_bytes_received_count"]) > int(before["zk_bytes_received_count"])
    assert int(after["zk_packets_received"]) > int(before["zk_packets_received"])
    assert int(after["zk_uptime"]) >= int(before["zk_uptime"])
    assert int(after["zk_cnt_updatelatency"]) == int(before["zk_cnt_updatelatency"]) + 1
    assert int(after["zk_cnt_readlatency"]) >= int(before["zk_cnt_readlatency"])
    assert after["zk_server_state"] == "standalone"


def by_namespace(server):
    got = metrics(server.four_letter("mntr").decode())
    return {key: value for key, value in got.items() if key.endswith("_per_namespace")}


def with_quota(client, path, limits, usage=b"count=0,bytes=0"):
    client.create("/zookeeper/quota" + path, b"")
    client.create("/zookeeper/quota" + path + "/zookeeper_limits", limits)
    if usage is not None:
        client.create("/zookeeper/quota" + path + "/zookeeper_stats", usage)


def namespaces_after_each_step(target):
    """What mntr says by namespace: after writes, reads, no reads, quotas, srst and a restart."""
    with Server(target, props={"zookeeper.enforceQuota": "true"}) as server:
        client, seen = server.client(), []
        client.create("/a", b"data")
        client.create("/a/b", b"12345")
        client.create("/null", None)
        client.create("/\u00e9\u20ac", b"x")
        client.create("/\u00e9\u20ac/\u00e9\u20ac", b"x")
        client.create("/e", b"x", flags=zkwire.EPHEMERAL)
        client.create("/s-", b"x", flags=zkwire.PERSISTENT_SEQUENTIAL)
        client.set_data("/a/b", b"1")
        client.set_data("/", b"nobody's")
        client.delete("/null")
        set_and_create = (
            (zkwire.SET_DATA, zkwire.set_data_request("/a", b"mm")),
            (zkwire.CREATE, zkwire.create_request("/m", b"zzz")),
        )
        client.multi(*set_and_create)
        client.call(zkwire.MULTI, zkwire.multi_request(*set_and_create))  # fails: counts nothing
        client.call(zkwire.CREATE, zkwire.create_request("/a"))
        seen.append(by_namespace(server))
        for path in ("/a", "/a/b", "/", "/zookeeper/config", "/\u00e9\u20ac"):
            client.get_data(path)
            client.get_children(path)
            client.ok(zkwire.GET_CHILDREN2, zkwire.get_children_request(path))
            client.exists(path)
        gets = zkwire.GET_DATA, zkwire.get_data_request("/m")
        children = zkwire.GET_CHILDREN, zkwire.get_children_request("/m")
        client.ok(zkwire.MULTI_READ, zkwire.multi_request(gets, children))
        seen.append(by_namespace(server))
        client.exists("/never")
        client.get_acl("/a")
        client.ok(zkwire.SET_ACL, zkwire.set_acl_request("/a"))
        client.ok(zkwire.SYNC, zkwire.sync_request("/a"))
        client.ok(
            zkwire.GET_ALL_CHILDREN_NUMBER, zkwire.get_all_children_number_request("/a")
        )
        seen.append(by_namespace(server))
        with_quota(client, "/a", b"count=5,bytes=50=;byteHardLimit=70;countHardLimit=9")
        with_quota(client, "/a/b", b"count=3,bytes=-1")
        with_quota(client, "/m", b"count=1")
        with_quota(client, "/e", b"count=5,bytes=7", usage=None)
        client.set_data("/a/b", b"123456")
        client.call(zkwire.SET_DATA, zkwire.set_data_request("/a", b"x" * 100))  # too much
        seen.append(by_namespace(server))
        client.close_session()
        server.four_letter("srst")
        seen.append(by_namespace(server))
        server.restart(kill=True)
        seen.append(by_namespace(server))
        return seen


def test_mntr_counts_by_namespace_as_the_real_server():
    got, want = (namespaces_after_each_step(target) for target in ("paddock", "java"))
    assert want[1] == want[2], "what the third step reads is not counted"
    assert want[3]["zk_a_quota_exceeded_error_per_namespace"] == "1"
    assert want[4]["zk_cnt_a_read_per_namespace"] == "0"
    assert got == want


def test_mntr_leaves_out_a_quota_that_cannot_be_parsed():
    """The real server's mntr says nothing at all then."""
    with start() as server:
        client = server.client()
        with_quota(client, "/garbage", b"garbage", usage=None)
        with_quota(client, "/good", b"count=7", usage=None)
        got = by_namespace(server)
        assert got["zk_good_quota_count_limit_per_namespace"] == "7"
        assert not [key for key in got if "garbage" in key]


COUNTED = (
    "last_client_response_size min_client_response_size max_client_response_size"
    " bytes_received_count connection_drop_count connection_request_count watch_bytes"
    " connection_revalidate_count cnt_readlatency cnt_updatelatency cnt_connection_token_deficit"
).split()
RESET = COUNTED + (
    "cnt_fsynctime cnt_dbinittime cnt_startup_snap_load_time cnt_sync_processor_batch_size"
    " response_bytes cnt_snapshottime sync_processor_request_queued outstanding_changes_queued"
).split()


def counted(server, keys=COUNTED):
    got = metrics(server.four_letter("mntr").decode())
    return {key: got["zk_" + key] for key in keys}


def begin_to_count(server):
    """A start is asked until it answers. How often differs, and so does what it counted of that."""
    deadline = time.monotonic() + 60
    while counted(server, ["num_alive_connections"]) != {"num_alive_connections": "1"}:
        assert time.monotonic() < deadline
    server.four_letter("srst")


def counts_after_each_step(target):
    """What mntr counts of bytes and connections, and what srst leaves of that."""
    with Server(target) as server:
        begin_to_count(server)
        seen = [counted(server)]
        one, other = server.client(), server.client()
        long = "/" + "x" * 300
        steps = (
            lambda: one.create("/a", b"data"),
            lambda: one.call(zkwire.CREATE, zkwire.create_request("/a")),
            lambda: one.get_data("/a", watch=True),
            lambda: one.auth("digest", b"u:p"),
            lambda: one.get_data("/a", watch=True),
            lambda: one.ping(),
            lambda: one.exists(long, watch=True),
            lambda: other.create(long),  # the event is the largest answer
            lambda: one.wait_event(),
            lambda: one.get_children("/"),
            lambda: other.set_data("/a", b""),
            lambda: one.wait_event(),
        )
        for step in steps:
            step()
            seen.append(counted(server))
        one.disconnect()
        deadline = time.monotonic() + 60
        while counted(server)["connection_drop_count"] != "1" and time.monotonic() < deadline:
            pass
        # The real one adds an answer's bytes to this sum behind the answer: not looked at before.
        seen.append(counted(server, ["connection_drop_count", "response_bytes"]))
        server.four_letter("srst")
        seen.append(counted(server, RESET))
        return seen


def test_mntr_and_srst_count_as_the_real_server():
    got, want = (counts_after_each_step(target) for target in ("paddock", "java"))
    assert want[-1]["cnt_fsynctime"] == "0"
    assert got == want


def golden_metric(key):
    return metrics(golden("standalone", "mntr"))[key]


def test_mntr_tells_a_start_in_its_two_parts():
    with start() as server:
        bench = [paddock_program(), "bench", "--servers", server.address, "--op", "none"]
        subprocess.run([*bench, "--prefill", "30000"], check=True, stdout=subprocess.DEVNULL)
        server.restart(kill=True)
        got = metrics(server.four_letter("mntr").decode())
    assert int(got["zk_sum_startup_txns_loaded"]) >= 30000
    snapshot, txns = (int(got["zk_sum_startup_%s_load_time" % part]) for part in ("snap", "txns"))
    assert txns > 0
    assert snapshot + txns <= int(got["zk_sum_dbinittime"])


def test_hash_is_empty_before_the_128th_transaction():
    with start() as server:
        assert server.four_letter("hash") == b""


def test_hash_has_the_digest_of_every_128th_transaction():
    with start() as server:
        client = server.client()
        for n in range(300):
            client.create("/n%d" % n, b"x")
        lines = server.four_letter("hash").decode()
        assert re.fullmatch(r"80: -?\d+\n100: -?\d+\n", lines)


def history(server, begin, end):
    """Nodes come, change and go; ephemerals go with their session."""
    client = server.client()
    for n in range(begin, end):
        client.create("/n%d" % n, b"x" * (n % 7))
        if n % 5 == 0:
            client.set_data("/n%d" % n, b"y")
        if n % 9 == 0:
            client.delete("/n%d" % n)
    client.create("/n1/e%d" % begin, b"z", flags=zkwire.EPHEMERAL)
    client.close_session()


def zxid(server):
    return re.search(r"^Zxid: (0x[0-9a-f]+)$", server.four_letter("srvr").decode(), re.M)[1]


def test_hash_has_what_the_real_server_has_on_the_same_directory(tmp_path):
    """What a start replays counts, what its snapshot has does not."""
    data = str(tmp_path)
    with Server("java", data_dir=data) as java:
        history(java, 0, 300)
        at, first = zxid(java), java.four_letter("hash")
        java.kill()
    assert first.count(b"\n") == 3
    with Server("paddock", data_dir=data) as ours:
        assert (zxid(ours), ours.four_letter("hash")) == (at, first)
        history(ours, 300, 500)
        at, second = zxid(ours), ours.four_letter("hash")
        ours.kill()
    assert second.startswith(first) and second.count(b"\n") == 5
    shutil.copytree(data, str(tmp_path / "copy"))
    with Server("java", data_dir=str(tmp_path / "copy")) as java:
        assert zxid(java) == at
        assert second.endswith(java.four_letter("hash"))  # behind the snapshot of our start
        theirs = java.four_letter("hash")
    with Server("paddock", data_dir=data) as ours:
        assert (zxid(ours), ours.four_letter("hash")) == (at, theirs)


@pytest.mark.parametrize("word", UNKNOWN)
def test_a_word_that_does_not_exist_closes_without_a_byte(server, word):
    assert server.four_letter(word) == b""


def test_what_comes_behind_a_word_is_ignored(server):
    for tail in (b"\n", b"\r\n", b"ruok", b" and more"):
        assert server.four_letter(b"ruok" + tail) == b"imok"


def test_a_word_may_come_letter_by_letter(server):
    with socket.create_connection((server.host, server.port)) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for letter in b"ruok":
            sock.sendall(bytes([letter]))
        assert sock.recv(100) == b"imok"
        assert sock.recv(1) == b""


def test_stmk_sets_the_mask_that_gtmk_shows():
    with start() as server:
        assert server.four_letter("gtmk") == b"306"
        assert server.four_letter(b"stmk" + (12345).to_bytes(8, "big")) == b"12345"
        assert server.four_letter("gtmk") == b"12345"
        assert server.four_letter(b"stmk" + b"\xff" * 8) == b"-1"
        assert server.four_letter("stmk") == b""  # no mask: closed without a byte


def test_telnet_close_closes_without_a_byte(server):
    assert server.four_letter(b"\xff\xf4\xff\xfd") == b""


def test_words_are_not_words_after_the_handshake(server):
    client = server.client()
    client.send_bytes(b"ruok")
    client.expect_eof()
    server.client(session=client.session_id, passwd=client.passwd).close_session()


@pytest.mark.parametrize("word", WORDS.split())
def test_only_srvr_is_allowed_by_default(word, denying):
    got, want = denying.four_letter(word).decode(), golden("denied_default_whitelist", word)
    assert lines_by_connection(got) == lines_by_connection(want)


@pytest.fixture(scope="module")
def denying():
    with start(**{"4lw.commands.whitelist": None}) as server:
        yield server


def test_the_telnet_bytes_have_a_name_when_they_are_denied(denying):
    denied = b"telnet close is not executed because it is not in the whitelist.\n"
    assert denying.four_letter(b"\xff\xf4\xff\xfd") == denied


@pytest.mark.parametrize("word", WORDS.split())
def test_a_whitelist_with_blanks_and_holes_allows_what_it_lists(word, listing):
    folder = "whitelist_conf_stat_ruok_isro"
    got, want = listing.four_letter(word).decode(), golden(folder, word)
    assert lines_by_connection(got) == lines_by_connection(want)


@pytest.fixture(scope="module")
def listing():
    with start(**{"4lw.commands.whitelist": "conf, stat ,ruok,,isro,bogus"}) as server:
        yield server


def test_isro_is_allowed_when_read_only_mode_is_asked_for():
    config = {"4lw.commands.whitelist": None, "readonlymode.enabled": "true"}
    with start(**config) as server:
        assert server.four_letter("isro") == b"rw"


def test_crst_and_srst_begin_to_count_again(server, client):
    for word in ("crst", "srst"):
        server.four_letter(word)
    stat = server.four_letter("stat").decode()
    assert re.search(r"\[1\]\(queued=0,recved=0,sent=0\)", stat)
    assert re.search(r"^Received: 1$", stat, re.M) and re.search(r"^Sent: [01]$", stat, re.M)


def test_the_version_has_the_form_that_clients_parse(server):
    line = server.four_letter("srvr").decode().split("\n")[0]
    assert re.fullmatch(
        r"Zookeeper version: 3\.9\.5-[\w.-]+, built on \d{4}-\d\d-\d\d \d\d:\d\d UTC", line
    )
