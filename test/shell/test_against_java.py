"""One long script of commands, on a pipe, to Java's shell and to ours, each on its own server: every command
prints the same. One start of a JVM pays for all of them."""

import re
import subprocess

from pylib import replay
from pylib.servers import JAVA_CLASSPATH, JAVA_FLAGS, Server, paddock_program

from .test_golden_cli import masked

MAIN = "org.apache.zookeeper.ZooKeeperMain"
SCRIPT = r"""
create /c data
create /c
create /c/é "Grüße 中文 😀"
get /c/é
ls /c
create -s -e /c/s- x
create -sv /c/s- x
create -c /c/cont
create -t 5 /c/t
create /c/acl d world:anyone:cdrwa,digest:bob:x:r
getAcl /c/acl
getAcl -s /c/none
setAcl -v 5 /c/acl world:anyone:r
setAcl /c/acl digest:a:b
setAcl -R /c world:anyone:cdrwa
setAcl /c/acl world:anyone:cdrwaz
set /c newdata
set -v 1 /c third
set -v 1 /c third
set -v=2 /c fourth
set /c/none x
get -sw /c
get /c -s true
stat -w /c/none
stat /c/
ls -R /c
ls -sR /c/none
ls /c extra words
delete -v 3 /c/é
delete /c
delete /c/é 0
delete /zookeeper/config
deleteall /c/cont
deleteall /c/nothing
deleteall -b 2 /c
create /q 1
create /q/k 12345
setquota -n 100 /q
setquota -N 1 /q
setquota -B 2 /q
setquota -b 3 /q
listquota /q
setquota -N 0 /q
setquota -B -1 /q
setquota -N x /q
setquota -n 5
setquota -x 5 /q
setquota -n 99999999999 /q
setquota -b 99999999999 /q
setquota -n 5 /q/k
setquota -n 5 /
setquota -n 5 q
delquota -N /q
listquota /q
delquota -n -n /q
delquota /q
delquota /q
delquota -b /q
delquota q
listquota q
deleteall /q
addWatch
addWatch -m persistent /w
create /w 1
set /w 2
removewatches /w -a
addWatch -m PERSISTENT_RECURSIVE /w
create /w/1 x
delete /w/1
removewatches /w
get -w /w
ls -w /w
stat -w /w
removewatches /w -c
removewatches /w -d
removewatches /w
ls -w /w
get -w /w
delete /w
getEphemerals /c
getEphemerals c
getAllChildrenNumber /zookeeper
getAllChildrenNumber x
config
config -c
config -cs
reconfig
reconfig -add x -add y
reconfig -members
reconfig -v 0x10 -remove 1
sync /
whoami extra
printwatches
printwatches off
create /pw 1
printwatches on
printwatches
delete /pw
history
redo 4
redo 1000
version x
addauth
getAcl /zookeeper
create /n1 ""
get /n1
create /n2 '' world:anyone:r
get -s /n2
create /n3 "a b" 'world:anyone:r'
get /n3
create -- -x y
create /n4 --
create /n5 -- -5
get /n5
ls ""
ls /a/../b
ls /.
ls /...
ls /a/.b
ls --help
h
quit extra
"""

MARK = "ZooKeeper CLI version"


CLOSED = "WatchedEvent state:Closed type:None path:null"


def events(text):
    return re.findall(r"WatchedEvent .*", text)


def by_command(text):
    """The output of each command: what stands before the mark that follows it. Ours repeats prompt and
    line, Java's without its line editor does not."""
    text = re.sub(r"(?m)^\[zk: [^\n]*?\(\w+\) \d+\] ?([^\n]*\n|$)", "", text)
    text = re.sub(r"(?m)^(SLF4J:.*|WARNING:.*|Connecting to .*|Welcome to .*|JLine support .*)\n", "", text)
    text = re.sub(r"(?m)^(\[[^\n]*?\] (WARN|ERROR|INFO) [^\n]*|\tat [^\n]*)\n", "", text)
    # Events come from another thread, at any place.
    text = re.sub(r"(?m)^(WATCHER::|WatchedEvent .*)?\n", "", text)
    return re.split(MARK + r"[^\n]*\n", text)


def run(argv, tmp_path, name):
    """stdout and stderr into one file, as on a terminal."""
    path = tmp_path / name
    script = "".join(line + "\nversion\n" for line in SCRIPT.strip().split("\n"))
    with open(path, "wb") as file:
        process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=file, stderr=file,
                                   env=replay.environment())
        process.communicate(script.encode(), timeout=60)
    return process.returncode, path.read_bytes().decode("utf8", "replace")


def test_every_command_of_a_script_prints_the_same(tmp_path):
    quiet = tmp_path / "quiet.xml"
    quiet.write_text("<configuration><root level='OFF'/></configuration>")
    java = ["java", *JAVA_FLAGS, "-Dlogback.configurationFile=%s" % quiet,
            "-cp", JAVA_CLASSPATH, MAIN]
    answers = []
    for name, argv in (("java", java), ("ours", [paddock_program(), "cli"])):
        with Server("paddock", {}) as server:
            servers = ["-server", "127.0.0.1:%d" % server.port]
            answers.append(run(argv + servers, tmp_path, name))
    (java_code, java_text), (our_code, our_text) = answers
    lines = SCRIPT.strip().split("\n")
    want, got = by_command(java_text), by_command(our_text)
    assert len(got) == len(lines) == len(want)  # the last one is quit
    wrong = [
        "%s\n  want %r\n  got  %r" % (line, masked(java), masked(ours))
        for line, java, ours in list(zip(lines, want, got))[:-1]  # after quit Java logs
        if masked(java) != masked(ours)
    ]
    assert not wrong, "\n".join(wrong)
    # Java's program may end before its event thread has told of the end of the session.
    assert events(our_text) in (events(java_text), events(java_text) + [CLOSED])
    assert our_code == java_code
