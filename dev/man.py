#!/usr/bin/env python3
"""Writes the lists of commands and options in docs/man/*.1 anew, from what the program itself says.

    dev/man.py [--check]    PADDOCK names the program (build/paddock)

Between `.\\" BEGIN name` and `.\\" END` a page is generated; the rest is written by hand. --check changes
nothing and says which pages are old (exit code 1)."""

import difflib
import functools
import glob
import os
import re
import subprocess
import sys

REPO = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PADDOCK = os.environ.get("PADDOCK") or os.path.join(REPO, "build", "paddock")

# The commands of ZooKeeper's shell have no text of help in the program.
JAVA = {
    "addWatch": "Sets a watch that stays, on the znode or on all below it, too.",
    "addauth": "Adds an identity to the session.",
    "close": "Ends the session.",
    "config": "Prints the configuration of the ensemble; -c as a connect string for clients.",
    "connect": "Begins a session with other servers.",
    "create": "Creates a znode: -s with a number at its end, -e until the session ends, -c a container, "
              "-t with a time to live in milliseconds.",
    "delete": "Deletes a znode that has no children.",
    "deleteall": "Deletes a znode and all below it.",
    "delquota": "Removes limits from a znode.",
    "get": "Prints the data of a znode: -s with its stat, -b as base64, -x in hexadecimal.",
    "getAcl": "Prints the access control list of a znode.",
    "getAllChildrenNumber": "Counts all znodes below one.",
    "getEphemerals": "Lists the ephemeral znodes of this session.",
    "history": "Prints the last commands with their numbers.",
    "listquota": "Prints the limits of a znode, and what is used of them.",
    "ls": "Lists the children of a znode: -s with its stat, -R all znodes below it.",
    "printwatches": "Whether events are printed.",
    "quit": "Ends the shell.",
    "reconfig": "Changes the members of the ensemble.",
    "redo": "Does a command of the history again.",
    "removewatches": "Removes watches from a znode.",
    "set": "Sets the data of a znode, with -v only in this version.",
    "setAcl": "Sets the access control list of a znode, with -R of all below it, too.",
    "setquota": "Limits number (-n) or bytes (-b) of the znodes below one; -N and -B are enforced.",
    "stat": "Prints the stat of a znode.",
    "sync": "Waits until the server has what the leader had.",
    "version": "Prints the version.",
    "whoami": "Prints the identities of the session.",
}

# ZooKeeper's tools say of their options what ZooKeeper says of them; the pages say it shortly.
TOOLS = {
    "txnlog-toolkit": {
        "-c,--chop": "writes the transactions up to the one with ZXID to a new file; with \\-z",
        "-d,--dump": "prints the transactions: this is done anyway",
        "-h,--help": "prints the usage",
        "-r,--recover": "writes the log with right checksums to a new file, and asks before each repair",
        "-v,--verbose": "with \\-r: prints all transactions, not only those that are repaired",
        "-y,--yes": "with \\-r: repairs without asking",
        "-z,--zxid <arg>": "the last transaction that \\-c keeps: 0x and hexadecimal, or decimal",
    },
    "snapshot-comparer": {
        "-b,--bytes <BYTETHRESHOLD>": "how many bytes of data may differ without being shown; must be given",
        "-d,--debug": "prints what is not shown otherwise, as filtered",
        "-i,--interactive": "asks which level, or the children of which znode, is compared next",
        "-l,--left <LEFT>": "a snapshot; must be given",
        "-n,--nodes <NODETHRESHOLD>": "how many descendants may differ without being shown; must be given",
        "-r,--right <RIGHT>": "the other snapshot; must be given",
    },
    "initialize": {
        "-h": "prints the usage",
        "--help": "prints the usage",
        "--configfile=FILE": "the configuration file",
        "--myid=#": "the number of the server, for the file myid",
        "--force": "removes the data that are there",
    },
}


def say(*words):
    done = subprocess.run([PADDOCK, *words], capture_output=True, text=True, stdin=subprocess.DEVNULL)
    return done.stdout


def escape(text):
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return re.sub(r"(?m)^([.'])", r"\\&\1", text)


def options(text):
    """Paragraphs, and lists of options with what stands beside them, as .TP."""
    out, column, last, short = [], None, None, False
    for line in text.splitlines():
        found = re.match(r"  (-\S.*?)(?:\s{2,}(\S.*))?$", line)
        if found:
            out += [".TP", "\\fB%s\\fR" % escape(found.group(1))]
            if found.group(2):
                out.append(escape(found.group(2)))
            column = found.start(2) if found.group(2) else None
            last = "option"
        elif last == "option" and line.startswith("   "):
            indent = len(line) - len(line.lstrip())
            if column is not None and indent > column:
                out.append(".br")
            out.append(escape(" ".join(line.split())))
        elif line.strip():
            if last == "option":
                out.append(".PP")
            elif short:
                out.append(".br")
            out.append(escape(line.strip()))
            last, short = "text", len(line) < 75
        else:
            out.append(".PP")
            last = "text"
    return out


def cli_commands(own):
    text = say("cli", "help", "--all")
    theirs, ours = text.split("Commands of this shell", 1)
    for name, usage in re.findall(r"(?m)^\t(\S+) ?(.*)$", ours if own else theirs):
        yield name, usage.split(" # ")[0]


def java_commands():
    out = []
    for name, usage in cli_commands(False):
        out += [".TP", "\\fB%s\\fR %s" % (name, escape(usage)), escape(JAVA[name])]
    return out


def own_commands():
    out = []
    for name, usage in cli_commands(True):
        help_text = say("cli", "help", name).split("\n", 1)[1]
        out += [".SS", "%s %s" % (name, escape(usage))]
        out += options(help_text)
    return out


def program_commands():
    out = []
    for name, purpose in re.findall(r"(?m)^paddock ([a-z][a-z-]*)\s+(\S.*)$", say("help").split("\n\n")[1]):
        out += [".TP", "\\fB%s\\fR" % escape(name), escape(purpose)]
    return out


def server_usage():
    lines = say("help").split("\n\n", 2)[2].splitlines()
    usage = [line for line in lines if not line.startswith("  -")]
    listed = "\n".join(line for line in lines if line.startswith("  -"))
    return [".EX", *[escape(line) for line in usage if line], ".EE", *options(listed)]


def tool_options(name):
    if name == "initialize":
        script = os.path.join(REPO, "bin", "zkServer-initialize.sh")
        usage = subprocess.run([script, "-h"], capture_output=True, text=True,
                               env=dict(os.environ, PADDOCK=PADDOCK)).stdout
        usage = re.sub(r"--configfile=\S+", "--configfile=FILE", usage)
    else:
        usage = subprocess.run([PADDOCK, name], capture_output=True, text=True).stdout
    out = []
    for option in re.findall(r"(?m)^ +(-\S+(?: \S+)?)  ", usage):
        out += [".TP", "\\fB%s\\fR" % escape(option), TOOLS[name][option]]
    return out


def bench_options():
    return options(say("bench", "--help").split("\n\n", 1)[1])


SECTIONS = {"java-commands": java_commands, "own-commands": own_commands, "commands": program_commands,
            "server": server_usage, "bench": bench_options,
            **{name: functools.partial(tool_options, name) for name in TOOLS}}


def generate(text):
    def replace(found):
        return "%s\n%s\n.\\\" END" % (found.group(1), "\n".join(SECTIONS[found.group(2)]()))

    return re.sub(r'(?ms)^(\.\\" BEGIN ([a-z-]+)[^\n]*)\n.*?^\.\\" END', replace, text)


def main():
    check, old = "--check" in sys.argv[1:], 0
    for path in sorted(glob.glob(os.path.join(REPO, "docs", "man", "*.1"))):
        with open(path) as file:
            text = file.read()
        new = generate(text)
        if new == text:
            continue
        old += 1
        if check:
            print("%s is old: run dev/man.py" % os.path.relpath(path, REPO))
            print("".join(difflib.unified_diff(text.splitlines(True), new.splitlines(True), "old", "new")))
        else:
            with open(path, "w") as file:
                file.write(new)
    return 1 if check and old else 0


if __name__ == "__main__":
    sys.exit(main())
