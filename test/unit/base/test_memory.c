#include "base/arena.h"
#include "base/buffer.h"
#include "test/lib/check.h"

#include <setjmp.h>
#include <string.h>

enum { MORE_THAN_ONE_CHUNK = 200 * 1024 };

/* No object is so large; volatile, so that no compiler knows. */
static volatile size_t impossible = SIZE_MAX - 64;

static jmp_buf way_out;
static char sentence[512];

static void leave_with_the_sentence(const char *said)
{
    strncpy(sentence, said, sizeof(sentence) - 1);
    longjmp(way_out, 1);
}

static void only_a_bug_breaks_this(int number)
{
    ASSERT(number == 1);
}

TEST(the_handler_is_told_which_assertion_failed)
{
    base_on_fatal(leave_with_the_sentence);
    if (setjmp(way_out) == 0) {
        only_a_bug_breaks_this(2);
        check_failed(__FILE__, __LINE__, "the assertion let it pass");
    }
    base_on_fatal(NULL);
    CHECK(strstr(sentence, "assertion failed at ") != NULL);
    CHECK(strstr(sentence, "test_memory.c:") != NULL);
    CHECK(strstr(sentence, ": number == 1") != NULL);
}

TEST(the_handler_is_told_how_much_memory_was_wanted)
{
    base_on_fatal(leave_with_the_sentence);
    if (setjmp(way_out) == 0) {
        mem_free(mem_alloc(impossible));
        check_failed(__FILE__, __LINE__, "there cannot be so much memory");
    }
    base_on_fatal(NULL);
    CHECK_TEXT("sentence", sentence, "out of memory: wanted bytes=18446744073709551551");
}

TEST(memory_that_may_be_missing_is_null_when_it_is)
{
    uint8_t *kept = mem_try_alloc(4);

    CHECK(mem_try_alloc(impossible) == NULL);
    CHECK(mem_try_zalloc(impossible) == NULL);
    CHECK(kept != NULL);
    memcpy(kept, "abcd", 4);
    CHECK(mem_try_realloc(kept, impossible) == NULL);
    CHECK(memcmp(kept, "abcd", 4) == 0);
    uint8_t *grown = mem_try_realloc(kept, 8);
    CHECK(grown != NULL && memcmp(grown, "abcd", 4) == 0);
    mem_free(grown);
}

TEST(no_bytes_at_all_are_a_valid_pointer)
{
    void *memory = mem_try_alloc(0), *zeroed = mem_try_zalloc(0);

    CHECK(memory != NULL && zeroed != NULL);
    mem_free(memory);
    mem_free(zeroed);
}

TEST(a_buffer_that_cannot_grow_is_as_it_was)
{
    struct buffer buffer = {0};

    buffer_append(&buffer, SLICE("kept"));
    const uint8_t *before = buffer.data;
    size_t capacity = buffer.capacity;
    CHECK(!buffer_try_reserve(&buffer, impossible));
    CHECK(!buffer_try_reserve(&buffer, SIZE_MAX));
    CHECK(buffer.data == before && buffer.capacity == capacity);
    CHECK_SLICE("bytes", buffer_slice(&buffer), SLICE("kept"));
    buffer_deinit(&buffer);
}

TEST(appending_what_was_reserved_needs_no_more_memory)
{
    struct buffer buffer = {0};

    CHECK(buffer_try_reserve(&buffer, MORE_THAN_ONE_CHUNK));
    const uint8_t *reserved = buffer.data;
    memset(buffer_extend(&buffer, MORE_THAN_ONE_CHUNK), 'x', MORE_THAN_ONE_CHUNK);
    CHECK(buffer.data == reserved);
    buffer_deinit(&buffer);
}
