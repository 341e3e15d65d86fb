/* startup.c: finds, creates, locks, opens and recovers the data directories of a server.
 *
 * When it refuses to start, it logs why, and leaves the data as it was. */
#include "server/server.h"

#include "io/disk_posix.h"
#include "io/log.h"
#include "io/side_thread.h"
#include "replica/membership/membership.h"
#include "replica/store/start.h"
#include "server/config/ensemble.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SNAPSHOT_WRITE_BACK_BYTES = 1 << 20 };

/* <dir>/version-2, made if that is allowed. NULL: it cannot be used, and why was logged. */
static char *version_dir(const struct config *config, const char *dir)
{
    char here[PATH_MAX] = "";
    struct stat info;

    if (dir[0] != '/' && getcwd(here, sizeof(here) - 1) != NULL)
        strcat(here, "/"); /* `conf` shows where the data really is */
    size_t size = strlen(here) + strlen(dir) + sizeof("/version-2");
    char *path = mem_alloc(size);
    snprintf(path, size, "%s%s%sversion-2", here, dir, dir[strlen(dir) - 1] == '/' ? "" : "/");
    if (stat(path, &info) == 0 && S_ISDIR(info.st_mode))
        return path;
    enum status status = STATUS_OK;
    if (!config->directories.autocreate) {
        log_error("main",
                  "Missing data directory %s, automatic data directory creation is disabled "
                  "(zookeeper.datadir.autocreate is false). Please create this directory manually.",
                  path);
        status = STATUS_NOT_FOUND;
    } else if ((status = dir_make(path)) != STATUS_OK) {
        log_error("main", "Unable to create data directory %s: %s", path,
                  status == STATUS_EXISTS ? "a file that is no directory has this name"
                                          : status_text(status));
    }
    if (status == STATUS_OK)
        return path;
    mem_free(path);
    return NULL;
}

static bool lock(const char *path, int *ret_lock_fd)
{
    int64_t holder = 0;
    enum status status = dir_lock(path, ret_lock_fd, &holder);

    if (status == STATUS_BUSY)
        log_error("main",
                  "the data directory is in use by another server (pid %lld) directory=%s; "
                  "two servers in one directory lose data",
                  (long long)holder, path);
    else if (status != STATUS_OK)
        log_error("main", "Cannot write to data directory %s: %s", path, status_text(status));
    return status == STATUS_OK;
}

static bool open_disk(const char *path, uint64_t write_back_bytes, struct disk **ret_disk)
{
    enum status status = disk_posix_open(path, write_back_bytes, ret_disk);

    if (status != STATUS_OK)
        log_error("main", "Unable to access data directory %s: %s", path, status_text(status));
    return status == STATUS_OK;
}

static void log_notes(const struct store_notes *notes)
{
    for (size_t i = 0; i < notes->count; i++)
        log_line(notes->notes[i].warning ? LOG_LEVEL_WARN : LOG_LEVEL_INFO, "store", "%s",
                 notes->notes[i].text);
}

static bool same_directory(const char *left, const char *right)
{
    struct stat a, b;

    return strcmp(left, right) == 0 || (stat(left, &a) == 0 && stat(right, &b) == 0 &&
                                        a.st_dev == b.st_dev && a.st_ino == b.st_ino);
}

enum exit_code startup_directories(struct server *server)
{
    const struct config *config = server->config;
    struct store_notes notes = {0};

    server->data_path = version_dir(config, config->directories.data);
    if (server->data_path == NULL)
        return EXIT_CODE_DATA_DIR;
    server->log_path = config->directories.log == config->directories.data
                           ? server->data_path
                           : version_dir(config, config->directories.log);
    if (server->log_path == NULL)
        return EXIT_CODE_DATA_DIR;
    bool one = same_directory(server->data_path, server->log_path);
    if (!lock(server->data_path, &server->data_lock_fd) ||
        (!one && !lock(server->log_path, &server->log_lock_fd)))
        return EXIT_CODE_DATA_DIR;
    if (!open_disk(server->data_path, 0, &server->data_disk) ||
        !open_disk(server->data_path, SNAPSHOT_WRITE_BACK_BYTES, &server->snapshot_disk))
        return EXIT_CODE_DATA_DIR;
    server->log_disk = server->data_disk;
    if (one)
        return EXIT_CODE_OK;
    server->log_disk = NULL;
    if (!open_disk(server->log_path, 0, &server->log_disk))
        return EXIT_CODE_DATA_DIR;
    enum status status = store_check_dirs(server->data_disk, server->log_disk, &notes);
    for (size_t i = 0; i < notes.count; i++)
        log_error("store", "%s", notes.notes[i].text);
    store_notes_deinit(&notes);
    return status == STATUS_OK ? EXIT_CODE_OK : EXIT_CODE_DATA_DIR;
}

/* The file `initialize` in dataLogDir allows an empty directory to become a fresh database, once. Only a
 * start that is not refused removes it, and only when snapshot.0 is on disk; after a crash in between
 * the next start removes it. (Java removes it before it reads the logs.) */
static void initialize_path(const struct config *config, char path[PATH_MAX])
{
    snprintf(path, PATH_MAX, "%s/initialize", config->directories.log);
}

/* False: it could not be removed. A directory that loses its data later would count as fresh. */
static bool initialize_remove(const char *path)
{
    if (unlink(path) == 0 || errno == ENOENT)
        return true;
    log_error("main", "Cannot remove %s: %s", path, strerror(errno));
    return false;
}

static void on_replay_begins(void *context)
{
    *(uint64_t *)context = uv_hrtime();
}

static struct store_actor *actor_new(struct server *server, const struct recovery_options *recovery,
                                     const struct txnlog_position *position)
{
    const struct config *config = server->config;
    struct store_actor_options options = {
        .log = {.prealloc_bytes = (uint64_t)config->log.prealloc_bytes,
                .size_limit_bytes =
                    config->log.size_limit_bytes > 0 ? (uint64_t)config->log.size_limit_bytes : 0,
                .force_sync = config->log.force_sync,
                .digest_enabled = config->tree.digest_enabled,
                .payload_bytes_max = recovery->text_bytes_max},
        .recovery = *recovery,
    };

    options.recovery.replay_begins = NULL; /* the start was timed; what comes later is not */
    options.recovery.context = NULL;
    return store_actor_new(server->data_disk, server->log_disk, &options, position);
}

/* What the start found, for `mntr` and for the log. */
static void note_loaded(struct server *server, const struct recovery *recovery, uint64_t start_ns,
                        uint64_t replay_ns)
{
    struct metrics *metrics = &server->metrics;
    uint64_t end_ns = uv_hrtime();
    int64_t load_ms = (int64_t)((end_ns - start_ns) / 1000000);

    metrics_observe(metrics, METRIC_LOAD_TIME, load_ms);
    metrics_observe(metrics, METRIC_SNAPSHOT_LOAD_TIME,
                    (int64_t)((replay_ns - start_ns) / 1000000));
    if (recovery->replayed > 0) {
        metrics_observe(metrics, METRIC_REPLAY_TIME, (int64_t)((end_ns - replay_ns) / 1000000));
        metrics_observe(metrics, METRIC_REPLAYED, (int64_t)recovery->replayed);
    }
    log_info("store", "loaded nodes=%u zxid=0x%llx snapshot=0x%llx replayed=%llu took_ms=%lld",
             tree_node_count(recovery->tree), (unsigned long long)recovery->last_zxid,
             (unsigned long long)recovery->snapshot_zxid, (unsigned long long)recovery->replayed,
             (long long)load_ms);
}

enum exit_code startup_recover(struct server *server, struct tree **ret_tree,
                               struct store_actor **ret_actor)
{
    const struct config *config = server->config;
    char initialize[PATH_MAX];
    struct recovery recovery = {0};
    uint64_t hash_seed = uv_hrtime(), replay_ns = 0;

    initialize_path(config, initialize);
    struct recovery_options options = {
        .tree = {.hash_seed = hash_seed,
                 .extended_types = config->tree.extended_types,
                 .emulate_353_ttl = config->tree.emulate_353_ttl,
                 .digest_enabled = config->tree.digest_enabled},
        .text_bytes_max = (size_t)config->jute.buffer_bytes_max + (size_t)config->jute.extra_bytes,
        .trust_empty = config->recovery.trust_empty,
        .db_autocreate = config->recovery.db_autocreate,
        .initialize_found = access(initialize, F_OK) == 0,
        .last_zxid_section = config->snapshot.last_zxid_section,
        .compression = store_compression_of(config->snapshot.compression),
        .keep_orphans = ensemble_distributed(config), /* the leader closes their sessions */
        .repairable = ensemble_distributed(config) &&
                      membership_can_spare(config->ensemble.members, config->ensemble.my_id),
        .side = side_thread_new(),
        .replay_begins = on_replay_begins,
        .context = &replay_ns,
    };
    server->traffic = options.traffic = traffic_new(hash_seed);
    uint64_t start_ns = uv_hrtime();
    enum status status =
        ensemble_distributed(config)
            ? store_start_member(server->data_disk, server->log_disk, &options, &recovery,
                                 &server->epochs)
            : store_start(server->data_disk, server->log_disk, &options, &recovery);
    side_thread_free(options.side);
    options.side = NULL;

    log_notes(&recovery.notes);
    if (status != STATUS_OK) {
        log_error("store", "the data directory cannot be served: %s directory=%s logs=%s",
                  status_text(status), server->data_path, server->log_path);
        recovery_deinit(&recovery);
        return EXIT_CODE_UNEXPECTED;
    }
    if (!initialize_remove(initialize)) {
        tree_free(recovery.tree);
        recovery_deinit(&recovery);
        return EXIT_CODE_DATA_DIR;
    }
    note_loaded(server, &recovery, start_ns, replay_ns);
    server->snapshot_wanted =
        !recovery.fresh && (recovery.replayed > 0 || recovery.snapshot_zxid != recovery.last_zxid);
    server->quarantine = recovery.quarantine;
    server->tree_differs = recovery.tree_differs;
    *ret_tree = recovery.tree;
    *ret_actor = actor_new(server, &options, &recovery.log);
    recovery_deinit(&recovery);
    return EXIT_CODE_OK;
}
