/* When a member starts in quarantine, what that does to its files, and when it ends. */
#include "replica/store/quarantine.h"

#include "replica/store/actor.h"
#include "replica/store/intent.h"
#include "replica/store/snapshot.h"
#include "replica/store/start.h"
#include "sim/disk.h"
#include "test/lib/check.h"
#include "test/lib/store_world.h"

struct start {
    struct recovery recovery;
    struct epochs epochs;
    enum status status;
};

static struct recovery_options member_options(void)
{
    struct recovery_options options = world_recovery_options();

    options.repairable = true;
    return options;
}

static struct start start_with(struct sim_disk *sim, const struct recovery_options *options)
{
    struct start start;

    start.status =
        store_start_member(sim_disk(sim), sim_disk(sim), options, &start.recovery, &start.epochs);
    return start;
}

static void start_deinit(struct start *start)
{
    tree_free(start->recovery.tree);
    recovery_deinit(&start->recovery);
}

static bool has_file(const struct sim_disk *sim, const char *name)
{
    return sim_disk_bytes(sim, name).data != NULL;
}

/* It starts in quarantine, with nothing, and so does the next one. */
static void check_quarantine(struct sim_disk *sim, const char *note, bool promises_lost,
                             int64_t accepted)
{
    struct recovery_options options = member_options();

    for (int i = 0; i < 2; i++) {
        struct start start = start_with(sim, &options);
        CHECK_STATUS(start.status, STATUS_OK);
        CHECK(start.recovery.quarantine.on);
        CHECK(start.recovery.quarantine.promises_lost == promises_lost);
        CHECK_I64("zxid", start.recovery.last_zxid, 0);
        CHECK_I64("accepted", start.epochs.accepted, accepted);
        CHECK(recovery_noted(&start.recovery, "This server is in quarantine"));
        CHECK(!recovery_noted(&start.recovery, "does not start"));
        if (i == 0 && !recovery_noted(&start.recovery, note))
            check_failed(__FILE__, __LINE__, "not noted: %s", note);
        start_deinit(&start);
    }
    CHECK(has_file(sim, "quarantine"));
}

/* A snapshot of some transactions, and epochs. */
static struct sim_disk *disk_with_data(int64_t accepted, int64_t current)
{
    struct sim_disk *sim = sim_disk_new(1);
    struct store_world world;

    world_init(&world, 1);
    world_write_snapshot(&world, sim_disk(sim));
    CHECK_STATUS(epochs_write(sim_disk(sim), &(struct epochs){accepted, current}), STATUS_OK);
    world_deinit(&world);
    return sim;
}

TEST(a_member_whose_data_is_gone_and_whose_promises_are_not_keeps_them_in_quarantine)
{
    struct sim_disk *sim = sim_disk_new(1);

    CHECK_STATUS(epochs_write(sim_disk(sim), &(struct epochs){7, 6}), STATUS_OK);
    check_quarantine(sim, "there is neither a snapshot nor a log: it is missing.", false, 7);
    CHECK_SLICE("kept", sim_disk_bytes(sim, "acceptedEpoch"), SLICE("7"));
    sim_disk_free(sim);
}

TEST(a_member_whose_snapshot_is_damaged_renames_it_and_starts_in_quarantine)
{
    struct sim_disk *sim = disk_with_data(3, 3);
    struct buffer bytes = {0};

    buffer_append(&bytes, sim_disk_bytes(sim, "snapshot.0"));
    bytes.data[bytes.size / 2] ^= 1;
    sim_disk_put(sim, "snapshot.0", buffer_slice(&bytes));
    check_quarantine(sim, "None of the snapshots can be read.", false, 3);
    CHECK_SLICE("the evidence", sim_disk_bytes(sim, "quarantined.snapshot.0"),
                buffer_slice(&bytes));
    buffer_deinit(&bytes);
    sim_disk_free(sim);
}

TEST(a_member_whose_accepted_epoch_holds_no_number_has_lost_its_promises)
{
    struct sim_disk *sim = disk_with_data(3, 2);

    sim_disk_put(sim, "acceptedEpoch", SLICE("three"));
    check_quarantine(sim, "holds no number: what this server promised is unknown.", true, 2);
    sim_disk_free(sim);
}

TEST(a_member_whose_current_epoch_holds_no_number_keeps_its_promise)
{
    struct sim_disk *sim = disk_with_data(3, 2);

    sim_disk_put(sim, "currentEpoch", SLICE(""));
    check_quarantine(sim, "currentEpoch in dataDir holds no number", false, 3);
    sim_disk_free(sim);
}

TEST(an_accepted_epoch_below_the_current_one_is_a_lost_promise)
{
    struct sim_disk *sim = disk_with_data(3, 5);

    sim_disk_delete(sim, "snapshot.0");
    check_quarantine(sim, "there is neither a snapshot nor a log: it is missing.", true, 5);
    sim_disk_free(sim);
}

TEST(whole_files_that_do_not_fit_are_those_of_two_servers_and_refused)
{
    struct sim_disk *sim = disk_with_data(3, 5);
    struct recovery_options options = member_options();
    struct start start = start_with(sim, &options);

    CHECK_STATUS(start.status, STATUS_CORRUPT);
    CHECK(recovery_noted(&start.recovery, "do not belong together, so this server does not start"));
    CHECK(!has_file(sim, "quarantine"));
    start_deinit(&start);
    sim_disk_free(sim);
}

TEST(a_member_whose_intent_cannot_be_read_starts_in_quarantine)
{
    struct sim_disk *sim = disk_with_data(3, 3);

    sim_disk_put(sim, "intent", SLICE("truncate"));
    check_quarantine(sim, "The file intent in dataDir", false, 3);
    CHECK(!has_file(sim, "intent"));
    sim_disk_free(sim);
}

TEST(an_empty_member_that_may_not_begin_with_nothing_starts_in_quarantine)
{
    struct sim_disk *sim = sim_disk_new(1);
    struct recovery_options options = member_options();

    options.db_autocreate = false;
    struct start start = start_with(sim, &options);
    CHECK_STATUS(start.status, STATUS_OK);
    CHECK(start.recovery.quarantine.on && start.recovery.quarantine.promises_lost);
    start_deinit(&start);
    options.initialize_found = true; /* too late: it was asked at the first start */
    start = start_with(sim, &options);
    CHECK(start.recovery.quarantine.on);
    start_deinit(&start);
    sim_disk_free(sim);
    sim = sim_disk_new(1);
    start = start_with(sim, &options);
    CHECK_STATUS(start.status, STATUS_OK);
    CHECK(!start.recovery.quarantine.on);
    start_deinit(&start);
    sim_disk_free(sim);
}

TEST(a_quarantine_whose_file_holds_anything_else_is_one_with_lost_promises)
{
    struct sim_disk *sim = disk_with_data(3, 3);
    struct quarantine quarantine;

    CHECK_STATUS(quarantine_read(sim_disk(sim), &quarantine), STATUS_OK);
    CHECK(!quarantine.on && !quarantine.promises_lost);
    sim_disk_put(sim, "quarantine", SLICE("data l"));
    CHECK_STATUS(quarantine_read(sim_disk(sim), &quarantine), STATUS_OK);
    CHECK(quarantine.on && quarantine.promises_lost);
    sim_disk_free(sim);
}

TEST(a_quarantine_ends_with_the_work_that_says_so_and_then_the_files_count_again)
{
    struct sim_disk *sim = sim_disk_new(1);
    struct recovery_options options = member_options();
    struct store_work work = {.kind = STORE_WRITE_EPOCHS,
                              .accepted_epoch = EPOCH_NONE,
                              .current_epoch = EPOCH_NONE,
                              .ends_quarantine = true};
    struct store_outcome outcome;

    CHECK_STATUS(epochs_write(sim_disk(sim), &(struct epochs){7, 6}), STATUS_OK);
    struct start start = start_with(sim, &options);
    struct store_actor *actor =
        store_actor_new(sim_disk(sim), sim_disk(sim),
                        &(struct store_actor_options){.recovery = options}, &start.recovery.log);
    CHECK_STATUS(store_actor_work(actor, &work, &outcome), STATUS_OK);
    store_outcome_deinit(&outcome);
    store_actor_free(actor);
    start_deinit(&start);
    start = start_with(sim, &options);
    CHECK_STATUS(start.status, STATUS_OK);
    CHECK(!start.recovery.quarantine.on);
    CHECK_I64("accepted", start.epochs.accepted, 7);
    start_deinit(&start);
    sim_disk_free(sim);
}

TEST(a_crash_at_any_step_of_the_first_start_leaves_the_server_in_quarantine)
{
    struct recovery_options options = member_options();
    int crashes = 0;

    for (uint64_t change = 1; change <= 40; change++) {
        struct sim_disk *sim = disk_with_data(3, 3);
        sim_disk_put(sim, "log.1", SLICE("no log"));
        sim_disk_delete(sim, "snapshot.0");
        sim_disk_crash_at(sim, change);
        struct start start = start_with(sim, &options);
        crashes += sim_disk_crashed(sim);
        start_deinit(&start);
        sim_disk_reboot(sim, SIM_LOSE_SOME);
        start = start_with(sim, &options);
        CHECK_STATUS(start.status, STATUS_OK);
        CHECK(start.recovery.quarantine.on && !start.recovery.quarantine.promises_lost);
        CHECK_I64("zxid", start.recovery.last_zxid, 0);
        CHECK_SLICE("the evidence", sim_disk_bytes(sim, "quarantined.log.1"), SLICE("no log"));
        start_deinit(&start);
        sim_disk_free(sim);
    }
    CHECK(crashes > 5);
}
