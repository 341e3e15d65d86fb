/* check.h: macros over cmocka with which a test reads as a sentence.
 *
 *     TEST(a_sentence_that_is_proved) { CHECK(1 + 1 == 2); }
 *     PROPERTY(a_sentence_for_any_seed) { int32_t n = random_below(&seed, 100); ... }
 *
 * A file with tests needs nothing else: tests register themselves, main() is in check.c. A property
 * runs with several fresh seeds (at most 20 or two seconds); a failure prints its seed, and SEED=n
 * in the environment replays exactly it. PROPERTY_RUNS=n asks for n seeds. A word on the command
 * line runs the tests whose name matches it (`*` allowed). */
#ifndef TEST_LIB_CHECK_H
#define TEST_LIB_CHECK_H

#include "base/slice.h"

#include <inttypes.h>

struct check_test {
    const char *name;
    void (*test)(void); /* one of the two is set */
    void (*property)(uint64_t seed);
    struct check_test *next;
};
void check_register(struct check_test *test);

#define CHECK_REGISTER(test_name, kind)                                                            \
    static struct check_test test_name##_test = {.name = #test_name, .kind = test_name};           \
    __attribute__((constructor)) static void test_name##_register(void)                            \
    {                                                                                              \
        check_register(&test_name##_test);                                                         \
    }
#define TEST(test_name)                                                                            \
    static void test_name(void);                                                                   \
    CHECK_REGISTER(test_name, test)                                                                \
    static void test_name(void)
#define PROPERTY(test_name)                                                                        \
    static void test_name(uint64_t seed);                                                          \
    CHECK_REGISTER(test_name, property)                                                            \
    static void test_name(__attribute__((unused)) uint64_t seed)

/* All evaluate their arguments once; `name` says which row or value it was. A failure ends the
 * test and prints both sides. */
#define CHECK(condition)                                                                           \
    ((condition) ? (void)0 : check_failed(__FILE__, __LINE__, "%s", #condition))
#define CHECK_I64(name, got, want) check_i64(__FILE__, __LINE__, name, got, want)
#define CHECK_U64(name, got, want) check_u64(__FILE__, __LINE__, name, got, want)
#define CHECK_STATUS(got, want) check_status(__FILE__, __LINE__, #got, got, want)
#define CHECK_SLICE(name, got, want) check_slice(__FILE__, __LINE__, name, got, want)
#define CHECK_TEXT(name, got, want) check_text(__FILE__, __LINE__, name, got, want)

_Noreturn void check_failed(const char *file, int line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void check_i64(const char *file, int line, const char *name, int64_t got, int64_t want);
void check_u64(const char *file, int line, const char *name, uint64_t got, uint64_t want);
void check_status(const char *file, int line, const char *name, enum status got, enum status want);
void check_slice(const char *file, int line, const char *name, struct slice got, struct slice want);
void check_text(const char *file, int line, const char *name, const char *got, const char *want);

/* Repeatable chance: the same seed gives the same numbers everywhere. */
uint64_t random_u64(uint64_t *seed);
int32_t random_below(uint64_t *seed, int32_t bound); /* 0 .. bound - 1 */
void random_fill(uint64_t *seed, void *bytes, size_t size);

#endif
