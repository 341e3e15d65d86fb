/* resolve.c: getaddrinfo() on libuv's threads. A cancelled look-up frees itself when it returns,
 * and reports nothing. */
#include "io/net/resolve.h"

#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

struct resolving {
    uv_getaddrinfo_t request;
    resolve_done *done; /* NULL: cancelled */
    void *context;
};

static void add(struct resolved *found, const void *address, size_t size)
{
    ASSERT(found->count < RESOLVED_MAX && size <= sizeof(found->addresses[0]));
    struct sockaddr_storage *to = &found->addresses[found->count++];

    memset(to, 0, sizeof(*to));
    memcpy(to, address, size);
}

bool resolve_number(const char *host, uint16_t port, struct resolved *ret_found)
{
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;

    if (uv_ip4_addr(host, port, &v4) == 0) {
        ret_found->count = 0;
        add(ret_found, &v4, sizeof(v4));
        return true;
    }
    if (uv_ip6_addr(host, port, &v6) == 0) {
        ret_found->count = 0;
        add(ret_found, &v6, sizeof(v6));
        return true;
    }
    return false;
}

static void add_family(struct resolved *found, const struct addrinfo *list, int family)
{
    for (const struct addrinfo *at = list; at != NULL && found->count < RESOLVED_MAX;
         at = at->ai_next) {
        if (at->ai_family == family)
            add(found, at->ai_addr, at->ai_addrlen);
    }
}

static void on_found(uv_getaddrinfo_t *request, int error, struct addrinfo *list)
{
    struct resolving *resolving = CONTAINER_OF(request, struct resolving, request);
    struct resolved found = {.count = 0};

    if (error == 0) {
        add_family(&found, list, AF_INET);
        add_family(&found, list, AF_INET6);
        if (found.count == 0)
            error = UV_EAI_ADDRFAMILY;
    }
    uv_freeaddrinfo(list);
    if (resolving->done != NULL)
        resolving->done(resolving->context, &found, error);
    mem_free(resolving);
}

int resolve_start(uv_loop_t *loop, const char *host, uint16_t port, resolve_done *done,
                  void *context, struct resolving **ret_resolving)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_family = AF_UNSPEC};
    struct resolving *resolving = mem_zalloc(sizeof(*resolving));
    char service[8];

    resolving->done = done;
    resolving->context = context;
    snprintf(service, sizeof(service), "%u", port);
    int error = uv_getaddrinfo(loop, &resolving->request, on_found, host, service, &hints);
    if (error != 0) {
        mem_free(resolving);
        return error;
    }
    *ret_resolving = resolving;
    return 0;
}

void resolve_cancel(struct resolving *resolving)
{
    resolving->done = NULL;
    (void)uv_cancel((uv_req_t *)&resolving->request); /* one that runs already goes on, unheard */
}
