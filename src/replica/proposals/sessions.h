/* sessions.h: the sessions of the ensemble as this server tracks them, whatever its role.
 *
 * Every server knows all of them, for createSession and closeSession are transactions. Only a leader
 * (or a server that stands alone) decides when one is over; a learner remembers which of them it
 * has heard and reports that with its next answer to a PING. A leader fences sessions that move:
 * requests from a server that no longer owns the session are refused.
 *
 * A local session is an exception: only the server that made it knows it and decides when it is over.
 * Before it may own an ephemeral it becomes an ordinary session (sessions_upgrade()). */
#ifndef REPLICA_PROPOSALS_SESSIONS_H
#define REPLICA_PROPOSALS_SESSIONS_H

#include "replica/effects/step.h"
#include "replica/session/session_table.h"
#include "replica/tree/tree.h"

struct sessions_options {
    int32_t tick_ms;         /* > 0: width of a session's bucket */
    uint8_t server_id;       /* top byte of the ids that this server makes */
    int64_t session_seed_ms; /* wall clock at start: first session id */
    bool local;              /* new sessions are local */
};

/* The owner of a session: this server, or the connection of a learner (its number). */
enum { SESSION_OWNER_NONE = 0, SESSION_OWNER_HERE = -1 };

struct sessions {
    struct sessions_options options;
    struct session_table *table; /* sessions that all servers know */
    struct session_table *local;
    struct tree *tree;
    struct step *step;
    int64_t next_id;
    /* On a learner: ids that were heard since the last report. */
    bool reports;
    int64_t *heard;
    size_t heard_count, heard_capacity;
};

/* Step and tree are borrowed. The sessions in the tree continue with a full timeout. */
void sessions_init(struct sessions *sessions, const struct sessions_options *options,
                   struct tree *tree, struct step *step);
void sessions_deinit(struct sessions *sessions);
/* For a new role or another tree: all sessions in the tree get a full timeout; local sessions end.
 * Pointers to sessions become invalid. */
void sessions_begin(struct sessions *sessions, struct tree *tree, bool reports);

int64_t sessions_new_id(struct sessions *sessions);                         /* never used before */
struct session *sessions_find(const struct sessions *sessions, int64_t id); /* NULL: unknown */
/* Also among the local ones. */
struct session *sessions_find_here(const struct sessions *sessions, int64_t id);
/* Was the id made by this server? */
bool sessions_made_here(const struct sessions *sessions, int64_t id);
void sessions_touch(struct sessions *sessions, struct session *session);
void sessions_touch_all(struct sessions *sessions); /* the process was suspended */
/* A createSession, a closeSession was applied. */
void sessions_created(struct sessions *sessions, int64_t id, int32_t timeout_ms);
void sessions_closed(struct sessions *sessions, int64_t id);

/* --- local sessions --- */
struct session *sessions_add_local(struct sessions *sessions, int64_t id, int32_t timeout_ms);
void sessions_remove_local(struct sessions *sessions, struct session *session);
/* From now on it is one that all servers know; its createSession is proposed at the same time. Its
 * address stays. */
void sessions_upgrade(struct sessions *sessions, struct session *session);
/* The next local session that has ended, or is being closed; NULL: none. The caller removes it. */
struct session *sessions_next_expired_local(struct sessions *sessions);
int64_t sessions_next_local_expiry_ms(
    const struct sessions *sessions); /* INT64_MAX: there are none */

/* The next session that has expired; NULL: none. It is returned only once, so it must be closed. */
struct session *sessions_next_expired(struct sessions *sessions);
int64_t sessions_next_expiry_ms(const struct sessions *sessions);

/* Visits the sessions that a learner has heard since the last report, and forgets them. */
typedef void sessions_visit_heard(void *context, const struct session *session);
void sessions_report(struct sessions *sessions, sessions_visit_heard *visit, void *context);

#endif
