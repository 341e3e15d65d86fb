/* utf16.h: how long a text is for a Java program. */
#ifndef BASE_UTF16_H
#define BASE_UTF16_H

#include "base/slice.h"

/* Of UTF-8. Malformed UTF-8 has a length, too. */
size_t utf16_units(struct slice text);

#endif
