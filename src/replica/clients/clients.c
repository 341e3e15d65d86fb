/* clients.c: the interface of this room: events of clients, and reports from proposals about the
 * transactions that they apply. Each is passed to the file that knows the rule. */
#include "replica/clients/client.h"

struct clients *clients_new(const struct clients_options *options, struct proposals *proposals,
                            struct tree *tree, const struct acl_rules *acl, struct step *step)
{
    struct clients *clients = mem_zalloc(sizeof(*clients));

    clients->options = *options;
    clients->proposals = proposals;
    clients->sessions = proposals_sessions(proposals);
    clients->tree = tree;
    clients->acl = acl;
    clients->step = step;
    clients->serving = true;
    clients->watches = watches_new(tree_get_options(tree)->hash_seed);
    map_init(&clients->attachments);
    list_init(&clients->paused);
    list_init(&clients->asked);
    list_init(&clients->held);
    list_init(&clients->blocked);
    clients->response_last = clients->response_min = clients->response_max = -1;
    return clients;
}

void clients_free(struct clients *clients)
{
    size_t cursor = 0;
    struct attachment *attachment;

    if (clients == NULL)
        return;
    for (uint32_t id = 0; id < clients->capacity; id++) {
        if (clients->items[id] != NULL)
            client_remove(clients, clients->items[id]);
    }
    waiting_clear(clients, &clients->throttled);
    while ((attachment = map_next(&clients->attachments, &cursor, NULL)) != NULL)
        mem_free(attachment); /* writes that were never applied */
    map_deinit(&clients->attachments);
    watches_free(clients->watches);
    mem_free(clients->items);
    mem_free(clients);
}

/* --- events --- */

static struct client *client_at(const struct clients *clients, uint32_t id)
{
    ASSERT(id < clients->capacity && clients->items[id] != NULL);
    return clients->items[id];
}

void clients_opened(struct clients *clients, uint32_t id, struct slice address)
{
    (void)client_add(clients, id, address);
}

void clients_frame(struct clients *clients, uint32_t id, struct slice bytes)
{
    struct client *client = client_at(clients, id);

    client->received++;
    switch (client->state) {
    case CLIENT_NEW:
        if (clients->serving)
            connect_frame(clients, client, bytes);
        else
            connect_hold(clients, client, bytes);
        break;
    case CLIENT_HELD:
    case CLIENT_SETTLING:
        (void)waiting_add(clients, &client->early_frames, client, bytes);
        break;
    case CLIENT_SERVING:
        request_frame(clients, client, bytes, clients->step->now_ms, /* was_throttled= */ false);
        requests_pause_over_limit(clients, client);
        break;
    case CLIENT_CLOSING:
        break;
    }
}

void clients_ready(struct clients *clients, uint32_t id)
{
    struct client *client = client_at(clients, id);

    client->answers_held = false;
    requests_after_write(clients, client);
    requests_resume_paused(clients);
}

void clients_gone(struct clients *clients, uint32_t id)
{
    client_remove(clients, client_at(clients, id));
}

void clients_admit_waiting(struct clients *clients)
{
    throttle_release(clients);
    requests_resume_paused(clients);
    connect_end_held(clients);
}

void clients_touch_paused(struct clients *clients)
{
    for (struct list *at = clients->paused.next; at != &clients->paused; at = at->next) {
        const struct client *client = CONTAINER_OF(at, struct client, in_paused);
        if (client->attachment != NULL)
            sessions_touch(clients->sessions, client->attachment->session);
    }
}

void clients_expire_local(struct clients *clients)
{
    struct session *session;

    while ((session = sessions_next_expired_local(clients->sessions)) != NULL) {
        metrics_count(&clients->step->metrics, METRIC_SESSIONS_EXPIRED, 1);
        connect_session_ended(clients, session->id);
        sessions_remove_local(clients->sessions, session);
    }
}

int64_t clients_wake_at_ms(const struct clients *clients)
{
    int64_t throttled_ms = clients->throttled.count > 0
                               ? clients->step->now_ms + clients->options.throttle_stall_ms
                               : INT64_MAX;
    int64_t held_ms = connect_held_until_ms(clients);
    int64_t expiry_ms = sessions_next_local_expiry_ms(clients->sessions);

    if (expiry_ms < held_ms)
        held_ms = expiry_ms;
    return throttled_ms < held_ms ? throttled_ms : held_ms;
}

/* --- what proposals tell --- */

static void before_txn(void *context, const struct proposal *proposal)
{
    struct clients *clients = context;
    struct client *client = client_find(clients, proposal->client, proposal->generation);

    ASSERT(!clients->tree_half_changed); /* one transaction at a time */
    if (client != NULL && client->state == CLIENT_SERVING)
        requests_before_write(clients, client);
    events_begin(clients, proposal->zxid);
    clients->tree_half_changed = true;
}

/* Its write was applied: its answer, then the reads that waited for it. A session that has moved is told
 * nothing: the connection ends. The leader may have it wrong, when the handshake that moved it was given up by
 * the client and arrived late; then the client comes back. */
static void answer_write(struct clients *clients, struct client *client,
                         const struct proposal *proposal, const struct txn *txn,
                         const struct txn_result *result)
{
    ASSERT(client->writes_applied < client->writes_proposed);
    client->writes_applied++;
    if (result->op.err == ZK_SESSION_MOVED) {
        client_close(clients, client, NULL);
        return;
    }
    if (client->state == CLIENT_SERVING)
        write_answer(clients, client, proposal, txn, result);
    if (txn->header.type == OP_CLOSE_SESSION)
        client_close(clients, client, NULL);
    else if (client->state == CLIENT_SERVING)
        requests_after_write(clients, client);
}

/* Of a write that was done, and whose connection is gone. */
static void count_stale_reply(struct clients *clients, const struct client *client,
                              const struct proposal *proposal, const struct txn *txn)
{
    bool is_gone = client == NULL || client->state == CLIENT_CLOSING;

    if (is_gone && txn->header.type != OP_ERROR && txn->header.type != OP_CLOSE_SESSION &&
        (clients->options.stale_connection_check ||
         is_late(clients, sessions_find_here(clients->sessions, proposal->session_id),
                 proposal->arrived_ms)))
        metrics_count(&clients->step->metrics, METRIC_STALE_REPLIES, 1);
}

static void after_txn(void *context, const struct proposal *proposal, const struct txn *txn,
                      const struct txn_result *result)
{
    struct clients *clients = context;

    ASSERT(clients->tree_half_changed);
    clients->tree_half_changed = false;
    if (txn->header.type == OP_CREATE_SESSION) {
        connect_session_created(clients, proposal);
    } else if (proposal->client != CLIENT_NONE) {
        struct client *client = client_find(clients, proposal->client, proposal->generation);
        struct attachment *attachment = attachment_find(clients, proposal->session_id);
        ASSERT(attachment != NULL); /* it exists while a write of its session is unfinished */
        count_stale_reply(clients, client, proposal, txn);
        if (client != NULL)
            answer_write(clients, client, proposal, txn, result);
        if (attachment_applied(clients, attachment))
            connect_session_settled(clients, proposal->session_id);
    }
    if (txn->header.type == OP_CLOSE_SESSION)
        connect_session_ended(clients, proposal->session_id);
    requests_release_blocked(clients);
}

/* A sync counts as one of its client's writes: what came behind it waits for it. The frame waits
 * behind it, too, and is answered as a read. */
static void synced(void *context, const struct proposal *proposal)
{
    struct clients *clients = context;
    struct client *client = client_find(clients, proposal->client, proposal->generation);
    struct attachment *attachment = attachment_find(clients, proposal->session_id);

    ASSERT(attachment != NULL);
    if (client != NULL) {
        client->writes_applied++;
        if (client->state == CLIENT_SERVING)
            requests_after_write(clients, client);
    }
    if (attachment_applied(clients, attachment))
        connect_session_settled(clients, proposal->session_id);
}

static void moved(void *context, int64_t session_id)
{
    connect_session_moved(context, session_id);
}

static void revalidated(void *context, uint64_t question, struct session *session)
{
    connect_session_revalidated(context, question, session);
}

struct proposals_observer clients_observer(struct clients *clients)
{
    return (struct proposals_observer){.before_txn = before_txn,
                                       .after_txn = after_txn,
                                       .synced = synced,
                                       .revalidated = revalidated,
                                       .moved = moved,
                                       .tree = events_observer(clients),
                                       .context = clients};
}

void clients_check_turn(const struct clients *clients)
{
    ASSERT(clients->count <= clients->capacity);
    ASSERT(clients->serving || !clients->read_only);
    ASSERT(clients->waiting_count > 0 || clients->waiting_bytes == 0);
    ASSERT(clients->tree_half_changed == proposals_half_applied(clients->proposals));
    ASSERT(clients->tree_half_changed || list_empty(&clients->blocked));
}

/* --- roles --- */

void clients_serve(struct clients *clients)
{
    ASSERT(!clients->read_only);
    clients->serving = true;
    connect_release_held(clients);
}

void clients_serve_read_only(struct clients *clients)
{
    ASSERT(!clients->serving && !clients->tree_half_changed);
    clients->serving = clients->read_only = true;
    connect_release_held(clients);
}

void clients_replace_tree(struct clients *clients, struct tree *tree)
{
    ASSERT(!clients->serving);
    clients->tree = tree;
}

void clients_stop(struct clients *clients, const char *reason)
{
    clients->serving = clients->read_only = false;
    for (uint32_t id = 0; id < clients->capacity; id++) {
        if (clients->items[id] != NULL && clients->items[id]->state != CLIENT_HELD)
            client_close(clients, clients->items[id], reason);
    }
    waiting_clear(clients, &clients->throttled);
}

void clients_forget_writes(struct clients *clients)
{
    size_t cursor = 0;
    struct attachment *attachment;

    ASSERT(!clients->serving);
    clients->tree_half_changed = false;
    while ((attachment = map_next(&clients->attachments, &cursor, NULL)) != NULL) {
        ASSERT(attachment->client == NULL);
        mem_free(attachment);
    }
    map_deinit(&clients->attachments);
    map_init(&clients->attachments);
}
