/* zk.h: ZooKeeper's numbers (errors, events, permissions, limits), and the rules for paths, owners,
 * passwords and zxids (docs/protocol.md). */
#ifndef WIRE_ZK_H
#define WIRE_ZK_H

#include "base/slice.h"
#include "wire/ops.h"

/* The error in a reply's header, as a number on the wire. */
enum zk_error {
    ZK_OK = 0,
    ZK_RUNTIME_INCONSISTENCY = -2, /* the operations of a failed multi after the one that failed */
    ZK_MARSHALLING_ERROR = -5,
    ZK_UNIMPLEMENTED = -6,
    ZK_BAD_ARGUMENTS = -8,
    ZK_NO_NODE = -101,
    ZK_NO_AUTH = -102,
    ZK_BAD_VERSION = -103,
    ZK_NO_CHILDREN_FOR_EPHEMERALS = -108,
    ZK_NODE_EXISTS = -110,
    ZK_NOT_EMPTY = -111,
    ZK_SESSION_EXPIRED = -112,
    ZK_INVALID_ACL = -114,
    ZK_AUTH_FAILED = -115,
    ZK_SESSION_MOVED = -118, /* never sent: the connection is closed instead */
    ZK_NOT_READ_ONLY = -119, /* asks a read-only server for more than a read */
    ZK_EPHEMERAL_ON_LOCAL_SESSION = -120,
    ZK_NO_WATCHER = -121,
    ZK_RECONFIG_DISABLED = -123,
    ZK_SESSION_CLOSED_REQUIRE_AUTH = -124,
    ZK_QUOTA_EXCEEDED = -125,
    ZK_THROTTLED_OP = -127
};

enum zk_xid { XID_NOTIFICATION = -1, XID_PING = -2, XID_AUTH = -4, XID_SET_WATCHES = -8 };

enum zk_event {
    EVENT_CREATED = 1,
    EVENT_DELETED = 2,
    EVENT_DATA_CHANGED = 3,
    EVENT_CHILDREN_CHANGED = 4
};
enum { STATE_SYNC_CONNECTED = 3 };

enum zk_perm {
    PERM_READ = 1,
    PERM_WRITE = 2,
    PERM_CREATE = 4,
    PERM_DELETE = 8,
    PERM_ADMIN = 16,
    PERM_ALL = 31
};

/* The flags of a create request: one of seven values, not a bit set. */
enum zk_create_mode {
    MODE_PERSISTENT = 0,
    MODE_EPHEMERAL = 1,
    MODE_PERSISTENT_SEQUENTIAL = 2,
    MODE_EPHEMERAL_SEQUENTIAL = 3,
    MODE_CONTAINER = 4,
    MODE_TTL = 5,
    MODE_SEQUENTIAL_TTL = 6
};

enum zk_watch_mode { WATCH_ADD_PERSISTENT = 0, WATCH_ADD_RECURSIVE = 1 };
enum zk_watcher_type {
    WATCHER_CHILDREN = 1,
    WATCHER_DATA = 2,
    WATCHER_ANY = 3,
    WATCHER_PERSISTENT = 4,
    WATCHER_RECURSIVE = 5
};

enum { PASSWORD_BYTES = 16, JUTE_MAXBUFFER_DEFAULT = 0xfffff };
/* Of the digest of a tree, in the log, in snapshots and between servers: its version, and the bytes of
 * version and digest. docs/protocol.md, "Digests". */
enum { DIGEST_VERSION = 2, DIGEST_BYTES = 12 };

/* What a stored ephemeralOwner means: docs/protocol.md, "Create modes and sequence names". */
enum owner_kind { OWNER_NONE, OWNER_SESSION, OWNER_CONTAINER, OWNER_TTL };
#define OWNER_CONTAINER_VALUE INT64_MIN
#define TTL_MS_MAX INT64_C(0xffffffffff) /* 40 bits */

/* The owner of a TTL node: eight bits that say so, and the TTL in the lowest 40. */
static inline int64_t owner_of_ttl(int64_t ttl_ms)
{
    return (int64_t)(UINT64_C(0xff) << 56 | (uint64_t)ttl_ms);
}

static inline bool owner_has_ttl_bits(int64_t owner)
{
    return (uint64_t)owner >> 56 == 0xff;
}

/* May a node be created under this path? docs/protocol.md, "Paths". `path` must be clean
 * (jute_text_clean). */
bool zk_path_valid(struct slice path);
/* The text before the last '/': "" for children of the root and for a path without a slash. */
struct slice zk_path_parent(struct slice path);
struct slice zk_path_name(struct slice path);
/* "/", "/zookeeper", "/zookeeper/quota", "/zookeeper/config": never deleted. */
bool zk_path_special(struct slice path);
/* A session's password: docs/protocol.md, "Session ids and passwords". */
void zk_session_password(int64_t session_id, uint8_t ret_password[PASSWORD_BYTES]);

/* A zxid: the epoch of the leader that proposed it, and a counter within the epoch. */
static inline int64_t zxid_make(int64_t epoch, int64_t counter)
{
    return (int64_t)((uint64_t)epoch << 32 | ((uint64_t)counter & UINT32_MAX));
}

static inline int64_t zxid_epoch(int64_t zxid)
{
    return (int64_t)((uint64_t)zxid >> 32);
}

static inline int64_t zxid_counter(int64_t zxid)
{
    return (int64_t)((uint64_t)zxid & UINT32_MAX);
}

#endif
