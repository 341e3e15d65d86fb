/* load.c: get, set, create and mix: outstanding requests, and the latency of their answers.
 *
 * Without a rate the loop is closed: an answer is followed by the next request of its session. With one,
 * requests leave by the clock and a latency counts from when the request was due, so that a server
 * that stalls cannot hide it. */
#include "bench/load.h"

#include "base/hash.h"
#include "bench/fleet.h"
#include "bench/requests.h"
#include "wire/zk.h"

#include <stdio.h>

enum { PREFILL_SESSIONS = 4, PREFILL_OUTSTANDING = 256 };

struct load {
    const struct bench_options *options;
    struct bench_result *result; /* NULL: a prefill */
    uint8_t *data;
    struct request_form get, set;
    uint64_t random_state;
    uint32_t next_create, create_end; /* numbers of znodes to make; create_end 0: no end */
    uint64_t replies_max;
    uint32_t run_id; /* tells the created znodes of this run from those of others */
    bool stopping, measuring, failed;
    bool paced; /* requests leave by the clock, not behind an answer */
    int64_t next_due_ns;
    uint32_t next_session;
};

static uint32_t random_below(struct load *load, uint32_t bound)
{
    load->random_state += 0x9e3779b97f4a7c15u;
    return (uint32_t)((hash_u64(load->random_state, 1) >> 32) * bound >> 32);
}

static struct slice load_data(const struct load *load)
{
    return slice_of(load->data, load->options->data_bytes);
}

static void send_create(struct load *load, struct fleet_session *session)
{
    char path[BENCH_PATH_BYTES + 1 + 16];
    uint32_t number = load->next_create++;

    if (load->result == NULL) {
        bench_path(number, path);
        request_create(session, slice_of(path, BENCH_PATH_BYTES), load_data(load));
        return;
    }
    int size = snprintf(path, sizeof(path), BENCH_ROOT "/%x/%010u", load->run_id, number);
    request_create(session, slice_of(path, (size_t)size), load_data(load));
}

static void send_next(struct load *load, struct fleet_session *session)
{
    enum bench_op op = load->options->op;

    if (load->result == NULL || op == BENCH_CREATE) {
        if (load->create_end == 0 || load->next_create < load->create_end)
            send_create(load, session);
        return;
    }
    uint32_t number = random_below(load, load->options->paths);
    if (op == BENCH_MIX)
        op = random_below(load, 100) < load->options->read_percent ? BENCH_GET : BENCH_SET;
    request_send(session, op == BENCH_GET ? &load->get : &load->set, number);
}

static void on_reply(void *context, struct fleet_session *session, int32_t err, int64_t latency_ns)
{
    struct load *load = context;

    if (load->result == NULL) {
        if (err != ZK_OK && err != ZK_NODE_EXISTS && !load->failed) {
            fprintf(stderr, "bench: cannot make the znodes: the server answers %d\n", err);
            load->failed = true;
        }
    } else if (load->measuring) {
        histogram_add(&load->result->latency, latency_ns);
        if (err != ZK_OK && load->result->errors++ == 0)
            fprintf(stderr, "bench: the server answers %d\n", err);
        if (load->replies_max > 0 &&
            (uint64_t)load->result->latency.summary.count >= load->replies_max)
            load->stopping = true;
    }
    if (!load->stopping && !load->failed && !load->paced)
        send_next(load, session);
}

static struct fleet *open_fleet(struct load *load, uint32_t sessions, uint32_t outstanding)
{
    struct fleet_options options = {.servers = load->options->servers,
                                    .session_count = sessions,
                                    .in_flight_max = outstanding,
                                    .timeout_ms = load->options->timeout_ms,
                                    .on_reply = on_reply,
                                    .context = load};
    return fleet_open(&options);
}

static bool anything_in_flight(struct fleet *fleet, uint32_t sessions)
{
    for (uint32_t i = 0; i < sessions; i++) {
        if (fleet_get(fleet, i)->in_flight > 0)
            return true;
    }
    return false;
}

static bool start_all(struct load *load, struct fleet *fleet, uint32_t sessions,
                      uint32_t outstanding)
{
    for (uint32_t i = 0; i < sessions; i++) {
        struct fleet_session *session = fleet_get(fleet, i);
        for (uint32_t j = 0; j < outstanding; j++)
            send_next(load, session);
        if (!fleet_flush(session))
            return false;
    }
    return true;
}

/* One znode, waited for; it may be there already. */
static bool create_one(struct load *load, struct fleet *fleet, const char *path)
{
    struct fleet_session *session = fleet_get(fleet, 0);

    load->stopping = true; /* no next request behind the answer */
    request_create(session, slice_text(path), SLICE(""));
    bool fine = fleet_flush(session);
    while (fine && session->in_flight > 0)
        fine = fleet_step(fleet, 1000);
    load->stopping = false;
    return fine && !load->failed;
}

bool load_prefill(const struct bench_options *options, uint32_t count)
{
    struct load load = {.options = options, .create_end = count};
    struct fleet *fleet = open_fleet(&load, PREFILL_SESSIONS, PREFILL_OUTSTANDING);

    if (fleet == NULL)
        return false;
    load.data = mem_zalloc(options->data_bytes);
    bool fine = create_one(&load, fleet, BENCH_ROOT) &&
                start_all(&load, fleet, PREFILL_SESSIONS, PREFILL_OUTSTANDING);
    while (fine && !load.failed && anything_in_flight(fleet, PREFILL_SESSIONS))
        fine = fleet_step(fleet, 1000);
    fleet_close(fleet);
    mem_free(load.data);
    return fine && !load.failed;
}

/* What is due by now, on the next session that has room; when none has, it stays due. */
static bool send_due(struct load *load, struct fleet *fleet)
{
    const struct bench_options *options = load->options;
    int64_t now_ns = fleet_clock_ns(), distance_ns = (int64_t)(1e9 / options->rate);

    for (uint32_t full = 0; load->next_due_ns <= now_ns && full < options->sessions;) {
        struct fleet_session *session = fleet_get(fleet, load->next_session);
        load->next_session = (load->next_session + 1) % options->sessions;
        if (session->in_flight == options->outstanding) {
            full++;
            continue;
        }
        full = 0;
        fleet_set_request_time(fleet, load->next_due_ns);
        send_next(load, session);
        fleet_set_request_time(fleet, now_ns);
        if (!fleet_flush(session))
            return false;
        load->next_due_ns += distance_ns;
    }
    return true;
}

static bool step_until(struct load *load, struct fleet *fleet, int64_t end_ns)
{
    while (fleet_clock_ns() < end_ns && !load->stopping) {
        if (load->paced && !send_due(load, fleet))
            return false;
        int wait_ms = load->options->spin ? 0 : load->paced ? 1 : 10;
        if (!fleet_step(fleet, wait_ms))
            return false;
    }
    return true;
}

static bool measure(struct load *load, struct fleet *fleet)
{
    const struct bench_options *options = load->options;
    struct bench_result *result = load->result;
    char root[BENCH_PATH_BYTES + 16];

    load->run_id = (uint32_t)fleet_clock_ns();
    snprintf(root, sizeof(root), BENCH_ROOT "/%x", load->run_id);
    if (options->op == BENCH_CREATE) {
        if (!create_one(load, fleet, root))
            return false;
    }
    load->paced = options->rate > 0;
    load->next_due_ns = fleet_clock_ns();
    if ((!load->paced && !start_all(load, fleet, options->sessions, options->outstanding)) ||
        !step_until(load, fleet, fleet_clock_ns() + (int64_t)(options->warmup_s * 1e9)))
        return false;
    (void)fleet_take_longest_silence_ns(fleet);
    load->measuring = true;
    int64_t start_ns = fleet_clock_ns(), end_ns = INT64_MAX;
    if (options->ops == 0)
        end_ns = start_ns + (int64_t)(options->duration_s * 1e9);
    if (!step_until(load, fleet, end_ns))
        return false;
    result->seconds = (double)(fleet_clock_ns() - start_ns) / 1e9;
    result->longest_silence_ns = fleet_take_longest_silence_ns(fleet);
    load->measuring = false;
    load->stopping = true;
    while (anything_in_flight(fleet, options->sessions)) {
        if (!fleet_step(fleet, 1000))
            return false;
    }
    return true;
}

bool load_run(const struct bench_options *options, struct bench_result *result)
{
    struct load load = {.options = options,
                        .result = result,
                        .random_state = options->seed,
                        .replies_max = options->ops};
    struct fleet *fleet = open_fleet(&load, options->sessions, options->outstanding);

    if (fleet == NULL)
        return false;
    load.data = mem_zalloc(options->data_bytes);
    request_form_get(&load.get, /* watch= */ false);
    request_form_set(&load.set, load_data(&load));
    bool fine = measure(&load, fleet);
    fleet_close(fleet);
    request_form_deinit(&load.get);
    request_form_deinit(&load.set);
    mem_free(load.data);
    return fine;
}
