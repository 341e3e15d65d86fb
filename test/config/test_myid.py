"""A server alone does not use its myid: as in the real server, `conf` and session ids do not show it."""

import pytest

from pylib.servers import TARGETS, Server


@pytest.mark.parametrize("lines", [{}, {"server.7": "127.0.0.1:2888:3888"}], ids=["none", "one_line"])
@pytest.mark.parametrize("target", TARGETS)
def test_a_server_alone_numbers_sessions_as_server_1_whatever_myid_says(target, lines, tmp_path):
    data = tmp_path / "data"
    data.mkdir()
    (data / "myid").write_text("7\n")
    with Server(target, lines, data_dir=str(data)) as server, server.client() as client:
        assert client.session_id >> 56 == 1
        assert b"serverId=0\n" in server.four_letter("conf")
