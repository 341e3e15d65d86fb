/* commands_read.c: commands that read. */
#include "shell/calls.h"
#include "shell/commands.h"
#include "shell/texts.h"
#include "shell/walk.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>

static void free_names(char **names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        mem_free(names[i]);
    mem_free(names);
}

static void print_list(char *const *names, size_t count)
{
    if (answer_is_json()) {
        struct json *json = answer_json();
        json_open(json, "children", '[');
        for (size_t i = 0; i < count; i++)
            json_text(json, NULL, slice_text(names[i]));
        json_close(json, ']');
        return;
    }
    fputc('[', stdout);
    for (size_t i = 0; i < count; i++)
        printf("%s%s", i == 0 ? "" : ", ", names[i]);
    fputs("]\n", stdout);
}

/* An extra word, whatever it is, once was "watch". */
static bool old_watch_word(const struct java_words *words, const char *line)
{
    if (words->word_count < 3)
        return false;
    answer_note("%s", line);
    return true;
}

/* Each path on its line. What cannot be read ends the list. */
struct listing {
    int32_t err;
};

static bool print_path(void *context, const struct walk_node *node)
{
    struct listing *list = context;

    list->err = node->err;
    if (node->err == ZK_OK && answer_is_json()) {
        json_text(answer_json(), NULL, slice_text(node->path));
        answer_flush();
    } else if (node->err == ZK_OK) {
        puts(node->path);
    }
    return node->err == ZK_OK;
}

static int print_recursive(struct shell *shell, const char *root)
{
    const struct walk_options options = {.depth_max = WALK_ALL};
    struct listing list = {.err = ZK_OK};

    answer_path(root);
    if (answer_is_json())
        json_open(answer_json(), "paths", '[');
    int32_t err = walk(shell->connection, root, &options, print_path, &list);
    if (answer_is_json())
        json_close(answer_json(), ']');
    err = err == ZK_OK ? list.err : err;
    return err == ZK_OK ? 0 : answer_fail_call(err, root);
}

static int print_children(struct shell *shell, const char *path, bool watch, bool with_stat)
{
    struct zk_stat stat;
    char **names;
    size_t count;
    int32_t err = shell_children(shell, path, watch, &names, &count, &stat);

    if (err != ZK_OK)
        return answer_fail_call(err, path);
    answer_path(path);
    print_list(names, count);
    answer_stat(&stat, with_stat);
    free_names(names, count);
    return 0;
}

COMMAND(run_ls)
{
    if (words->given[LS_HELP] && !answer_is_json())
        fputs("usage: ls [options] path\n -?   help\n -R   recurse\n -s   stat\n -w   watch\n",
              stdout);
    if (words->word_count < 2)
        return command_usage(command);
    const char *path = words->words[1];
    bool watch =
        old_watch_word(words, "'ls path [watch]' has been deprecated. Please use 'ls [-w] path' "
                              "instead.") ||
        words->given[LS_WATCH];
    if (!shell_check_path(path))
        return EXIT_FAILED;
    bool old = words->word_count > 2; /* then the options do not count */
    if (words->given[LS_RECURSIVE] && !old)
        return print_recursive(shell, path);
    return print_children(shell, path, watch, words->given[LS_STAT] && !old);
}

COMMAND(run_ls2)
{
    (void)command;
    answer_note("'ls2' has been deprecated. Please use 'ls [-s] path' instead.");
    if (!shell_check_path(words->words[1]))
        return EXIT_FAILED;
    return print_children(shell, words->words[1], words->word_count > 2, true);
}

static void print_base64(struct slice data)
{
    uint8_t *text = mem_alloc((data.size + 2) / 3 * 4 + 1);

    EVP_EncodeBlock(text, data.data, (int)data.size);
    puts((const char *)text);
    mem_free(text);
}

/* Sixteen bytes a line, as hexadecimal numbers and as text. */
static void print_hex(struct slice data)
{
    static const char edge[] = "+-------------------------------------------------+";

    if (data.size == 0) {
        fputc('\n', stdout);
        return;
    }
    printf("         %s\n         |  0  1  2  3  4  5  6  7  8  9  a  b  c  d  e  f |\n", edge);
    printf("+--------%s----------------+", edge);
    for (size_t at = 0; at < data.size; at += 16) {
        printf("\n|%08zx|", at);
        for (size_t i = at; i < at + 16; i++) {
            if (i < data.size)
                printf(" %02x", data.data[i]);
            else
                fputs("   ", stdout);
        }
        fputs(" |", stdout);
        for (size_t i = at; i < at + 16; i++) {
            uint8_t byte = i < data.size ? data.data[i] : ' ';
            fputc(byte <= 0x1f || byte >= 0x7f ? '.' : byte, stdout);
        }
        fputc('|', stdout);
    }
    printf("\n+--------%s----------------+\n", edge);
}

static int write_raw(struct slice data)
{
    if (fwrite(data.data, 1, data.size, stdout) == data.size && fflush(stdout) == 0)
        return 0;
    return answer_fail(EXIT_BAD_FILE, "stdout cannot be written: %s", strerror(errno));
}

COMMAND(run_get)
{
    struct slice data;
    struct zk_stat stat;

    if (words->word_count < 2)
        return command_usage(command);
    if (words->given[GET_RAW] && (words->given_count > 1 || answer_is_json()))
        return answer_fail(EXIT_USAGE, "--raw writes the data alone: no other option fits to it");
    const char *path = words->words[1];
    bool watch = old_watch_word(words, "'get path [watch]' has been deprecated. Please use 'get "
                                       "[-s] [-w] path' instead.") ||
                 words->given[GET_WATCH];
    if (!shell_check_path(path))
        return EXIT_FAILED;
    int32_t err = call_get(shell->connection, slice_text(path), watch, &data, &stat);
    if (err != ZK_OK)
        return answer_fail_call(err, path);
    bool old = words->word_count > 2; /* then the options do not count */
    answer_path(path);
    if (answer_is_json())
        json_data(answer_json(), data, words->given[GET_BASE64] && !old);
    else if (words->given[GET_RAW] && data.size == 0)
        return 0;
    else if (words->given[GET_RAW])
        return write_raw(data);
    else if (data.data == NULL)
        puts("null");
    else if (words->given[GET_BASE64] && !old)
        print_base64(data);
    else if (words->given[GET_HEX] && !old)
        print_hex(data);
    else
        shell_print_text(data);
    answer_stat(&stat, words->given[GET_STAT] && !old);
    return 0;
}

COMMAND(run_stat)
{
    struct zk_stat stat;

    if (words->word_count < 2)
        return command_usage(command);
    const char *path = words->words[1];
    bool watch = old_watch_word(words, "'stat path [watch]' has been deprecated. Please use 'stat "
                                       "[-w] path' instead.") ||
                 words->given[0];
    if (!shell_check_path(path))
        return EXIT_FAILED;
    int32_t err = call_exists(shell->connection, slice_text(path), watch, &stat);
    if (err != ZK_OK)
        return answer_fail_call(err, path);
    answer_path(path);
    answer_stat(&stat, true);
    return 0;
}

COMMAND(run_get_acl)
{
    struct jute_vector acl;
    struct zk_stat stat;

    if (words->word_count < 2)
        return command_usage(command);
    const char *path = words->words[1];
    if (!shell_check_path(path))
        return EXIT_FAILED;
    int32_t err = call_get_acl(shell->connection, slice_text(path), &acl, &stat);
    if (err != ZK_OK)
        return answer_fail_call(err, path);
    answer_path(path);
    if (answer_is_json())
        json_acl(answer_json(), acl);
    else
        acl_print(acl);
    answer_stat(&stat, words->given[0]);
    return 0;
}

COMMAND(run_get_ephemerals)
{
    struct jute_vector paths;
    struct slice one;
    const char *path = words->word_count < 2 ? "/" : words->words[1];
    const char *before = "[";

    (void)command;
    if (!shell_check_path(path))
        return EXIT_FAILED;
    int32_t err = call_ephemerals(shell->connection, slice_text(path), &paths);
    if (err != ZK_OK)
        return answer_fail_call(err, path);
    answer_path(path);
    if (answer_is_json()) {
        json_open(answer_json(), "ephemerals", '[');
        while (jute_next_text(&paths, &one))
            json_text(answer_json(), NULL, service_own_path(shell->connection, one));
        json_close(answer_json(), ']');
        return 0;
    }
    while (jute_next_text(&paths, &one)) {
        one = service_own_path(shell->connection, one);
        printf("%s%.*s", before, (int)one.size, (const char *)one.data);
        before = ", ";
    }
    puts(before[0] == '[' ? "[]" : "]");
    return 0;
}

COMMAND(run_get_all_children_number)
{
    const char *path = words->words[1];
    int32_t count;

    (void)command;
    if (!shell_check_path(path))
        return EXIT_FAILED;
    int32_t err = call_descendants(shell->connection, slice_text(path), &count);
    if (err != ZK_OK)
        return answer_fail_call(err, path);
    answer_path(path);
    if (answer_is_json())
        json_int(answer_json(), "count", count);
    else
        printf("%d\n", count);
    return 0;
}

COMMAND(run_who_am_i)
{
    struct jute_vector ids;
    struct jute_id one;

    (void)command;
    (void)words;
    int32_t err = call_who_am_i(shell->connection, &ids);
    if (err != ZK_OK)
        return answer_fail_call(err, "");
    if (answer_is_json()) {
        json_open(answer_json(), "identities", '[');
        while (jute_next_id(&ids, &one)) {
            json_open(answer_json(), NULL, '{');
            json_text(answer_json(), "scheme", one.scheme);
            json_text(answer_json(), "id", one.id);
            json_close(answer_json(), '}');
        }
        json_close(answer_json(), ']');
        return 0;
    }
    puts("Auth scheme: User");
    while (jute_next_id(&ids, &one))
        printf("%.*s: %.*s\n", (int)one.scheme.size, (const char *)one.scheme.data,
               (int)one.id.size, (const char *)one.id.data);
    return 0;
}

COMMAND(run_sync)
{
    const char *path = words->words[1];

    (void)command;
    if (!shell_check_path(path))
        return EXIT_FAILED;
    int32_t err = call_sync(shell->connection, slice_text(path));
    if (err != ZK_OK)
        (void)answer_fail_on_stdout(answer_code(err), "Sync has failed. rc=%d", err);
    else if (answer_is_json())
        answer_path(path);
    else
        puts("Sync is OK");
    return 0;
}
