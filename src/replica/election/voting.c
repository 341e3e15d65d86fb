/* voting.c: passes messages from the connections to the election and back.
 *
 * What the election says to one message goes out before the next one is heard. */
#include "replica/election/voting.h"

void voting_deinit(struct voting *voting)
{
    election_free(voting->election);
    connections_free(voting->connections);
    election_effects_deinit(&voting->effects);
    buffer_deinit(&voting->message);
    *voting = (struct voting){0};
}

void voting_look(struct voting *voting, int64_t zxid, int64_t epoch, int64_t now_ms)
{
    connections_set_looking(voting->connections, true);
    election_start(voting->election, zxid, epoch, now_ms, &voting->effects);
}

void voting_say(struct voting *voting, struct effects *effects)
{
    for (uint32_t i = 0; i < voting->effects.send_count; i++) {
        voting->message.size = 0;
        notification_write(&voting->message, &voting->effects.sends[i].notification);
        connections_send(voting->connections, voting->effects.sends[i].to,
                         buffer_slice(&voting->message), effects);
    }
    voting->effects.send_count = 0;
}

/* What does not read is dropped, as in Java: its sender may speak of things that we do not know. */
bool voting_hear(struct voting *voting, int64_t now_ms, struct effects *effects, int64_t *ret_from)
{
    struct connections_news news;
    struct notification said;

    if (!connections_next(voting->connections, &news))
        return false;
    if (news.kind == CONNECTIONS_LINK)
        election_set_link(voting->election, news.id, news.link, now_ms, &voting->effects);
    else if (notification_read(news.message, &said) == STATUS_OK)
        election_hear(voting->election, news.id, &said, now_ms, &voting->effects);
    voting_say(voting, effects);
    *ret_from = news.id;
    return true;
}

void voting_tick(struct voting *voting, int64_t now_ms, struct effects *effects)
{
    connections_tick(voting->connections, now_ms, effects);
    election_tick(voting->election, now_ms, &voting->effects);
}

int64_t voting_wake_at_ms(const struct voting *voting)
{
    int64_t election_ms = election_wake_at_ms(voting->election);
    int64_t connections_ms = connections_wake_at_ms(voting->connections);

    return election_ms < connections_ms ? election_ms : connections_ms;
}
