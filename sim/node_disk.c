/* node_disk.c: the threads of a simulated server: the log with the works on the files, the reader of history,
 * and the snapshot.
 *
 * What is to be written is written some time later, synced later still, and only then reported. A work on the
 * files waits for the appends that stand before it. */
#include "sim/node_parts.h"

#include "base/array.h"
#include "replica/store/snapshot.h"
#include "replica/store/txnlog_format.h"
#include "sim/chance.h"

enum { IMAGE_STEP_US = 800, FULL_RETRY_US = 1000000, HELD_RETRY_US = 100 };

/* --- the log, and works on the files --- */

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

/* The trailers of a batch name what was durable before it. */
static bool has_trailer(const struct node *node, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!txnlog_payload_lacks_body(node->appends[i].payload))
            return true;
    }
    return false;
}

static void sync_batch(struct node *node)
{
    size_t count = node->written_count;
    int64_t zxid = node->appends[count - 1].zxid;

    if (txnlog_writer_sync(store_actor_log(node->actor)) != STATUS_OK) {
        disk_failed(node, "syncing the log failed");
        return;
    }
    if (has_trailer(node, count))
        node->proved_zxid = node->appends[0].zxid;
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
        node->proved_zxid = 0;
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
    if (node_stands_still(node, disk, number))
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

void node_hand_to_disk(struct node *node)
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

/* --- history for learners --- */

static void history(void *context, uint64_t life)
{
    struct node *node = context;
    struct buffer packets = {0};

    if (life != node->life)
        return;
    if (node->pauses[0].until_us > node->events->now_us) {
        events_at(node->events, node->pauses[0].until_us, history, node, life);
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

void node_hand_to_reader(struct node *node)
{
    for (size_t i = 0; i < node->effects.history_count; i++) {
        node->histories = ARRAY_RESERVE(node->histories, node->history_capacity,
                                        node->history_count + 1, ARRAY_FIRST);
        node->histories[node->history_count++] = node->effects.histories[i];
        events_in(node->events, 1 + chance_below(&node->chance, IMAGE_STEP_US), history, node,
                  node->life);
    }
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
    if (node_stands_still(node, image, life))
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

void node_begin_image(struct node *node)
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

/* --- from outside --- */

void node_hold_image(struct node *node, bool held)
{
    node->image_held = held;
}

void node_hold_disk(struct node *node, bool held)
{
    node->disk_held = held;
}

void node_calm(struct node *node)
{
    node->options.stall_one_in = 0;
    sim_disk_set_space(node->sim, UINT64_MAX);
    sim_disk_crash_at(node->sim, 0);
    sim_disk_mend(node->sim);
    if (node->pauses[0].until_us > node->events->now_us)
        node->pauses[0].until_us = node->events->now_us;
    if (!node->disk_set)
        return;
    node->disk_set = false;
    set_disk(node); /* its disk may stand still at this moment */
}
