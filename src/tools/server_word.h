/* server_word.h: sends a four-letter word to a server. Each step waits at most five seconds, as
 * ZooKeeper's tool does. */
#ifndef TOOLS_SERVER_WORD_H
#define TOOLS_SERVER_WORD_H

#include "base/buffer.h"

enum { SERVER_WORD_PROBLEM_BYTES = 128 };

/* "host", "host:port", "[v6]", "[v6]:port"; 2181 by default. False: none of these forms. */
bool server_word_is_address(const char *text);

struct server_word {
    int fd;
    bool local; /* the server is on this machine */
    char problem[SERVER_WORD_PROBLEM_BYTES];
};
/* Connects and asks. False: see `problem`. Close when true. */
MUST_USE bool server_word_open(struct server_word *question, const char *address, const char *word);
/* The next part of the answer: its size, 0 at its end, -1: see `problem`. */
int server_word_read(struct server_word *question, char *bytes, size_t capacity);
void server_word_close(struct server_word *question);

/* The whole answer, appended, and whether the server is on this machine. False: *ret_problem. */
MUST_USE bool server_word_ask(const char *address, const char *word, struct buffer *answer,
                              bool *ret_local, char ret_problem[SERVER_WORD_PROBLEM_BYTES]);

#endif
