"""paddock bench: which servers it talks to, and what it says when one is not there."""

import json
import subprocess

from pylib import servers


def bench(*words):
    done = subprocess.run(
        [servers.paddock_program(), "bench", *map(str, words)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def requests_taken(server):
    """By the server's own count."""
    lines = server.four_letter("mntr").decode().splitlines()
    return next(int(x.split("\t")[1]) for x in lines if x.startswith("zk_packets_received\t"))


def test_sessions_are_spread_over_all_servers_evenly(start):
    both = [start(), start()]
    addresses = ",".join(server.address for server in both)
    words = ("--op", "idle", "--sessions", 6, "--duration", 20)
    with subprocess.Popen(
        [servers.paddock_program(), "bench", "--servers", addresses, *map(str, words)],
        stdout=subprocess.PIPE,
        text=True,
    ) as client:
        try:
            assert client.stdout.readline() == "ready\n"
            for server in both:
                sessions = server.four_letter("cons").decode().count("sid=")
                assert sessions == 3
        finally:
            client.kill()


def test_every_server_of_the_list_gets_its_part_of_the_load(start):
    both = [start(), start()]
    for server in both:
        assert bench("--servers", server.address, "--op", "none", "--paths", 10)[0] == 0
    before = [requests_taken(server) for server in both]
    addresses = ",".join(server.address for server in both)
    words = ("--op", "get", "--reuse", "--paths", 10, "--ops", 2000, "--warmup", 0, "--json")
    code, out, _ = bench("--servers", addresses, *words)
    assert code == 0
    assert json.loads(out)["errors"] == 0
    for server, was in zip(both, before):
        assert requests_taken(server) > was + 100


def test_a_server_that_is_not_there_ends_the_run_and_is_named(start):
    server, port = start(), servers.free_port()
    words = ("--op", "idle", "--sessions", 2, "--duration", 1)
    code, _, err = bench("--servers", "%s,127.0.0.1:%d" % (server.address, port), *words)
    assert code == 1
    assert "bench: 127.0.0.1 port %d, session 1: " % port in err
