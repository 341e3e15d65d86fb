/* Stories of the client library: connections that are lost, sessions that are resumed or over, a server that
 * says nothing any more. In an ensemble of three, server 3 leads first; client 1 writes there. */
#include "client/client.h"
#include "sim/story.h"
#include "test/lib/tell.h"
#include "wire/zk.h"

enum { TIMEOUT_MS = 3000, ONE_AND_TWO = 3 };

STORY(requests_under_way_come_back_when_their_connection_is_lost_and_the_session_goes_on,
      .voters = 3)
{
    tell_begin(story);
    story_library_begin(story, ONE_AND_TWO, TIMEOUT_MS);
    story_library_until_at(story, 1);
    int64_t session = story_library_session(story);
    story_check(story, story_library_await(story, story_library_set(story, "/a", "one")) == ZK_OK,
                "a write is answered");
    story_isolate(story, 1); /* what it forwards does not arrive */
    int first = story_library_set(story, "/a", "two");
    int last = story_library_set(story, "/a", "three");
    story_run(story, 10);
    story_crash(story, 1, SIM_LOSE_ALL);
    story_check(story,
                story_library_await(story, first) == CLIENT_CONNECTION_LOST &&
                    story_library_await(story, last) == CLIENT_CONNECTION_LOST,
                "nobody knows whether they were executed");
    story_library_until_at(story, 2);
    story_check(story, story_library_session(story) == session, "it is the same session");
    story_check(story, story_library_await(story, story_library_set(story, "/a", "four")) == ZK_OK,
                "and it writes");
    story_rejoin(story, 1);
    story_heal(story);
}

STORY(watches_are_set_again_at_the_next_server_and_tell_what_was_missed, .voters = 3)
{
    tell_begin(story);
    (void)story_create(story, 1, "/b", MODE_PERSISTENT);
    story_library_begin(story, ONE_AND_TWO, TIMEOUT_MS);
    story_library_until_at(story, 1);
    (void)story_library_await(story, story_library_watch(story, "/a"));
    (void)story_library_await(story, story_library_watch(story, "/b"));
    story_library_cut(story, 2, true); /* it cannot come back yet */
    story_crash(story, 1, SIM_LOSE_ALL);
    (void)story_write(story, 1, "/a", "missed");
    story_check(story, story_library_events(story) == 0, "it has not heard of it");
    story_library_cut(story, 2, false);
    story_library_until_at(story, 2);
    story_run(story, 50);
    story_check(story, story_library_events(story) == 1, "it is told of what it missed");
    (void)story_write(story, 1, "/b", "seen");
    (void)story_write(story, 1, "/a", "not watched any more");
    story_run(story, 50);
    story_check(story, story_library_events(story) == 2, "the other watch was set again");
    story_heal(story);
}

STORY(a_session_that_could_not_be_resumed_in_time_is_over_for_the_library_too, .voters = 3)
{
    tell_begin(story);
    story_library_begin(story, ONE_AND_TWO, 1000);
    story_library_until_at(story, 1);
    story_library_cut(story, 1, true);
    story_library_cut(story, 2, true);
    int asked = story_library_set(story, "/a", "two");
    story_check(story, story_library_await(story, asked) == CLIENT_TIMED_OUT, "it comes back");
    story_run(story, 2000);
    story_check(story, !story_library_is_expired(story), "it is the servers who end a session");
    story_library_cut(story, 1, false);
    story_library_cut(story, 2, false);
    story_run(story, 2000);
    story_check(story, story_library_is_expired(story), "now it knows");
    asked = story_library_set(story, "/a", "three");
    story_check(story, story_library_await(story, asked) == CLIENT_INVALID_STATE,
                "nothing can be asked any more");
    story_heal(story);
}

STORY(a_server_that_says_nothing_any_more_is_left_before_the_session_is_over, .voters = 3)
{
    tell_begin(story);
    story_library_begin(story, ONE_AND_TWO, TIMEOUT_MS);
    story_library_until_at(story, 1);
    int64_t session = story_library_session(story);
    story_pause(story, 1, 10000);
    int asked = story_library_set(story, "/a", "two");
    story_check(story, story_library_await(story, asked) == CLIENT_TIMED_OUT, "it comes back");
    story_library_until_at(story, 2);
    story_check(story, story_library_session(story) == session, "the session was kept");
    story_heal(story);
}
