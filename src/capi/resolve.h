/* resolve.h: names to addresses. */
#ifndef CAPI_RESOLVE_H
#define CAPI_RESOLVE_H

#include "client/servers.h"

/* Every address of every host of the list; hosts that are not known are left out as long as one is. 0,
 * or EINVAL (an entry is malformed, or there is none), ENOENT (no name is known), EAGAIN, ENOMEM (of one
 * host or of all), or what the system said. Blocks. */
int resolve_hosts(struct slice hosts, struct client_address **ret_items, uint32_t *ret_count);

#endif
