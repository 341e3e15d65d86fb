/* Whole elections: several machines, and between them connections that are slow, break and come back.
 *
 * The network is that of connections.h: a message that is lost with its connection is sent again by the
 * next one, if it was the last. Above each machine stands what a real server does with a decision: who
 * follows a server that does not lead, or leads without a quorum, looks again after a while. */
#include "replica/election/election.h"
#include "test/lib/check.h"

enum {
    SERVERS_MAX = 9,
    FINALIZE_MS = 200,
    FOLLOW_PATIENCE_MS = 500,
    LEAD_PATIENCE_MS = 2000,
    MESSAGES_FIRST = 64
};

struct message {
    int64_t at_ms;
    uint64_t order; /* of equal times */
    int from, to;
    uint64_t connection;
    struct notification said;
};

struct server {
    struct election *election;
    int64_t id, zxid, epoch, role_since_ms;
    enum member_role role;
    bool up;
};

struct wire { /* between two servers */
    bool open;
    uint64_t connection; /* a new number every time it opens */
    bool has_last[2];
    struct notification last[2]; /* from the lower index, from the higher */
    int64_t busy_until_ms[2];
};

struct world {
    uint64_t seed;
    int64_t now_ms;
    int count;
    struct server servers[SERVERS_MAX];
    struct wire wires[SERVERS_MAX][SERVERS_MAX]; /* [lower][higher] */
    struct message *messages;
    size_t message_count, message_capacity;
    uint64_t order;
    struct membership *members;
    int delay_ms_max;
    int64_t first_leader; /* of the first decision; -1: none */
    bool two_leaders;
};

static int64_t chance(struct world *world, int64_t bound)
{
    return random_below(&world->seed, (int32_t)bound);
}

static struct wire *wire_of(struct world *world, int one, int other)
{
    return one < other ? &world->wires[one][other] : &world->wires[other][one];
}

static void put_on_wire(struct world *world, int from, int to, const struct notification *said)
{
    struct wire *wire = wire_of(world, from, to);
    int side = from < to ? 0 : 1;

    wire->has_last[side] = true;
    wire->last[side] = *said;
    if (!wire->open)
        return;
    int64_t at_ms = world->now_ms + 1 + chance(world, world->delay_ms_max);
    if (at_ms < wire->busy_until_ms[side])
        at_ms = wire->busy_until_ms[side];
    wire->busy_until_ms[side] = at_ms;
    if (world->message_count == world->message_capacity) {
        world->message_capacity =
            world->message_capacity == 0 ? MESSAGES_FIRST : 2 * world->message_capacity;
        world->messages =
            mem_realloc(world->messages, world->message_capacity * sizeof(*world->messages));
    }
    world->messages[world->message_count++] =
        (struct message){at_ms, world->order++, from, to, wire->connection, *said};
}

static int index_of(const struct world *world, int64_t id)
{
    for (int i = 0; i < world->count; i++) {
        if (world->servers[i].id == id)
            return i;
    }
    return -1;
}

static bool less_or_same(const struct server *one, const struct server *other)
{
    if (one->epoch != other->epoch)
        return one->epoch < other->epoch;
    if (one->zxid != other->zxid)
        return one->zxid < other->zxid;
    return one->id <= other->id;
}

static void carry_out(struct world *world, int which, struct election_effects *effects)
{
    struct server *server = &world->servers[which];

    for (uint32_t i = 0; i < effects->send_count; i++) {
        struct notification said = effects->sends[i].notification;
        said.config = SLICE_NULL; /* borrowed */
        int to = index_of(world, effects->sends[i].to);
        CHECK(to >= 0 && to != which);
        put_on_wire(world, which, to, &said);
    }
    if (effects->decided) {
        struct vote vote = election_vote(server->election);
        int leader = index_of(world, vote.leader);
        CHECK(leader >= 0 && world->servers[leader].role == MEMBER_PARTICIPANT);
        CHECK((election_state(server->election) == PEER_LEADING) == (leader == which));
        CHECK((election_state(server->election) == PEER_OBSERVING) ==
              (server->role == MEMBER_OBSERVER));
        server->role_since_ms = world->now_ms;
        if (world->first_leader == -1)
            world->first_leader = vote.leader;
        world->two_leaders = world->two_leaders || world->first_leader != vote.leader;
    }
    election_effects_deinit(effects);
}

static void look(struct world *world, int which)
{
    struct election_effects effects = {0};
    struct server *server = &world->servers[which];

    election_start(server->election, server->zxid, server->epoch, world->now_ms, &effects);
    carry_out(world, which, &effects);
}

static void tell_link(struct world *world, int which, int other, enum election_link link)
{
    struct election_effects effects = {0};

    if (!world->servers[which].up)
        return;
    election_set_link(world->servers[which].election, world->servers[other].id, link, world->now_ms,
                      &effects);
    carry_out(world, which, &effects);
}

static void break_wire(struct world *world, int one, int other)
{
    struct wire *wire = wire_of(world, one, other);

    wire->open = false;
    tell_link(world, one, other, ELECTION_LINK_DOWN);
    tell_link(world, other, one, ELECTION_LINK_DOWN);
}

static void open_wire(struct world *world, int one, int other)
{
    int low = one < other ? one : other, high = one < other ? other : one;
    struct wire *wire = wire_of(world, one, other);

    if (wire->open || !world->servers[one].up || !world->servers[other].up)
        return;
    wire->open = true;
    wire->connection++;
    wire->busy_until_ms[0] = wire->busy_until_ms[1] = 0;
    for (int side = 0; side < 2; side++) {
        if (wire->has_last[side])
            put_on_wire(world, side == 0 ? low : high, side == 0 ? high : low, &wire->last[side]);
    }
    tell_link(world, low, high, ELECTION_LINK_OPEN);
    tell_link(world, high, low, ELECTION_LINK_OPEN);
}

static void boot(struct world *world, int which)
{
    struct server *server = &world->servers[which];

    server->election = election_new(&(struct election_options){.my_id = server->id,
                                                               .finalize_ms = FINALIZE_MS,
                                                               .resend_min_ms = 200,
                                                               .resend_max_ms = 60000});
    election_set_members(server->election, world->members, NULL, server->role);
    server->up = true;
    look(world, which);
}

static void crash(struct world *world, int which)
{
    struct server *server = &world->servers[which];

    election_free(server->election);
    server->election = NULL;
    server->up = false;
    for (int other = 0; other < world->count; other++) {
        if (other == which)
            continue;
        struct wire *wire = wire_of(world, which, other);
        wire->has_last[which < other ? 0 : 1] = false;
        break_wire(world, which, other);
    }
}

/* ---- What a real server does with a decision ---- */

static bool follows(const void *context, int64_t id)
{
    const struct world *world = ((const struct world *const *)context)[0];
    const int64_t *leader = ((const int64_t *const *)context)[1];
    const struct server *server = &world->servers[index_of(world, id)];

    return server->up && election_state(server->election) != PEER_LOOKING &&
           election_vote(server->election).leader == *leader;
}

static void run_out_of_patience(struct world *world, int which)
{
    struct server *server = &world->servers[which];
    enum peer_state state = election_state(server->election);
    int64_t leader_id = election_vote(server->election).leader;
    const void *context[] = {world, &leader_id};

    if (state == PEER_LOOKING)
        return;
    if (state == PEER_LEADING) {
        if (world->now_ms - server->role_since_ms >= LEAD_PATIENCE_MS &&
            !membership_quorum(world->members, follows, context))
            look(world, which);
        return;
    }
    const struct server *leader = &world->servers[index_of(world, leader_id)];
    bool leads = leader->up && election_state(leader->election) == PEER_LEADING &&
                 wire_of(world, which, index_of(world, leader_id))->open;
    if (!leads && world->now_ms - server->role_since_ms >= FOLLOW_PATIENCE_MS)
        look(world, which);
}

/* ---- Time ---- */

static void deliver(struct world *world)
{
    for (;;) {
        size_t best = world->message_count;
        for (size_t i = 0; i < world->message_count; i++) {
            const struct message *message = &world->messages[i];
            if (message->at_ms <= world->now_ms &&
                (best == world->message_count || message->at_ms < world->messages[best].at_ms ||
                 (message->at_ms == world->messages[best].at_ms &&
                  message->order < world->messages[best].order)))
                best = i;
        }
        if (best == world->message_count)
            return;
        struct message message = world->messages[best];
        world->messages[best] = world->messages[--world->message_count];
        struct wire *wire = wire_of(world, message.from, message.to);
        struct election_effects effects = {0};
        if (!wire->open || wire->connection != message.connection)
            continue; /* lost */
        election_hear(world->servers[message.to].election, world->servers[message.from].id,
                      &message.said, world->now_ms, &effects);
        carry_out(world, message.to, &effects);
    }
}

static void step(struct world *world)
{
    world->now_ms++;
    deliver(world);
    for (int i = 0; i < world->count; i++) {
        struct server *server = &world->servers[i];
        struct election_effects effects = {0};
        if (!server->up)
            continue;
        if (election_wake_at_ms(server->election) <= world->now_ms) {
            election_tick(server->election, world->now_ms, &effects);
            CHECK(election_wake_at_ms(server->election) > world->now_ms);
            carry_out(world, i, &effects);
        }
        run_out_of_patience(world, i);
    }
}

/* Everybody who is up has decided, for one leader who leads. */
static bool settled(const struct world *world, int64_t *ret_leader)
{
    int64_t leader = -1;

    for (int i = 0; i < world->count; i++) {
        const struct server *server = &world->servers[i];
        if (!server->up)
            continue;
        if (election_state(server->election) == PEER_LOOKING)
            return false;
        int64_t vote = election_vote(server->election).leader;
        if (leader != -1 && vote != leader)
            return false;
        leader = vote;
    }
    int which = index_of(world, leader);
    *ret_leader = leader;
    return which >= 0 && world->servers[which].up &&
           election_state(world->servers[which].election) == PEER_LEADING;
}

/* ---- Worlds ---- */

static void world_init(struct world *world, uint64_t seed, int observers_max)
{
    struct buffer text = {0}, problem = {0};

    *world = (struct world){.seed = seed, .now_ms = 1000, .first_leader = -1};
    int voters = 1 + (int)chance(world, 7);
    world->count = voters + (int)chance(world, observers_max + 1);
    world->delay_ms_max = 1 + (int)chance(world, 20);
    bool groups = voters == 6 && chance(world, 2) == 0;
    for (int i = 0; i < world->count; i++) {
        struct server *server = &world->servers[i];
        bool dup = true;
        while (dup) {
            server->id = 1 + chance(world, 250);
            dup = false;
            for (int other = 0; other < i; other++)
                dup = dup || world->servers[other].id == server->id;
        }
        server->role = i < voters ? MEMBER_PARTICIPANT : MEMBER_OBSERVER;
        server->epoch = 1 + chance(world, 2);
        server->zxid = server->epoch << 32 | chance(world, 4);
        buffer_printf(&text, "server.%d=h:1:2:%s\n", (int)server->id,
                      i < voters ? "participant" : "observer");
    }
    for (int i = 0; groups && i < 6; i += 2)
        buffer_printf(&text, "group.%d=%d:%d\n", i, (int)world->servers[i].id,
                      (int)world->servers[i + 1].id);
    world->members = membership_parse(buffer_slice(&text), &problem);
    CHECK(world->members != NULL);
    buffer_deinit(&text);
    buffer_deinit(&problem);
}

static void world_deinit(struct world *world)
{
    for (int i = 0; i < world->count; i++)
        election_free(world->servers[i].election);
    mem_free(world->messages);
    membership_free(world->members);
}

static bool not_above(const void *context, int64_t id)
{
    const struct world *world = ((const struct world *const *)context)[0];
    const struct server *leader = ((const struct server *const *)context)[1];

    return less_or_same(&world->servers[index_of(world, id)], leader);
}

static void check_leader(const struct world *world, int64_t leader_id)
{
    const struct server *leader = &world->servers[index_of(world, leader_id)];
    const void *context[] = {world, leader};

    CHECK(leader->role == MEMBER_PARTICIPANT);
    CHECK(membership_quorum(world->members, not_above, context));
}

static void run_until_settled(struct world *world, int64_t within_ms)
{
    int64_t end_ms = world->now_ms + within_ms, since_ms = -1, leader = -1;

    while (world->now_ms < end_ms) {
        step(world);
        int64_t now_leader = -1;
        if (!settled(world, &now_leader)) {
            since_ms = -1;
            continue;
        }
        if (since_ms == -1 || now_leader != leader)
            since_ms = world->now_ms;
        leader = now_leader;
        if (world->now_ms - since_ms > LEAD_PATIENCE_MS + FOLLOW_PATIENCE_MS) {
            check_leader(world, leader);
            return;
        }
    }
    check_failed(__FILE__, __LINE__, "no leader for %" PRId64 " ms", within_ms);
}

PROPERTY(without_faults_the_best_voter_and_nobody_else_is_ever_elected)
{
    struct world world;
    const struct server *best = NULL;

    world_init(&world, seed, 2);
    for (int i = 0; i < world.count; i++) {
        if (world.servers[i].role == MEMBER_PARTICIPANT &&
            (best == NULL || less_or_same(best, &world.servers[i])))
            best = &world.servers[i];
    }
    for (int i = 0; i < world.count; i++) { /* all within 50 ms */
        boot(&world, i);
        for (int other = 0; other < i; other++)
            open_wire(&world, i, other);
        for (int64_t left = chance(&world, 50 / world.count); left > 0; left--)
            step(&world);
    }
    /* Observers start last and ask again after 200, 400, 800 ms; they are told before. */
    run_until_settled(&world, 2000 + LEAD_PATIENCE_MS + FOLLOW_PATIENCE_MS);
    CHECK(!world.two_leaders);
    CHECK_I64("leader", world.first_leader, best->id);
    world_deinit(&world);
}

PROPERTY(when_the_leader_dies_the_others_elect_the_best_of_them_within_a_few_exchanges)
{
    struct world world;
    int64_t leader = -1;

    world_init(&world, seed, 0);
    for (int i = 0; i < world.count; i++)
        boot(&world, i);
    for (int i = 0; i < world.count; i++) {
        for (int other = 0; other < i; other++)
            open_wire(&world, i, other);
    }
    run_until_settled(&world, 10000);
    CHECK(settled(&world, &leader));
    crash(&world, index_of(&world, leader));
    world.first_leader = -1;
    world.two_leaders = false;
    int64_t start_ms = world.now_ms, next = -1;
    int up = 0;
    for (int i = 0; i < world.count; i++) { /* each sees it within 10 ms */
        world.servers[i].role_since_ms = world.now_ms + chance(&world, 10) - FOLLOW_PATIENCE_MS;
        up += world.servers[i].up ? 1 : 0;
    }
    step(&world);
    bool quorum = !world.members->hierarchical && up > world.count / 2;
    while (quorum && (!settled(&world, &next) || next == leader) && world.now_ms - start_ms < 1000)
        step(&world);
    if (quorum) {
        CHECK(settled(&world, &next));
        CHECK(!world.two_leaders);
        check_leader(&world, next);
        int64_t exchanges_ms = 12 + 4 * (world.delay_ms_max + 1);
        if (world.now_ms - start_ms > exchanges_ms)
            check_failed(__FILE__, __LINE__, "%d servers, delay %d: %d ms", world.count,
                         world.delay_ms_max, (int)(world.now_ms - start_ms));
    }
    world_deinit(&world);
}

static void some_fault(struct world *world)
{
    int one = (int)chance(world, world->count), other = (int)chance(world, world->count);

    switch (chance(world, 8)) {
    case 0:
        if (world->servers[one].up)
            crash(world, one);
        break;
    case 1:
    case 2:
        if (!world->servers[one].up)
            boot(world, one);
        break;
    case 3:
    case 4:
        if (one != other && wire_of(world, one, other)->open)
            break_wire(world, one, other);
        break;
    default:
        if (one != other)
            open_wire(world, one, other);
    }
}

PROPERTY(whatever_broke_one_leader_is_elected_when_it_is_mended)
{
    struct world world;

    world_init(&world, seed, 2);
    int64_t faults_end_ms = world.now_ms + 1 + chance(&world, 5000);
    int64_t pause = 1 + chance(&world, 100);
    while (world.now_ms < faults_end_ms) {
        if (chance(&world, pause) == 0)
            some_fault(&world);
        step(&world);
    }
    bool down = chance(&world, 2) == 0 && world.count >= 3 && !world.members->hierarchical;
    int stays_down = down ? (int)chance(&world, world.count) : -1;
    if (stays_down >= 0 && world.members->voter_count < 3)
        stays_down = -1;
    for (int i = 0; i < world.count; i++) {
        if (i == stays_down && world.servers[i].up)
            crash(&world, i);
        else if (i != stays_down && !world.servers[i].up)
            boot(&world, i);
    }
    for (int i = 0; i < world.count; i++) {
        for (int other = 0; other < i; other++)
            open_wire(&world, i, other);
    }
    run_until_settled(&world, 120000);
    world_deinit(&world);
}
