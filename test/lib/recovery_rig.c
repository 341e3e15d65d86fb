#include "test/lib/recovery_rig.h"

#include "replica/store/snapshot.h"
#include "replica/store/txnlog.h"
#include "test/lib/check.h"

#include <zlib.h>

void recovery_rig_init(struct recovery_rig *rig)
{
    *rig = (struct recovery_rig){.sim = sim_disk_new(9), .options = world_recovery_options()};
    world_init(&rig->world, 9);
}

void recovery_rig_forget(struct recovery_rig *rig)
{
    tree_free(rig->recovery.tree);
    recovery_deinit(&rig->recovery);
    rig->recovery = (struct recovery){0};
}

void recovery_rig_deinit(struct recovery_rig *rig)
{
    recovery_rig_forget(rig);
    CHECK_U64("open files", sim_disk_open_files(rig->sim), 0);
    world_deinit(&rig->world);
    sim_disk_free(rig->sim);
}

enum status recovery_rig_recover(struct recovery_rig *rig)
{
    recovery_rig_forget(rig);
    return store_recover(sim_disk(rig->sim), sim_disk(rig->sim), &rig->options, &rig->recovery);
}

void recovery_rig_must_recover(struct recovery_rig *rig)
{
    if (recovery_rig_recover(rig) != STATUS_OK)
        check_failed(__FILE__, __LINE__, "refused: %s", recovery_reason(&rig->recovery));
}

void recovery_rig_must_refuse(struct recovery_rig *rig, const char *text)
{
    CHECK_STATUS(recovery_rig_recover(rig), STATUS_CORRUPT);
    CHECK(rig->recovery.tree == NULL);
    if (strstr(recovery_reason(&rig->recovery), text) == NULL)
        check_failed(__FILE__, __LINE__, "the refusal says: %s", recovery_reason(&rig->recovery));
}

void recovery_rig_must_note(struct recovery_rig *rig, const char *text)
{
    if (!recovery_noted(&rig->recovery, text))
        check_failed(__FILE__, __LINE__, "nothing noted like: %s", text);
}

/* Java's frame around a payload. */
void put_java_record(struct buffer *out, struct slice payload)
{
    buffer_i64(out, (int64_t)adler32(1, payload.data, (uInt)payload.size));
    jute_put_bytes(out, payload);
    buffer_u8(out, 0x42);
}

/* Transactions [from, to] of the world as a log of Java's; returns where the last one begins. */
size_t recovery_rig_java_log(struct recovery_rig *rig, int64_t from, int64_t to, struct buffer *out)
{
    size_t last = 0;

    out->size = 0;
    txnlog_header_write(out);
    for (size_t i = 0; i < rig->world.count; i++) {
        if (rig->world.txns[i].zxid < from || rig->world.txns[i].zxid > to)
            continue;
        last = out->size;
        put_java_record(out, world_append(&rig->world, i).payload);
    }
    return last;
}

void recovery_rig_put(struct recovery_rig *rig, const char *name, const struct buffer *bytes,
                      size_t padding)
{
    struct buffer padded = {0};

    buffer_append(&padded, buffer_slice(bytes));
    if (padding > 0)
        memset(buffer_extend(&padded, padding), 0, padding);
    sim_disk_put(rig->sim, name, buffer_slice(&padded));
    buffer_deinit(&padded);
}

void recovery_rig_put_java_log(struct recovery_rig *rig, const char *name, int64_t from, int64_t to,
                               size_t padding)
{
    struct buffer bytes = {0};

    (void)recovery_rig_java_log(rig, from, to, &bytes);
    recovery_rig_put(rig, name, &bytes, padding);
    buffer_deinit(&bytes);
}

void recovery_rig_snapshot(struct recovery_rig *rig)
{
    world_write_snapshot(&rig->world, sim_disk(rig->sim));
}

void recovery_rig_grow(struct recovery_rig *rig, int count)
{
    for (int i = 0; i < count; i++)
        (void)world_next(&rig->world);
}

/* Our own log of the next `count` transactions, one sync each; from a recovery's position. */
void recovery_rig_serve(struct recovery_rig *rig, int count, int roll_every)
{
    struct txnlog_options options = {
        .prealloc_bytes = 4096, .force_sync = true, .digest_enabled = true};
    struct txnlog_writer *writer =
        txnlog_writer_new(sim_disk(rig->sim), &options, &rig->recovery.log);

    for (int i = 0; i < count; i++) {
        struct txnlog_append append = world_next(&rig->world);
        append.roll_before = roll_every > 0 && i % roll_every == 0;
        CHECK_STATUS(txnlog_writer_append(writer, &append, 1), STATUS_OK);
        CHECK_STATUS(txnlog_writer_sync(writer), STATUS_OK);
    }
    txnlog_writer_free(writer);
}

void recovery_rig_change_byte(struct recovery_rig *rig, const char *name, size_t at, uint8_t value)
{
    struct slice bytes = sim_disk_bytes(rig->sim, name);
    uint8_t *copy = mem_alloc(bytes.size);

    CHECK(at < bytes.size);
    memcpy(copy, bytes.data, bytes.size);
    copy[at] = value;
    sim_disk_put(rig->sim, name, slice_of(copy, bytes.size));
    mem_free(copy);
}

void recovery_rig_cut(struct recovery_rig *rig, const char *name, size_t size)
{
    struct slice bytes = sim_disk_bytes(rig->sim, name);
    uint8_t *copy = mem_alloc(size);

    memcpy(copy, bytes.data, size);
    sim_disk_put(rig->sim, name, slice_of(copy, size));
    mem_free(copy);
}
