/* simulate.c: runs seeds of the simulated ensemble.
 *
 *     simulate SEED                  one seed, with its trace
 *     simulate COUNT FIRST SECONDS   so many seeds from FIRST on (0: fresh ones), until one fails or time
 *                                    is up */
#include "sim/cluster.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

static void print(void *context, const char *line)
{
    (void)context;
    puts(line);
}

static void tell(const struct cluster_run *run, const struct cluster_verdict *verdict)
{
    printf("seed %" PRIu64 ": %s; hash %016" PRIx64 ", %" PRId64 " ms, %" PRIu64 " writes, %" PRIu64
           " reads, %" PRIu64 " commits, %" PRIu64 " leaders, %" PRIu64 " crashes\n",
           run->seed, verdict->failed ? verdict->problem : "good", verdict->hash,
           verdict->simulated_ms, verdict->writes, verdict->reads, verdict->commits,
           verdict->elections, verdict->crashes);
    fflush(stdout);
}

int main(int argc, char **argv)
{
    struct cluster_run run = {.trace = print};

    if (argc == 2) {
        run.seed = strtoull(argv[1], NULL, 0);
        struct cluster_verdict verdict = cluster_simulate(&run);
        tell(&run, &verdict);
        return verdict.failed ? 1 : 0;
    }
    if (argc != 4)
        return 2;
    uint64_t count = strtoull(argv[1], NULL, 0);
    run.seed = strtoull(argv[2], NULL, 0);
    run.trace = NULL;
    if (run.seed == 0 && getrandom(&run.seed, sizeof(run.seed), 0) != sizeof(run.seed))
        return 2;
    run.seed &= INT64_MAX;
    time_t end = time(NULL) + atoi(argv[3]);
    uint64_t good = 0, bad = 0;
    int64_t simulated_ms = 0;
    for (; good + bad < count && time(NULL) < end; run.seed++) {
        struct cluster_verdict verdict = cluster_simulate(&run);
        simulated_ms += verdict.simulated_ms;
        bad += verdict.failed;
        good += !verdict.failed;
        if (verdict.failed)
            tell(&run, &verdict);
    }
    printf("%" PRIu64 " seeds good, %" PRIu64 " bad, %" PRId64 " simulated hours\n", good, bad,
           simulated_ms / 3600000);
    return bad > 0 ? 1 : 0;
}
