/* membership.c: the servers, kept in order of their ids, and which of them are a quorum.
 *
 * Everything that was read is bounded by the size of its text; nothing here is called often, so
 * plain arrays are enough. server_line.c parses a line. */
#include "replica/membership/membership.h"

#include "base/array.h"
#include "base/number.h"
#include "replica/membership/server_line.h"

#include <inttypes.h>

enum { MEMBERS_FIRST = 8 };

struct membership *membership_new(void)
{
    struct membership *membership = mem_zalloc(sizeof(*membership));

    arena_init(&membership->arena);
    return membership;
}

void membership_free(struct membership *membership)
{
    if (membership == NULL)
        return;
    mem_free(membership->members);
    mem_free(membership->shares);
    mem_free(membership->groups);
    mem_free(membership->weights);
    arena_deinit(&membership->arena);
    mem_free(membership);
}

/* ---- Lines ---- */

/* The number after the dot of "group.7". */
static enum status number_of(struct slice name, const char *kind, struct buffer *problem,
                             int64_t *ret_number)
{
    const uint8_t *dot = memchr(name.data, '.', name.size);
    size_t used = dot == NULL ? 0 : (size_t)(dot + 1 - name.data);
    struct slice number = slice_of(name.data + used, name.size - used);

    if (number_parse(number, 10, ret_number))
        return STATUS_OK;
    buffer_printf(problem, "For input string: \"%.*s\", expected %s.<number>", (int)number.size,
                  number.data, kind);
    return STATUS_INVALID;
}

static enum status bad_number(struct slice text, const char *what, struct buffer *problem)
{
    buffer_printf(problem, "For input string: \"%.*s\", expected %s", (int)text.size, text.data,
                  what);
    return STATUS_INVALID;
}

static void put_member(struct membership *membership, const struct member *member)
{
    uint32_t at = 0;

    while (at < membership->member_count && membership->members[at].id < member->id)
        at++;
    if (at < membership->member_count && membership->members[at].id == member->id) {
        if (membership->members[at].role == MEMBER_PARTICIPANT) {
            ASSERT(membership->voter_count > 0);
            membership->voter_count--;
        }
    } else {
        membership->members = ARRAY_RESERVE(membership->members, membership->member_capacity,
                                            membership->member_count + 1, MEMBERS_FIRST);
        memmove(&membership->members[at + 1], &membership->members[at],
                (membership->member_count - at) * sizeof(*member));
        membership->member_count++;
    }
    membership->members[at] = *member;
    if (member->role == MEMBER_PARTICIPANT)
        membership->voter_count++;
    ASSERT(membership->voter_count <= membership->member_count);
}

static enum status add_server(struct membership *membership, struct slice name, struct slice value,
                              bool many_addresses, struct buffer *problem)
{
    struct member member = {0};
    enum status status = number_of(name, "server", problem, &member.id);

    if (status == STATUS_OK)
        status = server_line_read(&membership->arena, value, many_addresses, &member, problem);
    if (status == STATUS_OK) {
        ASSERT(member.address_count > 0);
        put_member(membership, &member);
    }
    return status;
}

static struct slice next_part(struct slice *list)
{
    const uint8_t *colon = memchr(list->data, ':', list->size);
    size_t size = colon == NULL ? list->size : (size_t)(colon - list->data);
    struct slice part = slice_of(list->data, size);

    *list = colon == NULL ? SLICE_NULL : slice_of(colon + 1, list->size - size - 1);
    return part;
}

static void remove_group(struct membership *membership, int64_t group)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < membership->share_count; i++) {
        if (membership->shares[i].group != group)
            membership->shares[kept++] = membership->shares[i];
    }
    ASSERT(kept <= membership->share_count);
    membership->share_count = kept;
}

static void put_share(struct membership *membership, int64_t server, int64_t group)
{
    uint32_t at = 0;

    membership->shares = ARRAY_RESERVE(membership->shares, membership->share_capacity,
                                       membership->share_count + 1, MEMBERS_FIRST);
    while (at < membership->share_count && membership->shares[at].server <= server)
        at++;
    memmove(&membership->shares[at + 1], &membership->shares[at],
            (membership->share_count - at) * sizeof(*membership->shares));
    membership->shares[at] = (struct membership_share){.server = server, .group = group};
    membership->share_count++;
}

/* group.G=1:2:3 */
static enum status add_group(struct membership *membership, struct slice name, struct slice value,
                             struct buffer *problem)
{
    int64_t group, server;
    enum status status = number_of(name, "group", problem, &group);

    if (status != STATUS_OK)
        return status;
    for (struct slice left = value; left.data != NULL;) {
        struct slice part = next_part(&left);
        if (!number_parse(part, 10, &server))
            return bad_number(part, "the numbers of servers, joined by ':'", problem);
    }
    remove_group(membership, group);
    for (struct slice left = value; left.data != NULL;) {
        if (number_parse(next_part(&left), 10, &server))
            put_share(membership, server, group);
    }
    membership->hierarchical = true;
    return STATUS_OK;
}

static struct membership_weight *find_weight(const struct membership *membership, int64_t server)
{
    for (uint32_t i = 0; i < membership->weight_count; i++) {
        if (membership->weights[i].server == server)
            return &membership->weights[i];
    }
    return NULL;
}

static void put_weight(struct membership *membership, int64_t server, int64_t weight)
{
    struct membership_weight *known = find_weight(membership, server);
    uint32_t at = 0;

    if (known != NULL) {
        known->weight = weight;
        return;
    }
    membership->weights = ARRAY_RESERVE(membership->weights, membership->weight_capacity,
                                        membership->weight_count + 1, MEMBERS_FIRST);
    while (at < membership->weight_count && membership->weights[at].server < server)
        at++;
    memmove(&membership->weights[at + 1], &membership->weights[at],
            (membership->weight_count - at) * sizeof(*membership->weights));
    membership->weights[at] = (struct membership_weight){server, weight};
    membership->weight_count++;
}

static enum status add_weight(struct membership *membership, struct slice name, struct slice value,
                              struct buffer *problem)
{
    int64_t server, weight;
    enum status status = number_of(name, "weight", problem, &server);

    if (status != STATUS_OK)
        return status;
    if (!number_parse(value, 10, &weight))
        return bad_number(value, "a weight", problem);
    put_weight(membership, server, weight);
    membership->hierarchical = true;
    return STATUS_OK;
}

enum status membership_add(struct membership *membership, struct slice name, struct slice value,
                           bool many_addresses, struct buffer *problem)
{
    if (slice_starts_with(name, SLICE("server.")))
        return add_server(membership, name, value, many_addresses, problem);
    if (slice_starts_with(name, SLICE("group")))
        return add_group(membership, name, value, problem);
    if (slice_starts_with(name, SLICE("weight")))
        return add_weight(membership, name, value, problem);
    if (slice_equal(name, SLICE("version")))
        return number_parse(value, 16, &membership->version)
                   ? STATUS_OK
                   : bad_number(value, "a version in hexadecimal", problem);
    buffer_printf(problem,
                  "Unrecognised parameter: %.*s, expected server.N, group.N, weight.N or version",
                  (int)name.size, name.data);
    return STATUS_INVALID;
}

/* ---- Groups ---- */

static void weigh_group(struct membership *membership, const struct membership_share *share)
{
    uint32_t at = 0;

    while (at < membership->group_count && membership->groups[at].id < share->group)
        at++;
    if (at == membership->group_count || membership->groups[at].id != share->group) {
        membership->groups = ARRAY_RESERVE(membership->groups, membership->group_capacity,
                                           membership->group_count + 1, MEMBERS_FIRST);
        memmove(&membership->groups[at + 1], &membership->groups[at],
                (membership->group_count - at) * sizeof(*membership->groups));
        membership->groups[at] = (struct membership_group){.id = share->group};
        membership->group_count++;
    }
    ASSERT(at < membership->group_count && membership->groups[at].id == share->group);
    membership->groups[at].weight += share->weight;
}

static uint32_t groups_of(const struct membership *membership, int64_t server)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < membership->share_count; i++)
        count += membership->shares[i].server == server ? 1 : 0;
    return count;
}

/* Who is in a group but no participant has a weight only where a line gives one; it can never be
 * acknowledged and still makes its group heavier, as in Java. */
enum status membership_finish(struct membership *membership, struct buffer *problem,
                              int64_t *ret_server)
{
    if (!membership->hierarchical)
        return STATUS_OK;
    for (uint32_t i = 0; i < membership->share_count; i++) {
        *ret_server = membership->shares[i].server;
        if (groups_of(membership, *ret_server) == 1)
            continue;
        buffer_printf(problem, "Server %" PRId64 "is in multiple groups", *ret_server);
        return STATUS_INVALID;
    }
    for (uint32_t i = 0; i < membership->member_count; i++) {
        const struct member *member = &membership->members[i];
        *ret_server = member->id;
        if (member->role != MEMBER_PARTICIPANT)
            continue;
        if (groups_of(membership, member->id) == 0) {
            buffer_printf(problem, "Server %" PRId64 "is not in a group", member->id);
            return STATUS_INVALID;
        }
        if (find_weight(membership, member->id) == NULL)
            put_weight(membership, member->id, 1);
    }
    membership->group_count = 0;
    for (uint32_t i = 0; i < membership->share_count; i++) {
        struct membership_share *share = &membership->shares[i];
        const struct membership_weight *weight = find_weight(membership, share->server);
        *ret_server = share->server;
        if (weight == NULL) {
            buffer_printf(problem,
                          "group.%" PRId64 " names server %" PRId64
                          ", which is no participant and has no weight",
                          share->group, share->server);
            return STATUS_INVALID;
        }
        share->weight = weight->weight;
        weigh_group(membership, share);
    }
    ASSERT(membership->group_count <= membership->share_count);
    return STATUS_OK;
}

/* ---- Questions ---- */

const struct member *membership_find(const struct membership *membership, int64_t id)
{
    for (uint32_t i = 0; i < membership->member_count; i++) {
        if (membership->members[i].id == id)
            return &membership->members[i];
    }
    return NULL;
}

bool membership_is_voter(const struct membership *membership, int64_t id)
{
    const struct member *member = membership_find(membership, id);

    return member != NULL && member->role == MEMBER_PARTICIPANT;
}

int64_t membership_weight(const struct membership *membership, int64_t id)
{
    if (!membership_is_voter(membership, id))
        return 0;
    if (!membership->hierarchical)
        return 1;
    const struct membership_weight *weight = find_weight(membership, id);
    ASSERT(weight != NULL); /* membership_finish() gave one to every voter */
    return weight->weight;
}

/* More than half of the weight of the group. */
static bool group_agrees(const struct membership *membership, const struct membership_group *group,
                         bool (*has)(const void *context, int64_t id), const void *context)
{
    int64_t weight = 0;
    bool any = false;

    for (uint32_t i = 0; i < membership->share_count; i++) {
        const struct membership_share *share = &membership->shares[i];
        if (share->group != group->id || !membership_is_voter(membership, share->server) ||
            !has(context, share->server))
            continue;
        weight += share->weight;
        any = true;
    }
    return any && weight > group->weight / 2;
}

bool membership_quorum(const struct membership *membership,
                       bool (*has)(const void *context, int64_t id), const void *context)
{
    uint32_t agreed = 0, counted = 0;

    if (!membership->hierarchical) {
        for (uint32_t i = 0; i < membership->member_count; i++) {
            const struct member *member = &membership->members[i];
            if (member->role == MEMBER_PARTICIPANT && has(context, member->id))
                agreed++;
        }
        ASSERT(agreed <= membership->voter_count);
        return agreed > membership->voter_count / 2;
    }
    for (uint32_t i = 0; i < membership->group_count; i++) {
        const struct membership_group *group = &membership->groups[i];
        if (group->weight == 0)
            continue;
        counted++;
        if (group_agrees(membership, group, has, context))
            agreed++;
    }
    ASSERT(agreed <= counted);
    return agreed > counted / 2;
}

static bool is_another(const void *context, int64_t id)
{
    return id != *(const int64_t *)context;
}

bool membership_heeds_oracle(const struct membership *membership)
{
    return membership->voter_count == 2 && !membership->hierarchical;
}

bool membership_can_spare(const struct membership *membership, int64_t id)
{
    return membership_quorum(membership, is_another, &id);
}

bool membership_same_servers(const struct membership *left, const struct membership *right)
{
    if (left->member_count != right->member_count || left->hierarchical != right->hierarchical ||
        left->share_count != right->share_count)
        return false;
    for (uint32_t i = 0; i < left->member_count; i++) {
        const struct member *one = &left->members[i], *other = &right->members[i];
        if (one->id != other->id || one->role != other->role)
            return false;
    }
    for (uint32_t i = 0; i < left->share_count; i++) {
        const struct membership_share *one = &left->shares[i], *other = &right->shares[i];
        if (one->server != other->server || one->group != other->group ||
            one->weight != other->weight)
            return false;
    }
    return true;
}
