/* commands_export.c: a subtree into a file, one JSON object a line (export_format.h). A file is
 * complete or does not exist: it is written under another name and renamed at the end. What cannot
 * be exported so that an import gives the same is refused, not changed. */
#include "shell/commands.h"
#include "shell/export_format.h"
#include "shell/interrupt.h"
#include "shell/progress.h"
#include "shell/server_kind.h"
#include "shell/walk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

struct export
{
    struct shell *shell;
    const char *root, *path;
    char *part; /* the name until it is whole; NULL: it is written in place */
    FILE *file;
    struct json line;
    struct progress progress;
    int64_t count, bytes, ephemerals;
    bool kinds_unknown;
    int code; /* why it ended early; said */
};

/* --- the file --- */

static int cannot_write(const char *path)
{
    return answer_fail(EXIT_BAD_FILE, "%s cannot be written: %s", path, strerror(errno));
}

/* stdout, and what is no plain file, is written in place. False: said. */
static bool open_file(struct export *export)
{
    static const char suffix[] = ".part-XXXXXX";
    struct stat stat_of_file;

    if (strcmp(export->path, "-") == 0) {
        export->file = stdout;
        return true;
    }
    if (stat(export->path, &stat_of_file) == 0 && !S_ISREG(stat_of_file.st_mode)) {
        export->file = fopen(export->path, "we");
    } else {
        size_t size = strlen(export->path) + sizeof(suffix);
        export->part = mem_alloc(size);
        snprintf(export->part, size, "%s%s", export->path, suffix);
        int fd = mkostemp(export->part, O_CLOEXEC);
        export->file = fd < 0 ? NULL : fdopen(fd, "w");
    }
    if (export->file != NULL)
        return true;
    (void)cannot_write(export->path);
    return false;
}

/* `whole`: everything is in it. The exit code. */
static int close_file(struct export *export, bool whole)
{
    bool good = fflush(export->file) == 0 && ferror(export->file) == 0;

    if (good && whole && export->part != NULL)
        good = fsync(fileno(export->file)) == 0;
    int error = errno;
    if (export->file != stdout && fclose(export->file) != 0 && good) {
        good = false;
        error = errno;
    }
    if (good && whole && export->part != NULL && rename(export->part, export->path) != 0) {
        good = false;
        error = errno;
    }
    if (export->part != NULL && !(good && whole))
        unlink(export->part);
    errno = error;
    return good || !whole ? 0 : cannot_write(export->path);
}

/* --- the lines --- */

static bool end_line(struct export *export)
{
    struct buffer *out = &export->line.out;

    buffer_u8(out, '\n');
    bool good = fwrite(out->data, 1, out->size, export->file) == out->size;
    if (!good)
        export->code = interrupt_seen() ? (int)EXIT_INTERRUPTED : cannot_write(export->path);
    out->size = 0;
    export->line.more = false;
    return good;
}

static bool put_head(struct export *export)
{
    struct json *line = &export->line;

    json_open(line, NULL, '{');
    json_text(line, "format", SLICE(EXPORT_FORMAT));
    json_int(line, "version", EXPORT_VERSION);
    json_text(line, "path", slice_text(export->root));
    json_int(line, "time", (int64_t)time(NULL) * 1000);
    json_close(line, '}');
    return end_line(export);
}

static bool put_end(struct export *export)
{
    struct json *line = &export->line;

    json_open(line, NULL, '{');
    json_bool(line, "end", true);
    json_int(line, "znodes", export->count);
    json_int(line, "ephemeralsLeftOut", export->ephemerals);
    json_close(line, '}');
    return end_line(export);
}

/* An import of such an identity would lock everybody out. */
static bool hides_digest(struct jute_vector acl)
{
    struct jute_acl one;

    while (jute_next_acl(&acl, &one)) {
        struct slice id = one.id;
        if (slice_equal(one.scheme, SLICE("digest")) && id.size > 2 &&
            slice_equal(slice_of(id.data + id.size - 2, 2), SLICE(":x")))
            return true;
    }
    return false;
}

static bool put_node(struct export *export, const struct walk_node *node)
{
    struct json *line = &export->line;

    json_open(line, NULL, '{');
    json_text(line, "path", slice_text(node->path));
    json_data(line, node->data, false);
    json_acl(line, node->acl);
    export->kinds_unknown = export->kinds_unknown || !node->kind_known;
    enum export_kind kind = node->kind == OWNER_CONTAINER ? EXPORT_CONTAINER
                            : node->kind == OWNER_TTL     ? EXPORT_TTL
                                                          : EXPORT_PERSISTENT;
    json_text(line, "kind", slice_text(export_kind_name(kind)));
    if (kind == EXPORT_TTL)
        json_int(line, "ttl", node->ttl_ms);
    json_close(line, '}');
    return end_line(export);
}

static bool visit(void *context, const struct walk_node *node)
{
    struct export *export = context;

    if (interrupt_seen()) {
        export->code = EXIT_INTERRUPTED;
    } else if (node->err != ZK_OK) {
        export->code = answer_fail_call(node->err, node->path);
    } else if (node->stat.ephemeral_owner != 0) {
        export->ephemerals++;
    } else if (!json_is_utf8(slice_text(node->path))) {
        export->code = answer_fail(
            EXIT_FAILED, "The name of %s is not UTF-8: JSON cannot contain it", node->path);
    } else if (hides_digest(node->acl)) {
        export->code =
            answer_fail(EXIT_NOT_PERMITTED,
                        "The ACL of %s is shown without its passwords (\"x\"): addauth as "
                        "somebody who may administer it",
                        node->path);
    } else if (put_node(export, node)) {
        export->count++;
        export->bytes += node->stat.data_length;
        progress_add(&export->progress, 1);
    }
    return export->code == 0;
}

/* --- the command --- */

static void say_done(const struct export *export)
{
    bool to_stdout = export->file == stdout;

    if (answer_is_json()) {
        json_text(answer_json(), "file", slice_text(export->path));
        json_int(answer_json(), "count", export->count);
        json_int(answer_json(), "bytes", export->bytes);
        json_int(answer_json(), "ephemeralsLeftOut", export->ephemerals);
        return;
    }
    fflush(stdout);
    fprintf(to_stdout ? stderr : stdout, "%lld znodes exported", (long long)export->count);
    if (export->ephemerals > 0)
        fprintf(to_stdout ? stderr : stdout, ", %lld ephemeral ones left out",
                (long long)export->ephemerals);
    fputc('\n', to_stdout ? stderr : stdout);
}

static int finish(struct export *export, int32_t err)
{
    if (err != ZK_OK && export->code == 0)
        export->code = answer_fail_call(err, export->root);
    if (export->code == 0 && export->count == 0)
        export->code =
            answer_fail(EXIT_FAILED, "%s is ephemeral: there is nothing to export", export->root);
    if (export->code == 0)
        (void)put_end(export);
    int code = close_file(export, export->code == 0);
    if (export->code == EXIT_INTERRUPTED)
        export->code = answer_fail(
            EXIT_INTERRUPTED, "interrupted after %lld znodes; %s", (long long)export->count,
            export->part != NULL ? "no file was written"
                                 : "the file is incomplete, and import will refuse it");
    if (export->code == 0)
        export->code = code;
    if (export->code == 0 && export->kinds_unknown)
        answer_note("This server does not say which znodes are containers or have a TTL: all are "
                    "exported as persistent");
    if (export->code == 0)
        say_done(export);
    return export->code;
}

static bool tells_kinds(struct service *connection)
{
    struct sockaddr_storage address;
    unsigned size;

    return service_wait_connected(connection, -1) && service_peer(connection, &address, &size) &&
           server_is_paddock((const struct sockaddr *)&address, size);
}

COMMAND(run_export)
{
    struct export export = {.shell = shell};
    struct walk_options options = {.with_data = true, .with_acl = true, .depth_max = WALK_ALL};

    if (words->word_count != 3)
        return command_usage(command);
    export.root = words->words[1];
    export.path = words->words[2];
    if (!shell_check_path(export.root))
        return EXIT_FAILED;
    if (answer_is_json() && strcmp(export.path, "-") == 0)
        return answer_fail(EXIT_USAGE, "With --output json stdout is taken: give a file");
    if (strcmp(export.root, "/") == 0)
        options.leave_out = "/zookeeper";
    options.with_kind = tells_kinds(shell->connection);
    answer_path(export.root);
    if (!open_file(&export)) {
        mem_free(export.part);
        return EXIT_FAILED;
    }
    json_init(&export.line);
    progress_start(&export.progress, "export", "znodes", 0);
    interrupt_begin();
    int32_t err = ZK_OK;
    if (put_head(&export))
        err = walk(shell->connection, export.root, &options, visit, &export);
    interrupt_end();
    progress_end(&export.progress);
    int code = finish(&export, err);
    json_deinit(&export.line);
    mem_free(export.part);
    return code;
}
