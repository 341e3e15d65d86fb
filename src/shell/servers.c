/* servers.c: parses the connect string; an IPv6 address stands in brackets, or without a port. */
#include "shell/servers.h"

#include "base/array.h"
#include "base/number.h"
#include "shell/texts.h"

#include <stdio.h>

void servers_deinit(struct servers *servers)
{
    mem_free(servers->names);
    mem_free(servers->chroot);
    *servers = (struct servers){0};
}

static bool parse_one(struct slice text, struct server_name *ret_name)
{
    const char *at = (const char *)text.data;
    size_t host_size = text.size;
    int64_t port = SERVER_PORT_DEFAULT;
    const char *bracket = text.size > 0 && at[0] == '[' ? memchr(at, ']', text.size) : NULL;
    const char *colon = memrchr(at, ':', text.size);

    if (bracket != NULL && (colon == NULL || colon < bracket))
        colon = NULL;
    if (bracket == NULL && colon != NULL && memchr(at, ':', (size_t)(colon - at)) != NULL)
        colon = NULL; /* a bare IPv6 address */
    if (colon != NULL) {
        host_size = (size_t)(colon - at);
        struct slice digits = slice_of(colon + 1, text.size - host_size - 1);
        if (!number_parse(digits, 10, &port) || port < 0 || port > 65535)
            return false;
    }
    if (bracket != NULL) {
        at++;
        host_size = (size_t)(bracket - at);
    }
    if (host_size == 0 || host_size >= SERVER_HOST_BYTES_MAX)
        return false;
    memcpy(ret_name->host, at, host_size);
    ret_name->host[host_size] = '\0';
    ret_name->port = (int)port;
    return true;
}

bool servers_parse(const char *text, struct servers *ret_servers, char *ret_problem,
                   size_t problem_bytes)
{
    const char *slash = strchr(text, '/');
    struct slice left = slice_of(text, slash == NULL ? strlen(text) : (size_t)(slash - text));

    memset(ret_servers, 0, sizeof(*ret_servers));
    if (slash != NULL && slash[1] == '\0')
        slash = NULL;
    const char *chroot = slash == NULL ? "" : slash;
    ret_servers->chroot = mem_alloc(strlen(chroot) + 1);
    memcpy(ret_servers->chroot, chroot, strlen(chroot) + 1);
    if (chroot[0] != '\0' && !path_check(slice_text(chroot), ret_problem, problem_bytes))
        return false;
    while (left.size > 0) {
        const uint8_t *comma = memchr(left.data, ',', left.size);
        size_t size = comma == NULL ? left.size : (size_t)(comma - left.data);
        struct slice one = slice_trim(slice_of(left.data, size));
        left = slice_of(left.data + size, left.size - size);
        if (left.size > 0)
            left = slice_of(left.data + 1, left.size - 1);
        if (one.size == 0)
            continue;
        ret_servers->names = ARRAY_RESERVE(ret_servers->names, ret_servers->capacity,
                                           ret_servers->count + 1, ARRAY_FIRST);
        if (!parse_one(one, &ret_servers->names[ret_servers->count++])) {
            snprintf(ret_problem, problem_bytes, "%.*s is not host or host:port", (int)one.size,
                     (const char *)one.data);
            return false;
        }
    }
    if (ret_servers->count == 0) {
        snprintf(ret_problem, problem_bytes, "A HostProvider may not be empty!");
        return false;
    }
    return true;
}
