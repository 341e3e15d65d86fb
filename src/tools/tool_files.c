/* tool_files.c: a file is opened through the directory that it stands in, because the store's readers work on
 * directories. */
#include "tools/tool_files.h"

#include "base/array.h"
#include "io/disk_posix.h"
#include "replica/store/store_files.h"
#include "tools/tool_host.h"

#include <sys/stat.h>

static bool is_directory(const char *path)
{
    struct stat status;

    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

static bool fail(const char *path, const char *why)
{
    fprintf(stderr, "paddock: %s: %s\n", path, why);
    return false;
}

char *tool_data_folder(const char *path)
{
    char *inner = tool_join(path, "/version-2", "");

    if (is_directory(inner))
        return inner;
    mem_free(inner);
    return tool_join(path, "", "");
}

static struct disk *add_disk(struct tool_files *files, const char *folder)
{
    struct disk *disk;
    enum status status = disk_posix_open(folder, 0, &disk);

    if (status != STATUS_OK) {
        (void)fail(folder, status_text(status));
        return NULL;
    }
    files->disks = ARRAY_RESERVE(files->disks, files->disk_capacity, files->disk_count + 1, 4);
    files->disks[files->disk_count++] = disk;
    return disk;
}

static void add(struct tool_files *files, struct disk *disk, const char *name, char *path,
                uint64_t size_bytes)
{
    files->files = ARRAY_RESERVE(files->files, files->capacity, files->count + 1, ARRAY_FIRST);
    files->files[files->count++] = (struct tool_file){.disk = disk,
                                                      .name = tool_join(name, "", ""),
                                                      .path = path,
                                                      .read = store_name_read(name),
                                                      .size_bytes = size_bytes};
}

static bool add_directory(struct tool_files *files, enum store_file_kind kind, const char *word)
{
    char *folder = tool_data_folder(word);
    struct disk *disk = add_disk(files, folder);
    struct store_files list = {0};
    bool good = disk != NULL;

    if (good) {
        enum status status = store_files_list(disk, kind, &list);
        for (size_t i = 0; i < list.count; i++)
            add(files, disk, list.files[i].name, tool_join(folder, "/", list.files[i].name),
                list.files[i].size_bytes);
        if (status != STATUS_OK)
            good = fail(folder, status_text(status));
        store_files_deinit(&list);
    }
    mem_free(folder);
    return good;
}

static bool add_file(struct tool_files *files, const char *word)
{
    const char *slash = strrchr(word, '/');
    struct stat status;

    if (stat(word, &status) != 0)
        return fail(word, "no such file or directory");
    if (!S_ISREG(status.st_mode))
        return fail(word, "not an ordinary file");
    char *folder = tool_join(slash == NULL ? "." : word, slash == word ? "/" : "", "");
    if (slash != NULL && slash != word)
        folder[slash - word] = '\0';
    else if (slash == word)
        folder[1] = '\0';
    struct disk *disk = add_disk(files, folder);
    mem_free(folder);
    if (disk == NULL)
        return false;
    add(files, disk, slash == NULL ? word : slash + 1, tool_join(word, "", ""),
        (uint64_t)status.st_size);
    return true;
}

bool tool_files_find(struct tool_files *files, enum store_file_kind kind, const char *const *words,
                     int word_count)
{
    *files = (struct tool_files){.from_directory = word_count == 1 && is_directory(words[0])};
    for (int i = 0; i < word_count; i++) {
        size_t before = files->count;
        bool found = is_directory(words[i]) ? add_directory(files, kind, words[i])
                                            : add_file(files, words[i]);
        if (!found)
            return false;
        if (files->count == before)
            return fail(words[i], kind == STORE_FILE_LOG ? "no transaction log is in it"
                                                         : "no snapshot is in it");
    }
    return true;
}

bool tool_files_list(struct tool_files *files, enum store_file_kind kind, const char *directory)
{
    *files = (struct tool_files){.from_directory = true};
    return add_directory(files, kind, directory);
}

void tool_files_deinit(struct tool_files *files)
{
    for (size_t i = 0; i < files->count; i++) {
        mem_free(files->files[i].name);
        mem_free(files->files[i].path);
    }
    mem_free(files->files);
    for (size_t i = 0; i < files->disk_count; i++)
        disk_posix_close(files->disks[i]);
    mem_free(files->disks);
}

uint64_t tool_files_bytes(const struct tool_files *files)
{
    uint64_t bytes = 0;

    for (size_t i = 0; i < files->count; i++)
        bytes += files->files[i].size_bytes;
    return bytes;
}
