/* story.h: a simulated ensemble by script: fixed servers, faults at exact steps, then checks.
 *
 *     struct story *story = story_open(&(struct story_options){.voters = 3});
 *     story_settle(story);
 *     story_write(story, 1, "/a", "one");
 *     story_crash(story, story_leader(story), SIM_LOSE_SOME);
 *     ...
 *     story_heal(story);
 *
 * Servers have the numbers 1 to N; without other history the one with the highest number leads. Each disk
 * takes 200 us for a batch, each way 500 us, and nothing is by chance. The first thing that goes wrong,
 * be it found by the story or by the checker, is the verdict; what follows it does nothing.
 *
 * What happens is told by the lines of the trace. A story waits for a line ("n2 ... NEWLEADER ...") or
 * checks that there was one, so it cannot pass without reaching what it is about. */
#ifndef SIM_STORY_H
#define SIM_STORY_H

#include "sim/cluster.h"
#include "sim/disk.h"
#include "wire/quorum.h"

struct story_options {
    int voters, observers, speakers; /* speakers: model clients with a load by seed */
    uint32_t guests;                 /* bit n - 1: server n is played by hand: story_guest_...() */
    bool local_sessions;             /* until their first ephemeral */
    bool read_only;                  /* without a quorum, clients that may be read-only read */
    bool observer_masters;           /* observers learn from followers */
    bool unlogged_observers;         /* observers write no log */
    bool sleeping;                   /* no server is started at the begin */
    int32_t snap_count;              /* 0: no snapshots */
    size_t history_bytes_max;        /* 0: so much that a learner always gets a DIFF */
    bool
        log_files_are_read; /* for a learner that is further behind than that: a DIFF from the log files, of
                                any size; else it gets a SNAP */
    uint64_t seed;
    enum mutant mutant;
    enum node_bug bug;
};
struct story;
struct story *story_open(const struct story_options *options);
struct cluster_verdict story_close(struct story *story);
/* The story's own verdict, unless there is one. */
void story_fail(struct story *story, const char *sentence);
void story_check(struct story *story, bool right, const char *sentence);
bool story_failed(const struct story *story);
/* The last lines of the trace, for whoever wants to see how it failed. */
void story_print(const struct story *story, size_t lines, void (*print)(const char *line));

/* --- time. Without an end after 30 seconds the story fails --- */
void story_run(struct story *story, int64_t ms);
void story_run_one(struct story *story); /* event */
/* To the next line of the server that holds the text. 0: of any server. */
void story_until(struct story *story, int server, const char *text);
void story_settle(struct story *story); /* all servers that are up serve in one epoch */
/* To the n-th line of the server from now on; false: it served before. For loops over every step. */
bool story_until_line(struct story *story, int server, int n);
void story_until_leads(struct story *story, int server);
void story_until_serves(struct story *story, int server);
bool story_said(const struct story *story, int server, const char *text); /* so far, or: */
size_t story_count(const struct story *story, int server, const char *text);
int story_leader(struct story *story); /* it serves; 0: none does */
bool story_serves(struct story *story, int server);
bool story_is_read_only(const struct story *story, int server);

/* --- faults. All of them last until they are taken back --- */
void story_crash(struct story *story, int server, enum sim_disk_loss loss);
void story_power_off(struct story *story, enum sim_disk_loss loss); /* of all at once */
void story_start(struct story *story, int server);
void story_start_all(struct story *story);
/* It must not start, for a reason that holds this text. It stays down. */
void story_refuses(struct story *story, int server, const char *text);
bool story_is_up(const struct story *story, int server);
void story_cut(struct story *story, int one, int other); /* both ways */
void story_cut_way(struct story *story, int from, int to);
void story_join(struct story *story, int one, int other);
void story_isolate(struct story *story, int server); /* from all other servers */
void story_rejoin(struct story *story, int server);
void story_pause(struct story *story, int server, int64_t ms);
void story_hold_disk(struct story *story, int server);
void story_free_disk(struct story *story, int server);
void story_hold_image(struct story *story, int server, bool held);      /* its running snapshot */
void story_fill_disk(struct story *story, int server, uint64_t blocks); /* that are left */
/* The power fails in the middle of the n-th change of its disk from now on. */
void story_crash_at_change(struct story *story, int server, uint64_t n);
uint64_t story_changes(const struct story *story, int server); /* so far, as that counts them */
/* The n-th of these calls from now on answers an error. */
void story_fail_call(struct story *story, int server, enum sim_disk_op op, uint64_t n);
/* The byte at `offset` of its newest file with this prefix is another one; from the end if below 0. */
void story_rot(struct story *story, int server, const char *prefix, int64_t offset);
void story_remove_files(struct story *story, int server, const char *prefix);
/* A snapshot of the tree as it is, as servers of other makes write it at their start. */
void story_write_snapshot(struct story *story, int server);
/* The tree in its newest snapshot is another one, and all checksums are right: as a bug would have it. */
void story_spoil_snapshot(struct story *story, int server);
void story_wipe(struct story *story, int server); /* an empty disk */
/* The oracle of this server, one of two; as long as nobody has said anything, none is named. */
void story_set_oracle(struct story *story, int server, bool grants);
void story_set_clock(struct story *story, int server, int64_t offset_ms);
/* No more faults: all servers start, agree and answer, and have the same. */
void story_heal(struct story *story);

/* --- looking in --- */
int64_t story_durable_zxid(const struct story *story, int server);
int64_t story_applied_zxid(const struct story *story, int server);
int64_t story_committed_zxid(const struct story *story);
bool story_in_quarantine(const struct story *story, int server); /* as its files have it */
bool story_has_file(const struct story *story, int server, const char *prefix);
uint32_t story_nodes(const struct story *story, int server); /* in its tree */
void story_request_snapshot(struct story *story, int server);
/* As its tree has it now. */
bool story_has_node(const struct story *story, int server, const char *path);

/* --- clients: numbers from 1 on. Each answer is checked against the committed tree --- */
enum { STORY_CLIENTS = 6, STORY_TIMEOUT_MS = 4000 };
struct story_answer {
    bool came;
    int32_t err;
    int64_t zxid;
    int32_t version;
    char text[64]; /* data of a read, path of a create */
};
/* From its next handshake on. Of what is not agreed upon it may read, and it is not compared. */
void story_may_be_read_only(struct story *story, int client);
bool story_reads_only(const struct story *story, int client);   /* its server is read-only */
bool story_is_connected(const struct story *story, int client); /* with a session */
/* A new session there. */
void story_connect(struct story *story, int client, int server);
/* The same session at that server. False: it was refused. */
bool story_reconnect(struct story *story, int client, int server);
void story_ask_reconnect(struct story *story, int client, int server); /* and goes on at once */
void story_disconnect(struct story *story, int client);
void story_leave_open(struct story *story, int client); /* it forgets its connection, which stays */
size_t story_connections(const struct story *story,
                         int server); /* of clients, that it has not closed */
int64_t story_session(const struct story *story, int client);
/* Asks, and goes on at once; the answer of a request that was answered meanwhile is kept. */
int32_t story_ask(struct story *story, int client, int32_t op, const char *path, const char *data);
int32_t story_ask_create(struct story *story, int client, const char *path, int32_t mode);
/* Creates the path, and then checks what is not there. */
int32_t story_ask_failing_multi(struct story *story, int client, const char *path);
struct story_answer story_answer(struct story *story, int client, int32_t xid); /* now */
/* That one, and then all are forgotten: no more than 512 are kept. */
void story_await_all(struct story *story, int client, int32_t last_xid);
struct story_answer story_await(struct story *story, int client, int32_t xid);
/* The same, waiting for an answer without an error. */
int64_t story_create(struct story *story, int client, const char *path, int32_t mode);
int64_t story_write(struct story *story, int client, const char *path, const char *data);
void story_read(struct story *story, int client, const char *path, const char *want);
void story_sync(struct story *story, int client);
void story_restart_xids(struct story *story, int client);   /* as a client that lost its count */
size_t story_events(const struct story *story, int client); /* watch events that came */
void story_set_timeout(struct story *story, int client, int32_t ms); /* of its next session */
bool story_is_expired(struct story *story, int client);  /* the leader's tree has no such session */
void story_keep_silent(struct story *story, int client); /* no more pings */

/* --- one client more, whose connections and session are the client library's (src/client) --- */
/* Bit n - 1: it knows of server n; it tries the lowest one first. */
void story_library_begin(struct story *story, uint32_t servers, int32_t timeout_ms);
void story_library_begin_read_only(struct story *story, uint32_t servers, int32_t timeout_ms);
bool story_library_reads_only(struct story *story); /* its server is read-only */
int story_library_server(
    struct story *story); /* where it has its session; 0: nowhere at the moment */
void story_library_until_at(struct story *story, int server);
int64_t story_library_session(struct story *story);
bool story_library_is_expired(struct story *story);
/* They give the number of the request; the watch comes with a read. */
int story_library_set(struct story *story, const char *path, const char *data);
int story_library_watch(struct story *story, const char *path);
/* How the request came back: an error of ZooKeeper, or an enum client_error. */
int32_t story_library_await(struct story *story, int number);
size_t story_library_events(struct story *story);                  /* of watches, so far */
void story_library_cut(struct story *story, int server, bool cut); /* both ways between them */

/* --- servers that the story plays (options.guests): of another make, or of ill will --- */
struct story_guest_plan {
    int64_t epoch, zxid;  /* it votes for itself with this zxid, and leads this epoch */
    int32_t way;          /* QUORUM_DIFF, TRUNC or SNAP (of an empty tree), with that zxid */
    struct slice history; /* packets behind it */
};
/* The others are to elect it, and it brings them to UPTODATE. Its id is the highest. */
void story_guest_lead(struct story *story, int server, const struct story_guest_plan *plan);
/* To one follower; 0: to all. */
void story_guest_send(struct story *story, int server, int to, int32_t type, int64_t zxid,
                      struct slice data);
/* The same, told to the checker, which takes the guest for a server whose disk is good. */
void story_guest_propose(struct story *story, int server, int64_t zxid, struct slice payload);
void story_guest_commit(struct story *story, int server, int64_t zxid);
void story_guest_keep_silent(struct story *story, int server); /* no more pings */
/* port: NETWORK_ELECTION (0) or NETWORK_QUORUM (1). The script sends all that goes over it. */
uint64_t story_guest_dial(struct story *story, int server, int to, int port);
void story_guest_send_bytes(struct story *story, int server, uint64_t connection,
                            struct slice bytes);
bool story_guest_is_open(struct story *story, int server, uint64_t connection);

#endif
