/* service.c: one TCP connection at a time, to one server after the other in a random order. All waiting
 * is in one place, service_wait(), which also sends pings and notices silence; a call is: send, wait
 * until its answer came or the connection broke. Nothing is sent twice: after a break the caller
 * decides. */
#include "shell/service.h"

#include "base/array.h"
#include "shell/servers.h"
#include "shell/watch_list.h"
#include "wire/records.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    RETRY_MS = 1000, /* after a round in which no server could be reached */
    CLOSE_WAIT_MS = 1000,
    FRAME_BYTES_MAX = 1 << 28, /* a server with a large jute.maxbuffer may send much */
    SET_WATCHES_BYTES_MAX = 128 << 10
};

struct auth {
    struct buffer scheme, auth;
    struct auth *next;
};

/* A request of service_send(). */
struct sent {
    int32_t xid;
    service_answered *answered;
    void *context;
};

struct service {
    struct service_options options;
    struct servers servers;
    size_t next_server; /* of the round */
    struct addrinfo *addresses, *next_address;
    unsigned failed_rounds;
    enum { PHASE_IDLE, PHASE_DIAL, PHASE_HANDSHAKE, PHASE_UP, PHASE_OVER } phase;
    enum service_state state;
    bool was_up; /* since the last event about the connection */
    int fd;
    int64_t retry_at_ms, deadline_ms, sent_at_ms, heard_at_ms;
    int64_t session_id, last_zxid;
    uint8_t password[PASSWORD_BYTES];
    /* `alive_ms`: when the last request that was answered was sent, or an earlier time. */
    int64_t alive_ms, unanswered_since_ms;
    unsigned unanswered;
    const char *problem; /* why the last connection ended, or was not made */
    int interrupt_fd;
    int32_t negotiated_ms;
    int32_t xid;
    int32_t waiting_xid; /* of the call under way; 0: none */
    bool answered;
    int32_t answer_err;
    struct buffer in, out, answer;
    struct sent *sent; /* in order; those before sent_first have their answers */
    size_t sent_first, sent_end, sent_capacity;
    struct auth *auths;
    struct watch_list watches[WATCH_KINDS];
};

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_BOOTTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static uint32_t random_u32(void)
{
    uint32_t value = 0;

    if (getrandom(&value, sizeof(value), 0) != (ssize_t)sizeof(value))
        value = (uint32_t)now_ms();
    return value;
}

/* --- making and ending --- */

static void shuffle(struct servers *servers)
{
    for (size_t i = servers->count; i > 1; i--) {
        size_t j = random_u32() % i;
        struct server_name kept = servers->names[i - 1];
        servers->names[i - 1] = servers->names[j];
        servers->names[j] = kept;
    }
}

struct service *service_new(const struct service_options *options,
                            char ret_problem[SERVICE_PROBLEM_BYTES])
{
    struct service *connection = mem_zalloc(sizeof(*connection));

    connection->options = *options;
    connection->fd = connection->interrupt_fd = -1;
    connection->negotiated_ms = options->timeout_ms;
    connection->problem = "not tried yet";
    if (!servers_parse(options->servers, &connection->servers, ret_problem,
                       SERVICE_PROBLEM_BYTES)) {
        servers_deinit(&connection->servers);
        mem_free(connection);
        return NULL;
    }
    shuffle(&connection->servers);
    buffer_init(&connection->in);
    buffer_init(&connection->out);
    buffer_init(&connection->answer);
    return connection;
}

static void close_socket(struct service *connection)
{
    if (connection->fd >= 0)
        close(connection->fd);
    connection->fd = -1;
    connection->in.size = connection->out.size = 0;
    connection->unanswered = 0;
}

static void free_addresses(struct service *connection)
{
    if (connection->addresses != NULL)
        freeaddrinfo(connection->addresses);
    connection->addresses = connection->next_address = NULL;
}

void service_free(struct service *connection)
{
    if (connection == NULL)
        return;
    close_socket(connection);
    free_addresses(connection);
    for (struct auth *auth = connection->auths; auth != NULL;) {
        struct auth *next = auth->next;
        buffer_deinit(&auth->scheme);
        buffer_deinit(&auth->auth);
        mem_free(auth);
        auth = next;
    }
    for (int kind = 0; kind < WATCH_KINDS; kind++)
        watch_list_deinit(&connection->watches[kind]);
    buffer_deinit(&connection->in);
    buffer_deinit(&connection->out);
    buffer_deinit(&connection->answer);
    mem_free(connection->sent);
    servers_deinit(&connection->servers);
    mem_free(connection);
}

enum service_state service_state(const struct service *connection)
{
    return connection->state;
}

/* The next answer of those that were sent. */
static void give_answer(struct service *connection, int32_t err, struct slice answer)
{
    struct sent sent = connection->sent[connection->sent_first++];

    if (connection->sent_first == connection->sent_end)
        connection->sent_first = connection->sent_end = 0;
    sent.answered(sent.context, err, answer);
}

static void give_up_sent(struct service *connection)
{
    while (connection->sent_first < connection->sent_end)
        give_answer(connection, CALL_CONNECTION_LOSS, SLICE_NULL);
}

int64_t service_now_ms(void)
{
    return now_ms();
}

int64_t service_session_ends_ms(const struct service *connection)
{
    return connection->session_id == 0 ? INT64_MAX
                                       : connection->alive_ms + connection->negotiated_ms;
}

int32_t service_session_timeout_ms(const struct service *connection)
{
    return connection->negotiated_ms;
}

const char *service_problem(const struct service *connection)
{
    return connection->problem;
}

int64_t service_last_zxid(const struct service *connection)
{
    return connection->last_zxid;
}

void service_interrupt_by(struct service *connection, int fd)
{
    connection->interrupt_fd = fd;
}

void service_renew(struct service *connection)
{
    ASSERT(connection->phase == PHASE_OVER);
    connection->phase = PHASE_IDLE;
    connection->state = SERVICE_CONNECTING;
    connection->was_up = false;
    connection->session_id = 0;
    memset(connection->password, 0, PASSWORD_BYTES);
    connection->negotiated_ms = connection->options.timeout_ms;
    connection->next_server = 0;
    connection->retry_at_ms = now_ms();
}

static void tell_state(struct service *connection, int32_t state)
{
    connection->options.on_event(connection->options.context, state, 0, SLICE_NULL);
}

static void end(struct service *connection, enum service_state state, int32_t event_state)
{
    close_socket(connection);
    free_addresses(connection);
    connection->phase = PHASE_OVER;
    connection->state = state;
    give_up_sent(connection);
    tell_state(connection, event_state);
}

/* The connection is lost, or could not be made: the next server, or a pause after the last one. */
static void lose(struct service *connection)
{
    bool up = connection->was_up;

    close_socket(connection);
    connection->phase = PHASE_IDLE;
    connection->state = SERVICE_CONNECTING;
    connection->was_up = false;
    give_up_sent(connection);
    if (up) {
        free_addresses(connection);
        connection->next_server = 0;
        connection->retry_at_ms = now_ms();
        tell_state(connection, EVENT_STATE_DISCONNECTED);
    }
}

/* --- sending --- */

static size_t begin_frame(struct service *connection)
{
    size_t at = connection->out.size;

    buffer_i32(&connection->out, 0);
    return at;
}

static void end_frame(struct service *connection, size_t at)
{
    store_be32(connection->out.data + at, (uint32_t)(connection->out.size - at - 4));
    connection->sent_at_ms = now_ms();
    if (connection->unanswered++ == 0)
        connection->unanswered_since_ms = connection->sent_at_ms;
}

static void note_answer(struct service *connection)
{
    if (connection->unanswered == 0)
        return;
    connection->alive_ms = connection->unanswered_since_ms;
    connection->unanswered--;
}

static void put_request(struct service *connection, int32_t xid, int32_t op, struct slice body)
{
    const struct request_header header = {.xid = xid, .type = op};
    size_t at = begin_frame(connection);

    request_header_write(&connection->out, &header);
    buffer_append(&connection->out, body);
    end_frame(connection, at);
}

static void put_auth(struct service *connection, const struct auth *auth)
{
    const struct auth_packet packet = {.scheme = buffer_slice(&auth->scheme),
                                       .auth = buffer_slice(&auth->auth)};
    struct buffer body;

    buffer_init(&body);
    auth_packet_write(&body, &packet);
    put_request(connection, XID_AUTH, OP_AUTH, buffer_slice(&body));
    buffer_deinit(&body);
}

static bool send_out(struct service *connection)
{
    size_t done = 0;

    while (done < connection->out.size) {
        ssize_t size = send(connection->fd, connection->out.data + done,
                            connection->out.size - done, MSG_NOSIGNAL);
        if (size < 0 && (errno == EAGAIN || errno == EINTR))
            break;
        if (size < 0)
            return false;
        done += (size_t)size;
    }
    if (done > 0)
        memmove(connection->out.data, connection->out.data + done, connection->out.size - done);
    connection->out.size -= done;
    return true;
}

/* --- connecting --- */

static bool resolve_next(struct service *connection)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG};
    const struct server_name *name = &connection->servers.names[connection->next_server++];
    char port[16];

    free_addresses(connection);
    snprintf(port, sizeof(port), "%d", name->port);
    if (getaddrinfo(name->host, port, &hints, &connection->addresses) != 0)
        connection->addresses = NULL;
    if (connection->addresses == NULL)
        connection->problem = "the name does not resolve";
    connection->next_address = connection->addresses;
    return connection->addresses != NULL;
}

/* The next address of this server, or of the next one; after the last one a pause. */
static void dial(struct service *connection)
{
    while (connection->next_address == NULL) {
        if (connection->next_server == connection->servers.count) {
            connection->next_server = 0;
            connection->failed_rounds++;
            connection->retry_at_ms = now_ms() + RETRY_MS;
            return;
        }
        (void)resolve_next(connection);
    }
    const struct addrinfo *address = connection->next_address;
    const int on = 1;
    connection->next_address = address->ai_next;
    connection->fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (connection->fd < 0)
        return;
    (void)setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    connection->phase = PHASE_DIAL;
    connection->deadline_ms =
        now_ms() + connection->options.timeout_ms / (int64_t)connection->servers.count;
    if (connect(connection->fd, address->ai_addr, address->ai_addrlen) != 0 &&
        errno != EINPROGRESS) {
        connection->problem = strerror(errno);
        lose(connection);
    }
}

static void shake_hands(struct service *connection)
{
    int error = 0;
    socklen_t size = sizeof(error);
    const struct connect_request request = {.last_zxid_seen = connection->last_zxid,
                                            .timeout_ms = connection->options.timeout_ms,
                                            .session_id = connection->session_id,
                                            .password =
                                                slice_of(connection->password, PASSWORD_BYTES)};

    if (getsockopt(connection->fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0 || error != 0) {
        connection->problem = strerror(error != 0 ? error : errno);
        lose(connection);
        return;
    }
    size_t at = begin_frame(connection);
    connect_request_write(&connection->out, &request);
    jute_put_bool(&connection->out, connection->options.read_only);
    end_frame(connection, at);
    connection->phase = PHASE_HANDSHAKE;
}

/* --- watches, said again to a new server --- */

static void flush_watches(struct service *connection, struct set_watches2 *set,
                          struct buffer lists[WATCH_KINDS], const int32_t counts[WATCH_KINDS])
{
    struct jute_vector *fields[WATCH_KINDS] = {&set->data, &set->exist, &set->child,
                                               &set->persistent, &set->persistent_recursive};
    struct buffer body;
    bool classic = counts[WATCH_PERSISTENT] == 0 && counts[WATCH_RECURSIVE] == 0;

    for (int kind = 0; kind < WATCH_KINDS; kind++) {
        buffer_reserve(&lists[kind], 1); /* an empty list is not null */
        *fields[kind] =
            (struct jute_vector){slice_of(lists[kind].data, lists[kind].size), counts[kind]};
    }
    buffer_init(&body);
    if (classic) {
        const struct set_watches old = {set->relative_zxid, set->data, set->exist, set->child};
        set_watches_write(&body, &old);
    } else {
        set_watches2_write(&body, set);
    }
    put_request(connection, XID_SET_WATCHES, classic ? OP_SET_WATCHES : OP_SET_WATCHES2,
                buffer_slice(&body));
    buffer_deinit(&body);
}

static void put_watches(struct service *connection)
{
    struct set_watches2 set = {.relative_zxid = connection->last_zxid};
    struct buffer lists[WATCH_KINDS], path;
    int32_t counts[WATCH_KINDS] = {0};
    size_t bytes = 0;

    buffer_init(&path);
    for (int kind = 0; kind < WATCH_KINDS; kind++)
        buffer_init(&lists[kind]);
    for (int kind = 0; kind < WATCH_KINDS; kind++) {
        for (size_t i = 0; i < connection->watches[kind].count; i++) {
            path.size = 0;
            service_put_path(connection, &path, slice_text(connection->watches[kind].paths[i]));
            buffer_append(&lists[kind], buffer_slice(&path));
            counts[kind]++;
            bytes += path.size;
            if (bytes < SET_WATCHES_BYTES_MAX)
                continue;
            flush_watches(connection, &set, lists, counts);
            for (int each = 0; each < WATCH_KINDS; each++)
                lists[each].size = (size_t)(counts[each] = 0);
            bytes = 0;
        }
    }
    if (bytes > 0)
        flush_watches(connection, &set, lists, counts);
    for (int kind = 0; kind < WATCH_KINDS; kind++)
        buffer_deinit(&lists[kind]);
    buffer_deinit(&path);
}

/* --- receiving --- */

static void accept_session(struct service *connection, struct slice frame)
{
    struct reader reader;
    struct connect_response response;

    reader_init(&reader, frame, NULL, FRAME_BYTES_MAX);
    if (connect_response_read(&reader, &response) != STATUS_OK) {
        lose(connection);
        return;
    }
    bool read_only = reader_left(&reader) > 0 && reader_bool(&reader);
    if (response.timeout_ms <= 0) {
        end(connection, SERVICE_CLOSED, EVENT_STATE_EXPIRED);
        return;
    }
    note_answer(connection);
    connection->phase = PHASE_UP;
    connection->state = read_only ? SERVICE_READ_ONLY : SERVICE_CONNECTED;
    connection->was_up = true;
    connection->negotiated_ms = response.timeout_ms;
    if (!read_only) /* no other server knows a session of a read-only one */
        connection->session_id = response.session_id;
    if (response.password.size == PASSWORD_BYTES)
        memcpy(connection->password, response.password.data, PASSWORD_BYTES);
    connection->next_server = 0;
    free_addresses(connection);
    for (const struct auth *auth = connection->auths; auth != NULL; auth = auth->next)
        put_auth(connection, auth);
    put_watches(connection);
    tell_state(connection, read_only ? EVENT_STATE_READ_ONLY : EVENT_STATE_CONNECTED);
}

/* A watch that fires once is gone with its event. */
static void take_event(struct service *connection, struct reader *reader)
{
    struct watcher_event event;

    if (watcher_event_read(reader, &event) != STATUS_OK)
        return;
    struct slice path = service_own_path(connection, event.path);
    if (event.type == EVENT_CREATED || event.type == EVENT_DATA_CHANGED ||
        event.type == EVENT_DELETED) {
        watch_list_drop(&connection->watches[WATCH_DATA], path);
        watch_list_drop(&connection->watches[WATCH_EXIST], path);
    }
    if (event.type == EVENT_CHILDREN_CHANGED || event.type == EVENT_DELETED)
        watch_list_drop(&connection->watches[WATCH_CHILD], path);
    connection->options.on_event(connection->options.context, event.state, event.type, path);
}

static void take_frame(struct service *connection, struct slice frame)
{
    struct reader reader;
    struct reply_header header;

    reader_init(&reader, frame, NULL, FRAME_BYTES_MAX);
    reader.texts_as_they_are = true;
    if (reply_header_read(&reader, &header) != STATUS_OK)
        return;
    if (header.zxid > 0)
        connection->last_zxid = header.zxid;
    if (header.xid != XID_NOTIFICATION)
        note_answer(connection);
    if (header.xid == XID_NOTIFICATION) {
        take_event(connection, &reader);
    } else if (header.xid == XID_AUTH) {
        if (header.err == ZK_AUTH_FAILED)
            end(connection, SERVICE_AUTH_FAILED, EVENT_STATE_AUTH_FAILED);
    } else if (header.xid > 0 && header.xid == connection->waiting_xid) {
        connection->answer.size = 0;
        buffer_append(&connection->answer, slice_of(reader.pos, reader_left(&reader)));
        connection->answer_err = header.err;
        connection->answered = true;
    } else if (connection->sent_first < connection->sent_end &&
               header.xid == connection->sent[connection->sent_first].xid) {
        give_answer(connection, header.err, slice_of(reader.pos, reader_left(&reader)));
    }
}

static bool receive(struct service *connection)
{
    size_t want = 1 << 16;

    uint8_t *at = buffer_extend(&connection->in, want);
    ssize_t size = recv(connection->fd, at, want, 0);
    connection->in.size -= want - (size > 0 ? (size_t)size : 0);
    if (size < 0)
        return errno == EAGAIN || errno == EINTR;
    if (size > 0)
        connection->heard_at_ms = now_ms();
    return size > 0;
}

/* The whole frames that have arrived, one after the other, until the connection is another. */
static void take_frames(struct service *connection)
{
    size_t done = 0;
    int fd = connection->fd;

    while (connection->fd == fd && connection->in.size - done >= 4) {
        uint32_t size = load_be32(connection->in.data + done);
        if (size > FRAME_BYTES_MAX) {
            lose(connection);
            return;
        }
        if (connection->in.size - done - 4 < size)
            break;
        struct slice frame = slice_of(connection->in.data + done + 4, size);
        done += 4 + size;
        if (connection->phase == PHASE_HANDSHAKE)
            accept_session(connection, frame);
        else
            take_frame(connection, frame);
    }
    if (connection->fd == fd && done > 0) {
        memmove(connection->in.data, connection->in.data + done, connection->in.size - done);
        connection->in.size -= done;
    }
}

/* --- waiting --- */

/* Does what is due at this time; when the next thing is due. -1: nothing is. */
static int64_t do_due(struct service *connection)
{
    int64_t now = now_ms();

    switch (connection->phase) {
    case PHASE_IDLE:
        if (now < connection->retry_at_ms)
            return connection->retry_at_ms;
        dial(connection);
        return connection->phase == PHASE_IDLE ? now : connection->deadline_ms;
    case PHASE_DIAL:
    case PHASE_HANDSHAKE:
        if (now < connection->deadline_ms)
            return connection->deadline_ms;
        connection->problem = "no answer in time";
        lose(connection);
        return now;
    case PHASE_UP: {
        int64_t silence_ms = connection->negotiated_ms * (int64_t)2 / 3;
        int64_t ping_ms = silence_ms / 2;
        if (now - connection->heard_at_ms >= silence_ms) {
            connection->problem = "the server is silent";
            lose(connection);
            return now;
        }
        if (now - connection->sent_at_ms >= ping_ms)
            put_request(connection, XID_PING, OP_PING, SLICE_NULL);
        return connection->sent_at_ms + ping_ms;
    }
    default:
        return -1;
    }
}

static void serve_socket(struct service *connection, short events)
{
    int fd = connection->fd;

    if (connection->phase == PHASE_DIAL) {
        connection->heard_at_ms = now_ms();
        shake_hands(connection);
    }
    if (connection->fd != fd || connection->phase < PHASE_HANDSHAKE)
        return;
    bool good = send_out(connection);
    if (good && (events & (POLLIN | POLLERR | POLLHUP)) != 0)
        good = receive(connection);
    take_frames(connection); /* also what came before a break */
    if (!good && connection->fd == fd) {
        connection->problem = "the server has closed the connection";
        lose(connection);
    }
}

/* One poll. True: `fd` can be read. */
static bool wait_once(struct service *connection, int fd, int64_t until_ms)
{
    int64_t due_ms = do_due(connection);

    if (connection->phase == PHASE_UP && connection->out.size > 0 && !send_out(connection))
        lose(connection);
    struct pollfd polled[2] = {{fd, POLLIN, 0}, {connection->fd, POLLIN, 0}};
    if (connection->phase == PHASE_DIAL || connection->out.size > 0)
        polled[1].events |= POLLOUT;
    int64_t limit_ms = due_ms < 0 || (until_ms >= 0 && until_ms < due_ms) ? until_ms : due_ms;
    int64_t now = now_ms();
    int wait_ms = limit_ms < 0 ? -1 : limit_ms <= now ? 0 : (int)(limit_ms - now);
    if (poll(polled, 2, wait_ms) < 0)
        return false;
    if (polled[1].revents != 0)
        serve_socket(connection, polled[1].revents);
    return fd >= 0 && polled[0].revents != 0;
}

bool service_wait(struct service *connection, int fd, int time_ms)
{
    enum service_state state = connection->state;
    int64_t until_ms = time_ms < 0 ? -1 : now_ms() + time_ms;

    do {
        if (wait_once(connection, fd, until_ms))
            return true;
    } while (connection->state == state && (until_ms < 0 || now_ms() < until_ms));
    return false;
}

static bool is_up(const struct service *connection)
{
    return connection->phase == PHASE_UP;
}

bool service_wait_connected(struct service *connection, int time_ms)
{
    unsigned rounds = connection->failed_rounds;
    int64_t until_ms = time_ms < 0 ? -1 : now_ms() + time_ms;

    while (!is_up(connection) && connection->phase != PHASE_OVER &&
           connection->failed_rounds == rounds && (until_ms < 0 || now_ms() < until_ms)) {
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
    return connection->phase != PHASE_OVER            ? (int32_t)CALL_CONNECTION_LOSS
           : connection->state == SERVICE_AUTH_FAILED ? (int32_t)ZK_AUTH_FAILED
                                                      : (int32_t)ZK_SESSION_EXPIRED;
}

static void next_xid(struct service *connection)
{
    connection->xid = connection->xid == INT32_MAX ? 1 : connection->xid + 1;
}

void service_send(struct service *connection, int32_t op, struct slice request,
                  service_answered *answered, void *context)
{
    int32_t err = be_connected(connection);

    if (err != ZK_OK) {
        answered(context, err, SLICE_NULL);
        return;
    }
    next_xid(connection);
    if (connection->sent_first > 0 && connection->sent_end == connection->sent_capacity) {
        connection->sent_end -= connection->sent_first;
        memmove(connection->sent, connection->sent + connection->sent_first,
                connection->sent_end * sizeof(*connection->sent));
        connection->sent_first = 0;
    }
    connection->sent = ARRAY_RESERVE(connection->sent, connection->sent_capacity,
                                     connection->sent_end + 1, ARRAY_FIRST);
    connection->sent[connection->sent_end++] = (struct sent){connection->xid, answered, context};
    put_request(connection, connection->xid, op, request);
}

void service_settle(struct service *connection, size_t left)
{
    while (connection->sent_end - connection->sent_first > left)
        (void)wait_once(connection, -1, -1);
}

int32_t service_call(struct service *connection, int32_t op, struct slice request,
                     struct slice *ret_answer)
{
    *ret_answer = SLICE_NULL;
    service_settle(connection, 0);
    int32_t err = be_connected(connection);
    if (err != ZK_OK)
        return err;
    next_xid(connection);
    connection->waiting_xid = connection->xid;
    connection->answered = false;
    put_request(connection, connection->xid, op, request);
    int fd = connection->fd;
    bool interrupted = false;
    while (!connection->answered && connection->fd == fd && !interrupted)
        interrupted = wait_once(connection, connection->interrupt_fd, -1);
    connection->waiting_xid = 0;
    if (!connection->answered && connection->fd == fd)
        return CALL_INTERRUPTED;
    if (!connection->answered)
        return connection->state == SERVICE_AUTH_FAILED ? (int32_t)ZK_AUTH_FAILED
                                                        : (int32_t)CALL_CONNECTION_LOSS;
    *ret_answer = buffer_slice(&connection->answer);
    return connection->answer_err;
}

void service_add_auth(struct service *connection, struct slice scheme, struct slice credentials)
{
    struct auth *auth = mem_zalloc(sizeof(*auth)), **end_of_list = &connection->auths;

    buffer_init(&auth->scheme);
    buffer_init(&auth->auth);
    buffer_append(&auth->scheme, scheme);
    buffer_append(&auth->auth, credentials);
    while (*end_of_list != NULL)
        end_of_list = &(*end_of_list)->next;
    *end_of_list = auth;
    if (is_up(connection)) {
        put_auth(connection, auth);
        (void)send_out(connection);
    }
}

void service_close(struct service *connection)
{
    if (connection->phase == PHASE_OVER)
        return;
    if (is_up(connection)) {
        int64_t until_ms = now_ms() + CLOSE_WAIT_MS;
        connection->waiting_xid = ++connection->xid;
        connection->answered = false;
        put_request(connection, connection->xid, OP_CLOSE_SESSION, SLICE_NULL);
        int fd = connection->fd;
        connection->was_up = false; /* no event about the loss that follows */
        while (!connection->answered && connection->fd == fd && now_ms() < until_ms)
            (void)wait_once(connection, -1, until_ms);
    }
    end(connection, SERVICE_CLOSED, EVENT_STATE_CLOSED);
}

/* --- paths and watches --- */

void service_put_path(const struct service *connection, struct buffer *out, struct slice path)
{
    struct slice chroot = slice_text(connection->servers.chroot);

    if (chroot.size > 0 && slice_equal(path, SLICE("/")))
        path.size = 0;
    buffer_i32(out, (int32_t)(chroot.size + path.size));
    buffer_append(out, chroot);
    buffer_append(out, path);
}

struct slice service_own_path(const struct service *connection, struct slice path)
{
    struct slice chroot = slice_text(connection->servers.chroot);

    if (chroot.size == 0 || !slice_starts_with(path, chroot))
        return path;
    if (path.size == chroot.size)
        return SLICE("/");
    return slice_of(path.data + chroot.size, path.size - chroot.size);
}

void service_add_watch(struct service *connection, enum service_watch kind, struct slice path)
{
    watch_list_add(&connection->watches[kind], path);
}

bool service_has_watch(const struct service *connection, enum service_watch kind, struct slice path)
{
    return watch_list_has(&connection->watches[kind], path);
}

void service_drop_watch(struct service *connection, enum service_watch kind, struct slice path)
{
    watch_list_drop(&connection->watches[kind], path);
}
