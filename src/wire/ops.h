/* ops.h: every operation of the protocol and of the log, one row each.
 *
 *     OP(id, number, "cons", "name", CLASS, record, rules, handler)
 *
 * cons: what the word cons shows; name: for log lines and errors. CLASS says how a server treats a
 * request of this kind:
 *
 *     READ        answered from the tree as it is, in the order of the client's requests
 *     WATCHING    the same; it may send watch events before its answer
 *     PING        answered in order, without looking at the tree
 *     WRITE       becomes a transaction
 *     INTERNAL    becomes a transaction; only servers make it, from a client it is unknown
 *     CONNECTION  about the connection: answered at once, needs no session, may overtake others
 *     NESTED      only inside another request or transaction; alone it is unknown
 *
 * record: the request's record in schema.h; `raw` when the handler reads the bytes itself.
 * handler: rooms above give it their prefix (read_get_data, prepare_create, apply_create), so a row
 * and its handlers are everything that an operation needs. docs/protocol.md has what each does. */
#ifndef WIRE_OPS_H
#define WIRE_OPS_H

#include "base/base.h"

enum op_class {
    OP_CLASS_READ,
    OP_CLASS_WATCHING,
    OP_CLASS_PING,
    OP_CLASS_WRITE,
    OP_CLASS_INTERNAL,
    OP_CLASS_CONNECTION,
    OP_CLASS_NESTED
};

enum op_rules {
    OP_NO_RULE = 0,
    OP_IN_MULTI = 1,      /* may be a part of a multi */
    OP_IN_MULTI_READ = 2, /* may be a part of a multiRead */
    OP_CHANGES_TREE = 4,
    OP_FORWARDED = 8 /* a learner sends it to the leader; all others it answers itself */
};

/* clang-format off */
#define ZK_WRITE_RULES (OP_CHANGES_TREE | OP_FORWARDED)

/* Handlers: replica/clients/reads.c (read_X). */
#define ZK_READ_OPS(OP)                                                                                                            \
    OP(EXISTS, 3, "EXIS", "exists", READ, path_watch_request, OP_NO_RULE, exists)                                                  \
    OP(GET_DATA, 4, "GETD", "getData", READ, path_watch_request, OP_IN_MULTI_READ, get_data)                                       \
    OP(GET_ACL, 6, "GETA", "getACL", READ, path_request, OP_NO_RULE, get_acl)                                                      \
    OP(GET_CHILDREN, 8, "GETC", "getChildren", READ, path_watch_request, OP_IN_MULTI_READ, get_children)                           \
    OP(SYNC, 9, "SYNC", "sync", READ, path_request, OP_FORWARDED, sync)                                                            \
    OP(GET_CHILDREN2, 12, "GETC", "getChildren2", READ, path_watch_request, OP_NO_RULE, get_children2)                             \
    OP(MULTI_READ, 22, "MLTR", "multiRead", READ, raw, OP_NO_RULE, multi_read)                                                     \
    OP(GET_EPHEMERALS, 103, "GETE", "getEphemerals", READ, path_request, OP_NO_RULE, get_ephemerals)                               \
    OP(GET_ALL_CHILDREN_NUMBER, 104, "GETACN", "getAllChildrenNumber", READ, path_request, OP_NO_RULE, get_all_children_number)    \
    OP(WHO_AM_I, 107, "HOMI", "whoAmI", READ, raw, OP_NO_RULE, who_am_i)                                                           \
    OP(GET_KIND, 20001, "KIND", "getKind", READ, path_request, OP_NO_RULE, get_kind) /* Paddock's own */

/* Handlers: replica/clients/watching.c (watching_X). */
#define ZK_WATCHING_OPS(OP)                                                                                     \
    OP(CHECK_WATCHES, 17, "CHKW", "checkWatches", WATCHING, path_type_request, OP_NO_RULE, check_watches)       \
    OP(REMOVE_WATCHES, 18, "REMW", "removeWatches", WATCHING, path_type_request, OP_NO_RULE, remove_watches)    \
    OP(SET_WATCHES, 101, "SETW", "setWatches", WATCHING, set_watches, OP_NO_RULE, set_watches)                  \
    OP(SET_WATCHES2, 105, "STW2", "setWatches2", WATCHING, set_watches2, OP_NO_RULE, set_watches2)              \
    OP(ADD_WATCH, 106, "ADDW", "addWatch", WATCHING, path_type_request, OP_NO_RULE, add_watch)

/* Handlers: replica/txn/request.c (read_X) and replica/txn/prepare.c (prepare_X); those that stand
 * only inside a multi are listed last. */
#define ZK_CHANGING_OPS(OP)                                                                                             \
    OP(CREATE, 1, "CREA", "create", WRITE, create_request, ZK_WRITE_RULES | OP_IN_MULTI, create)                        \
    OP(DELETE, 2, "DELE", "delete", WRITE, path_version_request, ZK_WRITE_RULES | OP_IN_MULTI, delete)                  \
    OP(SET_DATA, 5, "SETD", "setData", WRITE, set_data_request, ZK_WRITE_RULES | OP_IN_MULTI, set_data)                 \
    OP(SET_ACL, 7, "SETA", "setACL", WRITE, set_acl_request, ZK_WRITE_RULES, set_acl)                                   \
    OP(CREATE2, 15, "CREA", "create2", WRITE, create_request, ZK_WRITE_RULES | OP_IN_MULTI, create)                     \
    OP(RECONFIG, 16, "RECO", "reconfig", WRITE, reconfig_request, ZK_WRITE_RULES, reconfig)                             \
    OP(CREATE_CONTAINER, 19, "CREA", "createContainer", WRITE, create_request, ZK_WRITE_RULES | OP_IN_MULTI, create)    \
    OP(CREATE_TTL, 21, "CREA", "createTTL", WRITE, create_ttl_request, ZK_WRITE_RULES | OP_IN_MULTI, create_ttl)        \
    OP(CLOSE_SESSION, -11, "CLOS", "closeSession", WRITE, raw, ZK_WRITE_RULES, close_session)
#define ZK_MULTI_ONLY_OPS(OP)                                                                      \
    OP(CHECK, 13, "NA", "check", NESTED, path_version_request, OP_FORWARDED | OP_IN_MULTI, check)

/* Each is handled where its class is handled. */
#define ZK_OTHER_OPS(OP)                                                                                  \
    OP(NOTIFICATION, 0, "null", "notification", NESTED, raw, OP_NO_RULE, none)                              \
    OP(PING, 11, "PING", "ping", PING, raw, OP_NO_RULE, none)                                             \
    OP(MULTI, 14, "MULT", "multi", WRITE, raw, ZK_WRITE_RULES, multi)                                     \
    OP(DELETE_CONTAINER, 20, "NA", "deleteContainer", INTERNAL, raw, ZK_WRITE_RULES, delete_container)    \
    OP(AUTH, 100, "NA", "auth", CONNECTION, auth_packet, OP_NO_RULE, auth)                                \
    OP(SASL, 102, "NA", "sasl", CONNECTION, sasl_request, OP_NO_RULE, sasl)                               \
    OP(CREATE_SESSION, -10, "SESS", "createSession", INTERNAL, raw, ZK_WRITE_RULES, create_session)       \
    OP(ERROR, -1, "NA", "error", NESTED, raw, OP_NO_RULE, error)

#define ZK_OPS(OP) ZK_READ_OPS(OP) ZK_WATCHING_OPS(OP) ZK_CHANGING_OPS(OP) ZK_MULTI_ONLY_OPS(OP) ZK_OTHER_OPS(OP)
/* clang-format on */

#define ZK_OP_NUMBER(id, number, cons, name, class, record, rules, handler) OP_##id = number,
enum zk_op { ZK_OPS(ZK_OP_NUMBER) };
#undef ZK_OP_NUMBER

struct op_info {
    int32_t number;
    enum op_class class;
    unsigned rules; /* enum op_rules */
    const char *cons_name, *name;
};

/* NULL: no such operation. */
const struct op_info *op_find(int32_t number);
/* "GETD", "SETD", ...; "NA" for an operation without a name there. */
const char *op_cons_name(int32_t number);

#endif
