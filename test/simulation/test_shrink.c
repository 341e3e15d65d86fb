/* A failing run gets smaller, and what is printed replays it. */
#include "sim/cluster.h"
#include "test/lib/check.h"
#include "test/lib/guard.h"
#include "test/lib/shrink.h"

TEST(a_failing_run_shrinks_to_what_it_needs)
{
    char words[4096];
    struct shrunk shrunk = {.seed = 1, .bug = NODE_REPORTS_WRITES};

    shrunk.settings = settings_of_seed(shrunk.seed);
    struct cluster_run run = shrunk_run(&shrunk);
    shrunk.verdict = simulate_guarded(&run);
    CHECK(shrunk.verdict.failed);
    const char *check = shrunk.verdict.check;
    shrink(&shrunk);
    CHECK(shrunk.verdict.failed && shrunk.verdict.check == check);
    CHECK_I64("servers", shrunk.settings.nodes, 3); /* this bug needs neither many nor any faults */
    CHECK_I64("observers", shrunk.settings.observers, 0);
    CHECK_I64("clients", shrunk.settings.clients, 1);
    CHECK(shrunk.has_only);
    CHECK_U64("faults", shrunk.only_count, 0);

    shrunk_write(&shrunk, words, sizeof(words));
    struct shrunk again = {.seed = 1, .bug = NODE_REPORTS_WRITES};
    again.settings = settings_of_seed(again.seed);
    for (char *at = words, *end; *at != '\0'; at = end) {
        end = strchr(at, ' ');
        end = end == NULL ? at + strlen(at) : end;
        bool last = *end == '\0';
        *end = '\0';
        CHECK(shrunk_read(&again, at));
        end += !last;
    }
    run = shrunk_run(&again);
    struct cluster_verdict verdict = simulate_guarded(&run);
    CHECK(verdict.failed && verdict.check == check);
    CHECK_U64("hash", verdict.hash, shrunk.verdict.hash);
}

TEST(a_word_that_is_no_setting_is_refused)
{
    struct shrunk shrunk = {.seed = 1};

    CHECK(!shrunk_read(&shrunk, "clients"));
    CHECK(!shrunk_read(&shrunk, "clint=1"));
    CHECK(!shrunk_read(&shrunk, "only=1,x"));
    CHECK(shrunk_read(&shrunk, "only=1,2"));
    CHECK_U64("faults", shrunk.only_count, 2);
}
