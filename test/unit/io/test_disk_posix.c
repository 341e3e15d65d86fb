#include "io/disk_posix.h"

#include "test/lib/check.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char *new_dir(char path[64])
{
    strcpy(path, "/tmp/disk-posix-XXXXXX");
    CHECK(mkdtemp(path) != NULL);
    return path;
}

static void remove_dir(const char *path)
{
    char command[128];

    snprintf(command, sizeof(command), "rm -rf '%s'", path);
    CHECK_I64("rm", system(command), 0);
}

static bool count_names(void *context, const char *name, uint64_t size_bytes)
{
    (void)name;
    *(uint64_t *)context += 1000 + size_bytes;
    return true;
}

TEST(what_was_written_is_read_back_and_listed_and_renamed_and_removed)
{
    char path[64], bytes[16];
    struct disk *disk = NULL;
    struct disk_file *file = NULL;
    uint64_t size = 0, listed = 0;
    size_t got = 0;

    CHECK_STATUS(disk_posix_open(new_dir(path), /* write_back_bytes= */ 4, &disk), STATUS_OK);
    CHECK_STATUS(disk->ops->open(disk, "a", DISK_READ, &file), STATUS_NOT_FOUND);
    CHECK_STATUS(disk->ops->open(disk, "a", DISK_WRITE, &file), STATUS_NOT_FOUND);
    CHECK_STATUS(disk->ops->open(disk, "a", DISK_CREATE, &file), STATUS_OK);
    CHECK_STATUS(disk->ops->write(disk, file, 0, "hello", 5), STATUS_OK);
    CHECK_STATUS(disk->ops->write(disk, file, 8, "you", 3), STATUS_OK);
    CHECK_STATUS(disk->ops->sync(disk, file), STATUS_OK);
    CHECK_STATUS(disk->ops->size(disk, file, &size), STATUS_OK);
    CHECK_U64("size", size, 11);
    CHECK_STATUS(disk->ops->read(disk, file, 0, bytes, sizeof(bytes), &got), STATUS_OK);
    CHECK_SLICE("bytes", slice_of(bytes, got), SLICE("hello\0\0\0you"));
    CHECK_STATUS(disk->ops->truncate(disk, file, 4), STATUS_OK);
    CHECK_STATUS(disk->ops->read(disk, file, 2, bytes, sizeof(bytes), &got), STATUS_OK);
    CHECK_U64("a read ends at the end of the file", got, 2);
    disk->ops->close(disk, file);
    CHECK_STATUS(disk->ops->rename(disk, "a", "b"), STATUS_OK);
    CHECK_STATUS(disk->ops->sync_dir(disk), STATUS_OK);
    CHECK_STATUS(disk->ops->list(disk, count_names, &listed), STATUS_OK);
    CHECK_U64("one name of four bytes", listed, 1004);
    CHECK_STATUS(disk->ops->remove(disk, "b"), STATUS_OK);
    CHECK_STATUS(disk->ops->remove(disk, "b"), STATUS_NOT_FOUND);
    disk_posix_close(disk);
    remove_dir(path);
}

static unsigned mode_of(const char *directory, const char *name)
{
    char path[256];
    struct stat info;

    snprintf(path, sizeof(path), "%s/%s", directory, name);
    CHECK_I64(path, stat(path, &info), 0);
    return info.st_mode & 0777;
}

TEST(what_is_made_is_its_owners_alone_and_what_exists_keeps_its_mode)
{
    char path[64], below[128], old[160];
    struct disk *disk = NULL;
    struct disk_file *file = NULL;

    new_dir(path);
    snprintf(below, sizeof(below), "%s/version-2", path);
    CHECK_STATUS(dir_make(below), STATUS_OK);
    CHECK_U64("directory", mode_of(path, "version-2"), 0700);
    CHECK_STATUS(disk_posix_open(below, 0, &disk), STATUS_OK);
    CHECK_STATUS(disk->ops->open(disk, "log.1", DISK_CREATE, &file), STATUS_OK);
    disk->ops->close(disk, file);
    CHECK_U64("file", mode_of(below, "log.1"), 0600);
    snprintf(old, sizeof(old), "%s/log.1", below);
    CHECK_I64("chmod", chmod(old, 0640), 0);
    CHECK_STATUS(disk->ops->open(disk, "log.1", DISK_CREATE, &file), STATUS_OK);
    disk->ops->close(disk, file);
    CHECK_U64("kept", mode_of(below, "log.1"), 0640);
    CHECK_I64("chmod", chmod(below, 0750), 0);
    CHECK_STATUS(dir_make(below), STATUS_OK);
    CHECK_U64("kept", mode_of(path, "version-2"), 0750);
    disk_posix_close(disk);
    remove_dir(path);
}

TEST(create_cuts_a_file_that_was_there)
{
    char path[64];
    struct disk *disk = NULL;
    struct disk_file *file = NULL;
    uint64_t size = 1;

    CHECK_STATUS(disk_posix_open(new_dir(path), 0, &disk), STATUS_OK);
    for (int i = 0; i < 2; i++) {
        CHECK_STATUS(disk->ops->open(disk, "a", DISK_CREATE, &file), STATUS_OK);
        CHECK_STATUS(disk->ops->size(disk, file, &size), STATUS_OK);
        CHECK_U64("size", size, 0);
        CHECK_STATUS(disk->ops->write(disk, file, 0, "x", 1), STATUS_OK);
        disk->ops->close(disk, file);
    }
    disk_posix_close(disk);
    remove_dir(path);
}

TEST(a_hole_is_skipped_and_no_byte_is)
{
    enum { DATA_AT = 8 << 20, BYTES = 64 << 20 };
    char path[64];
    struct disk *disk = NULL;
    struct disk_file *file = NULL;
    uint64_t at = 0;

    CHECK_STATUS(disk_posix_open(new_dir(path), 0, &disk), STATUS_OK);
    CHECK_STATUS(disk->ops->open(disk, "a", DISK_CREATE, &file), STATUS_OK);
    CHECK_STATUS(disk->ops->write(disk, file, 0, "x", 1), STATUS_OK);
    CHECK_STATUS(disk->ops->write(disk, file, DATA_AT, "y", 1), STATUS_OK);
    CHECK_STATUS(disk->ops->truncate(disk, file, BYTES), STATUS_OK);
    CHECK_STATUS(disk->ops->skip_hole(disk, file, 0, &at), STATUS_OK);
    CHECK_U64("at data", at, 0);
    CHECK_STATUS(disk->ops->skip_hole(disk, file, 1 << 20, &at), STATUS_OK);
    CHECK(at >= 1 << 20 && at <= DATA_AT);
    CHECK_STATUS(disk->ops->skip_hole(disk, file, DATA_AT, &at), STATUS_OK);
    CHECK_U64("at data again", at, DATA_AT);
    CHECK_STATUS(disk->ops->skip_hole(disk, file, 32 << 20, &at), STATUS_OK);
    CHECK(at == 32 << 20 || at == BYTES); /* the first: a file system that knows no holes */
    CHECK_STATUS(disk->ops->skip_hole(disk, file, BYTES, &at), STATUS_OK);
    CHECK_U64("at the end", at, BYTES);
    disk->ops->close(disk, file);
    disk_posix_close(disk);
    remove_dir(path);
}

TEST(a_full_device_is_no_space)
{
    struct disk *disk = NULL;
    struct disk_file *file = NULL;

    CHECK_STATUS(disk_posix_open("/dev", 0, &disk), STATUS_OK);
    CHECK_STATUS(disk->ops->open(disk, "full", DISK_WRITE, &file), STATUS_OK);
    CHECK_STATUS(disk->ops->write(disk, file, 0, "x", 1), STATUS_NO_SPACE);
    disk->ops->close(disk, file);
    disk_posix_close(disk);
}

TEST(every_error_of_the_system_has_a_status)
{
    CHECK_STATUS(status_from_errno(ENOSPC), STATUS_NO_SPACE);
    CHECK_STATUS(status_from_errno(EDQUOT), STATUS_NO_SPACE);
    CHECK_STATUS(status_from_errno(EACCES), STATUS_NO_ACCESS);
    CHECK_STATUS(status_from_errno(EROFS), STATUS_READ_ONLY);
    CHECK_STATUS(status_from_errno(ENOENT), STATUS_NOT_FOUND);
    CHECK_STATUS(status_from_errno(EEXIST), STATUS_EXISTS);
    CHECK_STATUS(status_from_errno(EFBIG), STATUS_TOO_LARGE);
    CHECK_STATUS(status_from_errno(EIO), STATUS_IO);
}

TEST(a_directory_is_made_with_those_above_it)
{
    char path[64], deep[128];
    struct stat info;

    snprintf(deep, sizeof(deep), "%s/a//b/c/", new_dir(path));
    CHECK_STATUS(dir_make(deep), STATUS_OK);
    CHECK_STATUS(dir_make(deep), STATUS_OK);
    CHECK(stat(deep, &info) == 0 && S_ISDIR(info.st_mode));
    remove_dir(path);
}

TEST(a_directory_is_not_made_over_a_file)
{
    char path[64], file[128], below[160];

    snprintf(file, sizeof(file), "%s/file", new_dir(path));
    int fd = open(file, O_CREAT | O_WRONLY, 0644);
    CHECK(fd >= 0);
    close(fd);
    snprintf(below, sizeof(below), "%s/version-2", file);
    CHECK(dir_make(below) != STATUS_OK);
    CHECK_STATUS(dir_make(file), STATUS_EXISTS);
    remove_dir(path);
}

TEST(a_locked_directory_is_busy_for_another_process_until_the_first_one_is_gone)
{
    char path[64];
    int lock_fd = -1;
    int64_t holder = 0;

    CHECK_STATUS(dir_lock(new_dir(path), &lock_fd, &holder), STATUS_OK);
    for (int locked = 1; locked >= 0; locked--) {
        pid_t child = fork();
        if (child == 0) {
            int child_fd = -1;
            int64_t who = 0;
            close(locked ? -1 : lock_fd); /* what a fork inherited is not its own */
            enum status status = dir_lock(path, &child_fd, &who);
            _exit(status == (locked ? STATUS_BUSY : STATUS_OK) &&
                          who == (locked ? (int64_t)getppid() : 0)
                      ? 0
                      : 1);
        }
        int ended = -1;
        CHECK(waitpid(child, &ended, 0) == child);
        CHECK_I64("child", ended, 0);
        if (locked)
            dir_unlock(lock_fd);
    }
    remove_dir(path);
}
