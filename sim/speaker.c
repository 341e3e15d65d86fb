/* speaker.c: what a client asks by chance, and what its answers may be.
 *
 * Whatever the network brings is handled in an event of its own, so that nothing here runs inside the
 * network. */
#include "sim/speaker.h"

#include "base/array.h"
#include "sim/chance.h"
#include "sim/checker.h"
#include "wire/records.h"

#include <inttypes.h>
#include <stdio.h>

enum { PATHS = 6, PIPELINE_MAX = 8, WATCHES_MAX = 8, PATH_BYTES = 40, CONNECT_TIMEOUT_MS = 3000 };

struct asked { /* a request without its answer yet */
    int32_t xid, op;
    char path[PATH_BYTES];
    bool watch;
    int64_t returned_before; /* the highest zxid of an answered write when it was asked */
};

struct armed {
    char path[PATH_BYTES];
    bool absent;  /* for a node that was not there */
    int64_t zxid; /* armed with what this zxid showed */
};

enum speaker_state { SPEAKER_AWAY, SPEAKER_DIALS, SPEAKER_SHAKES, SPEAKER_SPEAKS };

struct speaker {
    struct world *world;
    int index, host;
    uint64_t chance;
    enum speaker_state state;
    uint64_t number; /* of the connection */
    uint64_t life;
    int server;
    struct buffer input, unread;
    bool ended, turn_set, resting;
    int64_t session_id, last_zxid;
    bool asked_to_close; /* the session: over some way, however slow, it may still end */
    int32_t timeout_ms, next_xid;
    int64_t heard_us, sent_us;
    int64_t
        synced_zxid; /* no read may show less: a sync came back, and that was answered before it */
    struct asked asked[PIPELINE_MAX];
    size_t asked_count;
    struct armed armed[WATCHES_MAX];
    size_t armed_count;
    uint64_t values, writes;
};

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

static void put_acl(struct buffer *body)
{
    struct buffer acl = {0};

    jute_put_acl(&acl, &(struct jute_acl){SLICE("world"), SLICE("anyone"), PERM_ALL});
    jute_put_vector(body, (struct jute_vector){.bytes = buffer_slice(&acl), .count = 1});
    buffer_deinit(&acl);
}

static void put_value(struct speaker *speaker, struct buffer *body)
{
    char value[48];

    snprintf(value, sizeof(value), "c%d-%" PRIu64, speaker->index, ++speaker->values);
    jute_put_bytes(body, slice_text(value));
}

static void put_create(struct speaker *speaker, struct buffer *body, const char *path,
                       int32_t flags)
{
    jute_put_bytes(body, slice_text(path));
    put_value(speaker, body);
    put_acl(body);
    buffer_i32(body, flags);
}

static void put_path_and_i32(struct buffer *body, const char *path, int32_t value)
{
    jute_put_bytes(body, slice_text(path));
    buffer_i32(body, value);
}

static void put_set(struct speaker *speaker, struct buffer *body, const char *path, int32_t version)
{
    jute_put_bytes(body, slice_text(path));
    put_value(speaker, body);
    buffer_i32(body, version);
}

static void put_part(struct buffer *body, int32_t type)
{
    multi_header_write(body, &(struct multi_header){.type = type, .err = -1});
}

static void put_multi(struct speaker *speaker, struct buffer *body, const char *path)
{
    char other[PATH_BYTES];

    snprintf(other, sizeof(other), "/p%" PRId64, chance_below(&speaker->chance, PATHS));
    put_part(body, OP_SET_DATA);
    put_set(speaker, body, path, -1);
    if (chance_of(&speaker->chance, 2)) {
        put_part(body, OP_CHECK);
        put_path_and_i32(body, other, (int32_t)chance_below(&speaker->chance, 3));
    } else {
        put_part(body, OP_CREATE);
        put_create(speaker, body, "/p0/m-", MODE_PERSISTENT_SEQUENTIAL);
    }
    multi_header_write(body, &(struct multi_header){.type = -1, .done = true, .err = -1});
}

static int32_t choose_write(struct speaker *speaker, struct asked *asked, struct buffer *body)
{
    switch (chance_below(&speaker->chance, 12)) {
    case 0:
    case 1:
        put_create(speaker, body, asked->path, MODE_PERSISTENT);
        return chance_of(&speaker->chance, 2) ? OP_CREATE : OP_CREATE2;
    case 2:
        put_path_and_i32(body, asked->path, -1);
        return OP_DELETE;
    case 3:
        snprintf(asked->path, sizeof(asked->path), "/e%d", speaker->index);
        put_create(speaker, body, asked->path, MODE_EPHEMERAL);
        return OP_CREATE;
    case 4:
        put_create(speaker, body, "/s-", MODE_EPHEMERAL_SEQUENTIAL);
        return OP_CREATE;
    case 5:
    case 6:
        put_multi(speaker, body, asked->path);
        return OP_MULTI;
    case 7:
        put_set(speaker, body, asked->path, (int32_t)chance_below(&speaker->chance, 4));
        return OP_SET_DATA;
    default:
        put_set(speaker, body, asked->path, -1);
        return OP_SET_DATA;
    }
}

static int32_t choose(struct speaker *speaker, struct asked *asked, struct buffer *body)
{
    int64_t kind = chance_below(&speaker->chance, 100);

    snprintf(asked->path, sizeof(asked->path), "/p%" PRId64, chance_below(&speaker->chance, PATHS));
    if (kind == 0)
        return OP_CLOSE_SESSION;
    if (kind < 5) {
        jute_put_bytes(body, slice_text(asked->path));
        return OP_SYNC;
    }
    if (kind < 10) {
        jute_put_bytes(body, slice_text(asked->path));
        jute_put_bool(body, false);
        return OP_GET_CHILDREN;
    }
    if (kind < 50) {
        asked->watch = speaker->armed_count < WATCHES_MAX && chance_of(&speaker->chance, 5);
        jute_put_bytes(body, slice_text(asked->path));
        jute_put_bool(body, asked->watch);
        return chance_of(&speaker->chance, 3) ? OP_EXISTS : OP_GET_DATA;
    }
    return choose_write(speaker, asked, body);
}

static void send_request(struct speaker *speaker, int32_t xid, int32_t op,
                         const struct buffer *body)
{
    struct buffer frame = {0};

    speaker->asked_to_close |= op == OP_CLOSE_SESSION;
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
    *asked = (struct asked){.xid = ++speaker->next_xid,
                            .returned_before = speaker->world->highest_answered};
    asked->op = choose(speaker, asked, &body);
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

static void check_watches(struct speaker *speaker, int64_t zxid)
{
    for (size_t i = 0; i < speaker->armed_count; i++) {
        const struct armed *armed = &speaker->armed[i];
        int64_t change =
            checker_next_change(speaker->world->checker, slice_text(armed->path), armed->zxid);
        if (change <= zxid)
            world_fail(speaker->world, NULL,
                       "client %d sees %" PRIx64
                       " before the event of %s, which changed at %" PRIx64,
                       speaker->index, (uint64_t)zxid, armed->path, (uint64_t)change);
    }
}

/* The events of what changed meanwhile are in front of this answer. A node that came and went again is
 * missed. */
static void on_armed_anew(struct speaker *speaker, int64_t zxid)
{
    struct world *world = speaker->world;

    for (size_t i = 0; i < speaker->armed_count; i++) {
        struct armed *armed = &speaker->armed[i];
        struct slice path = slice_text(armed->path);
        bool missed = armed->absent
                          ? checker_look(world->checker, path, zxid).exists
                          : checker_next_change(world->checker, path, armed->zxid) <= zxid;
        if (missed)
            world_fail(world, NULL,
                       "client %d armed its watches anew at %" PRIx64
                       " and did not hear of the change of %s",
                       speaker->index, (uint64_t)zxid, armed->path);
        if (armed->absent)
            armed->zxid = zxid;
    }
}

static void on_event(struct speaker *speaker, struct reader *reader)
{
    struct watcher_event event;

    if (watcher_event_read(reader, &event) != STATUS_OK) {
        world_fail(speaker->world, NULL, "an event does not decode");
        return;
    }
    for (size_t i = 0; i < speaker->armed_count; i++) {
        struct armed *armed = &speaker->armed[i];
        if (!slice_equal(slice_text(armed->path), event.path))
            continue;
        if (checker_next_change(speaker->world->checker, event.path, armed->zxid) == INT64_MAX)
            world_fail(speaker->world, NULL, "client %d hears of a change of %s that was none",
                       speaker->index, armed->path);
        *armed = speaker->armed[--speaker->armed_count];
        return;
    }
    world_fail(speaker->world, NULL, "client %d gets an event that it did not ask for",
               speaker->index);
}

static void check_read(struct speaker *speaker, const struct asked *asked,
                       const struct reply_header *reply, struct reader *reader)
{
    struct world *world = speaker->world;
    struct checker_node want = checker_look(world->checker, slice_text(asked->path), reply->zxid);
    struct slice data = SLICE_NULL;

    if (reply->zxid > checker_committed_zxid(world->checker))
        world_fail(world, NULL, "client %d reads %" PRIx64 ", which is not committed",
                   speaker->index, (uint64_t)reply->zxid);
    if (reply->zxid < speaker->synced_zxid)
        world_fail(world, NULL, "client %d reads at %" PRIx64 " behind a sync of %" PRIx64,
                   speaker->index, (uint64_t)reply->zxid, (uint64_t)speaker->synced_zxid);
    if (want.exists != (reply->err == ZK_OK) || (!want.exists && reply->err != ZK_NO_NODE)) {
        world_fail(world, NULL, "client %d reads %s at %" PRIx64 ": error %d, and it %s",
                   speaker->index, asked->path, (uint64_t)reply->zxid, reply->err,
                   want.exists ? "exists" : "does not exist");
        return;
    }
    if (want.exists && asked->op == OP_GET_DATA)
        data = reader_buffer(reader);
    if (want.exists) {
        (void)reader_i64(reader);
        int64_t mzxid = reader_i64(reader);
        (void)reader_i64(reader), (void)reader_i64(reader);
        int32_t version = reader_i32(reader);
        if (mzxid != want.mzxid || version != want.version ||
            (asked->op == OP_GET_DATA && !slice_equal(data, want.data)))
            world_fail(world, NULL,
                       "client %d reads %s at %" PRIx64 " as of %" PRIx64
                       ", version %d; it is of %" PRIx64 ", version %d",
                       speaker->index, asked->path, (uint64_t)reply->zxid, (uint64_t)mzxid, version,
                       (uint64_t)want.mzxid, want.version);
    }
    world->verdict.reads++;
    if (asked->watch && (want.exists || asked->op == OP_EXISTS)) {
        struct armed *armed = NULL;
        for (size_t i = 0; i < speaker->armed_count; i++) {
            if (strcmp(speaker->armed[i].path, asked->path) == 0)
                armed = &speaker->armed[i];
        }
        if (armed == NULL)
            armed = &speaker->armed[speaker->armed_count++];
        snprintf(armed->path, sizeof(armed->path), "%s", asked->path);
        armed->zxid = reply->zxid;
        armed->absent = !want.exists;
    }
}

static void check_children(struct speaker *speaker, const struct asked *asked,
                           const struct reply_header *reply, struct reader *reader)
{
    struct world *world = speaker->world;
    struct slice path = slice_text(asked->path), name;
    bool exists = checker_look(world->checker, path, reply->zxid).exists;
    int32_t want = exists ? checker_child_count(world->checker, path, reply->zxid) : 0;
    int32_t got = reply->err == ZK_OK ? reader_i32(reader) : 0;
    bool right = exists == (reply->err == ZK_OK) && got == want;

    for (int32_t i = 0; i < got && right; i++) {
        name = reader_text(reader);
        right = checker_has_child(world->checker, path, name, reply->zxid);
    }
    if (!right)
        world_fail(world, NULL,
                   "client %d reads %d children of %s at %" PRIx64 ", error %d, and it has %d",
                   speaker->index, got, asked->path, (uint64_t)reply->zxid, reply->err, want);
    world->verdict.reads++;
}

static void check_write(struct speaker *speaker, const struct asked *asked,
                        const struct reply_header *reply)
{
    struct world *world = speaker->world;

    if (asked->op == OP_CLOSE_SESSION && world->options.local_sessions &&
        !checker_knows_session(world->checker, speaker->session_id))
        return;
    checker_write_answered(world->checker, speaker->session_id, asked->xid, reply->zxid,
                           reply->err);
    if (reply->zxid <= asked->returned_before)
        world_fail(world, NULL,
                   "client %d's write has %" PRIx64 ", and %" PRIx64
                   " was answered before it was asked",
                   speaker->index, (uint64_t)reply->zxid, (uint64_t)asked->returned_before);
    if (reply->zxid > world->highest_answered)
        world->highest_answered = reply->zxid;
    world->verdict.writes++;
    speaker->writes += reply->err == ZK_OK;
}

/* What it has seen of the tree: it may not go back, here or at another server. */
static void see(struct speaker *speaker, int64_t zxid)
{
    if (zxid < speaker->last_zxid)
        world_fail(speaker->world, NULL, "client %d goes back from %" PRIx64 " to %" PRIx64,
                   speaker->index, (uint64_t)speaker->last_zxid, (uint64_t)zxid);
    speaker->last_zxid = zxid;
}

static void on_reply(struct speaker *speaker, const struct reply_header *reply,
                     struct reader *reader)
{
    struct world *world = speaker->world;

    if (reply->xid == XID_PING)
        return;
    if (reply->xid == XID_SET_WATCHES) {
        see(speaker, reply->zxid);
        on_armed_anew(speaker, reply->zxid);
        return;
    }
    if (speaker->asked_count == 0 || speaker->asked[0].xid != reply->xid) {
        world_fail(world, NULL, "client %d gets an answer to %d out of order", speaker->index,
                   reply->xid);
        return;
    }
    struct asked asked = speaker->asked[0];
    speaker->asked_count--;
    memmove(speaker->asked, speaker->asked + 1, speaker->asked_count * sizeof(asked));
    see(speaker, reply->zxid);
    check_watches(speaker, reply->zxid);
    if (asked.op == OP_SYNC) {
        if (asked.returned_before > speaker->synced_zxid)
            speaker->synced_zxid = asked.returned_before;
    } else if (asked.op == OP_GET_DATA || asked.op == OP_EXISTS) {
        check_read(speaker, &asked, reply, reader);
    } else if (asked.op == OP_GET_CHILDREN) {
        check_children(speaker, &asked, reply, reader);
    } else {
        check_write(speaker, &asked, reply);
    }
    if (asked.op == OP_CLOSE_SESSION) {
        speaker->session_id = 0;
        speaker->last_zxid = speaker->synced_zxid = 0;
        leave(speaker);
    }
}

static void on_shaken(struct speaker *speaker, struct reader *reader)
{
    struct connect_response response;

    if (connect_response_read(reader, &response) != STATUS_OK) {
        world_fail(speaker->world, NULL, "a ConnectResponse does not decode");
        return;
    }
    if (response.session_id == 0) { /* expired */
        world_note(speaker->world, NULL, "client %d: session %" PRIx64 " is over", speaker->index,
                   (uint64_t)speaker->session_id);
        if (speaker->world->settled && !speaker->world->options.local_sessions &&
            !speaker->asked_to_close &&
            !checker_session_ended_before(speaker->world->checker, speaker->session_id,
                                          speaker->world->settled_us))
            world_fail(speaker->world, NULL,
                       "client %d's session is over although all is healed and it was connected",
                       speaker->index);
        speaker->session_id = 0;
        speaker->last_zxid = speaker->synced_zxid = 0;
        leave(speaker);
        return;
    }
    if (speaker->session_id == 0) {
        speaker->next_xid = (int32_t)speaker->world->options.first_xid;
        speaker->asked_to_close = false;
    }
    world_note(speaker->world, NULL, "client %d: session %" PRIx64 " at server %d", speaker->index,
               (uint64_t)response.session_id, speaker->server + 1);
    speaker->session_id = response.session_id;
    speaker->timeout_ms = response.timeout_ms;
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

    if (number == speaker->number && speaker->state == SPEAKER_DIALS)
        shake(speaker);
}

void speaker_bytes(struct speaker *speakers, int index, uint64_t number, struct slice bytes)
{
    struct speaker *speaker = &speakers[index];

    if (number != speaker->number || speaker->state == SPEAKER_AWAY)
        return;
    buffer_append(&speaker->unread, bytes);
    set_turn(speaker);
}

void speaker_closed(struct speaker *speakers, int index, uint64_t number)
{
    struct speaker *speaker = &speakers[index];

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
        plan(&speakers[i], chance_below(&speakers[i].chance, 500000));
    }
    return speakers;
}

void speakers_free(struct speaker *speakers, int count)
{
    for (int i = 0; i < count; i++) {
        buffer_deinit(&speakers[i].input);
        buffer_deinit(&speakers[i].unread);
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
