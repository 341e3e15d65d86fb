/* node.c: the host of one replica in an ensemble: its inbox, its turns, its disk.
 *
 * The effects of a turn are looked at once, when it ends, in this order: the log and the works, the
 * sends and closes, the start of an image. What a replica has closed is filtered here, as the daemon's
 * rooms of sockets do it: nothing of it is stepped any more. */
#include "sim/node.h"

#include "base/array.h"
#include "replica/store/snapshot.h"
#include "sim/chance.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    START_MS = 500,
    TEXT_BYTES_MAX = NODE_FRAME_BYTES_MAX,
    IMAGE_STEP_US = 800,
    FULL_RETRY_US = 1000000,
    HELD_RETRY_US = 100,
    PAUSE_LOOK_US = 10000
};
#define WALL_MS INT64_C(1700000000000)

static void new_disk(struct node *node)
{
    node->sim = sim_disk_new(chance_fork(&node->chance));
    sim_disk_misuse(node->sim, node->options.bug == NODE_RETRIES_SYNCS,
                    node->options.bug == NODE_SYNCS_NO_NAMES);
}

static void turn(void *context, uint64_t life);

static void set_turn(void *context)
{
    struct node *node = context;

    if (node->turn_set)
        return;
    node->turn_set = true;
    events_in(node->events, 1 + chance_below(&node->chance, node->options.turn_spread_us + 1), turn,
              node, node->life);
}

void node_init(struct node *node, const struct node_options *options,
               const struct node_hooks *hooks, struct events *events, uint64_t seed)
{
    *node = (struct node){.options = *options,
                          .hooks = *hooks,
                          .events = events,
                          .chance = seed,
                          .mono_offset_ms = START_MS,
                          .accepted_epoch = EPOCH_NONE,
                          .current_epoch = EPOCH_NONE};
    inbox_init(&node->inbox, set_turn, node);
    node_clients_init(&node->clients, &node->inbox, options->bug);
    new_disk(node);
}

/* Both clocks of a machine run at one rate; only the time of day jumps. */
static int64_t counted_ms(const struct node *node)
{
    int64_t us = node->events->now_us;

    return (us + us * node->options.rate_ppm / 1000000) / 1000;
}

int64_t node_now_ms(const struct node *node)
{
    return counted_ms(node) + node->mono_offset_ms;
}

int64_t node_wall_ms(const struct node *node)
{
    return counted_ms(node) + WALL_MS + node->wall_offset_ms;
}

/* --- the inbox --- */

void node_set_wall(struct node *node, int64_t offset_ms)
{
    node->wall_offset_ms = offset_ms;
    node->clock_jumps++;
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

static void set_disk(struct node *node);

static void hand_to_disk(struct node *node)
{
    struct effects *effects = &node->effects;

    for (size_t i = 0; i < effects->append_count; i++) {
        const struct txnlog_append *append = &effects->appends[i];
        ASSERT(append->zxid > node->appended_zxid);
        node->appended_zxid = append->zxid;
        node->hooks.append(node->hooks.context, node, append);
        node->appends = ARRAY_RESERVE(node->appends, node->append_capacity, node->append_count + 1,
                                      ARRAY_FIRST);
        node->appends[node->append_count++] = *append;
    }
    if (effects->store_begin) {
        ASSERT(!node->work_waits); /* one at a time */
        node->work_waits = true;
        node->work = effects->store_work;
        node->work_behind = node->append_count;
    }
    set_disk(node);
}

static void history(void *context, uint64_t life);

static void hand_to_reader(struct node *node)
{
    for (size_t i = 0; i < node->effects.history_count; i++) {
        node->histories = ARRAY_RESERVE(node->histories, node->history_capacity,
                                        node->history_count + 1, ARRAY_FIRST);
        node->histories[node->history_count++] = node->effects.histories[i];
        events_in(node->events, 1 + chance_below(&node->chance, IMAGE_STEP_US), history, node,
                  node->life);
    }
}

static void image(void *context, uint64_t life);

static void begin_image(struct node *node)
{
    ASSERT(!node->image_running);
    node->image_running = true;
    node->hooks.imaged(node->hooks.context, node, replica_snapshot_zxid(node->replica));
    enum status status = snapshot_file_begin(
        sim_disk(node->sim), replica_snapshot_zxid(node->replica), STORE_PLAIN, &node->image_file);
    if (status != STATUS_OK)
        node->image_file = NULL; /* reported as given up by the first step */
    events_in(node->events, IMAGE_STEP_US, image, node, node->life);
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

    hand_to_disk(node);
    hand_to_reader(node);
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
        begin_image(node);
    if (node->life == life)
        node->hooks.turned(node->hooks.context, node);
}

/* --- a turn --- */

static void step(struct node *node, struct inbox_event *item)
{
    item->event.now_ms = node_now_ms(node);
    item->event.wall_ms = node_wall_ms(node);
    if (node_clients_take(&node->clients, &item->event))
        replica_step(node->replica, &item->event, &node->effects);
    mem_free(item->bytes);
}

/* It looks again and again, for the pause may be ended early. */
static bool stands_still(struct node *node, events_run *later, uint64_t number)
{
    int64_t look_us = node->events->now_us + PAUSE_LOOK_US;

    if (node->paused_until_us <= node->events->now_us)
        return false;
    events_at(node->events, node->paused_until_us < look_us ? node->paused_until_us : look_us,
              later, node, number);
    return true;
}

static void turn(void *context, uint64_t life)
{
    struct node *node = context;
    struct inbox_event *taken;
    size_t count = node->inbox.count;

    if (life != node->life)
        return;
    if (stands_still(node, turn, life))
        return;
    node->turn_set = false;
    if (node->options.keeps_events_back && count > 1)
        count = 1 + (size_t)chance_below(&node->chance, (int64_t)count);
    taken = inbox_take(&node->inbox, count);
    for (size_t i = 0; i < count; i++)
        step(node, &taken[i]);
    mem_free(taken);
    if (node->inbox.count > 0)
        set_turn(node);
    replica_end_turn(node->replica, &node->effects);
    carry_out(node);
}

/* --- the disk --- */

static void disk(void *context, uint64_t number);

static int64_t disk_us(struct node *node)
{
    const struct node_options *options = &node->options;
    int64_t us = options->sync_min_us + chance_below(&node->chance, options->sync_spread_us + 1);

    if (chance_of(&node->chance, options->stall_one_in))
        us += chance_below(&node->chance, options->stall_max_us);
    return us;
}

static void set_disk(struct node *node)
{
    if (node->disk_set || (node->append_count == 0 && !node->work_waits))
        return;
    node->disk_set = true;
    events_in(node->events, disk_us(node), disk, node, ++node->disk_number);
}

static void disk_failed(struct node *node, const char *what)
{
    node_crash(node, sim_disk_crashed(node->sim) ? SIM_LOSE_SOME : SIM_LOSE_NOTHING, what);
}

static void write_batch(struct node *node, size_t count)
{
    struct txnlog_writer *writer = store_actor_log(node->actor);

    if (count > 1 && chance_of(&node->chance, 4))
        count = 1 + (size_t)chance_below(&node->chance, (int64_t)count);
    enum status status = txnlog_writer_append(writer, node->appends, count);
    if (status == STATUS_NO_SPACE) {
        node->disk_set = true;
        events_in(node->events, FULL_RETRY_US, disk, node, ++node->disk_number);
        return;
    }
    if (status != STATUS_OK) {
        disk_failed(node, "writing the log failed");
        return;
    }
    node->written_count = count;
    node->disk_phase = NODE_DISK_WRITTEN;
    if (node->options.bug == NODE_REPORTS_WRITES)
        inbox_add(&node->inbox, REPLICA_LOG_SYNCED)->event.zxid = node->appends[count - 1].zxid;
    set_disk(node);
}

static void sync_batch(struct node *node)
{
    size_t count = node->written_count;
    int64_t zxid = node->appends[count - 1].zxid;

    if (txnlog_writer_sync(store_actor_log(node->actor)) != STATUS_OK) {
        disk_failed(node, "syncing the log failed");
        return;
    }
    if (count > 0)
        memmove(node->appends, node->appends + count,
                (node->append_count - count) * sizeof(*node->appends));
    node->append_count -= count;
    node->written_count = 0;
    if (node->work_waits)
        node->work_behind -= count;
    node->disk_phase = NODE_DISK_IDLE;
    node->durable_zxid = zxid;
    node->hooks.durable(node->hooks.context, node, zxid);
    if (node->options.bug != NODE_REPORTS_WRITES)
        inbox_add(&node->inbox, REPLICA_LOG_SYNCED)->event.zxid = zxid;
    set_disk(node);
}

static void do_work(struct node *node)
{
    struct store_outcome outcome;
    struct store_work work = node->work, done = node->work;

    if (node->options.bug == NODE_FORGETS_EPOCHS && work.kind == STORE_WRITE_EPOCHS)
        done.accepted_epoch = EPOCH_NONE;
    ASSERT(work.kind == STORE_WRITE_EPOCHS || node->image_file == NULL);
    enum status status = store_actor_work(node->actor, &done, &outcome);
    bool refused = (status == STATUS_NOT_FOUND && work.kind == STORE_TRUNCATE) ||
                   (status == STATUS_INVALID && work.kind == STORE_WRITE_EPOCHS);
    struct tree *tree = outcome.recovery.tree;
    int64_t last_zxid = outcome.recovery.last_zxid;
    store_outcome_deinit(&outcome);
    if (status == STATUS_NO_SPACE && !store_actor_failed(node->actor)) {
        node->disk_set = true;
        events_in(node->events, FULL_RETRY_US, disk, node, ++node->disk_number);
        return;
    }
    if (status != STATUS_OK && !refused) {
        if (tree != NULL)
            tree_free(tree);
        disk_failed(node, "a work on the files failed");
        return;
    }
    node->work_waits = false;
    if (status == STATUS_OK && work.kind == STORE_WRITE_EPOCHS) {
        if (work.accepted_epoch != EPOCH_NONE)
            node->accepted_epoch = work.accepted_epoch;
        if (work.current_epoch != EPOCH_NONE)
            node->current_epoch = work.current_epoch;
        if (work.ends_quarantine)
            node->quarantined = false;
    } else if (status == STATUS_OK) {
        node->durable_zxid = node->appended_zxid = last_zxid;
    }
    node->hooks.stored(node->hooks.context, node, &work, status, tree);
    struct inbox_event *item = inbox_add(&node->inbox, REPLICA_STORE_DONE);
    item->event.status = status;
    item->event.tree = tree;
    item->event.zxid = last_zxid;
    set_disk(node);
}

static void disk(void *context, uint64_t number)
{
    struct node *node = context;

    if (number != node->disk_number)
        return;
    if (stands_still(node, disk, number))
        return;
    if (node->disk_held) {
        events_in(node->events, HELD_RETRY_US, disk, node, number);
        return;
    }
    node->disk_set = false;
    if (node->disk_phase == NODE_DISK_WRITTEN)
        sync_batch(node);
    else if (node->work_waits &&
             (node->work_behind == 0 || (node->options.bug == NODE_WORKS_BEFORE_APPENDS &&
                                         node->work.kind == STORE_WRITE_EPOCHS)))
        do_work(node);
    else if (node->append_count > 0)
        write_batch(node, node->work_waits ? node->work_behind : node->append_count);
}

/* --- history for learners --- */

static void history(void *context, uint64_t life)
{
    struct node *node = context;
    struct buffer packets = {0};

    if (life != node->life)
        return;
    if (node->paused_until_us > node->events->now_us) {
        events_at(node->events, node->paused_until_us, history, node, life);
        return;
    }
    ASSERT(node->history_count > 0);
    struct history_work work = node->histories[0];
    node->history_count--;
    memmove(node->histories, node->histories + 1, node->history_count * sizeof(work));
    enum status status = history_reader_work(node->reader, &work, &packets);
    if (sim_disk_crashed(node->sim)) {
        disk_failed(node, "the power failed while the log was read");
    } else if (work.kind != HISTORY_CLOSE) {
        struct inbox_event *item = inbox_add(&node->inbox, REPLICA_HISTORY);
        item->event.connection = work.connection;
        item->event.status = status;
        node->history_parts += packets.size > 0;
        inbox_own_bytes(item, buffer_slice(&packets));
    }
    buffer_deinit(&packets);
}

/* --- the running image --- */

static void end_image(struct node *node, bool written)
{
    node->image_running = false;
    node->image_file = NULL;
    inbox_add(&node->inbox, REPLICA_SNAPSHOT_DONE)->event.status = written ? STATUS_OK : STATUS_IO;
}

static void image(void *context, uint64_t life)
{
    struct node *node = context;

    if (life != node->life || !node->image_running)
        return;
    if (stands_still(node, image, life))
        return;
    if (node->image_held) {
        events_in(node->events, HELD_RETRY_US, image, node, life);
        return;
    }
    node->image_part.size = 0;
    enum image_part part = replica_snapshot_next(node->replica, &node->image_part,
                                                 200 + (size_t)chance_below(&node->chance, 4000));
    enum status status = STATUS_OK;
    if (node->image_file == NULL) { /* its file could not be made */
        if (part == IMAGE_END || part == IMAGE_LOST)
            end_image(node, false);
        else
            events_in(node->events, IMAGE_STEP_US, image, node, life);
        return;
    }
    if (part == IMAGE_END) {
        status = snapshot_file_finish(node->image_file);
    } else if (part == IMAGE_LOST) {
        snapshot_file_abort(node->image_file);
        status = STATUS_END;
    } else {
        status = snapshot_file_write(node->image_file, buffer_slice(&node->image_part));
        if (status == STATUS_OK && part == IMAGE_PART_SEALED)
            status = snapshot_file_seal(node->image_file);
        if (status == STATUS_OK) {
            events_in(node->events, 1 + chance_below(&node->chance, IMAGE_STEP_US), image, node,
                      life);
            return;
        }
        snapshot_file_abort(node->image_file);
    }
    node->image_file = NULL;
    if (sim_disk_crashed(node->sim))
        disk_failed(node, "the power failed during a snapshot");
    else
        end_image(node, status == STATUS_OK);
}

/* --- birth and death --- */

static struct replica_options replica_options_of(struct node *node)
{
    int32_t tick_ms = node->options.tick_ms;

    return (struct replica_options){.tick_ms = tick_ms,
                                    .session_timeout_min_ms = 2 * tick_ms,
                                    .session_timeout_max_ms = 20 * tick_ms,
                                    .server_id = (uint8_t)node->options.id,
                                    .session_seed_ms = node_wall_ms(node),
                                    .random_seed = chance_u64(&node->chance),
                                    .text_bytes_max = TEXT_BYTES_MAX,
                                    .digest_auth_enabled = true,
                                    .digest_algorithm = SLICE("SHA1"),
                                    .outstanding_max = 1000,
                                    .container_check_interval_ms = node->options.container_check_ms,
                                    .container_per_minute_max = 10000,
                                    .ensemble = &node->ensemble,
                                    .mutant = node->options.mutant,
                                    .local_sessions = node->options.local_sessions,
                                    .local_upgrading = node->options.local_sessions,
                                    .history_bytes_max = node->options.history_bytes_max,
                                    .snap_count = node->options.snap_count,
                                    .snapshot_last_zxid_section = true};
}

static struct recovery_options recovery_options_of(struct node *node)
{
    return (struct recovery_options){
        .tree = {.hash_seed = chance_u64(&node->chance),
                 .extended_types = true,
                 .digest_enabled = true},
        .text_bytes_max = TEXT_BYTES_MAX,
        .db_autocreate = true,
        .mutant = node->options.mutant,
        .last_zxid_section = true,
        .keep_orphans = true,
        .repairable = membership_can_spare(node->options.membership, node->options.id)};
}

static void start_replica(struct node *node, const struct recovery *recovery,
                          const struct epochs *epochs)
{
    node->ensemble =
        (struct ensemble_options){.my_id = node->options.id,
                                  .membership = node->options.membership,
                                  .init_limit = node->options.init_limit,
                                  .sync_limit = node->options.sync_limit,
                                  .epoch_wait_max_ms = -1,
                                  .prepared_bytes_max = node->options.prepared_bytes_max,
                                  .observer_master_port = node->options.observer_master_port,
                                  .snapshot_size_factor = node->options.snapshot_size_factor,
                                  .finalize_ms = 200,
                                  .resend_min_ms = 200,
                                  .resend_max_ms = 60000,
                                  .leader_serves = true,
                                  .read_only = node->options.read_only,
                                  .accepted_epoch = epochs->accepted,
                                  .current_epoch = epochs->current,
                                  .quarantined = recovery->quarantine.on,
                                  .promises_lost = recovery->quarantine.promises_lost};
    struct replica_options options = replica_options_of(node);
    node->replica = replica_new(&options, recovery->tree, node_now_ms(node));
    node->up = true;
    node->tick_at_us = 0;
    (void)inbox_add(&node->inbox, REPLICA_TICK);
}

static void put_warnings(const struct store_notes *notes, struct buffer *text)
{
    for (size_t i = 0; i < notes->count; i++) {
        if (!notes->notes[i].warning)
            continue;
        buffer_append(text, slice_text(notes->notes[i].text));
        buffer_u8(text, ' ');
    }
}

enum status node_boot(struct node *node, struct buffer *problem)
{
    struct disk *files = sim_disk(node->sim);
    struct recovery recovery;
    struct epochs epochs = {EPOCH_NONE, EPOCH_NONE};
    struct recovery_options options = recovery_options_of(node);

    ASSERT(!node->up);
    node->life++;
    node->clock_jumps = 0;
    enum status status = store_start_member(files, files, &options, &recovery, &epochs);
    if (status != STATUS_OK) {
        if (recovery.notes.count > 0)
            buffer_append(problem, slice_text(recovery.notes.notes[recovery.notes.count - 1].text));
        recovery_deinit(&recovery);
        return status;
    }
    struct store_actor_options actor = {.log = {.prealloc_bytes = node->options.prealloc_bytes,
                                                .force_sync = true,
                                                .digest_enabled = true,
                                                .payload_bytes_max = TEXT_BYTES_MAX},
                                        .recovery = options};
    node->actor = store_actor_new(files, files, &actor, &recovery.log);
    node->reader = history_reader_new(files, files, TEXT_BYTES_MAX);
    node->durable_zxid = node->appended_zxid = recovery.last_zxid;
    node->accepted_epoch = epochs.accepted;
    node->current_epoch = epochs.current;
    node->quarantined = recovery.quarantine.on;
    node->promises_lost = recovery.quarantine.promises_lost;
    if (node->quarantined) { /* the file is out of the way */
        node->rotten[0] = '\0';
        put_warnings(&recovery.notes, problem);
    }
    start_replica(node, &recovery, &epochs);
    recovery_deinit(&recovery);
    return STATUS_OK;
}

/* All that a process has in memory. The power is off already: nothing here changes a file. */
static void forget(struct node *node)
{
    sim_disk_crash_at(node->sim, 1);
    if (node->image_file != NULL)
        snapshot_file_abort(node->image_file);
    node->image_file = NULL;
    node->image_running = false;
    replica_free(node->replica);
    node->replica = NULL;
    store_actor_free(node->actor);
    node->actor = NULL;
    history_reader_free(node->reader);
    node->reader = NULL;
    node->history_count = 0;
    effects_deinit(&node->effects);
    inbox_forget(&node->inbox);
    node_clients_forget(&node->clients);
    if (node->up) /* else it died within its start, which has not finished the work either */
        node->interrupted = node->work_waits;
    node->append_count = node->written_count = 0;
    node->disk_phase = NODE_DISK_IDLE;
    node->disk_set = node->work_waits = node->turn_set = node->up = false;
    memset(node->listens, 0, sizeof(node->listens));
    node->paused_at_us = node->paused_until_us = 0;
    node->tick_number++;
    node->disk_number++;
    node->life++;
}

void node_crash(struct node *node, enum sim_disk_loss loss, const char *why)
{
    bool was_up = node->up;

    forget(node);
    sim_disk_reboot(node->sim, loss);
    if (node->options.bug == NODE_LOSES_ITS_DISK) {
        sim_disk_free(node->sim);
        new_disk(node);
    }
    if (was_up)
        node->hooks.died(node->hooks.context, node, why);
}

void node_accepted_before(struct node *node, int64_t epoch)
{
    char text[24];
    struct disk *files = sim_disk(node->sim);
    struct tree_options options = {.extended_types = true, .digest_enabled = true};
    struct snapshot_image_options image = {.digest_enabled = true, .last_zxid_section = true};

    if (epoch == 0)
        return;
    snprintf(text, sizeof(text), "%" PRId64, epoch);
    sim_disk_put(node->sim, "acceptedEpoch", slice_text(text));
    sim_disk_put(node->sim, "currentEpoch", slice_text(text));
    struct tree *tree = tree_new(&options); /* its data: nothing yet */
    enum status status = snapshot_write(files, tree, &image, STORE_PLAIN);
    ASSERT(status == STATUS_OK);
    tree_free(tree);
}

static int64_t zxid_of_log(const char *name)
{
    return strncmp(name, "log.", 4) == 0 ? strtoll(name + 4, NULL, 16) : -1;
}

static bool may_rot(const struct sim_disk *sim, const char *name)
{
    if (strncmp(name, "snapshot.", 9) == 0)
        return true;
    int64_t zxid = zxid_of_log(name);
    for (size_t i = 0; i < sim_disk_file_count(sim) && zxid >= 0; i++) {
        if (zxid_of_log(sim_disk_file_name(sim, i)) > zxid)
            return true;
    }
    return false;
}

void node_rot(struct node *node, uint64_t choice)
{
    size_t count = sim_disk_file_count(node->sim);

    if (node->rotten[0] != '\0' || count == 0)
        return;
    const char *name = sim_disk_file_name(node->sim, choice % count);
    size_t size = sim_disk_bytes(node->sim, name).size;
    if (!may_rot(node->sim, name) || size == 0)
        return;
    snprintf(node->rotten, sizeof(node->rotten), "%s", name);
    node->rotten_at = (choice >> 8) % size;
    node->rotten_mask = (uint8_t)(1 << (choice >> 61));
    sim_disk_flip(node->sim, node->rotten, node->rotten_at, node->rotten_mask);
    node->harmed = true;
}

void node_unrot(struct node *node)
{
    sim_disk_flip(node->sim, node->rotten, node->rotten_at, node->rotten_mask);
    node->rotten[0] = '\0';
    node->harmed = false;
}

void node_calm(struct node *node)
{
    node->options.stall_one_in = 0;
    sim_disk_set_space(node->sim, UINT64_MAX);
    sim_disk_crash_at(node->sim, 0);
    sim_disk_mend(node->sim);
    if (node->paused_until_us > node->events->now_us)
        node->paused_until_us = node->events->now_us;
    if (!node->disk_set)
        return;
    node->disk_set = false;
    set_disk(node); /* its disk may stand still at this moment */
}

void node_pause(struct node *node, int64_t us)
{
    int64_t now_us = node->events->now_us;

    if (node->paused_until_us <= now_us)
        node->paused_at_us = now_us;
    if (node->paused_until_us < now_us + us)
        node->paused_until_us = now_us + us;
}

void node_hold_image(struct node *node, bool held)
{
    node->image_held = held;
}

void node_hold_disk(struct node *node, bool held)
{
    node->disk_held = held;
}

void node_deinit(struct node *node)
{
    forget(node);
    buffer_deinit(&node->image_part);
    inbox_deinit(&node->inbox);
    mem_free(node->appends);
    mem_free(node->histories);
    sim_disk_free(node->sim);
}
