/* snapshot_write.c: writes a snapshot file. The file gets its name only after it was synced, read back and
 * found right. */
#include "replica/store/snapshot.h"

#include "base/checksum.h"

#include <snappy-c.h>
#include <stdio.h>
#include <zlib.h>

enum {
    OUT_BYTES = 256 * 1024,
    SNAPPY_BLOCK_BYTES = 32 * 1024, /* as snappy-java */
    PART_BYTES = 256 * 1024,
    GZIP_WINDOW_BITS = 15 + 16, /* zlib's way to ask for a gzip header */
};

struct snapshot_file {
    struct disk *disk;
    struct disk_file *file;
    char name[SNAPSHOT_NAME_BYTES_MAX], temporary[SNAPSHOT_NAME_BYTES_MAX + 8];
    enum store_compression compression;
    z_stream deflate;
    struct buffer block; /* snappy: not yet compressed */
    struct buffer out;
    uint64_t offset, bytes;
    uint32_t adler;
    enum status failed;
};

void snapshot_name_write(char *at, int64_t zxid, enum store_compression compression)
{
    const char *suffix = store_compression_name(compression);

    int size = snprintf(at, SNAPSHOT_NAME_BYTES_MAX, "snapshot.%llx%s%s", (unsigned long long)zxid,
                        suffix[0] == '\0' ? "" : ".", suffix);
    ASSERT(size > 0 && size < SNAPSHOT_NAME_BYTES_MAX);
}

enum status snapshot_file_begin(struct disk *disk, int64_t zxid, enum store_compression compression,
                                struct snapshot_file **ret_file)
{
    struct snapshot_file *file = mem_zalloc(sizeof(*file));

    file->disk = disk;
    file->compression = compression;
    file->adler = 1;
    snapshot_name_write(file->name, zxid, compression);
    int size = snprintf(file->temporary, sizeof(file->temporary), "tmp.%s", file->name);
    ASSERT(size > 0 && (size_t)size < sizeof(file->temporary));
    enum status status = disk->ops->open(disk, file->temporary, DISK_CREATE, &file->file);
    if (status != STATUS_OK) {
        mem_free(file);
        return status;
    }
    if (compression == STORE_GZIP)
        ASSERT(deflateInit2(&file->deflate, Z_DEFAULT_COMPRESSION, Z_DEFLATED, GZIP_WINDOW_BITS, 8,
                            Z_DEFAULT_STRATEGY) == Z_OK);
    if (compression == STORE_SNAPPY) {
        buffer_append(&file->out, slice_of("\202SNAPPY\0", 8));
        buffer_i32(&file->out, 1);
        buffer_i32(&file->out, 1);
    }
    *ret_file = file;
    return STATUS_OK;
}

static enum status flush_out(struct snapshot_file *file, size_t keep_below)
{
    const struct disk_ops *ops = file->disk->ops;

    if (file->out.size == 0 || file->out.size < keep_below)
        return STATUS_OK;
    enum status status =
        ops->write(file->disk, file->file, file->offset, file->out.data, file->out.size);
    if (status != STATUS_OK)
        return status;
    file->offset += file->out.size;
    file->out.size = 0;
    return STATUS_OK;
}

static enum status put_gzip(struct snapshot_file *file, struct slice bytes, int flush)
{
    z_stream *deflater = &file->deflate;

    deflater->next_in = (Bytef *)(uintptr_t)bytes.data;
    deflater->avail_in = (uInt)bytes.size;
    do {
        uint8_t *at = buffer_extend(&file->out, OUT_BYTES);
        deflater->next_out = at;
        deflater->avail_out = OUT_BYTES;
        int result = deflate(deflater, flush);
        ASSERT(result == Z_OK || result == Z_STREAM_END || result == Z_BUF_ERROR);
        file->out.size -= deflater->avail_out;
        enum status status = flush_out(file, OUT_BYTES);
        if (status != STATUS_OK)
            return status;
    } while (deflater->avail_out == 0);
    return STATUS_OK;
}

static void put_snappy_block(struct snapshot_file *file, struct slice bytes)
{
    size_t size = snappy_max_compressed_length(bytes.size);
    size_t head = file->out.size;

    buffer_i32(&file->out, 0);
    uint8_t *at = buffer_extend(&file->out, size);
    size_t room = size;
    ASSERT(snappy_compress((const char *)bytes.data, bytes.size, (char *)at, &size) == SNAPPY_OK);
    file->out.size -= room - size;
    store_be32(file->out.data + head, (uint32_t)size);
}

static enum status put(struct snapshot_file *file, struct slice bytes)
{
    switch (file->compression) {
    case STORE_PLAIN:
        buffer_append(&file->out, bytes);
        break;
    case STORE_GZIP:
        return put_gzip(file, bytes, Z_NO_FLUSH);
    case STORE_SNAPPY:
        buffer_append(&file->block, bytes);
        size_t done = 0;
        for (; file->block.size - done >= SNAPPY_BLOCK_BYTES; done += SNAPPY_BLOCK_BYTES)
            put_snappy_block(file, slice_of(file->block.data + done, SNAPPY_BLOCK_BYTES));
        file->block.size -= done;
        memmove(file->block.data, file->block.data + done, file->block.size);
        break;
    }
    return flush_out(file, OUT_BYTES);
}

enum status snapshot_file_write(struct snapshot_file *file, struct slice bytes)
{
    if (file->failed != STATUS_OK || bytes.size == 0)
        return file->failed;
    file->adler = adler32_add(file->adler, bytes);
    file->bytes += bytes.size;
    file->failed = put(file, bytes);
    return file->failed;
}

enum status snapshot_file_seal(struct snapshot_file *file)
{
    uint8_t seal[13] = {[11] = 1, [12] = '/'};

    store_be64(seal, file->adler);
    return snapshot_file_write(file, slice_of(seal, sizeof(seal)));
}

uint64_t snapshot_file_bytes(const struct snapshot_file *file)
{
    return file->bytes;
}

static enum status put_end(struct snapshot_file *file)
{
    enum status status = STATUS_OK;

    if (file->compression == STORE_GZIP)
        status = put_gzip(file, SLICE_NULL, Z_FINISH);
    if (file->compression == STORE_SNAPPY && file->block.size > 0)
        put_snappy_block(file, buffer_slice(&file->block));
    if (status == STATUS_OK)
        status = flush_out(file, 0);
    return status;
}

static void release(struct snapshot_file *file)
{
    if (file->compression == STORE_GZIP)
        (void)deflateEnd(&file->deflate);
    buffer_deinit(&file->block);
    buffer_deinit(&file->out);
    mem_free(file);
}

enum status snapshot_file_finish(struct snapshot_file *file)
{
    const struct disk_ops *ops = file->disk->ops;
    struct disk *disk = file->disk;
    struct snapshot_info info;

    enum status status = file->failed;
    if (status == STATUS_OK)
        status = put_end(file);
    if (status == STATUS_OK)
        status = ops->sync(disk, file->file);
    ops->close(disk, file->file);
    if (status == STATUS_OK)
        status = snapshot_load(disk, file->temporary, /* text_bytes_max= */ INT32_MAX, NULL, NULL,
                               &info);
    if (status == STATUS_OK)
        status = ops->rename(disk, file->temporary, file->name);
    if (status != STATUS_OK)
        (void)ops->remove(disk, file->temporary); /* the error before is the one to tell */
    else
        status = ops->sync_dir(disk);
    release(file);
    return status;
}

void snapshot_file_abort(struct snapshot_file *file)
{
    struct disk *disk = file->disk;

    disk->ops->close(disk, file->file);
    (void)disk->ops->remove(disk, file->temporary); /* recovery removes what stays */
    release(file);
}

enum status snapshot_write(struct disk *disk, struct tree *tree,
                           const struct snapshot_image_options *options,
                           enum store_compression compression)
{
    struct snapshot_image *image = snapshot_image_begin(tree, options);
    struct snapshot_file *file;
    struct buffer part = {0};
    enum image_part kind = IMAGE_PART;

    enum status status = snapshot_file_begin(disk, snapshot_image_zxid(image), compression, &file);
    if (status != STATUS_OK)
        goto end_image;
    while (status == STATUS_OK &&
           (kind = snapshot_image_next(image, &part, PART_BYTES)) != IMAGE_END) {
        ASSERT(kind != IMAGE_LOST); /* the tree does not change meanwhile */
        status = snapshot_file_write(file, buffer_slice(&part));
        if (status == STATUS_OK && kind == IMAGE_PART_SEALED)
            status = snapshot_file_seal(file);
        part.size = 0;
    }
    if (status == STATUS_OK)
        status = snapshot_file_finish(file);
    else
        snapshot_file_abort(file);
    buffer_deinit(&part);
end_image:
    snapshot_image_end(image);
    return status;
}
