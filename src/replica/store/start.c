/* start.c: the order of a start: intents, epochs, files. A server that lost something it promised does
 * not start as if it had never promised it. */
#include "replica/store/start.h"

#include "replica/store/install.h"
#include "replica/store/quarantine.h"
#include "replica/store/store_files.h"
#include "replica/store/truncate.h"

#include <inttypes.h>

static enum status resume_truncate(struct disk *data, struct disk *log,
                                   const struct recovery_options *options, int64_t zxid,
                                   struct store_notes *notes)
{
    struct recovery recovery = {0};

    enum status status = store_truncate(data, log, options, zxid, &recovery);
    store_notes_move(notes, &recovery.notes);
    tree_free(recovery.tree);
    if (status != STATUS_NOT_FOUND)
        return status;
    store_note(notes, true,
               "A crash interrupted this server while it took back all transactions behind "
               "0x%" PRIx64 ", and what is left does not reach up to there",
               (uint64_t)zxid);
    store_advice(notes, ", so it does not start. Move the whole data directory (but myid) away, so "
                        "that it gets all data from the leader.");
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

    store_notes_move(notes, &ret_recovery->notes);
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
                   "it is missing",
                   epochs->accepted, epochs->current);
        store_advice(notes,
                     ", so this server does not start. Are dataDir and dataLogDir right, is the "
                     "right volume mounted? Else delete acceptedEpoch and currentEpoch, so that it "
                     "gets all data from the leader, while a majority of the other servers is up.");
        status = STATUS_CORRUPT;
    }
    store_files_deinit(&logs);
    store_files_deinit(&snapshots);
    return status;
}

/* Everything that it had and promised is there. Else the epochs hold what could be read of them.
 * ret_mixed_up: nothing is damaged, but the files are not those of one server: somebody has to look. */
static enum status start_whole(struct disk *data, struct disk *log,
                               const struct recovery_options *options,
                               struct recovery *ret_recovery, struct epochs *ret_epochs,
                               bool *ret_mixed_up)
{
    struct store_notes notes = {0};

    *ret_mixed_up = false;
    *ret_epochs = (struct epochs){EPOCH_NONE, EPOCH_NONE};
    enum status status = store_resume(data, log, options, &notes);
    enum status read = epochs_read(data, ret_epochs, &notes);
    if (status == STATUS_OK)
        status = read;
    if (status == STATUS_OK)
        status = check_not_lost(data, log, ret_epochs, &notes);
    if (status != STATUS_OK) {
        ret_recovery->notes = notes;
        return status;
    }
    ASSERT(!options->limited);
    status = recover_after_notes(data, log, options, &notes, ret_recovery);
    if (status == STATUS_OK) {
        if (ret_recovery->tree_differs)
            store_note(&ret_recovery->notes, true,
                       "The tree is not what the newest digest in the log says: this server takes "
                       "everything from its leader. If it votes, it waits for initLimit first, so "
                       "that the others can elect one.");
        status = epochs_settle(data, ret_recovery->last_zxid, ret_epochs, &ret_recovery->notes);
        *ret_mixed_up = status == STATUS_CORRUPT;
    }
    if (status != STATUS_OK) {
        tree_free(ret_recovery->tree);
        ret_recovery->tree = NULL;
    }
    return status;
}

/* --- quarantine --- */

/* Of the promises, the latest that anything tells of. */
static enum status settle_in_quarantine(struct disk *data, int64_t last_zxid, struct epochs *epochs)
{
    int64_t epoch = zxid_epoch(last_zxid);
    struct epochs settled = *epochs;

    if (settled.current < epoch)
        settled.current = epoch;
    if (settled.accepted < settled.current)
        settled.accepted = settled.current;
    *epochs = settled;
    return epochs_write(data, epochs);
}

/* With what a leader gave it before, or with an empty tree; whichever it is does not count. */
static enum status start_in_quarantine(struct disk *data, struct disk *log,
                                       const struct recovery_options *options, bool begins,
                                       struct recovery *recovery, struct epochs *epochs)
{
    struct store_notes notes = recovery->notes;
    struct recovery_options own = *options;

    own.db_autocreate = true;
    own.trust_empty = false;
    recovery->notes = (struct store_notes){0};
    enum status status = STATUS_CORRUPT;
    if (!begins)
        status = store_start(data, log, &own, recovery);
    store_notes_move(&notes, &recovery->notes);
    if (status == STATUS_CORRUPT) {
        store_drop_advice(&notes);
        status = quarantine_put_aside(data, log, &notes);
        if (status == STATUS_OK)
            status = store_start(data, log, &own, recovery);
        store_notes_move(&notes, &recovery->notes);
    }
    recovery->notes = notes;
    if (status == STATUS_OK)
        status = settle_in_quarantine(data, recovery->last_zxid, epochs);
    if (status != STATUS_OK) {
        tree_free(recovery->tree);
        recovery->tree = NULL;
        return status;
    }
    store_note(&recovery->notes, true,
               "This server is in quarantine: it may have lost what it promised. It neither votes "
               "nor serves until a majority of the other servers has a leader that gives it "
               "everything.");
    return STATUS_OK;
}

enum status store_start_member(struct disk *data, struct disk *log,
                               const struct recovery_options *options,
                               struct recovery *ret_recovery, struct epochs *ret_epochs)
{
    struct quarantine quarantine;
    bool begins = false, mixed_up;

    *ret_recovery = (struct recovery){0};
    enum status status = quarantine_read(data, &quarantine);
    if (status != STATUS_OK)
        return status;
    if (quarantine.on) {
        status = epochs_read(data, ret_epochs, &ret_recovery->notes);
    } else {
        status = start_whole(data, log, options, ret_recovery, ret_epochs, &mixed_up);
        if (!options->repairable || mixed_up ||
            (status != STATUS_CORRUPT && status != STATUS_INVALID))
            return status;
        begins = true;
    }
    if (status != STATUS_OK && status != STATUS_CORRUPT && status != STATUS_INVALID)
        return status;
    quarantine.on = true;
    quarantine.promises_lost = quarantine.promises_lost ||
                               ret_epochs->accepted < ret_epochs->current ||
                               ret_epochs->accepted == EPOCH_NONE;
    store_drop_advice(&ret_recovery->notes);
    status = mutant_is(options->mutant, MUTANT_QUARANTINE_IN_MEMORY)
                 ? STATUS_OK
                 : quarantine_write(data, quarantine.promises_lost);
    if (status == STATUS_OK)
        status = start_in_quarantine(data, log, options, begins, ret_recovery, ret_epochs);
    ret_recovery->quarantine = quarantine;
    return status;
}
