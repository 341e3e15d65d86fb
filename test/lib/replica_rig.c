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

void rig_init(struct rig *rig, const struct replica_options *options, struct tree *tree)
{
    *rig = (struct rig){.now_ms = 500, .wall_ms = WALL_AT_START_MS};
    rig->appended_zxid = tree_last_zxid(tree);
    rig->replica = replica_new(options, tree, rig->now_ms);
}

void rig_deinit(struct rig *rig)
{
    replica_free(rig->replica);
    effects_deinit(&rig->effects);
    for (size_t i = 0; i < rig->append_count; i++)
        buffer_deinit(&rig->appends[i].payload);
    mem_free(rig->appends);
    for (size_t i = 0; i < RIG_CLIENTS; i++)
        buffer_deinit(&rig->clients[i].mail);
}

/* --- carrying out --- */

static void write_down(struct rig *rig)
{
    const struct effects *effects = &rig->effects;
    struct buffer *out = rig->transcript;

    if (out == NULL)
        return;
    buffer_i64(out, effects->wake_at_ms);
    jute_put_bool(out, effects->snapshot_begin);
    for (size_t i = 0; i < effects->append_count; i++) {
        const struct txnlog_append *append = &effects->appends[i];
        buffer_i64(out, append->zxid);
        jute_put_bool(out, append->lacks_digest);
        jute_put_bool(out, append->roll_before);
        jute_put_bytes(out, append->payload);
    }
    for (size_t i = 0; i < effects->client_count; i++) {
        const struct client_effect *effect = &effects->clients[i];
        buffer_i32(out, (int32_t)effect->kind);
        buffer_i32(out, (int32_t)effect->client);
        if (effect->kind == CLIENT_SEND)
            jute_put_bytes(out, slice_of(effects->bytes.data + effect->offset, effect->size));
    }
}

static void keep_append(struct rig *rig, const struct txnlog_append *append)
{
    if (rig->append_count == rig->append_capacity) {
        rig->append_capacity = rig->append_capacity == 0 ? 64 : rig->append_capacity * 2;
        rig->appends = mem_realloc(rig->appends, rig->append_capacity * sizeof(*rig->appends));
    }
    CHECK_I64("zxids follow each other", append->zxid, rig->appended_zxid + 1);
    rig->appended_zxid = append->zxid;
    struct rig_append *kept = &rig->appends[rig->append_count++];
    *kept = (struct rig_append){.zxid = append->zxid,
                                .lacks_digest = append->lacks_digest,
                                .roll_before = append->roll_before};
    buffer_append(&kept->payload, append->payload);
}

static void carry_out(struct rig *rig)
{
    struct effects *effects = &rig->effects;

    write_down(rig);
    for (size_t i = 0; i < effects->append_count; i++)
        keep_append(rig, &effects->appends[i]);
    for (size_t i = 0; i < effects->client_count; i++) {
        const struct client_effect *effect = &effects->clients[i];
        CHECK(effect->client < RIG_CLIENTS);
        struct rig_client *client = &rig->clients[effect->client];
        CHECK(client->open && !client->closed); /* nothing is for somebody who is closed */
        switch (effect->kind) {
        case CLIENT_SEND:
            CHECK(effect->offset + effect->size <= effects->bytes.size);
            buffer_append(&client->mail,
                          slice_of(effects->bytes.data + effect->offset, effect->size));
            break;
        case CLIENT_CLOSE:
            client->closed = true;
            client->close_reason = effect->reason;
            break;
        case CLIENT_PAUSE:
            CHECK(!client->paused);
            client->paused = true;
            break;
        case CLIENT_RESUME:
            CHECK(client->paused);
            client->paused = false;
            break;
        case CLIENT_HOLD:
            CHECK(!client->held);
            client->held = true;
            client->holds++;
            break;
        }
    }
    if (effects->snapshot_begin)
        rig->snapshot_begun = true;
    CHECK(effects->wake_at_ms > rig->now_ms - RIG_TICK_MS);
    effects_clear(effects);
}

void rig_step(struct rig *rig, struct replica_event event)
{
    event.now_ms = rig->now_ms;
    event.wall_ms = rig->wall_ms;
    replica_step(rig->replica, &event, &rig->effects);
    carry_out(rig);
    for (uint32_t i = 0; i < RIG_CLIENTS && !rig->ready_by_hand; i++)
        rig_ready(rig, i);
}

void rig_ready(struct rig *rig, uint32_t client)
{
    struct rig_client *at = &rig->clients[client];
    bool room = at->held && at->open && !at->closed;

    at->held = false;
    if (room)
        rig_step(rig, (struct replica_event){.kind = REPLICA_CLIENT_READY, .client = client});
}

void rig_open(struct rig *rig, uint32_t client)
{
    struct rig_client *at = &rig->clients[client];

    CHECK(!at->open);
    int64_t session_id = at->session_id;
    buffer_deinit(&at->mail);
    *at = (struct rig_client){.open = true, .session_id = session_id};
    rig_step(rig, (struct replica_event){.kind = REPLICA_CLIENT_OPENED,
                                         .client = client,
                                         .address = SLICE("127.0.0.1")});
}

void rig_frame(struct rig *rig, uint32_t client, struct slice payload)
{
    uint8_t *exact = mem_alloc(payload.size); /* the sanitizer sees a byte too far */

    if (payload.size > 0)
        memcpy(exact, payload.data, payload.size);
    rig_step(rig, (struct replica_event){.kind = REPLICA_CLIENT_FRAME,
                                         .client = client,
                                         .bytes = slice_of(exact, payload.size)});
    mem_free(exact);
}

void rig_gone(struct rig *rig, uint32_t client)
{
    rig_step(rig, (struct replica_event){.kind = REPLICA_CLIENT_CLOSED, .client = client});
    rig->clients[client].open = false;
}

void rig_sync_to(struct rig *rig, int64_t zxid)
{
    rig_step(rig, (struct replica_event){.kind = REPLICA_LOG_SYNCED, .zxid = zxid});
}

void rig_sync(struct rig *rig)
{
    rig_sync_to(rig, rig->appended_zxid);
}

void rig_jump(struct rig *rig, int64_t ms)
{
    rig->now_ms += ms;
    rig->wall_ms += ms;
    rig_step(rig, (struct replica_event){.kind = REPLICA_TICK});
}

void rig_pass(struct rig *rig, int64_t ms)
{
    enum { STEP_MS = RIG_TICK_MS / 2 };

    for (; ms > STEP_MS; ms -= STEP_MS)
        rig_jump(rig, STEP_MS);
    rig_jump(rig, ms);
}

/* --- the handshake --- */

void rig_shake(struct rig *rig, uint32_t client, int64_t session_id, int32_t timeout_ms)
{
    uint8_t password[PASSWORD_BYTES] = {0};
    struct buffer frame = {0};

    if (session_id != 0)
        zk_session_password(session_id, password);
    struct connect_request request = {.timeout_ms = timeout_ms,
                                      .session_id = session_id,
                                      .password = slice_of(password, sizeof(password))};
    connect_request_write(&frame, &request);
    jute_put_bool(&frame, false);
    rig_frame(rig, client, buffer_slice(&frame));
    buffer_deinit(&frame);
}

static struct slice next_frame(struct rig *rig, uint32_t client)
{
    struct rig_client *at = &rig->clients[client];

    if (at->mail.size == at->read_at)
        check_failed(__FILE__, __LINE__, "client %u has no mail", client);
    CHECK(at->mail.size - at->read_at >= 4);
    size_t size = load_be32(at->mail.data + at->read_at);
    CHECK(at->mail.size - at->read_at - 4 >= size);
    struct slice frame = slice_of(at->mail.data + at->read_at + 4, size);
    at->read_at += 4 + size;
    return frame;
}

bool rig_shaken(struct rig *rig, uint32_t client)
{
    struct rig_client *at = &rig->clients[client];
    uint8_t password[PASSWORD_BYTES] = {0};
    struct slice frame = next_frame(rig, client);

    CHECK_U64("size of a ConnectResponse", frame.size, 37);
    at->timeout_ms = (int32_t)load_be32(frame.data + 4);
    int64_t session_id = (int64_t)load_be64(frame.data + 8);
    if (session_id != 0)
        zk_session_password(session_id, password);
    CHECK_SLICE("password", slice_of(frame.data + 20, PASSWORD_BYTES),
                slice_of(password, PASSWORD_BYTES));
    CHECK(frame.data[36] == 0 && load_be32(frame.data) == 0);
    if (session_id == 0) {
        CHECK_I64("timeout of a refusal", at->timeout_ms, 0);
        return false;
    }
    at->session_id = session_id;
    at->shaken = true;
    return true;
}

void rig_connect(struct rig *rig, uint32_t client)
{
    rig_open(rig, client);
    rig_shake(rig, client, /* session_id= */ 0, RIG_TIMEOUT_MS);
    rig_sync(rig);
    CHECK(rig_shaken(rig, client));
    CHECK(!rig->clients[client].paused);
}

void rig_connect_to(struct rig *rig, uint32_t client, int64_t session_id)
{
    rig_open(rig, client);
    rig_shake(rig, client, session_id, RIG_TIMEOUT_MS);
    rig_sync(rig);
    CHECK(rig_shaken(rig, client));
    CHECK_I64("session", rig->clients[client].session_id, session_id);
}

/* --- requests --- */

void rig_send_xid(struct rig *rig, uint32_t client, int32_t xid, int32_t op, struct buffer *body)
{
    struct buffer frame = {0};

    request_header_write(&frame, &(struct request_header){.xid = xid, .type = op});
    if (body != NULL) {
        buffer_append(&frame, buffer_slice(body));
        body->size = 0;
    }
    rig_frame(rig, client, buffer_slice(&frame));
    buffer_deinit(&frame);
}

int32_t rig_send(struct rig *rig, uint32_t client, int32_t op, struct buffer *body)
{
    int32_t xid = ++rig->clients[client].last_xid;
    rig_send_xid(rig, client, xid, op, body);
    return xid;
}

int32_t rig_create(struct rig *rig, uint32_t client, const char *path, int32_t flags)
{
    struct buffer body = {0};

    put_create(&body, path, SLICE("data"), flags);
    int32_t xid = rig_send(rig, client, OP_CREATE, &body);
    buffer_deinit(&body);
    return xid;
}

int32_t rig_set(struct rig *rig, uint32_t client, const char *path, const char *data)
{
    struct buffer body = {0};

    put_set_data(&body, path, slice_text(data), -1);
    int32_t xid = rig_send(rig, client, OP_SET_DATA, &body);
    buffer_deinit(&body);
    return xid;
}

int32_t rig_delete(struct rig *rig, uint32_t client, const char *path)
{
    struct buffer body = {0};

    put_path_version(&body, path, -1);
    int32_t xid = rig_send(rig, client, OP_DELETE, &body);
    buffer_deinit(&body);
    return xid;
}

int32_t rig_get(struct rig *rig, uint32_t client, const char *path, bool watch)
{
    struct buffer body = {0};

    put_path_watch(&body, path, watch);
    int32_t xid = rig_send(rig, client, OP_GET_DATA, &body);
    buffer_deinit(&body);
    return xid;
}

bool rig_silent(const struct rig *rig, uint32_t client)
{
    return rig->clients[client].read_at == rig->clients[client].mail.size;
}

struct rig_reply rig_next(struct rig *rig, uint32_t client)
{
    struct slice frame = next_frame(rig, client);

    CHECK(frame.size >= REPLY_HEADER_BYTES);
    return (struct rig_reply){
        .xid = (int32_t)load_be32(frame.data),
        .zxid = (int64_t)load_be64(frame.data + 4),
        .err = (int32_t)load_be32(frame.data + 12),
        .body = slice_of(frame.data + REPLY_HEADER_BYTES, frame.size - REPLY_HEADER_BYTES)};
}

struct rig_reply rig_expect(struct rig *rig, uint32_t client, int32_t xid, int32_t err)
{
    struct rig_reply reply = rig_next(rig, client);

    CHECK_I64("xid of the answer", reply.xid, xid);
    CHECK_I64("its error", reply.err, err);
    return reply;
}

void rig_expect_event(struct rig *rig, uint32_t client, int64_t zxid, int32_t type,
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

struct rig_reply rig_do(struct rig *rig, uint32_t client, int32_t op, struct buffer *body,
                        int32_t err)
{
    int32_t xid = rig_send(rig, client, op, body);

    rig_sync(rig);
    return rig_expect(rig, client, xid, err);
}

void rig_make(struct rig *rig, uint32_t client, const char *path)
{
    int32_t xid = rig_create(rig, client, path, MODE_PERSISTENT);

    rig_sync(rig);
    (void)rig_expect(rig, client, xid, ZK_OK);
}

void rig_finish_image(struct rig *rig)
{
    struct buffer part = {0};

    while (replica_snapshot_next(rig->replica, &part, 4096) != IMAGE_END)
        part.size = 0;
    buffer_deinit(&part);
    rig_step(rig, (struct replica_event){.kind = REPLICA_SNAPSHOT_DONE});
}
