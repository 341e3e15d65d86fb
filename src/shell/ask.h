/* ask.h: four-letter words to many servers at once. */
#ifndef SHELL_ASK_H
#define SHELL_ASK_H

#include "base/buffer.h"
#include "shell/servers.h"

#include <sys/socket.h>

enum { ASK_WORD_CHARS = 4 };

struct ask {
    const struct server_name *server;
    char word[ASK_WORD_CHARS + 1];
    int fd; /* -1: not connected, or done */
    bool sent, answered;
    const char *problem; /* why there is no answer */
    struct buffer text;
};

/* Asks all; returns when each is answered or has failed, or time_ms have passed, or `stop_fd` can be read
 * (-1: none). Free each `text` with ask_deinit(). */
void ask_init(struct ask *ask, const struct server_name *server, const char *word);
void ask_deinit(struct ask *ask);
void ask_all(struct ask *asks, size_t count, int time_ms, int stop_fd);

#endif
