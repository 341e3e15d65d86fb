/* library.c: carries out what the client machine asks for, and tells it what happens. The machine is never
 * stepped inside a call of the network. */
#include "sim/library.h"

#include "client/input.h"
#include "sim/chance.h"

#include <inttypes.h>

enum { TURN_US = 100, PROBE_US = 2000 };

struct library {
    struct world *world;
    struct library_hooks hooks;
    struct client client;
    int host, server;
    uint32_t servers;
    uint64_t chance;
    uint64_t number; /* of the connection; the next one has another */
    bool connected;  /* there is one, or an attempt */
    bool opened, ended, turn_set, lives;
    struct buffer unread, input;
    uint64_t wake_number, life; /* what older events have is of no more interest */
};

int64_t library_now_ms(const struct library *library)
{
    return library->world->events.now_us / 1000;
}

struct client *library_client(struct library *library)
{
    return &library->client;
}

int library_server(const struct library *library)
{
    return library->server;
}

/* --- events --- */

static void wake(void *context, uint64_t number)
{
    struct library *library = context;

    if (number == library->wake_number)
        library_carry_out(library);
}

/* The word isro, of which the replica knows nothing. */
static void probe(void *context, uint64_t argument)
{
    struct library *library = context;
    struct world *world = library->world;
    struct ensemble_info info;
    uint64_t server = argument % WORLD_NODES_MAX;

    if (argument / WORLD_NODES_MAX != library->life || !library->lives)
        return;
    const struct node *node = &world->nodes[server];
    bool reached = node->up && !network_blocked(world->network, library->host, (int)server) &&
                   !network_blocked(world->network, (int)server, library->host);
    client_probed(&library->client,
                  reached && replica_ensemble(node->replica, &info) && info.takes_clients,
                  library_now_ms(library));
    library_carry_out(library);
}

/* --- what the machine wants --- */

static void resolve(struct library *library)
{
    struct client_address *items = mem_try_alloc(WORLD_NODES_MAX * sizeof(*items));
    uint32_t count = 0;

    for (int i = 0; i < library->world->node_count; i++) {
        if ((library->servers >> i & 1) == 0)
            continue;
        items[count] = (struct client_address){.size = 1};
        items[count++].bytes[0] = (uint8_t)i;
    }
    client_set_servers(&library->client, items, count, library_now_ms(library));
}

static void connect(struct library *library, const struct client_address *address)
{
    library->server = address->bytes[0];
    library->number += 2;
    library->connected = true;
    network_dial(library->world->network, library->host, library->number, library->server,
                 NETWORK_CLIENT);
}

static void disconnect(struct library *library)
{
    if (library->connected)
        network_close(library->world->network, library->host, library->number);
    library->connected = library->opened = library->ended = false;
    library->unread.size = library->input.size = 0;
}

static void send_output(struct library *library)
{
    struct buffer out = {0};

    while (client_take_output(&library->client, &out)) {
        if (library->connected)
            network_send(library->world->network, library->host, library->number,
                         buffer_slice(&out));
        client_sent(&library->client, library_now_ms(library));
        out.size = 0;
    }
    buffer_deinit(&out);
}

static void hand_over(struct library *library)
{
    struct list done;

    list_init(&done);
    client_take_done(&library->client, &done);
    while (!list_empty(&done)) {
        struct client_item *item = CONTAINER_OF(done.next, struct client_item, link);
        bool is_event = item->kind == CLIENT_ITEM_EVENT;

        list_remove(&item->link);
        library->hooks.done(library->hooks.context,
                            item); /* a request is the host's, and may be gone */
        if (is_event)
            mem_free(CONTAINER_OF(item, struct client_event, item));
    }
}

/* Gives when it is to be called again; -1: at once. */
static int64_t step(struct library *library)
{
    struct client_step step;

    client_step(&library->client, library_now_ms(library), &step);
    switch (step.action) {
    case CLIENT_RESOLVE:
        resolve(library);
        return -1;
    case CLIENT_CONNECT:
        connect(library, step.address);
        return -1;
    case CLIENT_DISCONNECT:
        disconnect(library);
        hand_over(library);
        library->hooks.lost(library->hooks.context);
        return -1;
    case CLIENT_PROBE:
        events_in(&library->world->events, PROBE_US, probe, library,
                  library->life * WORLD_NODES_MAX + step.address->bytes[0]);
        return -1;
    case CLIENT_WAIT:
        break;
    }
    return step.wake_at_ms;
}

void library_carry_out(struct library *library)
{
    int64_t wake_at_ms;

    if (!library->lives)
        return;
    do {
        wake_at_ms = step(library);
    } while (wake_at_ms < 0);
    send_output(library);
    hand_over(library);
    library->wake_number++;
    if (wake_at_ms != INT64_MAX)
        events_at(&library->world->events, wake_at_ms * 1000, wake, library, library->wake_number);
}

void library_break(struct library *library)
{
    disconnect(library);
    client_lost(&library->client, CLIENT_CONNECTION_LOST, library_now_ms(library));
    library_carry_out(library);
}

/* --- what the network brings --- */

static void take_frame(struct library *library, struct slice bytes)
{
    size_t first = bytes.size;

    if (chance_of(&library->chance, 4))
        first = (size_t)chance_below(&library->chance, (int64_t)bytes.size);
    library->hooks.frame(library->hooks.context, slice_of(bytes.data + 4, bytes.size - 4));
    if (first > 0)
        client_received(&library->client, slice_of(bytes.data, first), library_now_ms(library));
    if (first < bytes.size)
        client_received(&library->client, slice_of(bytes.data + first, bytes.size - first),
                        library_now_ms(library));
    hand_over(library);
    library->hooks.taken(library->hooks.context);
}

static void take_frames(struct library *library)
{
    size_t at = 0;

    buffer_append(&library->input, buffer_slice(&library->unread));
    library->unread.size = 0;
    while (library->client.link == CLIENT_LINK_OPEN && library->input.size - at >= 4 &&
           !library->world->verdict.failed) {
        size_t size = 4 + (size_t)load_be32(library->input.data + at);
        if (library->input.size - at < size)
            break;
        at += size;
        take_frame(library, slice_of(library->input.data + at - size, size));
    }
    if (at > 0)
        memmove(library->input.data, library->input.data + at, library->input.size - at);
    library->input.size -= at;
}

static void turn(void *context, uint64_t life)
{
    struct library *library = context;

    if (life != library->life)
        return;
    library->turn_set = false;
    if (library->opened)
        client_connected(&library->client, library_now_ms(library));
    library->opened = false;
    take_frames(library);
    if (library->ended && library->connected) {
        library->connected = false;
        client_lost(&library->client, CLIENT_CONNECTION_LOST, library_now_ms(library));
    }
    library_carry_out(library);
}

static void set_turn(struct library *library)
{
    if (library->turn_set)
        return;
    library->turn_set = true;
    events_in(&library->world->events, 1 + chance_below(&library->chance, TURN_US), turn, library,
              library->life);
}

static bool is_ours(const struct library *library, uint64_t number)
{
    return library->lives && library->connected && number == library->number;
}

void library_opened(struct library *library, uint64_t number)
{
    if (!is_ours(library, number))
        return;
    library->opened = true;
    set_turn(library);
}

void library_bytes(struct library *library, uint64_t number, struct slice bytes)
{
    if (!is_ours(library, number))
        return;
    buffer_append(&library->unread, bytes);
    set_turn(library);
}

void library_closed(struct library *library, uint64_t number)
{
    if (!is_ours(library, number))
        return;
    library->ended = true;
    set_turn(library);
}

/* --- its life --- */

struct library *library_new(struct world *world, int host, const struct library_hooks *hooks)
{
    struct library *library = mem_zalloc(sizeof(*library));

    library->world = world;
    library->host = host;
    library->hooks = *hooks;
    return library;
}

void library_begin(struct library *library, const struct library_options *options)
{
    struct client_options client = {.timeout_ms = options->timeout_ms,
                                    .may_be_read_only = options->may_be_read_only,
                                    .first_xid = options->first_xid,
                                    .seed = options->seed,
                                    .servers_in_order = options->in_order};

    ASSERT(!library->lives);
    library->servers = options->servers;
    library->chance = options->seed;
    library->life++;
    library->lives = true;
    bool fits = client_init(&library->client, &client);
    ASSERT(fits);
    set_turn(library);
}

bool library_lives(const struct library *library)
{
    return library->lives;
}

void library_end(struct library *library)
{
    if (!library->lives)
        return;
    disconnect(library);
    client_deinit(&library->client);
    library->lives = library->turn_set = false;
    library->life++;
    library->wake_number++;
}

void library_free(struct library *library)
{
    if (library == NULL)
        return;
    library_end(library);
    buffer_deinit(&library->unread);
    buffer_deinit(&library->input);
    mem_free(library);
}
