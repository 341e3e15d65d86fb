/* backup_manifest.c: opens a backup and trusts only what it has computed itself: the checksums of
 * all members, then the states in the files. */
#include "tools/backup_manifest.h"
#include "tools/backup.h"

#include "base/number.h"
#include "io/disk_posix.h"
#include "tools/tool_filter.h"
#include "tools/tool_text.h"
#include "tools/tool_words.h"

#include <inttypes.h>
#include <time.h>

enum { MANIFEST_BYTES_MAX = 1 << 20 };

static const char first_line[] = "# paddock-backup=1\n";

void backup_manifest_begin(struct buffer *out, const char *from, const struct backup_state *state)
{
    buffer_printf(out, "%s# made=", first_line);
    tool_put_time(out, (int64_t)time(NULL) * 1000);
    buffer_printf(out, "\n# from=");
    tool_put_path(out, slice_text(from));
    buffer_printf(out, "\n# zxid=0x%" PRIx64 "\n# oldest_zxid=0x%" PRIx64 "\n",
                  (uint64_t)state->zxid, (uint64_t)state->oldest_zxid);
}

void backup_manifest_add(struct buffer *out, const char *name, const char *sum)
{
    buffer_printf(out, "%s  %s\n", sum, name);
}

static bool fail(const char *path, const char *problem)
{
    fflush(stdout);
    fprintf(stderr, "paddock: %s: %s\n", path, problem);
    return false;
}

static bool read_number(struct slice line, const char *name, int64_t *value)
{
    char digits[24];
    struct slice start = slice_text(name);

    if (!slice_starts_with(line, start) || line.size - start.size >= sizeof(digits))
        return false;
    memcpy(digits, line.data + start.size, line.size - start.size);
    digits[line.size - start.size] = '\0';
    return tool_zxid_parse(digits, value);
}

/* The whole text of the manifest. */
static bool load(const struct tar_archive *archive, const struct tar_member *member,
                 struct buffer *out)
{
    if (member->size_bytes > MANIFEST_BYTES_MAX)
        return false;
    size_t size = (size_t)member->size_bytes, got;
    return disk_posix_read_at(archive->fd, member->offset, buffer_extend(out, size), size, &got) ==
               STATUS_OK &&
           got == size;
}

/* "<sum>  <name>". */
static bool check_sum(const struct tar_archive *archive, const char *path, struct slice line,
                      struct tool_progress *progress, uint64_t *bytes)
{
    char name[TAR_NAME_BYTES_MAX + 1], sum[TAR_SUM_BYTES], problem[400];
    size_t start = TAR_SUM_BYTES - 1 + 2;

    if (line.size <= start || line.size - start >= sizeof(name))
        return fail(path, "a line of its MANIFEST cannot be read");
    memcpy(name, line.data + start, line.size - start);
    name[line.size - start] = '\0';
    const struct tar_member *member = tar_archive_find(archive, name);
    if (member == NULL) {
        snprintf(problem, sizeof(problem), "%s is missing", name);
        return fail(path, problem);
    }
    enum status status = tar_member_sum(archive, member, sum, progress, bytes);
    if (status != STATUS_OK)
        return fail(path, status == STATUS_END ? "interrupted" : status_text(status));
    if (memcmp(sum, line.data, TAR_SUM_BYTES - 1) == 0)
        return true;
    snprintf(problem, sizeof(problem),
             "damaged: SHA-256 %.*s is expected of %s (%" PRIu64 " bytes at byte %" PRIu64
             "), and it has %s",
             TAR_SUM_BYTES - 1, (const char *)line.data, name, member->size_bytes, member->offset,
             sum);
    return fail(path, problem);
}

static bool check_manifest(struct backup *backup, const char *path, struct slice text)
{
    const struct tar_archive *archive = &backup->archive;
    struct tool_progress progress;
    uint64_t bytes = 0;
    bool good = true, zxid = false, oldest = false;
    size_t sums = 0;

    tool_progress_begin(&progress, "checking sums", archive->end);
    while (text.size > 0 && good) {
        const uint8_t *end = memchr(text.data, '\n', text.size);
        struct slice line =
            slice_of(text.data, end == NULL ? text.size : (size_t)(end - text.data));
        size_t taken = line.size + (end != NULL);
        text = slice_of(text.data + taken, text.size - taken);
        zxid |= read_number(line, "# zxid=", &backup->made_zxid);
        oldest |= read_number(line, "# oldest_zxid=", &backup->made_oldest);
        if (line.size > 0 && line.data[0] != '#') {
            good = check_sum(archive, path, line, &progress, &bytes);
            sums++;
        }
    }
    tool_progress_end(&progress);
    if (good && (!zxid || !oldest || sums + 1 != archive->count))
        return fail(path, "its MANIFEST does not belong to these files");
    return good;
}

static bool check_contents(struct backup *backup, const char *path)
{
    char problem[320];

    enum status status =
        backup_check_files(&backup->archive.disk, &backup->state, "checking", backup->archive.end);
    if (status == STATUS_END)
        return fail(path, "interrupted");
    if (status != STATUS_OK) {
        snprintf(problem, sizeof(problem), "damaged: %s",
                 status == STATUS_CORRUPT ? backup->state.problem : status_text(status));
        return fail(path, problem);
    }
    if (backup->state.zxid == backup->made_zxid && backup->state.oldest_zxid == backup->made_oldest)
        return true;
    snprintf(problem, sizeof(problem),
             "its MANIFEST says zxid 0x%" PRIx64 " to 0x%" PRIx64 ", and its files have 0x%" PRIx64
             " to 0x%" PRIx64,
             (uint64_t)backup->made_oldest, (uint64_t)backup->made_zxid,
             (uint64_t)backup->state.oldest_zxid, (uint64_t)backup->state.zxid);
    return fail(path, problem);
}

static bool open_whole(struct backup *backup, const char *path, uint64_t offset, enum status status)
{
    struct buffer text;
    char problem[160];

    if (status == STATUS_CORRUPT || !backup->archive.ended) {
        snprintf(problem, sizeof(problem),
                 "damaged: at byte %" PRIu64
                 " %s is expected; %zu whole members before it were read",
                 offset,
                 status == STATUS_CORRUPT ? "the header of a member, all of which is in the file,"
                                          : "the end of a tar archive",
                 backup->archive.count);
        return fail(path, problem);
    }
    const struct tar_member *member = tar_archive_find(&backup->archive, BACKUP_MANIFEST);
    if (member == NULL)
        return fail(path, "it has no MANIFEST: not a backup of Paddock's");
    buffer_init(&text);
    bool good = load(&backup->archive, member, &text) &&
                slice_starts_with(buffer_slice(&text), slice_text(first_line));
    if (!good)
        (void)fail(path, "its MANIFEST is not one that this version can read");
    good =
        good && check_manifest(backup, path, buffer_slice(&text)) && check_contents(backup, path);
    buffer_deinit(&text);
    return good;
}

bool backup_open(struct backup *backup, const char *path, int *ret_code)
{
    uint64_t offset = 0;

    *backup = (struct backup){0};
    enum status status = tar_archive_open(&backup->archive, path, BACKUP_FOLDER, &offset);
    if (status != STATUS_OK && status != STATUS_CORRUPT) {
        *ret_code = TOOL_FAILED;
        return fail(path, status_text(status));
    }
    if (open_whole(backup, path, offset, status))
        return true;
    *ret_code = tool_interrupted() ? TOOL_INTERRUPTED : TOOL_FOUND;
    tar_archive_close(&backup->archive);
    return false;
}

void backup_close(struct backup *backup)
{
    tar_archive_close(&backup->archive);
}
