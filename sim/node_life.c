/* node_life.c: the machine of a simulated server: its clocks and pauses, how its process starts from the
 * disk, and how it ends.
 *
 * A crash forgets all but the disk, whose loss is chosen by seed. Events of an earlier life find another number
 * of it and do nothing. */
#include "sim/node_parts.h"

#include "replica/store/snapshot.h"
#include "sim/chance.h"

enum { PAUSE_LOOK_US = 10000 };
#define WALL_MS INT64_C(1700000000000)

/* --- clocks --- */

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

void node_set_oracle(struct node *node, bool grants)
{
    node->oracle = grants ? ORACLE_GRANTS : ORACLE_REFUSES;
}

bool node_was_granted_since(const struct node *node, int64_t us)
{
    return membership_heeds_oracle(node->options.membership) &&
           (node->oracle_told == ORACLE_GRANTS || node->oracle_until_us >= us);
}

void node_set_wall(struct node *node, int64_t offset_ms)
{
    node->wall_offset_ms = offset_ms;
    node->clock_jumps++;
}

/* --- pauses --- */

/* It looks again and again, for the pause may be ended early. */
bool node_stands_still(struct node *node, events_run *later, uint64_t number)
{
    int64_t look_us = node->events->now_us + PAUSE_LOOK_US;

    if (node->pauses[0].until_us <= node->events->now_us)
        return false;
    events_at(node->events, node->pauses[0].until_us < look_us ? node->pauses[0].until_us : look_us,
              later, node, number);
    return true;
}

static void begin_pause(struct node *node, int64_t now_us)
{
    memmove(node->pauses + 1, node->pauses, (NODE_PAUSES - 1) * sizeof(*node->pauses));
    node->pauses[0] = (struct node_pause){.at_us = now_us};
}

void node_pause(struct node *node, int64_t us)
{
    int64_t now_us = node->events->now_us;

    if (node->pauses[0].until_us <= now_us)
        begin_pause(node, now_us);
    if (node->pauses[0].until_us < now_us + us)
        node->pauses[0].until_us = now_us + us;
}

/* --- birth --- */

void node_new_disk(struct node *node)
{
    node->sim = sim_disk_new(chance_fork(&node->chance));
    sim_disk_misuse(node->sim, node->options.bug == NODE_RETRIES_SYNCS,
                    node->options.bug == NODE_SYNCS_NO_NAMES);
}

static struct replica_options replica_options_of(struct node *node)
{
    int32_t tick_ms = node->options.tick_ms;

    return (struct replica_options){.tick_ms = tick_ms,
                                    .session_timeout_min_ms = 2 * tick_ms,
                                    .session_timeout_max_ms = 20 * tick_ms,
                                    .server_id = (uint8_t)node->options.id,
                                    .session_seed_ms = node_wall_ms(node),
                                    .random_seed = chance_u64(&node->chance),
                                    .text_bytes_max = NODE_TEXT_BYTES_MAX,
                                    .close_unlisted = node->options.close_unlisted,
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
        .text_bytes_max = NODE_TEXT_BYTES_MAX,
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
                                  .unlogged_observer = node->options.unlogged_observer,
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
                                  .promises_lost = recovery->quarantine.promises_lost,
                                  .tree_differs = recovery->tree_differs};
    struct replica_options options = replica_options_of(node);
    node->replica = replica_new(&options, recovery->tree, node_now_ms(node));
    node->up = true;
    node->tick_at_us = 0;
    node->oracle_told = ORACLE_NONE;
    node_set_turn(node); /* without an event, as in the daemon */
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
                                                .payload_bytes_max = NODE_TEXT_BYTES_MAX},
                                        .recovery = options};
    node->actor = store_actor_new(files, files, &actor, &recovery.log);
    node->reader = history_reader_new(files, files, NODE_TEXT_BYTES_MAX);
    node->durable_zxid = node->appended_zxid = recovery.last_zxid;
    node->accepted_epoch = epochs.accepted;
    node->current_epoch = epochs.current;
    node->quarantined = recovery.quarantine.on;
    node->promises_lost = recovery.quarantine.promises_lost;
    node->tree_differs = recovery.tree_differs;
    if (node->quarantined) { /* the file is out of the way */
        node->rotten[0] = '\0';
        put_warnings(&recovery.notes, problem);
    }
    start_replica(node, &recovery, &epochs);
    recovery_deinit(&recovery);
    return STATUS_OK;
}

/* --- death --- */

/* All that a process has in memory. The power is off already: nothing here changes a file. */
void node_forget(struct node *node)
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
    memset(node->pauses, 0, sizeof(node->pauses));
    node->tick_number++;
    node->disk_number++;
    node->life++;
}

void node_crash(struct node *node, enum sim_disk_loss loss, const char *why)
{
    bool was_up = node->up;

    node_forget(node);
    sim_disk_reboot(node->sim, loss);
    if (node->options.bug == NODE_LOSES_ITS_DISK) {
        sim_disk_free(node->sim);
        node_new_disk(node);
    }
    if (was_up)
        node->hooks.died(node->hooks.context, node, why);
}
