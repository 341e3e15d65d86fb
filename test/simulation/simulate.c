/* simulate.c: runs seeds of the simulated ensemble.
 *
 *     simulate SEED [NAME=VALUE...]        one seed, with its trace; a setting (sim/settings.h) is another one
 *     simulate --shrink SEED [NAME=VALUE...]  the smallest settings and the fewest faults that still fail
 *     simulate COUNT FIRST SECONDS [JOBS]  so many seeds from FIRST on (0: fresh ones), or until time is up
 *                                          (0: never), in JOBS processes
 *
 * The exit status is 0 only if every seed was good, and at least one ran. Assertions are on, and one that
 * fails is the verdict of its seed. */
#include "sim/cluster.h"
#include "test/lib/guard.h"
#include "test/lib/shrink.h"

#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { JOBS_MAX = 64 };

struct totals { /* of one process */
    uint64_t good, bad;
    int64_t simulated_ms;
};

static void print(void *context, const char *line)
{
    (void)context;
    puts(line);
}

static void tell(const struct cluster_run *run, const struct cluster_verdict *verdict)
{
    printf("seed %" PRIu64 ": %s; hash %016" PRIx64 ", %" PRId64 " ms, %" PRIu64 " writes, %" PRIu64
           " reads, %" PRIu64 " commits, %" PRIu64 " leaders, %" PRIu64 " crashes, %" PRIu64
           " read-only answers\n",
           run->seed, verdict->failed ? verdict->problem : "good", verdict->hash,
           verdict->simulated_ms, verdict->writes, verdict->reads, verdict->commits,
           verdict->elections, verdict->crashes, verdict->read_only);
    if (verdict->failed && run->settings == NULL)
        printf("to see it: make sim SEED=%" PRIu64 " (SHRINK=1: the smallest run that fails)\n",
               run->seed);
    fflush(stdout);
}

static void tell_shrunk(const struct shrunk *shrunk)
{
    char words[8192];

    shrunk_write(shrunk, words, sizeof(words));
    printf("%" PRIu64 " runs, the smallest that fails:\n    make sim SEED=%" PRIu64
           " SETTINGS=\"%s\"\n",
           shrunk->tries, shrunk->seed, words);
    for (size_t i = 0; i < settings_count(); i++) {
        struct settings settings = shrunk->settings;
        const struct setting *setting = settings_at(i);
        if (!setting->of_faults || !shrunk->has_only)
            printf("%10" PRId64 " %-18s %s\n", *settings_value(&settings, setting), setting->name,
                   setting->text);
    }
}

static int one(char **words, bool shrinks)
{
    struct shrunk shrunk = {.seed = strtoull(words[0], NULL, 0)};

    shrunk.settings = settings_of_seed(shrunk.seed);
    while (*++words != NULL) {
        if (!shrunk_read(&shrunk, *words)) {
            fprintf(stderr, "%s: no setting, see sim/settings.h\n", *words);
            return 2;
        }
    }
    struct cluster_run run = shrunk_run(&shrunk);
    run.trace = shrinks ? NULL : print;
    shrunk.verdict = simulate_guarded(&run);
    if (shrinks && shrunk.verdict.failed) {
        shrink(&shrunk);
        tell_shrunk(&shrunk);
        run = shrunk_run(&shrunk);
    }
    tell(&run, &shrunk.verdict);
    return shrunk.verdict.failed ? 1 : 0;
}

/* Every JOBS-th seed. */
static void some(uint64_t first, uint64_t count, uint64_t jobs, time_t end, struct totals *totals)
{
    for (uint64_t at = 0; at < count && (end == 0 || time(NULL) < end); at += jobs) {
        struct cluster_run run = {.seed = first + at};
        struct cluster_verdict verdict = simulate_guarded(&run);
        totals->simulated_ms += verdict.simulated_ms;
        totals->bad += verdict.failed;
        totals->good += !verdict.failed;
        if (verdict.failed || getenv("VERBOSE") != NULL)
            tell(&run, &verdict);
    }
}

static int many(uint64_t count, uint64_t first, int seconds, uint64_t jobs)
{
    size_t bytes = JOBS_MAX * sizeof(struct totals);
    struct totals *totals =
        mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    struct totals sum = {0};
    time_t end = seconds > 0 ? time(NULL) + seconds : 0;
    int status, crashed = 0;

    if (totals == MAP_FAILED)
        return 2;
    /* What a seed frees, the next one takes: nothing goes back to the system in between. */
    (void)mallopt(M_MMAP_THRESHOLD, 1 << 30);
    (void)mallopt(M_TRIM_THRESHOLD, 1 << 30);
    for (uint64_t job = 0; job < jobs; job++) {
        pid_t child = fork();
        if (child < 0)
            return 2;
        if (child == 0) {
            some(first + job, count - job, jobs, end, &totals[job]);
            exit(0);
        }
    }
    while (wait(&status) > 0)
        crashed += status != 0;
    for (uint64_t job = 0; job < jobs; job++) {
        sum.good += totals[job].good;
        sum.bad += totals[job].bad;
        sum.simulated_ms += totals[job].simulated_ms;
    }
    printf("seeds %" PRIu64 " to %" PRIu64 ": %" PRIu64 " good, %" PRIu64
           " bad, %d processes broken, %.1f simulated hours\n",
           first, first + count - 1, sum.good, sum.bad, crashed,
           (double)sum.simulated_ms / 3600000.0);
    return sum.bad > 0 || crashed > 0 || sum.good == 0 ? 1 : 0;
}

int main(int argc, char **argv)
{
    if (argc > 2 && strcmp(argv[1], "--shrink") == 0)
        return one(argv + 2, true);
    if (argc == 2 || (argc > 2 && strchr(argv[2], '=') != NULL))
        return one(argv + 1, false);
    if (argc < 4 || argc > 5) {
        fprintf(stderr, "simulate [--shrink] SEED [NAME=VALUE...] | simulate COUNT FIRST SECONDS "
                        "[JOBS]\n");
        return 2;
    }
    uint64_t count = strtoull(argv[1], NULL, 0), first = strtoull(argv[2], NULL, 0);
    uint64_t jobs = argc == 5 ? strtoull(argv[4], NULL, 0) : 1;
    if (first == 0 && getrandom(&first, sizeof(first), 0) != sizeof(first))
        return 2;
    first &= INT64_MAX; /* prints and parses the same everywhere */
    if (jobs < 1 || jobs > JOBS_MAX || jobs > count)
        return 2;
    return many(count, first, atoi(argv[3]), jobs);
}
