/* metrics.h: what is counted, said once, for every way of showing it.
 *
 * table.h has one row for each metric: its name as ZooKeeper's monitors know it, its kind, its unit
 * and a sentence of help. Whoever owns the fact counts it through the functions below and does
 * nothing else; renderers (mntr now, JSON and Prometheus later) walk the table.
 *
 * A struct metrics belongs to one thread. Values of several are brought together by metrics_merge()
 * where they are shown. */
#ifndef METRICS_METRICS_H
#define METRICS_METRICS_H

#include "base/summary.h"
#include "metrics/table.h"

enum metric_kind {
    METRIC_COUNTER,    /* only grows; srst sets it to 0 */
    METRIC_GAUGE,      /* a state: set when it is shown; srst leaves it alone */
    METRIC_SUMMARY,    /* count, sum, least, greatest, average of what was observed */
    METRIC_PERCENTILES /* the same, and p50, p95, p99, p99.9 */
};

#define METRIC_ID(id, name, kind, unit, help) METRIC_##id,
enum metric_id { METRICS_TABLE(METRIC_ID) METRIC_ID_COUNT };
#undef METRIC_ID

struct metric_info {
    const char *name; /* without "zk_" */
    enum metric_kind kind;
    const char *unit; /* "ms", "bytes", "requests", ...; "" when it is a plain number */
    const char *help; /* one sentence */
};
const struct metric_info *metric_info(enum metric_id id);

struct metrics { /* zeroed: nothing was counted */
    int64_t values[METRIC_ID_COUNT];
    struct summary *summaries[METRIC_ID_COUNT]; /* NULL: nothing was observed */
};
void metrics_deinit(struct metrics *metrics);
/* As the word srst does: counters and observations start anew, gauges stay. */
void metrics_reset(struct metrics *metrics);
/* Adds all counts and observations of `from`; gauges of `from` that are not 0 count, too. */
void metrics_merge(struct metrics *metrics, const struct metrics *from);

static inline void metrics_count(struct metrics *metrics, enum metric_id id, int64_t more)
{
    metrics->values[id] += more;
}

static inline void metrics_set(struct metrics *metrics, enum metric_id id, int64_t value)
{
    metrics->values[id] = value;
}

void metrics_observe(struct metrics *metrics, enum metric_id id, int64_t value);
/* Never NULL; an empty one where nothing was observed. */
const struct summary *metrics_summary(const struct metrics *metrics, enum metric_id id);

#endif
