#include "test/lib/tree_dump.h"

#include "test/lib/check.h"

#include <stdlib.h>
#include <zlib.h>

struct line {
    struct buffer path;
    uint32_t id;
};

struct lines {
    struct line *lines;
    size_t count, capacity;
};

static int by_path(const void *left, const void *right)
{
    const struct buffer *a = &((const struct line *)left)->path;
    const struct buffer *b = &((const struct line *)right)->path;
    size_t shorter = a->size < b->size ? a->size : b->size;
    int order = shorter == 0 ? 0 : memcmp(a->data, b->data, shorter);

    return order != 0 ? order : (a->size > b->size) - (a->size < b->size);
}

static void collect(const struct tree *tree, struct lines *lines)
{
    for (uint32_t at = NODE_ROOT; at != NODE_NONE;) {
        const struct znode *node = tree_node(tree, at);
        if (lines->count == lines->capacity) {
            lines->capacity = lines->capacity == 0 ? 64 : lines->capacity * 2;
            lines->lines = mem_realloc(lines->lines, lines->capacity * sizeof(*lines->lines));
        }
        struct line *line = &lines->lines[lines->count++];
        *line = (struct line){.id = at};
        tree_path_append(tree, at, &line->path);
        CHECK(node->live);
        CHECK(tree_find(tree, buffer_slice(&line->path)) == at);
        if (node->first_child != NODE_NONE) {
            at = node->first_child;
            continue;
        }
        while (at != NODE_ROOT && tree_node(tree, at)->next == NODE_NONE)
            at = tree_node(tree, at)->parent;
        at = at == NODE_ROOT ? NODE_NONE : tree_node(tree, at)->next;
    }
    CHECK_U64("nodes that are reached", lines->count, tree_node_count(tree));
    qsort(lines->lines, lines->count, sizeof(*lines->lines), by_path);
}

static void deinit(struct lines *lines)
{
    for (size_t i = 0; i < lines->count; i++)
        buffer_deinit(&lines->lines[i].path);
    mem_free(lines->lines);
}

enum { SHOWN_MAX = 10000 };

/* Of large data, the size and a checksum. */
static void put_hex(struct buffer *out, struct slice bytes)
{
    if (bytes.data == NULL)
        buffer_printf(out, "null");
    if (bytes.size > SHOWN_MAX) {
        buffer_printf(out, "%zu bytes, CRC-32 %08lx", bytes.size,
                      crc32_z(0, bytes.data, bytes.size));
        return;
    }
    for (size_t i = 0; i < bytes.size; i++)
        buffer_printf(out, bytes.data[i] > ' ' && bytes.data[i] < 0x7f ? "%c" : "\\%02x",
                      bytes.data[i]);
}

static int by_id(const void *left, const void *right)
{
    const struct tree_session *a = *(struct tree_session *const *)left;
    const struct tree_session *b = *(struct tree_session *const *)right;
    return (a->id > b->id) - (a->id < b->id);
}

static void put_sessions(const struct tree *tree, struct buffer *out)
{
    struct tree_session *sessions[256], *session;
    size_t cursor = 0, count = 0;

    while ((session = tree_session_next(tree, &cursor)) != NULL) {
        CHECK(count < ARRAY_LEN(sessions));
        sessions[count++] = session;
    }
    qsort(sessions, count, sizeof(sessions[0]), by_id);
    for (size_t i = 0; i < count; i++)
        buffer_printf(out, "session %llx timeout %d orphan %d ephemerals %u\n",
                      (unsigned long long)sessions[i]->id, sessions[i]->timeout_ms,
                      sessions[i]->orphan, sessions[i]->ephemeral_count);
}

void tree_dump_content(const struct tree *tree, struct buffer *out)
{
    struct lines lines = {0};

    collect(tree, &lines);
    for (size_t i = 0; i < lines.count; i++) {
        const struct znode *node = tree_node(tree, lines.lines[i].id);
        buffer_printf(out, "'");
        put_hex(out, buffer_slice(&lines.lines[i].path));
        buffer_printf(out, "' data=");
        put_hex(out, znode_data(node));
        buffer_printf(out, " acl=");
        put_hex(out, tree_acl(tree, node->acl).bytes);
        buffer_printf(out,
                      " c=%lld m=%lld p=%lld ct=%lld mt=%lld owner=%llx v=%d cv=%d av=%d kids=%u\n",
                      (long long)node->czxid, (long long)node->mzxid, (long long)node->pzxid,
                      (long long)node->ctime, (long long)node->mtime,
                      (unsigned long long)node->owner, node->version, node->cversion,
                      node->aversion, znode_is_ephemeral(tree, node) ? 0 : node->child_count);
    }
    put_sessions(tree, out);
    deinit(&lines);
}

void tree_dump(const struct tree *tree, struct buffer *out)
{
    tree_dump_content(tree, out);
    buffer_printf(out, "digest %llx zxid %llx\n", (unsigned long long)tree_digest(tree),
                  (unsigned long long)tree_last_zxid(tree));
}

static uint32_t digest_of(struct slice path, const struct znode *node)
{
    uint8_t stat[60];
    struct slice data = znode_data(node);

    store_be64(stat, (uint64_t)node->czxid);
    store_be64(stat + 8, (uint64_t)node->mzxid);
    store_be64(stat + 16, (uint64_t)node->pzxid);
    store_be64(stat + 24, (uint64_t)node->ctime);
    store_be64(stat + 32, (uint64_t)node->mtime);
    store_be32(stat + 40, (uint32_t)node->version);
    store_be32(stat + 44, (uint32_t)node->cversion);
    store_be32(stat + 48, (uint32_t)node->aversion);
    store_be64(stat + 52, (uint64_t)node->owner);
    uLong crc = path.size == 0 ? 0 : crc32_z(0, path.data, path.size);
    if (data.size > 0)
        crc = crc32_z(crc, data.data, data.size);
    return (uint32_t)crc32_z(crc, stat, sizeof(stat));
}

uint64_t tree_digest_from_scratch(const struct tree *tree)
{
    struct lines lines = {0};
    uint64_t sum = 0;

    collect(tree, &lines);
    for (size_t i = 0; i < lines.count; i++) {
        struct slice path = buffer_slice(&lines.lines[i].path);
        if (!slice_starts_with(path, SLICE("/zookeeper/")))
            sum += digest_of(path, tree_node(tree, lines.lines[i].id));
    }
    deinit(&lines);
    return sum;
}

void check_same_dump(const char *name, const struct buffer *got, const struct buffer *want)
{
    size_t at = 0, line = 0;

    if (slice_equal(buffer_slice(got), buffer_slice(want)))
        return;
    for (; at < got->size && at < want->size && got->data[at] == want->data[at]; at++) {
        if (got->data[at] == '\n')
            line = at + 1;
    }
    const uint8_t *got_end =
        line < got->size ? memchr(got->data + line, '\n', got->size - line) : NULL;
    const uint8_t *want_end =
        line < want->size ? memchr(want->data + line, '\n', want->size - line) : NULL;
    check_failed(__FILE__, __LINE__, "%s differ:\n  got  %.*s\n  want %.*s", name,
                 got_end == NULL ? 0 : (int)(got_end - (got->data + line)),
                 (const char *)got->data + line,
                 want_end == NULL ? 0 : (int)(want_end - (want->data + line)),
                 (const char *)want->data + line);
}
