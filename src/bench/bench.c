/* bench.c: one run from the command line to the printed result. Numbers are printed as measured: nothing
 * is left out, rounded up or run again. */
#include "bench/bench.h"

#include "bench/fleet.h"
#include "bench/load.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

static double own_cpu_seconds(void)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static double percentile_us(const struct bench_result *result, double fraction)
{
    return (double)histogram_percentile(&result->latency, fraction) / 1e3;
}

static void print_result(const struct bench_options *options, const struct bench_result *result,
                         double cpu_seconds)
{
    double ops_per_s =
        result->seconds > 0 ? (double)result->latency.summary.count / result->seconds : 0;

    if (options->json) {
        printf("{\"op\": \"%s\", \"sessions\": %u, \"outstanding\": %u, \"size\": %u, "
               "\"ops\": %lld, \"errors\": %llu, \"seconds\": %.3f, \"ops_per_s\": %.1f, "
               "\"p50_us\": %.1f, \"p90_us\": %.1f, \"p99_us\": %.1f, \"p999_us\": %.1f, "
               "\"max_us\": %.1f, \"silence_us\": %.1f, \"prefill_s\": %.3f, "
               "\"client_cpu_s\": %.3f}\n",
               bench_op_name(options->op), options->sessions, options->outstanding,
               options->data_bytes, (long long)result->latency.summary.count,
               (unsigned long long)result->errors, result->seconds, ops_per_s,
               percentile_us(result, 0.5), percentile_us(result, 0.9), percentile_us(result, 0.99),
               percentile_us(result, 0.999), (double)result->latency.summary.max / 1e3,
               (double)result->longest_silence_ns / 1e3, result->prefill_seconds, cpu_seconds);
        return;
    }
    if (options->prefill > 0)
        printf("prefill  %u znodes in %.2f s\n", options->prefill, result->prefill_seconds);
    if (options->op == BENCH_NONE || options->op == BENCH_IDLE)
        return;
    printf("%-8s %u sessions x %u outstanding, %u bytes\n", bench_op_name(options->op),
           options->sessions, options->outstanding, options->data_bytes);
    printf("  %.0f ops/s  (%lld in %.2f s, %llu errors)\n", ops_per_s,
           (long long)result->latency.summary.count, result->seconds,
           (unsigned long long)result->errors);
    printf("  p50 %.0f  p90 %.0f  p99 %.0f  p99.9 %.0f  max %.0f us\n", percentile_us(result, 0.5),
           percentile_us(result, 0.9), percentile_us(result, 0.99), percentile_us(result, 0.999),
           (double)result->latency.summary.max / 1e3);
    if (result->longest_silence_ns > 0)
        printf("  longest silence %.1f ms\n", (double)result->longest_silence_ns / 1e6);
}

static bool run(const struct bench_options *options, struct bench_result *result)
{
    if (!options->reuse && (options->prefill > 0 || options->op != BENCH_IDLE)) {
        int64_t start_ns = fleet_clock_ns();
        if (!load_prefill(options, options->op == BENCH_WATCH ? 1 : options->paths))
            return false;
        result->prefill_seconds = (double)(fleet_clock_ns() - start_ns) / 1e9;
    }
    switch (options->op) {
    case BENCH_NONE:
        return true;
    case BENCH_WATCH:
        return watchers_run(options, result);
    case BENCH_IDLE:
        return idle_run(options, result);
    default:
        return load_run(options, result);
    }
}

int bench_main(int argc, char **argv)
{
    static struct bench_result result;
    struct bench_options options;

    if (argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0)) {
        bench_options_help();
        return 0;
    }
    if (!bench_options_read(argc, argv, &options))
        return 2;
    result = (struct bench_result){0};
    double cpu_before = own_cpu_seconds();
    bool fine = run(&options, &result);
    if (fine)
        print_result(&options, &result, own_cpu_seconds() - cpu_before);
    return fine ? 0 : 1;
}
