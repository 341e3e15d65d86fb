/* number.h: parses whole numbers from text that does not end with a zero byte. */
#ifndef BASE_NUMBER_H
#define BASE_NUMBER_H

#include "base/slice.h"

/* An optional sign and at least one digit of `base` (2 to 36, letters of any case), nothing else. False:
 * the text is something else, or the number is too large. */
MUST_USE bool number_parse(struct slice text, unsigned base, int64_t *ret_value);

#endif
