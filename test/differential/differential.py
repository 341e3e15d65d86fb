#!/usr/bin/python3
"""The same random operations to two servers; tells the first difference.

    differential.py --seed 7 --ops 5000 --left java --right paddock
    differential.py --seed 7 --ops 5000 --strict      # looks at every connection after every step
"""

import argparse
import collections
import os
import sys
import time

sys.path[:0] = [
    os.path.dirname(os.path.abspath(__file__)),
    os.path.dirname(os.path.dirname(os.path.abspath(__file__))),
]

import generator  # noqa: E402
import lockstep  # noqa: E402
from pylib.servers import Server  # noqa: E402

HISTORY = 20
SYNC_EVERY = 20  # steps between two looks at all connections
CONFIG = {
    "extendedTypesEnabled": "true",
    "maxClientCnxns": 0,
    "forceSync": "no",
    "snapCount": 100000,
}
PROPS = {
    "zookeeper.DigestAuthenticationProvider.superDigest": generator.SUPER_DIGEST,
    "znode.container.checkIntervalMs": 86400000,
}


class Difference(AssertionError):
    pass


Outcome = collections.namedtuple("Outcome", "operations steps events compensations")


def enforces_quota(seed):
    return seed % 3 == 0


def start_server(kind, seed, config=None):
    settings = dict(CONFIG)
    if enforces_quota(seed):
        settings["enforceQuota"] = "true"
    settings.update(config or {})
    server = Server(kind, settings, PROPS)
    server.start(wait=False)
    return server


def run(left, right, seed, ops, strict=False, right_config=None, tamper=None):
    """Raises Difference; otherwise an Outcome."""
    servers = [start_server(left, seed), start_server(right, seed, right_config)]
    try:
        for server in servers:
            server.wait_serving()
        return _Run(servers, seed, strict, tamper).go(ops)
    finally:
        for server in servers:
            server.close()


class _Run:
    def __init__(self, servers, seed, strict, tamper):
        self.seed, self.strict, self.servers = seed, strict, servers
        self.generator = generator.Generator(seed, enforce_quota=enforces_quota(seed))
        self.lock = lockstep.Lockstep(
            *((server.host, server.port) for server in servers),
            sessions=self.generator.session_count,
            versions_differ=servers[0].target != servers[1].target,
            newer=lockstep.LEFT if servers[0].target == "paddock" else lockstep.RIGHT,
            tamper=tamper,
        )
        self.history = collections.deque(maxlen=HISTORY)
        self.operations = self.steps = 0

    def go(self, ops):
        try:
            while self.operations < ops:
                self.step(self.generator.next())
                if self.strict or self.steps % SYNC_EVERY == 0:
                    self.lock.sync_all()
            self.lock.sync_all()
        except lockstep.Differs as error:
            raise Difference(self.report(error)) from None
        except Exception:
            print(self.report("(the harness itself failed)"), file=sys.stderr)
            raise
        lock = self.lock
        return Outcome(self.operations, self.steps, lock.events_compared, lock.compensations)

    def step(self, step):
        self.steps += 1
        session = self.lock.sessions[step.session]
        detail = dict(step.detail) if isinstance(step.detail, dict) else step.detail
        for request in step.requests:
            self.history.append("session %d: %s" % (step.session, lockstep.describe(request)))
        if not step.requests:
            self.history.append("session %d: %s %r" % (step.session, step.kind, detail))
        self.operations += max(1, len(step.requests))
        was_connected = session.channels is not None
        if step.kind in ("burst", "close"):
            if not was_connected:
                return  # a step planned before the connection ended
            if step.kind == "close":
                replies = self.lock.close_session(session, step.requests[0])
            else:
                replies = self.lock.burst(session, step.requests)
            for request, reply in zip(step.requests, replies):
                self.generator.learn(step.session, request, reply)
        elif step.kind == "connect":
            if was_connected:
                return
            self.lock.connect(session, **detail)
        elif step.kind == "drop":
            self.lock.drop(session)
        elif step.kind == "raw":
            self.lock.raw(session, detail)
        elif step.kind == "steal":
            self.lock.steal(session, **detail)
        elif step.kind == "steal_refused":
            self.lock.steal(session, passwds=[detail["passwd"]] * 2)
        elif step.kind == "probe":
            self.lock.probe(detail["first"], detail["closes"])
        if session.channels is None:
            self.generator.learn_closed(step.session)

    def report(self, what):
        lines = [
            "seed %d, after %d operations, %d steps (%s left, %s right)"
            % (self.seed, self.operations, self.steps, *(s.target for s in self.servers)),
            str(what),
            "the last operations:",
            *("  " + line for line in self.history),
        ]
        for server in self.servers:
            if not server.alive():
                lines.append("%s has ended; its log ends with:\n%s" % (server.target, server.log()[-2000:]))
        return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seeds", type=int, default=1, help="how many, from --seed on")
    parser.add_argument("--ops", type=int, default=5000)
    parser.add_argument("--left", choices=("java", "paddock"), default="java")
    parser.add_argument("--right", choices=("java", "paddock"), default="paddock")
    parser.add_argument("--strict", action="store_true")
    args = parser.parse_args()
    status = 0
    for seed in range(args.seed, args.seed + args.seeds):
        begin = time.monotonic()
        try:
            outcome = run(args.left, args.right, seed, args.ops, args.strict)
        except Difference as difference:
            print(difference)
            status = 1
            continue
        print("seed %d: equal, %s, %.1f s" % (seed, outcome, time.monotonic() - begin))
    return status


if __name__ == "__main__":
    sys.exit(main())
