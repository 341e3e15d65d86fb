#include "replica/store/recovery.h"
#include "replica/store/snapshot.h"
#include "sim/disk.h"
#include "test/lib/check.h"
#include "test/lib/recovery_rig.h"

/* --- purge --- */

static void purge_rig(struct recovery_rig *rig)
{
    recovery_rig_init(rig);
    recovery_rig_must_recover(rig);
    for (int i = 0; i < 6; i++) { /* snapshots 0, 5, a, f, 14, 19, 1e; logs 1, 6, b, 10, 15, 1a */
        recovery_rig_serve(rig, 5, 0);
        recovery_rig_snapshot(rig);
        recovery_rig_must_recover(rig);
    }
}

static bool there(const struct recovery_rig *rig, const char *name)
{
    return sim_disk_bytes(rig->sim, name).data != NULL;
}

TEST(purge_keeps_three_good_snapshots_and_the_logs_that_the_oldest_needs)
{
    struct recovery_rig rig;
    struct store_notes notes = {0};

    purge_rig(&rig);
    CHECK_STATUS(store_purge(sim_disk(rig.sim), sim_disk(rig.sim), 3, INT64_MAX, &notes),
                 STATUS_OK);
    static const char *const kept[] = {"snapshot.14", "snapshot.19", "snapshot.1e",
                                       "log.10",      "log.15",      "log.1a"};
    for (size_t i = 0; i < ARRAY_LEN(kept); i++)
        CHECK(there(&rig, kept[i]));
    CHECK_U64("files", sim_disk_file_count(rig.sim), ARRAY_LEN(kept));
    CHECK_U64("removed", notes.count, 4 + 3);
    CHECK_TEXT("first", notes.notes[0].text, "Removed log.1.");
    recovery_rig_must_recover(&rig);
    check_same_tree(rig.recovery.tree, rig.world.tree);
    CHECK_STATUS(store_purge(sim_disk(rig.sim), sim_disk(rig.sim), 3, INT64_MAX, &notes),
                 STATUS_OK);
    CHECK_U64("nothing more", notes.count, 7);
    store_notes_deinit(&notes);
    recovery_rig_deinit(&rig);
}

TEST(purge_leaves_the_logs_that_somebody_reads)
{
    struct recovery_rig rig;
    struct store_notes notes = {0};

    purge_rig(&rig);
    CHECK_STATUS(
        store_purge(sim_disk(rig.sim), sim_disk(rig.sim), 3, /* reading_zxid= */ 6, &notes),
        STATUS_OK);
    CHECK(!there(&rig, "log.1") && there(&rig, "log.6") && there(&rig, "log.b"));
    CHECK(!there(&rig, "snapshot.a"));
    recovery_rig_must_recover(&rig);
    check_same_tree(rig.recovery.tree, rig.world.tree);
    CHECK_STATUS(store_purge(sim_disk(rig.sim), sim_disk(rig.sim), 3, INT64_MAX, &notes),
                 STATUS_OK);
    CHECK(!there(&rig, "log.6") && !there(&rig, "log.b") && there(&rig, "log.10"));
    store_notes_deinit(&notes);
    recovery_rig_deinit(&rig);
}

TEST(purge_counts_no_damaged_snapshot_and_recovery_from_the_oldest_kept_works)
{
    struct recovery_rig rig;
    struct store_notes notes = {0};

    purge_rig(&rig);
    recovery_rig_change_byte(&rig, "snapshot.1e", 40, 0xff);
    recovery_rig_cut(&rig, "snapshot.14", 50);
    sim_disk_put(rig.sim, "snapshot.qq", SLICE("not ours"));
    CHECK_STATUS(store_purge(sim_disk(rig.sim), sim_disk(rig.sim), 2, INT64_MAX, &notes),
                 STATUS_OK);
    CHECK(there(&rig, "snapshot.f") && there(&rig, "snapshot.a") && there(&rig, "snapshot.19"));
    CHECK(there(&rig, "snapshot.14") && there(&rig, "snapshot.1e") && there(&rig, "snapshot.qq"));
    CHECK(!there(&rig, "snapshot.5") && !there(&rig, "log.1") && there(&rig, "log.6"));
    sim_disk_delete(rig.sim, "snapshot.19");
    sim_disk_delete(rig.sim, "snapshot.f");
    recovery_rig_must_recover(&rig);
    CHECK_I64("from", rig.recovery.snapshot_zxid, 0xa);
    check_same_tree(rig.recovery.tree, rig.world.tree);
    store_notes_deinit(&notes);
    recovery_rig_deinit(&rig);
}

TEST(purge_without_a_good_snapshot_removes_nothing)
{
    struct recovery_rig rig;
    struct store_notes notes = {0};

    recovery_rig_init(&rig);
    sim_disk_put(rig.sim, "snapshot.5", SLICE("12345\0\0\0\1/"));
    sim_disk_put(rig.sim, "log.1", SLICE("x"));
    sim_disk_put(rig.sim, "log.2", SLICE("x"));
    CHECK_STATUS(store_purge(sim_disk(rig.sim), sim_disk(rig.sim), 3, INT64_MAX, &notes),
                 STATUS_OK);
    CHECK_U64("files", sim_disk_file_count(rig.sim), 3);
    CHECK_U64("notes", notes.count, 0);
    recovery_rig_deinit(&rig);
}

TEST(every_failing_call_of_the_disk_ends_a_purge)
{
    for (int op = 0; op < SIM_OP_COUNT; op++) {
        for (uint64_t n = 1;; n++) {
            struct recovery_rig rig;
            struct store_notes notes = {0};
            purge_rig(&rig);
            sim_disk_forget_calls(rig.sim);
            sim_disk_fail_at(rig.sim, (enum sim_disk_op)op, n, STATUS_IO);
            enum status status =
                store_purge(sim_disk(rig.sim), sim_disk(rig.sim), 3, INT64_MAX, &notes);
            bool failed = sim_disk_calls(rig.sim, (enum sim_disk_op)op) >= n;
            CHECK_STATUS(status, failed ? STATUS_IO : STATUS_OK);
            store_notes_deinit(&notes);
            sim_disk_fail_at(rig.sim, (enum sim_disk_op)op, 0, STATUS_OK);
            recovery_rig_must_recover(&rig);
            check_same_tree(rig.recovery.tree, rig.world.tree);
            recovery_rig_deinit(&rig);
            if (!failed)
                break;
        }
    }
}
