/* mode.c: what this server is in its ensemble, in the words that operators know. */
#include "server/words/words_internal.h"

const char *words_mode(const struct words *words)
{
    struct ensemble_info info;

    if (!replica_ensemble(words->replica, &info))
        return "standalone";
    if (info.read_only)
        return "read-only";
    if (!info.takes_clients)
        return NULL;
    return info.state == PEER_LEADING     ? "leader"
           : info.state == PEER_FOLLOWING ? "follower"
                                          : "observer";
}

bool words_read_only(const struct words *words)
{
    struct ensemble_info info;

    return replica_ensemble(words->replica, &info) && info.read_only;
}

bool words_leads(const struct words *words)
{
    struct ensemble_info info;

    return replica_ensemble(words->replica, &info) && info.state == PEER_LEADING;
}
