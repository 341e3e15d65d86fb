/* A break is a spot where the records stop making sense: bytes that are no record with something
 * behind them, a file without a header, or a record that does not follow the one before.
 *
 * A break is a torn tail when a power loss explains it: the bytes look like a write that arrived in
 * part, and nothing behind it proves that the lost record was durable. Records behind it prove
 * that when their trailer says so, or when Java wrote them, which says nothing. Then all from the
 * break on was never acknowledged, and is put aside. Everything else is damage.
 * (Hazards reference, section 3.2.) */
#include "replica/store/replay.h"

#include "replica/store/log_reader.h"
#include "replica/txn/txn.h"

#include <inttypes.h>
#include <stdio.h>

enum { COPY_BYTES = 1024 * 1024, TORN_NAME_BYTES_MAX = 128 };

enum break_kind {
    BREAK_HEADER, /* a file without one */
    BREAK_BYTES,  /* bytes that are no record */
    BREAK_ORDER,  /* a record that does not follow */
};
struct place { /* of a break */
    enum break_kind kind;
    size_t file;
    uint64_t offset;
    const char *reason;
    bool torn;                    /* a power loss explains it */
    struct log_evidence evidence; /* found behind it */
};

struct state {
    struct replay *replay;
    const struct store_file *files; /* the first one to read */
    size_t count;
    struct arena arena;
    bool any; /* a record was read: */
    int64_t zxid;
    bool ours; /* it has a trailer: */
    uint32_t link;
    bool broken;
    struct place place;
};

static bool same_epoch(int64_t left, int64_t right)
{
    return left >> 32 == right >> 32;
}

static const char *file_name(const struct state *state, size_t file)
{
    return state->files[file].name;
}

static int64_t snapshot_zxid(const struct state *state)
{
    return state->replay->recovery->snapshot_zxid;
}

/* The highest zxid that is there, in the snapshot or in the records so far. */
static int64_t reached(const struct state *state)
{
    int64_t zxid = snapshot_zxid(state);

    return state->any && state->zxid > zxid ? state->zxid : zxid;
}

static void break_at(struct state *state, const struct place *place)
{
    state->broken = true;
    state->place = *place;
}

enum fit { FITS, HOLE, WRONG_LINK, OTHER_HISTORY };

/* Does this record follow what is there? */
static enum fit fit(const struct state *state, int64_t zxid, const struct log_trailer *trailer)
{
    int64_t snapshot = snapshot_zxid(state);
    bool follows = state->any && trailer != NULL && trailer->prev_zxid == state->zxid;

    if (follows && state->ours && trailer->link != log_link(state->link, trailer->crc))
        return WRONG_LINK;
    if (zxid <= snapshot || follows)
        return FITS; /* what the snapshot has is not needed, holes in it included */
    if (trailer != NULL) {
        if (trailer->prev_zxid > reached(state))
            return HOLE;
        return trailer->prev_zxid <= snapshot && reached(state) == snapshot ? FITS : OTHER_HISTORY;
    }
    if (zxid <= reached(state))
        return FITS; /* Java: applies it and complains */
    return same_epoch(zxid, reached(state)) && zxid > reached(state) + 1 ? HOLE : FITS;
}

static void check_digest(struct state *state, const struct txn *txn)
{
    struct replay *replay = state->replay;
    struct recovery *recovery = replay->recovery;
    uint64_t digest = tree_digest(recovery->tree), wanted = (uint64_t)txn->digest;

    if (!tree_get_options(recovery->tree)->digest_enabled)
        return;
    if (replay->fuzzy) {
        if (txn->header.zxid < replay->fuzzy_zxid)
            return;
        replay->fuzzy = false;
        if (txn->header.zxid > replay->fuzzy_zxid)
            return;
        wanted = replay->fuzzy_digest;
    } else if (!txn->has_digest) {
        return;
    }
    recovery->digests_checked++;
    if (digest == wanted)
        return;
    if (recovery->digest_mismatches++ == 0)
        store_note(&recovery->notes, true,
                   "The digest of the tree differs from the one recorded with transaction "
                   "0x%" PRIx64 ": the trees of these servers may have diverged.",
                   (uint64_t)txn->header.zxid);
}

static void remember(struct state *state, int64_t zxid, const struct log_trailer *trailer)
{
    state->any = true;
    state->zxid = zxid;
    state->ours = trailer != NULL;
    state->link = trailer != NULL ? trailer->link : 0;
}

static enum status refuse_record(struct state *state, size_t file, uint64_t offset,
                                 const char *reason, int64_t zxid)
{
    store_note(&state->replay->recovery->notes, true,
               "The log file %s is damaged at byte %" PRIu64 ", transaction 0x%" PRIx64
               ": %s. Restore the file from a backup, or the whole data directory from another "
               "server; to go on without the transactions from there on, move the newer log files "
               "away and cut this one: truncate -s %" PRIu64 " %s",
               file_name(state, file), offset, (uint64_t)zxid, reason, offset,
               file_name(state, file));
    return STATUS_CORRUPT;
}

static enum status apply(struct state *state, size_t file, uint64_t offset, struct slice payload)
{
    struct recovery *recovery = state->replay->recovery;
    int64_t zxid = log_payload_zxid(payload);
    struct txn txn;

    if (zxid <= snapshot_zxid(state))
        return STATUS_OK;
    if (state->any && zxid < state->zxid)
        store_note(&recovery->notes, true,
                   "The log file %s has transaction 0x%" PRIx64 " behind 0x%" PRIx64
                   "; applied in this order, as ZooKeeper does.",
                   file_name(state, file), (uint64_t)zxid, (uint64_t)state->zxid);
    enum status status = txn_read(payload, &state->arena, &txn);
    if (status != STATUS_OK)
        return refuse_record(state, file, offset,
                             status == STATUS_UNSUPPORTED
                                 ? "a type of transaction that is not known here"
                                 : "its checksum is right, but it is no transaction",
                             zxid);
    bool fuzzy = state->replay->fuzzy;
    txn_apply(recovery->tree, &txn, NULL, &state->arena, NULL);
    recovery->replayed++;
    check_digest(state, &txn);
    if (!fuzzy)
        tree_mark_digest(recovery->tree, zxid);
    arena_reset(&state->arena);
    return STATUS_OK;
}

/* The first record behind a break: does it go on exactly where the records stopped? Then an earlier
 * run had this torn tail, and nothing is missing. */
static bool heals(const struct state *state, int64_t zxid, const struct log_trailer *trailer)
{
    const struct place *place = &state->place;

    return place->kind == BREAK_BYTES && place->torn && place->evidence.records == 0 &&
           zxid > reached(state) && fit(state, zxid, trailer) == FITS;
}

static void tell_healed(struct state *state, size_t file)
{
    store_note(&state->replay->recovery->notes, false,
               "The log file %s ends with an unfinished record at byte %" PRIu64
               "; %s goes on right behind the one before it.",
               file_name(state, state->place.file), state->place.offset, file_name(state, file));
}

/* A record that does not follow the one before. That the records in between are lost and never
 * were durable is possible where a new file begins. */
static struct place break_of_order(enum fit how, size_t file, uint64_t offset)
{
    return (struct place){.kind = BREAK_ORDER,
                          .file = file,
                          .offset = offset,
                          .torn = how == HOLE && offset == LOG_HEADER_BYTES,
                          .reason = how == HOLE ? "transactions are missing in front of it"
                                    : how == WRONG_LINK
                                        ? "its record does not belong to the one in front of it"
                                        : "its record belongs to another history"};
}

static enum status read_records(struct state *state, size_t file, struct log_reader *reader)
{
    for (;;) {
        uint64_t offset = reader->offset;
        struct log_spot spot;
        struct log_trailer read, *trailer = NULL;

        enum status status = log_reader_next(reader, &spot);
        if (status != STATUS_OK || spot.found == LOG_FOUND_END)
            return status;
        if (spot.found != LOG_FOUND_RECORD) {
            if (state->broken) /* already, in an earlier file: decide on that one */
                return STATUS_END;
            break_at(state, &(struct place){.kind = BREAK_BYTES,
                                            .file = file,
                                            .offset = offset,
                                            .reason = spot.reason,
                                            .torn = spot.found == LOG_FOUND_TORN});
            return log_reader_search(reader, offset + 1, &state->place.evidence);
        }
        int64_t zxid = log_payload_zxid(spot.payload);
        if (log_trailer_read(spot.payload, &read))
            trailer = &read;
        if (state->broken) {
            if (!heals(state, zxid, trailer))
                return STATUS_END;
            tell_healed(state, file);
            state->broken = false;
        }
        enum fit how = fit(state, zxid, trailer);
        if (how == HOLE && !state->any && state->replay->begin_anywhere) {
            store_note(&state->replay->recovery->notes, true,
                       "The first transaction in the log is 0x%" PRIx64
                       ": what was before it is not in the tree (snapshot.trust.empty).",
                       (uint64_t)zxid);
            how = FITS;
        }
        if (how != FITS) {
            struct place place = break_of_order(how, file, offset);
            break_at(state, &place);
            return STATUS_END;
        }
        status = apply(state, file, offset, spot.payload);
        if (status != STATUS_OK)
            return status;
        remember(state, zxid, trailer);
    }
}

/* STATUS_END: a break that no later file can heal. */
static enum status read_file(struct state *state, size_t file)
{
    struct replay *replay = state->replay;
    struct log_reader reader;
    enum log_header header;

    enum status status =
        log_reader_open(&reader, replay->log, file_name(state, file), replay->payload_bytes_max);
    if (status != STATUS_OK)
        return status;
    status = log_reader_header(&reader, &header);
    if (status == STATUS_OK && header == LOG_HEADER_GOOD) {
        status = read_records(state, file, &reader);
    } else if (status == STATUS_OK && !state->broken) {
        bool torn = header == LOG_HEADER_UNWRITTEN;
        break_at(state, &(struct place){.kind = BREAK_HEADER,
                                        .file = file,
                                        .torn = torn,
                                        .reason = torn ? "its header was never written"
                                                       : "it does not begin as a log file"});
    }
    log_reader_close(&reader);
    return status;
}

/* All records behind the break, in this file and in later ones. */
static enum status gather_evidence(struct state *state)
{
    struct place *place = &state->place;
    uint64_t data_end = 0;

    place->evidence = (struct log_evidence){0};
    for (size_t file = place->file; file < state->count; file++) {
        struct log_reader reader;
        enum status status = log_reader_open(&reader, state->replay->log, file_name(state, file),
                                             state->replay->payload_bytes_max);
        if (status != STATUS_OK)
            return status;
        status =
            log_reader_search(&reader, file == place->file ? place->offset : 0, &place->evidence);
        log_reader_close(&reader);
        if (status != STATUS_OK)
            return status;
        if (file == place->file)
            data_end = place->evidence.data_end;
    }
    place->evidence.data_end = data_end;
    return STATUS_OK;
}

static enum status refuse(struct state *state)
{
    const struct place *place = &state->place;
    const char *name = file_name(state, place->file);
    uint64_t last = (uint64_t)reached(state);
    bool newer = place->file + 1 < state->count;
    char found[64] = "", how[TORN_NAME_BYTES_MAX];

    if (place->evidence.records > 0)
        (void)snprintf(found, sizeof(found), ", with whole records behind it, records=%" PRIu64,
                       place->evidence.records);
    if (place->offset > LOG_HEADER_BYTES || place->kind == BREAK_BYTES)
        (void)snprintf(how, sizeof(how), "cut it with: truncate -s %" PRIu64 " %s%s", place->offset,
                       name, newer ? " and move all newer log files away" : "");
    else
        (void)snprintf(how, sizeof(how), "move %s%s away", name,
                       newer ? " and all newer log files" : "");
    store_note(&state->replay->recovery->notes, true,
               "The log file %s is damaged at byte %" PRIu64 ", behind transaction 0x%" PRIx64
               ": %s%s. Transactions from 0x%" PRIx64
               " on may have been acknowledged and cannot be read, so this server does not start. "
               "Restore the file from a backup, or the data directory from another server; to go "
               "on without these transactions, %s",
               name, place->offset, last, place->reason, found, last + 1, how);
    return STATUS_CORRUPT;
}

static void torn_name(char name[TORN_NAME_BYTES_MAX], const char *file, uint64_t offset)
{
    (void)snprintf(name, TORN_NAME_BYTES_MAX, "torn.%s.%" PRIu64, file, offset);
}

static enum status put_file_aside(struct state *state, size_t file)
{
    const struct disk_ops *ops = state->replay->log->ops;
    struct disk *log = state->replay->log;
    struct store_notes *notes = &state->replay->recovery->notes;
    const char *name = file_name(state, file);
    char torn[TORN_NAME_BYTES_MAX];

    if (state->files[file].size_bytes == 0) {
        store_note(notes, true, "The log file %s is empty; removed.", name);
        return ops->remove(log, name);
    }
    torn_name(torn, name, 0);
    store_note(notes, true, "The log file %s holds nothing that was acknowledged; renamed to %s.",
               name, torn);
    return ops->rename(log, name, torn);
}

/* The bytes [from, to) of a file, as a file of their own. */
static enum status copy_bytes(struct disk *disk, struct disk_file *file, uint64_t from, uint64_t to,
                              const char *name)
{
    const struct disk_ops *ops = disk->ops;
    struct disk_file *copy;

    enum status status = ops->open(disk, name, DISK_CREATE, &copy);
    if (status != STATUS_OK)
        return status;
    uint8_t *bytes = mem_alloc(COPY_BYTES);
    for (uint64_t at = from; at < to && status == STATUS_OK;) {
        size_t size = to - at < COPY_BYTES ? (size_t)(to - at) : COPY_BYTES, got = 0;
        status = ops->read(disk, file, at, bytes, size, &got);
        if (status == STATUS_OK && got < size)
            status = STATUS_IO;
        if (status == STATUS_OK)
            status = ops->write(disk, copy, at - from, bytes, got);
        at += got;
    }
    mem_free(bytes);
    if (status == STATUS_OK)
        status = ops->sync(disk, copy);
    ops->close(disk, copy);
    return status == STATUS_OK ? ops->sync_dir(disk) : status;
}

static enum status cut_tail(struct state *state)
{
    const struct place *place = &state->place;
    struct disk *log = state->replay->log;
    const char *name = file_name(state, place->file);
    char torn[TORN_NAME_BYTES_MAX];
    struct disk_file *file;

    torn_name(torn, name, place->offset);
    enum status status = log->ops->open(log, name, DISK_WRITE, &file);
    if (status != STATUS_OK)
        return status;
    status = copy_bytes(log, file, place->offset, place->evidence.data_end, torn);
    if (status == STATUS_OK)
        status = log->ops->truncate(log, file, place->offset);
    if (status == STATUS_OK)
        status = log->ops->sync(log, file);
    log->ops->close(log, file);
    if (status == STATUS_OK)
        store_note(&state->replay->recovery->notes, true,
                   "The log file %s ended at byte %" PRIu64 ", behind transaction 0x%" PRIx64
                   ", with a write that a crash had cut short (%s). Nothing of it was "
                   "acknowledged; it was cut off, a copy is in %s.",
                   name, place->offset, (uint64_t)reached(state), place->reason, torn);
    return status;
}

/* Newest first, so that a crash in between leaves the same break for the next start. */
static enum status put_aside(struct state *state)
{
    const struct place *place = &state->place;
    bool whole_file = place->kind != BREAK_BYTES;
    size_t first = whole_file ? place->file : place->file + 1;

    for (size_t file = state->count; file > first; file--) {
        enum status status = put_file_aside(state, file - 1);
        if (status == STATUS_OK)
            status = state->replay->log->ops->sync_dir(state->replay->log);
        if (status != STATUS_OK)
            return status;
    }
    return whole_file ? STATUS_OK : cut_tail(state);
}

static enum status decide_break(struct state *state)
{
    enum status status = gather_evidence(state);
    if (status != STATUS_OK)
        return status;
    const struct log_evidence *evidence = &state->place.evidence;
    bool proved = evidence->java || evidence->durable_zxid > reached(state);
    if (!state->place.torn || proved)
        return refuse(state);
    return put_aside(state);
}

static enum status sync_files(struct state *state)
{
    struct disk *log = state->replay->log;

    for (size_t i = 0; i < state->count; i++) {
        struct disk_file *file;
        enum status status = log->ops->open(log, file_name(state, i), DISK_WRITE, &file);
        if (status == STATUS_NOT_FOUND) /* put aside */
            continue;
        if (status != STATUS_OK)
            return status;
        status = log->ops->sync(log, file);
        log->ops->close(log, file);
        if (status != STATUS_OK)
            return status;
    }
    return log->ops->sync_dir(log);
}

enum status replay_run(struct replay *replay)
{
    const struct store_files *all = replay->files;
    size_t first = all->count;

    /* From the newest file that begins at or below the snapshot. */
    while (first > 0 && all->files[first - 1].read.zxid > replay->recovery->snapshot_zxid)
        first--;
    if (first > 0)
        first--;
    struct state state = {.replay = replay,
                          .files = all->count == 0 ? NULL : all->files + first,
                          .count = all->count - first};
    arena_init(&state.arena);
    enum status status = STATUS_OK;
    for (size_t i = 0; i < state.count && status == STATUS_OK; i++)
        status = read_file(&state, i);
    if (status == STATUS_OK || status == STATUS_END)
        status = state.broken ? decide_break(&state) : STATUS_OK;
    arena_deinit(&state.arena);
    if (status == STATUS_OK)
        status = sync_files(&state);
    int64_t last = tree_last_zxid(replay->recovery->tree);
    replay->recovery->log =
        (struct log_position){last, state.any && state.ours && state.zxid == last ? state.link : 0};
    return status;
}
