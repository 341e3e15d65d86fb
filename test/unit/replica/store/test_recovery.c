#include "replica/store/recovery.h"
#include "replica/store/snapshot.h"
#include "replica/store/txnlog.h"
#include "sim/disk.h"
#include "test/lib/check.h"
#include "test/lib/recovery_rig.h"

/* --- beginnings --- */

TEST(an_empty_directory_gets_snapshot_0_before_anything_else)
{
    struct recovery_rig rig;

    recovery_rig_init(&rig);
    recovery_rig_must_recover(&rig);
    CHECK(rig.recovery.fresh);
    CHECK_I64("zxid", rig.recovery.last_zxid, 0);
    CHECK_U64("digest", tree_digest(rig.recovery.tree), 1371985504);
    CHECK_U64("files", sim_disk_file_count(rig.sim), 1);
    CHECK(sim_disk_bytes(rig.sim, "snapshot.0").size > 0);
    recovery_rig_must_recover(&rig);
    CHECK(!rig.recovery.fresh);
    recovery_rig_deinit(&rig);
}

TEST(without_db_autocreate_an_empty_directory_is_refused_unless_initialize_was_there)
{
    struct recovery_rig rig;

    recovery_rig_init(&rig);
    rig.options.db_autocreate = false;
    CHECK_STATUS(recovery_rig_recover(&rig), STATUS_INVALID);
    CHECK_U64("files", sim_disk_file_count(rig.sim), 0);
    recovery_rig_must_note(&rig, "is the right volume mounted?");
    rig.options.initialize_found = true;
    recovery_rig_must_recover(&rig);
    CHECK(rig.recovery.fresh);
    recovery_rig_deinit(&rig);
}

TEST(logs_without_a_snapshot_are_refused_or_replayed_from_nothing_when_that_is_trusted)
{
    struct recovery_rig rig;

    recovery_rig_init(&rig);
    recovery_rig_grow(&rig, 20);
    recovery_rig_put_java_log(&rig, "log.1", 1, 20, 4096);
    recovery_rig_must_refuse(&rig,
                             "There is no snapshot, but there are log files (log.1 and 0 more)");
    rig.options.trust_empty = true;
    recovery_rig_must_recover(&rig);
    check_same_tree(rig.recovery.tree, rig.world.tree);
    recovery_rig_must_note(&rig, "snapshot.trust.empty is set");
    /* What came before is unknown: told, not refused. */
    sim_disk_delete(rig.sim, "log.1");
    recovery_rig_put_java_log(&rig, "log.b", 11, 20, 4096);
    recovery_rig_must_recover(&rig);
    recovery_rig_must_note(&rig, "The first transaction in the log is 0xb");
    recovery_rig_deinit(&rig);
}

TEST(unfinished_snapshots_alone_are_refused_unless_they_are_of_a_first_start)
{
    struct recovery_rig rig;

    recovery_rig_init(&rig);
    sim_disk_put(rig.sim, "snapshot.0", SLICE(""));
    recovery_rig_must_recover(&rig);
    CHECK(rig.recovery.fresh);
    sim_disk_delete(rig.sim, "snapshot.0");
    sim_disk_put(rig.sim, "snapshot.5", SLICE("half of it"));
    recovery_rig_must_refuse(&rig, "The only snapshots are unfinished ones (snapshot.5)");
    recovery_rig_must_note(&rig, "The snapshot snapshot.5 is unfinished; ignored.");
    recovery_rig_deinit(&rig);
}

TEST(snapshots_that_were_in_the_making_are_removed)
{
    struct recovery_rig rig;

    recovery_rig_init(&rig);
    recovery_rig_must_recover(&rig);
    sim_disk_put(rig.sim, "tmp.snapshot.5.gz", SLICE("half of it"));
    sim_disk_put(rig.sim, "tmp.log.1d", SLICE(""));
    recovery_rig_must_recover(&rig);
    CHECK(sim_disk_bytes(rig.sim, "tmp.snapshot.5.gz").data == NULL);
    recovery_rig_must_note(&rig, "The unfinished file tmp.snapshot.5.gz was removed.");
    recovery_rig_must_note(&rig, "The unfinished file tmp.log.1d was removed.");
    recovery_rig_deinit(&rig);
}

TEST(a_damaged_snapshot_is_told_and_the_one_before_it_is_used)
{
    struct recovery_rig rig;

    recovery_rig_init(&rig);
    recovery_rig_snapshot(&rig);
    recovery_rig_grow(&rig, 10);
    recovery_rig_snapshot(&rig);
    recovery_rig_grow(&rig, 10);
    recovery_rig_put_java_log(&rig, "log.1", 1, 20, 0);
    recovery_rig_change_byte(&rig, "snapshot.a", 30, 0xff);
    recovery_rig_must_recover(&rig);
    check_same_tree(rig.recovery.tree, rig.world.tree);
    CHECK_I64("snapshot", rig.recovery.snapshot_zxid, 0);
    CHECK_U64("replayed", rig.recovery.replayed, 20);
    recovery_rig_must_note(&rig, "The snapshot snapshot.a is damaged");
    recovery_rig_change_byte(&rig, "snapshot.0", 30, 0xff);
    recovery_rig_must_refuse(&rig, "None of the snapshots can be read");
    recovery_rig_deinit(&rig);
}

TEST(a_snapshot_and_a_log_in_each_others_directory_are_refused)
{
    struct sim_disk *data = sim_disk_new(1), *log = sim_disk_new(2);
    struct store_notes notes = {0};
    char longest[120];

    sim_disk_put(data, "snapshot.0", SLICE("x"));
    sim_disk_put(log, "log.1", SLICE("x"));
    CHECK_STATUS(store_check_dirs(sim_disk(data), sim_disk(log), &notes), STATUS_OK);
    CHECK_U64("notes", notes.count, 0);
    sim_disk_put(data, "log.1", SLICE("x"));
    CHECK_STATUS(store_check_dirs(sim_disk(data), sim_disk(log), &notes), STATUS_INVALID);
    CHECK(strstr(notes.notes[0].text, "Snapshot directory has log files (log.1)") != NULL);
    memset(longest, 'x', sizeof(longest));
    memcpy(longest, "snapshot.", 9);
    longest[119] = '\0';
    sim_disk_put(log, longest, SLICE("x"));
    CHECK_STATUS(store_check_dirs(sim_disk(data), sim_disk(log), &notes), STATUS_INVALID);
    CHECK(strstr(notes.notes[1].text, "Log directory has snapshot files") != NULL);
    sim_disk_fail_at(log, SIM_LIST, 1, STATUS_IO);
    CHECK_STATUS(store_check_dirs(sim_disk(data), sim_disk(log), &notes), STATUS_IO);
    sim_disk_fail_at(data, SIM_LIST, 1, STATUS_IO);
    CHECK_STATUS(store_check_dirs(sim_disk(data), sim_disk(log), &notes), STATUS_IO);
    store_notes_deinit(&notes);
    sim_disk_free(data);
    sim_disk_free(log);
}

TEST(snapshots_and_logs_may_live_in_two_directories)
{
    struct recovery_rig rig;
    struct sim_disk *log = sim_disk_new(2);
    struct buffer bytes = {0};

    recovery_rig_init(&rig);
    recovery_rig_snapshot(&rig);
    recovery_rig_grow(&rig, 20);
    recovery_rig_java_log(&rig, 1, 20, &bytes);
    sim_disk_put(log, "log.1", buffer_slice(&bytes));
    CHECK_STATUS(store_recover(sim_disk(rig.sim), sim_disk(log), &rig.options, &rig.recovery),
                 STATUS_OK);
    check_same_tree(rig.recovery.tree, rig.world.tree);
    buffer_deinit(&bytes);
    sim_disk_free(log);
    recovery_rig_deinit(&rig);
}

/* --- logs of our own --- */

TEST(links_of_our_records_are_checked)
{
    struct recovery_rig rig;
    struct buffer ours = {0};

    recovery_rig_init(&rig);
    recovery_rig_must_recover(&rig);
    struct txnlog_append appends[3];
    for (size_t i = 0; i < 3; i++)
        appends[i] = world_next(&rig.world);
    static const struct {
        struct txnlog_position position; /* of the second record */
        int64_t durable;
        const char *reason;
    } rows[] = {{{.last_zxid = 1}, 0, "its record does not belong to the one in front of it"},
                {{0}, 0, "its record belongs to another history"},
                {{.last_zxid = -1}, 0, NULL}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct txnlog_position position = {0};
        ours.size = 0;
        txnlog_header_write(&ours);
        txnlog_record_write(&ours, appends[0].payload,
                            appends[0].lacks_digest ? TXNLOG_DIGEST_OFF : TXNLOG_DIGEST_THERE, 1, 0,
                            1 << 20, &position);
        if (rows[i].position.last_zxid >= 0)
            position = rows[i].position;
        txnlog_record_write(&ours, appends[1].payload,
                            appends[1].lacks_digest ? TXNLOG_DIGEST_OFF : TXNLOG_DIGEST_THERE, 2,
                            rows[i].durable, 1 << 20, &position);
        recovery_rig_put(&rig, "log.1", &ours, 0);
        if (rows[i].reason != NULL) {
            recovery_rig_must_refuse(&rig, rows[i].reason);
        } else {
            recovery_rig_must_recover(&rig);
            CHECK_I64("zxid", rig.recovery.last_zxid, 2);
            CHECK_U64("link", rig.recovery.log.link, position.link);
        }
    }
    buffer_deinit(&ours);
    recovery_rig_deinit(&rig);
}

TEST(a_missing_file_between_two_of_ours_is_refused_even_over_an_epoch)
{
    struct recovery_rig rig;

    recovery_rig_init(&rig);
    recovery_rig_must_recover(&rig);
    recovery_rig_serve(&rig, 9, 3); /* log.1, log.4, log.7 */
    recovery_rig_must_recover(&rig);
    tree_set_last_zxid(rig.world.tree, 0x100000000);
    recovery_rig_serve(&rig, 6, 3); /* log.100000001, log.100000004 */
    recovery_rig_must_recover(&rig);
    check_same_tree(rig.recovery.tree, rig.world.tree);
    struct sim_disk *whole = rig.sim;
    static const char *const names[] = {"log.1", "log.4", "log.7", "log.100000001"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        rig.sim = sim_disk_copy(whole, 1);
        sim_disk_delete(rig.sim, names[i]);
        recovery_rig_must_refuse(&rig, "transactions are missing in front of it");
        recovery_rig_forget(&rig);
        sim_disk_free(rig.sim);
    }
    rig.sim = whole;
    recovery_rig_deinit(&rig);
}

/* A new leader's first snapshot is named by the start of its epoch, which no record has. */
TEST(records_behind_the_snapshot_of_an_epochs_start_follow_the_last_record_before_it)
{
    struct recovery_rig rig;

    recovery_rig_init(&rig);
    recovery_rig_must_recover(&rig);
    recovery_rig_serve(&rig, 5, 0);
    tree_set_last_zxid(rig.world.tree, 0x100000000);
    recovery_rig_snapshot(&rig);
    recovery_rig_must_recover(&rig);
    CHECK_I64("snapshot", rig.recovery.snapshot_zxid, 0x100000000);
    CHECK_I64("the log goes on behind", rig.recovery.log.last_zxid, 5);
    recovery_rig_serve(&rig, 3, 0);
    recovery_rig_must_recover(&rig);
    check_same_tree(rig.recovery.tree, rig.world.tree);
    sim_disk_delete(rig.sim, "snapshot.100000000");
    recovery_rig_must_recover(&rig); /* from the snapshot before, through both epochs */
    check_same_tree(rig.recovery.tree, rig.world.tree);
    /* A loss in front of it is still seen. */
    size_t size = sim_disk_bytes(rig.sim, "log.1").size;
    CHECK(size > 200);
    for (size_t at = 100; at < 160; at++)
        recovery_rig_change_byte(&rig, "log.1", at, 0);
    CHECK_STATUS(recovery_rig_recover(&rig), STATUS_CORRUPT);
    recovery_rig_deinit(&rig);
}

TEST(zeros_over_a_durable_record_are_refused_and_over_the_last_batch_cut_off)
{
    struct recovery_rig rig;

    recovery_rig_init(&rig);
    recovery_rig_must_recover(&rig);
    rig.world.data_bytes_max = 10;
    recovery_rig_serve(&rig, 10, 0);
    struct slice bytes = sim_disk_bytes(rig.sim, "log.1");
    size_t offsets[11] = {16};
    for (size_t i = 1; i <= 10; i++)
        offsets[i] = offsets[i - 1] + 13 + load_be32(bytes.data + offsets[i - 1] + 8);
    struct sim_disk *whole = rig.sim;
    for (size_t i = 0; i < 10; i++) {
        rig.sim = sim_disk_copy(whole, 1);
        for (size_t at = offsets[i] + 12; at < offsets[i + 1]; at++)
            recovery_rig_change_byte(&rig, "log.1", at, 0);
        if (i < 9) {
            recovery_rig_must_refuse(&rig, "wrong checksum");
        } else {
            recovery_rig_must_recover(&rig);
            recovery_rig_must_note(&rig, "with a write that a crash had cut short");
            CHECK_I64("zxid", rig.recovery.last_zxid, 9);
        }
        recovery_rig_forget(&rig);
        sim_disk_free(rig.sim);
    }
    rig.sim = whole;
    recovery_rig_deinit(&rig);
}

TEST(a_whole_unacknowledged_record_behind_a_torn_one_goes_with_it)
{
    struct recovery_rig rig;
    struct buffer ours = {0};
    struct txnlog_append appends[4];

    recovery_rig_init(&rig);
    recovery_rig_must_recover(&rig);
    for (size_t i = 0; i < 4; i++)
        appends[i] =
            world_create(&rig.world, (const char *[]){"/a", "/b", "/c", "/d"}[i], SLICE(""));
    struct txnlog_position position = {0};
    size_t offsets[4];
    txnlog_header_write(&ours);
    for (size_t i = 0; i < 4; i++) { /* 1 durable; 2, 3, 4 one batch; 4 in a new file */
        offsets[i] = ours.size;
        txnlog_record_write(&ours, appends[i].payload, TXNLOG_DIGEST_THERE, appends[i].zxid,
                            i == 0 ? 0 : 1, 1 << 20, &position);
    }
    struct buffer next = {0};
    txnlog_header_write(&next);
    buffer_append(&next, slice_of(ours.data + offsets[3], ours.size - offsets[3]));
    recovery_rig_put(&rig, "log.4", &next, 0);
    ours.size = offsets[3];
    memset(ours.data + offsets[1], 0, 40);
    recovery_rig_put(&rig, "log.1", &ours, 0);
    recovery_rig_must_recover(&rig);
    CHECK_I64("zxid", rig.recovery.last_zxid, 1);
    CHECK_U64("log.1", sim_disk_bytes(rig.sim, "log.1").size, offsets[1]);
    CHECK(sim_disk_bytes(rig.sim, "torn.log.4.0").size == next.size);
    CHECK(sim_disk_bytes(rig.sim, "log.4").data == NULL);
    buffer_deinit(&next);
    buffer_deinit(&ours);
    recovery_rig_deinit(&rig);
}

/* Where the list of paths is switched off a closeSession has no trailer, and a file of Java's has none. */
TEST(a_record_without_a_trailer_does_not_make_a_file_of_ours_one_of_javas)
{
    static const struct txn_op close = {.type = OP_CLOSE_SESSION, .paths = {{NULL, 0}, -1}};

    for (int with_a_trailer_beside = 0; with_a_trailer_beside < 2; with_a_trailer_beside++) {
        struct recovery_rig rig;
        struct buffer first = {0}, next = {0};
        struct txnlog_position position = {0};
        recovery_rig_init(&rig);
        recovery_rig_must_recover(&rig);
        txnlog_header_write(&first);
        txnlog_header_write(&next);
        for (int i = 1; i <= 4; i++) { /* 1 is durable; 2 is lost; 3 and 4 are in a new file */
            struct txnlog_append append =
                i < 4 && !(i == 3 && !with_a_trailer_beside)
                    ? world_create(&rig.world, (const char *[]){"/a", "/b", "/c"}[i - 1], SLICE(""))
                    : world_add(&rig.world, &close);
            struct buffer lost = {0};
            txnlog_record_write(i == 1   ? &first
                                : i == 2 ? &lost
                                         : &next,
                                append.payload, TXNLOG_DIGEST_THERE, append.zxid,
                                /* durable_zxid= */ i > 1, 1 << 20, &position);
            buffer_deinit(&lost);
        }
        recovery_rig_put(&rig, "log.1", &first, 4096);
        recovery_rig_put(&rig, "log.3", &next, 4096);
        recovery_rig_must_recover(&rig);
        CHECK_I64("zxid", rig.recovery.last_zxid, 1);
        buffer_deinit(&first);
        buffer_deinit(&next);
        recovery_rig_deinit(&rig);
    }
}

TEST(java_may_have_run_in_between)
{
    struct recovery_rig rig;

    recovery_rig_init(&rig);
    recovery_rig_must_recover(&rig);
    recovery_rig_serve(&rig, 10, 4);
    recovery_rig_grow(&rig, 10);
    recovery_rig_put_java_log(&rig, "log.b", 11, 20, 4096);
    recovery_rig_must_recover(&rig);
    CHECK_U64("no link from Java's last record", rig.recovery.log.link, 0);
    recovery_rig_serve(&rig, 10, 4);
    recovery_rig_must_recover(&rig);
    CHECK_I64("zxid", rig.recovery.last_zxid, 30);
    check_same_tree(rig.recovery.tree, rig.world.tree);
    CHECK_U64("digests", rig.recovery.digest_mismatches, 0);
    recovery_rig_deinit(&rig);
}

/* --- the replay --- */

static void count_call(void *context)
{
    ++*(int *)context;
}

TEST(the_replay_is_announced_once)
{
    struct recovery_rig rig;
    int calls = 0;

    recovery_rig_init(&rig);
    rig.options.replay_begins = count_call;
    rig.options.context = &calls;
    recovery_rig_must_recover(&rig); /* nothing there */
    CHECK_I64("calls", calls, 1);
    recovery_rig_serve(&rig, 5, 0);
    recovery_rig_must_recover(&rig);
    CHECK_I64("calls", calls, 2);
    CHECK_U64("replayed", rig.recovery.replayed, 5);
    recovery_rig_deinit(&rig);
}

/* A file that was preallocated is mostly a hole; many of them must not make a start slow. */
TEST(the_empty_end_of_a_log_file_is_not_read)
{
    struct recovery_rig rig;
    const struct txnlog_options options = {
        .prealloc_bytes = 64 << 20, .force_sync = true, .digest_enabled = true};

    recovery_rig_init(&rig);
    recovery_rig_must_recover(&rig);
    struct txnlog_writer *writer =
        txnlog_writer_new(sim_disk(rig.sim), &options, &rig.recovery.log);
    struct txnlog_append append = world_next(&rig.world);
    CHECK_STATUS(txnlog_writer_append(writer, &append, 1), STATUS_OK);
    CHECK_STATUS(txnlog_writer_sync(writer), STATUS_OK);
    txnlog_writer_free(writer);
    sim_disk_forget_calls(rig.sim);
    recovery_rig_must_recover(&rig);
    CHECK_U64("replayed", rig.recovery.replayed, 1);
    CHECK(sim_disk_calls(rig.sim, SIM_READ) < 10);
    sim_disk_fail_at(rig.sim, SIM_SKIP_HOLE, 1, STATUS_IO);
    CHECK_STATUS(recovery_rig_recover(&rig), STATUS_IO);
    recovery_rig_deinit(&rig);
}
