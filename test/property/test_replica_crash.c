/* A whole replica on a disk that loses power: random clients, every possible moment, and again.
 * Everything that was answered must be there afterwards, as it was answered. */
#include "sim/disk.h"
#include "sim/driver.h"
#include "test/lib/check.h"
#include "test/lib/replica_rig.h"
#include "test/lib/requests.h"
#include "test/lib/tree_dump.h"

#include "replica/replica.h"
#include "replica/store/recovery.h"
#include "replica/txn/txn.h"

enum { SPEAKERS = 3, XIDS_MAX = 4096 };

static const struct tree_options tree_options = {
    .hash_seed = 9, .extended_types = true, .digest_enabled = true};

struct answer { /* to the write that has the zxid of its place; xid 0: none was given */
    int32_t op, err;
    bool given;
    struct buffer body;
};

struct life { /* what outlives a power cut: the disk, and what the world remembers */
    struct sim_disk *sim;
    uint64_t seed;
    struct buffer *records; /* proposed, by zxid - 1 */
    struct answer *answers; /* likewise */
    size_t record_count, record_capacity;
    int64_t acknowledged; /* the highest zxid that somebody was told of */
};

static void life_init(struct life *life, uint64_t seed)
{
    *life = (struct life){.sim = sim_disk_new(seed), .seed = seed};
}

static void forget_records(struct life *life, int64_t keep)
{
    while (life->record_count > (size_t)keep) {
        life->record_count--;
        buffer_deinit(&life->records[life->record_count]);
        buffer_deinit(&life->answers[life->record_count].body);
    }
}

static void life_deinit(struct life *life)
{
    forget_records(life, 0);
    mem_free(life->records);
    mem_free(life->answers);
    sim_disk_free(life->sim);
}

static void remember_record(struct life *life, struct slice payload)
{
    if (life->record_count == life->record_capacity) {
        life->record_capacity = life->record_capacity == 0 ? 64 : life->record_capacity * 2;
        life->records = mem_realloc(life->records, life->record_capacity * sizeof(*life->records));
        life->answers = mem_realloc(life->answers, life->record_capacity * sizeof(*life->answers));
    }
    life->records[life->record_count] = (struct buffer){0};
    life->answers[life->record_count] = (struct answer){0};
    buffer_append(&life->records[life->record_count++], payload);
}

/* --- what should be: every record applied in order, and the answers that follow from it --- */

static void put_stat_of(struct buffer *out, const struct txn_op_result *result)
{
    zk_stat_write(out, &result->stat);
}

static void put_result(struct buffer *out, int32_t type, const struct txn_op_result *result)
{
    if (type == OP_CREATE || type == OP_CREATE2 || type == OP_CREATE_CONTAINER ||
        type == OP_CREATE_TTL)
        jute_put_bytes(out, result->path);
    if (type == OP_CREATE2 || type == OP_CREATE_CONTAINER || type == OP_CREATE_TTL ||
        type == OP_SET_DATA || type == OP_SET_ACL)
        put_stat_of(out, result);
}

static void check_answer(const struct answer *answer, const struct txn *txn,
                         const struct txn_result *result)
{
    struct buffer want = {0};

    if (!answer->given)
        return;
    CHECK_I64("the error that was answered", answer->err, result->op.err);
    if (txn->header.type == OP_MULTI) {
        for (int32_t i = 0; i < txn->op_count; i++) {
            const struct txn_op_result *op = &result->ops[i];
            int32_t type = op->type;
            if (type == OP_CREATE_CONTAINER || type == OP_CREATE_TTL)
                type = OP_CREATE2;
            /* The log says create where create2 was asked for; the answer tells them apart. */
            if (type == OP_CREATE && answer->body.size >= want.size + 4 &&
                load_be32(answer->body.data + want.size) == OP_CREATE2)
                type = OP_CREATE2;
            buffer_i32(&want, type);
            buffer_u8(&want, 0);
            buffer_i32(&want, op->err);
            if (op->type == OP_ERROR)
                buffer_i32(&want, op->err);
            else
                put_result(&want, type, op);
        }
        put_multi_end(&want);
    } else if (result->op.err == ZK_OK) {
        put_result(&want, txn->header.type, &result->op);
    }
    struct slice expected = want.data == NULL ? SLICE("") : buffer_slice(&want);
    CHECK(slice_equal(buffer_slice(&answer->body), expected));
    buffer_deinit(&want);
}

static struct tree *replay(const struct life *life)
{
    struct tree *tree = tree_new(&tree_options);
    struct arena arena;

    arena_init(&arena);
    for (size_t i = 0; i < life->record_count; i++) {
        struct txn txn;
        struct txn_result result;
        CHECK_STATUS(txn_read(buffer_slice(&life->records[i]), &arena, &txn), STATUS_OK);
        txn_apply(tree, &txn, NULL, &arena, &result);
        check_answer(&life->answers[i], &txn, &result);
        if (txn.has_digest)
            CHECK_U64("digest of the record", tree_digest(tree), (uint64_t)txn.digest);
        arena_reset(&arena);
    }
    arena_deinit(&arena);
    return tree;
}

/* --- one run of the server: a driver on the disk of the life --- */

struct run {
    struct life *life;
    struct driver driver;
    size_t remembered; /* how many of the driver's records */
    int32_t ops[SPEAKERS][XIDS_MAX];
};

static void read_mail(struct run *run, uint32_t speaker)
{
    struct driver *driver = &run->driver;
    const struct driver_client *client = &driver->clients[speaker];
    struct life *life = run->life;

    while (!rig_silent(driver, speaker)) {
        if (client->read_at == 0) {
            if (rig_shaken(driver, speaker))
                CHECK(tree_session(replica_tree(driver->replica), client->session_id) != NULL);
            continue;
        }
        struct rig_reply reply = rig_next(driver, speaker);
        if (reply.xid < 0)
            continue; /* an event or a ping */
        int32_t op = run->ops[speaker][reply.xid % XIDS_MAX];
        if (op == 0 || (reply.err == ZK_MARSHALLING_ERROR && op != OP_MULTI))
            continue; /* not a write, or one that took no zxid */
        CHECK(reply.zxid > 0 && (size_t)reply.zxid <= life->record_count);
        struct answer *answer = &life->answers[reply.zxid - 1];
        CHECK(!answer->given);
        *answer = (struct answer){.op = op, .err = reply.err, .given = true};
        buffer_append(&answer->body, reply.body);
        if (reply.zxid > life->acknowledged)
            life->acknowledged = reply.zxid;
    }
}

/* Ends the turn; looks at what it gave to the log and to the clients; those who were closed go. */
static void end_turn(struct run *run)
{
    struct driver *driver = &run->driver;

    driver_end_turn(driver);
    for (; run->remembered < driver->record_count; run->remembered++)
        remember_record(run->life, buffer_slice(&driver->records[run->remembered].payload));
    for (uint32_t i = 0; i < SPEAKERS; i++) {
        read_mail(run, i);
        if (driver->clients[i].open && driver->clients[i].closed)
            driver_gone(driver, i);
    }
    driver_end_turn(driver);
}

static void speak(struct run *run, uint32_t speaker)
{
    uint64_t *seed = &run->life->seed;
    struct driver *driver = &run->driver;
    struct driver_client *client = &driver->clients[speaker];
    struct buffer body = {0};

    if (!client->open) {
        driver_open(driver, speaker);
        /* Back to its session of old, which may or may not be there. */
        driver_shake(driver, speaker, random_below(seed, 3) == 0 ? 0 : client->session_id, 4000);
        return;
    }
    if (client->closed || client->paused)
        return;
    int32_t kind = random_below(seed, 40), op;
    if (kind == 0) {
        driver_gone(driver, speaker);
        driver_end_turn(driver); /* then its number may be used again */
        return;
    }
    if (kind == 1)
        op = OP_CLOSE_SESSION;
    else
        op = kind < 8 ? random_read(seed, &body) : random_write(seed, &body);
    int32_t xid = rig_send(driver, speaker, op, &body);
    run->ops[speaker][xid % XIDS_MAX] = kind == 1 || kind >= 8 ? op : 0;
    buffer_deinit(&body);
}

/* The clients of the life before come back to their sessions. */
static void know_sessions(struct driver *driver)
{
    size_t cursor = 0;
    const struct tree_session *session;

    for (uint32_t i = 0; i < SPEAKERS; i++) {
        session = tree_session_next(replica_tree(driver->replica), &cursor);
        if (session == NULL)
            break;
        driver->clients[i].session_id = session->id;
    }
}

static void one_turn(struct run *run)
{
    struct driver *driver = &run->driver;
    uint64_t *seed = &run->life->seed;

    for (int32_t left = random_below(seed, 6); left > 0; left--)
        speak(run, (uint32_t)random_below(seed, SPEAKERS));
    if (random_below(seed, 10) == 0)
        driver_pass(driver, random_below(seed, 4000));
    end_turn(run);
    if (random_below(seed, 2) == 0) { /* else the log thread finds all of it waiting */
        int64_t waiting = (int64_t)(driver->record_count - driver->durable_count);
        driver_sync_to(driver, driver->appended_zxid - random_below(seed, (int32_t)waiting + 1));
    }
    driver_sync(driver);
    end_turn(run);
    (void)driver_image_next(driver, 700);
}

/* Serves for some turns, or until the disk is gone. */
static void serve(struct life *life, struct recovery *recovery, int turns)
{
    struct replica_options options = rig_options();
    uint64_t *seed = &life->seed;
    struct driver_options driver_options = {
        .turn_by_hand = random_below(seed, 2) == 0,
        .close_by_hand = true,
        .disk = sim_disk(life->sim),
        .log = {.prealloc_bytes = (uint64_t)random_below(seed, 3) * 4096,
                .force_sync = true,
                .digest_enabled = true},
        .log_position = recovery->log};
    struct run *run = mem_zalloc(sizeof(*run));

    options.snap_count = 12 + random_below(seed, 40);
    options.container_check_interval_ms = 3000;
    options.session_seed_ms += (int64_t)life->record_count;
    run->life = life;
    driver_init(&run->driver, &driver_options, &options, recovery->tree); /* takes the tree */
    know_sessions(&run->driver);
    for (int turn = 0; turn < turns && run->driver.status == STATUS_OK; turn++)
        one_turn(run);
    if (run->driver.status != STATUS_OK)
        CHECK(sim_disk_crashed(life->sim));
    driver_deinit(&run->driver);
    mem_free(run);
}

/* --- power comes back --- */

static enum status recover(struct life *life, struct recovery *ret_recovery)
{
    struct recovery_options options = {
        .tree = tree_options, .db_autocreate = true, .last_zxid_section = true};
    return store_recover(sim_disk(life->sim), sim_disk(life->sim), &options, ret_recovery);
}

static void power_back(struct life *life)
{
    static const enum sim_disk_loss losses[] = {SIM_LOSE_SOME, SIM_LOSE_SOME, SIM_LOSE_ALL,
                                                SIM_LOSE_NOTHING};
    sim_disk_crash_at(life->sim, 0);
    sim_disk_reboot(life->sim, losses[random_below(&life->seed, (int32_t)ARRAY_LEN(losses))]);
}

/* Recovers and holds what is there against what the world remembers. */
static void recover_and_check(struct life *life, struct recovery *recovery)
{
    struct buffer got = {0}, want = {0};

    enum status status = recover(life, recovery);
    if (status != STATUS_OK)
        check_failed(__FILE__, __LINE__, "recovery: %s: %s", status_text(status),
                     recovery->notes.count == 0
                         ? "no reason"
                         : recovery->notes.notes[recovery->notes.count - 1].text);
    if (recovery->last_zxid < life->acknowledged)
        check_failed(__FILE__, __LINE__, "acknowledged up to %lld, there up to %lld",
                     (long long)life->acknowledged, (long long)recovery->last_zxid);
    CHECK(recovery->last_zxid <= (int64_t)life->record_count);
    forget_records(life, recovery->last_zxid); /* what nobody was told of never was */
    struct tree *tree = replay(life);
    tree_set_last_zxid(tree, recovery->last_zxid);
    tree_dump(recovery->tree, &got);
    tree_dump(tree, &want);
    check_same_dump("recovered and remembered", &got, &want);
    CHECK_U64("mismatches", recovery->digest_mismatches, 0);
    CHECK_U64("orphans", recovery->orphan_ephemerals, 0);
    tree_free(tree);
    buffer_deinit(&got);
    buffer_deinit(&want);
}

/* Starts, serves, and loses power at its n-th change (0: never); then a few more lives. */
static void live_through(uint64_t seed, uint64_t crash_at, int turns, int generations,
                         uint64_t *ret_changes)
{
    struct life life;
    struct recovery recovery;

    life_init(&life, seed);
    sim_disk_crash_at(life.sim, crash_at);
    enum status status = recover(&life, &recovery);
    if (status == STATUS_OK)
        serve(&life, &recovery, turns);
    recovery_deinit(&recovery);
    *ret_changes = sim_disk_changes(life.sim);
    for (int left = generations; left > 0; left--) {
        power_back(&life);
        if (random_below(&life.seed, 4) == 0) { /* and again while it recovers */
            sim_disk_crash_at(life.sim, 1 + (uint64_t)random_below(&life.seed, 4));
            status = recover(&life, &recovery);
            if (status == STATUS_OK)
                tree_free(recovery.tree);
            recovery_deinit(&recovery);
            power_back(&life);
        }
        recover_and_check(&life, &recovery);
        sim_disk_crash_at(life.sim, left == 1 ? 0 : 1 + (uint64_t)random_below(&life.seed, 60));
        serve(&life, &recovery, turns);
        recovery_deinit(&recovery);
    }
    power_back(&life);
    recover_and_check(&life, &recovery);
    tree_free(recovery.tree);
    recovery_deinit(&recovery);
    life_deinit(&life);
}

PROPERTY(what_was_acknowledged_is_there_after_a_power_cut_at_any_change)
{
    enum { TURNS = 14 };
    uint64_t changes, ignored;

    live_through(seed, /* crash_at= */ 0, TURNS, /* generations= */ 0, &changes);
    CHECK(changes > 10);
    for (uint64_t n = 1; n <= changes; n++)
        live_through(seed, n, TURNS, /* generations= */ 1, &ignored);
}

PROPERTY(a_server_lives_through_many_power_cuts)
{
    uint64_t ignored;

    live_through(seed, 1 + seed % 90, /* turns= */ 40, /* generations= */ 10, &ignored);
}
