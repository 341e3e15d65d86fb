/* zab_peer.h: one learner as its leader sees it. Only for the files of the leader. */
#ifndef REPLICA_ZAB_ZAB_PEER_H
#define REPLICA_ZAB_ZAB_PEER_H

#include "base/list.h"
#include "base/map.h"
#include "replica/zab/zab_leader.h"
#include "replica/zab/zab_master.h"

enum peer_phase {
    PEER_NEW,           /* nothing received yet */
    PEER_INTRODUCED,    /* FOLLOWERINFO received: LEADERINFO is sent when the epoch is promised */
    PEER_PROMISING,     /* LEADERINFO is sent */
    PEER_PROMISED,      /* ACKEPOCH received: it is synchronised when a quorum has accepted the
                           epoch */
    PEER_TAKES_HISTORY, /* the history that it lacks is read from the log files */
    PEER_WAITS_IMAGE,   /* it waits for its turn to get a snapshot */
    PEER_TAKES_IMAGE,   /* the snapshot is being sent */
    PEER_SYNCING,       /* NEWLEADER is sent */
    PEER_SYNCED,        /* its acknowledgement was received: UPTODATE is sent when this leader
                           serves */
    PEER_ACTIVE         /* UPTODATE is sent */
};

struct zab_peer {
    struct list in_peers;
    uint64_t connection;
    enum peer_phase phase;
    int64_t id; /* below 0: it sent none, or is not configured; such ids are invented here */
    bool voter, observer;
    bool forwarded;                   /* it gets what is proposed (a follower) and committed */
    bool by_image;                    /* it was given a snapshot */
    const struct leader_image *image; /* that it takes, in PEER_TAKES_IMAGE */
    bool wants_all;                   /* it asked for a snapshot: its own state is wrong */
    bool held;                        /* no more of image or history is sent until there is room */
    bool told_way;                    /* DIFF is sent, and history follows */
    int64_t history_zxid;             /* the last one that is read from the files */
    int64_t accepted_epoch, current_epoch, last_zxid; /* as it reported them */
    int64_t acked_zxid;
    int64_t opened_ms, heard_ms; /* heard: received from it, or noticed that it reads what is
                                    sent */
    int64_t unacked_since_ms;    /* the oldest proposal that it has not acknowledged; 0: none */
    uint64_t pings_sent, pings_answered, first_ping; /* numbers of the leader's rounds of PING */
    struct zab_input input;
    struct zab_input waiting; /* REQUESTs that are not prepared yet, and the packets after them */
    int64_t prepared_zxid;    /* of the last of its REQUESTs that was prepared */
    struct map waiting_of;    /* session id -> how many of its packets wait there */
};

enum leader_phase {
    LEAD_WAITING,    /* for a quorum's FOLLOWERINFO */
    LEAD_PROMISING,  /* the new epoch is on its way to disk as accepted */
    LEAD_CONFIRMING, /* for a quorum's ACKEPOCH */
    LEAD_OPENING,    /* the new epoch is on its way to disk as current */
    LEAD_SYNCING,    /* for a quorum's acknowledgement of NEWLEADER */
    LEAD_SERVING
};

struct sync_wait {       /* a sync: answered after a commit and after a round of pings */
    uint64_t connection; /* 0: a client of this server */
    int64_t zxid;
    uint64_t round;
};

/* Learners that wait because all images are in use share the next one. */
enum { LEADER_IMAGES_MAX = 4 };
struct leader_image {
    struct snapshot_image *image; /* NULL: free */
    int64_t zxid;
};

/* When a follower serves observers it does not lead: their requests go to the follower's leader. */
struct quorum_packet;
struct forwarded_request;
struct zab_relay {
    struct zab_master *master; /* NULL: it leads */
    void (*send_informs)(struct zab_master *master);
    void (*on_request)(struct zab_master *master, const struct zab_peer *peer,
                       const struct quorum_packet *packet, const struct forwarded_request *request);
    void (*on_revalidate)(struct zab_master *master, const struct zab_peer *peer,
                          const struct session_touch *question);
};

struct zab_leader {
    struct zab *zab;
    struct zab_relay relay;
    bool of_paddock; /* the proposer is a Paddock server */
    enum leader_phase phase;
    struct list peers;
    int64_t epoch; /* -1: not decided */
    int64_t made_up_id;
    int64_t begun_ms, next_ping_ms, quorum_seen_ms, serving_since_ms;
    int64_t committed_zxid;    /* a quorum has it */
    bool history_failed;       /* the log files are damaged: no more DIFF from them */
    int64_t sent_zxid;         /* sent to all followers */
    int64_t unsynced_zxid;     /* the newest proposal when this server's log last made progress */
    int64_t unsynced_since_ms; /* when that was */
    uint64_t ping_round;       /* of the last PING */
    struct sync_wait *syncs;   /* in the order of the requests */
    size_t sync_count, sync_capacity;
    bool ping_now;
    struct leader_image images[LEADER_IMAGES_MAX];
    struct buffer image_part;
    const char *failed;
    int64_t proposal_last_bytes, proposal_min_bytes, proposal_max_bytes; /* -1: none yet */
    int64_t own_acked_zxid;                                              /* counted */
};

static inline int64_t leader_now_ms(const struct zab_leader *leader)
{
    return leader->zab->step->now_ms;
}

static inline int64_t leader_ticks_ms(const struct zab_leader *leader, int64_t ticks)
{
    return ticks * leader->zab->options.tick_ms;
}

static inline void leader_fail(struct zab_leader *leader, const char *reason)
{
    if (leader->failed == NULL)
        leader->failed = reason;
}

/* zab_leader.c */
struct zab_leader *leader_new_for_observers(struct zab *zab, const struct zab_relay *relay,
                                            const struct zab_mastery *mastery);
/* zab_leader_epoch.c */
void leader_decide_epoch(struct zab_leader *leader); /* when a quorum has introduced itself */
void leader_on_introduction(struct zab_leader *leader, struct zab_peer *peer,
                            const struct quorum_packet *packet);
void leader_on_epoch_promised(struct zab_leader *leader, struct zab_peer *peer,
                              const struct quorum_packet *packet);
void leader_synchronise_all(struct zab_leader *leader); /* all that have promised */
void leader_on_synced(struct zab_leader *leader, struct zab_peer *peer);
/* zab_leader_broadcast.c */
void leader_on_ack(struct zab_leader *leader, struct zab_peer *peer, int64_t zxid);
void leader_send_pings(struct zab_leader *leader);
/* zab_leader_quorum.c: is this so of a quorum? `own`: whether it is of this server. */
bool leader_quorum(const struct zab_leader *leader, bool own,
                   bool (*has)(const struct zab_leader *, const struct zab_peer *, int64_t),
                   int64_t value);
/* zab_peer.c */
void peer_free(struct zab_leader *leader, struct zab_peer *peer); /* call it when its connection is
                                                                     gone */
struct zab_peer *peer_find(const struct zab_leader *leader, uint64_t connection); /* NULL: none */
void peer_drop(struct zab_leader *leader, struct zab_peer *peer, const char *reason);
/* How long a leader may wait for its quorum: longer while a learner writes a snapshot to its disk. */
int64_t leader_opening_max_ms(const struct zab_leader *leader);
void leader_drop_silent(struct zab_leader *leader);
/* Sends peer bytes from `offset` on to all learners of one kind. */
void leader_send_to(struct zab_leader *leader, size_t offset, bool observers);
bool leader_has_forwarded(const struct zab_leader *leader, bool observers);
/* zab_requests.c */
void leader_on_request(struct zab_leader *leader, struct zab_peer *peer,
                       const struct quorum_packet *packet);
void leader_on_ping_answer(struct zab_leader *leader, struct zab_peer *peer,
                           const struct quorum_packet *packet);
void leader_on_revalidate(struct zab_leader *leader, struct zab_peer *peer,
                          const struct quorum_packet *packet);
void leader_take_waiting(struct zab_leader *leader);
void leader_ask_for_round(struct zab_leader *leader, uint64_t connection, int64_t zxid);
/* zab_counts.c: a leader's figures for operators. */
void leader_count_proposals(struct zab_leader *leader, size_t first, size_t end); /* kept indexes */
void leader_count_commits(struct zab_leader *leader, size_t first, size_t end);
void leader_count_own_acks(struct zab_leader *leader);
void leader_count_syncs_under_way(struct zab_leader *leader, bool by_image);
/* zab_sync.c: synchronises a learner, or lets it wait for an image, or disconnects it. */
void peer_synchronise(struct zab_leader *leader, struct zab_peer *peer);
void peer_read_history(struct zab_leader *leader, struct zab_peer *peer); /* the next part */
void leader_go_on_with_images(struct zab_leader *leader);
void leader_end_images(struct zab_leader *leader);

#endif
