/* ip_range.h: "address" or "address/bits" as an ACL id (IPAuthenticationProvider.java of 3.9.4). */
#ifndef REPLICA_ACL_IP_RANGE_H
#define REPLICA_ACL_IP_RANGE_H

#include "base/slice.h"

bool ip_range_valid(struct slice range);
/* Both sides masked to the range's bits and compared; different families never match. The address
 * is a peer's, possibly with %scope. */
bool ip_range_contains(struct slice range, struct slice address);

#endif
