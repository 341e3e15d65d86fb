/* ip_range.h: "address" or "address/bits" as an ACL id (docs/protocol.md, "ACLs and identities"). */
#ifndef REPLICA_ACL_IP_RANGE_H
#define REPLICA_ACL_IP_RANGE_H

#include "base/slice.h"

bool ip_range_valid(struct slice range);
/* Both sides masked to the range's bits and compared; different families never match. The address
 * is a peer's, possibly with %scope. */
bool ip_range_contains(struct slice range, struct slice address);

#endif
