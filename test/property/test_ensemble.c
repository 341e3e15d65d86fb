/* Ensembles in the simulator, with fresh seeds: `make sim SEED=n` replays one with its trace. */
#include "sim/cluster.h"
#include "test/lib/check.h"
#include "test/lib/guard.h"

PROPERTY(an_ensemble_keeps_its_promises_whatever_fails)
{
    struct cluster_run run = {.seed = seed};
    struct cluster_verdict verdict = simulate_guarded(&run);

    if (verdict.failed)
        check_failed(__FILE__, __LINE__, "%s (make sim SEED=%" PRIu64 ")", verdict.problem, seed);
    CHECK(verdict.elections > 0 && verdict.writes > 0 && verdict.reads > 0);
}

PROPERTY(the_same_seed_gives_the_same_run)
{
    struct settings settings = settings_of_seed(seed);
    settings.faults_ms = 3000;
    struct cluster_run run = {.seed = seed, .settings = &settings};
    struct cluster_verdict first = cluster_simulate(&run), second = cluster_simulate(&run);

    CHECK_U64("hash of all that happened", second.hash, first.hash);
    CHECK(first.hash != 0);
}
