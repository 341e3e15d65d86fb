/* network.c: two ends for each connection, and for each end the bytes that are on their way to it. */
#include "sim/network.h"

#include "base/array.h"
#include "sim/chance.h"

enum {
    DIAL_TIMEOUT_US = 5000000,
    DIAL_RETRY_US = 200000,
    BLOCKED_RETRY_MIN_US = 20000,
    BLOCKED_RETRY_SPREAD_US = 280000,
    SILENT_MAX_US = 20000000,
    READY_BYTES = 64 * 1024,
    CALM_CHUNK_BYTES = 1000, /* a few MB a second */
};

struct network_end {
    int host;
    uint64_t number;
    bool closed; /* its host wants to hear nothing of it any more, or has been told the end */
    bool ends;   /* behind the bytes on their way comes the end, */
    int64_t ends_at_us;  /* not before */
    int64_t pump_at_us;  /* an event will deliver the next bytes then; 0: none will */
    struct buffer bytes; /* on their way to this end, from read_at on */
    size_t read_at;
    bool sender_waits; /* for room */
    bool lost;         /* its host has crashed, and the other side does not know */
    bool resets;       /* and is up again: it answers what comes with a reset */
};

struct connection {
    uint64_t id;
    bool open;
    enum network_port port;
    int64_t dialled_us;
    struct network_end ends[2]; /* who dialled, who accepted */
};

struct network {
    struct events *events;
    struct network_options options;
    struct network_hooks hooks;
    uint64_t chance, next_id;
    struct connection **connections;
    size_t count, capacity;
    bool blocked[NETWORK_HOSTS_MAX][NETWORK_HOSTS_MAX];
    int64_t slow[NETWORK_HOSTS_MAX][NETWORK_HOSTS_MAX]; /* how many times; 0: not */
};

struct network *network_new(struct events *events, const struct network_options *options,
                            const struct network_hooks *hooks, uint64_t seed)
{
    struct network *network = mem_zalloc(sizeof(*network));

    network->events = events;
    network->options = *options;
    network->hooks = *hooks;
    network->chance = seed;
    return network;
}

static void free_connection(struct connection *connection)
{
    buffer_deinit(&connection->ends[0].bytes);
    buffer_deinit(&connection->ends[1].bytes);
    mem_free(connection);
}

void network_free(struct network *network)
{
    for (size_t i = 0; i < network->count; i++)
        free_connection(network->connections[i]);
    mem_free(network->connections);
    mem_free(network);
}

void network_block(struct network *network, int from, int to, bool blocked)
{
    network->blocked[from][to] = blocked;
}

bool network_blocked(const struct network *network, int from, int to)
{
    return network->blocked[from][to];
}

void network_slow(struct network *network, int from, int to, int64_t factor)
{
    network->slow[from][to] = factor;
}

void network_heal(struct network *network)
{
    memset(network->blocked, 0, sizeof(network->blocked));
    memset(network->slow, 0, sizeof(network->slow));
}

/* --- finding --- */

static struct connection *by_id(const struct network *network, uint64_t id)
{
    for (size_t i = 0; i < network->count; i++) {
        if (network->connections[i]->id == id)
            return network->connections[i];
    }
    return NULL;
}

static struct connection *by_number(const struct network *network, int host, uint64_t number,
                                    int *ret_side)
{
    for (size_t i = 0; i < network->count; i++) {
        struct connection *connection = network->connections[i];
        for (int side = 0; side < 2; side++) {
            if (connection->ends[side].host == host && connection->ends[side].number == number &&
                !connection->ends[side].closed) {
                *ret_side = side;
                return connection;
            }
        }
    }
    return NULL;
}

static void remove_if_over(struct network *network, struct connection *connection)
{
    if (!connection->ends[0].closed || !connection->ends[1].closed)
        return;
    for (size_t i = 0; i < network->count; i++) {
        if (network->connections[i] != connection)
            continue;
        memmove(network->connections + i, network->connections + i + 1,
                (network->count - i - 1) * sizeof(struct connection *));
        network->count--;
        free_connection(connection);
        return;
    }
}

static int64_t latency_us(struct network *network)
{
    const struct network_options *options = &network->options;
    int64_t us =
        options->latency_min_us + chance_below(&network->chance, options->latency_spread_us + 1);

    if (chance_of(&network->chance, options->slow_one_in))
        us *= 1 + chance_below(&network->chance, 100);
    return us;
}

/* --- bytes on their way --- */

static void pump(void *context, uint64_t argument);

static void pump_in(struct network *network, struct connection *connection, int side,
                    int64_t delay_us)
{
    struct network_end *end = &connection->ends[side];
    int64_t factor = network->slow[connection->ends[1 - side].host][end->host];
    if (factor > 0)
        delay_us *= factor;
    int64_t at_us = network->events->now_us + delay_us;

    if (end->pump_at_us != 0 && end->pump_at_us <= at_us)
        return;
    end->pump_at_us = at_us;
    events_in(network->events, delay_us, pump, network, connection->id * 2 + (uint64_t)side);
}

static void deliver(struct network *network, struct connection *connection, int side)
{
    struct network_end *to = &connection->ends[side], *from = &connection->ends[1 - side];
    size_t waiting = to->bytes.size - to->read_at, size = waiting;

    if (network->options.chunk_max > 0 && waiting > 1) {
        size_t some = 1 + (size_t)chance_below(&network->chance, network->options.chunk_max);
        size = some < waiting ? some : waiting;
    }
    struct slice bytes = slice_of(to->bytes.data + to->read_at, size);
    to->read_at += size;
    network->hooks.bytes(network->hooks.context, to->host, to->number, bytes);
    if (to->read_at == to->bytes.size)
        to->bytes.size = to->read_at = 0;
    if (from->closed || !to->sender_waits || to->bytes.size - to->read_at > READY_BYTES)
        return;
    to->sender_waits = false;
    network->hooks.ready(network->hooks.context, from->host, from->number);
}

static void pump(void *context, uint64_t argument)
{
    struct network *network = context;
    struct connection *connection = by_id(network, argument / 2);
    int side = (int)(argument % 2);

    if (connection == NULL)
        return;
    struct network_end *to = &connection->ends[side];
    if (to->closed || to->pump_at_us > network->events->now_us)
        return; /* a later event takes this one's place */
    to->pump_at_us = 0;
    if (network->blocked[connection->ends[1 - side].host][to->host]) {
        pump_in(network, connection, side,
                BLOCKED_RETRY_MIN_US + chance_below(&network->chance, BLOCKED_RETRY_SPREAD_US));
        return;
    }
    if (to->bytes.size > to->read_at)
        deliver(network, connection, side);
    if (to->bytes.size > to->read_at) {
        pump_in(network, connection, side, chance_below(&network->chance, 300));
    } else if (to->ends && network->events->now_us < to->ends_at_us) {
        pump_in(network, connection, side, to->ends_at_us - network->events->now_us);
    } else if (to->ends) {
        to->closed = true;
        network->hooks.closed(network->hooks.context, to->host, to->number);
        remove_if_over(network, connection);
    }
}

/* A connection that is half open is found out, and what a slow way was to bring later comes now. */
static void bring_soon(struct network *network, struct connection *connection, int side)
{
    struct network_end *end = &connection->ends[side];
    int64_t soon_us = network->events->now_us + NETWORK_CALM_TELL_US;

    if (end->closed)
        return;
    if (end->ends && end->ends_at_us > soon_us)
        end->ends_at_us = soon_us;
    if (end->pump_at_us > soon_us)
        pump_in(network, connection, side, NETWORK_CALM_TELL_US);
}

void network_calm(struct network *network)
{
    network->options.slow_one_in = 0;
    if (network->options.chunk_max > 0 && network->options.chunk_max < CALM_CHUNK_BYTES)
        network->options.chunk_max = CALM_CHUNK_BYTES;
    for (size_t i = 0; i < network->count; i++) {
        for (int side = 0; side < 2; side++)
            bring_soon(network, network->connections[i], side);
    }
}

/* --- dialling --- */

static void refuse(struct network *network, struct connection *connection)
{
    struct network_end *end = &connection->ends[0];
    bool told = end->closed;

    end->closed = connection->ends[1].closed = true;
    int host = end->host;
    uint64_t number = end->number;
    remove_if_over(network, connection);
    if (!told)
        network->hooks.closed(network->hooks.context, host, number);
}

static void connect(void *context, uint64_t id)
{
    struct network *network = context;
    struct connection *connection = by_id(network, id);

    if (connection == NULL)
        return;
    struct network_end *from = &connection->ends[0], *to = &connection->ends[1];
    if (network->blocked[from->host][to->host] || network->blocked[to->host][from->host]) {
        if (network->events->now_us - connection->dialled_us > DIAL_TIMEOUT_US)
            refuse(network, connection);
        else
            events_in(network->events, DIAL_RETRY_US, connect, network, id);
        return;
    }
    if (from->closed || !network->hooks.accept(network->hooks.context, to->host, connection->port,
                                               from->host, &to->number)) {
        refuse(network, connection);
        return;
    }
    to->closed = false;
    connection->open = true;
    network->hooks.opened(network->hooks.context, to->host, to->number, connection->port);
    network->hooks.opened(network->hooks.context, from->host, from->number, connection->port);
}

void network_dial(struct network *network, int host, uint64_t number, int to,
                  enum network_port port)
{
    struct connection *connection = mem_zalloc(sizeof(*connection));

    connection->id = ++network->next_id;
    connection->port = port;
    connection->dialled_us = network->events->now_us;
    connection->ends[0] = (struct network_end){.host = host, .number = number};
    connection->ends[1] = (struct network_end){.host = to, .closed = true};
    network->connections =
        ARRAY_RESERVE(network->connections, network->capacity, network->count + 1, ARRAY_FIRST);
    network->connections[network->count++] = connection;
    events_in(network->events, latency_us(network) + latency_us(network), connect, network,
              connection->id);
}

/* --- what a host does --- */

void network_send(struct network *network, int host, uint64_t number, struct slice bytes)
{
    int side;
    struct connection *connection = by_number(network, host, number, &side);

    if (connection == NULL)
        return;
    if (connection->ends[1 - side].resets && connection->ends[side].ends) {
        connection->ends[side].ends_at_us = network->events->now_us;
        pump_in(network, connection, side, latency_us(network));
    }
    if (connection->ends[1 - side].closed || connection->ends[1 - side].ends)
        return;
    buffer_append(&connection->ends[1 - side].bytes, bytes);
    pump_in(network, connection, 1 - side, latency_us(network));
}

void network_hold(struct network *network, int host, uint64_t number)
{
    int side;
    struct connection *connection = by_number(network, host, number, &side);

    if (connection == NULL || connection->ends[1 - side].closed)
        return;
    connection->ends[1 - side].sender_waits = true;
    pump_in(network, connection, 1 - side, latency_us(network));
}

static void end_towards(struct network *network, struct connection *connection, int side,
                        int64_t delay_us)
{
    connection->ends[side].ends = true;
    connection->ends[side].ends_at_us = network->events->now_us + delay_us;
    if (connection->ends[side].bytes.size == connection->ends[side].read_at)
        connection->ends[side].sender_waits = false;
    pump_in(network, connection, side, delay_us);
}

void network_close(struct network *network, int host, uint64_t number)
{
    int side;
    struct connection *connection = by_number(network, host, number, &side);

    if (connection == NULL)
        return;
    connection->ends[side].closed = true;
    if (connection->open && !connection->ends[1 - side].closed)
        end_towards(network, connection, 1 - side, latency_us(network));
    else if (connection->open)
        remove_if_over(network, connection);
}

/* The bytes on their way to `side` end somewhere. */
static void cut(struct network *network, struct connection *connection, int side)
{
    struct network_end *end = &connection->ends[side];
    size_t waiting = end->bytes.size - end->read_at;

    end->bytes.size = end->read_at + (size_t)chance_below(&network->chance, (int64_t)waiting + 1);
}

void network_crash(struct network *network, int host, bool silently)
{
    for (size_t i = network->count; i-- > 0;) {
        struct connection *connection = network->connections[i];
        for (int side = 0; side < 2; side++) {
            if (connection->ends[side].host != host || connection->ends[side].closed)
                continue;
            connection->ends[side].closed = true;
            connection->ends[side].lost = silently;
            if (!connection->open || connection->ends[1 - side].closed)
                continue;
            cut(network, connection, 1 - side);
            int64_t delay_us = latency_us(network);
            if (silently) {
                delay_us += chance_below(&network->chance, SILENT_MAX_US);
                connection->ends[1 - side].bytes.size = connection->ends[1 - side].read_at;
            }
            end_towards(network, connection, 1 - side, delay_us);
        }
        if (connection->open)
            remove_if_over(network, connection);
    }
}

void network_is_back(struct network *network, int host)
{
    for (size_t i = 0; i < network->count; i++) {
        for (int side = 0; side < 2; side++) {
            struct network_end *end = &network->connections[i]->ends[side];
            end->resets = end->resets || (end->host == host && end->lost);
        }
    }
}

/* `side` is told. The other one hears nothing more, and learns it when it sends, or not even then. */
static void break_half(struct network *network, struct connection *connection, int side)
{
    struct network_end *other = &connection->ends[1 - side];

    cut(network, connection, side);
    end_towards(network, connection, side, latency_us(network));
    other->bytes.size = other->read_at;
    end_towards(network, connection, 1 - side, chance_below(&network->chance, SILENT_MAX_US));
    connection->ends[side].resets = chance_of(&network->chance, 2);
}

bool network_break_one(struct network *network, bool half)
{
    size_t start =
        network->count == 0 ? 0 : (size_t)chance_below(&network->chance, (int64_t)network->count);

    for (size_t i = 0; i < network->count; i++) {
        struct connection *connection = network->connections[(start + i) % network->count];
        if (!connection->open || connection->ends[0].closed || connection->ends[1].closed)
            continue;
        if (half) {
            break_half(network, connection, (int)chance_below(&network->chance, 2));
            return true;
        }
        for (int side = 0; side < 2; side++) {
            cut(network, connection, side);
            end_towards(network, connection, side, latency_us(network));
        }
        return true;
    }
    return false;
}
