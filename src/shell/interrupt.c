/* interrupt.c: the handler only sets a flag; it is installed while the work runs, and removed by
 * the first signal. */
#include "shell/interrupt.h"

#include <signal.h>

static volatile sig_atomic_t seen;
static struct sigaction before;

static void see(int signal_number)
{
    (void)signal_number;
    seen = 1;
}

void interrupt_begin(void)
{
    struct sigaction action = {.sa_handler = see, .sa_flags = (int)SA_RESETHAND};

    seen = 0;
    sigaction(SIGINT, &action, &before);
}

void interrupt_end(void)
{
    sigaction(SIGINT, &before, NULL);
}

bool interrupt_seen(void)
{
    return seen != 0;
}
