/* txnlog_payload.h: checks whether what a leader proposed may be logged as it came. A learner calls
 * it before it relies on bytes from another server. */
#ifndef REPLICA_STORE_TXNLOG_PAYLOAD_H
#define REPLICA_STORE_TXNLOG_PAYLOAD_H

#include "base/arena.h"
#include "replica/effects/effects.h"

/* `zxid`: of the packet. `last_zxid`: of the record before. OK: *ret_append may be appended; it points
 * into `payload`. The arena is for temporary memory. STATUS_EXISTS: an error with the zxid of the
 * record before, as 3.9.0 to 3.9.5 propose it: it
 *     changes nothing and is not to be logged; acknowledge it.
 * STATUS_TOO_LARGE: no reader of a log with this limit would take it (text_bytes_max: jute.maxbuffer +
 *     extrasize; 0: Java's default).
 * STATUS_MALFORMED: it is no transaction, or not of this zxid. STATUS_UNSUPPORTED: of a type that no
 *     release writes. STATUS_INVALID: its zxid is not above last_zxid.
 * With each but OK and EXISTS the leader's connection is to be closed, with *ret_problem as the reason:
 * static text. */
MUST_USE enum status txnlog_payload_check(struct slice payload, int64_t zxid, int64_t last_zxid,
                                          size_t text_bytes_max, struct arena *arena,
                                          struct txnlog_append *ret_append,
                                          const char **ret_problem);

#endif
