"""A random mix of faults under a checked history, as a command and for a test.

    python3 test/ensemble/faults.py --seconds 1800 --seed 7

The time is cut into rounds of a minute, of three and of five servers in turn. In a round servers are killed,
stopped and continued, restarted, cut off and made deaf, one or several at a time, as the seed says; then
all is healed and everything is compared. The moments at which faults meet the writes differ from run to
run: a seed brings back the faults and their order. What a failed round leaves is put into build/faults.
"""

import argparse
import contextlib
import logging
import os
import random
import shutil
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.dirname(HERE)]

from history import history  # noqa: E402
from network import Forbidden, Network, spread  # noqa: E402
from pylib.ensemble import Ensemble  # noqa: E402
from pylib.servers import REPO  # noqa: E402

ROUND_S = 60
PAUSE_S = 0.01  # between two writes of a client
HOLD_MAX_S = 8.0  # twice syncLimit, and a third of what costs a client its session


class Faults:
    """What can be done to servers, and undone."""

    def __init__(self, chance, ensemble, network):
        self.chance, self.ensemble, self.network = chance, ensemble, network
        self.done, self.unwatched = {}, 0

    def kinds(self):
        kinds = [self.kill, self.pause, self.restart]
        return kinds + [self.cut, self.mute] if self.network else kinds

    def one(self, load):
        """A fault, held for a while and healed. Afterwards clients go on, or the next fault comes."""
        kind = self.chance.choice(self.kinds())
        victims = self.victims()
        hold_s = self.chance.choice([0.0, 0.3, 2.0, HOLD_MAX_S * self.chance.random()])
        self.done[kind.__name__] = self.done.get(kind.__name__, 0) + 1
        kind(victims)
        end = time.monotonic() + hold_s
        # A mute server may be heard by one of the others alone. If its vote is the best they elect it again and
        # again, as Java's servers do, and cannot reach it.
        if self.is_minority(victims) and kind != self.mute and hold_s > 6.0:
            load.wait_for(5)
        time.sleep(max(0.0, end - time.monotonic()))
        self.heal(victims)
        self.unwatched += 1
        # Never so many in a row that a session could end by the pauses alone.
        if self.chance.random() < 0.7 or self.unwatched == 3:
            self.unwatched = 0
            self.ensemble.wait_all()
            load.wait_for(5)

    def victims(self):
        """The leader, one follower, or any number of servers."""
        members = list(self.ensemble.members)
        leaders = self.ensemble.leaders()
        which = self.chance.random()
        count = self.chance.randint(1, len(members))
        any_of_them = self.chance.sample(members, count)
        if which < 0.4 and leaders:
            return leaders[:1]
        return any_of_them[:1] if which < 0.7 else any_of_them

    def is_minority(self, victims):
        return 2 * len(victims) < len(self.ensemble.members)

    def kill(self, victims):
        for member in victims:
            member.process.kill()
        for member in victims:
            member.kill()

    def restart(self, victims):
        for member in victims:
            member.stop()
            member.start()

    def pause(self, victims):
        for member in victims:
            member.pause()

    def cut(self, victims):
        for member in victims:
            self.network.cut(member.id)

    def mute(self, victims):
        """What they send to some of the others is lost."""
        for member in victims:
            others = [other for other in self.ensemble.members if other is not member]
            for other in self.chance.sample(others, self.chance.randint(1, len(others))):
                self.network.mute(member.id, other.id)

    def heal(self, victims):
        if self.network:
            self.network.heal()
        for member in victims:
            if not member.alive():
                member.start()
            elif member.paused:
                member.resume()


def keep(ensemble, name):
    """The directories of a failed round."""
    directory = os.path.join(REPO, "build", "faults", name)
    shutil.rmtree(directory, ignore_errors=True)
    for member in ensemble.members:
        shutil.copytree(member.dir, os.path.join(directory, str(member.id)))
    return directory


def one_round(seed, servers, seconds):
    """What was done, as a line. Raises whatever was wrong."""
    chance = random.Random(seed)
    with contextlib.ExitStack() as stack:
        try:
            network = stack.enter_context(Network(servers))
        except Forbidden:
            network = None
        ensemble = Ensemble(["paddock"] * servers, config={"snapCount": chance.choice([50, 1000, 100000])})
        if network:
            spread(network, ensemble)
        stack.enter_context(ensemble)
        faults = Faults(chance, ensemble, network)
        try:
            end = time.monotonic() + seconds
            with history(ensemble, "round", PAUSE_S) as load:
                while time.monotonic() < end:
                    faults.one(load)
                ensemble.wait_all()
        except BaseException:
            print("seed %d, %d servers: failed behind %s, see %s" % (
                seed, servers, faults.done, keep(ensemble, "seed-%d" % seed)), flush=True)
            raise
        writes = sum(len(writer.acknowledged) for writer in load.writers)
        lost = sum(writer.lost_answers for writer in load.writers)
        return "seed %d, %d servers: %s, %d writes, %d answers lost%s" % (
            seed, servers, ", ".join("%d %s" % (n, name) for name, n in sorted(faults.done.items())),
            writes, lost, "" if network else " (no network namespaces here: nobody was cut off)")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=int, default=1800)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6),
                        help="of the first round; each round has the next one")
    parser.add_argument("--servers", type=int, nargs="+", default=[3, 5])
    options = parser.parse_args()
    logging.getLogger("kazoo").setLevel(logging.CRITICAL)  # it tells of each lost connection
    end, number = time.monotonic() + options.seconds, 0
    while time.monotonic() < end:
        servers = options.servers[number % len(options.servers)]
        print(one_round(options.seed + number, servers, min(ROUND_S, options.seconds)), flush=True)
        number += 1
    print("%d rounds in %d s: nothing was lost" % (number, options.seconds + time.monotonic() - end))


if __name__ == "__main__":
    main()
