/* small_file.c: a file of a few bytes, replaced as one. The name never belongs to half a file. */
#include "replica/store/small_file.h"

#include <stdio.h>

static enum status write_temporary(struct disk *disk, const char *name, struct slice bytes)
{
    struct disk_file *file;

    enum status status = disk->ops->open(disk, name, DISK_CREATE, &file);
    if (status != STATUS_OK)
        return status;
    status = disk->ops->write(disk, file, 0, bytes.data, bytes.size);
    if (status == STATUS_OK)
        status = disk->ops->sync(disk, file);
    disk->ops->close(disk, file);
    return status;
}

enum status small_file_write(struct disk *disk, const char *name, struct slice bytes)
{
    char temporary[SMALL_FILE_NAME_BYTES_MAX + 4];

    ASSERT(strlen(name) < SMALL_FILE_NAME_BYTES_MAX && bytes.size <= SMALL_FILE_BYTES_MAX);
    (void)snprintf(temporary, sizeof(temporary), "%s.tmp", name);
    enum status status = write_temporary(disk, temporary, bytes);
    if (status == STATUS_OK)
        status = disk->ops->rename(disk, temporary, name);
    return status == STATUS_OK ? disk->ops->sync_dir(disk) : status;
}

enum status small_file_read(struct disk *disk, const char *name, struct buffer *bytes)
{
    struct disk_file *file;
    size_t got = 0, before = bytes->size;

    enum status status = disk->ops->open(disk, name, DISK_READ, &file);
    if (status != STATUS_OK)
        return status;
    uint8_t *at = buffer_extend(bytes, SMALL_FILE_BYTES_MAX + 1);
    status = disk->ops->read(disk, file, 0, at, SMALL_FILE_BYTES_MAX + 1, &got);
    disk->ops->close(disk, file);
    bytes->size = before + (status == STATUS_OK ? got : 0);
    return status == STATUS_OK && got > SMALL_FILE_BYTES_MAX ? STATUS_TOO_LARGE : status;
}
