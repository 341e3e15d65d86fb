/* disk.h: base/disk.h in memory, with power losses, torn and reordered writes, and failures, by seed.
 *
 * After a power loss, what was not synced may be there or not: each 512-byte sector of a file, its size,
 * and each name that was created, renamed or removed since the last sync_dir, independently. Unless
 * sim_disk_crash_at(), sim_disk_fail_at() and the like are called, nothing fails. */
#ifndef SIM_DISK_H
#define SIM_DISK_H

#include "base/disk.h"

enum sim_disk_op { /* what is counted, and what can be made to fail */
                   SIM_OPEN,
                   SIM_READ,
                   SIM_SIZE,
                   SIM_SKIP_HOLE,
                   SIM_LIST,
                   SIM_WRITE,
                   SIM_TRUNCATE,
                   SIM_SYNC,
                   SIM_SYNC_DIR,
                   SIM_RENAME,
                   SIM_REMOVE,
                   SIM_OP_COUNT
};

enum sim_disk_loss {
    SIM_LOSE_SOME,   /* by seed: each sector and each name for itself */
    SIM_LOSE_ALL,    /* what was not synced never was */
    SIM_LOSE_NOTHING /* the process died, not the machine */
};

struct sim_disk;
struct sim_disk *sim_disk_new(uint64_t seed); /* an empty directory */
void sim_disk_free(struct sim_disk *sim);
struct disk *sim_disk(struct sim_disk *sim);

/* The power fails in the middle of the n-th change from now on (1: the next one; changes are SIM_WRITE and
 * what follows it in the enum, and opens that create). After that every call answers STATUS_IO.
 * 0: never. */
void sim_disk_crash_at(struct sim_disk *sim, uint64_t n);
bool sim_disk_crashed(const struct sim_disk *sim);
/* The power fails now, if it has not failed yet, and comes back. Open files are closed: their handles may
 * only be given to close(). */
void sim_disk_reboot(struct sim_disk *sim, enum sim_disk_loss loss);
/* The n-th call of this kind from now on (1: the next one) answers `status` and changes nothing; a sync
 * drops what it should have made durable, as kernels do: no later sync brings it back. */
void sim_disk_fail_at(struct sim_disk *sim, enum sim_disk_op op, uint64_t n, enum status status);
/* And every one behind it, whatever reboots, until sim_disk_mend(). */
void sim_disk_fail_from(struct sim_disk *sim, enum sim_disk_op op);
void sim_disk_mend(struct sim_disk *sim); /* nothing is to fail any more */
/* From the n-th read from now on (1: the next one) each gives one byte less than there is; 0: never. */
void sim_disk_short_reads(struct sim_disk *sim, uint64_t n);
/* Blocks of 4096 bytes that may still be taken before STATUS_NO_SPACE; UINT64_MAX: no end. */
void sim_disk_set_space(struct sim_disk *sim, uint64_t blocks);

/* Mistakes of its user, for tests. A sync that failed is asked for again, and succeeds: what was dropped
 * stays dropped. A sync_dir does nothing. */
void sim_disk_misuse(struct sim_disk *sim, bool retries_syncs, bool syncs_no_names);

uint64_t sim_disk_changes(const struct sim_disk *sim); /* as counted by sim_disk_crash_at() */
uint64_t sim_disk_calls(const struct sim_disk *sim, enum sim_disk_op op);
void sim_disk_forget_calls(struct sim_disk *sim);
size_t sim_disk_open_files(const struct sim_disk *sim);

/* Direct access to the bytes: nothing is counted, fails or is lost. */
struct slice sim_disk_bytes(const struct sim_disk *sim, const char *name); /* null: no such file */
void sim_disk_put(struct sim_disk *sim, const char *name, struct slice bytes); /* durable */
/* One byte is another one, if the file has it: durable, and no call is told. */
void sim_disk_flip(struct sim_disk *sim, const char *name, size_t at, uint8_t mask);
void sim_disk_delete(struct sim_disk *sim, const char *name);
size_t sim_disk_file_count(const struct sim_disk *sim);
const char *sim_disk_file_name(const struct sim_disk *sim, size_t index);  /* in order of names */
struct sim_disk *sim_disk_copy(const struct sim_disk *sim, uint64_t seed); /* all of it durable */

#endif
