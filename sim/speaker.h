/* speaker.h: a model client: it speaks the wire protocol over a connection of the network, keeps its session
 * over several servers as real clients do, and checks what it is told. */
#ifndef SIM_SPEAKER_H
#define SIM_SPEAKER_H

#include "sim/world.h"

struct speaker *speakers_new(struct world *world, int count, uint64_t seed);
void speakers_free(struct speaker *speakers, int count);
/* What the network brings to client `index`. */
void speaker_opened(struct speaker *speakers, int index, uint64_t number);
void speaker_bytes(struct speaker *speakers, int index, uint64_t number, struct slice bytes);
void speaker_closed(struct speaker *speakers, int index, uint64_t number);
/* No new requests from now on; sessions are kept. */
void speakers_rest(struct speaker *speakers, int count);
/* How many writes were answered with success since the count began, by the one with the fewest. */
void speakers_count_anew(struct speaker *speakers, int count);
uint64_t speakers_fewest_writes(const struct speaker *speakers, int count);

#endif
