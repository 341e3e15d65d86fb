/* log_space.h: the memory that holds the bytes of transactions from their proposal until they are
 * applied. Chunks are filled from the front; a chunk is used again when its last transaction is
 * released. */
#ifndef REPLICA_PROPOSALS_LOG_SPACE_H
#define REPLICA_PROPOSALS_LOG_SPACE_H

#include "base/slice.h"

struct log_chunk {
    struct log_chunk *next; /* among the spare ones */
    size_t used, size, live;
    uint8_t bytes[];
};

struct log_space { /* zeroed: empty */
    struct log_chunk *current, *spare;
    size_t spare_count;
};

void log_space_deinit(struct log_space *space); /* call it when everything was released */
MUST_USE struct slice log_space_copy(struct log_space *space, struct slice bytes,
                                     struct log_chunk **ret_chunk);
void log_space_release(struct log_space *space, struct log_chunk *chunk);

#endif
