"""Many large answers that become ready at once."""

import threading

from pylib.servers import Server
from pylib.zkwire import GET_DATA, SET_DATA, get_data_request, set_data_request

READS, DATA_BYTES, MEMORY_MB_MAX = 300, 1_000_000, 100


def peak_mb(pid):
    with open("/proc/%d/status" % pid) as status:
        kb = next(line.split()[1] for line in status if line.startswith("VmHWM"))
    return int(kb) / 1024


def test_large_reads_behind_a_write_are_answered_in_order_and_do_not_pile_up_in_memory():
    """They wait for the write, and then all at once are ready: 300 MB of answers."""
    # The client asks nothing while it reads them, which takes a busy machine longer than a session of 30 s.
    config = {"maxSessionTimeout": 600000}
    with Server("paddock", config) as server, server.client(timeout_ms=600000) as client:
        client.create("/large", b"x" * DATA_BYTES)
        before = peak_mb(server.pid)

        def send_all():
            client.send(SET_DATA, set_data_request("/large", b"y" * DATA_BYTES), xid=1000)
            for i in range(READS):
                client.send(GET_DATA, get_data_request("/large"), xid=1001 + i)

        sender = threading.Thread(target=send_all)
        sender.start()
        for i in range(READS + 1):
            reply = client.recv()
            assert (reply.xid, reply.err) == (1000 + i, 0)
        sender.join()
        if "asan" not in server.command({})[0]:  # sanitizers keep freed memory aside
            assert peak_mb(server.pid) - before < MEMORY_MB_MAX
