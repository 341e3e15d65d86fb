/* java_text.h: numbers and dates as Java prints them, because scripts parse them. */
#ifndef SERVER_WORDS_JAVA_TEXT_H
#define SERVER_WORDS_JAVA_TEXT_H

#include "base/buffer.h"

/* Double.toString(): "0.0", "2.75", "1.0E7". */
void java_put_double(struct buffer *out, double value);
/* An average with at most four decimals as Java prints it: "0.6667". */
void java_put_average(struct buffer *out, int64_t sum, int64_t count);
/* Date.toString(): "Sat Nov 21 01:44:14 UTC 2026", local time. */
void java_put_date(struct buffer *out, int64_t wall_ms);

#endif
