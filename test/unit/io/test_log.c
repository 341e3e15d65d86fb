#include "io/log.h"

#include "test/lib/check.h"

#include <fcntl.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static size_t read_file(const char *path, char *text, size_t size)
{
    int fd = open(path, O_RDONLY);
    CHECK(fd >= 0);
    ssize_t got = read(fd, text, size - 1);
    close(fd);
    CHECK(got >= 0);
    text[got] = '\0';
    return (size_t)got;
}

static bool matches(const char *text, const char *pattern)
{
    regex_t regex;

    CHECK(regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB) == 0);
    bool found = regexec(&regex, text, 0, NULL, 0) == 0;
    regfree(&regex);
    return found;
}

TEST(a_level_has_a_name_in_any_case)
{
    enum log_level level = LOG_LEVEL_INFO;

    CHECK(log_level_parse("WARN", &level) && level == LOG_LEVEL_WARN);
    CHECK(log_level_parse("trace", &level) && level == LOG_LEVEL_TRACE);
    CHECK(!log_level_parse("loud", &level));
}

TEST(a_line_has_time_level_id_room_and_a_sentence_and_is_one_line)
{
    char path[] = "/tmp/log-XXXXXX", rotated[64], text[2048];
    int fd = mkstemp(path);

    CHECK(fd >= 0);
    close(fd);
    CHECK_STATUS(log_open("/nowhere/at/all/log", LOG_LEVEL_INFO), STATUS_IO);
    CHECK_STATUS(log_open(path, LOG_LEVEL_INFO), STATUS_OK);
    log_set_myid("3");
    log_info("front", "two\nlines peer=%s", "/10.0.0.1");
    log_debug("front", "not wanted");
    CHECK_U64("one line", read_file(path, text, sizeof(text)) > 0, 1);
    CHECK(matches(text, "^[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2},[0-9]{3} "
                        "\\[myid:3\\] - INFO  \\[front\\] - two\\?lines peer=/10\\.0\\.0\\.1\n$"));
    snprintf(rotated, sizeof(rotated), "%s.1", path);
    CHECK(rename(path, rotated) == 0);
    log_warn("main", "still in the old file");
    CHECK_STATUS(log_reopen(), STATUS_OK);
    log_error("main", "in the new file");
    read_file(rotated, text, sizeof(text));
    CHECK(strstr(text, "WARN  [main] - still in the old file\n") != NULL);
    read_file(path, text, sizeof(text));
    CHECK(strstr(text, "ERROR [main] - in the new file\n") != NULL);
    CHECK(strstr(text, "old file") == NULL);
    unlink(path);
    unlink(rotated);
}

TEST(strangers_can_cause_only_so_many_lines_a_second)
{
    struct log_limit limit = {.per_second_max = 2};
    uint32_t suppressed = 9;

    CHECK(log_limit_take(&limit, 5000, &suppressed));
    CHECK_U64("held back", suppressed, 0);
    CHECK(log_limit_take(&limit, 5001, &suppressed));
    CHECK(!log_limit_take(&limit, 5002, &suppressed));
    CHECK(!log_limit_take(&limit, 5999, &suppressed));
    CHECK(log_limit_take(&limit, 6000, &suppressed));
    CHECK_U64("held back", suppressed, 2);
}
