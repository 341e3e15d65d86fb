/* guard.h: a simulated run whose assertions are caught: one that fails is the verdict, and not the end of
 * the process. Sets the process's handler of base_on_fatal(). */
#ifndef TEST_LIB_GUARD_H
#define TEST_LIB_GUARD_H

#include "sim/cluster.h"

/* What a run leaves behind that an assertion ends is no leak to the sanitizer: between the two calls. */
void guard_expect_leaks(bool expected);

struct cluster_verdict simulate_guarded(const struct cluster_run *run);

#endif
