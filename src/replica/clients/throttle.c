/* throttle.c: requests leave the throttle in the order in which they came, as far as there is room, or are
 * dropped because nobody waits for them any more.
 *
 * Behind one that was dropped nothing of the same connection is executed, so that no request overtakes another.
 * A closeSession is never stale: it may be all that is left of a client. */
#include "replica/clients/client.h"

static int32_t op_of(const struct waiting *waiting)
{
    struct request_header header;

    ASSERT(waiting->size >= REQUEST_HEADER_BYTES);
    request_header_get(waiting->bytes, &header);
    return header.type;
}

static bool is_open(const struct client *client)
{
    return client != NULL && client->state == CLIENT_SERVING;
}

static bool is_stale(const struct clients *clients, const struct waiting *waiting,
                     const struct client *client)
{
    const struct clients_options *options = &clients->options;

    if (op_of(waiting) == OP_CLOSE_SESSION)
        return false;
    return (options->stale_connection_check && !is_open(client)) ||
           is_late(clients, sessions_find_here(clients->sessions, waiting->session_id),
                   waiting->arrived_ms);
}

static void drop_rest_of_connection(struct clients *clients, const struct waiting *dropped)
{
    for (struct waiting *rest = clients->throttled.first; rest != NULL; rest = rest->next) {
        if (rest->client == dropped->client && rest->generation == dropped->generation)
            rest->must_drop = true;
    }
}

static void drop_stale(struct clients *clients, const struct waiting *waiting,
                       struct client *client)
{
    drop_rest_of_connection(clients, waiting);
    metrics_count(&clients->step->metrics, METRIC_STALE_REQUESTS_DROPPED, 1);
    if (is_open(client))
        client_close(clients, client, "a request of it waited for longer than its session may");
}

/* Nobody is answered: a read would change nothing, and a write is the session's while that lives. */
static void execute_for_nobody(struct clients *clients, const struct waiting *waiting,
                               struct client *client, bool stale)
{
    struct session *session = sessions_find_here(clients->sessions, waiting->session_id);
    int32_t type = op_of(waiting);
    const struct op_info *op = op_find(type);

    if (op == NULL || request_waited_too_long(clients, type, waiting->arrived_ms))
        return;
    if (op->class != OP_CLASS_WRITE) {
        metrics_count(&clients->step->metrics, METRIC_STALE_REPLIES, stale);
        return;
    }
    if (session == NULL || session->closing || clients->read_only)
        return;
    if (type == OP_CLOSE_SESSION && session->local) {
        connect_session_ended(clients, session->id);
        sessions_remove_local(clients->sessions, session);
        return;
    }
    write_submit_for_nobody(clients, client, waiting, session);
}

static void execute(struct clients *clients, const struct waiting *waiting, struct client *client,
                    bool stale)
{
    if (!is_open(client)) {
        execute_for_nobody(clients, waiting, client, stale);
        return;
    }
    struct identities *now = client->identities;
    client->identities = waiting->identities; /* who it was when it asked */
    metrics_observe(&clients->step->metrics, METRIC_THROTTLE_LATENCY,
                    clients->step->now_ms - waiting->arrived_ms);
    request_frame(clients, client, slice_of(waiting->bytes, waiting->size), waiting->arrived_ms,
                  /* was_throttled= */ true);
    client->identities = now;
}

static bool has_room(const struct clients *clients)
{
    return proposals_count(clients->proposals) < (size_t)clients->options.throttle_requests_max;
}

void throttle_release(struct clients *clients)
{
    const struct waiting *first;

    while ((first = clients->throttled.first) != NULL) {
        struct client *client = client_find(clients, first->client, first->generation);
        bool stale = is_stale(clients, first, client);
        bool dropped = first->must_drop || (stale && clients->options.throttle_drops_stale);
        if (!dropped && !has_room(clients))
            return;
        struct waiting *waiting = waiting_take(clients, &clients->throttled);
        if (!dropped) {
            metrics_count(&clients->step->metrics, METRIC_STALE_REQUESTS, stale);
            execute(clients, waiting, client, stale);
        } else if (!waiting->must_drop) {
            drop_stale(clients, waiting, client);
        }
        waiting_free(waiting);
    }
}
