/* A replica under random clients, time and syncs: it repeats itself to the byte, and every client
 * sees an order that it can rely on. */
#include "sim/driver.h"
#include "test/lib/check.h"
#include "test/lib/replica_rig.h"
#include "test/lib/requests.h"
#include "test/lib/tree_dump.h"

#include "replica/replica.h"
#include "replica/txn/txn.h"

enum { SPEAKERS = 5, SENT_MAX = 4096 };

struct sent { /* requests of one connection whose answers keep their order */
    int32_t xids[SENT_MAX];
    size_t count, answered;
    int64_t last_zxid;
};

struct story {
    struct driver rig;
    struct sent sent[SPEAKERS];
    struct buffer transcript;
    bool with_garbage, with_large; /* large: answers that do not all leave at once */
};

static struct replica_options random_options(uint64_t *seed)
{
    struct replica_options options = rig_options();

    options.outstanding_max = random_below(seed, 3) == 0 ? 5 : 1000;
    options.throttle_requests_max = random_below(seed, 3) == 0 ? 3 : 0;
    options.throttle_stall_ms = 100;
    options.throttled_op_wait_ms = random_below(seed, 2) == 0 ? 700 : 0;
    options.container_check_interval_ms = 2000;
    options.container_never_used_max_ms = 4000;
    options.snap_count = 20 + random_below(seed, 100);
    options.enforce_quota = random_below(seed, 2) == 0;
    return options;
}

static void read_mail(struct story *story, uint32_t speaker)
{
    struct sent *sent = &story->sent[speaker];

    while (!rig_silent(&story->rig, speaker)) {
        if (story->rig.clients[speaker].read_at == 0) {
            (void)rig_shaken(&story->rig, speaker);
            continue;
        }
        struct rig_reply reply = rig_next(&story->rig, speaker);
        if (reply.xid == XID_NOTIFICATION) {
            CHECK(reply.zxid >= sent->last_zxid);
            continue;
        }
        CHECK(sent->answered < sent->count);
        CHECK_I64("answers in the order of requests", reply.xid, sent->xids[sent->answered]);
        sent->answered++;
        CHECK(reply.zxid >= sent->last_zxid);
        sent->last_zxid = reply.zxid;
    }
}

static void look_around(struct story *story)
{
    for (uint32_t i = 0; i < SPEAKERS; i++) {
        if (!story->with_garbage)
            read_mail(story, i);
        if (story->rig.clients[i].open && story->rig.clients[i].closed)
            driver_gone(&story->rig, i);
    }
}

static void speak(struct story *story, uint32_t speaker, uint64_t *seed)
{
    struct driver *rig = &story->rig;
    struct driver_client *client = &rig->clients[speaker];
    struct buffer body = {0};
    int32_t kind = random_below(seed, 200);

    if (!client->open) {
        int64_t older = rig->clients[random_below(seed, SPEAKERS)].session_id;
        story->sent[speaker] = (struct sent){0};
        driver_open(rig, speaker);
        driver_shake(rig, speaker, random_below(seed, 2) == 0 ? older : 0, 4000);
        look_around(story);
        return;
    }
    if (client->closed)
        return;
    if (kind == 0) {
        driver_gone(rig, speaker);
        return;
    }
    if (kind == 1 && story->with_garbage) {
        uint8_t garbage[64];
        random_fill(seed, garbage, sizeof(garbage));
        driver_frame(rig, speaker, slice_of(garbage, (size_t)random_below(seed, 64)));
        return;
    }
    if (story->with_large && kind > 2 && kind < 60) {
        static char large[400 * 1024];
        struct sent *sent = &story->sent[speaker];
        memset(large, 'x', sizeof(large) - 1);
        CHECK(sent->count < SENT_MAX);
        sent->xids[sent->count++] = client->last_xid + 1;
        if (kind < 6)
            (void)rig_set(rig, speaker, "/", kind == 3 ? "small" : large);
        else
            (void)rig_get(rig, speaker, "/", false);
        return;
    }
    int32_t op = kind == 2   ? OP_CLOSE_SESSION
                 : kind < 80 ? random_read(seed, &body)
                             : random_write(seed, &body);
    struct sent *sent = &story->sent[speaker];
    CHECK(sent->count < SENT_MAX);
    int32_t xid = client->last_xid + 1;
    sent->xids[sent->count++] = op == OP_PING ? XID_PING : xid;
    (void)rig_send(rig, speaker, op, &body);
    buffer_deinit(&body);
}

static void happen(struct story *story, uint64_t *seed)
{
    struct driver *rig = &story->rig;

    switch (random_below(seed, 12)) {
    case 0:
        driver_pass(rig, random_below(seed, 900));
        break;
    case 1:
        if (random_below(seed, 10) == 0)
            driver_jump(rig, random_below(seed, 20000));
        break;
    case 2:
    case 3:
        driver_sync(rig);
        break;
    case 4: {
        int64_t behind = rig->appended_zxid - tree_last_zxid(replica_tree(rig->replica));
        driver_sync_to(rig, rig->appended_zxid - random_below(seed, (int32_t)behind + 1));
        break;
    }
    case 5:
        driver_ready(rig, (uint32_t)random_below(seed, SPEAKERS));
        if (rig->image_running && random_below(seed, 5) == 0)
            driver_image_finish(rig);
        break;
    default:
        speak(story, (uint32_t)random_below(seed, SPEAKERS), seed);
        break;
    }
    look_around(story);
}

enum flavour { WITH_GARBAGE, WITH_LARGE };

static struct story *tell(uint64_t seed, enum flavour flavour)
{
    struct story *story = mem_zalloc(sizeof(*story));
    struct replica_options options = random_options(&seed);

    story->with_garbage = flavour == WITH_GARBAGE;
    story->with_large = flavour == WITH_LARGE;
    rig_init(&story->rig, &options, rig_tree());
    story->rig.options.room_by_hand = true;
    if (story->with_garbage)
        story->rig.transcript = &story->transcript;
    for (int turn = 0; turn < 2000; turn++)
        happen(story, &seed);
    for (int i = 0;
         i < 100 && tree_last_zxid(replica_tree(story->rig.replica)) < story->rig.appended_zxid;
         i++) {
        driver_sync(&story->rig);
        look_around(story);
    }
    for (uint32_t i = 0; i < SPEAKERS; i++) {
        while (story->rig.clients[i].held)
            driver_ready(&story->rig, i);
    }
    look_around(story);
    return story;
}

static void forget(struct story *story)
{
    driver_deinit(&story->rig);
    buffer_deinit(&story->transcript);
    mem_free(story);
}

PROPERTY(the_same_events_give_the_same_effects_to_the_byte)
{
    struct story *one = tell(seed, WITH_GARBAGE);
    struct story *two = tell(seed, WITH_GARBAGE);

    CHECK(one->transcript.size > 10000);
    CHECK_SLICE("effects", buffer_slice(&two->transcript), buffer_slice(&one->transcript));
    forget(one);
    forget(two);
}

PROPERTY(answers_come_in_the_order_of_requests_and_all_of_them_come)
{
    struct story *story = tell(seed, WITH_LARGE);
    struct replica_counts counts;

    for (uint32_t i = 0; i < SPEAKERS; i++) {
        if (story->rig.clients[i].open && story->rig.clients[i].answered)
            CHECK_U64("answers", story->sent[i].answered, story->sent[i].count);
    }
    replica_counts(story->rig.replica, &counts);
    CHECK_I64("nothing is left", counts.outstanding, 0);
    CHECK_I64("digests as foretold",
              metrics_number(replica_metrics(story->rig.replica), METRIC_DIGEST_MISMATCHES), 0);
    forget(story);
}

PROPERTY(the_tree_is_what_its_log_says)
{
    struct story *story = tell(seed, WITH_GARBAGE);
    struct tree *again = rig_tree();
    struct buffer got = {0}, want = {0};
    struct arena arena;

    arena_init(&arena);
    for (size_t i = 0; i < story->rig.record_count; i++) {
        const struct driver_record *append = &story->rig.records[i];
        struct txn txn;
        CHECK_STATUS(txn_read(buffer_slice(&append->payload), &arena, &txn), STATUS_OK);
        CHECK_I64("zxid", txn.header.zxid, append->zxid);
        CHECK_I64("a digest behind every body", false, append->lacks_digest);
        txn_apply(again, &txn, NULL, &arena, NULL);
        arena_reset(&arena);
    }
    arena_deinit(&arena);
    tree_dump(replica_tree(story->rig.replica), &got);
    tree_dump(again, &want);
    check_same_dump("the replica's tree and its log's", &got, &want);
    CHECK_U64("digest", tree_digest(again), tree_digest_from_scratch(again));
    tree_free(again);
    buffer_deinit(&got);
    buffer_deinit(&want);
    forget(story);
}
