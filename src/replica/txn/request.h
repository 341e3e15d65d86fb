/* request.h: a client's write request, decoded and not yet checked. */
#ifndef REPLICA_TXN_REQUEST_H
#define REPLICA_TXN_REQUEST_H

#include "base/arena.h"
#include "wire/records.h"
#include "wire/zk.h"

struct write_op {
    int32_t type; /* enum zk_op */
    struct slice path, data;
    struct jute_vector acl;
    int64_t ttl_ms;  /* OP_CREATE_TTL */
    int32_t flags;   /* creates: enum zk_create_mode, unchecked */
    int32_t version; /* expected */
    size_t offset;   /* in a multi: where this operation's header begins in the body */
};

struct write_request {
    int32_t type;
    struct write_op op;   /* all but OP_MULTI */
    struct write_op *ops; /* OP_MULTI: in the arena */
    int32_t op_count;
};

/* `body` is what follows the request header. STATUS_MALFORMED: it does not decode, or it is a multi
 * with an operation that a multi must not have; the answer to both is -5. */
MUST_USE enum status write_request_read(int32_t type, struct slice body, size_t text_bytes_max,
                                        struct arena *arena, struct write_request *ret_request);

/* multiRead: getData and getChildren. Operations of multi decode too, so that the handler can refuse
 * them. STATUS_MALFORMED: as above, or both kinds in one request. */
struct read_op {
    int32_t type;
    struct slice path;
};
MUST_USE enum status multi_read_request_read(struct slice body, size_t text_bytes_max,
                                             struct arena *arena, struct read_op **ret_ops,
                                             int32_t *ret_count);

#endif
