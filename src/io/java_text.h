/* java_text.h: numbers and dates as Java prints them, because scripts parse them. */
#ifndef IO_JAVA_TEXT_H
#define IO_JAVA_TEXT_H

#include "base/buffer.h"

/* Double.toString(): "0.0", "2.75", "1.0E7". */
void java_put_double(struct buffer *out, double value);
/* An average with at most four decimals as Java prints it: "0.6667". */
void java_put_average(struct buffer *out, int64_t sum, int64_t count);
/* Date.toString(): "Sat Nov 21 01:44:14 UTC 2026", local time. */
void java_put_date(struct buffer *out, int64_t wall_ms);
/* "11/21/26, 2:21:19 AM UTC" and "Nov 21, 2026, 2:21:19 AM": the styles SHORT/LONG and MEDIUM of
 * DateFormat in English, local time. */
void java_put_date_short(struct buffer *out, int64_t wall_ms);
void java_put_date_medium(struct buffer *out, int64_t wall_ms);
/* Bytes as Java prints them after it has read them as UTF-8: what is malformed becomes U+FFFD; and two
 * surrogates of three bytes each, which is how ZooKeeper stores them, become one character. */
void java_put_text(struct buffer *out, struct slice bytes);

#endif
