/* node.c: the host of one replica in an ensemble: its inbox, its turns, and what it does for the replica.
 *
 * The effects of a turn are looked at once, when it ends, in this order: the log and the works, the
 * sends and closes, the start of an image. What a replica has closed is filtered here, as the daemon's
 * rooms of sockets do it: nothing of it is stepped any more. */
#include "sim/node_parts.h"

#include "sim/chance.h"

enum { START_MS = 500 };

static void turn(void *context, uint64_t life);

void node_set_turn(struct node *node)
{
    if (node->turn_set)
        return;
    node->turn_set = true;
    events_in(node->events, 1 + chance_below(&node->chance, node->options.turn_spread_us + 1), turn,
              node, node->life);
}

static void on_inbox(void *context)
{
    node_set_turn(context);
}

void node_init(struct node *node, const struct node_options *options,
               const struct node_hooks *hooks, struct events *events, uint64_t seed)
{
    *node = (struct node){.options = *options,
                          .hooks = *hooks,
                          .events = events,
                          .chance = seed,
                          .mono_offset_ms = START_MS,
                          .oracle_until_us = INT64_MIN,
                          .accepted_epoch = EPOCH_NONE,
                          .current_epoch = EPOCH_NONE};
    inbox_init(&node->inbox, on_inbox, node);
    node_clients_init(&node->clients, &node->inbox, options->bug);
    node_new_disk(node);
}

/* --- peers --- */

uint64_t node_accept_peer(struct node *node)
{
    node->next_connection += 2;
    return node->next_connection;
}

void node_peer_opened(struct node *node, uint64_t connection, enum peer_port port)
{
    struct inbox_event *item = inbox_add(&node->inbox, REPLICA_PEER_OPENED);

    item->event.connection = connection;
    item->event.port = port;
    item->event.address = SLICE("10.0.0.1");
}

void node_peer_bytes(struct node *node, uint64_t connection, struct slice bytes)
{
    struct inbox_event *item = inbox_add(&node->inbox, REPLICA_PEER_BYTES);

    item->event.connection = connection;
    inbox_own_bytes(item, bytes);
}

void node_peer_closed(struct node *node, uint64_t connection)
{
    inbox_add(&node->inbox, REPLICA_PEER_CLOSED)->event.connection = connection;
}

void node_peer_ready(struct node *node, uint64_t connection)
{
    inbox_add(&node->inbox, REPLICA_PEER_READY)->event.connection = connection;
}

/* --- clients --- */

bool node_accept_client(struct node *node, uint64_t *ret_connection)
{
    if (!node_clients_accept(&node->clients, node->next_connection + 2))
        return false;
    node->next_connection += 2;
    *ret_connection = node->next_connection;
    return true;
}

bool node_client_bytes(struct node *node, uint64_t connection, struct slice bytes)
{
    return node_clients_bytes(&node->clients, connection, bytes);
}

void node_client_closed(struct node *node, uint64_t connection)
{
    node_clients_closed(&node->clients, connection);
}

/* --- carrying out --- */

static void carry_out_for_client(struct node *node, const struct client_effect *effect)
{
    const struct node_client *client = &node->clients.items[effect->client];
    uint8_t *bytes = node->effects.bytes.data + effect->offset;

    if (!client->used)
        return;
    switch (effect->kind) {
    case CLIENT_SEND:
        node_clients_spoil_answers(&node->clients, bytes, effect->size);
        node->hooks.client_send(node->hooks.context, node, client->connection,
                                slice_of(bytes, effect->size));
        break;
    case CLIENT_CLOSE:
        node->hooks.client_close(node->hooks.context, node, client->connection, effect->reason);
        node_clients_end(&node->clients, effect->client);
        break;
    case CLIENT_PAUSE:
        node_clients_pause(&node->clients, effect->client);
        break;
    case CLIENT_RESUME:
        node_clients_resume(&node->clients, effect->client);
        break;
    case CLIENT_HOLD:
        inbox_add(&node->inbox, REPLICA_CLIENT_READY)->event.client = effect->client;
        break;
    }
}

static void carry_out_for_peer(struct node *node, const struct peer_effect *effect)
{
    const struct buffer *bytes = &node->effects.peer_bytes;
    struct slice sent = SLICE_NULL;

    if (effect->kind == PEER_SEND) {
        ASSERT(effect->offset + effect->size <= bytes->size);
        sent = slice_of(bytes->data + effect->offset, effect->size);
    } else if (effect->kind == PEER_LISTEN || effect->kind == PEER_UNLISTEN) {
        node->listens[effect->port] = effect->kind == PEER_LISTEN;
    } else if (effect->kind == PEER_CLOSE) {
        inbox_forget_connection(&node->inbox, effect->connection);
    }
    node->hooks.peer(node->hooks.context, node, effect, sent);
}

static void tick(void *context, uint64_t number)
{
    struct node *node = context;

    if (node->up && number == node->tick_number)
        (void)inbox_add(&node->inbox, REPLICA_TICK);
}

static void set_tick(struct node *node)
{
    int64_t now_ms = node_now_ms(node), at_ms = now_ms + node->options.tick_ms;
    int64_t wish_ms = node->effects.wake_at_ms;

    if (wish_ms < at_ms)
        at_ms = wish_ms > now_ms ? wish_ms : now_ms;
    int64_t own_us = (at_ms - node->mono_offset_ms) * 1000;
    /* not before this clock shows it */
    int64_t at_us = node->options.rate_ppm == 0
                        ? own_us
                        : own_us * 1000000 / (1000000 + node->options.rate_ppm) + 2;
    if (at_us < node->events->now_us)
        at_us = node->events->now_us;
    if (node->tick_at_us > node->events->now_us && node->tick_at_us <= at_us)
        return;
    node->tick_at_us = at_us;
    events_at(node->events, at_us, tick, node, ++node->tick_number);
}

static void carry_out(struct node *node)
{
    struct effects *effects = &node->effects;
    uint64_t life = node->life;

    node_hand_to_disk(node);
    node_hand_to_reader(node);
    for (size_t i = 0; i < effects->client_count; i++)
        carry_out_for_client(node, &effects->clients[i]);
    for (size_t i = 0; i < effects->peer_count; i++)
        carry_out_for_peer(node, &effects->peers[i]);
    bool begin = effects->snapshot_begin;
    const char *fatal = effects->fatal;
    set_tick(node);
    effects_clear(effects);
    if (fatal != NULL) {
        node_crash(node, SIM_LOSE_NOTHING, fatal);
        return;
    }
    if (begin)
        node_begin_image(node);
    if (node->life == life)
        node->hooks.turned(node->hooks.context, node);
}

/* --- a turn --- */

static void ask_oracle(struct node *node)
{
    struct replica_event event = {.kind = REPLICA_ORACLE,
                                  .now_ms = node_now_ms(node),
                                  .wall_ms = node_wall_ms(node),
                                  .granted = node->oracle == ORACLE_GRANTS};

    if (node->oracle == node->oracle_told)
        return;
    if (node->oracle_told == ORACLE_GRANTS)
        node->oracle_until_us = node->events->now_us;
    node->oracle_told = node->oracle;
    replica_step(node->replica, &event, &node->effects);
}

static void step(struct node *node, struct inbox_event *item)
{
    if (item->event.kind == REPLICA_TICK)
        ask_oracle(node);
    item->event.now_ms = node_now_ms(node);
    item->event.wall_ms = node_wall_ms(node);
    if (node_clients_take(&node->clients, &item->event))
        replica_step(node->replica, &item->event, &node->effects);
    mem_free(item->bytes);
}

static void turn(void *context, uint64_t life)
{
    struct node *node = context;
    struct inbox_event *taken;
    size_t count = node->inbox.count;

    if (life != node->life)
        return;
    if (node_stands_still(node, turn, life))
        return;
    node->turn_set = false;
    if (node->options.keeps_events_back && count > 1)
        count = 1 + (size_t)chance_below(&node->chance, (int64_t)count);
    taken = inbox_take(&node->inbox, count);
    for (size_t i = 0; i < count; i++)
        step(node, &taken[i]);
    mem_free(taken);
    if (node->inbox.count > 0)
        node_set_turn(node);
    replica_end_turn(node->replica, &node->effects);
    carry_out(node);
}

void node_deinit(struct node *node)
{
    node_forget(node);
    buffer_deinit(&node->image_part);
    inbox_deinit(&node->inbox);
    mem_free(node->appends);
    mem_free(node->histories);
    sim_disk_free(node->sim);
}
