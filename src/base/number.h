/* number.h: whole numbers out of text that is borrowed and does not end with 0. */
#ifndef BASE_NUMBER_H
#define BASE_NUMBER_H

#include "base/slice.h"

/* An optional sign, at least one digit of `base` (2 to 36, letters of any case), nothing else. False
 * where it is not that, or does not fit. */
MUST_USE bool number_parse(struct slice text, unsigned base, int64_t *ret_value);

#endif
