/* server_line.h: host:quorumPort:electionPort[:role][|...][;[host:]clientPort] */
#ifndef REPLICA_MEMBERSHIP_SERVER_LINE_H
#define REPLICA_MEMBERSHIP_SERVER_LINE_H

#include "replica/membership/membership.h"

/* Fills in all but the id, which it only names. STATUS_INVALID: `problem` got a sentence. */
MUST_USE enum status server_line_read(struct arena *arena, struct slice value, bool many_addresses,
                                      struct member *member, struct buffer *problem);

#endif
