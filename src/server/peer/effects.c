/* effects.c: carries out, once a turn, what the replica wants done with other servers. The replica is not
 * stepped between the first send and the clearing of the effects: connections that break meanwhile are
 * reported afterwards. */
#include "server/peer/peer_internal.h"

enum { LINGER_LOOK_MS = 500, LINES_PER_SECOND = 10 };

static void on_stay_awake(uv_idle_t *idle);
static void on_linger(uv_timer_t *timer);

struct peers *peers_new(struct host *host, const struct peer_options *options)
{
    struct peers *peers = mem_zalloc(sizeof(*peers));

    peers->host = host;
    peers->options = *options;
    peers->next_number = 2;
    peers->lines.per_second_max = LINES_PER_SECOND;
    net_init(&peers->net, host->loop);
    map_init(&peers->by_number);
    list_init(&peers->connections);
    list_init(&peers->touched);
    list_init(&peers->ending);
    list_init(&peers->ready);
    uv_idle_init(host->loop, &peers->stay_awake);
    uv_timer_init(host->loop, &peers->linger);
    uv_timer_start(&peers->linger, on_linger, LINGER_LOOK_MS, LINGER_LOOK_MS);
    uv_timer_stop(&peers->linger); /* from now on uv_timer_again() starts it */
    peers->stay_awake.data = peers->linger.data = peers;
    for (int port = 0; port < PEER_PORTS; port++) {
        peers->doors[port].peers = peers;
        peers->doors[port].port = (enum peer_port)port;
    }
    return peers;
}

void peers_start(struct peers *peers)
{
    peer_door_open(peers, PEER_PORT_ELECTION);
}

static void close_handle(uv_handle_t *handle)
{
    if (!uv_is_closing(handle))
        uv_close(handle, NULL);
}

void peers_close_all(struct peers *peers)
{
    struct list *at = peers->connections.next;

    for (int port = 0; port < PEER_PORTS; port++) {
        if (peers->doors[port].listeners != NULL)
            peer_door_close(&peers->doors[port]);
    }
    while (at != &peers->connections) { /* those with a stream stay until it is closed */
        struct peer_connection *connection = CONTAINER_OF(at, struct peer_connection, in_all);
        at = at->next;
        connection->closing = true;
        peer_connection_close(connection);
    }
    close_handle((uv_handle_t *)&peers->stay_awake);
    close_handle((uv_handle_t *)&peers->linger);
}

void peers_free(struct peers *peers)
{
    if (peers == NULL)
        return;
    ASSERT(list_empty(&peers->connections) && list_empty(&peers->touched));
    ASSERT(peers->by_number.count == 0 && peers->accepted_count == 0);
    net_deinit(&peers->net);
    map_deinit(&peers->by_number);
    mem_free(peers->targets);
    mem_free(peers);
}

/* --- the turn --- */

static struct peer_connection *connection_of(struct peers *peers, const struct peer_effect *effect)
{
    return map_get(&peers->by_number, effect->connection);
}

void peers_note_effects(struct peers *peers)
{
    const struct effects *effects = peers->host->effects;

    ASSERT(peers->noted <= effects->peer_count);
    for (; peers->noted < effects->peer_count; peers->noted++) {
        const struct peer_effect *effect = &effects->peers[peers->noted];
        struct peer_connection *connection =
            effect->kind == PEER_CLOSE ? connection_of(peers, effect) : NULL;
        if (connection != NULL)
            connection->closing = true;
    }
}

static void touch(struct peers *peers, struct peer_connection *connection)
{
    list_remove(&connection->in_turn);
    list_add_last(&peers->touched, &connection->in_turn);
}

static void carry_out_on(struct peers *peers, struct peer_connection *connection,
                         const struct peer_effect *effect)
{
    const struct buffer *bytes = &peers->host->effects->peer_bytes;

    if (connection->finished)
        return;
    touch(peers, connection);
    if (effect->kind == PEER_SEND) {
        ASSERT(effect->offset <= bytes->size && effect->size <= bytes->size - effect->offset);
        peer_connection_add_part(connection, slice_of(bytes->data + effect->offset, effect->size));
    } else if (effect->kind == PEER_HOLD) {
        connection->held = true;
    } else if (effect->kind == PEER_NOTE) {
        peer_log(connection, LOG_LEVEL_WARN, "another server", effect->reason);
    } else {
        connection->closing = connection->finished = true;
        if (effect->reason != NULL)
            peer_log(connection, LOG_LEVEL_WARN, "closing a connection", effect->reason);
    }
}

/* One send per connection, then what follows from it. */
static void flush_touched(struct peers *peers)
{
    while (!list_empty(&peers->touched)) {
        struct peer_connection *connection =
            CONTAINER_OF(peers->touched.next, struct peer_connection, in_turn);
        list_remove(&connection->in_turn);
        peer_connection_flush(connection);
        if (connection->finished) {
            peer_connection_finish(connection);
        } else if (connection->broken) {
            list_add_last(&peers->ending, &connection->in_turn);
        } else if (connection->held && peer_connection_has_room(connection)) {
            list_remove(&connection->in_ready);
            list_add_last(&peers->ready, &connection->in_ready);
        }
    }
}

void peers_carry_out(struct peers *peers)
{
    const struct effects *effects = peers->host->effects;

    for (size_t i = 0; i < effects->peer_count; i++) {
        const struct peer_effect *effect = &effects->peers[i];
        struct peer_connection *connection;
        switch (effect->kind) {
        case PEER_DIAL:
            peer_connection_dial(peers, effect);
            break;
        case PEER_LISTEN:
            peer_door_open(peers, effect->port);
            break;
        case PEER_UNLISTEN:
            peer_door_close(&peers->doors[effect->port]);
            break;
        case PEER_SEND:
        case PEER_HOLD:
        case PEER_NOTE:
        case PEER_CLOSE:
            connection = connection_of(peers, effect);
            if (connection != NULL) /* else it is gone; the replica was told, or will be */
                carry_out_on(peers, connection, effect);
            break;
        }
    }
    flush_touched(peers);
}

void peers_effects_cleared(struct peers *peers)
{
    ASSERT(list_empty(&peers->touched)); /* their bytes are gone with the effects */
    peers->noted = 0;
    if (list_empty(&peers->ready))
        uv_idle_stop(&peers->stay_awake);
    else
        uv_idle_start(&peers->stay_awake, on_stay_awake);
}

void peers_end_connections(struct peers *peers)
{
    while (!list_empty(&peers->ending))
        peer_connection_lost(CONTAINER_OF(peers->ending.next, struct peer_connection, in_turn));
}

bool peers_has_work(const struct peers *peers)
{
    return !list_empty(&peers->ending);
}

/* In the next turn: whoever has room already had its share of this one. */
static void on_stay_awake(uv_idle_t *idle)
{
    struct peers *peers = idle->data;

    while (!list_empty(&peers->ready))
        peer_connection_tell_ready(
            CONTAINER_OF(peers->ready.next, struct peer_connection, in_ready));
    uv_idle_stop(&peers->stay_awake);
}

static void on_linger(uv_timer_t *timer)
{
    struct peers *peers = timer->data;
    struct list *at = peers->connections.next;
    bool any = false;

    while (at != &peers->connections) {
        struct peer_connection *connection = CONTAINER_OF(at, struct peer_connection, in_all);
        at = at->next;
        if (!connection->finished || connection->stream.closed)
            continue;
        any = true;
        peer_connection_check_linger(connection, host_now_ms(peers->host));
    }
    if (!any)
        uv_timer_stop(timer);
}
