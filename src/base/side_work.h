/* side_work.h: one piece of work at a time that may be done beside its caller, as an interface. src/io/
 * implements it with a thread; without one (NULL) the work is done when it is begun. The result must not
 * depend on when it is done. */
#ifndef BASE_SIDE_WORK_H
#define BASE_SIDE_WORK_H

struct side_work { /* the first member of each implementation */
    /* What the work uses is the work's until wait(). */
    void (*begin)(struct side_work *side, void (*work)(void *argument), void *argument);
    void (*wait)(struct side_work *side); /* until it is done; after each begin() */
};

#endif
