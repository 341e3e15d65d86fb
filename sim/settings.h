/* settings.h: what a run of the simulator is made of. A seed draws all of it; whoever shrinks a failing run
 * takes them back to their smallest one by one. */
#ifndef SIM_SETTINGS_H
#define SIM_SETTINGS_H

#include "base/base.h"

/* name, its smallest value, what it means. "one in": in so many steps of the faults; 0: never. */
#define SETTINGS(S)                                                                                \
    S(nodes, 3, "servers that vote")                                                               \
    S(observers, 0, "servers that do not")                                                         \
    S(clients, 1, "model clients")                                                                 \
    S(library_clients, 0, "of them, those whose connections are the client library's")             \
    S(faults_ms, 1000, "how long the first half is")                                               \
    S(fault_every_us, 2000000, "from one step of the faults to the next, on average")              \
    S(think_us, 320000, "of a client, from one request to the next, at most")                      \
    S(jump_one_in, 0, "requests: the client goes to another server in their midst")                \
    S(first_xid, 0, "the xid before the first one of each session")                                \
    S(first_epoch, 0, "the epoch that all servers have accepted before the run")                   \
    S(local_sessions, 0, "sessions are known to one server until their first ephemeral")           \
    S(observer_masters, 0, "observers learn from followers, in place of the leader")               \
    S(unlogged_observers, 0, "observers write no log while they serve")                            \
    S(close_unlisted, 0, "a closeSession does not name the paths that it deletes")                 \
    S(read_only, 0, "servers without a quorum let those clients read that may be read-only")       \
    S(latency_min_us, 0, "of the network, one way, at least")                                      \
    S(latency_spread_us, 1000, "and at most so much more")                                         \
    S(chunk_max, 0, "bytes that come at once; 0: all that wait")                                   \
    S(slow_one_in, 0, "deliveries: it takes up to a hundred times as long")                        \
    S(sync_spread_us, 100, "a sync of a disk takes at most so much more than the shortest")        \
    S(stall_one_in, 0, "syncs: the disk stands still for up to three seconds")                     \
    S(keeps_back, 0, "a turn takes only some of the events that wait")                             \
    S(drift_ppm, 0, "clocks are fast or slow by at most so much")                                  \
    S(crash_one_in, 0, "one server is killed, or its power will fail")                             \
    S(outage_one_in, 0, "the power fails for all")                                                 \
    S(pause_one_in, 0, "a server stands still")                                                    \
    S(partition_one_in, 0, "ways are blocked, both or one")                                        \
    S(break_one_in, 0, "a connection breaks")                                                      \
    S(half_open_one_in, 0, "a connection breaks, and one side learns it much later")               \
    S(slow_link_one_in, 0, "one way becomes slow")                                                 \
    S(clock_one_in, 0, "the time of day jumps")                                                    \
    S(full_one_in, 0, "a disk has little space left")                                              \
    S(error_one_in, 0, "calls of a disk fail, once or from then on")                               \
    S(rot_one_in, 0, "a server is killed, and a bit of a file of its is another one")              \
    S(oracle_one_in, 0, "of two servers, another one may go on alone, or none")

struct settings {
#define SETTINGS_FIELD(name, smallest, text) int64_t name;
    SETTINGS(SETTINGS_FIELD)
#undef SETTINGS_FIELD
};

struct setting {
    const char *name, *text;
    int64_t smallest;
    size_t offset;
    bool of_faults; /* how often one happens: no matter when a run has a list of them */
};

struct settings settings_of_seed(uint64_t seed);
size_t settings_count(void);
const struct setting *settings_at(size_t index);
int64_t *settings_value(struct settings *settings, const struct setting *setting);

#endif
