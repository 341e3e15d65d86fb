/* replica_rig.h: a driver (sim/driver.h) with settings for tests, and short functions for what clients send
 * and expect.
 *
 * A turn ends after every event. A client that the replica closes stays until driver_gone(). When an
 * expected answer is missing or different, the test fails. */
#ifndef TEST_LIB_REPLICA_RIG_H
#define TEST_LIB_REPLICA_RIG_H

#include "sim/driver.h"

enum { RIG_TICK_MS = 1000, RIG_TIMEOUT_MS = 6000 };

struct replica_options rig_options(void);
struct tree *rig_tree(void); /* a fresh one, with extended types */
void rig_init(struct driver *rig, const struct replica_options *options, struct tree *tree);
/* The same with rig_tree() and these clients, 0 to clients - 1, connected. */
void rig_begin_with(struct driver *rig, const struct replica_options *options, uint32_t clients);
void rig_begin(struct driver *rig, uint32_t clients); /* with rig_options() */

/* A ConnectRequest of any content, where driver_shake() sends the usual one. Old clients send no
 * byte for read-only mode. */
void rig_shake(struct driver *rig, uint32_t client, const struct connect_request *request,
               bool read_only_byte);
/* Looks at the answer to a ConnectRequest. False: refused. */
bool rig_shaken(struct driver *rig, uint32_t client);
/* Open, shake, sync and look: an established client. */
void rig_connect(struct driver *rig, uint32_t client);
void rig_connect_to(struct driver *rig, uint32_t client, int64_t session_id);

/* Sends a request with the client's next xid, which it returns. Empties `body` (NULL: none). */
int32_t rig_send(struct driver *rig, uint32_t client, int32_t op, struct buffer *body);
void rig_send_xid(struct driver *rig, uint32_t client, int32_t xid, int32_t op,
                  struct buffer *body);
int32_t rig_create(struct driver *rig, uint32_t client, const char *path, int32_t flags);
int32_t rig_set(struct driver *rig, uint32_t client, const char *path, const char *data);
int32_t rig_delete(struct driver *rig, uint32_t client, const char *path);
int32_t rig_get(struct driver *rig, uint32_t client, const char *path, bool watch);

struct rig_reply {
    int32_t xid, err;
    int64_t zxid;
    struct slice body; /* valid until the client's mail grows */
};
bool rig_silent(const struct driver *rig, uint32_t client); /* nothing unread */
struct rig_reply rig_next(struct driver *rig, uint32_t client);
struct rig_reply rig_expect(struct driver *rig, uint32_t client, int32_t xid, int32_t err);
void rig_expect_event(struct driver *rig, uint32_t client, int64_t zxid, int32_t type,
                      const char *path);
/* Sends, syncs and expects. */
struct rig_reply rig_do(struct driver *rig, uint32_t client, int32_t op, struct buffer *body,
                        int32_t err);
void rig_make(struct driver *rig, uint32_t client, const char *path);

#endif
