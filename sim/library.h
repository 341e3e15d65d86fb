/* library.h: the client library's machine (client/client.h) on the simulated network: what the threads and
 * sockets of src/capi do for real programs.
 *
 * What the network brings waits for a turn of its own, and is given to the machine frame by frame, often in
 * two pieces. */
#ifndef SIM_LIBRARY_H
#define SIM_LIBRARY_H

#include "client/client.h"
#include "sim/world.h"

struct library;
struct library_hooks {
    /* A whole frame from the server, before the machine takes it, and after. */
    void (*frame)(void *context, struct slice frame);
    void (*taken)(void *context);
    /* What is complete, in order. The requests are the hook's to free; an event is gone when it returns. */
    void (*done)(void *context, struct client_item *item);
    void (*lost)(void *context); /* the connection is given up: every request has come back */
    void *context;
};
struct library_options {
    uint32_t servers; /* bit n: it knows of node n */
    bool in_order;    /* and tries them one after the other, the lowest first */
    int32_t timeout_ms, first_xid;
    bool may_be_read_only;
    uint64_t seed;
};
struct library *library_new(struct world *world, int host, const struct library_hooks *hooks);
void library_free(struct library *library); /* may be NULL */
/* A new machine. It connects at once. */
void library_begin(struct library *library, const struct library_options *options);
/* The machine is no more, and its connection ends without a word. Not from within a hook. */
void library_end(struct library *library);
bool library_lives(const struct library *library);
struct client *library_client(struct library *library);
int library_server(const struct library *library); /* whom it is connected to, or was last */
/* Call it after each request: carries out what the machine wants. */
void library_carry_out(struct library *library);
void library_break(struct library *library); /* its connection */
int64_t library_now_ms(const struct library *library);

/* What the network brings to its host. */
void library_opened(struct library *library, uint64_t number);
void library_bytes(struct library *library, uint64_t number, struct slice bytes);
void library_closed(struct library *library, uint64_t number);

#endif
