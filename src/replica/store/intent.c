/* intent.c: the file `intent`, and files that are renamed meanwhile. An intent is on the disk
 * before the first file changes, and is removed only when the last change is durable. */
#include "replica/store/intent.h"

#include "base/checksum.h"
#include "replica/store/small_file.h"
#include "replica/store/store_files.h"

#include <inttypes.h>

#define INTENT_NAME "intent"

static const char *const kind_words[] = {
    [INTENT_TRUNCATE] = "truncate", [INTENT_SET_ASIDE] = "set-aside", [INTENT_AWAIT] = "await"};

/* "truncate 0x1c 5d0aab12\n": what, up to which zxid, CRC-32 of the text before it. */
static void print(struct buffer *out, const struct intent *intent)
{
    buffer_printf(out, "%s 0x%" PRIx64 " ", kind_words[intent->kind], (uint64_t)intent->zxid);
    buffer_printf(out, "%08" PRIx32 "\n", crc32_add(0, buffer_slice(out)));
}

static int hex_digit(uint8_t byte)
{
    return byte >= '0' && byte <= '9'   ? byte - '0'
           : byte >= 'a' && byte <= 'f' ? byte - 'a' + 10
                                        : -1;
}

/* Reads it loosely, writes it again, and compares. */
static bool parse(struct slice text, struct intent *ret_intent)
{
    for (enum intent_kind kind = INTENT_TRUNCATE; kind <= INTENT_AWAIT; kind++) {
        struct slice word = slice_text(kind_words[kind]);
        size_t at = word.size + 3; /* after " 0x" */
        uint64_t zxid = 0;
        if (!slice_starts_with(text, word) || text.size < at)
            continue;
        for (; at < text.size && hex_digit(text.data[at]) >= 0; at++)
            zxid = zxid << 4 | (uint64_t)hex_digit(text.data[at]);
        *ret_intent = (struct intent){kind, (int64_t)zxid};
        struct buffer again = {0};
        print(&again, ret_intent);
        bool same = slice_equal(buffer_slice(&again), text);
        buffer_deinit(&again);
        return same;
    }
    return false;
}

enum status intent_read(struct disk *data, struct intent *ret_intent, struct store_notes *notes)
{
    struct buffer bytes = {0};
    struct intent intent = {INTENT_NONE, 0};

    enum status status = small_file_read(data, INTENT_NAME, &bytes);
    if (status == STATUS_TOO_LARGE ||
        (status == STATUS_OK && !parse(buffer_slice(&bytes), &intent))) {
        store_note(notes, true,
                   "The file " INTENT_NAME
                   " in dataDir, which says what a crash interrupted, cannot be read");
        store_advice(notes,
                     ", so this server does not start. Move the whole data directory (but myid) "
                     "away, so that it gets all data from the leader; or restore the directory "
                     "from a backup.");
        status = STATUS_CORRUPT;
    }
    buffer_deinit(&bytes);
    if (status != STATUS_OK && status != STATUS_NOT_FOUND)
        return status;
    *ret_intent = intent;
    return STATUS_OK;
}

enum status intent_write(struct disk *data, const struct intent *intent)
{
    struct buffer bytes = {0};

    ASSERT(intent->kind != INTENT_NONE); /* that one is no file */
    print(&bytes, intent);
    enum status status = small_file_write(data, INTENT_NAME, buffer_slice(&bytes));
    buffer_deinit(&bytes);
    return status;
}

enum status intent_clear(struct disk *data)
{
    enum status status = data->ops->remove(data, INTENT_NAME);

    if (status != STATUS_OK && status != STATUS_NOT_FOUND)
        return status;
    return data->ops->sync_dir(data);
}

enum status aside_put(struct disk *disk, enum store_file_kind kind, int64_t zxid,
                      const char *prefix, struct store_notes *notes)
{
    struct store_files files = {0};
    struct buffer name = {0};

    enum status status = store_files_list(disk, kind, &files);
    for (size_t i = files.count; i > 0 && status == STATUS_OK; i--) {
        const struct store_file *file = &files.files[i - 1];
        if (file->read.zxid <= zxid)
            break;
        name.size = 0;
        buffer_printf(&name, "%s%s", prefix, file->name);
        buffer_u8(&name, 0);
        status = disk->ops->rename(disk, file->name, (const char *)name.data);
        if (status == STATUS_OK)
            store_note(notes, false, "The file %s was put aside as %s.", file->name,
                       (const char *)name.data);
    }
    buffer_deinit(&name);
    store_files_deinit(&files);
    return status == STATUS_OK ? disk->ops->sync_dir(disk) : status;
}

static bool visit_aside(void *context, const char *name, uint64_t size_bytes)
{
    struct store_notes *names = context;

    (void)size_bytes;
    if (strncmp(name, ASIDE_INSTALL, sizeof(ASIDE_INSTALL) - 1) == 0)
        store_note(names, false, "%s", name);
    return true;
}

static enum status for_all_aside(struct disk *disk, bool put_back)
{
    struct store_notes names = {0};

    enum status status = disk->ops->list(disk, visit_aside, &names);
    for (size_t i = 0; i < names.count && status == STATUS_OK; i++) {
        const char *name = names.notes[i].text;
        status = put_back ? disk->ops->rename(disk, name, name + sizeof(ASIDE_INSTALL) - 1)
                          : disk->ops->remove(disk, name);
    }
    store_notes_deinit(&names);
    return status == STATUS_OK ? disk->ops->sync_dir(disk) : status;
}

enum status aside_put_back(struct disk *disk)
{
    return for_all_aside(disk, /* put_back= */ true);
}

enum status aside_remove(struct disk *disk)
{
    return for_all_aside(disk, /* put_back= */ false);
}
