/* A power cut at every write and every sync of a life, and again at every step of the recovery. */
#include "replica/store/recovery.h"
#include "replica/store/snapshot.h"
#include "replica/store/txnlog.h"
#include "sim/disk.h"
#include "test/lib/check.h"
#include "test/lib/store_world.h"

enum { BATCH_MAX = 6 };

struct life {
    struct store_world world;
    struct sim_disk *sim;
    int64_t acknowledged; /* zxid */
    uint64_t seed;
};

static void life_init(struct life *life, uint64_t seed)
{
    *life = (struct life){.sim = sim_disk_new(seed), .seed = seed};
    world_init(&life->world, seed);
    life->world.data_bytes_max = random_below(&life->seed, 3) == 0 ? 3000 : 200;
    life->world.close_unlisted = random_below(&life->seed, 2) == 0;
    life->world.new_epochs = random_below(&life->seed, 2) == 0;
    life->world.digest_off = random_below(&life->seed, 4) == 0;
}

static void life_deinit(struct life *life)
{
    world_deinit(&life->world);
    sim_disk_free(life->sim);
}

static enum status recover(struct sim_disk *sim, struct recovery *recovery)
{
    struct recovery_options options = world_recovery_options();

    return store_recover(sim_disk(sim), sim_disk(sim), &options, recovery);
}

static void drop(struct recovery *recovery)
{
    tree_free(recovery->tree);
    recovery_deinit(recovery);
}

/* Serves `batches` batches from what a recovery found, or until something fails. */
static void serve(struct life *life, const struct txnlog_position *position, int batches)
{
    struct disk *disk = sim_disk(life->sim);
    uint64_t *seed = &life->seed;
    struct txnlog_options options = {.prealloc_bytes = (uint64_t)random_below(seed, 4) * 4096,
                                     .size_limit_bytes = random_below(seed, 2) ? 0 : 9000,
                                     .force_sync = true,
                                     /* if not: its leader has them off, or this server has */
                                     .digest_enabled =
                                         !life->world.digest_off || random_below(seed, 2) == 0};
    struct txnlog_writer *writer = txnlog_writer_new(disk, &options, position);
    struct txnlog_append batch[BATCH_MAX];
    struct store_notes notes = {0};

    for (int i = 0; i < batches; i++) {
        size_t count = 1 + (size_t)random_below(seed, BATCH_MAX);
        for (size_t j = 0; j < count; j++) {
            batch[j] = world_next(&life->world);
            batch[j].roll_before = random_below(seed, 12) == 0;
        }
        if (txnlog_writer_append(writer, batch, count) != STATUS_OK)
            break;
        if (random_below(seed, 4) == 0)
            continue; /* two batches, one sync */
        if (txnlog_writer_sync(writer) != STATUS_OK)
            break;
        life->acknowledged = world_zxid(&life->world);
        if (random_below(seed, 6) == 0 &&
            snapshot_write(
                disk, life->world.tree,
                &(struct snapshot_image_options){true, random_below(seed, 2) == 0, false},
                (enum store_compression)random_below(seed, 3)) != STATUS_OK)
            break;
        if (random_below(seed, 8) == 0 &&
            store_purge(disk, disk, 3, INT64_MAX, &notes) != STATUS_OK)
            break;
    }
    store_notes_deinit(&notes);
    txnlog_writer_free(writer);
}

/* What came back is a prefix of what was written, with all that was acknowledged; whole. */
static void check_recovered(struct life *life, const struct recovery *recovery)
{
    CHECK(recovery->last_zxid >= life->acknowledged);
    CHECK(recovery->last_zxid <= world_zxid(&life->world));
    CHECK_U64("digests that differ", recovery->digest_mismatches, 0);
    world_go_back(&life->world, recovery->last_zxid);
    check_same_tree(recovery->tree, life->world.tree);
    CHECK_U64("open files", sim_disk_open_files(life->sim), 0);
}

static void must_recover(struct life *life, struct recovery *recovery)
{
    if (recover(life->sim, recovery) != STATUS_OK)
        check_failed(__FILE__, __LINE__, "refused: %s", recovery_reason(recovery));
    check_recovered(life, recovery);
}

static const enum sim_disk_loss losses[] = {SIM_LOSE_SOME, SIM_LOSE_ALL, SIM_LOSE_NOTHING};

PROPERTY(after_a_power_cut_at_any_change_every_acknowledged_transaction_is_there_and_none_is_half)
{
    for (uint64_t crash_at = 1;; crash_at++) {
        struct life life;
        struct recovery recovery;
        life_init(&life, seed);
        must_recover(&life, &recovery);
        sim_disk_crash_at(life.sim, crash_at);
        serve(&life, &recovery.log, 12);
        drop(&recovery);
        bool crashed = sim_disk_crashed(life.sim);
        sim_disk_reboot(life.sim, losses[crash_at % 8 < 6 ? 0 : crash_at % 8 - 5]);
        must_recover(&life, &recovery);
        drop(&recovery);
        life_deinit(&life);
        if (!crashed)
            break;
    }
}

PROPERTY(a_server_survives_one_power_cut_after_the_other)
{
    struct life life;
    struct recovery recovery;

    life_init(&life, seed);
    for (int i = 0; i < 25; i++) {
        must_recover(&life, &recovery);
        sim_disk_crash_at(life.sim, 1 + (uint64_t)random_below(&life.seed, 40));
        serve(&life, &recovery.log, 1 + random_below(&life.seed, 12));
        drop(&recovery);
        sim_disk_reboot(life.sim, losses[random_below(&life.seed, 3)]);
    }
    must_recover(&life, &recovery);
    drop(&recovery);
    life_deinit(&life);
}

PROPERTY(a_recovery_that_is_cut_off_at_any_step_gives_the_same_answer_when_run_again)
{
    struct life life;
    struct recovery recovery;

    life_init(&life, seed);
    must_recover(&life, &recovery);
    sim_disk_crash_at(life.sim, 10 + (uint64_t)random_below(&life.seed, 60));
    serve(&life, &recovery.log, 30);
    drop(&recovery);
    sim_disk_reboot(life.sim, SIM_LOSE_SOME);
    for (uint64_t crash_at = 1;; crash_at++) {
        struct sim_disk *copy = sim_disk_copy(life.sim, seed + crash_at);
        sim_disk_crash_at(copy, crash_at);
        bool done = recover(copy, &recovery) == STATUS_OK;
        drop(&recovery);
        CHECK(done || sim_disk_crashed(copy));
        sim_disk_reboot(copy, losses[crash_at % 3]);
        struct sim_disk *original = life.sim;
        life.sim = copy;
        if (recover(copy, &recovery) != STATUS_OK)
            check_failed(__FILE__, __LINE__, "refused: %s", recovery_reason(&recovery));
        struct recovery straight;
        struct sim_disk *untouched = sim_disk_copy(original, seed);
        CHECK_STATUS(recover(untouched, &straight), STATUS_OK);
        check_same_tree(recovery.tree, straight.tree);
        CHECK_I64("where the log goes on", recovery.log.last_zxid, straight.log.last_zxid);
        CHECK_U64("its link", recovery.log.link, straight.log.link);
        CHECK(recovery.last_zxid >= life.acknowledged);
        drop(&recovery);
        drop(&straight);
        sim_disk_free(untouched);
        life.sim = original;
        sim_disk_free(copy);
        if (done)
            break;
    }
    life_deinit(&life);
}

TEST(a_first_start_that_is_cut_off_at_any_step_is_a_first_start_again)
{
    for (uint64_t crash_at = 1;; crash_at++) {
        struct sim_disk *sim = sim_disk_new(crash_at);
        struct recovery recovery;
        sim_disk_crash_at(sim, crash_at);
        bool done = recover(sim, &recovery) == STATUS_OK;
        drop(&recovery);
        sim_disk_reboot(sim, SIM_LOSE_SOME);
        CHECK_STATUS(recover(sim, &recovery), STATUS_OK);
        CHECK_I64("zxid", recovery.last_zxid, 0);
        CHECK_U64("empty tree", tree_digest(recovery.tree), 1371985504);
        CHECK(sim_disk_bytes(sim, "snapshot.0").size > 0);
        CHECK_U64("files", sim_disk_file_count(sim), 1);
        drop(&recovery);
        sim_disk_free(sim);
        if (done)
            break;
        CHECK(crash_at < 100);
    }
}

/* Damage, not a crash: all was acknowledged. Only what looks exactly like a write cut short, in
 * the last batch, may be taken for one; then it is told, unless nothing is left of the record. */
static void check_damaged(struct life *life, int64_t before_last_batch, bool zeros)
{
    struct recovery recovery;

    enum status status = recover(life->sim, &recovery);
    if (status == STATUS_OK) {
        CHECK(recovery.last_zxid >= before_last_batch);
        if (recovery.last_zxid < life->acknowledged && !zeros)
            CHECK(recovery_noted(&recovery, "a crash had cut short") ||
                  recovery_noted(&recovery, "nothing that was acknowledged"));
        world_go_back(&life->world, recovery.last_zxid);
        check_same_tree(recovery.tree, life->world.tree);
    } else {
        CHECK_STATUS(status, STATUS_CORRUPT);
        CHECK(recovery.notes.count > 0);
    }
    drop(&recovery);
}

static void damage(struct life *life, bool zeros)
{
    struct sim_disk *sim = life->sim;
    const char *name;
    struct slice bytes;

    do { /* a log */
        name = sim_disk_file_name(
            sim, (size_t)random_below(&life->seed, (int32_t)sim_disk_file_count(sim)));
        bytes = sim_disk_bytes(sim, name);
    } while (strncmp(name, "log.", 4) != 0 || bytes.size == 0);
    uint8_t *copy = mem_alloc(bytes.size);
    memcpy(copy, bytes.data, bytes.size);
    size_t at = (size_t)random_below(&life->seed, (int32_t)bytes.size);
    if (zeros)
        memset(copy + at, 0, bytes.size - at < 100 ? bytes.size - at : 100);
    else
        copy[at] ^= (uint8_t)(1 + random_below(&life->seed, 255));
    sim_disk_put(sim, name, slice_of(copy, bytes.size));
    mem_free(copy);
}

static void damage_a_whole_life(uint64_t seed, bool zeros)
{
    for (int i = 0; i < 20; i++) {
        struct life life;
        struct recovery recovery;
        life_init(&life, seed + (uint64_t)i);
        must_recover(&life, &recovery);
        serve(&life, &recovery.log, 20);
        drop(&recovery);
        /* The last batch, by itself. A closeSession without a body has no trailer: if it were the only
         * record, nothing would show that what is in front of it was acknowledged. */
        int64_t before = world_zxid(&life.world);
        life.world.close_unlisted = false;
        must_recover(&life, &recovery);
        serve(&life, &recovery.log, 1);
        drop(&recovery);
        life.acknowledged = world_zxid(&life.world);
        damage(&life, zeros);
        check_damaged(&life, before, zeros);
        life_deinit(&life);
    }
}

PROPERTY(a_changed_byte_in_a_log_is_harmless_or_refused_and_never_loses_what_was_acknowledged)
{
    damage_a_whole_life(seed, /* zeros= */ false);
}

PROPERTY(zeros_in_a_log_are_harmless_or_refused_and_never_lose_what_was_acknowledged)
{
    damage_a_whole_life(seed, /* zeros= */ true);
}

PROPERTY(a_full_disk_loses_nothing_and_the_same_batch_goes_in_when_there_is_space_again)
{
    struct life life;
    struct recovery recovery;

    life_init(&life, seed);
    must_recover(&life, &recovery);
    struct txnlog_options options = {.prealloc_bytes = (uint64_t)random_below(&life.seed, 4) * 4096,
                                     .force_sync = true,
                                     .digest_enabled = true};
    struct txnlog_writer *writer = txnlog_writer_new(sim_disk(life.sim), &options, &recovery.log);
    drop(&recovery);
    int full = 0;
    for (int i = 0; i < 60; i++) {
        struct txnlog_append batch[BATCH_MAX];
        size_t count = 1 + (size_t)random_below(&life.seed, BATCH_MAX);
        for (size_t j = 0; j < count; j++) {
            batch[j] = world_next(&life.world);
            batch[j].roll_before = random_below(&life.seed, 12) == 0;
        }
        int32_t blocks = random_below(&life.seed, 3);
        sim_disk_set_space(life.sim, i == 0 ? 0 : (uint64_t)blocks); /* full once at least */
        enum status status = txnlog_writer_append(writer, batch, count);
        if (status == STATUS_NO_SPACE) {
            full++;
            if (random_below(&life.seed, 3) == 0) { /* the power goes while it is full */
                struct sim_disk *copy = sim_disk_copy(life.sim, seed);
                CHECK_STATUS(recover(copy, &recovery), STATUS_OK);
                CHECK(recovery.last_zxid >= life.acknowledged);
                CHECK(recovery.last_zxid < batch[0].zxid);
                drop(&recovery);
                sim_disk_free(copy);
            }
            sim_disk_set_space(life.sim, UINT64_MAX);
            status = txnlog_writer_append(writer, batch, count);
        }
        CHECK_STATUS(status, STATUS_OK);
        CHECK_STATUS(txnlog_writer_sync(writer), STATUS_OK);
        life.acknowledged = world_zxid(&life.world);
    }
    CHECK(full > 0);
    txnlog_writer_free(writer);
    sim_disk_reboot(life.sim, SIM_LOSE_SOME);
    must_recover(&life, &recovery);
    drop(&recovery);
    life_deinit(&life);
}
