/* tell.h: a story (sim/story.h) as a test.
 *
 *     STORY(a_sentence_that_holds, .voters = 3)
 *     {
 *         story_settle(story);
 *         ...
 *     }
 *     STORY_FINDS(a_sentence_that_holds, .mutant = MUTANT_...)
 *
 * A story passes when nothing was wrong. STORY_FINDS proves that it can fail: told again with a deliberate
 * bug, it must. */
#ifndef TEST_LIB_TELL_H
#define TEST_LIB_TELL_H

#include "sim/story.h"
#include "test/lib/check.h"

typedef void tell_story(struct story *story);

void tell(tell_story *story, const struct story_options *options);
void tell_with_bug(tell_story *story, const struct story_options *options, enum mutant mutant,
                   enum node_bug bug);

/* All serve, and client 1 has written "zero" to /a at the leader. */
void tell_begin(struct story *story);
/* The leader is cut off, and logs `count` more that nobody else has, until it gives up. */
void tell_tail(struct story *story, int leader, int count);

#define STORY(name, ...)                                                                           \
    static void name##_story(struct story *story);                                                 \
    static const struct story_options name##_options = {__VA_ARGS__};                              \
    TEST(name)                                                                                     \
    {                                                                                              \
        tell(name##_story, &name##_options);                                                       \
    }                                                                                              \
    static void name##_story(struct story *story)

#define STORY_FINDS(name, mutant, bug)                                                             \
    TEST(name##_finds_##mutant##_##bug)                                                            \
    {                                                                                              \
        tell_with_bug(name##_story, &name##_options, mutant, bug);                                 \
    }

#endif
