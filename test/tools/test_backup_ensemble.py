"""Backups of the members of an ensemble of both kinds, and the whole ensemble taken back to one."""

import os
import shutil


from pylib.ensemble import Ensemble
from pylib.offline import Call


def create(member, names):
    with member.client() as client:
        for name in names:
            client.create("/" + name, b"x")
        client.close_session()  # else its end would be one more transaction, at any time


def names_of(member):
    with member.client() as client:
        return sorted(n for n in client.get_children("/") if n != "zookeeper")


def test_every_member_can_be_backed_up_and_the_ensemble_be_taken_back(tmp_path):
    with Ensemble(["java", "paddock", "paddock"]) as ensemble:
        ensemble.wait_all()
        early = ["a%03d" % i for i in range(50)]
        create(ensemble.wait_leader(), early)
        ensemble.wait_same_zxid()
        # A server of Java may apply what it has not yet written to its own log.
        ensemble.wait(lambda: len({max(m.records()) for m in ensemble.members}) == 1, "the same in all logs")
        zxid = None
        for number, member in enumerate(ensemble.members):  # whatever its role
            file = tmp_path / ("backup%d.tar" % number)
            call = Call("backup", member.address, file)
            assert call.code == 0 and call.err == ""
            said = call.out.split("zxid ")[1].split(";")[0]
            assert zxid in (None, said)
            zxid = said
        create(ensemble.wait_leader(), ["b%03d" % i for i in range(50)])
        ensemble.wait_same_zxid()
        late = tmp_path / "late.tar"
        assert Call("backup", ensemble.members[1].address, late).code == 0

        for member in ensemble.members:
            member.stop()
        for member in ensemble.members:  # with none that still runs: the later state would come back from it
            shutil.rmtree(member.log_dir)
            call = Call("restore", "--zxid", zxid, late, member.data_dir)
            assert call.code == 0, call.err
            assert sorted(os.listdir(member.data_dir)) == ["myid", "version-2"]
        for member in ensemble.members:
            member.start()
        ensemble.wait_all()
        for member in ensemble.members:
            assert names_of(member) == early
        create(ensemble.wait_leader(), ["c"])
        ensemble.wait_same_zxid()
        ensemble.check_same()
