"""A server whose memory ends."""

import os
import re
import resource

from pylib.zkwire import Closed


def address_space_kb(pid):
    with open("/proc/%d/status" % pid) as status:
        return int(re.search(r"VmSize:\s+(\d+) kB", status.read()).group(1))


# AddressSanitizer ends the process itself when memory ends, and its report needs memory and waits for ever
# for a lock that it holds. It has to leave the end to the server, and to keep no stacks meanwhile.
ASAN = "ASAN_OPTIONS=allocator_may_return_null=1:symbolize=0:malloc_context_size=0"


def test_the_end_of_memory_is_the_last_line_of_the_log(start, logged):
    server = start(wrapper=["env", ASAN])
    client = server.client()
    limit = (address_space_kb(server.pid) + 32 * 1024) * 1024
    resource.prlimit(server.pid, resource.RLIMIT_AS, (limit, limit))
    try:
        for number in range(1000):
            client.create("/n%d" % number, os.urandom(500_000))
        raise AssertionError("500 MB fitted into 32")
    except (OSError, Closed):
        pass
    logged(server, r"ERROR \[main\] - out of memory: wanted bytes=\d+$")
