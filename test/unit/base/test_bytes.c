#include "base/arena.h"
#include "base/buffer.h"
#include "base/hash.h"
#include "base/list.h"
#include "test/lib/check.h"

TEST(equal_slices_have_equal_bytes)
{
    CHECK(slice_equal(SLICE("ab"), SLICE("ab")));
    CHECK(!slice_equal(SLICE("ab"), SLICE("abc")));
    CHECK(!slice_equal(SLICE("ab"), SLICE("ac")));
    CHECK(slice_equal(SLICE_NULL, SLICE("")));
    CHECK(slice_starts_with(SLICE("/a/b"), SLICE("/a")));
    CHECK(slice_starts_with(SLICE("/a"), SLICE_NULL));
    CHECK(!slice_starts_with(SLICE("/"), SLICE("/a")));
}

TEST(a_buffer_keeps_what_was_appended_while_it_grows)
{
    struct buffer buffer;

    buffer_init(&buffer);
    for (int32_t i = 0; i < 1000; i++)
        buffer_i32(&buffer, i * -3);
    for (int32_t i = 0; i < 1000; i++)
        CHECK_I64("number", (int32_t)load_be32(buffer.data + i * 4), i * -3);
    buffer_append(&buffer, SLICE_NULL);
    CHECK_U64("size", buffer.size, 4000);
    buffer_deinit(&buffer);
    CHECK(buffer.data == NULL && buffer.capacity == 0);
}

TEST(a_buffer_takes_numbers_big_endian_and_text)
{
    struct buffer buffer = {0};

    buffer_u8(&buffer, 7);
    buffer_i32(&buffer, -2);
    buffer_i64(&buffer, 0x0102030405060708);
    buffer_printf(&buffer, "%s=%d", "zxid", 12);
    CHECK_SLICE("bytes", buffer_slice(&buffer),
                SLICE("\x07\xff\xff\xff\xfe\x01\x02\x03\x04\x05\x06\x07\x08zxid=12"));
    CHECK_U64("be64", load_be64(buffer.data + 5), 0x0102030405060708);
    buffer_deinit(&buffer);
}

TEST(a_reserve_that_fits_moves_nothing)
{
    struct buffer buffer = {0};

    buffer_reserve(&buffer, 1000);
    uint8_t *data = buffer.data;
    buffer.size = 400;
    buffer_reserve(&buffer, 600);
    CHECK(buffer.data == data);
    buffer_reserve(&buffer, 601);
    CHECK(buffer.capacity >= 1001);
    buffer_deinit(&buffer);
}

TEST(an_arena_gives_aligned_memory_that_stays)
{
    struct arena arena;
    uint8_t *parts[300];

    arena_init(&arena);
    arena_reset(&arena); /* before any use: fine */
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        parts[i] = arena_alloc(&arena, i * 7);
        CHECK_U64("aligned", (uintptr_t)parts[i] % 16, 0);
        memset(parts[i], (int)i, i * 7);
    }
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        for (size_t j = 0; j < i * 7; j++)
            CHECK_U64("byte", parts[i][j], (uint8_t)i);
    }
    arena_deinit(&arena);
}

TEST(a_reset_arena_keeps_one_small_chunk_and_gives_back_a_large_one)
{
    struct arena arena;

    arena_init(&arena);
    uint8_t *first = arena_alloc(&arena, 100);
    arena_reset(&arena);
    CHECK(arena_alloc(&arena, 100) == first);
    CHECK(arena_alloc(&arena, 1000000) != NULL);
    arena_reset(&arena);
    CHECK(arena.chunk == NULL);
    CHECK(arena_alloc(&arena, 0) != NULL);
    arena_deinit(&arena);
}

TEST(an_arena_copies_bytes_and_null_stays_null)
{
    struct arena arena;
    char text[] = "abc";

    arena_init(&arena);
    struct slice copy = arena_copy(&arena, slice_text(text));
    text[0] = 'x';
    CHECK_SLICE("copy", copy, SLICE("abc"));
    CHECK_SLICE("null", arena_copy(&arena, SLICE_NULL), SLICE_NULL);
    CHECK_SLICE("empty", arena_copy(&arena, SLICE("")), SLICE(""));
    arena_deinit(&arena);
}

TEST(a_list_keeps_the_order_of_adding)
{
    struct list head, entries[3];

    list_init(&head);
    CHECK(list_empty(&head));
    for (size_t i = 0; i < ARRAY_LEN(entries); i++)
        list_add_last(&head, &entries[i]);
    CHECK(head.next == &entries[0] && entries[0].next == &entries[1] && head.prev == &entries[2]);
    list_remove(&entries[1]);
    CHECK(entries[0].next == &entries[2] && list_empty(&entries[1]));
    list_remove(&entries[1]); /* unlinked: no harm */
    list_remove(&entries[0]);
    list_remove(&entries[2]);
    CHECK(list_empty(&head));
}

PROPERTY(a_hash_depends_on_every_byte_the_size_and_the_seed)
{
    uint8_t bytes[40];

    random_fill(&seed, bytes, sizeof(bytes));
    for (size_t size = 0; size <= sizeof(bytes); size++) {
        uint64_t hash = hash_bytes(slice_of(bytes, size), seed);
        CHECK_U64("same again", hash_bytes(slice_of(bytes, size), seed), hash);
        CHECK(hash_bytes(slice_of(bytes, size), seed + 1) != hash);
        if (size > 0)
            CHECK(hash_bytes(slice_of(bytes, size - 1), seed) != hash);
        for (size_t i = 0; i < size; i++) {
            bytes[i] ^= 1;
            CHECK(hash_bytes(slice_of(bytes, size), seed) != hash);
            bytes[i] ^= 1;
        }
    }
}

TEST(every_status_has_its_own_words)
{
    for (int left = STATUS_OK; left <= STATUS_UNSUPPORTED; left++) {
        CHECK(strlen(status_text((enum status)left)) > 0);
        for (int right = STATUS_OK; right < left; right++)
            CHECK(strcmp(status_text((enum status)left), status_text((enum status)right)) != 0);
    }
    CHECK_TEXT("out of range", status_text((enum status)1000), "unknown status");
}

TEST(memory_of_zero_bytes_is_a_valid_pointer)
{
    void *memory = mem_alloc(0);
    CHECK(memory != NULL);
    memory = mem_realloc(memory, 0);
    CHECK(memory != NULL);
    mem_free(memory);
    memory = mem_zalloc(0);
    CHECK(memory != NULL);
    mem_free(memory);
    mem_free(NULL);
}
