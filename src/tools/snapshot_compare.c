/* snapshot_compare.c: `paddock snapshot compare A B`: A is loaded, B is read once and looked up in it, so that
 * only one of the two is in memory. */
#include "replica/tree/tree.h"
#include "tools/snapshot_command.h"
#include "tools/snapshot_input.h"
#include "tools/tool_host.h"
#include "tools/tool_text.h"
#include "tools/tool_words.h"

#include <inttypes.h>

static const struct tool_syntax syntax = {
    "snapshot compare",
    "usage: paddock snapshot compare [OPTION]... A B    files, or two directories: the newest "
    "snapshots\n"
    "                   of the same zxid, or else the newest one of each\n"
    "  --path PATH      only this znode\n"
    "  --prefix PATH    only this znode and those below it\n"
    "  --session ID     only the session and its ephemerals\n"
    "  --zxid RANGE     only what was created or changed, or whose children were, in the range:\n"
    "                   0x10..0x20, 0x10.., ..0x20, 0x10\n"
    "exit code: 0: the same; 1: they differ; 2: usage; 3: damaged, or a file cannot be read\n",
    TOOL_FILTERS,
    2,
    2,
};

struct compare {
    const struct tool_filter *filter;
    const char *left, *right;
    struct tree *tree;         /* of the left one */
    struct snapshot_acls acls; /* of the right one */
    struct map seen_sessions;
    bool sessions;
    uint8_t *seen; /* one bit for each node of the tree */
    size_t seen_bytes;
    uint64_t same, different, only_left, only_right;
    struct buffer out;
};

static void flush(struct compare *compare)
{
    fwrite(compare->out.data, 1, compare->out.size, stdout);
    compare->out.size = 0;
}

static void mark(struct compare *compare, uint32_t id)
{
    size_t size = id / 8 + 1;

    if (size > compare->seen_bytes) {
        size_t wanted = size * 2;
        compare->seen = mem_realloc(compare->seen, wanted);
        memset(compare->seen + compare->seen_bytes, 0, wanted - compare->seen_bytes);
        compare->seen_bytes = wanted;
    }
    compare->seen[id / 8] |= (uint8_t)(1U << id % 8);
}

static bool is_marked(const struct compare *compare, uint32_t id)
{
    return id / 8 < compare->seen_bytes && (compare->seen[id / 8] >> id % 8 & 1) != 0;
}

/* --- one znode that both have --- */

static void put_number(struct compare *compare, const char *name, int64_t left, int64_t right,
                       bool hex)
{
    if (left != right && hex)
        buffer_printf(&compare->out, " %s 0x%" PRIx64 "->0x%" PRIx64, name, (uint64_t)left,
                      (uint64_t)right);
    else if (left != right)
        buffer_printf(&compare->out, " %s %" PRId64 "->%" PRId64, name, left, right);
}

static bool same_data(struct slice left, struct slice right)
{
    if (left.data == NULL || right.data == NULL)
        return left.data == NULL && right.data == NULL;
    return slice_equal(left, right);
}

static void put_difference(struct compare *compare, const struct znode *node, struct slice data,
                           struct jute_vector acl, const struct stat_persisted *right)
{
    struct stat_persisted left = znode_stat_persisted(node);
    struct jute_vector left_acl = tree_acl(compare->tree, node->acl);

    if (!same_data(znode_data(node), data))
        buffer_printf(&compare->out, " data %zu->%zu bytes", znode_data(node).size, data.size);
    if (left_acl.count != acl.count || !slice_equal(left_acl.bytes, acl.bytes)) {
        buffer_printf(&compare->out, " acl ");
        tool_put_acl(&compare->out, left_acl);
        buffer_printf(&compare->out, "->");
        tool_put_acl(&compare->out, acl);
    }
    put_number(compare, "version", left.version, right->version, false);
    put_number(compare, "cversion", left.cversion, right->cversion, false);
    put_number(compare, "aversion", left.aversion, right->aversion, false);
    put_number(compare, "czxid", left.czxid, right->czxid, true);
    put_number(compare, "mzxid", left.mzxid, right->mzxid, true);
    put_number(compare, "pzxid", left.pzxid, right->pzxid, true);
    put_number(compare, "ctime", left.ctime, right->ctime, false);
    put_number(compare, "mtime", left.mtime, right->mtime, false);
    put_number(compare, "owner", left.owner, right->owner, true);
}

static void put_only(struct compare *compare, const char *side, struct slice path)
{
    buffer_printf(&compare->out, "only in %s: ", side);
    tool_put_path(&compare->out, path);
    buffer_u8(&compare->out, '\n');
    flush(compare);
}

static void on_node(void *context, struct slice path, struct slice data, int64_t acl_id,
                    const struct stat_persisted *stat)
{
    struct compare *compare = context;
    struct slice shown = path.size == 0 ? SLICE("/") : path;
    uint32_t id = path.size == 0 ? NODE_ROOT : tree_find(compare->tree, path);

    if (id == NODE_NONE) {
        if (!tool_filter_node(compare->filter, path, stat))
            return;
        compare->only_right++;
        put_only(compare, compare->right, shown);
        return;
    }
    mark(compare, id);
    const struct znode *node = tree_node(compare->tree, id);
    struct stat_persisted left = znode_stat_persisted(node);
    if (!tool_filter_node(compare->filter, path, stat) &&
        !tool_filter_node(compare->filter, path, &left))
        return;
    buffer_printf(&compare->out, "differs: ");
    tool_put_path(&compare->out, shown);
    buffer_u8(&compare->out, ':');
    size_t before = compare->out.size;
    put_difference(compare, node, data, snapshot_acls_get(&compare->acls, acl_id), stat);
    if (compare->out.size == before) {
        compare->out.size = 0;
        compare->same++;
        return;
    }
    compare->different++;
    buffer_u8(&compare->out, '\n');
    flush(compare);
}

/* --- sessions --- */

static void put_session(struct compare *compare, const char *side, int64_t id)
{
    buffer_printf(&compare->out, "only in %s: session 0x%" PRIx64 "\n", side, (uint64_t)id);
    flush(compare);
}

static bool is_meant(const struct compare *compare, int64_t id)
{
    return compare->sessions && (!compare->filter->has_session || compare->filter->session == id);
}

static void on_session(void *context, int64_t id, int32_t timeout_ms)
{
    struct compare *compare = context;
    const struct tree_session *session = tree_session(compare->tree, id);

    map_set(&compare->seen_sessions, (uint64_t)id, compare);
    if (!is_meant(compare, id))
        return;
    if (session == NULL || session->orphan) {
        compare->only_right++;
        put_session(compare, compare->right, id);
    } else if (session->timeout_ms != timeout_ms) {
        compare->different++;
        printf("differs: session 0x%" PRIx64 ": timeout %d->%d ms\n", (uint64_t)id,
               session->timeout_ms, timeout_ms);
    }
}

static void on_acl(void *context, int64_t id, struct jute_vector acl)
{
    snapshot_acls_add(&((struct compare *)context)->acls, id, acl);
}

/* --- what only the left one has --- */

static void visit_left(struct compare *compare, uint32_t id, struct buffer *path)
{
    struct stat_persisted stat = znode_stat_persisted(tree_node(compare->tree, id));

    if (is_marked(compare, id))
        return;
    path->size = 0;
    tree_path_append(compare->tree, id, path);
    if (!tool_filter_node(compare->filter, buffer_slice(path), &stat))
        return;
    compare->only_left++;
    put_only(compare, compare->left, path->size == 0 ? SLICE("/") : buffer_slice(path));
}

/* The node after `id`, parents first; NODE_NONE: that was the last one. */
static uint32_t next_node(const struct tree *tree, uint32_t id)
{
    if (tree_node(tree, id)->first_child != NODE_NONE)
        return tree_node(tree, id)->first_child;
    while (id != NODE_ROOT && tree_node(tree, id)->next == NODE_NONE)
        id = tree_node(tree, id)->parent;
    return id == NODE_ROOT ? NODE_NONE : tree_node(tree, id)->next;
}

static void find_only_left(struct compare *compare)
{
    struct tree_session *session;
    struct buffer path;
    size_t cursor = 0;

    buffer_init(&path);
    for (uint32_t id = NODE_ROOT; id != NODE_NONE; id = next_node(compare->tree, id))
        visit_left(compare, id, &path);
    buffer_deinit(&path);
    while ((session = tree_session_next(compare->tree, &cursor)) != NULL) {
        if (session->orphan || !is_meant(compare, session->id) ||
            map_get(&compare->seen_sessions, (uint64_t)session->id) != NULL)
            continue;
        compare->only_left++;
        put_session(compare, compare->left, session->id);
    }
}

/* --- the whole --- */

static int compare_files(struct compare *compare, const struct tool_file *left,
                         const struct tool_file *right)
{
    struct snapshot_info info;
    enum status status =
        snapshot_load(left->disk, left->name, SNAPSHOT_TEXT_BYTES_MAX, NULL, compare->tree, &info);

    if (status != STATUS_OK) {
        snapshot_say_failure(left, status, &info);
        return TOOL_FAILED;
    }
    status = snapshot_read_file(
        right,
        &(struct snapshot_visitor){
            .context = compare, .session = on_session, .acl = on_acl, .node = on_node},
        &info);
    if (status != STATUS_OK)
        return TOOL_FAILED;
    find_only_left(compare);
    printf("%" PRIu64 " the same, %" PRIu64 " differ, %" PRIu64 " only in %s, %" PRIu64
           " only in %s\n",
           compare->same, compare->different, compare->only_left, compare->left,
           compare->only_right, compare->right);
    return compare->different + compare->only_left + compare->only_right > 0 ? TOOL_FOUND
                                                                             : TOOL_DONE;
}

static int prepare_and_compare(const struct tool_filter *filter, const struct tool_file *left,
                               const struct tool_file *right)
{
    const struct tree_options options = {.extended_types = true};
    struct compare compare = {.filter = filter,
                              .left = left->path,
                              .right = right->path,
                              .sessions = !filter->has_path && filter->zxid_first == INT64_MIN &&
                                          filter->zxid_last == INT64_MAX};

    compare.tree = tree_new_empty(&options);
    map_init(&compare.seen_sessions);
    snapshot_acls_init(&compare.acls);
    buffer_init(&compare.out);
    int code = compare_files(&compare, left, right);
    buffer_deinit(&compare.out);
    snapshot_acls_deinit(&compare.acls);
    map_deinit(&compare.seen_sessions);
    mem_free(compare.seen);
    tree_free(compare.tree);
    return tool_flush() ? code : TOOL_FAILED;
}

/* Of two directories: the newest pair of one zxid. False: there is none. */
static bool find_pair(const struct tool_files *left, const struct tool_files *right,
                      const struct tool_file **ret_left, const struct tool_file **ret_right)
{
    for (size_t i = left->count; i > 0; i--) {
        for (size_t j = right->count; j > 0; j--) {
            if (left->files[i - 1].read.zxid != right->files[j - 1].read.zxid)
                continue;
            *ret_left = &left->files[i - 1];
            *ret_right = &right->files[j - 1];
            return true;
        }
    }
    return false;
}

int snapshot_compare_main(int argc, char **argv)
{
    struct tool_words words;
    struct tool_files left_files, right_files;
    int code;

    if (!tool_words_parse(&syntax, argc, argv, &words, &code))
        return code;
    const struct tool_file *left = snapshot_find(&left_files, words.words[0]);
    const struct tool_file *right = snapshot_find(&right_files, words.words[1]);
    code = TOOL_FAILED;
    if (left != NULL && right != NULL) {
        if (left_files.from_directory && right_files.from_directory &&
            !find_pair(&left_files, &right_files, &left, &right))
            fputs("No two snapshots are of the same zxid; these are the newest ones.\n", stdout);
        code = prepare_and_compare(&words.filter, left, right);
    }
    tool_files_deinit(&left_files);
    tool_files_deinit(&right_files);
    tool_words_deinit(&words);
    return code;
}
