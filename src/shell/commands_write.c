/* commands_write.c: commands that change znodes. */
#include "base/number.h"
#include "shell/acl_words.h"
#include "shell/calls.h"
#include "shell/commands.h"
#include "shell/data_file.h"
#include "shell/delete_tree.h"
#include "shell/texts.h"

#include <stdio.h>

enum { BATCH_DEFAULT = 1000 };

static int refuse(const char *sentence)
{
    return answer_fail(EXIT_USAGE, "%s", sentence);
}

/* What is wrong with the options of a create; NULL: nothing. */
static const char *create_problem(const struct java_words *words, int64_t *ret_ttl_ms)
{
    bool container = words->given[CREATE_CONTAINER], ttl = words->given[CREATE_TTL];

    if (container && (words->given[CREATE_SEQUENTIAL] || words->given[CREATE_EPHEMERAL]))
        return "-c cannot be combined with -s or -e. Containers cannot be ephemeral or sequential.";
    if (!ttl)
        return NULL;
    if (!number_parse(slice_text(words->value[CREATE_TTL]), 10, ret_ttl_ms))
        return "-t argument must be a long value";
    if (words->given[CREATE_EPHEMERAL])
        return "TTLs cannot be used with Ephemeral znodes";
    if (container)
        return "TTLs cannot be used with Container znodes";
    if (*ret_ttl_ms <= 0 || *ret_ttl_ms > TTL_MS_MAX)
        return "ttl must be positive and cannot be larger than: 1099511627775";
    return NULL;
}

static enum zk_create_mode create_mode(const struct java_words *words)
{
    bool sequential = words->given[CREATE_SEQUENTIAL];

    if (words->given[CREATE_CONTAINER])
        return MODE_CONTAINER;
    if (words->given[CREATE_TTL])
        return sequential ? MODE_SEQUENTIAL_TTL : MODE_TTL;
    if (words->given[CREATE_EPHEMERAL])
        return sequential ? MODE_EPHEMERAL_SEQUENTIAL : MODE_EPHEMERAL;
    return sequential ? MODE_PERSISTENT_SEQUENTIAL : MODE_PERSISTENT;
}

/* A sequential path may end with a slash: a number follows. */
static bool check_create_path(const char *path, bool sequential)
{
    if (!sequential)
        return shell_check_path(path);
    size_t size = strlen(path) + 2;
    char *whole = mem_alloc(size);
    snprintf(whole, size, "%s1", path);
    bool good = shell_check_path(whole);
    mem_free(whole);
    return good;
}

/* `acl_text` NULL: none is given. */
static int create(struct shell *shell, const struct java_words *words, struct call_create *call,
                  const char *acl_text, struct buffer *acl)
{
    const char *path = words->words[1];
    struct slice made;

    if (acl_text != NULL && acl_parse(acl_text, acl) == 0) {
        answer_note("KeeperErrorCode = InvalidACL");
        return answer_fail_call(ZK_INVALID_ACL, NULL);
    }
    if (acl_text == NULL)
        acl_put_open(acl);
    call->acl = buffer_slice(acl);
    if (!check_create_path(path, words->given[CREATE_SEQUENTIAL]))
        return EXIT_FAILED;
    int32_t err = call_create(shell->connection, call, &made);
    if (err == ZK_INVALID_ACL)
        answer_note("KeeperErrorCode = InvalidACL for %s", path);
    if (err != ZK_OK)
        return answer_fail_call(err, path);
    if (answer_is_json())
        json_text(answer_json(), "path", made);
    else
        answer_note("Created %.*s", (int)made.size, (const char *)made.data);
    return 0;
}

COMMAND(run_create)
{
    struct call_create call = {.mode = create_mode(words)};
    const char *file = words->value[CREATE_DATA_FILE];
    struct buffer acl, data;

    if (words->word_count < 2)
        return command_usage(command);
    const char *problem = create_problem(words, &call.ttl_ms);
    if (problem != NULL)
        return refuse(problem);
    call.path = slice_text(words->words[1]);
    int acl_at = file != NULL ? 2 : 3; /* a file takes the place of the data */
    if (file != NULL && words->word_count > acl_at + 1)
        return refuse("With --data-file the arguments are: path [acl]");
    buffer_init(&acl);
    buffer_init(&data);
    buffer_reserve(&data, 1); /* an empty file is data, too */
    int code = EXIT_FAILED;
    if (file == NULL || data_file_read(shell, file, &data)) {
        call.data = file != NULL            ? slice_of(data.data, data.size)
                    : words->word_count > 2 ? slice_text(words->words[2])
                                            : SLICE_NULL;
        code = create(shell, words, &call, words->word_count > acl_at ? words->words[acl_at] : NULL,
                      &acl);
    }
    buffer_deinit(&data);
    buffer_deinit(&acl);
    return code;
}

/* What is to be set, in `out` when it is not a word. False: said. */
static bool find_data(const struct shell *shell, const struct java_words *words, struct buffer *out,
                      struct slice *ret_data)
{
    const char *file = words->value[SET_DATA_FILE];

    buffer_reserve(out, 1); /* nothing is data, too */
    if (file != NULL && (words->given[SET_BASE64] || words->word_count > 2)) {
        (void)refuse("With --data-file the only argument is the path, and -b has no meaning");
        return false;
    }
    if (file == NULL && !words->given[SET_BASE64]) {
        *ret_data = slice_text(words->words[2]);
        return true;
    }
    if (file == NULL && !base64_read(slice_text(words->words[2]), out)) {
        (void)refuse("-b takes base64, and this is none");
        return false;
    }
    if (file != NULL && !data_file_read(shell, file, out))
        return false;
    *ret_data = slice_of(out->data, out->size);
    return true;
}

COMMAND(run_set)
{
    struct zk_stat stat;
    int32_t version = -1;
    struct buffer kept;
    struct slice data;

    if (words->word_count < (words->given[SET_DATA_FILE] ? 2 : 3))
        return command_usage(command);
    const char *path = words->words[1];
    if ((words->given[SET_VERSION] && !shell_parse_int(words->value[SET_VERSION], &version)) ||
        !shell_check_path(path))
        return EXIT_FAILED;
    buffer_init(&kept);
    bool good = find_data(shell, words, &kept, &data);
    int32_t err = ZK_OK;
    if (good)
        err = call_set(shell->connection, slice_text(path), data, version, &stat);
    buffer_deinit(&kept);
    if (!good)
        return EXIT_FAILED;
    if (err != ZK_OK)
        return answer_fail_call(err, path);
    answer_path(path);
    answer_stat(&stat, words->given[SET_STAT]);
    return 0;
}

COMMAND(run_delete)
{
    int32_t version = -1;
    const char *given = words->value[0];

    if (words->word_count < 2)
        return command_usage(command);
    const char *path = words->words[1];
    if (words->word_count > 2) {
        answer_note(
            "'delete path [version]' has been deprecated. Please use 'delete [-v version] path' "
            "instead.");
        given = given == NULL ? words->words[2] : given;
    }
    if ((given != NULL && !shell_parse_int(given, &version)) || !shell_check_path(path))
        return EXIT_FAILED;
    int32_t err = call_delete(shell->connection, slice_text(path), version);
    if (err != ZK_OK)
        return answer_fail_call(err, path);
    answer_path(path);
    return 0;
}

COMMAND(run_delete_all)
{
    int64_t batch = BATCH_DEFAULT;

    if (words->word_count < 2)
        return command_usage(command);
    if (words->given[0] && (!number_parse(slice_text(words->value[0]), 10, &batch) ||
                            batch > INT32_MAX || batch < INT32_MIN))
        return refuse("-b argument must be an int value");
    if (batch <= 0)
        return refuse("-b takes a size above 0");
    return delete_tree(shell, words->words[1], (size_t)batch);
}

COMMAND(run_rmr)
{
    (void)command;
    answer_note("The command 'rmr' has been deprecated. Please use 'deleteall' instead.");
    return delete_tree(shell, words->words[1], BATCH_DEFAULT);
}

static int32_t set_acls(struct shell *shell, const char *path, bool recursive, struct slice acl,
                        int32_t version, struct zk_stat *ret_stat)
{
    char **paths;
    size_t count;

    if (!recursive)
        return call_set_acl(shell->connection, slice_text(path), acl, version, ret_stat);
    int32_t err = shell_subtree(shell, path, &paths, &count);
    for (size_t i = 0; i < count; i++) {
        if (err == ZK_OK) {
            err = call_set_acl(shell->connection, slice_text(paths[i]), acl, version, ret_stat);
            if (err == ZK_NO_NODE && i > 0) /* deleted meanwhile */
                err = ZK_OK;
        }
        mem_free(paths[i]);
    }
    mem_free(paths);
    return err;
}

COMMAND(run_set_acl)
{
    struct zk_stat stat = {0};
    int32_t version = -1;
    struct buffer acl;

    if (words->word_count < 3)
        return command_usage(command);
    const char *path = words->words[1];
    if (words->given[ACL_VERSION] && !shell_parse_int(words->value[ACL_VERSION], &version))
        return EXIT_FAILED;
    buffer_init(&acl);
    int32_t err = ZK_INVALID_ACL;
    const char *named = NULL;
    bool good = true;
    if (acl_parse(words->words[2], &acl) > 0) {
        named = path;
        good = shell_check_path(path);
        if (good)
            err = set_acls(shell, path, words->given[ACL_RECURSIVE], buffer_slice(&acl), version,
                           &stat);
    }
    buffer_deinit(&acl);
    if (!good)
        return EXIT_FAILED;
    if (err != ZK_OK)
        return answer_fail_call(err, named);
    answer_path(path);
    answer_stat(&stat, words->given[ACL_STAT]);
    return 0;
}
