/* timely.c: who was heard when, seen from outside: as bytes arrive at a server. A server may learn of them a
 * little later, so both ends of each bound have some slack. */
#include "sim/timely.h"

#include "base/map.h"
#include "replica/txn/txn.h"
#include "sim/chain.h"
#include "wire/records.h"

#include <inttypes.h>

enum { SLACK_MS = 50, DRIFT_PARTS = 18, LOOK_EVERY_US = 50000 };

struct heard_session {
    int64_t id;
    int32_t timeout_ms;     /* as it was last told */
    int32_t timeout_max_ms; /* the longest so far */
    int32_t leader;         /* the node that heard it last, and in which life; -1: none did */
    uint64_t life;
    int64_t at_ms, at_us;  /* by that node's clock, and by the world's */
    int64_t hint_us;       /* a leader may have heard it then, in a way that need not count */
    int64_t closing_epoch; /* a leader of this epoch has ended it; -1: none has */
};

struct timely_node {
    int64_t heard_us[WORLD_NODES_MAX]; /* when bytes of a peer's quorum connection arrived */
    int64_t leads_epoch, leads_since_us, looked_us;
};

struct timely {
    struct world *world;
    struct timely_node nodes[WORLD_NODES_MAX];
    struct map sessions;    /* id -> struct heard_session */
    struct map connections; /* of clients: key -> struct timely_client */
};

struct timely_client {
    int64_t session_id;
    int32_t timeout_ms;
    uint64_t life; /* of its server */
};

struct timely *timely_new(struct world *world)
{
    struct timely *timely = mem_zalloc(sizeof(*timely));

    timely->world = world;
    map_init(&timely->sessions);
    map_init(&timely->connections);
    for (int i = 0; i < WORLD_NODES_MAX; i++)
        timely->nodes[i].leads_epoch = -1;
    return timely;
}

static void free_all(struct map *map)
{
    size_t cursor = 0;
    void *item;

    while ((item = map_next(map, &cursor, NULL)) != NULL)
        mem_free(item);
    map_deinit(map);
}

void timely_free(struct timely *timely)
{
    free_all(&timely->sessions);
    free_all(&timely->connections);
    mem_free(timely);
}

static int64_t now_us(const struct timely *timely)
{
    return timely->world->events.now_us;
}

/* --- who is heard --- */

static struct heard_session *session_of(struct timely *timely, int64_t id)
{
    struct heard_session *session = map_get(&timely->sessions, (uint64_t)id);

    if (session != NULL)
        return session;
    session = mem_zalloc(sizeof(*session));
    *session = (struct heard_session){.id = id, .leader = -1, .closing_epoch = -1};
    map_set(&timely->sessions, (uint64_t)id, session);
    return session;
}

static void hear(struct timely *timely, const struct node *node, int64_t id, int32_t timeout_ms)
{
    struct heard_session *session = session_of(timely, id);

    session->leader = node->options.index;
    session->life = node->life;
    session->at_ms = node_now_ms(node);
    session->at_us = now_us(timely);
    session->timeout_ms = timeout_ms;
    if (timeout_ms > session->timeout_max_ms)
        session->timeout_max_ms = timeout_ms;
}

/* A client is at that learner with its session, and wants to know whether it is one. */
static void hear_question(struct timely *timely, const struct node *node, struct slice data)
{
    struct session_touch touch;

    if (quorum_revalidate_read(data, &touch) == STATUS_OK)
        hear(timely, node, touch.session_id, touch.timeout_ms);
}

static void hear_touches(struct timely *timely, const struct node *node, struct slice touches)
{
    struct session_touch touch;

    if (!quorum_touches_valid(touches))
        return;
    while (quorum_next_touch(&touches, &touch))
        hear(timely, node, touch.session_id, touch.timeout_ms);
}

void timely_revalidates(struct timely *timely, struct slice data)
{
    struct session_valid answer;

    if (quorum_revalidated_read(data, &answer) == STATUS_OK && answer.valid)
        session_of(timely, answer.session_id)->hint_us = now_us(timely);
}

void timely_peer_bytes(struct timely *timely, struct node *node, struct route *route,
                       struct slice bytes)
{
    struct quorum_packet packet;
    size_t size, at = 0;

    if (route->port == NETWORK_ELECTION)
        return;
    timely->nodes[node->options.index].heard_us[route->peer] = now_us(timely);
    if (route->number % 2 == 1) /* from a leader */
        return;
    buffer_append(&route->input, bytes);
    while (quorum_packet_read(slice_of(route->input.data + at, route->input.size - at),
                              SIZE_MAX / 2, &packet, &size) == STATUS_OK) {
        if (packet.type == QUORUM_PING)
            hear_touches(timely, node, packet.data);
        else if (packet.type == QUORUM_REVALIDATE)
            hear_question(timely, node, packet.data);
        at += size;
    }
    if (at > 0)
        memmove(route->input.data, route->input.data + at, route->input.size - at);
    route->input.size -= at;
}

void timely_peer_dropped(struct timely *timely, const struct node *node)
{
    size_t cursor = 0;
    struct heard_session *session;

    while ((session = map_next(&timely->sessions, &cursor, NULL)) != NULL) {
        if (session->leader == node->options.index &&
            now_us(timely) - session->at_us < SLACK_MS * 1000)
            session->leader = -1;
    }
}

static uint64_t client_key(const struct node *node, uint64_t connection)
{
    return (uint64_t)node->options.index << 48 | connection;
}

static struct timely_client *client_of(struct timely *timely, const struct node *node,
                                       uint64_t connection)
{
    struct timely_client *client = map_get(&timely->connections, client_key(node, connection));

    return client != NULL && client->life == node->life ? client : NULL;
}

/* It is back with its session, and may long wait for the answer: the writes of its older connection come
 * first. Such a handshake need not count as a sign of life: it may be refused. */
static void hear_handshake(struct timely *timely, const struct node *node, uint64_t connection)
{
    struct connect_request request;

    for (size_t i = node->inbox.count; i > 0; i--) {
        const struct replica_event *event = &node->inbox.events[i - 1].event;
        struct reader reader;
        if (event->kind != REPLICA_CLIENT_FRAME ||
            node->clients.items[event->client].connection != connection)
            continue;
        reader_init(&reader, event->bytes, NULL, event->bytes.size);
        if (connect_request_read(&reader, &request) == STATUS_OK && request.session_id != 0)
            session_of(timely, request.session_id)->hint_us = now_us(timely);
        return;
    }
}

void timely_client_bytes(struct timely *timely, struct node *node, uint64_t connection)
{
    const struct timely_client *client = client_of(timely, node, connection);

    if (client == NULL)
        hear_handshake(timely, node, connection);
    else if (client->session_id != 0)
        hear(timely, node, client->session_id, client->timeout_ms);
}

void timely_client_closed(struct timely *timely, struct node *node, uint64_t connection)
{
    mem_free(map_remove(&timely->connections, client_key(node, connection)));
}

/* --- a server without its leader, a leader without its quorum --- */

struct contact {
    const struct timely_node *node;
    int64_t self, since_us;
};

static bool is_heard(const void *context, int64_t id)
{
    const struct contact *contact = context;

    return id == contact->self || contact->node->heard_us[id - 1] >= contact->since_us;
}

/* An observer may learn from any of them. */
static bool is_any_heard(const struct world *world, const struct contact *contact)
{
    for (int i = 0; i < world->node_count; i++) {
        int64_t id = world->nodes[i].options.id;
        if (id != contact->self && is_heard(contact, id))
            return true;
    }
    return false;
}

/* syncLimit, and one tick, in which a server looks. Who stood still for less than syncLimit hears the others
 * before it looks. */
static int64_t contact_bound_us(const struct timely *timely, const struct node *node)
{
    int64_t limit_ms = (int64_t)node->options.sync_limit * node->options.tick_ms;
    int64_t bound_ms = limit_ms + node->options.tick_ms;
    int64_t bound_us = (bound_ms + bound_ms / DRIFT_PARTS + SLACK_MS) * 1000;

    for (int i = 0; i < NODE_PAUSES && node->pauses[i].until_us > now_us(timely) - bound_us; i++) {
        int64_t still_us = node->pauses[i].until_us - node->pauses[i].at_us;
        bound_us += still_us < limit_ms * 1000 ? still_us : limit_ms * 1000;
    }
    return bound_us;
}

static void check_contact(struct timely *timely, struct node *node)
{
    struct world *world = timely->world;
    struct ensemble_info info;
    struct contact contact = {.node = &timely->nodes[node->options.index],
                              .self = node->options.id,
                              .since_us = now_us(timely) - contact_bound_us(timely, node)};

    if (!replica_ensemble(node->replica, &info) || !info.serves ||
        (world->hand != NULL && world->hand->guests != 0))
        return;
    if (info.state == PEER_LEADING && node_was_granted_since(node, contact.since_us))
        return; /* it needs nobody */
    if (info.state == PEER_LEADING     ? !membership_quorum(world->membership, is_heard, &contact)
        : info.state == PEER_OBSERVING ? !is_any_heard(world, &contact)
                                       : !is_heard(&contact, info.leader))
        world_fail(world, node, "it answers a client, and has not heard its %s for too long",
                   info.state == PEER_LEADING ? "quorum" : "leader");
}

static void take_response(struct timely *timely, struct node *node, uint64_t connection,
                          struct slice frame)
{
    struct timely_client *client = mem_zalloc(sizeof(*client));
    struct connect_response response;
    struct arena arena;
    struct reader reader;

    arena_init(&arena);
    reader_init(&reader, frame, &arena, frame.size);
    if (connect_response_read(&reader, &response) == STATUS_OK)
        *client = (struct timely_client){.session_id = response.session_id,
                                         .timeout_ms = response.timeout_ms};
    arena_deinit(&arena);
    client->life = node->life;
    mem_free(map_remove(&timely->connections, client_key(node, connection)));
    map_set(&timely->connections, client_key(node, connection), client);
    if (client->session_id != 0)
        hear(timely, node, client->session_id, client->timeout_ms);
}

void timely_client_send(struct timely *timely, struct node *node, uint64_t connection,
                        struct slice bytes)
{
    check_contact(timely, node);
    if (client_of(timely, node, connection) == NULL && bytes.size >= 4 &&
        load_be32(bytes.data) <= bytes.size - 4)
        take_response(timely, node, connection, slice_of(bytes.data + 4, load_be32(bytes.data)));
}

/* --- sessions that end --- */

/* A leader ends a session on its own. What came within the slack, or while it stood still, it may not have
 * seen. */
static void check_expiry(struct timely *timely, struct node *node,
                         const struct heard_session *session)
{
    int64_t silent_ms = node_now_ms(node) - session->at_ms;

    if (session->leader != node->options.index || session->life != node->life ||
        now_us(timely) - session->at_us < SLACK_MS * 1000 ||
        node->pauses[0].until_us >= session->at_us)
        return;
    if (silent_ms < session->timeout_ms)
        world_fail(timely->world, node,
                   "it ends session %" PRIx64 ", which it heard %" PRId64
                   " ms ago, and whose timeout is %d",
                   (uint64_t)session->id, silent_ms, session->timeout_ms);
}

void timely_append(struct timely *timely, struct node *node, const struct txnlog_append *append)
{
    struct txn txn;
    struct arena arena;
    struct ensemble_info info;

    if (timely->world->options.local_sessions != 0 || !replica_ensemble(node->replica, &info) ||
        info.state != PEER_LEADING || !info.serves)
        return;
    arena_init(&arena);
    if (txn_read(append->payload, &arena, &txn) != STATUS_OK) {
        arena_deinit(&arena);
        return;
    }
    struct heard_session *session =
        txn.header.type == OP_CREATE_SESSION || txn.header.type == OP_CLOSE_SESSION
            ? session_of(timely, txn.header.client_id)
            : NULL;
    if (txn.header.type == OP_CREATE_SESSION) {
        *session =
            (struct heard_session){.id = txn.header.client_id, .leader = -1, .closing_epoch = -1};
        hear(timely, node, txn.header.client_id, txn.op.timeout_ms);
    } else if (txn.header.type == OP_CLOSE_SESSION) {
        if (txn.header.cxid == 0)
            check_expiry(timely, node, session);
        session->closing_epoch = zxid_epoch(append->zxid);
    }
    arena_deinit(&arena);
}

/* A leader must have ended it: nobody was heard for longer than the timeout and the tick in which it looks,
 * while it led and did not stand still. A new leader gives all sessions their whole timeout. */
static void check_silence(struct timely *timely, struct node *node,
                          const struct heard_session *session, const struct ensemble_info *info)
{
    const struct timely_node *at = &timely->nodes[node->options.index];
    int64_t limit_ms = session->timeout_max_ms + node->options.tick_ms + SLACK_MS;
    int64_t since_us = at->leads_since_us;

    if (since_us < session->hint_us)
        since_us = session->hint_us;
    if (session->closing_epoch == info->epoch ||
        !chain_session_is_open(timely->world->chain, session->id))
        return;
    if (since_us < session->at_us)
        since_us = session->at_us;
    if (since_us < node->pauses[0].until_us)
        since_us = node->pauses[0].until_us;
    int64_t silent_ms = (now_us(timely) - since_us) / 1000;
    if (silent_ms > limit_ms + limit_ms / DRIFT_PARTS)
        world_fail(timely->world, node,
                   "it keeps session %" PRIx64 ", which nobody has heard for %" PRId64
                   " ms, and whose timeout is %d",
                   (uint64_t)session->id, silent_ms, session->timeout_max_ms);
}

/* Clients that the server does not read at the moment: what they send waits, so they are not silent. */
static void hear_paused(struct timely *timely, struct node *node)
{
    for (size_t i = 0; i < NODE_CLIENTS; i++) {
        if (node->clients.items[i].used && node->clients.items[i].paused)
            timely_client_bytes(timely, node, node->clients.items[i].connection);
    }
}

void timely_turned(struct timely *timely, struct node *node)
{
    struct timely_node *at = &timely->nodes[node->options.index];
    struct ensemble_info info;
    const struct heard_session *session;
    size_t cursor = 0;

    if (!replica_ensemble(node->replica, &info) || !info.serves || info.state != PEER_LEADING) {
        at->leads_epoch = -1;
        return;
    }
    if (at->leads_epoch != info.epoch) {
        at->leads_epoch = info.epoch;
        at->leads_since_us = now_us(timely);
    }
    if (timely->world->options.local_sessions != 0 ||
        now_us(timely) - at->looked_us < LOOK_EVERY_US)
        return;
    at->looked_us = now_us(timely);
    hear_paused(timely, node);
    while ((session = map_next(&timely->sessions, &cursor, NULL)) != NULL)
        check_silence(timely, node, session, &info);
}
