"""A proxy before a server that can hold back what the server says, at a place that the test chooses."""

import socket
import threading

from .sockets import shut


class HoldingProxy:
    """Lets `limit` bytes of the server through on the first connection, sets `held` when it has more, and goes
    on when release() is called. cut() breaks the connection instead."""

    def __init__(self, port, limit):
        self.server_port, self.limit = port, limit
        self.held, self.may_go = threading.Event(), threading.Event()
        self.broken = False
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.sockets = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self.server_port))
            self.sockets += [client, server]
            threading.Thread(target=self._move, args=(client, server, None), daemon=True).start()
            threading.Thread(target=self._move, args=(server, client, self.limit), daemon=True).start()

    def _move(self, source, target, limit):
        try:
            while True:
                data = source.recv(4096)
                if not data:
                    break
                if limit is not None:
                    limit -= len(data)
                    if limit < 0:
                        self.held.set()
                        self.may_go.wait()
                        if self.broken:
                            break
                        limit = None
                target.sendall(data)
        except OSError:
            pass
        shut(source, target)

    def release(self):
        self.may_go.set()

    def cut(self):
        """Nobody is let in any more, either."""
        self.broken = True
        self.listener.close()
        self.may_go.set()

    def close(self):
        self.cut()
        for each in self.sockets:
            each.close()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()
