/* connections_lines.h: what is known of each server, and its connection. Only for the files of the connections. */
#ifndef REPLICA_ELECTION_CONNECTIONS_LINES_H
#define REPLICA_ELECTION_CONNECTIONS_LINES_H

#include "replica/election/connections.h"

/* Connections without a name, and lines of servers not configured. */
enum { LINES_STRANGERS_MAX = 256 };

struct line {
    int64_t id;
    uint64_t dialing, open; /* numbers; 0: none */
    bool open_is_ours;      /* we dialled it */
    int64_t opened_ms;
    bool has_waiting, has_last;
    struct buffer waiting, last;
    int64_t dial_at_ms; /* INT64_MAX: not planned */
    int32_t redial_ms;
    uint32_t dials;             /* in vain, since it was open */
    struct buffer learned_host; /* where it said that it can be reached; empty: nowhere */
    uint16_t learned_port;      /* both stay as they are while they are dialled */
    enum election_link link;    /* as it was told */
};

struct connection { /* one that is open */
    uint64_t number;
    bool named;
    int64_t id;             /* named */
    int64_t hello_until_ms; /* not named */
    struct buffer bytes;    /* of a message that is not whole yet */
};

struct news {
    struct connections_news what;
    size_t offset, size; /* of a message, in news_bytes */
};

struct connections {
    struct connections_options options;
    const struct membership *committed, *last_seen;
    bool looking; /* an election runs: all voters are to be heard */
    struct line *lines;
    struct connection *connections;
    uint32_t line_count, line_capacity, connection_count, connection_capacity;
    int64_t next_nameless; /* id of the next observer that has none */
    struct news *news;
    uint32_t news_count, news_capacity, news_taken;
    struct buffer news_bytes;
};

void lines_deinit(struct line *line);
struct line *lines_find(const struct connections *connections, int64_t id);         /* NULL: none */
struct line *lines_dialing(const struct connections *connections, uint64_t number); /* likewise */
/* NULL: it is a stranger, and there are enough of them. */
struct line *lines_get(struct connections *connections, int64_t id);
/* A stranger's line ends with its connection: then `line` is another one, or none. */
void lines_forget_stranger(struct connections *connections, struct line *line);
bool lines_is_wanted(const struct connections *connections, const struct line *line);
void lines_dial(struct connections *connections, struct line *line, struct effects *effects);
/* There is no connection: when is the next try? May forget the line. */
void lines_plan(struct connections *connections, struct line *line, int64_t now_ms);
void lines_lost(struct connections *connections, struct line *line, int64_t now_ms); /* likewise */

/* NULL: it is no member of a configuration. */
const struct member *connections_configured(const struct connections *connections, int64_t id);
struct connection *connections_find(const struct connections *connections, uint64_t number);
struct connection *connections_add(struct connections *connections, uint64_t number);
void connections_drop(struct connections *connections, struct connection *connection);
void connections_hang_up(struct connections *connections, uint64_t number, const char *reason,
                         struct effects *effects);

/* For connections_next(). */
void lines_tell_link(struct connections *connections, struct line *line, enum election_link link);
void connections_tell_message(struct connections *connections, int64_t from, struct slice message);

#endif
