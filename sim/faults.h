/* faults.h: what goes wrong in the first half of a run. */
#ifndef SIM_FAULTS_H
#define SIM_FAULTS_H

#include "sim/world.h"

/* From start_us on, until world->healing. */
void faults_begin(struct world *world, int64_t start_us, uint64_t seed);

#endif
