#include "replica/store/recovery.h"
#include "replica/store/snapshot.h"
#include "replica/store/txnlog.h"
#include "sim/disk.h"
#include "test/lib/check.h"
#include "test/lib/recovery_rig.h"
#include "test/lib/requests.h"

#include <zlib.h>

/* --- digests --- */

TEST(a_digest_that_differs_is_counted_and_told_and_stops_nothing)
{
    struct recovery_rig rig;
    struct buffer bytes = {0}, payload = {0};

    recovery_rig_init(&rig);
    recovery_rig_snapshot(&rig);
    struct txnlog_append append = world_create(&rig.world, "/a", SLICE("a"));
    for (int i = 0; i < 2; i++) {
        payload.size = bytes.size = 0;
        buffer_append(&payload, append.payload);
        payload.data[payload.size - 1] ^= 1;
        txnlog_header_write(&bytes);
        put_java_record(&bytes, buffer_slice(&payload));
        recovery_rig_put(&rig, "log.1", &bytes, 0);
        rig.options.tree.digest_enabled = i == 0;
        recovery_rig_must_recover(&rig);
        CHECK_U64("mismatches", rig.recovery.digest_mismatches, i == 0 ? 1 : 0);
        if (i == 0) {
            recovery_rig_must_note(&rig, "recorded with transaction 0x1");
            recovery_rig_must_note(&rig, "mismatches=1 of checked=1");
        }
    }
    buffer_deinit(&payload);
    buffer_deinit(&bytes);
    recovery_rig_deinit(&rig);
}

/* snapshot.<name>, holding the world as it is, with a digest section for `zxid`. */
static void put_fuzzy(struct recovery_rig *rig, const char *name, int64_t zxid, uint64_t digest)
{
    struct sim_disk *other = sim_disk_new(1);
    struct buffer bytes = {0};

    CHECK_STATUS(snapshot_write(sim_disk(other), rig->world.tree,
                                &(struct snapshot_image_options){0}, STORE_PLAIN),
                 STATUS_OK);
    buffer_append(&bytes, sim_disk_bytes(other, sim_disk_file_name(other, 0)));
    buffer_i64(&bytes, zxid);
    buffer_i32(&bytes, 2);
    buffer_i64(&bytes, (int64_t)digest);
    buffer_i64(&bytes, (int64_t)adler32(1, bytes.data, (uInt)bytes.size));
    jute_put_bytes(&bytes, SLICE("/"));
    sim_disk_put(rig->sim, name, buffer_slice(&bytes));
    buffer_deinit(&bytes);
    sim_disk_free(other);
}

TEST(the_digest_of_a_fuzzy_snapshot_is_compared_when_the_log_reaches_its_zxid)
{
    struct recovery_rig rig;

    recovery_rig_init(&rig);
    recovery_rig_grow(&rig, 20);
    recovery_rig_put_java_log(&rig, "log.1", 1, 20, 0);
    uint64_t digest = tree_digest(rig.world.tree);
    put_fuzzy(&rig, "snapshot.5", 20, digest); /* right */
    recovery_rig_must_recover(&rig);
    check_same_tree(rig.recovery.tree, rig.world.tree);
    CHECK_U64("checked", rig.recovery.digests_checked, 1);
    CHECK_U64("mismatches", rig.recovery.digest_mismatches, 0);
    CHECK(!rig.recovery.tree_differs);
    put_fuzzy(&rig, "snapshot.5", 20, digest + 1); /* wrong */
    recovery_rig_must_recover(&rig);
    CHECK_U64("mismatches", rig.recovery.digest_mismatches, 1);
    CHECK(rig.recovery.tree_differs);
    put_fuzzy(&rig, "snapshot.5", 30, digest); /* the log ends before */
    recovery_rig_must_recover(&rig);
    recovery_rig_must_note(&rig, "The log ends before transaction 0x1e");
    put_fuzzy(&rig, "snapshot.5", 3, 1); /* before the name: an epoch change; ignored */
    recovery_rig_must_recover(&rig);
    CHECK_I64("zxid", rig.recovery.last_zxid, 20);
    put_fuzzy(&rig, "snapshot.14", 20, 1); /* at the name: compared at once */
    recovery_rig_must_recover(&rig);
    CHECK_U64("mismatches", rig.recovery.digest_mismatches, 1);
    recovery_rig_must_note(&rig, "The digest of the tree in snapshot.14 differs");
    recovery_rig_deinit(&rig);
}

/* Java notes the digest of a transaction after it has applied it: a snapshot may be written in between. */
TEST(the_digest_of_a_snapshot_that_is_ahead_of_it_says_nothing)
{
    struct recovery_rig rig;

    recovery_rig_init(&rig);
    recovery_rig_grow(&rig, 20);
    recovery_rig_put_java_log(&rig, "log.1", 1, 20, 0);
    put_fuzzy(&rig, "snapshot.13", 0x13, 1); /* a znode has zxid 0x14 */
    recovery_rig_must_recover(&rig);
    check_same_tree(rig.recovery.tree, rig.world.tree);
    CHECK_U64("mismatches", rig.recovery.digest_mismatches, 0);
    CHECK_U64("checked", rig.recovery.digests_checked, 0);
    recovery_rig_deinit(&rig);
}

TEST(when_the_record_of_the_fuzzy_zxid_is_missing_checks_go_on_behind_it)
{
    struct recovery_rig rig;

    recovery_rig_init(&rig);
    recovery_rig_grow(&rig, 10);
    recovery_rig_put_java_log(&rig, "log.1", 1, 10, 0);
    put_fuzzy(&rig, "snapshot.5", 0x50, 1);
    tree_set_last_zxid(rig.world.tree, 0x100000000);
    recovery_rig_grow(&rig, 10);
    recovery_rig_put_java_log(&rig, "log.100000001", 0x100000001, 0x10000000a, 0);
    recovery_rig_must_recover(&rig);
    check_same_tree(rig.recovery.tree, rig.world.tree);
    CHECK_U64("mismatches", rig.recovery.digest_mismatches, 0);
    CHECK(rig.recovery.digests_checked > 0);
    recovery_rig_deinit(&rig);
}

/* --- sessions that are gone --- */

static void create_owned(struct recovery_rig *rig, const char *path, int64_t owner)
{
    int64_t session = rig->world.session;

    rig->world.session = owner;
    struct txn_op op = {.type = OP_CREATE,
                        .path = slice_text(path),
                        .data = SLICE("x"),
                        .acl = OPEN_ACL,
                        .ephemeral = true,
                        .parent_cversion = -1};
    (void)world_add(&rig->world, &op);
    rig->world.session = session;
}

TEST(ephemerals_whose_session_is_gone_are_removed_without_a_transaction)
{
    struct recovery_rig rig;

    recovery_rig_init(&rig);
    (void)world_create(&rig.world, "/p", SLICE(""));
    create_owned(&rig, "/p/a", 0x55);
    create_owned(&rig, "/p/b", 0x55);
    create_owned(&rig, "/p/c", 0x66);
    (void)world_add(&rig.world, &(struct txn_op){.type = OP_CREATE_SESSION, .timeout_ms = 1});
    rig.world.session = 0x77;
    (void)world_add(&rig.world, &(struct txn_op){.type = OP_CREATE_SESSION, .timeout_ms = 1});
    create_owned(&rig, "/p/d", 0x77);
    recovery_rig_snapshot(&rig);
    recovery_rig_must_recover(&rig);
    CHECK_U64("removed", rig.recovery.orphan_ephemerals, 3);
    recovery_rig_must_note(&rig, "count=3");
    CHECK(tree_find(rig.recovery.tree, SLICE("/p/a")) == NODE_NONE);
    CHECK(tree_find(rig.recovery.tree, SLICE("/p/c")) == NODE_NONE);
    CHECK(tree_find(rig.recovery.tree, SLICE("/p/d")) != NODE_NONE);
    const struct znode *parent =
        tree_node(rig.recovery.tree, tree_find(rig.recovery.tree, SLICE("/p")));
    CHECK_I64("the parent's pzxid moves to the last zxid", parent->pzxid, world_zxid(&rig.world));
    CHECK_I64("no transaction", rig.recovery.last_zxid, world_zxid(&rig.world));
    recovery_rig_deinit(&rig);
}

TEST(ttl_nodes_without_extended_types_are_refused_where_java_deletes_them)
{
    struct recovery_rig rig;

    recovery_rig_init(&rig);
    recovery_rig_must_recover(&rig);
    recovery_rig_serve(&rig, 0, 0);
    struct txn_op op = {.type = OP_CREATE_TTL,
                        .path = SLICE("/ttl"),
                        .data = SLICE("x"),
                        .acl = OPEN_ACL,
                        .ttl_ms = 1000,
                        .parent_cversion = 1};
    struct txnlog_append append = world_add(&rig.world, &op);
    recovery_rig_put_java_log(&rig, "log.1", 1, append.zxid, 0);
    rig.options.tree.extended_types = false;
    CHECK_STATUS(recovery_rig_recover(&rig), STATUS_INVALID);
    recovery_rig_must_note(
        &rig, "The tree has TTL nodes (1), but zookeeper.extendedTypesEnabled is not set");
    rig.options.tree.extended_types = true;
    recovery_rig_must_recover(&rig);
    CHECK(tree_find(rig.recovery.tree, SLICE("/ttl")) != NODE_NONE);
    recovery_rig_deinit(&rig);
}
