#include "base/arena.h"
#include "test/lib/check.h"
#include "wire/jute.h"

enum { TEXT_BYTES_MAX = 64 };

static struct reader read_from(struct slice bytes, struct arena *arena)
{
    struct reader reader;

    reader_init(&reader, bytes, arena, TEXT_BYTES_MAX);
    return reader;
}

TEST(numbers_are_big_endian_and_signed)
{
    struct reader reader =
        read_from(SLICE("\xff\xff\xff\xfe\x01\x02\x03\x04\x05\x06\x07\x08\x80\0\0\0"), NULL);

    CHECK_I64("i32", reader_i32(&reader), -2);
    CHECK_I64("i64", reader_i64(&reader), 0x0102030405060708);
    CHECK_I64("lowest", reader_i32(&reader), INT32_MIN);
    CHECK_STATUS(reader.status, STATUS_OK);
}

TEST(any_byte_but_zero_is_true)
{
    struct reader reader = read_from(SLICE("\0\1\x80"), NULL);

    CHECK(!reader_bool(&reader));
    CHECK(reader_bool(&reader));
    CHECK(reader_bool(&reader));
    CHECK_STATUS(reader.status, STATUS_OK);
    CHECK(!reader_bool(&reader));
    CHECK_STATUS(reader.status, STATUS_MALFORMED);
}

TEST(short_numbers_are_malformed_and_read_as_zero)
{
    struct reader reader = read_from(SLICE("\1\2\3"), NULL);
    CHECK_I64("i32", reader_i32(&reader), 0);
    CHECK_STATUS(reader.status, STATUS_MALFORMED);
    CHECK_U64("nothing is left", reader_left(&reader), 0);

    reader = read_from(SLICE("\1\2\3\4\5\6\7"), NULL);
    CHECK_I64("i64", reader_i64(&reader), 0);
    CHECK_STATUS(reader.status, STATUS_MALFORMED);
}

TEST(after_the_first_error_everything_is_zero_or_null)
{
    struct reader reader = read_from(SLICE("\x7f\xff\xff\xff plenty of bytes behind it"), NULL);

    CHECK(reader_buffer(&reader).data == NULL);
    CHECK_STATUS(reader.status, STATUS_MALFORMED);
    CHECK_I64("i32", reader_i32(&reader), 0);
    CHECK_I64("i64", reader_i64(&reader), 0);
    CHECK(!reader_bool(&reader));
    CHECK(reader_buffer(&reader).data == NULL);
    CHECK(reader_text(&reader).data == NULL);
    CHECK_I64("texts", reader_texts(&reader).count, -1);
    CHECK_I64("acls", reader_acls(&reader).count, -1);
    CHECK_STATUS(reader.status, STATUS_MALFORMED);
}

TEST(null_bytes_to_read_are_empty_bytes)
{
    struct reader reader = read_from(SLICE_NULL, NULL);

    CHECK_U64("left", reader_left(&reader), 0);
    CHECK_I64("i32", reader_i32(&reader), 0);
    CHECK_STATUS(reader.status, STATUS_MALFORMED);
}

TEST(null_and_empty_buffers_differ)
{
    struct reader reader = read_from(SLICE("\xff\xff\xff\xff\0\0\0\0\0\0\0\2ab"), NULL);

    CHECK_SLICE("null", reader_buffer(&reader), SLICE_NULL);
    CHECK_SLICE("empty", reader_buffer(&reader), SLICE(""));
    CHECK_SLICE("two", reader_buffer(&reader), SLICE("ab"));
    CHECK_STATUS(reader.status, STATUS_OK);

    struct buffer out = {0};
    jute_put_bytes(&out, SLICE_NULL);
    jute_put_bytes(&out, SLICE(""));
    jute_put_bytes(&out, SLICE("ab"));
    CHECK_SLICE("written back", buffer_slice(&out), SLICE("\xff\xff\xff\xff\0\0\0\0\0\0\0\2ab"));
    buffer_deinit(&out);
}

TEST(a_buffer_with_a_wrong_length_is_malformed)
{
    static const struct {
        const char *name;
        struct slice bytes;
    } rows[] = {
        {"no length", SLICE("\0\0\0")},
        {"below -1", SLICE("\xff\xff\xff\xfe")},
        {"lowest", SLICE("\x80\0\0\0")},
        {"longer than the rest", SLICE("\0\0\0\3ab")},
        {"over the limit",
         SLICE("\0\0\0\x41"
               "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0")},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct reader reader = read_from(rows[i].bytes, NULL);
        CHECK_SLICE(rows[i].name, reader_buffer(&reader), SLICE_NULL);
        CHECK_STATUS(reader.status, STATUS_MALFORMED);
    }
}

TEST(a_buffer_at_the_limit_is_read)
{
    struct reader reader =
        read_from(SLICE("\0\0\0\x40"
                        "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"),
                  NULL);

    CHECK_U64("size", reader_buffer(&reader).size, TEXT_BYTES_MAX);
    CHECK_STATUS(reader.status, STATUS_OK);
}

/* What the real server echoes for each: docs/protocol.md, "Frames and records". */
static const struct {
    const char *name;
    struct slice sent, held;
} texts[] = {
    {"empty", SLICE(""), SLICE("")},
    {"ascii", SLICE("/a b~"), SLICE("/a b~")},
    {"zero byte", SLICE("a\0b"), SLICE("a\0b")},
    {"two bytes", SLICE("\xc2\x80\xdf\xbf"), SLICE("\xc2\x80\xdf\xbf")},
    {"three bytes", SLICE("\xe0\xa0\x80\xe9\xa6\xac\xef\xbf\xbf"),
     SLICE("\xe0\xa0\x80\xe9\xa6\xac\xef\xbf\xbf")},
    {"around the surrogates", SLICE("\xed\x9f\xbf\xee\x80\x80"), SLICE("\xed\x9f\xbf\xee\x80\x80")},
    {"an emoji becomes a pair", SLICE("\xf0\x9f\x98\x80"), SLICE("\xed\xa0\xbd\xed\xb8\x80")},
    {"the first and last pair", SLICE("\xf0\x90\x80\x80\xf4\x8f\xbf\xbf"),
     SLICE("\xed\xa0\x80\xed\xb0\x80\xed\xaf\xbf\xed\xbf\xbf")},
    {"a lone continuation", SLICE("a\x80z"), SLICE("a\xef\xbf\xbdz")},
    {"overlong slash", SLICE("\xc0\xaf"), SLICE("\xef\xbf\xbd\xef\xbf\xbd")},
    {"overlong of three", SLICE("\xe0\x80\xaf"), SLICE("\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd")},
    {"overlong of four", SLICE("\xf0\x80\x80\xaf"),
     SLICE("\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd")},
    {"beyond U+10FFFF", SLICE("\xf4\x90\x80\x80"),
     SLICE("\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd")},
    {"no lead byte at all", SLICE("\xff\xfe\xf5"), SLICE("\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd")},
    {"a surrogate is one replacement", SLICE("\xed\xa0\x80z"), SLICE("\xef\xbf\xbdz")},
    {"cut in two bytes", SLICE("a\xc3"), SLICE("a\xef\xbf\xbd")},
    {"cut in three bytes", SLICE("\xe9\xa6"), SLICE("\xef\xbf\xbd")},
    {"cut in four bytes", SLICE("\xf0\x9f\x98"), SLICE("\xef\xbf\xbd")},
    {"a broken one, then a good one", SLICE("\xe9\xa6z\xc3\xa9"), SLICE("\xef\xbf\xbdz\xc3\xa9")},
    {"four bytes broken at the last", SLICE("\xf0\x9f\x98z"), SLICE("\xef\xbf\xbdz")},
};

/* Before and after each of them stand so many ASCII characters, which are read in words. */
enum { AROUND_MAX = 17 };

static void check_text_held(size_t row, size_t before, size_t after)
{
    struct slice ascii = SLICE("abcdefghijklmnopq");
    struct buffer sent = {0}, held = {0}, packet = {0};
    struct arena arena;

    arena_init(&arena);
    buffer_append(&sent, slice_of(ascii.data, before));
    buffer_append(&sent, texts[row].sent);
    buffer_append(&sent, slice_of(ascii.data, after));
    buffer_append(&held, slice_of(ascii.data, before));
    buffer_append(&held, texts[row].held);
    buffer_append(&held, slice_of(ascii.data, after));
    jute_put_bytes(&packet, buffer_slice(&sent));
    struct reader reader = read_from(buffer_slice(&packet), &arena);
    CHECK_I64(texts[row].name, slice_equal(reader_text(&reader), buffer_slice(&held)), true);
    CHECK_STATUS(reader.status, STATUS_OK);
    CHECK_I64(texts[row].name, jute_text_clean(buffer_slice(&sent)),
              slice_equal(buffer_slice(&sent), buffer_slice(&held)));
    buffer_deinit(&sent);
    buffer_deinit(&held);
    buffer_deinit(&packet);
    arena_deinit(&arena);
}

TEST(a_text_is_held_as_java_holds_it)
{
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        for (size_t before = 0; before <= AROUND_MAX; before++) {
            check_text_held(i, before, 0);
            check_text_held(i, before, AROUND_MAX - before);
        }
    }
}

TEST(a_clean_text_is_not_copied)
{
    struct slice packet = SLICE("\0\0\0\2/a");
    struct reader reader = read_from(packet, NULL);

    CHECK(reader_text(&reader).data == packet.data + 4);
}

TEST(a_vector_of_texts_walks_in_order_clean_or_not)
{
    struct arena arena;
    struct slice clean = SLICE("\0\0\0\3\0\0\0\1a\xff\xff\xff\xff\0\0\0\0");
    struct slice dirty = SLICE("\0\0\0\2\0\0\0\1\xff\0\0\0\1b");
    struct slice text;

    arena_init(&arena);
    struct reader reader = read_from(clean, &arena);
    struct jute_vector vector = reader_texts(&reader);
    CHECK_I64("count", vector.count, 3);
    CHECK(vector.bytes.data == clean.data + 4);
    CHECK(jute_next_text(&vector, &text));
    CHECK_SLICE("first", text, SLICE("a"));
    CHECK(jute_next_text(&vector, &text));
    CHECK_SLICE("second", text, SLICE_NULL);
    CHECK(jute_next_text(&vector, &text));
    CHECK_SLICE("third", text, SLICE(""));
    CHECK(!jute_next_text(&vector, &text));
    CHECK(!jute_next_text(&vector, &text));

    reader = read_from(dirty, &arena);
    vector = reader_texts(&reader);
    CHECK(jute_next_text(&vector, &text));
    CHECK_SLICE("replaced", text, SLICE("\xef\xbf\xbd"));
    CHECK(jute_next_text(&vector, &text));
    CHECK_SLICE("behind it", text, SLICE("b"));
    CHECK(!jute_next_text(&vector, &text));
    CHECK_U64("all is read", reader_left(&reader), 0);
    arena_deinit(&arena);
}

TEST(a_vector_of_acls_walks_in_order_clean_or_not)
{
    struct arena arena;
    struct jute_acl acl;

    arena_init(&arena);
    struct reader reader = read_from(
        SLICE("\0\0\0\2\0\0\0\1\0\0\0\2ip\0\0\0\1\xf0\xff\xff\xff\xff\0\0\0\1\xffxxxx"), &arena);
    struct jute_vector vector = reader_acls(&reader);
    CHECK_STATUS(reader.status, STATUS_MALFORMED); /* 0xff xxxx is no id: a length of -9 million */
    CHECK_I64("count", vector.count, -1);

    reader = read_from(SLICE("\0\0\0\2\0\0\0\1\0\0\0\2ip\0\0\0\1\xf0"
                             "\0\0\0\x1f\0\0\0\1\xff\xff\xff\xff\xff"),
                       &arena);
    vector = reader_acls(&reader);
    CHECK_STATUS(reader.status, STATUS_OK);
    CHECK(jute_next_acl(&vector, &acl));
    CHECK_I64("perms", acl.perms, 1);
    CHECK_SLICE("scheme", acl.scheme, SLICE("ip"));
    CHECK_SLICE("id", acl.id, SLICE("\xef\xbf\xbd"));
    CHECK(jute_next_acl(&vector, &acl));
    CHECK_I64("perms", acl.perms, 31);
    CHECK_SLICE("scheme", acl.scheme, SLICE("\xef\xbf\xbd"));
    CHECK_SLICE("id", acl.id, SLICE_NULL);
    CHECK(!jute_next_acl(&vector, &acl));
    arena_deinit(&arena);
}

TEST(a_count_of_minus_one_is_null_and_below_it_is_empty)
{
    static const struct {
        const char *name;
        struct slice bytes;
        int32_t count;
        bool null;
    } rows[] = {{"-1", SLICE("\xff\xff\xff\xff"), -1, true},
                {"-2", SLICE("\xff\xff\xff\xfe"), 0, false},
                {"lowest", SLICE("\x80\0\0\0"), 0, false},
                {"0", SLICE("\0\0\0\0"), 0, false}};

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct reader reader = read_from(rows[i].bytes, NULL);
        struct jute_vector vector = reader_texts(&reader);
        CHECK_STATUS(reader.status, STATUS_OK);
        CHECK_I64(rows[i].name, vector.count, rows[i].count);
        CHECK_I64(rows[i].name, vector.bytes.data == NULL, rows[i].null);
        reader = read_from(rows[i].bytes, NULL);
        vector = reader_acls(&reader);
        CHECK_STATUS(reader.status, STATUS_OK);
        CHECK_I64(rows[i].name, vector.count, rows[i].count);
        CHECK_I64(rows[i].name, vector.bytes.data == NULL, rows[i].null);
    }
}

TEST(a_count_larger_than_the_data_is_malformed_at_once)
{
    struct reader reader = read_from(SLICE("\x7f\xff\xff\xff\0\0\0\0"), NULL);
    CHECK_I64("texts", reader_texts(&reader).count, -1);
    CHECK_STATUS(reader.status, STATUS_MALFORMED);

    reader = read_from(SLICE("\x7f\xff\xff\xff\0\0\0\0\0\0\0\0\0\0\0\0"), NULL);
    CHECK_I64("acls", reader_acls(&reader).count, -1);
    CHECK_STATUS(reader.status, STATUS_MALFORMED);

    reader = read_from(SLICE("\0\0"), NULL);
    CHECK_I64("no count", reader_texts(&reader).count, -1);
    CHECK_STATUS(reader.status, STATUS_MALFORMED);
}

TEST(a_null_vector_is_written_as_minus_one)
{
    struct buffer out = {0};

    jute_put_vector(&out, (struct jute_vector){SLICE_NULL, -1});
    jute_put_vector(&out, (struct jute_vector){SLICE("\0\0\0\1a"), 1});
    jute_put_bool(&out, true);
    jute_put_bool(&out, false);
    CHECK_SLICE("bytes", buffer_slice(&out), SLICE("\xff\xff\xff\xff\0\0\0\1\0\0\0\1a\1\0"));
    buffer_deinit(&out);
}

PROPERTY(any_bytes_become_a_clean_text_and_a_clean_text_stays)
{
    struct arena arena;
    uint8_t bytes[TEXT_BYTES_MAX];

    arena_init(&arena);
    for (int i = 0; i < 2000; i++) {
        size_t size = (size_t)random_below(&seed, TEXT_BYTES_MAX);
        for (size_t j = 0; j < size; j++) /* mostly bytes that begin or continue a character */
            bytes[j] = (uint8_t)(random_below(&seed, 3) == 0 ? random_below(&seed, 256)
                                                             : 0x80 + random_below(&seed, 128));
        struct buffer packet = {0};
        jute_put_bytes(&packet, slice_of(bytes, size));
        struct reader reader = read_from(buffer_slice(&packet), &arena);
        struct slice held = reader_text(&reader);
        CHECK_STATUS(reader.status, STATUS_OK);
        CHECK(held.size <= 3 * size);
        for (size_t j = 0; j + 2 < held.size; j++) { /* surrogates come in pairs, high one first */
            if (held.data[j] == 0xed && held.data[j + 1] >= 0xa0) {
                CHECK(held.data[j + 1] < 0xb0 && j + 4 < held.size);
                CHECK(held.data[j + 3] == 0xed && held.data[j + 4] >= 0xb0);
                j += 5;
            }
        }
        if (jute_text_clean(slice_of(bytes, size)))
            CHECK_SLICE("clean", held, slice_of(packet.data + 4, size));
        buffer_deinit(&packet);
        arena_reset(&arena);
    }
    arena_deinit(&arena);
}
