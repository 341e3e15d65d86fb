/* store_files.h: the names in a data directory, in order, and sentences about them. */
#ifndef REPLICA_STORE_STORE_FILES_H
#define REPLICA_STORE_STORE_FILES_H

#include "base/disk.h"
#include "replica/store/recovery.h"

struct store_file {
    char *name;
    uint64_t size_bytes;
    struct store_name read; /* zxid_valid */
};
struct store_files {
    struct store_file *files; /* by zxid, then by name */
    size_t count, capacity;
};
/* Those of one kind whose names carry a zxid. Free with store_files_deinit() in any case. */
MUST_USE enum status store_files_list(struct disk *disk, enum store_file_kind kind,
                                      struct store_files *ret_files);
void store_files_deinit(struct store_files *files);

void store_note(struct store_notes *notes, bool warning, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Extends the last note: the server does not start because of it, and what to do. The text begins
 * with ". " or ", ". */
void store_advice(struct store_notes *notes, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* The server starts after all: each note ends where its advice begins. */
void store_drop_advice(struct store_notes *notes);
/* All notes of `from` to the end of `to`. */
void store_notes_move(struct store_notes *to, struct store_notes *from);

#endif
