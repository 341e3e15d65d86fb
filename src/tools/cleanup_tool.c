/* cleanup_tool.c: keeps the newest snapshots and the logs from the one that holds the oldest kept
 * snapshot's zxid on. Everything older is removed, each file with a line. Without a snapshot that looks
 * whole nothing is removed. */
#include "base/number.h"
#include "io/disk_posix.h"
#include "io/java_text.h"
#include "replica/store/snapshot.h"
#include "replica/store/store_files.h"
#include "tools/tools.h"

#include <stdio.h>
#include <sys/stat.h>

enum { EXIT_BAD = 1, COUNT_MIN = 3, PATH_BYTES_MAX = 4096 };

static int usage(void)
{
    fputs(
        "Usage:\n"
        "PurgeTxnLog dataLogDir [snapDir] -n count\n"
        "\tdataLogDir -- path to the txn log directory\n"
        "\tsnapDir -- path to the snapshot directory\n"
        "\tcount -- the number of old snaps/logs you want to keep, value should be greater than or "
        "equal to 3\n",
        stdout);
    return EXIT_BAD;
}

struct place {
    char path[PATH_BYTES_MAX]; /* DIR/version-2 */
    struct disk *disk;
};

/* False: said. */
static bool open_place(struct place *place, const char *dir)
{
    struct stat status;

    if (stat(dir[0] == '\0' ? "." : dir, &status) != 0 || dir[0] == '\0') {
        fprintf(stderr, "Path '%s' does not exist. \n", dir);
        (void)usage();
        return false;
    }
    snprintf(place->path, sizeof(place->path), "%s/version-2", dir);
    enum status opened = disk_posix_open(place->path, 0, &place->disk);
    if (opened == STATUS_OK)
        return true;
    fprintf(stderr, "%s: %s\n", place->path, status_text(opened));
    return false;
}

/* The zxid of the oldest of the `count` newest snapshots that look whole; -1: there is none. */
static enum status find_oldest_kept(struct place *snapshots, int64_t count, int64_t *ret_zxid)
{
    struct store_files files;
    enum status status = store_files_list(snapshots->disk, STORE_FILE_SNAPSHOT, &files);

    *ret_zxid = -1;
    for (size_t i = files.count; i-- > 0 && count > 0 && status == STATUS_OK;) {
        bool candidate;
        status = snapshot_is_candidate(snapshots->disk, files.files[i].name, &candidate);
        if (status == STATUS_OK && candidate) {
            *ret_zxid = files.files[i].read.zxid;
            count--;
        }
    }
    store_files_deinit(&files);
    return status;
}

static int remove_file(struct place *place, const char *name)
{
    char path[PATH_BYTES_MAX + 256];
    struct stat status;
    struct buffer line;

    snprintf(path, sizeof(path), "%s/%s", place->path, name);
    int64_t mtime_ms = stat(path, &status) == 0 ? (int64_t)status.st_mtim.tv_sec * 1000 : 0;
    buffer_init(&line);
    java_put_date_medium(&line, mtime_ms);
    printf("Removing file: %.*s\t%s\n", (int)line.size, (const char *)line.data, path);
    buffer_deinit(&line);
    enum status removed = place->disk->ops->remove(place->disk, name);
    if (removed == STATUS_OK)
        return 0;
    fflush(stdout);
    fprintf(stderr, "Failed to remove %s: %s\n", path, status_text(removed));
    return EXIT_BAD;
}

/* Logs: the newest one that begins at or before `zxid` is kept, too. */
static int remove_older(struct place *place, enum store_file_kind kind, int64_t zxid)
{
    struct store_files files;
    int code = 0;
    size_t end = 0;

    if (store_files_list(place->disk, kind, &files) != STATUS_OK) {
        store_files_deinit(&files);
        fprintf(stderr, "%s cannot be read\n", place->path);
        return EXIT_BAD;
    }
    while (end < files.count && files.files[end].read.zxid < zxid)
        end++;
    if (kind == STORE_FILE_LOG && end > 0)
        end--;
    for (size_t i = 0; i < end; i++) {
        if (remove_file(place, files.files[i].name) != 0)
            code = EXIT_BAD;
    }
    store_files_deinit(&files);
    return code;
}

static int clean(struct place *logs, struct place *snapshots, int64_t count)
{
    int64_t zxid;
    enum status status = find_oldest_kept(snapshots, count, &zxid);

    if (status != STATUS_OK) {
        fprintf(stderr, "%s: %s\n", snapshots->path, status_text(status));
        return EXIT_BAD;
    }
    if (zxid < 0)
        return 0;
    int code = remove_older(logs, STORE_FILE_LOG, zxid);
    if (remove_older(snapshots, STORE_FILE_SNAPSHOT, zxid) != 0)
        code = EXIT_BAD;
    (void)logs->disk->ops->sync_dir(logs->disk);
    (void)snapshots->disk->ops->sync_dir(snapshots->disk);
    return fflush(stdout) == 0 ? code : EXIT_BAD;
}

/* -1: not a count of at least three; said. */
static int64_t parse_count(const char *text)
{
    int64_t count;

    if (!number_parse(slice_text(text), 10, &count) || count > INT32_MAX) {
        fprintf(stderr, "'%s' can not be parsed to integer.\n", text);
    } else if (count < COUNT_MIN) {
        fputs("count should be greater than or equal to 3\n", stderr);
    } else {
        return count;
    }
    (void)usage();
    return -1;
}

int cleanup_tool_main(int argc, char **argv)
{
    struct place logs = {0}, snapshots = {0};

    /* "LOGS -n 3" or "LOGS SNAPSHOTS -n 3" */
    if ((argc != 4 && argc != 5) || strcmp(argv[argc - 2], "-n") != 0)
        return usage();
    int64_t count = parse_count(argv[argc - 1]);
    if (count < 0)
        return EXIT_BAD;
    int code = EXIT_BAD;
    if (open_place(&logs, argv[1]) && open_place(&snapshots, argv[argc - 3]))
        code = clean(&logs, &snapshots, count);
    disk_posix_close(logs.disk);
    disk_posix_close(snapshots.disk);
    return code;
}
