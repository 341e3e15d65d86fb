/* recovery.c: finds the newest snapshot that is whole, replays the log after it, and removes old files.
 * Whatever may have been acknowledged is loaded, or the start is refused with a reason. */
#include "replica/store/recovery.h"

#include "replica/store/replay.h"
#include "replica/store/snapshot.h"
#include "replica/store/store_files.h"

#include <inttypes.h>

enum {
    CANDIDATES_MAX = 100,
    RETAIN_MIN = 3,
    NODE_BYTES_GUESS = 192 /* in a snapshot, of a node with a hundred bytes of data */
};

void recovery_deinit(struct recovery *recovery)
{
    store_notes_deinit(&recovery->notes);
}

static bool is_leftover(const char *name)
{
    return strncmp(name, "tmp.snapshot.", 13) == 0 || strncmp(name, "tmp.log.", 8) == 0;
}

static bool visit_leftover(void *context, const char *name, uint64_t size_bytes)
{
    struct store_notes *names = context;

    (void)size_bytes;
    if (is_leftover(name))
        store_note(names, false, "%s", name);
    return true;
}

/* Files that a crash left before they had their names. */
static enum status remove_leftovers(struct disk *data, struct store_notes *notes)
{
    struct store_notes names = {0};

    enum status status = data->ops->list(data, visit_leftover, &names);
    for (size_t i = 0; i < names.count && status == STATUS_OK; i++) {
        status = data->ops->remove(data, names.notes[i].text);
        if (status == STATUS_OK)
            store_note(notes, false, "The unfinished file %s was removed.", names.notes[i].text);
    }
    store_notes_deinit(&names);
    return status;
}

static enum status sync_file(struct disk *disk, const char *name)
{
    struct disk_file *file;

    enum status status = disk->ops->open(disk, name, DISK_WRITE, &file);
    if (status != STATUS_OK)
        return status;
    status = disk->ops->sync(disk, file);
    disk->ops->close(disk, file);
    return status;
}

struct loaded {
    bool any_candidate;
    const struct store_file *file; /* NULL: none was good */
    struct snapshot_info info;
};

/* A snapshot that Java wrote may hold changes that were made while it was written. */
static bool holds_later_changes(const struct snapshot_info *info, int64_t zxid)
{
    return info->node_zxid_max > zxid || (info->has_digest && info->digest_zxid > zxid);
}

/* Newest first, each into an empty tree; the first good one counts. */
static enum status load_newest(struct disk *data, const struct store_files *files,
                               const struct recovery_options *options, struct recovery *recovery,
                               struct loaded *ret_loaded)
{
    struct loaded loaded = {0};
    size_t tried = 0;

    for (size_t i = files->count; i > 0 && loaded.file == NULL && tried < CANDIDATES_MAX; i--) {
        const struct store_file *file = &files->files[i - 1];
        bool candidate;
        if (options->limited && file->read.zxid > options->limit_zxid)
            continue;
        enum status status = snapshot_is_candidate(data, file->name, &candidate);
        if (status != STATUS_OK)
            return status;
        if (!candidate) {
            store_note(&recovery->notes, true, "The snapshot %s is unfinished; ignored.",
                       file->name);
            continue;
        }
        tried++;
        loaded.any_candidate = true;
        struct tree *tree = tree_new_empty(&options->tree);
        tree_load_reserve(tree, (uint32_t)(file->size_bytes / NODE_BYTES_GUESS));
        status = snapshot_load(data, file->name, options->text_bytes_max, options->side, tree,
                               &loaded.info);
        if (status == STATUS_OK && options->limited &&
            holds_later_changes(&loaded.info, options->limit_zxid)) {
            store_note(&recovery->notes, false,
                       "The snapshot %s holds changes after 0x%" PRIx64
                       "; the one before it is tried.",
                       file->name, (uint64_t)options->limit_zxid);
            tree_free(tree);
            continue;
        }
        if (status == STATUS_OK) {
            ASSERT(recovery->tree == NULL);
            tree_load_finish(tree);
            tree_set_last_zxid(tree, file->read.zxid);
            recovery->tree = tree;
            loaded.file = file;
            continue;
        }
        tree_free(tree);
        if (status != STATUS_CORRUPT)
            return status;
        store_note(&recovery->notes, true,
                   "The snapshot %s is damaged (%s); the one before it is tried.", file->name,
                   loaded.info.problem);
    }
    *ret_loaded = loaded;
    return STATUS_OK;
}

/* Nothing loaded. May that be? */
static enum status begin_without_snapshot(const struct recovery_options *options,
                                          const struct loaded *loaded,
                                          const struct store_files *snapshots,
                                          const struct store_files *logs, struct recovery *recovery)
{
    struct store_notes *notes = &recovery->notes;

    if (loaded->any_candidate) {
        store_note(notes, true, "None of the snapshots can be read");
        store_advice(notes, ", so this server does not start. Restore one from a backup, or the "
                            "data directory from another server.");
        return STATUS_CORRUPT;
    }
    if (logs->count > 0 && !options->trust_empty) {
        store_note(notes, true,
                   "There is no snapshot, but there are log files (%s and %zu more): part of the "
                   "data is missing",
                   logs->files[0].name, logs->count - 1);
        store_advice(notes,
                     ", so this server does not start. Restore the snapshots from a backup; if the "
                     "logs are known to be complete, start once with "
                     "zookeeper.snapshot.trust.empty=true.");
        return STATUS_CORRUPT;
    }
    if (logs->count == 0 && snapshots->count > 0 &&
        snapshots->files[snapshots->count - 1].read.zxid > 0) {
        store_note(notes, true,
                   "The only snapshots are unfinished ones (%s) and there is no log: the data is "
                   "missing",
                   snapshots->files[snapshots->count - 1].name);
        store_advice(notes, ", so this server does not start. Restore a backup; to begin with an "
                            "empty tree, move the unfinished snapshots away.");
        return STATUS_CORRUPT;
    }
    if (logs->count == 0 && !options->db_autocreate && !options->initialize_found) {
        store_note(notes, true, "The data directory is empty and zookeeper.db.autocreate=false");
        store_advice(notes,
                     ": is the right volume mounted? To begin with an empty tree, make a file "
                     "named initialize in the log directory, beside version-2.");
        return STATUS_INVALID;
    }
    if (logs->count > 0)
        store_note(notes, true,
                   "No snapshot: the tree begins empty and all logs are replayed, because "
                   "snapshot.trust.empty is set. Switch it off again.");
    recovery->tree = tree_new(&options->tree);
    recovery->fresh = logs->count == 0;
    return STATUS_OK;
}

/* A snapshot of Java's is fuzzy up to the zxid of its digest: before that no digest can be right. When a
 * transaction was applied and its digest not yet noted as Java wrote it down, a znode is ahead even of
 * that: then the snapshot's digest is of no state that comes again. */
static void use_digest(const struct loaded *loaded, struct recovery *recovery,
                       struct replay *replay)
{
    const struct snapshot_info *info = &loaded->info;

    if (!info->has_digest || !tree_get_options(recovery->tree)->digest_enabled ||
        info->digest_zxid < recovery->snapshot_zxid || info->digest_zxid == 0)
        return;
    bool is_passed = info->node_zxid_max > info->digest_zxid;
    if (is_passed || info->digest_zxid > recovery->snapshot_zxid) {
        replay->fuzzy = true;
        replay->fuzzy_zxid = is_passed ? info->node_zxid_max : info->digest_zxid;
        replay->has_fuzzy_digest = !is_passed;
        replay->fuzzy_digest = info->digest;
        return;
    }
    recovery->digests_checked++;
    recovery->tree_differs = info->digest != tree_digest(recovery->tree);
    if (!recovery->tree_differs)
        return;
    recovery->digest_mismatches++;
    store_note(&recovery->notes, true,
               "The digest of the tree in %s differs from the one recorded with it: the trees of "
               "these servers may have diverged.",
               loaded->file->name);
}

static bool is_ttl_owner(int64_t owner)
{
    return (uint64_t)owner >> 40 == 0xff0000; /* extended, feature 0 */
}

/* Ephemeral nodes without a session are deleted, with no transaction. */
static enum status remove_orphans(struct recovery *recovery, struct traffic *traffic)
{
    struct tree *tree = recovery->tree;
    struct buffer paths = {0}; /* jute texts */
    uint32_t count = 0, ttl_count = 0;
    size_t cursor = 0;
    struct tree_session *session;

    while ((session = tree_session_next(tree, &cursor)) != NULL) {
        if (!session->orphan)
            continue;
        if (is_ttl_owner(session->id))
            ttl_count += session->ephemeral_count;
        for (uint32_t i = 0; i < session->ephemeral_count; i++) {
            size_t head = paths.size;
            buffer_i32(&paths, 0);
            tree_path_append(tree, session->ephemerals[i], &paths);
            store_be32(paths.data + head, (uint32_t)(paths.size - head - 4));
            count++;
        }
    }
    if (ttl_count > 0) {
        buffer_deinit(&paths);
        store_note(&recovery->notes, true,
                   "The tree has TTL nodes (%" PRIu32 "), but zookeeper.extendedTypesEnabled is "
                   "not set: they would be taken for ephemeral nodes of a session that is gone "
                   "and deleted. Start with zookeeper.extendedTypesEnabled=true.",
                   ttl_count);
        return STATUS_INVALID;
    }
    struct jute_vector walk = {buffer_slice(&paths), (int32_t)count};
    struct slice path;
    while (jute_next_text(&walk, &path)) {
        enum zk_error err = /* no node: its parent has gone */
            tree_delete(tree, path, tree_last_zxid(tree));
        if (err == ZK_OK && traffic != NULL)
            traffic_write(traffic, path, 0);
    }
    buffer_deinit(&paths);
    recovery->orphan_ephemerals = count;
    if (count > 0)
        store_note(&recovery->notes, false,
                   "Ephemeral nodes whose session is gone were removed: count=%" PRIu32 ".", count);
    return STATUS_OK;
}

/* A directory with a log and no snapshot may have lost its snapshot. So a fresh database writes the
 * snapshot of an empty tree before the first record. */
static enum status write_first_snapshot(struct disk *data, const struct recovery_options *options,
                                        struct tree *tree)
{
    return snapshot_write(
        data, tree,
        &(struct snapshot_image_options){.digest_enabled = options->tree.digest_enabled,
                                         .last_zxid_section = options->last_zxid_section},
        options->compression);
}

static enum status recover(struct disk *data, struct disk *log,
                           const struct recovery_options *options,
                           const struct store_files *snapshots, const struct store_files *logs,
                           struct recovery *recovery)
{
    struct loaded loaded;

    enum status status = load_newest(data, snapshots, options, recovery, &loaded);
    if (status == STATUS_OK && loaded.file == NULL && options->limited)
        return STATUS_NOT_FOUND;
    if (status == STATUS_OK && loaded.file == NULL)
        status = begin_without_snapshot(options, &loaded, snapshots, logs, recovery);
    if (status != STATUS_OK)
        return status;
    recovery->snapshot_zxid = tree_last_zxid(recovery->tree);
    ASSERT(!options->limited || recovery->snapshot_zxid <= options->limit_zxid);
    struct replay replay = {.log = log,
                            .side = options->side,
                            .traffic = options->traffic,
                            .files = logs,
                            .payload_bytes_max = txnlog_payload_bytes_max(options->text_bytes_max),
                            .recovery = recovery,
                            .begin_anywhere = loaded.file == NULL,
                            .mutant = options->mutant,
                            .limited = options->limited,
                            .limit_zxid = options->limit_zxid};
    if (loaded.file != NULL) {
        use_digest(&loaded, recovery, &replay);
        status = sync_file(data, loaded.file->name);
        if (status != STATUS_OK)
            return status;
    }
    if (options->replay_begins != NULL)
        options->replay_begins(options->context);
    status = replay_run(&replay);
    if (status != STATUS_OK)
        return status;
    if (replay.fuzzy && loaded.file != NULL)
        store_note(&recovery->notes, true,
                   "The log ends before transaction 0x%" PRIx64
                   ", where the digest of the snapshot %s could be checked.",
                   (uint64_t)replay.fuzzy_zxid, loaded.file->name);
    if (recovery->digest_mismatches > 0)
        store_note(&recovery->notes, true,
                   "Digests of the tree differed: mismatches=%" PRIu64 " of checked=%" PRIu64 ".",
                   recovery->digest_mismatches, recovery->digests_checked);
    recovery->last_zxid = tree_last_zxid(recovery->tree);
    ASSERT(recovery->last_zxid >= recovery->snapshot_zxid);
    ASSERT(!options->limited || recovery->last_zxid <= options->limit_zxid);
    if (!options->keep_orphans)
        status = remove_orphans(recovery, options->traffic);
    if (status == STATUS_OK && recovery->fresh)
        status = write_first_snapshot(data, options, recovery->tree);
    return status;
}

enum status store_recover(struct disk *data, struct disk *log,
                          const struct recovery_options *options, struct recovery *ret_recovery)
{
    struct recovery recovery = {0};
    struct store_files snapshots = {0}, logs = {0};

    enum status status = options->limited ? STATUS_OK : remove_leftovers(data, &recovery.notes);
    if (status == STATUS_OK && !options->limited && log != data)
        status = remove_leftovers(log, &recovery.notes);
    if (status == STATUS_OK)
        status = store_files_list(data, STORE_FILE_SNAPSHOT, &snapshots);
    if (status == STATUS_OK)
        status = store_files_list(log, STORE_FILE_LOG, &logs);
    if (status == STATUS_OK)
        status = recover(data, log, options, &snapshots, &logs, &recovery);
    store_files_deinit(&logs);
    store_files_deinit(&snapshots);
    if (status != STATUS_OK) {
        tree_free(recovery.tree);
        recovery.tree = NULL;
        if (status == STATUS_NO_SPACE)
            store_note(&recovery.notes, true,
                       "The disk is full, and a start has to write to it: free some space.");
        else if (status != STATUS_CORRUPT && status != STATUS_INVALID)
            store_note(&recovery.notes, true, "The data directory cannot be read: %s.",
                       status_text(status));
    }
    *ret_recovery = recovery;
    return status;
}

struct foreign {
    enum store_file_kind kind;
    char name[256];
};

static bool visit_foreign(void *context, const char *name, uint64_t size_bytes)
{
    struct foreign *foreign = context;

    (void)size_bytes;
    if (store_name_read(name).kind != foreign->kind)
        return true;
    size_t size =
        strlen(name) < sizeof(foreign->name) - 1 ? strlen(name) : sizeof(foreign->name) - 1;
    memcpy(foreign->name, name, size);
    foreign->name[size] = '\0';
    return false;
}

enum status store_check_dirs(struct disk *data, struct disk *log, struct store_notes *notes)
{
    struct foreign snapshot = {.kind = STORE_FILE_SNAPSHOT}, logged = {.kind = STORE_FILE_LOG};

    enum status status = log->ops->list(log, visit_foreign, &snapshot);
    if (status == STATUS_OK)
        status = data->ops->list(data, visit_foreign, &logged);
    if (status != STATUS_OK)
        return status;
    if (snapshot.name[0] != '\0') {
        store_note(notes, true,
                   "Log directory has snapshot files (%s). Check if dataLogDir and dataDir "
                   "configuration is correct.",
                   snapshot.name);
        return STATUS_INVALID;
    }
    if (logged.name[0] != '\0') {
        store_note(notes, true,
                   "Snapshot directory has log files (%s). Check if dataLogDir and dataDir "
                   "configuration is correct.",
                   logged.name);
        return STATUS_INVALID;
    }
    return STATUS_OK;
}

/* *ret_zxid: of the oldest snapshot to keep; -1: keep all. */
static enum status oldest_kept(struct disk *data, const struct store_files *snapshots,
                               uint32_t retain, int64_t *ret_zxid)
{
    uint32_t good = 0;

    *ret_zxid = -1;
    for (size_t i = snapshots->count; i > 0 && good < retain; i--) {
        const char *name = snapshots->files[i - 1].name;
        struct snapshot_info info;
        bool candidate;
        enum status status = snapshot_is_candidate(data, name, &candidate);
        if (status == STATUS_OK && candidate)
            status = snapshot_load(data, name, /* text_bytes_max= */ INT32_MAX, NULL, NULL, &info);
        if (status != STATUS_OK && status != STATUS_CORRUPT)
            return status;
        if (status == STATUS_OK && candidate) {
            good++;
            ASSERT(*ret_zxid == -1 || snapshots->files[i - 1].read.zxid <= *ret_zxid);
            *ret_zxid = snapshots->files[i - 1].read.zxid;
        }
    }
    return STATUS_OK;
}

static enum status remove_old(struct disk *disk, const struct store_files *files, size_t count,
                              struct store_notes *notes)
{
    enum status status = STATUS_OK;

    ASSERT(count == 0 || count < files->count); /* the newest stays */
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        status = disk->ops->remove(disk, files->files[i].name);
        if (status == STATUS_OK)
            store_note(notes, false, "Removed %s.", files->files[i].name);
    }
    if (status == STATUS_OK && count > 0)
        status = disk->ops->sync_dir(disk);
    return status;
}

enum status store_purge(struct disk *data, struct disk *log, uint32_t retain, int64_t reading_zxid,
                        struct store_notes *notes)
{
    struct store_files snapshots = {0}, logs = {0};
    int64_t kept = -1;
    size_t snapshot_count = 0, log_count = 0;

    enum status status = store_files_list(data, STORE_FILE_SNAPSHOT, &snapshots);
    if (status == STATUS_OK)
        status = store_files_list(log, STORE_FILE_LOG, &logs);
    if (status == STATUS_OK)
        status = oldest_kept(data, &snapshots, retain < RETAIN_MIN ? RETAIN_MIN : retain, &kept);
    if (status == STATUS_OK && kept >= 0) {
        while (snapshot_count < snapshots.count && snapshots.files[snapshot_count].read.zxid < kept)
            snapshot_count++;
        /* The last log that begins at or below the snapshot may hold records above it. */
        while (log_count + 1 < logs.count && logs.files[log_count + 1].read.zxid <= kept &&
               logs.files[log_count].read.zxid < reading_zxid)
            log_count++;
        status = remove_old(log, &logs, log_count, notes);
        if (status == STATUS_OK)
            status = remove_old(data, &snapshots, snapshot_count, notes);
    }
    store_files_deinit(&logs);
    store_files_deinit(&snapshots);
    return status;
}
