#!/usr/bin/python3
"""The same random operations to two servers; tells the first difference.

    differential.py --seed 7 --ops 5000 --left java --right paddock
    differential.py --seed 7 --ops 5000 --strict      # looks at every connection after every step
    differential.py --seed 7 --ops 5000 --shrink      # and then for fewer steps that still differ
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
    def __init__(self, message, steps):
        super().__init__(message)
        self.steps = steps


class Outcome(collections.namedtuple("Outcome", "operations steps events compensations answers")):
    """answers: how often (name of the operation, error) was answered."""

    def __str__(self):
        return "%d operations, %d events, %d different answers" % (
            self.operations, self.events, len(self.answers))  # fmt: skip


def enforces_quota(seed):
    return seed % 3 == 0


def start_server(kind, seed, config=None, props=None):
    settings = dict(CONFIG)
    if enforces_quota(seed):
        settings["enforceQuota"] = "true"
    settings.update(config or {})
    server = Server(kind, settings, {**PROPS, **(props or {})})
    server.start(wait=False)
    return server


def run(left, right, seed, ops, strict=False, right_config=None, tamper=None, steps=None):
    """Raises Difference; otherwise an Outcome. steps: these, in place of the generator's."""
    servers = [start_server(left, seed), start_server(right, seed, right_config)]
    try:
        for server in servers:
            server.wait_serving()
        return _Run(servers, seed, strict, tamper, steps).go(ops)
    finally:
        for server in servers:
            server.close()


def play(servers, seed, ops):
    """The same on two servers that run already, left first."""
    return _Run(servers, seed, strict=False, tamper=None, steps=None).go(ops)


class _Run:
    def __init__(self, servers, seed, strict, tamper, steps):
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
        self.replay = iter(steps) if steps is not None else None
        self.taken = []
        self.operations = self.steps = 0
        self.answers = collections.Counter()

    def go(self, ops):
        try:
            while self.operations < ops:
                step = next(self.replay, None) if self.replay else self.generator.next()
                if step is None:
                    break
                self.taken.append(step)
                self.step(step)
                if self.strict or self.steps % SYNC_EVERY == 0:
                    self.lock.sync_all()
            self.lock.sync_all()
        except lockstep.Differs as error:
            raise Difference(self.report(error), self.taken) from None
        except Exception:
            print(self.report("(the harness itself failed)"), file=sys.stderr)
            raise
        lock = self.lock
        return Outcome(
            self.operations, self.steps, lock.events_compared, lock.compensations, self.answers
        )

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
        if not was_connected and step.kind not in ("connect", "probe"):
            return  # a step planned before the connection ended
        if step.kind in ("burst", "close"):
            if step.kind == "close":
                replies = self.lock.close_session(session, step.requests[0])
            else:
                replies = self.lock.burst(session, step.requests)
            for request, reply in zip(step.requests, replies):
                self.generator.learn(step.session, request, reply)
                self.count(request, reply)
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

    def count(self, request, reply):
        _, _, _, err, body = reply
        name = lockstep.OP_NAMES.get(request.op, "unknown")
        self.answers[name, err] += 1
        if name.startswith("multi") and isinstance(body, list):
            for result in body[:-1]:
                self.answers["in " + name, result[2]] += 1

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


def shrink(left, right, seed, difference, seconds):
    """A difference with fewer steps, by leaving out ever smaller pieces."""
    deadline, piece = time.monotonic() + seconds, len(difference.steps) // 2
    while piece and time.monotonic() < deadline:
        at = 0
        while at < len(difference.steps) and time.monotonic() < deadline:
            fewer = difference.steps[:at] + difference.steps[at + piece :]
            try:
                run(left, right, seed, 10**9, strict=True, steps=fewer)
                at += piece
            except Difference as found:
                difference = found
            except lockstep.HarnessError:
                at += piece
        piece //= 2
    return difference


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seeds", type=int, default=1, help="how many, from --seed on")
    parser.add_argument("--ops", type=int, default=5000)
    parser.add_argument("--left", choices=("java", "paddock"), default="java")
    parser.add_argument("--right", choices=("java", "paddock"), default="paddock")
    parser.add_argument("--strict", action="store_true")
    parser.add_argument("--shrink", action="store_true")
    parser.add_argument("--seconds", type=int, default=120, help="how long to shrink")
    args = parser.parse_args()
    status = 0
    for seed in range(args.seed, args.seed + args.seeds):
        begin = time.monotonic()
        try:
            outcome = run(args.left, args.right, seed, args.ops, args.strict)
        except Difference as difference:
            print(difference)
            if args.shrink:
                print("\n--- shrinking")
                print(shrink(args.left, args.right, seed, difference, args.seconds))
            status = 1
            continue
        print("seed %d: equal, %s, %.1f s" % (seed, outcome, time.monotonic() - begin))
    return status


if __name__ == "__main__":
    sys.exit(main())
