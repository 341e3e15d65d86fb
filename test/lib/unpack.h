/* unpack.h: golden archives, unpacked into a simulated disk. */
#ifndef TEST_LIB_UNPACK_H
#define TEST_LIB_UNPACK_H

#include "sim/disk.h"

/* The files of `directory` inside test/golden/storage/<name>.tar.gz. */
struct sim_disk *unpack(const char *name, const char *directory);

#endif
