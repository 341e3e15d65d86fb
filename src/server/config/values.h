/* values.h: how Java parses a text: numbers, booleans, times. */
#ifndef SERVER_CONFIG_VALUES_H
#define SERVER_CONFIG_VALUES_H

#include "base/base.h"

/* Integer.parseInt, Long.parseLong: optional sign, decimal digits, nothing else. */
MUST_USE bool java_parse_int(const char *text, int32_t *ret_value);
MUST_USE bool java_parse_long(const char *text, int64_t *ret_value);
/* Integer.getInteger, Long.getLong (decode): also 0x, 0X, # for hex and a leading 0 for octal. */
MUST_USE bool java_decode_int(const char *text, int32_t *ret_value);
MUST_USE bool java_decode_long(const char *text, int64_t *ret_value);
MUST_USE bool java_parse_double(const char *text, double *ret_value);
/* "true" and "false" in any case; false: neither. */
MUST_USE bool java_parse_bool(const char *text, bool *ret_value);
/* autopurge.purgeInterval: hours, or with ms, s, m, h, d after the number (ZooKeeper 3.10). */
MUST_USE bool purge_interval_parse(const char *text, int64_t *ret_ms);

#endif
