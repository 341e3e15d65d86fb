/* log_stats.c: `paddock log stats`: who writes what. Its tables are bounded (top_table.h), so that the length of
 * the log does not matter. */
#include "tools/log_command.h"
#include "tools/log_walk.h"
#include "tools/stats_print.h"
#include "tools/tool_text.h"
#include "tools/tool_words.h"
#include "tools/top_table.h"
#include "wire/ops.h"

#include <inttypes.h>
#include <stdio.h>

static const struct tool_syntax syntax = {
    "log stats",
    "usage: paddock log stats [OPTION]... FILE|DIRECTORY...\n"
    "  --json           one JSON object\n"
    "  --top N          lines of each table (10)\n"
    "  --path PATH      only what changed this znode\n"
    "  --prefix PATH    only what changed this znode or one below it\n"
    "  --session ID     only of this session\n"
    "  --zxid RANGE     only these: 0x10..0x20, 0x10.., ..0x20, 0x10\n"
    "exit code: 0; 1: something is damaged; 2: usage; 3: a file cannot be read\n",
    TOOL_JSON | TOOL_TOP | TOOL_FILTERS,
    1,
    INT32_MAX,
};

struct stats {
    const struct tool_filter *filter;
    uint64_t txns, bytes;
    int64_t first_zxid, last_zxid, first_ms, last_ms;
    struct top_table types, sessions, tops, nodes;
};

/* "/a" of "/a/b/c". */
static struct slice top_level(struct slice path)
{
    const uint8_t *slash = path.size < 2 ? NULL : memchr(path.data + 1, '/', path.size - 1);

    return slash == NULL ? path : slice_of(path.data, (size_t)(slash - path.data));
}

static void count_path(struct stats *stats, struct slice path, size_t data_bytes)
{
    if (path.data == NULL || !tool_filter_path(stats->filter, path))
        return;
    top_table_add(&stats->tops, top_level(path), 1, data_bytes);
    top_table_add(&stats->nodes, path, 1, data_bytes);
}

static void count(struct stats *stats, const struct log_record *record)
{
    const struct txn *txn = &record->txn;
    struct jute_vector paths = txn->op.paths;
    struct slice path;
    char session[24];

    if (stats->txns++ == 0) {
        stats->first_zxid = txn->header.zxid;
        stats->first_ms = txn->header.time_ms;
    }
    stats->last_zxid = txn->header.zxid;
    stats->last_ms = txn->header.time_ms;
    stats->bytes += record->bytes;
    top_table_add(&stats->types, slice_text(tool_type_name(txn->op.type)), 1, record->bytes);
    snprintf(session, sizeof(session), "0x%" PRIx64, (uint64_t)txn->header.client_id);
    top_table_add(&stats->sessions, slice_text(session), 1, record->bytes);
    count_path(stats, txn->op.path, txn->op.data.size);
    for (int32_t i = 0; i < txn->op_count; i++)
        count_path(stats, txn->ops[i].path, txn->ops[i].data.size);
    while (txn->op.type == OP_CLOSE_SESSION && paths.count > 0 && jute_next_text(&paths, &path))
        count_path(stats, path, 0);
}

static void print(struct stats *stats, const struct tool_words *words)
{
    struct stats_print out;
    struct buffer first, last;

    buffer_init(&first);
    buffer_init(&last);
    tool_put_time(&first, stats->first_ms);
    tool_put_time(&last, stats->last_ms);
    stats_print_begin(&out, words->json, words->top);
    stats_print_number(&out, "transactions", stats->txns);
    stats_print_number(&out, "bytes", stats->bytes);
    if (stats->txns > 0) {
        stats_print_hex(&out, "first_zxid", stats->first_zxid);
        stats_print_hex(&out, "last_zxid", stats->last_zxid);
        stats_print_text(&out, "first_time", buffer_slice(&first));
        stats_print_text(&out, "last_time", buffer_slice(&last));
    }
    stats_print_table(&out, "types", "transactions by type, bytes of their records", &stats->types,
                      TOP_BY_COUNT);
    stats_print_table(&out, "sessions_by_count", "sessions by transactions", &stats->sessions,
                      TOP_BY_COUNT);
    stats_print_table(&out, "sessions_by_bytes", "sessions by bytes of their records",
                      &stats->sessions, TOP_BY_BYTES);
    stats_print_table(&out, "top_level_paths", "top-level paths by bytes of data written",
                      &stats->tops, TOP_BY_BYTES);
    stats_print_table(&out, "znodes_by_count", "znodes by changes", &stats->nodes, TOP_BY_COUNT);
    stats_print_table(&out, "znodes_by_bytes", "znodes by bytes of data written", &stats->nodes,
                      TOP_BY_BYTES);
    stats_print_end(&out);
    buffer_deinit(&first);
    buffer_deinit(&last);
}

static int collect(const struct tool_words *words, const struct tool_files *files,
                   struct stats *stats)
{
    struct log_walk walk;
    struct log_record record;
    enum status status;

    tool_interrupt_watch();
    log_walk_begin(&walk, files, "reading");
    while ((status = log_walk_next(&walk, &record)) == STATUS_OK && !tool_interrupted()) {
        if (tool_filter_txn(&words->filter, &record.txn))
            count(stats, &record);
    }
    uint32_t damages = walk.damages;
    log_walk_end(&walk);
    if (tool_interrupted())
        return TOOL_INTERRUPTED;
    if (status != STATUS_END)
        return TOOL_FAILED;
    print(stats, words);
    if (!tool_flush())
        return TOOL_FAILED;
    return damages > 0 ? TOOL_FOUND : TOOL_DONE;
}

int log_stats_main(int argc, char **argv)
{
    struct tool_words words;
    struct tool_files files;
    int code;

    if (!tool_words_parse(&syntax, argc, argv, &words, &code))
        return code;
    struct stats stats = {.filter = &words.filter};
    top_table_init(&stats.types);
    top_table_init(&stats.sessions);
    top_table_init(&stats.tops);
    top_table_init(&stats.nodes);
    code = tool_files_find(&files, STORE_FILE_LOG, words.words, words.word_count)
               ? collect(&words, &files, &stats)
               : TOOL_FAILED;
    tool_files_deinit(&files);
    top_table_deinit(&stats.nodes);
    top_table_deinit(&stats.tops);
    top_table_deinit(&stats.sessions);
    top_table_deinit(&stats.types);
    tool_words_deinit(&words);
    return code;
}
