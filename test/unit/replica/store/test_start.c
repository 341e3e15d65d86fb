/* What a start does before it recovers, and what of a member it refuses. */
#include "replica/store/intent.h"
#include "replica/store/snapshot.h"
#include "replica/store/start.h"
#include "sim/disk.h"
#include "test/lib/check.h"
#include "test/lib/store_world.h"

static enum status start_member(struct sim_disk *sim, const char *part)
{
    struct recovery_options options = world_recovery_options();
    struct recovery recovery;
    struct epochs epochs;

    enum status status =
        store_start_member(sim_disk(sim), sim_disk(sim), &options, &recovery, &epochs);
    if (part != NULL && !recovery_noted(&recovery, part))
        check_failed(__FILE__, __LINE__, "not noted: %s; but: %s", part,
                     recovery_reason(&recovery));
    CHECK((recovery.tree != NULL) == (status == STATUS_OK));
    tree_free(recovery.tree);
    recovery_deinit(&recovery);
    return status;
}

TEST(a_member_starts_with_an_empty_directory_and_again_with_what_that_left)
{
    struct sim_disk *sim = sim_disk_new(1);

    CHECK_STATUS(start_member(sim, "no file acceptedEpoch"), STATUS_OK);
    CHECK_SLICE("currentEpoch", sim_disk_bytes(sim, "currentEpoch"), SLICE("0"));
    CHECK_STATUS(epochs_write(sim_disk(sim), &(struct epochs){3, 2}), STATUS_OK);
    CHECK_STATUS(start_member(sim, NULL), STATUS_OK); /* an epoch without a transaction */
    sim_disk_free(sim);
}

TEST(a_member_with_epochs_but_without_any_data_does_not_start)
{
    struct sim_disk *sim = sim_disk_new(1);

    CHECK_STATUS(epochs_write(sim_disk(sim), &(struct epochs){3, EPOCH_NONE}), STATUS_OK);
    CHECK_STATUS(start_member(sim, "is the right volume mounted"), STATUS_CORRUPT);
    CHECK_STATUS(start_member(sim, "is the right volume mounted"), STATUS_CORRUPT); /* nor later */
    CHECK_U64("files", sim_disk_file_count(sim), 1);
    sim_disk_free(sim);
}

TEST(a_member_whose_epoch_file_holds_no_number_does_not_start)
{
    struct sim_disk *sim = sim_disk_new(1);

    sim_disk_put(sim, "currentEpoch", SLICE("three"));
    CHECK_STATUS(start_member(sim, "currentEpoch in dataDir holds no number"), STATUS_CORRUPT);
    sim_disk_free(sim);
}

TEST(an_intent_is_read_as_it_was_written)
{
    static const struct intent intents[] = {
        {INTENT_TRUNCATE, 0}, {INTENT_SET_ASIDE, 0x1234567890abcdef}, {INTENT_AWAIT, 0x10000000c}};

    for (size_t i = 0; i < ARRAY_LEN(intents); i++) {
        struct sim_disk *sim = sim_disk_new(1);
        struct store_notes notes = {0};
        struct intent intent;
        CHECK_STATUS(intent_write(sim_disk(sim), &intents[i]), STATUS_OK);
        CHECK_STATUS(intent_read(sim_disk(sim), &intent, &notes), STATUS_OK);
        CHECK_I64("kind", intent.kind, intents[i].kind);
        CHECK_I64("zxid", intent.zxid, intents[i].zxid);
        CHECK_STATUS(intent_clear(sim_disk(sim)), STATUS_OK);
        CHECK_STATUS(intent_clear(sim_disk(sim)), STATUS_OK);
        CHECK_STATUS(intent_read(sim_disk(sim), &intent, &notes), STATUS_OK);
        CHECK_I64("none", intent.kind, INTENT_NONE);
        store_notes_deinit(&notes);
        sim_disk_free(sim);
    }
}

TEST(a_server_whose_intent_has_changed_in_any_byte_does_not_start)
{
    struct sim_disk *sim = sim_disk_new(1);

    CHECK_STATUS(intent_write(sim_disk(sim), &(struct intent){INTENT_TRUNCATE, 0x1c}), STATUS_OK);
    struct slice whole = sim_disk_bytes(sim, "intent");
    for (size_t i = 0; i < whole.size; i++) {
        struct sim_disk *copy = sim_disk_copy(sim, 1);
        uint8_t bytes[64];
        memcpy(bytes, whole.data, whole.size);
        bytes[i] ^= 1;
        sim_disk_put(copy, "intent", slice_of(bytes, whole.size));
        CHECK_STATUS(start_member(copy, "The file intent in dataDir"), STATUS_CORRUPT);
        sim_disk_put(copy, "intent", slice_of(whole.data, i));
        CHECK_STATUS(start_member(copy, "The file intent in dataDir"), STATUS_CORRUPT);
        sim_disk_free(copy);
    }
    sim_disk_free(sim);
}

TEST(a_truncation_that_a_crash_interrupted_and_that_cannot_be_finished_refuses_the_start)
{
    struct sim_disk *sim = sim_disk_new(1);
    struct store_world world;

    world_init(&world, 1);
    world_write_snapshot(&world, sim_disk(sim));
    CHECK_STATUS(intent_write(sim_disk(sim), &(struct intent){INTENT_TRUNCATE, 5}), STATUS_OK);
    CHECK_STATUS(start_member(sim, "what is left does not reach up to there"), STATUS_CORRUPT);
    world_deinit(&world);
    sim_disk_free(sim);
}
