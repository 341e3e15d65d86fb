/* candidate.h: a place in the queue for a lock or for leadership: an ephemeral, sequential znode under
 * `parent`. Who has the smallest number is first. The names are those of Apache Curator
 * (_c_<guid>-lock-<number>), and the znodes of kazoo's locks are counted too. */
#ifndef SHELL_CANDIDATE_H
#define SHELL_CANDIDATE_H

#include "shell/service.h"

enum { CANDIDATE_GUID_CHARS = 32 };

struct candidate {
    struct service *connection;
    const char *parent;
    struct slice data; /* who it is: the data of the znode */
    char guid[CANDIDATE_GUID_CHARS + 1];
    bool asked;     /* a create was sent, and its fate is not known */
    char *own;      /* the path; NULL: none that is known */
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

/* Takes a place if there is none, and looks where it is. Watches only the one before it, or, being
 * first, its own znode. */
enum candidate_place candidate_look(struct candidate *candidate);
/* Is its znode still there? CANDIDATE_FIRST: yes. CANDIDATE_BEHIND: no. */
enum candidate_place candidate_check(struct candidate *candidate);
/* Gives the place up. False: not known, because there is no connection; the znode goes with the
 * session. */
bool candidate_leave(struct candidate *candidate);
/* The session is another one: the znode of the earlier one is gone. */
void candidate_forget(struct candidate *candidate);

#endif
