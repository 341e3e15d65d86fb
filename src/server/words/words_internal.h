/* words_internal.h: what the files of this room share. Not for other rooms. */
#ifndef SERVER_WORDS_WORDS_INTERNAL_H
#define SERVER_WORDS_WORDS_INTERNAL_H

#include "server/words/words.h"

/* What everybody has counted and how things are; zeroed before, metrics_deinit() behind it. */
void words_collect_metrics(const struct words *words, struct metrics *all); /* collect.c */
void words_reset_metrics(struct words *words);
void words_put_metrics(const struct words *words, struct buffer *out); /* mntr.c */
void words_put_dump(const struct words *words, struct buffer *out);    /* dump.c */
void words_put_environment(struct buffer *out);                        /* environment.c */

/* "standalone", "leader", "follower", "observer", "read-only"; NULL: of an ensemble, and not serving. */
const char *words_mode(const struct words *words); /* mode.c */
bool words_leads(const struct words *words);       /* mode.c */
bool words_read_only(const struct words *words);   /* mode.c */

#endif
