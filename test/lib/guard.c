/* guard.c: a run whose assertions are caught. What the run has in memory then is left behind. */
#include "test/lib/guard.h"

#include <setjmp.h>
#include <stdio.h>

static jmp_buf at_failure;
static char failure[256];

static void on_fatal(const char *sentence)
{
    snprintf(failure, sizeof(failure), "%s", sentence);
    longjmp(at_failure, 1);
}

struct cluster_verdict simulate_guarded(const struct cluster_run *run)
{
    struct cluster_verdict verdict = {.failed = true};

    base_on_fatal(on_fatal);
    if (setjmp(at_failure) == 0)
        verdict = cluster_simulate(run);
    else
        snprintf(verdict.problem, sizeof(verdict.problem), "%s", failure);
    base_on_fatal(NULL);
    return verdict;
}
