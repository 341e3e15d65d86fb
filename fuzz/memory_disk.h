/* memory_disk.h: a handful of files in memory, for fuzzing what reads files. Nothing fails. */
#ifndef FUZZ_MEMORY_DISK_H
#define FUZZ_MEMORY_DISK_H

#include "base/buffer.h"
#include "base/disk.h"

enum { MEMORY_FILES_MAX = 16 };

struct disk_file {
    char name[128]; /* "": free */
    struct buffer bytes;
};
struct memory_disk {
    struct disk disk;
    struct disk_file files[MEMORY_FILES_MAX];
};

static struct disk_file *memory_find(struct disk *disk, const char *name)
{
    struct memory_disk *memory = CONTAINER_OF(disk, struct memory_disk, disk);

    for (int i = 0; i < MEMORY_FILES_MAX; i++) {
        if (strcmp(memory->files[i].name, name) == 0)
            return &memory->files[i];
    }
    return NULL;
}

static enum status memory_open(struct disk *disk, const char *name, enum disk_open_mode mode,
                               struct disk_file **ret_file)
{
    struct disk_file *file = memory_find(disk, name);

    if (file == NULL && mode != DISK_CREATE)
        return STATUS_NOT_FOUND;
    if (file == NULL) {
        file = memory_find(disk, "");
        ASSERT(file != NULL && strlen(name) < sizeof(file->name));
        strcpy(file->name, name);
    }
    if (mode == DISK_CREATE)
        file->bytes.size = 0;
    *ret_file = file;
    return STATUS_OK;
}

static void memory_close(struct disk *disk, struct disk_file *file)
{
    (void)disk;
    (void)file;
}

static enum status memory_truncate(struct disk *disk, struct disk_file *file, uint64_t size)
{
    (void)disk;
    if (size > file->bytes.size) {
        size_t more = (size_t)size - file->bytes.size;
        memset(buffer_extend(&file->bytes, more), 0, more);
    }
    file->bytes.size = (size_t)size;
    return STATUS_OK;
}

static enum status memory_write(struct disk *disk, struct disk_file *file, uint64_t offset,
                                const void *bytes, size_t size)
{
    if (offset + size > file->bytes.size)
        (void)memory_truncate(disk, file, offset + size);
    memcpy(file->bytes.data + offset, bytes, size);
    return STATUS_OK;
}

static enum status memory_read(struct disk *disk, struct disk_file *file, uint64_t offset,
                               void *bytes, size_t capacity, size_t *ret_size)
{
    size_t left = offset < file->bytes.size ? file->bytes.size - (size_t)offset : 0;

    (void)disk;
    *ret_size = capacity < left ? capacity : left;
    if (*ret_size > 0)
        memcpy(bytes, file->bytes.data + offset, *ret_size);
    return STATUS_OK;
}

static enum status memory_size(struct disk *disk, struct disk_file *file, uint64_t *ret_size)
{
    (void)disk;
    *ret_size = file->bytes.size;
    return STATUS_OK;
}

static enum status memory_skip_hole(struct disk *disk, struct disk_file *file, uint64_t offset,
                                    uint64_t *ret_offset)
{
    (void)disk;
    (void)file;
    *ret_offset = offset;
    return STATUS_OK;
}

static enum status memory_sync(struct disk *disk, struct disk_file *file)
{
    (void)disk;
    (void)file;
    return STATUS_OK;
}

static enum status memory_sync_dir(struct disk *disk)
{
    (void)disk;
    return STATUS_OK;
}

static enum status memory_remove(struct disk *disk, const char *name)
{
    struct disk_file *file = memory_find(disk, name);

    ASSERT(file != NULL);
    buffer_deinit(&file->bytes);
    file->name[0] = '\0';
    return STATUS_OK;
}

static enum status memory_rename(struct disk *disk, const char *from, const char *to)
{
    if (memory_find(disk, to) != NULL)
        (void)memory_remove(disk, to);
    struct disk_file *file = memory_find(disk, from);
    ASSERT(file != NULL && strlen(to) < sizeof(file->name));
    strcpy(file->name, to);
    return STATUS_OK;
}

static enum status memory_list(struct disk *disk, disk_list_visit *visit, void *context)
{
    struct memory_disk *memory = CONTAINER_OF(disk, struct memory_disk, disk);

    for (int i = 0; i < MEMORY_FILES_MAX; i++) {
        if (memory->files[i].name[0] != '\0' &&
            !visit(context, memory->files[i].name, memory->files[i].bytes.size))
            break;
    }
    return STATUS_OK;
}

static const struct disk_ops memory_ops = {.open = memory_open,
                                           .close = memory_close,
                                           .write = memory_write,
                                           .read = memory_read,
                                           .size = memory_size,
                                           .skip_hole = memory_skip_hole,
                                           .truncate = memory_truncate,
                                           .sync = memory_sync,
                                           .sync_dir = memory_sync_dir,
                                           .rename = memory_rename,
                                           .remove = memory_remove,
                                           .list = memory_list};

static inline void memory_disk_init(struct memory_disk *memory)
{
    *memory = (struct memory_disk){.disk.ops = &memory_ops};
}

static inline void memory_disk_deinit(struct memory_disk *memory)
{
    for (int i = 0; i < MEMORY_FILES_MAX; i++)
        buffer_deinit(&memory->files[i].bytes);
}

static inline struct buffer *memory_disk_put(struct memory_disk *memory, const char *name)
{
    struct disk_file *file;

    ASSERT(memory_open(&memory->disk, name, DISK_CREATE, &file) == STATUS_OK);
    return &file->bytes;
}

#endif
