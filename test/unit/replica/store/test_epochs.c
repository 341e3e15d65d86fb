/* What a member promised, over restarts and power cuts. */
#include "replica/store/epochs.h"
#include "sim/disk.h"
#include "test/lib/check.h"

static void put(struct sim_disk *sim, const char *name, const char *text)
{
    sim_disk_put(sim, name, slice_text(text));
}

static enum status read_epochs(struct sim_disk *sim, struct epochs *ret_epochs)
{
    struct store_notes notes = {0};

    enum status status = epochs_read(sim_disk(sim), ret_epochs, &notes);
    CHECK_U64("notes", notes.count, status == STATUS_CORRUPT ? 1 : 0);
    store_notes_deinit(&notes);
    return status;
}

static void check_epochs(struct sim_disk *sim, int64_t accepted, int64_t current)
{
    struct epochs epochs;

    CHECK_STATUS(read_epochs(sim, &epochs), STATUS_OK);
    CHECK_I64("accepted", epochs.accepted, accepted);
    CHECK_I64("current", epochs.current, current);
}

TEST(epochs_are_javas_files_with_digits_only)
{
    struct sim_disk *sim = sim_disk_new(1);

    CHECK_STATUS(epochs_write(sim_disk(sim), &(struct epochs){12, 7}), STATUS_OK);
    CHECK_SLICE("acceptedEpoch", sim_disk_bytes(sim, "acceptedEpoch"), SLICE("12"));
    CHECK_SLICE("currentEpoch", sim_disk_bytes(sim, "currentEpoch"), SLICE("7"));
    CHECK_U64("files", sim_disk_file_count(sim), 2);
    check_epochs(sim, 12, 7);
    sim_disk_free(sim);
}

TEST(an_epoch_that_is_not_given_stays_as_it_is)
{
    struct sim_disk *sim = sim_disk_new(1);

    CHECK_STATUS(epochs_write(sim_disk(sim), &(struct epochs){12, 7}), STATUS_OK);
    CHECK_STATUS(epochs_write(sim_disk(sim), &(struct epochs){EPOCH_NONE, 12}), STATUS_OK);
    check_epochs(sim, 12, 12);
    CHECK_STATUS(epochs_write(sim_disk(sim), &(struct epochs){13, EPOCH_NONE}), STATUS_OK);
    check_epochs(sim, 13, 12);
    sim_disk_free(sim);
}

TEST(only_the_first_line_of_an_epoch_file_is_read_and_it_must_be_a_number)
{
    static const struct {
        const char *text;
        int64_t epoch; /* -2: refused */
    } rows[] = {{"0", 0},
                {"5\n", 5},
                {"5\r\nx", 5},
                {"-1", -1},
                {"2147483647", INT32_MAX},
                {"", -2},
                {"\n5", -2},
                {" 5", -2},
                {"5 ", -2},
                {"2147483648", -2},
                {"99999999999999999999999999", -2},
                {"-2", -2},
                {"five", -2},
                {"0x5", -2}};

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct sim_disk *sim = sim_disk_new(1);
        struct epochs epochs = {0, 0};
        put(sim, "currentEpoch", rows[i].text);
        enum status status = read_epochs(sim, &epochs);
        CHECK_STATUS(status, rows[i].epoch == -2 ? STATUS_CORRUPT : STATUS_OK);
        if (status == STATUS_OK)
            CHECK_I64(rows[i].text, epochs.current, rows[i].epoch);
        sim_disk_free(sim);
    }
}

TEST(an_epoch_file_of_many_bytes_is_refused)
{
    struct sim_disk *sim = sim_disk_new(1);
    struct epochs epochs;
    uint8_t bytes[5000];

    memset(bytes, '1', sizeof(bytes));
    sim_disk_put(sim, "acceptedEpoch", slice_of(bytes, sizeof(bytes)));
    CHECK_STATUS(read_epochs(sim, &epochs), STATUS_CORRUPT);
    sim_disk_free(sim);
}

TEST(epochs_and_the_last_zxid_must_fit_and_what_is_missing_is_taken_from_the_zxid)
{
    enum { REFUSED = -2 };
    static const struct {
        const char *name;
        int64_t accepted, current, zxid, want_accepted, want_current;
    } rows[] = {
        {"both are there", 5, 4, 0x400000009, 5, 4},
        {"a new epoch without a transaction", 7, 7, 0x400000009, 7, 7},
        {"none is there", -1, -1, 0x300000009, 3, 3},
        {"none is there and nothing was written", -1, -1, 0, 0, 0},
        {"no accepted one", -1, 3, 0x300000009, 3, 3},
        {"no accepted one, and the current one is newer", -1, 4, 0x300000009, REFUSED, REFUSED},
        {"no current one", 5, -1, 0x300000009, 5, 3},
        {"the current one is newer", 4, 5, 0x300000009, REFUSED, REFUSED},
        {"a crash behind the first records of an epoch", 5, 4, 0x500000009, 5, 5},
        {"a log of another server", 4, 4, 0x500000009, REFUSED, REFUSED},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct sim_disk *sim = sim_disk_new(1);
        struct store_notes notes = {0};
        struct epochs epochs = {rows[i].accepted, rows[i].current};
        CHECK_STATUS(epochs_write(sim_disk(sim), &epochs), STATUS_OK);
        enum status status = epochs_settle(sim_disk(sim), rows[i].zxid, &epochs, &notes);
        bool refused = rows[i].want_accepted == REFUSED;
        CHECK_STATUS(status, refused ? STATUS_CORRUPT : STATUS_OK);
        bool changed =
            rows[i].accepted != rows[i].want_accepted || rows[i].current != rows[i].want_current;
        CHECK((notes.count > 0) == changed); /* a refusal or a change is told */
        if (!refused) {
            CHECK_I64(rows[i].name, epochs.accepted, rows[i].want_accepted);
            CHECK_I64(rows[i].name, epochs.current, rows[i].want_current);
            check_epochs(sim, rows[i].want_accepted, rows[i].want_current);
        }
        store_notes_deinit(&notes);
        sim_disk_free(sim);
    }
}

/* A power cut at every change, three kinds of loss each. */
TEST(an_epoch_file_is_old_or_new_after_a_power_cut_and_new_once_it_was_promised)
{
    for (uint64_t run = 0;; run++) {
        struct sim_disk *sim = sim_disk_new(run);
        struct epochs epochs;
        CHECK_STATUS(epochs_write(sim_disk(sim), &(struct epochs){5, 4}), STATUS_OK);
        sim_disk_crash_at(sim, 1 + run / 3);
        bool promised = epochs_write(sim_disk(sim), &(struct epochs){100, 100}) == STATUS_OK;
        sim_disk_reboot(sim, (enum sim_disk_loss)(run % 3));
        CHECK_STATUS(read_epochs(sim, &epochs), STATUS_OK);
        CHECK(epochs.accepted == 5 || epochs.accepted == 100);
        CHECK(epochs.current == 4 || epochs.current == 100);
        CHECK(epochs.current <= epochs.accepted);
        if (promised)
            check_epochs(sim, 100, 100);
        sim_disk_free(sim);
        if (promised && run % 3 == 2)
            break;
    }
}

TEST(an_epoch_that_could_not_be_written_is_told)
{
    static const enum sim_disk_op ops[] = {SIM_WRITE, SIM_SYNC, SIM_RENAME, SIM_SYNC_DIR};

    for (size_t i = 0; i < ARRAY_LEN(ops); i++) {
        struct sim_disk *sim = sim_disk_new(1);
        sim_disk_fail_at(sim, ops[i], 1, STATUS_NO_SPACE);
        CHECK_STATUS(epochs_write(sim_disk(sim), &(struct epochs){5, EPOCH_NONE}), STATUS_NO_SPACE);
        CHECK_U64("open files", sim_disk_open_files(sim), 0);
        sim_disk_free(sim);
    }
}

TEST(a_current_epoch_is_not_written_when_the_accepted_one_could_not_be)
{
    struct sim_disk *sim = sim_disk_new(1);

    CHECK_STATUS(epochs_write(sim_disk(sim), &(struct epochs){5, 4}), STATUS_OK);
    sim_disk_fail_at(sim, SIM_SYNC, 1, STATUS_IO);
    CHECK_STATUS(epochs_write(sim_disk(sim), &(struct epochs){6, 6}), STATUS_IO);
    check_epochs(sim, 5, 4);
    sim_disk_free(sim);
}
