"""The recorded calls of ZooKeeper's shell, one after the other as they were recorded, with ours on a
server of ours: the same output on stdout and stderr, the same exit codes."""

import re

import pytest

from pylib import replay
from pylib.servers import Server, free_port, paddock_program

CONFIG = {
    "acl": {"DigestAuthenticationProvider.superDigest": "super:D/InIHSb7yEEbrWz8b9l71RjZJU="},
    "create": {"extendedTypesEnabled": "true"},
    "quota": {"enforceQuota": "true"},
}
GROUPS = ("acl", "create", "create_ttl_disabled", "get_set", "ls", "options", "quota", "stat_delete",
          "watch_misc")
OWN = {
    # Newer releases have these options and commands; so has ours.
    ("get_set", "get -b /g"), ("watch_misc", "exit"), ("options", "ls2 /"), ("options", "rmr /app"),
    # The port 2181 of this machine is not ours to use.
    ("options", "-server"),
    # The JDK's own name of this zone.
    ("stat_delete", "stat /zookeeper", "America/Sao_Paulo"),
    ("stat_delete", "stat /zookeeper", "UTC-8"),
    # From 3.9 on a server wants the permission to read for this.
    ("acl", "stat /a/k"),
}


def masked(text):
    text = re.sub(r"(\w{3} \w{3} \d\d \d\d:\d\d:\d\d) (\S+) (\d{4})",
                  lambda m: m.group(0) if m.group(3) == "1970" else "<DATE>", text)
    text = re.sub(r"([cmp]Zxid = 0x)[1-9a-f][0-9a-f]*", "<ZXID>", text)
    text = re.sub(r"[cmp]Zxid = <ZXID>", "<ZXID>", text)
    text = re.sub(r"(ephemeralOwner = )0x[1-9a-f][0-9a-f]*", r"\1<SID>", text)
    text = re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:<PORT>", text)
    text = re.sub(r"(CLI version: ).*", r"\1<VERSION>", text)
    # Java's line editor repeats what was read, and breaks it at 80 columns.
    text = re.sub(r"(?m)^(\[zk: .*?\(\w+\) \d+\]).*$", r"\1", text)
    text = re.sub(r"\n\nWATCHER::\n\nWatchedEvent state:SyncConnected type:None path:null\n", "\n", text)
    # Identities come out of a hash table.
    ids = re.compile(r"(?m)(?:^(?:ip|digest|super): .*\n?)+")
    return ids.sub(lambda m: "\n".join(sorted(m.group(0).split("\n"))), text).strip()


def out_of(call, want):
    """The shell shows its first prompt half a second after its start, though a busy server may not have
    answered it until then."""
    connected = "(CONNECTED) 0]"
    return call.out.replace("(CONNECTING) 0]", connected) if connected in want else call.out


def expected_errors(text):
    """Of an uncaught exception only its message means something; ours stands behind a sentence."""
    first = text.split("\n")[0]
    found = re.match(r"(?:Exception in thread \"main\" )?(?:[\w.$]+(?:Exception|Error): )+(.*)", first)
    return (found.group(1), True) if found and "\tat " in text else (text.strip(), False)


@pytest.mark.parametrize("group", GROUPS)
def test_every_recorded_call_prints_the_same(group, tmp_path):
    wrong, dead = [], free_port()
    (tmp_path / "client.properties").write_text("zookeeper.client.secure=false\n")
    with Server("paddock", CONFIG.get(group, {})) as server:
        other = server.port
        for case in replay.load("cli/%s.json" % group)["cases"]:
            argv = list(case["argv"])
            raw = case.get("raw_stdout", "")
            name = " ".join(w for w in argv[2:]) or argv[0] if argv else ""
            zone = case.get("env", {}).get("TZ")
            if (group, name) in OWN or (group, name, zone) in OWN:
                continue
            gone = "24999" in raw and case["exit_code"] == 1
            argv = [replay.put_in(w, tmp_path).replace("<PORT>", str(dead if gone else other))
                    for w in argv]
            if argv[:1] == ["-server"] and "24999" in case.get("note", ""):
                continue
            env = {k: v for k, v in case.get("env", {}).items() if k in ("TZ", "LC_ALL", "LANG")}
            call = replay.Call([paddock_program(), "cli"] + argv, tmp_path, env,
                               (case.get("stdin") or "").encode())
            want_err, exception = expected_errors(replay.put_in(case["stderr"], tmp_path))
            got_err = masked(call.err)
            same = (
                masked(out_of(call, case["stdout"])) == masked(case["stdout"])
                and call.code == case["exit_code"]
                and (masked(want_err) in got_err if exception else masked(want_err) == got_err)
            )
            if not same:
                wrong.append("%s\n  want %d %r %r\n  got  %d %r %r" % (
                    argv, case["exit_code"], masked(case["stdout"]), masked(want_err), call.code,
                    masked(out_of(call, case["stdout"])), got_err))
    assert not wrong, "\n".join(wrong)
