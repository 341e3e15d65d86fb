#include "server/writers/log_thread.h"

#include "io/disk_posix.h"
#include "io/log.h"
#include "replica/store/epochs.h"
#include "replica/store/start.h"
#include "test/lib/sockets.h"
#include "test/lib/store_world.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { TOLD_MAX = 64 };

static const struct snapshot_image_options image_options = {.digest_enabled = true};

struct told {
    enum { DURABLE, WORK_DONE, IMAGE_DONE } kind;
    int64_t zxid;
    struct log_thread_outcome outcome;
    bool written;
};

/* A directory, the two threads that write there, and what they told the loop. */
struct bench {
    uv_loop_t loop;
    char path[64];
    struct disk *disk;
    struct log_thread *log;
    struct snapshot_thread *snapshots;
    struct store_world world;
    struct told told[TOLD_MAX];
    size_t told_count;
};

static struct told *tell(struct bench *bench)
{
    CHECK(bench->told_count < TOLD_MAX);
    return &bench->told[bench->told_count++];
}

static void on_durable(void *context, int64_t zxid)
{
    *tell(context) = (struct told){.kind = DURABLE, .zxid = zxid};
}

static void on_work_done(void *context, const struct log_thread_outcome *outcome)
{
    *tell(context) = (struct told){.kind = WORK_DONE, .outcome = *outcome};
}

static void on_image_done(void *context, bool written)
{
    *tell(context) = (struct told){.kind = IMAGE_DONE, .written = written};
}

static void on_room(void *context)
{
    (void)context;
}

static struct recovery recovered(struct bench *bench)
{
    struct recovery_options options = world_recovery_options();
    struct recovery recovery;

    if (store_start(bench->disk, bench->disk, &options, &recovery) != STATUS_OK)
        check_failed(__FILE__, __LINE__, "refused: %s", recovery_reason(&recovery));
    return recovery;
}

static void start_threads(struct bench *bench)
{
    struct store_actor_options options = {
        .log = {.prealloc_bytes = 4096, .force_sync = true, .digest_enabled = true},
        .recovery = world_recovery_options()};
    struct snapshot_thread_options snapshot_options = {
        .data = bench->disk, .log = bench->disk, .directory = bench->path, .retain = 3};
    struct snapshot_thread_events snapshot_events = {
        .room = on_room, .done = on_image_done, .context = bench};
    struct log_thread_options log_options = {.fsync_warning_ms = 60000, .directory = bench->path};
    struct log_thread_events events = {on_durable, on_work_done, bench};
    struct recovery recovery = recovered(bench);

    uv_loop_init(&bench->loop);
    bench->snapshots = snapshot_thread_start(&bench->loop, &snapshot_options, &snapshot_events);
    log_options.snapshots = bench->snapshots;
    bench->log = log_thread_start(
        &bench->loop, store_actor_new(bench->disk, bench->disk, &options, &recovery.log),
        &log_options, &events);
    tree_free(recovery.tree);
    recovery_deinit(&recovery);
}

static void stop_threads(struct bench *bench)
{
    log_thread_stop(bench->log);
    snapshot_thread_stop(bench->snapshots);
    sockets_run_dry(&bench->loop);
    log_thread_free(bench->log);
    snapshot_thread_free(bench->snapshots);
}

static struct bench *bench_new(void)
{
    struct bench *bench = mem_zalloc(sizeof(*bench));

    CHECK_STATUS(log_open("/dev/null", LOG_LEVEL_ERROR), STATUS_OK);
    snprintf(bench->path, sizeof(bench->path), "/tmp/paddock-test-log-XXXXXX");
    CHECK(mkdtemp(bench->path) != NULL);
    CHECK_STATUS(disk_posix_open(bench->path, 0, &bench->disk), STATUS_OK);
    world_init(&bench->world, 1);
    start_threads(bench);
    return bench;
}

static void remove_directory(const char *path)
{
    DIR *directory = opendir(path);
    struct dirent *entry;
    char name[400];

    while ((entry = readdir(directory)) != NULL) {
        snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
        (void)unlink(name);
    }
    closedir(directory);
    rmdir(path);
}

/* Ends the threads; a start then finds the world's tree. */
static void bench_free(struct bench *bench)
{
    stop_threads(bench);
    struct recovery recovery = recovered(bench);
    check_same_tree(recovery.tree, bench->world.tree);
    tree_free(recovery.tree);
    recovery_deinit(&recovery);
    for (size_t i = 0; i < bench->told_count; i++) {
        if (bench->told[i].kind == WORK_DONE && bench->told[i].outcome.tree != NULL)
            tree_free(bench->told[i].outcome.tree);
    }
    world_deinit(&bench->world);
    disk_posix_close(bench->disk);
    remove_directory(bench->path);
    mem_free(bench);
}

static int64_t push(struct bench *bench, int count)
{
    for (int i = 0; i < count; i++) {
        struct txnlog_append append = world_next(&bench->world);
        log_thread_push(bench->log, &append, 1);
    }
    return world_zxid(&bench->world);
}

static void work(struct bench *bench, struct store_work what)
{
    log_thread_work(bench->log, &what);
}

/* Where a "durable up to zxid" was told; told_count when it was not. */
static size_t durable_at(const struct bench *bench, int64_t zxid)
{
    size_t at = 0;

    while (at < bench->told_count &&
           (bench->told[at].kind != DURABLE || bench->told[at].zxid != zxid))
        at++;
    return at;
}

static size_t work_done_at(const struct bench *bench)
{
    size_t at = 0;

    while (at < bench->told_count && bench->told[at].kind != WORK_DONE)
        at++;
    return at;
}

static void wait_durable(struct bench *bench, int64_t zxid)
{
    SOCKETS_UNTIL(&bench->loop, durable_at(bench, zxid) < bench->told_count);
}

static struct log_thread_outcome *wait_work(struct bench *bench)
{
    SOCKETS_UNTIL(&bench->loop, work_done_at(bench) < bench->told_count);
    return &bench->told[work_done_at(bench)].outcome;
}

TEST(a_work_stands_in_the_queue_between_what_was_pushed_before_and_behind)
{
    for (int round = 0; round < 20; round++) {
        struct bench *bench = bench_new();
        struct store_notes notes = {0};
        struct epochs epochs;
        int64_t before = push(bench, 10);
        work(bench, (struct store_work){
                        .kind = STORE_WRITE_EPOCHS, .accepted_epoch = 7, .current_epoch = 6});
        int64_t behind = push(bench, 10);
        wait_durable(bench, behind);
        CHECK(durable_at(bench, before) < work_done_at(bench));
        CHECK(work_done_at(bench) < durable_at(bench, behind));
        CHECK_STATUS(wait_work(bench)->status, STATUS_OK);
        CHECK_STATUS(epochs_read(bench->disk, &epochs, &notes), STATUS_OK);
        CHECK_I64("accepted", epochs.accepted, 7);
        CHECK_I64("current", epochs.current, 6);
        bench_free(bench);
    }
}

TEST(what_is_durable_is_told_again_behind_a_truncation)
{
    struct bench *bench = bench_new();
    int64_t last = push(bench, 30), kept = last - 20;

    wait_durable(bench, last);
    work(bench, (struct store_work){.kind = STORE_TRUNCATE, .zxid = kept});
    struct log_thread_outcome *outcome = wait_work(bench);
    CHECK_STATUS(outcome->status, STATUS_OK);
    CHECK_I64("zxid", outcome->zxid, kept);
    world_go_back(&bench->world, kept);
    check_same_tree(outcome->tree, bench->world.tree);
    size_t told = bench->told_count;
    int64_t next = push(bench, 5);
    CHECK(next < last);
    SOCKETS_UNTIL(&bench->loop,
                  bench->told_count > told && bench->told[bench->told_count - 1].zxid == next);
    bench_free(bench);
}

TEST(a_truncation_that_is_refused_changes_nothing)
{
    struct bench *bench = bench_new();
    int64_t last = push(bench, 10);

    work(bench, (struct store_work){.kind = STORE_TRUNCATE, .zxid = last + 1});
    struct log_thread_outcome *outcome = wait_work(bench);
    CHECK_STATUS(outcome->status, STATUS_NOT_FOUND);
    CHECK(outcome->tree == NULL);
    wait_durable(bench, push(bench, 10));
    bench_free(bench);
}

TEST(a_reload_brings_the_tree_of_all_that_was_pushed)
{
    struct bench *bench = bench_new();

    push(bench, 50);
    work(bench, (struct store_work){.kind = STORE_RELOAD});
    check_same_tree(wait_work(bench)->tree, bench->world.tree);
    bench_free(bench);
}

static struct buffer first_part_of(struct tree *tree)
{
    struct snapshot_image *image = snapshot_image_begin(tree, &image_options);
    struct buffer bytes = {0};

    CHECK_I64("a part", snapshot_image_next(image, &bytes, 100), IMAGE_PART);
    snapshot_image_end(image);
    return bytes;
}

static bool image_is_done(const struct bench *bench)
{
    for (size_t i = 0; i < bench->told_count; i++) {
        if (bench->told[i].kind == IMAGE_DONE)
            return true;
    }
    return false;
}

TEST(an_image_without_its_end_is_given_up_before_a_work)
{
    struct bench *bench = bench_new();
    struct buffer bytes;

    wait_durable(bench, push(bench, 10));
    bytes = first_part_of(bench->world.tree);
    snapshot_thread_begin(bench->snapshots, world_zxid(&bench->world), /* awaited= */ false);
    snapshot_thread_push(bench->snapshots, &bytes, false);
    work(bench, (struct store_work){.kind = STORE_RELOAD});
    wait_work(bench);
    SOCKETS_UNTIL(&bench->loop,
                  image_is_done(bench)); /* in how many syncs the rest came is chance */
    for (size_t i = 0; i < bench->told_count; i++)
        CHECK(bench->told[i].kind != IMAGE_DONE || !bench->told[i].written);
    snapshot_thread_finish(bench->snapshots); /* its end comes late: it is ignored */
    snapshot_thread_purge(bench->snapshots);  /* and the thread goes on */
    bench_free(bench);
}

TEST(works_that_follow_at_once_pause_the_snapshot_thread_each_time)
{
    struct bench *bench = bench_new();

    wait_durable(bench, push(bench, 10));
    for (int round = 0; round < 200; round++) {
        work(bench, (struct store_work){.kind = STORE_RELOAD});
        tree_free(wait_work(bench)->tree);
        bench->told_count = 0;
    }
    bench_free(bench);
}

TEST(epochs_are_written_beside_an_image)
{
    struct bench *bench = bench_new();

    snapshot_thread_begin(bench->snapshots, 0, /* awaited= */ false);
    work(bench,
         (struct store_work){.kind = STORE_WRITE_EPOCHS, .accepted_epoch = 1, .current_epoch = 1});
    wait_work(bench);
    CHECK_U64("the image goes on", bench->told_count, 1);
    bench_free(bench);
}

TEST(a_stop_leaves_files_that_a_start_understands_whatever_waits)
{
    for (int round = 0; round < 20; round++) {
        struct bench *bench = bench_new();
        int64_t last = push(bench, 10);
        wait_durable(bench, last);
        work(bench, (struct store_work){.kind = STORE_TRUNCATE, .zxid = last - 5});
        stop_threads(bench);
        struct recovery recovery = recovered(bench);
        CHECK(recovery.last_zxid == last || recovery.last_zxid == last - 5);
        world_go_back(&bench->world, recovery.last_zxid);
        tree_free(recovery.tree);
        recovery_deinit(&recovery);
        start_threads(bench);
        bench_free(bench);
    }
}
