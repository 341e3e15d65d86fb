/* data_file.c: reads to the end of the file, whatever kind of file it is, up to the most that a request can
 * hold. */
#include "shell/data_file.h"

#include <errno.h>
#include <stdio.h>

enum { READ_BYTES = 1 << 16, DATA_BYTES_MAX = 128 << 20 };

static bool fail(const char *path, const char *why)
{
    (void)answer_fail(EXIT_BAD_FILE, "%s cannot be read: %s", path, why);
    return false;
}

bool data_file_read(const struct shell *shell, const char *path, struct buffer *out)
{
    bool from_stdin = strcmp(path, "-") == 0;

    if (from_stdin && shell->interactive) {
        (void)answer_fail(EXIT_USAGE, "Commands come from stdin here: give a file");
        return false;
    }
    FILE *file = from_stdin ? stdin : fopen(path, "re");
    if (file == NULL)
        return fail(path, strerror(errno));
    size_t size;
    do {
        size = fread(buffer_extend(out, READ_BYTES), 1, READ_BYTES, file);
        out->size -= READ_BYTES - size;
    } while (size > 0 && out->size <= DATA_BYTES_MAX);
    int error = ferror(file) != 0 ? errno : 0;
    if (!from_stdin)
        fclose(file);
    if (error != 0)
        return fail(path, strerror(error));
    return out->size <= DATA_BYTES_MAX || fail(path, "it is too large for a znode");
}
