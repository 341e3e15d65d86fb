/* commands_write.c: commands that change znodes. */
#include "base/number.h"
#include "shell/calls.h"
#include "shell/commands.h"
#include "shell/texts.h"

#include <openssl/evp.h>
#include <stdio.h>

enum { BATCH_DEFAULT = 1000 };

static int refuse(const char *sentence)
{
    fflush(stdout);
    fprintf(stderr, "%s\n", sentence);
    return EXIT_FAILED;
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

static int create(struct shell *shell, const struct java_words *words, struct call_create *call,
                  struct buffer *acl)
{
    const char *path = words->words[1];
    struct slice made;

    if (words->word_count > 3 && acl_parse(words->words[3], acl) == 0) {
        fflush(stdout);
        fputs("KeeperErrorCode = InvalidACL\n", stderr);
        return shell_fail(ZK_INVALID_ACL, NULL);
    }
    if (words->word_count <= 3)
        acl_put_open(acl);
    call->acl = buffer_slice(acl);
    if (!check_create_path(path, words->given[CREATE_SEQUENTIAL]))
        return EXIT_FAILED;
    int32_t err = call_create(shell->connection, call, &made);
    fflush(stdout);
    if (err == ZK_INVALID_ACL)
        fprintf(stderr, "KeeperErrorCode = InvalidACL for %s\n", path);
    if (err != ZK_OK)
        return shell_fail(err, path);
    fflush(stdout);
    fprintf(stderr, "Created %.*s\n", (int)made.size, (const char *)made.data);
    return 0;
}

COMMAND(run_create)
{
    struct call_create call = {.mode = create_mode(words)};
    struct buffer acl;

    if (words->word_count < 2)
        return command_usage(command);
    const char *problem = create_problem(words, &call.ttl_ms);
    if (problem != NULL)
        return refuse(problem);
    call.path = slice_text(words->words[1]);
    call.data = words->word_count > 2 ? slice_text(words->words[2]) : SLICE_NULL;
    buffer_init(&acl);
    int code = create(shell, words, &call, &acl);
    buffer_deinit(&acl);
    return code;
}

/* Base64 into bytes, which may be those of the text. False: it is none. */
static bool decode_base64(struct slice text, struct buffer *out)
{
    size_t end = text.size;

    while (end > 0 && text.data[end - 1] == '=')
        end--;
    if (text.size % 4 != 0 || text.size - end > 2)
        return false;
    uint8_t *at = buffer_extend(out, text.size / 4 * 3 + 1);
    int size = EVP_DecodeBlock(at, text.data, (int)text.size);
    if (size < 0)
        return false;
    out->size = (size_t)size - (text.size - end);
    return true;
}

COMMAND(run_set)
{
    struct zk_stat stat;
    int32_t version = -1;
    struct buffer decoded;

    if (words->word_count < 3)
        return command_usage(command);
    const char *path = words->words[1];
    if ((words->given[SET_VERSION] && !shell_parse_int(words->value[SET_VERSION], &version)) ||
        !shell_check_path(path))
        return EXIT_FAILED;
    struct slice data = slice_text(words->words[2]);
    buffer_init(&decoded);
    if (words->given[SET_BASE64]) {
        if (!decode_base64(data, &decoded)) {
            buffer_deinit(&decoded);
            return refuse("-b takes base64, and this is none");
        }
        buffer_reserve(&decoded, 1);
        data = slice_of(decoded.data, decoded.size);
    }
    int32_t err = call_set(shell->connection, slice_text(path), data, version, &stat);
    buffer_deinit(&decoded);
    if (err != ZK_OK)
        return shell_fail(err, path);
    if (words->given[SET_STAT])
        stat_print(&stat);
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
        fflush(stdout);
        fputs("'delete path [version]' has been deprecated. Please use 'delete [-v version] path' "
              "instead.\n",
              stderr);
        given = given == NULL ? words->words[2] : given;
    }
    if ((given != NULL && !shell_parse_int(given, &version)) || !shell_check_path(path))
        return EXIT_FAILED;
    int32_t err = call_delete(shell->connection, slice_text(path), version);
    return err == ZK_OK ? 0 : shell_fail(err, path);
}

/* Children before parents, in batches of which each is deleted as a whole or not at all. */
static int delete_subtree(struct shell *shell, const char *path, size_t batch)
{
    char **paths;
    size_t count, left;

    if (!shell_check_path(path))
        return EXIT_FAILED;
    int32_t err = shell_subtree(shell, path, &paths, &count);
    if (err != ZK_OK) {
        for (size_t i = 0; i < count; i++)
            mem_free(paths[i]);
        mem_free(paths);
        return shell_fail(err, path);
    }
    for (size_t i = 0; i < count / 2; i++) {
        char *kept = paths[i];
        paths[i] = paths[count - 1 - i];
        paths[count - 1 - i] = kept;
    }
    for (left = count; left > 0;) {
        size_t size = left < batch ? left : batch;
        int32_t failed = call_delete_all(shell->connection, paths + (count - left), size);
        if (failed != ZK_OK)
            err = failed;
        if (failed == CALL_CONNECTION_LOSS)
            break;
        left -= size;
    }
    for (size_t i = 0; i < count; i++)
        mem_free(paths[i]);
    mem_free(paths);
    if (err == CALL_CONNECTION_LOSS)
        return shell_fail(err, path);
    if (err != ZK_OK) {
        fflush(stdout);
        fputs("Failed to delete some node(s) in the subtree!\n", stderr);
    }
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
    return delete_subtree(shell, words->words[1], (size_t)batch);
}

COMMAND(run_rmr)
{
    (void)command;
    fflush(stdout);
    fputs("The command 'rmr' has been deprecated. Please use 'deleteall' instead.\n", stderr);
    return delete_subtree(shell, words->words[1], BATCH_DEFAULT);
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
        return shell_fail(err, named);
    if (words->given[ACL_STAT])
        stat_print(&stat);
    return 0;
}
