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

static struct store_actor *actor_new(struct sim_disk *sim, const struct txnlog_position *position)
{
    const struct store_actor_options options = {
        .log = {.prealloc_bytes = 4096, .force_sync = true, .digest_enabled = true},
        .recovery = world_recovery_options()};

    return store_actor_new(sim_disk(sim), sim_disk(sim), &options, position);
}

static void drop(struct recovery *recovery)
{
    tree_free(recovery->tree);
    recovery_deinit(recovery);
}

static void must_start(struct sim_disk *sim, struct recovery *recovery)
{
    struct recovery_options options = world_recovery_options();

    if (store_start(sim_disk(sim), sim_disk(sim), &options, recovery) != STATUS_OK)
        check_failed(__FILE__, __LINE__, "refused: %s", recovery_reason(recovery));
    CHECK_U64("open files", sim_disk_open_files(sim), 0);
    CHECK_U64("digests that differ", recovery->digest_mismatches, 0);
}

/* An actor on the files as they are. */
static struct store_actor *actor_start(struct sim_disk *sim)
{
    struct recovery recovery;

    must_start(sim, &recovery);
    struct store_actor *actor = actor_new(sim, &recovery.log);
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
static struct sim_disk *make_history(struct store_world *world, uint64_t *seed)
{
    struct sim_disk *sim = sim_disk_new(*seed);
    int rounds = 1 + random_below(seed, 5);

    for (int i = 0; i < rounds; i++) {
        struct store_actor *actor = actor_start(sim);
        CHECK(serve(actor, world, seed, 1 + random_below(seed, 4)));
        store_actor_free(actor);
        if (random_below(seed, 2) == 0)
            CHECK_STATUS(snapshot_write(sim_disk(sim), world->tree, &image_options,
                                        (enum store_compression)random_below(seed, 3)),
                         STATUS_OK);
    }
    return sim;
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

static void check_no_snapshot_above(struct sim_disk *sim, int64_t zxid)
{
    struct store_files files;

    CHECK_STATUS(store_files_list(sim_disk(sim), STORE_FILE_SNAPSHOT, &files), STATUS_OK);
    CHECK(files.count > 0 && files.files[files.count - 1].read.zxid <= zxid);
    store_files_deinit(&files);
}

/* Goes on with the same world from what is there, and starts once more. */
static void check_goes_on(struct sim_disk *sim, struct store_world *world, uint64_t *seed)
{
    struct recovery recovery;

    must_start(sim, &recovery);
    world_go_back(world, recovery.last_zxid);
    struct store_actor *actor = actor_new(sim, &recovery.log);
    drop(&recovery);
    CHECK(serve(actor, world, seed, 3));
    store_actor_free(actor);
    must_start(sim, &recovery);
    check_same_tree(recovery.tree, world->tree);
    drop(&recovery);
}

/* The power comes back, and goes again in the middle of the start. */
static void reboot(struct sim_disk *sim, uint64_t *seed)
{
    struct recovery_options options = world_recovery_options();
    struct recovery recovery;

    sim_disk_reboot(sim, losses[random_below(seed, 3)]);
    sim_disk_crash_at(sim, 1 + (uint64_t)random_below(seed, 12));
    if (store_start(sim_disk(sim), sim_disk(sim), &options, &recovery) != STATUS_OK)
        CHECK(sim_disk_crashed(sim));
    drop(&recovery);
    sim_disk_reboot(sim, losses[random_below(seed, 3)]);
}

/* ret_outcomes[0]: found as before; [1]: done. */
static void truncate_with_cuts(struct sim_disk *history, struct store_world *world, int64_t zxid,
                               uint64_t *seed, uint32_t ret_outcomes[2])
{
    int64_t last = world_zxid(world);

    for (uint64_t crash_at = 1;; crash_at++) {
        struct sim_disk *sim = sim_disk_copy(history, *seed + crash_at);
        struct store_actor *actor = actor_start(sim);
        struct recovery recovery;
        struct tree *tree = NULL;
        sim_disk_crash_at(sim, crash_at);
        enum status status = truncate_to(actor, zxid, &tree);
        bool crashed = sim_disk_crashed(sim);
        if (status == STATUS_OK)
            check_tree_at(tree, world, zxid);
        else
            CHECK(crashed);
        tree_free(tree);
        store_actor_free(actor);
        reboot(sim, seed);
        must_start(sim, &recovery);
        CHECK(recovery.last_zxid == zxid || (status != STATUS_OK && recovery.last_zxid == last));
        check_tree_at(recovery.tree, world, recovery.last_zxid);
        if (recovery.last_zxid == zxid)
            check_no_snapshot_above(sim, zxid);
        ret_outcomes[recovery.last_zxid == zxid]++;
        drop(&recovery);
        sim_disk_free(sim);
        if (!crashed)
            break;
    }
}

PROPERTY(a_truncation_cut_off_at_any_change_is_as_before_or_done_at_the_next_start)
{
    struct store_world world;
    uint32_t outcomes[2] = {0};

    world_init(&world, seed);
    struct sim_disk *history = make_history(&world, &seed);
    int64_t last = world_zxid(&world);
    int64_t zxid = random_below(&seed, (int32_t)last);
    truncate_with_cuts(history, &world, zxid, &seed, outcomes);
    CHECK(outcomes[0] > 0 && outcomes[1] > 0);
    sim_disk_free(history);
    world_deinit(&world);
}

PROPERTY(the_log_goes_on_behind_a_truncation_to_any_zxid)
{
    struct store_world world;

    world_init(&world, seed);
    struct sim_disk *sim = make_history(&world, &seed);
    for (int i = 0; i < 6 && world_zxid(&world) > 0; i++) {
        struct store_actor *actor = actor_start(sim);
        int64_t zxid = random_below(&seed, (int32_t)world_zxid(&world) + 1);
        struct tree *tree;
        CHECK_STATUS(truncate_to(actor, zxid, &tree), STATUS_OK);
        world_go_back(&world, zxid);
        check_same_tree(tree, world.tree);
        tree_free(tree);
        CHECK(serve(actor, &world, &seed, 2)); /* the same actor, without a restart */
        store_actor_free(actor);
        check_goes_on(sim, &world, &seed);
    }
    sim_disk_free(sim);
    world_deinit(&world);
}

PROPERTY(a_truncation_that_cannot_be_done_changes_nothing_and_the_log_goes_on)
{
    struct store_world world;
    struct recovery recovery;

    world_init(&world, seed);
    struct sim_disk *sim = make_history(&world, &seed);
    CHECK_STATUS(snapshot_write(sim_disk(sim), world.tree, &image_options, STORE_PLAIN), STATUS_OK);
    int64_t oldest = world_zxid(&world);
    struct store_files files;
    CHECK_STATUS(store_files_list(sim_disk(sim), STORE_FILE_SNAPSHOT, &files), STATUS_OK);
    for (size_t i = 0; i + 1 < files.count; i++)
        sim_disk_delete(sim, files.files[i].name);
    store_files_deinit(&files);
    struct store_actor *actor = actor_start(sim);
    CHECK(serve(actor, &world, &seed, 4));
    sim_disk_forget_calls(sim);
    const int64_t impossible[] = {oldest - 1, world_zxid(&world) + 1, 0x100000000};
    for (size_t i = 0; i < ARRAY_LEN(impossible); i++)
        CHECK_STATUS(truncate_to(actor, impossible[i], NULL), STATUS_NOT_FOUND);
    CHECK_U64("writes", sim_disk_calls(sim, SIM_WRITE), 0);
    CHECK_U64("cuts", sim_disk_calls(sim, SIM_TRUNCATE), 0);
    CHECK_U64("renames", sim_disk_calls(sim, SIM_RENAME), 0);
    CHECK_U64("removes", sim_disk_calls(sim, SIM_REMOVE), 0);
    CHECK(serve(actor, &world, &seed, 2));
    store_actor_free(actor);
    must_start(sim, &recovery);
    check_same_tree(recovery.tree, world.tree);
    drop(&recovery);
    sim_disk_free(sim);
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

static enum progress install(struct store_actor *actor, struct sim_disk *sim, struct leader *leader,
                             uint64_t *seed, int64_t *ret_logged)
{
    *ret_logged = 0;
    if (restart_log(actor, world_zxid(&leader->state)) != STATUS_OK ||
        !serve(actor, &leader->ahead, seed, 2))
        return NOTHING;
    *ret_logged = world_zxid(&leader->ahead);
    if (snapshot_write(sim_disk(sim), leader->state.tree, &image_options, STORE_PLAIN) != STATUS_OK)
        return RECORDS;
    return write_epochs(actor, 1, 1) == STATUS_OK ? COMPLETE : SNAPSHOT;
}

PROPERTY(a_leaders_state_cut_off_at_any_change_is_there_as_a_whole_or_the_old_state_is)
{
    struct store_world world;
    uint32_t old_states = 0, new_states = 0;

    world_init(&world, seed);
    struct sim_disk *history = make_history(&world, &seed);
    int64_t last = world_zxid(&world);
    int length = 1 + random_below(&seed, 2 * (int32_t)last);
    for (uint64_t crash_at = 1;; crash_at++) {
        struct sim_disk *sim = sim_disk_copy(history, seed + crash_at);
        struct store_actor *actor = actor_start(sim);
        struct leader leader;
        struct recovery recovery;
        int64_t logged;
        leader_init(&leader, 77, length);
        sim_disk_crash_at(sim, crash_at);
        enum progress progress = install(actor, sim, &leader, &seed, &logged);
        store_actor_free(actor);
        reboot(sim, &seed);
        must_start(sim, &recovery);
        bool old = tree_digest(recovery.tree) == tree_digest(world.tree);
        if (old) {
            check_same_tree(recovery.tree, world.tree);
            CHECK(progress < SNAPSHOT);
            old_states++;
        } else {
            check_tree_at(recovery.tree, &leader.ahead, recovery.last_zxid);
            CHECK(recovery.last_zxid >= (progress >= RECORDS ? logged : length));
            new_states++;
        }
        drop(&recovery);
        check_goes_on(sim, old ? &world : &leader.ahead, &seed);
        if (old)
            world_go_back(&world, last);
        leader_deinit(&leader);
        sim_disk_free(sim);
        if (progress == COMPLETE)
            break;
    }
    CHECK(old_states > 0 && new_states > 0);
    sim_disk_free(history);
    world_deinit(&world);
}

TEST(a_leaders_state_that_was_not_completed_is_dropped_by_a_reload_and_by_the_next_one)
{
    uint64_t seed = 5;
    struct store_world world;
    struct leader leader;
    struct tree *tree;

    world_init(&world, seed);
    struct sim_disk *sim = make_history(&world, &seed);
    struct store_actor *actor = actor_start(sim);
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
    CHECK_STATUS(snapshot_write(sim_disk(sim), leader.state.tree, &image_options, STORE_GZIP),
                 STATUS_OK);
    CHECK_STATUS(write_epochs(actor, -1, 1), STATUS_OK);
    CHECK_STATUS(reload(actor, &tree), STATUS_OK);
    check_same_tree(tree, leader.state.tree);
    tree_free(tree);
    for (size_t i = 0; i < sim_disk_file_count(sim); i++)
        CHECK(strncmp(sim_disk_file_name(sim, i), "aside.", 6) != 0);
    CHECK(sim_disk_bytes(sim, "intent").data == NULL);
    store_actor_free(actor);
    leader_deinit(&leader);
    world_deinit(&world);
    sim_disk_free(sim);
}

TEST(an_actor_that_failed_once_answers_the_same_to_everything_that_follows)
{
    uint64_t seed = 6;
    struct store_world world;

    world_init(&world, seed);
    struct sim_disk *sim = make_history(&world, &seed);
    struct store_actor *actor = actor_start(sim);
    sim_disk_fail_at(sim, SIM_SYNC_DIR, 1, STATUS_NO_SPACE);
    CHECK_STATUS(truncate_to(actor, 1, NULL), STATUS_NO_SPACE);
    CHECK_STATUS(write_epochs(actor, 1, 1), STATUS_NO_SPACE);
    CHECK_STATUS(reload(actor, NULL), STATUS_NO_SPACE);
    store_actor_free(actor);
    world_deinit(&world);
    sim_disk_free(sim);
}
