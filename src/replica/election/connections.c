/* connections.c: which connection stays, what is said on it, and what waits for it.
 *
 * What a peer sends costs memory only up to one message per connection. Who is dialled when is in
 * connections_lines.c. */
#include "replica/election/connections_lines.h"

enum {
    PROMPT_WAIT_MS = 1000, /* after hanging up, until the larger id has had its chance */
    FRESH_MS = 500         /* a connection that young is newer than the prompt that comes now */
};

struct connections *connections_new(const struct connections_options *options)
{
    struct connections *connections = mem_zalloc(sizeof(*connections));

    ASSERT(options->redial_min_ms > 0 && options->redial_max_ms >= options->redial_min_ms);
    connections->options = *options;
    connections->next_nameless = -1;
    return connections;
}

void connections_free(struct connections *connections)
{
    if (connections == NULL)
        return;
    for (uint32_t i = 0; i < connections->line_count; i++)
        lines_deinit(&connections->lines[i]);
    for (uint32_t i = 0; i < connections->connection_count; i++)
        buffer_deinit(&connections->connections[i].bytes);
    mem_free(connections->lines);
    mem_free(connections->connections);
    mem_free(connections->news);
    buffer_deinit(&connections->news_bytes);
    mem_free(connections);
}

/* ---- Sending ---- */

static void keep(struct buffer *to, struct slice message)
{
    to->size = 0;
    buffer_append(to, message);
}

static void send_now(struct line *line, struct slice message, struct effects *effects)
{
    size_t offset = effects->peer_bytes.size;

    election_frame_write(&effects->peer_bytes, message);
    effects_add_peer_send(effects, line->open, offset, effects->peer_bytes.size - offset);
    if (message.data != line->last.data)
        keep(&line->last, message);
    line->has_last = true;
    line->has_waiting = false;
}

void connections_send(struct connections *connections, int64_t to, struct slice message,
                      struct effects *effects)
{
    struct line *line = connections_configured(connections, to) != NULL
                            ? lines_get(connections, to)
                            : lines_find(connections, to);

    if (line == NULL) /* a stranger that has gone */
        return;
    if (line->open != 0) {
        send_now(line, message, effects);
        return;
    }
    keep(&line->waiting, message);
    line->has_waiting = true;
    if (line->dialing == 0 && line->dial_at_ms == INT64_MAX)
        lines_dial(connections, line, effects);
}

static void put_hello(const struct connections *connections, uint64_t number,
                      struct effects *effects)
{
    const struct member *own = connections_configured(connections, connections->options.my_id);
    struct election_hello hello = {.server_id = connections->options.my_id,
                                   .many_addresses = connections->options.many_addresses};
    struct buffer addresses = {0};
    size_t offset = effects->peer_bytes.size;
    uint32_t count = own == NULL ? 0 : hello.many_addresses ? own->address_count : 1;

    for (uint32_t i = 0; i < count; i++) {
        if (i > 0)
            buffer_u8(&addresses, '|');
        membership_put_host(&addresses, own->addresses[i].host);
        buffer_printf(&addresses, ":%u", own->addresses[i].election_port);
    }
    if (addresses.size >= 1 && addresses.size <= ELECTION_ADDRESS_BYTES_MAX)
        hello.addresses = buffer_slice(&addresses);
    election_hello_write(&effects->peer_bytes, &hello);
    effects_add_peer_send(effects, number, offset, effects->peer_bytes.size - offset);
    buffer_deinit(&addresses);
}

/* ---- Opening ---- */

static void use_connection(struct connections *connections, struct line *line, uint64_t number,
                           bool ours, int64_t now_ms, struct effects *effects)
{
    if (line->dialing != 0) /* the other side was faster */
        connections_hang_up(connections, line->dialing, NULL, effects);
    if (line->open != 0) {
        connections_hang_up(connections, line->open, "a newer connection replaces it", effects);
        lines_tell_link(connections, line, ELECTION_LINK_UNKNOWN);
    }
    line->dialing = 0;
    line->open = number;
    line->open_is_ours = ours;
    line->opened_ms = now_ms;
    line->dial_at_ms = INT64_MAX;
    line->dials = 0;
    lines_tell_link(connections, line, ELECTION_LINK_OPEN);
    if (line->has_waiting)
        send_now(line, buffer_slice(&line->waiting), effects);
    else if (line->has_last)
        send_now(line, buffer_slice(&line->last), effects);
}

static void dialled(struct connections *connections, struct line *line, uint64_t number,
                    int64_t now_ms, struct effects *effects)
{
    line->dialing = 0;
    put_hello(connections, number, effects);
    if (connections->options.my_id < line->id) { /* now it knows that it should dial */
        connections_hang_up(connections, number, NULL, effects);
        lines_tell_link(connections, line, ELECTION_LINK_UNKNOWN);
        line->dials = 1;
        line->redial_ms = connections->options.redial_min_ms;
        line->dial_at_ms = lines_is_wanted(connections, line) ? now_ms + PROMPT_WAIT_MS : INT64_MAX;
        return;
    }
    struct connection *connection = connections_add(connections, number);
    connection->named = true;
    connection->id = line->id;
    use_connection(connections, line, number, /* ours= */ true, now_ms, effects);
}

static uint32_t nameless_count(const struct connections *connections)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < connections->connection_count; i++)
        count += connections->connections[i].named ? 0 : 1;
    return count;
}

void connections_opened(struct connections *connections, uint64_t number, int64_t now_ms,
                        struct effects *effects)
{
    struct line *line = lines_dialing(connections, number);

    ASSERT(number != 0 && connections_find(connections, number) == NULL);
    if (line != NULL) {
        dialled(connections, line, number, now_ms, effects);
        return;
    }
    if (nameless_count(connections) >= LINES_STRANGERS_MAX) {
        connections_hang_up(connections, number,
                            "too many connections that have not said who they are", effects);
        return;
    }
    struct connection *connection = connections_add(connections, number);
    connection->hello_until_ms = now_ms + connections->options.hello_timeout_ms;
}

void connections_closed(struct connections *connections, uint64_t number, int64_t now_ms)
{
    struct line *line = lines_dialing(connections, number);
    struct connection *connection = connections_find(connections, number);

    if (line != NULL) {
        line->dialing = 0;
        line->dials++;
        lines_tell_link(connections, line, ELECTION_LINK_DOWN);
        lines_plan(connections, line, now_ms);
    } else if (connection != NULL) {
        line = connection->named ? lines_find(connections, connection->id) : NULL;
        connections_drop(connections, connection);
        if (line != NULL && line->open == number)
            lines_lost(connections, line, now_ms);
    }
}

/* ---- Reading ---- */

static bool is_wildcard(struct slice host)
{
    return slice_equal(host, SLICE("0.0.0.0")) || slice_equal(host, SLICE("::")) ||
           slice_equal(host, SLICE("0:0:0:0:0:0:0:0"));
}

static void learn_address(struct line *line, struct slice addresses)
{
    struct slice host;
    uint16_t port;
    bool valid;

    while (membership_next_address(&addresses, &host, &port, &valid)) {
        if (!valid || is_wildcard(host))
            continue;
        keep(&line->learned_host, host);
        line->learned_port = port;
        return;
    }
}

/* A server with a smaller id cannot use its own connection: it asks us to dial. What we have is of no use
 * to it any more, unless we have just opened that and the two have crossed. */
static void prompted(struct connections *connections, struct line *line,
                     const struct election_hello *hello, int64_t now_ms, struct effects *effects)
{
    if (line->dialing != 0 ||
        (line->open != 0 && line->open_is_ours && now_ms - line->opened_ms < FRESH_MS))
        return;
    if (line->open != 0)
        connections_hang_up(connections, line->open, "the other side asks for a new one", effects);
    line->open = 0;
    line->dials = 0;
    lines_tell_link(connections, line, ELECTION_LINK_UNKNOWN);
    learn_address(line, hello->addresses);
    lines_dial(connections, line, effects);
    lines_forget_stranger(connections, line);
}

/* It has said who it is. False: the connection is not used. */
static bool named(struct connections *connections, uint64_t number,
                  const struct election_hello *hello, int64_t now_ms, struct effects *effects)
{
    int64_t id = hello->server_id;

    if (id == INT64_MAX) /* an observer without an id */
        id = connections->next_nameless--;
    if (id == connections->options.my_id) {
        connections_hang_up(connections, number, "it has this server's own id", effects);
        return false;
    }
    struct line *line = lines_get(connections, id);
    if (line == NULL) {
        connections_hang_up(connections, number, "too many servers that are not configured",
                            effects);
        return false;
    }
    if (hello->server_id != INT64_MAX && connections_configured(connections, id) == NULL)
        effects_add_peer(effects, (struct peer_effect){.kind = PEER_NOTE,
                                                       .connection = number,
                                                       .reason = "no server.N line has its id"});
    if (id < connections->options.my_id) {
        connections_hang_up(connections, number, NULL, effects);
        prompted(connections, line, hello, now_ms, effects);
        return false;
    }
    struct connection *connection = connections_find(connections, number);
    connection->named = true;
    connection->id = id;
    use_connection(connections, line, number, /* ours= */ false, now_ms, effects);
    return true;
}

/* Takes one whole thing from the front. STATUS_OK: `*ret_size` bytes were used. STATUS_END: it is not
 * whole. Anything else: there is no such connection any more. */
static enum status read_one(struct connections *connections, uint64_t number, struct slice bytes,
                            int64_t now_ms, struct effects *effects, size_t *ret_size)
{
    const struct connection *connection = connections_find(connections, number);
    struct election_hello hello;
    struct slice message;
    enum status status;

    if (!connection->named) {
        status = election_hello_read(bytes, &hello, ret_size);
        if (status == STATUS_OK && !named(connections, number, &hello, now_ms, effects))
            return STATUS_NOT_FOUND;
        if (status == STATUS_MALFORMED)
            connections_hang_up(connections, number, "its first message has an unknown version",
                                effects);
        return status;
    }
    status = election_frame_read(bytes, &message, ret_size);
    if (status == STATUS_OK) {
        connections_tell_message(connections, connection->id, message);
    } else if (status == STATUS_MALFORMED) {
        struct line *line = lines_find(connections, connection->id);
        connections_hang_up(connections, number, "a message with an impossible length", effects);
        lines_lost(connections, line, now_ms);
    }
    return status;
}

void connections_bytes(struct connections *connections, uint64_t number, struct slice bytes,
                       int64_t now_ms, struct effects *effects)
{
    struct connection *connection = connections_find(connections, number);
    struct buffer begun = {0};
    size_t used = 0, size = 0;
    enum status status = STATUS_OK;

    if (connection == NULL)
        return;
    if (connection->bytes.size > 0) { /* it is taken out: the array may move */
        begun = connection->bytes;
        connection->bytes = (struct buffer){0};
        buffer_append(&begun, bytes);
        bytes = buffer_slice(&begun);
    }
    while (status == STATUS_OK) {
        status = read_one(connections, number, slice_of(bytes.data + used, bytes.size - used),
                          now_ms, effects, &size);
        if (status == STATUS_OK)
            used += size;
    }
    if (status == STATUS_END) {
        connection = connections_find(connections, number);
        if (begun.size > 0 && used == 0) {
            connection->bytes = begun;
            return;
        }
        buffer_append(&connection->bytes, slice_of(bytes.data + used, bytes.size - used));
    }
    buffer_deinit(&begun);
}

/* ---- Time and members ---- */

void connections_set_members(struct connections *connections, const struct membership *committed,
                             const struct membership *last_seen, struct effects *effects)
{
    const struct membership *memberships[] = {committed, last_seen};

    connections->committed = committed;
    connections->last_seen = last_seen;
    for (uint32_t i = connections->line_count; i > 0; i--)
        lines_forget_stranger(connections, &connections->lines[i - 1]);
    for (size_t which = 0; which < ARRAY_LEN(memberships); which++) {
        for (uint32_t i = 0; memberships[which] != NULL && i < memberships[which]->member_count;
             i++) {
            int64_t id = memberships[which]->members[i].id;
            if (id == connections->options.my_id)
                continue;
            struct line *line = lines_get(connections, id);
            if (lines_is_wanted(connections, line) && line->open == 0 && line->dialing == 0 &&
                line->dial_at_ms == INT64_MAX)
                lines_dial(connections, line, effects);
        }
    }
}

void connections_set_looking(struct connections *connections, bool looking)
{
    connections->looking = looking;
    for (uint32_t i = 0; i < connections->line_count; i++) {
        struct line *line = &connections->lines[i];
        if (!lines_is_wanted(connections, line))
            line->dial_at_ms = INT64_MAX;
    }
}

void connections_tick(struct connections *connections, int64_t now_ms, struct effects *effects)
{
    for (uint32_t i = connections->connection_count; i > 0; i--) {
        const struct connection *connection = &connections->connections[i - 1];
        if (!connection->named && connection->hello_until_ms <= now_ms)
            connections_hang_up(connections, connection->number, "it did not say who it is",
                                effects);
    }
    for (uint32_t i = 0; i < connections->line_count; i++) {
        struct line *line = &connections->lines[i];
        if (line->dial_at_ms <= now_ms)
            lines_dial(connections, line, effects);
    }
}

int64_t connections_wake_at_ms(const struct connections *connections)
{
    int64_t wake_ms = INT64_MAX;

    for (uint32_t i = 0; i < connections->connection_count; i++) {
        const struct connection *connection = &connections->connections[i];
        if (!connection->named && connection->hello_until_ms < wake_ms)
            wake_ms = connection->hello_until_ms;
    }
    for (uint32_t i = 0; i < connections->line_count; i++) {
        if (connections->lines[i].dial_at_ms < wake_ms)
            wake_ms = connections->lines[i].dial_at_ms;
    }
    return wake_ms;
}
