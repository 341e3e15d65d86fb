#include "io/notify.h"

#include "test/lib/check.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The manager's end. A name that begins with "@" is in no directory. */
static int manager_open(const char *name)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);

    CHECK(fd >= 0 && strlen(name) < sizeof(address.sun_path));
    memcpy(address.sun_path, name, strlen(name));
    if (name[0] == '@')
        address.sun_path[0] = '\0';
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name));
    CHECK(bind(fd, (struct sockaddr *)&address, size) == 0);
    return fd;
}

static void check_heard(int manager, const char *want)
{
    char text[64] = "";
    ssize_t got = recv(manager, text, sizeof(text) - 1, 0);

    CHECK(got >= 0);
    CHECK_TEXT("datagram", text, want);
}

static void check_nothing_heard(int manager)
{
    char byte;

    CHECK(recv(manager, &byte, 1, 0) < 0 && errno == EAGAIN);
}

static void own_name(char name[64], const char *begin)
{
    snprintf(name, 64, "%s-%ld", begin, (long)getpid());
}

TEST(each_word_is_one_datagram_to_a_path_or_to_an_abstract_name)
{
    static const char *const begins[] = {"/tmp/notify", "@paddock-notify"};

    for (size_t i = 0; i < 2; i++) {
        struct notify notify;
        char name[64];
        own_name(name, begins[i]);
        int manager = manager_open(name);
        CHECK_STATUS(notify_open(&notify, name, NULL, NULL), STATUS_OK);
        notify_state(&notify, "READY=1");
        notify_alive(&notify);
        check_heard(manager, "READY=1");
        check_heard(manager, "WATCHDOG=1");
        check_nothing_heard(manager);
        notify_close(&notify);
        close(manager);
        if (name[0] == '/')
            unlink(name);
    }
}

TEST(without_a_manager_nobody_is_told_and_every_call_is_allowed)
{
    struct notify notify;

    CHECK_STATUS(notify_open(&notify, NULL, "1000", NULL), STATUS_OK);
    CHECK_U64("watchdog", notify.watchdog_us, 0);
    notify_state(&notify, "READY=1");
    notify_alive(&notify);
    notify_close(&notify);
    CHECK_STATUS(notify_open(&notify, "/nowhere/at/all", NULL, NULL), STATUS_OK);
    notify_state(&notify, "READY=1");
    notify_close(&notify);
}

TEST(a_name_or_a_time_that_cannot_be_is_refused)
{
    struct notify notify;
    char long_name[200];

    memset(long_name, 'x', sizeof(long_name));
    long_name[0] = '/';
    long_name[sizeof(long_name) - 1] = '\0';
    CHECK_STATUS(notify_open(&notify, "relative", NULL, NULL), STATUS_MALFORMED);
    CHECK_STATUS(notify_open(&notify, "/", NULL, NULL), STATUS_MALFORMED);
    CHECK_STATUS(notify_open(&notify, long_name, NULL, NULL), STATUS_MALFORMED);
    CHECK_STATUS(notify_open(&notify, "/x", "soon", NULL), STATUS_MALFORMED);
    CHECK_STATUS(notify_open(&notify, "/x", "0", NULL), STATUS_MALFORMED);
    CHECK_STATUS(notify_open(&notify, "/x", "99999999999999999999", NULL), STATUS_MALFORMED);
    CHECK_STATUS(notify_open(&notify, "/x", "1000", "me"), STATUS_MALFORMED);
    CHECK_I64("socket", notify.fd, -1);
    CHECK_U64("watchdog", notify.watchdog_us, 0);
}

TEST(a_watchdog_of_another_process_is_none)
{
    struct notify notify;
    char own[32];

    snprintf(own, sizeof(own), "%ld", (long)getpid());
    CHECK_STATUS(notify_open(&notify, "/x", "1000", "1"), STATUS_OK);
    CHECK_U64("of another", notify.watchdog_us, 0);
    notify_close(&notify);
    CHECK_STATUS(notify_open(&notify, "/x", "1000", own), STATUS_OK);
    CHECK_U64("own", notify.watchdog_us, 1000);
    notify_close(&notify);
    CHECK_STATUS(notify_open(&notify, "/x", "1000", NULL), STATUS_OK);
    CHECK_U64("of anybody", notify.watchdog_us, 1000);
    notify_close(&notify);
}

TEST(a_manager_that_does_not_read_never_makes_a_sign_of_life_wait)
{
    struct notify notify;
    char name[64];

    own_name(name, "@paddock-deaf");
    int manager = manager_open(name);
    CHECK_STATUS(notify_open(&notify, name, NULL, NULL), STATUS_OK);
    for (int i = 0; i < 10000; i++) /* far more than a socket holds; a wait is a second long */
        notify_alive(&notify);
    notify_close(&notify);
    close(manager);
}
