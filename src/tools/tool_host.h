/* tool_host.h: the terminal and signals of offline commands; and new files, which get their names
 * only when they are complete. */
#ifndef TOOLS_TOOL_HOST_H
#define TOOLS_TOOL_HOST_H

#include "base/base.h"

#include <stdio.h>

/* From here on Ctrl-C (and SIGTERM, SIGHUP) does not end the process: the command checks for it
 * regularly, removes what is half done, and returns TOOL_INTERRUPTED. */
void tool_interrupt_watch(void);
bool tool_interrupted(void);

/* Waits until there is something to read on standard input, which is not buffered from then on. False: a
 * signal came. */
bool tool_wait_for_input(void);

/* "yes" or "y" on standard input, after this question on stderr. Anything else, the end of the input and an
 * interruption are a no. */
bool tool_ask(const char *question);

/* "copying  45%  120 MB of 270 MB" on stderr, when that is a terminal; it is rewritten now and then. */
struct tool_progress {
    const char *what;
    uint64_t total_bytes; /* 0: not known */
    int64_t shown_at_ms;
    bool on, shown;
};
void tool_progress_begin(struct tool_progress *progress, const char *what, uint64_t total_bytes);
void tool_progress_show(struct tool_progress *progress, uint64_t bytes);
void tool_progress_end(struct tool_progress *progress); /* the line is cleared */

/* A new file `path`, which is written to the name `path`.partial; two processes cannot write the same one. */
struct tool_output {
    char *path, *partial;
    int fd;
};
/* False: reported on stderr. `overwrite`: a file of this name may exist, and is replaced at the
 * end. */
MUST_USE bool tool_output_open(struct tool_output *output, const char *path, bool overwrite);
/* Writes at an offset. False: reported. */
MUST_USE bool tool_output_write(struct tool_output *output, uint64_t offset, const void *bytes,
                                size_t size);
/* Makes it durable and gives it its name. False: reported, and the file is removed. Frees in any
 * case. */
MUST_USE bool tool_output_finish(struct tool_output *output, bool overwrite);
void tool_output_discard(struct tool_output *output); /* removes it */

char *tool_join(const char *left, const char *middle, const char *right); /* mem_free() it */
/* False: stdout could not be written; reported. */
MUST_USE bool tool_flush(void);

#endif
