/* complete.h: candidates for completion. */
#ifndef SHELL_COMPLETE_H
#define SHELL_COMPLETE_H

#include "shell/shell.h"

struct completion {
    char **candidates; /* in order; each is a whole name */
    size_t count;
    size_t typed; /* how many bytes of the candidates are typed already */
    bool first_word;
};

/* For the text before the cursor: names of commands, or, for a word that begins with "/", the children
 * of its parent (one call). Free with completion_deinit(). */
void completion_find(struct shell *shell, struct slice typed, struct completion *ret_completion);
void completion_deinit(struct completion *completion);
/* The bytes after the typed ones that all candidates share. */
struct slice completion_common(const struct completion *completion);
/* The candidates in columns as wide as the longest one and three, on a terminal of `width` columns. */
void completion_print(const struct completion *completion, size_t width);

#endif
