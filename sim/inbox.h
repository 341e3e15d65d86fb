/* inbox.h: the events of a simulated server that its replica has not seen yet, in the order in which they came. */
#ifndef SIM_INBOX_H
#define SIM_INBOX_H

#include "replica/replica.h"

struct inbox_event {
    struct replica_event event;
    uint8_t *bytes; /* owned */
};

/* Fields are for reading. */
struct inbox {
    struct inbox_event *events;
    size_t count, capacity;
    void (*arrived)(void *context); /* called for each event that is added */
    void *context;
};

void inbox_init(struct inbox *inbox, void (*arrived)(void *context), void *context);
void inbox_deinit(struct inbox *inbox);

/* The caller fills it in at once: it may move when the next one comes. */
struct inbox_event *inbox_add(struct inbox *inbox, enum replica_event_kind kind);
void inbox_own_bytes(struct inbox_event *item, struct slice bytes); /* a copy of them */

/* The first `count` events, for the caller to free: the array, and the bytes of each. NULL: none. */
struct inbox_event *inbox_take(struct inbox *inbox, size_t count);

void inbox_forget_connection(struct inbox *inbox, uint64_t connection); /* of a peer */
void inbox_forget(struct inbox *inbox);                                 /* all of them */

#endif
