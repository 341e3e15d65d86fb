#include "replica/store/recovery.h"
#include "replica/store/snapshot.h"
#include "replica/store/txnlog.h"
#include "sim/disk.h"
#include "test/lib/check.h"
#include "test/lib/recovery_rig.h"

#include <stdio.h>

/* --- logs of Java --- */

/* log.1 with 1..20 over snapshot.0; the bytes of it in *bytes. */
static size_t java_rig(struct recovery_rig *rig, struct buffer *bytes)
{
    recovery_rig_init(rig);
    recovery_rig_snapshot(rig);
    recovery_rig_grow(rig, 20);
    size_t last = recovery_rig_java_log(rig, 1, 20, bytes);
    recovery_rig_put(rig, "log.1", bytes, 4096);
    return last;
}

TEST(any_version_and_dbid_is_read_and_any_other_magic_refused)
{
    struct recovery_rig rig;
    struct buffer bytes = {0};

    java_rig(&rig, &bytes);
    recovery_rig_change_byte(&rig, "log.1", 7, 7);
    recovery_rig_change_byte(&rig, "log.1", 15, 7);
    recovery_rig_must_recover(&rig);
    CHECK_I64("zxid", rig.recovery.last_zxid, 20);
    recovery_rig_change_byte(&rig, "log.1", 0, 'X');
    recovery_rig_must_refuse(
        &rig, "damaged at byte 0, after transaction 0x0: it does not begin as a log file");
    recovery_rig_must_note(&rig, "records=20");
    recovery_rig_must_note(&rig, "to go on without these transactions, move log.1 away");
    buffer_deinit(&bytes);
    recovery_rig_deinit(&rig);
}

TEST(a_changed_byte_in_the_last_record_is_refused_as_in_java)
{
    struct recovery_rig rig;
    struct buffer bytes = {0};
    size_t last = java_rig(&rig, &bytes);

    recovery_rig_change_byte(&rig, "log.1", last + 30, (uint8_t)(bytes.data[last + 30] ^ 0x10));
    recovery_rig_must_refuse(&rig, "after transaction 0x13: wrong checksum");
    recovery_rig_must_note(&rig, "cut it with: truncate -s");
    buffer_deinit(&bytes);
    recovery_rig_deinit(&rig);
}

TEST(a_record_size_out_of_bounds_is_refused_and_zero_ends_the_file)
{
    static const struct {
        uint32_t size;
        const char *reason;
    } rows[] = {{0x7f000000, "unreasonable record size"},
                {0xffffffff, "unreasonable record size"},
                {0xfffffffe, "unreasonable record size"},
                {2097151, "unreasonable record size"},
                {0, NULL}};
    struct recovery_rig rig;
    struct buffer bytes = {0};
    size_t last = java_rig(&rig, &bytes);

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        store_be32(bytes.data + last + 8, rows[i].size);
        recovery_rig_put(&rig, "log.1", &bytes, 4096);
        if (rows[i].reason != NULL) {
            recovery_rig_must_refuse(&rig, rows[i].reason);
            continue;
        }
        recovery_rig_must_recover(&rig);
        CHECK_I64("zxid", rig.recovery.last_zxid, 19);
    }
    buffer_deinit(&bytes);
    recovery_rig_deinit(&rig);
}

TEST(a_record_that_is_no_transaction_is_refused)
{
    struct recovery_rig rig;
    struct buffer bytes = {0}, payload = {0};

    java_rig(&rig, &bytes);
    bytes.size = 16;
    put_java_record(&bytes, SLICE("too short for a header"));
    recovery_rig_put(&rig, "log.1", &bytes, 4096);
    recovery_rig_must_refuse(&rig, "a record too short for a transaction");
    struct txn_header header = {.zxid = 1, .type = 77};
    txn_header_write(&payload, &header);
    bytes.size = 16;
    put_java_record(&bytes, buffer_slice(&payload));
    recovery_rig_put(&rig, "log.1", &bytes, 4096);
    recovery_rig_must_refuse(
        &rig, "log.1 is damaged at byte 16, transaction 0x1: a type of transaction that is "
              "not known here");
    header.type = OP_DELETE;
    payload.size = bytes.size = 0;
    txnlog_header_write(&bytes);
    txn_header_write(&payload, &header);
    put_java_record(&bytes, buffer_slice(&payload));
    recovery_rig_put(&rig, "log.1", &bytes, 4096);
    recovery_rig_must_refuse(&rig, "its checksum is right, but it is no transaction");
    buffer_deinit(&payload);
    buffer_deinit(&bytes);
    recovery_rig_deinit(&rig);
}

TEST(a_torn_tail_in_every_form_is_cut_off_and_a_copy_kept)
{
    struct recovery_rig rig;
    struct buffer bytes = {0};
    size_t last = java_rig(&rig, &bytes), end = bytes.size;

    for (size_t size = last + 1; size < end; size++) {
        for (size_t padding = 0; padding <= 4096; padding += 2048) {
            bytes.size = size;
            recovery_rig_put(&rig, "log.1", &bytes, padding);
            recovery_rig_must_recover(&rig);
            CHECK_I64("zxid", rig.recovery.last_zxid, 19);
            bool any = false; /* is there anything but zeros of it? */
            for (size_t i = last; i < size; i++)
                any |= bytes.data[i] != 0;
            char torn[64];
            (void)snprintf(torn, sizeof(torn), "torn.log.1.%zu", last);
            struct slice copy = sim_disk_bytes(rig.sim, torn);
            if (!any) {
                CHECK(copy.data == NULL);
                continue;
            }
            CHECK_U64("cut to", sim_disk_bytes(rig.sim, "log.1").size, last);
            CHECK(copy.size <= size - last);
            CHECK_SLICE("copy", copy, slice_of(bytes.data + last, copy.size));
            recovery_rig_must_note(&rig, torn);
            sim_disk_delete(rig.sim, torn);
        }
    }
    buffer_deinit(&bytes);
    recovery_rig_deinit(&rig);
}

TEST(a_file_that_goes_on_right_behind_a_torn_tail_is_an_earlier_restart)
{
    struct recovery_rig rig;
    struct buffer bytes = {0};

    java_rig(&rig, &bytes);
    size_t last = recovery_rig_java_log(&rig, 1, 11, &bytes);
    bytes.size = last + 20;
    recovery_rig_put(&rig, "log.1", &bytes, 4096);
    recovery_rig_put_java_log(&rig, "log.b", 11, 20, 4096);
    recovery_rig_must_recover(&rig);
    check_same_tree(rig.recovery.tree, rig.world.tree);
    recovery_rig_must_note(&rig, "log.b continues after the record before it");
    CHECK_U64("nothing is cut", sim_disk_bytes(rig.sim, "log.1").size, last + 20 + 4096);
    /* But when it does not go on there, something is missing. */
    sim_disk_delete(rig.sim, "log.b");
    recovery_rig_put_java_log(&rig, "log.c", 12, 20, 4096);
    recovery_rig_must_refuse(&rig, "log.1 is damaged at byte");
    recovery_rig_must_note(&rig, "and move all newer log files away");
    /* Nor when it is damaged itself. */
    recovery_rig_java_log(&rig, 11, 20, &bytes);
    sim_disk_delete(rig.sim, "log.c");
    bytes.data[40] ^= 1;
    recovery_rig_put(&rig, "log.b", &bytes, 4096);
    recovery_rig_must_refuse(&rig, "log.1 is damaged at byte");
    buffer_deinit(&bytes);
    recovery_rig_deinit(&rig);
}

TEST(a_hole_inside_one_epoch_is_refused_and_a_new_epoch_is_none)
{
    struct recovery_rig rig;
    struct buffer bytes = {0};

    java_rig(&rig, &bytes);
    recovery_rig_put_java_log(&rig, "log.1", 1, 9, 0);
    recovery_rig_put_java_log(&rig, "log.b", 11, 20, 0);
    recovery_rig_must_refuse(&rig,
                             "log.b is damaged at byte 16, after transaction 0x9: transactions are "
                             "missing in front of it");
    recovery_rig_must_note(&rig, "move log.b away");
    /* In one file. */
    recovery_rig_java_log(&rig, 1, 9, &bytes);
    struct buffer rest = {0};
    recovery_rig_java_log(&rig, 11, 20, &rest);
    buffer_append(&bytes, slice_of(rest.data + 16, rest.size - 16));
    recovery_rig_put(&rig, "log.1", &bytes, 0);
    sim_disk_delete(rig.sim, "log.b");
    recovery_rig_must_refuse(&rig, "transactions are missing in front of it");
    recovery_rig_must_note(&rig, "truncate -s");
    /* Between the snapshot and the first record. */
    recovery_rig_put(&rig, "log.b", &rest, 0);
    sim_disk_delete(rig.sim, "log.1");
    recovery_rig_must_refuse(&rig,
                             "after transaction 0x0: transactions are missing in front of it");
    /* The next epoch. */
    recovery_rig_put_java_log(&rig, "log.1", 1, 20, 0);
    sim_disk_delete(rig.sim, "log.b");
    tree_set_last_zxid(rig.world.tree, 0x100000000);
    recovery_rig_grow(&rig, 5);
    recovery_rig_put_java_log(&rig, "log.100000001", 0x100000001, 0x100000005, 0);
    recovery_rig_must_recover(&rig);
    check_same_tree(rig.recovery.tree, rig.world.tree);
    buffer_deinit(&rest);
    buffer_deinit(&bytes);
    recovery_rig_deinit(&rig);
}

TEST(a_hole_that_the_snapshot_covers_is_none)
{
    struct recovery_rig rig;

    recovery_rig_init(&rig);
    recovery_rig_grow(&rig, 10);
    recovery_rig_put_java_log(&rig, "log.1", 1, 5, 0);
    recovery_rig_snapshot(&rig);
    recovery_rig_grow(&rig, 10);
    recovery_rig_put_java_log(&rig, "log.b", 11, 20, 0);
    recovery_rig_must_recover(&rig);
    check_same_tree(rig.recovery.tree, rig.world.tree);
    CHECK_U64("replayed", rig.recovery.replayed, 10);
    recovery_rig_deinit(&rig);
}

TEST(equal_and_lower_zxids_of_java_are_applied_in_their_order)
{
    struct recovery_rig rig;
    struct buffer bytes = {0}, again = {0};

    java_rig(&rig, &bytes);
    struct buffer error = {0};
    txn_header_write(&error, &(struct txn_header){.zxid = 20, .type = OP_ERROR});
    buffer_i32(&error, -1);
    put_java_record(&bytes, buffer_slice(&error));
    recovery_rig_put(&rig, "log.1", &bytes, 100);
    recovery_rig_must_recover(&rig);
    check_same_tree(rig.recovery.tree, rig.world.tree);
    CHECK_U64("notes", rig.recovery.notes.count, 0);
    recovery_rig_java_log(&rig, 1, 20, &bytes);
    recovery_rig_java_log(&rig, 19, 20, &again);
    buffer_append(&bytes, slice_of(again.data + 16, again.size - 16));
    recovery_rig_put(&rig, "log.1", &bytes, 100);
    recovery_rig_must_recover(&rig);
    recovery_rig_must_note(&rig, "has transaction 0x13 after 0x14");
    buffer_deinit(&error);
    buffer_deinit(&again);
    buffer_deinit(&bytes);
    recovery_rig_deinit(&rig);
}

TEST(an_empty_or_unwritten_newest_file_is_put_aside_and_told)
{
    struct recovery_rig rig;
    struct buffer bytes = {0};

    java_rig(&rig, &bytes);
    sim_disk_put(rig.sim, "log.15", SLICE(""));
    recovery_rig_must_recover(&rig);
    recovery_rig_must_note(&rig, "The log file log.15 is empty; removed.");
    CHECK(sim_disk_bytes(rig.sim, "log.15").data == NULL);
    sim_disk_put(rig.sim, "log.15", SLICE("ZKLG\0\0"));
    recovery_rig_must_recover(&rig);
    CHECK_SLICE("copy", sim_disk_bytes(rig.sim, "torn.log.15.0"), SLICE("ZKLG\0\0"));
    CHECK(sim_disk_bytes(rig.sim, "log.15").data == NULL);
    bytes.size = 0;
    recovery_rig_put(&rig, "log.15", &bytes, 9000);
    recovery_rig_must_recover(&rig);
    recovery_rig_must_note(&rig,
                           "The log file log.15 holds nothing that was acknowledged; renamed");
    txnlog_header_write(&bytes);
    recovery_rig_put(&rig, "log.15", &bytes, 9000); /* a header and no record is fine */
    recovery_rig_must_recover(&rig);
    CHECK_U64("notes", rig.recovery.notes.count, 0);
    buffer_deinit(&bytes);
    recovery_rig_deinit(&rig);
}

TEST(an_empty_file_with_records_behind_it_is_refused)
{
    struct recovery_rig rig;
    struct buffer bytes = {0};

    java_rig(&rig, &bytes);
    recovery_rig_put_java_log(&rig, "log.1", 1, 9, 0);
    sim_disk_put(rig.sim, "log.a", SLICE(""));
    recovery_rig_put_java_log(&rig, "log.b", 10, 20, 0);
    recovery_rig_must_refuse(&rig, "log.a is damaged at byte 0");
    recovery_rig_must_note(&rig, "move log.a and all newer log files away");
    sim_disk_put(rig.sim, "log.b", SLICE("")); /* nothing behind it any more */
    recovery_rig_must_recover(&rig);
    CHECK_I64("zxid", rig.recovery.last_zxid, 9);
    CHECK_U64("files", sim_disk_file_count(rig.sim), 2);
    buffer_deinit(&bytes);
    recovery_rig_deinit(&rig);
}

TEST(damage_in_a_file_that_is_not_needed_is_not_noticed)
{
    struct recovery_rig rig;
    struct buffer bytes = {0};

    java_rig(&rig, &bytes);
    recovery_rig_snapshot(&rig);
    recovery_rig_grow(&rig, 5);
    recovery_rig_put_java_log(&rig, "log.15", 21, 25, 0);
    recovery_rig_must_recover(&rig);
    recovery_rig_change_byte(&rig, "log.1", 40,
                             0xee); /* the file in front of the first needed is read */
    recovery_rig_must_refuse(&rig, "log.1 is damaged");
    recovery_rig_snapshot(&rig); /* snapshot.19: now log.15 is that one */
    recovery_rig_must_recover(&rig);
    CHECK_I64("zxid", rig.recovery.last_zxid, 25);
    buffer_deinit(&bytes);
    recovery_rig_deinit(&rig);
}
