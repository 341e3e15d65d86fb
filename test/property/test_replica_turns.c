/* A turn is the host's affair: how many events it has makes no difference to anybody outside.
 *
 * One run ends its turns by chance, as a busy daemon does. Its events are then stepped again, each in a
 * turn of its own. Whoever was connected must have got the same bytes, and the log the same records. */
#include "sim/driver.h"
#include "test/lib/check.h"
#include "test/lib/replica_rig.h"
#include "test/lib/requests.h"

#include "base/array.h"
#include "replica/replica.h"
#include "replica/tree/tree.h"

enum { SPEAKERS = 5, EVENTS = 1500, LARGE_BYTES = 300 * 1024 };

struct connection { /* what one of them got in all */
    struct buffer mail;
    bool closed;
    const char *close_reason;
    bool cut; /* lost in the middle of a turn: what that turn had for it went nowhere */
};

struct run {
    struct driver driver;
    struct connection *connections; /* in the order in which they ended */
    size_t count, capacity;
    bool cut[SPEAKERS];
};

static void run_init(struct run *run, uint64_t seed, bool turn_by_hand)
{
    struct driver_options driver_options = {
        .turn_by_hand = turn_by_hand, .room_by_hand = true, .close_by_hand = true};
    struct replica_options options = rig_options();

    *run = (struct run){0};
    options.outstanding_max = random_below(&seed, 3) == 0 ? 5 : 1000;
    options.throttle_requests_max = random_below(&seed, 3) == 0 ? 3 : 0;
    options.throttle_stall_ms = 100;
    options.container_check_interval_ms = 2000;
    options.container_never_used_max_ms = 4000;
    options.snap_count = 20 + random_below(&seed, 100);
    driver_init(&run->driver, &driver_options, &options, rig_tree());
}

static void run_free(struct run *run)
{
    for (size_t i = 0; i < run->count; i++)
        buffer_deinit(&run->connections[i].mail);
    mem_free(run->connections);
    driver_deinit(&run->driver);
    mem_free(run);
}

/* The connection has ended, or the run has. */
static void keep_connection(struct run *run, uint32_t client)
{
    struct driver_client *at = &run->driver.clients[client];

    run->connections = ARRAY_RESERVE(run->connections, run->capacity, run->count + 1, ARRAY_FIRST);
    run->connections[run->count++] = (struct connection){.mail = at->mail,
                                                         .closed = at->closed,
                                                         .close_reason = at->close_reason,
                                                         .cut = run->cut[client]};
    at->mail = (struct buffer){0};
    run->cut[client] = false;
}

/* --- one run, by chance --- */

static void come(struct run *run, uint32_t client, uint64_t *seed)
{
    struct driver *driver = &run->driver;
    int64_t older = driver->clients[random_below(seed, SPEAKERS)].session_id;

    if (driver->clients[client].gone_in_turn == driver->turn)
        driver_end_turn(driver);
    keep_connection(run, client);
    driver_open(driver, client);
    driver_shake(driver, client, random_below(seed, 2) == 0 ? older : 0, 4000);
}

static void go(struct run *run, uint32_t client, uint64_t *seed)
{
    if (random_below(seed, 2) == 0)
        driver_end_turn(&run->driver);
    else
        run->cut[client] = true;
    driver_gone(&run->driver, client);
}

static void speak(struct run *run, uint32_t client, uint64_t *seed)
{
    static char large[LARGE_BYTES];
    struct driver *driver = &run->driver;
    struct buffer body = {0};
    int32_t kind = random_below(seed, 100);

    if (kind == 0) {
        (void)rig_send(driver, client, OP_CLOSE_SESSION, NULL);
    } else if (kind == 1) {
        uint8_t garbage[64];
        random_fill(seed, garbage, sizeof(garbage));
        driver_frame(driver, client, slice_of(garbage, (size_t)random_below(seed, 64)));
    } else if (kind < 7) { /* answers that do not all leave at once */
        memset(large, 'x', sizeof(large) - 1);
        (void)rig_set(driver, client, "/", kind == 2 ? "small" : large);
    } else if (kind < 30) {
        (void)rig_get(driver, client, "/", /* watch= */ false);
    } else {
        int32_t op = kind < 55 ? random_read(seed, &body) : random_write(seed, &body);
        (void)rig_send(driver, client, op, &body);
    }
    buffer_deinit(&body);
}

static void happen(struct run *run, uint64_t *seed)
{
    struct driver *driver = &run->driver;
    uint32_t client = (uint32_t)random_below(seed, SPEAKERS);
    struct driver_client *at = &driver->clients[client];
    int64_t waiting = (int64_t)(driver->record_count - driver->durable_count);

    switch (random_below(seed, 10)) {
    case 0:
        driver_jump(driver, random_below(seed, random_below(seed, 10) == 0 ? 20000 : 500));
        break;
    case 1:
        driver_sync(driver);
        break;
    case 2:
        driver_sync_to(driver, driver->appended_zxid - random_below(seed, (int32_t)waiting + 1));
        break;
    case 3:
        driver_ready(driver, client);
        break;
    case 4:
        if (driver->image_running && random_below(seed, 5) == 0)
            driver_image_finish(driver);
        break;
    default:
        if (!at->open)
            come(run, client, seed);
        else if (at->closed || random_below(seed, 100) == 0)
            go(run, client, seed);
        else
            speak(run, client, seed);
        break;
    }
    if (random_below(seed, 5) == 0)
        driver_end_turn(driver);
}

static void end_run(struct run *run)
{
    driver_end_turn(&run->driver);
    for (uint32_t i = 0; i < SPEAKERS; i++)
        keep_connection(run, i);
}

/* --- and again --- */

static void step_again(struct run *run, const struct driver_journal *journal)
{
    for (size_t i = 0; i < journal->count; i++) {
        const struct replica_event *event = &journal->events[i];
        if (event->kind == REPLICA_CLIENT_OPENED)
            keep_connection(run, event->client);
        driver_step(&run->driver, event);
    }
}

static void check_connection(const struct connection *batched, const struct connection *single)
{
    struct slice got = buffer_slice(&batched->mail), want = buffer_slice(&single->mail);

    if (batched->cut) { /* its last answers may be missing, and the word that it was closed */
        CHECK(got.size <= want.size);
        CHECK_SLICE("mail, but for its end", got,
                    got.data == NULL ? SLICE_NULL : slice_of(want.data, got.size));
        return;
    }
    CHECK_SLICE("mail", got, want);
    CHECK(batched->closed == single->closed && batched->close_reason == single->close_reason);
}

static void check_records(const struct driver *batched, const struct driver *single)
{
    CHECK_U64("records", batched->record_count, single->record_count);
    for (size_t i = 0; i < batched->record_count; i++) {
        const struct driver_record *got = &batched->records[i], *want = &single->records[i];
        CHECK_I64("zxid", got->zxid, want->zxid);
        CHECK_SLICE("record", buffer_slice(&got->payload), buffer_slice(&want->payload));
        CHECK(got->roll_before == want->roll_before && got->lacks_digest == want->lacks_digest);
    }
}

PROPERTY(every_client_and_the_log_get_the_same_wherever_the_turns_end)
{
    struct run *batched = mem_zalloc(sizeof(*batched)), *single = mem_zalloc(sizeof(*single));
    struct driver_journal journal;
    uint64_t chance = seed;

    driver_journal_init(&journal);
    run_init(batched, seed, /* turn_by_hand= */ true);
    batched->driver.journal = &journal;
    for (int i = 0; i < EVENTS; i++)
        happen(batched, &chance);
    end_run(batched);
    run_init(single, seed, /* turn_by_hand= */ false);
    step_again(single, &journal);
    end_run(single);

    CHECK(batched->driver.turn < journal.count && single->driver.turn > journal.count);
    CHECK(batched->driver.record_count > 50);
    check_records(&batched->driver, &single->driver);
    CHECK_U64("connections", batched->count, single->count);
    for (size_t i = 0; i < batched->count; i++)
        check_connection(&batched->connections[i], &single->connections[i]);
    for (uint32_t i = 0; i < SPEAKERS; i++) {
        const struct driver_client *got = &batched->driver.clients[i];
        const struct driver_client *want = &single->driver.clients[i];
        CHECK(got->open == want->open);
        CHECK(!got->open || (got->paused == want->paused && got->held == want->held &&
                             got->hold_count == want->hold_count));
    }
    CHECK_U64("images", batched->driver.image_count, single->driver.image_count);
    CHECK_U64("digest", tree_digest(replica_tree(batched->driver.replica)),
              tree_digest(replica_tree(single->driver.replica)));
    run_free(batched);
    run_free(single);
    driver_journal_deinit(&journal);
}
