#include "base/arena.h"
#include "test/lib/check.h"
#include "wire/records.h"
#include "wire/zk.h"

enum { TEXT_BYTES_MAX = 2097150 };

static struct arena arena;

/* --- a random value of each type of schema.h; memory is the arena's --- */

static int32_t random_i32(uint64_t *seed)
{
    return (int32_t)random_u64(seed);
}

static int64_t random_i64(uint64_t *seed)
{
    return (int64_t)random_u64(seed);
}

static bool random_boolean(uint64_t *seed)
{
    return random_below(seed, 2) == 0;
}

static struct slice random_text(uint64_t *seed)
{
    static const char *const texts[] = {"", "/", "/a", "/zoo/\xc3\xa9t\xc3\xa9/\xe9\xa6\xac",
                                        "world"};
    int32_t which = random_below(seed, (int32_t)ARRAY_LEN(texts) + 1);
    return which == (int32_t)ARRAY_LEN(texts) ? SLICE_NULL : slice_text(texts[which]);
}

static struct slice random_buffer(uint64_t *seed)
{
    if (random_below(seed, 4) == 0)
        return SLICE_NULL;
    size_t size = (size_t)random_below(seed, 40);
    uint8_t *bytes = arena_alloc(&arena, size);
    random_fill(seed, bytes, size);
    return slice_of(bytes, size);
}

static struct jute_vector random_vector(uint64_t *seed, bool acls)
{
    struct buffer bytes = {0};
    int32_t count = random_below(seed, 5) - 1;

    for (int32_t i = 0; i < count; i++) {
        struct jute_acl acl = {random_text(seed), random_text(seed), random_i32(seed)};
        if (acls)
            jute_put_acl(&bytes, &acl);
        else
            jute_put_bytes(&bytes, random_text(seed));
    }
    struct jute_vector vector = {arena_copy(&arena, buffer_slice(&bytes)), count};
    buffer_deinit(&bytes);
    return vector;
}

static struct jute_vector random_texts(uint64_t *seed)
{
    return random_vector(seed, /* acls= */ false);
}

static struct jute_vector random_acls(uint64_t *seed)
{
    return random_vector(seed, /* acls= */ true);
}

/* Written, read and written again: the same bytes. Cut anywhere: malformed, and the output of a
 * reader with trailing bytes is the same as without. */
#define FILL(type, name) record.name = random_##type(seed);
#define DEFINE_CHECK(name, FIELDS)                                                                 \
    static void check_##name(uint64_t *seed)                                                       \
    {                                                                                              \
        struct name record, again;                                                                 \
        struct buffer once = {0}, twice = {0};                                                     \
        struct reader reader;                                                                      \
        FIELDS(FILL)                                                                               \
        name##_write(&once, &record);                                                              \
        reader_init(&reader, buffer_slice(&once), &arena, TEXT_BYTES_MAX);                         \
        CHECK_STATUS(name##_read(&reader, &again), STATUS_OK);                                     \
        CHECK_U64(#name " bytes left", reader_left(&reader), 0);                                   \
        name##_write(&twice, &again);                                                              \
        CHECK_SLICE(#name, buffer_slice(&twice), buffer_slice(&once));                             \
        for (size_t cut = 0; cut < once.size; cut++) {                                             \
            reader_init(&reader, slice_of(once.data, cut), &arena, TEXT_BYTES_MAX);                \
            CHECK_STATUS(name##_read(&reader, &again), STATUS_MALFORMED);                          \
        }                                                                                          \
        buffer_deinit(&once);                                                                      \
        buffer_deinit(&twice);                                                                     \
    }
WIRE_RECORDS(DEFINE_CHECK)

PROPERTY(every_record_survives_the_wire_and_no_part_of_one_is_taken_for_a_whole)
{
#define RUN_CHECK(name, FIELDS) check_##name(&seed);
    for (int i = 0; i < 50; i++) {
        WIRE_RECORDS(RUN_CHECK)
        arena_reset(&arena);
    }
    arena_deinit(&arena);
}

/* --- packets captured from a real server --- */

static struct slice from_hex(const char *hex)
{
    size_t size = strlen(hex) / 2;
    uint8_t *bytes = arena_alloc(&arena, size);

    for (size_t i = 0; i < size; i++) {
        unsigned value = 0;
        for (int j = 0; j < 2; j++) {
            char digit = hex[2 * i + (size_t)j];
            value = value * 16 + (unsigned)(digit <= '9' ? digit - '0' : digit - 'a' + 10);
        }
        bytes[i] = (uint8_t)value;
    }
    return slice_of(bytes, size);
}

TEST(a_connect_request_reads_as_captured)
{
    struct connect_request request;
    struct reader reader;

    reader_init(&reader,
                from_hex("000000000000000000000000000075300000000000000000"
                         "000000100000000000000000000000000000000000"),
                &arena, TEXT_BYTES_MAX);
    CHECK_STATUS(connect_request_read(&reader, &request), STATUS_OK);
    CHECK_I64("timeout", request.timeout_ms, 30000);
    CHECK_I64("session", request.session_id, 0);
    CHECK_U64("password", request.password.size, PASSWORD_BYTES);
    CHECK_U64("the read-only byte is left", reader_left(&reader), 1);
    arena_deinit(&arena);
}

TEST(a_create_request_reads_as_captured)
{
    struct request_header header;
    struct create_request request;
    struct reader reader;
    struct jute_acl acl;

    reader_init(&reader,
                from_hex("0000000200000001000000022f78000000026869000000010000001f"
                         "00000005776f726c6400000006616e796f6e6500000000"),
                &arena, TEXT_BYTES_MAX);
    CHECK_STATUS(request_header_read(&reader, &header), STATUS_OK);
    CHECK_I64("xid", header.xid, 2);
    CHECK_I64("op", header.type, OP_CREATE);
    CHECK_STATUS(create_request_read(&reader, &request), STATUS_OK);
    CHECK_SLICE("path", request.path, SLICE("/x"));
    CHECK_SLICE("data", request.data, SLICE("hi"));
    CHECK_I64("flags", request.flags, MODE_PERSISTENT);
    CHECK(jute_next_acl(&request.acl, &acl));
    CHECK_I64("perms", acl.perms, PERM_ALL);
    CHECK_SLICE("scheme", acl.scheme, SLICE("world"));
    CHECK_SLICE("id", acl.id, SLICE("anyone"));
    CHECK(!jute_next_acl(&request.acl, &acl));
    arena_deinit(&arena);
}

TEST(an_event_is_written_as_captured)
{
    struct buffer packet = {0};
    struct reply_header header = {.xid = XID_NOTIFICATION, .zxid = 0x1ad};
    struct watcher_event event = {EVENT_CREATED, STATE_SYNC_CONNECTED, SLICE("/x")};

    reply_header_write(&packet, &header);
    watcher_event_write(&packet, &event);
    CHECK_SLICE("event", buffer_slice(&packet),
                from_hex("ffffffff00000000000001ad000000000000000100000003000000022f78"));
    buffer_deinit(&packet);
    arena_deinit(&arena);
}

TEST(a_reply_header_is_the_same_put_and_written)
{
    struct reply_header header = {.xid = 1, .zxid = 0x1ac, .err = ZK_NO_NODE};
    uint8_t put[REPLY_HEADER_BYTES];

    reply_header_put(put, &header);
    CHECK_SLICE("header", slice_of(put, sizeof(put)), from_hex("0000000100000000000001acffffff9b"));
    arena_deinit(&arena);
}

TEST(a_stat_is_written_as_captured)
{
    struct zk_stat stat = {.czxid = 0x1ad,
                           .mzxid = 0x1ad,
                           .ctime = 0x1a1fbd53256,
                           .mtime = 0x1a1fbd53256,
                           .data_length = 2,
                           .pzxid = 0x1ad};
    struct buffer bytes = {0};

    zk_stat_write(&bytes, &stat);
    CHECK_U64("size", bytes.size, STAT_BYTES);
    CHECK_SLICE("stat", buffer_slice(&bytes),
                from_hex("00000000000001ad00000000000001ad000001a1fbd53256000001a1fbd53256"
                         "000000000000000000000000000000000000000000000002"
                         "0000000000000000000001ad"));
    stat = (struct zk_stat){
        .version = 1, .cversion = 2, .aversion = 3, .ephemeral_owner = 4, .num_children = 5};
    bytes.size = 0;
    zk_stat_write(&bytes, &stat);
    CHECK_SLICE("other fields", slice_of(bytes.data + 32, 28),
                from_hex("000000010000000200000003000000000000000400000000"
                         "00000005"));
    buffer_deinit(&bytes);
    arena_deinit(&arena);
}
