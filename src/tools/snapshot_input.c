/* snapshot_input.c: a snapshot is read once, from its begin to its end, by the store's own reader; only its ACL
 * lists are kept. */
#include "tools/snapshot_input.h"

#include "tools/tool_host.h"

#include <inttypes.h>

void snapshot_say_failure(const struct tool_file *file, enum status status,
                          const struct snapshot_info *info)
{
    fflush(stdout);
    if (status == STATUS_CORRUPT)
        fprintf(stderr,
                "%s: damaged at byte %" PRIu64 "%s: %s; %" PRIu64 " znodes before it were read\n",
                file->path, info->bytes,
                file->read.compression == STORE_PLAIN ? "" : " of what is decompressed",
                info->problem, info->nodes);
    else
        fprintf(stderr, "paddock: %s: %s\n", file->path, status_text(status));
}

enum status snapshot_read_file(const struct tool_file *file, const struct snapshot_visitor *visitor,
                               struct snapshot_info *ret_info)
{
    enum status status =
        snapshot_scan(file->disk, file->name, SNAPSHOT_TEXT_BYTES_MAX, visitor, ret_info);

    if (status != STATUS_OK)
        snapshot_say_failure(file, status, ret_info);
    return status;
}

int snapshot_exit_code(enum status status)
{
    return status == STATUS_OK ? TOOL_DONE : status == STATUS_CORRUPT ? TOOL_FOUND : TOOL_FAILED;
}

const struct tool_file *snapshot_find(struct tool_files *files, const char *word)
{
    if (!tool_files_find(files, STORE_FILE_SNAPSHOT, &word, 1))
        return NULL;
    if (!files->from_directory)
        return &files->files[0];
    for (size_t i = files->count; i > 0; i--) {
        const struct tool_file *file = &files->files[i - 1];
        bool candidate;
        enum status status = snapshot_is_candidate(file->disk, file->name, &candidate);
        if (status == STATUS_OK && candidate)
            return file;
    }
    fprintf(stderr, "paddock: %s: no finished snapshot is in it\n", word);
    return NULL;
}

int snapshot_run(const struct tool_syntax *syntax, int argc, char **argv,
                 int (*fn)(const struct tool_words *words, const struct tool_file *file))
{
    struct tool_words words;
    struct tool_files files;
    int code;

    if (!tool_words_parse(syntax, argc, argv, &words, &code))
        return code;
    const struct tool_file *file = snapshot_find(&files, words.words[0]);
    code = file == NULL ? TOOL_FAILED : fn(&words, file);
    tool_files_deinit(&files);
    tool_words_deinit(&words);
    return code;
}

/* --- ACL lists --- */

enum { ACL_OPEN_NUMBER = -1 }; /* stands for a list that is in no table: all may do all */

struct snapshot_acl {
    struct jute_vector acl;
    uint8_t bytes[];
};

void snapshot_acls_init(struct snapshot_acls *acls)
{
    map_init(&acls->lists);
}

void snapshot_acls_deinit(struct snapshot_acls *acls)
{
    size_t cursor = 0;
    uint64_t key;
    void *list;

    while ((list = map_next(&acls->lists, &cursor, &key)) != NULL)
        mem_free(list);
    map_deinit(&acls->lists);
}

void snapshot_acls_add(struct snapshot_acls *acls, int64_t id, struct jute_vector acl)
{
    if (acl.bytes.data == NULL)
        return;
    struct snapshot_acl *copy = mem_alloc(sizeof(*copy) + acl.bytes.size);
    if (acl.bytes.size > 0)
        memcpy(copy->bytes, acl.bytes.data, acl.bytes.size);
    copy->acl = (struct jute_vector){slice_of(copy->bytes, acl.bytes.size), acl.count};
    mem_free(
        map_remove(&acls->lists, (uint64_t)id)); /* a number that is there twice: the last one */
    map_set(&acls->lists, (uint64_t)id, copy);
}

struct jute_vector snapshot_acls_get(const struct snapshot_acls *acls, int64_t id)
{
    static const char open_acl[] = "\0\0\0\37\0\0\0\5world\0\0\0\6anyone";
    const struct snapshot_acl *list = map_get(&acls->lists, (uint64_t)id);

    if (id == ACL_OPEN_NUMBER)
        return (struct jute_vector){slice_of(open_acl, sizeof(open_acl) - 1), 1};
    return list == NULL ? (struct jute_vector){SLICE_NULL, -1} : list->acl;
}
