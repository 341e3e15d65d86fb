/* speaker_library.c: model clients whose connections, sessions and watches are the client library's. What
 * they ask, and what they may be told, is as for all others. And: every request comes back once, in order, and
 * at the latest when its connection is given up; the library waits for the same events as the client. */
#include "client/requests.h"
#include "sim/chance.h"
#include "sim/library.h"
#include "sim/speaker_parts.h"
#include "wire/zk.h"

#include <inttypes.h>

enum { REST_AFTER_SESSION_US = 300000 };

static void watched(void)
{
}

static struct client *client_of(const struct speaker *speaker)
{
    return library_client(speaker->library);
}

/* --- asking --- */

static bool is_read(int32_t op)
{
    return op == OP_EXISTS || op == OP_GET_DATA || op == OP_GET_CHILDREN;
}

static enum client_error submit(struct speaker *speaker, struct client_request *request,
                                const struct asked *asked, const struct buffer *body)
{
    struct client *client = client_of(speaker);
    struct client_watcher watcher = {watched, speaker};
    struct slice path = slice_text(asked->path);

    if (asked->op == OP_CLOSE_SESSION) {
        client_close_session(client, request, library_now_ms(speaker->library));
        return CLIENT_OK;
    }
    if (is_read(asked->op))
        return client_read(client, request, asked->op, path, asked->watch ? &watcher : NULL);
    if (asked->op == OP_SYNC || asked->op == OP_GET_ACL)
        return client_path(client, request, asked->op, path);
    enum client_error err = client_frame_open(client, request, asked->op, body->size);
    if (err != CLIENT_OK)
        return err;
    buffer_append(&client->out, buffer_slice(body));
    client_frame_close(client, request);
    return CLIENT_OK;
}

static void ask(struct speaker *speaker)
{
    struct asked *asked = &speaker->asked[speaker->asked_count];
    struct client_request *request = mem_zalloc(sizeof(*request));
    struct buffer body = {0};

    client_request_init(request);
    speaker_choose(speaker, asked, &body);
    speaker->asked_count++;
    if (asked->op == OP_CLOSE_SESSION) { /* it hears of nothing any more */
        speaker->closing = true;
        speaker->armed_count = 0;
    }
    enum client_error err = submit(speaker, request, asked, &body);
    buffer_deinit(&body);
    if (err != CLIENT_OK) {
        world_fail(speaker->world, NULL, "client %d's library refuses a request: %d",
                   speaker->index, err);
        mem_free(request);
        return;
    }
    asked->xid = request->xid;
    world_note(speaker->world, NULL, "client %d > xid=%d op=%d %s%s", speaker->index, asked->xid,
               asked->op, asked->path, asked->watch ? " watch" : "");
    library_carry_out(speaker->library);
}

/* --- time --- */

static void begin(struct speaker *speaker)
{
    const struct world *world = speaker->world;
    int32_t before_first = (int32_t)world->options.first_xid;

    speaker->closing = false;
    library_begin(
        speaker->library,
        &(struct library_options){.servers = (1U << world->node_count) - 1,
                                  .timeout_ms = speaker->timeout_ms,
                                  .may_be_read_only = speaker->may_be_read_only,
                                  .first_xid = before_first == INT32_MAX ? 1 : before_first + 1,
                                  .seed = chance_u64(&speaker->chance)});
}

static void think(void *context, uint64_t unused)
{
    struct speaker *speaker = context;
    int64_t us = chance_below(&speaker->chance, speaker->world->options.think_us);

    (void)unused;
    if (speaker->world->verdict.failed)
        return;
    if (chance_of(&speaker->chance, 4))
        us = chance_below(&speaker->chance, 2000);
    const struct client *client = client_of(speaker);
    if (library_lives(speaker->library) && (client->closed || client_is_dead(client))) {
        library_end(speaker->library); /* and the next session comes later */
        us = chance_below(&speaker->chance, REST_AFTER_SESSION_US);
    } else if (!library_lives(speaker->library)) {
        begin(speaker);
    } else if (speaker->asked_count > 0 && !speaker->world->healing && client_has_session(client) &&
               chance_of(&speaker->chance, speaker->world->options.jump_one_in)) {
        world_note(speaker->world, NULL, "client %d jumps", speaker->index);
        library_break(speaker->library);
    } else if (!speaker->resting && !speaker->closing && speaker->asked_count < PIPELINE_MAX &&
               speaker->session_id != 0) {
        ask(speaker);
    }
    events_in(&speaker->world->events, us + 1, think, speaker, 0);
}

/* --- what the library gives --- */

static void on_frame(void *context, struct slice frame)
{
    struct speaker *speaker = context;
    struct reader reader;

    reader_init(&reader, frame, NULL, frame.size);
    speaker->reply = (struct reply_header){0};
    if (client_of(speaker)->state == CLIENT_STATE_ASSOCIATING)
        return;
    if (reply_header_read(&reader, &speaker->reply) != STATUS_OK) {
        world_fail(speaker->world, NULL, "an answer does not decode");
        return;
    }
    world_note(speaker->world, NULL, "client %d < xid=%d zxid=%" PRIx64 " err=%d", speaker->index,
               speaker->reply.xid, (uint64_t)speaker->reply.zxid, speaker->reply.err);
    if (speaker->reply.zxid > 0 && !speaker->closing)
        speaker_sees(speaker, speaker->reply.zxid);
    if (speaker->reply.xid == XID_SET_WATCHES)
        (void)speaker_reply(speaker, &speaker->reply, &reader);
}

/* What waits for events here waits there, too. */
static void on_taken(void *context)
{
    struct speaker *speaker = context;
    const struct client *client = client_of(speaker);
    bool same = client->watches.count == speaker->armed_count;

    speaker->reply = (struct reply_header){0};
    if (speaker->closing || !client_has_session(client))
        return;
    if (speaker->strayed)
        return;
    for (size_t i = 0; i < speaker->armed_count && same; i++) {
        const struct armed *armed = &speaker->armed[i];
        same = client_watches_has(&client->watches, slice_text(armed->path),
                                  armed->absent ? CLIENT_WATCH_EXIST : CLIENT_WATCH_DATA, NULL);
    }
    if (!same)
        world_fail(speaker->world, NULL, "client %d's library has %u watches, and it set %zu",
                   speaker->index, client->watches.count, speaker->armed_count);
    if (client->last_zxid < speaker->last_zxid)
        world_fail(speaker->world, NULL, "client %d's library has forgotten what it has seen",
                   speaker->index);
}

static void forget_oldest(struct speaker *speaker)
{
    speaker->asked_count--;
    memmove(speaker->asked, speaker->asked + 1, speaker->asked_count * sizeof(speaker->asked[0]));
}

static void on_request(struct speaker *speaker, struct client_request *request)
{
    struct arena arena;
    struct reader reader;
    bool answered = speaker->reply.xid == request->xid && request->xid > 0;

    if (speaker->asked_count == 0 || speaker->asked[0].xid != request->xid) {
        world_fail(speaker->world, NULL, "request %d comes back to client %d out of order",
                   request->xid, speaker->index);
        return;
    }
    bool closes = speaker->asked[0].op == OP_CLOSE_SESSION;
    if (!answered) {
        world_note(speaker->world, NULL, "client %d: request %d comes back with %d", speaker->index,
                   request->xid, request->err);
        if (request->err == CLIENT_OK && !closes)
            world_fail(speaker->world, NULL, "client %d is told of a success that was none",
                       speaker->index);
        forget_oldest(speaker);
        if (closes)
            speaker_forget_session(speaker);
        return;
    }
    if (request->err != speaker->reply.err)
        world_fail(speaker->world, NULL, "client %d is told %d instead of %d", speaker->index,
                   request->err, speaker->reply.err);
    arena_init(&arena);
    reader_init(&reader, slice_of(request->reply, request->reply_size), &arena,
                request->reply_size);
    (void)speaker_reply(speaker, &speaker->reply, &reader);
    arena_deinit(&arena);
    if (closes)
        speaker_forget_session(speaker);
}

static void on_session_event(struct speaker *speaker, int32_t state)
{
    const struct client *client = client_of(speaker);

    if (state == CLIENT_STATE_CONNECTED || state == CLIENT_STATE_READ_ONLY) {
        world_note(speaker->world, NULL, "client %d: session %" PRIx64 " at server %d%s",
                   speaker->index, (uint64_t)client->session_id,
                   library_server(speaker->library) + 1,
                   state == CLIENT_STATE_READ_ONLY ? ", to read only" : "");
        speaker->read_only = state == CLIENT_STATE_READ_ONLY;
        if (speaker->read_only && !speaker->may_be_read_only)
            world_fail(speaker->world, NULL, "client %d may only read, and wants to write",
                       speaker->index);
        speaker_has_session(speaker, client->session_id, client->timeout_ms);
    } else if (client_is_dead(client)) {
        speaker_session_over(speaker);
        speaker->armed_count = 0;
    }
}

static void on_done(void *context, struct client_item *item)
{
    struct speaker *speaker = context;

    if (item->kind == CLIENT_ITEM_REQUEST) {
        struct client_request *request = CONTAINER_OF(item, struct client_request, item);
        on_request(speaker, request);
        client_request_deinit(request);
        mem_free(request);
        return;
    }
    ASSERT(item->kind == CLIENT_ITEM_EVENT);
    const struct client_event *event = CONTAINER_OF(item, struct client_event, item);
    if (event->type == CLIENT_EVENT_SESSION) {
        on_session_event(speaker, event->state);
        return;
    }
    if (event->watcher_count != 1 || event->watchers[0].context != speaker)
        world_fail(speaker->world, NULL, "client %d's library calls %zu watchers", speaker->index,
                   event->watcher_count);
    speaker_event(speaker, slice_text(event->path));
}

static void on_lost(void *context)
{
    struct speaker *speaker = context;

    speaker->reply = (struct reply_header){0};
    if (speaker->asked_count > 0)
        world_fail(speaker->world, NULL,
                   "client %d's connection is given up, and %zu requests do not come back",
                   speaker->index, speaker->asked_count);
}

/* --- its life --- */

void speaker_library_begin(struct speaker *speaker)
{
    struct library_hooks hooks = {
        .frame = on_frame, .taken = on_taken, .done = on_done, .lost = on_lost, .context = speaker};

    speaker->library = library_new(speaker->world, speaker->host, &hooks);
    events_in(&speaker->world->events, chance_below(&speaker->chance, 500000), think, speaker, 0);
}

/* The world ends: what is under way does not come back. */
void speaker_library_free(struct speaker *speaker)
{
    if (speaker->library == NULL)
        return;
    if (library_lives(speaker->library)) {
        struct list *pending = &client_of(speaker)->pending;
        while (!list_empty(pending)) {
            struct client_item *item = CONTAINER_OF(pending->next, struct client_item, link);
            struct client_request *request = CONTAINER_OF(item, struct client_request, item);
            list_remove(&item->link);
            client_request_deinit(request);
            mem_free(request);
        }
    }
    library_free(speaker->library);
}

void speaker_library_opened(struct speaker *speaker, uint64_t number)
{
    library_opened(speaker->library, number);
}

void speaker_library_bytes(struct speaker *speaker, uint64_t number, struct slice bytes)
{
    library_bytes(speaker->library, number, bytes);
}

void speaker_library_closed(struct speaker *speaker, uint64_t number)
{
    library_closed(speaker->library, number);
}
