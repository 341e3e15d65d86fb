/* java_options.c: one pass over the arguments; an option with a value takes the next argument that
 * is not an option itself. Error messages are those of Java's programs, because scripts look for
 * them. */
#include "tools/java_options.h"

#include <stdio.h>
#include <string.h>

enum { NONE = -1, SEVERAL = -2 };

struct parse {
    const struct java_option *options;
    int option_count;
    int waiting; /* the option whose value comes next; NONE */
    struct java_words *words;
};

static bool fail(struct parse *parse, int kind, const char *what, const char *word)
{
    snprintf(parse->words->problem, sizeof(parse->words->problem), "%s: %s", what, word);
    parse->words->kind = kind;
    return false;
}

static int find_letter(const struct parse *parse, const char *text, size_t size)
{
    for (int i = 0; i < parse->option_count; i++) {
        const char *letter = parse->options[i].letter;
        if (letter != NULL && strlen(letter) == size && memcmp(letter, text, size) == 0)
            return i;
    }
    return NONE;
}

/* The whole name, or the start of exactly one. */
static int find_name(const struct parse *parse, const char *text, size_t size)
{
    int found = NONE;

    for (int i = 0; i < parse->option_count; i++) {
        const char *name = parse->options[i].name;
        if (name == NULL || strncmp(name, text, size) != 0)
            continue;
        if (name[size] == '\0')
            return i;
        found = found == NONE ? i : SEVERAL;
    }
    return found;
}

static const char *shown(const struct java_option *option)
{
    return option->letter != NULL ? option->letter : option->name;
}

static bool finish_waiting(struct parse *parse)
{
    if (parse->waiting == NONE)
        return true;
    return fail(parse, JAVA_WORDS_NO_VALUE, "Missing argument for option",
                shown(&parse->options[parse->waiting]));
}

static void set_value(struct parse *parse, int option, const char *value)
{
    if (parse->words->value[option] == NULL)
        parse->words->value[option] = value;
    parse->waiting = NONE;
}

/* `value`: what stood behind "="; NULL: nothing did. */
static bool take(struct parse *parse, int option, const char *value, const char *word)
{
    struct java_words *words = parse->words;

    if (value != NULL && !parse->options[option].takes_value)
        return fail(parse, JAVA_WORDS_UNKNOWN, "Unrecognized option", word);
    if (!words->given[option])
        words->last[words->given_count++] = option;
    words->given[option] = true;
    if (value != NULL)
        set_value(parse, option, value);
    else if (parse->options[option].takes_value)
        parse->waiting = option;
    return true;
}

static bool take_joined(struct parse *parse, const char *word)
{
    for (const char *at = word + 1; *at != '\0'; at++) {
        int option = find_letter(parse, at, 1);
        if (option == NONE)
            return fail(parse, JAVA_WORDS_UNKNOWN, "Unrecognized option", word);
        if (!take(parse, option, NULL, word))
            return false;
        if (parse->waiting != NONE && at[1] != '\0') {
            set_value(parse, option, at + 1);
            return true;
        }
    }
    return true;
}

static bool take_option(struct parse *parse, const char *word)
{
    bool two = word[1] == '-';
    const char *text = word + (two ? 2 : 1);
    const char *equals = strchr(text, '=');
    size_t size = equals == NULL ? strlen(text) : (size_t)(equals - text);
    int option = two ? NONE : find_letter(parse, text, size);

    if (option == NONE && (two || size > 1))
        option = find_name(parse, text, size);
    if (option == SEVERAL)
        return fail(parse, JAVA_WORDS_AMBIGUOUS, "Ambiguous option", word);
    if (option != NONE)
        return take(parse, option, equals == NULL ? NULL : equals + 1, word);
    if (two)
        return fail(parse, JAVA_WORDS_UNKNOWN, "Unrecognized option", word);
    return take_joined(parse, word);
}

/* Would this word be read as an option where a value is waited for? */
static bool is_option(const struct parse *parse, const char *word)
{
    if (word[0] != '-' || word[1] == '\0')
        return false;
    const char *text = word + (word[1] == '-' ? 2 : 1);
    size_t size = strcspn(text, "=");

    if (word[1] != '-' && find_letter(parse, text, size == 0 ? 0 : 1) != NONE)
        return true;
    return find_letter(parse, text, size) != NONE || find_name(parse, text, size) != NONE;
}

bool java_options_parse(const struct java_option *options, int option_count,
                        const char *const *words, int word_count, struct java_words *ret_words)
{
    struct parse parse = {options, option_count, NONE, ret_words};
    bool over = false;

    ASSERT(option_count <= JAVA_OPTIONS_MAX);
    memset(ret_words, 0, sizeof(*ret_words));
    ret_words->words = mem_alloc(sizeof(char *) * ((size_t)word_count + 1));
    for (int i = 0; i < word_count; i++) {
        const char *word = words[i];
        if (over) {
            ret_words->words[ret_words->word_count++] = word;
        } else if (strcmp(word, "--") == 0) {
            over = true;
        } else if (parse.waiting != NONE && !is_option(&parse, word)) {
            set_value(&parse, parse.waiting, word);
        } else if (word[0] == '-' && word[1] != '\0') {
            if (!finish_waiting(&parse) || !take_option(&parse, word))
                return false;
        } else {
            ret_words->words[ret_words->word_count++] = word;
        }
    }
    ret_words->words[ret_words->word_count] = NULL;
    return finish_waiting(&parse);
}

void java_words_deinit(struct java_words *words)
{
    mem_free(words->words);
    words->words = NULL;
}
