"""The pages of the manual say what the programs say, and are right for man."""

import glob
import os
import re
import shutil
import subprocess
import sys

import pytest

from pylib import replay
from pylib.servers import REPO

PAGES = sorted(glob.glob(os.path.join(REPO, "docs", "man", "*.1")))


def page(name):
    with open(os.path.join(REPO, "docs", "man", name)) as file:
        return file.read().replace("\\-", "-")


def terms(text):
    """What stands bold at the head of an entry."""
    return re.findall(r"(?m)^\.TP\n\\fB([^\\\n]+)\\fR", text)


def test_commands_and_options_are_those_of_the_help_texts():
    done = subprocess.run([sys.executable, os.path.join(REPO, "dev", "man.py"), "--check"],
                          env=replay.environment(), capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    # The check is worth something only if the lists are there.
    assert len(terms(page("zkCli.sh.1"))) > 40 and "--outstanding N" in terms(page("paddock-bench.1"))
    assert "cli" in terms(page("paddock.1")) and "--log-file <path>" in terms(page("paddock.1"))


def test_the_options_of_zkcli_are_those_that_it_knows():
    with open(os.path.join(REPO, "src", "shell", "shell_main.c")) as file:
        known = set(re.findall(r'strcmp\(argv\[at\], "(-[a-z-]+)"\)', file.read()))
    text = page("zkCli.sh.1")
    listed = terms(text[text.index(".SH OPTIONS"):text.index(".SH COMMANDS")])
    assert len(known) > 4 and sorted(listed) == sorted(known)


def test_the_words_of_zkserver_are_those_of_its_usage():
    usage = subprocess.run([os.path.join(REPO, "bin", "zkServer.sh")], capture_output=True, text=True,
                           env=replay.environment()).stderr
    words = re.search(r"\{(.*)\}", usage).group(1).split("|")
    text = page("zkServer.sh.1")
    listed = terms(text[text.index(".SH DESCRIPTION"):text.index(".SH OPTIONS")])
    assert sorted(listed) == sorted(words)


def test_each_script_has_its_page():
    scripts = {os.path.basename(path) for path in glob.glob(os.path.join(REPO, "bin", "*.sh"))}
    assert {os.path.basename(path)[:-len(".1")] for path in PAGES} == scripts | {"paddock", "paddock-bench"}


def test_the_variables_of_zkenv_are_those_that_it_reads():
    with open(os.path.join(REPO, "bin", "zkEnv.sh")) as file:
        code = re.sub(r"(?m)#.*$|\".* in PATH;.*\"", "", file.read())
    text = page("zkEnv.sh.1")
    listed = re.findall(r"(?m)^\.TP\n([A-Z_, ]+)$", text[text.index(".SH ENVIRONMENT"):text.index(".SH FILES")])
    # Where the scripts stand is said by the scripts.
    own = {"ZOOBINDIR", "ZOOKEEPER_PREFIX"}
    assert set(", ".join(listed).split(", ")) == set(re.findall(r"\b[A-Z_]{4,}\b", code)) - own


@pytest.mark.parametrize("path", PAGES, ids=os.path.basename)
def test_man_finds_nothing_wrong_with_the_page(path):
    if shutil.which("man") is None or shutil.which("groff") is None:
        pytest.skip("there is no man or groff")
    done = subprocess.run(["man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z", path],
                          capture_output=True, text=True, env=replay.environment(MANWIDTH="100"))
    assert done.returncode == 0 and done.stderr == ""
