/* server.h: the daemon: one replica, the loop that feeds it, and the threads that act for it.
 *
 * Every callback of the loop builds one event and calls server_step(). What the replica wants done
 * gathers until the turn ends and is then carried out once: one batch to the log, one send per
 * connection, one timer. */
#ifndef SERVER_SERVER_H
#define SERVER_SERVER_H

#include "base/disk.h"
#include "replica/replica.h"
#include "server/config/config.h"
#include "server/log_thread.h"
#include "server/snapshot_thread.h"

#include <uv.h>

struct front;

/* How the start went, for operators. */
struct server_start {
    int64_t load_ms, snapshot_load_ms, replay_ms;
    uint64_t replayed;
    bool fresh, snapshot_wanted; /* wanted: the newest snapshot is behind the tree */
};

struct server {
    uv_loop_t loop;
    const struct config *config;
    struct replica *replica;
    struct effects effects;
    struct front *front;

    char *data_path, *log_path; /* the version-2 directories */
    struct disk *data_disk, *log_disk, *snapshot_disk;
    int data_lock_fd, log_lock_fd;

    struct log_thread *log;
    struct snapshot_thread *snapshots;
    struct buffer snapshot_part;
    bool snapshot_running;

    uv_prepare_t before_poll;
    uv_check_t after_poll;
    uv_idle_t snapshot_idle;
    uv_timer_t wake, purge, stop_deadline;
    uv_signal_t on_term, on_int, on_hup;
    int64_t wake_armed_ms; /* when `wake` fires */

    int64_t turn_wall_ms; /* 0: not read in this turn */
    int64_t started_ms;   /* monotonic, when serving began */
    int64_t appended_zxid, durable_zxid;
    bool stopping;
    struct server_start start;
};

/* Java's exit codes; every reason was logged. On EXIT_CODE_OK the server listens. */
enum exit_code server_open(struct server *server, const struct config *config);
void server_run(struct server *server);   /* until SIGTERM or SIGINT */
void server_close(struct server *server); /* also after server_open() failed */

/* startup.c: directories, locks and checks; then the tree. */
enum exit_code startup_directories(struct server *server);
enum exit_code startup_recover(struct server *server, struct tree **ret_tree,
                               struct log_writer **ret_writer);

/* Time and wall clock are filled in. */
void server_step(struct server *server, struct replica_event *event);
int64_t server_now_ms(const struct server *server);
int64_t server_wall_ms(struct server *server);
void server_snapshot_now(struct server *server);

#endif
