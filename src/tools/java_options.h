/* java_options.h: options as Java's programs take them: one letter or a long name, both after one or two
 * dashes; letters may be joined ("-sw"); a value follows as the next word, after "=", or at once
 * ("-n5"); "--" ends the options; options may stand behind other words. A long name may be
 * shortened as long as only one fits. */
#ifndef TOOLS_JAVA_OPTIONS_H
#define TOOLS_JAVA_OPTIONS_H

#include "base/base.h"

enum { JAVA_OPTIONS_MAX = 8, JAVA_OPTION_PROBLEM_BYTES = 256 };

struct java_option {
    const char *letter,
        *name; /* either may be NULL; a `letter` may have several characters ("add") */
    bool takes_value;
};

struct java_words {
    bool given[JAVA_OPTIONS_MAX];
    const char *value[JAVA_OPTIONS_MAX]; /* the first one, when an option stands there twice */
    int last
        [JAVA_OPTIONS_MAX]; /* the indexes of the options given, as they came, without doubles */
    int given_count;
    const char **words; /* what is no option, in order; java_words_deinit() */
    int word_count;
    /* When false was the answer: what Java says. */
    char problem[JAVA_OPTION_PROBLEM_BYTES];
    enum { JAVA_WORDS_GOOD, JAVA_WORDS_UNKNOWN, JAVA_WORDS_NO_VALUE, JAVA_WORDS_AMBIGUOUS } kind;
};

/* Of `words`, all of which may be options. The values and words are those of `words`. Free with
 * java_words_deinit() in any case. False: see `problem`. */
MUST_USE bool java_options_parse(const struct java_option *options, int option_count,
                                 const char *const *words, int word_count,
                                 struct java_words *ret_words);
void java_words_deinit(struct java_words *words);

#endif
