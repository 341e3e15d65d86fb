/* checker.h: knows all that happens in the servers of the ensemble, and says what must not have happened.
 *
 * Committed is what a leader says is, or has applied while it serves. (chain.h knows the transactions, and checks
 * what clients see.) */
#ifndef SIM_CHECKER_H
#define SIM_CHECKER_H

#include "sim/world.h"

struct checker *checker_new(struct world *world); /* on the world's chain */
void checker_free(struct checker *checker);

void checker_append(struct checker *checker, struct node *node, const struct txnlog_append *append);
void checker_durable(struct checker *checker, struct node *node, int64_t zxid);
void checker_stored(struct checker *checker, struct node *node, const struct store_work *work,
                    enum status status);
void checker_booted(struct checker *checker, struct node *node);
void checker_wiped(struct checker *checker, struct node *node); /* an operator's deed */
void checker_turned(struct checker *checker, struct node *node);
/* The node is about to send this acknowledgement. */
void checker_acks(struct checker *checker, struct node *node, int64_t zxid);
/* The node is about to tell others that this is committed. */
void checker_commits(struct checker *checker, struct node *node, int64_t zxid);

bool checker_has_all(const struct checker *checker, const struct node *node); /* on its disk */
/* All servers that are up have applied what is committed. */
bool checker_is_even(const struct checker *checker);
/* At the end: all servers are where the commits are, and are the same. */
void checker_compare_all(struct checker *checker);

#endif
