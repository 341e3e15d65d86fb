/* disk_posix.c: a directory of real files behind base/disk.h. An error is reported once, never retried. */
#include "io/disk_posix.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* New files hold the data of all clients, so only the server's user may read them. Existing files keep
 * their modes. */
enum { FILE_MODE = 0600, DIRECTORY_MODE = 0700 };

struct disk_posix {
    struct disk disk;
    int dir_fd;
    uint64_t write_back_bytes;
};

struct disk_file {
    int fd;
    uint64_t unpushed_start, unpushed_end; /* written, not yet pushed to the device */
};

enum status status_from_errno(int error)
{
    switch (error) {
    case ENOENT:
        return STATUS_NOT_FOUND;
    case EEXIST:
    case ENOTDIR:
        return STATUS_EXISTS;
    case ENOSPC:
    case EDQUOT:
        return STATUS_NO_SPACE;
    case EACCES:
    case EPERM:
        return STATUS_NO_ACCESS;
    case EROFS:
        return STATUS_READ_ONLY;
    case EFBIG:
        return STATUS_TOO_LARGE;
    default:
        return STATUS_IO;
    }
}

static struct disk_posix *disk_of(struct disk *disk)
{
    return CONTAINER_OF(disk, struct disk_posix, disk);
}

static enum status posix_open(struct disk *disk, const char *name, enum disk_open_mode mode,
                              struct disk_file **ret_file)
{
    int flags = O_CLOEXEC | (mode == DISK_READ ? O_RDONLY : O_RDWR);

    if (mode == DISK_CREATE)
        flags |= O_CREAT | O_TRUNC;
    int fd = openat(disk_of(disk)->dir_fd, name, flags, FILE_MODE);
    if (fd < 0)
        return status_from_errno(errno);
    struct disk_file *file = mem_zalloc(sizeof(*file));
    file->fd = fd;
    *ret_file = file;
    return STATUS_OK;
}

static void posix_close(struct disk *disk, struct disk_file *file)
{
    (void)disk;
    close(file->fd);
    mem_free(file);
}

/* Only a hint: what the device refuses shows in sync. */
static void push_written(struct disk_posix *disk, struct disk_file *file, uint64_t start,
                         uint64_t end)
{
    if (disk->write_back_bytes == 0)
        return;
    if (start != file->unpushed_end)
        file->unpushed_start = start;
    file->unpushed_end = end;
    ASSERT(file->unpushed_start <= end);
    if (end - file->unpushed_start < disk->write_back_bytes)
        return;
    (void)sync_file_range(
        file->fd, (off_t)file->unpushed_start, (off_t)(end - file->unpushed_start),
        SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER);
    file->unpushed_start = end;
}

static enum status posix_write(struct disk *disk, struct disk_file *file, uint64_t offset,
                               const void *bytes, size_t size)
{
    const uint8_t *at = bytes;
    uint64_t start = offset;

    ASSERT(offset <= INT64_MAX && size <= INT64_MAX - offset);
    while (size > 0) {
        ssize_t done = pwrite(file->fd, at, size, (off_t)offset);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return status_from_errno(errno);
        at += done;
        offset += (uint64_t)done;
        size -= (size_t)done;
    }
    push_written(disk_of(disk), file, start, offset);
    return STATUS_OK;
}

enum status disk_posix_read_at(int fd, uint64_t offset, void *bytes, size_t capacity,
                               size_t *ret_size)
{
    size_t size = 0;

    while (size < capacity) {
        ssize_t got = pread(fd, (uint8_t *)bytes + size, capacity - size, (off_t)(offset + size));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return status_from_errno(errno);
        if (got == 0)
            break;
        size += (size_t)got;
    }
    *ret_size = size;
    return STATUS_OK;
}

static enum status posix_read(struct disk *disk, struct disk_file *file, uint64_t offset,
                              void *bytes, size_t capacity, size_t *ret_size)
{
    (void)disk;
    return disk_posix_read_at(file->fd, offset, bytes, capacity, ret_size);
}

static enum status posix_size(struct disk *disk, struct disk_file *file, uint64_t *ret_size_bytes)
{
    struct stat info;

    (void)disk;
    if (fstat(file->fd, &info) != 0)
        return status_from_errno(errno);
    *ret_size_bytes = (uint64_t)info.st_size;
    return STATUS_OK;
}

static enum status posix_skip_hole(struct disk *disk, struct disk_file *file, uint64_t offset,
                                   uint64_t *ret_offset)
{
    off_t data = lseek(file->fd, (off_t)offset, SEEK_DATA);

    *ret_offset = offset;
    if (data >= 0)
        *ret_offset = (uint64_t)data;
    else if (errno == ENXIO)
        return posix_size(disk, file, ret_offset);
    return STATUS_OK; /* else the file system cannot tell */
}

static enum status posix_truncate(struct disk *disk, struct disk_file *file, uint64_t size_bytes)
{
    (void)disk;
    if (ftruncate(file->fd, (off_t)size_bytes) != 0)
        return status_from_errno(errno);
    return STATUS_OK;
}

static enum status posix_sync(struct disk *disk, struct disk_file *file)
{
    (void)disk;
    if (fdatasync(file->fd) != 0)
        return status_from_errno(errno);
    return STATUS_OK;
}

static enum status posix_sync_dir(struct disk *disk)
{
    if (fsync(disk_of(disk)->dir_fd) != 0)
        return status_from_errno(errno);
    return STATUS_OK;
}

static enum status posix_rename(struct disk *disk, const char *from, const char *to)
{
    int dir_fd = disk_of(disk)->dir_fd;

    if (renameat(dir_fd, from, dir_fd, to) != 0)
        return status_from_errno(errno);
    return STATUS_OK;
}

static enum status posix_remove(struct disk *disk, const char *name)
{
    if (unlinkat(disk_of(disk)->dir_fd, name, 0) != 0)
        return status_from_errno(errno);
    return STATUS_OK;
}

static enum status posix_list(struct disk *disk, disk_list_visit *visit, void *context)
{
    int dir_fd = openat(disk_of(disk)->dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    enum status status = STATUS_OK;

    if (dir_fd < 0)
        return status_from_errno(errno);
    DIR *dir = fdopendir(dir_fd);
    if (dir == NULL) {
        status = status_from_errno(errno);
        close(dir_fd);
        return status;
    }
    for (;;) {
        struct stat info;
        errno = 0;
        struct dirent *entry = readdir(dir);
        if (entry == NULL) {
            status = errno == 0 ? STATUS_OK : status_from_errno(errno);
            break;
        }
        if (fstatat(dir_fd, entry->d_name, &info, 0) != 0 || !S_ISREG(info.st_mode))
            continue; /* directories, and names that went away meanwhile */
        if (!visit(context, entry->d_name, (uint64_t)info.st_size))
            break;
    }
    closedir(dir);
    return status;
}

static const struct disk_ops posix_ops = {
    .open = posix_open,
    .close = posix_close,
    .write = posix_write,
    .read = posix_read,
    .size = posix_size,
    .skip_hole = posix_skip_hole,
    .truncate = posix_truncate,
    .sync = posix_sync,
    .sync_dir = posix_sync_dir,
    .rename = posix_rename,
    .remove = posix_remove,
    .list = posix_list,
};

enum status disk_posix_open(const char *path, uint64_t write_back_bytes, struct disk **ret_disk)
{
    int dir_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (dir_fd < 0)
        return status_from_errno(errno);
    struct disk_posix *disk = mem_alloc(sizeof(*disk));
    *disk = (struct disk_posix){
        .disk = {.ops = &posix_ops}, .dir_fd = dir_fd, .write_back_bytes = write_back_bytes};
    *ret_disk = &disk->disk;
    return STATUS_OK;
}

void disk_posix_close(struct disk *disk)
{
    if (disk == NULL)
        return;
    close(disk_of(disk)->dir_fd);
    mem_free(disk_of(disk));
}

enum status dir_make(const char *path)
{
    char prefix[PATH_MAX];
    struct stat info;
    size_t size = strlen(path);

    if (size == 0 || size >= sizeof(prefix))
        return STATUS_INVALID;
    for (size_t i = 1; i <= size; i++) {
        if (path[i] != '/' && path[i] != '\0')
            continue;
        memcpy(prefix, path, i);
        prefix[i] = '\0';
        if (mkdir(prefix, DIRECTORY_MODE) != 0 && errno != EEXIST) {
            int error = errno;
            if (stat(prefix, &info) != 0 || !S_ISDIR(info.st_mode)) /* read-only above is fine */
                return status_from_errno(error);
        }
    }
    if (stat(path, &info) != 0)
        return status_from_errno(errno);
    return S_ISDIR(info.st_mode) ? STATUS_OK : STATUS_EXISTS;
}

enum status dir_lock(const char *path, int *ret_lock_fd, int64_t *ret_holder)
{
    char text[32] = "";
    enum status status;

    *ret_holder = 0;
    int dir_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir_fd < 0)
        return status_from_errno(errno);
    int lock_fd = openat(dir_fd, "paddock.lock", O_RDWR | O_CREAT | O_CLOEXEC, FILE_MODE);
    status = lock_fd < 0 ? status_from_errno(errno) : STATUS_OK;
    close(dir_fd);
    if (lock_fd < 0)
        return status;
    if (flock(lock_fd, LOCK_EX | LOCK_NB) != 0) {
        status = errno == EWOULDBLOCK ? STATUS_BUSY : status_from_errno(errno);
        if (status == STATUS_BUSY && pread(lock_fd, text, sizeof(text) - 1, 0) > 0)
            *ret_holder = strtoll(text, NULL, 10);
        close(lock_fd);
        return status;
    }
    int size = snprintf(text, sizeof(text), "%lld\n", (long long)getpid());
    if (ftruncate(lock_fd, 0) != 0 || pwrite(lock_fd, text, (size_t)size, 0) != size) {
        /* The pid only helps the operator; the lock is held all the same. */
    }
    *ret_lock_fd = lock_fd;
    return STATUS_OK;
}

void dir_unlock(int lock_fd)
{
    close(lock_fd);
}
