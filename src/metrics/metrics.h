/* metrics.h: what is counted, in one place, for every way of showing it.
 *
 * table.h has one row for each metric: its owner, its name as ZooKeeper's monitors know it, its kind,
 * its unit and a sentence of help. Only its owner counts it, through the functions below; renderers
 * (mntr) walk the table.
 *
 * Each owner has its own struct metrics, which belongs to its thread or is protected by its lock.
 * metrics_collect() adds them up where they are shown. */
#ifndef METRICS_METRICS_H
#define METRICS_METRICS_H

#include "base/histogram.h"
#include "metrics/table.h"

enum metric_kind {
    METRIC_COUNTER,    /* only grows; srst sets it to 0 */
    METRIC_GAUGE,      /* a state: set when it is shown; srst leaves it alone */
    METRIC_REAL,       /* the same, with a fraction */
    METRIC_SUMMARY,    /* count, sum, least, greatest, average of what was observed */
    METRIC_PERCENTILES /* the same, and p50, p95, p99, p99.9 */
};

enum metric_owner {
    METRICS_OF_NOBODY,
    METRICS_OF_REPLICA,
    METRICS_OF_FRONT,     /* connections */
    METRICS_OF_LOG,       /* the log thread */
    METRICS_OF_SNAPSHOTS, /* the snapshot thread */
    METRICS_OF_SERVER     /* the loop, the start, the process */
};

#define METRIC_ID(id, owner, name, kind, unit, help) METRIC_##id,
enum metric_id { METRICS_TABLE(METRIC_ID) METRIC_ID_COUNT };
#undef METRIC_ID

struct metric_info {
    const char *name; /* without "zk_" */
    enum metric_owner owner;
    enum metric_kind kind;
    const char *unit; /* "ms", "bytes", "requests", ...; "" when it is a plain number */
    const char *help; /* one sentence */
};
const struct metric_info *metric_info(enum metric_id id);

enum metric_role {
    METRICS_ALONE,
    METRICS_LEARNER,
    METRICS_MASTER, /* a learner that serves observers */
    METRICS_LEADER
};
/* Does a server of this role show it? Most are shown by every server. */
bool metric_is_of_role(enum metric_id id, enum metric_role role);

struct metrics { /* zeroed: nothing was counted */
    union {
        int64_t number; /* counter, gauge */
        double real;
        struct summary summary;
        struct histogram *histogram; /* percentiles; NULL: nothing was observed */
    } values[METRIC_ID_COUNT];
};
void metrics_deinit(struct metrics *metrics);
/* As the word srst does: counters and observations start again from 0, gauges stay. */
void metrics_reset(struct metrics *metrics);
/* Adds what this owner has counted. A value of another owner in `from` is a bug. */
void metrics_collect(struct metrics *metrics, const struct metrics *from, enum metric_owner owner);

/* The id is one of the kind that the function is for. */
static inline void metrics_count(struct metrics *metrics, enum metric_id id, int64_t more)
{
    metrics->values[id].number += more;
}

static inline void metrics_set(struct metrics *metrics, enum metric_id id, int64_t value)
{
    metrics->values[id].number = value;
}

static inline void metrics_set_real(struct metrics *metrics, enum metric_id id, double value)
{
    metrics->values[id].real = value;
}

void metrics_observe(struct metrics *metrics, enum metric_id id, int64_t value);
void metrics_observe_times(struct metrics *metrics, enum metric_id id, int64_t value,
                           int64_t times);

int64_t metrics_number(const struct metrics *metrics, enum metric_id id); /* counter, gauge */
/* Never NULL; empty where nothing was observed. The first is for both kinds of observations. */
const struct summary *metrics_summary(const struct metrics *metrics, enum metric_id id);
const struct histogram *metrics_histogram(const struct metrics *metrics, enum metric_id id);

#endif
