/* tell.c: tells a story with assertions caught. What it has in memory when one fails is left behind. */
#include "test/lib/tell.h"

#include "test/lib/guard.h"
#include "wire/zk.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>

enum { LINES_SHOWN = 200 };

static jmp_buf at_failure;
static char failure[512];

static void on_fatal(const char *sentence)
{
    snprintf(failure, sizeof(failure), "%s", sentence);
    longjmp(at_failure, 1);
}

static void print_line(const char *line)
{
    if (strstr(line, " PING ") == NULL && strstr(line, "xid=-2") == NULL)
        printf("%s\n", line);
}

/* Its problem is in `failure`, if there is one. */
static bool goes_well(tell_story *tell_it, const struct story_options *options, bool show)
{
    struct story *volatile story = story_open(options);

    failure[0] = '\0';
    base_on_fatal(on_fatal);
    if (setjmp(at_failure) != 0) {
        base_on_fatal(NULL);
        if (show)
            story_print(story, LINES_SHOWN, print_line);
        return false;
    }
    tell_it(story);
    base_on_fatal(NULL);
    if (show && (story_failed(story) || getenv("SHOW_STORY") != NULL))
        story_print(story, LINES_SHOWN, print_line);
    struct cluster_verdict verdict = story_close(story);
    if (verdict.failed)
        snprintf(failure, sizeof(failure), "%s", verdict.problem);
    return !verdict.failed;
}

void tell(tell_story *story, const struct story_options *options)
{
    if (!goes_well(story, options, /* show= */ true))
        check_failed(__FILE__, __LINE__, "%s", failure);
}

void tell_with_bug(tell_story *story, const struct story_options *options, enum mutant mutant,
                   enum node_bug bug)
{
    struct story_options wrong = *options;

    wrong.mutant = mutant;
    wrong.bug = bug;
    bool show = getenv("SHOW_STORY") != NULL;
    guard_expect_leaks(true);
    bool well = goes_well(story, &wrong, show);
    guard_expect_leaks(false);
    if (well)
        check_failed(__FILE__, __LINE__, "the story does not find this bug");
    printf("found: %s\n", failure);
}

void tell_begin(struct story *story)
{
    story_settle(story);
    if (story_failed(story))
        return;
    story_connect(story, 1, story_leader(story));
    (void)story_create(story, 1, "/a", MODE_PERSISTENT);
    (void)story_write(story, 1, "/a", "zero");
}

void tell_tail(struct story *story, int leader, int count)
{
    story_isolate(story, leader);
    (void)story_ask_create(story, 1, "/tail", MODE_PERSISTENT); /* nothing later writes over it */
    for (int i = 1; i < count; i++)
        (void)story_ask(story, 1, OP_SET_DATA, "/a", "never");
    story_until(story, leader, "LOOKING votes");
    story_check(story, story_durable_zxid(story, leader) == story_committed_zxid(story) + count,
                "the tail is on the disk");
}
