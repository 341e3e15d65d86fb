/* snapshot_stream.h: the whole state that a leader sends after a SNAP packet, as it comes in.
 *
 *     stream = sessions, ACL table, nodes, "/" (as in a snapshot file), then the text "BenWasHere"
 * No header, no seals, no digest, and no length: only by reading it one finds where the packets
 * continue. snapshot_image_begin() with `wire` writes it.
 *
 * A Java leader's stream is fuzzy: transactions were applied while it was written, so a node may be ahead
 * of the SNAP packet's zxid. Those transactions follow as packets, and are applied over the tree
 * as a replay does (txn_apply() tolerates what is there already). Until the last of them is applied
 * (UPTODATE follows it) the tree has the digest of no transaction, so none may be compared.
 *
 * The tree is a new one. Until the stream is complete it is not a valid state: to give up, free it;
 * the running tree and the files were never touched. */
#ifndef REPLICA_STORE_SNAPSHOT_STREAM_H
#define REPLICA_STORE_SNAPSHOT_STREAM_H

#include "replica/tree/tree.h"

struct snapshot_stream;
/* text_bytes_max: jute.maxbuffer + extrasize; 0: Java's default. Memory besides the tree: one node at
 * most, and that only while its bytes come in parts. */
struct snapshot_stream *snapshot_stream_new(const struct tree_options *options,
                                            size_t text_bytes_max);
void snapshot_stream_free(struct snapshot_stream *stream); /* and the tree, unless it was taken */

/* STATUS_OK: all bytes were taken, more must come. STATUS_END: done; *ret_consumed of these bytes belonged
 * to it. STATUS_MALFORMED: wrong format, or no valid tree: snapshot_stream_problem(); close the
 * connection. After either of the two no more bytes may be added. */
MUST_USE enum status snapshot_stream_feed(struct snapshot_stream *stream, struct slice bytes,
                                          size_t *ret_consumed);
const char *snapshot_stream_problem(const struct snapshot_stream *stream);
uint64_t snapshot_stream_bytes(const struct snapshot_stream *stream); /* consumed so far */
/* After STATUS_END: the tree, the caller's from now on, at `zxid`, that of the SNAP packet. */
struct tree *snapshot_stream_take(struct snapshot_stream *stream, int64_t zxid);

#endif
