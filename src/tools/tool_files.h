/* tool_files.h: the logs or snapshots that the arguments of a command name: a file, or a directory,
 * which stands for those in it (in its version-2, if it has one), ordered by zxid. */
#ifndef TOOLS_TOOL_FILES_H
#define TOOLS_TOOL_FILES_H

#include "base/disk.h"
#include "replica/store/txnlog_format.h"

struct tool_file {
    struct disk *disk;
    char *name, *path; /* on the disk; as it is shown */
    struct store_name read;
    uint64_t size_bytes;
};
struct tool_files {
    struct tool_file *files;
    size_t count, capacity;
    struct disk **disks; /* owned */
    size_t disk_count, disk_capacity;
    bool from_directory; /* one argument, and it was a directory */
};

/* The data directory or its version-2: the one that holds the files. mem_free() it. */
char *tool_data_folder(const char *path);
/* False: reported on stderr. A directory without such a file is a failure. Deinit in any case. */
MUST_USE bool tool_files_find(struct tool_files *files, enum store_file_kind kind,
                              const char *const *words, int word_count);
/* Those of a directory, which may have none; false: it cannot be read; reported. */
bool tool_files_list(struct tool_files *files, enum store_file_kind kind, const char *directory);
void tool_files_deinit(struct tool_files *files);
uint64_t tool_files_bytes(const struct tool_files *files);

#endif
