"""export and import: what comes out goes in again, a damaged file changes nothing, and what stops in the middle
says how far it got."""

import json
import os
import signal
import time

import pytest

from pylib import replay, shell, zkwire
from pylib.holding_proxy import HoldingProxy
from pylib.servers import Server, paddock_program
from pylib.terminal import Terminal

OPEN = [{"scheme": "world", "id": "anyone", "perms": "cdrwa"}]
KINDS = {"paddock": "", "java": "This server does not say which znodes are containers or have a TTL: all are exported "
                                "as persistent\n"}
HEAD = {"format": "paddock-export", "version": 1, "path": "/in"}


@pytest.fixture(scope="module", params=["paddock", "java"])
def server(request):
    with Server(request.param, {"extendedTypesEnabled": "true"},
                props={"zookeeper.extendedTypesEnabled": "true"}) as one:
        with one.client() as client:
            client.create("/app", b"root")
            client.create("/app/binary", bytes(range(256)))
            client.create("/app/bare", None)
            client.create("/app/empty", b"")
            client.create("/app/é中", "Grüße 😀".encode())
            client.create("/app/é中/deep", b"1")
            client.create("/app/guarded", b"x", acls=[(3, "digest", "bob:abc="), (31, "world", "anyone")])
            client.create("/app/seq-", b"", flags=2)
        with one.client() as owner:
            owner.create("/app/mine", b"", flags=1)
            yield one


@pytest.fixture(scope="module")
def paddock():
    with Server("paddock") as one:
        yield one


def node(path, data="", **more):
    return dict({"path": path, "data": data, "encoding": "utf-8", "acl": OPEN, "kind": "persistent"}, **more)


def write(path, nodes, head=HEAD, end=None):
    lines = [head, *nodes, {"end": True, "znodes": len(nodes)} if end is None else end]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines if line))
    return str(path)


def content(server, root):
    with server.client() as client:
        found = {}
        waiting = [root]
        while waiting:
            path = waiting.pop()
            data = client.get_data(path)
            found[path[len(root):]] = (data[0], client.get_acl(path)[0])
            waiting += [path + "/" + name for name in client.get_children(path)]
    return found


def gone(server, path):
    shell.call(server.port, "deleteall", path)


def test_a_copy_is_the_same_less_ephemerals(server, tmp_path):
    file = str(tmp_path / "file")
    result = shell.call(server.port, "export", "/app", file)
    assert (result.code, result.err) == (0, KINDS[server.target])
    assert result.text == "8 znodes exported, 1 ephemeral ones left out\n"
    result = shell.call(server.port, "import", file, "/copy")
    assert (result.code, result.text, result.err) == (0, "8 znodes for /copy: 8 created\n", "")
    want = content(server, "/app")
    del want["/mine"]
    assert content(server, "/copy") == want
    gone(server, "/copy")


def test_a_file_is_lines_of_json_with_a_head_and_an_end(server, tmp_path):
    file = tmp_path / "file"
    shell.call(server.port, "export", "/app", str(file))
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    assert lines[0]["format"] == "paddock-export" and lines[0]["path"] == "/app"
    assert lines[-1] == {"end": True, "znodes": 8, "ephemeralsLeftOut": 1}
    by_path = {line["path"]: line for line in lines[1:-1]}
    assert by_path["/app"] == node("/app", "root")
    assert by_path["/app/bare"]["data"] is None
    assert by_path["/app/binary"]["encoding"] == "base64"
    assert by_path["/app/é中"]["data"] == "Grüße 😀"
    assert by_path["/app/guarded"]["acl"][0] == {"scheme": "digest", "id": "bob:abc=", "perms": "rw"}
    assert by_path["/app/seq-0000000005"]["kind"] == "persistent"


def test_export_can_write_to_stdout_and_import_read_from_stdin(server):
    exported = shell.call(server.port, "export", "/app/é中", "-")
    assert (exported.code, exported.err) == (0, KINDS[server.target] + "2 znodes exported\n")
    result = shell.call(server.port, "import", "-", "/piped", stdin=exported.out)
    assert result.text == "2 znodes for /piped: 2 created\n"
    assert set(content(server, "/piped")) == {"", "/deep"}
    gone(server, "/piped")


def test_containers_and_ttls_stay_what_they_are(server, tmp_path):
    file = tmp_path / "file"
    write(file, [node("/in"), node("/in/c", kind="container"), node("/in/t", kind="ttl", ttl=12345678)])
    assert shell.call(server.port, "import", str(file)).text == "3 znodes for /in: 3 created\n"
    if server.target == "paddock":  # Java's servers do not tell it
        shell.call(server.port, "export", "/in", str(file))
        lines = [json.loads(line) for line in file.read_text().splitlines()[1:-1]]
        assert [(line["kind"], line.get("ttl")) for line in lines] == [
            ("persistent", None), ("container", None), ("ttl", 12345678)]
    gone(server, "/in")


def test_layout_does_not_matter(server, tmp_path):
    file = tmp_path / "file"
    values = [HEAD, node("/in"), node("/in/a", "1"), {"end": True, "znodes": 2}]
    file.write_text("\n\n".join(json.dumps(value, indent=2) for value in values))
    assert shell.call(server.port, "import", str(file)).text == "2 znodes for /in: 2 created\n"
    gone(server, "/in")


def test_the_whole_tree_leaves_out_what_belongs_to_the_service(server, tmp_path):
    file = tmp_path / "file"
    assert shell.call(server.port, "export", "/", str(file)).code == 0
    paths = [json.loads(line).get("path") for line in file.read_text().splitlines()[1:-1]]
    assert paths[0] == "/" and "/app/bare" in paths
    assert not [path for path in paths if path.startswith("/zookeeper")]
    result = shell.call(server.port, "import", "--skip", str(file), "/")
    assert (result.code, result.text) == (0, "9 znodes for /: 9 left as they were\n")


def test_a_dry_run_says_what_would_be_done_and_does_nothing(server, tmp_path):
    file = write(tmp_path / "file", [node("/in", "new"), node("/in/a", "new")])
    with server.client() as client:
        assert shell.call(server.port, "import", "--dry-run", file).text == "2 znodes for /in: would be 2 created\n"
        assert "in" not in client.get_children("/")
        client.create("/in", b"old")
        for words, text in ((["--skip"], "1 created, 1 left as they were"),
                            (["--overwrite"], "1 created, 1 overwritten")):
            result = shell.call(server.port, "import", "--dry-run", *words, file)
            assert result.text == "2 znodes for /in: would be %s\n" % text
        assert shell.call(server.port, "import", "--dry-run", file).code == 4
        assert client.get_data("/in")[0] == b"old" and client.get_children("/in") == []
    gone(server, "/in")


def test_what_exists_is_kept_unless_it_is_said_otherwise(server, tmp_path):
    acl = [{"scheme": "world", "id": "anyone", "perms": "cdrw"}]
    file = write(tmp_path / "file", [node("/in", "new", acl=acl), node("/in/a", "new"), node("/in/b", "new")])
    with server.client() as client:
        client.create("/in", b"old")
        client.create("/in/b", b"old")
        result = shell.call(server.port, "import", file)
        assert (result.code, result.out) == (4, b"")
        assert result.err == ("2 of 3 znodes exist already (/in, /in/b); nothing was written: "
                              "give --overwrite or --skip\n")
        assert client.get_children("/in") == ["b"]
        result = shell.call(server.port, "import", "--skip", file)
        assert (result.code, result.text) == (0, "3 znodes for /in: 1 created, 2 left as they were\n")
        assert client.get_data("/in/b")[0] == b"old"
        result = shell.call(server.port, "import", "--overwrite", file)
        assert (result.code, result.text) == (0, "3 znodes for /in: 3 overwritten\n")
        assert client.get_data("/in")[0] == client.get_data("/in/b")[0] == b"new"
        assert client.get_acl("/in")[0] == [(15, "world", "anyone")]
        result = shell.call(server.port, "import", "--overwrite", "--skip", file)
        assert (result.code, result.err) == (2, "Give one of --overwrite and --skip\n")
    gone(server, "/in")


def test_the_result_is_an_object_as_json(server, tmp_path):
    file = str(tmp_path / "file")
    answer = shell.call(server.port, "--output", "json", "export", "/app", file).json
    assert (answer["count"], answer["ephemeralsLeftOut"], answer["exitCode"]) == (8, 1, 0)
    answer = shell.call(server.port, "--output", "json", "import", "--dry-run", file, "/x").json
    assert (answer["dryRun"], answer["total"], answer["created"], answer["skipped"]) == (True, 8, 8, 0)
    answer = shell.call(server.port, "--output", "json", "import", file).json
    assert answer["exitCode"] == 4 and "nothing was written" in answer["error"]["message"]
    assert shell.call(server.port, "--output", "json", "export", "/app", "-").json["exitCode"] == 2


GOOD = [node("/in"), node("/in/a"), node("/in/a/b"), node("/in/c")]


def swapped(nodes, i, j):
    nodes = list(nodes)
    nodes[i], nodes[j] = nodes[j], nodes[i]
    return nodes


DAMAGED = {
    "an empty file": ("", "line 1, byte 0: the file is empty"),
    "no json": ("hello\n", "line 1, byte 5: "),
    "no export": ('{"a":1}\n', 'line 1, byte 0: this is no export'),
    "another format": (dict(HEAD, format="x"), 'line 1, byte 0: this is no export: "format" is not "paddock-export"'),
    "a later version": (dict(HEAD, version=2), 'line 1, byte 0: "version" is not 1, the only one that is known here'),
    "a list": ([1, 2], "an object is expected"),
    "no path": ({"data": ""}, 'line 2, byte 58: "path" is missing'),
    "a path of another tree": (node("/other"), "/other is not below /in"),
    "a path that only begins so": (node("/inner"), "/inner is not below /in"),
    "a wrong path": (node("/in//a"), 'Invalid path string "/in//a" caused by empty node name specified @4'),
    "data that is a number": (node("/in", data=5), '"data" is no text'),
    "no data": ({"path": "/in", "acl": OPEN}, '"data" is missing'),
    "wrong base64": (node("/in", "a", encoding="base64"), '"data" is no base64'),
    "an unknown encoding": (node("/in", "a", encoding="hex"), '"encoding" is neither "utf-8" nor "base64"'),
    "no acl": ({"path": "/in", "data": ""}, '"acl" is missing'),
    "an empty acl": (node("/in", acl=[]), '"acl" is no list with entries'),
    "an acl without id": (node("/in", acl=[{"scheme": "world", "perms": "r"}]), '"id" is missing'),
    "wrong perms": (node("/in", acl=[{"scheme": "world", "id": "anyone", "perms": "rx"}]),
                    '"perms" has a letter that is none of c, d, r, w, a'),
    "an unknown kind": (node("/in", kind="ephemeral"), '"kind" is none of "persistent", "container" and "ttl"'),
    "no ttl": (node("/in", kind="ttl"), '"ttl" is not a number of milliseconds from 1 to 1099511627775'),
    "a key twice": ('{"path":"/in","path":"/in"}\n', "line 1, byte 20: "),
}


@pytest.mark.parametrize("what", DAMAGED)
def test_a_damaged_file_is_refused_with_the_place_and_nothing_is_written(paddock, tmp_path, what):
    bad, message = DAMAGED[what]
    file = tmp_path / "file"
    if isinstance(bad, str):
        file.write_text(bad)
    elif isinstance(bad, dict) and "format" in bad:
        write(file, GOOD, head=bad)
    else:
        write(file, [bad])
    result = shell.call(paddock.port, "import", str(file))
    assert (result.code, result.out) == (12, b"")
    assert result.err.startswith(str(file) + ": line ") and message in result.err
    assert result.err.endswith("; nothing was written\n")
    assert "in" not in shell.call(paddock.port, "--output", "json", "ls", "/").json["children"]


ORDERS = {
    "a znode is missing": (swapped(GOOD, 1, 1)[:1] + GOOD[2:], 3, "/in/a/b: its parent does not stand before it"),
    "twice": (GOOD[:2] + GOOD[1:], 4, "/in/a: it occurs twice"),
    "out of order": (swapped(GOOD, 1, 3), 5 - 1, "/in/a/b: it occurs twice, or too early"),
    "no root": (GOOD[1:], 2, "/in/a: the first znode is not the one that was exported"),
}


@pytest.mark.parametrize("what", ORDERS)
def test_znodes_in_a_wrong_order_are_refused(paddock, tmp_path, what):
    nodes, line, message = ORDERS[what]
    result = shell.call(paddock.port, "import", write(tmp_path / "file", nodes))
    assert result.code == 12 and "line %d, " % line in result.err and message in result.err


def test_every_cut_of_a_file_is_noticed(paddock, tmp_path):
    file = tmp_path / "file"
    write(file, GOOD[:2])
    whole = file.read_bytes()
    for size in range(0, len(whole) - 2, 7):
        file.write_bytes(whole[:size])
        result = shell.call(paddock.port, "import", str(file))
        assert result.code == 12 and "nothing was written" in result.err, size


def test_more_behind_the_end_and_a_wrong_count_are_noticed(paddock, tmp_path):
    file = write(tmp_path / "file", GOOD, end={"end": True, "znodes": 5})
    assert "the file should have 5 znodes, and has 4" in shell.call(paddock.port, "import", file).err
    (tmp_path / "more").write_text((tmp_path / "file").read_text().replace("5}", "4}") + "{}\n")
    assert "more follows after the end" in shell.call(paddock.port, "import", str(tmp_path / "more")).err


def test_a_file_or_a_place_that_is_not_there_is_named(paddock, tmp_path):
    result = shell.call(paddock.port, "import", str(tmp_path / "none"))
    assert (result.code, result.err) == (12, "%s/none cannot be read: No such file or directory\n" % tmp_path)
    file = write(tmp_path / "file", GOOD)
    result = shell.call(paddock.port, "import", file, "/no/such")
    assert (result.code, result.err) == (3, "/no, which it would go into, does not exist\n")
    result = shell.call(paddock.port, "export", "/zookeeper", str(tmp_path / "none" / "file"))
    assert (result.code, result.err) == (12, "%s/none/file cannot be written: No such file or directory\n" % tmp_path)
    result = shell.call(paddock.port, "export", "/none", file)
    assert (result.code, result.err) == (3, "Node does not exist: /none\n")
    assert os.listdir(tmp_path) == ["file"]
    assert json.loads((tmp_path / "file").read_text().splitlines()[0]) == HEAD  # as before


def test_an_acl_that_hides_its_passwords_is_not_exported(paddock, tmp_path):
    with paddock.client() as client:
        client.create("/hidden", b"", acls=[(31, "digest", "bob:abc="), (1, "world", "anyone")])
    result = shell.call(paddock.port, "export", "/hidden", str(tmp_path / "file"))
    assert result.code == 7
    assert result.err == ('The ACL of /hidden is shown without its passwords ("x"): addauth as somebody who may '
                          "administer it\n")
    assert os.listdir(tmp_path) == []


def test_what_may_not_be_read_ends_an_export(paddock, tmp_path):
    with paddock.client() as client:
        client.create("/part", b"")
        client.create("/part/shut", b"", acls=[(30, "world", "anyone")])
    result = shell.call(paddock.port, "export", "/part", str(tmp_path / "file"))
    assert (result.code, result.err) == (7, "Insufficient permission : /part/shut\n")
    assert os.listdir(tmp_path) == []


# --- in the middle

COUNT = 1500


def big(tmp_path, count):
    return write(tmp_path / "big", [node("/in")] + [node("/in/%05d" % i, "x" * 100) for i in range(count)])


@pytest.fixture
def tree(paddock, tmp_path):
    assert shell.call(paddock.port, "import", big(tmp_path, COUNT)).code == 0
    yield paddock
    gone(paddock, "/in")


def test_an_export_that_is_interrupted_leaves_no_file(tree, tmp_path):
    with HoldingProxy(tree.port, 100 * COUNT) as proxy:
        process = shell.start(proxy.port, "export", "/in", str(tmp_path / "file"))
        assert proxy.held.wait(20)
        process.send_signal(signal.SIGINT)
        proxy.release()
        result = shell.finish(process)
    assert result.code == 130
    assert result.err.startswith("interrupted after ") and result.err.endswith(" znodes; no file was written\n")
    assert os.listdir(tmp_path) == ["big"]


def test_an_export_that_loses_its_server_leaves_no_file(tree, tmp_path):
    with HoldingProxy(tree.port, 100 * COUNT) as proxy:
        process = shell.start(proxy.port, "export", "/in", str(tmp_path / "file"))
        assert proxy.held.wait(20)
        proxy.cut()
        result = shell.finish(process)
    assert (result.code, result.err) == (8, "KeeperErrorCode = ConnectionLoss for /in\n")
    assert os.listdir(tmp_path) == ["big"]


def counts(result):
    answer = result.json
    return [answer[key] for key in ("total", "created", "overwritten", "skipped", "unknown")]


def test_an_import_that_is_interrupted_says_exactly_how_far_it_got(paddock, tmp_path):
    file = big(tmp_path, COUNT)
    with HoldingProxy(paddock.port, 15 * COUNT) as proxy:
        process = shell.start(proxy.port, "--output", "json", "import", file)
        assert proxy.held.wait(20)
        process.send_signal(signal.SIGINT)
        proxy.release()
        result = shell.finish(process)
    total, created, overwritten, skipped, unknown = counts(result)
    assert result.code == 130 and result.json["error"]["message"] == "interrupted"
    assert (total, overwritten, skipped, unknown) == (COUNT + 1, 0, 0, 0)
    assert 0 < created < total and len(content(paddock, "/in")) == created
    result = shell.call(paddock.port, "import", "--skip", file)
    assert result.text == "1501 znodes for /in: %d created, %d left as they were\n" % (total - created, created)
    gone(paddock, "/in")


def test_an_import_that_loses_its_server_says_what_is_not_known(paddock, tmp_path):
    file = big(tmp_path, COUNT)
    with HoldingProxy(paddock.port, 15 * COUNT) as proxy:
        process = shell.start(proxy.port, "--output", "json", "import", file)
        assert proxy.held.wait(20)
        proxy.cut()
        result = shell.finish(process)
    total, created, _, _, unknown = counts(result)
    there = len(content(paddock, "/in"))
    assert result.code == 11 and result.json["notes"]
    assert 0 < created <= there <= created + unknown < total
    gone(paddock, "/in")


def test_an_import_that_fails_in_the_middle_names_the_place(paddock, tmp_path):
    acl = [{"scheme": "world", "id": "anyone", "perms": "rd"}]
    file = write(tmp_path / "file", [node("/in"), node("/in/a", acl=acl), node("/in/a/b"), node("/in/c")])
    result = shell.call(paddock.port, "import", file)
    assert result.code == 11
    assert result.err == ("stopped at line 4 of %s\nInsufficient permission : /in/a/b\nonly a part was written; it "
                          "stays, and import --skip continues after it\n" % file)
    assert result.text == "4 znodes for /in: 3 created\n"
    gone(paddock, "/in")


def test_a_deleteall_that_is_interrupted_says_how_far_it_got(tree):
    listing = COUNT * (16 + 4 + 4 + 68) + COUNT * (4 + 5) + 16 + 4 + 4 + 68 + 41
    with HoldingProxy(tree.port, listing + 3000) as proxy:  # and some batches deleted
        process = shell.start(proxy.port, "--output", "json", "deleteall", "-b", "10", "/in")
        assert proxy.held.wait(20)
        process.send_signal(signal.SIGINT)
        proxy.release()
        result = shell.finish(process)
    answer = result.json
    assert result.code == 130 and "interrupted: %d of 1501 znodes" % answer["deleted"] in answer["error"]["message"]
    assert answer["total"] == COUNT + 1 and 0 < answer["deleted"] < COUNT
    assert len(content(tree, "/in")) == COUNT + 1 - answer["deleted"]


def test_a_bar_is_shown_on_a_terminal_only(tree, tmp_path):
    for on_terminal in (True, False):
        with HoldingProxy(tree.port, 100 * COUNT) as proxy:
            words = ["-server", "127.0.0.1:%d" % proxy.port, "export", "/in", str(tmp_path / "file")]
            if on_terminal:
                terminal = Terminal([paddock_program(), "cli", *words], replay.environment())
            else:
                process = shell.start(proxy.port, "export", "/in", str(tmp_path / "file"))
            assert proxy.held.wait(20)
            time.sleep(0.5)  # short work has no bar; there is no event to wait for
            proxy.release()
            if on_terminal:
                terminal.wait(r"export: \d+ znodes, \d+/s")
                terminal.wait("1501 znodes exported\n")
                assert terminal.end() == 0
            else:
                result = shell.finish(process)
                assert (result.text, result.err) == ("1501 znodes exported\n", "")
