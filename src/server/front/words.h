/* words.h: the answers to four-letter words, as texts. */
#ifndef SERVER_FRONT_WORDS_H
#define SERVER_FRONT_WORDS_H

#include "server/front/four_letter.h"
#include "server/front/front_internal.h"

/* Java keeps the root under two names, "" and "/": one node and one byte more for operators. */
enum { ROOT_COUNTED_AGAIN = 1 };

/* `rest`: what came behind the word (the mask of stmk). An empty answer closes without a byte. */
void words_answer(struct connection *connection, enum four_letter_word word, struct slice rest,
                  struct buffer *out);
void words_mntr(struct front *front, struct buffer *out); /* metrics.c */
int64_t words_directory_bytes(struct disk *disk);

#endif
