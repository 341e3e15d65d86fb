/* What a leader proposes, before it is logged; and what the log puts behind what came without a digest. */
#include "replica/store/recovery.h"
#include "replica/store/snapshot.h"
#include "replica/store/txnlog.h"
#include "replica/store/txnlog_payload.h"
#include "replica/store/txnlog_reader.h"
#include "replica/txn/txn.h"
#include "sim/disk.h"
#include "test/lib/check.h"
#include "test/lib/store_world.h"

static void put_header(struct buffer *out, int64_t zxid, int32_t type)
{
    buffer_i64(out, 0x100000000000001);
    buffer_i32(out, 7);
    buffer_i64(out, zxid);
    buffer_i64(out, 1700000000000);
    buffer_i32(out, type);
}

static void put_digest(struct buffer *out, int64_t digest)
{
    buffer_i32(out, 2);
    buffer_i64(out, digest);
}

static enum status check_payload(struct slice payload, int64_t zxid, int64_t last_zxid,
                                 struct txnlog_append *ret_append)
{
    struct arena arena;
    const char *problem = NULL;

    arena_init(&arena);
    enum status status =
        txnlog_payload_check(payload, zxid, last_zxid, 0, &arena, ret_append, &problem);
    CHECK((problem != NULL) == (status != STATUS_OK && status != STATUS_EXISTS));
    arena_deinit(&arena);
    return status;
}

PROPERTY(what_a_leader_made_may_be_logged_and_no_part_of_it_may)
{
    struct store_world world;

    world_init(&world, seed);
    for (int i = 0; i < 100; i++) {
        struct txnlog_append made = world_next(&world), append;
        CHECK_STATUS(check_payload(made.payload, made.zxid, made.zxid - 1, &append), STATUS_OK);
        CHECK_SLICE("payload", append.payload, made.payload);
        CHECK_I64("zxid", append.zxid, made.zxid);
        CHECK(append.lacks_digest == made.lacks_digest && !append.roll_before);
        size_t digest = made.lacks_digest ? 0 : 12;
        for (size_t cut = 1; cut < made.payload.size; cut++) {
            enum status status = check_payload(slice_of(made.payload.data, made.payload.size - cut),
                                               made.zxid, made.zxid - 1, &append);
            int32_t type = (int32_t)load_be32(made.payload.data + 28);
            size_t left = made.payload.size - cut;
            /* Whole ones, too: two paths cut off behind their count look like a digest. */
            if (cut == digest || (type == OP_CLOSE_SESSION && (left == 32 || left == 44)))
                continue;
            if (status != STATUS_MALFORMED)
                check_failed(__FILE__, __LINE__, "type %d, size %zu, cut %zu: taken", type,
                             made.payload.size, cut);
        }
    }
    world_deinit(&world);
}

TEST(a_proposal_must_have_the_packets_zxid_and_be_above_the_one_before)
{
    struct buffer bytes = {0};
    struct txnlog_append append;

    put_header(&bytes, 8, OP_CREATE_SESSION);
    buffer_i32(&bytes, 30000);
    struct slice payload = buffer_slice(&bytes);
    CHECK_STATUS(check_payload(payload, 8, 7, &append), STATUS_OK);
    CHECK_STATUS(check_payload(payload, 8, 0, &append), STATUS_OK);
    CHECK_STATUS(check_payload(payload, 9, 7, &append), STATUS_MALFORMED);
    CHECK_STATUS(check_payload(payload, 8, 8, &append), STATUS_INVALID);
    CHECK_STATUS(check_payload(payload, 8, 9, &append), STATUS_INVALID);
    buffer_deinit(&bytes);
}

TEST(an_error_that_repeats_the_zxid_before_is_not_logged)
{
    struct buffer bytes = {0};
    struct txnlog_append append;

    put_header(&bytes, 8, OP_ERROR);
    buffer_i32(&bytes, ZK_MARSHALLING_ERROR);
    CHECK_STATUS(check_payload(buffer_slice(&bytes), 8, 8, &append), STATUS_EXISTS);
    CHECK_STATUS(check_payload(buffer_slice(&bytes), 8, 9, &append), STATUS_INVALID);
    CHECK_STATUS(check_payload(buffer_slice(&bytes), 8, 7, &append), STATUS_OK);
    CHECK(append.lacks_digest);
    buffer_deinit(&bytes);
}

TEST(a_proposal_of_an_unknown_type_or_too_large_is_refused)
{
    struct buffer bytes = {0};
    struct txnlog_append append;

    put_header(&bytes, 8, 99);
    CHECK_STATUS(check_payload(buffer_slice(&bytes), 8, 7, &append), STATUS_UNSUPPORTED);
    bytes.size = 0;
    put_header(&bytes, 8, OP_CREATE_SESSION);
    size_t more = TXNLOG_PAYLOAD_BYTES_MAX - bytes.size;
    memset(buffer_extend(&bytes, more), 0, more);
    CHECK_STATUS(check_payload(buffer_slice(&bytes), 8, 7, &append), STATUS_OK);
    buffer_u8(&bytes, 0);
    CHECK_STATUS(check_payload(buffer_slice(&bytes), 8, 7, &append), STATUS_TOO_LARGE);
    CHECK_STATUS(check_payload(SLICE(""), 8, 7, &append), STATUS_MALFORMED);
    buffer_deinit(&bytes);
}

/* --- behind a payload in the log --- */

struct logged {
    struct buffer bytes;
    struct txnlog_position position;
};

/* Writes one record; the payload as it stands in the log. */
static struct slice log_one(struct logged *logged, const struct buffer *payload, bool lacks_digest)
{
    logged->bytes.size = 0;
    txnlog_record_write(&logged->bytes, buffer_slice(payload),
                        lacks_digest ? TXNLOG_DIGEST_LACKING : TXNLOG_DIGEST_THERE,
                        txnlog_payload_zxid(buffer_slice(payload)), 0, 1 << 20, &logged->position);
    return slice_of(logged->bytes.data + TXNLOG_RECORD_HEAD_BYTES,
                    logged->bytes.size - TXNLOG_RECORD_HEAD_BYTES - 1);
}

static struct slice log_error(struct logged *logged, struct buffer *payload, int64_t zxid)
{
    payload->size = 0;
    put_header(payload, zxid, OP_ERROR);
    buffer_i32(payload, ZK_NO_NODE);
    return log_one(logged, payload, true);
}

static struct slice log_session(struct logged *logged, struct buffer *payload, int64_t zxid,
                                int64_t digest)
{
    payload->size = 0;
    put_header(payload, zxid, OP_CREATE_SESSION);
    buffer_i32(payload, 30000);
    if (digest != 0)
        put_digest(payload, digest);
    return log_one(logged, payload, digest == 0);
}

static void check_unknown_digest(struct slice record, size_t payload_bytes)
{
    CHECK_U64("size", record.size, payload_bytes + 12 + 24);
    CHECK_U64("version", load_be32(record.data + payload_bytes), 0);
    CHECK_U64("digest", load_be64(record.data + payload_bytes + 4), 0);
}

TEST(an_error_of_javas_gets_the_digest_of_the_record_before_or_one_of_version_0)
{
    struct logged logged = {0};
    struct buffer payload = {0};
    struct txnlog_trailer trailer;

    struct slice record = log_error(&logged, &payload, 1);
    check_unknown_digest(record, payload.size);
    (void)log_session(&logged, &payload, 2, 77);
    for (int64_t zxid = 3; zxid < 6; zxid++) { /* one behind the other */
        record = log_error(&logged, &payload, zxid);
        CHECK_U64("size", record.size, payload.size + 12 + 24);
        CHECK_U64("version", load_be32(record.data + payload.size), 2);
        CHECK_U64("digest", load_be64(record.data + payload.size + 4), 77);
        CHECK(txnlog_trailer_read(record, &trailer));
        CHECK_I64("before", trailer.prev_zxid, zxid - 1);
    }
    /* A change without a digest: nobody knows the next one. */
    record = log_session(&logged, &payload, 6, 0);
    CHECK_U64("version", load_be32(record.data + payload.size), 0);
    CHECK(txnlog_trailer_read(record, &trailer));
    record = log_error(&logged, &payload, 7);
    check_unknown_digest(record, payload.size);
    CHECK(txnlog_trailer_read(record, &trailer));
    CHECK_I64("before", trailer.prev_zxid, 6);
    buffer_deinit(&payload);
    buffer_deinit(&logged.bytes);
}

TEST(a_close_session_without_a_body_has_nothing_behind_it_and_is_read_as_it_was)
{
    for (int has_digest = 0; has_digest < 2; has_digest++) {
        struct logged logged = {.position = {.digest_known = true, .digest = 5}};
        struct buffer payload = {0};
        struct arena arena;
        struct txn txn;
        put_header(&payload, 3, OP_CLOSE_SESSION);
        if (has_digest)
            put_digest(&payload, 9);
        struct slice record = log_one(&logged, &payload, !has_digest);
        CHECK_SLICE("as it came", record, buffer_slice(&payload));
        arena_init(&arena);
        CHECK_STATUS(txn_read(record, &arena, &txn), STATUS_OK);
        CHECK_I64("paths", txn.op.paths.count, -1);
        CHECK(txn.has_digest == (has_digest == 1));
        CHECK(logged.position.digest_known == (has_digest == 1));
        arena_deinit(&arena);
        buffer_deinit(&payload);
        buffer_deinit(&logged.bytes);
    }
}

TEST(an_error_that_is_the_first_record_behind_a_start_has_a_digest_and_a_trailer)
{
    struct sim_disk *sim = sim_disk_new(1);
    struct recovery_options options = world_recovery_options();
    struct recovery recovery;
    struct buffer payload = {0};

    CHECK_STATUS(store_recover(sim_disk(sim), sim_disk(sim), &options, &recovery), STATUS_OK);
    struct txnlog_writer *writer = txnlog_writer_new(
        sim_disk(sim), &(struct txnlog_options){.force_sync = true, .digest_enabled = true},
        &recovery.log);
    put_header(&payload, 1, OP_ERROR);
    buffer_i32(&payload, ZK_NO_NODE);
    CHECK_STATUS(txnlog_writer_append(writer,
                                      &(struct txnlog_append){.payload = buffer_slice(&payload),
                                                              .zxid = 1,
                                                              .lacks_digest = true},
                                      1),
                 STATUS_OK);
    CHECK_STATUS(txnlog_writer_sync(writer), STATUS_OK);
    txnlog_writer_free(writer);
    const uint8_t *at = sim_disk_bytes(sim, "log.1").data + TXNLOG_HEADER_BYTES;
    CHECK_U64("size", load_be32(at + 8), payload.size + 36);
    CHECK_U64("digest", load_be64(at + 12 + payload.size + 4), tree_digest(recovery.tree));
    buffer_deinit(&payload);
    tree_free(recovery.tree);
    recovery_deinit(&recovery);
    sim_disk_free(sim);
}
