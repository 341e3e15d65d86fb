/* speaker.c: the connections of a model client: whom it dials, when it leaves.
 *
 * Whatever the network brings is handled in an event of its own, so that nothing here runs inside the
 * network. */
#include "sim/chance.h"
#include "sim/speaker_parts.h"

#include <inttypes.h>

enum { CONNECT_TIMEOUT_MS = 3000 };

/* --- connections --- */

static void later(void *context, uint64_t life);

static void plan(struct speaker *speaker, int64_t us)
{
    events_in(&speaker->world->events, us, later, speaker, speaker->life);
}

static void leave_for(struct speaker *speaker, int64_t us)
{
    if (speaker->state != SPEAKER_AWAY)
        network_close(speaker->world->network, speaker->host, speaker->number);
    speaker->state = SPEAKER_AWAY;
    speaker->life++;
    speaker->input.size = speaker->unread.size = 0;
    speaker->ended = speaker->turn_set = false;
    speaker->asked_count = 0; /* the watches are armed anew at the next server */
    if (speaker->session_id == 0)
        speaker->armed_count = 0;
    plan(speaker, us);
}

static void leave(struct speaker *speaker)
{
    leave_for(speaker, 1000 + chance_below(&speaker->chance, 300000));
}

/* To another server in the midst of requests: those may still be on their way when the session moves. */
static void jump(struct speaker *speaker)
{
    world_note(speaker->world, NULL, "client %d jumps", speaker->index);
    leave_for(speaker, 1 + chance_below(&speaker->chance, 1000));
}

static void dial(struct speaker *speaker)
{
    struct world *world = speaker->world;

    speaker->server = (int)chance_below(&speaker->chance, world->node_count);
    speaker->number += 2;
    speaker->state = SPEAKER_DIALS;
    speaker->heard_us = speaker->sent_us = world->events.now_us;
    network_dial(world->network, speaker->host, speaker->number, speaker->server, NETWORK_CLIENT);
}

static void send_frame(struct speaker *speaker, const struct buffer *payload)
{
    struct buffer frame = {0};

    buffer_i32(&frame, (int32_t)payload->size);
    buffer_append(&frame, buffer_slice(payload));
    speaker->sent_us = speaker->world->events.now_us;
    network_send(speaker->world->network, speaker->host, speaker->number, buffer_slice(&frame));
    buffer_deinit(&frame);
}

static void shake(struct speaker *speaker)
{
    uint8_t password[PASSWORD_BYTES] = {0};
    struct buffer frame = {0};

    if (speaker->session_id != 0)
        zk_session_password(speaker->session_id, password);
    connect_request_write(
        &frame, &(struct connect_request){.last_zxid_seen = speaker->last_zxid,
                                          .timeout_ms = speaker->timeout_ms,
                                          .session_id = speaker->session_id,
                                          .password = slice_of(password, PASSWORD_BYTES)});
    jute_put_bool(&frame, false);
    speaker->state = SPEAKER_SHAKES;
    send_frame(speaker, &frame);
    buffer_deinit(&frame);
}

/* --- requests --- */

static void send_request(struct speaker *speaker, int32_t xid, int32_t op,
                         const struct buffer *body)
{
    struct buffer frame = {0};

    request_header_write(&frame, &(struct request_header){.xid = xid, .type = op});
    buffer_append(&frame, buffer_slice(body));
    send_frame(speaker, &frame);
    buffer_deinit(&frame);
}

static void put_paths(struct buffer *body, const struct speaker *speaker, bool absent)
{
    int32_t count = 0;

    for (size_t i = 0; i < speaker->armed_count; i++)
        count += speaker->armed[i].absent == absent;
    buffer_i32(body, count);
    for (size_t i = 0; i < speaker->armed_count; i++) {
        if (speaker->armed[i].absent == absent)
            jute_put_bytes(body, slice_text(speaker->armed[i].path));
    }
}

/* As real clients do when they are at another server. */
static void arm_anew(struct speaker *speaker)
{
    struct buffer body = {0};

    if (speaker->armed_count == 0)
        return;
    buffer_i64(&body, speaker->last_zxid);
    put_paths(&body, speaker, /* absent= */ false);
    put_paths(&body, speaker, /* absent= */ true);
    buffer_i32(&body, 0);
    world_note(speaker->world, NULL, "client %d > setWatches %" PRIx64, speaker->index,
               (uint64_t)speaker->last_zxid);
    send_request(speaker, XID_SET_WATCHES, OP_SET_WATCHES, &body);
    buffer_deinit(&body);
}

static void ask(struct speaker *speaker)
{
    struct asked *asked = &speaker->asked[speaker->asked_count];
    struct buffer body = {0};

    if (speaker->next_xid == INT32_MAX)
        speaker->next_xid = 0;
    speaker_choose(speaker, asked, &body);
    asked->xid = ++speaker->next_xid;
    speaker->asked_count++;
    world_note(speaker->world, NULL, "client %d > xid=%d op=%d %s%s", speaker->index, asked->xid,
               asked->op, asked->path, asked->watch ? " watch" : "");
    send_request(speaker, asked->xid, asked->op, &body);
    buffer_deinit(&body);
}

static void ping(struct speaker *speaker)
{
    struct buffer nothing = {0};

    send_request(speaker, XID_PING, OP_PING, &nothing);
}

/* --- time --- */

static void later(void *context, uint64_t life)
{
    struct speaker *speaker = context;
    int64_t now_us = speaker->world->events.now_us;

    if (life != speaker->life)
        return;
    if (speaker->state == SPEAKER_AWAY) {
        dial(speaker);
        plan(speaker, CONNECT_TIMEOUT_MS * 1000);
        return;
    }
    if (speaker->state != SPEAKER_SPEAKS ||
        now_us - speaker->heard_us > (int64_t)speaker->timeout_ms * 667) {
        leave(speaker); /* to another server */
        return;
    }
    if (speaker->asked_count > 0 && !speaker->world->healing &&
        chance_of(&speaker->chance, speaker->world->options.jump_one_in)) {
        jump(speaker);
        return;
    }
    bool closing =
        speaker->asked_count > 0 && speaker->asked[speaker->asked_count - 1].op == OP_CLOSE_SESSION;
    if (!speaker->resting && !closing && speaker->asked_count < PIPELINE_MAX)
        ask(speaker);
    else if (now_us - speaker->sent_us > (int64_t)speaker->timeout_ms * 333)
        ping(speaker);
    plan(speaker, chance_of(&speaker->chance, 4)
                      ? chance_below(&speaker->chance, 2000)
                      : chance_below(&speaker->chance, speaker->world->options.think_us));
}

/* --- answers --- */

static void on_reply(struct speaker *speaker, const struct reply_header *reply,
                     struct reader *reader)
{
    if (speaker_reply(speaker, reply, reader) != OP_CLOSE_SESSION)
        return;
    speaker_forget_session(speaker);
    leave(speaker);
}

static void on_event(struct speaker *speaker, struct reader *reader)
{
    struct watcher_event event;

    if (watcher_event_read(reader, &event) == STATUS_OK)
        speaker_event(speaker, event.path);
    else
        world_fail(speaker->world, NULL, "an event does not decode");
}

static void on_shaken(struct speaker *speaker, struct reader *reader)
{
    struct connect_response response;

    if (connect_response_read(reader, &response) != STATUS_OK) {
        world_fail(speaker->world, NULL, "a ConnectResponse does not decode");
        return;
    }
    if (reader_left(reader) > 0 && reader_bool(reader))
        world_fail(speaker->world, NULL, "client %d may only read, and wants to write",
                   speaker->index);
    if (response.session_id == 0) { /* expired */
        speaker_session_over(speaker);
        leave(speaker);
        return;
    }
    if (speaker->session_id == 0)
        speaker->next_xid = (int32_t)speaker->world->options.first_xid;
    world_note(speaker->world, NULL, "client %d: session %" PRIx64 " at server %d", speaker->index,
               (uint64_t)response.session_id, speaker->server + 1);
    speaker_has_session(speaker, response.session_id, response.timeout_ms);
    speaker->state = SPEAKER_SPEAKS;
    speaker->life++; /* the time to connect is over */
    speaker->turn_set = false;
    arm_anew(speaker);
    plan(speaker, chance_below(&speaker->chance, speaker->world->options.think_us));
}

static void on_frame(struct speaker *speaker, struct slice frame)
{
    struct arena arena;
    struct reader reader;
    struct reply_header reply;

    arena_init(&arena);
    reader_init(&reader, frame, &arena, frame.size);
    if (speaker->state == SPEAKER_SHAKES) {
        on_shaken(speaker, &reader);
    } else if (reply_header_read(&reader, &reply) != STATUS_OK) {
        world_fail(speaker->world, NULL, "an answer does not decode");
    } else {
        world_note(speaker->world, NULL, "client %d < xid=%d zxid=%" PRIx64 " err=%d",
                   speaker->index, reply.xid, (uint64_t)reply.zxid, reply.err);
        if (reply.xid == XID_NOTIFICATION)
            on_event(speaker, &reader);
        else
            on_reply(speaker, &reply, &reader);
    }
    arena_deinit(&arena);
}

/* --- what the network brings --- */

static void turn(void *context, uint64_t number)
{
    struct speaker *speaker = context;
    size_t at = 0;

    if (number != speaker->number || speaker->state == SPEAKER_AWAY)
        return;
    speaker->turn_set = false;
    if (speaker->unread.size > 0)
        speaker->heard_us = speaker->world->events.now_us;
    buffer_append(&speaker->input, buffer_slice(&speaker->unread));
    speaker->unread.size = 0;
    while (speaker->state != SPEAKER_AWAY && speaker->input.size - at >= 4 &&
           !speaker->world->verdict.failed) {
        size_t size = load_be32(speaker->input.data + at);
        if (speaker->input.size - at - 4 < size)
            break;
        at += 4 + size;
        on_frame(speaker, slice_of(speaker->input.data + at - size, size));
    }
    if (speaker->state == SPEAKER_AWAY)
        return;
    if (at > 0) /* nothing came yet: there is no memory */
        memmove(speaker->input.data, speaker->input.data + at, speaker->input.size - at);
    speaker->input.size -= at;
    if (speaker->ended)
        leave(speaker);
}

static void set_turn(struct speaker *speaker)
{
    if (speaker->turn_set)
        return;
    speaker->turn_set = true;
    events_in(&speaker->world->events, 1 + chance_below(&speaker->chance, 100), turn, speaker,
              speaker->number);
}

void speaker_opened(struct speaker *speakers, int index, uint64_t number)
{
    struct speaker *speaker = &speakers[index];

    if (speaker->library != NULL)
        speaker_library_opened(speaker, number);
    else if (number == speaker->number && speaker->state == SPEAKER_DIALS)
        shake(speaker);
}

void speaker_bytes(struct speaker *speakers, int index, uint64_t number, struct slice bytes)
{
    struct speaker *speaker = &speakers[index];

    if (speaker->library != NULL) {
        speaker_library_bytes(speaker, number, bytes);
        return;
    }
    if (number != speaker->number || speaker->state == SPEAKER_AWAY)
        return;
    buffer_append(&speaker->unread, bytes);
    set_turn(speaker);
}

void speaker_closed(struct speaker *speakers, int index, uint64_t number)
{
    struct speaker *speaker = &speakers[index];

    if (speaker->library != NULL) {
        speaker_library_closed(speaker, number);
        return;
    }
    if (number != speaker->number || speaker->state == SPEAKER_AWAY)
        return;
    speaker->ended = true;
    set_turn(speaker);
}

/* --- all of them --- */

struct speaker *speakers_new(struct world *world, int count, uint64_t seed)
{
    struct speaker *speakers = mem_zalloc((size_t)count * sizeof(*speakers));

    for (int i = 0; i < count; i++) {
        speakers[i] = (struct speaker){.world = world,
                                       .index = i,
                                       .host = world->node_count + i,
                                       .chance = chance_fork(&seed),
                                       .timeout_ms = (int32_t)(1000 + chance_below(&seed, 3000))};
        /* The first of the library's, and every other one. */
        speakers[i].may_be_read_only = world->options.read_only != 0 && i % 2 == 0;
        if (i < world->options.library_clients)
            speaker_library_begin(&speakers[i]);
        else
            plan(&speakers[i], chance_below(&speakers[i].chance, 500000));
    }
    return speakers;
}

void speakers_free(struct speaker *speakers, int count)
{
    for (int i = 0; i < count; i++) {
        buffer_deinit(&speakers[i].input);
        buffer_deinit(&speakers[i].unread);
        speaker_library_free(&speakers[i]);
    }
    mem_free(speakers);
}

void speakers_rest(struct speaker *speakers, int count)
{
    for (int i = 0; i < count; i++)
        speakers[i].resting = true;
}

void speakers_count_anew(struct speaker *speakers, int count)
{
    for (int i = 0; i < count; i++)
        speakers[i].writes = 0;
}

uint64_t speakers_fewest_writes(const struct speaker *speakers, int count)
{
    uint64_t fewest = UINT64_MAX;

    for (int i = 0; i < count; i++) {
        if (speakers[i].writes < fewest)
            fewest = speakers[i].writes;
    }
    return fewest;
}
