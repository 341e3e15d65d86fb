/* resolve.c: getaddrinfo() for each host of a list. The only place that blocks on a name server; the lock
 * is never held here. */
#include "capi/resolve.h"

#include "client/connect_string.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>

static int errno_of(int error)
{
    switch (error) {
    case EAI_NONAME:
#ifdef EAI_NODATA
    case EAI_NODATA:
#endif
#ifdef EAI_ADDRFAMILY
    case EAI_ADDRFAMILY:
#endif
        return ENOENT;
    case EAI_AGAIN:
        return EAGAIN;
    case EAI_MEMORY:
        return ENOMEM;
    case EAI_SYSTEM:
        return errno;
    default:
        return EINVAL;
    }
}

struct addresses {
    struct client_address *items;
    uint32_t count, capacity;
};

static bool add(struct addresses *found, const struct addrinfo *info)
{
    if (info->ai_addrlen > CLIENT_ADDRESS_BYTES_MAX ||
        (info->ai_family != AF_INET && info->ai_family != AF_INET6))
        return true;
    if (found->count == found->capacity) {
        uint32_t capacity = found->capacity == 0 ? 8 : 2 * found->capacity;
        struct client_address *more = mem_try_realloc(found->items, capacity * sizeof(*more));
        if (more == NULL)
            return false;
        found->items = more;
        found->capacity = capacity;
    }
    struct client_address *address = &found->items[found->count];
    *address = (struct client_address){.size = info->ai_addrlen};
    memcpy(address->bytes, info->ai_addr, info->ai_addrlen);
    for (uint32_t i = 0; i < found->count; i++)
        if (memcmp(&found->items[i], address, sizeof(*address)) == 0)
            return true;
    found->count++;
    return true;
}

static int resolve_host(const struct client_host *host, struct addresses *found)
{
    char name[NI_MAXHOST], port[8];
    struct addrinfo hints = {.ai_flags = AI_ADDRCONFIG, .ai_socktype = SOCK_STREAM};
    struct addrinfo *first;

    if (host->name.size == 0 || host->name.size >= sizeof(name))
        return ENOENT;
    memcpy(name, host->name.data, host->name.size);
    name[host->name.size] = '\0';
    snprintf(port, sizeof(port), "%u", host->port);
    int error = getaddrinfo(name, port, &hints, &first);
    if (error != 0) { /* a machine without a network has its own addresses still */
        hints.ai_flags = AI_NUMERICHOST;
        if (getaddrinfo(name, port, &hints, &first) != 0)
            return errno_of(error);
    }
    bool fits = true;
    for (const struct addrinfo *at = first; at != NULL && fits; at = at->ai_next)
        fits = add(found, at);
    freeaddrinfo(first);
    return fits ? 0 : ENOMEM;
}

int resolve_hosts(struct slice hosts, struct client_address **ret_items, uint32_t *ret_count)
{
    struct addresses found = {0};
    struct slice left = hosts;
    struct client_host host;
    int error = 0;
    enum status status;

    while ((status = connect_string_next(&left, &host)) == STATUS_OK)
        ;
    if (status == STATUS_INVALID)
        return EINVAL;
    while (error != ENOMEM && connect_string_next(&hosts, &host) == STATUS_OK) {
        int host_error = resolve_host(&host, &found);
        error = host_error == 0 ? error : host_error;
    }
    if (found.count == 0 || error == ENOMEM) { /* not a part of the servers only because of that */
        mem_free(found.items);
        return error == 0 ? EINVAL : error;
    }
    *ret_items = found.items;
    *ret_count = found.count;
    return 0;
}
