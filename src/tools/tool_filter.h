/* tool_filter.h: selects transactions and znodes by path, by session, by zxid. All given conditions
 * must match. */
#ifndef TOOLS_TOOL_FILTER_H
#define TOOLS_TOOL_FILTER_H

#include "replica/txn/txn.h"

struct tool_filter {
    bool has_path, below; /* below: the path itself, and all that stands below it */
    struct slice path;
    bool has_session;
    int64_t session;
    int64_t zxid_first, zxid_last; /* both included */
};

void tool_filter_init(struct tool_filter *filter); /* everything matches */
/* False: not a path. The text stays the caller's. */
MUST_USE bool tool_filter_set_path(struct tool_filter *filter, struct slice path, bool below);

bool tool_filter_path(const struct tool_filter *filter, struct slice path);
/* A multi or the end of a session matches a path when one of its parts does. */
bool tool_filter_txn(const struct tool_filter *filter, const struct txn *txn);
/* The session is the owner. One of its zxids is in the range: created, changed, children changed. */
bool tool_filter_node(const struct tool_filter *filter, struct slice path,
                      const struct stat_persisted *stat);

/* 0x and hexadecimal, or decimal; nothing else. A session may be negative, as Java prints some. */
MUST_USE bool tool_zxid_parse(const char *text, int64_t *ret_zxid);
MUST_USE bool tool_session_parse(const char *text, int64_t *ret_session);
/* "Z", "A..B", "A..", "..B". */
MUST_USE bool tool_zxid_range_parse(const char *text, int64_t *ret_first, int64_t *ret_last);

#endif
