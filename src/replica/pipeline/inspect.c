/* Looking in, for four-letter words and metrics. */
#include "replica/pipeline/pipeline.h"

#include <stdlib.h>

void replica_counts(const struct replica *replica, struct replica_counts *ret_counts)
{
    struct replica_counts counts = {
        .last_zxid = tree_last_zxid(replica->tree),
        .znodes = tree_node_count(replica->tree),
        .ephemerals = tree_ephemeral_count(replica->tree),
        .sessions = session_table_count(replica->sessions),
        .data_bytes = tree_data_bytes(replica->tree),
        .outstanding = outstanding_requests(replica),
        .packets_received = replica->packets_received,
        .packets_sent = replica->packets_sent,
        .latency_min_ms = replica->latency.min_ms,
        .latency_max_ms = replica->latency.max_ms,
        .latency_sum_ms = replica->latency.sum_ms,
        .latency_count = replica->latency.count,
        .digest_mismatches = replica->digest_mismatches,
        .throttled_ops = replica->throttled_ops,
        .connection_revalidates = replica->connection_revalidates,
        .response_last_bytes = replica->response_last,
        .response_min_bytes = replica->response_min,
        .response_max_bytes = replica->response_max,
        .response_bytes = replica->response_bytes,
        .watch_bytes = replica->watch_bytes,
        .read_latency = &replica->read_latency,
        .write_latency = &replica->write_latency,
        .propagation_latency = &replica->propagation_latency,
        .throttle_latency = &replica->throttle_latency,
        .watchers = replica->watchers,
        .requests_throttled = replica->requests_throttled,
        .requests_unknown = replica->requests_unknown,
        .requests_prepared = replica->requests_prepared,
        .sessions_expired = replica->sessions_expired,
        .changes_queued = outstanding_puts(replica->outstanding) - replica->changes_queued_before,
        .changes_applied = replica->changes_applied - replica->changes_applied_before,
    };
    watches_count(replica->watches, &counts.watch_connections, &counts.watch_paths, &counts.watches,
                  &counts.watches_all);
    *ret_counts = counts;
}

void replica_reset_stats(struct replica *replica)
{
    replica->packets_received = replica->packets_sent = 0;
    replica->response_last = replica->response_min = replica->response_max = -1;
    replica->latency = (struct latency){0};
    replica->read_latency = replica->write_latency = (struct summary){0};
    replica->response_bytes = replica->watch_bytes = 0;
    replica->digest_mismatches = replica->throttled_ops = replica->connection_revalidates = 0;
    replica->propagation_latency = replica->throttle_latency = (struct summary){0};
    for (size_t i = 0; i < ARRAY_LEN(replica->watchers); i++)
        replica->watchers[i] = (struct summary){0};
    replica->requests_prepared = replica->requests_throttled = replica->requests_unknown = 0;
    replica->sessions_expired = 0;
    replica->changes_queued_before = outstanding_puts(replica->outstanding);
    replica->changes_applied_before = replica->changes_applied;
    tree_namespaces_reset(replica->tree);
}

static const struct client *client_at(const struct replica *replica, uint32_t id)
{
    return id < replica->client_capacity ? replica->clients[id] : NULL;
}

bool replica_client_info(const struct replica *replica, uint32_t id,
                         struct replica_client_info *ret_info)
{
    const struct client *client = client_at(replica, id);

    if (client == NULL)
        return false;
    *ret_info = (struct replica_client_info){
        .received = client->received,
        .sent = client->sent,
        .queued = (int64_t)(client->writes_proposed - client->writes_applied) + client->reads.count,
        .last_op = client->last_op,
        .last_cxid = client->last_cxid,
        .last_zxid = client->last_zxid,
        .last_response_ms = client->last_response_ms,
        .last_latency_ms = client->last_latency_ms,
        .latency_min_ms = client->latency.min_ms,
        .latency_max_ms = client->latency.max_ms,
        .latency_sum_ms = client->latency.sum_ms,
        .latency_count = client->latency.count,
        .established_wall_ms = client->established_wall_ms,
    };
    if (client->session != NULL) {
        ret_info->session_id = client->session->id;
        ret_info->session_timeout_ms = client->session->timeout_ms;
    }
    return true;
}

void replica_reset_client_stats(struct replica *replica)
{
    for (uint32_t id = 0; id < replica->client_capacity; id++) {
        struct client *client = replica->clients[id];
        if (client == NULL)
            continue;
        client->received = client->sent = 0;
        client->last_op = OP_ERROR;
        client->last_cxid = -1;
        client->last_zxid = -1;
        client->last_response_ms = client->last_latency_ms = 0;
        client->latency = (struct latency){0};
    }
}

const char *replica_op_name(int32_t op)
{
    static const struct {
        int32_t op;
        const char *name;
    } names[] = {
        {0, "null"}, /* what the real server shows before the first request */
        {OP_PING, "PING"},
        {OP_CREATE_SESSION, "SESS"},
        {OP_MULTI, "MULT"},
        {OP_MULTI_READ, "MLTR"},
        {OP_CREATE, "CREA"},
        {OP_CREATE2, "CREA"},
        {OP_CREATE_TTL, "CREA"},
        {OP_CREATE_CONTAINER, "CREA"},
        {OP_DELETE, "DELE"},
        {OP_SET_DATA, "SETD"},
        {OP_RECONFIG, "RECO"},
        {OP_SET_ACL, "SETA"},
        {OP_CLOSE_SESSION, "CLOS"},
        {OP_SYNC, "SYNC"},
        {OP_EXISTS, "EXIS"},
        {OP_GET_DATA, "GETD"},
        {OP_SET_WATCHES, "SETW"},
        {OP_SET_WATCHES2, "STW2"},
        {OP_ADD_WATCH, "ADDW"},
        {OP_GET_ACL, "GETA"},
        {OP_GET_CHILDREN, "GETC"},
        {OP_GET_CHILDREN2, "GETC"},
        {OP_GET_ALL_CHILDREN_NUMBER, "GETACN"},
        {OP_CHECK_WATCHES, "CHKW"},
        {OP_REMOVE_WATCHES, "REMW"},
        {OP_GET_EPHEMERALS, "GETE"},
        {OP_WHO_AM_I, "HOMI"},
    };

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (names[i].op == op)
            return names[i].name;
    }
    return "NA";
}

static int by_end_then_id(const void *left, const void *right)
{
    const struct session *a = *(const struct session *const *)left;
    const struct session *b = *(const struct session *const *)right;

    if (a->bucket_end_ms != b->bucket_end_ms)
        return a->bucket_end_ms < b->bucket_end_ms ? -1 : 1;
    return (a->id > b->id) - (a->id < b->id);
}

void replica_visit_sessions(const struct replica *replica, replica_visit_session *visit,
                            void *context)
{
    size_t cursor = 0, count = 0;
    const struct session *session;
    const struct session **sorted =
        mem_alloc(session_table_count(replica->sessions) * sizeof(*sorted));

    while ((session = session_table_next(replica->sessions, &cursor)) != NULL)
        sorted[count++] = session;
    qsort(sorted, count, sizeof(*sorted), by_end_then_id);
    for (size_t i = 0; i < count; i++)
        visit(context, sorted[i]->bucket_end_ms, sorted[i]->id);
    mem_free(sorted);
}

struct watch_visit_context {
    const struct replica *replica;
    replica_visit_watch *visit;
    void *context;
};

static void visit_one(void *context, struct slice path, const struct watch_client *watch_client)
{
    const struct watch_visit_context *visiting = context;
    const struct client *client = client_at(visiting->replica, watch_client->id);

    if (client != NULL && client->session != NULL)
        visiting->visit(visiting->context, path, client->session->id);
}

void replica_visit_watches_by_path(const struct replica *replica, replica_visit_watch *visit,
                                   void *context)
{
    struct watch_visit_context visiting = {replica, visit, context};
    watches_visit_by_path(replica->watches, visit_one, &visiting);
}

void replica_visit_watches_by_session(const struct replica *replica, replica_visit_watch *visit,
                                      void *context)
{
    struct watch_visit_context visiting = {replica, visit, context};

    for (uint32_t id = 0; id < replica->client_capacity; id++) {
        if (replica->clients[id] != NULL)
            watches_visit_client(&replica->clients[id]->watch, visit_one, &visiting);
    }
}

const struct tree *replica_tree(const struct replica *replica)
{
    return replica->tree;
}

void replica_visit_digests(const struct replica *replica, replica_visit_digest *visit,
                           void *context)
{
    const struct digest_mark *mark;
    uint64_t cursor = 0;

    while ((mark = tree_digest_mark_next(replica->tree, &cursor)) != NULL)
        visit(context, mark->zxid, mark->digest);
}
