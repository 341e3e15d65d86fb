#include "replica/store/recovery.h"
#include "replica/store/snapshot.h"
#include "replica/store/txnlog.h"
#include "sim/disk.h"
#include "test/lib/check.h"
#include "test/lib/recovery_rig.h"

#include <stdio.h>

/* --- a disk that fails --- */

/* A directory that needs everything a recovery can do: a leftover, a damaged snapshot, logs, a
 * torn tail, an unacknowledged file. */
static void busy_rig(struct recovery_rig *rig)
{
    recovery_rig_init(rig);
    recovery_rig_must_recover(rig);
    recovery_rig_serve(rig, 10, 5);
    recovery_rig_snapshot(rig);
    recovery_rig_change_byte(rig, "snapshot.a", 20, 9);
    recovery_rig_serve(rig, 0, 0);
    recovery_rig_must_recover(rig);
    recovery_rig_serve(rig, 5, 0);
    struct slice bytes = sim_disk_bytes(rig->sim, "log.b");
    size_t end = bytes.size;
    while (bytes.data[end - 1] == 0)
        end--;
    recovery_rig_cut(rig, "log.b", end - 3);
    sim_disk_put(rig->sim, "log.100", SLICE(""));
    sim_disk_put(rig->sim, "log.200", SLICE("ZKLG"));
    sim_disk_put(rig->sim, "tmp.snapshot.9", SLICE("half"));
}

TEST(every_failing_call_of_the_disk_ends_a_recovery_and_the_next_one_succeeds)
{
    for (int op = 0; op < SIM_OP_COUNT; op++) {
        for (uint64_t n = 1;; n++) {
            struct recovery_rig rig;
            busy_rig(&rig);
            sim_disk_forget_calls(rig.sim);
            sim_disk_fail_at(rig.sim, (enum sim_disk_op)op, n, STATUS_IO);
            enum status status = recovery_rig_recover(&rig);
            bool failed = sim_disk_calls(rig.sim, (enum sim_disk_op)op) >= n;
            CHECK_STATUS(status, failed ? STATUS_IO : STATUS_OK);
            if (failed)
                recovery_rig_must_note(&rig,
                                       "The data directory cannot be read: input/output error.");
            sim_disk_fail_at(rig.sim, (enum sim_disk_op)op, 0, STATUS_OK);
            recovery_rig_must_recover(&rig);
            CHECK_I64("zxid", rig.recovery.last_zxid, 14);
            recovery_rig_deinit(&rig);
            if (!failed)
                break;
        }
    }
}

TEST(what_a_failed_sync_has_dropped_is_on_disk_behind_the_next_start)
{
    struct recovery_rig rig;

    recovery_rig_init(&rig);
    recovery_rig_must_recover(&rig);
    recovery_rig_serve(&rig, 5, 0);
    recovery_rig_must_recover(&rig);
    struct txnlog_options options = {.force_sync = true, .digest_enabled = true};
    struct txnlog_writer *writer =
        txnlog_writer_new(sim_disk(rig.sim), &options, &rig.recovery.log);
    for (int i = 0; i < 2; i++) { /* the first makes the file, the second is in the midst of it */
        struct txnlog_append append = world_next(&rig.world);
        CHECK_STATUS(txnlog_writer_append(writer, &append, 1), STATUS_OK);
        if (i == 1)
            sim_disk_fail_at(rig.sim, SIM_SYNC, 1, STATUS_IO);
        CHECK_STATUS(txnlog_writer_sync(writer), i == 1 ? STATUS_IO : STATUS_OK);
    }
    txnlog_writer_free(writer);
    sim_disk_reboot(rig.sim, SIM_LOSE_NOTHING); /* the process ends: readers still see all of it, */
    recovery_rig_must_recover(&rig);
    CHECK_I64("zxid", rig.recovery.last_zxid, 7);
    sim_disk_reboot(rig.sim, SIM_LOSE_ALL); /* and the server has counted on it */
    recovery_rig_must_recover(&rig);
    CHECK_I64("zxid behind the power loss", rig.recovery.last_zxid, 7);
    recovery_rig_deinit(&rig);
}

/* One batch over two files: nothing says that it was durable, so it is written again. Behind the records of
 * the first file stand zeros that never had blocks of their own. */
TEST(a_full_disk_does_not_keep_a_server_with_files_made_ahead_from_starting)
{
    struct sim_disk *sim = sim_disk_new(1);
    struct disk *disk = sim_disk(sim);
    const struct recovery_options recovery_options = world_recovery_options();
    const struct txnlog_options options = {
        .prealloc_bytes = 1024 * 1024, .force_sync = true, .digest_enabled = true};
    struct store_world world;
    struct recovery recovery;

    world_init(&world, 1);
    CHECK_STATUS(store_recover(disk, disk, &recovery_options, &recovery), STATUS_OK);
    struct txnlog_writer *writer = txnlog_writer_new(disk, &options, &recovery.log);
    tree_free(recovery.tree);
    recovery_deinit(&recovery);
    struct txnlog_append batch[2] = {world_next(&world), world_next(&world)};
    batch[1].roll_before = true;
    CHECK_STATUS(txnlog_writer_append(writer, batch, 2), STATUS_OK);
    CHECK_STATUS(txnlog_writer_sync(writer), STATUS_OK);
    txnlog_writer_free(writer);
    sim_disk_reboot(sim, SIM_LOSE_ALL);
    sim_disk_set_space(sim, 0);
    CHECK_STATUS(store_recover(disk, disk, &recovery_options, &recovery), STATUS_OK);
    CHECK_I64("all is there", recovery.last_zxid, world_zxid(&world));
    tree_free(recovery.tree);
    recovery_deinit(&recovery);
    world_deinit(&world);
    sim_disk_free(sim);
}

TEST(every_failing_call_of_the_disk_ends_a_first_start)
{
    for (int op = 0; op < SIM_OP_COUNT; op++) {
        for (uint64_t n = 1;; n++) {
            struct recovery_rig rig;
            recovery_rig_init(&rig);
            sim_disk_fail_at(rig.sim, (enum sim_disk_op)op, n, STATUS_IO);
            enum status status = recovery_rig_recover(&rig);
            bool failed = sim_disk_calls(rig.sim, (enum sim_disk_op)op) >= n;
            CHECK_STATUS(status, failed ? STATUS_IO : STATUS_OK);
            recovery_rig_deinit(&rig);
            if (!failed)
                break;
        }
    }
}

TEST(a_file_that_gets_shorter_while_it_is_read_is_an_error_of_the_disk)
{
    for (uint64_t n = 1;; n++) {
        struct recovery_rig rig;
        busy_rig(&rig);
        sim_disk_short_reads(rig.sim, n);
        sim_disk_forget_calls(rig.sim);
        enum status status = recovery_rig_recover(&rig);
        bool shortened = sim_disk_calls(rig.sim, SIM_READ) >= n;
        CHECK_STATUS(status, shortened ? STATUS_IO : STATUS_OK);
        sim_disk_short_reads(rig.sim, 0);
        recovery_rig_deinit(&rig);
        if (!shortened)
            break;
    }
}

TEST(every_failing_read_of_a_large_log_is_told_from_damage)
{
    struct recovery_rig rig;
    struct buffer bytes = {0};
    uint8_t *data = mem_alloc(130970);

    recovery_rig_init(&rig);
    recovery_rig_snapshot(&rig);
    memset(data, 'x', 130970);
    for (int i = 0; i < 20; i++) {
        char path[16];
        (void)snprintf(path, sizeof(path), "/%c%c", 'a' + i / 10, '0' + i % 10);
        (void)world_create(&rig.world, path, slice_of(data, 130970));
    }
    recovery_rig_java_log(&rig, 1, 20, &bytes);
    CHECK_U64("record ends where the reader's window of 1 MB ends", bytes.size,
              16 + 20 * (1024 * 1024 - 16) / 8);
    for (int damaged = 0; damaged < 2; damaged++) {
        recovery_rig_put(&rig, "log.1", &bytes, 0);
        if (damaged) { /* the search comes by the end of the window byte by byte */
            recovery_rig_change_byte(&rig, "log.1", 100, '!');
            recovery_rig_change_byte(&rig, "log.1", 7 * (1024 * 1024 - 16) / 8 + 100, '!');
        }
        sim_disk_forget_calls(rig.sim);
        CHECK_STATUS(recovery_rig_recover(&rig), damaged ? STATUS_CORRUPT : STATUS_OK);
        uint64_t reads = sim_disk_calls(rig.sim, SIM_READ);
        CHECK(reads > 4);
        for (uint64_t n = 1; n <= reads; n++) {
            sim_disk_fail_at(rig.sim, SIM_READ, n, STATUS_IO);
            CHECK_STATUS(recovery_rig_recover(&rig), STATUS_IO);
        }
    }
    mem_free(data);
    buffer_deinit(&bytes);
    recovery_rig_deinit(&rig);
}

TEST(two_snapshots_of_one_zxid_do_no_harm)
{
    struct recovery_rig rig;

    recovery_rig_init(&rig);
    recovery_rig_grow(&rig, 10);
    recovery_rig_snapshot(&rig);
    CHECK_STATUS(snapshot_write(sim_disk(rig.sim), rig.world.tree,
                                &(struct snapshot_image_options){true, true, false}, STORE_GZIP),
                 STATUS_OK);
    recovery_rig_must_recover(&rig);
    check_same_tree(rig.recovery.tree, rig.world.tree);
    recovery_rig_deinit(&rig);
}

TEST(large_records_and_many_files_are_replayed)
{
    struct recovery_rig rig;
    uint8_t *data = mem_alloc(900000);

    recovery_rig_init(&rig);
    recovery_rig_must_recover(&rig);
    struct txnlog_options options = {
        .prealloc_bytes = 65536, .force_sync = true, .digest_enabled = true};
    struct txnlog_writer *writer =
        txnlog_writer_new(sim_disk(rig.sim), &options, &rig.recovery.log);
    for (int i = 0; i < 30; i++) {
        char path[16];
        (void)snprintf(path, sizeof(path), "/big%d", i);
        memset(data, i, 900000);
        struct txnlog_append append = world_create(&rig.world, path, slice_of(data, 900000));
        append.roll_before = i % 10 == 0;
        CHECK_STATUS(txnlog_writer_append(writer, &append, 1), STATUS_OK);
    }
    CHECK_STATUS(txnlog_writer_sync(writer), STATUS_OK);
    txnlog_writer_free(writer);
    recovery_rig_must_recover(&rig);
    check_same_tree(rig.recovery.tree, rig.world.tree);
    mem_free(data);
    recovery_rig_deinit(&rig);
}
