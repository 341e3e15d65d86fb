/* doors.c: the election port, which is always open, the quorum port, which is open while this server
 * leads, and that for observers, which is open while it follows. Each at every address of this server. */
#include "server/peer/peer_internal.h"

enum { BACKLOG = 128 };

static const char *host_of(const struct peers *peers, const struct peer_address *address)
{
    return peers->options.listen_on_all ? NULL : address->host;
}

static const struct peer_address *addresses_of(const struct peers *peers, enum peer_port port,
                                               size_t *ret_count)
{
    const struct peer_options *options = &peers->options;

    *ret_count = port == PEER_PORT_ELECTION ? options->election_count
                 : port == PEER_PORT_QUORUM ? options->quorum_count
                                            : options->master_count;
    return port == PEER_PORT_ELECTION ? options->election
           : port == PEER_PORT_QUORUM ? options->quorum
                                      : options->master;
}

/* "host:port, host:port", for the log. */
static void addresses_text(const struct peer_door *door, struct buffer *text)
{
    size_t count;
    const struct peer_address *addresses = addresses_of(door->peers, door->port, &count);

    for (size_t i = 0; i < count; i++) {
        const char *host = host_of(door->peers, &addresses[i]);
        buffer_printf(text, "%s%s:%u", i == 0 ? "" : ",", host == NULL ? "0.0.0.0" : host,
                      addresses[i].port);
    }
    buffer_u8(text, '\0');
}

static void on_opened(void *context)
{
    struct peer_door *door = context;
    struct buffer text = {0};

    addresses_text(door, &text);
    log_info("peer", "listening for other servers port=%s address=%s", peer_port_text(door->port),
             (const char *)text.data);
    buffer_deinit(&text);
}

static void on_failed(void *context, int error, bool again)
{
    struct peer_door *door = context;
    struct buffer text = {0};

    addresses_text(door, &text);
    if (again && !door->told)
        log_warn("peer",
                 "the %s port could not be opened: %s address=%s; it is tried again every second",
                 peer_port_text(door->port), uv_strerror(error), (const char *)text.data);
    door->told = true;
    if (!again) {
        log_error("peer", "the %s port could not be opened: %s address=%s; giving up",
                  peer_port_text(door->port), uv_strerror(error), (const char *)text.data);
        door->failed++;
    }
    buffer_deinit(&text);
    if (!again && door->failed == door->count) /* at one of its addresses it can be reached */
        door->peers->options.cannot_listen(door->peers->options.context);
}

static void on_connection(void *context, uv_stream_t *socket)
{
    struct peer_door *door = context;

    peer_connection_accept(door->peers, door->port, socket);
}

static void on_lost(void *context, int error)
{
    struct peer_door *door = context;
    struct peers *peers = door->peers;
    uint32_t suppressed = 0;

    if (log_limit_take(&peers->lines, host_now_ms(peers->host), &suppressed))
        log_warn("peer", "a connection could not be accepted: %s port=%s suppressed_lines=%u",
                 uv_strerror(error), peer_port_text(door->port), suppressed);
}

static const struct listener_events door_events = {on_opened, on_failed, on_connection, on_lost};

/* With listen_on_all, addresses that differ in their hosts alone are one. */
static bool is_repeated(const struct peers *peers, const struct peer_address *addresses, size_t at)
{
    for (size_t i = 0; peers->options.listen_on_all && i < at; i++) {
        if (addresses[i].port == addresses[at].port)
            return true;
    }
    return false;
}

void peer_door_open(struct peers *peers, enum peer_port port)
{
    struct peer_door *door = &peers->doors[port];
    size_t count;
    const struct peer_address *addresses = addresses_of(peers, port, &count);

    if (door->listeners != NULL)
        return;
    door->listeners = mem_zalloc(count * sizeof(*door->listeners));
    door->count = door->failed = 0;
    door->told = false;
    for (size_t i = 0; i < count; i++) {
        struct listener_options options = {
            .host = host_of(peers, &addresses[i]),
            .port = addresses[i].port,
            .backlog = BACKLOG,
            /* While it leads it wants the port; a leader without followers ends by itself. */
            .attempts_max = port == PEER_PORT_ELECTION ? peers->options.bind_attempts_max : 0};
        if (!is_repeated(peers, addresses, i))
            door->listeners[door->count++] =
                listener_open(peers->host->loop, &options, &door_events, door);
    }
}

void peer_door_close(struct peer_door *door)
{
    for (size_t i = 0; i < door->count; i++)
        listener_close(door->listeners[i]);
    mem_free(door->listeners);
    door->listeners = NULL;
    door->count = 0;
}

uint16_t peers_port(const struct peers *peers, enum peer_port port)
{
    const struct peer_door *door = &peers->doors[port];

    return door->count == 0 ? 0 : listener_port(door->listeners[0]);
}
