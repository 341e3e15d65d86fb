/* commands_import.c: a file of export into the tree. The whole file is read and checked, and
 * existing znodes are looked for, before anything is written. What is written then is counted and
 * reported, also when it ends in the middle: by an error, by a lost connection, or by Ctrl-C. */
#include "shell/calls.h"
#include "shell/commands.h"
#include "shell/export_format.h"
#include "shell/interrupt.h"
#include "shell/progress.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

enum { WINDOW = 512, FLIGHT_BYTES_MAX = 4 << 20, NAMED_MAX = 3 };

struct import {
    struct shell *shell;
    const char *name; /* of the file */
    FILE *file;
    char *target; /* what the root of the export becomes */
    bool overwrite, skip, dry_run;
    struct progress progress;
    /* Judging: */
    int64_t total, existing;
    struct buffer named; /* some of those that exist */
    /* Writing: */
    size_t in_flight, flight_bytes;
    int64_t created, overwritten, left, unknown;
    struct step *again; /* they exist, and are to be overwritten */
    int32_t err;        /* the first error, at this path and line */
    char *err_path;
    int64_t err_line;
};

/* A znode on its way. */
struct step {
    struct import *import;
    struct step *next;
    char *path;
    struct buffer data, acl;
    bool has_data;
    unsigned waiting; /* answers of the two requests that overwrite it */
    int32_t err;
    int64_t line;
};

static struct step *new_step(struct import *import, const char *below, int64_t line)
{
    struct step *step = mem_zalloc(sizeof(*step));
    const char *target = import->target[1] == '\0' ? "" : import->target;
    size_t size = strlen(target) + strlen(below) + 2;

    step->import = import;
    step->line = line;
    step->path = mem_alloc(size);
    snprintf(step->path, size, "%s%s", target, target[0] == '\0' && below[0] == '\0' ? "/" : below);
    return step;
}

static void free_step(struct step *step)
{
    buffer_deinit(&step->data);
    buffer_deinit(&step->acl);
    mem_free(step->path);
    mem_free(step);
}

static bool is_root(const struct step *step)
{
    return step->path[1] == '\0';
}

static void note_error(struct import *import, int32_t err, const char *path, int64_t line)
{
    if (import->err != ZK_OK)
        return;
    import->err = err;
    import->err_line = line;
    import->err_path = mem_alloc(strlen(path) + 1);
    memcpy(import->err_path, path, strlen(path) + 1);
}

/* --- the file --- */

/* False: said. What is no plain file is copied first, because it is read twice. */
static bool open_file(struct import *import)
{
    bool from_stdin = strcmp(import->name, "-") == 0;
    struct stat stat_of_file;
    char bytes[1 << 14];
    size_t size;

    if (from_stdin && import->shell->interactive)
        return answer_fail(EXIT_USAGE, "Commands come from stdin here: give a file") == 0;
    import->file = from_stdin ? stdin : fopen(import->name, "re");
    if (import->file == NULL || fstat(fileno(import->file), &stat_of_file) != 0)
        return answer_fail(EXIT_BAD_FILE, "%s cannot be read: %s", import->name, strerror(errno)) ==
               0;
    if (S_ISREG(stat_of_file.st_mode) && !from_stdin)
        return true;
    FILE *copy = tmpfile();
    bool good = copy != NULL;
    while (good && (size = fread(bytes, 1, sizeof(bytes), import->file)) > 0)
        good = fwrite(bytes, 1, size, copy) == size;
    good = good && ferror(import->file) == 0 && fseek(copy, 0, SEEK_SET) == 0;
    int error = errno;
    if (!from_stdin)
        fclose(import->file);
    import->file = copy;
    return good ||
           answer_fail(EXIT_BAD_FILE, "%s cannot be read: %s", import->name, strerror(error)) == 0;
}

/* --- judging --- */

static void on_exists(void *context, int32_t err, struct slice answer)
{
    struct step *step = context;
    struct import *import = step->import;

    (void)answer;
    import->in_flight--;
    if (err == ZK_OK) {
        if (++import->existing <= NAMED_MAX)
            buffer_printf(&import->named, "%s%s", import->existing > 1 ? ", " : "", step->path);
    } else if (err != ZK_NO_NODE) {
        note_error(import, err, step->path, step->line);
    }
    free_step(step);
}

static void ask_whether_it_exists(struct import *import, const struct export_node *node,
                                  int64_t line)
{
    struct step *step = new_step(import, node->path, line);
    struct buffer request;

    if (is_root(step)) { /* it always does */
        import->existing += import->overwrite || import->skip;
        free_step(step);
        return;
    }
    buffer_init(&request);
    struct slice path = service_server_path(import->shell->connection, slice_text(step->path));
    path_watch_request_write(&request, &(struct path_watch_request){.path = path});
    import->in_flight++;
    service_send(import->shell->connection, OP_EXISTS, buffer_slice(&request), on_exists, step);
    buffer_deinit(&request);
    if (import->in_flight >= WINDOW)
        service_settle(import->shell->connection, WINDOW / 2);
}

/* Is there what it goes into? And is its place free, so that no single znode needs to be asked for? */
static int look_at_target(struct import *import, bool *ret_free)
{
    struct service *connection = import->shell->connection;
    struct zk_stat stat;
    int32_t err = call_exists(connection, slice_text(import->target), false, &stat);

    *ret_free = err == ZK_NO_NODE;
    if (err != ZK_NO_NODE)
        return err == ZK_OK ? 0 : answer_fail_call(err, import->target);
    size_t size = (size_t)(strrchr(import->target, '/') - import->target);
    struct slice parent = size == 0 ? SLICE("/") : slice_of(import->target, size);
    err = call_exists(connection, parent, false, &stat);
    if (err == ZK_OK)
        return 0;
    return answer_fail(answer_code(err), "%.*s, which it would go into, %s", (int)parent.size,
                       (const char *)parent.data,
                       err == ZK_NO_NODE ? "does not exist" : "cannot be looked at");
}

static int judge_file(struct import *import, struct export_reader *reader, bool is_free)
{
    enum export_result result;
    struct export_node node;

    progress_start(&import->progress, "check", "znodes", 0);
    while ((result = export_reader_next(reader, &node)) == EXPORT_NODE && import->err == ZK_OK &&
           !interrupt_seen()) {
        import->total++;
        progress_add(&import->progress, 1);
        if (!is_free)
            ask_whether_it_exists(import, &node, export_reader_line(reader));
    }
    service_settle(import->shell->connection, 0);
    progress_end(&import->progress);
    if (interrupt_seen())
        return answer_fail(EXIT_INTERRUPTED, "interrupted; nothing was written");
    if (import->err != ZK_OK)
        return answer_fail_call(import->err, import->err_path);
    if (result == EXPORT_BAD)
        return answer_fail(EXIT_BAD_FILE, "%s; nothing was written", export_reader_problem(reader));
    if (import->existing == 0 || import->overwrite || import->skip)
        return 0;
    return answer_fail(EXIT_NODE_EXISTS,
                       "%lld of %lld znodes exist already (%.*s%s); nothing was written: give "
                       "--overwrite or --skip",
                       (long long)import->existing, (long long)import->total,
                       (int)import->named.size, (const char *)import->named.data,
                       import->existing > NAMED_MAX ? ", ..." : "");
}

static int judge(struct import *import, const char *target)
{
    struct export_reader *reader = export_reader_new(import->file, import->name);
    const char *root = export_reader_root(reader);
    bool is_free = false;
    int code;

    if (root == NULL) {
        code = answer_fail(EXIT_BAD_FILE, "%s; nothing was written", export_reader_problem(reader));
    } else {
        root = target == NULL ? root : target;
        import->target = mem_alloc(strlen(root) + 1);
        memcpy(import->target, root, strlen(root) + 1);
        code = look_at_target(import, &is_free);
    }
    if (code == 0)
        code = judge_file(import, reader, is_free);
    export_reader_free(reader);
    return code;
}

/* --- writing --- */

static void on_overwritten(void *context, int32_t err, struct slice answer)
{
    struct step *step = context;
    struct import *import = step->import;

    (void)answer;
    import->in_flight--;
    if (step->err == ZK_OK)
        step->err = err;
    if (--step->waiting > 0)
        return;
    if (step->err == ZK_OK)
        import->overwritten++;
    else
        note_error(import, step->err, step->path, step->line);
    import->unknown += step->err == CALL_CONNECTION_LOSS;
    progress_add(&import->progress, 1);
    free_step(step);
}

static void send_overwrite(struct step *step)
{
    struct service *connection = step->import->shell->connection;
    struct buffer request;

    buffer_init(&request);
    step->waiting = 2;
    step->import->in_flight += 2;
    struct slice path = service_server_path(connection, slice_text(step->path));
    struct slice data = step->has_data ? slice_of(step->data.data, step->data.size) : SLICE_NULL;
    set_data_request_write(&request, &(struct set_data_request){path, data, /* version= */ -1});
    service_send(connection, OP_SET_DATA, buffer_slice(&request), on_overwritten, step);
    request.size = 0;
    path = service_server_path(connection, slice_text(step->path));
    set_acl_request_write(
        &request,
        &(struct set_acl_request){path, call_acl(buffer_slice(&step->acl)), /* version= */ -1});
    service_send(connection, OP_SET_ACL, buffer_slice(&request), on_overwritten, step);
    buffer_deinit(&request);
}

static void on_created(void *context, int32_t err, struct slice answer)
{
    struct step *step = context;
    struct import *import = step->import;

    (void)answer;
    import->in_flight--;
    import->flight_bytes -= step->data.size;
    if (err == ZK_NODE_EXISTS && import->overwrite) {
        step->next = import->again;
        import->again = step;
        return;
    }
    if (err == ZK_OK)
        import->created++;
    else if (err == ZK_NODE_EXISTS && import->skip)
        import->left++;
    else
        note_error(import, err, step->path, step->line);
    import->unknown += err == CALL_CONNECTION_LOSS;
    progress_add(&import->progress, 1);
    free_step(step);
}

static void send_create(struct step *step, const struct export_node *node)
{
    static const enum zk_create_mode modes[] = {[EXPORT_PERSISTENT] = MODE_PERSISTENT,
                                                [EXPORT_CONTAINER] = MODE_CONTAINER,
                                                [EXPORT_TTL] = MODE_TTL};
    struct import *import = step->import;
    struct buffer request;
    const struct call_create create = {.path = slice_text(step->path),
                                       .data = node->data,
                                       .acl = node->acl,
                                       .mode = modes[node->kind],
                                       .ttl_ms = node->ttl_ms};

    buffer_init(&request);
    int32_t op = call_put_create(&request, import->shell->connection, &create);
    import->in_flight++;
    import->flight_bytes += step->data.size;
    service_send(import->shell->connection, op, buffer_slice(&request), on_created, step);
    buffer_deinit(&request);
}

static void overwrite_again(struct import *import)
{
    while (import->again != NULL) {
        struct step *step = import->again;
        import->again = step->next;
        send_overwrite(step);
    }
}

static void write_node(struct import *import, const struct export_node *node, int64_t line)
{
    struct step *step = new_step(import, node->path, line);

    step->has_data = node->data.data != NULL;
    buffer_reserve(&step->data, 1);
    if (node->data.data != NULL)
        buffer_append(&step->data, node->data);
    buffer_append(&step->acl, node->acl);
    if (!is_root(step)) {
        send_create(step, node);
    } else if (import->overwrite) {
        send_overwrite(step);
    } else {
        import->left++;
        free_step(step);
    }
    if (import->in_flight >= WINDOW || import->flight_bytes >= FLIGHT_BYTES_MAX)
        service_settle(import->shell->connection, import->in_flight / 2);
    overwrite_again(import);
}

static void say_counts(const struct import *import)
{
    const struct {
        const char *key, *text;
        int64_t count;
    } counts[] = {{"created", "created", import->created},
                  {"overwritten", "overwritten", import->overwritten},
                  {"skipped", "left as they were", import->left},
                  {"unknown", "on their way when the connection broke", import->unknown}};
    const char *before = import->dry_run ? ": would be " : ": ";

    if (answer_is_json()) {
        json_bool(answer_json(), "dryRun", import->dry_run);
        json_int(answer_json(), "total", import->total);
        for (size_t i = 0; i < ARRAY_LEN(counts); i++)
            json_int(answer_json(), counts[i].key, counts[i].count);
        return;
    }
    printf("%lld znodes for %s", (long long)import->total, import->target);
    for (size_t i = 0; i < ARRAY_LEN(counts); i++) {
        if (counts[i].count == 0)
            continue;
        printf("%s%lld %s", before, (long long)counts[i].count, counts[i].text);
        before = ", ";
    }
    fputc('\n', stdout);
}

static int write_all(struct import *import)
{
    struct export_reader *reader = export_reader_new(import->file, import->name);
    enum export_result result = EXPORT_BAD;
    struct export_node node;
    bool stopped = false;

    rewind(import->file);
    progress_start(&import->progress, "import", "znodes", import->total);
    if (export_reader_root(reader) != NULL) {
        while (!stopped && (result = export_reader_next(reader, &node)) == EXPORT_NODE) {
            write_node(import, &node, export_reader_line(reader));
            stopped = import->err != ZK_OK || interrupt_seen();
        }
    }
    do {
        overwrite_again(import);
        service_settle(import->shell->connection, 0);
    } while (import->again != NULL);
    progress_end(&import->progress);
    int code = 0;
    bool partly = import->created + import->overwritten + import->unknown > 0;
    if (import->err != ZK_OK) {
        answer_note("stopped at line %lld of %s", (long long)import->err_line, import->name);
        code = answer_fail_call(import->err, import->err_path);
    } else if (stopped) {
        code = answer_fail(EXIT_INTERRUPTED, "interrupted");
    } else if (result == EXPORT_BAD) {
        code = answer_fail(EXIT_BAD_FILE, "%s: the file changed while it was read",
                           export_reader_problem(reader));
    }
    if (code != 0 && partly && (import->err != ZK_OK || !stopped))
        code = answer_fail(
            EXIT_PARTLY, "only a part was written; it stays, and import --skip continues after it");
    export_reader_free(reader);
    return code;
}

/* --- the command --- */

static int run(struct import *import, const char *target)
{
    int code = judge(import, target);

    if (code != 0)
        return code;
    if (import->dry_run) {
        import->created = import->total - import->existing;
        import->overwritten = import->overwrite ? import->existing : 0;
        import->left = import->overwrite ? 0 : import->existing;
    } else {
        code = write_all(import);
    }
    say_counts(import);
    return code;
}

COMMAND(run_import)
{
    struct import import = {.shell = shell,
                            .overwrite = words->given[IMPORT_OVERWRITE],
                            .skip = words->given[IMPORT_SKIP],
                            .dry_run = words->given[IMPORT_DRY_RUN]};

    if (words->word_count < 2 || words->word_count > 3)
        return command_usage(command);
    if (import.overwrite && import.skip)
        return answer_fail(EXIT_USAGE, "Give one of --overwrite and --skip");
    const char *target = words->word_count > 2 ? words->words[2] : NULL;
    if (target != NULL && !shell_check_path(target))
        return EXIT_FAILED;
    import.name = words->words[1];
    buffer_init(&import.named);
    interrupt_begin();
    int code = open_file(&import) ? run(&import, target) : EXIT_FAILED;
    interrupt_end();
    if (import.file != NULL && import.file != stdin)
        fclose(import.file);
    buffer_deinit(&import.named);
    mem_free(import.target);
    mem_free(import.err_path);
    return code;
}
