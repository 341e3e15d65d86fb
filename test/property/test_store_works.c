/* Works on a member's files, with a power cut at every change of each: what a start finds afterwards is
 * the state before or the state after, whole, and never a mixture; and after only what was told. */
#include "replica/store/actor.h"
#include "replica/store/snapshot.h"
#include "replica/store/start.h"
#include "replica/store/store_files.h"
#include "sim/disk.h"
#include "test/lib/check.h"
#include "test/lib/store_world.h"

enum { BATCH_MAX = 6 };

static const enum sim_disk_loss losses[] = {SIM_LOSE_SOME, SIM_LOSE_ALL, SIM_LOSE_NOTHING};
static const struct snapshot_image_options image_options = {true, true, false};

/* dataDir and dataLogDir: one directory, or two. */
struct dirs {
    struct sim_disk *data, *log;
};

static struct dirs dirs_new(uint64_t *seed)
{
    struct sim_disk *data = sim_disk_new(*seed);
    bool two = random_below(seed, 2) == 0;

    return (struct dirs){data, two ? sim_disk_new(*seed + 1) : data};
}

static void dirs_free(struct dirs dirs)
{
    if (dirs.log != dirs.data)
        sim_disk_free(dirs.log);
    sim_disk_free(dirs.data);
}

static struct dirs dirs_copy(struct dirs dirs, uint64_t seed)
{
    struct sim_disk *data = sim_disk_copy(dirs.data, seed);

    return (struct dirs){data, dirs.log == dirs.data ? data : sim_disk_copy(dirs.log, seed + 1)};
}

/* At the n-th change of one of them, which is the last one that the process makes at all. */
static void dirs_crash_at(struct dirs dirs, bool of_log, uint64_t n)
{
    sim_disk_crash_at(of_log ? dirs.log : dirs.data, n);
}

static bool dirs_crashed(struct dirs dirs)
{
    return sim_disk_crashed(dirs.data) || sim_disk_crashed(dirs.log);
}

static void dirs_reboot(struct dirs dirs, enum sim_disk_loss loss)
{
    sim_disk_reboot(dirs.data, loss);
    if (dirs.log != dirs.data)
        sim_disk_reboot(dirs.log, loss);
}

static struct store_actor *actor_new(struct dirs dirs, const struct txnlog_position *position)
{
    const struct store_actor_options options = {
        .log = {.prealloc_bytes = 4096, .force_sync = true, .digest_enabled = true},
        .recovery = world_recovery_options()};

    return store_actor_new(sim_disk(dirs.data), sim_disk(dirs.log), &options, position);
}

static void drop(struct recovery *recovery)
{
    tree_free(recovery->tree);
    recovery_deinit(recovery);
}

static void must_start(struct dirs dirs, struct recovery *recovery)
{
    struct recovery_options options = world_recovery_options();

    if (store_start(sim_disk(dirs.data), sim_disk(dirs.log), &options, recovery) != STATUS_OK)
        check_failed(__FILE__, __LINE__, "refused: %s", recovery_reason(recovery));
    CHECK_U64("open files", sim_disk_open_files(dirs.data) + sim_disk_open_files(dirs.log), 0);
    CHECK_U64("digests that differ", recovery->digest_mismatches, 0);
}

/* An actor on the files as they are. */
static struct store_actor *actor_start(struct dirs dirs)
{
    struct recovery recovery;

    must_start(dirs, &recovery);
    struct store_actor *actor = actor_new(dirs, &recovery.log);
    drop(&recovery);
    return actor;
}

static struct tree *tree_at(const struct store_world *world, int64_t zxid)
{
    struct tree *tree = tree_new(&world_tree_options);
    struct arena arena;

    arena_init(&arena);
    for (size_t i = 0; i < world->count && world->txns[i].zxid <= zxid; i++) {
        struct txn txn;
        CHECK_STATUS(txn_read(slice_of(world->txns[i].bytes, world->txns[i].size), &arena, &txn),
                     STATUS_OK);
        txn_apply(tree, &txn, NULL, &arena, NULL);
        arena_reset(&arena);
    }
    arena_deinit(&arena);
    CHECK_I64("a world's zxid", tree_last_zxid(tree), zxid);
    return tree;
}

static void check_tree_at(const struct tree *tree, const struct store_world *world, int64_t zxid)
{
    struct tree *want = tree_at(world, zxid);

    check_same_tree(tree, want);
    tree_free(want);
}

/* Batches with syncs; false when the disk answers no more. */
static bool serve(struct store_actor *actor, struct store_world *world, uint64_t *seed, int batches)
{
    for (int i = 0; i < batches; i++) {
        struct txnlog_append batch[BATCH_MAX];
        size_t count = 1 + (size_t)random_below(seed, BATCH_MAX);
        for (size_t j = 0; j < count; j++) {
            batch[j] = world_next(world);
            batch[j].roll_before = random_below(seed, 5) == 0;
        }
        if (txnlog_writer_append(store_actor_log(actor), batch, count) != STATUS_OK ||
            txnlog_writer_sync(store_actor_log(actor)) != STATUS_OK)
            return false;
    }
    return true;
}

/* A directory with a history of several files and snapshots. */
static struct dirs make_history(struct store_world *world, uint64_t *seed)
{
    struct dirs dirs = dirs_new(seed);
    int rounds = 1 + random_below(seed, 5);

    for (int i = 0; i < rounds; i++) {
        struct store_actor *actor = actor_start(dirs);
        CHECK(serve(actor, world, seed, 1 + random_below(seed, 4)));
        store_actor_free(actor);
        if (random_below(seed, 2) == 0)
            CHECK_STATUS(snapshot_write(sim_disk(dirs.data), world->tree, &image_options,
                                        (enum store_compression)random_below(seed, 3)),
                         STATUS_OK);
    }
    return dirs;
}

static enum status work(struct store_actor *actor, struct store_work work_to_do,
                        struct tree **ret_tree)
{
    struct store_outcome outcome;

    enum status status = store_actor_work(actor, &work_to_do, &outcome);
    if (ret_tree != NULL)
        *ret_tree = outcome.recovery.tree;
    else
        tree_free(outcome.recovery.tree);
    store_outcome_deinit(&outcome);
    return status;
}

static enum status truncate_to(struct store_actor *actor, int64_t zxid, struct tree **ret_tree)
{
    return work(actor, (struct store_work){.kind = STORE_TRUNCATE, .zxid = zxid}, ret_tree);
}

static enum status write_epochs(struct store_actor *actor, int64_t accepted, int64_t current)
{
    return work(actor,
                (struct store_work){.kind = STORE_WRITE_EPOCHS,
                                    .accepted_epoch = accepted,
                                    .current_epoch = current},
                NULL);
}

static enum status restart_log(struct store_actor *actor, int64_t zxid)
{
    return work(actor, (struct store_work){.kind = STORE_RESTART_LOG, .zxid = zxid}, NULL);
}

static enum status reload(struct store_actor *actor, struct tree **ret_tree)
{
    return work(actor, (struct store_work){.kind = STORE_RELOAD}, ret_tree);
}

static void check_no_snapshot_above(struct dirs dirs, int64_t zxid)
{
    struct store_files files;

    CHECK_STATUS(store_files_list(sim_disk(dirs.data), STORE_FILE_SNAPSHOT, &files), STATUS_OK);
    CHECK(files.count > 0 && files.files[files.count - 1].read.zxid <= zxid);
    store_files_deinit(&files);
}

/* Goes on with the same world from what is there, and starts once more. */
static void check_goes_on(struct dirs dirs, struct store_world *world, uint64_t *seed)
{
    struct recovery recovery;

    must_start(dirs, &recovery);
    world_go_back(world, recovery.last_zxid);
    struct store_actor *actor = actor_new(dirs, &recovery.log);
    drop(&recovery);
    CHECK(serve(actor, world, seed, 3));
    store_actor_free(actor);
    must_start(dirs, &recovery);
    check_same_tree(recovery.tree, world->tree);
    drop(&recovery);
}

/* The power comes back, and goes again in the middle of the start. */
static void reboot(struct dirs dirs, uint64_t *seed)
{
    struct recovery_options options = world_recovery_options();
    struct recovery recovery;

    dirs_reboot(dirs, losses[random_below(seed, 3)]);
    dirs_crash_at(dirs, random_below(seed, 2) == 0, 1 + (uint64_t)random_below(seed, 12));
    if (store_start(sim_disk(dirs.data), sim_disk(dirs.log), &options, &recovery) != STATUS_OK)
        CHECK(dirs_crashed(dirs));
    drop(&recovery);
    dirs_reboot(dirs, losses[random_below(seed, 3)]);
}

/* ret_outcomes[0]: found as before; [1]: done. */
static void truncate_with_cuts(struct dirs history, bool of_log, struct store_world *world,
                               int64_t zxid, uint64_t *seed, uint32_t ret_outcomes[2])
{
    int64_t last = world_zxid(world);

    for (uint64_t crash_at = 1;; crash_at++) {
        struct dirs dirs = dirs_copy(history, *seed + crash_at);
        struct store_actor *actor = actor_start(dirs);
        struct recovery recovery;
        struct tree *tree = NULL;
        dirs_crash_at(dirs, of_log, crash_at);
        enum status status = truncate_to(actor, zxid, &tree);
        bool crashed = dirs_crashed(dirs);
        if (status == STATUS_OK)
            check_tree_at(tree, world, zxid);
        else
            CHECK(crashed);
        tree_free(tree);
        store_actor_free(actor);
        reboot(dirs, seed);
        must_start(dirs, &recovery);
        CHECK(recovery.last_zxid == zxid || (status != STATUS_OK && recovery.last_zxid == last));
        check_tree_at(recovery.tree, world, recovery.last_zxid);
        if (recovery.last_zxid == zxid)
            check_no_snapshot_above(dirs, zxid);
        ret_outcomes[recovery.last_zxid == zxid]++;
        drop(&recovery);
        dirs_free(dirs);
        if (!crashed)
            break;
    }
}

PROPERTY(a_truncation_cut_off_at_any_change_is_as_before_or_done_at_the_next_start)
{
    struct store_world world;
    uint32_t outcomes[2] = {0};

    world_init(&world, seed);
    struct dirs history = make_history(&world, &seed);
    int64_t last = world_zxid(&world);
    int64_t zxid = random_below(&seed, (int32_t)last);
    truncate_with_cuts(history, /* of_log= */ false, &world, zxid, &seed, outcomes);
    if (history.log != history.data)
        truncate_with_cuts(history, /* of_log= */ true, &world, zxid, &seed, outcomes);
    CHECK(outcomes[0] > 0 && outcomes[1] > 0);
    dirs_free(history);
    world_deinit(&world);
}

PROPERTY(the_log_goes_on_behind_a_truncation_to_any_zxid)
{
    struct store_world world;

    world_init(&world, seed);
    struct dirs dirs = make_history(&world, &seed);
    for (int i = 0; i < 6 && world_zxid(&world) > 0; i++) {
        struct store_actor *actor = actor_start(dirs);
        int64_t zxid = random_below(&seed, (int32_t)world_zxid(&world) + 1);
        struct tree *tree;
        CHECK_STATUS(truncate_to(actor, zxid, &tree), STATUS_OK);
        world_go_back(&world, zxid);
        check_same_tree(tree, world.tree);
        tree_free(tree);
        CHECK(serve(actor, &world, &seed, 2)); /* the same actor, without a restart */
        store_actor_free(actor);
        check_goes_on(dirs, &world, &seed);
    }
    dirs_free(dirs);
    world_deinit(&world);
}

static void check_no_calls(struct dirs dirs, enum sim_disk_op op)
{
    CHECK_U64("calls", sim_disk_calls(dirs.data, op) + sim_disk_calls(dirs.log, op), 0);
}

PROPERTY(a_truncation_that_cannot_be_done_changes_nothing_and_the_log_goes_on)
{
    struct store_world world;
    struct recovery recovery;

    world_init(&world, seed);
    struct dirs dirs = make_history(&world, &seed);
    CHECK_STATUS(snapshot_write(sim_disk(dirs.data), world.tree, &image_options, STORE_PLAIN),
                 STATUS_OK);
    int64_t oldest = world_zxid(&world);
    struct store_files files;
    CHECK_STATUS(store_files_list(sim_disk(dirs.data), STORE_FILE_SNAPSHOT, &files), STATUS_OK);
    for (size_t i = 0; i + 1 < files.count; i++)
        sim_disk_delete(dirs.data, files.files[i].name);
    store_files_deinit(&files);
    struct store_actor *actor = actor_start(dirs);
    CHECK(serve(actor, &world, &seed, 4));
    sim_disk_forget_calls(dirs.data);
    sim_disk_forget_calls(dirs.log);
    const int64_t impossible[] = {oldest - 1, world_zxid(&world) + 1, 0x100000000};
    for (size_t i = 0; i < ARRAY_LEN(impossible); i++)
        CHECK_STATUS(truncate_to(actor, impossible[i], NULL), STATUS_NOT_FOUND);
    check_no_calls(dirs, SIM_WRITE);
    check_no_calls(dirs, SIM_TRUNCATE);
    check_no_calls(dirs, SIM_RENAME);
    check_no_calls(dirs, SIM_REMOVE);
    CHECK(serve(actor, &world, &seed, 2));
    store_actor_free(actor);
    must_start(dirs, &recovery);
    check_same_tree(recovery.tree, world.tree);
    drop(&recovery);
    dirs_free(dirs);
    world_deinit(&world);
}

/* A leader with a history of its own. */
struct leader {
    struct store_world state; /* at the zxid of the state */
    struct store_world ahead; /* the same, and what came later */
};

static void leader_init(struct leader *leader, uint64_t seed, int length)
{
    world_init(&leader->state, seed);
    world_init(&leader->ahead, seed);
    for (int i = 0; i < length; i++) {
        (void)world_next(&leader->state);
        (void)world_next(&leader->ahead);
    }
}

static void leader_deinit(struct leader *leader)
{
    world_deinit(&leader->state);
    world_deinit(&leader->ahead);
}

enum progress { NOTHING, RECORDS, SNAPSHOT, COMPLETE }; /* how far an installation came, durably */

static enum progress install(struct store_actor *actor, struct dirs dirs, struct leader *leader,
                             uint64_t *seed, int64_t *ret_logged)
{
    *ret_logged = 0;
    if (restart_log(actor, world_zxid(&leader->state)) != STATUS_OK ||
        !serve(actor, &leader->ahead, seed, 2))
        return NOTHING;
    *ret_logged = world_zxid(&leader->ahead);
    if (snapshot_write(sim_disk(dirs.data), leader->state.tree, &image_options, STORE_PLAIN) !=
        STATUS_OK)
        return RECORDS;
    return write_epochs(actor, 1, 1) == STATUS_OK ? COMPLETE : SNAPSHOT;
}

/* ret_outcomes[0]: the old state was found; [1]: the new one. */
static void install_with_cuts(struct dirs history, bool of_log, struct store_world *world,
                              uint64_t *seed, uint32_t ret_outcomes[2])
{
    int64_t last = world_zxid(world);
    int length = 1 + random_below(seed, 2 * (int32_t)last);
    enum progress progress = NOTHING;

    for (uint64_t crash_at = 1; progress != COMPLETE; crash_at++) {
        struct dirs dirs = dirs_copy(history, *seed + crash_at);
        struct store_actor *actor = actor_start(dirs);
        struct leader leader;
        struct recovery recovery;
        int64_t logged;
        leader_init(&leader, 77, length);
        dirs_crash_at(dirs, of_log, crash_at);
        progress = install(actor, dirs, &leader, seed, &logged);
        store_actor_free(actor);
        reboot(dirs, seed);
        must_start(dirs, &recovery);
        bool old = tree_digest(recovery.tree) == tree_digest(world->tree);
        if (old) {
            check_same_tree(recovery.tree, world->tree);
            CHECK(progress < SNAPSHOT);
        } else {
            check_tree_at(recovery.tree, &leader.ahead, recovery.last_zxid);
            CHECK(recovery.last_zxid >= (progress >= RECORDS ? logged : length));
        }
        ret_outcomes[!old]++;
        drop(&recovery);
        check_goes_on(dirs, old ? world : &leader.ahead, seed);
        if (old)
            world_go_back(world, last);
        leader_deinit(&leader);
        dirs_free(dirs);
    }
}

PROPERTY(a_leaders_state_cut_off_at_any_change_is_there_as_a_whole_or_the_old_state_is)
{
    struct store_world world;
    uint32_t outcomes[2] = {0};

    world_init(&world, seed);
    struct dirs history = make_history(&world, &seed);
    install_with_cuts(history, /* of_log= */ false, &world, &seed, outcomes);
    if (history.log != history.data)
        install_with_cuts(history, /* of_log= */ true, &world, &seed, outcomes);
    CHECK(outcomes[0] > 0 && outcomes[1] > 0);
    dirs_free(history);
    world_deinit(&world);
}

static void check_nothing_aside(const struct sim_disk *sim)
{
    for (size_t i = 0; i < sim_disk_file_count(sim); i++)
        CHECK(strncmp(sim_disk_file_name(sim, i), "aside.", 6) != 0);
    CHECK(sim_disk_bytes(sim, "intent").data == NULL);
}

TEST(a_leaders_state_that_was_not_completed_is_dropped_by_a_reload_and_by_the_next_one)
{
    uint64_t seed = 5;
    struct store_world world;
    struct leader leader;
    struct tree *tree;

    world_init(&world, seed);
    struct dirs dirs = make_history(&world, &seed);
    struct store_actor *actor = actor_start(dirs);
    leader_init(&leader, 77, 10);
    CHECK_STATUS(restart_log(actor, 10), STATUS_OK);
    CHECK(serve(actor, &leader.ahead, &seed, 2));
    CHECK_STATUS(write_epochs(actor, 1, -1), STATUS_OK);
    CHECK_STATUS(write_epochs(actor, -1, 1),
                 STATUS_INVALID); /* it would be a promise of the state */
    CHECK_STATUS(reload(actor, &tree), STATUS_OK);
    check_same_tree(tree, world.tree);
    tree_free(tree);
    CHECK(serve(actor, &world, &seed, 2));

    CHECK_STATUS(restart_log(actor, 10), STATUS_OK);
    CHECK_STATUS(restart_log(actor, 10), STATUS_OK);
    CHECK_STATUS(reload(actor, &tree), STATUS_OK);
    check_same_tree(tree, world.tree);
    tree_free(tree);

    CHECK_STATUS(restart_log(actor, 10), STATUS_OK);
    CHECK_STATUS(snapshot_write(sim_disk(dirs.data), leader.state.tree, &image_options, STORE_GZIP),
                 STATUS_OK);
    CHECK_STATUS(write_epochs(actor, -1, 1), STATUS_OK);
    CHECK_STATUS(reload(actor, &tree), STATUS_OK);
    check_same_tree(tree, leader.state.tree);
    tree_free(tree);
    check_nothing_aside(dirs.data);
    check_nothing_aside(dirs.log);
    store_actor_free(actor);
    leader_deinit(&leader);
    world_deinit(&world);
    dirs_free(dirs);
}

/* The process died between the snapshot's rename and the sync of the directory: the next one sees the
 * name, and then the power goes. */
TEST(old_files_go_only_when_the_name_of_the_new_snapshot_is_durable)
{
    uint32_t outcomes[2] = {0};

    for (uint64_t run = 0; run < 200; run++) {
        uint64_t seed = run;
        struct store_world world;
        struct leader leader;
        struct recovery recovery;
        world_init(&world, seed);
        struct dirs dirs = make_history(&world, &seed);
        struct disk *data = sim_disk(dirs.data);
        struct store_actor *actor = actor_start(dirs);
        leader_init(&leader, 77, 10);
        CHECK_STATUS(restart_log(actor, 10), STATUS_OK);
        store_actor_free(actor);
        CHECK_STATUS(snapshot_write(data, leader.state.tree, &image_options, STORE_PLAIN),
                     STATUS_OK);
        CHECK_STATUS(data->ops->rename(data, "snapshot.a", "tmp.snapshot.a"), STATUS_OK);
        CHECK_STATUS(data->ops->sync_dir(data), STATUS_OK);
        CHECK_STATUS(data->ops->rename(data, "tmp.snapshot.a", "snapshot.a"), STATUS_OK);
        dirs_crash_at(dirs, /* of_log= */ false, 1 + run % 8);
        struct recovery_options options = world_recovery_options();
        enum status status = store_start(data, sim_disk(dirs.log), &options, &recovery);
        CHECK(status == STATUS_OK || dirs_crashed(dirs));
        drop(&recovery);
        dirs_reboot(dirs, losses[run % 2]);
        must_start(dirs, &recovery);
        bool old = tree_digest(recovery.tree) == tree_digest(world.tree);
        check_same_tree(recovery.tree, old ? world.tree : leader.state.tree);
        outcomes[!old]++;
        drop(&recovery);
        leader_deinit(&leader);
        world_deinit(&world);
        dirs_free(dirs);
    }
    CHECK(outcomes[0] > 0 && outcomes[1] > 0);
}

TEST(epochs_that_find_no_space_are_written_when_there_is_some)
{
    for (uint64_t blocks = 0; blocks < 4; blocks++) {
        uint64_t seed = 7;
        struct store_world world;
        struct epochs epochs;
        struct store_notes notes = {0};
        world_init(&world, seed);
        struct dirs dirs = make_history(&world, &seed);
        struct store_actor *actor = actor_start(dirs);
        sim_disk_set_space(dirs.data, blocks);
        enum status status = write_epochs(actor, 8, 7);
        CHECK(status == STATUS_NO_SPACE || (status == STATUS_OK && blocks >= 2));
        CHECK(!store_actor_failed(actor));
        sim_disk_set_space(dirs.data, UINT64_MAX);
        CHECK_STATUS(write_epochs(actor, 8, 7), STATUS_OK);
        CHECK_STATUS(epochs_read(sim_disk(dirs.data), &epochs, &notes), STATUS_OK);
        CHECK_I64("accepted", epochs.accepted, 8);
        CHECK_I64("current", epochs.current, 7);
        CHECK(serve(actor, &world, &seed, 2));
        store_notes_deinit(&notes);
        store_actor_free(actor);
        world_deinit(&world);
        dirs_free(dirs);
    }
}

TEST(an_actor_that_failed_once_answers_the_same_to_everything_that_follows)
{
    uint64_t seed = 6;
    struct store_world world;

    world_init(&world, seed);
    struct dirs dirs = make_history(&world, &seed);
    struct store_actor *actor = actor_start(dirs);
    sim_disk_fail_at(dirs.data, SIM_SYNC_DIR, 1, STATUS_NO_SPACE);
    CHECK_STATUS(truncate_to(actor, 1, NULL), STATUS_NO_SPACE);
    CHECK_STATUS(write_epochs(actor, 1, 1), STATUS_NO_SPACE);
    CHECK_STATUS(reload(actor, NULL), STATUS_NO_SPACE);
    store_actor_free(actor);
    world_deinit(&world);
    dirs_free(dirs);
}
