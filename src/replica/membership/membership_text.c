/* membership_text.c: a membership as the text of /zookeeper/config, NEWLEADER and notifications.
 *
 * Java writes its maps in the order of their hash tables: by bucket. Small ids come in their own
 * order; for large ones the order has to be computed, for the text is compared byte by byte. */
#include "replica/membership/membership.h"

#include "base/number.h"

#include <inttypes.h>

/* ---- Reading ---- */

static bool is_blank(uint8_t at)
{
    return at == ' ' || at == '\t' || at == '\f';
}

/* One line with something in it: "name=value". Comments and empty lines are passed over. */
static bool next_line(struct slice *text, struct slice *ret_name, struct slice *ret_value)
{
    while (text->size > 0) {
        size_t size = 0;
        while (size < text->size && text->data[size] != '\n' && text->data[size] != '\r')
            size++;
        struct slice line = slice_trim(slice_of(text->data, size));
        size += size < text->size ? 1 : 0;
        *text = slice_of(text->data + size, text->size - size);
        if (line.size == 0 || line.data[0] == '#' || line.data[0] == '!')
            continue;
        size_t name = 0;
        while (name < line.size && line.data[name] != '=' && line.data[name] != ':' &&
               !is_blank(line.data[name]))
            name++;
        *ret_name = slice_of(line.data, name);
        size_t value = name;
        while (value < line.size && is_blank(line.data[value]))
            value++;
        if (value < line.size && (line.data[value] == '=' || line.data[value] == ':'))
            value++;
        *ret_value = slice_trim(slice_of(line.data + value, line.size - value));
        return true;
    }
    return false;
}

struct membership *membership_parse(struct slice text, struct buffer *problem)
{
    struct membership *membership = membership_new();
    struct slice name, value;
    enum status status = STATUS_OK;
    int64_t server;

    while (status == STATUS_OK && next_line(&text, &name, &value))
        status = membership_add(membership, name, value, /* many_addresses= */ true, problem);
    if (status == STATUS_OK)
        status = membership_finish(membership, problem, &server);
    if (status == STATUS_OK)
        return membership;
    membership_free(membership);
    return NULL;
}

/* ---- Writing ---- */

/* A walk in the order of a HashMap<Long, ...> over records that begin with their int64_t key. */
struct hash_walk {
    const uint8_t *records;
    size_t record_size;
    uint32_t count, mask;
    bool begun;
    uint64_t place; /* of the record before */
    int64_t key;
};

static struct hash_walk hash_walk(const void *records, size_t record_size, uint32_t count)
{
    uint32_t capacity = 16;

    while (count > capacity / 4 * 3)
        capacity *= 2;
    return (struct hash_walk){
        .records = records, .record_size = record_size, .count = count, .mask = capacity - 1};
}

static uint32_t bucket_of(int64_t key, uint32_t mask)
{
    uint32_t hash = (uint32_t)((uint64_t)key ^ (uint64_t)key >> 32);

    return (hash ^ hash >> 16) & mask;
}

/* NULL: that was all. */
static const void *hash_next(struct hash_walk *walk)
{
    const uint8_t *best = NULL;
    uint64_t best_place = 0;
    int64_t best_key = 0;

    for (uint32_t i = 0; i < walk->count; i++) {
        const uint8_t *record = walk->records + i * walk->record_size;
        int64_t key;
        memcpy(&key, record, sizeof(key));
        uint64_t place = bucket_of(key, walk->mask);
        if (walk->begun && (place < walk->place || (place == walk->place && key <= walk->key)))
            continue;
        if (best != NULL && (place > best_place || (place == best_place && key >= best_key)))
            continue;
        best = record;
        best_place = place;
        best_key = key;
    }
    walk->begun = true;
    walk->place = best_place;
    walk->key = best_key;
    return best;
}

void membership_put_host(struct buffer *text, struct slice host)
{
    bool brackets = host.size > 0 && memchr(host.data, ':', host.size) != NULL;

    if (brackets)
        buffer_u8(text, '[');
    buffer_append(text, host);
    if (brackets)
        buffer_u8(text, ']');
}

static void put_server(struct buffer *text, const struct member *member)
{
    ASSERT(member->address_count > 0);
    buffer_printf(text, "server.%" PRId64 "=", member->id);
    for (uint32_t i = 0; i < member->address_count; i++) {
        const struct member_address *address = &member->addresses[i];
        if (i > 0)
            buffer_u8(text, '|');
        membership_put_host(text, address->host);
        buffer_printf(text, ":%u:%u", address->quorum_port, address->election_port);
    }
    buffer_printf(text, member->role == MEMBER_OBSERVER ? ":observer" : ":participant");
    if (member->client_host.data != NULL) {
        buffer_u8(text, ';');
        membership_put_host(text, member->client_host);
        buffer_printf(text, ":%u", member->client_port);
    }
    buffer_u8(text, '\n');
}

static void put_group(struct buffer *text, const struct membership *membership, int64_t group)
{
    struct hash_walk walk =
        hash_walk(membership->shares, sizeof(*membership->shares), membership->share_count);
    const struct membership_share *share;
    char separator = '=';

    buffer_printf(text, "group.%" PRId64, group);
    while ((share = hash_next(&walk)) != NULL) {
        if (share->group != group)
            continue;
        buffer_printf(text, "%c%" PRId64, separator, share->server);
        separator = ':';
    }
    buffer_u8(text, '\n');
}

void membership_write(struct buffer *text, const struct membership *membership)
{
    struct hash_walk walk =
        hash_walk(membership->members, sizeof(*membership->members), membership->member_count);
    const struct member *member;
    const struct membership_group *group;
    const struct membership_weight *weight;

    while ((member = hash_next(&walk)) != NULL)
        put_server(text, member);
    walk = hash_walk(membership->groups, sizeof(*membership->groups), membership->group_count);
    while ((group = hash_next(&walk)) != NULL)
        put_group(text, membership, group->id);
    walk = hash_walk(membership->weights, sizeof(*membership->weights), membership->weight_count);
    while ((weight = hash_next(&walk)) != NULL)
        buffer_printf(text, "weight.%" PRId64 "=%" PRId64 "\n", weight->server, weight->weight);
    buffer_printf(text, "version=%" PRIx64, (uint64_t)membership->version);
}

struct membership *membership_copy(const struct membership *membership)
{
    struct buffer text = {0}, problem = {0};

    membership_write(&text, membership);
    struct membership *copy = membership_parse(buffer_slice(&text), &problem);
    ASSERT(copy != NULL);
    buffer_deinit(&text);
    buffer_deinit(&problem);
    return copy;
}
