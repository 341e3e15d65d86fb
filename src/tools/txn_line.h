/* txn_line.h: one transaction on one line: for people, or as JSON. */
#ifndef TOOLS_TXN_LINE_H
#define TOOLS_TXN_LINE_H

#include "base/buffer.h"
#include "tools/log_walk.h"

/* Each with its line end. `data`: also what was written. */
void txn_line_put(struct buffer *out, const struct log_record *record, bool data);
void txn_line_put_json(struct buffer *out, const struct log_record *record, bool data);

#endif
