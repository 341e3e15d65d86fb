/* txn_text.h: a transaction of the log as ZooKeeper's TxnLogToolkit prints it. */
#ifndef TOOLS_TXN_TEXT_H
#define TOOLS_TXN_TEXT_H

#include "base/arena.h"
#include "base/buffer.h"

/* One transaction, without the end of the line (an ACL list has line ends of its own). The arena is
 * scratch. STATUS_MALFORMED, STATUS_UNSUPPORTED: it is none; `out` is as before. */
MUST_USE enum status txn_text_put(struct buffer *out, struct slice payload, struct arena *arena);

#endif
