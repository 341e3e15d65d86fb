/* snapshot_source.c: the uncompressed bytes of a snapshot file, through a window that the reader can look
 * ahead in. It computes the checksum of all bytes as they pass. */
#include "replica/store/snapshot_source.h"

#include "base/checksum.h"

#include <snappy-c.h>
#include <zlib.h>

enum {
    WINDOW_BYTES = 1024 * 1024,
    FILE_BYTES = 256 * 1024,
    SNAPPY_HEAD_BYTES = 16,
    SNAPPY_BLOCK_BYTES_MAX = 16 * 1024 * 1024, /* Java writes 32 KB */
    GZIP_WINDOW_BITS = 15 + 16,
};

struct snapshot_source {
    struct disk *disk;
    struct disk_file *file;
    uint64_t offset, file_bytes;
    enum store_compression compression;
    z_stream inflate;
    struct buffer compressed; /* [compressed_at, size) is not yet decompressed */
    size_t compressed_at;
    struct buffer window; /* [at, size) is not yet skipped, [summed, at) not yet in adler */
    size_t at, summed;
    uint64_t skipped;
    uint32_t adler;
    bool end;
};

enum status snapshot_source_open(struct disk *disk, const char *name,
                                 struct snapshot_source **ret_source)
{
    struct snapshot_source *source = mem_zalloc(sizeof(*source));

    source->disk = disk;
    source->adler = 1;
    source->compression = store_name_read(name).compression;
    enum status status = disk->ops->open(disk, name, DISK_READ, &source->file);
    if (status != STATUS_OK)
        goto free_source;
    status = disk->ops->size(disk, source->file, &source->file_bytes);
    if (status != STATUS_OK)
        goto close_file;
    if (source->compression == STORE_GZIP)
        ASSERT(inflateInit2(&source->inflate, GZIP_WINDOW_BITS) == Z_OK);
    buffer_reserve(&source->window, WINDOW_BYTES);
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
    if (source->compression == STORE_GZIP)
        (void)inflateEnd(&source->inflate);
    source->disk->ops->close(source->disk, source->file);
    buffer_deinit(&source->compressed);
    buffer_deinit(&source->window);
    mem_free(source);
}

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
    source->end = source->offset == source->file_bytes;
    return read_file(source, &source->window, WINDOW_BYTES);
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
    inflater->next_out = buffer_extend(&source->window, WINDOW_BYTES);
    inflater->avail_out = WINDOW_BYTES;
    int result = inflate(inflater, Z_NO_FLUSH);
    source->window.size -= inflater->avail_out;
    if (result == Z_STREAM_END) {
        source->end = true;
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
        source->end = true;
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
    uint8_t *at = buffer_extend(&source->window, plain_size);
    if (snappy_uncompress(block, size, (char *)at, &plain_size) != SNAPPY_OK)
        return STATUS_CORRUPT;
    source->compressed_at += 4 + size;
    return STATUS_OK;
}

uint32_t snapshot_source_adler(struct snapshot_source *source)
{
    source->adler = adler32_add(
        source->adler, slice_of(source->window.data + source->summed, source->at - source->summed));
    source->summed = source->at;
    return source->adler;
}

enum status snapshot_source_peek(struct snapshot_source *source, size_t want,
                                 struct slice *ret_bytes)
{
    while (source->window.size - source->at < want && !source->end) {
        if (source->at > 0) {
            (void)snapshot_source_adler(source);
            source->window.size -= source->at;
            memmove(source->window.data, source->window.data + source->at, source->window.size);
            source->at = source->summed = 0;
        }
        enum status status = source->compression == STORE_PLAIN  ? more_plain(source)
                             : source->compression == STORE_GZIP ? more_gzip(source)
                                                                 : more_snappy(source);
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
