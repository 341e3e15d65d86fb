/* zookeeper_log.h: writing lines into the library's log. */
#ifndef ZOOKEEPER_LOG_H
#define ZOOKEEPER_LOG_H

#include "zookeeper.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Lines of a higher level are not written; 0: none at all. */
extern ZOOAPI ZooLogLevel logLevel;

#define LOGCALLBACK(zh) zoo_get_log_callback(zh)
#define LOGSTREAM NULL

#define ZOO_LOG_AT(level, callback, ...)                                                           \
    if (logLevel >= (level))                                                                       \
    log_message((callback), (level), __LINE__, __func__, __VA_ARGS__)
#define LOG_ERROR(callback, ...) ZOO_LOG_AT(ZOO_LOG_LEVEL_ERROR, callback, __VA_ARGS__)
#define LOG_WARN(callback, ...) ZOO_LOG_AT(ZOO_LOG_LEVEL_WARN, callback, __VA_ARGS__)
#define LOG_INFO(callback, ...) ZOO_LOG_AT(ZOO_LOG_LEVEL_INFO, callback, __VA_ARGS__)
#define LOG_DEBUG(callback, ...) ZOO_LOG_AT(ZOO_LOG_LEVEL_DEBUG, callback, __VA_ARGS__)

/* One line: to the callback if there is one, else to the log stream. */
ZOOAPI void log_message(log_callback_fn callback, ZooLogLevel level, int line,
                        const char *function_name, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

/* The stream set with zoo_set_log_stream(); stderr by default. */
ZOOAPI FILE *zoo_get_log_stream(void);

#ifdef __cplusplus
}
#endif

#endif
