/* progress.h: a bar on stderr for work that takes a while. Nothing is shown when stderr is no terminal, or
 * when the work is done within a moment. */
#ifndef SHELL_PROGRESS_H
#define SHELL_PROGRESS_H

#include "base/base.h"

struct progress {
    const char *what, *unit; /* "export", "znodes" */
    int64_t done, total;     /* total 0: not known */
    int64_t start_ms, shown_ms;
    bool on, visible;
};

void progress_start(struct progress *progress, const char *what, const char *unit, int64_t total);
void progress_add(struct progress *progress, int64_t more);
/* Takes the bar away. */
void progress_end(struct progress *progress);

#endif
