"""Data of znodes from files and stdin, and out again, byte for byte."""

import pytest

from pylib import shell
from pylib.servers import Server

EVERY_BYTE = bytes(range(256)) * 3 + b"\r\n\0"


@pytest.fixture(scope="module", params=["paddock", "java"])
def server(request):
    with Server(request.param) as one:
        yield one


def test_any_bytes_go_in_and_come_out(server, tmp_path):
    file = tmp_path / "data"
    file.write_bytes(EVERY_BYTE)
    assert shell.call(server.port, "create", "--data-file", str(file), "/file").code == 0
    result = shell.call(server.port, "get", "--raw", "/file")
    assert (result.code, result.out, result.err) == (0, EVERY_BYTE, "")
    assert shell.call(server.port, "set", "/file", "--data-file", "-", stdin=b"\0new").code == 0
    assert shell.call(server.port, "get", "/file", "--raw").out == b"\0new"


def test_an_empty_file_is_empty_data_and_not_none(server):
    assert shell.call(server.port, "create", "/empty", "--data-file", "-").code == 0
    with server.client() as client:
        assert client.get_data("/empty")[0] == b""
    assert shell.call(server.port, "get", "--raw", "/empty").out == b""


def test_an_acl_may_follow_in_the_place_of_the_data(server):
    assert shell.call(server.port, "create", "/acl", "--data-file", "-", "world:anyone:r", stdin=b"x").code == 0
    assert shell.call(server.port, "getAcl", "/acl").text.endswith("'world,'anyone\n: r\n")


@pytest.mark.parametrize("words, message", [
    (["create", "/x", "--data-file", "/nonexistent/file"],
     "/nonexistent/file cannot be read: No such file or directory\n"),
    (["create", "/x", "--data-file", "/"], "/ cannot be read: Is a directory\n"),
    (["create", "/x", "--data-file", "-", "acl", "more"], "With --data-file the arguments are: path [acl]\n"),
    (["set", "/x", "data", "--data-file", "-"],
     "With --data-file the only argument is the path, and -b has no meaning\n"),
    (["get", "-s", "--raw", "/x"], "--raw writes the data alone: no other option fits to it\n"),
])
def test_what_is_wrong_is_said_and_nothing_is_written(server, words, message):
    result = shell.call(server.port, *words)
    assert (result.code, result.err) == (1, message)
    with server.client() as client:
        assert "x" not in client.get_children("/")


def test_stdin_is_refused_where_commands_come_from_it(server):
    result = shell.call(server.port, stdin=b"create /x --data-file -\n")
    assert "Commands come from stdin here: give a file" in result.err
