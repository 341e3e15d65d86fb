/* single.c: the library without threads. The program's loop does what threads do in the other one. */
#include "capi/threads.h"

bool threads_start(zhandle_t *zh)
{
    (void)zh;
    return true;
}

void threads_wake(zhandle_t *zh)
{
    (void)zh;
}

void threads_wake_for_request(zhandle_t *zh)
{
    (void)zh;
}
