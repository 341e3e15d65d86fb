/* watchers.c: how long one change takes to reach all its watchers; and sessions that only ping.
 *
 * A round sets all watches, waits until they are answered, changes the znode and counts events. */
#include "bench/fleet.h"
#include "bench/load.h"
#include "bench/requests.h"
#include "wire/zk.h"

#include <stdio.h>

enum { WATCH_ROUNDS = 20, WATCH_WARMUP_ROUNDS = 2 };

struct watchers {
    uint32_t watches_set, events, errors;
    struct request_form watch, set;
};

static void on_reply(void *context, struct fleet_session *session, int32_t err, int64_t latency_ns)
{
    struct watchers *watchers = context;

    (void)latency_ns;
    if (err != ZK_OK)
        watchers->errors++;
    else if (session->index != 0)
        watchers->watches_set++;
}

static void on_event(void *context)
{
    struct watchers *watchers = context;

    watchers->events++;
}

/* Session 0 writes, the others watch. */
static bool one_round(const struct bench_options *options, struct watchers *watchers,
                      struct fleet *fleet, int64_t *ret_duration_ns)
{
    struct fleet_session *writer = fleet_get(fleet, 0);

    watchers->watches_set = watchers->events = 0;
    for (uint32_t i = 1; i <= options->sessions; i++) {
        request_send(fleet_get(fleet, i), &watchers->watch, 0);
        if (!fleet_flush(fleet_get(fleet, i)))
            return false;
    }
    while (watchers->watches_set < options->sessions && watchers->errors == 0) {
        if (!fleet_step(fleet, 1000))
            return false;
    }
    int wait_ms = options->spin ? 0 : 1000;
    int64_t start_ns = fleet_clock_ns();
    request_send(writer, &watchers->set, 0);
    if (!fleet_flush(writer))
        return false;
    while (watchers->events < options->sessions && watchers->errors == 0) {
        if (!fleet_step(fleet, wait_ms))
            return false;
    }
    *ret_duration_ns = fleet_clock_ns() - start_ns;
    while (writer->in_flight > 0 && watchers->errors == 0) {
        if (!fleet_step(fleet, 1000))
            return false;
    }
    if (watchers->errors > 0)
        fprintf(stderr, "bench: a watcher or the writer was answered an error\n");
    return watchers->errors == 0;
}

bool watchers_run(const struct bench_options *options, struct bench_result *result)
{
    struct watchers watchers = {0};
    uint8_t *data = mem_zalloc(options->data_bytes);
    struct fleet_options fleet_options = {.servers = options->servers,
                                          .session_count = options->sessions + 1,
                                          .in_flight_max = 1,
                                          .timeout_ms = options->timeout_ms,
                                          .on_reply = on_reply,
                                          .on_event = on_event,
                                          .context = &watchers};
    struct fleet *fleet = fleet_open(&fleet_options);
    uint64_t rounds = options->ops == 0 ? WATCH_ROUNDS : options->ops;
    bool fine = fleet != NULL;

    request_form_get(&watchers.watch, /* watch= */ true);
    request_form_set(&watchers.set, slice_of(data, options->data_bytes));
    for (uint64_t i = 0; fine && i < rounds + WATCH_WARMUP_ROUNDS; i++) {
        int64_t duration_ns = 0;
        fine = one_round(options, &watchers, fleet, &duration_ns);
        if (fine && i >= WATCH_WARMUP_ROUNDS) {
            histogram_add(&result->latency, duration_ns);
            result->seconds += (double)duration_ns / 1e9;
        }
    }
    if (fleet != NULL)
        fleet_close(fleet);
    request_form_deinit(&watchers.watch);
    request_form_deinit(&watchers.set);
    mem_free(data);
    return fine;
}

bool idle_run(const struct bench_options *options, struct bench_result *result)
{
    struct fleet_options fleet_options = {.servers = options->servers,
                                          .session_count = options->sessions,
                                          .in_flight_max = 1,
                                          .timeout_ms = options->timeout_ms};
    struct fleet *fleet = fleet_open(&fleet_options);

    if (fleet == NULL)
        return false;
    printf("ready\n");
    fflush(stdout);
    int64_t start_ns = fleet_clock_ns();
    int64_t end_ns = start_ns + (int64_t)(options->duration_s * 1e9);
    bool fine = true;
    while (fine && fleet_clock_ns() < end_ns)
        fine = fleet_step(fleet, 100);
    result->seconds = (double)(fleet_clock_ns() - start_ns) / 1e9;
    fleet_close(fleet);
    return fine;
}
