/* late_side.h: work beside the caller that is done as late as may be: when the caller waits for it. */
#ifndef TEST_LIB_LATE_SIDE_H
#define TEST_LIB_LATE_SIDE_H

#include "base/side_work.h"

/* Always the same one. It fails the test when a work is begun before the one before it was waited for. */
struct side_work *test_late_side(void);

#endif
