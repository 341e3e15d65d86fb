/* fuzz_export.c: any bytes as a file for import.
 *
 * Checked: what is accepted is a tree in which each znode has its parent before it, with paths, ACLs and
 * TTLs that a request can hold; what is not accepted has a sentence with the file's name and a line. */
#include "shell/export_format.h"

#include "shell/texts.h"
#include "wire/records.h"
#include "wire/zk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_acl(struct slice acl)
{
    struct reader reader;

    reader_init(&reader, acl, NULL, SIZE_MAX);
    reader.texts_as_they_are = true;
    struct jute_vector list = reader_acls(&reader);
    ASSERT(reader.status == STATUS_OK && list.count > 0 && reader_left(&reader) == 0);
}

/* `seen`: the paths of all znodes before, each with a zero byte. */
static void check_node(const struct export_node *node, const struct buffer *seen)
{
    char problem[512];
    const char *slash = strrchr(node->path, '/');
    size_t parent = slash == NULL ? 0 : (size_t)(slash - node->path);
    bool has_parent = node->path[0] == '\0', twice = false;

    ASSERT(node->path[0] == '\0' || path_check(slice_text(node->path), problem, sizeof(problem)));
    for (size_t at = 0; at < seen->size; at += strlen((const char *)seen->data + at) + 1) {
        struct slice other = slice_text((const char *)seen->data + at);
        has_parent = has_parent || slice_equal(other, slice_of(node->path, parent));
        twice = twice || slice_equal(other, slice_text(node->path));
    }
    ASSERT(has_parent && !twice);
    check_acl(node->acl);
    ASSERT(node->kind != EXPORT_TTL || (node->ttl_ms > 0 && node->ttl_ms <= TTL_MS_MAX));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    FILE *file = tmpfile();
    struct export_node node;
    struct buffer seen;
    enum export_result result = EXPORT_BAD;

    ASSERT(file != NULL && fwrite(data, 1, size, file) == size);
    rewind(file);
    struct export_reader *reader = export_reader_new(file, "file");
    buffer_init(&seen);
    if (export_reader_root(reader) != NULL) {
        while ((result = export_reader_next(reader, &node)) == EXPORT_NODE) {
            check_node(&node, &seen);
            buffer_append(&seen, slice_of(node.path, strlen(node.path) + 1));
        }
    }
    ASSERT(result == EXPORT_END || strncmp(export_reader_problem(reader), "file: line ", 11) == 0);
    buffer_deinit(&seen);
    export_reader_free(reader);
    fclose(file);
    return 0;
}
