/* Can the simulator find bugs? Each deliberate one must be found within the stated number of seeds. The
 * seeds are always the same, so the answer is, too; when the simulator changes and a bug takes more
 * seeds, its number may grow, with a word why. What random seeds reach too seldom is found by a story
 * (STORY_FINDS in test_stories_*.c): there are the others of mutant.h and bug.h. */
#include "sim/cluster.h"
#include "test/lib/check.h"
#include "test/lib/guard.h"

#include <stdio.h>

/* What is wrong must be said in these words: it is one certain check that finds it. */
static void must_find_by(const char *name, enum mutant mutant, enum node_bug bug, uint64_t seeds,
                         const char *words)
{
    for (uint64_t seed = 1; seed <= seeds; seed++) {
        struct cluster_run run = {.seed = seed, .mutant = mutant, .bug = bug};
        struct cluster_verdict verdict = simulate_guarded(&run);
        if (!verdict.failed || strstr(verdict.problem, words) == NULL)
            continue;
        printf("%s: seed %" PRIu64 ": %s\n", name, seed, verdict.problem);
        return;
    }
    check_failed(__FILE__, __LINE__, "%s: not found within %" PRIu64 " seeds", name, seeds);
}

static void must_find(const char *name, enum mutant mutant, enum node_bug bug, uint64_t seeds)
{
    must_find_by(name, mutant, bug, seeds, "");
}

TEST(ack_before_fsync_is_found)
{
    must_find("ack_before_fsync", MUTANT_NONE, NODE_REPORTS_WRITES, 10);
}

TEST(leader_self_ack_early_is_found)
{
    must_find("leader_self_ack_early", MUTANT_LEADER_SELF_ACK_EARLY, NODE_RIGHT, 20);
}

TEST(epoch_before_history_is_found)
{
    must_find("epoch_before_history", MUTANT_EPOCH_BEFORE_HISTORY, NODE_WORKS_BEFORE_APPENDS, 100);
}

TEST(epoch_promise_volatile_is_found)
{
    must_find("epoch_promise_volatile", MUTANT_NONE, NODE_FORGETS_EPOCHS, 20);
}

TEST(diff_by_range_is_found)
{
    must_find("diff_by_range", MUTANT_DIFF_BY_RANGE, NODE_RIGHT, 300);
}

TEST(amnesiac_votes_is_found)
{
    must_find("amnesiac_votes", MUTANT_NONE, NODE_LOSES_ITS_DISK, 20);
}

TEST(old_owner_executes_is_found)
{
    must_find("old_owner_executes", MUTANT_OLD_OWNER_EXECUTES, NODE_RIGHT, 300);
}

TEST(observer_counts_is_found)
{
    must_find("observer_counts", MUTANT_OBSERVER_COUNTS, NODE_RIGHT, 100);
}

TEST(sync_local_is_found)
{
    must_find("sync_local", MUTANT_SYNC_LOCAL, NODE_RIGHT, 100);
}

TEST(watch_after_reply_is_found)
{
    must_find("watch_after_reply", MUTANT_NONE, NODE_SENDS_EVENTS_LATE, 20);
}

static void count_repairs(void *context, const char *line)
{
    int *repairs = context;

    *repairs += strstr(line, "it closes: the digest of this server's tree differs") != NULL;
}

TEST(a_server_whose_tree_has_a_wrong_byte_serves_it_to_nobody_and_repairs_itself)
{
    int repairs = 0;

    for (uint64_t seed = 1; seed <= 10; seed++) {
        struct settings settings = settings_of_seed(seed);
        settings.faults_ms = MUTANT_WRONG_UNTIL_MS;
        struct cluster_run run = {.seed = seed,
                                  .mutant = MUTANT_WRONG_BYTES,
                                  .settings = &settings,
                                  .trace = count_repairs,
                                  .context = &repairs};
        struct cluster_verdict verdict = simulate_guarded(&run);
        if (verdict.failed)
            check_failed(__FILE__, __LINE__, "seed %" PRIu64 ": %s", seed, verdict.problem);
    }
    CHECK(repairs > 10);
}

TEST(newleader_ack_async_is_found)
{
    must_find("newleader_ack_async", MUTANT_NEWLEADER_ACK_ASYNC, NODE_RIGHT, 10);
}

TEST(dirty_snapshot_is_found)
{
    must_find("dirty_snapshot", MUTANT_DIRTY_SNAPSHOT, NODE_RIGHT, 50);
}

TEST(diff_hole_is_found)
{
    must_find_by("diff_hole", MUTANT_DIFF_HOLE, NODE_RIGHT, 10, "there is a gap");
}

TEST(forward_gap_is_found)
{
    must_find("forward_gap", MUTANT_FORWARD_GAP, NODE_RIGHT, 10);
}

TEST(uptodate_old_commit_is_found)
{
    must_find("uptodate_old_commit", MUTANT_UPTODATE_OLD_COMMIT, NODE_RIGHT, 10);
}

TEST(commit_out_of_order_is_found)
{
    must_find("commit_out_of_order", MUTANT_COMMIT_OUT_OF_ORDER, NODE_RIGHT, 10);
}

TEST(trunc_off_by_one_is_found)
{
    must_find("trunc_off_by_one", MUTANT_TRUNC_OFF_BY_ONE, NODE_RIGHT, 300);
}

TEST(mem_ahead_vote_is_found)
{
    must_find("mem_ahead_vote", MUTANT_MEM_AHEAD_VOTE, NODE_RIGHT, 10);
}

TEST(stale_work_is_found)
{
    must_find("stale_work", MUTANT_STALE_WORK, NODE_RIGHT, 200);
}

TEST(half_open_forever_is_found)
{
    must_find("half_open_forever", MUTANT_HALF_OPEN_FOREVER, NODE_RIGHT, 100);
}

TEST(expire_without_quorum_is_found)
{
    must_find("expire_without_quorum", MUTANT_EXPIRE_WITHOUT_QUORUM, NODE_RIGHT, 100);
}

TEST(syncs_no_names_is_found)
{
    must_find("syncs_no_names", MUTANT_NONE, NODE_SYNCS_NO_NAMES, 20);
}

TEST(changes_between_two_servers_that_are_not_told_are_found)
{
    must_find("forgets_changes", MUTANT_NONE, NODE_FORGETS_CHANGES, 20);
}

TEST(children_of_another_node_are_found)
{
    must_find("lists_another", MUTANT_NONE, NODE_LISTS_ANOTHER, 20);
}

TEST(a_tree_that_differs_in_one_stat_is_found)
{
    must_find("changes_its_tree", MUTANT_NONE, NODE_CHANGES_ITS_TREE, 20);
}

TEST(a_session_that_only_one_server_has_is_found)
{
    must_find("keeps_a_session", MUTANT_NONE, NODE_KEEPS_A_SESSION, 5);
}

TEST(ephemeral_of_local_is_found)
{
    must_find("ephemeral_of_local", MUTANT_EPHEMERAL_OF_LOCAL, NODE_RIGHT, 100);
}

TEST(learners_that_are_far_behind_get_history_from_the_log_files_in_some_seeds)
{
    uint64_t seeds = 0;

    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct settings settings = settings_of_seed(seed);
        settings.faults_ms = 8000;
        struct cluster_run run = {.seed = seed, .settings = &settings};
        struct cluster_verdict verdict = simulate_guarded(&run);
        if (verdict.failed)
            check_failed(__FILE__, __LINE__, "seed %" PRIu64 ": %s", seed, verdict.problem);
        seeds += verdict.histories > 0;
    }
    CHECK(seeds >= 3);
}

TEST(an_acl_that_only_one_server_has_is_found)
{
    must_find_by("changes_an_acl", MUTANT_NONE, NODE_CHANGES_AN_ACL, 20, "has another ACL");
}

TEST(ttl_by_wall_clock_is_found)
{
    must_find_by("ttl_by_wall_clock", MUTANT_TTL_BY_WALL_CLOCK, NODE_RIGHT, 100, "it was to stay");
}

TEST(deletes_what_changed_is_found)
{
    must_find_by("deletes_what_changed", MUTANT_DELETES_WHAT_CHANGED, NODE_RIGHT, 100,
                 "it was to stay");
}

TEST(half_open_forever_answers_without_a_leader)
{
    must_find_by("half_open_forever", MUTANT_HALF_OPEN_FOREVER, NODE_RIGHT, 100,
                 "has not heard its leader");
}

TEST(trusts_old_contact_is_found)
{
    must_find_by("trusts_old_contact", MUTANT_TRUSTS_OLD_CONTACT, NODE_RIGHT, 200,
                 "has not heard its");
}

TEST(never_expires_is_found)
{
    must_find_by("never_expires", MUTANT_NEVER_EXPIRES, NODE_RIGHT, 50, "it keeps session");
}

TEST(wall_clock_expiry_ends_sessions_too_early)
{
    must_find_by("wall_clock_expiry", MUTANT_WALL_CLOCK_EXPIRY, NODE_RIGHT, 100, "it ends session");
}

/* In seeds where servers are often alone, and have sessions of their own. */
TEST(read_only_says_yes_is_found)
{
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct settings settings = settings_of_seed(seed);
        settings.read_only = settings.local_sessions = 1;
        settings.partition_one_in = 2;
        settings.library_clients = settings.clients;
        struct cluster_run run = {
            .seed = seed, .mutant = MUTANT_READ_ONLY_SAYS_YES, .settings = &settings};
        struct cluster_verdict verdict = simulate_guarded(&run);
        if (!verdict.failed ||
            strstr(verdict.problem, "a read-only server says 0 to a write") == NULL)
            continue;
        printf("read_only_says_yes: seed %" PRIu64 ": %s\n", seed, verdict.problem);
        return;
    }
    check_failed(__FILE__, __LINE__, "read_only_says_yes: not found within 20 seeds");
}
