/* driver.c: the host of one replica: steps events, and carries out the effects at the end of a turn.
 *
 * Nothing is stepped between the first look at the effects and their clearing. Sends are carried out
 * before the log is written: so if an answer should have waited for the disk, and the power fails, a test
 * sees the mistake. */
#include "sim/driver.h"

#include "base/array.h"
#include "wire/records.h"
#include "wire/zk.h"

enum { START_MS = 500 };

void driver_journal_init(struct driver_journal *journal)
{
    *journal = (struct driver_journal){0};
    arena_init(&journal->arena);
}

void driver_journal_deinit(struct driver_journal *journal)
{
    mem_free(journal->events);
    arena_deinit(&journal->arena);
}

static void write_journal(struct driver_journal *journal, const struct replica_event *event)
{
    journal->events =
        ARRAY_RESERVE(journal->events, journal->capacity, journal->count + 1, ARRAY_FIRST);
    struct replica_event *kept = &journal->events[journal->count++];
    *kept = *event;
    kept->bytes = arena_copy(&journal->arena, event->bytes);
    kept->address = arena_copy(&journal->arena, event->address);
}

void driver_init(struct driver *driver, const struct driver_options *options,
                 const struct replica_options *replica, struct tree *tree)
{
    *driver = (struct driver){.options = *options,
                              .turn = 1,
                              .now_ms = START_MS,
                              .wall_ms = replica->session_seed_ms,
                              .tick_ms = replica->tick_ms,
                              .appended_zxid = tree_last_zxid(tree)};
    if (options->disk != NULL)
        driver->writer = txnlog_writer_new(options->disk, &options->log, &options->log_position);
    driver->replica = replica_new(replica, tree, driver->now_ms);
}

void driver_deinit(struct driver *driver)
{
    if (driver->image_file != NULL)
        snapshot_file_abort(driver->image_file);
    if (driver->writer != NULL)
        txnlog_writer_free(driver->writer);
    replica_free(driver->replica);
    effects_deinit(&driver->effects);
    for (size_t i = 0; i < driver->record_count; i++)
        buffer_deinit(&driver->records[i].payload);
    mem_free(driver->records);
    for (size_t i = 0; i < DRIVER_CLIENTS; i++)
        buffer_deinit(&driver->clients[i].mail);
    buffer_deinit(&driver->image_part);
}

static bool is_dead(const struct driver *driver)
{
    return driver->status != STATUS_OK;
}

static struct driver_client *client_of(struct driver *driver, uint32_t client)
{
    ASSERT(client < DRIVER_CLIENTS);
    return &driver->clients[client];
}

/* --- carrying out --- */

static void write_transcript(const struct effects *effects, struct buffer *out)
{
    buffer_i64(out, effects->wake_at_ms);
    jute_put_bool(out, effects->snapshot_begin);
    for (size_t i = 0; i < effects->append_count; i++) {
        const struct txnlog_append *append = &effects->appends[i];
        buffer_i64(out, append->zxid);
        jute_put_bool(out, append->lacks_digest);
        jute_put_bool(out, append->roll_before);
        jute_put_bytes(out, append->payload);
    }
    for (size_t i = 0; i < effects->client_count; i++) {
        const struct client_effect *effect = &effects->clients[i];
        buffer_i32(out, (int32_t)effect->kind);
        buffer_i32(out, (int32_t)effect->client);
        if (effect->kind == CLIENT_SEND)
            jute_put_bytes(out, slice_of(effects->bytes.data + effect->offset, effect->size));
    }
}

static void hand_to_log(struct driver *driver, const struct txnlog_append *append)
{
    ASSERT(append->zxid == driver->appended_zxid + 1); /* zxids follow each other */
    driver->appended_zxid = append->zxid;
    driver->records = ARRAY_RESERVE(driver->records, driver->record_capacity,
                                    driver->record_count + 1, ARRAY_FIRST);
    struct driver_record *record = &driver->records[driver->record_count++];
    *record = (struct driver_record){.borrowed = append->payload,
                                     .zxid = append->zxid,
                                     .lacks_digest = append->lacks_digest,
                                     .roll_before = append->roll_before};
    buffer_append(&record->payload, append->payload);
}

/* Before the first reply, a ConnectResponse: in old clients' form without the byte at its end. */
static void read_connect_response(struct driver_client *client, struct slice payload)
{
    enum { RESPONSE_BYTES = 36 };
    struct arena arena;
    struct reader reader;
    struct connect_response response;

    ASSERT(payload.size == RESPONSE_BYTES || payload.size == RESPONSE_BYTES + 1);
    arena_init(&arena);
    reader_init(&reader, payload, &arena, PASSWORD_BYTES);
    enum status status = connect_response_read(&reader, &response);
    ASSERT(status == STATUS_OK && response.protocol_version == 0);
    client->session_id = response.session_id;
    client->timeout_ms = response.timeout_ms;
    client->answered = true;
    arena_deinit(&arena);
}

static void deliver(struct driver_client *client, struct slice frames)
{
    buffer_append(&client->mail, frames);
    while (frames.size > 0) {
        ASSERT(frames.size >= 4);
        size_t size = load_be32(frames.data);
        ASSERT(size <= frames.size - 4); /* a send is of whole frames */
        if (client->answered)
            ASSERT(size >= REPLY_HEADER_BYTES);
        else
            read_connect_response(client, slice_of(frames.data + 4, size));
        frames = slice_of(frames.data + 4 + size, frames.size - 4 - size);
    }
}

static void carry_out_for_client(struct driver *driver, const struct client_effect *effect)
{
    const struct buffer *bytes = &driver->effects.bytes;
    struct driver_client *client = client_of(driver, effect->client);

    if (!client->open)
        return;              /* its connection was lost in this turn: nothing reaches it */
    ASSERT(!client->closed); /* nothing stands after a close */
    switch (effect->kind) {
    case CLIENT_SEND:
        ASSERT(effect->size <= bytes->size && effect->offset <= bytes->size - effect->size);
        deliver(client, slice_of(bytes->data + effect->offset, effect->size));
        break;
    case CLIENT_CLOSE:
        client->closed = true;
        client->close_reason = effect->reason;
        break;
    case CLIENT_PAUSE:
        ASSERT(!client->paused);
        client->paused = true;
        break;
    case CLIENT_RESUME:
        ASSERT(client->paused);
        client->paused = false;
        break;
    case CLIENT_HOLD:
        ASSERT(!client->held);
        client->held = true;
        client->hold_count++;
        break;
    }
}

static void begin_image(struct driver *driver)
{
    ASSERT(!driver->image_running);
    driver->image_running = true;
    driver->image_count++;
    if (driver->options.disk != NULL)
        driver->status =
            snapshot_file_begin(driver->options.disk, replica_snapshot_zxid(driver->replica),
                                STORE_PLAIN, &driver->image_file);
}

static void carry_out(struct driver *driver)
{
    struct effects *effects = &driver->effects;

    if (driver->transcript != NULL)
        write_transcript(effects, driver->transcript);
    for (size_t i = 0; i < effects->append_count; i++)
        hand_to_log(driver, &effects->appends[i]);
    for (size_t i = 0; i < effects->client_count; i++)
        carry_out_for_client(driver, &effects->clients[i]);
    bool begin = effects->snapshot_begin;
    effects_clear(effects);
    if (begin)
        begin_image(driver);
}

/* --- stepping --- */

/* What an event means for the driver's own picture. */
static void note_event(struct driver *driver, const struct replica_event *event)
{
    struct driver_client *client = client_of(driver, event->client);

    switch (event->kind) {
    case REPLICA_CLIENT_OPENED:
        ASSERT(!client->open && client->gone_in_turn < driver->turn);
        buffer_deinit(&client->mail);
        *client = (struct driver_client){
            .open = true, .session_id = client->session_id, .timeout_ms = client->timeout_ms};
        break;
    case REPLICA_CLIENT_CLOSED:
        ASSERT(client->open);
        client->open = client->held = false;
        client->gone_in_turn = driver->turn;
        break;
    case REPLICA_CLIENT_READY:
        ASSERT(client->open && client->held);
        client->held = false;
        break;
    case REPLICA_SNAPSHOT_DONE:
        ASSERT(driver->image_running);
        driver->image_running = false;
        break;
    case REPLICA_CLIENT_FRAME:
        ASSERT(client->open);
        break;
    case REPLICA_LOG_SYNCED:
        ASSERT(event->zxid <= driver->appended_zxid);
        break;
    case REPLICA_PEER_OPENED:
    case REPLICA_PEER_BYTES:
    case REPLICA_PEER_CLOSED:
    case REPLICA_PEER_READY:
    case REPLICA_STORE_DONE:
    case REPLICA_HISTORY:
    case REPLICA_ORACLE: /* not of a server that stands alone */
    case REPLICA_TICK:
        break;
    }
}

static void step(struct driver *driver, const struct replica_event *event)
{
    ASSERT(event->now_ms >= driver->now_ms);
    driver->now_ms = event->now_ms;
    driver->wall_ms = event->wall_ms;
    if (driver->journal != NULL)
        write_journal(driver->journal, event);
    note_event(driver, event);
    replica_step(driver->replica, event, &driver->effects);
}

static struct replica_event event_now(const struct driver *driver, enum replica_event_kind kind,
                                      uint32_t client)
{
    return (struct replica_event){
        .kind = kind, .client = client, .now_ms = driver->now_ms, .wall_ms = driver->wall_ms};
}

/* What carrying out caused, where the user leaves it to the driver. */
static void step_caused(struct driver *driver)
{
    for (uint32_t i = 0; i < DRIVER_CLIENTS; i++) {
        struct driver_client *client = &driver->clients[i];
        if (!client->open)
            continue;
        if (client->closed && !driver->options.close_by_hand) {
            struct replica_event event = event_now(driver, REPLICA_CLIENT_CLOSED, i);
            step(driver, &event);
        } else if (client->held && !client->closed && !driver->options.room_by_hand) {
            struct replica_event event = event_now(driver, REPLICA_CLIENT_READY, i);
            step(driver, &event);
        }
    }
}

static bool nothing_to_carry_out(const struct driver *driver)
{
    const struct effects *effects = &driver->effects;

    return effects->client_count == 0 && effects->append_count == 0 && !effects->snapshot_begin;
}

void driver_end_turn(struct driver *driver)
{
    if (is_dead(driver))
        return;
    do {
        replica_end_turn(driver->replica, &driver->effects);
        carry_out(driver);
        if (!is_dead(driver))
            step_caused(driver);
    } while (!is_dead(driver) && !nothing_to_carry_out(driver));
    driver->turn++;
}

void driver_step(struct driver *driver, const struct replica_event *event)
{
    if (is_dead(driver))
        return;
    step(driver, event);
    if (driver->options.turn_by_hand)
        replica_end_turn(driver->replica, &driver->effects); /* says when the next tick is due */
    else
        driver_end_turn(driver);
}

static void step_now(struct driver *driver, enum replica_event_kind kind, uint32_t client)
{
    struct replica_event event = event_now(driver, kind, client);

    driver_step(driver, &event);
}

/* --- clients --- */

void driver_open(struct driver *driver, uint32_t client)
{
    struct replica_event event = event_now(driver, REPLICA_CLIENT_OPENED, client);

    event.address = SLICE("127.0.0.1");
    driver_step(driver, &event);
}

void driver_frame(struct driver *driver, uint32_t client, struct slice payload)
{
    struct replica_event event = event_now(driver, REPLICA_CLIENT_FRAME, client);
    uint8_t *exact = mem_alloc(payload.size); /* a sanitizer sees a byte too far, or read later */

    if (payload.size > 0)
        memcpy(exact, payload.data, payload.size);
    event.bytes = slice_of(exact, payload.size);
    driver_step(driver, &event);
    mem_free(exact);
}

void driver_gone(struct driver *driver, uint32_t client)
{
    step_now(driver, REPLICA_CLIENT_CLOSED, client);
}

void driver_ready(struct driver *driver, uint32_t client)
{
    const struct driver_client *at = client_of(driver, client);

    if (at->open && at->held && !at->closed)
        step_now(driver, REPLICA_CLIENT_READY, client);
}

void driver_shake(struct driver *driver, uint32_t client, int64_t session_id, int32_t timeout_ms)
{
    uint8_t password[PASSWORD_BYTES] = {0};
    struct buffer frame = {0};

    if (session_id != 0)
        zk_session_password(session_id, password);
    connect_request_write(
        &frame, &(struct connect_request){.timeout_ms = timeout_ms,
                                          .session_id = session_id,
                                          .password = slice_of(password, PASSWORD_BYTES)});
    jute_put_bool(&frame, /* read_only= */ false);
    driver_frame(driver, client, buffer_slice(&frame));
    buffer_deinit(&frame);
}

bool driver_next_frame(struct driver *driver, uint32_t client, struct slice *ret_payload)
{
    struct driver_client *at = client_of(driver, client);

    if (at->read_at == at->mail.size)
        return false;
    size_t size = load_be32(at->mail.data + at->read_at);
    *ret_payload = slice_of(at->mail.data + at->read_at + 4, size);
    at->read_at += 4 + size;
    return true;
}

/* --- the log --- */

/* Record `index`, as the replica's own bytes: they must still be what they were. */
static struct txnlog_append append_of(const struct driver *driver, size_t index)
{
    const struct driver_record *record = &driver->records[index];

    ASSERT(slice_equal(record->borrowed, buffer_slice(&record->payload)));
    return (struct txnlog_append){.payload = record->borrowed,
                                  .zxid = record->zxid,
                                  .lacks_digest = record->lacks_digest,
                                  .roll_before = record->roll_before};
}

/* What the log thread does with all that waits: one batch, one sync. */
static enum status write_log(struct driver *driver, size_t end)
{
    struct txnlog_append *batch = NULL;
    size_t count = 0, capacity = 0;
    enum status status = STATUS_OK;

    for (size_t i = driver->durable_count; i < end; i++) {
        batch = ARRAY_RESERVE(batch, capacity, count + 1, ARRAY_FIRST);
        batch[count++] = append_of(driver, i);
    }
    if (driver->writer != NULL && count > 0)
        status = txnlog_writer_append(driver->writer, batch, count);
    if (driver->writer != NULL && status == STATUS_OK)
        status = txnlog_writer_sync(driver->writer);
    mem_free(batch);
    return status;
}

void driver_sync_to(struct driver *driver, int64_t zxid)
{
    size_t end = driver->durable_count;

    if (is_dead(driver))
        return;
    while (end < driver->record_count && driver->records[end].zxid <= zxid)
        end++;
    driver->status = write_log(driver, end);
    if (is_dead(driver))
        return;
    for (; driver->durable_count < end; driver->durable_count++)
        driver->records[driver->durable_count].borrowed = SLICE_NULL;
    struct replica_event event = event_now(driver, REPLICA_LOG_SYNCED, 0);
    event.zxid = zxid;
    driver_step(driver, &event);
}

void driver_sync(struct driver *driver)
{
    driver_sync_to(driver, driver->appended_zxid);
}

/* --- time --- */

void driver_jump(struct driver *driver, int64_t ms)
{
    driver->now_ms += ms;
    driver->wall_ms += ms;
    step_now(driver, REPLICA_TICK, 0);
}

/* When the next tick is due: REPLICA_TICK in replica.h. */
static int64_t next_tick_ms(const struct driver *driver)
{
    int64_t next_ms = driver->now_ms + driver->tick_ms, wake_at_ms = driver->effects.wake_at_ms;

    if (wake_at_ms == 0 || wake_at_ms > next_ms) /* 0: nothing was stepped yet */
        return next_ms;
    return wake_at_ms < driver->now_ms ? driver->now_ms : wake_at_ms;
}

void driver_pass(struct driver *driver, int64_t ms)
{
    int64_t end_ms = driver->now_ms + ms;

    for (int64_t next_ms; !is_dead(driver) && (next_ms = next_tick_ms(driver)) < end_ms;)
        driver_jump(driver, next_ms - driver->now_ms);
    driver_jump(driver, end_ms - driver->now_ms);
}

/* --- the running image --- */

static void end_image(struct driver *driver, enum image_part how)
{
    if (driver->image_file != NULL && how == IMAGE_END)
        driver->status = snapshot_file_finish(driver->image_file);
    else if (driver->image_file != NULL)
        snapshot_file_abort(driver->image_file);
    driver->image_file = NULL;
    step_now(driver, REPLICA_SNAPSHOT_DONE, 0);
}

bool driver_image_next(struct driver *driver, size_t bytes_max)
{
    if (!driver->image_running || is_dead(driver))
        return false;
    driver->image_part.size = 0;
    enum image_part kind = replica_snapshot_next(driver->replica, &driver->image_part, bytes_max);
    if (kind == IMAGE_END || kind == IMAGE_LOST) {
        end_image(driver, kind);
        return false;
    }
    if (driver->image_file == NULL)
        return true;
    driver->status = snapshot_file_write(driver->image_file, buffer_slice(&driver->image_part));
    if (driver->status == STATUS_OK && kind == IMAGE_PART_SEALED)
        driver->status = snapshot_file_seal(driver->image_file);
    return driver->status == STATUS_OK;
}

void driver_image_finish(struct driver *driver)
{
    enum { PART_BYTES = 4096 };

    while (driver_image_next(driver, PART_BYTES))
        ;
}

void driver_image_give_up(struct driver *driver)
{
    end_image(driver, IMAGE_LOST);
}
