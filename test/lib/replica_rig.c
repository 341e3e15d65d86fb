#include "test/lib/replica_rig.h"

#include "test/lib/check.h"
#include "test/lib/requests.h"

enum { WALL_AT_START_MS = 1000000000 };

struct replica_options rig_options(void)
{
    return (struct replica_options){.tick_ms = RIG_TICK_MS,
                                    .session_timeout_min_ms = 2 * RIG_TICK_MS,
                                    .session_timeout_max_ms = 20 * RIG_TICK_MS,
                                    .server_id = 1,
                                    .session_seed_ms = WALL_AT_START_MS,
                                    .random_seed = 5,
                                    .text_bytes_max = 2 * JUTE_MAXBUFFER_DEFAULT,
                                    .digest_auth_enabled = true,
                                    .digest_algorithm = SLICE("SHA1"),
                                    .outstanding_max = 1000,
                                    .container_check_interval_ms = 60000,
                                    .container_per_minute_max = 10000,
                                    .snap_count = 100000,
                                    .snapshot_last_zxid_section = true};
}

struct tree *rig_tree(void)
{
    return tree_new(
        &(struct tree_options){.hash_seed = 9, .extended_types = true, .digest_enabled = true});
}

void rig_init(struct driver *rig, const struct replica_options *options, struct tree *tree)
{
    driver_init(rig, &(struct driver_options){.close_by_hand = true}, options, tree);
}

void rig_begin_with(struct driver *rig, const struct replica_options *options, uint32_t clients)
{
    rig_init(rig, options, rig_tree());
    for (uint32_t client = 0; client < clients; client++)
        rig_connect(rig, client);
}

void rig_begin(struct driver *rig, uint32_t clients)
{
    struct replica_options options = rig_options();

    rig_begin_with(rig, &options, clients);
}

/* --- the handshake --- */

static struct slice next_frame(struct driver *rig, uint32_t client)
{
    struct slice frame;

    if (!driver_next_frame(rig, client, &frame))
        check_failed(__FILE__, __LINE__, "client %u has no mail", client);
    return frame;
}

void rig_shake(struct driver *rig, uint32_t client, const struct connect_request *request,
               bool read_only_byte)
{
    struct buffer frame = {0};

    connect_request_write(&frame, request);
    if (read_only_byte)
        jute_put_bool(&frame, false);
    driver_frame(rig, client, buffer_slice(&frame));
    buffer_deinit(&frame);
}

bool rig_shaken(struct driver *rig, uint32_t client)
{
    const struct driver_client *at = &rig->clients[client];
    uint8_t password[PASSWORD_BYTES] = {0};
    struct arena arena;
    struct reader reader;
    struct connect_response response;

    CHECK_U64("frames looked at before", at->read_at, 0);
    arena_init(&arena);
    reader_init(&reader, next_frame(rig, client), &arena, PASSWORD_BYTES);
    CHECK_STATUS(connect_response_read(&reader, &response), STATUS_OK);
    if (at->session_id != 0)
        zk_session_password(at->session_id, password);
    CHECK_SLICE("password", response.password, slice_of(password, PASSWORD_BYTES));
    CHECK_U64("a byte for read-only mode is left", reader_left(&reader), 1);
    CHECK(!reader_bool(&reader));
    arena_deinit(&arena);
    if (at->session_id == 0)
        CHECK_I64("timeout of a refusal", at->timeout_ms, 0);
    return at->session_id != 0;
}

void rig_connect(struct driver *rig, uint32_t client)
{
    driver_open(rig, client);
    driver_shake(rig, client, /* session_id= */ 0, RIG_TIMEOUT_MS);
    driver_sync(rig);
    CHECK(rig_shaken(rig, client));
    CHECK(!rig->clients[client].paused);
}

void rig_connect_to(struct driver *rig, uint32_t client, int64_t session_id)
{
    driver_open(rig, client);
    driver_shake(rig, client, session_id, RIG_TIMEOUT_MS);
    driver_sync(rig);
    CHECK(rig_shaken(rig, client));
    CHECK_I64("session", rig->clients[client].session_id, session_id);
}

/* --- requests --- */

void rig_send_xid(struct driver *rig, uint32_t client, int32_t xid, int32_t op, struct buffer *body)
{
    struct buffer frame = {0};

    request_header_write(&frame, &(struct request_header){.xid = xid, .type = op});
    if (body != NULL) {
        buffer_append(&frame, buffer_slice(body));
        body->size = 0;
    }
    driver_frame(rig, client, buffer_slice(&frame));
    buffer_deinit(&frame);
}

int32_t rig_send(struct driver *rig, uint32_t client, int32_t op, struct buffer *body)
{
    int32_t xid = ++rig->clients[client].last_xid;
    rig_send_xid(rig, client, xid, op, body);
    return xid;
}

int32_t rig_create(struct driver *rig, uint32_t client, const char *path, int32_t flags)
{
    struct buffer body = {0};

    put_create(&body, path, SLICE("data"), flags);
    int32_t xid = rig_send(rig, client, OP_CREATE, &body);
    buffer_deinit(&body);
    return xid;
}

int32_t rig_set(struct driver *rig, uint32_t client, const char *path, const char *data)
{
    struct buffer body = {0};

    put_set_data(&body, path, slice_text(data), -1);
    int32_t xid = rig_send(rig, client, OP_SET_DATA, &body);
    buffer_deinit(&body);
    return xid;
}

int32_t rig_delete(struct driver *rig, uint32_t client, const char *path)
{
    struct buffer body = {0};

    put_path_version(&body, path, -1);
    int32_t xid = rig_send(rig, client, OP_DELETE, &body);
    buffer_deinit(&body);
    return xid;
}

int32_t rig_get(struct driver *rig, uint32_t client, const char *path, bool watch)
{
    struct buffer body = {0};

    put_path_watch(&body, path, watch);
    int32_t xid = rig_send(rig, client, OP_GET_DATA, &body);
    buffer_deinit(&body);
    return xid;
}

bool rig_silent(const struct driver *rig, uint32_t client)
{
    return rig->clients[client].read_at == rig->clients[client].mail.size;
}

struct rig_reply rig_next(struct driver *rig, uint32_t client)
{
    struct slice frame = next_frame(rig, client);

    struct arena arena;
    struct reader reader;
    struct reply_header header;

    arena_init(&arena);
    reader_init(&reader, frame, &arena, frame.size);
    CHECK_STATUS(reply_header_read(&reader, &header), STATUS_OK);
    arena_deinit(&arena);
    return (struct rig_reply){
        .xid = header.xid,
        .zxid = header.zxid,
        .err = header.err,
        .body = slice_of(frame.data + REPLY_HEADER_BYTES, frame.size - REPLY_HEADER_BYTES)};
}

struct rig_reply rig_expect(struct driver *rig, uint32_t client, int32_t xid, int32_t err)
{
    struct rig_reply reply = rig_next(rig, client);

    CHECK_I64("xid of the answer", reply.xid, xid);
    CHECK_I64("its error", reply.err, err);
    return reply;
}

void rig_expect_event(struct driver *rig, uint32_t client, int64_t zxid, int32_t type,
                      const char *path)
{
    struct rig_reply reply = rig_expect(rig, client, XID_NOTIFICATION, ZK_OK);
    struct buffer want = {0};

    CHECK_I64("zxid of the event", reply.zxid, zxid);
    watcher_event_write(&want, &(struct watcher_event){.type = type,
                                                       .state = STATE_SYNC_CONNECTED,
                                                       .path = slice_text(path)});
    CHECK_SLICE("event", reply.body, buffer_slice(&want));
    buffer_deinit(&want);
}

struct rig_reply rig_do(struct driver *rig, uint32_t client, int32_t op, struct buffer *body,
                        int32_t err)
{
    int32_t xid = rig_send(rig, client, op, body);

    driver_sync(rig);
    return rig_expect(rig, client, xid, err);
}

void rig_make(struct driver *rig, uint32_t client, const char *path)
{
    int32_t xid = rig_create(rig, client, path, MODE_PERSISTENT);

    driver_sync(rig);
    (void)rig_expect(rig, client, xid, ZK_OK);
}
