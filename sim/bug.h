/* bug.h: deliberate bugs of a node's host, for tests: those of the replica are in
 * replica/effects/mutant.h. */
#ifndef SIM_BUG_H
#define SIM_BUG_H

enum node_bug {
    NODE_RIGHT,
    NODE_REPORTS_WRITES,    /* what is written counts as synced */
    NODE_FORGETS_EPOCHS,    /* a promise is not written, and said to be */
    NODE_LOSES_ITS_DISK,    /* a crash takes the disk with it, and the server votes all the same */
    NODE_SENDS_EVENTS_LATE, /* a watch event goes behind the answer that shows the change */
    NODE_WORKS_BEFORE_APPENDS, /* epochs are written before the appends in front of them */
    NODE_RETRIES_SYNCS,        /* a sync that failed is asked for again, and then succeeds */
    NODE_SYNCS_NO_NAMES,       /* names of files are never synced */
    NODE_FORGETS_CHANGES,  /* setWatches is taken for one of a client that has seen everything */
    NODE_LISTS_ANOTHER,    /* getChildren is answered for another node */
    NODE_CHANGES_AN_ACL,   /* at the end an ACL of one server is another one */
    NODE_CHANGES_ITS_TREE, /* at the end a stat of one server is another one */
    NODE_KEEPS_A_SESSION   /* at the end one server has a session that the others have not */
};

#endif
