/* resolve.c: what only the network can tell about a configuration: the addresses behind its names.
 *
 * The only file of this room that looks addresses up, so that reading and checking a zoo.cfg does
 * not use the network. */
#include "io/address.h"
#include "server/config/ensemble.h"

#include <string.h>

static bool same_host(const char *left, const char *right)
{
    struct sockaddr_storage a, b;

    if (address_resolve(left, 0, &a) != STATUS_OK || address_resolve(right, 0, &b) != STATUS_OK)
        return false;
    struct address_host one = address_host((struct sockaddr *)&a);
    struct address_host other = address_host((struct sockaddr *)&b);
    return memcmp(&one, &other, sizeof(one)) == 0;
}

static void resolve_client_port(struct config *config)
{
    struct front_config *front = &config->front;

    if (address_resolve(front->address, front->port, &front->bind_address) != STATUS_OK)
        config_invalid(config, config_line_of(config, "clientPortAddress"),
                       "clientPortAddress: %s: Name or service not known", front->address);
}

void config_resolve(struct config *config)
{
    const struct client_hosts *hosts = &config->ensemble.client_hosts;

    if (config->front.port_set)
        resolve_client_port(config);
    if (hosts->from_key != NULL && !same_host(hosts->from_key, hosts->from_line))
        ensemble_client_address_differs(config, hosts, config->front.port);
}
