"""tree, find and du, on Java's server and on ours."""

import pytest

from pylib import shell
from pylib.servers import Server


@pytest.fixture(scope="module", params=["paddock", "java"])
def server(request):
    with Server(request.param) as one:
        with one.client() as client:
            for path, data in (("/t", b""), ("/t/a", b"12345"), ("/t/a/b", b"x" * 3000),
                               ("/t/a/c", b"1"), ("/t/a-1", b"22"), ("/t/z", b"1" * 100)):
                client.create(path, data)
            client.create("/t/z/eph", b"", flags=1)
            client.create("/s", b"")
            client.create("/s/open", b"")
            client.create("/s/shut", b"", acls=[(30, "world", "anyone")])
            one.owner = client.exists("/t/z/eph").ephemeralOwner
            yield one


def test_tree_draws_the_branches_in_the_order_of_names(server):
    result = shell.call(server.port, "tree", "/t")
    assert (result.code, result.err) == (0, "")
    assert result.text == """\
/t
├── a
│   ├── b
│   └── c
├── a-1
└── z
    └── eph

7 znodes, 3108 bytes
"""


def test_tree_can_be_cut_and_can_show_sizes(server):
    assert shell.call(server.port, "tree", "-s", "--depth", "1", "/t").text == """\
/t  0 B
├── a  5 B
├── a-1  2 B
└── z  100 B

4 znodes, 107 bytes
"""
    assert "eph  0 B  ephemeral of %#x\n" % server.owner in shell.call(server.port, "tree", "-s", "/t/z").text


@pytest.mark.parametrize("words, paths", [
    ([], ["/t", "/t/a", "/t/a/b", "/t/a/c", "/t/a-1", "/t/z", "/t/z/eph"]),
    (["--name", "a*"], ["/t/a", "/t/a-1"]),
    (["--name", "/t/*/[bc]"], ["/t/a/b", "/t/a/c"]),
    (["--larger", "99"], ["/t/a/b", "/t/z"]),
    (["--larger", "2k"], ["/t/a/b"]),
    (["--smaller", "1"], ["/t", "/t/z/eph"]),
    (["--ephemeral"], ["/t/z/eph"]),
    (["--depth", "1"], ["/t", "/t/a", "/t/a-1", "/t/z"]),
    (["--older", "1d"], []),
    (["--newer", "1d", "--name", "z"], ["/t/z"]),
    (["--owner", "0x1"], []),
    (["--larger", "0", "--smaller", "6"], ["/t/a", "/t/a/c", "/t/a-1"]),
])
def test_find_prints_the_paths_that_fit(server, words, paths):
    result = shell.call(server.port, "find", *words, "/t")
    assert (result.code, result.lines, result.err) == (0, paths, "")


def test_find_knows_the_owner_of_ephemerals(server):
    assert shell.call(server.port, "find", "/", "--owner", "%#x" % server.owner).lines == ["/t/z/eph"]


def test_du_sums_up_subtrees_the_largest_first(server):
    rows = [line.split() for line in shell.call(server.port, "du", "/t").lines]
    assert rows == [["BYTES", "ZNODES", "PATH"], ["3108", "7", "/t"], ["3006", "3", "/t/a"],
                    ["100", "2", "/t/z"], ["2", "1", "/t/a-1"]]
    rows = [line.split() for line in shell.call(server.port, "du", "--depth", "9", "--top", "3", "/t").lines]
    assert rows[1:] == [["3108", "7", "/t"], ["3006", "3", "/t/a"], ["3000", "1", "/t/a/b"]]
    assert [row.split() for row in shell.call(server.port, "du", "--depth", "0", "/t").lines][1:] == [
        ["3108", "7", "/t"]]


def test_all_three_give_lists_as_json(server):
    tree = shell.call(server.port, "--output", "json", "tree", "/t").json
    assert [each["path"] for each in tree["znodes"]][:3] == ["/t", "/t/a", "/t/a/b"]
    assert (tree["count"], tree["bytes"], tree["exitCode"]) == (7, 3108, 0)
    found = shell.call(server.port, "--output", "json", "find", "--ephemeral", "/t").json["znodes"]
    assert found[0]["stat"]["ephemeralOwner"] == "%#x" % server.owner
    sums = shell.call(server.port, "--output", "json", "du", "/t").json["subtrees"]
    assert sums[1] == {"path": "/t/a", "bytes": 3006, "count": 3}


def test_what_may_not_be_read_is_named_and_the_rest_is_shown(server):
    result = shell.call(server.port, "find", "/s")
    assert (result.code, result.lines) == (7, ["/s", "/s/open"])
    assert result.err == "Insufficient permission : /s/shut\n"
    result = shell.call(server.port, "tree", "/s")
    assert (result.code, "└── shut  (not readable)" in result.text) == (7, True)
    answer = shell.call(server.port, "--output", "json", "du", "/s").json
    assert (answer["subtrees"][0]["count"], answer["exitCode"]) == (2, 7)
    assert answer["error"]["path"] == "/s/shut"


@pytest.mark.parametrize("words, code, message", [
    (["tree", "/none"], 3, "Node does not exist: /none"),
    (["tree", "none"], 2, "Path must start with / character"),
    (["tree"], 2, "tree [-s] [--depth n] path"),
    (["tree", "--depth", "x", "/"], 2, '--depth takes a number from 0 on, not "x"'),
    (["find", "--larger", "1x", "/"], 2,
     'A size is a number of bytes, or one with k or m after it, not "1x"'),
    (["find", "--larger", "9999999999999999999", "/"], 2,
     'A size is a number of bytes, or one with k or m after it, not "9999999999999999999"'),
    (["find", "--older", "-5m", "/"], 2,
     'An age is a number of seconds, or one with s, m, h or d after it, not "-5m"'),
    (["find", "--owner", "12", "/"], 2, '--owner takes a session like 0x10000a1b2c30001, not "12"'),
    (["du", "--top", "0", "/"], 2, '--top takes a number from 1 on, not "0"'),
])
def test_wrong_words_are_refused(server, words, code, message):
    result = shell.call(server.port, *words)
    assert (result.code, result.out, result.err) == (code, b"", message + "\n")


def test_a_wide_and_deep_tree_is_walked_in_order(server):
    if server.target == "java":
        pytest.skip("the protocol is the same; ours is quicker")
    paths = ["/w"] + ["/w/%04d" % i for i in range(2000)]
    deep = "/w/0500"
    for i in range(60):
        deep += "/d"
        paths.append(deep)
    paths.sort(key=lambda path: path.split("/"))
    with server.client() as client:
        for path in paths:
            client.create(path, b"")
    assert shell.call(server.port, "find", "/w").lines == paths
    assert shell.call(server.port, "ls", "-R", "/w").lines[-len(paths):] == paths
    result = shell.call(server.port, "--output", "json", "deleteall", "-b", "7", "/w").json
    assert (result["total"], result["deleted"]) == (len(paths), len(paths))
