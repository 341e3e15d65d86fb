"""Java's servers with reconfigEnabled give their configuration a version, and may change it."""

import os
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from load import Load  # noqa: E402
from pylib.ensemble import CONFIG, Ensemble, start_kazoo, stop_kazoo  # noqa: E402

KEYS = {"reconfigEnabled": "true", "skipACL": "yes"}
CHANGED = "the ensemble's servers were changed by reconfig"


def config_of(member):
    client = member.kazoo()
    try:
        return client.get(CONFIG)[0].decode()
    finally:
        stop_kazoo(client)


def keep_files(member):
    """A server of Java writes its zoo.cfg anew: the next start takes it as it is."""
    member.write_config = lambda: None


def check_same_version(ensemble):
    texts = {config_of(member) for member in ensemble.running()}
    assert len(texts) == 1 and not texts.pop().endswith("\nversion=0")
    conf = {m.four_letter("conf").decode().partition("membership: \n")[2] for m in ensemble.running()}
    assert conf == {config_of(ensemble.running()[0])}


def test_a_version_that_java_s_leader_gave_is_kept_by_a_leader_of_ours():
    ensemble = Ensemble(["paddock", "java", "paddock"], config=KEYS)
    try:
        ensemble[1].start()
        ensemble[2].start()
        ensemble.wait(lambda: ensemble[2].mode() == "leader", "server 2 leads")
        ensemble[3].start()
        ensemble.wait_all()
        keep_files(ensemble[2])
        with Load(ensemble) as load:
            load.wait_for(30)
            check_same_version(ensemble)
            ensemble[2].kill()
            ensemble.wait_leader()
            ensemble[2].start()
            ensemble.wait_all()
            load.wait_for(30)
            check_same_version(ensemble)
            load.check()
        ensemble.check_same()
        for member in ensemble.members:
            member.kill()
        # Ours have not kept the version; a quorum of them does not hear of it until server 2 comes.
        ensemble[1].start()
        ensemble[3].start()
        ensemble.wait_leader()
        ensemble[2].start()
        ensemble.wait_all()
        check_same_version(ensemble)
        # Ours takes the place of Java's, with the zoo.cfg that Java has written.
        ensemble[2].kill()
        with open(ensemble[2].config_path) as file:
            text = file.read()
        assert "dynamicConfigFile=" in text and "server." not in text
        ensemble[2].target = "paddock"
        ensemble[2].start()
        ensemble.wait_all()
        check_same_version(ensemble)
        ensemble.check_same()
    finally:
        ensemble.close()


def remove_server_two(ensemble):
    keep_files(ensemble[2])
    client = start_kazoo(ensemble[4].address)
    text, _ = client.reconfig(joining=None, leaving="2", new_members=None)
    stop_kazoo(client)
    assert b"server.2=" not in text and b"server.3=" in text


@pytest.mark.parametrize("runs", [True, False], ids=["while it runs", "while it is down"])
def test_a_server_of_ours_that_java_s_reconfig_left_behind_ends_and_comes_back_with_the_new_list(runs):
    ensemble = Ensemble(["java", "java", "paddock", "java"], config=KEYS)
    member = ensemble[3]
    with ensemble:
        ensemble.make_leader(ensemble[4])
        for other in (1, 4):
            keep_files(ensemble[other])
        if not runs:
            member.kill()
        remove_server_two(ensemble)
        ensemble[2].kill()
        if not runs:
            member.start()
        assert member.process.wait(60) == 1
        assert CHANGED in member.log()
        write_without_server_two(ensemble[4])
        member.start(config={"server.2": None})
        ensemble.members.remove(ensemble[2])
        ensemble.wait_all()
        ensemble.check_same()


def write_without_server_two(member):
    client = start_kazoo(member.address)
    client.create("/without-server-2", b"")
    stop_kazoo(client)
