#include "tools/java_options.h"

#include "test/lib/check.h"

#include <string.h>

enum { SIZE, WATCH, VERSION, ADD };
static const struct java_option options[] = {
    [SIZE] = {"s", NULL, false},
    [WATCH] = {"w", "watch", false},
    [VERSION] = {"v", "version", true},
    [ADD] = {"add", NULL, true},
};

static bool parse(struct java_words *ret_words, const char *const *words, int count)
{
    return java_options_parse(options, ARRAY_LEN(options), words, count, ret_words);
}

#define PARSE(words, ...)                                                                          \
    parse(words, (const char *const[]){__VA_ARGS__},                                               \
          (int)(sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *)))

TEST(options_may_stand_anywhere_and_letters_may_be_joined)
{
    struct java_words words;

    CHECK(PARSE(&words, "-sw", "/a", "-v", "3", "b"));
    CHECK(words.given[SIZE] && words.given[WATCH] && words.given[VERSION]);
    CHECK_TEXT("word", words.value[VERSION], "3");
    CHECK_I64("words", words.word_count, 2);
    CHECK_TEXT("first", words.words[0], "/a");
    CHECK_TEXT("second", words.words[1], "b");
    java_words_deinit(&words);
}

TEST(a_value_may_follow_in_four_ways)
{
    static const char *const ways[][2] = {
        {"-v", "-5"}, {"-v=-5", "x"}, {"-v-5", "x"}, {"--version=-5", "x"}};

    for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
        struct java_words words;
        CHECK(parse(&words, ways[i], 2));
        CHECK_TEXT("word", words.value[VERSION], "-5");
        CHECK_I64("words", words.word_count, i == 0 ? 0 : 1);
        java_words_deinit(&words);
    }
}

TEST(long_names_may_be_shortened_and_a_letter_may_be_a_word)
{
    struct java_words words;

    CHECK(PARSE(&words, "--wa", "-add", "x=y", "-ver", "7"));
    CHECK(words.given[WATCH]);
    CHECK_TEXT("add", words.value[ADD], "x=y");
    CHECK_TEXT("version", words.value[VERSION], "7");
    java_words_deinit(&words);
}

TEST(two_dashes_end_the_options)
{
    struct java_words words;

    CHECK(PARSE(&words, "--", "-s", "-"));
    CHECK_I64("words", words.word_count, 2);
    CHECK(!words.given[SIZE]);
    java_words_deinit(&words);
}

static void check_problem(const char *word, const char *want)
{
    struct java_words words;

    CHECK(!parse(&words, &word, 1));
    CHECK_TEXT("problem", words.problem, want);
    java_words_deinit(&words);
}

TEST(what_is_wrong_is_named)
{
    check_problem("-q", "Unrecognized option: -q");
    check_problem("-sq", "Unrecognized option: -sq");
    check_problem("-5", "Unrecognized option: -5");
    check_problem("--nothing", "Unrecognized option: --nothing");
    check_problem("-v", "Missing argument for option: v");
    check_problem("-add", "Missing argument for option: add");
}
