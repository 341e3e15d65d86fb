/* store_files.c: the logs or snapshots of a directory, ordered by their zxids. */
#include "replica/store/store_files.h"

#include "base/array.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

struct listing {
    struct store_files *files;
    enum store_file_kind kind;
};

static bool visit(void *context, const char *name, uint64_t size_bytes)
{
    struct listing *listing = context;
    struct store_files *files = listing->files;
    struct store_name read = store_name_read(name);

    if (read.kind != listing->kind || !read.zxid_valid)
        return true;
    files->files = ARRAY_RESERVE(files->files, files->capacity, files->count + 1, ARRAY_FIRST);
    char *copy = mem_alloc(strlen(name) + 1);
    memcpy(copy, name, strlen(name) + 1);
    files->files[files->count++] = (struct store_file){copy, size_bytes, read};
    return true;
}

static int by_zxid(const void *left_pointer, const void *right_pointer)
{
    const struct store_file *left = left_pointer, *right = right_pointer;

    if (left->read.zxid != right->read.zxid)
        return left->read.zxid < right->read.zxid ? -1 : 1;
    return strcmp(left->name, right->name);
}

enum status store_files_list(struct disk *disk, enum store_file_kind kind,
                             struct store_files *ret_files)
{
    struct listing listing = {ret_files, kind};

    *ret_files = (struct store_files){0};
    enum status status = disk->ops->list(disk, visit, &listing);
    if (ret_files->count > 1)
        qsort(ret_files->files, ret_files->count, sizeof(*ret_files->files), by_zxid);
    return status;
}

void store_files_deinit(struct store_files *files)
{
    for (size_t i = 0; i < files->count; i++)
        mem_free(files->files[i].name);
    ASSERT(files->count <= files->capacity);
    mem_free(files->files);
    *files = (struct store_files){0};
}

static void add_note(struct store_notes *notes, struct store_note note)
{
    notes->notes = ARRAY_RESERVE(notes->notes, notes->capacity, notes->count + 1, ARRAY_FIRST);
    notes->notes[notes->count++] = note;
}

/* Behind `size_before` bytes, which are for the caller to fill. */
__attribute__((format(printf, 2, 0))) static char *print_text(size_t size_before,
                                                              const char *format, va_list arguments)
{
    va_list again;

    va_copy(again, arguments);
    int size = vsnprintf(NULL, 0, format, arguments);
    ASSERT(size >= 0);
    char *text = mem_alloc(size_before + (size_t)size + 1);
    (void)vsnprintf(text + size_before, (size_t)size + 1, format, again);
    va_end(again);
    return text;
}

void store_note(struct store_notes *notes, bool warning, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    char *text = print_text(0, format, arguments);
    va_end(arguments);
    add_note(notes, (struct store_note){.warning = warning, .text = text});
}

void store_advice(struct store_notes *notes, const char *format, ...)
{
    struct store_note *note = &notes->notes[notes->count - 1];
    size_t size = strlen(note->text);
    va_list arguments;

    ASSERT(notes->count > 0 && note->advice_at == 0 && size > 0);
    va_start(arguments, format);
    char *text = print_text(size, format, arguments);
    va_end(arguments);
    memcpy(text, note->text, size);
    mem_free(note->text);
    note->text = text;
    note->advice_at = size;
}

void store_drop_advice(struct store_notes *notes)
{
    for (size_t i = 0; i < notes->count; i++) {
        struct store_note *note = &notes->notes[i];
        if (note->advice_at == 0)
            continue;
        memcpy(note->text + note->advice_at, ".", 2); /* an advice has at least two bytes */
        note->advice_at = 0;
    }
}

void store_notes_move(struct store_notes *to, struct store_notes *from)
{
    for (size_t i = 0; i < from->count; i++) {
        add_note(to, from->notes[i]);
        from->notes[i].text = NULL;
    }
    store_notes_deinit(from);
}

void store_notes_deinit(struct store_notes *notes)
{
    for (size_t i = 0; i < notes->count; i++)
        mem_free(notes->notes[i].text);
    mem_free(notes->notes);
    *notes = (struct store_notes){0};
}
