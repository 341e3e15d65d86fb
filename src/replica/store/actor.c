/* actor.c: one job on the files after the other. The log's writer is closed when its files may
 * change, and a new one begins where the job says that the log continues. */
#include "replica/store/actor.h"

#include "replica/store/install.h"
#include "replica/store/quarantine.h"
#include "replica/store/start.h"
#include "replica/store/store_files.h"
#include "replica/store/truncate.h"

#include <inttypes.h>

struct store_actor {
    struct disk *data, *log;
    struct store_actor_options options;
    struct txnlog_writer *writer;
    bool installing; /* STORE_RESTART_LOG was done, and its snapshot is awaited: */
    int64_t installing_zxid;
    enum status failed; /* for good */
};

struct store_actor *store_actor_new(struct disk *data, struct disk *log,
                                    const struct store_actor_options *options,
                                    const struct txnlog_position *position)
{
    struct store_actor *actor = mem_zalloc(sizeof(*actor));

    ASSERT(data != NULL && log != NULL);
    actor->data = data;
    actor->log = log;
    actor->options = *options;
    actor->writer = txnlog_writer_new(log, &options->log, position);
    return actor;
}

void store_actor_free(struct store_actor *actor)
{
    if (actor == NULL)
        return;
    txnlog_writer_free(actor->writer);
    mem_free(actor);
}

struct txnlog_writer *store_actor_log(struct store_actor *actor)
{
    return actor->writer;
}

void store_outcome_deinit(struct store_outcome *outcome)
{
    recovery_deinit(&outcome->recovery);
}

static void restart_writer(struct store_actor *actor, const struct txnlog_position *position)
{
    txnlog_writer_free(actor->writer);
    actor->writer = txnlog_writer_new(actor->log, &actor->options.log, position);
}

static enum status write_epochs(struct store_actor *actor, const struct store_work *work,
                                struct recovery *recovery)
{
    if (actor->installing && work->current_epoch != EPOCH_NONE) {
        enum status status = install_end(actor->data, actor->log, actor->installing_zxid);
        if (status == STATUS_NOT_FOUND) {
            store_note(&recovery->notes, true,
                       "The leader's state of 0x%" PRIx64
                       " is not on the disk yet, so its epoch cannot be taken over.",
                       (uint64_t)actor->installing_zxid);
            return STATUS_INVALID;
        }
        if (status != STATUS_OK)
            return status;
        actor->installing = false;
    }
    enum status status =
        epochs_write(actor->data, &(struct epochs){work->accepted_epoch, work->current_epoch});
    return status == STATUS_OK && work->ends_quarantine ? quarantine_end(actor->data) : status;
}

static enum status truncate_to(struct store_actor *actor, int64_t zxid, struct recovery *recovery)
{
    ASSERT(!actor->installing);
    enum status status =
        store_truncate(actor->data, actor->log, &actor->options.recovery, zxid, recovery);
    if (status == STATUS_OK)
        restart_writer(actor, &recovery->log);
    return status;
}

static enum status reload(struct store_actor *actor, struct recovery *recovery)
{
    enum status status = store_start(actor->data, actor->log, &actor->options.recovery, recovery);

    if (status != STATUS_OK)
        return status;
    actor->installing = false;
    restart_writer(actor, &recovery->log);
    return STATUS_OK;
}

static enum status restart_log(struct store_actor *actor, int64_t zxid, struct recovery *recovery)
{
    struct store_notes *notes = &recovery->notes;
    enum status status = STATUS_OK;

    if (actor->installing) /* an earlier one did not come to its end */
        status = store_resume(actor->data, actor->log, &actor->options.recovery, notes);
    if (status == STATUS_OK)
        status = install_begin(actor->data, actor->log, zxid, notes);
    if (status != STATUS_OK)
        return status;
    actor->installing = true;
    actor->installing_zxid = zxid;
    recovery->log = (struct txnlog_position){.last_zxid = zxid};
    recovery->last_zxid = zxid;
    restart_writer(actor, &recovery->log);
    return STATUS_OK;
}

static enum status do_work(struct store_actor *actor, const struct store_work *work,
                           struct recovery *recovery)
{
    switch (work->kind) {
    case STORE_WRITE_EPOCHS:
        return write_epochs(actor, work, recovery);
    case STORE_TRUNCATE:
        return truncate_to(actor, work->zxid, recovery);
    case STORE_RELOAD:
        return reload(actor, recovery);
    case STORE_RESTART_LOG:
        break;
    }
    return restart_log(actor, work->zxid, recovery);
}

enum status store_actor_work(struct store_actor *actor, const struct store_work *work,
                             struct store_outcome *ret_outcome)
{
    *ret_outcome = (struct store_outcome){0};
    if (actor->failed != STATUS_OK)
        return actor->failed;
    ASSERT(actor->writer != NULL);
    enum status status = txnlog_writer_sync(actor->writer);
    if (status == STATUS_OK)
        status = do_work(actor, work, &ret_outcome->recovery);
    bool refused = (status == STATUS_NOT_FOUND && work->kind == STORE_TRUNCATE) ||
                   (status == STATUS_INVALID && work->kind == STORE_WRITE_EPOCHS);
    bool repeatable = status == STATUS_NO_SPACE && work->kind == STORE_WRITE_EPOCHS &&
                      !(actor->installing && work->current_epoch != EPOCH_NONE);
    if (status != STATUS_OK && !refused && !repeatable)
        actor->failed = status;
    return status;
}

bool store_actor_failed(const struct store_actor *actor)
{
    return actor->failed != STATUS_OK;
}
