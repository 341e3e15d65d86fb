"""--output json: one object for each command, whatever it is and however it ends; and the exit codes."""

import base64
import json

import pytest

from pylib import shell
from pylib.servers import Server, free_port


@pytest.fixture(scope="module")
def server():
    with Server("paddock", {"enforceQuota": "true"}) as one:
        with one.client() as client:
            client.create("/a", b"hello")
            client.create("/a/kid", b"\xff\x00")
            client.create("/bare", None)
        yield one


def ask(server, *words, **more):
    return shell.call(server.port, "--output", "json", *words, **more)


# A command; the exit code; what is in the object.
ANSWERS = [
    ("get /a", 0, {"path": "/a", "data": "hello", "encoding": "utf-8"}),
    ("get /a/kid", 0, {"data": base64.b64encode(b"\xff\x00").decode(), "encoding": "base64"}),
    ("get -b /a", 0, {"data": base64.b64encode(b"hello").decode(), "encoding": "base64"}),
    ("get /bare", 0, {"data": None}),
    ("ls /a", 0, {"children": ["kid"]}),
    ("ls -R /a", 0, {"paths": ["/a", "/a/kid"]}),
    ("ls2 /a", 0, {"children": ["kid"], "notes": [
        "'ls2' has been deprecated. Please use 'ls [-s] path' instead."]}),
    ("getAcl /a", 0, {"acl": [{"scheme": "world", "id": "anyone", "perms": "cdrwa"}]}),
    ("getEphemerals /", 0, {"ephemerals": []}),
    ("getAllChildrenNumber /a", 0, {"count": 1}),
    ("whoami", 0, {"identities": [{"scheme": "ip", "id": "127.0.0.1"}]}),
    ("sync /a", 0, {"path": "/a"}),
    ("history", 0, {"history": []}),
    ("printwatches", 0, {"printwatches": True}),
    ("config", 0, {"config": ""}),
    ("addauth digest a:b", 0, {}),
    ("addWatch /a", 0, {"path": "/a"}),
    ("help tree", 0, {"name": "tree"}),
    ("get /none", 3, {"error": {"name": "NoNode", "code": -101, "path": "/none",
                                "message": "Node does not exist: /none"}}),
    ("stat /none", 3, {}),
    ("deleteall /none", 3, {}),
    ("listquota /a", 3, {}),
    ("delquota /a", 3, {}),
    ("create /a x", 4, {}),
    ("set -v 7 /a x", 5, {}),
    ("delete /a", 6, {}),
    ("setAcl /a nonsense:x:r", 7, {}),
    ("removewatches /a", 1, {"error": {"name": "No such watcher", "code": -121, "path": "/a",
                                       "message": "KeeperErrorCode = No such watcher for /a"}}),
    ("create -t x /ttl", 2, {}),
    ("get", 2, {"error": {"message": "get [-s] [-w] path"}}),
    ("get --none /a", 2, {}),
    ("get a", 2, {"error": {"message": "Path must start with / character"}}),
    ("set /a x -v x", 2, {}),
    ("setquota -n x /a", 2, {}),
    ("nosuch", 127, {}),
    ("help", 127, {}),
]


@pytest.mark.parametrize("line, code, fields", ANSWERS, ids=[each[0] for each in ANSWERS])
def test_a_command_gives_one_object_and_a_code_that_says_why(server, line, code, fields):
    result = ask(server, *line.split())
    answer = result.json
    assert (result.code, answer["exitCode"], result.err) == (code, code, "")
    assert answer["command"] == line.split()[0]
    assert ("error" in answer) == (code != 0)
    assert {key: answer.get(key) for key in fields} == fields


def test_a_stat_has_zxids_and_sessions_in_hex_and_all_other_numbers_as_numbers(server):
    with server.client() as client:
        client.create("/eph", b"xyz", flags=1)
        want = client.exists("/eph")
        got = ask(server, "stat", "/eph").json["stat"]
    assert got == {
        "czxid": hex(want.czxid), "mzxid": hex(want.mzxid), "pzxid": hex(want.pzxid),
        "ctime": want.ctime, "mtime": want.mtime, "version": 0, "cversion": 0, "aversion": 0,
        "ephemeralOwner": hex(want.ephemeralOwner), "dataLength": 3, "numChildren": 0}


def test_writing_commands_say_what_they_did(server):
    assert ask(server, "create", "-s", "/w-", "x").json["path"] == "/w-0000000003"
    assert ask(server, "set", "/w-0000000003", "yz").json["stat"]["dataLength"] == 2
    assert ask(server, "create", "/w-0000000003/kid").json["path"] == "/w-0000000003/kid"
    answer = ask(server, "deleteall", "/w-0000000003").json
    assert (answer["total"], answer["deleted"]) == (2, 2)
    assert ask(server, "setquota", "-n", "5", "/a").json["exitCode"] == 0
    quota = ask(server, "listquota", "/a").json
    assert quota["quota"].startswith("count=5,") and quota["used"].startswith("count=2,")
    assert ask(server, "delquota", "/a").json["exitCode"] == 0


def test_a_pipe_of_commands_gives_objects_only_and_events_are_objects_between_them(server):
    script = "get -w /a\nredo 0\n\nset /a two\nls /a --output text\nnosuch\nset /a hello\nquit\n"
    result = ask(server, stdin=script.encode())
    lines = result.lines
    text = [line for line in lines if not line.startswith("{")]
    assert text == ["[kid]"]
    objects = [json.loads(line) for line in lines if line.startswith("{")]
    answers = [each for each in objects if "command" in each]
    assert [each["command"] for each in answers] == ["get", "redo", "set", "nosuch", "set", "quit"]
    assert answers[1]["data"] == "hello"
    events = [each["event"] for each in objects if "event" in each]
    assert events[0] == {"type": "None", "state": "SyncConnected", "path": None}
    assert {"type": "NodeDataChanged", "state": "SyncConnected", "path": "/a"} in events
    assert events[-1]["state"] == "Closed"
    assert result.err == ""


def test_output_can_be_asked_for_with_a_single_command(server):
    assert shell.call(server.port, "get", "/a", "--output", "json").json["data"] == "hello"
    assert shell.call(server.port, "get", "/a", "--output=json").json["data"] == "hello"
    assert shell.call(server.port, "create", "/raw", "--", "--output").code == 0
    assert ask(server, "get", "/raw").json["data"] == "--output"


def test_a_form_that_does_not_exist_is_refused(server):
    result = shell.call(server.port, "--output", "xml", "ls", "/")
    assert (result.code, result.out) == (2, b"")
    assert result.err == '--output takes text or json, not "xml"\n'
    result = shell.call(server.port, "ls", "/", "--output", "xml")
    assert (result.code, result.err) == (1, '--output takes text or json, not "xml"\n')


def test_no_server_is_code_8_with_its_error(server):
    answer = shell.call(free_port(), "--output", "json", "ls", "/").json
    assert (answer["exitCode"], answer["error"]["name"]) == (8, "ConnectionLoss")


def test_a_closed_session_is_code_8_where_java_says_0(server):
    assert ask(server, stdin=b"close\nls /\n").lines[-1].startswith('{"command":"ls","error":{"message":"Not')
    assert shell.call(server.port, stdin=b"close\nls /\n").code == 0
    assert shell.call(server.port, "--exit-codes", stdin=b"close\nls /\n").code == 8


def test_as_text_the_codes_are_javas_unless_asked_otherwise(server):
    for words, java, ours in ((("get", "/none"), 1, 3), (("create", "/a"), 1, 4), (("get",), 1, 2),
                              (("setquota", "-n", "x", "/a"), 0, 2), (("delquota", "/a"), 0, 3),
                              (("nosuch",), 127, 127), (("ls", "/"), 0, 0)):
        assert shell.call(server.port, *words).code == java, words
        assert shell.call(server.port, "--exit-codes", *words).code == ours, words


def test_permissions_and_quotas_have_their_codes(server):
    with server.client() as client:
        client.create("/shut", b"", acls=[(1, "world", "anyone")])
        client.create("/small", b"")
    assert ask(server, "set", "/shut", "x").code == 7
    assert ask(server, "setquota", "-B", "3", "/small").code == 0
    assert ask(server, "set", "/small", "four").code == 10


def test_names_and_data_of_every_kind_are_json(server):
    name = '/q"\\é中😀'
    data = bytes(range(1, 128)).decode()
    with server.client() as client:
        client.create("/odd", data.encode())
        client.create("/odd/é中", b"")
    assert ask(server, "get", "/odd").json["data"] == data
    assert ask(server, "ls", "/odd").json["children"] == ["é中"]
    answer = ask(server, "get", name).json
    assert answer["error"] == {
        "message": 'Invalid path string "%s" caused by invalid character @6' % name}


def test_help_lists_java_commands_as_java_does_and_ours_apart(server):
    plain, other = shell.call(server.port, "help"), shell.call(server.port, "nosuch")
    assert plain.code == 127 and plain.err == other.err.replace("nosuch", "help")
    assert "tree" not in plain.err
    text = shell.call(server.port, "help", "--all").text
    java, ours = text.split("Commands of this shell")
    assert "\tgetAcl [-s] path\n" in java and "\ttree " in ours and "\ttree " not in java
    assert "--larger size" in shell.call(server.port, "help", "find").text
