#include "test/lib/requests.h"

#include "test/lib/check.h"

#include <stdio.h>

const struct jute_vector OPEN_ACL = {{(const uint8_t *)"\0\0\0\x1f\0\0\0\5world\0\0\0\6anyone", 23},
                                     1};

struct jute_vector one_acl(struct slice scheme, struct slice id, int32_t perms)
{
    enum { LISTS = 256, LIST_BYTES_MAX = 512 };
    static uint8_t lists[LISTS][LIST_BYTES_MAX];
    static unsigned next;
    struct buffer bytes = {0};

    jute_put_acl(&bytes, &(struct jute_acl){scheme, id, perms});
    ASSERT(bytes.size <= LIST_BYTES_MAX);
    uint8_t *list = lists[next++ % LISTS];
    memcpy(list, bytes.data, bytes.size);
    struct jute_vector acl = {slice_of(list, bytes.size), 1};
    buffer_deinit(&bytes);
    return acl;
}

static struct slice text_or_null(const char *text)
{
    return text == NULL ? SLICE_NULL : slice_text(text);
}

void put_text(struct buffer *body, const char *text)
{
    jute_put_bytes(body, text_or_null(text));
}

void put_texts(struct buffer *body, int32_t count, const char *const *texts)
{
    buffer_i32(body, count);
    for (int32_t i = 0; i < count; i++)
        put_text(body, texts[i]);
}

static void put_whole_create(struct buffer *body, const char *path, struct slice data,
                             struct jute_vector acl, int32_t flags)
{
    create_request_write(body, &(struct create_request){text_or_null(path), data, acl, flags});
}

void put_create(struct buffer *body, const char *path, struct slice data, int32_t flags)
{
    put_whole_create(body, path, data, OPEN_ACL, flags);
}

void put_create_acl(struct buffer *body, const char *path, struct jute_vector acl, int32_t flags)
{
    put_whole_create(body, path, SLICE(""), acl, flags);
}

void put_create_ttl(struct buffer *body, const char *path, int32_t flags, int64_t ttl_ms)
{
    put_create(body, path, SLICE("t"), flags);
    buffer_i64(body, ttl_ms);
}

void put_path_version(struct buffer *body, const char *path, int32_t version)
{
    put_text(body, path);
    buffer_i32(body, version);
}

void put_set_data(struct buffer *body, const char *path, struct slice data, int32_t version)
{
    set_data_request_write(body, &(struct set_data_request){text_or_null(path), data, version});
}

void put_set_acl(struct buffer *body, const char *path, struct jute_vector acl, int32_t version)
{
    set_acl_request_write(body, &(struct set_acl_request){text_or_null(path), acl, version});
}

void put_path_watch(struct buffer *body, const char *path, bool watch)
{
    put_text(body, path);
    jute_put_bool(body, watch);
}

void put_path_type(struct buffer *body, const char *path, int32_t type)
{
    put_text(body, path);
    buffer_i32(body, type);
}

void put_multi_op(struct buffer *body, int32_t type)
{
    multi_header_write(body, &(struct multi_header){.type = type, .err = -1});
}

void put_multi_end(struct buffer *body)
{
    multi_header_write(body, &(struct multi_header){.type = -1, .done = true, .err = -1});
}

/* --- by chance --- */

static const char *random_path(uint64_t *seed, char at[64])
{
    static const char *const tops[] = {"/a", "/b", "/c", "/full", "/box", ""};
    static const char *const odd[] = {
        "/", "", "/a/", "x", "/a//b", "/zookeeper", "/zookeeper/odd", "/a/."};

    if (random_below(seed, 20) == 0)
        return odd[random_below(seed, (int32_t)ARRAY_LEN(odd))];
    int size = snprintf(at, 64, "%s", tops[random_below(seed, (int32_t)ARRAY_LEN(tops))]);
    for (int32_t depth = random_below(seed, 3); depth > 0; depth--)
        size += snprintf(at + size, 64 - (size_t)size, "/%c", 'a' + random_below(seed, 3));
    return size == 0 ? "/a" : at;
}

static struct slice random_data(uint64_t *seed, uint8_t at[256])
{
    int32_t kind = random_below(seed, 8);

    if (kind == 0)
        return SLICE_NULL;
    size_t size = (size_t)random_below(seed, kind == 1 ? 256 : 12);
    random_fill(seed, at, size);
    return slice_of(at, size);
}

static struct jute_vector random_acl(uint64_t *seed)
{
    switch (random_below(seed, 12)) {
    case 0:
        return one_acl(SLICE("world"), SLICE("anyone"), random_below(seed, 32));
    case 1:
        return one_acl(SLICE("auth"), SLICE(""), PERM_ALL);
    case 2:
        return one_acl(SLICE("ip"), SLICE("127.0.0.0/8"), PERM_ALL);
    case 3:
        return (struct jute_vector){SLICE(""), 0};
    case 4:
        return one_acl(SLICE("digest"), SLICE("u:Jq7wMyA/w2Vd5WIDAKdu4OIIFEQ="), PERM_ALL);
    default:
        return OPEN_ACL;
    }
}

static int32_t random_version(uint64_t *seed)
{
    int32_t version = random_below(seed, 8);
    return version > 2 ? -1 : version;
}

static int32_t random_create(uint64_t *seed, struct buffer *body, bool in_multi)
{
    static const int32_t types[] = {OP_CREATE,  OP_CREATE,           OP_CREATE,
                                    OP_CREATE2, OP_CREATE_CONTAINER, OP_CREATE_TTL};
    int32_t type = types[random_below(seed, (int32_t)ARRAY_LEN(types))];
    char path[64];
    uint8_t data[256];
    int32_t flags = random_below(seed, 4);

    if (type == OP_CREATE_TTL)
        flags = random_below(seed, 6) == 0 ? flags : MODE_TTL + random_below(seed, 2);
    else if (!in_multi && random_below(seed, 30) == 0)
        flags = random_below(seed, 9) - 1;
    if (in_multi)
        put_multi_op(body, type);
    put_whole_create(body, random_path(seed, path), random_data(seed, data), random_acl(seed),
                     flags);
    if (type == OP_CREATE_TTL)
        buffer_i64(body, random_below(seed, 10) == 0 ? 0 : 1 + random_below(seed, 100000));
    return type;
}

static int32_t random_single(uint64_t *seed, struct buffer *body, bool in_multi)
{
    char path[64];
    uint8_t data[256];
    int32_t kind = random_below(seed, in_multi ? 18 : 20);

    if (kind < 9)
        return random_create(seed, body, in_multi);
    int32_t type = kind < 13 ? OP_DELETE : kind < 17 ? OP_SET_DATA : OP_CHECK;
    if (kind >= 18 || (type == OP_CHECK && !in_multi))
        type = OP_SET_ACL;
    if (in_multi)
        put_multi_op(body, type);
    if (type == OP_SET_DATA)
        put_set_data(body, random_path(seed, path), random_data(seed, data), random_version(seed));
    else if (type == OP_SET_ACL)
        put_set_acl(body, random_path(seed, path), random_acl(seed), random_version(seed));
    else
        put_path_version(body, random_path(seed, path), random_version(seed));
    return type;
}

int32_t random_write(uint64_t *seed, struct buffer *body)
{
    if (random_below(seed, 5) != 0)
        return random_single(seed, body, /* in_multi= */ false);
    for (int32_t count = random_below(seed, 5); count > 0; count--)
        (void)random_single(seed, body, /* in_multi= */ true);
    put_multi_end(body);
    return OP_MULTI;
}

int32_t random_read(uint64_t *seed, struct buffer *body)
{
    static const int32_t types[] = {OP_EXISTS,
                                    OP_GET_DATA,
                                    OP_GET_CHILDREN,
                                    OP_GET_CHILDREN2,
                                    OP_GET_ACL,
                                    OP_GET_EPHEMERALS,
                                    OP_GET_ALL_CHILDREN_NUMBER,
                                    OP_SYNC,
                                    OP_WHO_AM_I,
                                    OP_PING,
                                    OP_ADD_WATCH,
                                    OP_REMOVE_WATCHES,
                                    OP_CHECK_WATCHES};
    int32_t type = types[random_below(seed, (int32_t)ARRAY_LEN(types))];
    char path[64];

    switch (type) {
    case OP_EXISTS:
    case OP_GET_DATA:
    case OP_GET_CHILDREN:
    case OP_GET_CHILDREN2:
        put_path_watch(body, random_path(seed, path), random_below(seed, 2) == 0);
        break;
    case OP_ADD_WATCH:
        put_path_type(body, random_path(seed, path), random_below(seed, 3));
        break;
    case OP_REMOVE_WATCHES:
    case OP_CHECK_WATCHES:
        put_path_type(body, random_path(seed, path), random_below(seed, 7));
        break;
    case OP_WHO_AM_I:
    case OP_PING:
        break;
    default:
        put_text(body, random_path(seed, path));
        break;
    }
    return type;
}
