/* ensemble_internal.h: what a member of an ensemble knows. Only for the files of the ensemble. */
#ifndef REPLICA_ENSEMBLE_INTERNAL_H
#define REPLICA_ENSEMBLE_INTERNAL_H

#include "replica/election/voting.h"
#include "replica/ensemble.h"
#include "replica/membership/membership.h"
#include "replica/replica.h"
#include "replica/zab/zab_leader.h"
#include "replica/zab/zab_learner.h"

enum ensemble_phase {
    ENSEMBLE_DRAINING, /* the last role is over: its appends and its work on files come to an end */
    ENSEMBLE_RELOADING, /* the tree is read anew: what the leader sent was not completed */
    ENSEMBLE_LOOKING,
    ENSEMBLE_IN_ROLE
};

struct ensemble {
    struct ensemble_options options;
    enum ensemble_phase phase;
    struct step *step;
    struct tree **tree;
    struct proposals *proposals;
    struct clients *clients;
    struct zab zab;
    uint64_t next_connection;
    struct voting voting;
    struct zab_leader *leader;   /* NULL: does not lead */
    struct zab_learner *learner; /* NULL: does not learn */
    bool begun, serves, must_reload;
    bool read_only;       /* looking, and clients may read meanwhile */
    bool observes;        /* by its configuration */
    int64_t told_version; /* of the configuration, as the election and the clients know it */
    int64_t looks_from_ms;
    int64_t looking_since_ms, down_since_ms;
    struct ensemble_info info; /* what is remembered of it */
};

static inline int64_t ensemble_now_ms(const struct ensemble *ensemble)
{
    return ensemble->step->now_ms;
}

/* ensemble_role.c: what begins and ends. Each but the first two looks whether its time has come. */
void ensemble_begin_looking(struct ensemble *ensemble);
void ensemble_begin_role(struct ensemble *ensemble); /* the election has decided */
void ensemble_drain(struct ensemble *ensemble);
void ensemble_look_at_role(struct ensemble *ensemble);
void ensemble_begin_read_only(struct ensemble *ensemble);
int64_t ensemble_read_only_at_ms(const struct ensemble *ensemble); /* INT64_MAX: not at all */
void ensemble_let_others_elect(struct ensemble *ensemble);         /* it looks later */
void ensemble_begin_quarantine(struct ensemble *ensemble);
void ensemble_on_quarantine_ended(struct ensemble *ensemble); /* its files say so */
void ensemble_take_tree_of_leader(struct ensemble *ensemble);
void ensemble_replace_tree(struct ensemble *ensemble, struct tree *tree); /* which it then owns */
void ensemble_write_config_node(struct ensemble *ensemble);

#endif
