"""paddock.busyPollMicros: the loop polls without sleeping behind a request, and sleeps in the end."""

import mmap
import struct
import subprocess
import time

import pytest

from pylib.servers import Server

# Counts in a file: calls that poll without sleeping, and calls that sleep.
COUNT_POLLS = r"""
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
static int polled(int fd, struct epoll_event *events, int max, int timeout, const sigset_t *mask)
{
    static volatile uint64_t *counts;
    if (!counts)
        counts = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, open(getenv("POLL_COUNTS"), O_RDWR), 0);
    counts[timeout != 0]++;
    return (int)syscall(SYS_epoll_pwait, fd, events, max, timeout, mask, 8);
}
int epoll_wait(int fd, struct epoll_event *events, int max, int timeout)
{
    return polled(fd, events, max, timeout, 0);
}
int epoll_pwait(int fd, struct epoll_event *events, int max, int timeout, const sigset_t *mask)
{
    return polled(fd, events, max, timeout, mask);
}
"""
PINGS = 200


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    directory = tmp_path_factory.mktemp("polls")
    source, library = directory / "polls.c", directory / "polls.so"
    source.write_text(COUNT_POLLS)
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source], check=True)
    return str(library)


@pytest.fixture
def counted(library, tmp_path):
    """counted(micros) -> a server, and a function: (polls without sleep, polls with) so far."""
    servers, counts = [], tmp_path / "counts"
    counts.write_bytes(bytes(4096))
    file = open(counts, "r+b")
    view = mmap.mmap(file.fileno(), 4096)

    def counted(micros):
        words = ["env", "LD_PRELOAD=" + library, "POLL_COUNTS=%s" % counts]
        words += ["ASAN_OPTIONS=verify_asan_link_order=0"]
        # No tick of the server comes between the pings: a tick polls once without sleeping, too.
        config = {"tickTime": 60000, "maxSessionTimeout": 1200000, "paddock.busyPollMicros": micros}
        servers.append(Server("paddock", config, wrapper=words))
        return servers[-1].start(), lambda: struct.unpack_from("=QQ", view)

    yield counted
    for server in servers:
        server.close()
    view.close()
    file.close()


def test_each_request_is_followed_by_polls_that_do_not_sleep_and_then_by_sleep(counted):
    server, polls = counted(1000)
    with server.client() as client:
        before = polls()[0]
        for _ in range(PINGS):
            client.ping()
        assert polls()[0] - before >= PINGS - 1  # the poll behind the last answer may be still to come
        sleeps, deadline = polls()[1], time.monotonic() + 60
        client.ping()
        while polls()[1] == sleeps:
            assert time.monotonic() < deadline, "it never sleeps"
            time.sleep(0.001)


def test_without_the_option_a_request_is_followed_by_sleep(counted):
    server, polls = counted(0)
    with server.client() as client:
        before = polls()
        for _ in range(PINGS):
            client.ping()
        after = polls()
        assert after[1] - before[1] >= PINGS - 1
        assert after[0] - before[0] < PINGS / 2
