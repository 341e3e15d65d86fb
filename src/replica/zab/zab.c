/* zab.c: packets out, bytes in, the one piece of work on the files that may be under way, and the age of
 * transactions. */
#include "replica/zab/zab.h"

#include "wire/quorum.h"

enum {
    INPUT_KEPT_MAX = 256 * 1024,
    /* So many digests must fit after a repair, or it was none: the process ends, and does not fetch
     * everything again and again. */
    REPAIRED_DIGESTS = 10000
};

void zab_begin_store(struct zab *zab, struct store_work work)
{
    ASSERT(!zab->store_busy);
    zab->store_busy = true;
    zab->work = work;
    effects_begin_store(zab->step->effects, work);
}

bool zab_store_done(struct zab *zab)
{
    if (!zab->store_busy)
        return false;
    zab->store_busy = false;
    if (zab->work.kind == STORE_WRITE_EPOCHS) {
        if (zab->work.accepted_epoch != -1)
            zab->accepted_epoch = zab->work.accepted_epoch;
        if (zab->work.current_epoch != -1)
            zab->current_epoch = zab->work.current_epoch;
    }
    return true;
}

const char *zab_fetch_all(struct zab *zab)
{
    zab->must_have_snapshot = true;
    return "the digest of this server's tree differs from that in a transaction: it stops serving, "
           "reads its files again, and fetches everything from the leader";
}

void zab_hear_config(struct zab *zab, int64_t version, bool other_servers)
{
    if (other_servers)
        zab->fatal = "the ensemble's servers were changed by reconfig, which this release does "
                     "not follow: write the new servers into zoo.cfg and start again";
    else if (version > zab->membership->version)
        zab->membership->version = version;
}

const char *zab_tree_differs(struct zab *zab)
{
    uint64_t fitting = proposals_digests_fitting(zab->proposals) + 1; /* not 0 */

    if (zab->repaired_at != 0 && fitting - zab->repaired_at < REPAIRED_DIGESTS)
        zab->fatal =
            "soon after this server's tree was repaired, its digest differs again: look for "
            "broken memory or disks, keep the files, start again, and report it";
    zab->repaired_at = fitting;
    return zab->fatal != NULL ? zab->fatal : zab_fetch_all(zab);
}

void zab_observe_age(struct zab *zab, size_t kept_index, enum metric_id metric)
{
    struct kept_txn kept = proposals_kept_at(zab->proposals, kept_index);
    struct txn_header header;

    if (txn_read_header(kept.payload, &header) == STATUS_OK && zab->step->wall_ms >= header.time_ms)
        metrics_observe(&zab->step->metrics, metric, zab->step->wall_ms - header.time_ms);
}

void zab_send(struct zab *zab, uint64_t connection, int32_t type, int64_t zxid, struct slice data)
{
    struct buffer *bytes = &zab->step->effects->peer_bytes;
    size_t offset = bytes->size;

    quorum_packet_put(bytes, type, zxid, data);
    effects_add_peer_send(zab->step->effects, connection, offset, bytes->size - offset);
}

void zab_send_bytes(struct zab *zab, uint64_t connection, struct slice data)
{
    struct buffer *bytes = &zab->step->effects->peer_bytes;
    size_t offset = bytes->size;

    buffer_append(bytes, data);
    effects_add_peer_send(zab->step->effects, connection, offset, data.size);
}

void zab_close(struct zab *zab, uint64_t connection, const char *reason)
{
    effects_add_peer(
        zab->step->effects,
        (struct peer_effect){.kind = PEER_CLOSE, .connection = connection, .reason = reason});
}

void zab_input_add(struct zab_input *input, struct slice bytes)
{
    ASSERT(input->read_at <= input->bytes.size);
    if (input->read_at == input->bytes.size) {
        input->bytes.size = input->read_at = 0;
        if (input->bytes.capacity > INPUT_KEPT_MAX)
            buffer_deinit(&input->bytes);
    } else if (input->read_at > input->bytes.size / 2) {
        memmove(input->bytes.data, input->bytes.data + input->read_at,
                input->bytes.size - input->read_at);
        input->bytes.size -= input->read_at;
        input->read_at = 0;
    }
    buffer_append(&input->bytes, bytes);
}

struct slice zab_input_rest(const struct zab_input *input)
{
    return slice_of(input->bytes.data + input->read_at, input->bytes.size - input->read_at);
}

void zab_input_take(struct zab_input *input, size_t size)
{
    ASSERT(size <= input->bytes.size - input->read_at);
    input->read_at += size;
}

void zab_input_deinit(struct zab_input *input)
{
    buffer_deinit(&input->bytes);
    input->read_at = 0;
}
