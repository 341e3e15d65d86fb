/* start.c: the order of a start: intents, epochs, files. A server that lost something it promised does
 * not start as if it had never promised it. */
#include "replica/store/start.h"

#include "replica/store/install.h"
#include "replica/store/store_files.h"
#include "replica/store/truncate.h"

#include <inttypes.h>

/* Moves all notes of `from` to the end of `to`. */
static void move_notes(struct store_notes *to, struct store_notes *from)
{
    for (size_t i = 0; i < from->count; i++)
        store_note(to, from->notes[i].warning, "%s", from->notes[i].text);
    store_notes_deinit(from);
}

static enum status resume_truncate(struct disk *data, struct disk *log,
                                   const struct recovery_options *options, int64_t zxid,
                                   struct store_notes *notes)
{
    struct recovery recovery = {0};

    enum status status = store_truncate(data, log, options, zxid, &recovery);
    move_notes(notes, &recovery.notes);
    tree_free(recovery.tree);
    if (status != STATUS_NOT_FOUND)
        return status;
    store_note(notes, true,
               "A crash interrupted this server while it took back all transactions behind "
               "0x%" PRIx64
               ", and what is left does not reach up to there, so it does not start. Move the "
               "whole data directory (but myid) away, so that it gets all data from the leader.",
               (uint64_t)zxid);
    return STATUS_CORRUPT;
}

enum status store_resume(struct disk *data, struct disk *log,
                         const struct recovery_options *options, struct store_notes *notes)
{
    struct intent intent;

    enum status status = intent_read(data, &intent, notes);
    if (status != STATUS_OK || intent.kind == INTENT_NONE)
        return status;
    if (intent.kind == INTENT_TRUNCATE)
        return resume_truncate(data, log, options, intent.zxid, notes);
    return install_resume(data, log, &intent, notes);
}

/* store_recover(), with its notes appended to those that there are. */
static enum status recover_after_notes(struct disk *data, struct disk *log,
                                       const struct recovery_options *options,
                                       struct store_notes *notes, struct recovery *ret_recovery)
{
    enum status status = store_recover(data, log, options, ret_recovery);

    move_notes(notes, &ret_recovery->notes);
    ret_recovery->notes = *notes;
    *notes = (struct store_notes){0};
    return status;
}

enum status store_start(struct disk *data, struct disk *log, const struct recovery_options *options,
                        struct recovery *ret_recovery)
{
    struct store_notes notes = {0};

    *ret_recovery = (struct recovery){0};
    enum status status = store_resume(data, log, options, &notes);
    if (status == STATUS_OK)
        return recover_after_notes(data, log, options, &notes, ret_recovery);
    ret_recovery->notes = notes;
    return status;
}

/* Epochs without any data: its promises show that there was some. */
static enum status check_not_lost(struct disk *data, struct disk *log, const struct epochs *epochs,
                                  struct store_notes *notes)
{
    struct store_files snapshots = {0}, logs = {0};

    enum status status = store_files_list(data, STORE_FILE_SNAPSHOT, &snapshots);
    if (status == STATUS_OK)
        status = store_files_list(log, STORE_FILE_LOG, &logs);
    if (status == STATUS_OK && snapshots.count == 0 && logs.count == 0 &&
        (epochs->current > 0 || epochs->accepted > 0)) {
        store_note(notes, true,
                   "The epoch files in dataDir (acceptedEpoch %" PRId64 ", currentEpoch %" PRId64
                   ") show that this server had data, and there is neither a snapshot nor a log: "
                   "it is missing, so this server does not start. Are dataDir and dataLogDir "
                   "right, is the right volume mounted? Else delete acceptedEpoch and "
                   "currentEpoch, so that it gets all data from the leader, while a majority of "
                   "the other servers is up.",
                   epochs->accepted, epochs->current);
        status = STATUS_CORRUPT;
    }
    store_files_deinit(&logs);
    store_files_deinit(&snapshots);
    return status;
}

enum status store_start_member(struct disk *data, struct disk *log,
                               const struct recovery_options *options,
                               struct recovery *ret_recovery, struct epochs *ret_epochs)
{
    struct store_notes notes = {0};
    struct epochs epochs;

    *ret_recovery = (struct recovery){0};
    enum status status = store_resume(data, log, options, &notes);
    if (status == STATUS_OK)
        status = epochs_read(data, &epochs, &notes);
    if (status == STATUS_OK)
        status = check_not_lost(data, log, &epochs, &notes);
    if (status != STATUS_OK) {
        ret_recovery->notes = notes;
        return status;
    }
    ASSERT(!options->limited);
    status = recover_after_notes(data, log, options, &notes, ret_recovery);
    if (status == STATUS_OK)
        status = epochs_settle(data, ret_recovery->last_zxid, &epochs, &ret_recovery->notes);
    if (status != STATUS_OK) {
        tree_free(ret_recovery->tree);
        ret_recovery->tree = NULL;
        return status;
    }
    *ret_epochs = epochs;
    return STATUS_OK;
}
