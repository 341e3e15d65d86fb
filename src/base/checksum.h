/* checksum.h: the two checksums of ZooKeeper's files, as zlib's crc32() and adler32() give them.
 *
 * Every write computes three of them over some hundred bytes, and a start computes them over the whole
 * snapshot. These are faster than zlib's, on short and on long inputs. */
#ifndef BASE_CHECKSUM_H
#define BASE_CHECKSUM_H

#include "base/slice.h"

/* Continue `crc` (0 to begin) over more bytes. */
uint32_t crc32_add(uint32_t crc, struct slice bytes);

/* Continue `adler` (1 to begin) over more bytes. */
uint32_t adler32_add(uint32_t adler, struct slice bytes);
/* The other way: adler32_without_end(adler32_add(adler, end), end) == adler. */
uint32_t adler32_without_end(uint32_t adler, struct slice end);

#endif
