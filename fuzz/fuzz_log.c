/* fuzz_log.c: any bytes as the transaction logs of a data directory.
 *
 * The first byte says what the rest is: 0: a log file as it is; 1: payloads, each behind two bytes
 * of size, framed as Java does; 2: the same, framed as we do, in two files. A recovery answers with
 * a tree or a reason; done again it answers the same. */
#include "replica/store/recovery.h"
#include "sim/disk.h"

#include <zlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void frame_java(struct buffer *out, struct slice payload)
{
    buffer_i64(out, (int64_t)adler32(1, payload.data, (uInt)payload.size));
    buffer_i32(out, (int32_t)payload.size);
    buffer_append(out, payload);
    buffer_u8(out, TXNLOG_RECORD_END);
}

/* The payloads' zxids are made to follow each other, or most inputs would end at the first. */
static void frame_ours(struct buffer *out, struct slice payload, struct txnlog_position *position)
{
    struct buffer copy = {0};
    int64_t zxid = position->last_zxid + 1;

    buffer_append(&copy, payload);
    if (copy.size >= TXNLOG_PAYLOAD_BYTES_MIN) {
        store_be64(copy.data + 12, (uint64_t)zxid);
        txnlog_record_write(out, buffer_slice(&copy),
                            payload.data[0] & 1 ? TXNLOG_DIGEST_LACKING : TXNLOG_DIGEST_THERE, zxid,
                            position->last_zxid & ~3, TXNLOG_PAYLOAD_BYTES_MAX, position);
    }
    buffer_deinit(&copy);
}

static void put_log(struct sim_disk *sim, const char *name, struct buffer *bytes)
{
    sim_disk_put(sim, name, buffer_slice(bytes));
    buffer_deinit(bytes);
}

static void put_logs(struct sim_disk *sim, const uint8_t *data, size_t size)
{
    const char *name = "log.1";
    struct buffer out = {0};
    struct txnlog_position position = {0};
    uint8_t kind = size == 0 ? 0 : data[0] % 3;

    if (size > 0) {
        data++;
        size--;
    }
    if (kind == 0) {
        buffer_append(&out, slice_of(data, size));
        put_log(sim, name, &out);
        return;
    }
    txnlog_header_write(&out);
    while (size >= 2) {
        size_t bytes = (size_t)(data[0] << 8 | data[1]);
        bool roll = kind == 2 && (bytes & 0x8000);
        bytes &= 0x7fff;
        if (bytes > size - 2)
            bytes = size - 2;
        if (roll && position.last_zxid == 6) {
            put_log(sim, name, &out);
            name = "log.7";
            txnlog_header_write(&out);
        }
        if (kind == 1)
            frame_java(&out, slice_of(data + 2, bytes));
        else
            frame_ours(&out, slice_of(data + 2, bytes), &position);
        data += 2 + bytes;
        size -= 2 + bytes;
    }
    put_log(sim, name, &out);
}

static enum status recover(struct sim_disk *sim, struct recovery *recovery)
{
    struct recovery_options options = {
        .tree = {.hash_seed = 1, .extended_types = true, .digest_enabled = true},
        .db_autocreate = true,
        .last_zxid_section = true};

    enum status status = store_recover(sim_disk(sim), sim_disk(sim), &options, recovery);
    ASSERT(status == STATUS_OK || status == STATUS_CORRUPT);
    ASSERT((recovery->tree != NULL) == (status == STATUS_OK));
    ASSERT(status == STATUS_OK || recovery->notes.count > 0);
    return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sim_disk *sim = sim_disk_new(/* seed= */ 1);
    struct recovery first, second;

    ASSERT(recover(sim, &first) == STATUS_OK); /* writes snapshot.0 */
    tree_free(first.tree);
    recovery_deinit(&first);
    put_logs(sim, data, size);
    enum status status = recover(sim, &first);
    ASSERT(recover(sim, &second) == status);
    if (status == STATUS_OK) {
        ASSERT(first.last_zxid == second.last_zxid && first.log.link == second.log.link);
        ASSERT(tree_digest(first.tree) == tree_digest(second.tree));
        ASSERT(tree_node_count(first.tree) == tree_node_count(second.tree));
    }
    tree_free(first.tree);
    tree_free(second.tree);
    recovery_deinit(&first);
    recovery_deinit(&second);
    sim_disk_free(sim);
    return 0;
}
