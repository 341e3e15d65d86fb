/* traffic.h: how much is read and written below each child of the root, that is by the first element
 * of paths (a namespace); for operators. What concerns the root itself is not counted. */
#ifndef METRICS_TRAFFIC_H
#define METRICS_TRAFFIC_H

#include "base/slice.h"
#include "base/summary.h"
#include "base/table.h"

struct traffic_sum {
    struct summary bytes;
    bool known; /* there was some, before the last reset or after it */
};

struct traffic_namespace {
    struct table_entry entry;
    struct traffic_namespace *older;
    struct slice name;
    struct traffic_sum read, write;
    int64_t quota_exceeded; /* writes that a hard limit refused ... */
    bool quota_known;       /* ... before the last reset or after it */
};

struct traffic;
struct traffic *traffic_new(uint64_t hash_seed);
void traffic_free(struct traffic *traffic); /* may be NULL */
/* A znode's stat was read, and `bytes` of its data or of its children's names. */
void traffic_read(struct traffic *traffic, struct slice path, size_t bytes);
/* A znode was made, changed or deleted; replayed changes count, too. */
void traffic_write(struct traffic *traffic, struct slice path, size_t bytes);
void traffic_quota_exceeded(struct traffic *traffic, struct slice path);
const struct traffic_namespace *traffic_newest(const struct traffic *traffic); /* NULL: none yet */
void traffic_reset(struct traffic *traffic); /* srst: the names stay */

#endif
