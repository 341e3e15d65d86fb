/* service.c: one session, and the calls that wait for their answers. All waiting is
 * in one place, wait_once(), which also does what the machine asks for; a call is: submit, wait until it
 * has come back. Nothing is sent twice: after a break the caller decides. */
#include "shell/service_internal.h"

#include "client/paths.h"

#include <poll.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CLOSE_WAIT_MS = 1000 };

static uint64_t random_u64(void)
{
    uint64_t value = 0;

    if (getrandom(&value, sizeof(value), 0) != (ssize_t)sizeof(value))
        value = (uint64_t)service_now_ms();
    return value;
}

/* --- making and ending --- */

struct service *service_new(const struct service_options *options,
                            char ret_problem[SERVICE_PROBLEM_BYTES])
{
    struct service *connection = mem_zalloc(sizeof(*connection));
    struct servers *servers = &connection->servers;

    connection->options = *options;
    connection->fd = connection->interrupt_fd = -1;
    connection->problem = "not tried yet";
    if (!servers_parse(options->servers, servers, ret_problem, SERVICE_PROBLEM_BYTES)) {
        servers_deinit(servers);
        mem_free(connection);
        return NULL;
    }
    const struct client_options wanted = {
        .timeout_ms = options->timeout_ms,
        .connect_timeout_ms = options->timeout_ms / (int32_t)servers->count,
        .may_be_read_only = options->read_only,
        .first_xid = 1,
        .seed = random_u64(),
        .chroot = slice_text(servers->chroot),
    };
    if (!client_init(&connection->client, &wanted))
        mem_exhausted();
    connection->received = mem_alloc(SERVICE_RECEIVE_BYTES);
    list_init(&connection->items);
    return connection;
}

static void call_free(struct service_request *call)
{
    if (call == NULL)
        return;
    client_request_deinit(&call->request);
    mem_free(call);
}

static struct service_request *call_of(struct client_item *item)
{
    return CONTAINER_OF(CONTAINER_OF(item, struct client_request, item), struct service_request,
                        request);
}

void service_free(struct service *connection)
{
    if (connection == NULL)
        return;
    client_lost(&connection->client, CLIENT_CONNECTION_LOST,
                service_now_ms()); /* all calls come back */
    client_take_done(&connection->client, &connection->items);
    while (!list_empty(&connection->items)) {
        struct client_item *item = CONTAINER_OF(connection->items.next, struct client_item, link);
        list_remove(&item->link);
        if (item->kind == CLIENT_ITEM_REQUEST)
            call_free(call_of(item));
        else if (item->kind == CLIENT_ITEM_EVENT)
            mem_free(CONTAINER_OF(item, struct client_event, item));
    }
    if (connection->fd >= 0)
        close(connection->fd);
    call_free(connection->last);
    client_deinit(&connection->client);
    buffer_deinit(&connection->sending);
    buffer_deinit(&connection->scratch);
    mem_free(connection->received);
    servers_deinit(&connection->servers);
    mem_free(connection);
}

enum service_state service_state(const struct service *connection)
{
    switch (connection->client.state) {
    case CLIENT_STATE_CONNECTED:
        return SERVICE_CONNECTED;
    case CLIENT_STATE_READ_ONLY:
        return SERVICE_READ_ONLY;
    case CLIENT_STATE_AUTH_FAILED:
        return SERVICE_AUTH_FAILED;
    default:
        return connection->client.closed ? SERVICE_CLOSED : SERVICE_CONNECTING;
    }
}

int64_t service_session_ends_ms(const struct service *connection)
{
    return client_session_ends_ms(&connection->client);
}

int32_t service_session_timeout_ms(const struct service *connection)
{
    return connection->client.timeout_ms;
}

const char *service_problem(const struct service *connection)
{
    return connection->problem;
}

int64_t service_last_zxid(const struct service *connection)
{
    return connection->client.last_zxid;
}

void service_interrupt_by(struct service *connection, int fd)
{
    connection->interrupt_fd = fd;
}

void service_renew(struct service *connection)
{
    client_renew(&connection->client, service_now_ms());
    connection->failed_attempts = 0;
}

/* --- what the machine says --- */

static void tell_state(struct service *connection, int32_t state)
{
    connection->options.on_event(connection->options.context, state, 0, SLICE_NULL);
}

static int32_t event_state(int32_t client_state)
{
    switch (client_state) {
    case CLIENT_STATE_CONNECTED:
        return EVENT_STATE_CONNECTED;
    case CLIENT_STATE_READ_ONLY:
        return EVENT_STATE_READ_ONLY;
    case CLIENT_STATE_EXPIRED:
        return EVENT_STATE_EXPIRED;
    case CLIENT_STATE_AUTH_FAILED:
        return EVENT_STATE_AUTH_FAILED;
    default:
        return EVENT_STATE_DISCONNECTED;
    }
}

static void tell_event(struct service *connection, struct client_event *event)
{
    if (event->type == CLIENT_EVENT_SESSION)
        tell_state(connection, event_state(event->state));
    else
        connection->options.on_event(connection->options.context, event->state, event->type,
                                     slice_text(event->path));
    mem_free(event);
}

static struct slice answer_of(const struct service_request *call)
{
    return slice_of(call->request.reply, call->request.reply_size);
}

static void take_back(struct service *connection, struct service_request *call)
{
    const struct client_request *request = &call->request;

    call->done = true;
    if (call->waited_for)
        return;
    if (call->answered != NULL) {
        connection->on_their_way--;
        call->answered(call->context,
                       request->answered ? request->err : (int32_t)CALL_CONNECTION_LOSS,
                       answer_of(call));
    }
    call_free(call);
}

/* True: there was something. */
static bool tell_all(struct service *connection)
{
    client_take_done(&connection->client, &connection->items);
    if (list_empty(&connection->items))
        return false;
    while (!list_empty(&connection->items)) {
        struct client_item *item = CONTAINER_OF(connection->items.next, struct client_item, link);
        list_remove(&item->link);
        if (item->kind == CLIENT_ITEM_REQUEST)
            take_back(connection, call_of(item));
        else if (item->kind == CLIENT_ITEM_EVENT)
            tell_event(connection, CONTAINER_OF(item, struct client_event, item));
    }
    return true;
}

/* --- waiting --- */

static int poll_ms(int64_t due_ms, int64_t until_ms)
{
    int64_t limit_ms = until_ms >= 0 && until_ms < due_ms ? until_ms : due_ms;
    int64_t now = service_now_ms();

    if (limit_ms == INT64_MAX)
        return -1;
    int64_t left_ms = limit_ms - now;
    return left_ms <= 0 ? 0 : left_ms > INT32_MAX ? INT32_MAX : (int)left_ms;
}

/* One poll. True: `fd` can be read. */
static bool wait_once(struct service *connection, int fd, int64_t until_ms)
{
    struct client *client = &connection->client;
    unsigned rounds = connection->failed_rounds;
    int64_t due_ms = service_do_due(connection);

    service_send_out(connection);
    if (client->link == CLIENT_LINK_TO_CLOSE)
        due_ms = service_do_due(connection);
    if (tell_all(connection) || connection->failed_rounds != rounds)
        due_ms = 0; /* something has happened: the caller looks at it first */
    struct pollfd polled[2] = {{fd, POLLIN, 0}, {connection->fd, POLLIN, 0}};
    if (connection->connecting)
        polled[1].events = POLLOUT;
    else if (connection->sent < connection->sending.size)
        polled[1].events |= POLLOUT;
    if (poll(polled, 2, poll_ms(due_ms, until_ms)) < 0)
        return false;
    if (polled[1].revents != 0) {
        service_serve_socket(connection, polled[1].revents);
        (void)tell_all(connection);
    }
    return fd >= 0 && polled[0].revents != 0;
}

bool service_wait(struct service *connection, int fd, int time_ms)
{
    enum service_state state = service_state(connection);
    int64_t until_ms = time_ms < 0 ? -1 : service_now_ms() + time_ms;

    do {
        if (wait_once(connection, fd, until_ms))
            return true;
    } while (service_state(connection) == state && (until_ms < 0 || service_now_ms() < until_ms));
    return false;
}

static bool is_up(const struct service *connection)
{
    return client_has_session(&connection->client);
}

bool service_wait_connected(struct service *connection, int time_ms)
{
    unsigned rounds = connection->failed_rounds;
    int64_t until_ms = time_ms < 0 ? -1 : service_now_ms() + time_ms;

    while (!is_up(connection) && !connection->client.closed &&
           connection->failed_rounds == rounds && (until_ms < 0 || service_now_ms() < until_ms)) {
        if (wait_once(connection, connection->interrupt_fd, until_ms))
            break;
    }
    return is_up(connection);
}

bool service_peer(const struct service *connection, struct sockaddr_storage *ret_address,
                  unsigned *ret_size)
{
    socklen_t size = sizeof(*ret_address);

    if (!is_up(connection) ||
        getpeername(connection->fd, (struct sockaddr *)ret_address, &size) != 0)
        return false;
    *ret_size = size;
    return true;
}

/* --- calls --- */

/* ZK_OK: a request can be sent. */
static int32_t be_connected(struct service *connection)
{
    if (service_wait_connected(connection, -1))
        return ZK_OK;
    switch (service_state(connection)) {
    case SERVICE_AUTH_FAILED:
        return ZK_AUTH_FAILED;
    case SERVICE_CLOSED:
        return ZK_SESSION_EXPIRED;
    default:
        return CALL_CONNECTION_LOSS;
    }
}

/* The shell ends when its memory does, with a sentence, as everywhere else in it. */
static int32_t or_end(enum client_error err)
{
    if (err == CLIENT_NO_MEMORY)
        mem_exhausted();
    return (int32_t)err;
}

static struct service_request *call_new(void)
{
    struct service_request *call = mem_alloc(sizeof(*call)); /* most of it is room for a reply */

    client_request_init(&call->request);
    call->answered = NULL;
    call->waited_for = call->done = false;
    return call;
}

void service_send(struct service *connection, int32_t op, struct slice request,
                  service_answered *answered, void *context)
{
    int32_t err = be_connected(connection);
    struct service_request *call = call_new();

    if (err == ZK_OK)
        err = or_end(client_raw(&connection->client, &call->request, op, request));
    if (err != ZK_OK) {
        call_free(call);
        answered(context, err, SLICE_NULL);
        return;
    }
    call->answered = answered;
    call->context = context;
    connection->on_their_way++;
}

void service_settle(struct service *connection, size_t left)
{
    while (connection->on_their_way > left)
        (void)wait_once(connection, -1, -1);
}

/* Until it has come back. CALL_INTERRUPTED: it is still on its way, and nobody waits for it any more. */
static int32_t wait_for(struct service *connection, struct service_request *call)
{
    bool interrupted = false;

    call->waited_for = true;
    while (!call->done && !interrupted)
        interrupted = wait_once(connection, connection->interrupt_fd, -1);
    if (!call->done) {
        call->waited_for = false;
        return CALL_INTERRUPTED;
    }
    connection->last = call;
    if (call->request.answered)
        return call->request.err;
    return service_state(connection) == SERVICE_AUTH_FAILED ? (int32_t)ZK_AUTH_FAILED
                                                            : (int32_t)CALL_CONNECTION_LOSS;
}

int32_t service_call(struct service *connection, int32_t op, struct slice request,
                     enum client_watch_rule rule, struct slice path, struct slice *ret_answer)
{
    const struct client_watcher shell = {NULL, NULL}; /* every event is told anyway */
    struct client *client = &connection->client;

    *ret_answer = SLICE_NULL;
    service_settle(connection, 0);
    call_free(connection->last);
    connection->last = NULL;
    int32_t err = be_connected(connection);
    if (err != ZK_OK)
        return err;
    struct service_request *call = call_new();
    if (rule != CLIENT_SETS_NO_WATCH)
        err = or_end(client_want_watch(client, &call->request, path, rule, &shell));
    if (err == ZK_OK)
        err = or_end(client_raw(client, &call->request, op, request));
    if (err != ZK_OK) {
        call_free(call);
        return err;
    }
    err = wait_for(connection, call);
    if (connection->last == call)
        *ret_answer = answer_of(call);
    return err;
}

void service_add_auth(struct service *connection, struct slice scheme, struct slice credentials)
{
    if (or_end(client_add_auth(&connection->client, scheme, credentials, NULL, NULL)) == CLIENT_OK)
        service_send_out(connection);
}

void service_close(struct service *connection)
{
    int64_t until_ms = service_now_ms() + CLOSE_WAIT_MS;
    struct client *client = &connection->client;

    if (client->closed)
        return;
    struct service_request *call = call_new();
    client_close_session(client, &call->request, service_now_ms());
    while (!client->closed && service_now_ms() < until_ms)
        (void)wait_once(connection, -1, until_ms);
    client_lost(client, CLIENT_CONNECTION_LOST,
                service_now_ms()); /* when the server does not answer */
    (void)service_do_due(connection);
    (void)tell_all(connection);
    tell_state(connection, EVENT_STATE_CLOSED);
}

/* --- paths and watches --- */

struct slice service_server_path(struct service *connection, struct slice path)
{
    struct slice chroot = buffer_slice(&connection->client.chroot);
    struct buffer *scratch = &connection->scratch;

    if (chroot.size > 0 && slice_equal(path, SLICE("/")))
        path.size = 0;
    scratch->size = 0;
    buffer_append(scratch, chroot);
    buffer_append(scratch, path);
    return buffer_slice(scratch);
}

struct slice service_own_path(const struct service *connection, struct slice path)
{
    return client_path_without_chroot(buffer_slice(&connection->client.chroot), path);
}

bool service_has_watch(struct service *connection, unsigned kinds, struct slice path)
{
    return client_watches_has(&connection->client.watches, service_server_path(connection, path),
                              kinds, NULL);
}

void service_drop_watch(struct service *connection, unsigned kinds, struct slice path)
{
    client_watches_remove(&connection->client.watches, service_server_path(connection, path), kinds,
                          NULL);
}
