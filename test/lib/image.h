/* image.h: the records that tree_walk writes, loaded back into a tree. */
#ifndef TEST_LIB_IMAGE_H
#define TEST_LIB_IMAGE_H

#include "replica/tree/tree.h"

/* Fails the test where a record is cut, a parent comes late, or a path comes twice. */
struct tree *image_load(const struct tree_options *options, struct slice tables,
                        struct slice nodes);

#endif
