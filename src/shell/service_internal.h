/* service_internal.h: a session and its socket. Only for the files of the service. */
#ifndef SHELL_SERVICE_INTERNAL_H
#define SHELL_SERVICE_INTERNAL_H

#include "client/requests.h"
#include "shell/servers.h"
#include "shell/service.h"

enum { SERVICE_RECEIVE_BYTES = 1 << 16 };

/* A request, from its submission until it has come back. */
struct service_request {
    struct client_request request;
    service_answered *answered;
    void *context;
    bool waited_for; /* nobody is told; whoever waits frees it */
    bool done;
};

struct service {
    struct service_options options;
    struct servers servers;
    struct client client;
    int fd; /* -1: none */
    bool connecting;
    struct buffer sending; /* taken from the client; `sent` bytes of it are gone */
    size_t sent;
    uint8_t *received; /* SERVICE_RECEIVE_BYTES */
    struct list items; /* complete; to be told of */
    size_t on_their_way;
    struct service_request *last; /* its answer is the caller's until the next call; may be NULL */
    /* Attempts to connect: those of this round that failed, and all rounds that were in vain. */
    bool attempting;
    size_t failed_attempts;
    unsigned failed_rounds;
    const char *problem; /* why the last connection ended, or was not made */
    int interrupt_fd;
    struct buffer scratch;
};

/* service_socket.c */
/* Does all that is due. When the next thing is; INT64_MAX: nothing is. */
int64_t service_do_due(struct service *connection);
void service_send_out(struct service *connection); /* as much as the socket takes */
/* Its poll found these events. */
void service_serve_socket(struct service *connection, short events);

#endif
