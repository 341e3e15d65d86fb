"""What docs/operations.md tells operators to do with an ensemble, done. (Replacing Java's servers one by one,
and back, is in test_mixed.py.)"""

import os
import shutil
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from load import Load  # noqa: E402
from pylib.ensemble import SERVING, Ensemble, stop_kazoo  # noqa: E402


def restart(ensemble, member):
    member.stop()
    member.start()
    ensemble.wait(lambda: member.mode() in SERVING, "the mode of the server that was restarted")


def test_an_ensemble_grows_by_one_server_while_it_serves():
    ensemble = Ensemble(["paddock"] * 4)
    *first, added = ensemble.members
    line = added.config["server.4"]
    try:
        for member in first:
            del member.config["server.4"]
            member.start()
        leader = ensemble.wait_leader()
        with Load(ensemble) as load:
            load.wait_for(30)
            added.start()
            ensemble.wait(lambda: added.mode() == "follower", "it follows at once")
            assert "no server.N line has its id" in leader.log()
            for member in [m for m in first if m is not leader] + [leader]:
                member.config["server.4"] = line
                restart(ensemble, member)
            load.wait_for(30)
            load.check()
        ensemble.wait_all()
        ensemble.check_same()
        for member in ensemble.followers()[:2]:  # of four, two may not be missing
            member.kill()
        ensemble.wait(lambda: not ensemble.leaders(), "two of four are no majority")
    finally:
        ensemble.close()


def test_a_server_is_replaced_by_an_empty_one_while_the_others_serve():
    with Ensemble(["paddock"] * 3) as ensemble, Load(ensemble) as load:
        ensemble.wait_all()
        for member in list(ensemble.members):
            load.wait_for(30)
            member.stop()
            os.rename(member.log_dir, member.log_dir + "-old")
            member.start()
            ensemble.wait_all()
        load.wait_for(30)
        load.check()
        ensemble.check_same()


def test_when_a_majority_lost_its_data_all_go_on_with_a_copy_of_the_third():
    with Ensemble(["paddock"] * 3) as ensemble:
        ensemble.wait_all()
        client = ensemble[1].kazoo()
        for i in range(20):
            client.create("/kept-%02d" % i, b"")
        stop_kazoo(client)
        ensemble.wait_same_zxid()
        for member in ensemble.members:
            member.stop()
        for member in ensemble.members[:2]:
            member.wipe()
            shutil.copytree(ensemble[3].log_dir, member.log_dir)
        for member in ensemble.members:
            member.start()
        ensemble.wait_all()
        assert len(ensemble[1].tree()) == len(ensemble[2].tree()) > 20
        ensemble.check_same()


def test_after_a_stop_of_all_the_rest_is_enough_to_go_on():
    """Without a majority nobody serves; one of the missing servers makes a majority again."""
    with Ensemble(["paddock"] * 3) as ensemble:
        ensemble.wait_all()
        client = ensemble[1].kazoo()
        client.create("/kept", b"data")
        stop_kazoo(client)
        for member in ensemble.members:
            member.kill()
        ensemble[1].start()
        ensemble.wait(lambda: "LOOKING" in ensemble[1].log().rsplit("serving port", 1)[-1], "it looks")
        assert ensemble[1].mode() is None
        ensemble[2].start()
        ensemble.wait_leader()
        client = ensemble[1].kazoo()
        assert client.get("/kept")[0] == b"data"
        stop_kazoo(client)
