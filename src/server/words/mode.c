/* mode.c: what this server is in its ensemble, in the words that operators know. */
#include "server/words/words_internal.h"

const char *words_mode(const struct words *words)
{
    struct ensemble_info info;

    if (!replica_ensemble(words->replica, &info))
        return "standalone";
    if (!info.serves)
        return NULL;
    return info.state == PEER_LEADING     ? "leader"
           : info.state == PEER_FOLLOWING ? "follower"
                                          : "observer";
}
