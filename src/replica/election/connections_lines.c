/* connections_lines.c: what is known of each server: its connection, and when it is dialled again.
 *
 * A line is what is known of one server; at most one connection belongs to it, being dialled or open. An
 * accepted connection belongs to no line until it has said who it is. Strangers have a bounded number of
 * both. */
#include "replica/election/connections_lines.h"

#include "base/array.h"

enum {
    FIRST = 8,
    STRANGER_DIALS_MAX = 3, /* then it is forgotten */
    LOST_WAIT_FACTOR = 4,   /* the smaller id lets the larger one redial first */
    STEADY_MS = 1000        /* after one that lived so long the next is dialled soon */
};

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

void lines_tell_link(struct connections *connections, struct line *line, enum election_link link)
{
    if (line->link == link)
        return;
    line->link = link;
    *add_news(connections) = (struct news){
        .what = {.kind = CONNECTIONS_LINK, .id = line->id, .link = link, .message = SLICE_NULL}};
}

void connections_tell_message(struct connections *connections, int64_t from, struct slice message)
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

const struct member *connections_configured(const struct connections *connections, int64_t id)
{
    const struct member *member =
        connections->committed == NULL ? NULL : membership_find(connections->committed, id);

    if (member == NULL && connections->last_seen != NULL)
        member = membership_find(connections->last_seen, id);
    return member;
}

static bool is_voter(const struct connections *connections, int64_t id)
{
    const struct member *member = connections_configured(connections, id);

    return member != NULL && member->role == MEMBER_PARTICIPANT;
}

/* Voters stay connected, so that an election needs no dialling and a death is seen at once. An observer
 * that looks needs them, too: what it asked may be lost with a connection, and it asks rarely. */
bool lines_is_wanted(const struct connections *connections, const struct line *line)
{
    return line->has_waiting ||
           (is_voter(connections, line->id) &&
            (connections->looking || is_voter(connections, connections->options.my_id)));
}

struct line *lines_find(const struct connections *connections, int64_t id)
{
    for (uint32_t i = 0; i < connections->line_count; i++) {
        if (connections->lines[i].id == id)
            return &connections->lines[i];
    }
    return NULL;
}

struct line *lines_dialing(const struct connections *connections, uint64_t number)
{
    for (uint32_t i = 0; i < connections->line_count; i++) {
        if (number != 0 && connections->lines[i].dialing == number)
            return &connections->lines[i];
    }
    return NULL;
}

struct line *lines_get(struct connections *connections, int64_t id)
{
    struct line *line = lines_find(connections, id);
    uint32_t strangers = 0;

    if (line != NULL)
        return line;
    for (uint32_t i = 0; i < connections->line_count; i++)
        strangers += connections_configured(connections, connections->lines[i].id) == NULL ? 1 : 0;
    if (strangers >= LINES_STRANGERS_MAX && connections_configured(connections, id) == NULL)
        return NULL;
    connections->lines = ARRAY_RESERVE(connections->lines, connections->line_capacity,
                                       connections->line_count + 1, FIRST);
    line = &connections->lines[connections->line_count++];
    *line = (struct line){
        .id = id, .dial_at_ms = INT64_MAX, .redial_ms = connections->options.redial_min_ms};
    return line;
}

void lines_deinit(struct line *line)
{
    buffer_deinit(&line->waiting);
    buffer_deinit(&line->last);
    buffer_deinit(&line->learned_host);
}

void lines_forget_stranger(struct connections *connections, struct line *line)
{
    if (line->open != 0 || line->dialing != 0 || line->dial_at_ms != INT64_MAX ||
        connections_configured(connections, line->id) != NULL)
        return;
    lines_deinit(line);
    *line = connections->lines[--connections->line_count];
}

struct connection *connections_find(const struct connections *connections, uint64_t number)
{
    for (uint32_t i = 0; i < connections->connection_count; i++) {
        if (connections->connections[i].number == number)
            return &connections->connections[i];
    }
    return NULL;
}

struct connection *connections_add(struct connections *connections, uint64_t number)
{
    connections->connections =
        ARRAY_RESERVE(connections->connections, connections->connection_capacity,
                      connections->connection_count + 1, FIRST);
    struct connection *connection = &connections->connections[connections->connection_count++];
    *connection = (struct connection){.number = number};
    return connection;
}

void connections_drop(struct connections *connections, struct connection *connection)
{
    ASSERT(connections->connection_count > 0);
    buffer_deinit(&connection->bytes);
    *connection = connections->connections[--connections->connection_count];
}

void connections_hang_up(struct connections *connections, uint64_t number, const char *reason,
                         struct effects *effects)
{
    struct connection *connection = connections_find(connections, number);

    effects_add_peer(
        effects, (struct peer_effect){.kind = PEER_CLOSE, .connection = number, .reason = reason});
    if (connection != NULL)
        connections_drop(connections, connection);
}

bool connections_owns(const struct connections *connections, uint64_t number)
{
    return connections_find(connections, number) != NULL ||
           lines_dialing(connections, number) != NULL;
}

/* ---- Dialling ---- */

/* The addresses take turns: first where it said that it is, then where it is configured. Of several, none
 * may keep the others waiting for long in the first round. */
static bool choose_address(const struct connections *connections, const struct line *line,
                           struct peer_effect *dial)
{
    const struct member *member = connections_configured(connections, line->id);
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

void lines_dial(struct connections *connections, struct line *line, struct effects *effects)
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

void lines_plan(struct connections *connections, struct line *line, int64_t now_ms)
{
    bool stranger = connections_configured(connections, line->id) == NULL;

    line->dial_at_ms = INT64_MAX;
    if (lines_is_wanted(connections, line) && !(stranger && line->dials >= STRANGER_DIALS_MAX)) {
        int32_t wait_ms = line->redial_ms;
        if (line->dials == 0 && connections->options.my_id < line->id)
            wait_ms *= LOST_WAIT_FACTOR;
        line->dial_at_ms = now_ms + wait_ms;
        line->redial_ms *= 2;
        if (line->redial_ms > connections->options.redial_max_ms)
            line->redial_ms = connections->options.redial_max_ms;
    }
    lines_forget_stranger(connections, line);
}

void lines_lost(struct connections *connections, struct line *line, int64_t now_ms)
{
    if (now_ms - line->opened_ms >= STEADY_MS)
        line->redial_ms = connections->options.redial_min_ms;
    line->open = 0;
    lines_tell_link(connections, line, ELECTION_LINK_DOWN);
    lines_plan(connections, line, now_ms);
}
