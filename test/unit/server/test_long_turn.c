/* test_long_turn.c: which turns are logged, and what of them, under clocks that this file moves. */
#include "server/turn.h"

#include "io/log.h"
#include "test/lib/check.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static int64_t wall_us = 1000000, cpu_us = 500000;

int clock_gettime(clockid_t id, struct timespec *ret_time)
{
    int64_t us = id == CLOCK_MONOTONIC ? wall_us : cpu_us;

    if (id != CLOCK_MONOTONIC && id != CLOCK_THREAD_CPUTIME_ID)
        return (int)syscall(SYS_clock_gettime, id, ret_time);
    *ret_time = (struct timespec){.tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000};
    return 0;
}

static void pass(int64_t wall, int64_t cpu)
{
    wall_us += wall;
    cpu_us += cpu;
}

/* A turn of so long, in which three frames came; what was logged of it. */
static void turn_of(struct turn *turn, int64_t wall, int64_t cpu, char *text, size_t size)
{
    char path[] = "/tmp/paddock-long-turn-XXXXXX";
    struct metrics replica = {0}, metrics = {0};
    int fd = mkstemp(path);

    CHECK(fd >= 0);
    CHECK_STATUS(log_open(path, LOG_LEVEL_INFO), STATUS_OK);
    turn_begin(turn, &replica);
    CHECK(turn_has_begun(turn));
    turn->events[REPLICA_CLIENT_FRAME] = 3;
    turn->records = 2;
    metrics_count(&replica, METRIC_CHANGES_APPLIED, 5);
    pass(wall, cpu);
    turn_end(turn, &replica, &metrics);
    CHECK(!turn_has_begun(turn));
    CHECK_I64("turns", metrics_summary(&metrics, METRIC_TURN_TIME)->count, 1);
    CHECK_I64("how long", metrics_summary(&metrics, METRIC_TURN_TIME)->max, wall);
    ssize_t got = read(fd, text, size - 1);
    CHECK(got >= 0);
    text[got] = '\0';
    close(fd);
    unlink(path);
    metrics_deinit(&metrics);
    pass(1000, 0); /* the loop sleeps */
}

TEST(a_turn_is_logged_that_lasts_or_works_long)
{
    static const struct {
        int64_t wall_us, cpu_us;
        const char *logged; /* NULL: nothing */
    } rows[] = {
        {500, 500, NULL},
        {20000, 20000, NULL},
        {99000, 1000, NULL},
        {101000, 1000,
         "a turn of the event loop took 101 ms, in which no request was read cpu_ms=1 frames=3 "},
        {25000, 21000, " took 25 ms, in which no request was read cpu_ms=21 frames=3 "},
        {300000, 300000, " took 300 ms, in which no request was read cpu_ms=300 frames=3 "},
    };
    struct turn turn = {0};
    char text[1024];

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        turn_of(&turn, rows[i].wall_us, rows[i].cpu_us, text, sizeof(text));
        if (rows[i].logged == NULL) {
            CHECK_TEXT("nothing is logged", text, "");
            continue;
        }
        CHECK(strstr(text, " WARN ") != NULL);
        CHECK(strstr(text, rows[i].logged) != NULL);
        CHECK(strstr(text, " changes=5 records=2 ") != NULL);
    }
}

TEST(the_line_tells_how_many_pages_were_touched_first)
{
    enum { BYTES = 4 << 20, PAGE_BYTES = 4096 };
    struct metrics replica = {0}, metrics = {0};
    char path[] = "/tmp/paddock-long-turn-XXXXXX", text[1024];
    struct turn turn = {0};
    int fd = mkstemp(path);

    CHECK(fd >= 0);
    CHECK_STATUS(log_open(path, LOG_LEVEL_INFO), STATUS_OK);
    turn_begin(&turn, &replica);
    char *fresh = mem_alloc(BYTES);
    for (size_t i = 0; i < BYTES; i += PAGE_BYTES)
        ((volatile char *)fresh)[i] = 1;
    pass(30000, 30000);
    turn_end(&turn, &replica, &metrics);
    ssize_t got = read(fd, text, sizeof(text) - 1);
    CHECK(got > 0);
    text[got] = '\0';
    const char *at = strstr(text, "page_faults=");
    CHECK(at != NULL);
    long faults = strtol(at + strlen("page_faults="), NULL, 10);
    CHECK(faults > 0 && faults < 100000);
    mem_free(fresh);
    metrics_deinit(&metrics);
    close(fd);
    unlink(path);
}
