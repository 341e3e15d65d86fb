"""The master-worker session of the tutorial, step by step, with the real command line.

Four people: a master, its backup, a worker and a client, each with a command line of their own.
"""

import pytest
from start import started
from zkcli import Cli, normalised

NODE_EVENT = "WatchedEvent state:SyncConnected type:%s path:%s"
DEPRECATED = "has been deprecated. Please use"


@pytest.fixture
def story(server):
    clis = {name: Cli(server.address) for name in ("master", "backup", "worker", "client")}
    yield clis
    for cli in clis.values():
        cli.kill()


def without_hint(lines):
    """3.8 still takes `ls path true` and says that it is old."""
    return [line for line in lines if DEPRECATED not in line]


def test_the_master_worker_session_of_the_tutorial_goes_as_it_is_told(story):
    master, backup = story["master"], story["backup"]

    # the master takes the lead, the backup cannot and watches
    assert master.run('create -e /master "master1.example.com:2182"') == ["Created /master"]
    assert master.run("ls /") == ["[master, zookeeper]"]
    shown = normalised(master.run("get -s /master"))
    assert shown[0] == "master1.example.com:2182"
    assert shown[-3:] == ["ephemeralOwner = <SESSION>", "dataLength = 24", "numChildren = 0"]
    assert backup.run('create -e /master "master2.example.com:2182"') == [
        "Node already exists: /master"
    ]
    lines = without_hint(backup.run("stat /master true"))
    assert len(lines) == 11 and lines[-2:] == ["dataLength = 24", "numChildren = 0"]

    # the master goes; the backup is told and takes over
    assert master.quit() == 0
    assert backup.await_event("NodeDeleted") == NODE_EVENT % ("NodeDeleted", "/master")
    assert backup.run("ls /") == ["[zookeeper]"]
    assert backup.run('create -e /master "master2.example.com:2182"') == ["Created /master"]
    master = backup

    # the three parents, watched by the master
    for path in ("/workers", "/tasks", "/assign"):
        assert master.run('create %s ""' % path) == ["Created " + path]
    assert master.run("ls /") == ["[assign, master, tasks, workers, zookeeper]"]
    assert without_hint(master.run("ls /workers true")) == ["[]"]
    assert without_hint(master.run("ls /tasks true")) == ["[]"]

    # a worker comes
    worker = story["worker"]
    created = worker.run('create -e /workers/worker1.example.com "worker1.example.com:2183"')
    assert created == ["Created /workers/worker1.example.com"]
    master.await_event(NODE_EVENT % ("NodeChildrenChanged", "/workers"))
    assert worker.run('create /assign/work1.example.com ""') == ["Created /assign/work1.example.com"]
    assert without_hint(worker.run("ls /assign/work1.example.com true")) == ["[]"]

    # a client asks for something and waits
    client = story["client"]
    assert client.run('create -s /tasks/task- "cmd"') == ["Created /tasks/task-0000000000"]
    assert without_hint(client.run("ls /tasks/task-0000000000 true")) == ["[]"]
    master.await_event(NODE_EVENT % ("NodeChildrenChanged", "/tasks"))

    # the master assigns it; with the tutorial's slip of the pen first
    assert master.run("ls /tasks") == ["[task-0000000000]"]
    assert master.run("ls /workers") == ["[worker1.example.com]"]
    slip = "/assign/worker1.example.com/task-0000000000"
    assert master.run('create %s ""' % slip) == ["Node does not exist: " + slip]
    task = "/assign/work1.example.com/task-0000000000"
    assert master.run('create %s ""' % task) == ["Created " + task]
    worker.await_event(NODE_EVENT % ("NodeChildrenChanged", "/assign/work1.example.com"))
    assert worker.run("ls /assign/work1.example.com") == ["[task-0000000000]"]

    # the worker does it and says so
    status = "/tasks/task-0000000000/status"
    assert worker.run('create %s "done"' % status) == ["Created " + status]
    client.await_event(NODE_EVENT % ("NodeChildrenChanged", "/tasks/task-0000000000"))
    shown = client.run("get -s /tasks/task-0000000000")
    assert shown[0] == "cmd"
    assert "cversion = 1" in shown and shown[-2:] == ["dataLength = 3", "numChildren = 1"]
    assert client.run("get " + status) == ["done"]

    # one watch, one event; and the worker's registration goes with its session
    for cli in (master, worker, client):
        assert cli.events == []
    assert without_hint(master.run("ls /workers true")) == ["[worker1.example.com]"]
    assert worker.quit() == 0
    master.await_event(NODE_EVENT % ("NodeChildrenChanged", "/workers"))
    assert master.run("ls /workers") == ["[]"]


def test_a_master_that_is_killed_loses_the_lead_when_its_session_expires(pytestconfig):
    # The session of the backup outlives a machine that stands still; so does the master's, till it is killed.
    server = started(pytestconfig.getoption("--target"), tickTime=1000)
    master, backup = Cli(server.address, "-timeout", "8000"), Cli(server.address)
    try:
        master.run("create -e /master m1")
        backup.run("stat -w /master")
        master.kill()
        assert backup.await_event("NodeDeleted") == NODE_EVENT % ("NodeDeleted", "/master")
        assert backup.run("create -e /master m2") == ["Created /master"]
    finally:
        master.kill()
        backup.kill()
        server.close()
