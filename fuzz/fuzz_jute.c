/* fuzz_jute.c: one byte chooses a record of schema.h, the rest is read as it. What was read is
 * written, read again and written again: both times the same bytes, and vectors can be walked. */
#include "base/arena.h"
#include "wire/records.h"
#include "wire/zk.h"

enum { TEXT_BYTES_MAX = 4096 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void walk(struct jute_vector vector, bool acls)
{
    struct jute_acl acl;
    struct slice text;
    int32_t count = vector.count, seen = 0;

    if (acls) {
        while (jute_next_acl(&vector, &acl)) {
            ASSERT(jute_text_clean(acl.scheme) && jute_text_clean(acl.id));
            seen++;
        }
    } else {
        while (jute_next_text(&vector, &text)) {
            ASSERT(jute_text_clean(text) || text.size > 0);
            seen++;
        }
    }
    ASSERT(seen == (count < 0 ? 0 : count) && vector.bytes.size == 0);
}

static void look_at_path(struct slice path)
{
    bool valid = zk_path_valid(path);

    ASSERT(!valid || (path.size > 0 && jute_text_clean(path)));
    ASSERT(zk_path_parent(path).size + zk_path_name(path).size <= path.size);
    ASSERT(!zk_path_special(path) || valid);
}

#define LOOK_i32(name) (void)record.name
#define LOOK_i64(name) (void)record.name
#define LOOK_boolean(name) (void)record.name
#define LOOK_buffer(name) (void)record.name
#define LOOK_text(name) look_at_path(record.name)
#define LOOK_texts(name) walk(record.name, /* acls= */ false)
#define LOOK_acls(name) (void)record.name
#define LOOK(type, name) LOOK_##type(name);

#define DEFINE_TRY(name, FIELDS)                                                                   \
    static void try_##name(struct slice bytes, struct arena *arena)                                \
    {                                                                                              \
        struct name record = {0};                                                                  \
        struct reader reader;                                                                      \
        struct buffer once = {0}, twice = {0};                                                     \
        reader_init(&reader, bytes, arena, TEXT_BYTES_MAX);                                        \
        if (name##_read(&reader, &record) == STATUS_OK) {                                          \
            FIELDS(LOOK)                                                                           \
            name##_write(&once, &record);                                                          \
            reader_init(&reader, buffer_slice(&once), arena, 3 * TEXT_BYTES_MAX);                  \
            if (name##_read(&reader, &record) != STATUS_OK || reader_left(&reader) != 0)           \
                __builtin_trap();                                                                  \
            name##_write(&twice, &record);                                                         \
            ASSERT(once.size <= 3 * bytes.size + 8);                                               \
        }                                                                                          \
        buffer_deinit(&once);                                                                      \
        buffer_deinit(&twice);                                                                     \
    }
WIRE_RECORDS(DEFINE_TRY)

#define NAME_TRY(name, FIELDS) try_##name,
static void (*const tries[])(struct slice, struct arena *) = {WIRE_RECORDS(NAME_TRY)};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;

    if (size == 0)
        return 0;
    arena_init(&arena);
    tries[data[0] % ARRAY_LEN(tries)](slice_of(data + 1, size - 1), &arena);
    arena_deinit(&arena);
    return 0;
}
