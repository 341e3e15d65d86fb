/* History for a learner, from logs of ours and from logs that Java wrote. */
#include "replica/store/history_reader.h"
#include "replica/store/snapshot.h"
#include "replica/store/store_files.h"
#include "replica/store/txnlog.h"
#include "replica/store/txnlog_reader.h"
#include "sim/disk.h"
#include "test/lib/check.h"
#include "test/lib/store_world.h"
#include "test/lib/unpack.h"
#include "wire/quorum.h"

static const struct txnlog_options options = {
    .prealloc_bytes = 4096, .force_sync = true, .digest_enabled = true};
static const struct snapshot_image_options image_options = {.digest_enabled = true};

/* `count` transactions of the world, in files of some records each. */
static void serve(struct sim_disk *sim, struct store_world *world,
                  const struct txnlog_position *position, int count, uint64_t *seed)
{
    struct txnlog_writer *writer = txnlog_writer_new(sim_disk(sim), &options, position);

    for (int i = 0; i < count; i++) {
        struct txnlog_append append = world_next(world);
        append.roll_before = random_below(seed, 10) == 0;
        CHECK_STATUS(txnlog_writer_append(writer, &append, 1), STATUS_OK);
    }
    CHECK_STATUS(txnlog_writer_sync(writer), STATUS_OK);
    txnlog_writer_free(writer);
}

static struct sim_disk *make_logs(struct store_world *world, uint64_t *seed)
{
    struct sim_disk *sim = sim_disk_new(*seed);

    CHECK_STATUS(snapshot_write(sim_disk(sim), world->tree, &image_options, STORE_PLAIN),
                 STATUS_OK);
    serve(sim, world, &(struct txnlog_position){.last_zxid = 0}, 60, seed);
    return sim;
}

static enum status open_history(struct sim_disk *sim, int64_t after, int64_t last,
                                struct history **ret_history)
{
    return history_open(sim_disk(sim), sim_disk(sim), after, last, 0, ret_history);
}

/* How it ends; *ret_count records were given. */
static enum status run(struct sim_disk *sim, int64_t after, int64_t last, uint64_t *ret_count)
{
    struct history *history;
    struct history_record record;

    *ret_count = 0;
    enum status status = open_history(sim, after, last, &history);
    if (status != STATUS_OK)
        return status;
    while ((status = history_next(history, &record)) == STATUS_OK)
        ++*ret_count;
    CHECK((status == STATUS_CORRUPT) == (history_problem(history) != NULL));
    history_close(history);
    CHECK_U64("open files", sim_disk_open_files(sim), 0);
    return status;
}

static void check_run(struct sim_disk *sim, int64_t after, int64_t last, enum status status,
                      uint64_t count)
{
    uint64_t got;

    CHECK_STATUS(run(sim, after, last, &got), status);
    CHECK_U64("records", got, count);
}

PROPERTY(every_stretch_of_our_log_is_given_as_the_leader_made_it)
{
    struct store_world world;

    world_init(&world, seed);
    struct sim_disk *sim = make_logs(&world, &seed);
    for (int i = 0; i < 30; i++) {
        int64_t after = random_below(&seed, (int32_t)world_zxid(&world) + 1);
        int64_t last = after + random_below(&seed, (int32_t)(world_zxid(&world) - after) + 1);
        struct history *history;
        struct history_record record;
        CHECK_STATUS(open_history(sim, after, last, &history), STATUS_OK);
        for (int64_t zxid = after + 1; zxid <= last; zxid++) {
            struct txnlog_append want = world_append(&world, (size_t)zxid - 1);
            CHECK_STATUS(history_next(history, &record), STATUS_OK);
            CHECK_I64("zxid", record.zxid, zxid);
            CHECK_SLICE("payload", record.payload, want.payload);
        }
        CHECK_STATUS(history_next(history, &record), STATUS_END);
        CHECK_STATUS(history_next(history, &record), STATUS_END);
        CHECK(history_file_bytes(history) > 0);
        history_close(history);
    }
    sim_disk_free(sim);
    world_deinit(&world);
}

/* The n-th call of each kind fails, for every n: an error, or an answer that was complete before it. */
PROPERTY(a_call_that_fails_ends_the_history_with_its_error)
{
    static const enum sim_disk_op ops[] = {SIM_OPEN, SIM_READ, SIM_SIZE, SIM_SKIP_HOLE, SIM_LIST};
    struct store_world world;

    world_init(&world, seed);
    struct sim_disk *sim = make_logs(&world, &seed);
    for (size_t i = 0; i < ARRAY_LEN(ops); i++) {
        enum status status = STATUS_IO;
        for (uint64_t n = 1; status == STATUS_IO; n++) {
            uint64_t count, calls = sim_disk_calls(sim, ops[i]);
            sim_disk_fail_at(sim, ops[i], n, STATUS_IO);
            status = run(sim, 20, 60, &count);
            if (sim_disk_calls(sim, ops[i]) - calls >= n) {
                CHECK_STATUS(status, STATUS_IO);
                CHECK(count < 40);
            } else {
                CHECK_STATUS(status, STATUS_END);
                CHECK_U64("records", count, 40);
                CHECK(n > 1 || ops[i] == SIM_SKIP_HOLE);
            }
            sim_disk_mend(sim);
        }
    }
    sim_disk_free(sim);
    world_deinit(&world);
}

TEST(a_zxid_that_is_neither_a_record_nor_a_snapshot_has_no_history)
{
    uint64_t seed = 1;
    struct store_world world;

    world_init(&world, seed);
    struct sim_disk *sim = make_logs(&world, &seed);
    check_run(sim, 0, 60, STATUS_END, 60); /* of snapshot.0 */
    check_run(sim, 61, 62, STATUS_NOT_FOUND, 0);
    check_run(sim, 0x100000000, 0x100000001, STATUS_NOT_FOUND, 0);
    sim_disk_delete(sim, "snapshot.0");
    check_run(sim, 0, 60, STATUS_NOT_FOUND, 0);
    check_run(sim, 1, 60, STATUS_END, 59);
    check_run(sim, 1, 61, STATUS_CORRUPT, 59); /* the log ends before it */
    sim_disk_free(sim);
    world_deinit(&world);
}

TEST(a_missing_file_is_a_gap_and_ends_the_history)
{
    uint64_t seed = 2;
    struct store_world world;
    struct store_files files;

    world_init(&world, seed);
    struct sim_disk *sim = make_logs(&world, &seed);
    CHECK_STATUS(store_files_list(sim_disk(sim), STORE_FILE_LOG, &files), STATUS_OK);
    CHECK(files.count >= 3);
    int64_t gone = files.files[1].read.zxid;
    sim_disk_delete(sim, files.files[1].name);
    store_files_deinit(&files);
    check_run(sim, 0, 60, STATUS_CORRUPT, (uint64_t)gone - 1);
    check_run(sim, gone, 60, STATUS_NOT_FOUND, 0);
    sim_disk_free(sim);
    world_deinit(&world);
}

TEST(records_that_are_of_another_history_are_not_given)
{
    uint64_t seed = 3;
    struct store_world world, other;

    world_init(&world, seed);
    world_init(&other, seed + 1);
    struct sim_disk *sim = make_logs(&world, &seed);
    for (int i = 0; i < 60; i++)
        (void)world_next(&other);
    /* The same zxid before it, and another link. */
    serve(sim, &other, &(struct txnlog_position){.last_zxid = 60, .link = 5, .digest_known = true},
          5, &seed);
    check_run(sim, 55, 65, STATUS_CORRUPT, 5);
    world_deinit(&other);
    sim_disk_free(sim);
    world_deinit(&world);
}

TEST(a_file_that_is_removed_meanwhile_ends_the_history)
{
    uint64_t seed = 4;
    struct store_world world;
    struct store_files files;
    struct history *history;
    struct history_record record;
    enum status status;

    world_init(&world, seed);
    struct sim_disk *sim = make_logs(&world, &seed);
    CHECK_STATUS(store_files_list(sim_disk(sim), STORE_FILE_LOG, &files), STATUS_OK);
    CHECK(files.count >= 2);
    CHECK_STATUS(open_history(sim, 0, 60, &history), STATUS_OK);
    sim_disk_delete(sim, files.files[files.count - 1].name);
    while ((status = history_next(history, &record)) == STATUS_OK)
        ;
    CHECK_STATUS(status, STATUS_CORRUPT);
    CHECK_TEXT("problem", history_problem(history), "a log file was removed");
    history_close(history);
    store_files_deinit(&files);
    sim_disk_free(sim);
    world_deinit(&world);
}

/* A log as Java writes it. */
static void put_java_log(struct sim_disk *sim, const char *name, const int64_t *zxids,
                         const int32_t *types, size_t count)
{
    struct buffer bytes = {0};

    txnlog_header_write(&bytes);
    for (size_t i = 0; i < count; i++) {
        struct buffer payload = {0};
        struct txnlog_position position = {0};
        txn_write(&payload,
                  &(struct txn){.header = {.zxid = zxids[i], .type = types[i]},
                                .op = {.type = types[i], .timeout_ms = 1000, .err = ZK_NO_NODE}});
        /* A limit that leaves no room for a trailer. */
        txnlog_record_write(&bytes, buffer_slice(&payload), TXNLOG_DIGEST_THERE, zxids[i], 0,
                            payload.size, &position);
        buffer_deinit(&payload);
    }
    sim_disk_put(sim, name, buffer_slice(&bytes));
    buffer_deinit(&bytes);
}

TEST(javas_records_count_on_by_one_and_each_epoch_begins_with_one)
{
    static const struct {
        const char *name;
        int64_t zxids[4];
        int32_t last_type;
        enum status status;
        uint64_t count;
    } rows[] = {
        {"one epoch", {1, 2, 3, 4}, OP_CREATE_SESSION, STATUS_END, 3},
        {"two epochs", {1, 2, 0x100000001, 0x100000002}, OP_CREATE_SESSION, STATUS_END, 3},
        {"epochs without transactions", {1, 2, 3, 0x500000001}, OP_CREATE_SESSION, STATUS_END, 3},
        {"a gap", {1, 2, 4, 5}, OP_CREATE_SESSION, STATUS_CORRUPT, 1},
        {"an epoch without its first",
         {1, 2, 3, 0x100000002},
         OP_CREATE_SESSION,
         STATUS_CORRUPT,
         2},
        {"going back", {1, 2, 3, 2}, OP_CREATE_SESSION, STATUS_CORRUPT, 2},
        {"a repeated error, as 3.9.0 leaves it", {1, 2, 3, 3}, OP_ERROR, STATUS_END, 2},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct sim_disk *sim = sim_disk_new(i);
        const int32_t types[4] = {OP_CREATE_SESSION, OP_CREATE_SESSION, OP_CREATE_SESSION,
                                  rows[i].last_type};
        put_java_log(sim, "log.1", rows[i].zxids, types, 4);
        int64_t last = rows[i].zxids[3] > 2 ? rows[i].zxids[3] : 4;
        uint64_t count;
        CHECK_STATUS(run(sim, 1, last, &count), rows[i].status);
        CHECK_U64(rows[i].name, count, rows[i].count);
        sim_disk_free(sim);
    }
}

TEST(a_last_zxid_that_is_no_record_is_not_passed_over)
{
    struct sim_disk *sim = sim_disk_new(1);
    const int64_t zxids[] = {1, 2, 0x100000001};
    const int32_t types[] = {OP_CREATE_SESSION, OP_CREATE_SESSION, OP_CREATE_SESSION};

    put_java_log(sim, "log.1", zxids, types, 3);
    check_run(sim, 1, 3, STATUS_CORRUPT, 1);
    check_run(sim, 1, 0x100000001, STATUS_END, 2);
    sim_disk_free(sim);
}

TEST(a_members_directory_of_java_gives_its_whole_history_over_three_epochs)
{
    static const char *const directories[] = {"data/server1/version-2", "data/server2/version-2",
                                              "data/server3/version-2"};

    for (size_t i = 0; i < ARRAY_LEN(directories); i++) {
        struct sim_disk *sim = unpack("ensemble-3-epochs", directories[i]);
        uint64_t all, behind;
        CHECK_STATUS(run(sim, 0, 0x30000000c, &all), STATUS_END);
        CHECK_U64("records", all, 70);
        CHECK_STATUS(run(sim, 0x10000000f, 0x30000000c, &behind), STATUS_END);
        CHECK_U64("records", behind, all - 15);
        sim_disk_free(sim);
    }
    struct sim_disk *sim = unpack("ensemble-3-epochs", "data/server1/version-2");
    check_run(sim, 0x300000000, 0x30000000c, STATUS_NOT_FOUND, 0); /* a new epoch: in doubt */
    sim_disk_free(sim);
}

TEST(what_is_behind_a_java_log_in_ours_connects_to_it)
{
    uint64_t seed = 5;
    struct store_world world;
    struct sim_disk *sim = sim_disk_new(seed);
    const int64_t zxids[] = {1, 2, 3};
    const int32_t types[] = {OP_ERROR, OP_ERROR, OP_ERROR};

    world_init(&world, seed);
    put_java_log(sim, "log.1", zxids, types, 3);
    tree_set_last_zxid(world.tree, 3);
    serve(sim, &world, &(struct txnlog_position){.last_zxid = 3}, 10, &seed);
    check_run(sim, 1, 13, STATUS_END, 12);
    sim_disk_free(sim);
    world_deinit(&world);
}

/* --- in steps, for several learners --- */

struct told { /* of one learner */
    uint64_t proposals, commits, parts;
    int64_t last_zxid;
};

static void count_packets(const struct buffer *packets, struct told *told)
{
    struct slice rest = buffer_slice(packets);

    while (rest.size > 0) {
        struct quorum_packet packet;
        size_t size;
        CHECK_STATUS(quorum_packet_read(rest, SIZE_MAX / 2, &packet, &size), STATUS_OK);
        told->proposals += packet.type == QUORUM_PROPOSAL;
        if (packet.type == QUORUM_COMMIT)
            CHECK_I64("commit of the proposal", packet.zxid, told->last_zxid);
        told->commits += packet.type == QUORUM_COMMIT;
        told->last_zxid = packet.zxid;
        rest = slice_of(rest.data + size, rest.size - size);
    }
    told->parts++;
}

static enum status read_step(struct history_reader *reader, const struct history_work *work,
                             struct told *told)
{
    struct buffer packets = {0};

    enum status status = history_reader_work(reader, work, &packets);
    count_packets(&packets, told);
    buffer_deinit(&packets);
    return status;
}

TEST(a_history_comes_in_parts_to_two_learners_at_once_and_holds_its_files)
{
    uint64_t seed = 4;
    struct store_world world;
    struct told told[2] = {0};
    enum status status[2];

    world_init(&world, seed);
    world.data_bytes_max = 100000;
    struct sim_disk *sim = make_logs(&world, &seed);
    struct history_reader *reader = history_reader_new(sim_disk(sim), sim_disk(sim), 0);
    CHECK(history_reader_oldest_zxid(reader) == INT64_MAX);
    for (uint64_t i = 0; i < 2; i++) {
        struct history_work work = {.kind = HISTORY_OPEN,
                                    .connection = 2 + 2 * i,
                                    .after_zxid = 10 * (int64_t)i,
                                    .last_zxid = 60};
        status[i] = read_step(reader, &work, &told[i]);
        CHECK_STATUS(status[i], STATUS_OK);
    }
    CHECK(history_reader_oldest_zxid(reader) < 60);
    while (status[0] == STATUS_OK || status[1] == STATUS_OK) {
        for (uint64_t i = 0; i < 2; i++) {
            struct history_work work = {.kind = HISTORY_READ, .connection = 2 + 2 * i};
            if (status[i] == STATUS_OK)
                status[i] = read_step(reader, &work, &told[i]);
        }
    }
    for (uint64_t i = 0; i < 2; i++) {
        CHECK_STATUS(status[i], STATUS_END);
        CHECK_U64("proposals", told[i].proposals, 60 - 10 * i);
        CHECK_U64("commits", told[i].commits, 60 - 10 * i);
        CHECK_I64("last", told[i].last_zxid, 60);
        CHECK(told[i].parts > 1);
    }
    CHECK(history_reader_oldest_zxid(reader) == INT64_MAX);
    CHECK_U64("open files", sim_disk_open_files(sim), 0);
    history_reader_free(reader);
    sim_disk_free(sim);
    world_deinit(&world);
}

TEST(a_history_of_more_file_than_is_allowed_is_refused_and_one_that_is_closed_is_gone)
{
    uint64_t seed = 5;
    struct store_world world;
    struct told told = {0};

    world_init(&world, seed);
    world.data_bytes_max = 100000;
    struct sim_disk *sim = make_logs(&world, &seed);
    struct history_reader *reader = history_reader_new(sim_disk(sim), sim_disk(sim), 0);
    struct history_work work = {
        .kind = HISTORY_OPEN, .connection = 2, .last_zxid = 60, .file_bytes_max = 5000};
    CHECK_STATUS(read_step(reader, &work, &told), STATUS_TOO_LARGE);
    CHECK_U64("nothing", told.proposals, 0);
    work.file_bytes_max = 1 << 30;
    CHECK_STATUS(read_step(reader, &work, &told), STATUS_OK);
    work.kind = HISTORY_CLOSE;
    CHECK_STATUS(read_step(reader, &work, &told), STATUS_END);
    CHECK_STATUS(read_step(reader, &work, &told), STATUS_END);
    CHECK_U64("open files", sim_disk_open_files(sim), 0);
    work = (struct history_work){
        .kind = HISTORY_OPEN, .connection = 4, .after_zxid = 61, .last_zxid = 62};
    CHECK_STATUS(read_step(reader, &work, &told), STATUS_NOT_FOUND);
    history_reader_free(reader);
    sim_disk_free(sim);
    world_deinit(&world);
}

TEST(zeros_that_wait_for_records_do_not_count)
{
    uint64_t seed = 6;
    struct store_world world;
    struct history *history;
    const struct txnlog_options ahead = {
        .prealloc_bytes = 8 << 20, .force_sync = true, .digest_enabled = true};

    world_init(&world, seed);
    struct sim_disk *sim = sim_disk_new(seed);
    CHECK_STATUS(snapshot_write(sim_disk(sim), world.tree, &image_options, STORE_PLAIN), STATUS_OK);
    struct txnlog_writer *writer =
        txnlog_writer_new(sim_disk(sim), &ahead, &(struct txnlog_position){.last_zxid = 0});
    struct txnlog_append append = world_create(&world, "/a", SLICE("one"));
    CHECK_STATUS(txnlog_writer_append(writer, &append, 1), STATUS_OK);
    CHECK_STATUS(txnlog_writer_sync(writer), STATUS_OK);
    CHECK_STATUS(open_history(sim, 0, 1, &history), STATUS_OK);
    CHECK(history_file_bytes(history) > 16 && history_file_bytes(history) < 1000);
    history_close(history);
    txnlog_writer_free(writer);
    sim_disk_free(sim);
    world_deinit(&world);
}
