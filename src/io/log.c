/* log.c: one log of the process. A line is formatted in the caller's stack and written by one write(2), so
 * it allocates nothing and lines never mix. Control characters are replaced: a line stays one line. */
#include "io/log.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { LINE_BYTES_MAX = 4096 };

/* The one log of the process. The lock is held for reopening and for the file descriptor only. */
static struct {
    pthread_mutex_t lock;
    int fd;
    enum log_level level;
    char path[4096]; /* "": stderr */
    char myid[24];
} the_log = {.lock = PTHREAD_MUTEX_INITIALIZER, .fd = STDERR_FILENO, .level = LOG_LEVEL_INFO};

static const char *const level_names[] = {"ERROR", "WARN ", "INFO ", "DEBUG", "TRACE"};

bool log_level_parse(const char *text, enum log_level *ret_level)
{
    static const char *const names[] = {"error", "warn", "info", "debug", "trace"};

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (strcasecmp(text, names[i]) == 0) {
            *ret_level = (enum log_level)i;
            return true;
        }
    }
    return false;
}

static enum status open_path(const char *path, int *ret_fd)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);

    if (fd < 0)
        return errno == EACCES ? STATUS_NO_ACCESS : errno == EROFS ? STATUS_READ_ONLY : STATUS_IO;
    *ret_fd = fd;
    return STATUS_OK;
}

enum status log_open(const char *path, enum log_level level)
{
    the_log.level = level;
    if (path == NULL)
        return STATUS_OK;
    if (strlen(path) >= sizeof(the_log.path))
        return STATUS_TOO_LARGE;
    enum status status = open_path(path, &the_log.fd);
    if (status == STATUS_OK)
        strcpy(the_log.path, path);
    return status;
}

enum status log_reopen(void)
{
    int fd = -1;

    if (the_log.path[0] == '\0')
        return STATUS_OK;
    enum status status = open_path(the_log.path, &fd);
    if (status != STATUS_OK)
        return status;
    pthread_mutex_lock(&the_log.lock);
    int old = the_log.fd;
    the_log.fd = fd;
    pthread_mutex_unlock(&the_log.lock);
    close(old);
    return STATUS_OK;
}

void log_set_myid(const char *myid)
{
    snprintf(the_log.myid, sizeof(the_log.myid), "%s", myid);
}

bool log_wants(enum log_level level)
{
    return level <= the_log.level;
}

void log_line(enum log_level level, const char *room, const char *format, ...)
{
    char line[LINE_BYTES_MAX];
    struct timespec now;
    struct tm local;
    va_list arguments;

    if (!log_wants(level))
        return;
    clock_gettime(CLOCK_REALTIME, &now);
    localtime_r(&now.tv_sec, &local);
    size_t size = strftime(line, sizeof(line), "%Y-%m-%d %H:%M:%S", &local);
    size += (size_t)snprintf(line + size, sizeof(line) - size, ",%03d [myid:%s] - %s [%s] - ",
                             (int)(now.tv_nsec / 1000000), the_log.myid, level_names[level], room);
    size_t sentence = size;
    va_start(arguments, format);
    int wanted = vsnprintf(line + size, sizeof(line) - size, format, arguments);
    va_end(arguments);
    size += wanted < 0 ? 0 : (size_t)wanted;
    if (size > sizeof(line) - 1)
        size = sizeof(line) - 1;
    /* Names and values may come from strangers: a line stays one line. */
    for (size_t i = sentence; i < size; i++) {
        if (iscntrl((unsigned char)line[i]) && line[i] != '\t')
            line[i] = '?';
    }
    line[size++] = '\n';
    pthread_mutex_lock(&the_log.lock);
    ssize_t written = write(the_log.fd, line, size);
    pthread_mutex_unlock(&the_log.lock);
    (void)written; /* there is nowhere to complain about a log that cannot be written */
}

bool log_limit_take(struct log_limit *limit, int64_t now_ms, uint32_t *ret_suppressed)
{
    if (limit->second_ms == 0 || now_ms - limit->second_ms >= 1000) {
        limit->second_ms = now_ms;
        limit->logged = 0;
    }
    if (limit->logged >= limit->per_second_max) {
        limit->suppressed++;
        return false;
    }
    limit->logged++;
    *ret_suppressed = limit->suppressed;
    limit->suppressed = 0;
    return true;
}
