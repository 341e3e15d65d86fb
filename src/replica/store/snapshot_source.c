/* snapshot_source.c: the uncompressed bytes of a snapshot file, through a window that the reader can look
 * ahead in, and the checksum of what has passed. There are two windows: the caller's, and the next one. */
#include "replica/store/snapshot_source.h"

#include "base/checksum.h"

#include <snappy-c.h>
#include <zlib.h>

enum {
    WINDOW_BYTES = 1024 * 1024,
    HEAD_BYTES = 64 * 1024, /* free in front of the next window, for what is left of this one */
    FILE_BYTES = 256 * 1024,
    SNAPPY_HEAD_BYTES = 16,
    SNAPPY_BLOCK_BYTES_MAX = 16 * 1024 * 1024, /* Java writes 32 KB */
    GZIP_WINDOW_BITS = 15 + 16,
};

struct snapshot_source {
    struct disk *disk;
    struct disk_file *file;
    uint64_t file_bytes;
    enum store_compression compression;
    /* the side's while `reading` */
    uint64_t offset;
    z_stream inflate;
    struct buffer compressed; /* [compressed_at, size) is not yet decompressed */
    size_t compressed_at;
    struct buffer next;  /* [HEAD_BYTES, size): what follows the window */
    uint32_t next_adler; /* of all bytes up to its end */
    bool next_is_last;
    enum status next_status;
    /* the caller's */
    struct side_work *side;
    bool reading;
    struct buffer window; /* [at, size) is not yet skipped */
    size_t at;
    uint64_t skipped;
    uint32_t adler; /* of all bytes up to its end */
    bool last;
};

/* Appends up to `size` bytes of the file. */
static enum status read_file(struct snapshot_source *source, struct buffer *out, size_t size)
{
    uint64_t left = source->file_bytes - source->offset;
    size_t got = 0;

    if (size > left)
        size = (size_t)left;
    if (size == 0)
        return STATUS_OK;
    buffer_reserve(out, size);
    enum status status = source->disk->ops->read(source->disk, source->file, source->offset,
                                                 out->data + out->size, size, &got);
    if (status != STATUS_OK)
        return status;
    if (got < size) /* it became shorter under us */
        return STATUS_IO;
    out->size += got;
    source->offset += got;
    return STATUS_OK;
}

static enum status more_plain(struct snapshot_source *source)
{
    enum status status = read_file(source, &source->next, WINDOW_BYTES);

    source->next_is_last = source->offset == source->file_bytes;
    return status;
}

static enum status more_gzip(struct snapshot_source *source)
{
    z_stream *inflater = &source->inflate;

    if (inflater->avail_in == 0) {
        source->compressed.size = 0;
        enum status status = read_file(source, &source->compressed, FILE_BYTES);
        if (status != STATUS_OK)
            return status;
        inflater->next_in = source->compressed.data;
        inflater->avail_in = (uInt)source->compressed.size;
    }
    inflater->next_out = buffer_extend(&source->next, WINDOW_BYTES);
    inflater->avail_out = WINDOW_BYTES;
    int result = inflate(inflater, Z_NO_FLUSH);
    source->next.size -= inflater->avail_out;
    if (result == Z_STREAM_END) {
        source->next_is_last = true;
        return STATUS_OK;
    }
    return result == Z_OK ? STATUS_OK : STATUS_CORRUPT; /* Z_BUF_ERROR: cut short */
}

/* The next `size` compressed bytes in one piece; false in *ret_got when the file ends before. */
static enum status need_compressed(struct snapshot_source *source, size_t size, bool *ret_got)
{
    size_t left = source->compressed.size - source->compressed_at;

    if (left < size) {
        if (left > 0)
            memmove(source->compressed.data, source->compressed.data + source->compressed_at, left);
        source->compressed.size = left;
        source->compressed_at = 0;
        size_t want = size - left > FILE_BYTES ? size - left : FILE_BYTES;
        enum status status = read_file(source, &source->compressed, want);
        if (status != STATUS_OK)
            return status;
    }
    *ret_got = source->compressed.size - source->compressed_at >= size;
    return STATUS_OK;
}

static enum status more_snappy(struct snapshot_source *source)
{
    bool got;
    enum status status;

    if (source->offset == 0) {
        status = need_compressed(source, SNAPPY_HEAD_BYTES, &got);
        if (status != STATUS_OK)
            return status;
        if (!got || memcmp(source->compressed.data, "\202SNAPPY\0", 8) != 0)
            return STATUS_CORRUPT;
        source->compressed_at = SNAPPY_HEAD_BYTES;
    }
    status = need_compressed(source, 4, &got);
    if (status != STATUS_OK)
        return status;
    if (!got) {
        source->next_is_last = true;
        return source->compressed.size == source->compressed_at ? STATUS_OK : STATUS_CORRUPT;
    }
    size_t size = load_be32(source->compressed.data + source->compressed_at);
    if (size > SNAPPY_BLOCK_BYTES_MAX)
        return STATUS_CORRUPT;
    status = need_compressed(source, 4 + size, &got);
    if (status != STATUS_OK)
        return status;
    const char *block = (const char *)source->compressed.data + source->compressed_at + 4;
    size_t plain_size;
    if (!got || snappy_uncompressed_length(block, size, &plain_size) != SNAPPY_OK ||
        plain_size > SNAPPY_BLOCK_BYTES_MAX)
        return STATUS_CORRUPT;
    uint8_t *at = buffer_extend(&source->next, plain_size);
    if (snappy_uncompress(block, size, (char *)at, &plain_size) != SNAPPY_OK)
        return STATUS_CORRUPT;
    source->compressed_at += 4 + size;
    return STATUS_OK;
}

/* The work of the side. */
static void read_next(void *argument)
{
    struct snapshot_source *source = argument;

    source->next.size = 0;
    (void)buffer_extend(&source->next, HEAD_BYTES);
    source->next_status = source->compression == STORE_PLAIN  ? more_plain(source)
                          : source->compression == STORE_GZIP ? more_gzip(source)
                                                              : more_snappy(source);
    source->next_adler = adler32_add(source->next_adler, slice_of(source->next.data + HEAD_BYTES,
                                                                  source->next.size - HEAD_BYTES));
}

static void begin_next(struct snapshot_source *source)
{
    if (source->side == NULL || source->last)
        return;
    source->reading = true;
    source->side->begin(source->side, read_next, source);
}

static void end_next(struct snapshot_source *source)
{
    if (source->reading)
        source->side->wait(source->side);
    else
        read_next(source);
    source->reading = false;
}

/* The window goes on with the next one. What is left of it stands in front: in the next one's head, or, when
 * that is too small, in this one, which the next is then copied to. */
static enum status take_next(struct snapshot_source *source)
{
    size_t left = source->window.size - source->at;

    end_next(source);
    if (source->next_status != STATUS_OK)
        return source->next_status;
    if (left <= HEAD_BYTES) {
        struct buffer next = source->next;
        if (left > 0)
            memcpy(next.data + HEAD_BYTES - left, source->window.data + source->at, left);
        source->next = source->window;
        source->window = next;
        source->at = HEAD_BYTES - left;
    } else {
        memmove(source->window.data, source->window.data + source->at, left);
        source->window.size = left;
        source->at = 0;
        buffer_append(&source->window,
                      slice_of(source->next.data + HEAD_BYTES, source->next.size - HEAD_BYTES));
    }
    source->adler = source->next_adler;
    source->last = source->next_is_last;
    begin_next(source);
    return STATUS_OK;
}

enum status snapshot_source_open(struct disk *disk, const char *name, struct side_work *side,
                                 struct snapshot_source **ret_source)
{
    struct snapshot_source *source = mem_zalloc(sizeof(*source));

    source->disk = disk;
    source->side = side;
    source->adler = source->next_adler = 1;
    source->compression = store_name_read(name).compression;
    enum status status = disk->ops->open(disk, name, DISK_READ, &source->file);
    if (status != STATUS_OK)
        goto free_source;
    status = disk->ops->size(disk, source->file, &source->file_bytes);
    if (status != STATUS_OK)
        goto close_file;
    if (source->compression == STORE_GZIP)
        ASSERT(inflateInit2(&source->inflate, GZIP_WINDOW_BITS) == Z_OK);
    begin_next(source);
    *ret_source = source;
    return STATUS_OK;
close_file:
    disk->ops->close(disk, source->file);
free_source:
    mem_free(source);
    return status;
}

void snapshot_source_close(struct snapshot_source *source)
{
    if (source->reading)
        source->side->wait(source->side);
    if (source->compression == STORE_GZIP)
        (void)inflateEnd(&source->inflate);
    source->disk->ops->close(source->disk, source->file);
    buffer_deinit(&source->compressed);
    buffer_deinit(&source->next);
    buffer_deinit(&source->window);
    mem_free(source);
}

uint32_t snapshot_source_adler(const struct snapshot_source *source)
{
    return adler32_without_end(source->adler, slice_of(source->window.data + source->at,
                                                       source->window.size - source->at));
}

enum status snapshot_source_peek(struct snapshot_source *source, size_t want,
                                 struct slice *ret_bytes)
{
    while (source->window.size - source->at < want && !source->last) {
        enum status status = take_next(source);
        if (status != STATUS_OK)
            return status;
    }
    *ret_bytes = slice_of(source->window.data + source->at, source->window.size - source->at);
    return STATUS_OK;
}

void snapshot_source_skip(struct snapshot_source *source, size_t size)
{
    ASSERT(size <= source->window.size - source->at);
    source->at += size;
    source->skipped += size;
}

uint64_t snapshot_source_offset(const struct snapshot_source *source)
{
    return source->skipped;
}
