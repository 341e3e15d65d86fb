/* mntr.c: the mntr word: the table of metrics as text, in the table's order, and what is counted by
 * namespace. */
#include "server/words/words_internal.h"

#include "io/java_text.h"
#include "wire/version.h"

static void put_summary(struct buffer *out, const char *name, const struct summary *summary)
{
    buffer_printf(out, "zk_avg_%s\t", name);
    java_put_average(out, summary->sum, summary->count);
    buffer_printf(out, "\nzk_min_%s\t%lld\nzk_max_%s\t%lld\nzk_cnt_%s\t%lld\nzk_sum_%s\t%lld\n",
                  name, (long long)summary->min, name, (long long)summary->max, name,
                  (long long)summary->count, name, (long long)summary->sum);
}

static void put_percentiles(struct buffer *out, const char *name, const struct histogram *histogram)
{
    static const struct {
        const char *name;
        double share;
    } shown[] = {{"p50", 0.5}, {"p95", 0.95}, {"p99", 0.99}, {"p999", 0.999}};

    put_summary(out, name, &histogram->summary);
    for (size_t i = 0; i < ARRAY_LEN(shown); i++)
        buffer_printf(out, "zk_%s_%s\t%lld\n", shown[i].name, name,
                      (long long)histogram_percentile(histogram, shown[i].share));
}

static void put_metric(struct buffer *out, const struct metrics *metrics, enum metric_id id)
{
    const struct metric_info *info = metric_info(id);

    switch (info->kind) {
    case METRIC_COUNTER:
    case METRIC_GAUGE:
        buffer_printf(out, "zk_%s\t%lld\n", info->name, (long long)metrics_number(metrics, id));
        break;
    case METRIC_REAL:
        buffer_printf(out, "zk_%s\t", info->name);
        java_put_double(out, metrics->values[id].real);
        buffer_printf(out, "\n");
        break;
    case METRIC_SUMMARY:
        put_summary(out, info->name, metrics_summary(metrics, id));
        break;
    case METRIC_PERCENTILES:
        put_percentiles(out, info->name, metrics_histogram(metrics, id));
        break;
    }
}

static void put_traffic(struct buffer *out, struct slice name, const char *kind,
                        const struct traffic_sum *traffic)
{
    if (!traffic->known)
        return;
    struct buffer set = {0};
    buffer_append(&set, name);
    buffer_printf(&set, "_%s_per_namespace", kind);
    buffer_u8(&set, 0);
    put_summary(out, (const char *)set.data, &traffic->bytes);
    buffer_deinit(&set);
}

static void put_of_namespace(struct buffer *out, struct slice name, const char *what, int64_t value)
{
    buffer_append(out, SLICE("zk_"));
    buffer_append(out, name);
    buffer_printf(out, "_%s_per_namespace\t%lld\n", what, (long long)value);
}

static void put_quota(void *context, struct slice name, const struct tree_quota_sum *sum)
{
    struct buffer *out = context;

    if (sum->limited) {
        put_of_namespace(out, name, "quota_count_limit", sum->count_limit);
        put_of_namespace(out, name, "quota_bytes_limit", sum->bytes_limit);
    }
    if (sum->counted) {
        put_of_namespace(out, name, "quota_count_usage", sum->count);
        put_of_namespace(out, name, "quota_bytes_usage", sum->bytes);
    }
}

static void put_namespaces(const struct replica *replica, struct buffer *out)
{
    const struct traffic_namespace *at = traffic_newest(replica_traffic(replica));

    for (; at != NULL; at = at->older) {
        put_traffic(out, at->name, "read", &at->read);
        put_traffic(out, at->name, "write", &at->write);
        if (at->quota_known)
            put_of_namespace(out, at->name, "quota_exceeded_error", at->quota_exceeded);
    }
    tree_quota_visit_all(replica_tree(replica), put_quota, out);
}

/* Only a member that serves is asked: it broadcasts. */
static void put_role(struct buffer *out, const struct ensemble_info *info)
{
    const char *state = info->state == PEER_LEADING     ? "leading"
                        : info->state == PEER_FOLLOWING ? "following"
                                                        : "observing";

    buffer_printf(out, "zk_peer_state\t%s - broadcast\n", state);
    if (info->state == PEER_OBSERVING)
        buffer_printf(out, "zk_observer_master_id\t%lld\n", (long long)info->learns_from);
}

void words_put_metrics(const struct words *words, struct buffer *out)
{
    struct metrics all = {0};
    struct ensemble_info info;
    enum metric_role role = METRICS_ALONE;

    words_collect_metrics(words, &all);
    buffer_printf(out, "zk_version\t%s\nzk_server_state\t%s\n", VERSION_LINE, words_mode(words));
    if (replica_ensemble(words->replica, &info) && !info.read_only) {
        put_role(out, &info);
        role = info.state == PEER_LEADING ? METRICS_LEADER
               : info.observer_master     ? METRICS_MASTER
                                          : METRICS_LEARNER;
    }
    for (enum metric_id id = 0; id < METRIC_ID_COUNT; id++) {
        if (metric_is_of_role(id, role))
            put_metric(out, &all, id);
    }
    metrics_deinit(&all);
    put_namespaces(words->replica, out);
}
