/* address.c: socket addresses as text and back. IPv4 and IPv4-mapped IPv6 are the same host. */
#include "io/address.h"

#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

static const uint8_t mapped_prefix[12] = {[10] = 0xff, [11] = 0xff};

struct address_host address_host(const struct sockaddr *address)
{
    struct address_host host = {{0}};

    if (address->sa_family == AF_INET) {
        struct sockaddr_in v4;
        memcpy(&v4, address, sizeof(v4));
        memcpy(host.bytes, mapped_prefix, sizeof(mapped_prefix));
        memcpy(host.bytes + 12, &v4.sin_addr, 4);
    } else if (address->sa_family == AF_INET6) {
        struct sockaddr_in6 v6;
        memcpy(&v6, address, sizeof(v6));
        memcpy(host.bytes, &v6.sin6_addr, 16);
    }
    return host;
}

int address_port(const struct sockaddr *address)
{
    /* The port stands at the same place in both families. */
    struct sockaddr_in v4;
    memcpy(&v4, address, sizeof(v4));
    return ntohs(v4.sin_port);
}

void address_host_text(struct address_host host, char ret_text[ADDRESS_TEXT_MAX])
{
    const uint8_t *b = host.bytes;

    if (memcmp(b, mapped_prefix, sizeof(mapped_prefix)) == 0) {
        snprintf(ret_text, ADDRESS_TEXT_MAX, "%d.%d.%d.%d", b[12], b[13], b[14], b[15]);
        return;
    }
    size_t size = 0;
    for (size_t i = 0; i < 16; i += 2)
        size += (size_t)snprintf(ret_text + size, ADDRESS_TEXT_MAX - size, i == 0 ? "%x" : ":%x",
                                 (unsigned)b[i] << 8 | b[i + 1]);
}

enum status address_resolve(const char *host, int port, struct sockaddr_storage *ret_address)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_family = AF_UNSPEC}, *found = NULL;
    char service[16];

    memset(ret_address, 0, sizeof(*ret_address));
    if (host == NULL) {
        struct sockaddr_in6 any = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};
        memcpy(ret_address, &any, sizeof(any));
        return STATUS_OK;
    }
    snprintf(service, sizeof(service), "%d", port);
    if (getaddrinfo(host, service, &hints, &found) != 0 || found == NULL)
        return STATUS_NOT_FOUND;
    /* Java takes IPv4 first when a name has both. */
    struct addrinfo *chosen = found;
    for (struct addrinfo *each = found; each != NULL; each = each->ai_next) {
        if (each->ai_family == AF_INET) {
            chosen = each;
            break;
        }
    }
    memcpy(ret_address, chosen->ai_addr, chosen->ai_addrlen);
    freeaddrinfo(found);
    return STATUS_OK;
}
