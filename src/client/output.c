/* output.c: handshake, ping, authentication, and the watches that are set again after a reconnection, in
 * pieces: a server refuses a frame that is longer than its jute.maxbuffer. */
#include "client/output.h"

#include "client/frames.h"

enum { HANDSHAKE_BYTES_MAX = 64, WATCHES_PIECE_BYTES = 128 * 1024, WATCH_LISTS = 5 };

static size_t open_frame(struct buffer *out, int32_t xid, int32_t op)
{
    size_t at = out->size;

    buffer_i32(out, 0);
    request_header_write(out, &(struct request_header){xid, op});
    return at;
}

static void close_frame(struct buffer *out, size_t at)
{
    store_be32(out->data + at, (uint32_t)(out->size - at - 4));
}

bool client_put_handshake(struct client *client)
{
    struct buffer *out = &client->first;
    struct connect_request request = {.protocol_version = 0,
                                      .last_zxid_seen = client->last_zxid,
                                      .timeout_ms = client->timeout_ms,
                                      .session_id = client->session_moves ? client->session_id : 0,
                                      .password = slice_of(client->password, PASSWORD_BYTES)};

    if (!buffer_try_reserve(out, HANDSHAKE_BYTES_MAX))
        return false;
    size_t at = out->size;
    buffer_i32(out, 0);
    connect_request_write(out, &request);
    jute_put_bool(out, client->may_be_read_only);
    close_frame(out, at);
    return true;
}

bool client_put_ping(struct client *client)
{
    if (!buffer_try_reserve(&client->out, FRAME_HEADER_BYTES))
        return false;
    close_frame(&client->out, open_frame(&client->out, XID_PING, OP_PING));
    client->out_frames++;
    return true;
}

bool client_put_auth(struct buffer *out, struct client_auth *auth)
{
    struct auth_packet packet = {
        .scheme = slice_of(auth->bytes, auth->scheme_size),
        .auth = slice_of(auth->bytes + auth->scheme_size, auth->cert_size),
    };

    if (!buffer_try_reserve(out, FRAME_HEADER_BYTES + 12 + auth->scheme_size + auth->cert_size))
        return false;
    size_t at = open_frame(out, XID_AUTH, OP_AUTH);
    auth_packet_write(out, &packet);
    close_frame(out, at);
    auth->in_flight = true;
    return true;
}

/* One piece of the watches: five lists of paths, in the order of the record. */
struct piece {
    struct buffer lists[WATCH_LISTS];
    int32_t counts[WATCH_LISTS];
    size_t bytes;
};

static unsigned list_of(enum client_watch_kind kind)
{
    switch (kind) {
    case CLIENT_WATCH_EXIST:
        return 1;
    case CLIENT_WATCH_CHILD:
        return 2;
    case CLIENT_WATCH_PERSISTENT:
        return 3;
    case CLIENT_WATCH_RECURSIVE:
        return 4;
    default:
        return 0;
    }
}

static struct jute_vector vector_of(const struct piece *piece, unsigned list)
{
    static const uint8_t nothing[1];
    struct slice bytes = buffer_slice(&piece->lists[list]);

    if (bytes.data == NULL)
        bytes = slice_of(nothing, 0);
    return (struct jute_vector){bytes, piece->counts[list]};
}

static bool put_piece(struct client *client, struct piece *piece)
{
    struct buffer *out = &client->first;
    struct set_watches2 all = {client->events_zxid, vector_of(piece, 0), vector_of(piece, 1),
                               vector_of(piece, 2), vector_of(piece, 3), vector_of(piece, 4)};

    if (piece->bytes == 0)
        return true;
    if (!buffer_try_reserve(out, FRAME_HEADER_BYTES + 8 + 4 * WATCH_LISTS + piece->bytes))
        return false;
    if (piece->counts[3] + piece->counts[4] > 0) {
        size_t at = open_frame(out, XID_SET_WATCHES, OP_SET_WATCHES2);
        set_watches2_write(out, &all);
        close_frame(out, at);
    } else { /* servers before 3.6 know only this one */
        struct set_watches one_shot = {all.relative_zxid, all.data, all.exist, all.child};
        size_t at = open_frame(out, XID_SET_WATCHES, OP_SET_WATCHES);
        set_watches_write(out, &one_shot);
        close_frame(out, at);
    }
    client->resent_unanswered++;
    for (unsigned i = 0; i < WATCH_LISTS; i++) {
        piece->lists[i].size = 0;
        piece->counts[i] = 0;
    }
    piece->bytes = 0;
    return true;
}

static bool put_watches(struct client *client, struct piece *piece)
{
    struct client_watch_walk walk = {0};
    const struct client_watch *watch;

    while ((watch = client_watches_next(&client->watches, &walk)) != NULL) {
        unsigned list = list_of(watch->kind);
        size_t bytes = 4 + (size_t)watch->path_size;
        if (piece->bytes > 0 && piece->bytes + bytes > WATCHES_PIECE_BYTES &&
            !put_piece(client, piece))
            return false;
        if (!buffer_try_reserve(&piece->lists[list], bytes))
            return false;
        jute_put_bytes(&piece->lists[list], slice_of(watch->path, watch->path_size));
        piece->counts[list]++;
        piece->bytes += bytes;
    }
    return put_piece(client, piece);
}

bool client_put_return(struct client *client)
{
    struct piece piece = {0};

    for (struct list *at = client->auths.next; at != &client->auths; at = at->next)
        if (!client_put_auth(&client->first, CONTAINER_OF(at, struct client_auth, link)))
            return false;
    bool fits = put_watches(client, &piece);
    for (unsigned i = 0; i < WATCH_LISTS; i++)
        buffer_deinit(&piece.lists[i]);
    return fits;
}
