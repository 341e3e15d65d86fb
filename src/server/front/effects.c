/* effects.c: what the replica wants done with clients, collected for each connection and carried
 * out once a turn. Until the turn ends nothing is sent, so all answers of a connection are sent
 * with one call. */
#include "server/front/front_internal.h"

#include "base/array.h"

enum { NEXT_SEND_FIRST = 64, NEXT_SEND_KEPT_MAX = 1 << 18, SCRATCH_KEPT_MAX = 4 << 20 };

static void link_send(struct front *front, struct connection *connection, uint32_t index)
{
    ASSERT(connection->first_send == NO_SEND || connection->last_send < index);
    if (front->next_send_capacity <= index) {
        front->next_send = ARRAY_RESERVE(front->next_send, front->next_send_capacity,
                                         (size_t)index + 1, NEXT_SEND_FIRST);
    }
    front->next_send[index] = NO_SEND;
    if (connection->first_send == NO_SEND)
        connection->first_send = index;
    else
        front->next_send[connection->last_send] = index;
    connection->last_send = index;
}

static void list_as_answered(struct front *front, struct connection *connection)
{
    if (list_empty(&connection->in_answered))
        list_add_last(&front->answered, &connection->in_answered);
}

static void log_close(const struct connection *connection, const char *reason)
{
    struct front *front = connection->front;
    char peer[PEER_TEXT_MAX];
    uint32_t suppressed = 0;

    if (log_limit_take(&front->bad_frames, host_now_ms(front->host), &suppressed)) {
        connection_address(connection, peer);
        log_warn("front", "closing a connection: %s peer=%s suppressed_lines=%u", reason, peer,
                 suppressed);
    }
}

static struct connection *connection_of(struct front *front, const struct client_effect *effect)
{
    struct connection *connection =
        effect->client < front->connection_capacity ? front->connections[effect->client] : NULL;

    return connection == NULL || connection->closing ? NULL : connection;
}

/* Counts the bytes that this send has gained since it was counted last. */
static void count_answer(struct front *front, struct connection *connection,
                         const struct client_effect *effect)
{
    ASSERT(effect->size >= front->noted_bytes); /* a send grows, and never shrinks */
    ASSERT(front->large_bytes >= connection->large_bytes);
    connection->turn_bytes += effect->size - front->noted_bytes;
    front->noted_bytes = effect->size;
    front->large_bytes -= connection->large_bytes; /* its large requests are answered */
    connection->large_bytes = 0;
}

void front_note_effects(struct front *front)
{
    const struct effects *effects = front->host->effects;

    ASSERT(front->noted <= effects->client_count && front->noted_frames <= effects->frame_count);
    metrics_count(&front->metrics, METRIC_PACKETS_SENT,
                  (int64_t)(effects->frame_count - front->noted_frames));
    front->noted_frames = effects->frame_count;
    if (front->noted > 0) { /* the last send may have grown meanwhile */
        const struct client_effect *last = &effects->clients[front->noted - 1];
        struct connection *connection = connection_of(front, last);
        if (last->kind == CLIENT_SEND && last->size != front->noted_bytes && connection != NULL &&
            connection->first_send != NO_SEND)
            count_answer(front, connection, last);
    }
    for (; front->noted < effects->client_count; front->noted++) {
        const struct client_effect *effect = &effects->clients[front->noted];
        struct connection *connection = connection_of(front, effect);
        if (connection == NULL)
            continue;
        switch (effect->kind) {
        case CLIENT_SEND:
            link_send(front, connection, (uint32_t)front->noted);
            front->noted_bytes = 0;
            count_answer(front, connection, effect);
            list_as_answered(front, connection);
            break;
        case CLIENT_CLOSE:
            connection->close_wanted = true;
            list_as_answered(front, connection);
            if (effect->reason != NULL)
                log_close(connection, effect->reason);
            break;
        case CLIENT_PAUSE:
            connection->paused = true;
            break;
        case CLIENT_RESUME:
            connection->paused = false;
            list_remove(&connection->in_waiting);
            list_add_last(&front->waiting, &connection->in_waiting);
            break;
        case CLIENT_HOLD:
            connection->held = true;
            list_remove(&connection->in_waiting);
            list_add_last(&front->waiting_next, &connection->in_waiting);
            break;
        }
    }
}

void front_feed_waiting(struct front *front)
{
    while (!list_empty(&front->waiting)) {
        struct connection *connection =
            CONTAINER_OF(front->waiting.next, struct connection, in_waiting);
        list_remove(&connection->in_waiting);
        if (!front->stopping)
            connection_feed(connection);
    }
}

/* The answers of one connection as one run of bytes. */
static struct slice gather(struct front *front, struct connection *connection)
{
    const struct effects *effects = front->host->effects;
    const struct client_effect *first = &effects->clients[connection->first_send];
    size_t start = first->offset, end = first->offset + first->size;
    bool apart = false;

    front->scratch.size = 0;
    for (uint32_t index = front->next_send[connection->first_send]; index != NO_SEND;
         index = front->next_send[index]) {
        const struct client_effect *effect = &effects->clients[index];
        ASSERT(effect->client == first->client && effect->offset >= end);
        if (!apart && effect->offset == end) {
            end += effect->size;
            continue;
        }
        if (!apart)
            buffer_append(&front->scratch, slice_of(effects->bytes.data + start, end - start));
        apart = true;
        buffer_append(&front->scratch,
                      slice_of(effects->bytes.data + effect->offset, effect->size));
    }
    return apart ? buffer_slice(&front->scratch)
                 : slice_of(effects->bytes.data + start, end - start);
}

void front_flush(struct front *front)
{
    while (!list_empty(&front->answered)) {
        struct connection *connection =
            CONTAINER_OF(front->answered.next, struct connection, in_answered);
        list_remove(&connection->in_answered);
        if (connection->first_send != NO_SEND) {
            struct slice bytes = gather(front, connection);
            connection->first_send = connection->last_send = NO_SEND;
            connection->turn_bytes = 0;
            connection->broken = !connection_send(connection, bytes);
            connection_update_reading(connection);
        }
        if (connection->close_wanted || connection->broken)
            list_add_last(&front->ending, &connection->in_answered);
    }
}

void front_end_connections(struct front *front)
{
    while (!list_empty(&front->ending)) {
        struct connection *connection =
            CONTAINER_OF(front->ending.next, struct connection, in_answered);
        list_remove(&connection->in_answered);
        if (connection->broken)
            connection_close_now(connection);
        else
            connection_close(connection);
    }
}

bool front_has_work(const struct front *front)
{
    return !list_empty(&front->answered) || !list_empty(&front->waiting) ||
           !list_empty(&front->ending);
}

static void on_stay_awake(uv_idle_t *idle)
{
    (void)idle; /* it only keeps the loop from sleeping before the next turn */
}

void front_update_stay_awake(struct front *front)
{
    if (list_empty(&front->waiting) && !front->idle_check_due)
        uv_idle_stop(&front->stay_awake);
    else
        uv_idle_start(&front->stay_awake, on_stay_awake);
}

void front_effects_cleared(struct front *front)
{
    while (!list_empty(&front->waiting_next)) {
        struct list *entry = front->waiting_next.next;
        list_remove(entry);
        list_add_last(&front->waiting, entry);
    }
    front_update_stay_awake(front);
    ASSERT(list_empty(&front->answered)); /* their bytes are gone with the effects */
    front->noted = front->noted_frames = 0;
    if (front->scratch.capacity > SCRATCH_KEPT_MAX)
        buffer_deinit(&front->scratch);
    if (front->next_send_capacity > NEXT_SEND_KEPT_MAX) {
        mem_free(front->next_send);
        front->next_send = NULL;
        front->next_send_capacity = 0;
    }
}
