/* words.h: the answers to four-letter words. */
#ifndef SERVER_WORDS_WORDS_H
#define SERVER_WORDS_WORDS_H

#include "base/disk.h"
#include "server/front/front.h"
#include "server/words/four_letter.h"
#include "server/writers/log_thread.h"
#include "server/writers/snapshot_thread.h"

/* What `conf` shows of the configuration. */
struct word_settings {
    int32_t tick_ms, session_timeout_min_ms, session_timeout_max_ms;
    int32_t connections_per_host_max, listen_backlog;
    int64_t server_id;
    int32_t init_limit, sync_limit;
    const struct membership *membership; /* NULL: a standalone server */
    bool local_sessions;                 /* new sessions are local */
};

struct words { /* who knows the answers; all borrowed */
    struct host *host;
    struct replica *replica;
    struct front *front;
    struct log_thread *log;
    struct snapshot_thread *snapshots;
    struct disk *data_disk, *log_disk;
    const char *data_path, *log_path;
    struct word_settings settings;
    struct metrics *metrics; /* the server's own: the loop, the start, the process */
    int64_t started_ms;      /* monotonic, when serving began */
    uint64_t trace_mask;     /* stmk, gtmk */
};
enum {
    TRACE_MASK_DEFAULT = 306 /* Java's default: requests, server packets, sessions, warnings */
};

struct word_question {
    enum four_letter_word word;
    uint32_t asker;    /* the connection that asks */
    struct slice rest; /* what came after the word: the mask of stmk */
};

/* Appends the answer. An empty one means: close the connection without a byte. */
void words_answer(struct words *words, const struct word_question *question, struct buffer *answer);

#endif
