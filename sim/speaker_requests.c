/* speaker_requests.c: what a model client asks by chance: reads and writes of a few nodes that all clients
 * share, its own ephemerals, containers and nodes with a time to live. */
#include "sim/chance.h"
#include "sim/speaker_parts.h"
#include "wire/zk.h"

#include <inttypes.h>
#include <stdio.h>

enum { PATHS = 6, FEW_PATHS = 2, ACLS = 3 };

/* Everybody may do everything with each of them. */
static void put_acl(struct buffer *body, int64_t which)
{
    struct buffer acl = {0};
    char other[24];

    snprintf(other, sizeof(other), "10.0.9.%d", (int)which);
    jute_put_acl(&acl, &(struct jute_acl){SLICE("world"), SLICE("anyone"), PERM_ALL});
    if (which > 0)
        jute_put_acl(&acl, &(struct jute_acl){SLICE("ip"), slice_text(other), PERM_READ});
    jute_put_vector(body,
                    (struct jute_vector){.bytes = buffer_slice(&acl), .count = 1 + (which > 0)});
    buffer_deinit(&acl);
}

static void put_value(struct speaker *speaker, struct buffer *body)
{
    char value[48];

    snprintf(value, sizeof(value), "c%d-%" PRIu64, speaker->index, ++speaker->values);
    jute_put_bytes(body, slice_text(value));
}

static void put_create(struct speaker *speaker, struct buffer *body, const char *path,
                       int32_t flags)
{
    jute_put_bytes(body, slice_text(path));
    put_value(speaker, body);
    put_acl(body, chance_below(&speaker->chance, ACLS));
    buffer_i32(body, flags);
}

static void put_path_and_i32(struct buffer *body, const char *path, int32_t value)
{
    jute_put_bytes(body, slice_text(path));
    buffer_i32(body, value);
}

static void put_set(struct speaker *speaker, struct buffer *body, const char *path, int32_t version)
{
    jute_put_bytes(body, slice_text(path));
    put_value(speaker, body);
    buffer_i32(body, version);
}

static void put_part(struct buffer *body, int32_t type)
{
    multi_header_write(body, &(struct multi_header){.type = type, .err = -1});
}

static void put_multi(struct speaker *speaker, struct buffer *body, const char *path)
{
    char other[PATH_BYTES];

    snprintf(other, sizeof(other), "/p%" PRId64, chance_below(&speaker->chance, PATHS));
    put_part(body, OP_SET_DATA);
    put_set(speaker, body, path, -1);
    if (chance_of(&speaker->chance, 2)) {
        put_part(body, OP_CHECK);
        put_path_and_i32(body, other, (int32_t)chance_below(&speaker->chance, 3));
    } else {
        put_part(body, OP_CREATE);
        put_create(speaker, body, "/p0/m-", MODE_PERSISTENT_SEQUENTIAL);
    }
    multi_header_write(body, &(struct multi_header){.type = -1, .done = true, .err = -1});
}

/* A container that is empty, or a node whose time is over, goes by itself. */
static int32_t choose_passing(struct speaker *speaker, struct asked *asked, struct buffer *body)
{
    int64_t which = chance_below(&speaker->chance, FEW_PATHS);
    int64_t kind = chance_below(&speaker->chance, 8);

    if (kind < 3) {
        snprintf(asked->path, sizeof(asked->path), "/t%" PRId64, which);
        if (kind == 0) {
            put_set(speaker, body, asked->path, -1);
            return OP_SET_DATA;
        }
        put_create(speaker, body, asked->path, MODE_TTL);
        buffer_i64(body, 50 + chance_below(&speaker->chance, 2000));
        return OP_CREATE_TTL;
    }
    snprintf(asked->path, sizeof(asked->path), "/c%" PRId64 "%s", which, kind < 5 ? "" : "/k");
    if (kind == 7) {
        put_path_and_i32(body, asked->path, -1);
        return OP_DELETE;
    }
    put_create(speaker, body, asked->path, kind < 5 ? MODE_CONTAINER : MODE_PERSISTENT);
    return kind < 5 ? OP_CREATE_CONTAINER : OP_CREATE;
}

static int32_t choose_acl(struct speaker *speaker, struct asked *asked, struct buffer *body)
{
    jute_put_bytes(body, slice_text(asked->path));
    put_acl(body, chance_below(&speaker->chance, ACLS));
    buffer_i32(body,
               chance_of(&speaker->chance, 4) ? (int32_t)chance_below(&speaker->chance, 3) : -1);
    return OP_SET_ACL;
}

static int32_t choose_write(struct speaker *speaker, struct asked *asked, struct buffer *body)
{
    switch (chance_below(&speaker->chance, 15)) {
    case 0:
    case 1:
        put_create(speaker, body, asked->path, MODE_PERSISTENT);
        return chance_of(&speaker->chance, 2) ? OP_CREATE : OP_CREATE2;
    case 2:
        put_path_and_i32(body, asked->path, -1);
        return OP_DELETE;
    case 3:
        snprintf(asked->path, sizeof(asked->path), "/e%d", speaker->index);
        put_create(speaker, body, asked->path, MODE_EPHEMERAL);
        return OP_CREATE;
    case 4:
        put_create(speaker, body, "/s-", MODE_EPHEMERAL_SEQUENTIAL);
        return OP_CREATE;
    case 5:
    case 6:
        put_multi(speaker, body, asked->path);
        return OP_MULTI;
    case 8:
    case 9:
        return choose_passing(speaker, asked, body);
    case 10:
        return choose_acl(speaker, asked, body);
    case 7:
        put_set(speaker, body, asked->path, (int32_t)chance_below(&speaker->chance, 4));
        return OP_SET_DATA;
    default:
        put_set(speaker, body, asked->path, -1);
        return OP_SET_DATA;
    }
}

static void choose_path(struct speaker *speaker, struct asked *asked)
{
    bool passing = chance_of(&speaker->chance, 10);
    int64_t which = chance_below(&speaker->chance, passing ? FEW_PATHS : PATHS);
    bool has_ttl = passing && chance_of(&speaker->chance, 2);

    snprintf(asked->path, sizeof(asked->path), "/%c%" PRId64,
             has_ttl   ? 't'
             : passing ? 'c'
                       : 'p',
             which);
}

/* Is there room for one more, when all that are asked for are armed? */
static bool may_watch(const struct speaker *speaker)
{
    size_t count = speaker->armed_count;

    for (size_t i = 0; i < speaker->asked_count; i++)
        count += speaker->asked[i].watch;
    return count < WATCHES_MAX;
}

static int32_t choose(struct speaker *speaker, struct asked *asked, struct buffer *body)
{
    int64_t kind = chance_below(&speaker->chance, 100);

    choose_path(speaker, asked);
    if (kind == 0)
        return OP_CLOSE_SESSION;
    if (kind < 5) {
        jute_put_bytes(body, slice_text(asked->path));
        return OP_SYNC;
    }
    if (kind < 10) {
        jute_put_bytes(body, slice_text(asked->path));
        jute_put_bool(body, false);
        return OP_GET_CHILDREN;
    }
    if (kind < 13) {
        jute_put_bytes(body, slice_text(asked->path));
        return OP_GET_ACL;
    }
    if (kind < 50) {
        asked->watch = may_watch(speaker) && chance_of(&speaker->chance, 5);
        jute_put_bytes(body, slice_text(asked->path));
        jute_put_bool(body, asked->watch);
        return chance_of(&speaker->chance, 3) ? OP_EXISTS : OP_GET_DATA;
    }
    snprintf(asked->path, sizeof(asked->path), "/p%" PRId64, chance_below(&speaker->chance, PATHS));
    return choose_write(speaker, asked, body);
}

void speaker_choose(struct speaker *speaker, struct asked *asked, struct buffer *body)
{
    *asked = (struct asked){.returned_before = speaker->world->highest_answered};
    asked->op = choose(speaker, asked, body);
    speaker->asked_to_close |= asked->op == OP_CLOSE_SESSION;
}
