/* install.c: replaces the old state with the leader's. Each step is durable before the next begins,
 * and each can be done again. */
#include "replica/store/install.h"

#include "replica/store/store_files.h"

#include <inttypes.h>

enum { ALL_ZXIDS = -1 };

enum status install_begin(struct disk *data, struct disk *log, int64_t zxid,
                          struct store_notes *notes)
{
    ASSERT(zxid >= 0);
    enum status status = intent_write(data, &(struct intent){INTENT_SET_ASIDE, zxid});

    if (status == STATUS_OK)
        status = aside_put(data, STORE_FILE_SNAPSHOT, ALL_ZXIDS, ASIDE_INSTALL, notes);
    if (status == STATUS_OK)
        status = aside_put(log, STORE_FILE_LOG, ALL_ZXIDS, ASIDE_INSTALL, notes);
    if (status == STATUS_OK)
        status = intent_write(data, &(struct intent){INTENT_AWAIT, zxid});
    return status;
}

/* A snapshot has its name only when all of it is durable and was read back. All old ones are aside, so
 * one of zxid or later is of the new state. */
static enum status snapshot_is_there(struct disk *data, int64_t zxid, bool *ret_there)
{
    struct store_files files = {0};

    enum status status = store_files_list(data, STORE_FILE_SNAPSHOT, &files);
    *ret_there = files.count > 0 && files.files[files.count - 1].read.zxid >= zxid;
    store_files_deinit(&files);
    return status;
}

static enum status remove_old_files(struct disk *data, struct disk *log)
{
    enum status status = data->ops->sync_dir(data); /* the snapshot's name stays */

    if (status == STATUS_OK)
        status = aside_remove(data);
    if (status == STATUS_OK)
        status = aside_remove(log);
    return status == STATUS_OK ? intent_clear(data) : status;
}

enum status install_end(struct disk *data, struct disk *log, int64_t zxid)
{
    bool there;

    enum status status = snapshot_is_there(data, zxid, &there);
    if (status != STATUS_OK)
        return status;
    return there ? remove_old_files(data, log) : STATUS_NOT_FOUND;
}

static enum status remove_new_logs(struct disk *log)
{
    struct store_files files = {0};

    enum status status = store_files_list(log, STORE_FILE_LOG, &files);
    for (size_t i = files.count; i > 0 && status == STATUS_OK; i--)
        status = log->ops->remove(log, files.files[i - 1].name);
    store_files_deinit(&files);
    return status == STATUS_OK ? log->ops->sync_dir(log) : status;
}

static enum status put_back(struct disk *data, struct disk *log)
{
    enum status status = aside_put_back(log);

    if (status == STATUS_OK)
        status = aside_put_back(data);
    return status == STATUS_OK ? intent_clear(data) : status;
}

enum status install_resume(struct disk *data, struct disk *log, const struct intent *intent,
                           struct store_notes *notes)
{
    enum status status = STATUS_OK;

    ASSERT(intent->kind == INTENT_SET_ASIDE || intent->kind == INTENT_AWAIT);
    if (intent->kind == INTENT_AWAIT) {
        status = install_end(data, log, intent->zxid);
        if (status != STATUS_NOT_FOUND)
            return status;
        status = remove_new_logs(log);
        /* From here on all logs with a name are old ones. */
        if (status == STATUS_OK)
            status = intent_write(data, &(struct intent){INTENT_SET_ASIDE, intent->zxid});
    }
    if (status == STATUS_OK)
        status = put_back(data, log);
    if (status == STATUS_OK)
        store_note(notes, false,
                   "The leader's state of 0x%" PRIx64
                   " was not complete; this server goes on from its own.",
                   (uint64_t)intent->zxid);
    return status;
}
