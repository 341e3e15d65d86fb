/* fleet.c: sockets and time for the machines of all sessions (client/client.h), on one epoll.
 *
 * The rule: the client must need less CPU time than any server. One read takes all that has
 * arrived, there is one send per session and step, and nothing is allocated or kept per request. */
#include "bench/fleet.h"

#include "client/input.h"
#include "client/requests.h"
#include "io/address.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    CONNECTING_MAX = 40, /* at once: Java listens with a backlog of 50 */
    READ_BYTES = 4 * 1024 * 1024,
    EVENTS_MAX = 512,
    ADDRESSES_MAX = 16,
    CONNECT_WAIT_MS = 20000,
    CLOSE_WAIT_MS = 5000,
    PING_CHECKS_PER_TIMEOUT = 30
};

struct fleet {
    struct fleet_options options;
    int epoll_fd;
    struct client_address addresses[ADDRESSES_MAX];
    uint32_t address_count, ready_count;
    struct fleet_session *sessions;
    uint8_t *chunk;       /* READ_BYTES, shared by all: a quiet session holds no buffer */
    int64_t now_ns;       /* when the bytes at hand were read */
    int64_t requested_ns; /* from when the latency of requests counts */
    int64_t next_ping_check_ns, last_replies_ns, longest_silence_ns;
    bool lost;
};

static void end_without_memory(void)
{
    fputs("bench: out of memory\n", stderr);
    exit(1);
}

int64_t fleet_clock_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void set_now(struct fleet *fleet)
{
    fleet->now_ns = fleet->requested_ns = fleet_clock_ns();
}

static int64_t now_ms(const struct fleet *fleet)
{
    return fleet->now_ns / 1000000;
}

struct fleet_session *fleet_get(struct fleet *fleet, uint32_t index)
{
    return &fleet->sessions[index];
}

int64_t fleet_take_longest_silence_ns(struct fleet *fleet)
{
    int64_t longest_ns = fleet->longest_silence_ns;

    fleet->longest_silence_ns = 0;
    fleet->last_replies_ns = fleet_clock_ns();
    return longest_ns;
}

/* Session after session, one server after the other. */
static const struct client_address *address_of(const struct fleet_session *session)
{
    const struct fleet *fleet = session->fleet;

    return &fleet->addresses[session->index % fleet->address_count];
}

static bool connection_lost(const struct fleet_session *session, const char *why)
{
    const struct sockaddr *server = (const struct sockaddr *)address_of(session)->bytes;
    char host[ADDRESS_TEXT_MAX];

    address_host_text(address_host(server), host);
    fprintf(stderr, "bench: %s port %d, session %u: %s\n", host, address_port(server),
            session->index, why);
    session->fleet->lost = true;
    return false;
}

static const char *why_left(const struct client *client)
{
    switch (client->last_error) {
    case CLIENT_SESSION_EXPIRED:
        return "the server refused a session";
    case CLIENT_TIMED_OUT:
        return "the server is silent";
    case CLIENT_CONNECTION_LOST:
        return "the server has no quorum and serves reads only";
    case CLIENT_NO_MEMORY:
        return "out of memory";
    default:
        return "the server's bytes make no sense";
    }
}

static bool add_address(struct fleet *fleet, const char *text, size_t size)
{
    char host[256];
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found = NULL;

    if (size == 0 || size >= sizeof(host) || fleet->address_count == ADDRESSES_MAX) {
        fprintf(stderr, "bench: cannot use the address list\n");
        return false;
    }
    memcpy(host, text, size);
    host[size] = '\0';
    char *colon = strrchr(host, ':');
    const char *port = "2181";
    if (colon != NULL) {
        *colon = '\0';
        port = colon + 1;
    }
    int wrong = getaddrinfo(host, port, &hints, &found);
    if (wrong != 0) {
        fprintf(stderr, "bench: %s port %s: %s\n", host, port, gai_strerror(wrong));
        return false;
    }
    struct client_address *address = &fleet->addresses[fleet->address_count];
    bool fits = found->ai_addrlen <= sizeof(address->bytes);
    if (fits) {
        memcpy(address->bytes, found->ai_addr, found->ai_addrlen);
        address->size = (uint32_t)found->ai_addrlen;
        fleet->address_count++;
    }
    freeaddrinfo(found);
    return fits;
}

static bool add_addresses(struct fleet *fleet)
{
    const char *text = fleet->options.servers;

    for (;;) {
        const char *comma = strchr(text, ',');
        size_t size = comma == NULL ? strlen(text) : (size_t)(comma - text);
        if (!add_address(fleet, text, size))
            return false;
        if (comma == NULL)
            return true;
        text = comma + 1;
    }
}

static void watch_for(struct fleet_session *session, bool write, int how)
{
    struct epoll_event event = {.events = EPOLLIN | (write ? (uint32_t)EPOLLOUT : 0u),
                                .data.ptr = session};

    if (epoll_ctl(session->fleet->epoll_fd, how, session->fd, &event) != 0) {
        perror("bench: epoll_ctl");
        session->fleet->lost = true;
    }
    session->wants_write = write;
}

/* Sends what waits. false: the connection is lost, `errno` says why. */
static bool send_output(struct fleet_session *session)
{
    struct buffer *sending = &session->sending;
    bool wrote = false, full = false;

    for (;;) {
        if (session->sent == sending->size) {
            session->sent = sending->size = 0;
            if (!client_take_output(&session->client, sending))
                break;
        }
        ssize_t sent = send(session->fd, sending->data + session->sent,
                            sending->size - session->sent, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        full = sent < 0 && errno == EAGAIN;
        if (full)
            break;
        if (sent < 0)
            return false;
        session->sent += (size_t)sent;
        wrote = true;
    }
    if (wrote)
        client_sent(&session->client, now_ms(session->fleet));
    if (full != session->wants_write)
        watch_for(session, full, EPOLL_CTL_MOD);
    return true;
}

bool fleet_flush(struct fleet_session *session)
{
    return send_output(session) || connection_lost(session, strerror(errno));
}

static bool start_connecting(struct fleet_session *session)
{
    const struct client_address *address = address_of(session);
    const struct sockaddr *at = (const struct sockaddr *)address->bytes;
    struct client *client = &session->client;
    struct client_address *list = mem_alloc(sizeof(*list));
    struct client_step step;
    int one = 1;

    *list = *address;
    client_set_servers(client, list, 1, now_ms(session->fleet));
    client_step(client, now_ms(session->fleet), &step);
    ASSERT(step.action == CLIENT_CONNECT);
    session->fd = socket(at->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (session->fd < 0)
        return connection_lost(session, strerror(errno));
    (void)setsockopt(session->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    if (connect(session->fd, at, address->size) != 0 && errno != EINPROGRESS)
        return connection_lost(session, strerror(errno));
    watch_for(session, true, EPOLL_CTL_ADD);
    return !session->fleet->lost;
}

/* `at` is less than twice in_flight_max. A division would be felt here. */
static uint32_t ring_place(const struct fleet *fleet, uint32_t at)
{
    uint32_t size = fleet->options.in_flight_max;

    return at < size ? at : at - size;
}

/* For client_options.on_answer. */
static bool take_answer(void *context, int32_t xid, int32_t err)
{
    struct fleet_session *session = context;
    struct fleet *fleet = session->fleet;

    if (session->in_flight == 0 || xid != session->first_xid)
        return false;
    int64_t latency_ns = fleet->now_ns - session->sent_at_ns[session->first_sent];
    session->first_sent = ring_place(fleet, session->first_sent + 1);
    session->first_xid = client_xid_after(xid);
    session->in_flight--;
    fleet->options.on_reply(fleet->options.context, session, err, latency_ns);
    return true;
}

static void take_events(struct fleet_session *session)
{
    const struct fleet_options *options = &session->fleet->options;
    struct list items;

    list_init(&items);
    client_take_done(&session->client, &items);
    while (!list_empty(&items)) {
        struct client_item *item = CONTAINER_OF(items.next, struct client_item, link);
        list_remove(&item->link);
        if (item->kind != CLIENT_ITEM_EVENT)
            continue; /* the end of the session, which is seen by itself */
        struct client_event *event = CONTAINER_OF(item, struct client_event, item);
        if (options->on_event != NULL && event->type != CLIENT_EVENT_SESSION)
            options->on_event(options->context);
        mem_free(event);
    }
}

/* All that has arrived. Gives NULL, or why there is no connection any more. */
static const char *receive(struct fleet_session *session)
{
    struct fleet *fleet = session->fleet;
    struct client *client = &session->client;

    for (;;) {
        ssize_t got = recv(session->fd, fleet->chunk, READ_BYTES, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return errno == EAGAIN ? NULL : strerror(errno);
        if (got == 0)
            return "the server closed the connection";
        set_now(fleet);
        client_received(client, slice_of(fleet->chunk, (size_t)got), now_ms(fleet));
        if (client->link != CLIENT_LINK_OPEN)
            return why_left(client);
        if (!session->ready && client_has_session(client)) {
            session->ready = true;
            fleet->ready_count++;
        }
        if (!list_empty(&client->done))
            take_events(session);
        if (got < READ_BYTES)
            return NULL; /* the socket is empty, or epoll will say so */
    }
}

static bool keep_alive(struct fleet *fleet)
{
    struct client_step step;

    if (fleet->now_ns < fleet->next_ping_check_ns)
        return true;
    int64_t pause_ms = fleet->sessions[0].client.timeout_ms / PING_CHECKS_PER_TIMEOUT;
    fleet->next_ping_check_ns = fleet->now_ns + pause_ms * 1000000;
    for (uint32_t i = 0; i < fleet->options.session_count; i++) {
        struct fleet_session *session = &fleet->sessions[i];
        if (!session->ready)
            continue;
        client_step(&session->client, now_ms(fleet), &step);
        if (step.action != CLIENT_WAIT)
            return connection_lost(session, why_left(&session->client));
        if (!fleet_flush(session))
            return false;
    }
    return true;
}

static bool handle(struct fleet_session *session, uint32_t events)
{
    const char *why = NULL;

    if ((events & (EPOLLERR | EPOLLHUP)) != 0 && (events & EPOLLIN) == 0)
        return connection_lost(session, "cannot connect, or the connection broke");
    if ((events & EPOLLOUT) != 0 && !session->connected) {
        session->connected = true;
        client_connected(&session->client, now_ms(session->fleet));
    }
    if ((events & EPOLLIN) != 0)
        why = receive(session);
    return why == NULL ? fleet_flush(session) : connection_lost(session, why);
}

bool fleet_step(struct fleet *fleet, int wait_ms)
{
    struct epoll_event events[EVENTS_MAX];
    int count = epoll_wait(fleet->epoll_fd, events, EVENTS_MAX, wait_ms);

    set_now(fleet);
    for (int i = 0; i < count; i++) {
        if (!handle(events[i].data.ptr, events[i].events))
            return false;
    }
    if (count > 0) {
        int64_t silence_ns = fleet->now_ns - fleet->last_replies_ns;
        if (silence_ns > fleet->longest_silence_ns)
            fleet->longest_silence_ns = silence_ns;
        fleet->last_replies_ns = fleet->now_ns;
    }
    return !fleet->lost && keep_alive(fleet);
}

static bool connect_all(struct fleet *fleet)
{
    uint32_t started = 0;
    int64_t give_up_ns = fleet_clock_ns() + (int64_t)CONNECT_WAIT_MS * 1000000;

    while (fleet->ready_count < fleet->options.session_count) {
        uint32_t ready = fleet->ready_count;
        while (started < fleet->options.session_count && started - ready < CONNECTING_MAX) {
            if (!start_connecting(&fleet->sessions[started++]))
                return false;
        }
        if (!fleet_step(fleet, 100))
            return false;
        if (fleet->ready_count > ready)
            give_up_ns = fleet->now_ns + (int64_t)CONNECT_WAIT_MS * 1000000;
        if (fleet->now_ns > give_up_ns) {
            fprintf(stderr, "bench: %u of %u sessions are ready, no progress for %d s\n",
                    fleet->ready_count, fleet->options.session_count, CONNECT_WAIT_MS / 1000);
            return false;
        }
    }
    return true;
}

static void free_fleet(struct fleet *fleet)
{
    for (uint32_t i = 0; i < fleet->options.session_count; i++) {
        struct fleet_session *session = &fleet->sessions[i];
        if (session->fd >= 0)
            close(session->fd);
        client_deinit(&session->client);
        buffer_deinit(&session->sending);
        mem_free(session->sent_at_ns);
    }
    if (fleet->epoll_fd >= 0)
        close(fleet->epoll_fd);
    mem_free(fleet->sessions);
    mem_free(fleet->chunk);
    mem_free(fleet);
}

static void init_session(struct fleet *fleet, uint32_t index)
{
    struct fleet_session *session = &fleet->sessions[index];
    struct client_options options = {.timeout_ms = fleet->options.timeout_ms,
                                     .connect_timeout_ms = INT32_MAX, /* connect_all() gives up */
                                     .first_xid = 1,
                                     .servers_in_order = true,
                                     .on_answer = take_answer,
                                     .on_answer_context = session};

    session->fleet = fleet;
    session->index = index;
    session->fd = -1;
    session->sent_at_ns = mem_zalloc(fleet->options.in_flight_max * sizeof(int64_t));
    session->first_xid = options.first_xid;
    if (!client_init(&session->client, &options))
        end_without_memory();
}

struct fleet *fleet_open(const struct fleet_options *options)
{
    struct fleet *fleet = mem_zalloc(sizeof(*fleet));
    struct rlimit files;

    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &files);
    }
    fleet->options = *options;
    fleet->chunk = mem_alloc(READ_BYTES);
    fleet->sessions = mem_zalloc(options->session_count * sizeof(*fleet->sessions));
    set_now(fleet);
    for (uint32_t i = 0; i < options->session_count; i++)
        init_session(fleet, i);
    fleet->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (fleet->epoll_fd < 0 || !add_addresses(fleet) || !connect_all(fleet)) {
        free_fleet(fleet);
        return NULL;
    }
    (void)fleet_take_longest_silence_ns(fleet);
    return fleet;
}

static void leave(struct fleet_session *session, uint32_t *left)
{
    close(session->fd); /* leaves the epoll set by itself */
    session->fd = -1;
    (*left)--;
}

/* Until the server has answered, or a connection is lost. */
static void end_sessions(struct fleet *fleet, struct client_request *requests)
{
    uint32_t left = 0;
    int64_t give_up_ns = fleet_clock_ns() + (int64_t)CLOSE_WAIT_MS * 1000000;

    for (uint32_t i = 0; i < fleet->options.session_count; i++) {
        struct fleet_session *session = &fleet->sessions[i];
        client_request_init(&requests[i]);
        client_close_session(&session->client, &requests[i], now_ms(fleet));
        left++;
        if (session->client.closed)
            leave(session, &left);
        else
            (void)send_output(session); /* gone already: the end of its connection is read below */
    }
    while (left > 0 && fleet_clock_ns() < give_up_ns) {
        struct epoll_event events[EVENTS_MAX];
        int count = epoll_wait(fleet->epoll_fd, events, EVENTS_MAX, 100);
        for (int i = 0; i < count; i++) {
            struct fleet_session *session = events[i].data.ptr;
            bool gone = (events[i].events & EPOLLOUT) != 0 && !send_output(session);
            if (gone || receive(session) != NULL)
                leave(session, &left);
        }
    }
}

void fleet_close(struct fleet *fleet)
{
    uint32_t count = fleet->options.session_count;
    struct client_request *requests = mem_alloc(count * sizeof(*requests));

    end_sessions(fleet, requests);
    free_fleet(fleet);
    mem_free(requests);
}

void fleet_set_request_time(struct fleet *fleet, int64_t due_ns)
{
    fleet->requested_ns = due_ns;
}

void fleet_send(struct fleet_session *session, int32_t op, struct slice body)
{
    struct fleet *fleet = session->fleet;

    ASSERT(session->in_flight < fleet->options.in_flight_max);
    uint32_t at = ring_place(fleet, session->first_sent + session->in_flight);
    session->sent_at_ns[at] = fleet->requested_ns;
    session->in_flight++;
    enum client_error err = client_send(&session->client, op, body);
    if (err == CLIENT_NO_MEMORY)
        end_without_memory();
    ASSERT(err == CLIENT_OK);
}
