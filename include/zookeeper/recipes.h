/* recipes.h: locks, elections, queues and barriers on top of ZooKeeper's C API.
 *
 * libzookeeper_recipes uses only the public functions of zookeeper.h. It works with Paddock's
 * libzookeeper_mt and with Apache ZooKeeper's. The single-threaded library cannot be used: these
 * functions block.
 *
 * Objects. A recipe is an object that is made with recipe_X_new() for an open handle and freed with
 * recipe_X_free(). Paths and data are copied. `options` may be NULL; its ACL is not copied and must
 * live as long as the object. Any number of objects may use one handle.
 *
 * Free the objects first, then close the handle: recipe_X_free() needs the handle to remove nodes.
 * After the handle was closed, only recipe_X_state() may still be called, and objects cannot be
 * freed any more.
 *
 * Threads. Different objects may be used by different threads. Of one object, recipe_X_state() and
 * recipe_X_cancel() may be called by any thread at any time; the other functions by one thread at a time.
 * A function that blocks must not be called in a callback of the handle or in `fn`, nor
 * recipe_X_free(). `fn` runs in the handle's completion thread and must return soon.
 *
 * Time. `timeout_ms` is how long to try: 0 tries once, -1 has no limit. A server that does not
 * answer can make a call last longer, by two thirds of the session's timeout.
 *
 * Connection loss. A request whose answer was lost may have been executed or not. No function here
 * returns "perhaps": it waits for the next connection and finds out. The node that a lost answer
 * belongs to is found by an identifier in its name, or by a count that was raised in the same
 * transaction. Where this is impossible, because the session is over, the comment of the function
 * says what may be true.
 *
 * Memory. Two things are never left out: to look after what is held, and to remove nodes. When there is no
 * memory for that, or the server refuses it for now (it is read-only, or throttles), it is tried until it
 * can be done, or until the session is over, and the thread waits between the attempts: the handle's
 * completion thread, or one that calls a function here. What is held is SUSPENDED then.
 *
 * Errors of every function, besides those that are named at it:
 *   ZOPERATIONTIMEOUT  not done within timeout_ms; what was begun is taken back, at once or, without a
 *                      connection, as soon as there is one
 *   ZSESSIONEXPIRED    the session is over, and so is the handle: open another one
 *   ZAUTHFAILED        a proof that the handle showed was not accepted; the handle is over
 *   ZCLOSING           recipe_X_cancel() was called meanwhile, or the handle is being closed
 *   ZINVALIDSTATE      the handle is over, or the object is not in the state that the call needs
 *   ZBADARGUMENTS      a NULL handle, a path that is none, a bad kind, count or size
 *   ZNOAUTH, ZINVALIDACL   the servers refuse: see the ACLs of the parent, and `options->acl`
 *   ZNOCHILDRENFOREPHEMERALS   the path, or a part of it, is an ephemeral node
 *   ZSYSTEMERROR       no memory, or no random numbers; what was begun is taken back, and the call can be
 *                      made again
 * and what else the servers may say to a request. An ACL must let this session read, write and
 * delete what it makes. Missing parents are made, as persistent nodes. */
#ifndef ZOOKEEPER_RECIPES_H
#define ZOOKEEPER_RECIPES_H

#ifndef THREADED
#define THREADED
#endif
#include <stdint.h>
#include <zookeeper/zookeeper.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What is known about a lock or a leadership. */
typedef enum recipe_state {
    RECIPE_FREE,      /* not held, and nobody waits for it through this object */
    RECIPE_WAITING,   /* a call waits for it */
    RECIPE_HELD,      /* held: the session lives and is connected */
    RECIPE_SUSPENDED, /* the connection is lost: unknown whether it is still held */
    RECIPE_LOST       /* not held any more: the session is over, or the node was removed by somebody
                         else */
} recipe_state_t;

/* Called for each change while something is held: SUSPENDED when the connection is lost, HELD when
 * it is back and the node still exists, LOST when it is known to be lost. A program that must never
 * work at the same time as another holder stops at SUSPENDED. Not called for changes by the user's
 * own calls. */
typedef void (*recipe_state_fn)(recipe_state_t state, void *context);

/* How nodes are named. In each case nodes of both forms are understood as contenders.
 *   RECIPE_NAMES_CURATOR   _c_GUID-lock-0000000001, for Java's Curator. kazoo takes part with the
 *                          option extra_lock_patterns=["-lock-"]
 *   RECIPE_NAMES_KAZOO     HEX__lock__0000000001, for Python's kazoo. Curator must not share the path */
typedef enum recipe_names { RECIPE_NAMES_CURATOR, RECIPE_NAMES_KAZOO } recipe_names_t;

typedef struct recipe_options {
    recipe_names_t names;
    const struct ACL_vector *acl; /* of all nodes that are made; NULL: ZOO_OPEN_ACL_UNSAFE */
    const char *data;             /* of the contender's node: who this is; may be NULL */
    int data_len;
    recipe_state_fn fn; /* may be NULL */
    void *context;
} recipe_options_t;

/* -- Lock. Each contender watches only the one before it, so that a release wakes one contender.
 *
 * RECIPE_LOCK_EXCLUSIVE  "-lock-", or "__lock__": Curator's InterProcessMutex, kazoo's Lock
 * RECIPE_LOCK_WRITE      "-__WRIT__", or "__lock__": exclusive, beside readers of
 *                        Curator's InterProcessReadWriteLock, or kazoo's WriteLock
 * RECIPE_LOCK_READ       "-__READ__", or "__rlock__": shared; waits for earlier exclusive ones only */
typedef struct recipe_lock recipe_lock_t;
typedef enum recipe_lock_kind {
    RECIPE_LOCK_EXCLUSIVE,
    RECIPE_LOCK_WRITE,
    RECIPE_LOCK_READ
} recipe_lock_kind_t;

/* Sends nothing. ZOK, ZBADARGUMENTS, ZSYSTEMERROR. */
ZOOAPI int recipe_lock_new(zhandle_t *zh, const char *path, recipe_lock_kind_t kind,
                           const recipe_options_t *options, recipe_lock_t **ret_lock);

/* ZOK: it is held. ZINVALIDSTATE also: this object holds it already (it is not reentrant).
 * ZNONODE: somebody removed the node of this contender while it waited. */
ZOOAPI int recipe_lock_acquire(recipe_lock_t *lock, int timeout_ms);

/* ZOK: the node is deleted. ZCONNECTIONLOSS: there is no connection, or the server takes no writes now; the
 * node is deleted as soon as a server does it, or with the session, and for this object the lock is free.
 * ZSYSTEMERROR: the same, when it is memory that was missing. ZINVALIDSTATE: it is not held; also returned
 * for one that is LOST, which is free afterwards. */
ZOOAPI int recipe_lock_release(recipe_lock_t *lock);

/* A call that waits returns ZCLOSING at once; so does the next one if none waits. */
ZOOAPI void recipe_lock_cancel(recipe_lock_t *lock);
ZOOAPI recipe_state_t recipe_lock_state(recipe_lock_t *lock);

/* A number that is higher for each later holder of an exclusive lock: the zxid of the node's
 * creation. A system that refuses writes with a lower number than the highest it has seen is
 * protected from a holder that does not know yet that it has lost the lock. 0 when it is not
 * held. */
ZOOAPI int64_t recipe_lock_fence(recipe_lock_t *lock);

/* The path of the contender's node, "" when it has none. Valid until the next call. */
ZOOAPI const char *recipe_lock_node(recipe_lock_t *lock);

/* Releases it if it is held. NULL is allowed. */
ZOOAPI void recipe_lock_free(recipe_lock_t *lock);

/* -- Leader election: a queue as for a lock; the first is the leader, until it resigns or is LOST.
 * Names: "-latch-" (Curator's LeaderLatch), or "__lock__" (kazoo's Election). `options->data` says
 * who it is. */
typedef struct recipe_election recipe_election_t;

ZOOAPI int recipe_election_new(zhandle_t *zh, const char *path, const recipe_options_t *options,
                               recipe_election_t **ret_election);
/* ZOK: this is the leader. Otherwise as recipe_lock_acquire(). */
ZOOAPI int recipe_election_lead(recipe_election_t *election, int timeout_ms);
/* As recipe_lock_release(). */
ZOOAPI int recipe_election_resign(recipe_election_t *election);
ZOOAPI void recipe_election_cancel(recipe_election_t *election);
ZOOAPI recipe_state_t recipe_election_state(recipe_election_t *election);
ZOOAPI int64_t recipe_election_fence(recipe_election_t *election);
ZOOAPI void recipe_election_free(recipe_election_t *election);

/* The data of the present leader; any client may ask. *buffer_len: the buffer's size, and then the
 * length of the data; what does not fit is cut off. ZNONODE: nobody leads. */
ZOOAPI int recipe_election_leader(zhandle_t *zh, const char *path, char *buffer, int *buffer_len,
                                  int timeout_ms);

/* -- Queue: entries are persistent nodes "entry-PPP-NNNNNNNNNN" as in kazoo's Queue; a lower priority
 * goes first, and within one priority the older entry. Each entry wakes all waiting takers; any one
 * of them may get it. For each object that has put or taken there is an ephemeral node below
 * "PATH-users"; its version counts what the object has done, which resolves lost answers. */
typedef struct recipe_queue recipe_queue_t;

/* `options`: only `acl` is used. */
ZOOAPI int recipe_queue_new(zhandle_t *zh, const char *path, const recipe_options_t *options,
                            recipe_queue_t **ret_queue);

/* priority 0 to 999 (kazoo's usual one is 100). ZOK: the entry is in the queue, once. ZSESSIONEXPIRED,
 * ZCLOSING and ZOPERATIONTIMEOUT after a lost answer: it may be in the queue, see
 * recipe_queue_in_doubt(). ZRUNTIMEINCONSISTENCY: somebody removed or changed the object's own
 * node; the object cannot be used any more. */
ZOOAPI int recipe_queue_put(recipe_queue_t *queue, const char *data, int data_len, int priority,
                            int timeout_ms);

/* The first entry's data: the caller must free() *ret_data, which is followed by a zero byte. ZOK:
 * this caller has the entry, and nobody else. ZOPERATIONTIMEOUT: the queue stayed empty. When the
 * answer was lost and it is therefore unknown who has the entry, *ret_data is its data, too;
 * otherwise NULL. */
ZOOAPI int recipe_queue_take(recipe_queue_t *queue, char **ret_data, int *ret_len, int timeout_ms);

/* Whether the last put or take ended without a known result: 1 or 0. The next put or take settles
 * it first; after that it cannot be asked any more. */
ZOOAPI int recipe_queue_in_doubt(recipe_queue_t *queue);
/* Finds out. ZOK: it was done. ZNONODE: it was not. ZINVALIDSTATE: nothing is in doubt. */
ZOOAPI int recipe_queue_settle(recipe_queue_t *queue, int timeout_ms);

ZOOAPI void recipe_queue_cancel(recipe_queue_t *queue);
ZOOAPI void recipe_queue_free(recipe_queue_t *queue);

/* -- Barrier: closed while the node PATH exists; as in Curator's DistributedBarrier and kazoo's. */
/* `acl` may be NULL. ZOK also if it was closed already. */
ZOOAPI int recipe_barrier_close(zhandle_t *zh, const char *path, const struct ACL_vector *acl,
                                int timeout_ms);
/* ZOK also if it was open already. ZNOTEMPTY: the node has children. */
ZOOAPI int recipe_barrier_open(zhandle_t *zh, const char *path, int timeout_ms);
/* ZOK: it is open, or was open for a moment. */
ZOOAPI int recipe_barrier_wait(zhandle_t *zh, const char *path, int timeout_ms);

/* -- Double barrier: `count` members begin together and end together. A member is an ephemeral node
 * below PATH, and PATH/ready exists when all are there; as in Curator's DistributedDoubleBarrier
 * and kazoo's DoubleBarrier. */
typedef struct recipe_double_barrier recipe_double_barrier_t;

ZOOAPI int recipe_double_barrier_new(zhandle_t *zh, const char *path, int count,
                                     const recipe_options_t *options,
                                     recipe_double_barrier_t **ret_barrier);
/* ZOK: `count` members have entered. ZOPERATIONTIMEOUT: this one has not, although others may have
 * counted it; each such call with a time leaves a watch in the handle until "ready" is made. ZNONODE:
 * somebody removed this member's node. */
ZOOAPI int recipe_double_barrier_enter(recipe_double_barrier_t *barrier, int timeout_ms);
/* ZOK: all have left, or have died. ZOPERATIONTIMEOUT: not all; call again to continue waiting. */
ZOOAPI int recipe_double_barrier_leave(recipe_double_barrier_t *barrier, int timeout_ms);
ZOOAPI void recipe_double_barrier_cancel(recipe_double_barrier_t *barrier);
ZOOAPI void recipe_double_barrier_free(recipe_double_barrier_t *barrier);

#ifdef __cplusplus
}
#endif

#endif
