/* candidate.h: a place in the queue for a lock or for leadership: an ephemeral, sequential znode under
 * `parent`. The one with the smallest number is first. The names are those of Apache Curator
 * (_c_<guid>-lock-<number>), and the znodes of kazoo's locks are counted too. */
#ifndef SHELL_CANDIDATE_H
#define SHELL_CANDIDATE_H

#include "shell/service.h"

enum { CANDIDATE_GUID_CHARS = 32 };

struct candidate {
    struct service *connection;
    const char *parent;
    struct slice data; /* the data of the znode: who this is */
    char guid[CANDIDATE_GUID_CHARS + 1];
    bool asked;     /* a create was sent, and its result is unknown */
    char *own;      /* the path; NULL: none is known */
    int64_t czxid;  /* of `own`, when first: grows from one holder to the next */
    size_t ahead;   /* how many are before it */
    int32_t failed; /* the error of the last CANDIDATE_FAILED */
};

/* CANDIDATE_AGAIN: the connection or the session was lost; look again when there is one.
 * CANDIDATE_FIRST, CANDIDATE_BEHIND: until the next event, in which case look again. */
enum candidate_place { CANDIDATE_FIRST, CANDIDATE_BEHIND, CANDIDATE_AGAIN, CANDIDATE_FAILED };

/* False: there is no random number for its name. */
MUST_USE bool candidate_init(struct candidate *candidate, struct service *connection,
                             const char *parent, struct slice data);
void candidate_deinit(struct candidate *candidate);

/* Joins the queue if it has not yet, and finds its position. Watches only the znode before it, or,
 * if it is first, its own. */
enum candidate_place candidate_look(struct candidate *candidate);
/* Does its znode still exist? CANDIDATE_FIRST: yes. CANDIDATE_BEHIND: no. */
enum candidate_place candidate_check(struct candidate *candidate);
/* Leaves the queue. False: unknown, because there is no connection; the znode is deleted with the
 * session. */
bool candidate_leave(struct candidate *candidate);
/* Call it for a new session: the znode of the earlier one is gone. */
void candidate_forget(struct candidate *candidate);

#endif
