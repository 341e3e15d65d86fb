/* inspect.c: what four-letter words and metrics show of the clients. Only the two resets change
 * anything. */
#include "replica/clients/client.h"

struct clients_counts clients_count(const struct clients *clients)
{
    struct clients_counts counts = {.waiting = (int64_t)clients->waiting_count,
                                    .response_last_bytes = clients->response_last,
                                    .response_min_bytes = clients->response_min,
                                    .response_max_bytes = clients->response_max};

    watches_count(clients->watches, &counts.watch_connections, &counts.watch_paths, &counts.watches,
                  &counts.watches_all);
    return counts;
}

void clients_reset_stats(struct clients *clients)
{
    clients->response_last = clients->response_min = clients->response_max = -1;
}

static const struct client *client_at(const struct clients *clients, uint32_t id)
{
    return id < clients->capacity ? clients->items[id] : NULL;
}

bool clients_info(const struct clients *clients, uint32_t id, struct client_info *ret_info)
{
    const struct client *client = client_at(clients, id);

    if (client == NULL)
        return false;
    *ret_info = (struct client_info){
        .received = client->received,
        .sent = client->sent,
        .queued = (int64_t)(client->writes_proposed - client->writes_applied) +
                  client->waiting_reads.count,
        .last_op = client->last_op,
        .last_cxid = client->last_cxid,
        .last_zxid = client->last_zxid,
        .last_response_ms = client->last_response_ms,
        .last_latency_ms = client->last_latency_ms,
        .latency_ms = client->latency_ms,
        .established_wall_ms = client->established_wall_ms,
    };
    if (client->attachment != NULL) {
        ret_info->session_id = client->attachment->session_id;
        ret_info->session_timeout_ms = client->attachment->session->timeout_ms;
    }
    return true;
}

void clients_reset_each(struct clients *clients)
{
    for (uint32_t id = 0; id < clients->capacity; id++) {
        struct client *client = clients->items[id];
        if (client == NULL)
            continue;
        client->received = client->sent = 0;
        client->last_op = OP_ERROR;
        client->last_cxid = -1;
        client->last_zxid = -1;
        client->last_response_ms = client->last_latency_ms = 0;
        client->latency_ms = (struct summary){0};
    }
}

struct watch_visit_context {
    const struct clients *clients;
    clients_visit_watch *visit;
    void *context;
};

static void visit_one(void *context, struct slice path, const struct watch_client *watch_client)
{
    const struct watch_visit_context *visiting = context;
    const struct client *client = client_at(visiting->clients, watch_client->id);

    if (client != NULL && client->attachment != NULL)
        visiting->visit(visiting->context, path, client->attachment->session_id);
}

void clients_visit_watches_by_path(const struct clients *clients, clients_visit_watch *visit,
                                   void *context)
{
    struct watch_visit_context visiting = {clients, visit, context};
    watches_visit_by_path(clients->watches, visit_one, &visiting);
}

void clients_visit_watches_by_session(const struct clients *clients, clients_visit_watch *visit,
                                      void *context)
{
    struct watch_visit_context visiting = {clients, visit, context};

    for (uint32_t id = 0; id < clients->capacity; id++) {
        if (clients->items[id] != NULL)
            watches_visit_client(&clients->items[id]->watch, visit_one, &visiting);
    }
}
