/* Stories of servers without a quorum that let clients read, and of how they come back to one. In an ensemble
 * of three, server 3 leads first; server 1 is the one that is left alone. */
#include "sim/story.h"
#include "test/lib/tell.h"
#include "wire/zk.h"

enum { ALONE_MS = 5000 }; /* it is read-only then, and dials the others only once a second */

static void leave_alone(struct story *story, enum sim_disk_loss loss)
{
    story_crash(story, 2, loss);
    story_crash(story, 3, loss);
    story_run(story, ALONE_MS);
    story_check(story, story_is_read_only(story, 1), "it is read-only");
}

/* Server 1 hears 2 first, and takes 3 for dead, as it was a moment ago: it follows 2, which finds 3. */
STORY(who_follows_a_server_that_finds_a_better_one_looks_again_at_once, .voters = 3,
      .read_only = true)
{
    tell_begin(story);
    leave_alone(story, SIM_LOSE_NOTHING);
    story_cut(story, 2, 3);
    story_start(story, 2);
    story_until(story, 1, "LOOKING votes for 2");
    story_run(story, 1);
    story_check(story, !story_is_read_only(story, 1), "it has elected server 2");
    story_join(story, 2, 3);
    story_start(story, 3);
    story_run(story, 50);
    story_check(story, story_serves(story, 1) && story_leader(story) == 3,
                "all three serve as soon as there is a leader");
    story_heal(story);
}
