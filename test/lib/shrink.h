/* shrink.h: makes a failing run of the simulator smaller: less of everything, fewer faults, as long as the
 * same check still fails. And the words that replay it. */
#ifndef TEST_LIB_SHRINK_H
#define TEST_LIB_SHRINK_H

#include "sim/cluster.h"

struct shrunk { /* a run by its differences to what its seed says */
    uint64_t seed;
    enum mutant mutant;
    enum node_bug bug;
    struct settings settings;
    uint32_t only[CLUSTER_FAULTS_MAX];
    size_t only_count;
    bool has_only;
    struct cluster_verdict verdict; /* of this run */
    uint64_t tries;
};

struct cluster_run shrunk_run(const struct shrunk *shrunk); /* borrows */
/* The run fails, with shrunk->verdict. */
void shrink(struct shrunk *shrunk);
/* "crash_one_in=0" or "only=3,17": false, it is neither. */
bool shrunk_read(struct shrunk *shrunk, const char *word);
/* All that differs, in such words. */
void shrunk_write(const struct shrunk *shrunk, char *text, size_t size);

#endif
