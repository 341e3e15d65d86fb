/* proposals_internal.h: what is on its way from a request to the tree. Only for the files of the proposals. */
#ifndef REPLICA_PROPOSALS_PROPOSALS_INTERNAL_H
#define REPLICA_PROPOSALS_PROPOSALS_INTERNAL_H

#include "replica/proposals/forwarded.h"
#include "replica/proposals/proposals.h"
#include "replica/proposals/txn_ring.h"

enum {
    /* How many changes of znodes one step applies or proposes at most; it takes a few ms. */
    STEP_CHANGES_MAX = 1024
};

struct proposals {
    enum proposals_role role;
    struct prepare_rules rules;
    bool local_upgrading;
    struct tree *tree;
    struct step *step;
    struct sessions sessions;
    struct leader *leader; /* NULL where this server makes no transactions */
    struct janitor janitor;
    struct snapshots snapshots;
    struct txn_ring ring;
    struct forwarded forwarded; /* of a learner; the syncs of a leader's own clients, too */
    size_t new_syncs;           /* of a leader's own clients */
    struct buffer scratch;
    int64_t proposed_zxid, durable_zxid, agreed_zxid;
    int64_t logged_zxid;   /* what follows it is kept in memory only */
    int64_t changes_kept;  /* outstanding_kept_put_count() with the newest transaction */
    int64_t mismatch_zxid; /* the last transaction after which the tree was not as it says */
    bool differs;          /* after the last one that was compared */
    int64_t compared_above;
    uint64_t digests_fitting;
    /* Of the first in the ring, while it is applied in part. */
    struct txn applying;
    struct txn_progress progress;
};

/* proposals_apply.c: those of this server's clients for which all is applied that they wait for. */
void proposals_answer_syncs(struct proposals *proposals, const struct proposals_observer *observer);

#endif
