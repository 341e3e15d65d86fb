/* snapshot_toolkit.c: every znode and session of a snapshot, as text or JSON, in Java's words and order. */
#include "io/java_text.h"
#include "tools/snapshot_file.h"
#include "tools/tool_text.h"
#include "tools/tools.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

enum { EXIT_DAMAGED = 1, EXIT_USAGE = 2, FIRST_INODE = 1001, FLUSH_BYTES = 1 << 16 };

static int usage(void)
{
    fputs("USAGE: SnapshotFormatter [-d|-json] snapshot_file\n"
          "       -d dump the data for each znode\n"
          "       -json dump znode info in json format\n",
          stderr);
    return EXIT_USAGE;
}

struct formatter {
    const struct tree *tree;
    struct buffer out, path;
    bool with_data;
    int inode; /* of the JSON form: the next one */
};

static void flush(struct formatter *formatter)
{
    fwrite(formatter->out.data, 1, formatter->out.size, stdout);
    formatter->out.size = 0;
}

static void put_zxid(struct buffer *out, const char *name, int64_t zxid)
{
    buffer_printf(out, "  %s = 0x%014llx\n", name, (unsigned long long)zxid);
}

static void put_time(struct buffer *out, const char *name, int64_t wall_ms)
{
    buffer_printf(out, "  %s = ", name);
    java_put_date(out, wall_ms);
    buffer_u8(out, '\n');
}

static void put_node(struct formatter *formatter, uint32_t id)
{
    const struct znode *node = tree_node(formatter->tree, id);
    struct buffer *out = &formatter->out;

    formatter->path.size = 0;
    tree_path_append(formatter->tree, id, &formatter->path);
    buffer_printf(out, "----\n");
    java_put_text(out, formatter->path.size == 0 ? SLICE("/") : buffer_slice(&formatter->path));
    buffer_u8(out, '\n');
    put_zxid(out, "cZxid", node->czxid);
    put_time(out, "ctime", node->ctime);
    put_zxid(out, "mZxid", node->mzxid);
    put_time(out, "mtime", node->mtime);
    put_zxid(out, "pZxid", node->pzxid);
    buffer_printf(out, "  cversion = %d\n  dataVersion = %d\n  aclVersion = %d\n", node->cversion,
                  node->version, node->aversion);
    put_zxid(out, "ephemeralOwner", node->owner);
    if (formatter->with_data) {
        buffer_printf(out, "  data = ");
        tool_put_base64(out, znode_data(node));
        buffer_u8(out, '\n');
    } else {
        buffer_printf(out, "  dataLength = %d\n", node->data_size < 0 ? 0 : node->data_size);
    }
    if (out->size >= FLUSH_BYTES)
        flush(formatter);
}

/* A walk without recursion: a chain of ZooKeeper's nodes may be as deep as its data allows. */
struct level {
    uint32_t *ids;
    size_t count, next;
};
struct walk {
    struct level *levels;
    size_t depth, capacity;
};

static void enter(struct walk *walk, const struct tree *tree, uint32_t id)
{
    if (walk->depth == walk->capacity) {
        walk->capacity = walk->capacity == 0 ? 16 : walk->capacity * 2;
        walk->levels = mem_realloc(walk->levels, walk->capacity * sizeof(*walk->levels));
    }
    struct level *level = &walk->levels[walk->depth++];
    level->next = 0;
    level->ids = snapshot_file_children(tree, id, &level->count);
}

static void leave(struct walk *walk)
{
    mem_free(walk->levels[--walk->depth].ids);
}

static void put_nodes(struct formatter *formatter)
{
    struct walk walk = {0};

    put_node(formatter, NODE_ROOT);
    enter(&walk, formatter->tree, NODE_ROOT);
    while (walk.depth > 0) {
        struct level *level = &walk.levels[walk.depth - 1];
        if (level->next == level->count) {
            leave(&walk);
            continue;
        }
        uint32_t id = level->ids[level->next++];
        put_node(formatter, id);
        enter(&walk, formatter->tree, id);
    }
    mem_free(walk.levels);
}

struct session_at {
    const struct tree_session *session;
    uint32_t bucket;
};

static int by_bucket(const void *left, const void *right)
{
    const struct session_at *a = left, *b = right;

    if (a->bucket != b->bucket)
        return a->bucket < b->bucket ? -1 : 1;
    return a->session->id < b->session->id ? -1 : a->session->id > b->session->id;
}

/* In the order in which Java walks them, which is that of a hash table. */
static void put_sessions(struct formatter *formatter)
{
    size_t count = 0, cursor = 0, capacity = 16;
    struct tree_session *session;
    struct session_at *sessions =
        mem_alloc(sizeof(*sessions) * (tree_session_count(formatter->tree) + 1));

    while (tree_session_count(formatter->tree) > capacity / 4 * 3)
        capacity *= 2;
    while ((session = tree_session_next(formatter->tree, &cursor)) != NULL) {
        if (session->orphan)
            continue;
        uint32_t hash = (uint32_t)session->id ^ (uint32_t)((uint64_t)session->id >> 32);
        sessions[count].session = session;
        sessions[count++].bucket = (hash ^ hash >> 16) & (uint32_t)(capacity - 1);
    }
    qsort(sessions, count, sizeof(*sessions), by_bucket);
    buffer_printf(&formatter->out, "----\nSession Details (sid, timeout, ephemeralCount):\n");
    for (size_t i = 0; i < count; i++)
        buffer_printf(&formatter->out, "0x%llx, %d, %u\n",
                      (unsigned long long)sessions[i].session->id, sessions[i].session->timeout_ms,
                      sessions[i].session->ephemeral_count);
    mem_free(sessions);
}

static void print_text(struct formatter *formatter, const char *name,
                       const struct snapshot_info *info)
{
    struct store_name read = store_name_read(name);
    int64_t zxid = read.kind == STORE_FILE_SNAPSHOT && read.zxid_valid ? read.zxid : -1;
    struct buffer *out = &formatter->out;

    /* Java counts the root twice. */
    buffer_printf(out, "ZNode Details (count=%u):\n", tree_node_count(formatter->tree) + 1);
    put_nodes(formatter);
    put_sessions(formatter);
    if (info->node_zxid_max > zxid)
        zxid = info->node_zxid_max;
    buffer_printf(out, "----\nLast zxid: 0x%llx\n", (unsigned long long)zxid);
}

static void put_json_node(struct formatter *formatter, uint32_t id)
{
    const struct znode *node = tree_node(formatter->tree, id);
    int32_t size = node->data_size < 0 ? 0 : node->data_size;
    struct buffer *out = &formatter->out;

    if (node->first_child != NODE_NONE)
        buffer_u8(out, '[');
    buffer_printf(out, "{\"name\":");
    tool_put_json(out, id == NODE_ROOT ? SLICE("/") : znode_name(node));
    buffer_printf(out, ",\"asize\":%d,\"dsize\":%d,\"dev\":0,\"ino\":%d}", size, size,
                  formatter->inode++);
    if (out->size >= FLUSH_BYTES)
        flush(formatter);
}

static void print_json(struct formatter *formatter)
{
    struct walk walk = {0};
    struct timespec now;
    struct buffer *out = &formatter->out;

    clock_gettime(CLOCK_REALTIME, &now);
    buffer_printf(out,
                  "[1,0,{\"progname\":\"SnapshotFormatter.java\",\"progver\":\"0.01\","
                  "\"timestamp\":%lld},",
                  (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000);
    put_json_node(formatter, NODE_ROOT);
    enter(&walk, formatter->tree, NODE_ROOT);
    while (walk.depth > 0) {
        struct level *level = &walk.levels[walk.depth - 1];
        if (level->next == level->count) {
            if (level->count > 0)
                buffer_u8(out, ']');
            leave(&walk);
            continue;
        }
        uint32_t id = level->ids[level->next++];
        buffer_u8(out, ',');
        put_json_node(formatter, id);
        enter(&walk, formatter->tree, id);
    }
    buffer_u8(out, ']');
    mem_free(walk.levels);
}

static int print_snapshot(const char *path, bool with_data, bool json)
{
    struct snapshot_info info;
    struct tree *tree = snapshot_file_load(path, &info);

    if (tree == NULL)
        return EXIT_DAMAGED;
    struct formatter formatter = {.tree = tree, .with_data = with_data, .inode = FIRST_INODE};
    buffer_init(&formatter.out);
    buffer_init(&formatter.path);
    if (json)
        print_json(&formatter);
    else
        print_text(&formatter, snapshot_file_base_name(path), &info);
    flush(&formatter);
    buffer_deinit(&formatter.path);
    buffer_deinit(&formatter.out);
    tree_free(tree);
    return fflush(stdout) == 0 ? 0 : EXIT_DAMAGED;
}

int snapshot_toolkit_main(int argc, char **argv)
{
    bool with_data = false, json = false;
    const char *path = NULL;
    struct stat status;

    for (int i = 1; i < argc; i++) {
        bool is_path = i == argc - 1;
        if (!is_path && strcmp(argv[i], "-d") == 0)
            with_data = true;
        else if (!is_path && strcmp(argv[i], "-json") == 0)
            json = true;
        else if (is_path)
            path = argv[i];
        else
            return usage();
    }
    if (path == NULL || strcmp(path, "-d") == 0 || strcmp(path, "-json") == 0)
        return usage();
    if (with_data && json) {
        fputs("Cannot specify both data dump (-d) and json mode (-json) in same call\n", stderr);
        return EXIT_USAGE;
    }
    if (stat(path, &status) != 0) {
        fprintf(stderr, "File '%s' does not exist.\n", path);
        return EXIT_USAGE;
    }
    if (S_ISDIR(status.st_mode)) {
        fprintf(stderr, "'%s' is a directory. it must be a file.\n", path);
        return EXIT_USAGE;
    }
    return print_snapshot(path, with_data, json);
}
