/* voting.c: passes messages from the connections to the election and back.
 *
 * While this server looks, a new connection begins with its last vote. When the election is over,
 * with its final one: a server that connects then does not need to ask. */
#include "replica/election/voting.h"

struct voting {
    struct election *election;
    struct connections *connections;
    const struct membership *committed, *last_seen;
    int64_t my_id;
    struct election_effects effects;
    struct buffer message, newer_config;
};

struct voting *voting_new(const struct voting_options *options)
{
    struct voting *voting = mem_zalloc(sizeof(*voting));

    ASSERT(options->election.my_id == options->connections.my_id);
    voting->my_id = options->election.my_id;
    voting->election = election_new(&options->election);
    voting->connections = connections_new(&options->connections);
    return voting;
}

void voting_free(struct voting *voting)
{
    if (voting == NULL)
        return;
    election_free(voting->election);
    connections_free(voting->connections);
    election_effects_deinit(&voting->effects);
    buffer_deinit(&voting->message);
    buffer_deinit(&voting->newer_config);
    mem_free(voting);
}

void voting_set_members(struct voting *voting, const struct membership *committed,
                        const struct membership *last_seen, enum member_role own_role,
                        int64_t now_ms, struct effects *effects)
{
    voting->committed = committed;
    voting->last_seen = last_seen;
    election_set_members(voting->election, committed, last_seen, own_role);
    connections_set_members(voting->connections, committed, last_seen, now_ms, effects);
}

/* ---- Settled ---- */

static void say_final_vote(struct voting *voting, const struct membership *membership)
{
    for (uint32_t i = 0; membership != NULL && i < membership->member_count; i++) {
        const struct member *member = &membership->members[i];
        if (member->id != voting->my_id)
            connections_say_next_time(voting->connections, member->id,
                                      buffer_slice(&voting->message));
    }
}

static void write_notification(struct voting *voting, const struct notification *notification)
{
    voting->message.size = 0;
    notification_write(&voting->message, notification);
}

/* Whoever connects from now on hears this first. */
static void remember_final_vote(struct voting *voting)
{
    struct notification final = election_notification(voting->election);

    write_notification(voting, &final);
    say_final_vote(voting, voting->committed);
    say_final_vote(voting, voting->last_seen);
}

/* ---- The loop between the two ---- */

static void take_effects(struct voting *voting, int64_t now_ms, struct effects *effects,
                         struct voting_outcome *outcome)
{
    for (uint32_t i = 0; i < voting->effects.send_count; i++) {
        write_notification(voting, &voting->effects.sends[i].notification);
        connections_send(voting->connections, voting->effects.sends[i].to,
                         buffer_slice(&voting->message), now_ms, effects);
    }
    if (voting->effects.newer_config.data != NULL) {
        voting->newer_config.size = 0;
        buffer_append(&voting->newer_config, voting->effects.newer_config);
        outcome->newer_config = buffer_slice(&voting->newer_config);
    }
    if (voting->effects.decided) {
        outcome->decided = true;
        remember_final_vote(voting);
    }
    voting->effects.send_count = 0;
    voting->effects.decided = false;
    voting->effects.newer_config = SLICE_NULL;
}

/* What does not read is dropped, as in Java: its sender may speak of things that we do not know. */
static void take_news(struct voting *voting, int64_t now_ms, struct effects *effects,
                      struct voting_outcome *outcome)
{
    struct connections_news news;
    struct notification said;

    while (connections_next(voting->connections, &news)) {
        if (news.kind == CONNECTIONS_LINK)
            election_set_link(voting->election, news.id, news.link, now_ms, &voting->effects);
        else if (notification_read(news.message, &said) == STATUS_OK)
            election_hear(voting->election, news.id, &said, now_ms, &voting->effects);
        take_effects(voting, now_ms, effects, outcome);
    }
}

void voting_start(struct voting *voting, int64_t zxid, int64_t epoch, int64_t now_ms,
                  struct effects *effects, struct voting_outcome *outcome)
{
    election_start(voting->election, zxid, epoch, now_ms, &voting->effects);
    take_effects(voting, now_ms, effects, outcome);
}

void voting_set_epoch(struct voting *voting, int64_t epoch)
{
    election_set_epoch(voting->election, epoch);
    remember_final_vote(voting);
}

bool voting_owns(const struct voting *voting, uint64_t connection)
{
    return connections_owns(voting->connections, connection);
}

void voting_opened(struct voting *voting, uint64_t connection, int64_t now_ms,
                   struct effects *effects, struct voting_outcome *outcome)
{
    connections_opened(voting->connections, connection, now_ms, effects);
    take_news(voting, now_ms, effects, outcome);
}

void voting_bytes(struct voting *voting, uint64_t connection, struct slice bytes, int64_t now_ms,
                  struct effects *effects, struct voting_outcome *outcome)
{
    connections_bytes(voting->connections, connection, bytes, now_ms, effects);
    take_news(voting, now_ms, effects, outcome);
}

void voting_closed(struct voting *voting, uint64_t connection, int64_t now_ms,
                   struct effects *effects, struct voting_outcome *outcome)
{
    connections_closed(voting->connections, connection, now_ms, effects);
    take_news(voting, now_ms, effects, outcome);
}

void voting_tick(struct voting *voting, int64_t now_ms, struct effects *effects,
                 struct voting_outcome *outcome)
{
    connections_tick(voting->connections, now_ms, effects);
    take_news(voting, now_ms, effects, outcome);
    election_tick(voting->election, now_ms, &voting->effects);
    take_effects(voting, now_ms, effects, outcome);
}

int64_t voting_wake_at_ms(const struct voting *voting)
{
    int64_t election_ms = election_wake_at_ms(voting->election);
    int64_t connections_ms = connections_wake_at_ms(voting->connections);

    return election_ms < connections_ms ? election_ms : connections_ms;
}

enum peer_state voting_state(const struct voting *voting)
{
    return election_state(voting->election);
}

struct vote voting_vote(const struct voting *voting)
{
    return election_vote(voting->election);
}

bool voting_looks_again(const struct voting *voting, int64_t id)
{
    return election_looks_again(voting->election, id);
}
