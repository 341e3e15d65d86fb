"""Debian's zookeeper command line against the server under test and against the real server.

The same commands to both; what they print is equal, line for line. The zxids are compared too:
both servers are fresh and nobody else talks to them.
"""

import pytest
from start import started
from zkcli import Cli, normalised, once

# Every command of the tutorials that this client still has, and every other one it has.
SESSION = """
ls /
ls -s /
create /app1
create /app1/config "hello,hello"
create /app1/config again
create /missing/parent x
ls /app1
ls -s /app1
ls -R /
get /app1/config
get -s /app1/config
set /app1 "hello,linux"
get /app1
set -s /app1 second
set -v 7 /app1 x
set -v 2 /app1 third
stat /app1
stat /zookeeper
stat /none
get /zookeeper/config
config
config -s
config -c
create /sanguo "diaochan"
create /sanguo/shuguo "liubei"
create -s /sanguo/weiguo "caocao"
create -s /sanguo/weiguo "caocao"
create -e /sanguo/zhouyu "zhouyu"
create -e -s /sanguo/zhouyu "zhouyu"
create /sanguo/zhouyu/kid x
create -c /sanguo/box "container"
create -t 3600000 /sanguo/ttl "ttl"
create -s -t 3600000 /sanguo/ttl "ttl"
create -e -c /sanguo/no x
create /空 "中文"
get /空
stat /sanguo/zhouyu
stat /sanguo/box
get -s /sanguo/ttl
ls -s /sanguo
getAllChildrenNumber /
getAllChildrenNumber /sanguo
getAllChildrenNumber /none
getEphemerals
getEphemerals /sanguo/zhouyu
getEphemerals /none
delete /sanguo
delete -v 5 /sanguo/box
delete -v 0 /sanguo/box
delete /sanguo/jin
deleteall /sanguo
deleteall /sanguo -b 10
deleteall /none
ls /sanguo
rmr /app1
ls2 /
delete /zookeeper
delete /
create / x
create nopath x
create /bad/ x
create /bad//x x
sync /app1
sync /none
getAcl /
getAcl -s /app1
setAcl /app1 world:anyone:cdra
getAcl /app1
setAcl -s -v 1 /app1 world:anyone:cdrwa
setAcl -v 9 /app1 world:anyone:r
addauth digest user:secret
create /secret data auth::cdrwa
getAcl /secret
setAcl -R /app1 world:anyone:rwcda,digest:user:X6MhBJgx9qEJIjoLFyYtJIxjKuo=:r
getAcl /app1/config
setAcl /app1 ip:127.0.0.1:cdrwa
getAcl /app1
setAcl /app1 nosuch:x:r
setAcl /app1 digest:nocolon:r
setAcl /app1 world:anyone:x
getAcl /app1
whoami
create /quota
create /quota/1 abc
setquota -n 3 /quota
setquota -b 100 /quota
setquota -N 5 /quota
setquota -B 200 /quota
listquota /quota
get -s /zookeeper/quota/quota/zookeeper_limits
get -s /zookeeper/quota/quota/zookeeper_stats
create /quota/2 abcdef
create /quota/3 ""
set /quota/1 abcdefghij
listquota /quota
setquota -n 3 /quota/1
delquota -n /quota
listquota /quota
delquota /quota
listquota /quota
listquota /none
ls -R /zookeeper
printwatches off
printwatches on
printwatches
reconfig -remove 3
reconfig -add server.5=localhost:2111:2112;2113
history
redo 2
redo 900
nosuchcommand
""".strip().split("\n")

WATCHES = [
    ("ls -w /w", "create /w/kid x", ["NodeChildrenChanged path:/w"]),
    ("get -w /w", "set /w v", ["NodeDataChanged path:/w"]),
    ("stat -w /w/new", "create /w/new x", ["NodeCreated path:/w/new"]),
    ("stat -w /w/new", "delete /w/new", ["NodeDeleted path:/w/new"]),
    ("get /w true", "set /w v2", ["NodeDataChanged path:/w"]),
    ("addWatch -m PERSISTENT /p", "create /p x", ["NodeCreated path:/p"]),
    ("ls /", "create /p/kid x", ["NodeChildrenChanged path:/p"]),
    ("ls /", "set /p y", ["NodeDataChanged path:/p"]),
    ("removewatches /p", "set /p z", ["PersistentWatchRemoved path:/p"]),
    ("addWatch -m PERSISTENT_RECURSIVE /r", "create /r x", ["NodeCreated path:/r"]),
    ("ls /", "create /r/a x", ["NodeCreated path:/r/a"]),
    ("ls /", "create /r/a/b x", ["NodeCreated path:/r/a/b"]),
    ("ls /", "deleteall /r", ["NodeDeleted path:/r/a/b", "NodeDeleted path:/r/a", "NodeDeleted path:/r"]),
    ("get -w /w", "ls /", []),
    ("removewatches /w -d", "set /w v3", ["DataWatchRemoved path:/w"]),
    ("removewatches /w -d", "ls /", []),
    ("removewatches /nothing", "ls /", []),
]  # fmt: skip


@pytest.fixture
def pair(pytestconfig):
    """The server under test and the real one, both fresh: so even their zxids are equal."""
    servers = [started(pytestconfig.getoption("--target")), started("java")]
    yield servers
    for server in servers:
        server.close()


def printed(cli, line):
    lines = normalised(cli.run(line))
    if line.startswith("getEphemerals"):  # in no certain order, not even for the real server
        lines = [str(sorted(text.strip("[]").split(", "))) for text in lines]
    return lines


def play(server):
    with Cli(server.address) as cli:
        pages = [(line, printed(cli, line)) for line in SESSION]
        assert cli.quit() == 0
    return pages


def test_every_command_prints_what_it_prints_with_the_real_server(pair):
    got, wanted = play(pair[0]), play(pair[1])
    different = [
        "%s\n  java:   %r\n  target: %r" % (line, left, right)
        for (line, left), (_, right) in zip(wanted, got)
        if left != right
    ]
    assert not different, "\n".join(different)


def test_the_real_server_answers_the_commands_as_the_tutorials_show(java_server):
    """The comparison above would also be satisfied by two empty pages."""
    with Cli(java_server.address) as cli:
        for line, wanted in (
            ("create /t1 v", ["Created /t1"]),
            ("create /t1 v", ["Node already exists: /t1"]),
            ("create -s /t1/z- v", ["Created /t1/z-0000000000"]),
            ("ls /t1", ["[z-0000000000]"]),
            ("get /t1", ["v"]),
            ("delete /t1", ["Node not empty: /t1"]),
            ("get /nope", ["Node does not exist: /nope"]),
        ):
            assert cli.run(line) == wanted


def watch_story(server):
    told = []
    with Cli(server.address) as watcher, Cli(server.address) as writer:
        writer.run("create /w x")
        for watch, change, events in WATCHES:
            shown = normalised(watcher.run(watch))
            writer.run(change)
            for event in events:
                shown.append(watcher.await_event(event))
            told.append((watch, change, shown))
        watcher.run("ls /")
        assert watcher.events == [], "more events than expected"
        assert watcher.quit() == 0 and writer.quit() == 0
    return told


def test_watches_tell_the_watcher_what_the_real_server_tells(pair):
    assert watch_story(pair[0]) == watch_story(pair[1])


def test_a_refused_auth_scheme_ends_the_session(pair):
    for server in pair:
        with Cli(server.address) as cli:
            cli.send("addauth nosuchscheme x:y\n")  # no other command: it may find no connection
            cli.await_event("state:AuthFailed")


ONE_SHOT = [
    ("create", "/one", "shot"),
    ("get", "-s", "/one"),
    ("get", "/none"),
    ("ls", "/"),
    ("stat", "/one"),
    ("delete", "/one"),
    ("-waitforconnection", "ls", "/"),
    ("-r", "ls", "/"),
]


def test_one_shot_commands_have_the_same_output_and_exit_status(pair):
    pages = [
        [(code, normalised(lines)) for code, lines in
         (once(server.address, *words) for words in ONE_SHOT)]
        for server in pair
    ]  # fmt: skip
    assert pages[0] == pages[1]


@pytest.mark.parametrize("words, code", [(("get", "/none"), 1), (("ls", "/"), 0)])
def test_the_exit_status_tells_success(server, words, code):
    assert once(server.address, *words)[0] == code
