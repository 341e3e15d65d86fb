/* tar_file.c: headers are written when the length of a member is known, over the empty block that was left for
 * them; so a file that grows while it is copied is no difficulty. */
#include "tools/tar_file.h"

#include "base/array.h"
#include "io/disk_posix.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    BLOCK = 512,
    COPY_BYTES = 1 << 20,
    SIZE_AT = 124,
    SIZE_BYTES = 12,
    SUM_AT = 148,
    SUM_BYTES = 8,
    TYPE_AT = 156,
    MAGIC_AT = 257,
};

/* --- checksums --- */

struct tar_sum {
    EVP_MD_CTX *context;
};

static void sum_begin(struct tar_sum *sum)
{
    sum->context = EVP_MD_CTX_new();
    ASSERT(sum->context != NULL && EVP_DigestInit_ex(sum->context, EVP_sha256(), NULL) == 1);
}

static void sum_add(struct tar_sum *sum, const void *bytes, size_t size)
{
    ASSERT(EVP_DigestUpdate(sum->context, bytes, size) == 1);
}

static void sum_end(struct tar_sum *sum, char ret_sum[TAR_SUM_BYTES])
{
    uint8_t bytes[EVP_MAX_MD_SIZE];
    unsigned size = 0;

    ASSERT(EVP_DigestFinal_ex(sum->context, bytes, &size) == 1);
    ASSERT(size * 2 + 1 == TAR_SUM_BYTES);
    for (unsigned i = 0; i < size; i++)
        snprintf(ret_sum + i * 2, 3, "%02x", bytes[i]);
    EVP_MD_CTX_free(sum->context);
    sum->context = NULL;
}

/* --- writing --- */

void tar_writer_init(struct tar_writer *writer, struct tool_output *output)
{
    *writer = (struct tar_writer){.output = output, .sum = mem_zalloc(sizeof(*writer->sum))};
}

void tar_writer_deinit(struct tar_writer *writer)
{
    if (writer->sum != NULL)
        EVP_MD_CTX_free(writer->sum->context);
    mem_free(writer->sum);
    writer->sum = NULL;
}

void tar_member_begin(struct tar_writer *writer, const char *name)
{
    ASSERT(strlen(name) < sizeof(writer->name));
    EVP_MD_CTX_free(writer->sum->context); /* of a member that was given up */
    sum_begin(writer->sum);
    snprintf(writer->name, sizeof(writer->name), "%s", name);
    writer->member_offset = writer->offset;
    writer->offset += BLOCK;
}

bool tar_member_write(struct tar_writer *writer, const void *bytes, size_t size)
{
    sum_add(writer->sum, bytes, size);
    bool good = tool_output_write(writer->output, writer->offset, bytes, size);
    writer->offset += size;
    return good;
}

static void put_size(uint8_t *at, uint64_t size)
{
    if (size < UINT64_C(1) << 33) {
        snprintf((char *)at, SIZE_BYTES, "%011llo", (unsigned long long)size);
        return;
    }
    at[0] = 0x80; /* a binary number follows */
    for (int i = SIZE_BYTES - 1; i >= 4; i--, size >>= 8)
        at[i] = (uint8_t)size;
}

static unsigned header_sum(const uint8_t *header)
{
    unsigned sum = 0;

    for (int i = 0; i < BLOCK; i++)
        sum += i >= SUM_AT && i < SUM_AT + SUM_BYTES ? ' ' : header[i];
    return sum;
}

bool tar_member_end(struct tar_writer *writer, char ret_sum[TAR_SUM_BYTES])
{
    static const uint8_t zeros[BLOCK];
    uint8_t header[BLOCK] = {0};
    uint64_t size = writer->offset - writer->member_offset - BLOCK;
    size_t padding = (size_t)(-size % BLOCK);

    sum_end(writer->sum, ret_sum);
    snprintf((char *)header, sizeof(writer->name), "%s", writer->name);
    snprintf((char *)header + 100, 8, "0000600");
    snprintf((char *)header + 108, 8, "0000000");
    snprintf((char *)header + 116, 8, "0000000");
    put_size(header + SIZE_AT, size);
    snprintf((char *)header + 136, 12, "%011llo", (unsigned long long)time(NULL));
    header[TYPE_AT] = '0';
    snprintf((char *)header + MAGIC_AT, 6, "ustar");
    header[MAGIC_AT + 6] = header[MAGIC_AT + 7] = '0'; /* the version */
    snprintf((char *)header + SUM_AT, SUM_BYTES, "%06o", header_sum(header));
    header[SUM_AT + SUM_BYTES - 1] = ' ';
    bool good = tool_output_write(writer->output, writer->offset, zeros, padding) &&
                tool_output_write(writer->output, writer->member_offset, header, BLOCK);
    writer->offset += padding;
    return good;
}

bool tar_end(struct tar_writer *writer)
{
    static const uint8_t zeros[2 * BLOCK];

    if (ftruncate(writer->output->fd, (off_t)writer->offset) != 0) { /* of members given up */
        fprintf(stderr, "paddock: %s: %s\n", writer->output->partial, strerror(errno));
        return false;
    }
    return tool_output_write(writer->output, writer->offset, zeros, sizeof(zeros));
}

/* --- reading --- */

struct disk_file {
    const struct tar_archive *archive;
    const struct tar_member *member;
};

static const struct tar_archive *archive_of(const struct disk *disk)
{
    return CONTAINER_OF(disk, const struct tar_archive, disk);
}

/* The name of a member in the folder; NULL: it is elsewhere. */
static const char *name_in_folder(const struct tar_archive *archive,
                                  const struct tar_member *member)
{
    size_t size = strlen(archive->folder);

    return strncmp(member->name, archive->folder, size) == 0 ? member->name + size : NULL;
}

static enum status tar_open(struct disk *disk, const char *name, enum disk_open_mode mode,
                            struct disk_file **ret_file)
{
    const struct tar_archive *archive = archive_of(disk);

    if (mode == DISK_CREATE)
        return STATUS_NO_ACCESS;
    for (size_t i = 0; i < archive->count; i++) {
        const char *own = name_in_folder(archive, &archive->members[i]);
        if (own == NULL || strcmp(own, name) != 0)
            continue;
        struct disk_file *file = mem_zalloc(sizeof(*file));
        *file = (struct disk_file){archive, &archive->members[i]};
        *ret_file = file;
        return STATUS_OK;
    }
    return STATUS_NOT_FOUND;
}

static void tar_close(struct disk *disk, struct disk_file *file)
{
    (void)disk;
    mem_free(file);
}

static enum status tar_write(struct disk *disk, struct disk_file *file, uint64_t offset,
                             const void *bytes, size_t size)
{
    (void)disk;
    (void)file;
    (void)offset;
    (void)bytes;
    (void)size;
    return STATUS_NO_ACCESS;
}

static enum status tar_read(struct disk *disk, struct disk_file *file, uint64_t offset, void *bytes,
                            size_t capacity, size_t *ret_size)
{
    const struct tar_member *member = file->member;
    uint64_t left = offset < member->size_bytes ? member->size_bytes - offset : 0;

    (void)disk;
    return disk_posix_read_at(file->archive->fd, member->offset + offset, bytes,
                              capacity < left ? capacity : (size_t)left, ret_size);
}

static enum status tar_size(struct disk *disk, struct disk_file *file, uint64_t *ret_size_bytes)
{
    (void)disk;
    *ret_size_bytes = file->member->size_bytes;
    return STATUS_OK;
}

static enum status tar_skip_hole(struct disk *disk, struct disk_file *file, uint64_t offset,
                                 uint64_t *ret_offset)
{
    (void)disk;
    (void)file;
    *ret_offset = offset;
    return STATUS_OK;
}

static enum status tar_truncate(struct disk *disk, struct disk_file *file, uint64_t size_bytes)
{
    (void)disk;
    (void)file;
    (void)size_bytes;
    return STATUS_NO_ACCESS;
}

static enum status tar_sync(struct disk *disk, struct disk_file *file)
{
    (void)disk;
    (void)file;
    return STATUS_NO_ACCESS;
}

static enum status tar_sync_dir(struct disk *disk)
{
    (void)disk;
    return STATUS_NO_ACCESS;
}

static enum status tar_rename(struct disk *disk, const char *from, const char *to)
{
    (void)disk;
    (void)from;
    (void)to;
    return STATUS_NO_ACCESS;
}

static enum status tar_remove(struct disk *disk, const char *name)
{
    (void)disk;
    (void)name;
    return STATUS_NO_ACCESS;
}

static enum status tar_list(struct disk *disk, disk_list_visit *visit, void *context)
{
    const struct tar_archive *archive = archive_of(disk);

    for (size_t i = 0; i < archive->count; i++) {
        const char *name = name_in_folder(archive, &archive->members[i]);
        if (name != NULL && !visit(context, name, archive->members[i].size_bytes))
            break;
    }
    return STATUS_OK;
}

static const struct disk_ops tar_ops = {
    .open = tar_open,
    .close = tar_close,
    .write = tar_write,
    .read = tar_read,
    .size = tar_size,
    .skip_hole = tar_skip_hole,
    .truncate = tar_truncate,
    .sync = tar_sync,
    .sync_dir = tar_sync_dir,
    .rename = tar_rename,
    .remove = tar_remove,
    .list = tar_list,
};

static bool parse_octal(const uint8_t *at, size_t size, uint64_t *ret_value)
{
    uint64_t value = 0;
    size_t i = 0;

    while (i < size && at[i] == ' ')
        i++;
    for (; i < size && at[i] >= '0' && at[i] <= '7'; i++)
        value = value << 3 | (uint64_t)(at[i] - '0');
    *ret_value = value;
    return i == size || at[i] == 0 || at[i] == ' ';
}

static bool parse_size(const uint8_t *at, uint64_t *ret_size)
{
    if (at[0] != 0x80)
        return parse_octal(at, SIZE_BYTES, ret_size);
    uint64_t size = 0;
    for (int i = 4; i < SIZE_BYTES; i++)
        size = size << 8 | at[i];
    *ret_size = size;
    return size <= INT64_MAX;
}

static bool parse_header(const uint8_t *header, struct tar_member *ret_member)
{
    uint64_t sum;

    if (memcmp(header + MAGIC_AT, "ustar", 5) != 0 ||
        !parse_octal(header + SUM_AT, SUM_BYTES, &sum) || sum != header_sum(header) ||
        !parse_size(header + SIZE_AT, &ret_member->size_bytes))
        return false;
    memcpy(ret_member->name, header, TAR_NAME_BYTES_MAX);
    ret_member->name[TAR_NAME_BYTES_MAX] = '\0';
    return true;
}

/* Whatever tool packed it: only ordinary files count, and "./" in front of a name does not. */
static void add_member(struct tar_archive *archive, const struct tar_member *member, uint8_t type)
{
    size_t skip = strncmp(member->name, "./", 2) == 0 ? 2 : 0;

    if (type != '0' && type != '\0')
        return;
    archive->members =
        ARRAY_RESERVE(archive->members, archive->capacity, archive->count + 1, ARRAY_FIRST);
    struct tar_member *copy = &archive->members[archive->count++];
    *copy = *member;
    memmove(copy->name, member->name + skip, sizeof(copy->name) - skip);
}

static enum status read_headers(struct tar_archive *archive, uint64_t file_bytes,
                                uint64_t *ret_offset)
{
    uint8_t header[BLOCK];
    uint64_t offset = 0;
    size_t got;

    for (;;) {
        struct tar_member member = {.offset = offset + BLOCK};
        *ret_offset = archive->end = offset;
        enum status status = disk_posix_read_at(archive->fd, offset, header, sizeof(header), &got);
        if (status != STATUS_OK || got == 0)
            return status;
        if (got == sizeof(header) && header[0] == 0) {
            archive->ended = true;
            return STATUS_OK;
        }
        if (got < sizeof(header) || !parse_header(header, &member) ||
            member.size_bytes > file_bytes - member.offset)
            return STATUS_CORRUPT;
        add_member(archive, &member, header[TYPE_AT]);
        offset = member.offset + (member.size_bytes + BLOCK - 1) / BLOCK * BLOCK;
    }
}

enum status tar_archive_open(struct tar_archive *archive, const char *path, const char *folder,
                             uint64_t *ret_offset)
{
    struct stat about;

    *archive = (struct tar_archive){
        .disk = {&tar_ops}, .fd = open(path, O_RDONLY | O_CLOEXEC), .folder = folder};
    if (archive->fd < 0)
        return status_from_errno(errno);
    enum status status = STATUS_OK;
    if (fstat(archive->fd, &about) != 0)
        status = status_from_errno(errno);
    else
        status = read_headers(archive, (uint64_t)about.st_size, ret_offset);
    if (status != STATUS_OK && status != STATUS_CORRUPT)
        tar_archive_close(archive);
    return status;
}

void tar_archive_close(struct tar_archive *archive)
{
    close(archive->fd);
    mem_free(archive->members);
}

const struct tar_member *tar_archive_find(const struct tar_archive *archive, const char *name)
{
    for (size_t i = 0; i < archive->count; i++) {
        if (strcmp(archive->members[i].name, name) == 0)
            return &archive->members[i];
    }
    return NULL;
}

enum status tar_member_sum(const struct tar_archive *archive, const struct tar_member *member,
                           char ret_sum[TAR_SUM_BYTES], struct tool_progress *progress,
                           uint64_t *bytes)
{
    struct tar_sum sum;
    uint8_t *part = mem_alloc(COPY_BYTES);
    enum status status = STATUS_OK;

    sum_begin(&sum);
    for (uint64_t at = 0; at < member->size_bytes && status == STATUS_OK;) {
        uint64_t left = member->size_bytes - at;
        size_t got = 0;
        status = disk_posix_read_at(archive->fd, member->offset + at, part,
                                    left < COPY_BYTES ? (size_t)left : COPY_BYTES, &got);
        if (status == STATUS_OK && got == 0)
            status = STATUS_IO; /* it became shorter */
        if (status == STATUS_OK && tool_interrupted())
            status = STATUS_END;
        sum_add(&sum, part, got);
        at += got;
        *bytes += got;
        tool_progress_show(progress, *bytes);
    }
    sum_end(&sum, ret_sum);
    mem_free(part);
    return status;
}
