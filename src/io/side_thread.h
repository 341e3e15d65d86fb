/* side_thread.h: a thread behind the interface of base/side_work.h. */
#ifndef IO_SIDE_THREAD_H
#define IO_SIDE_THREAD_H

#include "base/side_work.h"

/* NULL: no thread can be had. */
struct side_work *side_thread_new(void);
void side_thread_free(struct side_work *side); /* no work is under way */

#endif
