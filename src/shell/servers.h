/* servers.h: the connect string: host:port,host:port/chroot. */
#ifndef SHELL_SERVERS_H
#define SHELL_SERVERS_H

#include "base/base.h"

enum { SERVER_HOST_BYTES_MAX = 256, SERVER_PORT_DEFAULT = 2181 };

struct server_name {
    char host[SERVER_HOST_BYTES_MAX]; /* without brackets */
    int port;
};
struct servers {
    struct server_name *names;
    size_t count, capacity;
    char *chroot; /* "" or a path */
};

/* False: `ret_problem` (of problem_bytes bytes) says what is wrong. Free with servers_deinit() always. */
MUST_USE bool servers_parse(const char *text, struct servers *ret_servers, char *ret_problem,
                            size_t problem_bytes);
void servers_deinit(struct servers *servers);

#endif
