/* replay.c: applies the records after a snapshot in order, and finds the first break in them. A record counts only when
 * it follows the one before it; behind a break it counts only when nothing is missing. */
#include "replica/store/replay.h"

#include "replica/store/log_break.h"
#include "replica/store/txnlog_ahead.h"

#include <inttypes.h>
#include <stdio.h>

enum { GROUP_RECORDS = 16, AHEAD_OPS = 4, AHEAD_DEPTH = 3, EXPECTED_NODES_MAX = 4 << 20 };

/* A record that follows, and is to be applied. */
struct group_record {
    const struct txnlog_record *record;
    int64_t zxid_before;        /* of the record before it; INT64_MIN: there is none */
    uint64_t hashes[AHEAD_OPS]; /* of the first paths that it changes */
    size_t hash_count;
};

struct replaying {
    struct replay *replay;
    const struct store_file *files; /* the first one to read */
    size_t count;
    struct txnlog_ahead ahead;
    struct arena arena; /* of one group */
    /* The next records of one file and one batch. They are applied in groups, so that what they touch
     * is in the cache by then. */
    struct group_record *group;
    size_t group_count;
    bool has_record; /* one was read, and this is the last one: */
    int64_t zxid;
    bool has_trailer; /* it has one, with this link: */
    uint32_t link;
    bool ours; /* of the records that tell whose they are, the last one was */
    /* The records from here on: no later one says that they were durable when it was written. */
    size_t doubt_file;
    uint64_t doubt_from;
    uint64_t *read_to; /* of each file: behind its last record or its header; 0: it has no header */
    bool broken;
    struct log_break first_break; /* when `broken` */
};

static bool same_epoch(int64_t left, int64_t right)
{
    return zxid_epoch(left) == zxid_epoch(right);
}

static const char *file_name(const struct replaying *replaying, size_t file)
{
    return replaying->files[file].name;
}

static int64_t snapshot_zxid(const struct replaying *replaying)
{
    return replaying->replay->recovery->snapshot_zxid;
}

/* The highest zxid that is there, in the snapshot or in the records so far. */
static int64_t highest_zxid(const struct replaying *replaying)
{
    int64_t zxid = snapshot_zxid(replaying);

    return replaying->has_record && replaying->zxid > zxid ? replaying->zxid : zxid;
}

static void break_at(struct replaying *replaying, const struct log_break *the_break)
{
    replaying->broken = true;
    replaying->first_break = *the_break;
}

enum succession { FOLLOWS, HOLE, WRONG_LINK, OTHER_HISTORY };

/* Does this record follow what is there? */
static enum succession succession_of(const struct replaying *replaying, int64_t zxid,
                                     const struct txnlog_trailer *trailer)
{
    int64_t snapshot = snapshot_zxid(replaying);
    bool follows =
        replaying->has_record && trailer != NULL && trailer->prev_zxid == replaying->zxid;

    if (follows && replaying->has_trailer &&
        trailer->link != txnlog_link(replaying->link, trailer->crc))
        return WRONG_LINK;
    if (zxid <= snapshot || follows)
        return FOLLOWS; /* what the snapshot has is not needed, holes in it included */
    if (trailer != NULL) {
        if (trailer->prev_zxid > highest_zxid(replaying))
            return HOLE;
        return trailer->prev_zxid <= snapshot && highest_zxid(replaying) == snapshot
                   ? FOLLOWS
                   : OTHER_HISTORY;
    }
    if (zxid <= highest_zxid(replaying))
        return FOLLOWS; /* Java applies it, too, and logs that */
    return same_epoch(zxid, highest_zxid(replaying)) && zxid > highest_zxid(replaying) + 1
               ? HOLE
               : FOLLOWS;
}

static void check_digest(struct replaying *replaying, const struct txn *txn)
{
    struct replay *replay = replaying->replay;
    struct recovery *recovery = replay->recovery;
    uint64_t digest = tree_digest(recovery->tree), wanted = (uint64_t)txn->digest;

    if (!tree_get_options(recovery->tree)->digest_enabled)
        return;
    if (replay->fuzzy) {
        if (txn->header.zxid < replay->fuzzy_zxid)
            return;
        replay->fuzzy = false;
        if (txn->header.zxid > replay->fuzzy_zxid || !replay->has_fuzzy_digest)
            return;
        wanted = replay->fuzzy_digest;
    } else if (!txn->has_digest) {
        return;
    }
    recovery->digests_checked++;
    recovery->tree_differs = digest != wanted;
    if (digest == wanted)
        return;
    if (recovery->digest_mismatches++ == 0)
        store_note(&recovery->notes, true,
                   "The digest of the tree differs from the one recorded with transaction "
                   "0x%" PRIx64 ": the trees of these servers may have diverged.",
                   (uint64_t)txn->header.zxid);
}

/* Any record but one that gets a trailer from nobody. */
static bool tells_whose(const struct txnlog_record *record)
{
    const struct txn *txn = &record->txn;

    return record->has_trailer ||
           (record->decoded == STATUS_OK &&
            !(txn->header.type == OP_CLOSE_SESSION && txn->op.paths.count == -1));
}

static void remember(struct replaying *replaying, int64_t zxid,
                     const struct txnlog_trailer *trailer)
{
    replaying->has_record = true;
    replaying->zxid = zxid;
    replaying->has_trailer = trailer != NULL;
    replaying->link = trailer != NULL ? trailer->link : 0;
}

static enum status refuse_record(struct replaying *replaying, size_t file, uint64_t offset,
                                 const char *reason, int64_t zxid)
{
    store_note(&replaying->replay->recovery->notes, true,
               "The log file %s is damaged at byte %" PRIu64 ", transaction 0x%" PRIx64 ": %s",
               file_name(replaying, file), offset, (uint64_t)zxid, reason);
    store_advice(&replaying->replay->recovery->notes,
                 ". Restore the file from a backup, or the whole data directory from another "
                 "server; to go on without the transactions from there on, move the newer log "
                 "files away and cut this one: truncate -s %" PRIu64 " %s",
                 offset, file_name(replaying, file));
    return STATUS_CORRUPT;
}

static void count_write(void *context, struct slice path, size_t data_bytes)
{
    traffic_write(context, path, data_bytes);
}

static void note_order(struct replaying *replaying, size_t file, const struct group_record *member)
{
    int64_t zxid = member->record->zxid;

    if (zxid >= member->zxid_before)
        return;
    store_note(&replaying->replay->recovery->notes, true,
               "The log file %s has transaction 0x%" PRIx64 " after 0x%" PRIx64
               "; applied in this order, as ZooKeeper does.",
               file_name(replaying, file), (uint64_t)zxid, (uint64_t)member->zxid_before);
}

static void apply(struct replaying *replaying, const struct txnlog_record *record)
{
    struct recovery *recovery = replaying->replay->recovery;
    const struct txn_observer observer = {.context = replaying->replay->traffic,
                                          .written = count_write};
    bool fuzzy = replaying->replay->fuzzy;

    txn_apply(recovery->tree, &record->txn, replaying->replay->traffic == NULL ? NULL : &observer,
              &replaying->arena, NULL);
    recovery->replayed++;
    check_digest(replaying, &record->txn);
    if (!fuzzy)
        tree_mark_digest(recovery->tree, record->zxid);
}

/* --- groups: before the records of a group are applied, what they will touch comes into the cache: a znode
 * is in a random place, and to wait for each costs more than all the rest --- */

static void look_ahead(const struct tree *tree, struct group_record *member)
{
    const struct txn *txn = &member->record->txn;
    bool multi = txn->header.type == OP_MULTI;
    const struct txn_op *ops = multi ? txn->ops : &txn->op;
    size_t count = multi ? (size_t)txn->op_count : 1;

    member->hash_count = 0;
    for (size_t i = 0; i < count && member->hash_count < AHEAD_OPS; i++) {
        if (ops[i].path.size > 0)
            member->hashes[member->hash_count++] = tree_ahead_bucket(tree, ops[i].path);
    }
}

static void group_look_ahead(const struct replaying *replaying, size_t count)
{
    const struct tree *tree = replaying->replay->recovery->tree;

    for (size_t i = 0; i < count; i++)
        look_ahead(tree, &replaying->group[i]);
    for (uint32_t depth = 0; depth < AHEAD_DEPTH; depth++) {
        for (size_t i = 0; i < count; i++) {
            for (size_t j = 0; j < replaying->group[i].hash_count; j++)
                tree_ahead_node(tree, replaying->group[i].hashes[j], depth);
        }
    }
}

static enum status group_apply(struct replaying *replaying, size_t file)
{
    size_t count = 0, all = replaying->group_count;

    ASSERT(all == 0 || !replaying->broken); /* nothing behind a hole is applied */
    while (count < all && replaying->group[count].record->decoded == STATUS_OK)
        count++;
    group_look_ahead(replaying, count);
    for (size_t i = 0; i < count; i++) {
        note_order(replaying, file, &replaying->group[i]);
        apply(replaying, replaying->group[i].record);
    }
    arena_reset(&replaying->arena);
    replaying->group_count = 0;
    if (count == all)
        return STATUS_OK;
    const struct txnlog_record *record = replaying->group[count].record;
    note_order(replaying, file, &replaying->group[count]);
    return refuse_record(replaying, file, record->offset,
                         record->decoded == STATUS_UNSUPPORTED
                             ? "a type of transaction that is not known here"
                             : "its checksum is right, but it is no transaction",
                         record->zxid);
}

static enum status group_add(struct replaying *replaying, size_t file,
                             const struct txnlog_record *record)
{
    if (record->zxid <= snapshot_zxid(replaying))
        return STATUS_OK;
    replaying->group[replaying->group_count++] = (struct group_record){
        .record = record, .zxid_before = replaying->has_record ? replaying->zxid : INT64_MIN};
    return replaying->group_count == GROUP_RECORDS ? group_apply(replaying, file) : STATUS_OK;
}

/* Does the first record after a break continue exactly where the records stopped? Then an earlier run
 * had this torn tail, and nothing is missing. */
static bool continues_before_break(const struct replaying *replaying, int64_t zxid,
                                   const struct txnlog_trailer *trailer)
{
    const struct log_break *the_break = &replaying->first_break;

    return the_break->kind == BREAK_BYTES && the_break->torn && the_break->evidence.records == 0 &&
           zxid > highest_zxid(replaying) && succession_of(replaying, zxid, trailer) == FOLLOWS;
}

static void note_continued(struct replaying *replaying, size_t file)
{
    store_note(&replaying->replay->recovery->notes, false,
               "The log file %s ends with an unfinished record at byte %" PRIu64
               "; %s continues after the record before it.",
               file_name(replaying, replaying->first_break.file), replaying->first_break.offset,
               file_name(replaying, file));
}

/* A record that does not follow the one before it. Only at the start of a file may the records between
 * have been lost before they were durable. */
static struct log_break break_of_order(enum succession how, size_t file, uint64_t offset)
{
    return (struct log_break){.kind = BREAK_ORDER,
                              .file = file,
                              .offset = offset,
                              .torn = how == HOLE && offset == TXNLOG_HEADER_BYTES,
                              .reason = how == HOLE ? "transactions are missing in front of it"
                                        : how == WRONG_LINK
                                            ? "its record does not belong to the one in front of it"
                                            : "its record belongs to another history"};
}

/* Of the record that is at this offset, before it is remembered. */
static void note_doubt(struct replaying *replaying, size_t file, uint64_t offset, uint64_t end,
                       const struct txnlog_trailer *trailer)
{
    bool proves =
        trailer != NULL && replaying->has_record && trailer->durable_zxid >= replaying->zxid;

    if (proves) {
        replaying->doubt_file = file;
        replaying->doubt_from = offset == TXNLOG_HEADER_BYTES ? 0 : offset;
    }
    replaying->read_to[file] = end;
}

/* STATUS_END: no later record counts. */
static enum status take_record(struct replaying *replaying, size_t file,
                               const struct txnlog_record *record)
{
    int64_t zxid = record->zxid;
    const struct txnlog_trailer *trailer = record->has_trailer ? &record->trailer : NULL;

    if (replaying->replay->limited && zxid > replaying->replay->limit_zxid)
        return STATUS_END;
    if (replaying->broken) {
        if (!continues_before_break(replaying, zxid, trailer))
            return STATUS_END;
        note_continued(replaying, file);
        replaying->broken = false;
    }
    enum succession how = succession_of(replaying, zxid, trailer);
    if (how == HOLE && !replaying->has_record && replaying->replay->begin_anywhere) {
        store_note(&replaying->replay->recovery->notes, true,
                   "The first transaction in the log is 0x%" PRIx64
                   ": what was before it is not in the tree (snapshot.trust.empty).",
                   (uint64_t)zxid);
        how = FOLLOWS;
    }
    if (how != FOLLOWS) {
        enum status status = group_apply(replaying, file); /* what is in front of the break */
        struct log_break the_break = break_of_order(how, file, record->offset);
        break_at(replaying, &the_break);
        return status == STATUS_OK ? STATUS_END : status;
    }
    enum status status = group_add(replaying, file, record);
    if (status != STATUS_OK)
        return status;
    note_doubt(replaying, file, record->offset, record->end, trailer);
    remember(replaying, zxid, trailer);
    if (tells_whose(record))
        replaying->ours = record->has_trailer;
    return STATUS_OK;
}

/* Bytes that are no record. */
static enum status take_break(struct replaying *replaying, size_t file,
                              struct txnlog_reader *reader, const struct txnlog_spot *spot)
{
    if (mutant_is(replaying->replay->mutant, MUTANT_ZERO_IS_EOF))
        return STATUS_OK;
    if (replaying->broken) /* already, in an earlier file: decide on that one */
        return STATUS_END;
    break_at(replaying, &(struct log_break){.kind = BREAK_BYTES,
                                            .file = file,
                                            .offset = reader->offset,
                                            .reason = spot->reason,
                                            .torn = spot->found == TXNLOG_FOUND_TORN});
    return txnlog_reader_search(reader, reader->offset + 1, &replaying->first_break.evidence);
}

static enum status take_batch(struct replaying *replaying, size_t file,
                              const struct txnlog_batch *batch)
{
    enum status status = STATUS_OK;

    for (size_t i = 0; i < batch->count && status == STATUS_OK; i++)
        status = take_record(replaying, file, &batch->records[i]);
    if (status != STATUS_OK && status != STATUS_END)
        return status;
    enum status applied = group_apply(replaying, file); /* while the batch is valid */
    if (applied != STATUS_OK)
        return applied;
    return status == STATUS_OK ? batch->status : status;
}

/* The rest of the file may create as many nodes as its first batch did: then the tree's table grows at
 * once, and not with each node. Its size is a hint only: zeros may follow. */
static void expect_nodes(const struct replaying *replaying, size_t file,
                         const struct txnlog_batch *first, uint32_t created)
{
    uint64_t from = first->records[0].offset, to = first->records[first->count - 1].end;
    uint64_t size = replaying->files[file].size_bytes, left = size > to ? size - to : 0;
    uint64_t nodes = created * (left / (to - from));

    tree_expect_nodes(replaying->replay->recovery->tree,
                      nodes < EXPECTED_NODES_MAX ? (uint32_t)nodes : EXPECTED_NODES_MAX);
}

/* The batch that comes and the one behind it may create as many nodes as the last one did. */
static uint32_t chunks_wanted(const struct tree *tree, uint32_t created)
{
    uint32_t room = tree_room(tree), nodes = 2 * created;

    return nodes <= room ? 0 : (nodes - room + TREE_CHUNK_NODES - 1) / TREE_CHUNK_NODES;
}

/* STATUS_END: no later record counts. *ret_spot: what stands behind the last record. */
static enum status take_batches(struct replaying *replaying, size_t file,
                                struct txnlog_reader *reader, struct txnlog_spot *ret_spot)
{
    struct txnlog_ahead *ahead = &replaying->ahead;
    struct tree *tree = replaying->replay->recovery->tree;
    bool first = true;
    uint32_t created = 0;
    enum status status;

    txnlog_ahead_begin(ahead, reader);
    do {
        uint32_t before = tree_node_count(tree);
        struct txnlog_batch *batch = txnlog_ahead_next(ahead, chunks_wanted(tree, created));
        while (batch->chunk_count > 0)
            tree_chunk_add(tree, batch->chunks[--batch->chunk_count]);
        status = take_batch(replaying, file, batch);
        *ret_spot = batch->spot;
        created = tree_node_count(tree) > before ? tree_node_count(tree) - before : 0;
        if (first && status == STATUS_OK && ret_spot->found == TXNLOG_FOUND_RECORD && created > 0)
            expect_nodes(replaying, file, batch, created);
        first = false;
    } while (status == STATUS_OK && ret_spot->found == TXNLOG_FOUND_RECORD);
    txnlog_ahead_end(ahead);
    return status;
}

static enum status read_records(struct replaying *replaying, size_t file,
                                struct txnlog_reader *reader)
{
    struct txnlog_spot spot;

    enum status status = take_batches(replaying, file, reader, &spot);
    if (status != STATUS_OK || spot.found == TXNLOG_FOUND_END)
        return status;
    return take_break(replaying, file, reader, &spot);
}

/* STATUS_END: a break that no later file can heal. */
static enum status read_file(struct replaying *replaying, size_t file)
{
    struct replay *replay = replaying->replay;
    struct txnlog_reader reader;
    enum txnlog_header header;

    enum status status = txnlog_reader_open(&reader, replay->log, file_name(replaying, file),
                                            replay->payload_bytes_max);
    if (status != STATUS_OK)
        return status;
    status = txnlog_reader_header(&reader, &header);
    if (status == STATUS_OK && header == TXNLOG_HEADER_GOOD) {
        replaying->read_to[file] = TXNLOG_HEADER_BYTES;
        status = read_records(replaying, file, &reader);
    } else if (status == STATUS_OK && !replaying->broken) {
        bool torn = header == TXNLOG_HEADER_UNWRITTEN;
        break_at(replaying,
                 &(struct log_break){.kind = BREAK_HEADER,
                                     .file = file,
                                     .torn = torn,
                                     .reason = torn ? "its header was never written"
                                                    : "it does not begin as a log file"});
    }
    txnlog_reader_close(&reader);
    return status;
}

static enum status mend_break(struct replaying *replaying)
{
    const struct log_break_site site = {.log = replaying->replay->log,
                                        .files = replaying->files,
                                        .count = replaying->count,
                                        .payload_bytes_max = replaying->replay->payload_bytes_max,
                                        .last_zxid = highest_zxid(replaying),
                                        .ours = replaying->ours,
                                        .notes = &replaying->replay->recovery->notes};

    return log_break_mend(&site, &replaying->first_break);
}

/* When a sync fails the kernel may keep what was written for its readers, as if it were on the disk, and no
 * later sync writes it. So whatever is not proved is written once more before it counts. */
static enum status write_again(struct replaying *replaying, size_t index, struct disk_file *file)
{
    uint64_t from = index == replaying->doubt_file ? replaying->doubt_from : 0;
    uint64_t to = replaying->read_to[index]; /* zeros behind it may have no space of their own */

    if (replaying->replay->limited || index < replaying->doubt_file)
        return STATUS_OK;
    return log_break_copy(replaying->replay->log, file, from, to, file, from);
}

static enum status sync_files(struct replaying *replaying)
{
    struct disk *log = replaying->replay->log;

    for (size_t i = 0; i < replaying->count; i++) {
        struct disk_file *file;
        enum status status = log->ops->open(log, file_name(replaying, i), DISK_WRITE, &file);
        if (status == STATUS_NOT_FOUND) /* put aside */
            continue;
        if (status != STATUS_OK)
            return status;
        status = replaying->has_record ? write_again(replaying, i, file) : STATUS_OK;
        if (status == STATUS_OK)
            status = log->ops->sync(log, file);
        log->ops->close(log, file);
        if (status != STATUS_OK)
            return status;
    }
    return log->ops->sync_dir(log);
}

/* Where the next record connects: to the last record. The tree's zxid is that of a record, too, unless
 * it is the start of an epoch: no record has counter 0, a snapshot may. */
static struct txnlog_position last_position(const struct replaying *replaying)
{
    const struct recovery *recovery = replaying->replay->recovery;
    int64_t last = tree_last_zxid(recovery->tree);

    if (replaying->has_record && zxid_counter(last) == 0 && replaying->zxid < last)
        last = replaying->zxid;
    bool chained = replaying->has_record && replaying->has_trailer && replaying->zxid == last;
    return (struct txnlog_position){
        .last_zxid = last,
        .link = chained ? replaying->link : 0,
        .digest_known = tree_get_options(recovery->tree)->digest_enabled &&
                        recovery->digest_mismatches == 0 && !replaying->replay->fuzzy,
        .digest = (int64_t)tree_digest(recovery->tree)};
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
    ASSERT(replay->recovery->tree != NULL && first <= all->count);
    struct replaying replaying = {
        .replay = replay,
        .files = all->count == 0 ? NULL : all->files + first,
        .count = all->count - first,
        .ahead = {.side = replay->side, .decode_after = replay->recovery->snapshot_zxid}};
    arena_init(&replaying.arena);
    replaying.group = mem_alloc(GROUP_RECORDS * sizeof(*replaying.group));
    replaying.read_to = mem_zalloc(replaying.count * sizeof(*replaying.read_to));
    enum status status = STATUS_OK;
    for (size_t i = 0; i < replaying.count && status == STATUS_OK; i++)
        status = read_file(&replaying, i);
    if (status == STATUS_OK || status == STATUS_END)
        status = replaying.broken && !replay->limited ? mend_break(&replaying) : STATUS_OK;
    mem_free(replaying.group);
    txnlog_ahead_deinit(&replaying.ahead);
    arena_deinit(&replaying.arena);
    if (status == STATUS_OK)
        status = sync_files(&replaying);
    mem_free(replaying.read_to);
    replay->recovery->log = last_position(&replaying);
    return status;
}
