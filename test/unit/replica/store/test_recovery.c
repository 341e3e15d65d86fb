#include "replica/store/recovery.h"
#include "replica/store/snapshot.h"
#include "replica/store/txnlog.h"
#include "sim/disk.h"
#include "test/lib/check.h"
#include "test/lib/store_world.h"
#include "test/lib/unpack.h"

#include <stdio.h>
#include <zlib.h>

/* A data directory in the making, and what a recovery of it says. */
struct rig {
    struct sim_disk *sim;
    struct store_world world;
    struct recovery_options options;
    struct recovery recovery;
};

static void rig_init(struct rig *rig)
{
    *rig = (struct rig){.sim = sim_disk_new(9), .options = world_recovery_options()};
    world_init(&rig->world, 9);
}

static void forget(struct rig *rig)
{
    tree_free(rig->recovery.tree);
    recovery_deinit(&rig->recovery);
    rig->recovery = (struct recovery){0};
}

static void rig_deinit(struct rig *rig)
{
    forget(rig);
    CHECK_U64("open files", sim_disk_open_files(rig->sim), 0);
    world_deinit(&rig->world);
    sim_disk_free(rig->sim);
}

static enum status recover(struct rig *rig)
{
    forget(rig);
    return store_recover(sim_disk(rig->sim), sim_disk(rig->sim), &rig->options, &rig->recovery);
}

static void must_recover(struct rig *rig)
{
    if (recover(rig) != STATUS_OK)
        check_failed(__FILE__, __LINE__, "refused: %s", recovery_reason(&rig->recovery));
}

static void count_call(void *context)
{
    ++*(int *)context;
}

static void must_refuse(struct rig *rig, const char *part)
{
    CHECK_STATUS(recover(rig), STATUS_CORRUPT);
    CHECK(rig->recovery.tree == NULL);
    if (strstr(recovery_reason(&rig->recovery), part) == NULL)
        check_failed(__FILE__, __LINE__, "the refusal says: %s", recovery_reason(&rig->recovery));
}

static void must_note(struct rig *rig, const char *part)
{
    if (!recovery_noted(&rig->recovery, part))
        check_failed(__FILE__, __LINE__, "nothing noted like: %s", part);
}

/* Java's frame around a payload. */
static void put_java(struct buffer *out, struct slice payload)
{
    buffer_i64(out, (int64_t)adler32(1, payload.data, (uInt)payload.size));
    jute_put_bytes(out, payload);
    buffer_u8(out, 0x42);
}

/* Transactions [from, to] of the world as a log of Java's; returns where the last one begins. */
static size_t put_java_log(struct rig *rig, int64_t from, int64_t to, struct buffer *out)
{
    size_t last = 0;

    out->size = 0;
    txnlog_header_write(out);
    for (size_t i = 0; i < rig->world.count; i++) {
        if (rig->world.txns[i].zxid < from || rig->world.txns[i].zxid > to)
            continue;
        last = out->size;
        put_java(out, world_append(&rig->world, i).payload);
    }
    return last;
}

static void put_file(struct rig *rig, const char *name, const struct buffer *bytes, size_t padding)
{
    struct buffer padded = {0};

    buffer_append(&padded, buffer_slice(bytes));
    if (padding > 0)
        memset(buffer_extend(&padded, padding), 0, padding);
    sim_disk_put(rig->sim, name, buffer_slice(&padded));
    buffer_deinit(&padded);
}

static void write_snapshot(struct rig *rig)
{
    CHECK_STATUS(snapshot_write(sim_disk(rig->sim), rig->world.tree,
                                &(struct snapshot_image_options){true, true, false}, STORE_PLAIN),
                 STATUS_OK);
}

static void grow(struct rig *rig, int count)
{
    for (int i = 0; i < count; i++)
        (void)world_next(&rig->world);
}

/* Our own log of the next `count` transactions, one sync each; from a recovery's position. */
static void serve(struct rig *rig, int count, int roll_every)
{
    struct txnlog_options options = {
        .prealloc_bytes = 4096, .force_sync = true, .digest_enabled = true};
    struct txnlog_writer *writer =
        txnlog_writer_new(sim_disk(rig->sim), &options, &rig->recovery.log);

    for (int i = 0; i < count; i++) {
        struct txnlog_append append = world_next(&rig->world);
        append.roll_before = roll_every > 0 && i % roll_every == 0;
        CHECK_STATUS(txnlog_writer_append(writer, &append, 1), STATUS_OK);
        CHECK_STATUS(txnlog_writer_sync(writer), STATUS_OK);
    }
    txnlog_writer_free(writer);
}

static void change_byte(struct rig *rig, const char *name, size_t at, uint8_t value)
{
    struct slice bytes = sim_disk_bytes(rig->sim, name);
    uint8_t *copy = mem_alloc(bytes.size);

    CHECK(at < bytes.size);
    memcpy(copy, bytes.data, bytes.size);
    copy[at] = value;
    sim_disk_put(rig->sim, name, slice_of(copy, bytes.size));
    mem_free(copy);
}

static void cut(struct rig *rig, const char *name, size_t size)
{
    struct slice bytes = sim_disk_bytes(rig->sim, name);
    uint8_t *copy = mem_alloc(size);

    memcpy(copy, bytes.data, size);
    sim_disk_put(rig->sim, name, slice_of(copy, size));
    mem_free(copy);
}

/* --- beginnings --- */

TEST(an_empty_directory_gets_snapshot_0_before_anything_else)
{
    struct rig rig;

    rig_init(&rig);
    must_recover(&rig);
    CHECK(rig.recovery.fresh);
    CHECK_I64("zxid", rig.recovery.last_zxid, 0);
    CHECK_U64("digest", tree_digest(rig.recovery.tree), 1371985504);
    CHECK_U64("files", sim_disk_file_count(rig.sim), 1);
    CHECK(sim_disk_bytes(rig.sim, "snapshot.0").size > 0);
    must_recover(&rig);
    CHECK(!rig.recovery.fresh);
    rig_deinit(&rig);
}

TEST(without_db_autocreate_an_empty_directory_is_refused_unless_initialize_was_there)
{
    struct rig rig;

    rig_init(&rig);
    rig.options.db_autocreate = false;
    CHECK_STATUS(recover(&rig), STATUS_INVALID);
    CHECK_U64("files", sim_disk_file_count(rig.sim), 0);
    must_note(&rig, "is the right volume mounted?");
    rig.options.initialize_found = true;
    must_recover(&rig);
    CHECK(rig.recovery.fresh);
    rig_deinit(&rig);
}

TEST(logs_without_a_snapshot_are_refused_or_replayed_from_nothing_when_that_is_trusted)
{
    struct rig rig;
    struct buffer bytes = {0};

    rig_init(&rig);
    grow(&rig, 20);
    put_java_log(&rig, 1, 20, &bytes);
    put_file(&rig, "log.1", &bytes, 4096);
    must_refuse(&rig, "There is no snapshot, but there are log files (log.1 and 0 more)");
    rig.options.trust_empty = true;
    must_recover(&rig);
    check_same_tree(rig.recovery.tree, rig.world.tree);
    must_note(&rig, "snapshot.trust.empty is set");
    /* What came before is unknown: told, not refused. */
    put_java_log(&rig, 11, 20, &bytes);
    sim_disk_delete(rig.sim, "log.1");
    put_file(&rig, "log.b", &bytes, 4096);
    must_recover(&rig);
    must_note(&rig, "The first transaction in the log is 0xb");
    buffer_deinit(&bytes);
    rig_deinit(&rig);
}

TEST(unfinished_snapshots_alone_are_refused_unless_they_are_of_a_first_start)
{
    struct rig rig;

    rig_init(&rig);
    sim_disk_put(rig.sim, "snapshot.0", SLICE(""));
    must_recover(&rig);
    CHECK(rig.recovery.fresh);
    sim_disk_delete(rig.sim, "snapshot.0");
    sim_disk_put(rig.sim, "snapshot.5", SLICE("half of it"));
    must_refuse(&rig, "The only snapshots are unfinished ones (snapshot.5)");
    must_note(&rig, "The snapshot snapshot.5 is unfinished; ignored.");
    rig_deinit(&rig);
}

TEST(snapshots_that_were_in_the_making_are_removed)
{
    struct rig rig;

    rig_init(&rig);
    must_recover(&rig);
    sim_disk_put(rig.sim, "tmp.snapshot.5.gz", SLICE("half of it"));
    sim_disk_put(rig.sim, "tmp.log.1d", SLICE(""));
    must_recover(&rig);
    CHECK(sim_disk_bytes(rig.sim, "tmp.snapshot.5.gz").data == NULL);
    must_note(&rig, "The unfinished file tmp.snapshot.5.gz was removed.");
    must_note(&rig, "The unfinished file tmp.log.1d was removed.");
    rig_deinit(&rig);
}

TEST(a_damaged_snapshot_is_told_and_the_one_before_it_is_used)
{
    struct rig rig;
    struct buffer bytes = {0};

    rig_init(&rig);
    write_snapshot(&rig);
    grow(&rig, 10);
    write_snapshot(&rig);
    grow(&rig, 10);
    put_java_log(&rig, 1, 20, &bytes);
    put_file(&rig, "log.1", &bytes, 0);
    change_byte(&rig, "snapshot.a", 30, 0xff);
    must_recover(&rig);
    check_same_tree(rig.recovery.tree, rig.world.tree);
    CHECK_I64("snapshot", rig.recovery.snapshot_zxid, 0);
    CHECK_U64("replayed", rig.recovery.replayed, 20);
    must_note(&rig, "The snapshot snapshot.a is damaged");
    change_byte(&rig, "snapshot.0", 30, 0xff);
    must_refuse(&rig, "None of the snapshots can be read");
    buffer_deinit(&bytes);
    rig_deinit(&rig);
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
    struct rig rig;
    struct sim_disk *log = sim_disk_new(2);
    struct buffer bytes = {0};

    rig_init(&rig);
    write_snapshot(&rig);
    grow(&rig, 20);
    put_java_log(&rig, 1, 20, &bytes);
    sim_disk_put(log, "log.1", buffer_slice(&bytes));
    CHECK_STATUS(store_recover(sim_disk(rig.sim), sim_disk(log), &rig.options, &rig.recovery),
                 STATUS_OK);
    check_same_tree(rig.recovery.tree, rig.world.tree);
    buffer_deinit(&bytes);
    sim_disk_free(log);
    rig_deinit(&rig);
}

/* --- logs of Java --- */

/* log.1 with 1..20 over snapshot.0; the bytes of it in *bytes. */
static size_t java_rig(struct rig *rig, struct buffer *bytes)
{
    rig_init(rig);
    write_snapshot(rig);
    grow(rig, 20);
    size_t last = put_java_log(rig, 1, 20, bytes);
    put_file(rig, "log.1", bytes, 4096);
    return last;
}

TEST(any_version_and_dbid_is_read_and_any_other_magic_refused)
{
    struct rig rig;
    struct buffer bytes = {0};

    java_rig(&rig, &bytes);
    change_byte(&rig, "log.1", 7, 7);
    change_byte(&rig, "log.1", 15, 7);
    must_recover(&rig);
    CHECK_I64("zxid", rig.recovery.last_zxid, 20);
    change_byte(&rig, "log.1", 0, 'X');
    must_refuse(&rig, "damaged at byte 0, after transaction 0x0: it does not begin as a log file");
    must_note(&rig, "records=20");
    must_note(&rig, "to go on without these transactions, move log.1 away");
    buffer_deinit(&bytes);
    rig_deinit(&rig);
}

TEST(a_changed_byte_in_the_last_record_is_refused_as_in_java)
{
    struct rig rig;
    struct buffer bytes = {0};
    size_t last = java_rig(&rig, &bytes);

    change_byte(&rig, "log.1", last + 30, (uint8_t)(bytes.data[last + 30] ^ 0x10));
    must_refuse(&rig, "after transaction 0x13: wrong checksum");
    must_note(&rig, "cut it with: truncate -s");
    buffer_deinit(&bytes);
    rig_deinit(&rig);
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
    struct rig rig;
    struct buffer bytes = {0};
    size_t last = java_rig(&rig, &bytes);

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        store_be32(bytes.data + last + 8, rows[i].size);
        put_file(&rig, "log.1", &bytes, 4096);
        if (rows[i].reason != NULL) {
            must_refuse(&rig, rows[i].reason);
            continue;
        }
        must_recover(&rig);
        CHECK_I64("zxid", rig.recovery.last_zxid, 19);
    }
    buffer_deinit(&bytes);
    rig_deinit(&rig);
}

TEST(a_record_that_is_no_transaction_is_refused)
{
    struct rig rig;
    struct buffer bytes = {0}, payload = {0};

    java_rig(&rig, &bytes);
    bytes.size = 16;
    put_java(&bytes, SLICE("too short for a header"));
    put_file(&rig, "log.1", &bytes, 4096);
    must_refuse(&rig, "a record too short for a transaction");
    struct txn_header header = {.zxid = 1, .type = 77};
    txn_header_write(&payload, &header);
    bytes.size = 16;
    put_java(&bytes, buffer_slice(&payload));
    put_file(&rig, "log.1", &bytes, 4096);
    must_refuse(&rig, "log.1 is damaged at byte 16, transaction 0x1: a type of transaction that is "
                      "not known here");
    header.type = OP_DELETE;
    payload.size = bytes.size = 0;
    txnlog_header_write(&bytes);
    txn_header_write(&payload, &header);
    put_java(&bytes, buffer_slice(&payload));
    put_file(&rig, "log.1", &bytes, 4096);
    must_refuse(&rig, "its checksum is right, but it is no transaction");
    buffer_deinit(&payload);
    buffer_deinit(&bytes);
    rig_deinit(&rig);
}

TEST(a_torn_tail_in_every_form_is_cut_off_and_a_copy_kept)
{
    struct rig rig;
    struct buffer bytes = {0};
    size_t last = java_rig(&rig, &bytes), end = bytes.size;

    for (size_t size = last + 1; size < end; size++) {
        for (size_t padding = 0; padding <= 4096; padding += 2048) {
            bytes.size = size;
            put_file(&rig, "log.1", &bytes, padding);
            must_recover(&rig);
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
            must_note(&rig, torn);
            sim_disk_delete(rig.sim, torn);
        }
    }
    buffer_deinit(&bytes);
    rig_deinit(&rig);
}

TEST(a_file_that_goes_on_right_behind_a_torn_tail_is_an_earlier_restart)
{
    struct rig rig;
    struct buffer bytes = {0};

    java_rig(&rig, &bytes);
    size_t last = put_java_log(&rig, 1, 11, &bytes);
    bytes.size = last + 20;
    put_file(&rig, "log.1", &bytes, 4096);
    put_java_log(&rig, 11, 20, &bytes);
    put_file(&rig, "log.b", &bytes, 4096);
    must_recover(&rig);
    check_same_tree(rig.recovery.tree, rig.world.tree);
    must_note(&rig, "log.b continues after the record before it");
    CHECK_U64("nothing is cut", sim_disk_bytes(rig.sim, "log.1").size, last + 20 + 4096);
    /* But when it does not go on there, something is missing. */
    put_java_log(&rig, 12, 20, &bytes);
    sim_disk_delete(rig.sim, "log.b");
    put_file(&rig, "log.c", &bytes, 4096);
    must_refuse(&rig, "log.1 is damaged at byte");
    must_note(&rig, "and move all newer log files away");
    /* Nor when it is damaged itself. */
    put_java_log(&rig, 11, 20, &bytes);
    sim_disk_delete(rig.sim, "log.c");
    bytes.data[40] ^= 1;
    put_file(&rig, "log.b", &bytes, 4096);
    must_refuse(&rig, "log.1 is damaged at byte");
    buffer_deinit(&bytes);
    rig_deinit(&rig);
}

TEST(a_hole_inside_one_epoch_is_refused_and_a_new_epoch_is_none)
{
    struct rig rig;
    struct buffer bytes = {0};

    java_rig(&rig, &bytes);
    put_java_log(&rig, 1, 9, &bytes);
    put_file(&rig, "log.1", &bytes, 0);
    put_java_log(&rig, 11, 20, &bytes);
    put_file(&rig, "log.b", &bytes, 0);
    must_refuse(&rig, "log.b is damaged at byte 16, after transaction 0x9: transactions are "
                      "missing in front of it");
    must_note(&rig, "move log.b away");
    /* In one file. */
    put_java_log(&rig, 1, 9, &bytes);
    struct buffer rest = {0};
    put_java_log(&rig, 11, 20, &rest);
    buffer_append(&bytes, slice_of(rest.data + 16, rest.size - 16));
    put_file(&rig, "log.1", &bytes, 0);
    sim_disk_delete(rig.sim, "log.b");
    must_refuse(&rig, "transactions are missing in front of it");
    must_note(&rig, "truncate -s");
    /* Between the snapshot and the first record. */
    put_file(&rig, "log.b", &rest, 0);
    sim_disk_delete(rig.sim, "log.1");
    must_refuse(&rig, "after transaction 0x0: transactions are missing in front of it");
    /* The next epoch. */
    put_java_log(&rig, 1, 20, &bytes);
    put_file(&rig, "log.1", &bytes, 0);
    sim_disk_delete(rig.sim, "log.b");
    tree_set_last_zxid(rig.world.tree, 0x100000000);
    grow(&rig, 5);
    put_java_log(&rig, 0x100000001, 0x100000005, &bytes);
    put_file(&rig, "log.100000001", &bytes, 0);
    must_recover(&rig);
    check_same_tree(rig.recovery.tree, rig.world.tree);
    buffer_deinit(&rest);
    buffer_deinit(&bytes);
    rig_deinit(&rig);
}

TEST(a_hole_that_the_snapshot_covers_is_none)
{
    struct rig rig;
    struct buffer bytes = {0};

    rig_init(&rig);
    grow(&rig, 10);
    put_java_log(&rig, 1, 5, &bytes);
    put_file(&rig, "log.1", &bytes, 0);
    write_snapshot(&rig);
    grow(&rig, 10);
    put_java_log(&rig, 11, 20, &bytes);
    put_file(&rig, "log.b", &bytes, 0);
    must_recover(&rig);
    check_same_tree(rig.recovery.tree, rig.world.tree);
    CHECK_U64("replayed", rig.recovery.replayed, 10);
    buffer_deinit(&bytes);
    rig_deinit(&rig);
}

TEST(equal_and_lower_zxids_of_java_are_applied_in_their_order)
{
    struct rig rig;
    struct buffer bytes = {0}, again = {0};

    java_rig(&rig, &bytes);
    struct buffer error = {0};
    txn_header_write(&error, &(struct txn_header){.zxid = 20, .type = OP_ERROR});
    buffer_i32(&error, -1);
    put_java(&bytes, buffer_slice(&error));
    put_file(&rig, "log.1", &bytes, 100);
    must_recover(&rig);
    check_same_tree(rig.recovery.tree, rig.world.tree);
    CHECK_U64("notes", rig.recovery.notes.count, 0);
    put_java_log(&rig, 20, 20, &again);
    put_java_log(&rig, 1, 20, &bytes);
    put_java_log(&rig, 19, 20, &again);
    buffer_append(&bytes, slice_of(again.data + 16, again.size - 16));
    put_file(&rig, "log.1", &bytes, 100);
    must_recover(&rig);
    must_note(&rig, "has transaction 0x13 after 0x14");
    buffer_deinit(&error);
    buffer_deinit(&again);
    buffer_deinit(&bytes);
    rig_deinit(&rig);
}

TEST(an_empty_or_unwritten_newest_file_is_put_aside_and_told)
{
    struct rig rig;
    struct buffer bytes = {0};

    java_rig(&rig, &bytes);
    sim_disk_put(rig.sim, "log.15", SLICE(""));
    must_recover(&rig);
    must_note(&rig, "The log file log.15 is empty; removed.");
    CHECK(sim_disk_bytes(rig.sim, "log.15").data == NULL);
    sim_disk_put(rig.sim, "log.15", SLICE("ZKLG\0\0"));
    must_recover(&rig);
    CHECK_SLICE("copy", sim_disk_bytes(rig.sim, "torn.log.15.0"), SLICE("ZKLG\0\0"));
    CHECK(sim_disk_bytes(rig.sim, "log.15").data == NULL);
    bytes.size = 0;
    put_file(&rig, "log.15", &bytes, 9000);
    must_recover(&rig);
    must_note(&rig, "The log file log.15 holds nothing that was acknowledged; renamed");
    txnlog_header_write(&bytes);
    put_file(&rig, "log.15", &bytes, 9000); /* a header and no record is fine */
    must_recover(&rig);
    CHECK_U64("notes", rig.recovery.notes.count, 0);
    buffer_deinit(&bytes);
    rig_deinit(&rig);
}

TEST(an_empty_file_with_records_behind_it_is_refused)
{
    struct rig rig;
    struct buffer bytes = {0};

    java_rig(&rig, &bytes);
    put_java_log(&rig, 1, 9, &bytes);
    put_file(&rig, "log.1", &bytes, 0);
    sim_disk_put(rig.sim, "log.a", SLICE(""));
    put_java_log(&rig, 10, 20, &bytes);
    put_file(&rig, "log.b", &bytes, 0);
    must_refuse(&rig, "log.a is damaged at byte 0");
    must_note(&rig, "move log.a and all newer log files away");
    sim_disk_put(rig.sim, "log.b", SLICE("")); /* nothing behind it any more */
    must_recover(&rig);
    CHECK_I64("zxid", rig.recovery.last_zxid, 9);
    CHECK_U64("files", sim_disk_file_count(rig.sim), 2);
    buffer_deinit(&bytes);
    rig_deinit(&rig);
}

TEST(damage_in_a_file_that_is_not_needed_is_not_noticed)
{
    struct rig rig;
    struct buffer bytes = {0};

    java_rig(&rig, &bytes);
    write_snapshot(&rig);
    grow(&rig, 5);
    put_java_log(&rig, 21, 25, &bytes);
    put_file(&rig, "log.15", &bytes, 0);
    grow(&rig, 0);
    must_recover(&rig);
    change_byte(&rig, "log.1", 40, 0xee); /* the file in front of the first needed is read */
    must_refuse(&rig, "log.1 is damaged");
    write_snapshot(&rig); /* snapshot.19: now log.15 is that one */
    must_recover(&rig);
    CHECK_I64("zxid", rig.recovery.last_zxid, 25);
    buffer_deinit(&bytes);
    rig_deinit(&rig);
}

/* --- logs of our own --- */

TEST(links_of_our_records_are_checked)
{
    struct rig rig;
    struct buffer ours = {0};

    rig_init(&rig);
    must_recover(&rig);
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
        put_file(&rig, "log.1", &ours, 0);
        if (rows[i].reason != NULL) {
            must_refuse(&rig, rows[i].reason);
        } else {
            must_recover(&rig);
            CHECK_I64("zxid", rig.recovery.last_zxid, 2);
            CHECK_U64("link", rig.recovery.log.link, position.link);
        }
    }
    buffer_deinit(&ours);
    rig_deinit(&rig);
}

TEST(a_missing_file_between_two_of_ours_is_refused_even_over_an_epoch)
{
    struct rig rig;

    rig_init(&rig);
    must_recover(&rig);
    serve(&rig, 9, 3); /* log.1, log.4, log.7 */
    must_recover(&rig);
    tree_set_last_zxid(rig.world.tree, 0x100000000);
    serve(&rig, 6, 3); /* log.100000001, log.100000004 */
    must_recover(&rig);
    check_same_tree(rig.recovery.tree, rig.world.tree);
    struct sim_disk *whole = rig.sim;
    static const char *const names[] = {"log.1", "log.4", "log.7", "log.100000001"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        rig.sim = sim_disk_copy(whole, 1);
        sim_disk_delete(rig.sim, names[i]);
        must_refuse(&rig, "transactions are missing in front of it");
        forget(&rig);
        sim_disk_free(rig.sim);
    }
    rig.sim = whole;
    rig_deinit(&rig);
}

/* A new leader's first snapshot is named by the start of its epoch, which no record has. */
TEST(records_behind_the_snapshot_of_an_epochs_start_follow_the_last_record_before_it)
{
    struct rig rig;

    rig_init(&rig);
    must_recover(&rig);
    serve(&rig, 5, 0);
    tree_set_last_zxid(rig.world.tree, 0x100000000);
    write_snapshot(&rig);
    must_recover(&rig);
    CHECK_I64("snapshot", rig.recovery.snapshot_zxid, 0x100000000);
    CHECK_I64("the log goes on behind", rig.recovery.log.last_zxid, 5);
    serve(&rig, 3, 0);
    must_recover(&rig);
    check_same_tree(rig.recovery.tree, rig.world.tree);
    sim_disk_delete(rig.sim, "snapshot.100000000");
    must_recover(&rig); /* from the snapshot before, through both epochs */
    check_same_tree(rig.recovery.tree, rig.world.tree);
    /* A loss in front of it is still seen. */
    size_t size = sim_disk_bytes(rig.sim, "log.1").size;
    CHECK(size > 200);
    for (size_t at = 100; at < 160; at++)
        change_byte(&rig, "log.1", at, 0);
    CHECK_STATUS(recover(&rig), STATUS_CORRUPT);
    rig_deinit(&rig);
}

TEST(zeros_over_a_durable_record_are_refused_and_over_the_last_batch_cut_off)
{
    struct rig rig;

    rig_init(&rig);
    must_recover(&rig);
    rig.world.data_bytes_max = 10;
    serve(&rig, 10, 0);
    struct slice bytes = sim_disk_bytes(rig.sim, "log.1");
    size_t offsets[11] = {16};
    for (size_t i = 1; i <= 10; i++)
        offsets[i] = offsets[i - 1] + 13 + load_be32(bytes.data + offsets[i - 1] + 8);
    struct sim_disk *whole = rig.sim;
    for (size_t i = 0; i < 10; i++) {
        rig.sim = sim_disk_copy(whole, 1);
        for (size_t at = offsets[i] + 12; at < offsets[i + 1]; at++)
            change_byte(&rig, "log.1", at, 0);
        if (i < 9) {
            must_refuse(&rig, "wrong checksum");
        } else {
            must_recover(&rig);
            must_note(&rig, "with a write that a crash had cut short");
            CHECK_I64("zxid", rig.recovery.last_zxid, 9);
        }
        forget(&rig);
        sim_disk_free(rig.sim);
    }
    rig.sim = whole;
    rig_deinit(&rig);
}

TEST(a_whole_unacknowledged_record_behind_a_torn_one_goes_with_it)
{
    struct rig rig;
    struct buffer ours = {0};
    struct txnlog_append appends[4];

    rig_init(&rig);
    must_recover(&rig);
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
    put_file(&rig, "log.4", &next, 0);
    ours.size = offsets[3];
    memset(ours.data + offsets[1], 0, 40);
    put_file(&rig, "log.1", &ours, 0);
    must_recover(&rig);
    CHECK_I64("zxid", rig.recovery.last_zxid, 1);
    CHECK_U64("log.1", sim_disk_bytes(rig.sim, "log.1").size, offsets[1]);
    CHECK(sim_disk_bytes(rig.sim, "torn.log.4.0").size == next.size);
    CHECK(sim_disk_bytes(rig.sim, "log.4").data == NULL);
    buffer_deinit(&next);
    buffer_deinit(&ours);
    rig_deinit(&rig);
}

TEST(java_may_have_run_in_between)
{
    struct rig rig;
    struct buffer bytes = {0};

    rig_init(&rig);
    must_recover(&rig);
    serve(&rig, 10, 4);
    grow(&rig, 10);
    put_java_log(&rig, 11, 20, &bytes);
    put_file(&rig, "log.b", &bytes, 4096);
    must_recover(&rig);
    CHECK_U64("no link from Java's last record", rig.recovery.log.link, 0);
    serve(&rig, 10, 4);
    must_recover(&rig);
    CHECK_I64("zxid", rig.recovery.last_zxid, 30);
    check_same_tree(rig.recovery.tree, rig.world.tree);
    CHECK_U64("digests", rig.recovery.digest_mismatches, 0);
    buffer_deinit(&bytes);
    rig_deinit(&rig);
}

/* --- digests --- */

TEST(a_digest_that_differs_is_counted_and_told_and_stops_nothing)
{
    struct rig rig;
    struct buffer bytes = {0}, payload = {0};

    rig_init(&rig);
    write_snapshot(&rig);
    struct txnlog_append append = world_create(&rig.world, "/a", SLICE("a"));
    for (int i = 0; i < 2; i++) {
        payload.size = bytes.size = 0;
        buffer_append(&payload, append.payload);
        payload.data[payload.size - 1] ^= 1;
        txnlog_header_write(&bytes);
        put_java(&bytes, buffer_slice(&payload));
        put_file(&rig, "log.1", &bytes, 0);
        rig.options.tree.digest_enabled = i == 0;
        must_recover(&rig);
        CHECK_U64("mismatches", rig.recovery.digest_mismatches, i == 0 ? 1 : 0);
        if (i == 0) {
            must_note(&rig, "recorded with transaction 0x1");
            must_note(&rig, "mismatches=1 of checked=1");
        }
    }
    buffer_deinit(&payload);
    buffer_deinit(&bytes);
    rig_deinit(&rig);
}

/* snapshot.<name>, holding the world as it is, with a digest section for `zxid`. */
static void put_fuzzy(struct rig *rig, const char *name, int64_t zxid, uint64_t digest)
{
    struct sim_disk *other = sim_disk_new(1);
    struct buffer bytes = {0};

    CHECK_STATUS(snapshot_write(sim_disk(other), rig->world.tree,
                                &(struct snapshot_image_options){0}, STORE_PLAIN),
                 STATUS_OK);
    buffer_append(&bytes, sim_disk_bytes(other, sim_disk_file_name(other, 0)));
    buffer_i64(&bytes, zxid);
    buffer_i32(&bytes, 2);
    buffer_i64(&bytes, (int64_t)digest);
    buffer_i64(&bytes, (int64_t)adler32(1, bytes.data, (uInt)bytes.size));
    jute_put_bytes(&bytes, SLICE("/"));
    sim_disk_put(rig->sim, name, buffer_slice(&bytes));
    buffer_deinit(&bytes);
    sim_disk_free(other);
}

TEST(the_digest_of_a_fuzzy_snapshot_is_compared_when_the_log_reaches_its_zxid)
{
    struct rig rig;
    struct buffer bytes = {0};

    rig_init(&rig);
    grow(&rig, 20);
    put_java_log(&rig, 1, 20, &bytes);
    put_file(&rig, "log.1", &bytes, 0);
    uint64_t digest = tree_digest(rig.world.tree);
    put_fuzzy(&rig, "snapshot.5", 20, digest); /* right */
    must_recover(&rig);
    check_same_tree(rig.recovery.tree, rig.world.tree);
    CHECK_U64("checked", rig.recovery.digests_checked, 1);
    CHECK_U64("mismatches", rig.recovery.digest_mismatches, 0);
    put_fuzzy(&rig, "snapshot.5", 20, digest + 1); /* wrong */
    must_recover(&rig);
    CHECK_U64("mismatches", rig.recovery.digest_mismatches, 1);
    put_fuzzy(&rig, "snapshot.5", 30, digest); /* the log ends before */
    must_recover(&rig);
    must_note(&rig, "The log ends before transaction 0x1e");
    put_fuzzy(&rig, "snapshot.5", 3, 1); /* before the name: an epoch change; ignored */
    must_recover(&rig);
    CHECK_I64("zxid", rig.recovery.last_zxid, 20);
    put_fuzzy(&rig, "snapshot.14", 20, 1); /* at the name: compared at once */
    must_recover(&rig);
    CHECK_U64("mismatches", rig.recovery.digest_mismatches, 1);
    must_note(&rig, "The digest of the tree in snapshot.14 differs");
    buffer_deinit(&bytes);
    rig_deinit(&rig);
}

TEST(when_the_record_of_the_fuzzy_zxid_is_missing_checks_go_on_behind_it)
{
    struct rig rig;
    struct buffer bytes = {0};

    rig_init(&rig);
    grow(&rig, 10);
    put_java_log(&rig, 1, 10, &bytes);
    put_file(&rig, "log.1", &bytes, 0);
    put_fuzzy(&rig, "snapshot.5", 0x50, 1);
    tree_set_last_zxid(rig.world.tree, 0x100000000);
    grow(&rig, 10);
    put_java_log(&rig, 0x100000001, 0x10000000a, &bytes);
    put_file(&rig, "log.100000001", &bytes, 0);
    must_recover(&rig);
    check_same_tree(rig.recovery.tree, rig.world.tree);
    CHECK_U64("mismatches", rig.recovery.digest_mismatches, 0);
    CHECK(rig.recovery.digests_checked > 0);
    buffer_deinit(&bytes);
    rig_deinit(&rig);
}

/* --- sessions that are gone --- */

static void create_owned(struct rig *rig, const char *path, int64_t owner)
{
    int64_t session = rig->world.session;

    rig->world.session = owner;
    struct txn_op op = {.type = OP_CREATE,
                        .path = slice_text(path),
                        .data = SLICE("x"),
                        .acl = {SLICE("\0\0\0\37\0\0\0\5world\0\0\0\6anyone"), 1},
                        .ephemeral = true,
                        .parent_cversion = -1};
    (void)world_add(&rig->world, &op);
    rig->world.session = session;
}

TEST(ephemerals_whose_session_is_gone_are_removed_without_a_transaction)
{
    struct rig rig;

    rig_init(&rig);
    (void)world_create(&rig.world, "/p", SLICE(""));
    create_owned(&rig, "/p/a", 0x55);
    create_owned(&rig, "/p/b", 0x55);
    create_owned(&rig, "/p/c", 0x66);
    (void)world_add(&rig.world, &(struct txn_op){.type = OP_CREATE_SESSION, .timeout_ms = 1});
    rig.world.session = 0x77;
    (void)world_add(&rig.world, &(struct txn_op){.type = OP_CREATE_SESSION, .timeout_ms = 1});
    create_owned(&rig, "/p/d", 0x77);
    write_snapshot(&rig);
    must_recover(&rig);
    CHECK_U64("removed", rig.recovery.orphan_ephemerals, 3);
    must_note(&rig, "count=3");
    CHECK(tree_find(rig.recovery.tree, SLICE("/p/a")) == NODE_NONE);
    CHECK(tree_find(rig.recovery.tree, SLICE("/p/c")) == NODE_NONE);
    CHECK(tree_find(rig.recovery.tree, SLICE("/p/d")) != NODE_NONE);
    const struct znode *parent =
        tree_node(rig.recovery.tree, tree_find(rig.recovery.tree, SLICE("/p")));
    CHECK_I64("the parent's pzxid moves to the last zxid", parent->pzxid, world_zxid(&rig.world));
    CHECK_I64("no transaction", rig.recovery.last_zxid, world_zxid(&rig.world));
    rig_deinit(&rig);
}

TEST(ttl_nodes_without_extended_types_are_refused_where_java_deletes_them)
{
    struct rig rig;

    rig_init(&rig);
    must_recover(&rig);
    serve(&rig, 0, 0);
    struct txn_op op = {.type = OP_CREATE_TTL,
                        .path = SLICE("/ttl"),
                        .data = SLICE("x"),
                        .acl = {SLICE("\0\0\0\37\0\0\0\5world\0\0\0\6anyone"), 1},
                        .ttl_ms = 1000,
                        .parent_cversion = 1};
    struct txnlog_append append = world_add(&rig.world, &op);
    struct buffer bytes = {0};
    put_java_log(&rig, 1, append.zxid, &bytes);
    put_file(&rig, "log.1", &bytes, 0);
    rig.options.tree.extended_types = false;
    CHECK_STATUS(recover(&rig), STATUS_INVALID);
    must_note(&rig, "The tree has TTL nodes (1), but zookeeper.extendedTypesEnabled is not set");
    rig.options.tree.extended_types = true;
    must_recover(&rig);
    CHECK(tree_find(rig.recovery.tree, SLICE("/ttl")) != NODE_NONE);
    buffer_deinit(&bytes);
    rig_deinit(&rig);
}

/* --- a disk that fails --- */

/* A directory that needs everything a recovery can do: a leftover, a damaged snapshot, logs, a
 * torn tail, an unacknowledged file. */
static void busy_rig(struct rig *rig)
{
    rig_init(rig);
    must_recover(rig);
    serve(rig, 10, 5);
    write_snapshot(rig);
    change_byte(rig, "snapshot.a", 20, 9);
    serve(rig, 0, 0);
    must_recover(rig);
    serve(rig, 5, 0);
    struct slice bytes = sim_disk_bytes(rig->sim, "log.b");
    size_t end = bytes.size;
    while (bytes.data[end - 1] == 0)
        end--;
    cut(rig, "log.b", end - 3);
    sim_disk_put(rig->sim, "log.100", SLICE(""));
    sim_disk_put(rig->sim, "log.200", SLICE("ZKLG"));
    sim_disk_put(rig->sim, "tmp.snapshot.9", SLICE("half"));
}

TEST(every_failing_call_of_the_disk_ends_a_recovery_and_the_next_one_succeeds)
{
    for (int op = 0; op < SIM_OP_COUNT; op++) {
        for (uint64_t n = 1;; n++) {
            struct rig rig;
            busy_rig(&rig);
            sim_disk_forget_calls(rig.sim);
            sim_disk_fail_at(rig.sim, (enum sim_disk_op)op, n, STATUS_IO);
            enum status status = recover(&rig);
            bool failed = sim_disk_calls(rig.sim, (enum sim_disk_op)op) >= n;
            CHECK_STATUS(status, failed ? STATUS_IO : STATUS_OK);
            if (failed)
                must_note(&rig, "The data directory cannot be read: input/output error.");
            sim_disk_fail_at(rig.sim, (enum sim_disk_op)op, 0, STATUS_OK);
            must_recover(&rig);
            CHECK_I64("zxid", rig.recovery.last_zxid, 14);
            rig_deinit(&rig);
            if (!failed)
                break;
        }
    }
}

TEST(every_failing_call_of_the_disk_ends_a_first_start)
{
    for (int op = 0; op < SIM_OP_COUNT; op++) {
        for (uint64_t n = 1;; n++) {
            struct rig rig;
            rig_init(&rig);
            sim_disk_fail_at(rig.sim, (enum sim_disk_op)op, n, STATUS_IO);
            enum status status = recover(&rig);
            bool failed = sim_disk_calls(rig.sim, (enum sim_disk_op)op) >= n;
            CHECK_STATUS(status, failed ? STATUS_IO : STATUS_OK);
            rig_deinit(&rig);
            if (!failed)
                break;
        }
    }
}

TEST(a_file_that_gets_shorter_while_it_is_read_is_an_error_of_the_disk)
{
    for (uint64_t n = 1;; n++) {
        struct rig rig;
        busy_rig(&rig);
        sim_disk_short_reads(rig.sim, n);
        sim_disk_forget_calls(rig.sim);
        enum status status = recover(&rig);
        bool shortened = sim_disk_calls(rig.sim, SIM_READ) >= n;
        CHECK_STATUS(status, shortened ? STATUS_IO : STATUS_OK);
        sim_disk_short_reads(rig.sim, 0);
        rig_deinit(&rig);
        if (!shortened)
            break;
    }
}

TEST(every_failing_read_of_a_large_log_is_told_from_damage)
{
    struct rig rig;
    struct buffer bytes = {0};
    uint8_t *data = mem_alloc(130970);

    rig_init(&rig);
    write_snapshot(&rig);
    memset(data, 'x', 130970);
    for (int i = 0; i < 20; i++) {
        char path[16];
        (void)snprintf(path, sizeof(path), "/%c%c", 'a' + i / 10, '0' + i % 10);
        (void)world_create(&rig.world, path, slice_of(data, 130970));
    }
    put_java_log(&rig, 1, 20, &bytes);
    CHECK_U64("record ends where the reader's window of 1 MB ends", bytes.size,
              16 + 20 * (1024 * 1024 - 16) / 8);
    for (int damaged = 0; damaged < 2; damaged++) {
        put_file(&rig, "log.1", &bytes, 0);
        if (damaged) { /* the search comes by the end of the window byte by byte */
            change_byte(&rig, "log.1", 100, '!');
            change_byte(&rig, "log.1", 7 * (1024 * 1024 - 16) / 8 + 100, '!');
        }
        sim_disk_forget_calls(rig.sim);
        CHECK_STATUS(recover(&rig), damaged ? STATUS_CORRUPT : STATUS_OK);
        uint64_t reads = sim_disk_calls(rig.sim, SIM_READ);
        CHECK(reads > 4);
        for (uint64_t n = 1; n <= reads; n++) {
            sim_disk_fail_at(rig.sim, SIM_READ, n, STATUS_IO);
            CHECK_STATUS(recover(&rig), STATUS_IO);
        }
    }
    mem_free(data);
    buffer_deinit(&bytes);
    rig_deinit(&rig);
}

TEST(two_snapshots_of_one_zxid_do_no_harm)
{
    struct rig rig;

    rig_init(&rig);
    grow(&rig, 10);
    write_snapshot(&rig);
    CHECK_STATUS(snapshot_write(sim_disk(rig.sim), rig.world.tree,
                                &(struct snapshot_image_options){true, true, false}, STORE_GZIP),
                 STATUS_OK);
    must_recover(&rig);
    check_same_tree(rig.recovery.tree, rig.world.tree);
    rig_deinit(&rig);
}

TEST(large_records_and_many_files_are_replayed)
{
    struct rig rig;
    uint8_t *data = mem_alloc(900000);

    rig_init(&rig);
    must_recover(&rig);
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
    must_recover(&rig);
    check_same_tree(rig.recovery.tree, rig.world.tree);
    mem_free(data);
    rig_deinit(&rig);
}

/* --- purge --- */

static void purge_rig(struct rig *rig)
{
    rig_init(rig);
    must_recover(rig);
    for (int i = 0; i < 6; i++) { /* snapshots 0, 5, a, f, 14, 19, 1e; logs 1, 6, b, 10, 15, 1a */
        serve(rig, 5, 0);
        write_snapshot(rig);
        must_recover(rig);
    }
}

static bool there(const struct rig *rig, const char *name)
{
    return sim_disk_bytes(rig->sim, name).data != NULL;
}

TEST(purge_keeps_three_good_snapshots_and_the_logs_that_the_oldest_needs)
{
    struct rig rig;
    struct store_notes notes = {0};

    purge_rig(&rig);
    CHECK_STATUS(store_purge(sim_disk(rig.sim), sim_disk(rig.sim), 3, &notes), STATUS_OK);
    static const char *const kept[] = {"snapshot.14", "snapshot.19", "snapshot.1e",
                                       "log.10",      "log.15",      "log.1a"};
    for (size_t i = 0; i < ARRAY_LEN(kept); i++)
        CHECK(there(&rig, kept[i]));
    CHECK_U64("files", sim_disk_file_count(rig.sim), ARRAY_LEN(kept));
    CHECK_U64("removed", notes.count, 4 + 3);
    CHECK_TEXT("first", notes.notes[0].text, "Removed log.1.");
    must_recover(&rig);
    check_same_tree(rig.recovery.tree, rig.world.tree);
    CHECK_STATUS(store_purge(sim_disk(rig.sim), sim_disk(rig.sim), 3, &notes), STATUS_OK);
    CHECK_U64("nothing more", notes.count, 7);
    store_notes_deinit(&notes);
    rig_deinit(&rig);
}

TEST(purge_counts_no_damaged_snapshot_and_recovery_from_the_oldest_kept_works)
{
    struct rig rig;
    struct store_notes notes = {0};

    purge_rig(&rig);
    change_byte(&rig, "snapshot.1e", 40, 0xff);
    cut(&rig, "snapshot.14", 50);
    sim_disk_put(rig.sim, "snapshot.qq", SLICE("not ours"));
    CHECK_STATUS(store_purge(sim_disk(rig.sim), sim_disk(rig.sim), 2, &notes), STATUS_OK);
    CHECK(there(&rig, "snapshot.f") && there(&rig, "snapshot.a") && there(&rig, "snapshot.19"));
    CHECK(there(&rig, "snapshot.14") && there(&rig, "snapshot.1e") && there(&rig, "snapshot.qq"));
    CHECK(!there(&rig, "snapshot.5") && !there(&rig, "log.1") && there(&rig, "log.6"));
    sim_disk_delete(rig.sim, "snapshot.19");
    sim_disk_delete(rig.sim, "snapshot.f");
    must_recover(&rig);
    CHECK_I64("from", rig.recovery.snapshot_zxid, 0xa);
    check_same_tree(rig.recovery.tree, rig.world.tree);
    store_notes_deinit(&notes);
    rig_deinit(&rig);
}

TEST(purge_without_a_good_snapshot_removes_nothing)
{
    struct rig rig;
    struct store_notes notes = {0};

    rig_init(&rig);
    sim_disk_put(rig.sim, "snapshot.5", SLICE("12345\0\0\0\1/"));
    sim_disk_put(rig.sim, "log.1", SLICE("x"));
    sim_disk_put(rig.sim, "log.2", SLICE("x"));
    CHECK_STATUS(store_purge(sim_disk(rig.sim), sim_disk(rig.sim), 3, &notes), STATUS_OK);
    CHECK_U64("files", sim_disk_file_count(rig.sim), 3);
    CHECK_U64("notes", notes.count, 0);
    rig_deinit(&rig);
}

TEST(every_failing_call_of_the_disk_ends_a_purge)
{
    for (int op = 0; op < SIM_OP_COUNT; op++) {
        for (uint64_t n = 1;; n++) {
            struct rig rig;
            struct store_notes notes = {0};
            purge_rig(&rig);
            sim_disk_forget_calls(rig.sim);
            sim_disk_fail_at(rig.sim, (enum sim_disk_op)op, n, STATUS_IO);
            enum status status = store_purge(sim_disk(rig.sim), sim_disk(rig.sim), 3, &notes);
            bool failed = sim_disk_calls(rig.sim, (enum sim_disk_op)op) >= n;
            CHECK_STATUS(status, failed ? STATUS_IO : STATUS_OK);
            store_notes_deinit(&notes);
            sim_disk_fail_at(rig.sim, (enum sim_disk_op)op, 0, STATUS_OK);
            must_recover(&rig);
            check_same_tree(rig.recovery.tree, rig.world.tree);
            rig_deinit(&rig);
            if (!failed)
                break;
        }
    }
}

TEST(the_replay_is_announced_once)
{
    struct rig rig;
    int calls = 0;

    rig_init(&rig);
    rig.options.replay_begins = count_call;
    rig.options.context = &calls;
    must_recover(&rig); /* nothing there */
    CHECK_I64("calls", calls, 1);
    serve(&rig, 5, 0);
    must_recover(&rig);
    CHECK_I64("calls", calls, 2);
    CHECK_U64("replayed", rig.recovery.replayed, 5);
    rig_deinit(&rig);
}

/* A file that was preallocated is mostly a hole; many of them must not make a start slow. */
TEST(the_empty_end_of_a_log_file_is_not_read)
{
    struct rig rig;
    const struct txnlog_options options = {
        .prealloc_bytes = 64 << 20, .force_sync = true, .digest_enabled = true};

    rig_init(&rig);
    must_recover(&rig);
    struct txnlog_writer *writer =
        txnlog_writer_new(sim_disk(rig.sim), &options, &rig.recovery.log);
    struct txnlog_append append = world_next(&rig.world);
    CHECK_STATUS(txnlog_writer_append(writer, &append, 1), STATUS_OK);
    CHECK_STATUS(txnlog_writer_sync(writer), STATUS_OK);
    txnlog_writer_free(writer);
    sim_disk_forget_calls(rig.sim);
    must_recover(&rig);
    CHECK_U64("replayed", rig.recovery.replayed, 1);
    CHECK(sim_disk_calls(rig.sim, SIM_READ) < 10);
    sim_disk_fail_at(rig.sim, SIM_SKIP_HOLE, 1, STATUS_IO);
    CHECK_STATUS(recover(&rig), STATUS_IO);
    rig_deinit(&rig);
}
