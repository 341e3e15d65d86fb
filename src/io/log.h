/* log.h: the server's log, in the form that ZooKeeper's operators search:
 *
 *     2026-11-21 02:45:00,123 [myid:1] - INFO  [front] - binding to port 0.0.0.0/0.0.0.0:2181
 *
 * One line is one write(2), so lines of several threads never mix. Only the daemon logs: lower
 * rooms return a status, and their caller logs it once. */
#ifndef IO_LOG_H
#define IO_LOG_H

#include "base/base.h"

enum log_level {
    LOG_LEVEL_ERROR,
    LOG_LEVEL_WARN,
    LOG_LEVEL_INFO,
    LOG_LEVEL_DEBUG,
    LOG_LEVEL_TRACE
};

/* "error", "warn", "info", "debug", "trace", any case. False: none of them. */
bool log_level_parse(const char *text, enum log_level *ret_level);
/* path NULL: stderr. Call it before threads are started. STATUS_NO_ACCESS,
 * STATUS_READ_ONLY, STATUS_IO: the file cannot be opened. STATUS_TOO_LARGE: the path is too long. Then
 * lines continue to go to stderr. */
MUST_USE enum status log_open(const char *path, enum log_level level);
/* Opens the path again, after a rotation. Any thread. STATUS_NO_ACCESS, STATUS_READ_ONLY,
 * STATUS_IO: it cannot be opened, and lines continue to go to the old file. */
MUST_USE enum status log_reopen(void);
void log_set_myid(const char *myid); /* what stands after "myid:"; "" is unknown */
bool log_wants(enum log_level level);

void log_line(enum log_level level, const char *room, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#define log_error(...) log_line(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warn(...) log_line(LOG_LEVEL_WARN, __VA_ARGS__)
#define log_info(...) log_line(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...) log_line(LOG_LEVEL_DEBUG, __VA_ARGS__)

/* Limits lines that a stranger can cause: at most per_second_max of them are logged per second. */
struct log_limit {
    int64_t second_ms;
    uint32_t logged, suppressed;
    uint32_t per_second_max;
};
/* May this line be logged? ret_suppressed: how many were suppressed since the last one that was
 * logged. */
bool log_limit_take(struct log_limit *limit, int64_t now_ms, uint32_t *ret_suppressed);

#endif
