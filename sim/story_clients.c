/* story_clients.c: clients that ask what the script says. Each has one connection and keeps its session;
 * it pings, unless it is told to be silent. */
#include "sim/chain.h"
#include "sim/story_parts.h"
#include "wire/records.h"

#include <inttypes.h>
#include <stdio.h>

static struct story_client *client_of(struct story *story, int client)
{
    ASSERT(client >= 1 && client <= STORY_CLIENTS);
    return &story->clients[client];
}

void story_clients_init(struct story *story)
{
    int first = story->world->node_count + (int)story->world->options.clients;

    for (int i = 1; i <= STORY_CLIENTS; i++) {
        story->clients[i].story = story;
        story->clients[i].host = first + i - 1;
        story->clients[i].timeout_ms = STORY_TIMEOUT_MS;
    }
}

void story_clients_deinit(struct story *story)
{
    for (int i = 1; i <= STORY_CLIENTS; i++)
        buffer_deinit(&story->clients[i].input);
}

struct story_client *story_client_at(struct story *story, int host)
{
    int index = host - story->clients[1].host;

    return index < 0 || index >= STORY_CLIENTS ? NULL : &story->clients[index + 1];
}

/* --- sending --- */

static void send_frame(struct story_client *client, const struct buffer *payload)
{
    struct buffer frame = {0};

    buffer_i32(&frame, (int32_t)payload->size);
    buffer_append(&frame, buffer_slice(payload));
    network_send(client->story->world->network, client->host, client->number, buffer_slice(&frame));
    buffer_deinit(&frame);
}

static void ping(void *context, uint64_t life)
{
    struct story_client *client = context;
    struct buffer frame = {0};

    if (client->life != life || client->silent || !client->open)
        return;
    request_header_write(&frame, &(struct request_header){.xid = XID_PING, .type = OP_PING});
    send_frame(client, &frame);
    buffer_deinit(&frame);
    events_in(&client->story->world->events, client->timeout_ms * 250, ping, client, life);
}

static void shake(struct story_client *client)
{
    uint8_t password[PASSWORD_BYTES] = {0};
    struct buffer frame = {0};

    if (client->session_id != 0)
        zk_session_password(client->session_id, password);
    connect_request_write(
        &frame, &(struct connect_request){.last_zxid_seen = client->last_zxid,
                                          .timeout_ms = client->timeout_ms,
                                          .session_id = client->session_id,
                                          .password = slice_of(password, PASSWORD_BYTES)});
    jute_put_bool(&frame, client->may_be_read_only);
    send_frame(client, &frame);
    buffer_deinit(&frame);
}

/* --- receiving --- */

static void keep_text(struct story_asked *asked, struct slice data)
{
    snprintf(asked->answer.text, sizeof(asked->answer.text), "%.*s", (int)data.size,
             data.size > 0 ? (const char *)data.data : "");
}

static void check_read(struct story_client *client, struct story_asked *asked,
                       struct reader *reader)
{
    struct world *world = client->story->world;

    if (client->read_only && !chain_is_committed(world->chain, asked->answer.zxid)) {
        if (asked->op == OP_GET_DATA && asked->answer.err == ZK_OK)
            keep_text(asked, reader_buffer(reader)); /* there is nothing to compare it with */
        return;
    }
    struct model_node want =
        model_look(chain_model(world->chain), slice_text(asked->path), asked->answer.zxid);
    struct slice data = SLICE_NULL;

    if (asked->answer.zxid > chain_committed_zxid(world->chain))
        story_fail(client->story, "a client reads what is not committed");
    if (want.exists != (asked->answer.err == ZK_OK)) {
        story_fail(client->story, "a client reads a node that is not there, or does not read one "
                                  "that is");
        return;
    }
    if (!want.exists)
        return;
    if (asked->op == OP_GET_DATA)
        data = reader_buffer(reader);
    if (asked->op == OP_GET_DATA && !slice_equal(data, want.data))
        story_fail(client->story, "a client reads other data than what is committed");
    keep_text(asked, data);
    asked->answer.version = want.version;
}

static void on_reply(struct story_client *client, const struct reply_header *reply,
                     struct reader *reader)
{
    struct world *world = client->story->world;

    if (reply->xid == XID_PING)
        return;
    if (reply->xid == XID_NOTIFICATION) {
        client->events++;
        return;
    }
    if (client->answered_count == client->asked_count ||
        client->asked[client->answered_count].xid != reply->xid) {
        story_fail(client->story, "a client gets an answer out of order");
        return;
    }
    struct story_asked *asked = &client->asked[client->answered_count++];
    asked->answer.came = true;
    asked->answer.err = reply->err;
    asked->answer.zxid = reply->zxid;
    if (asked->op == OP_CHECK || asked->op == OP_SET_WATCHES)
        return; /* what the checker knows nothing of */
    if (reply->zxid < client->last_zxid)
        story_fail(client->story, "a client goes back in time");
    client->last_zxid = reply->zxid;
    if (asked->op == OP_GET_DATA || asked->op == OP_EXISTS) {
        check_read(client, asked, reader);
        return;
    }
    if (client->read_only) {
        if (asked->op != OP_CLOSE_SESSION && reply->err != ZK_NOT_READ_ONLY)
            story_fail(client->story, "a read-only server does not refuse what it cannot do");
        return;
    }
    if (asked->op != OP_SYNC)
        chain_write_answered(world->chain, client->session_id, reply->xid, reply->zxid, reply->err);
    if (asked->op == OP_CREATE && reply->err == ZK_OK) {
        struct slice path = reader_buffer(reader);
        snprintf(asked->answer.text, sizeof(asked->answer.text), "%.*s", (int)path.size,
                 (const char *)path.data);
    }
}

static void on_shaken(struct story_client *client, struct reader *reader)
{
    struct connect_response response;

    if (connect_response_read(reader, &response) != STATUS_OK) {
        story_fail(client->story, "a ConnectResponse does not decode");
        return;
    }
    client->shaken = true;
    client->refused = response.session_id == 0;
    client->read_only = reader_left(reader) > 0 && reader_bool(reader);
    if (client->read_only && !client->may_be_read_only)
        story_fail(client->story, "a client that wants to write is at a read-only server");
    if (client->refused)
        return;
    client->session_id = response.session_id;
    events_in(&client->story->world->events, client->timeout_ms * 250, ping, client, client->life);
}

static void on_frame(struct story_client *client, struct slice frame)
{
    struct arena arena;
    struct reader reader;
    struct reply_header reply;

    arena_init(&arena);
    reader_init(&reader, frame, &arena, frame.size);
    if (!client->shaken) {
        on_shaken(client, &reader);
    } else if (reply_header_read(&reader, &reply) != STATUS_OK) {
        story_fail(client->story, "an answer does not decode");
    } else {
        world_note(client->story->world, NULL, "client %d < xid=%d zxid=%" PRIx64 " err=%d",
                   (int)(client - client->story->clients), reply.xid, (uint64_t)reply.zxid,
                   reply.err);
        on_reply(client, &reply, &reader);
    }
    arena_deinit(&arena);
}

void story_client_opened(struct story_client *client, uint64_t number)
{
    if (number != client->number)
        return;
    client->open = true;
    shake(client);
}

void story_client_bytes(struct story_client *client, uint64_t number, struct slice bytes)
{
    size_t at = 0;

    if (number != client->number)
        return;
    buffer_append(&client->input, bytes);
    while (client->input.size - at >= 4) {
        size_t size = load_be32(client->input.data + at);
        if (client->input.size - at - 4 < size)
            break;
        at += 4 + size;
        on_frame(client, slice_of(client->input.data + at - size, size));
    }
    if (at > 0)
        memmove(client->input.data, client->input.data + at, client->input.size - at);
    client->input.size -= at;
}

void story_client_closed(struct story_client *client, uint64_t number)
{
    if (number != client->number)
        return;
    client->open = false;
    client->number = 0;
    client->life++;
}

/* --- the script's doors --- */

void story_disconnect(struct story *story, int client)
{
    struct story_client *at = client_of(story, client);

    if (at->number != 0)
        network_close(story->world->network, at->host, at->number);
    story_leave_open(story, client);
}

void story_leave_open(struct story *story, int client)
{
    struct story_client *at = client_of(story, client);

    at->number = 0;
    at->open = at->shaken = at->refused = false;
    at->asked_count = at->answered_count = at->input.size = 0;
    at->life++;
}

void story_ask_reconnect(struct story *story, int client, int server)
{
    struct story_client *at = client_of(story, client);

    story_disconnect(story, client);
    story->next_number += 2;
    at->number = story->next_number;
    network_dial(story->world->network, at->host, at->number, server - 1, NETWORK_CLIENT);
}

bool story_reconnect(struct story *story, int client, int server)
{
    struct story_client *at = client_of(story, client);
    int64_t end_us = story->world->events.now_us + STORY_PATIENCE_US;

    story_disconnect(story, client);
    while (!at->shaken) {
        if (at->number == 0)
            story_ask_reconnect(story, client, server);
        if (!story_step(story, end_us)) {
            story_fail(story, "a client's handshake has no end");
            return false;
        }
    }
    return !at->refused;
}

void story_connect(struct story *story, int client, int server)
{
    struct story_client *at = client_of(story, client);

    story_disconnect(story, client);
    at->session_id = at->last_zxid = 0;
    at->next_xid = 0;
    if (!story_reconnect(story, client, server))
        story_fail(story, "a new session was refused");
}

void story_may_be_read_only(struct story *story, int client)
{
    client_of(story, client)->may_be_read_only = true;
}

bool story_reads_only(const struct story *story, int client)
{
    return story->clients[client].read_only;
}

bool story_is_connected(const struct story *story, int client)
{
    const struct story_client *at = &story->clients[client];

    return at->open && at->shaken && !at->refused;
}

int64_t story_session(const struct story *story, int client)
{
    return story->clients[client].session_id;
}

void story_restart_xids(struct story *story, int client)
{
    client_of(story, client)->next_xid = 0;
    client_of(story, client)->last_zxid = 0;
    chain_xids_restart(story->world->chain, story_session(story, client));
}

size_t story_events(const struct story *story, int client)
{
    return story->clients[client].events;
}

void story_set_timeout(struct story *story, int client, int32_t ms)
{
    client_of(story, client)->timeout_ms = ms;
}

bool story_is_expired(struct story *story, int client)
{
    const struct node *node = story_node(story, story_leader(story));

    return tree_session(replica_tree(node->replica), story_session(story, client)) == NULL;
}

void story_keep_silent(struct story *story, int client)
{
    client_of(story, client)->silent = true;
}

static void put_create(struct buffer *body, const char *path, int32_t mode)
{
    struct buffer acl = {0};

    jute_put_acl(&acl, &(struct jute_acl){SLICE("world"), SLICE("anyone"), PERM_ALL});
    jute_put_bytes(body, slice_text(path));
    jute_put_bytes(body, slice_text(""));
    jute_put_vector(body, (struct jute_vector){.bytes = buffer_slice(&acl), .count = 1});
    buffer_i32(body, mode);
    buffer_deinit(&acl);
}

static int32_t send_request(struct story *story, int client, int32_t op, const char *path,
                            const struct buffer *body)
{
    struct story_client *at = client_of(story, client);
    struct buffer frame = {0};
    int32_t xid = ++at->next_xid;

    if (story_failed(story))
        return xid;
    ASSERT(at->asked_count < STORY_ASKED);
    struct story_asked *asked = &at->asked[at->asked_count++];
    *asked = (struct story_asked){.xid = xid, .op = op};
    snprintf(asked->path, sizeof(asked->path), "%s", path);
    request_header_write(&frame, &(struct request_header){.xid = xid, .type = op});
    buffer_append(&frame, buffer_slice(body));
    world_note(story->world, NULL, "client %d > xid=%d op=%d %s", client, xid, op, path);
    send_frame(at, &frame);
    buffer_deinit(&frame);
    return xid;
}

int32_t story_ask(struct story *story, int client, int32_t op, const char *path, const char *data)
{
    struct buffer body = {0};

    switch (op) {
    case OP_SET_DATA:
        jute_put_bytes(&body, slice_text(path));
        jute_put_bytes(&body, slice_text(data));
        buffer_i32(&body, -1);
        break;
    case OP_DELETE:
    case OP_CHECK:
        jute_put_bytes(&body, slice_text(path));
        buffer_i32(&body, -1);
        break;
    case OP_GET_DATA:
    case OP_EXISTS: /* data: a watch is set */
        jute_put_bytes(&body, slice_text(path));
        jute_put_bool(&body, data != NULL);
        break;
    case OP_SYNC:
        jute_put_bytes(&body, slice_text(path));
        break;
    case OP_SET_WATCHES: /* for the data of this one */
        buffer_i64(&body, client_of(story, client)->last_zxid);
        buffer_i32(&body, 1);
        jute_put_bytes(&body, slice_text(path));
        buffer_i32(&body, 0);
        buffer_i32(&body, 0);
        break;
    default:
        ASSERT(op == OP_CLOSE_SESSION);
    }
    int32_t xid = send_request(story, client, op, path, &body);
    buffer_deinit(&body);
    return xid;
}

int32_t story_ask_create(struct story *story, int client, const char *path, int32_t mode)
{
    struct buffer body = {0};

    put_create(&body, path, mode);
    int32_t op = mode == MODE_CONTAINER ? OP_CREATE_CONTAINER : OP_CREATE;
    int32_t xid = send_request(story, client, op, path, &body);
    buffer_deinit(&body);
    return xid;
}

int32_t story_ask_failing_multi(struct story *story, int client, const char *path)
{
    struct buffer body = {0};

    multi_header_write(&body, &(struct multi_header){.type = OP_CREATE, .err = -1});
    put_create(&body, path, MODE_PERSISTENT);
    multi_header_write(&body, &(struct multi_header){.type = OP_CHECK, .err = -1});
    jute_put_bytes(&body, SLICE("/not-there"));
    buffer_i32(&body, 0);
    multi_header_write(&body, &(struct multi_header){.type = -1, .done = true, .err = -1});
    int32_t xid = send_request(story, client, OP_MULTI, path, &body);
    buffer_deinit(&body);
    return xid;
}

struct story_answer story_answer(struct story *story, int client, int32_t xid)
{
    const struct story_client *at = client_of(story, client);

    for (size_t i = at->answered_count; i-- > 0;) {
        if (at->asked[i].xid == xid)
            return at->asked[i].answer;
    }
    return (struct story_answer){0};
}

struct story_answer story_await(struct story *story, int client, int32_t xid)
{
    int64_t end_us = story->world->events.now_us + STORY_PATIENCE_US;
    struct story_answer answer = story_answer(story, client, xid);

    while (!answer.came) {
        if (!client_of(story, client)->open || !story_step(story, end_us)) {
            story_fail(story, "a request has no answer");
            break;
        }
        answer = story_answer(story, client, xid);
    }
    return answer;
}

void story_await_all(struct story *story, int client, int32_t last_xid)
{
    struct story_client *at = client_of(story, client);

    (void)story_await(story, client, last_xid);
    if (story_failed(story))
        return;
    ASSERT(at->answered_count == at->asked_count);
    at->answered_count = at->asked_count = 0;
}

static struct story_answer await_success(struct story *story, int client, int32_t xid)
{
    struct story_answer answer = story_await(story, client, xid);

    if (answer.came && answer.err != ZK_OK)
        story_fail(story, "a request was answered with an error");
    return answer;
}

int64_t story_create(struct story *story, int client, const char *path, int32_t mode)
{
    return await_success(story, client, story_ask_create(story, client, path, mode)).zxid;
}

int64_t story_write(struct story *story, int client, const char *path, const char *data)
{
    return await_success(story, client, story_ask(story, client, OP_SET_DATA, path, data)).zxid;
}

void story_read(struct story *story, int client, const char *path, const char *want)
{
    struct story_answer answer =
        await_success(story, client, story_ask(story, client, OP_GET_DATA, path, NULL));

    if (answer.came && strcmp(answer.text, want) != 0)
        story_fail(story, "a client reads other data than the story wants");
}

void story_sync(struct story *story, int client)
{
    (void)await_success(story, client, story_ask(story, client, OP_SYNC, "/", NULL));
}
