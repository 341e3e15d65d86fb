/* epochs.c: reading, judging and writing acceptedEpoch and currentEpoch. A promise is on the disk
 * before any message mentions it; a number that cannot be read is never guessed. */
#include "replica/store/epochs.h"

#include "replica/store/small_file.h"
#include "replica/store/store_files.h"

#include <inttypes.h>
#include <stdio.h>

#define ACCEPTED_NAME "acceptedEpoch"
#define CURRENT_NAME "currentEpoch"

/* Digits up to the end of the first line. Java writes -1 where it had no data at all. */
static bool parse(struct slice text, int64_t *ret_epoch)
{
    int64_t epoch = 0;
    size_t size = 0;

    while (size < text.size && text.data[size] != '\n' && text.data[size] != '\r')
        size++;
    if (slice_equal(slice_of(text.data, size), SLICE("-1"))) {
        *ret_epoch = EPOCH_NONE;
        return true;
    }
    for (size_t i = 0; i < size; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
        epoch = epoch * 10 + (text.data[i] - '0');
        if (epoch > INT32_MAX) /* the upper half of a zxid */
            return false;
    }
    *ret_epoch = epoch;
    return size > 0;
}

static enum status read_one(struct disk *data, const char *name, int64_t *ret_epoch,
                            struct store_notes *notes)
{
    struct buffer bytes = {0};

    *ret_epoch = EPOCH_NONE;
    enum status status = small_file_read(data, name, &bytes);
    if (status == STATUS_TOO_LARGE ||
        (status == STATUS_OK && !parse(buffer_slice(&bytes), ret_epoch))) {
        *ret_epoch = EPOCH_NONE;
        store_note(notes, true,
                   "The file %s in dataDir holds no number: what this server promised is unknown",
                   name);
        store_advice(notes,
                     ", and it does not start. Restore the file from a backup; or move the whole "
                     "data directory (but myid) away, so that this server gets all data from the "
                     "leader.");
        status = STATUS_CORRUPT;
    }
    buffer_deinit(&bytes);
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

enum status epochs_read(struct disk *data, struct epochs *ret_epochs, struct store_notes *notes)
{
    *ret_epochs = (struct epochs){EPOCH_NONE, EPOCH_NONE};
    enum status status = read_one(data, ACCEPTED_NAME, &ret_epochs->accepted, notes);
    if (status != STATUS_OK && status != STATUS_CORRUPT)
        return status;
    enum status other = read_one(data, CURRENT_NAME, &ret_epochs->current, notes);
    return status != STATUS_OK ? status : other;
}

static enum status write_one(struct disk *data, const char *name, int64_t epoch)
{
    char text[24];

    if (epoch == EPOCH_NONE)
        return STATUS_OK;
    ASSERT(epoch >= 0 && epoch <= INT32_MAX);
    int size = snprintf(text, sizeof(text), "%" PRId64, epoch);
    return small_file_write(data, name, slice_of(text, (size_t)size));
}

enum status epochs_write(struct disk *data, const struct epochs *epochs)
{
    enum status status = write_one(data, ACCEPTED_NAME, epochs->accepted);

    return status == STATUS_OK ? write_one(data, CURRENT_NAME, epochs->current) : status;
}

static enum status refuse(struct store_notes *notes, const char *what, int64_t left, int64_t right)
{
    store_note(notes, true,
               "%s (%" PRId64 " and %" PRId64
               "): the epoch files and the data in this directory do not belong together",
               what, left, right);
    store_advice(notes,
                 ", so this server does not start. Restore the directory as a whole from a backup; "
                 "or move all of it (but myid) away, so that this server gets all data from the "
                 "leader.");
    return STATUS_CORRUPT;
}

enum status epochs_settle(struct disk *data, int64_t last_zxid, struct epochs *epochs,
                          struct store_notes *notes)
{
    int64_t epoch = zxid_epoch(last_zxid);
    struct epochs settled = *epochs, changed = {EPOCH_NONE, EPOCH_NONE};

    if (settled.accepted == EPOCH_NONE) {
        settled.accepted = changed.accepted = epoch;
        store_note(notes, false,
                   "There is no file acceptedEpoch; taken from the last transaction: %" PRId64 ".",
                   epoch);
    }
    if (settled.current == EPOCH_NONE) {
        settled.current = changed.current = epoch;
        store_note(notes, false,
                   "There is no file currentEpoch; taken from the last transaction: %" PRId64 ".",
                   epoch);
    }
    if (settled.accepted < epoch)
        return refuse(notes, "The epoch of the last transaction is newer than acceptedEpoch", epoch,
                      settled.accepted);
    if (settled.accepted < settled.current)
        return refuse(notes, "currentEpoch is newer than acceptedEpoch", settled.current,
                      settled.accepted);
    if (settled.current < epoch) {
        store_note(notes, false,
                   "currentEpoch was %" PRId64 ", and the last transaction is of epoch %" PRId64
                   ": a crash came between the two; raised.",
                   settled.current, epoch);
        settled.current = changed.current = epoch;
    }
    ASSERT(epoch <= settled.current && settled.current <= settled.accepted);
    enum status status = epochs_write(data, &changed);
    if (status == STATUS_OK)
        *epochs = settled;
    return status;
}
