#include "replica/store/recovery.h"
#include "replica/store/txnlog.h"
#include "sim/disk.h"
#include "test/lib/check.h"
#include "test/lib/store_world.h"

#include <stdio.h>
#include <zlib.h>

static const struct txnlog_options plain = {.force_sync = true, .digest_enabled = true};
static const struct txnlog_options kb64 = {
    .prealloc_bytes = 65536, .force_sync = true, .digest_enabled = true};
static const struct txnlog_position nothing_before = {.digest_known = true};

struct rig {
    struct sim_disk *sim;
    struct txnlog_writer *writer;
    struct store_world world;
};

static void rig_init(struct rig *rig, const struct txnlog_options *options)
{
    rig->sim = sim_disk_new(3);
    rig->writer = txnlog_writer_new(sim_disk(rig->sim), options, &nothing_before);
    world_init(&rig->world, 3);
}

static void rig_deinit(struct rig *rig)
{
    txnlog_writer_free(rig->writer);
    CHECK_U64("open files", sim_disk_open_files(rig->sim), 0);
    world_deinit(&rig->world);
    sim_disk_free(rig->sim);
}

static struct txnlog_append create_of_size(struct rig *rig, size_t bytes)
{
    static char path[32];
    uint8_t *data = mem_alloc(bytes);

    memset(data, 'x', bytes);
    (void)snprintf(path, sizeof(path), "/c%u", rig->world.name_count++);
    struct txnlog_append append = world_create(&rig->world, path, slice_of(data, bytes));
    mem_free(data);
    return append;
}

static struct txnlog_append close_unlisted(struct rig *rig)
{
    return world_add(&rig->world,
                     &(struct txn_op){.type = OP_CLOSE_SESSION, .paths = {SLICE_NULL, -1}});
}

static void append_one(struct rig *rig, struct txnlog_append append)
{
    CHECK_STATUS(txnlog_writer_append(rig->writer, &append, 1), STATUS_OK);
}

static void append_and_sync(struct rig *rig, struct txnlog_append append)
{
    append_one(rig, append);
    CHECK_STATUS(txnlog_writer_sync(rig->writer), STATUS_OK);
}

static struct slice file(const struct rig *rig, const char *name)
{
    struct slice bytes = sim_disk_bytes(rig->sim, name);

    if (bytes.data == NULL)
        check_failed(__FILE__, __LINE__, "no file %s", name);
    return bytes;
}

TEST(a_new_log_starts_with_its_magic_version_2_and_dbid_0)
{
    static const uint8_t header[] = {'Z', 'K', 'L', 'G', 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0};
    struct rig rig;

    rig_init(&rig, &plain);
    append_and_sync(&rig, world_next(&rig.world));
    CHECK_SLICE("header", slice_of(file(&rig, "log.1").data, 16), slice_of(header, 16));
    rig_deinit(&rig);
}

TEST(a_log_is_named_by_its_first_zxid_in_hex)
{
    struct rig rig;
    struct txnlog_writer_info info;

    rig_init(&rig, &plain);
    txnlog_writer_info(rig.writer, &info);
    CHECK_TEXT("before the first record", info.file_name, "");
    tree_set_last_zxid(rig.world.tree, 0x1ab);
    append_and_sync(&rig, world_next(&rig.world));
    CHECK_U64("files", sim_disk_file_count(rig.sim), 1);
    CHECK_TEXT("name", sim_disk_file_name(rig.sim, 0), "log.1ac");
    rig_deinit(&rig);
}

TEST(with_preallocation_the_first_record_makes_the_file_16_bytes_more_than_it)
{
    struct rig rig;

    rig_init(&rig, &kb64);
    append_and_sync(&rig, world_next(&rig.world));
    CHECK_U64("size", file(&rig, "log.1").size, 65552);
    rig_deinit(&rig);
}

TEST(after_a_record_longer_than_the_rest_the_size_is_a_multiple_of_the_preallocation)
{
    struct rig rig;

    rig_init(&rig, &kb64);
    append_one(&rig, create_of_size(&rig, 100 * 1024));
    append_one(&rig, world_next(&rig.world));
    CHECK_STATUS(txnlog_writer_sync(rig.writer), STATUS_OK);
    CHECK_U64("size", file(&rig, "log.1").size, 131072);
    rig_deinit(&rig);
}

TEST(padding_depends_on_records_and_not_on_how_they_are_batched)
{
    struct rig one, many;
    struct txnlog_append batch[64];

    rig_init(&one, &kb64);
    rig_init(&many, &kb64);
    for (int round = 0; round < 4; round++) {
        for (size_t i = 0; i < ARRAY_LEN(batch); i++) {
            batch[i] = create_of_size(&many, 700);
            append_one(&one, create_of_size(&one, 700));
        }
        CHECK_STATUS(txnlog_writer_append(many.writer, batch, ARRAY_LEN(batch)), STATUS_OK);
        CHECK_SLICE("the same file", file(&many, "log.1"), file(&one, "log.1"));
    }
    rig_deinit(&one);
    rig_deinit(&many);
}

TEST(without_preallocation_the_file_ends_with_its_last_record)
{
    struct rig rig;

    rig_init(&rig, &plain);
    append_and_sync(&rig, world_next(&rig.world));
    struct slice bytes = file(&rig, "log.1");
    CHECK_U64("last byte", bytes.data[bytes.size - 1], 0x42);
    rig_deinit(&rig);
}

TEST(a_record_is_adler32_and_size_then_the_payload_with_our_trailer_then_0x42)
{
    struct rig rig;

    rig_init(&rig, &plain);
    struct txnlog_append first = world_next(&rig.world), second = world_next(&rig.world);
    append_and_sync(&rig, first);
    append_and_sync(&rig, second);
    const uint8_t *at = file(&rig, "log.1").data + 16;
    uint32_t size = load_be32(at + 8);
    size_t extra = 24 + (first.lacks_digest ? 12u : 0u);
    CHECK_U64("size", size, first.payload.size + extra);
    CHECK_U64("checksum of the payload only", load_be64(at), adler32(1, at + 12, size));
    CHECK_SLICE("payload", slice_of(at + 12, first.payload.size), first.payload);
    CHECK_U64("end of record", at[12 + size], 0x42);
    at += 12 + size + 1;
    size = load_be32(at + 8);
    struct txnlog_trailer trailer;
    CHECK(txnlog_trailer_read(slice_of(at + 12, size), &trailer));
    CHECK_I64("the record before", trailer.prev_zxid, first.zxid);
    CHECK_I64("known to be durable", trailer.durable_zxid, first.zxid);
    rig_deinit(&rig);
}

TEST(a_create_session_record_is_61_bytes_and_our_trailer)
{
    struct rig rig;

    rig_init(&rig, &plain);
    append_and_sync(&rig, world_add(&rig.world, &(struct txn_op){.type = OP_CREATE_SESSION,
                                                                 .timeout_ms = 4000}));
    CHECK_U64("size", file(&rig, "log.1").size, 16 + 12 + 48 + 1 + 24);
    rig_deinit(&rig);
}

TEST(a_record_gets_a_digest_of_version_0_before_the_trailer_where_digests_are_off)
{
    static const uint8_t no_digest[12];
    struct txnlog_options off = plain;
    struct rig rig;

    off.digest_enabled = false;
    for (int i = 0; i < 2; i++) {
        rig_init(&rig, &off);
        rig.world.digest_off = true;
        struct txnlog_append append =
            i == 0 ? world_add(&rig.world, &(struct txn_op){.type = OP_ERROR, .err = -101})
                   : world_create(&rig.world, "/a", SLICE("a"));
        append_and_sync(&rig, append);
        const uint8_t *payload = file(&rig, "log.1").data + 28;
        CHECK_SLICE("digest", slice_of(payload + append.payload.size, 12), slice_of(no_digest, 12));
        struct txn txn;
        struct arena arena = {0};
        CHECK_STATUS(txn_read(slice_of(payload, append.payload.size + 36), &arena, &txn),
                     STATUS_OK);
        CHECK(!txn.has_digest);
        arena_deinit(&arena);
        rig_deinit(&rig);
    }
}

TEST(a_trailer_is_left_out_where_java_could_not_read_the_record_any_more)
{
    struct txnlog_options options = plain;
    struct txnlog_trailer trailer;
    struct rig rig;

    for (size_t more = 23; more <= 24; more++) {
        rig_init(&rig, &plain);
        struct txnlog_append append =
            world_create(&rig.world, "/a", SLICE("aaaaaaaaaaaaaaaaaaaaaaaa"));
        options.payload_bytes_max = append.payload.size + more;
        txnlog_writer_free(rig.writer);
        rig.writer = txnlog_writer_new(sim_disk(rig.sim), &options, &nothing_before);
        append_and_sync(&rig, append);
        struct slice bytes = file(&rig, "log.1");
        CHECK(txnlog_trailer_read(slice_of(bytes.data + 28, bytes.size - 29), &trailer) ==
              (more == 24));
        rig_deinit(&rig);
    }
}

TEST(a_batch_is_one_write_and_a_sync_is_one_sync_of_the_file)
{
    struct rig rig;
    struct txnlog_append batch[20];

    rig_init(&rig, &kb64);
    append_and_sync(&rig, world_next(&rig.world));
    CHECK_U64("the new name is synced", sim_disk_calls(rig.sim, SIM_SYNC_DIR), 1);
    for (size_t i = 0; i < ARRAY_LEN(batch); i++)
        batch[i] = world_next(&rig.world);
    sim_disk_forget_calls(rig.sim);
    CHECK_STATUS(txnlog_writer_append(rig.writer, batch, ARRAY_LEN(batch)), STATUS_OK);
    CHECK_STATUS(txnlog_writer_sync(rig.writer), STATUS_OK);
    CHECK_U64("writes", sim_disk_calls(rig.sim, SIM_WRITE), 1);
    CHECK_U64("syncs", sim_disk_calls(rig.sim, SIM_SYNC), 1);
    CHECK_U64("changes", sim_disk_changes(rig.sim), 2);
    CHECK_STATUS(txnlog_writer_sync(rig.writer), STATUS_OK);
    CHECK_U64("nothing new, nothing done", sim_disk_changes(rig.sim), 2);
    rig_deinit(&rig);
}

TEST(zeros_are_written_ahead_in_small_steps_and_not_over_all_of_the_preallocation)
{
    struct txnlog_options options = plain;
    struct rig rig;

    options.prealloc_bytes = 64 * 1024 * 1024;
    rig_init(&rig, &options);
    sim_disk_set_space(rig.sim, 64); /* blocks of 4096 bytes */
    append_and_sync(&rig, world_next(&rig.world));
    CHECK_U64("size", file(&rig, "log.1").size, 64 * 1024 * 1024 + 16);
    sim_disk_forget_calls(rig.sim);
    for (int i = 0; i < 100; i++)
        append_and_sync(&rig, world_next(&rig.world));
    CHECK_U64("no size changes", sim_disk_calls(rig.sim, SIM_TRUNCATE), 0);
    rig_deinit(&rig);
}

TEST(without_force_sync_nothing_is_synced_and_no_record_claims_that_another_is_durable)
{
    struct txnlog_options options = kb64;
    struct txnlog_trailer trailer;
    struct txnlog_writer_info info;
    struct rig rig;

    options.force_sync = false;
    options.prealloc_bytes = 0;
    rig_init(&rig, &options);
    append_and_sync(&rig, world_create(&rig.world, "/a", SLICE("a")));
    size_t first = file(&rig, "log.1").size;
    append_and_sync(&rig, world_create(&rig.world, "/b", SLICE("b")));
    CHECK_U64("syncs", sim_disk_calls(rig.sim, SIM_SYNC) + sim_disk_calls(rig.sim, SIM_SYNC_DIR),
              0);
    struct slice bytes = file(&rig, "log.1");
    CHECK(
        txnlog_trailer_read(slice_of(bytes.data + first + 12, bytes.size - first - 13), &trailer));
    CHECK_I64("durable", trailer.durable_zxid, 0);
    txnlog_writer_info(rig.writer, &info);
    CHECK_I64("as far as anybody cares", info.durable_zxid, 2);
    CHECK(!info.unsynced);
    rig_deinit(&rig);
}

TEST(roll_before_begins_a_new_file_and_both_are_synced)
{
    struct rig rig;
    struct txnlog_append batch[4];

    rig_init(&rig, &plain);
    for (size_t i = 0; i < ARRAY_LEN(batch); i++)
        batch[i] = world_next(&rig.world);
    batch[2].roll_before = true;
    CHECK_STATUS(txnlog_writer_append(rig.writer, batch, ARRAY_LEN(batch)), STATUS_OK);
    struct txnlog_writer_info info;
    txnlog_writer_info(rig.writer, &info);
    CHECK(info.unsynced);
    CHECK_U64("open files", sim_disk_open_files(rig.sim), 2);
    CHECK_STATUS(txnlog_writer_sync(rig.writer), STATUS_OK);
    CHECK_U64("syncs", sim_disk_calls(rig.sim, SIM_SYNC), 2);
    CHECK_U64("only the newest stays open", sim_disk_open_files(rig.sim), 1);
    CHECK(file(&rig, "log.1").size > 0 && file(&rig, "log.3").size > 0);
    txnlog_writer_info(rig.writer, &info);
    CHECK_TEXT("newest", info.file_name, "log.3");
    CHECK_I64("durable", info.durable_zxid, 4);
    CHECK_U64("syncs", info.syncs, 2);
    rig_deinit(&rig);
}

/* Of two files that are not yet synced a power loss may keep the second one only. Its first record must show
 * then that something is missing, whatever the epochs are. */
TEST(a_record_without_a_trailer_begins_no_file_behind_another)
{
    struct rig rig;
    struct txnlog_append batch[4];

    rig_init(&rig, &plain);
    batch[0] = world_add(&rig.world, &(struct txn_op){.type = OP_CREATE_SESSION});
    batch[1] = close_unlisted(&rig);
    batch[2] = close_unlisted(&rig);
    batch[3] = create_of_size(&rig, 10);
    batch[1].roll_before = true;
    CHECK_STATUS(txnlog_writer_append(rig.writer, batch, 2), STATUS_OK);
    CHECK_U64("files", sim_disk_file_count(rig.sim), 1);
    CHECK_STATUS(txnlog_writer_append(rig.writer, batch + 2, 2), STATUS_OK);
    CHECK_U64("the next record that has a trailer", sim_disk_file_count(rig.sim), 2);
    CHECK(sim_disk_bytes(rig.sim, "log.4").size > 0);
    rig_deinit(&rig);
}

TEST(a_record_without_a_trailer_may_begin_the_first_file_of_a_run)
{
    struct rig rig;

    rig_init(&rig, &plain);
    append_and_sync(&rig, close_unlisted(&rig));
    CHECK(sim_disk_bytes(rig.sim, "log.1").size > 0);
    rig_deinit(&rig);
}

TEST(a_file_over_the_size_limit_after_a_sync_is_followed_by_a_new_one)
{
    struct txnlog_options options = kb64;
    struct rig rig;

    options.size_limit_bytes = 65552;
    rig_init(&rig, &options);
    append_and_sync(&rig, create_of_size(&rig, 62000)); /* 65552 bytes: not over the limit */
    append_and_sync(&rig, create_of_size(&rig, 10));    /* 131088 now */
    append_and_sync(&rig, create_of_size(&rig, 10));
    CHECK_U64("files", sim_disk_file_count(rig.sim), 2);
    CHECK(sim_disk_bytes(rig.sim, "log.3").size > 0);
    rig_deinit(&rig);
}

TEST(a_new_run_never_appends_to_a_file_and_takes_the_name_of_one_without_records)
{
    struct rig rig;
    struct txnlog_position after_one = {.last_zxid = 1, .digest_known = true};

    rig_init(&rig, &kb64);
    append_and_sync(&rig, world_create(&rig.world, "/a", SLICE("a")));
    struct slice before = file(&rig, "log.1");
    uint8_t *kept = mem_alloc(before.size);
    memcpy(kept, before.data, before.size);
    struct buffer empty = {0}; /* a header and zeros, longer than what will be written */
    txnlog_header_write(&empty);
    memset(buffer_extend(&empty, 500), 0, 500);
    sim_disk_put(rig.sim, "log.2", buffer_slice(&empty));
    buffer_deinit(&empty);
    txnlog_writer_free(rig.writer);
    rig.writer = txnlog_writer_new(sim_disk(rig.sim), &plain, &after_one);
    append_and_sync(&rig, world_add(&rig.world, &(struct txn_op){.type = OP_ERROR, .err = -1}));
    CHECK_SLICE("the old one", file(&rig, "log.1"), slice_of(kept, before.size));
    CHECK_U64("the new one", file(&rig, "log.2").size, 16 + 13 + 36 + 36);
    mem_free(kept);
    rig_deinit(&rig);
}

TEST(a_failed_write_or_sync_is_told_again_to_every_later_call)
{
    static const struct {
        enum sim_disk_op op;
        bool at_append;
    } rows[] = {{SIM_OPEN, true}, {SIM_WRITE, true},  {SIM_TRUNCATE, true},
                {SIM_SYNC, true}, {SIM_RENAME, true}, {SIM_SYNC_DIR, false}};

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct rig rig;
        rig_init(&rig, &kb64);
        struct txnlog_append append = world_next(&rig.world);
        sim_disk_fail_at(rig.sim, rows[i].op, 1, STATUS_IO);
        CHECK_STATUS(txnlog_writer_append(rig.writer, &append, 1),
                     rows[i].at_append ? STATUS_IO : STATUS_OK);
        CHECK_STATUS(txnlog_writer_sync(rig.writer), STATUS_IO);
        sim_disk_forget_calls(rig.sim);
        CHECK_STATUS(txnlog_writer_append(rig.writer, &append, 1), STATUS_IO);
        CHECK_STATUS(txnlog_writer_sync(rig.writer), STATUS_IO);
        CHECK_U64("nothing is tried again", sim_disk_changes(rig.sim), 0);
        rig_deinit(&rig);
    }
}

/* Java does not start over a log file that holds nothing yet. */
TEST(a_file_has_its_name_only_when_its_first_records_are_in_it)
{
    struct rig rig;

    rig_init(&rig, &kb64);
    struct txnlog_append append = world_next(&rig.world);
    sim_disk_fail_at(rig.sim, SIM_WRITE, 1, STATUS_IO);
    CHECK_STATUS(txnlog_writer_append(rig.writer, &append, 1), STATUS_IO);
    CHECK(sim_disk_bytes(rig.sim, "log.1").data == NULL);
    CHECK(sim_disk_bytes(rig.sim, "tmp.log.1").data != NULL);
    rig_deinit(&rig);
}

TEST(a_full_disk_takes_the_batch_back_and_the_same_batch_goes_in_later)
{
    struct rig rig;
    struct txnlog_append batch[3];
    struct txnlog_writer_info before, after;

    rig_init(&rig, &plain);
    append_and_sync(&rig, world_create(&rig.world, "/a", SLICE("a")));
    struct slice bytes = file(&rig, "log.1");
    uint8_t *kept = mem_alloc(bytes.size);
    size_t kept_size = bytes.size;
    memcpy(kept, bytes.data, kept_size);
    txnlog_writer_info(rig.writer, &before);
    for (size_t i = 0; i < ARRAY_LEN(batch); i++)
        batch[i] = create_of_size(&rig, i == 0 ? 6000 : 3000);
    batch[1].roll_before = true;
    for (uint64_t space = 0; space < 3; space++) { /* no room for the first, second, third */
        sim_disk_set_space(rig.sim, space);
        CHECK_STATUS(txnlog_writer_append(rig.writer, batch, ARRAY_LEN(batch)), STATUS_NO_SPACE);
        CHECK_SLICE("log.1", file(&rig, "log.1"), slice_of(kept, kept_size));
        CHECK_U64("files", sim_disk_file_count(rig.sim), 1);
        txnlog_writer_info(rig.writer, &after);
        CHECK_I64("zxid", after.last_zxid, before.last_zxid);
        CHECK_U64("bytes", after.written_bytes, before.written_bytes);
    }
    sim_disk_set_space(rig.sim, UINT64_MAX);
    CHECK_STATUS(txnlog_writer_append(rig.writer, batch, ARRAY_LEN(batch)), STATUS_OK);
    CHECK_STATUS(txnlog_writer_sync(rig.writer), STATUS_OK);
    CHECK(sim_disk_bytes(rig.sim, "log.3").size > 6000);
    mem_free(kept);
    rig_deinit(&rig);
}

TEST(a_disk_that_is_full_at_the_first_record_leaves_no_file)
{
    struct rig rig;

    rig_init(&rig, &kb64);
    struct txnlog_append append = world_next(&rig.world);
    sim_disk_set_space(rig.sim, 0);
    CHECK_STATUS(txnlog_writer_append(rig.writer, &append, 1), STATUS_NO_SPACE);
    CHECK_U64("files", sim_disk_file_count(rig.sim), 0);
    sim_disk_set_space(rig.sim, 1); /* room for the record, not for the zeros ahead of it */
    append_and_sync(&rig, append);
    CHECK_U64("size", file(&rig, "log.1").size, 65552);
    rig_deinit(&rig);
}

TEST(a_full_disk_that_cannot_even_be_cleaned_up_is_final)
{
    static const enum sim_disk_op ops[] = {SIM_REMOVE, SIM_TRUNCATE, SIM_SYNC};

    for (size_t i = 0; i < ARRAY_LEN(ops); i++) {
        struct rig rig;
        rig_init(&rig, &plain);
        append_and_sync(&rig, world_create(&rig.world, "/a", SLICE("a")));
        struct txnlog_append append = create_of_size(&rig, 9000);
        append.roll_before = ops[i] == SIM_REMOVE;
        sim_disk_set_space(rig.sim, 0);
        sim_disk_fail_at(rig.sim, ops[i], 1, STATUS_IO);
        CHECK_STATUS(txnlog_writer_append(rig.writer, &append, 1), STATUS_IO);
        sim_disk_set_space(rig.sim, UINT64_MAX);
        CHECK_STATUS(txnlog_writer_append(rig.writer, &append, 1), STATUS_IO);
        rig_deinit(&rig);
    }
}

TEST(an_append_of_nothing_changes_nothing)
{
    struct rig rig;

    rig_init(&rig, &plain);
    CHECK_STATUS(txnlog_writer_append(rig.writer, NULL, 0), STATUS_OK);
    CHECK_STATUS(txnlog_writer_sync(rig.writer), STATUS_OK);
    CHECK_U64("files", sim_disk_file_count(rig.sim), 0);
    txnlog_writer_free(NULL);
    rig_deinit(&rig);
}

TEST(a_huge_batch_is_written_and_its_memory_given_back)
{
    struct rig rig;
    struct txnlog_append batch[8];

    rig_init(&rig, &kb64);
    for (size_t i = 0; i < ARRAY_LEN(batch); i++)
        batch[i] = create_of_size(&rig, 1000000);
    CHECK_STATUS(txnlog_writer_append(rig.writer, batch, ARRAY_LEN(batch)), STATUS_OK);
    append_and_sync(&rig, world_next(&rig.world));
    CHECK(file(&rig, "log.1").size > 8000000);
    rig_deinit(&rig);
}

TEST(the_name_decides_what_a_file_is)
{
    static const struct {
        const char *name;
        enum store_file_kind kind;
        bool valid;
        int64_t zxid;
        enum store_compression compression;
    } rows[] = {
        {"log.1c", STORE_FILE_LOG, true, 0x1c, STORE_PLAIN},
        {"log.5.bak", STORE_FILE_LOG, true, 5, STORE_PLAIN},
        {"log.ABCDEF", STORE_FILE_LOG, true, 0xabcdef, STORE_PLAIN},
        {"log.7fffffffffffffff", STORE_FILE_LOG, true, INT64_MAX, STORE_PLAIN},
        {"log.ffffffffffffffff", STORE_FILE_LOG, false, 0, STORE_PLAIN},
        {"log.zz", STORE_FILE_LOG, false, 0, STORE_PLAIN},
        {"log.", STORE_FILE_LOG, false, 0, STORE_PLAIN},
        {"log", STORE_FILE_OTHER, false, 0, STORE_PLAIN},
        {"snapshot.0", STORE_FILE_SNAPSHOT, true, 0, STORE_PLAIN},
        {"snapshot.1b.tmp", STORE_FILE_SNAPSHOT, true, 0x1b, STORE_PLAIN},
        {"snapshot.64.gz", STORE_FILE_SNAPSHOT, true, 0x64, STORE_GZIP},
        {"snapshot.64.snappy", STORE_FILE_SNAPSHOT, true, 0x64, STORE_SNAPPY},
        {"snapshot.64.GZ", STORE_FILE_SNAPSHOT, true, 0x64, STORE_GZIP},
        {"snapshot.64.gzip", STORE_FILE_SNAPSHOT, true, 0x64, STORE_PLAIN},
        {"snapshot.64.gz.old", STORE_FILE_SNAPSHOT, true, 0x64, STORE_PLAIN},
        {"tmp.snapshot.64.gz", STORE_FILE_OTHER, false, 0, STORE_GZIP},
        {"torn.log.1c.4096", STORE_FILE_OTHER, false, 0, STORE_PLAIN},
        {"currentEpoch", STORE_FILE_OTHER, false, 0, STORE_PLAIN},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct store_name read = store_name_read(rows[i].name);
        CHECK_I64(rows[i].name, read.kind, rows[i].kind);
        CHECK_I64(rows[i].name, read.zxid_valid, rows[i].valid);
        CHECK_I64(rows[i].name, rows[i].valid ? read.zxid : 0, rows[i].zxid);
        CHECK_I64(rows[i].name, read.compression, rows[i].compression);
    }
}

TEST(a_log_file_of_the_same_name_is_never_replaced)
{
    struct rig rig;

    rig_init(&rig, &plain);
    struct txnlog_append append = world_next(&rig.world);
    sim_disk_put(rig.sim, "log.1", SLICE("somebody's records"));
    CHECK_STATUS(txnlog_writer_append(rig.writer, &append, 1), STATUS_EXISTS);
    CHECK_SLICE("untouched", file(&rig, "log.1"), SLICE("somebody's records"));
    CHECK_STATUS(txnlog_writer_sync(rig.writer), STATUS_EXISTS); /* it has failed for good */
    rig_deinit(&rig);
}

TEST(bytes_of_java_are_not_taken_for_a_trailer)
{
    struct store_world world;
    struct txnlog_trailer trailer;

    world_init(&world, 5);
    for (int i = 0; i < 2000; i++)
        CHECK(!txnlog_trailer_read(world_next(&world).payload, &trailer));
    /* Nor bytes that look right in all but the check. */
    uint8_t payload[100] = {0};
    payload[19] = 9; /* zxid */
    CHECK(!txnlog_trailer_read(slice_of(payload, sizeof(payload)), &trailer));
    CHECK(!txnlog_trailer_read(slice_of(payload, 60), &trailer));
    world_deinit(&world);
}
