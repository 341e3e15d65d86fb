/* guard.c: a run whose assertions are caught. What the run has in memory then is left behind. */
#include "test/lib/guard.h"

#include <setjmp.h>
#include <stdio.h>

/* Of the leak sanitizer, where there is one. */
__attribute__((weak)) void __lsan_disable(void);
__attribute__((weak)) void __lsan_enable(void);

static jmp_buf at_failure;
static char failure[256];

static void on_fatal(const char *sentence)
{
    snprintf(failure, sizeof(failure), "%s", sentence);
    longjmp(at_failure, 1);
}

void guard_expect_leaks(bool expected)
{
    if (expected && __lsan_disable != NULL)
        __lsan_disable();
    else if (!expected && __lsan_enable != NULL)
        __lsan_enable();
}

struct cluster_verdict simulate_guarded(const struct cluster_run *run)
{
    struct cluster_verdict verdict = {.failed = true};
    bool wrong = run->mutant != MUTANT_NONE || run->bug != NODE_RIGHT;

    if (wrong)
        guard_expect_leaks(true);
    base_on_fatal(on_fatal);
    if (setjmp(at_failure) == 0)
        verdict = cluster_simulate(run);
    else
        snprintf(verdict.problem, sizeof(verdict.problem), "%s", failure);
    base_on_fatal(NULL);
    if (wrong)
        guard_expect_leaks(false);
    return verdict;
}
