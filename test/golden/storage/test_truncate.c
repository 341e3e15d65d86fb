/* TRUNC in directories that a real server wrote: to every transaction of theirs. */
#include "replica/store/start.h"
#include "replica/store/store_files.h"
#include "replica/store/truncate.h"
#include "replica/store/txnlog_reader.h"
#include "sim/disk.h"
#include "test/lib/check.h"
#include "test/lib/store_world.h"
#include "test/lib/unpack.h"

#include <stdio.h>

struct zxids {
    int64_t at[512];
    size_t count;
};

static void read_zxids(struct sim_disk *sim, struct zxids *ret_zxids)
{
    struct store_files files;

    ret_zxids->count = 0;
    CHECK_STATUS(store_files_list(sim_disk(sim), STORE_FILE_LOG, &files), STATUS_OK);
    for (size_t i = 0; i < files.count; i++) {
        struct txnlog_reader reader;
        enum txnlog_header header;
        struct txnlog_spot spot;
        CHECK_STATUS(txnlog_reader_open(&reader, sim_disk(sim), files.files[i].name,
                                        TXNLOG_PAYLOAD_BYTES_MAX),
                     STATUS_OK);
        CHECK_STATUS(txnlog_reader_header(&reader, &header), STATUS_OK);
        for (;;) {
            CHECK_STATUS(txnlog_reader_next(&reader, &spot), STATUS_OK);
            if (spot.found != TXNLOG_FOUND_RECORD)
                break;
            CHECK(ret_zxids->count < ARRAY_LEN(ret_zxids->at));
            ret_zxids->at[ret_zxids->count++] = txnlog_payload_zxid(spot.payload);
        }
        txnlog_reader_close(&reader);
    }
    store_files_deinit(&files);
}

static enum status truncate_to(struct sim_disk *sim, int64_t zxid, struct recovery *recovery)
{
    struct recovery_options options = world_recovery_options();

    options.keep_orphans = true;
    return store_truncate(sim_disk(sim), sim_disk(sim), &options, zxid, recovery);
}

static void drop(struct recovery *recovery)
{
    tree_free(recovery->tree);
    recovery_deinit(recovery);
}

/* The records' own digests say whether the tree is right. */
static void check_truncated(struct sim_disk *sim, const struct zxids *before, int64_t zxid,
                            const struct recovery *truncated)
{
    struct recovery_options options = world_recovery_options();
    struct recovery recovery;
    struct zxids left;

    options.keep_orphans = true;
    CHECK_STATUS(store_start(sim_disk(sim), sim_disk(sim), &options, &recovery), STATUS_OK);
    CHECK_I64("last zxid", recovery.last_zxid, zxid);
    CHECK_U64("digests that differ", recovery.digest_mismatches, 0);
    CHECK_I64("the log goes on behind", truncated->log.last_zxid, recovery.log.last_zxid);
    check_same_tree(recovery.tree, truncated->tree);
    drop(&recovery);
    read_zxids(sim, &left);
    size_t want = 0;
    while (want < before->count && before->at[want] <= zxid)
        want++;
    CHECK_U64("records left", left.count, want);
}

static void check_every_zxid(const char *name, const char *directory)
{
    struct sim_disk *original = unpack(name, directory);
    struct zxids zxids;

    read_zxids(original, &zxids);
    CHECK(zxids.count > 5);
    for (size_t i = 0; i < zxids.count; i++) {
        struct sim_disk *sim = sim_disk_copy(original, i);
        struct recovery recovery;
        CHECK_STATUS(truncate_to(sim, zxids.at[i], &recovery), STATUS_OK);
        check_truncated(sim, &zxids, zxids.at[i], &recovery);
        drop(&recovery);
        sim_disk_free(sim);
    }
    sim_disk_free(original);
}

TEST(a_members_directory_over_three_epochs_is_truncated_to_each_of_its_transactions)
{
    check_every_zxid("ensemble-3-epochs", "data/server1/version-2");
    check_every_zxid("ensemble-3-epochs", "data/server2/version-2");
    check_every_zxid("ensemble-3-epochs", "data/server3/version-2");
}

TEST(a_truncation_leaves_the_log_that_javas_truncation_left)
{
    struct sim_disk *sim = unpack("sync-trunc-before-after", "data/before-trunc/version-2");
    struct sim_disk *java = unpack("sync-trunc-before-after", "data/after-trunc/version-2");
    struct recovery recovery;

    CHECK_STATUS(truncate_to(sim, 0x100000007, &recovery), STATUS_OK);
    CHECK_SLICE("log", sim_disk_bytes(sim, "log.100000001"), sim_disk_bytes(java, "log.100000001"));
    drop(&recovery);
    sim_disk_free(java);
    sim_disk_free(sim);
}

TEST(a_truncation_to_the_zxid_of_a_snapshot_needs_no_record_of_it)
{
    struct sim_disk *sim = unpack("ensemble-3-epochs", "data/server2/version-2");
    struct recovery recovery;

    sim_disk_delete(sim, "log.100000025");
    CHECK_STATUS(truncate_to(sim, 0x20000000f, &recovery), STATUS_NOT_FOUND);
    drop(&recovery);
    CHECK_STATUS(truncate_to(sim, 0x20000000e, &recovery), STATUS_OK);
    CHECK_I64("last zxid", recovery.last_zxid, 0x20000000e);
    CHECK_I64("the log goes on behind", recovery.log.last_zxid, 0x20000000e);
    CHECK_U64("link", recovery.log.link, 0);
    CHECK(sim_disk_bytes(sim, "log.200000010").data == NULL);
    CHECK(sim_disk_bytes(sim, "log.300000001").data == NULL);
    CHECK(sim_disk_bytes(sim, "snapshot.30000000c").data == NULL);
    CHECK(sim_disk_bytes(sim, "truncated.snapshot.30000000c").data != NULL);
    drop(&recovery);
    sim_disk_free(sim);
}

TEST(a_snapshot_that_reaches_above_the_truncation_is_not_taken_though_its_name_is_below)
{
    struct sim_disk *sim = unpack("fuzzy-snapshot", "data/version-2"); /* 0x28, holds up to 0x4d */
    struct recovery recovery;

    CHECK_STATUS(truncate_to(sim, 0x4c, &recovery), STATUS_NOT_FOUND);
    drop(&recovery);
    struct sim_disk *rich = unpack("standalone-rich", "data/version-2");
    sim_disk_put(sim, "snapshot.0", sim_disk_bytes(rich, "snapshot.0"));
    CHECK_STATUS(truncate_to(sim, 0x4c, &recovery), STATUS_OK);
    CHECK_I64("snapshot", recovery.snapshot_zxid, 0);
    CHECK(sim_disk_bytes(sim, "snapshot.28").data == NULL);
    struct zxids left;
    read_zxids(sim, &left);
    CHECK_I64("last record", left.at[left.count - 1], 0x4c);
    drop(&recovery);
    sim_disk_free(rich);
    sim_disk_free(sim);
}
