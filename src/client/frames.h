/* frames.h: the beginning of a frame, for the files of this room. Inline: a host may make a million requests
 * a second. */
#ifndef CLIENT_FRAMES_H
#define CLIENT_FRAMES_H

#include "client/client.h"
#include "wire/records.h"

enum { FRAME_HEADER_BYTES = 4 + REQUEST_HEADER_BYTES };

/* The header of a frame with client->next_xid, and room for its body. CLIENT_OK, CLIENT_INVALID_STATE or
 * CLIENT_NO_MEMORY. */
static inline enum client_error client_frame_start(struct client *client, int32_t op,
                                                   size_t body_bytes_max)
{
    struct buffer *out = &client->out;
    struct request_header header = {.xid = client->next_xid, .type = op};

    if (client_is_dead(client) || client->closing)
        return CLIENT_INVALID_STATE;
    if (body_bytes_max > INT32_MAX / 2 ||
        !buffer_try_reserve(out, FRAME_HEADER_BYTES + body_bytes_max))
        return CLIENT_NO_MEMORY;
    client->next_xid = client_xid_after(header.xid);
    client->frame_at = out->size;
    request_header_put(out->data + out->size + 4, &header);
    out->size += FRAME_HEADER_BYTES;
    return CLIENT_OK;
}

#endif
