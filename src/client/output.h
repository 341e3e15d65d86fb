/* output.h: what a client sends by itself. Each returns false when there is no memory, and has then
 * written nothing. */
#ifndef CLIENT_OUTPUT_H
#define CLIENT_OUTPUT_H

#include "client/client.h"

MUST_USE bool client_put_handshake(struct client *client);
MUST_USE bool client_put_ping(struct client *client);
/* Marks it as sent. */
MUST_USE bool client_put_auth(struct buffer *out, struct client_auth *auth);
/* All authentication data, then all watches in several requests, before any other request. */
MUST_USE bool client_put_return(struct client *client);

#endif
