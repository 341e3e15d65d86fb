/* zab_learner_internal.h: what a learner knows. Only for the files of the learner. */
#ifndef REPLICA_ZAB_ZAB_LEARNER_INTERNAL_H
#define REPLICA_ZAB_ZAB_LEARNER_INTERNAL_H

#include "replica/store/snapshot_stream.h"
#include "replica/zab/zab_learner.h"
#include "replica/zab/zab_master.h"
#include "wire/quorum.h"

enum learner_phase {
    LEARN_DIALLING,
    LEARN_ASKING,    /* FOLLOWERINFO is sent */
    LEARN_PROMISING, /* the accepted epoch is on its way to disk */
    LEARN_WAITING,   /* ACKEPOCH is sent: how will it bring us to its history? */
    LEARN_LOADING,   /* the bytes of a snapshot */
    LEARN_CUTTING,   /* the files are cut, or put aside */
    LEARN_SYNCING,   /* its transactions, up to NEWLEADER */
    LEARN_PERSISTING, /* NEWLEADER came: log, snapshot, then the current epoch, on their way to disk */
    LEARN_ACKED,      /* and that is said */
    LEARN_SERVING     /* UPTODATE */
};

struct zab_learner {
    struct zab *zab;
    const struct member *leader, *server; /* server: whom it has dialled last, leader or master */
    enum learner_phase phase;
    uint64_t connection; /* 0: none */
    uint32_t dials;
    int64_t begun_ms, dial_at_ms, heard_ms, sync_since_ms;
    const char *way; /* NULL: not known */
    struct zab_input input;
    int64_t epoch;   /* the leader's; -1: not known */
    bool of_paddock; /* the leader is no server of Java */
    const char *failed;
    struct zab_master *master; /* of observers, while it serves; NULL: none */
    /* a snapshot from the leader */
    struct snapshot_stream *stream;
    struct tree *tree; /* from the stream or the files, for the replica to take */
    int64_t snapshot_zxid;
    bool files_unfinished; /* from STORE_RESTART_LOG to the epoch that completes it */
    bool restarts_log;     /* the files are to make room for it */
    bool wants_snapshot;   /* it is to be written */
    bool writes_snapshot;
    struct store_work wanted_work; /* behind the image that is still running */
    bool wants_work, wants_no_image;
    /* transactions */
    int64_t committed_zxid; /* the leader said so */
    int64_t acked_zxid;
};

static inline int64_t learner_now_ms(const struct zab_learner *learner)
{
    return learner->zab->step->now_ms;
}

static inline struct metrics *learner_metrics(const struct zab_learner *learner)
{
    return &learner->zab->step->metrics;
}

static inline void learner_fail(struct zab_learner *learner, const char *reason)
{
    if (learner->failed == NULL)
        learner->failed = reason;
}

static inline void learner_send(struct zab_learner *learner, int32_t type, int64_t zxid,
                                struct slice data)
{
    zab_send(learner->zab, learner->connection, type, zxid, data);
}

/* zab_learner_sync.c */
void learner_on_leader_info(struct zab_learner *learner, const struct quorum_packet *packet);
void learner_acknowledge_epoch(struct zab_learner *learner, bool promised_before);
void learner_on_way_to_sync(struct zab_learner *learner, const struct quorum_packet *packet);
void learner_on_snapshot_bytes(struct zab_learner *learner);
void learner_begin_wanted_work(struct zab_learner *learner); /* when no image runs */
/* tree: what STORE_TRUNCATE brought; NULL when it was taken. */
void learner_on_cut(struct zab_learner *learner, enum status status, struct tree **tree);
void learner_begin_syncing(struct zab_learner *learner); /* tree and files are as they must be */
/* Does it complete on its files what the leader sends? Who logs nothing does so for a snapshot and the rest of the
 * history that the epoch began with. */
bool learner_completes_files(const struct zab_learner *learner);
void learner_acknowledge_new_leader(struct zab_learner *learner);
void learner_on_new_leader(struct zab_learner *learner, const struct quorum_packet *packet);
/* The epoch, when the history before it is on disk. */
void learner_persist(struct zab_learner *learner);
void learner_on_up_to_date(struct zab_learner *learner);
/* zab_learner_broadcast.c */
/* Of all phases behind the snapshot. false: the packet is another one. */
bool learner_on_transaction(struct zab_learner *learner, const struct quorum_packet *packet);
void learner_on_serving_packet(struct zab_learner *learner, const struct quorum_packet *packet);
void learner_acknowledge(struct zab_learner *learner); /* all that became durable */

#endif
