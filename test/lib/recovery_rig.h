/* recovery_rig.h: a data directory on a simulated disk, what a test puts there, and what recovery makes of
 * it. A recovery that ends differently from what was expected fails the test. */
#ifndef TEST_LIB_RECOVERY_RIG_H
#define TEST_LIB_RECOVERY_RIG_H

#include "replica/store/recovery.h"
#include "sim/disk.h"
#include "test/lib/store_world.h"

struct recovery_rig {
    struct sim_disk *sim;
    struct store_world world;
    struct recovery_options options;
    struct recovery recovery; /* of the last recovery */
};

void recovery_rig_init(struct recovery_rig *rig);
void recovery_rig_deinit(struct recovery_rig *rig);
void recovery_rig_forget(struct recovery_rig *rig); /* the last recovery */

enum status recovery_rig_recover(struct recovery_rig *rig);
void recovery_rig_must_recover(struct recovery_rig *rig);
/* STATUS_CORRUPT, and the reason has this text. */
void recovery_rig_must_refuse(struct recovery_rig *rig, const char *text);
/* One of the notes of the last recovery has this text. */
void recovery_rig_must_note(struct recovery_rig *rig, const char *text);

/* Java's frame around a payload. */
void put_java_record(struct buffer *out, struct slice payload);
/* Transactions [from, to] of the world as a log of Java's; returns where the last one begins. */
size_t recovery_rig_java_log(struct recovery_rig *rig, int64_t from, int64_t to,
                             struct buffer *out);
/* A file of these bytes and so many zeros after them. */
void recovery_rig_put(struct recovery_rig *rig, const char *name, const struct buffer *bytes,
                      size_t padding);
/* A log of Java's with these transactions, and zeros after them. */
void recovery_rig_put_java_log(struct recovery_rig *rig, const char *name, int64_t from, int64_t to,
                               size_t padding);
void recovery_rig_snapshot(struct recovery_rig *rig);        /* of the world as it is */
void recovery_rig_grow(struct recovery_rig *rig, int count); /* transactions that no log has */
/* Our own log of the next `count` transactions, one sync each; from a recovery's position. */
void recovery_rig_serve(struct recovery_rig *rig, int count, int roll_every);
void recovery_rig_change_byte(struct recovery_rig *rig, const char *name, size_t at, uint8_t value);
void recovery_rig_cut(struct recovery_rig *rig, const char *name, size_t size);

#endif
