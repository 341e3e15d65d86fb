/* Whole elections over connections: real bytes, cut anywhere, between servers that dial, hang up, break,
 * crash and come back.
 *
 * A host stands for the daemon: it carries out the effects at the end of each turn and tells what happens.
 * Above it stands what a real server does with a decision, as in test_election.c. */
#include "replica/election/voting.h"
#include "test/lib/check.h"

enum {
    HOSTS_MAX = 8,
    FOLLOW_PATIENCE_MS = 500,
    LEAD_PATIENCE_MS = 2000,
    CONNECT_TIMEOUT_MS = 5000,
    PIPES_MAX = 4096
};

struct host {
    struct voting voting;
    struct effects effects;
    int64_t id, zxid, epoch, role_since_ms;
    uint64_t next_dialled, next_accepted;
    enum member_role role;
    bool up;
};

struct pipe { /* a connection; side 0 dialled, side 1 accepted */
    int host[2];
    uint64_t number[2];       /* 0: that side has closed it, or does not know it yet */
    int64_t busy_until_ms[2]; /* towards that side */
    bool accepted;
};

enum packet_kind { PACKET_DIAL, PACKET_OPEN, PACKET_BYTES, PACKET_CLOSE };
struct packet {
    enum packet_kind kind;
    int64_t at_ms;
    uint64_t order;
    uint32_t pipe;
    int side; /* to whom */
    struct buffer bytes;
};

struct world {
    uint64_t seed;
    int64_t now_ms;
    int count, delay_ms_max;
    struct host hosts[HOSTS_MAX];
    bool blocked[HOSTS_MAX][HOSTS_MAX]; /* [lower][higher]: nothing passes, nothing is lost */
    struct pipe pipes[PIPES_MAX];
    uint32_t pipe_count;
    struct packet *packets;
    size_t packet_count, packet_capacity;
    uint64_t order;
    struct membership *members;
    int64_t first_leader; /* -1: none */
    bool two_leaders;
};

static int64_t chance(struct world *world, int64_t bound)
{
    return random_below(&world->seed, (int32_t)bound);
}

static int host_of(const struct world *world, int64_t id)
{
    for (int i = 0; i < world->count; i++) {
        if (world->hosts[i].id == id)
            return i;
    }
    return -1;
}

/* ---- The network ---- */

static void post(struct world *world, enum packet_kind kind, uint32_t which, int side,
                 struct slice bytes, int64_t delay_ms)
{
    struct pipe *pipe = &world->pipes[which];
    int64_t at_ms = world->now_ms + delay_ms;

    if (at_ms < pipe->busy_until_ms[side])
        at_ms = pipe->busy_until_ms[side];
    pipe->busy_until_ms[side] = at_ms;
    if (world->packet_count == world->packet_capacity) {
        world->packet_capacity = world->packet_capacity == 0 ? 64 : 2 * world->packet_capacity;
        world->packets =
            mem_realloc(world->packets, world->packet_capacity * sizeof(*world->packets));
    }
    struct packet *packet = &world->packets[world->packet_count++];
    *packet = (struct packet){
        .kind = kind, .at_ms = at_ms, .order = world->order++, .pipe = which, .side = side};
    buffer_append(&packet->bytes, bytes);
}

static int64_t some_delay_ms(struct world *world)
{
    return 1 + chance(world, world->delay_ms_max);
}

static void remove_packet(struct world *world, size_t index)
{
    buffer_deinit(&world->packets[index].bytes);
    world->packets[index] = world->packets[--world->packet_count];
}

/* Breaks it: what is on the way is lost, both sides see the end. */
static void break_pipe(struct world *world, uint32_t which)
{
    for (size_t i = world->packet_count; i > 0; i--) {
        if (world->packets[i - 1].pipe == which)
            remove_packet(world, i - 1);
    }
    for (int side = 0; side < 2; side++) {
        if (world->pipes[which].number[side] != 0)
            post(world, PACKET_CLOSE, which, side, SLICE_NULL, some_delay_ms(world));
    }
}

static int find_pipe(const struct world *world, int host, uint64_t number, uint32_t *ret_pipe)
{
    for (uint32_t i = 0; i < world->pipe_count; i++) {
        for (int side = 0; side < 2; side++) {
            if (world->pipes[i].host[side] == host && world->pipes[i].number[side] == number) {
                *ret_pipe = i;
                return side;
            }
        }
    }
    check_failed(__FILE__, __LINE__, "no connection %llu", (unsigned long long)number);
}

static bool *path_blocked(struct world *world, int one, int other)
{
    return one < other ? &world->blocked[one][other] : &world->blocked[other][one];
}

/* Host "h7", port 8: server 7. */
static void carry_out_dial(struct world *world, int which, const struct peer_effect *effect)
{
    int64_t id = 0;

    CHECK(effect->host.size > 1 && effect->host.data[0] == 'h');
    for (size_t i = 1; i < effect->host.size; i++)
        id = id * 10 + effect->host.data[i] - '0';
    CHECK_I64("port", effect->port_number, id + 1000);
    CHECK(world->pipe_count < PIPES_MAX);
    uint32_t pipe = world->pipe_count++;
    world->pipes[pipe] =
        (struct pipe){.host = {which, host_of(world, id)}, .number = {effect->connection, 0}};
    CHECK(world->pipes[pipe].host[1] >= 0);
    if (*path_blocked(world, which, world->pipes[pipe].host[1]))
        post(world, PACKET_CLOSE, pipe, 0, SLICE_NULL, CONNECT_TIMEOUT_MS);
    else
        post(world, PACKET_DIAL, pipe, 1, SLICE_NULL, some_delay_ms(world));
}

static void carry_out(struct world *world, int which)
{
    struct host *host = &world->hosts[which];

    for (size_t i = 0; i < host->effects.peer_count; i++) {
        const struct peer_effect *effect = &host->effects.peers[i];
        uint32_t pipe = 0;
        if (effect->kind == PEER_DIAL) {
            carry_out_dial(world, which, effect);
            continue;
        }
        int side = find_pipe(world, which, effect->connection, &pipe);
        if (effect->kind == PEER_SEND) {
            post(world, PACKET_BYTES, pipe, 1 - side,
                 slice_of(host->effects.peer_bytes.data + effect->offset, effect->size),
                 some_delay_ms(world));
        } else {
            CHECK(effect->kind == PEER_CLOSE);
            world->pipes[pipe].number[side] = 0;
            post(world, PACKET_CLOSE, pipe, 1 - side, SLICE_NULL, some_delay_ms(world));
        }
    }
    effects_clear(&host->effects);
}

/* The end of a turn: as ensemble_settle(). */
static void conclude(struct world *world, int which)
{
    struct host *host = &world->hosts[which];
    int64_t from;

    while (voting_hear(&host->voting, world->now_ms, &host->effects, &from))
        CHECK(from != host->id);
    voting_say(&host->voting, &host->effects);
    if (host->voting.effects.decided) {
        int64_t leader = election_vote(host->voting.election).leader;
        CHECK(host_of(world, leader) >= 0);
        CHECK((election_state(host->voting.election) == PEER_LEADING) == (leader == host->id));
        connections_set_looking(host->voting.connections, false);
        host->voting.effects.decided = false;
        host->role_since_ms = world->now_ms;
        if (world->first_leader == -1)
            world->first_leader = leader;
        world->two_leaders = world->two_leaders || world->first_leader != leader;
    }
    carry_out(world, which);
}

static void deliver_bytes(struct world *world, int which, uint64_t number, struct slice bytes)
{
    struct host *host = &world->hosts[which];

    while (bytes.size > 0 && connections_owns(host->voting.connections, number)) {
        size_t size = 1 + (size_t)chance(world, chance(world, 2) == 0 ? 8 : 4096);
        if (size > bytes.size)
            size = bytes.size;
        connections_bytes(host->voting.connections, number, slice_of(bytes.data, size),
                          world->now_ms, &host->effects);
        conclude(world, which);
        bytes = slice_of(bytes.data + size, bytes.size - size);
    }
}

static void deliver(struct world *world, const struct packet *packet)
{
    struct pipe *pipe = &world->pipes[packet->pipe];
    int which = pipe->host[packet->side];
    struct host *host = &world->hosts[which];
    uint64_t number = pipe->number[packet->side];

    if (packet->kind == PACKET_DIAL) {
        if (!host->up) {
            post(world, PACKET_CLOSE, packet->pipe, 0, SLICE_NULL, some_delay_ms(world));
            return;
        }
        pipe->accepted = true;
        pipe->number[1] = host->next_accepted;
        host->next_accepted += 2;
        post(world, PACKET_OPEN, packet->pipe, 0, SLICE_NULL, some_delay_ms(world));
        connections_opened(host->voting.connections, pipe->number[1], world->now_ms,
                           &host->effects);
    } else if (number == 0 || !host->up) {
        return; /* closed at this end */
    } else if (packet->kind == PACKET_OPEN) {
        connections_opened(host->voting.connections, number, world->now_ms, &host->effects);
    } else if (packet->kind == PACKET_BYTES) {
        deliver_bytes(world, which, number, buffer_slice(&packet->bytes));
        return;
    } else {
        pipe->number[packet->side] = 0;
        connections_closed(host->voting.connections, number, world->now_ms);
    }
    conclude(world, which);
}

static void deliver_due(struct world *world)
{
    for (;;) {
        size_t best = world->packet_count;
        for (size_t i = 0; i < world->packet_count; i++) {
            const struct packet *packet = &world->packets[i];
            const struct pipe *pipe = &world->pipes[packet->pipe];
            if (packet->at_ms > world->now_ms ||
                (packet->kind != PACKET_CLOSE &&
                 *path_blocked(world, pipe->host[0], pipe->host[1])))
                continue;
            if (best == world->packet_count || packet->at_ms < world->packets[best].at_ms ||
                (packet->at_ms == world->packets[best].at_ms &&
                 packet->order < world->packets[best].order))
                best = i;
        }
        if (best == world->packet_count)
            return;
        struct packet packet = world->packets[best];
        world->packets[best] = world->packets[--world->packet_count];
        deliver(world, &packet);
        buffer_deinit(&packet.bytes);
    }
}

/* ---- Servers ---- */

static void look(struct world *world, int which)
{
    struct host *host = &world->hosts[which];

    voting_look(&host->voting, host->zxid, host->epoch, world->now_ms);
    conclude(world, which);
}

static void boot(struct world *world, int which)
{
    struct host *host = &world->hosts[which];

    host->up = true;
    host->voting.election = election_new(&(struct election_options){
        .my_id = host->id, .finalize_ms = 200, .resend_min_ms = 200, .resend_max_ms = 60000});
    host->voting.connections =
        connections_new(&(struct connections_options){.my_id = host->id,
                                                      .hello_timeout_ms = 5000,
                                                      .redial_min_ms = 10,
                                                      .redial_max_ms = 1000,
                                                      .next_number = &host->next_dialled});
    election_set_members(host->voting.election, world->members, NULL, host->role);
    connections_set_members(host->voting.connections, world->members, NULL, &host->effects);
    look(world, which);
}

static void crash(struct world *world, int which)
{
    struct host *host = &world->hosts[which];

    voting_deinit(&host->voting);
    host->up = false;
    effects_clear(&host->effects);
    for (uint32_t i = 0; i < world->pipe_count; i++) {
        struct pipe *pipe = &world->pipes[i];
        if (pipe->host[0] != which && pipe->host[1] != which)
            continue;
        pipe->number[pipe->host[0] == which ? 0 : 1] = 0;
        break_pipe(world, i);
    }
}

static bool leads(const struct world *world, int64_t id)
{
    const struct host *host = &world->hosts[host_of(world, id)];

    return host->up && election_state(host->voting.election) == PEER_LEADING;
}

static bool follows(const void *context, int64_t id)
{
    const struct world *world = ((const struct world *const *)context)[0];
    const int64_t *leader = ((const int64_t *const *)context)[1];
    const struct host *host = &world->hosts[host_of(world, id)];

    return host->up && election_state(host->voting.election) != PEER_LOOKING &&
           election_vote(host->voting.election).leader == *leader;
}

static void run_out_of_patience(struct world *world, int which)
{
    struct host *host = &world->hosts[which];
    int64_t leader = election_vote(host->voting.election).leader,
            since_ms = world->now_ms - host->role_since_ms;
    const void *context[] = {world, &leader};

    if (election_state(host->voting.election) == PEER_LOOKING)
        return;
    if (election_state(host->voting.election) == PEER_LEADING) {
        if (since_ms >= LEAD_PATIENCE_MS && !membership_quorum(world->members, follows, context))
            look(world, which);
    } else if (since_ms >= FOLLOW_PATIENCE_MS &&
               (!leads(world, leader) || *path_blocked(world, which, host_of(world, leader)))) {
        look(world, which);
    }
}

static void step(struct world *world)
{
    world->now_ms++;
    deliver_due(world);
    for (int i = 0; i < world->count; i++) {
        struct host *host = &world->hosts[i];
        if (!host->up)
            continue;
        if (voting_wake_at_ms(&host->voting) <= world->now_ms) {
            voting_tick(&host->voting, world->now_ms, &host->effects);
            CHECK(voting_wake_at_ms(&host->voting) > world->now_ms);
            conclude(world, i);
        }
        run_out_of_patience(world, i);
    }
}

static bool settled(const struct world *world, int64_t *ret_leader)
{
    int64_t leader = -1;

    for (int i = 0; i < world->count; i++) {
        const struct host *host = &world->hosts[i];
        if (!host->up)
            continue;
        if (election_state(host->voting.election) == PEER_LOOKING ||
            (leader != -1 && election_vote(host->voting.election).leader != leader))
            return false;
        leader = election_vote(host->voting.election).leader;
    }
    *ret_leader = leader;
    return leader != -1 && leads(world, leader);
}

/* ---- Worlds ---- */

static bool not_above(const struct host *one, const struct host *other)
{
    if (one->epoch != other->epoch)
        return one->epoch < other->epoch;
    if (one->zxid != other->zxid)
        return one->zxid < other->zxid;
    return one->id <= other->id;
}

static struct world *world_new(uint64_t seed, int voters_min)
{
    struct world *world = mem_zalloc(sizeof(*world));
    struct buffer text = {0}, problem = {0};

    world->seed = seed;
    world->now_ms = 1000;
    world->first_leader = -1;
    int voters = voters_min + (int)chance(world, 6 - voters_min);
    world->count = voters + (int)chance(world, 3);
    world->delay_ms_max = 1 + (int)chance(world, 10);
    for (int i = 0; i < world->count; i++) {
        struct host *host = &world->hosts[i];
        do {
            host->id = 1 + chance(world, 250);
        } while (host_of(world, host->id) != i);
        host->role = i < voters ? MEMBER_PARTICIPANT : MEMBER_OBSERVER;
        host->epoch = 1 + chance(world, 2);
        host->zxid = host->epoch << 32 | chance(world, 4);
        host->next_dialled = 1;
        host->next_accepted = 2;
        buffer_printf(&text, "server.%d=h%d:1:%d:%s\n", (int)host->id, (int)host->id,
                      (int)host->id + 1000, i < voters ? "participant" : "observer");
    }
    world->members = membership_parse(buffer_slice(&text), &problem);
    CHECK(world->members != NULL);
    buffer_deinit(&text);
    buffer_deinit(&problem);
    return world;
}

static void world_free(struct world *world)
{
    for (int i = 0; i < world->count; i++) {
        voting_deinit(&world->hosts[i].voting);
        effects_deinit(&world->hosts[i].effects);
    }
    while (world->packet_count > 0)
        remove_packet(world, 0);
    mem_free(world->packets);
    membership_free(world->members);
    mem_free(world);
}

/* Voters that are up have one connection between each two. */
static void check_connected(const struct world *world)
{
    for (int one = 0; one < world->count; one++) {
        for (int other = 0; other < one; other++) {
            const struct host *a = &world->hosts[one], *b = &world->hosts[other];
            int pipes = 0;
            if (!a->up || !b->up || a->role != MEMBER_PARTICIPANT || b->role != MEMBER_PARTICIPANT)
                continue;
            for (uint32_t i = 0; i < world->pipe_count; i++) {
                const struct pipe *pipe = &world->pipes[i];
                if (pipe->accepted && pipe->number[0] != 0 && pipe->number[1] != 0 &&
                    ((pipe->host[0] == one && pipe->host[1] == other) ||
                     (pipe->host[0] == other && pipe->host[1] == one))) {
                    pipes++;
                    CHECK(world->hosts[pipe->host[0]].id > world->hosts[pipe->host[1]].id);
                }
            }
            CHECK_I64("connections", pipes, 1);
        }
    }
}

/* Settled for so long that nobody can lose patience. */
static void run_until_settled(struct world *world, int64_t within_ms)
{
    int64_t end_ms = world->now_ms + within_ms, since_ms = -1, leader = -1;

    while (world->now_ms < end_ms) {
        step(world);
        int64_t now_leader = -1;
        if (!settled(world, &now_leader) || now_leader != leader)
            since_ms = world->now_ms;
        leader = now_leader;
        if (world->now_ms - since_ms > LEAD_PATIENCE_MS + FOLLOW_PATIENCE_MS)
            return;
    }
    check_failed(__FILE__, __LINE__, "no leader for %d ms", (int)within_ms);
}

PROPERTY(servers_that_start_together_elect_the_best_of_them_over_one_connection_each)
{
    struct world *world = world_new(seed, 1);
    const struct host *best = NULL;

    for (int i = 0; i < world->count; i++) {
        if (world->hosts[i].role == MEMBER_PARTICIPANT &&
            (best == NULL || not_above(best, &world->hosts[i])))
            best = &world->hosts[i];
    }
    /* Not one after the other: who finds nobody there elects with those that are. */
    for (int i = 0; i < world->count; i++)
        boot(world, i);
    run_until_settled(world, 1000 + LEAD_PATIENCE_MS + FOLLOW_PATIENCE_MS);
    CHECK(!world->two_leaders);
    CHECK_I64("leader", world->first_leader, best->id);
    check_connected(world);
    world_free(world);
}

PROPERTY(when_the_leader_dies_the_others_need_a_few_exchanges)
{
    struct world *world = world_new(seed, 3);
    int64_t leader = -1, next = -1;

    for (int i = 0; i < world->count; i++)
        boot(world, i);
    run_until_settled(world, 10000);
    CHECK(settled(world, &leader));
    crash(world, host_of(world, leader));
    world->first_leader = -1;
    int64_t start_ms = world->now_ms;
    for (int i = 0; i < world->count; i++) /* each sees it in its time */
        world->hosts[i].role_since_ms = world->now_ms + chance(world, 10) - FOLLOW_PATIENCE_MS;
    do {
        step(world);
    } while ((!settled(world, &next) || next == leader) && world->now_ms - start_ms < 1000);
    CHECK(settled(world, &next) && !world->two_leaders);
    if (world->now_ms - start_ms > 10 + 5 * (world->delay_ms_max + 1))
        check_failed(__FILE__, __LINE__, "%d ms with a delay of %d",
                     (int)(world->now_ms - start_ms), world->delay_ms_max);
    boot(world, host_of(world, leader)); /* it comes back, and follows */
    run_until_settled(world, 10000);
    CHECK(settled(world, &leader));
    CHECK_I64("leader", leader, next);
    check_connected(world);
    world_free(world);
}

static void some_fault(struct world *world)
{
    int one = (int)chance(world, world->count), other = (int)chance(world, world->count);

    switch (chance(world, 8)) {
    case 0:
        if (world->hosts[one].up)
            crash(world, one);
        break;
    case 1:
    case 2:
        if (!world->hosts[one].up)
            boot(world, one);
        break;
    case 3:
        if (world->pipe_count > 0)
            break_pipe(world, (uint32_t)chance(world, world->pipe_count));
        break;
    case 4:
        *path_blocked(world, one, other) = one != other;
        break;
    default:
        *path_blocked(world, one, other) = false;
    }
}

PROPERTY(whatever_broke_one_leader_is_elected_over_one_connection_each_when_it_is_mended)
{
    struct world *world = world_new(seed, 1);
    int64_t end_ms = world->now_ms + 1 + chance(world, 4000), pause = 1 + chance(world, 100);

    while (world->now_ms < end_ms && world->pipe_count < PIPES_MAX / 2) {
        if (chance(world, pause) == 0)
            some_fault(world);
        step(world);
    }
    for (int i = 0; i < world->count; i++) {
        for (int other = 0; other < i; other++)
            *path_blocked(world, i, other) = false;
        if (!world->hosts[i].up)
            boot(world, i);
    }
    run_until_settled(world, 120000);
    for (int i = 0; i < CONNECT_TIMEOUT_MS + 2000; i++) /* a dial into nowhere has to end first */
        step(world);
    check_connected(world);
    world_free(world);
}
