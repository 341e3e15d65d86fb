/* snapshot_parts.h: the things that a snapshot consists of, from their bytes into a tree: the same in a
 * file and in a leader's stream. */
#ifndef REPLICA_STORE_SNAPSHOT_PARTS_H
#define REPLICA_STORE_SNAPSHOT_PARTS_H

#include "replica/tree/tree.h"

struct snapshot_visitor; /* snapshot.h */
struct snapshot_parts {
    struct tree *tree;                      /* being loaded; NULL: only check */
    const struct snapshot_visitor *visitor; /* or NULL */
    int64_t node_zxid_max;                  /* the highest zxid in a stat so far */
    uint64_t nodes;
    const char *problem; /* of STATUS_CORRUPT; static text */
};

/* Each reads one thing. STATUS_MALFORMED: it does not follow the format, or the bytes end inside. */
MUST_USE enum status snapshot_part_session(struct snapshot_parts *parts, struct reader *reader);
MUST_USE enum status snapshot_part_acl(struct snapshot_parts *parts, struct reader *reader);
/* STATUS_END: that was the end of the nodes. STATUS_CORRUPT: a node that cannot be (`problem`). */
MUST_USE enum status snapshot_part_node(struct snapshot_parts *parts, struct reader *reader);

#endif
