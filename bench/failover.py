"""How long nobody can write when the leader dies: from SIGKILL to the next acknowledged write.

Each surviving server has one client. It writes, comes back with its session whenever its connection
ends, and writes again. The first write that was sent behind the kill and is acknowledged ends the
round.
"""

import threading
import time

from workloads import BenchFailed, zkwire

PATH = "/paddock-failover"
ROUND_WAIT_S = 60.0
RETRY_S = 0.002  # between two attempts to connect
LOST = (OSError, zkwire.Closed, zkwire.Timeout)


class Writer(threading.Thread):
    """One client of one server, on a thread."""

    def __init__(self, port, acknowledged):
        super().__init__(daemon=True)
        self.port, self.acknowledged = port, acknowledged
        self.acknowledged_at_s = None
        self.client = zkwire.RawClient(port=port)
        self.session = (self.client.session_id, self.client.passwd)
        self.client.set_data(PATH, b"before")

    def run(self):
        try:
            while not self.acknowledged.is_set():
                try:
                    if self.write():
                        self.acknowledged_at_s = time.monotonic()
                        self.acknowledged.set()
                        return
                except LOST:
                    self.reconnect()
        finally:
            self.client.disconnect()

    def write(self):
        """True: it was acknowledged. A request may wait for as long as nobody leads."""
        xid = self.client.send(zkwire.SET_DATA, zkwire.set_data_request(PATH, b"behind"))
        while not self.acknowledged.is_set():
            try:
                reply = self.client.recv(wait=0.1)
            except zkwire.Timeout:
                continue
            if reply.xid == xid:
                return reply.err == zkwire.OK
        return False

    def reconnect(self):
        self.client.disconnect()
        while not self.acknowledged.is_set():
            try:
                self.client = zkwire.RawClient(port=self.port, connect=False, wait=2.0)
                answer = self.client.handshake(session=self.session[0], passwd=self.session[1])
                if answer.session_id != 0:
                    self.session = (answer.session_id, answer.passwd)
                    return
                self.session = (0, b"\0" * 16)  # it has ended meanwhile: a new one
            except LOST:
                time.sleep(RETRY_S)
            self.client.disconnect()


def prepare(ensemble):
    """Makes the znode that the rounds write to."""
    with zkwire.RawClient(port=ensemble.leader().port) as client:
        if client.exists(PATH) is None:
            client.create(PATH)
    ensemble.wait_in_step()


def kill_leader(ensemble):
    """One round; the ensemble is whole again behind it. Returns milliseconds."""
    leader = ensemble.leader()
    acknowledged = threading.Event()
    writers = [
        Writer(member.port, acknowledged) for member in ensemble.members if member is not leader
    ]
    began_s = time.monotonic()
    leader.kill()
    for writer in writers:
        writer.start()
    if not acknowledged.wait(ROUND_WAIT_S):
        acknowledged.set()
        raise BenchFailed("no write for %.0f s behind the leader's end" % ROUND_WAIT_S)
    for writer in writers:
        writer.join()
    ends_s = [w.acknowledged_at_s for w in writers if w.acknowledged_at_s is not None]
    leader.start()
    ensemble.wait_in_step()
    return (min(ends_s) - began_s) * 1000
