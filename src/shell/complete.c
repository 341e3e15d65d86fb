/* complete.c: the word at the cursor decides: a path, or the name of a command. */
#include "shell/complete.h"

#include "base/array.h"

#include <stdio.h>
#include <string.h>

enum { COLUMN_GAP = 3 };

static void add(struct completion *completion, size_t *capacity, const char *name)
{
    completion->candidates =
        ARRAY_RESERVE(completion->candidates, *capacity, completion->count + 1, ARRAY_FIRST);
    char *copy = mem_alloc(strlen(name) + 1);
    memcpy(copy, name, strlen(name) + 1);
    completion->candidates[completion->count++] = copy;
}

static void find_commands(const struct shell *shell, struct completion *completion,
                          struct slice word)
{
    size_t capacity = 0;

    completion->typed = word.size;
    for (size_t i = 0; i < shell->command_count; i++) {
        const struct command *command = &shell->commands[i];
        if (command->kind != OLD && slice_starts_with(slice_text(command->name), word))
            add(completion, &capacity, command->name);
    }
}

static void find_children(struct shell *shell, struct completion *completion, struct slice word)
{
    size_t name_at = word.size, count, capacity = 0;
    struct zk_stat stat;
    char **names;

    while (word.data[name_at - 1] != '/')
        name_at--;
    struct slice prefix = slice_of(word.data + name_at, word.size - name_at);
    size_t parent_size = name_at == 1 ? 1 : name_at - 1;
    char *parent = mem_alloc(parent_size + 1);
    memcpy(parent, word.data, parent_size);
    parent[parent_size] = '\0';
    completion->typed = prefix.size;
    if (shell_children(shell, parent, false, &names, &count, &stat) == ZK_OK) {
        for (size_t i = 0; i < count; i++) {
            if (slice_starts_with(slice_text(names[i]), prefix))
                add(completion, &capacity, names[i]);
            mem_free(names[i]);
        }
        mem_free(names);
    }
    mem_free(parent);
}

void completion_find(struct shell *shell, struct slice typed, struct completion *ret_completion)
{
    size_t start = typed.size;

    *ret_completion = (struct completion){0};
    while (start > 0 && typed.data[start - 1] != ' ')
        start--;
    struct slice word = slice_of(typed.data + start, typed.size - start);
    ret_completion->first_word = slice_trim(slice_of(typed.data, start)).size == 0;
    enum service_state state = service_state(shell->connection);
    if (word.size == 0 || word.data[0] != '/')
        find_commands(shell, ret_completion, word);
    else if (state == SERVICE_CONNECTED || state == SERVICE_READ_ONLY)
        find_children(shell, ret_completion, word);
}

void completion_deinit(struct completion *completion)
{
    for (size_t i = 0; i < completion->count; i++)
        mem_free(completion->candidates[i]);
    mem_free(completion->candidates);
}

struct slice completion_common(const struct completion *completion)
{
    if (completion->count == 0)
        return SLICE_NULL;
    const char *first = completion->candidates[0];
    size_t size = strlen(first);
    for (size_t i = 1; i < completion->count; i++) {
        size_t same = 0;
        while (same < size && completion->candidates[i][same] == first[same])
            same++;
        size = same;
    }
    while (size > completion->typed && ((uint8_t)first[size] & 0xc0) == 0x80)
        size--; /* whole characters only */
    return slice_of(first + completion->typed, size - completion->typed);
}

/* Characters, as far as each takes one column. */
static size_t columns(const char *text)
{
    size_t count = 0;

    for (; *text != '\0'; text++)
        count += ((uint8_t)*text & 0xc0) != 0x80;
    return count;
}

void completion_print(const struct completion *completion, size_t width)
{
    size_t widest = 0, used = 0;

    for (size_t i = 0; i < completion->count; i++) {
        size_t size = columns(completion->candidates[i]);
        widest = size > widest ? size : widest;
    }
    widest += COLUMN_GAP;
    for (size_t i = 0; i < completion->count; i++) {
        if (used > 0 && used + widest > width) {
            fputc('\n', stdout);
            used = 0;
        }
        int gap = (int)(widest - columns(completion->candidates[i]));
        printf("%s%*s", completion->candidates[i], gap, "");
        used += widest;
    }
    fputc('\n', stdout);
}
