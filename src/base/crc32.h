/* crc32.h: CRC-32 (IEEE 802.3, as zlib's crc32()), eight bytes a step.
 *
 * zlib is quicker on long inputs; here they are paths, small data and stats of some dozen bytes, of
 * which every write digests four and a start digests millions. */
#ifndef BASE_CRC32_H
#define BASE_CRC32_H

#include "base/slice.h"

/* Continue `crc` (0 to begin) over more bytes. */
uint32_t crc32_add(uint32_t crc, struct slice bytes);

#endif
