/* session_table.h: which sessions are alive, and until when.
 *
 * Sessions are kept in buckets, each one tick wide. All sessions of a bucket expire at its end, so a
 * silent session lives a little longer than its timeout, by at most one tick. Times are monotonic ms.
 * docs/protocol.md, "The life of a session". */
#ifndef REPLICA_SESSION_SESSION_TABLE_H
#define REPLICA_SESSION_SESSION_TABLE_H

#include "base/list.h"
#include "base/map.h"

struct session { /* as the leader knows it, whichever server its client speaks to */
    int64_t id;
    int32_t timeout_ms;
    bool closing;          /* its closeSession is proposed: no more of its requests are accepted */
    bool heard;            /* by a learner, since its last report to the leader */
    bool local;            /* only this server knows it */
    int64_t owner;         /* its owner (proposals/sessions.h); 0: none yet */
    int64_t bucket_end_ms; /* when it expires unless it is touched */
    struct list in_bucket;
};

struct session_table;
struct session_table *session_table_new(int32_t tick_ms, int64_t now_ms);
void session_table_free(struct session_table *table);
struct session *session_table_find(const struct session_table *table, int64_t id);
/* The id must be new. Counts as a touch. */
struct session *session_table_add(struct session_table *table, int64_t id, int32_t timeout_ms,
                                  int64_t now_ms);
void session_table_remove(struct session_table *table, struct session *session);
/* Moves it to another table, as if it had just been added there; its address stays. */
void session_table_move(struct session_table *from, struct session_table *to,
                        struct session *session, int64_t now_ms);
/* Its client was heard: the session moves to the bucket that ends after now + its timeout. */
void session_table_touch(struct session_table *table, struct session *session, int64_t now_ms);
/* The next expired session, oldest bucket first; NULL: none. It stays in the table, without a bucket. */
struct session *session_table_pop_expired(struct session_table *table, int64_t now_ms);
/* After the process was suspended for a while: every session gets its full timeout again. */
void session_table_touch_all(struct session_table *table, int64_t now_ms);
int64_t session_table_next_bucket_ms(const struct session_table *table);
uint32_t session_table_count(const struct session_table *table);
struct session *session_table_next(const struct session_table *table, size_t *cursor);

#endif
