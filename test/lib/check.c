#include "test/lib/check.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

enum { TESTS_MAX = 1000, PROPERTY_RUNS_MAX = 20, PROPERTY_WALL_MS = 2000 };

static struct check_test *first_test, **last_test = &first_test;
static uint64_t current_seed;
static bool has_seed;

void check_register(struct check_test *test)
{
    *last_test = test;
    last_test = &test->next;
}

_Noreturn void check_failed(const char *file, int line, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    fprintf(stderr, "%s:%d: failed: ", file, line);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    if (has_seed)
        fprintf(stderr, "replay with SEED=%" PRIu64 "\n", current_seed);
    _fail(file, line);
    abort(); /* _fail() has jumped */
}

void check_i64(const char *file, int line, const char *name, int64_t got, int64_t want)
{
    if (got != want)
        check_failed(file, line,
                     "%s: got %" PRId64 " (0x%" PRIx64 "), want %" PRId64 " (0x%" PRIx64 ")", name,
                     got, (uint64_t)got, want, (uint64_t)want);
}

void check_u64(const char *file, int line, const char *name, uint64_t got, uint64_t want)
{
    if (got != want)
        check_failed(file, line,
                     "%s: got %" PRIu64 " (0x%" PRIx64 "), want %" PRIu64 " (0x%" PRIx64 ")", name,
                     got, got, want, want);
}

void check_status(const char *file, int line, const char *name, enum status got, enum status want)
{
    if (got != want)
        check_failed(file, line, "%s: got '%s', want '%s'", name, status_text(got),
                     status_text(want));
}

static void print_slice(const char *what, struct slice bytes)
{
    fprintf(stderr, "  %s", what);
    if (bytes.data == NULL) {
        fprintf(stderr, " null\n");
        return;
    }
    fprintf(stderr, " size=%zu \"", bytes.size);
    for (size_t i = 0; i < bytes.size && i < 400; i++) {
        if (bytes.data[i] >= 0x20 && bytes.data[i] < 0x7f)
            fputc(bytes.data[i], stderr);
        else
            fprintf(stderr, "\\x%02x", bytes.data[i]);
    }
    fprintf(stderr, "\"\n");
}

void check_slice(const char *file, int line, const char *name, struct slice got, struct slice want)
{
    if ((got.data == NULL) == (want.data == NULL) && slice_equal(got, want))
        return;
    size_t same = 0;
    while (same < got.size && same < want.size && got.data[same] == want.data[same])
        same++;
    print_slice("got ", got);
    print_slice("want", want);
    check_failed(file, line, "%s: bytes differ at offset %zu", name, same);
}

void check_text(const char *file, int line, const char *name, const char *got, const char *want)
{
    if (got == NULL || want == NULL || strcmp(got, want) != 0)
        check_failed(file, line, "%s:\n  got  \"%s\"\n  want \"%s\"", name, got ? got : "(null)",
                     want ? want : "(null)");
}

uint64_t random_u64(uint64_t *seed) /* splitmix64 */
{
    uint64_t value = *seed += 0x9e3779b97f4a7c15u;

    value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9u;
    value = (value ^ value >> 27) * 0x94d049bb133111ebu;
    return value ^ value >> 31;
}

int32_t random_below(uint64_t *seed, int32_t bound)
{
    ASSERT(bound > 0);
    return (int32_t)(random_u64(seed) % (uint64_t)bound);
}

void random_fill(uint64_t *seed, void *bytes, size_t size)
{
    uint8_t *at = bytes;

    for (size_t i = 0; i < size; i++)
        at[i] = (uint8_t)random_u64(seed);
}

static const int fatal_signals[] = {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL};
static struct sigaction first_actions[ARRAY_LEN(fatal_signals)]; /* a sanitizer's, or the default */

/* Tells the seed, and lets what raised the signal raise it again. */
static void tell_seed(int signal_number)
{
    char line[64];
    int size = snprintf(line, sizeof(line), "replay with SEED=%" PRIu64 "\n", current_seed);

    if (has_seed && write(STDERR_FILENO, line, (size_t)size) < 0)
        _exit(1);
    for (size_t i = 0; i < ARRAY_LEN(fatal_signals); i++) {
        if (fatal_signals[i] == signal_number)
            (void)sigaction(signal_number, &first_actions[i], NULL);
    }
}

static int64_t wall_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void run_property(const struct check_test *test)
{
    const char *seed_text = getenv("SEED"), *runs_text = getenv("PROPERTY_RUNS");
    int64_t start_ms = wall_ms();
    long runs = runs_text == NULL ? PROPERTY_RUNS_MAX : atol(runs_text);

    has_seed = true;
    for (long run = 0; run < runs || run == 0; run++) {
        if (seed_text != NULL)
            current_seed = strtoull(seed_text, NULL, 0);
        else if (getrandom(&current_seed, sizeof(current_seed), 0) != sizeof(current_seed))
            check_failed(__FILE__, __LINE__, "no randomness");
        current_seed &= INT64_MAX; /* prints and parses the same everywhere */
        test->property(current_seed);
        if (seed_text != NULL || (runs_text == NULL && wall_ms() - start_ms > PROPERTY_WALL_MS))
            break;
    }
    has_seed = false;
}

static void run_one(void **state)
{
    const struct check_test *test = *state;

    for (size_t i = 0; i < ARRAY_LEN(fatal_signals); i++)
        signal(fatal_signals[i], tell_seed); /* cmocka's own handler would not tell the seed */
    has_seed = false;                        /* a failed property left by a jump */
    if (test->test != NULL)
        test->test();
    else
        run_property(test);
}

int main(int argc, char **argv)
{
    static struct CMUnitTest tests[TESTS_MAX];
    size_t count = 0;

    for (size_t i = 0; i < ARRAY_LEN(fatal_signals); i++)
        (void)sigaction(fatal_signals[i], NULL, &first_actions[i]);
    for (struct check_test *test = first_test; test != NULL; test = test->next) {
        ASSERT(count < TESTS_MAX);
        tests[count++] =
            (struct CMUnitTest){.name = test->name, .test_func = run_one, .initial_state = test};
    }
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    if (count == 0) {
        fprintf(stderr, "no tests in %s\n", argv[0]);
        return 1;
    }
    return _cmocka_run_group_tests(argv[0], tests, count, NULL, NULL);
}
