/* server.h: the daemon: one replica, the event loop that drives it, and the threads that work for
 * it.
 *
 * Every callback of the loop makes one event and steps the replica with it. The effects of all steps are
 * carried out once, at the end of the turn: one batch to the log, one send for each connection, one
 * timer. */
#ifndef SERVER_SERVER_H
#define SERVER_SERVER_H

#include "base/disk.h"
#include "replica/replica.h"
#include "replica/store/epochs.h"
#include "server/config/config.h"
#include "server/host/host.h"
#include "server/supervisor.h"
#include "server/turn.h"
#include "server/words/words.h"

struct server {
    struct host host; /* the first member: what front and peer know of the server */
    uv_loop_t loop;
    const struct config *config;
    struct replica *replica;
    struct effects effects;
    struct front *front;
    struct peers *peers;               /* NULL: alone */
    struct ensemble_options ensemble;  /* where there is one */
    struct ensemble_info logged;       /* what was logged about it so far */
    struct epochs epochs;              /* as the start found them */
    struct quarantine quarantine;      /* likewise */
    bool tree_differs;                 /* likewise */
    bool oracle_asked, oracle_granted; /* by the file of oraclePath, when it was last asked */
    struct peer_address *own_addresses;
    uint32_t own_address_count;
    struct supervisor supervisor;
    struct words words;
    struct metrics metrics;  /* of METRICS_OF_SERVER */
    struct traffic *traffic; /* of the replay, until the replica has it */

    char *data_path, *log_path; /* the version-2 directories */
    struct disk *data_disk, *log_disk, *snapshot_disk;
    int data_lock_fd, log_lock_fd;

    struct log_thread *log;
    struct snapshot_thread *snapshots;
    struct buffer snapshot_part;
    bool snapshot_running;
    bool snapshot_awaited; /* the one that is running */

    uv_prepare_t before_poll;
    uv_check_t after_poll;
    uv_idle_t snapshot_idle, tick_idle, busy_idle;
    uv_timer_t wake, purge, stop_deadline;
    uv_signal_t on_term, on_int, on_hup;
    int64_t wake_armed_ms; /* when `wake` fires */

    bool tick_due; /* the replica wants a tick, after a read of all that has arrived */

    uint64_t worked_ns; /* the last turn with something to do, of the busy poll */

    struct turn turn;
    int64_t turn_wall_ms; /* 0: not read in this turn */
    int64_t appended_zxid;
    bool stopping;
    enum exit_code exit_code; /* why the loop ended by itself */
    bool snapshot_wanted;     /* by the start: the newest snapshot is behind the tree */
};

/* Java's exit codes; every reason was logged. On EXIT_CODE_OK the server listens. */
enum exit_code server_open(struct server *server, const struct config *config);
/* Until SIGTERM or SIGINT: EXIT_CODE_OK. Otherwise the reason was logged. */
enum exit_code server_run(struct server *server);
void server_close(struct server *server); /* also after server_open() failed */

/* loop.c */
void loop_open(struct server *server);
void loop_begin_turn(struct server *server); /* nothing when it has begun */
void loop_step(struct server *server, struct replica_event *event);
void loop_carry_out(struct server *server);  /* the effects of all steps since the last call */
void loop_end(struct server *server);        /* closes the clients' connections; uv_run() returns */
int64_t loop_wall_ms(struct server *server); /* one for the whole turn */
/* What the threads are to report to. */
struct log_thread_events loop_log_events(struct server *server);
struct snapshot_thread_events loop_snapshot_events(struct server *server);

/* peering.c */
void peering_options(struct server *server); /* what the replica is to know of its ensemble */
void peering_open(struct server *server);    /* nothing for a server that serves alone */
/* Logs what has changed in this member's role since the last call. */
void peering_log(struct server *server);
void peering_ask_oracle(struct server *server); /* reports a changed answer to the replica */
void peering_free(struct server *server);

/* startup.c: directories, locks and checks; then the tree. */
enum exit_code startup_directories(struct server *server);
enum exit_code startup_recover(struct server *server, struct tree **ret_tree,
                               struct store_actor **ret_actor);

#endif
