/* metrics.c: the values behind the table. Histograms take memory only where something was observed. */
#include "metrics/metrics.h"

#define METRIC_ROW(id, owner, name, kind, unit, help)                                              \
    {name, METRICS_OF_##owner, METRIC_##kind, unit, help},
static const struct metric_info rows[] = {METRICS_TABLE(METRIC_ROW)};
static const struct histogram nothing;

const struct metric_info *metric_info(enum metric_id id)
{
    ASSERT(id < METRIC_ID_COUNT);
    return &rows[id];
}

bool metric_is_of_role(enum metric_id id, enum metric_role role)
{
    switch ((int)id) {
    case METRIC_QUORUM_SIZE:
        return role != METRICS_ALONE;
    case METRIC_SYNCED_OBSERVERS:
        return role == METRICS_LEADER || role == METRICS_MASTER;
    case METRIC_PROPOSAL_SIZE_LAST:
    case METRIC_PROPOSAL_SIZE_MIN:
    case METRIC_PROPOSAL_SIZE_MAX:
    case METRIC_LEARNERS:
    case METRIC_SYNCED_FOLLOWERS:
    case METRIC_SYNCED_NON_VOTING:
    case METRIC_PENDING_SYNCS:
    case METRIC_LEADER_UPTIME:
    case METRIC_ZXIDS_LEFT:
        return role == METRICS_LEADER;
    default:
        return true;
    }
}

void metrics_deinit(struct metrics *metrics)
{
    for (size_t id = 0; id < METRIC_ID_COUNT; id++) {
        if (rows[id].kind == METRIC_PERCENTILES)
            mem_free(metrics->values[id].histogram);
    }
    *metrics = (struct metrics){0};
}

void metrics_reset(struct metrics *metrics)
{
    for (size_t id = 0; id < METRIC_ID_COUNT; id++) {
        switch (rows[id].kind) {
        case METRIC_COUNTER:
            metrics->values[id].number = 0;
            break;
        case METRIC_SUMMARY:
            metrics->values[id].summary = (struct summary){0};
            break;
        case METRIC_PERCENTILES:
            mem_free(metrics->values[id].histogram);
            metrics->values[id].histogram = NULL;
            break;
        case METRIC_GAUGE:
        case METRIC_REAL:
            break;
        }
    }
}

static struct histogram *take_histogram(struct metrics *metrics, enum metric_id id)
{
    if (metrics->values[id].histogram == NULL)
        metrics->values[id].histogram = mem_zalloc(sizeof(struct histogram));
    return metrics->values[id].histogram;
}

void metrics_observe(struct metrics *metrics, enum metric_id id, int64_t value)
{
    metrics_observe_times(metrics, id, value, 1);
}

void metrics_observe_times(struct metrics *metrics, enum metric_id id, int64_t value, int64_t times)
{
    ASSERT(rows[id].kind == METRIC_SUMMARY || rows[id].kind == METRIC_PERCENTILES);
    if (times <= 0)
        return;
    if (rows[id].kind == METRIC_SUMMARY)
        summary_add_times(&metrics->values[id].summary, value, times);
    else
        histogram_add_times(take_histogram(metrics, id), value, times);
}

static bool is_zero(const struct metrics *metrics, enum metric_id id)
{
    switch (rows[id].kind) {
    case METRIC_COUNTER:
    case METRIC_GAUGE:
        return metrics->values[id].number == 0;
    case METRIC_REAL:
        return metrics->values[id].real == 0;
    case METRIC_SUMMARY:
    case METRIC_PERCENTILES:
        break;
    }
    return metrics_summary(metrics, id)->count == 0;
}

void metrics_collect(struct metrics *metrics, const struct metrics *from, enum metric_owner owner)
{
    for (enum metric_id id = 0; id < METRIC_ID_COUNT; id++) {
        if (rows[id].owner != owner) {
            ASSERT(is_zero(from, id));
            continue;
        }
        switch (rows[id].kind) {
        case METRIC_COUNTER:
        case METRIC_GAUGE:
            metrics->values[id].number += from->values[id].number;
            break;
        case METRIC_REAL:
            metrics->values[id].real += from->values[id].real;
            break;
        case METRIC_SUMMARY:
            summary_merge(&metrics->values[id].summary, &from->values[id].summary);
            break;
        case METRIC_PERCENTILES:
            if (from->values[id].histogram != NULL)
                histogram_merge(take_histogram(metrics, id), from->values[id].histogram);
            break;
        }
    }
}

int64_t metrics_number(const struct metrics *metrics, enum metric_id id)
{
    ASSERT(rows[id].kind == METRIC_COUNTER || rows[id].kind == METRIC_GAUGE);
    return metrics->values[id].number;
}

const struct summary *metrics_summary(const struct metrics *metrics, enum metric_id id)
{
    return rows[id].kind == METRIC_SUMMARY ? &metrics->values[id].summary
                                           : &metrics_histogram(metrics, id)->summary;
}

const struct histogram *metrics_histogram(const struct metrics *metrics, enum metric_id id)
{
    ASSERT(rows[id].kind == METRIC_PERCENTILES);
    return metrics->values[id].histogram == NULL ? &nothing : metrics->values[id].histogram;
}
