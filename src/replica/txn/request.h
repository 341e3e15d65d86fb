/* request.h: a client's wish to change something, decoded but not yet judged. */
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
    size_t offset;   /* of a multi's: where its header stands in the body */
};

struct write_request {
    int32_t type;
    struct write_op op;   /* all but OP_MULTI */
    struct write_op *ops; /* OP_MULTI: in the arena */
    int32_t op_count;
};

/* `body` is what follows the request header. STATUS_MALFORMED: it does not decode, or a multi holds
 * an operation that has no place there; the answer to both is -5. */
MUST_USE enum status write_request_read(int32_t type, struct slice body, size_t text_bytes_max,
                                        struct arena *arena, struct write_request *ret_request);

/* multiRead: getData and getChildren; or, where the client mistook it for a multi, writes. */
struct read_op {
    int32_t type;
    struct slice path;
};
MUST_USE enum status multi_read_request_read(struct slice body, size_t text_bytes_max,
                                             struct arena *arena, struct read_op **ret_ops,
                                             int32_t *ret_count);

#endif
