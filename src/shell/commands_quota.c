/* commands_quota.c: quotas. A quota of /a is two znodes, /zookeeper/quota/a/zookeeper_limits and
 * zookeeper_stats; no quota may stand above or below another one. */
#include "base/number.h"
#include "shell/calls.h"
#include "shell/commands.h"
#include "shell/texts.h"

#include <stdio.h>
#include <stdlib.h>

#define QUOTA_ROOT "/zookeeper/quota"
#define LIMITS "zookeeper_limits"
#define STATS "zookeeper_stats"

/* The names in the text of limits, in the order of the options. */
static const char *const limit_names[QUOTA_KINDS] = {"count", "bytes", "countHardLimit",
                                                     "byteHardLimit"};

struct limits {
    int64_t values[QUOTA_KINDS]; /* -1: none */
};

static char *quota_path(const char *path, const char *name)
{
    size_t size = sizeof(QUOTA_ROOT) + strlen(path) + strlen(name) + 2;
    char *joined = mem_alloc(size);

    snprintf(joined, size, QUOTA_ROOT "%s%s%s", path, name[0] == '\0' ? "" : "/", name);
    return joined;
}

/* "count=1,bytes=2=;byteHardLimit=3;countHardLimit=4", and what older releases wrote. */
static void parse_limits(struct slice text, struct limits *ret_limits)
{
    for (int kind = 0; kind < QUOTA_KINDS; kind++)
        ret_limits->values[kind] = -1;
    while (text.size > 0) {
        size_t size = 0;
        while (size < text.size && text.data[size] != ',' && text.data[size] != ';')
            size++;
        struct slice one = slice_of(text.data, size);
        while (one.size > 0 && one.data[one.size - 1] == '=')
            one.size--;
        for (int kind = 0; kind < QUOTA_KINDS; kind++) {
            struct slice name = slice_text(limit_names[kind]);
            if (!slice_starts_with(one, name) || one.size <= name.size + 1 ||
                one.data[name.size] != '=')
                continue;
            struct slice digits = slice_of(one.data + name.size + 1, one.size - name.size - 1);
            if (!number_parse(digits, 10, &ret_limits->values[kind]))
                ret_limits->values[kind] = -1;
        }
        text = slice_of(text.data + size, text.size - size);
        if (text.size > 0)
            text = slice_of(text.data + 1, text.size - 1);
    }
}

static void put_limits(struct buffer *out, const struct limits *limits)
{
    buffer_printf(out, "count=%lld,bytes=%lld=;byteHardLimit=%lld;countHardLimit=%lld",
                  (long long)limits->values[QUOTA_COUNT], (long long)limits->values[QUOTA_BYTES],
                  (long long)limits->values[QUOTA_HARD_BYTES],
                  (long long)limits->values[QUOTA_HARD_COUNT]);
}

static int32_t read_limits(struct shell *shell, const char *path, const char *name,
                           struct limits *ret_limits)
{
    char *whole = quota_path(path, name);
    struct slice data;
    struct zk_stat stat;
    int32_t err = call_get(shell->connection, slice_text(whole), false, &data, &stat);

    if (err == ZK_OK)
        parse_limits(data, ret_limits);
    mem_free(whole);
    return err;
}

/* --- setquota --- */

/* A quota above: ZK_NODE_EXISTS, and it is said. */
static int32_t check_above(struct shell *shell, const char *path)
{
    size_t size = strlen(path);
    char *above = mem_alloc(size + 1);
    int32_t err = ZK_OK;

    memcpy(above, path, size + 1);
    for (char *slash = strrchr(above, '/'); slash > above && err == ZK_OK;
         slash = strrchr(above, '/')) {
        struct limits limits;
        *slash = '\0';
        err = read_limits(shell, above, LIMITS, &limits);
        if (err == ZK_OK) {
            (void)answer_fail(EXIT_FAILED, "%s has a parent %s which has a quota", path, above);
            err = ZK_NODE_EXISTS;
        } else if (err == ZK_NO_NODE) {
            err = ZK_OK;
        }
    }
    mem_free(above);
    return err;
}

/* A quota below: ZK_NODE_EXISTS, and it is said. */
static int32_t check_below(struct shell *shell, const char *path)
{
    char *root = quota_path(path, ""), **paths;
    size_t count, prefix = sizeof(QUOTA_ROOT) - 1;
    int32_t err = shell_subtree(shell, root, &paths, &count);

    if (err == ZK_NO_NODE)
        err = ZK_OK;
    for (size_t i = 0; i < count; i++) {
        char *slash = strrchr(paths[i], '/');
        bool below =
            strcmp(slash, "/" LIMITS) == 0 && (size_t)(slash - paths[i]) > prefix + strlen(path);
        if (below && err == ZK_OK) {
            *slash = '\0';
            (void)answer_fail(EXIT_FAILED, "%s has a child %s which has a quota", path,
                              paths[i] + prefix);
            err = ZK_NODE_EXISTS;
        }
        mem_free(paths[i]);
    }
    mem_free(paths);
    mem_free(root);
    return err;
}

static int32_t create_node(struct shell *shell, const char *path, struct slice data)
{
    struct buffer acl;
    struct slice made;

    buffer_init(&acl);
    acl_put_open(&acl);
    const struct call_create call = {
        .path = slice_text(path), .data = data, .acl = buffer_slice(&acl)};
    int32_t err = call_create(shell->connection, &call, &made);
    buffer_deinit(&acl);
    return err == ZK_NODE_EXISTS ? (int32_t)ZK_OK : err;
}

/* The znodes above the two of the quota, and the two. */
static int32_t create_quota(struct shell *shell, const char *path, struct slice limits)
{
    char *whole = quota_path(path, "");
    int32_t err = ZK_OK;

    for (char *slash = whole + sizeof(QUOTA_ROOT) - 1; slash != NULL && err == ZK_OK;) {
        slash = strchr(slash + 1, '/');
        if (slash != NULL)
            *slash = '\0';
        err = create_node(shell, whole, SLICE_NULL);
        if (slash != NULL)
            *slash = '/';
    }
    mem_free(whole);
    if (err == ZK_OK) {
        whole = quota_path(path, LIMITS);
        err = create_node(shell, whole, limits);
        mem_free(whole);
    }
    if (err == ZK_OK) {
        whole = quota_path(path, STATS);
        err = create_node(shell, whole, SLICE("count=0,bytes=0"));
        mem_free(whole);
    }
    return err;
}

static void warn_of_use(const char *noun, int64_t used)
{
    static const char format[] =
        "[Warning]: the %s quota you create is less than the existing %s:%lld";

    if (answer_is_json()) {
        answer_note(format, noun, noun, (long long)used);
        return;
    }
    printf(format, noun, noun, (long long)used);
    fputc('\n', stdout);
}

static int32_t change_quota(struct shell *shell, const char *path, struct slice text,
                            const struct limits *limits)
{
    char *whole = quota_path(path, LIMITS);
    struct limits used;
    struct zk_stat stat;
    int32_t err = call_set(shell->connection, slice_text(whole), text, -1, &stat);

    mem_free(whole);
    if (err == ZK_OK)
        err = read_limits(shell, path, STATS, &used);
    if (err != ZK_OK)
        return err;
    static const char *const nouns[] = {"count", "bytes"};
    for (int kind = 0; kind < 2; kind++) {
        int64_t soft = limits->values[kind], hard = limits->values[kind + QUOTA_HARD_COUNT];
        if ((soft > -1 && soft < used.values[kind]) || (hard > -1 && hard < used.values[kind]))
            warn_of_use(nouns[kind], used.values[kind]);
    }
    return err;
}

static int set_quota(struct shell *shell, const char *path, int kind, int64_t value)
{
    struct limits limits;
    struct buffer text;
    struct zk_stat stat;

    int32_t err = call_exists(shell->connection, slice_text(path), false, &stat);
    if (err == ZK_NO_NODE) {
        return answer_fail(EXIT_NO_NODE, "%s does not exist.", path);
    }
    if (err == ZK_OK)
        err = check_above(shell, path);
    if (err == ZK_OK)
        err = check_below(shell, path);
    if (err == ZK_NODE_EXISTS)
        return EXIT_FAILED;
    if (err == ZK_OK)
        err = read_limits(shell, path, LIMITS, &limits);
    bool is_new = err == ZK_NO_NODE;
    if (is_new)
        parse_limits(SLICE_NULL, &limits);
    else if (err != ZK_OK)
        return answer_fail_call(err, path);
    limits.values[kind] = value;
    buffer_init(&text);
    put_limits(&text, &limits);
    err = is_new ? create_quota(shell, path, buffer_slice(&text))
                 : change_quota(shell, path, buffer_slice(&text), &limits);
    buffer_deinit(&text);
    return err == ZK_OK ? 0 : answer_fail_call(err, path);
}

static int refuse_second(const struct java_words *words, const struct command *command)
{
    return answer_fail(
        EXIT_USAGE,
        "org.apache.commons.cli.AlreadySelectedException: The option '%s' was specified but an "
        "option from this group has already been selected: '%s'",
        command->options[words->last[1]].letter, command->options[words->last[0]].letter);
}

COMMAND(run_set_quota)
{
    int64_t value;

    if (words->given_count == 0)
        return answer_fail(
            EXIT_USAGE,
            "org.apache.commons.cli.MissingOptionException: Missing required option: [-n num soft "
            "quota, -b bytes soft quota, -N num hard quota, -B bytes hard quota]");
    if (words->given_count > 1)
        return refuse_second(words, command);
    if (words->word_count < 2)
        return command_usage(command);
    const char *path = words->words[1];
    int kind = words->last[0];
    bool count = kind == QUOTA_COUNT || kind == QUOTA_HARD_COUNT;
    if (slice_starts_with(slice_text(path), SLICE(QUOTA_ROOT))) {
        (void)answer_fail(EXIT_USAGE, "cannot set a quota under the path: /zookeeper/quota");
        return 0;
    }
    if (!number_parse(slice_text(words->value[kind]), 10, &value) ||
        (kind == QUOTA_COUNT && (value > INT32_MAX || value < INT32_MIN))) {
        (void)answer_fail(EXIT_USAGE,
                          "NumberFormatException happens when parsing the option value");
        return 0;
    }
    if (count ? value <= 0 : value < 0) {
        (void)answer_fail(EXIT_USAGE, "%s",
                          count ? "the num quota must be greater than zero"
                                : "the bytes quota must be greater than or equal to zero");
        return 0;
    }
    char *whole = quota_path(path, "");
    bool good = shell_check_path(path) && shell_check_path(whole);
    mem_free(whole);
    if (!good)
        return EXIT_FAILED;
    answer_path(path);
    return set_quota(shell, path, kind, value);
}

/* --- listquota --- */

static void print_part(const char *name, const char *path, struct slice data)
{
    if (answer_is_json()) {
        json_text(answer_json(), strcmp(name, "stat") == 0 ? "used" : name, data);
        return;
    }
    printf("Output %s for %s %.*s\n", name, path, (int)data.size, (const char *)data.data);
}

COMMAND(run_list_quota)
{
    const char *path = words->words[1];
    struct slice data;
    struct zk_stat stat;
    char *whole = quota_path(path, LIMITS);

    (void)command;
    answer_note("absolute path is %s", whole);
    if (!shell_check_path(whole)) {
        mem_free(whole);
        return EXIT_FAILED;
    }
    answer_path(path);
    int32_t err = call_get(shell->connection, slice_text(whole), false, &data, &stat);
    if (err == ZK_OK) {
        print_part("quota", path, data);
        mem_free(whole);
        whole = quota_path(path, STATS);
        err = call_get(shell->connection, slice_text(whole), false, &data, &stat);
        if (err == ZK_OK)
            print_part("stat", path, data);
    }
    mem_free(whole);
    if (err == ZK_NO_NODE) {
        (void)answer_fail(EXIT_NO_NODE, "quota for %s does not exist.", path);
        return 0;
    }
    return err == ZK_OK ? 0 : answer_fail_call(err, path);
}

/* --- delquota --- */

/* The empty znodes above a quota that is gone. */
static int32_t prune(struct shell *shell, const char *path)
{
    char *whole = quota_path(path, "");
    int32_t err = ZK_OK;

    while (err == ZK_OK && strlen(whole) > sizeof(QUOTA_ROOT) - 1) {
        err = call_delete(shell->connection, slice_text(whole), -1);
        *strrchr(whole, '/') = '\0';
    }
    mem_free(whole);
    return err == ZK_NOT_EMPTY || err == ZK_NO_NODE ? (int32_t)ZK_OK : err;
}

static int32_t delete_quota(struct shell *shell, const char *path)
{
    static const char *const names[] = {LIMITS, STATS};
    int32_t err = ZK_OK;

    for (size_t i = 0; i < ARRAY_LEN(names) && err == ZK_OK; i++) {
        char *whole = quota_path(path, names[i]);
        err = call_delete(shell->connection, slice_text(whole), -1);
        if (err == ZK_NO_NODE && i > 0)
            err = ZK_OK;
        mem_free(whole);
    }
    return err == ZK_OK ? prune(shell, path) : err;
}

static int32_t clear_limit(struct shell *shell, const char *path, int kind)
{
    struct limits limits;
    struct zk_stat stat;
    struct buffer text;
    int32_t err = read_limits(shell, path, LIMITS, &limits);

    if (err != ZK_OK)
        return err;
    limits.values[kind] = -1;
    buffer_init(&text);
    put_limits(&text, &limits);
    char *whole = quota_path(path, LIMITS);
    err = call_set(shell->connection, slice_text(whole), buffer_slice(&text), -1, &stat);
    mem_free(whole);
    buffer_deinit(&text);
    return err;
}

COMMAND(run_delete_quota)
{
    if (words->given_count > 1)
        return refuse_second(words, command);
    if (words->word_count < 2)
        return command_usage(command);
    const char *path = words->words[1];
    char *whole = quota_path(path, LIMITS);
    bool good = shell_check_path(whole);
    mem_free(whole);
    if (!good)
        return EXIT_FAILED;
    int32_t err = words->given_count == 0 ? delete_quota(shell, path)
                                          : clear_limit(shell, path, words->last[0]);
    if (err == ZK_NO_NODE) {
        (void)answer_fail_on_stdout(EXIT_NO_NODE, "Quota does not exist for %s", path);
        return 0;
    }
    return err == ZK_OK ? 0 : answer_fail_call(err, path);
}
