/* words_internal.h: what the files of this room share. Not for other rooms. */
#ifndef SERVER_WORDS_WORDS_INTERNAL_H
#define SERVER_WORDS_WORDS_INTERNAL_H

#include "server/words/words.h"

/* Java keeps the root under two names, "" and "/": one node and one byte more for operators. */
enum { ROOT_COUNTED_AGAIN = 1 };

void words_put_metrics(const struct words *words, struct buffer *out); /* mntr.c */
void words_put_dump(const struct words *words, struct buffer *out);    /* dump.c */
void words_put_environment(struct buffer *out);                        /* environment.c */

/* "standalone", "leader", "follower", "observer"; NULL: of an ensemble, and not serving. */
const char *words_mode(const struct words *words);

#endif
