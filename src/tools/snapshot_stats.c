/* snapshot_stats.c: `paddock snapshot stats`: what is large, in one pass and in tables of bounded size. */
#include "replica/tree/tree.h"
#include "tools/snapshot_command.h"
#include "tools/snapshot_input.h"
#include "tools/stats_print.h"
#include "tools/tool_host.h"
#include "tools/tool_words.h"

#include <inttypes.h>
#include <stdlib.h>

static const struct tool_syntax syntax = {
    "snapshot stats",
    "usage: paddock snapshot stats [OPTION]... FILE|DIRECTORY    of a directory: its newest one\n"
    "  --json           one JSON object\n"
    "  --top N          lines of each table (10)\n"
    "  --path PATH      only this znode\n"
    "  --prefix PATH    only this znode and those below it\n"
    "  --session ID     only the ephemerals of this session\n"
    "  --zxid RANGE     only what was created or changed, or whose children were, in the range:\n"
    "                   0x10..0x20, 0x10.., ..0x20, 0x10\n"
    "exit code: 0; 1: the snapshot is damaged; 2: usage; 3: a file cannot be read\n",
    TOOL_JSON | TOOL_TOP | TOOL_FILTERS,
    1,
    1,
};

struct stats {
    const struct tool_words *words;
    uint64_t nodes, data_bytes, path_bytes, sessions, acls, kinds[4];
    uint64_t depth;
    struct top_table largest; /* the `top` largest ones only */
    struct top_entry *heap;   /* of these: the smallest one first */
    uint32_t heap_count;
    struct top_table children, owners, tops;
};

static void on_session(void *context, int64_t id, int32_t timeout_ms)
{
    (void)id;
    (void)timeout_ms;
    ((struct stats *)context)->sessions++;
}

static void on_acl(void *context, int64_t id, struct jute_vector acl)
{
    (void)id;
    (void)acl;
    ((struct stats *)context)->acls++;
}

static void swap(struct top_entry *a, struct top_entry *b)
{
    struct top_entry kept = *a;

    *a = *b;
    *b = kept;
}

/* Keeps the `top` largest: the smallest of them stands first and goes when a larger one comes. */
static void keep_largest(struct stats *stats, struct slice path, uint64_t bytes)
{
    struct top_entry *heap = stats->heap;
    uint32_t at = 0;

    if (stats->heap_count == stats->words->top && heap[0].bytes >= bytes)
        return;
    struct top_entry entry = {
        .name = mem_alloc(path.size), .name_size = path.size, .count = 1, .bytes = bytes};
    memcpy(entry.name, path.data, path.size);
    if (stats->heap_count < stats->words->top) {
        at = stats->heap_count++;
        heap[at] = entry;
        for (; at > 0 && heap[(at - 1) / 2].bytes > heap[at].bytes; at = (at - 1) / 2)
            swap(&heap[at], &heap[(at - 1) / 2]);
        return;
    }
    mem_free(heap[0].name);
    heap[0] = entry;
    for (;;) {
        uint32_t left = at * 2 + 1, least = at;
        if (left < stats->heap_count && heap[left].bytes < heap[least].bytes)
            least = left;
        if (left + 1 < stats->heap_count && heap[left + 1].bytes < heap[least].bytes)
            least = left + 1;
        if (least == at)
            return;
        swap(&heap[at], &heap[least]);
        at = least;
    }
}

static void count_owner(struct stats *stats, const struct stat_persisted *stat, size_t data_bytes)
{
    const struct tree_options options = {.extended_types = true};
    enum owner_kind kind = tree_owner_kind(&options, stat->owner);
    char session[24];

    if ((size_t)kind < ARRAY_LEN(stats->kinds))
        stats->kinds[kind]++;
    if (kind != OWNER_SESSION)
        return;
    snprintf(session, sizeof(session), "0x%" PRIx64, (uint64_t)stat->owner);
    top_table_add(&stats->owners, slice_text(session), 1, data_bytes);
}

static void on_node(void *context, struct slice path, struct slice data, int64_t acl,
                    const struct stat_persisted *stat)
{
    struct stats *stats = context;
    uint64_t depth = 0;

    (void)acl;
    if (!tool_filter_node(&stats->words->filter, path, stat))
        return;
    stats->nodes++;
    stats->data_bytes += data.size;
    stats->path_bytes += path.size;
    count_owner(stats, stat, data.size);
    if (path.size == 0) {
        keep_largest(stats, SLICE("/"), data.size);
        return;
    }
    keep_largest(stats, path, data.size);
    const uint8_t *last = path.data, *second = NULL;
    for (size_t i = 0; i < path.size; i++) {
        if (path.data[i] != '/')
            continue;
        depth++;
        last = path.data + i;
        second = depth == 2 ? last : second;
    }
    stats->depth = depth > stats->depth ? depth : stats->depth;
    size_t parent = (size_t)(last - path.data);
    top_table_add(&stats->children, parent == 0 ? SLICE("/") : slice_of(path.data, parent), 1,
                  data.size);
    top_table_add(&stats->tops,
                  second == NULL ? path : slice_of(path.data, (size_t)(second - path.data)), 1,
                  data.size);
}

static void print(struct stats *stats)
{
    struct stats_print out;

    for (uint32_t i = 0; i < stats->heap_count; i++)
        top_table_add(&stats->largest, slice_of(stats->heap[i].name, stats->heap[i].name_size), 1,
                      stats->heap[i].bytes);
    stats_print_begin(&out, stats->words->json, stats->words->top);
    stats_print_number(&out, "znodes", stats->nodes);
    stats_print_number(&out, "ephemerals", stats->kinds[OWNER_SESSION]);
    stats_print_number(&out, "containers", stats->kinds[OWNER_CONTAINER]);
    stats_print_number(&out, "ttl_znodes", stats->kinds[OWNER_TTL]);
    stats_print_number(&out, "sessions", stats->sessions);
    stats_print_number(&out, "acl_lists", stats->acls);
    stats_print_number(&out, "data_bytes", stats->data_bytes);
    stats_print_number(&out, "path_bytes", stats->path_bytes);
    stats_print_number(&out, "depth", stats->depth);
    stats_print_table(&out, "largest", "the largest znodes", &stats->largest, TOP_BY_BYTES);
    stats_print_table(&out, "most_children", "the most children, and the bytes of their data",
                      &stats->children, TOP_BY_COUNT);
    stats_print_table(&out, "top_level_paths", "znodes and bytes of data by top-level path",
                      &stats->tops, TOP_BY_BYTES);
    stats_print_table(&out, "sessions_by_ephemerals", "sessions by ephemerals", &stats->owners,
                      TOP_BY_COUNT);
    stats_print_end(&out);
}

static int count_and_print(const struct tool_words *words, const struct tool_file *file)
{
    struct stats stats = {.words = words};
    struct snapshot_info info;

    stats.heap = mem_alloc(words->top * sizeof(*stats.heap));
    top_table_init(&stats.largest);
    top_table_init(&stats.children);
    top_table_init(&stats.owners);
    top_table_init(&stats.tops);
    enum status status = snapshot_read_file(
        file,
        &(struct snapshot_visitor){
            .context = &stats, .session = on_session, .acl = on_acl, .node = on_node},
        &info);
    if (status == STATUS_OK || status == STATUS_CORRUPT)
        print(&stats);
    top_table_deinit(&stats.tops);
    top_table_deinit(&stats.owners);
    top_table_deinit(&stats.children);
    top_table_deinit(&stats.largest);
    for (uint32_t i = 0; i < stats.heap_count; i++)
        mem_free(stats.heap[i].name);
    mem_free(stats.heap);
    return tool_flush() ? snapshot_exit_code(status) : TOOL_FAILED;
}

int snapshot_stats_main(int argc, char **argv)
{
    return snapshot_run(&syntax, argc, argv, count_and_print);
}
