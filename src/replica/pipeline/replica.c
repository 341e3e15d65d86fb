#include "replica/pipeline/pipeline.h"

/* A pause of the whole process that is longer than this many ticks gives every session a full
 * timeout again: their pings may be waiting in the sockets (hazards, P-01 and P-04). */
enum { PAUSE_TICKS = 2 };

/* --- effects --- */

static void send_shared(struct replica *replica, struct client *client, size_t offset, size_t size)
{
    client->sent++;
    replica->packets_sent++;
    effects_add_send(replica->effects, client->id, offset, size);
}

size_t frame_begin(struct replica *replica)
{
    size_t start = replica->effects->bytes.size;
    (void)buffer_extend(&replica->effects->bytes, 4);
    return start;
}

void frame_end(struct replica *replica, struct client *client, size_t start)
{
    struct buffer *bytes = &replica->effects->bytes;

    store_be32(bytes->data + start, (uint32_t)(bytes->size - start - 4));
    send_shared(replica, client, start, bytes->size - start);
}

size_t reply_begin(struct replica *replica)
{
    size_t start = replica->effects->bytes.size;
    (void)buffer_extend(&replica->effects->bytes, 4 + REPLY_HEADER_BYTES);
    return start;
}

void reply_drop_body(struct replica *replica, size_t start)
{
    replica->effects->bytes.size = start + 4 + REPLY_HEADER_BYTES;
}

/* ServerStats.java: every frame with a reply's header, events too. */
static void count_response(struct replica *replica, size_t frame_bytes)
{
    int64_t size = (int64_t)frame_bytes;

    replica->response_last = size;
    if (replica->response_min < 0 || size < replica->response_min)
        replica->response_min = size;
    if (size > replica->response_max)
        replica->response_max = size;
}

void send_event(struct replica *replica, struct client *client, size_t offset, size_t size)
{
    count_response(replica, size - 4);
    replica->watch_bytes += (int64_t)size - 4;
    send_shared(replica, client, offset, size);
}

void reply_end(struct replica *replica, struct client *client, size_t start, int32_t xid,
               int64_t zxid, enum zk_error err)
{
    struct buffer *bytes = &replica->effects->bytes;

    reply_header_put(bytes->data + start + 4,
                     &(struct reply_header){.xid = xid, .zxid = zxid, .err = err});
    size_t size = bytes->size - start - 4;
    count_response(replica, size);
    frame_end(replica, client, start);
}

void reply_error(struct replica *replica, struct client *client, int32_t xid, int64_t zxid,
                 enum zk_error err)
{
    reply_end(replica, client, reply_begin(replica), xid, zxid, err);
}

static void count_latency(struct latency *latency, int64_t ms)
{
    if (latency->count == 0 || ms < latency->min_ms)
        latency->min_ms = ms;
    if (ms > latency->max_ms)
        latency->max_ms = ms;
    latency->sum_ms += ms;
    latency->count++;
}

void client_answered(struct replica *replica, struct client *client, int32_t op, int32_t xid,
                     int64_t zxid, int64_t arrived_ms, struct summary *latency)
{
    int64_t ms = replica->now_ms - arrived_ms;

    if (op != OP_PING && op != OP_CREATE_SESSION)
        replica->response_bytes += replica->response_last;
    client->last_op = op;
    if (xid >= 0)
        client->last_cxid = xid;
    client->last_zxid = zxid;
    client->last_response_ms = replica->now_ms;
    client->last_latency_ms = ms;
    count_latency(&client->latency, ms);
    count_latency(&replica->latency, ms);
    summary_add(latency, ms);
}

void client_pause(struct replica *replica, struct client *client)
{
    if (client->paused)
        return;
    client->paused = true;
    effects_add_client(replica->effects,
                      (struct client_effect){CLIENT_PAUSE, client->id, 0, 0, NULL});
}

void client_resume(struct replica *replica, struct client *client)
{
    if (!client->paused || client->state == CLIENT_CLOSING)
        return;
    client->paused = false;
    effects_add_client(replica->effects,
                      (struct client_effect){CLIENT_RESUME, client->id, 0, 0, NULL});
}

void client_hold(struct replica *replica, struct client *client)
{
    if (client->held || client->state != CLIENT_SERVING)
        return;
    client->held = true;
    effects_add_client(replica->effects,
                      (struct client_effect){CLIENT_HOLD, client->id, 0, 0, NULL});
}

static void forget(struct replica *replica, struct client *client)
{
    watches_drop_client(replica->watches, &client->watch);
    waiting_clear(replica, &client->reads);
    waiting_clear(replica, &client->early);
    list_remove(&client->in_paused);
    if (client->session != NULL && client->session->client == client->id)
        client->session->client = CLIENT_NONE;
    client->session = NULL;
}

void client_close(struct replica *replica, struct client *client, const char *reason)
{
    if (client->state == CLIENT_CLOSING)
        return;
    forget(replica, client);
    client->state = CLIENT_CLOSING;
    effects_add_client(replica->effects,
                      (struct client_effect){CLIENT_CLOSE, client->id, 0, 0, reason});
}

/* --- clients --- */

struct client *client_find(const struct replica *replica, uint32_t id, uint32_t generation)
{
    if (id >= replica->client_capacity)
        return NULL;
    struct client *client = replica->clients[id];
    return client == NULL || client->generation != generation ? NULL : client;
}

static void client_opened(struct replica *replica, const struct replica_event *event)
{
    if (event->client >= replica->client_capacity) {
        uint32_t capacity = replica->client_capacity == 0 ? 64 : replica->client_capacity;
        while (capacity <= event->client)
            capacity *= 2;
        replica->clients = mem_realloc(replica->clients, capacity * sizeof(*replica->clients));
        memset(replica->clients + replica->client_capacity, 0,
               (capacity - replica->client_capacity) * sizeof(*replica->clients));
        replica->client_capacity = capacity;
    }
    ASSERT(replica->clients[event->client] == NULL);
    struct client *client = mem_zalloc(sizeof(*client));
    client->id = event->client;
    client->generation = ++replica->next_generation;
    client->established_wall_ms = event->wall_ms;
    client->identities = identities_new(event->address);
    client->address = client->identities->items[0].id;
    watch_client_init(&client->watch, event->client);
    list_init(&client->in_paused);
    replica->clients[event->client] = client;
    replica->client_count++;
}

static void client_gone(struct replica *replica, struct client *client)
{
    forget(replica, client);
    identities_release(client->identities);
    replica->clients[client->id] = NULL;
    replica->client_count--;
    mem_free(client);
}

static void client_frame(struct replica *replica, struct client *client, struct slice bytes)
{
    client->received++;
    replica->packets_received++;
    switch (client->state) {
    case CLIENT_NEW:
        connect_frame(replica, client, bytes);
        break;
    case CLIENT_SETTLING:
        (void)waiting_add(replica, &client->early, client, bytes);
        break;
    case CLIENT_SERVING:
        request_frame(replica, client, bytes, replica->now_ms, /* was_throttled= */ false);
        requests_apply_pressure(replica, client);
        break;
    case CLIENT_CLOSING:
        break;
    }
}

/* --- time --- */

static void tick(struct replica *replica)
{
    struct session *dead;

    while ((dead = session_table_pop_expired(replica->sessions, replica->now_ms)) != NULL) {
        replica->sessions_expired++;
        write_close_session(replica, dead);
    }
    janitor_tick(replica);
    requests_release_throttled(replica);
}

static void set_time(struct replica *replica, const struct replica_event *event)
{
    int64_t stood_still_ms = event->now_ms - replica->now_ms;

    if (stood_still_ms > (int64_t)replica->options.tick_ms * PAUSE_TICKS)
        session_table_touch_all(replica->sessions, event->now_ms);
    if (stood_still_ms > 0)
        replica->now_ms = event->now_ms;
    replica->wall_ms = event->wall_ms;
}

void replica_step(struct replica *replica, const struct replica_event *event,
                  struct effects *effects)
{
    struct client *client = NULL;

    replica->effects = effects;
    set_time(replica, event);
    if (event->client < replica->client_capacity)
        client = replica->clients[event->client];
    switch (event->kind) {
    case REPLICA_CLIENT_OPENED:
        client_opened(replica, event);
        break;
    case REPLICA_CLIENT_FRAME:
        ASSERT(client != NULL);
        client_frame(replica, client, event->bytes);
        break;
    case REPLICA_CLIENT_CLOSED:
        ASSERT(client != NULL);
        client_gone(replica, client);
        break;
    case REPLICA_CLIENT_READY:
        ASSERT(client != NULL);
        client->held = false;
        requests_after_write(replica, client);
        requests_relieve_pressure(replica);
        break;
    case REPLICA_LOG_SYNCED:
        write_log_synced(replica, event->zxid);
        requests_release_throttled(replica);
        requests_relieve_pressure(replica);
        break;
    case REPLICA_SNAPSHOT_DONE:
        if (replica->image != NULL) { /* given up half way, the disk being full */
            snapshot_image_end(replica->image);
            replica->image = NULL;
        }
        replica->image_running = false;
        break;
    case REPLICA_TICK:
        tick(replica);
        break;
    }
    snapshots_begin_if_wanted(replica);
    arena_reset(&replica->arena);
    int64_t wake_at_ms = session_table_next_bucket_ms(replica->sessions);
    if (replica->janitor_next_ms < wake_at_ms)
        wake_at_ms = replica->janitor_next_ms;
    if (replica->throttled.count > 0 &&
        replica->now_ms + replica->options.throttle_stall_ms < wake_at_ms)
        wake_at_ms = replica->now_ms + replica->options.throttle_stall_ms;
    effects->wake_at_ms = wake_at_ms;
}

/* --- birth and death --- */

static void adopt_sessions(struct replica *replica)
{
    size_t cursor = 0;
    const struct tree_session *known;

    while ((known = tree_session_next(replica->tree, &cursor)) != NULL) {
        if (known->orphan)
            continue;
        (void)session_table_add(replica->sessions, known->id, known->timeout_ms, replica->now_ms);
        /* Ids are never given twice, whatever the clock says (hazards, T17). */
        if (((uint64_t)known->id ^ (uint64_t)replica->next_session_id) >> 56 == 0 &&
            known->id >= replica->next_session_id)
            replica->next_session_id = known->id + 1;
    }
}

struct replica *replica_new(const struct replica_options *options, struct tree *tree,
                            int64_t now_ms)
{
    struct replica *replica = mem_zalloc(sizeof(*replica));

    replica->options = *options;
    replica->rules = (struct prepare_rules){.acl = {.skip_acl = options->skip_acl,
                                                    .digest_enabled = options->digest_auth_enabled,
                                                    .ensemble_enabled = options->ensemble_auth,
                                                    .digest_algorithm = options->digest_algorithm,
                                                    .super_digest = options->super_digest,
                                                    .ensemble_names = options->ensemble_names},
                                            .enforce_quota = options->enforce_quota,
                                            .reconfig_enabled = options->reconfig_enabled,
                                            .text_bytes_max = options->text_bytes_max};
    replica->tree = tree;
    replica->outstanding = outstanding_new(tree);
    replica->watches = watches_new(tree_get_options(tree)->hash_seed);
    replica->sessions = session_table_new(options->tick_ms, now_ms);
    arena_init(&replica->arena);
    list_init(&replica->paused);
    replica->now_ms = replica->start_ms = now_ms;
    replica->start_wall_ms = options->session_seed_ms;
    replica->last_proposed_zxid = tree_last_zxid(tree);
    replica->next_session_id =
        (int64_t)((uint64_t)options->server_id << 56 |
                  ((uint64_t)options->session_seed_ms << 24 >> 8 & 0x00ffffffffffffff));
    replica->random_state = options->random_seed;
    replica->response_last = replica->response_min = replica->response_max = -1;
    replica->janitor_next_ms = now_ms + options->container_check_interval_ms;
    adopt_sessions(replica);
    snapshots_draw_limits(replica);
    return replica;
}

void replica_free(struct replica *replica)
{
    struct effects ignored = {0};

    if (replica == NULL)
        return;
    replica->effects = &ignored;
    for (uint32_t id = 0; id < replica->client_capacity; id++) {
        if (replica->clients[id] != NULL)
            client_gone(replica, replica->clients[id]);
    }
    waiting_clear(replica, &replica->throttled);
    for (; replica->pending_count > 0; replica->pending_count--) {
        log_space_release(&replica->log_space, replica->pending[replica->pending_first].chunk);
        replica->pending_first = (replica->pending_first + 1) & (replica->pending_capacity - 1);
    }
    if (replica->image != NULL)
        snapshot_image_end(replica->image);
    effects_deinit(&ignored);
    log_space_deinit(&replica->log_space);
    mem_free(replica->pending);
    mem_free(replica->clients);
    outstanding_free(replica->outstanding);
    watches_free(replica->watches);
    session_table_free(replica->sessions);
    arena_deinit(&replica->arena);
    buffer_deinit(&replica->scratch);
    tree_free(replica->tree);
    mem_free(replica);
}
