/* story_library.c: one client of a story whose connections, session and watches are the client library's. It
 * does what the library does by itself; the script asks, cuts ways, and looks. */
#include "client/requests.h"
#include "sim/library.h"
#include "sim/story_parts.h"

enum { ASKED_MAX = 64 };

struct story_library {
    struct story *story;
    struct library *library;
    struct library_asked {
        struct client_request *request; /* NULL: it has come back */
        int32_t err;
    } asked[ASKED_MAX];
    int count, back;
    size_t events;
};

static void heard(void)
{
}

static struct story_library *of(struct story *story)
{
    ASSERT(story->library != NULL);
    return story->library;
}

/* --- what the library gives --- */

static void on_frame(void *context, struct slice frame)
{
    (void)context, (void)frame;
}

static void on_taken(void *context)
{
    (void)context;
}

static void on_done(void *context, struct client_item *item)
{
    struct story_library *at = context;

    if (item->kind == CLIENT_ITEM_EVENT) {
        const struct client_event *event = CONTAINER_OF(item, struct client_event, item);
        at->events += event->type != CLIENT_EVENT_SESSION;
        return;
    }
    struct client_request *request = CONTAINER_OF(item, struct client_request, item);
    if (at->asked[at->back].request != request) {
        story_fail(at->story, "the library gives requests back in another order");
        return;
    }
    at->asked[at->back++] = (struct library_asked){.err = request->err};
    client_request_deinit(request);
    mem_free(request);
}

static void on_lost(void *context)
{
    const struct story_library *at = context;

    if (at->back != at->count)
        story_fail(at->story, "a connection is given up, and not all requests come back");
}

/* --- the script's doors --- */

static int host_of(const struct story *story)
{
    return story->clients[STORY_CLIENTS].host + 1;
}

static void begin(struct story *story, uint32_t servers, int32_t timeout_ms, bool may_be_read_only)
{
    struct story_library *at = mem_zalloc(sizeof(*at));
    struct library_hooks hooks = {
        .frame = on_frame, .taken = on_taken, .done = on_done, .lost = on_lost, .context = at};

    ASSERT(story->library == NULL);
    story->library = at;
    at->story = story;
    at->library = library_new(story->world, host_of(story), &hooks);
    library_begin(at->library, &(struct library_options){.servers = servers,
                                                         .in_order = true,
                                                         .timeout_ms = timeout_ms,
                                                         .first_xid = 1,
                                                         .may_be_read_only = may_be_read_only,
                                                         .seed = 1});
}

void story_library_begin(struct story *story, uint32_t servers, int32_t timeout_ms)
{
    begin(story, servers, timeout_ms, /* may_be_read_only= */ false);
}

void story_library_begin_read_only(struct story *story, uint32_t servers, int32_t timeout_ms)
{
    begin(story, servers, timeout_ms, /* may_be_read_only= */ true);
}

bool story_library_reads_only(struct story *story)
{
    return library_client(of(story)->library)->state == CLIENT_STATE_READ_ONLY;
}

int story_library_server(struct story *story)
{
    struct library *library = of(story)->library;

    return client_has_session(library_client(library)) ? library_server(library) + 1 : 0;
}

void story_library_until_at(struct story *story, int server)
{
    int64_t end_us = story->world->events.now_us + STORY_PATIENCE_US;

    while (story_library_server(story) != server) {
        if (!story_step(story, end_us)) {
            story_fail(story, "the library never comes to that server");
            return;
        }
    }
}

static enum client_error submit(struct story_library *at, struct client_request *request,
                                const char *path, const char *data)
{
    struct client *client = library_client(at->library);
    struct client_watcher watcher = {heard, at};

    return data != NULL ? client_set_data(client, request, slice_text(path), slice_text(data), -1)
                        : client_read(client, request, OP_GET_DATA, slice_text(path), &watcher);
}

static int ask(struct story *story, const char *path, const char *data)
{
    struct story_library *at = of(story);
    struct client_request *request = mem_zalloc(sizeof(*request));

    ASSERT(at->count < ASKED_MAX);
    client_request_init(request);
    enum client_error err = submit(at, request, path, data);
    if (err != CLIENT_OK) {
        ASSERT(at->back == at->count);
        client_request_deinit(request);
        mem_free(request);
        at->asked[at->count++] = (struct library_asked){.err = err};
        at->back++;
        return at->count - 1;
    }
    at->asked[at->count++].request = request;
    library_carry_out(at->library);
    return at->count - 1;
}

int story_library_set(struct story *story, const char *path, const char *data)
{
    return ask(story, path, data);
}

int story_library_watch(struct story *story, const char *path)
{
    return ask(story, path, NULL);
}

int32_t story_library_await(struct story *story, int number)
{
    struct story_library *at = of(story);
    int64_t end_us = story->world->events.now_us + STORY_PATIENCE_US;

    while (at->back <= number) {
        if (!story_step(story, end_us)) {
            story_fail(story, "a request of the library does not come back");
            return 0;
        }
    }
    return at->asked[number].err;
}

size_t story_library_events(struct story *story)
{
    return of(story)->events;
}

int64_t story_library_session(struct story *story)
{
    return library_client(of(story)->library)->session_id;
}

bool story_library_is_expired(struct story *story)
{
    return library_client(of(story)->library)->state == CLIENT_STATE_EXPIRED;
}

void story_library_cut(struct story *story, int server, bool cut)
{
    network_block(story->world->network, host_of(story), server - 1, cut);
    network_block(story->world->network, server - 1, host_of(story), cut);
}

void story_library_free(struct story *story)
{
    struct story_library *at = story->library;

    if (at == NULL)
        return;
    for (int i = at->back; i < at->count; i++) {
        list_remove(&at->asked[i].request->item.link);
        client_request_deinit(at->asked[i].request);
        mem_free(at->asked[i].request);
    }
    library_free(at->library);
    mem_free(at);
}

bool story_library_opened(struct story *story, int host, uint64_t number)
{
    if (story->library == NULL || host != host_of(story))
        return false;
    library_opened(story->library->library, number);
    return true;
}

bool story_library_bytes(struct story *story, int host, uint64_t number, struct slice bytes)
{
    if (story->library == NULL || host != host_of(story))
        return false;
    library_bytes(story->library->library, number, bytes);
    return true;
}

bool story_library_closed(struct story *story, int host, uint64_t number)
{
    if (story->library == NULL || host != host_of(story))
        return false;
    library_closed(story->library->library, number);
    return true;
}
