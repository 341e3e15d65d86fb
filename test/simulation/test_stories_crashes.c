/* Stories of crashes between any two steps of discovery and synchronisation: at every line of the trace, and
 * in the middle of every change of the disk; of one server, and of all at once. Whatever is lost of what
 * was not synced, all come back, and nothing that a client was promised is gone. */
#include "sim/story.h"
#include "test/lib/tell.h"
#include "wire/zk.h"

#include <stdio.h>

struct scene {
    tell_story *prepare; /* ends where the first step begins */
    int server;          /* whose steps these are */
    size_t history_bytes_max;
    int steps_min; /* a loop over fewer proves nothing */
};

enum victim { VICTIM_IT, VICTIM_LEADER, VICTIM_ALL };

/* Of the run at hand. */
static const struct scene *scene;
static enum victim victim;
static enum sim_disk_loss loss;
static int step;
static bool reached;

static void crash_and_heal(struct story *story)
{
    int leader = story_leader(story);

    if (victim == VICTIM_ALL)
        story_power_off(story, loss);
    else
        story_crash(story, victim == VICTIM_IT || leader == 0 ? scene->server : leader, loss);
    story_run(story, 100);
    story_heal(story);
    for (int server = 1; server <= 3; server++) {
        story_connect(story, 2, server);
        story_read(story, 2, "/a", "one");
    }
}

static void crash_at_line(struct story *story)
{
    scene->prepare(story);
    reached = story_until_line(story, scene->server, step);
    if (reached)
        crash_and_heal(story);
}

static void crash_within_change(struct story *story)
{
    scene->prepare(story);
    uint64_t before = story_changes(story, scene->server);
    story_crash_at_change(story, scene->server, (uint64_t)step);
    story_run(story, 3000);
    reached = story_is_up(story, scene->server)
                  ? story_changes(story, scene->server) >= before + (uint64_t)step
                  : true;
    story_crash_at_change(story, scene->server, 0);
    if (!reached)
        return;
    story_crash(story, scene->server, loss);
    story_crash_at_change(story, scene->server,
                          1 + (uint64_t)step % 5); /* again, within the start */
    story_start(story, scene->server);
    story_run(story, 500);
    story_crash_at_change(story, scene->server, 0);
    crash_and_heal(story);
}

static void at_every_step(const struct scene *of, tell_story *crash, int steps_max)
{
    const struct story_options options = {.voters = 3, .history_bytes_max = of->history_bytes_max};

    scene = of;
    reached = true;
    for (step = 1; reached && step <= steps_max; step++) {
        for (int how = SIM_LOSE_SOME; how <= SIM_LOSE_NOTHING; how++) {
            loss = (enum sim_disk_loss)how;
            tell(crash, &options);
        }
    }
    printf("%d steps\n", step - 1);
    if (step - 1 < of->steps_min)
        check_failed(__FILE__, __LINE__, "only %d steps", step - 1);
}

static void at_every_line(const struct scene *of)
{
    for (victim = VICTIM_IT; victim <= VICTIM_ALL; victim++)
        at_every_step(of, crash_at_line, 200);
}

static void within_every_change(const struct scene *of, int changes)
{
    for (victim = VICTIM_IT; victim <= VICTIM_ALL; victim += VICTIM_ALL - VICTIM_IT)
        at_every_step(of, crash_within_change, changes);
}

/* --- the scenes --- */

static void write_some(struct story *story, int client)
{
    for (int i = 0; i < 6; i++)
        story_write(story, client, "/a", "one");
}

static void learner_needs_a_diff(struct story *story)
{
    tell_begin(story);
    story_crash(story, 1, SIM_LOSE_ALL);
    write_some(story, 1);
    story_start(story, 1);
}

static void learner_needs_a_trunc(struct story *story)
{
    tell_begin(story);
    tell_tail(story, 3, 4);
    story_until_leads(story, 2);
    story_connect(story, 2, 2);
    write_some(story, 2);
    story_crash(story, 3, SIM_LOSE_NOTHING);
    story_rejoin(story, 3);
    story_start(story, 3);
}

static void leader_needs_a_quorum(struct story *story)
{
    tell_begin(story);
    write_some(story, 1);
    story_power_off(story, SIM_LOSE_SOME);
    story_start_all(story);
}

static const struct scene diff_scene = {learner_needs_a_diff, 1, 0, 12};
static const struct scene snap_scene = {learner_needs_a_diff, 1, 200, 15};
static const struct scene trunc_scene = {learner_needs_a_trunc, 3, 0, 12};
static const struct scene snap_over_tail_scene = {learner_needs_a_trunc, 3, 200, 12};
static const struct scene lead_scene = {leader_needs_a_quorum, 3, 0, 11};
static const struct scene follow_scene = {leader_needs_a_quorum, 1, 0, 11};

TEST(zookeeper_4643_4785_a_crash_at_any_step_of_a_DIFF_loses_nothing)
{
    at_every_line(&diff_scene);
    within_every_change(&diff_scene, 40);
}

TEST(a_crash_at_any_step_of_a_SNAP_loses_nothing)
{
    at_every_line(&snap_scene);
    within_every_change(&snap_scene, 60);
}

TEST(a_crash_at_any_step_of_a_TRUNC_loses_nothing)
{
    at_every_line(&trunc_scene);
    within_every_change(&trunc_scene, 60);
}

TEST(a_crash_at_any_step_of_a_SNAP_over_a_tail_loses_nothing)
{
    at_every_line(&snap_over_tail_scene);
    within_every_change(&snap_over_tail_scene, 60);
}

TEST(a_crash_at_any_step_of_a_leader_to_be_loses_nothing)
{
    at_every_line(&lead_scene);
    within_every_change(&lead_scene, 30);
}

TEST(zookeeper_3911_4646_a_crash_of_all_at_any_step_of_a_new_epoch_loses_nothing)
{
    at_every_line(&follow_scene);
    within_every_change(&follow_scene, 30);
}
