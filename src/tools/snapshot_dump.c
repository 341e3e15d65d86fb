/* snapshot_dump.c: `paddock snapshot dump`: each znode on one line, in the order of the file. What is printed was
 * not yet under a checksum: the exit code says whether all of it was right. */
#include "tools/snapshot_command.h"
#include "tools/snapshot_input.h"
#include "tools/tool_host.h"
#include "tools/tool_text.h"
#include "tools/tool_words.h"

#include <inttypes.h>

enum { FLUSH_BYTES = 1 << 16 };

static const struct tool_syntax syntax = {
    "snapshot dump",
    "usage: paddock snapshot dump [OPTION]... FILE|DIRECTORY    of a directory: its newest one\n"
    "  --json           one JSON object on each line\n"
    "  --data           also the znodes' data\n"
    "  --path PATH      only this znode\n"
    "  --prefix PATH    only this znode and those below it\n"
    "  --session ID     only the session and its ephemerals\n"
    "  --zxid RANGE     only what was created or changed, or whose children were, in the range:\n"
    "                   0x10..0x20, 0x10.., ..0x20, 0x10\n"
    "exit code: 0; 1: the snapshot is damaged; 2: usage; 3: a file cannot be read\n",
    TOOL_JSON | TOOL_DATA | TOOL_FILTERS,
    1,
    1,
};

struct dump {
    const struct tool_words *words;
    bool sessions; /* are meant, too */
    struct snapshot_acls acls;
    struct buffer out;
};

static void flush(struct dump *dump)
{
    fwrite(dump->out.data, 1, dump->out.size, stdout);
    dump->out.size = 0;
}

static void on_session(void *context, int64_t id, int32_t timeout_ms)
{
    struct dump *dump = context;
    const struct tool_filter *filter = &dump->words->filter;

    if (!dump->sessions || (filter->has_session && filter->session != id))
        return;
    buffer_printf(&dump->out,
                  dump->words->json ? "{\"session\":\"0x%" PRIx64 "\",\"timeout_ms\":%d}\n"
                                    : "session 0x%" PRIx64 " timeout %d ms\n",
                  (uint64_t)id, timeout_ms);
}

static void on_acl(void *context, int64_t id, struct jute_vector acl)
{
    snapshot_acls_add(&((struct dump *)context)->acls, id, acl);
}

static void put_text(struct dump *dump, struct slice path, struct slice data,
                     struct jute_vector acl, const struct stat_persisted *stat)
{
    struct buffer *out = &dump->out;

    tool_put_path(out, path);
    buffer_printf(out, " czxid 0x%" PRIx64 " mzxid 0x%" PRIx64 " pzxid 0x%" PRIx64 " ctime ",
                  (uint64_t)stat->czxid, (uint64_t)stat->mzxid, (uint64_t)stat->pzxid);
    tool_put_time(out, stat->ctime);
    buffer_printf(out, " mtime ");
    tool_put_time(out, stat->mtime);
    buffer_printf(out, " version %d cversion %d aversion %d", stat->version, stat->cversion,
                  stat->aversion);
    if (stat->owner != 0)
        buffer_printf(out, " owner 0x%" PRIx64, (uint64_t)stat->owner);
    buffer_printf(out, " acl ");
    tool_put_acl(out, acl);
    buffer_printf(out, " %zu bytes", data.size);
    if (dump->words->data) {
        buffer_u8(out, ' ');
        tool_put_json(out, data);
    }
    buffer_u8(out, '\n');
}

static void put_json(struct dump *dump, struct slice path, struct slice data,
                     struct jute_vector acl, const struct stat_persisted *stat)
{
    struct buffer *out = &dump->out;

    buffer_printf(out, "{\"path\":");
    tool_put_json(out, path);
    buffer_printf(out,
                  ",\"czxid\":\"0x%" PRIx64 "\",\"mzxid\":\"0x%" PRIx64 "\",\"pzxid\":\"0x%" PRIx64
                  "\",\"ctime\":\"",
                  (uint64_t)stat->czxid, (uint64_t)stat->mzxid, (uint64_t)stat->pzxid);
    tool_put_time(out, stat->ctime);
    buffer_printf(out, "\",\"mtime\":\"");
    tool_put_time(out, stat->mtime);
    buffer_printf(out,
                  "\",\"version\":%d,\"cversion\":%d,\"aversion\":%d,\"owner\":\"0x%" PRIx64
                  "\",\"acl\":",
                  stat->version, stat->cversion, stat->aversion, (uint64_t)stat->owner);
    tool_put_json_acl(out, acl);
    buffer_printf(out, ",\"data_bytes\":%zu", data.size);
    if (dump->words->data && data.data == NULL) {
        buffer_printf(out, ",\"data_base64\":null");
    } else if (dump->words->data) {
        buffer_printf(out, ",\"data_base64\":\"");
        tool_put_base64(out, data);
        buffer_u8(out, '"');
    }
    buffer_printf(out, "}\n");
}

static void on_node(void *context, struct slice path, struct slice data, int64_t acl_id,
                    const struct stat_persisted *stat)
{
    struct dump *dump = context;
    struct jute_vector acl = snapshot_acls_get(&dump->acls, acl_id);

    if (!tool_filter_node(&dump->words->filter, path, stat))
        return;
    if (path.size == 0)
        path = SLICE("/");
    if (dump->words->json)
        put_json(dump, path, data, acl, stat);
    else
        put_text(dump, path, data, acl, stat);
    if (dump->out.size >= FLUSH_BYTES)
        flush(dump);
}

static int print(const struct tool_words *words, const struct tool_file *file)
{
    const struct tool_filter *filter = &words->filter;
    struct dump dump = {.words = words,
                        .sessions = !filter->has_path && filter->zxid_first == INT64_MIN &&
                                    filter->zxid_last == INT64_MAX};
    struct snapshot_info info;

    snapshot_acls_init(&dump.acls);
    buffer_init(&dump.out);
    enum status status = snapshot_read_file(
        file,
        &(struct snapshot_visitor){
            .context = &dump, .session = on_session, .acl = on_acl, .node = on_node},
        &info);
    flush(&dump);
    buffer_deinit(&dump.out);
    snapshot_acls_deinit(&dump.acls);
    return tool_flush() ? snapshot_exit_code(status) : TOOL_FAILED;
}

int snapshot_dump_main(int argc, char **argv)
{
    return snapshot_run(&syntax, argc, argv, print);
}
