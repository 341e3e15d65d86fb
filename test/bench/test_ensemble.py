"""The measures that need three servers, tried with three of Java."""

import pytest

from pylib.servers import free_port

import failover
import servers
import workloads


@pytest.fixture(scope="module")
def ensemble(tmp_path_factory):
    ports = set()
    while len(ports) < 9:
        ports.add(free_port())
    directory = str(tmp_path_factory.mktemp("ensemble"))
    with servers.Ensemble("java", directory, heap="256m", ports=sorted(ports)) as target:
        yield target


def test_the_load_reaches_all_three_and_their_processor_time_is_added_up(ensemble):
    before = [member.cpu_s() for member in ensemble.members]
    words = ("--op", "set", "--sessions", 6, "--ops", 3000, "--warmup", 0)
    assert workloads.run(ensemble.addresses, *words)["ops"] >= 3000
    for member, was in zip(ensemble.members, before):
        assert member.cpu_s() > was
    assert ensemble.cpu_s() > sum(before)


def test_a_round_of_failover_ends_with_a_write_and_a_whole_ensemble(ensemble):
    failover.prepare(ensemble)
    dead = ensemble.leader()
    took_ms = failover.kill_leader(ensemble)
    assert 0 < took_ms < failover.ROUND_WAIT_S * 1000
    assert ensemble.leader() is not dead
    assert len(ensemble.followers()) == 2
    with workloads.zkwire.RawClient(port=dead.port) as client:
        assert client.get_data(failover.PATH)[0] == b"behind"
