/* log.c: lines of the library's log. A line is formatted in full before it is written, so that lines of
 * several threads do not mix. */
#include "capi/public.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { LINE_BYTES_MAX = 4096 };

ZooLogLevel logLevel = ZOO_LOG_LEVEL_INFO;
static FILE *_Atomic stream;

void zoo_set_debug_level(ZooLogLevel level)
{
    logLevel = level;
}

void zoo_set_log_stream(FILE *wanted)
{
    atomic_store(&stream, wanted);
}

FILE *zoo_get_log_stream(void)
{
    FILE *set = atomic_load(&stream);

    return set == NULL ? stderr : set;
}

static const char *name_of(ZooLogLevel level)
{
    static const char *const names[] = {"ZOO_INVALID", "ZOO_ERROR", "ZOO_WARN", "ZOO_INFO",
                                        "ZOO_DEBUG"};

    return (unsigned)level < sizeof(names) / sizeof(names[0]) ? names[level] : names[0];
}

static size_t put_head(char *line, size_t max, ZooLogLevel level, int number, const char *function)
{
    struct timespec now = {0};
    struct tm parts = {0};
    char date[32] = "";

    clock_gettime(CLOCK_REALTIME, &now);
    localtime_r(&now.tv_sec, &parts);
    strftime(date, sizeof(date), "%Y-%m-%d %H:%M:%S", &parts);
    int size =
        snprintf(line, max, "%s,%03ld:%d(0x%lx):%s@%s@%d: ", date, now.tv_nsec / 1000000,
                 (int)getpid(), (unsigned long)pthread_self(), name_of(level), function, number);
    return size < 0 ? 0 : (size_t)size < max ? (size_t)size : max - 1;
}

void log_message(log_callback_fn callback, ZooLogLevel level, int line, const char *function_name,
                 const char *format, ...)
{
    char text[LINE_BYTES_MAX];
    size_t head = put_head(text, sizeof(text), level, line, function_name);
    va_list arguments;

    va_start(arguments, format);
    /* Cut where it is longer than the line. */
    (void)vsnprintf(text + head, sizeof(text) - head, format, arguments);
    va_end(arguments);
    if (callback != NULL) {
        callback(text);
        return;
    }
    FILE *to = zoo_get_log_stream();
    fprintf(to, "%s\n", text);
    fflush(to);
}
