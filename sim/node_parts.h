/* node_parts.h: what the files of a simulated server share. */
#ifndef SIM_NODE_PARTS_H
#define SIM_NODE_PARTS_H

#include "sim/node.h"

enum { NODE_TEXT_BYTES_MAX = NODE_FRAME_BYTES_MAX };

/* node_life.c */
void node_new_disk(struct node *node);
void node_forget(struct node *node); /* all that a process has in memory */
/* True: it is paused, and `later` is called for it again. */
bool node_stands_still(struct node *node, events_run *later, uint64_t number);
void node_set_turn(struct node *node); /* node.c */
/* node_disk.c: what the effects of a turn want of it. */
void node_hand_to_disk(struct node *node);
void node_hand_to_reader(struct node *node);
void node_begin_image(struct node *node);

#endif
