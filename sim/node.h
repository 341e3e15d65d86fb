/* node.h: one server of a simulated ensemble: a replica, its disk, and what the daemon does around them.
 *
 * Events wait in an inbox until the node's turn comes. A turn steps some or all of them, ends the replica's
 * turn, and carries its effects out in the order of replica.h's contract. Appends are written and synced
 * some time later by the writers of the daemon; works on files go through the daemon's own actor behind
 * them. A crash forgets all but the disk, whose loss is chosen by seed. */
#ifndef SIM_NODE_H
#define SIM_NODE_H

#include "replica/membership/membership.h"
#include "replica/replica.h"
#include "replica/store/actor.h"
#include "replica/store/history_reader.h"
#include "replica/store/start.h"
#include "sim/bug.h"
#include "sim/disk.h"
#include "sim/events.h"
#include "sim/inbox.h"
#include "sim/node_clients.h"

struct node_options {
    int64_t id;
    int index; /* its host number in the network */
    const struct membership *membership;
    int32_t tick_ms, init_limit, sync_limit;
    int32_t snap_count, container_check_ms;
    size_t history_bytes_max, prealloc_bytes;
    double snapshot_size_factor;
    size_t prepared_bytes_max;           /* as in zab.h; 0: the default */
    uint16_t observer_master_port;       /* zab.h */
    bool unlogged_observer;              /* ensemble.h */
    bool close_unlisted;                 /* replica.h */
    int64_t turn_spread_us;              /* from an event to its turn */
    int64_t sync_min_us, sync_spread_us; /* of one sync */
    int64_t stall_one_in, stall_max_us;  /* of a disk that stops for a while */
    enum mutant mutant;
    enum node_bug bug;
    bool local_sessions;    /* sessions begin as those of one server, until their first ephemeral */
    bool read_only;         /* without a quorum it lets clients read */
    bool keeps_events_back; /* a turn takes only some of what waits */
    int64_t rate_ppm;       /* its clock is fast by so much */
};

struct node;
struct node_hooks {
    void (*peer)(void *context, struct node *node, const struct peer_effect *effect,
                 struct slice bytes);
    void (*client_send)(void *context, struct node *node, uint64_t connection, struct slice bytes);
    void (*client_close)(void *context, struct node *node, uint64_t connection, const char *reason);
    /* It is about to be handed to the log. */
    void (*append)(void *context, struct node *node, const struct txnlog_append *append);
    void (*durable)(void *context, struct node *node, int64_t zxid); /* a sync has ended */
    void (*stored)(void *context, struct node *node, const struct store_work *work,
                   enum status status, const struct tree *tree);
    void (*imaged)(void *context, struct node *node, int64_t zxid); /* a snapshot begins */
    void (*turned)(void *context, struct node *node); /* the turn's effects are carried out */
    /* The process is gone. */
    void (*died)(void *context, struct node *node, const char *why);
    void *context;
};

enum { NODE_PAUSES = 4 }; /* so many are remembered */

struct node_pause {
    int64_t at_us, until_us;
};

enum node_disk_phase { NODE_DISK_IDLE, NODE_DISK_WRITTEN };

/* Fields are for reading. */
struct node {
    struct node_options options;
    struct node_hooks hooks;
    struct events *events;
    uint64_t chance;
    struct sim_disk *sim;
    bool up;
    uint64_t life; /* grows with each boot and crash: older events are of no more interest */
    struct node_pause pauses[NODE_PAUSES]; /* it stood still; the last time first */
    int64_t mono_offset_ms, wall_offset_ms;
    uint64_t clock_jumps; /* of the time of day, in this life */
    struct ensemble_options ensemble;
    struct replica *replica;
    struct store_actor *actor;
    struct effects effects;
    struct inbox inbox;
    bool turn_set;
    int64_t tick_at_us;
    uint64_t tick_number, disk_number;
    uint64_t next_connection; /* even */
    bool listens[3];          /* by enum peer_port; the election port is always open */
    struct node_clients clients;
    /* the disk's queue */
    struct txnlog_append *appends;
    size_t append_count, append_capacity;
    size_t written_count; /* of the appends, those that are written and not synced */
    enum node_disk_phase disk_phase;
    enum oracle oracle, oracle_told; /* what its file says, and what the replica knows of that */
    int64_t oracle_until_us;         /* when the replica was last told a no behind a yes */
    bool disk_set, disk_held, image_held, work_waits;
    struct store_work work;
    bool interrupted; /* by the last crash: the work */
    char rotten[64];  /* a file of which one bit is another one; "": none */
    size_t rotten_at;
    uint8_t rotten_mask;
    bool harmed;      /* files of it are not as it wrote them: it may start in quarantine, */
    bool quarantined; /* and does, as its files have it */
    bool promises_lost;
    bool tree_differs;  /* at its start: not the one that its log tells of */
    size_t work_behind; /* so many appends stand before it */
    int64_t durable_zxid, appended_zxid;
    int64_t proved_zxid; /* a later record says that all before this one were durable */
    int64_t accepted_epoch, current_epoch; /* as the files have them for sure */
    /* history for learners */
    struct history_reader *reader;
    struct history_work *histories;
    size_t history_count, history_capacity;
    uint64_t history_parts; /* that were read */
    /* the running image */
    bool image_running;
    struct snapshot_file *image_file;
    struct buffer image_part;
};

void node_init(struct node *node, const struct node_options *options,
               const struct node_hooks *hooks, struct events *events, uint64_t seed);
void node_deinit(struct node *node);

/* From the disk. The answer of store_start_member(); `problem` gets its last note. STATUS_IO with
 * sim_disk_crashed(): it died on the way. */
MUST_USE enum status node_boot(struct node *node, struct buffer *problem);
/* The process ends, and with it, unless it is SIM_LOSE_NOTHING, the machine. died() is called. */
void node_crash(struct node *node, enum sim_disk_loss loss, const char *why);
void node_pause(struct node *node, int64_t us); /* it stands still */
void node_calm(struct node *node);              /* no pause, no stall, no end of space any more */
void node_hold_image(struct node *node, bool held); /* the running image stands still meanwhile, */
void node_hold_disk(struct node *node, bool held);  /* nothing is written or synced meanwhile */

/* The file of its oracle says so from now on; it is read before each tick. */
void node_set_oracle(struct node *node, bool grants);
/* The oracle has let it go on alone at some time since then. */
bool node_was_granted_since(const struct node *node, int64_t us);

/* Before its first start: it has accepted this epoch in an earlier life. */
void node_accepted_before(struct node *node, int64_t epoch);
/* One bit of a log or a snapshot is another one, unless a torn write explains the same: the last log is
 * left alone. And back. */
void node_rot(struct node *node, uint64_t choice);
void node_unrot(struct node *node);

/* What the network brings. */
uint64_t node_accept_peer(struct node *node); /* the number of its end */
void node_peer_opened(struct node *node, uint64_t connection, enum peer_port port);
void node_peer_bytes(struct node *node, uint64_t connection, struct slice bytes);
void node_peer_closed(struct node *node, uint64_t connection);
void node_peer_ready(struct node *node, uint64_t connection);
bool node_accept_client(struct node *node, uint64_t *ret_connection);
/* True: the replica gets at least one frame. */
bool node_client_bytes(struct node *node, uint64_t connection, struct slice bytes);
void node_client_closed(struct node *node, uint64_t connection);

int64_t node_now_ms(const struct node *node);
int64_t node_wall_ms(const struct node *node);
void node_set_wall(struct node *node, int64_t offset_ms); /* the time of day jumps */

#endif
