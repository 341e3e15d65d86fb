/* quarantine.c: the file `quarantine`, and what was found to be damaged. Only the intent is deleted
 * here: the files that it was about were renamed. */
#include "replica/store/quarantine.h"

#include "replica/store/intent.h"
#include "replica/store/small_file.h"
#include "replica/store/store_files.h"

#define QUARANTINE_NAME "quarantine"

static struct slice words_of(bool promises_lost)
{
    return promises_lost ? SLICE("data and promises lost\n") : SLICE("data lost\n");
}

enum status quarantine_read(struct disk *data, struct quarantine *ret_quarantine)
{
    struct buffer bytes = {0};

    enum status status = small_file_read(data, QUARANTINE_NAME, &bytes);
    *ret_quarantine = (struct quarantine){
        .on = status == STATUS_OK || status == STATUS_TOO_LARGE,
        .promises_lost = !slice_equal(buffer_slice(&bytes), words_of(/* promises_lost= */ false))};
    buffer_deinit(&bytes);
    if (status == STATUS_NOT_FOUND)
        ret_quarantine->promises_lost = false;
    return status == STATUS_NOT_FOUND || status == STATUS_TOO_LARGE ? STATUS_OK : status;
}

enum status quarantine_write(struct disk *data, bool promises_lost)
{
    return small_file_write(data, QUARANTINE_NAME, words_of(promises_lost));
}

enum status quarantine_end(struct disk *data)
{
    enum status status = data->ops->remove(data, QUARANTINE_NAME);

    if (status != STATUS_OK && status != STATUS_NOT_FOUND)
        return status;
    return data->ops->sync_dir(data);
}

/* --- evidence --- */

static bool visit_evidence(void *context, const char *name, uint64_t size_bytes)
{
    struct store_notes *names = context;
    enum store_file_kind kind = store_name_read(name).kind;

    (void)size_bytes;
    if (kind == STORE_FILE_SNAPSHOT || kind == STORE_FILE_LOG ||
        strncmp(name, ASIDE_INSTALL, sizeof(ASIDE_INSTALL) - 1) == 0)
        store_note(names, false, "%s", name);
    return true;
}

static enum status put_all_aside(struct disk *disk, struct store_notes *notes)
{
    struct store_notes names = {0};
    struct buffer name = {0};

    enum status status = disk->ops->list(disk, visit_evidence, &names);
    for (size_t i = 0; i < names.count && status == STATUS_OK; i++) {
        name.size = 0;
        buffer_printf(&name, QUARANTINED_PREFIX "%s", names.notes[i].text);
        buffer_u8(&name, 0);
        status = disk->ops->rename(disk, names.notes[i].text, (const char *)name.data);
        if (status == STATUS_OK)
            store_note(notes, false, "The file %s was renamed to %s.", names.notes[i].text,
                       (const char *)name.data);
    }
    buffer_deinit(&name);
    store_notes_deinit(&names);
    return status == STATUS_OK ? disk->ops->sync_dir(disk) : status;
}

enum status quarantine_put_aside(struct disk *data, struct disk *log, struct store_notes *notes)
{
    enum status status = put_all_aside(data, notes);

    if (status == STATUS_OK && log != data)
        status = put_all_aside(log, notes);
    return status == STATUS_OK ? intent_clear(data) : status;
}
