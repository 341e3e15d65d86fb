/* lines.c: log lines about connections to other servers: which server and why. The replica connects
 * again and again, so a failed attempt is logged only when the result has changed. */
#include "server/peer/peer_internal.h"

#include "base/array.h"

#include <string.h>

enum { TARGETS_FIRST = 8 };

const char *peer_port_text(enum peer_port port)
{
    return port == PEER_PORT_ELECTION ? "election"
           : port == PEER_PORT_QUORUM ? "quorum"
                                      : "observerMaster";
}

void peer_log(const struct peer_connection *connection, enum log_level level, const char *what,
              const char *why)
{
    struct peers *peers = connection->peers;
    uint32_t suppressed = 0;

    if (!log_wants(level))
        return;
    if (log_limit_take(&peers->lines, host_now_ms(peers->host), &suppressed))
        log_line(level, "peer", "%s%s%s peer=%s port=%s suppressed_lines=%u", what,
                 why == NULL ? "" : ": ", why == NULL ? "" : why, connection->name,
                 peer_port_text(connection->port), suppressed);
}

static struct peer_target *target_of(struct peers *peers, const char *name)
{
    for (size_t i = 0; i < peers->target_count; i++) {
        if (strcmp(peers->targets[i].name, name) == 0)
            return &peers->targets[i];
    }
    peers->targets = ARRAY_RESERVE(peers->targets, peers->target_capacity, peers->target_count + 1,
                                   TARGETS_FIRST);
    struct peer_target *target = &peers->targets[peers->target_count++];
    *target = (struct peer_target){.tried = false};
    memcpy(target->name, name, sizeof(target->name));
    return target;
}

void peer_log_dialed(const struct peer_connection *connection, int error)
{
    struct peer_target *target = target_of(connection->peers, connection->name);
    bool news = !target->tried || target->error != error;

    target->tried = true;
    target->error = error;
    if (!news)
        return;
    if (error == 0)
        log_info("peer", "connected to another server peer=%s port=%s", connection->name,
                 peer_port_text(connection->port));
    else
        log_warn(
            "peer",
            "another server cannot be reached: %s peer=%s port=%s; logged again when this changes",
            uv_strerror(error), connection->name, peer_port_text(connection->port));
}
