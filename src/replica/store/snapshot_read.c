/* snapshot_read.c: loads a snapshot, or only checks it. Nothing in the file is trusted before the seal after
 * it was checked; memory is bounded, however long the file claims its parts to be. */
#include "replica/store/snapshot.h"
#include "replica/store/snapshot_parts.h"
#include "replica/store/snapshot_source.h"

enum {
    HEADER_BYTES = 16,
    SEAL_BYTES = 13,
    LAST_ZXID_BYTES = 8,
    PEEK_BYTES = 16, /* to begin with; a thing that is longer asks for more */
    REST_BYTES = 4096,
    CANDIDATE_BYTES_MIN = 10,
    PLAIN_END_BYTES = 5,
};

struct loading {
    struct snapshot_source *source;
    struct snapshot_parts parts;
    size_t text_bytes_max;
    struct arena arena;
    struct snapshot_info *info;
};

static bool looks_finished(enum store_compression compression, const uint8_t *bytes)
{
    switch (compression) {
    case STORE_PLAIN:
        return memcmp(bytes, "\0\0\0\1/", PLAIN_END_BYTES) == 0;
    case STORE_GZIP:
        return bytes[0] == 0x1f && bytes[1] == 0x8b;
    case STORE_SNAPPY:
        break;
    }
    return memcmp(bytes, "\202SNAPPY\0", 8) == 0;
}

enum status snapshot_is_candidate(struct disk *disk, const char *name, bool *ret_candidate)
{
    struct store_name read = store_name_read(name);
    struct disk_file *file;
    uint64_t size = 0;
    uint8_t bytes[8] = {0};
    size_t got = 0;

    *ret_candidate = false;
    if (read.kind != STORE_FILE_SNAPSHOT || !read.zxid_valid)
        return STATUS_OK;
    enum status status = disk->ops->open(disk, name, DISK_READ, &file);
    if (status != STATUS_OK)
        return status;
    status = disk->ops->size(disk, file, &size);
    if (status == STATUS_OK && size >= CANDIDATE_BYTES_MIN) {
        bool plain = read.compression == STORE_PLAIN;
        size_t want = plain ? PLAIN_END_BYTES : sizeof(bytes);
        status = disk->ops->read(disk, file, plain ? size - want : 0, bytes, want, &got);
        if (status == STATUS_OK && got < want) /* it became shorter under us */
            status = STATUS_IO;
        *ret_candidate = status == STATUS_OK && looks_finished(read.compression, bytes);
    }
    disk->ops->close(disk, file);
    return status;
}

static enum status problem(struct loading *loading, const char *text)
{
    loading->info->problem = text;
    return STATUS_CORRUPT;
}

/* Reads one thing with `read` from the window, with more of the file when it is cut off there.
 * STATUS_MALFORMED: it is malformed, or the file ends inside. */
static enum status read_whole(struct loading *loading,
                              enum status (*read)(struct loading *loading, struct reader *reader))
{
    size_t want = PEEK_BYTES;
    struct slice bytes;
    struct reader reader;

    for (;;) {
        enum status status = snapshot_source_peek(loading->source, want, &bytes);
        if (status != STATUS_OK)
            return status;
        reader_init(&reader, bytes, &loading->arena, loading->text_bytes_max);
        reader.texts_as_they_are = true; /* as a server wrote them */
        status = read(loading, &reader);
        if (status != STATUS_MALFORMED) {
            snapshot_source_skip(loading->source, (size_t)(reader.pos - bytes.data));
            return status;
        }
        /* Longer than a path and a data of full size, or all there is: malformed in earnest. */
        if (bytes.size < want || want > 4 * loading->text_bytes_max)
            return STATUS_MALFORMED;
        want = bytes.size * 2;
    }
}

static enum status read_session(struct loading *loading, struct reader *reader)
{
    return snapshot_part_session(&loading->parts, reader);
}

static enum status read_acl(struct loading *loading, struct reader *reader)
{
    return snapshot_part_acl(&loading->parts, reader);
}

static enum status read_node(struct loading *loading, struct reader *reader)
{
    return snapshot_part_node(&loading->parts, reader);
}

/* STATUS_END: all nodes. */
static enum status read_nodes(struct loading *loading)
{
    enum status status = STATUS_OK;
    struct slice window;

    while (status == STATUS_OK) {
        status = snapshot_source_peek(loading->source, PEEK_BYTES, &window);
        const uint8_t *pos = window.data, *end = window.data + window.size;
        while (status == STATUS_OK) {
            struct reader reader;
            reader_init(&reader, slice_of(pos, (size_t)(end - pos)), &loading->arena,
                        loading->text_bytes_max);
            reader.texts_as_they_are = true;
            status = read_node(loading, &reader);
            if (status == STATUS_MALFORMED)
                break;
            ASSERT(reader.pos > pos && reader.pos <= end);
            snapshot_source_skip(loading->source, (size_t)(reader.pos - pos));
            pos = reader.pos;
        }
        if (status == STATUS_MALFORMED) /* it may only be cut off by the end of the window */
            status = read_whole(loading, read_node);
    }
    return status;
}

static enum status read_count(struct loading *loading, struct reader *reader)
{
    (void)loading;
    (void)reader_i32(reader);
    return reader->status;
}

/* int count, then that many. */
static enum status read_table(struct loading *loading,
                              enum status (*read)(struct loading *loading, struct reader *reader))
{
    struct slice bytes;

    enum status status = snapshot_source_peek(loading->source, 4, &bytes);
    int32_t count = status == STATUS_OK && bytes.size >= 4 ? (int32_t)load_be32(bytes.data) : 0;
    if (status == STATUS_OK)
        status = read_whole(loading, read_count);
    for (int32_t i = 0; i < count && status == STATUS_OK; i++) {
        status = read_whole(loading, read);
        arena_reset(&loading->arena);
    }
    return status;
}

static enum status read_seal(struct loading *loading)
{
    uint32_t adler = snapshot_source_adler(loading->source);
    struct slice bytes;

    enum status status = snapshot_source_peek(loading->source, SEAL_BYTES, &bytes);
    if (status != STATUS_OK)
        return status;
    if (bytes.size < SEAL_BYTES)
        return problem(loading, "it ends before its seal");
    if (load_be64(bytes.data) != adler || load_be32(bytes.data + 8) != 1 || bytes.data[12] != '/')
        return problem(loading, "wrong seal: its bytes have changed");
    snapshot_source_skip(loading->source, SEAL_BYTES);
    return STATUS_OK;
}

static enum status read_digest(struct loading *loading, struct reader *reader)
{
    struct snapshot_info *info = loading->info;
    int64_t zxid = reader_i64(reader);
    int32_t version = reader_i32(reader);

    if (version < DIGEST_VERSION) { /* alphas of 3.6: in hex */
        (void)reader_buffer(reader);
        return reader->status;
    }
    int64_t digest = reader_i64(reader);
    if (reader->status == STATUS_OK && version == DIGEST_VERSION) {
        info->has_digest = true;
        info->digest_zxid = zxid;
        info->digest = (uint64_t)digest;
    }
    return reader->status;
}

static enum status read_last_zxid(struct loading *loading, struct reader *reader)
{
    loading->info->last_zxid = reader_i64(reader);
    loading->info->has_last_zxid = reader->status == STATUS_OK;
    return reader->status;
}

/* The sections after the nodes, each with its seal. Older releases wrote fewer. */
static enum status read_sections(struct loading *loading)
{
    struct slice rest;

    enum status status = read_seal(loading);
    if (status != STATUS_OK)
        return status;
    status = snapshot_source_peek(loading->source, REST_BYTES, &rest);
    if (status != STATUS_OK || rest.size == 0)
        return status;
    if (rest.size != LAST_ZXID_BYTES + SEAL_BYTES) { /* else: 3.9 with digests off */
        status = read_whole(loading, read_digest);
        if (status == STATUS_OK)
            status = read_seal(loading);
        if (status == STATUS_OK)
            status = snapshot_source_peek(loading->source, REST_BYTES, &rest);
        if (status != STATUS_OK || rest.size == 0)
            return status;
    }
    status = read_whole(loading, read_last_zxid);
    return status == STATUS_OK ? read_seal(loading) : status;
}

static enum status read_all(struct loading *loading)
{
    struct slice bytes;

    enum status status = snapshot_source_peek(loading->source, HEADER_BYTES, &bytes);
    if (status != STATUS_OK)
        return status;
    if (bytes.size < HEADER_BYTES || load_be32(bytes.data) != SNAPSHOT_MAGIC)
        return problem(loading, "no snapshot header");
    snapshot_source_skip(loading->source, HEADER_BYTES);
    status = read_table(loading, read_session);
    if (status == STATUS_OK)
        status = read_table(loading, read_acl);
    if (status == STATUS_OK)
        status = read_nodes(loading);
    if (status == STATUS_END && loading->parts.tree != NULL &&
        !tree_load_unique(loading->parts.tree))
        return problem(loading, "a node that occurs twice");
    return status == STATUS_END ? read_sections(loading) : status;
}

static enum status load(struct disk *disk, const char *name, size_t text_bytes_max,
                        struct side_work *side, const struct snapshot_parts *parts,
                        struct snapshot_info *ret_info)
{
    struct snapshot_info info = {0};
    struct loading loading = {.parts = *parts,
                              .text_bytes_max =
                                  text_bytes_max == 0 ? TXNLOG_PAYLOAD_BYTES_MAX : text_bytes_max,
                              .info = &info};

    enum status status = snapshot_source_open(disk, name, side, &loading.source);
    if (status == STATUS_OK) {
        arena_init(&loading.arena);
        status = read_all(&loading);
        arena_deinit(&loading.arena);
        info.bytes = snapshot_source_offset(loading.source);
        snapshot_source_close(loading.source);
    }
    info.node_zxid_max = loading.parts.node_zxid_max;
    info.nodes = loading.parts.nodes;
    if (loading.parts.problem != NULL)
        info.problem = loading.parts.problem;
    if (status == STATUS_MALFORMED)
        status = problem(&loading, "a part of it is malformed or cut off");
    else if (status != STATUS_OK && info.problem == NULL)
        info.problem = status == STATUS_CORRUPT ? "it does not decompress" : status_text(status);
    ASSERT((status == STATUS_OK) == (info.problem == NULL)); /* a failure has a reason */
    *ret_info = info;
    return status;
}

enum status snapshot_load(struct disk *disk, const char *name, size_t text_bytes_max,
                          struct side_work *side, struct tree *tree, struct snapshot_info *ret_info)
{
    return load(disk, name, text_bytes_max, side, &(struct snapshot_parts){.tree = tree}, ret_info);
}

enum status snapshot_scan(struct disk *disk, const char *name, size_t text_bytes_max,
                          const struct snapshot_visitor *visitor, struct snapshot_info *ret_info)
{
    return load(disk, name, text_bytes_max, /* side= */ NULL,
                &(struct snapshot_parts){.visitor = visitor}, ret_info);
}
