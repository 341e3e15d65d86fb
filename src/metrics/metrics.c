/* metrics.c: the values behind the table. Observations take memory only where there are some. */
#include "metrics/metrics.h"

#define METRIC_ROW(id, name, kind, unit, help) {name, kind, unit, help},
static const struct metric_info rows[] = {METRICS_TABLE(METRIC_ROW)};
static const struct summary nothing;

const struct metric_info *metric_info(enum metric_id id)
{
    ASSERT(id < METRIC_ID_COUNT);
    return &rows[id];
}

void metrics_deinit(struct metrics *metrics)
{
    for (size_t id = 0; id < METRIC_ID_COUNT; id++)
        mem_free(metrics->summaries[id]);
    *metrics = (struct metrics){0};
}

void metrics_reset(struct metrics *metrics)
{
    for (size_t id = 0; id < METRIC_ID_COUNT; id++) {
        if (rows[id].kind != METRIC_GAUGE)
            metrics->values[id] = 0;
        mem_free(metrics->summaries[id]);
        metrics->summaries[id] = NULL;
    }
}

static struct summary *summary_of(struct metrics *metrics, enum metric_id id)
{
    ASSERT(rows[id].kind == METRIC_SUMMARY || rows[id].kind == METRIC_PERCENTILES);
    if (metrics->summaries[id] == NULL)
        metrics->summaries[id] = mem_zalloc(sizeof(struct summary));
    return metrics->summaries[id];
}

void metrics_observe(struct metrics *metrics, enum metric_id id, int64_t value)
{
    summary_add(summary_of(metrics, id), value);
}

void metrics_merge(struct metrics *metrics, const struct metrics *from)
{
    for (size_t id = 0; id < METRIC_ID_COUNT; id++) {
        metrics->values[id] += from->values[id];
        if (from->summaries[id] != NULL)
            summary_merge(summary_of(metrics, (enum metric_id)id), from->summaries[id]);
    }
}

const struct summary *metrics_summary(const struct metrics *metrics, enum metric_id id)
{
    ASSERT(id < METRIC_ID_COUNT);
    return metrics->summaries[id] == NULL ? &nothing : metrics->summaries[id];
}
