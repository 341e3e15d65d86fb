/* tell.c: tells a story with assertions caught. What it has in memory when one fails is left behind. */
#include "test/lib/tell.h"

#include <setjmp.h>
#include <stdio.h>

enum { LINES_SHOWN = 60 };

static jmp_buf at_failure;
static char failure[512];

static void on_fatal(const char *sentence)
{
    snprintf(failure, sizeof(failure), "%s", sentence);
    longjmp(at_failure, 1);
}

static void print_line(const char *line)
{
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
    if (show && story_failed(story))
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
    if (goes_well(story, &wrong, /* show= */ false))
        check_failed(__FILE__, __LINE__, "the story does not find this bug");
    printf("found: %s\n", failure);
}
