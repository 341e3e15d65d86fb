/* input.h: what a client receives. */
#ifndef CLIENT_INPUT_H
#define CLIENT_INPUT_H

#include "client/client.h"

/* Bytes as they arrive, in pieces of any size. */
void client_received(struct client *client, struct slice bytes, int64_t now_ms);

#endif
