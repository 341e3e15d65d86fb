/* connections.c: who connects to whom, which connection stays, what waits for it.
 *
 * A line is what is known of one server; at most one connection, open or being opened, belongs to
 * it. An accepted connection belongs to no line until it has said who it is. What a peer sends
 * costs memory only up to one message per connection, and strangers have a bounded number of
 * both. */
#include "replica/election/connections.h"

#include "base/array.h"

enum {
    FIRST = 8,
    STRANGERS_MAX = 256,    /* connections without a name, and lines of servers not configured */
    STRANGER_DIALS_MAX = 3, /* then it is forgotten */
    PROMPT_WAIT_MS = 1000,  /* after hanging up, until the larger id has had its chance */
    LOST_WAIT_FACTOR = 4,   /* the smaller id lets the larger one redial first */
    FRESH_MS = 500,         /* a connection that young is newer than the prompt that comes now */
    STEADY_MS = 1000        /* after one that lived so long the next is dialled soon */
};

struct line {
    int64_t id;
    uint64_t dialing, open; /* numbers; 0: none */
    bool open_is_ours;      /* we dialled it */
    int64_t opened_ms;
    bool has_waiting, has_last;
    struct buffer waiting, last;
    int64_t dial_at_ms; /* INT64_MAX: not planned */
    int32_t redial_ms;
    uint32_t dials;             /* in vain, since it was open */
    struct buffer learned_host; /* where it said that it can be reached; empty: nowhere */
    uint16_t learned_port;      /* both stay as they are while they are dialled */
    enum election_link link;    /* as it was told */
};

struct connection { /* one that is open */
    uint64_t number;
    bool named;
    int64_t id;             /* named */
    int64_t hello_until_ms; /* not named */
    struct buffer bytes;    /* of a message that is not whole yet */
};

struct news {
    struct connections_news what;
    size_t offset, size; /* of a message, in news_bytes */
};

struct connections {
    struct connections_options options;
    const struct membership *committed, *last_seen;
    struct line *lines;
    struct connection *connections;
    uint32_t line_count, line_capacity, connection_count, connection_capacity;
    int64_t next_nameless; /* id of the next observer that has none */
    struct news *news;
    uint32_t news_count, news_capacity, news_taken;
    struct buffer news_bytes;
};

struct connections *connections_new(const struct connections_options *options)
{
    struct connections *connections = mem_zalloc(sizeof(*connections));

    ASSERT(options->redial_min_ms > 0 && options->redial_max_ms >= options->redial_min_ms);
    connections->options = *options;
    connections->next_nameless = -1;
    return connections;
}

static void line_deinit(struct line *line)
{
    buffer_deinit(&line->waiting);
    buffer_deinit(&line->last);
    buffer_deinit(&line->learned_host);
}

void connections_free(struct connections *connections)
{
    if (connections == NULL)
        return;
    for (uint32_t i = 0; i < connections->line_count; i++)
        line_deinit(&connections->lines[i]);
    for (uint32_t i = 0; i < connections->connection_count; i++)
        buffer_deinit(&connections->connections[i].bytes);
    mem_free(connections->lines);
    mem_free(connections->connections);
    mem_free(connections->news);
    buffer_deinit(&connections->news_bytes);
    mem_free(connections);
}

/* ---- News ---- */

static struct news *add_news(struct connections *connections)
{
    if (connections->news_taken == connections->news_count) {
        connections->news_taken = connections->news_count = 0;
        connections->news_bytes.size = 0;
    }
    connections->news = ARRAY_RESERVE(connections->news, connections->news_capacity,
                                      connections->news_count + 1, FIRST);
    ASSERT(connections->news_taken <= connections->news_count);
    return &connections->news[connections->news_count++];
}

static void tell_link(struct connections *connections, struct line *line, enum election_link link)
{
    if (line->link == link)
        return;
    line->link = link;
    *add_news(connections) = (struct news){
        .what = {.kind = CONNECTIONS_LINK, .id = line->id, .link = link, .message = SLICE_NULL}};
}

static void tell_message(struct connections *connections, int64_t from, struct slice message)
{
    struct news *news = add_news(connections);

    *news = (struct news){.what = {.kind = CONNECTIONS_MESSAGE, .id = from},
                          .offset = connections->news_bytes.size,
                          .size = message.size};
    buffer_append(&connections->news_bytes, message);
}

bool connections_next(struct connections *connections, struct connections_news *ret_news)
{
    if (connections->news_taken == connections->news_count)
        return false;
    const struct news *news = &connections->news[connections->news_taken++];
    *ret_news = news->what;
    if (news->what.kind == CONNECTIONS_MESSAGE)
        ret_news->message = slice_of(connections->news_bytes.data + news->offset, news->size);
    return true;
}

/* ---- Lines and connections ---- */

static const struct member *configured(const struct connections *connections, int64_t id)
{
    const struct member *member =
        connections->committed == NULL ? NULL : membership_find(connections->committed, id);

    if (member == NULL && connections->last_seen != NULL)
        member = membership_find(connections->last_seen, id);
    return member;
}

static bool is_voter(const struct connections *connections, int64_t id)
{
    const struct member *member = configured(connections, id);

    return member != NULL && member->role == MEMBER_PARTICIPANT;
}

/* Voters stay connected, so that an election needs no dialling and a death is seen at once. */
static bool is_wanted(const struct connections *connections, const struct line *line)
{
    return line->has_waiting ||
           (is_voter(connections, line->id) && is_voter(connections, connections->options.my_id));
}

static struct line *find_line(const struct connections *connections, int64_t id)
{
    for (uint32_t i = 0; i < connections->line_count; i++) {
        if (connections->lines[i].id == id)
            return &connections->lines[i];
    }
    return NULL;
}

static struct line *line_dialing(const struct connections *connections, uint64_t number)
{
    for (uint32_t i = 0; i < connections->line_count; i++) {
        if (number != 0 && connections->lines[i].dialing == number)
            return &connections->lines[i];
    }
    return NULL;
}

/* NULL: it is a stranger, and there are enough of them. */
static struct line *get_line(struct connections *connections, int64_t id)
{
    struct line *line = find_line(connections, id);
    uint32_t strangers = 0;

    if (line != NULL)
        return line;
    for (uint32_t i = 0; i < connections->line_count; i++)
        strangers += configured(connections, connections->lines[i].id) == NULL ? 1 : 0;
    if (strangers >= STRANGERS_MAX && configured(connections, id) == NULL)
        return NULL;
    connections->lines = ARRAY_RESERVE(connections->lines, connections->line_capacity,
                                       connections->line_count + 1, FIRST);
    line = &connections->lines[connections->line_count++];
    *line = (struct line){
        .id = id, .dial_at_ms = INT64_MAX, .redial_ms = connections->options.redial_min_ms};
    return line;
}

/* A stranger's line ends with its connection. */
static void forget_stranger(struct connections *connections, struct line *line)
{
    if (line->open != 0 || line->dialing != 0 || line->dial_at_ms != INT64_MAX ||
        configured(connections, line->id) != NULL)
        return;
    line_deinit(line);
    *line = connections->lines[--connections->line_count];
}

static struct connection *find_connection(const struct connections *connections, uint64_t number)
{
    for (uint32_t i = 0; i < connections->connection_count; i++) {
        if (connections->connections[i].number == number)
            return &connections->connections[i];
    }
    return NULL;
}

static struct connection *add_connection(struct connections *connections, uint64_t number)
{
    connections->connections =
        ARRAY_RESERVE(connections->connections, connections->connection_capacity,
                      connections->connection_count + 1, FIRST);
    struct connection *connection = &connections->connections[connections->connection_count++];
    *connection = (struct connection){.number = number};
    return connection;
}

static void drop_connection(struct connections *connections, struct connection *connection)
{
    ASSERT(connections->connection_count > 0);
    buffer_deinit(&connection->bytes);
    *connection = connections->connections[--connections->connection_count];
}

static void hang_up(struct connections *connections, uint64_t number, const char *reason,
                    struct effects *effects)
{
    struct connection *connection = find_connection(connections, number);

    effects_add_peer(
        effects, (struct peer_effect){.kind = PEER_CLOSE, .connection = number, .reason = reason});
    if (connection != NULL)
        drop_connection(connections, connection);
}

bool connections_owns(const struct connections *connections, uint64_t number)
{
    return find_connection(connections, number) != NULL ||
           line_dialing(connections, number) != NULL;
}

/* ---- Dialling ---- */

/* The addresses take turns: first where it said that it is, then where it is configured. Of several, none
 * may keep the others waiting for long in the first round. */
static bool choose_address(const struct connections *connections, const struct line *line,
                           struct peer_effect *dial)
{
    const struct member *member = configured(connections, line->id);
    uint32_t learned = line->learned_host.size > 0 ? 1 : 0, count = 0;

    if (member != NULL)
        count = connections->options.many_addresses ? member->address_count : 1;
    if (learned + count == 0)
        return false;
    uint32_t which = line->dials % (learned + count);
    if (which < learned) {
        dial->host = buffer_slice(&line->learned_host);
        dial->port_number = line->learned_port;
    } else {
        dial->host = member->addresses[which - learned].host;
        dial->port_number = member->addresses[which - learned].election_port;
    }
    if (count > 1 && line->dials < learned + count)
        dial->timeout_ms = connections->options.first_try_ms;
    return true;
}

static void dial(struct connections *connections, struct line *line, struct effects *effects)
{
    struct peer_effect effect = {.kind = PEER_DIAL, .port = PEER_PORT_ELECTION};

    ASSERT(line->open == 0 && line->dialing == 0);
    line->dial_at_ms = INT64_MAX;
    if (!choose_address(connections, line, &effect))
        return;
    effect.connection = line->dialing = *connections->options.next_number;
    *connections->options.next_number += 2;
    effects_add_peer(effects, effect);
}

/* There is no connection: when is the next try? */
static void plan(struct connections *connections, struct line *line, int64_t now_ms)
{
    bool stranger = configured(connections, line->id) == NULL;

    line->dial_at_ms = INT64_MAX;
    if (is_wanted(connections, line) && !(stranger && line->dials >= STRANGER_DIALS_MAX)) {
        int32_t wait_ms = line->redial_ms;
        if (line->dials == 0 && connections->options.my_id < line->id)
            wait_ms *= LOST_WAIT_FACTOR;
        line->dial_at_ms = now_ms + wait_ms;
        line->redial_ms *= 2;
        if (line->redial_ms > connections->options.redial_max_ms)
            line->redial_ms = connections->options.redial_max_ms;
    }
    forget_stranger(connections, line);
}

static void lost(struct connections *connections, struct line *line, int64_t now_ms)
{
    if (now_ms - line->opened_ms >= STEADY_MS)
        line->redial_ms = connections->options.redial_min_ms;
    line->open = 0;
    tell_link(connections, line, ELECTION_LINK_DOWN);
    plan(connections, line, now_ms);
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
                      int64_t now_ms, struct effects *effects)
{
    struct line *line = configured(connections, to) != NULL ? get_line(connections, to)
                                                            : find_line(connections, to);

    (void)now_ms;
    if (line == NULL) /* a stranger that has gone */
        return;
    if (line->open != 0) {
        send_now(line, message, effects);
        return;
    }
    keep(&line->waiting, message);
    line->has_waiting = true;
    if (line->dialing == 0 && line->dial_at_ms == INT64_MAX)
        dial(connections, line, effects);
}

void connections_say_next_time(struct connections *connections, int64_t to, struct slice message)
{
    struct line *line = configured(connections, to) != NULL ? get_line(connections, to)
                                                            : find_line(connections, to);

    if (line == NULL)
        return;
    keep(&line->last, message);
    line->has_last = true;
    line->has_waiting = false;
}

static void put_hello(const struct connections *connections, uint64_t number,
                      struct effects *effects)
{
    const struct member *own = configured(connections, connections->options.my_id);
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
        hang_up(connections, line->dialing, NULL, effects);
    if (line->open != 0) {
        hang_up(connections, line->open, "a newer connection replaces it", effects);
        tell_link(connections, line, ELECTION_LINK_UNKNOWN);
    }
    line->dialing = 0;
    line->open = number;
    line->open_is_ours = ours;
    line->opened_ms = now_ms;
    line->dial_at_ms = INT64_MAX;
    line->dials = 0;
    tell_link(connections, line, ELECTION_LINK_OPEN);
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
        hang_up(connections, number, NULL, effects);
        tell_link(connections, line, ELECTION_LINK_UNKNOWN);
        line->dials = 1;
        line->redial_ms = connections->options.redial_min_ms;
        line->dial_at_ms = is_wanted(connections, line) ? now_ms + PROMPT_WAIT_MS : INT64_MAX;
        return;
    }
    struct connection *connection = add_connection(connections, number);
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
    struct line *line = line_dialing(connections, number);

    ASSERT(number != 0 && find_connection(connections, number) == NULL);
    if (line != NULL) {
        dialled(connections, line, number, now_ms, effects);
        return;
    }
    if (nameless_count(connections) >= STRANGERS_MAX) {
        hang_up(connections, number, "too many connections that have not said who they are",
                effects);
        return;
    }
    struct connection *connection = add_connection(connections, number);
    connection->hello_until_ms = now_ms + connections->options.hello_timeout_ms;
}

void connections_closed(struct connections *connections, uint64_t number, int64_t now_ms,
                        struct effects *effects)
{
    struct line *line = line_dialing(connections, number);
    struct connection *connection = find_connection(connections, number);

    (void)effects;
    if (line != NULL) {
        line->dialing = 0;
        line->dials++;
        tell_link(connections, line, ELECTION_LINK_DOWN);
        plan(connections, line, now_ms);
    } else if (connection != NULL) {
        line = connection->named ? find_line(connections, connection->id) : NULL;
        drop_connection(connections, connection);
        if (line != NULL && line->open == number)
            lost(connections, line, now_ms);
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
        hang_up(connections, line->open, "the other side asks for a new one", effects);
    line->open = 0;
    line->dials = 0;
    tell_link(connections, line, ELECTION_LINK_UNKNOWN);
    learn_address(line, hello->addresses);
    dial(connections, line, effects);
    forget_stranger(connections, line);
}

/* It has said who it is. False: the connection is not used. */
static bool named(struct connections *connections, uint64_t number,
                  const struct election_hello *hello, int64_t now_ms, struct effects *effects)
{
    int64_t id = hello->server_id;

    if (id == INT64_MAX) /* an observer without an id */
        id = connections->next_nameless--;
    if (id == connections->options.my_id) {
        hang_up(connections, number, "it has this server's own id", effects);
        return false;
    }
    struct line *line = get_line(connections, id);
    if (line == NULL) {
        hang_up(connections, number, "too many servers that are not configured", effects);
        return false;
    }
    if (hello->server_id != INT64_MAX && configured(connections, id) == NULL)
        effects_add_peer(effects, (struct peer_effect){.kind = PEER_NOTE,
                                                       .connection = number,
                                                       .reason = "no server.N line has its id"});
    if (id < connections->options.my_id) {
        hang_up(connections, number, NULL, effects);
        prompted(connections, line, hello, now_ms, effects);
        return false;
    }
    struct connection *connection = find_connection(connections, number);
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
    const struct connection *connection = find_connection(connections, number);
    struct election_hello hello;
    struct slice message;
    enum status status;

    if (!connection->named) {
        status = election_hello_read(bytes, &hello, ret_size);
        if (status == STATUS_OK && !named(connections, number, &hello, now_ms, effects))
            return STATUS_NOT_FOUND;
        if (status == STATUS_MALFORMED)
            hang_up(connections, number, "its first message has an unknown version", effects);
        return status;
    }
    status = election_frame_read(bytes, &message, ret_size);
    if (status == STATUS_OK) {
        tell_message(connections, connection->id, message);
    } else if (status == STATUS_MALFORMED) {
        struct line *line = find_line(connections, connection->id);
        hang_up(connections, number, "a message with an impossible length", effects);
        lost(connections, line, now_ms);
    }
    return status;
}

void connections_bytes(struct connections *connections, uint64_t number, struct slice bytes,
                       int64_t now_ms, struct effects *effects)
{
    struct connection *connection = find_connection(connections, number);
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
        connection = find_connection(connections, number);
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
                             const struct membership *last_seen, int64_t now_ms,
                             struct effects *effects)
{
    const struct membership *memberships[] = {committed, last_seen};

    (void)now_ms;
    connections->committed = committed;
    connections->last_seen = last_seen;
    for (uint32_t i = connections->line_count; i > 0; i--)
        forget_stranger(connections, &connections->lines[i - 1]);
    for (size_t which = 0; which < ARRAY_LEN(memberships); which++) {
        for (uint32_t i = 0; memberships[which] != NULL && i < memberships[which]->member_count;
             i++) {
            int64_t id = memberships[which]->members[i].id;
            if (id == connections->options.my_id)
                continue;
            struct line *line = get_line(connections, id);
            if (is_wanted(connections, line) && line->open == 0 && line->dialing == 0 &&
                line->dial_at_ms == INT64_MAX)
                dial(connections, line, effects);
        }
    }
}

void connections_tick(struct connections *connections, int64_t now_ms, struct effects *effects)
{
    for (uint32_t i = connections->connection_count; i > 0; i--) {
        const struct connection *connection = &connections->connections[i - 1];
        if (!connection->named && connection->hello_until_ms <= now_ms)
            hang_up(connections, connection->number, "it did not say who it is", effects);
    }
    for (uint32_t i = 0; i < connections->line_count; i++) {
        struct line *line = &connections->lines[i];
        if (line->dial_at_ms <= now_ms)
            dial(connections, line, effects);
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
