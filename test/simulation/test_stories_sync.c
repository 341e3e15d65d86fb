/* Stories of synchronisation: how a server comes to the leader's history. */
#include "sim/story.h"
#include "test/lib/tell.h"
#include "wire/zk.h"

static void begin(struct story *story)
{
    story_settle(story);
    story_connect(story, 1, story_leader(story));
    story_create(story, 1, "/a", MODE_PERSISTENT);
    story_write(story, 1, "/a", "zero");
}

STORY(an_ensemble_serves_and_a_lost_leader_is_followed_by_another, .voters = 3)
{
    begin(story);
    story_check(story, story_leader(story) == 3, "server 3 leads");
    story_crash(story, 3, SIM_LOSE_ALL);
    story_until(story, 2, "LEADING of epoch 2 serves");
    story_connect(story, 2, 1);
    story_read(story, 2, "/a", "zero");
    story_write(story, 2, "/a", "one");
    story_heal(story);
}
