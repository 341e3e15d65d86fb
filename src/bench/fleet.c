/* fleet.c: sockets, frames and pings of all sessions, on one epoll.
 *
 * The rule: the client must need less CPU time than any server. One read takes all that has
 * arrived, there is one send per session and step, and nothing is allocated per request. */
#include "bench/fleet.h"

#include "io/address.h"
#include "wire/records.h"
#include "wire/zk.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
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
    CLOSE_WAIT_MS = 5000
};

struct address {
    struct sockaddr_storage at;
    socklen_t size;
};

struct fleet {
    struct fleet_options options;
    int epoll_fd;
    struct address addresses[ADDRESSES_MAX];
    uint32_t address_count, ready_count;
    struct fleet_session *sessions;
    uint8_t *chunk; /* READ_BYTES, shared by all: a quiet session holds no buffer */
    size_t frame_start;
    int64_t now_ns, next_ping_check_ns, last_replies_ns, longest_silence_ns;
    bool lost, closing;
};

int64_t fleet_clock_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t fleet_now_ns(const struct fleet *fleet)
{
    return fleet->now_ns;
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
static const struct address *address_of(const struct fleet_session *session)
{
    const struct fleet *fleet = session->fleet;

    return &fleet->addresses[session->index % fleet->address_count];
}

static bool connection_lost(struct fleet *fleet, const struct fleet_session *session,
                            const char *why)
{
    const struct sockaddr *server = (const struct sockaddr *)&address_of(session)->at;
    char host[ADDRESS_TEXT_MAX];

    if (!fleet->closing) {
        address_host_text(address_host(server), host);
        fprintf(stderr, "bench: %s port %d, session %u: %s\n", host, address_port(server),
                session->index, why);
    }
    fleet->lost = true;
    return false;
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
    struct address *address = &fleet->addresses[fleet->address_count++];
    memcpy(&address->at, found->ai_addr, found->ai_addrlen);
    address->size = found->ai_addrlen;
    freeaddrinfo(found);
    return true;
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

bool fleet_flush(struct fleet_session *session)
{
    struct buffer *out = &session->out;

    while (session->out_sent < out->size) {
        ssize_t sent = send(session->fd, out->data + session->out_sent,
                            out->size - session->out_sent, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0 && errno == EAGAIN) {
            if (!session->wants_write)
                watch_for(session, true, EPOLL_CTL_MOD);
            return true;
        }
        if (sent < 0)
            return connection_lost(session->fleet, session, strerror(errno));
        session->out_sent += (size_t)sent;
    }
    out->size = 0;
    session->out_sent = 0;
    session->last_send_ns = session->fleet->now_ns;
    if (session->wants_write)
        watch_for(session, false, EPOLL_CTL_MOD);
    return true;
}

static void queue_connect_request(struct fleet_session *session)
{
    static const uint8_t no_password[PASSWORD_BYTES];
    struct connect_request request = {.timeout_ms = session->fleet->options.timeout_ms,
                                      .password = slice_of(no_password, PASSWORD_BYTES)};

    buffer_i32(&session->out, 45);
    connect_request_write(&session->out, &request);
    jute_put_bool(&session->out, false);
}

static bool start_connecting(struct fleet_session *session)
{
    struct fleet *fleet = session->fleet;
    const struct address *address = address_of(session);
    int one = 1;

    session->fd = socket(address->at.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (session->fd < 0)
        return connection_lost(fleet, session, strerror(errno));
    (void)setsockopt(session->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    if (connect(session->fd, (const struct sockaddr *)&address->at, address->size) != 0 &&
        errno != EINPROGRESS)
        return connection_lost(fleet, session, strerror(errno));
    queue_connect_request(session);
    watch_for(session, true, EPOLL_CTL_ADD);
    return !fleet->lost;
}

static bool take_connect_response(struct fleet_session *session, struct slice frame)
{
    struct fleet *fleet = session->fleet;

    if (frame.size < 16 || load_be32(frame.data + 4) == 0)
        return connection_lost(fleet, session, "the server refused a session");
    session->session_id = (int64_t)load_be64(frame.data + 8);
    session->ready = true;
    fleet->ready_count++;
    return true;
}

static bool take_frame(struct fleet_session *session, struct slice frame)
{
    struct fleet *fleet = session->fleet;

    if (!session->ready)
        return take_connect_response(session, frame);
    if (frame.size < REPLY_HEADER_BYTES)
        return connection_lost(fleet, session, "a reply without a header");
    struct fleet_reply reply = {
        .xid = (int32_t)load_be32(frame.data),
        .zxid = (int64_t)load_be64(frame.data + 4),
        .err = (int32_t)load_be32(frame.data + 12),
        .body = slice_of(frame.data + REPLY_HEADER_BYTES, frame.size - REPLY_HEADER_BYTES)};
    if (reply.xid == XID_PING)
        return true;
    if (reply.xid != XID_NOTIFICATION) {
        if (session->in_flight == 0)
            return connection_lost(fleet, session, "a reply to nothing");
        reply.latency_ns = fleet->now_ns - session->sent_at_ns[session->first_sent];
        session->first_sent = (session->first_sent + 1) % fleet->options.in_flight_max;
        session->in_flight--;
    }
    fleet->options.on_reply(fleet->options.context, session, &reply);
    return true;
}

/* All whole frames; returns how many bytes they took, or SIZE_MAX when the connection is lost. */
static size_t take_frames(struct fleet_session *session, const uint8_t *bytes, size_t size)
{
    size_t taken = 0;

    while (size - taken >= 4) {
        size_t frame_size = load_be32(bytes + taken);
        if (size - taken - 4 < frame_size)
            break;
        if (!take_frame(session, slice_of(bytes + taken + 4, frame_size)))
            return SIZE_MAX;
        taken += 4 + frame_size;
    }
    return taken;
}

static bool read_all(struct fleet_session *session)
{
    struct fleet *fleet = session->fleet;
    struct buffer *in = &session->in;

    for (;;) {
        size_t had = in->size;
        if (had >= READ_BYTES)
            return connection_lost(fleet, session, "a reply is larger than this client takes");
        if (had > 0)
            memcpy(fleet->chunk, in->data, had);
        ssize_t got = recv(session->fd, fleet->chunk + had, READ_BYTES - had, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0 && errno == EAGAIN)
            return true;
        if (got < 0)
            return connection_lost(fleet, session, strerror(errno));
        if (got == 0)
            return connection_lost(fleet, session, "the server closed the connection");
        fleet->now_ns = fleet_clock_ns();
        size_t size = had + (size_t)got;
        size_t taken = take_frames(session, fleet->chunk, size);
        if (taken == SIZE_MAX)
            return false;
        in->size = 0;
        buffer_append(in, slice_of(fleet->chunk + taken, size - taken));
        if (size < READ_BYTES)
            return true; /* the socket is empty, or epoll will say so */
    }
}

static bool send_pings(struct fleet *fleet)
{
    int64_t quiet_ns = (int64_t)fleet->options.timeout_ms * 1000000 / 3;

    if (fleet->now_ns < fleet->next_ping_check_ns)
        return true;
    fleet->next_ping_check_ns = fleet->now_ns + quiet_ns / 10;
    for (uint32_t i = 0; i < fleet->options.session_count; i++) {
        struct fleet_session *session = &fleet->sessions[i];
        if (!session->ready || fleet->now_ns - session->last_send_ns < quiet_ns)
            continue;
        buffer_i32(&session->out, 8);
        buffer_i32(&session->out, XID_PING);
        buffer_i32(&session->out, OP_PING);
        if (!fleet_flush(session))
            return false;
    }
    return true;
}

bool fleet_step(struct fleet *fleet, int wait_ms)
{
    struct epoll_event events[EVENTS_MAX];
    int count = epoll_wait(fleet->epoll_fd, events, EVENTS_MAX, wait_ms);

    fleet->now_ns = fleet_clock_ns();
    for (int i = 0; i < count && !fleet->lost; i++) {
        struct fleet_session *session = events[i].data.ptr;
        if ((events[i].events & (EPOLLERR | EPOLLHUP)) != 0 && (events[i].events & EPOLLIN) == 0)
            return connection_lost(fleet, session, "cannot connect, or the connection broke");
        if ((events[i].events & EPOLLIN) != 0 && !read_all(session))
            return false;
        if (session->out.size > 0 && !fleet_flush(session))
            return false;
        if ((events[i].events & EPOLLOUT) != 0 && session->out.size == 0 && session->wants_write)
            watch_for(session, false, EPOLL_CTL_MOD);
    }
    if (count > 0) {
        int64_t silence_ns = fleet->now_ns - fleet->last_replies_ns;
        if (silence_ns > fleet->longest_silence_ns)
            fleet->longest_silence_ns = silence_ns;
        fleet->last_replies_ns = fleet->now_ns;
    }
    return !fleet->lost && send_pings(fleet);
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
        buffer_deinit(&session->in);
        buffer_deinit(&session->out);
        mem_free(session->sent_at_ns);
    }
    if (fleet->epoll_fd >= 0)
        close(fleet->epoll_fd);
    mem_free(fleet->sessions);
    mem_free(fleet->chunk);
    mem_free(fleet);
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
    fleet->now_ns = fleet->last_replies_ns = fleet_clock_ns();
    for (uint32_t i = 0; i < options->session_count; i++) {
        struct fleet_session *session = &fleet->sessions[i];
        session->fleet = fleet;
        session->index = i;
        session->fd = -1;
        session->sent_at_ns = mem_zalloc(options->in_flight_max * sizeof(int64_t));
        session->last_send_ns = fleet->now_ns;
    }
    fleet->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (fleet->epoll_fd < 0 || !add_addresses(fleet) || !connect_all(fleet)) {
        free_fleet(fleet);
        return NULL;
    }
    (void)fleet_take_longest_silence_ns(fleet);
    return fleet;
}

/* What still arrives is read and forgotten. true: the server has closed its side. */
static bool read_until_closed(struct fleet_session *session)
{
    for (;;) {
        ssize_t got = recv(session->fd, session->fleet->chunk, READ_BYTES, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return errno != EAGAIN;
        if (got == 0)
            return true;
    }
}

void fleet_close(struct fleet *fleet)
{
    uint32_t left = fleet->options.session_count;
    int64_t give_up_ns = fleet_clock_ns() + (int64_t)CLOSE_WAIT_MS * 1000000;

    fleet->closing = true;
    for (uint32_t i = 0; i < fleet->options.session_count; i++) {
        struct fleet_session *session = &fleet->sessions[i];
        buffer_i32(&session->out, 8);
        buffer_i32(&session->out, 1);
        buffer_i32(&session->out, OP_CLOSE_SESSION);
        if (!fleet_flush(session))
            continue; /* gone already: the end of its connection is read below */
    }
    while (left > 0 && fleet_clock_ns() < give_up_ns) {
        struct epoll_event events[EVENTS_MAX];
        int count = epoll_wait(fleet->epoll_fd, events, EVENTS_MAX, 100);
        for (int i = 0; i < count; i++) {
            struct fleet_session *session = events[i].data.ptr;
            bool gone = (events[i].events & EPOLLOUT) != 0 && !fleet_flush(session);
            if (gone || read_until_closed(session)) {
                close(session->fd); /* leaves the epoll set by itself */
                session->fd = -1;
                left--;
            }
        }
    }
    free_fleet(fleet);
}

void fleet_set_request_time(struct fleet *fleet, int64_t due_ns)
{
    fleet->now_ns = due_ns;
}

struct buffer *fleet_request_begin(struct fleet_session *session, int32_t op)
{
    struct fleet *fleet = session->fleet;
    struct buffer *out = &session->out;

    ASSERT(session->in_flight < fleet->options.in_flight_max);
    uint32_t at = (session->first_sent + session->in_flight) % fleet->options.in_flight_max;
    session->sent_at_ns[at] = fleet->now_ns;
    session->in_flight++;
    fleet->frame_start = out->size;
    session->last_xid = session->last_xid == INT32_MAX ? 1 : session->last_xid + 1;
    uint8_t *header = buffer_extend(out, 12);
    store_be32(header + 4, (uint32_t)session->last_xid);
    store_be32(header + 8, (uint32_t)op);
    return out;
}

void fleet_request_end(struct fleet_session *session)
{
    struct buffer *out = &session->out;
    size_t start = session->fleet->frame_start;

    store_be32(out->data + start, (uint32_t)(out->size - start - 4));
}
