/* cluster.h: an ensemble in a world of faults: nodes, a network, model clients, and those who check them,
 * all on one clock and one seed.
 *
 * A run has two halves. In the first, faults come as the seed wills: servers crash, stop and come back,
 * disks stall, ways are blocked, connections break, clocks jump. Then all is healed, and the ensemble must
 * elect, serve and agree within a bound. What must hold is checked all the time (checker.h). */
#ifndef SIM_CLUSTER_H
#define SIM_CLUSTER_H

#include "base/base.h"
#include "replica/effects/mutant.h"
#include "sim/bug.h"
#include "sim/settings.h"

enum { CLUSTER_FAULTS_MAX = 1024 };

typedef void cluster_trace(void *context, const char *line);

struct cluster_run {
    uint64_t seed;
    cluster_trace *trace; /* NULL: none */
    void *context;
    enum mutant mutant;              /* a deliberate bug of the replica, */
    enum node_bug bug;               /* and of its host */
    const struct settings *settings; /* NULL: as the seed says */
    /* Only these of the faults happen, by their numbers in the verdict; NULL: all. */
    const uint32_t *only;
    size_t only_count;
};

struct cluster_verdict {
    bool failed;
    char problem[512]; /* then */
    const char *check; /* the same for every failure of one kind; NULL: an assertion */
    uint64_t hash;     /* of all that happened */
    int64_t simulated_ms;
    uint64_t writes, reads, elections, crashes, commits;
    uint64_t read_only;                  /* answers of servers that are */
    uint32_t faults[CLUSTER_FAULTS_MAX]; /* that happened, the first ones */
    size_t fault_count;
    uint64_t histories; /* parts of history that learners got from log files */
};

struct cluster_verdict cluster_simulate(const struct cluster_run *run);

/* --- an ensemble by hand: nothing happens by chance and nothing heals by itself. For story.h --- */
struct cluster_hand {
    int voters, observers, speakers; /* speakers: model clients, as in a run by seed */
    uint32_t guests;                 /* bit n - 1: server n is played by the story itself */
    bool local_sessions, read_only;
    bool observer_masters;    /* observers learn from followers */
    bool unlogged_observers;  /* observers write no log */
    int32_t snap_count;       /* 0: no snapshots */
    size_t history_bytes_max; /* 0: much */
    bool log_files_are_read;  /* for learners that are further behind; else they get a SNAP */
};
struct world;
struct world *cluster_open(const struct cluster_run *run, const struct cluster_hand *hand);
void cluster_close(struct world *world);
void cluster_start(struct world *world, int index); /* the server's process */

#endif
