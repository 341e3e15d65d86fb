#include "metrics/metrics.h"

#include "test/lib/check.h"

#include <ctype.h>
#include <string.h>

TEST(every_row_has_a_name_of_its_own_a_unit_and_a_sentence)
{
    for (enum metric_id id = 0; id < METRIC_ID_COUNT; id++) {
        const struct metric_info *info = metric_info(id);
        for (const char *at = info->name; *at != '\0'; at++)
            CHECK(islower((unsigned char)*at) || isdigit((unsigned char)*at) || *at == '_');
        CHECK(info->unit != NULL);
        CHECK(isupper((unsigned char)info->help[0]) && info->help[strlen(info->help) - 1] == '.');
        for (enum metric_id other = 0; other < id; other++)
            CHECK(strcmp(metric_info(other)->name, info->name) != 0);
    }
}

TEST(what_owners_have_counted_comes_together)
{
    struct metrics log = {0}, front = {0}, all = {0};

    metrics_observe(&log, METRIC_FSYNC_TIME, 7);
    metrics_observe(&log, METRIC_LOG_FLUSH_TIME, 5);
    metrics_count(&front, METRIC_PACKETS_SENT, 3);
    metrics_set_real(&front, METRIC_DROP_PROBABILITY, 0.5);
    metrics_collect(&all, &log, METRICS_OF_LOG);
    metrics_collect(&all, &front, METRICS_OF_FRONT);
    CHECK_I64("summary", metrics_summary(&all, METRIC_FSYNC_TIME)->sum, 7);
    CHECK_I64("percentiles",
              histogram_percentile(metrics_histogram(&all, METRIC_LOG_FLUSH_TIME), 1), 5);
    CHECK_I64("counter", metrics_number(&all, METRIC_PACKETS_SENT), 3);
    CHECK(all.values[METRIC_DROP_PROBABILITY].real == 0.5);
    CHECK_I64("nobody's", metrics_number(&all, METRIC_SNAP_COUNT), 0);
    metrics_deinit(&log);
    metrics_deinit(&front);
    metrics_deinit(&all);
}

TEST(a_reset_forgets_what_happened_and_keeps_what_is)
{
    struct metrics metrics = {0};

    metrics_count(&metrics, METRIC_WATCH_BYTES, 3);
    metrics_set(&metrics, METRIC_ZNODES, 4);
    metrics_observe(&metrics, METRIC_WATCHERS_CREATED, 5);
    metrics_observe_times(&metrics, METRIC_READ_LATENCY, 6, 2);
    CHECK_I64("before", metrics_summary(&metrics, METRIC_READ_LATENCY)->count, 2);
    metrics_reset(&metrics);
    CHECK_I64("counter", metrics_number(&metrics, METRIC_WATCH_BYTES), 0);
    CHECK_I64("gauge", metrics_number(&metrics, METRIC_ZNODES), 4);
    CHECK_I64("summary", metrics_summary(&metrics, METRIC_WATCHERS_CREATED)->count, 0);
    CHECK_I64("percentiles", metrics_summary(&metrics, METRIC_READ_LATENCY)->count, 0);
    metrics_deinit(&metrics);
}
