/* Files that were made by hand or damaged, and disks that fail: what is loaded, and what is refused. */
#include "replica/store/snapshot.h"
#include "sim/disk.h"
#include "test/lib/check.h"
#include "test/lib/late_side.h"
#include "test/lib/requests.h"
#include "test/lib/store_world.h"

#include <snappy-c.h>
#include <stdio.h>
#include <zlib.h>

static const struct snapshot_image_options all_sections = {.digest_enabled = true,
                                                           .last_zxid_section = true};

static uint32_t sum(struct slice bytes, size_t size)
{
    return (uint32_t)adler32(1, bytes.data, (uInt)size);
}

static void put_head(struct buffer *out)
{
    buffer_i32(out, 0x5a4b534e);
    buffer_i32(out, 2);
    buffer_i64(out, -1);
}

static void put_node(struct buffer *out, struct slice path, struct slice data, int64_t acl)
{
    jute_put_bytes(out, path);
    jute_put_bytes(out, data);
    buffer_i64(out, acl);
    stat_persisted_write(out, &(struct stat_persisted){0});
}

static void put_seal(struct buffer *out)
{
    buffer_i64(out, (int64_t)sum(buffer_slice(out), out->size));
    jute_put_bytes(out, SLICE("/"));
}

/* A whole snapshot with one child of the root. */
static void put_small(struct buffer *out)
{
    put_head(out);
    buffer_i32(out, 1);
    buffer_i64(out, 0x77);
    buffer_i32(out, 4000);
    buffer_i32(out, 1);
    buffer_i64(out, 5);
    buffer_i32(out, 1);
    jute_put_acl(out, &(struct jute_acl){SLICE("ip"), SLICE("127.0.0.1"), 3});
    put_node(out, SLICE(""), SLICE(""), -1);
    put_node(out, SLICE("/a"), SLICE_NULL, 5);
    jute_put_bytes(out, SLICE("/"));
    put_seal(out);
}

static void check_load(struct buffer *bytes, enum status want, const char *problem)
{
    struct sim_disk *sim = sim_disk_new(1);
    struct snapshot_info info;
    struct tree *tree;

    sim_disk_put(sim, "snapshot.1", buffer_slice(bytes));
    CHECK_STATUS(world_read_snapshot(sim_disk(sim), "snapshot.1", &tree, &info), want);
    if (problem != NULL)
        CHECK_TEXT("problem", info.problem, problem);
    tree_free(tree);
    bool seen_without_a_tree =
        problem == NULL || (strcmp(problem, "a node without its parent") != 0 &&
                            strcmp(problem, "a node that occurs twice") != 0);
    if (seen_without_a_tree)
        CHECK_STATUS(snapshot_load(sim_disk(sim), "snapshot.1", 0, NULL, NULL, &info), want);
    CHECK_U64("open files", sim_disk_open_files(sim), 0);
    sim_disk_free(sim);
    bytes->size = 0;
}

TEST(sessions_and_acl_lists_are_loaded)
{
    struct sim_disk *sim = sim_disk_new(1);
    struct buffer bytes = {0};
    struct snapshot_info info;
    struct tree *tree;
    struct jute_acl acl;

    put_small(&bytes);
    sim_disk_put(sim, "snapshot.1", buffer_slice(&bytes));
    CHECK_STATUS(world_read_snapshot(sim_disk(sim), "snapshot.1", &tree, &info), STATUS_OK);
    CHECK_I64("timeout", tree_session(tree, 0x77)->timeout_ms, 4000);
    const struct znode *node = tree_node(tree, tree_find(tree, SLICE("/a")));
    CHECK(znode_data(node).data == NULL);
    struct jute_vector list = tree_acl(tree, node->acl);
    CHECK(jute_next_acl(&list, &acl));
    CHECK_SLICE("id", acl.id, SLICE("127.0.0.1"));
    CHECK(!info.has_digest && !info.has_last_zxid);
    tree_free(tree);
    buffer_deinit(&bytes);
    sim_disk_free(sim);
}

TEST(older_and_newer_layouts_are_read)
{
    struct buffer bytes = {0};

    put_small(&bytes); /* 3.5: no section */
    check_load(&bytes, STATUS_OK, NULL);
    put_small(&bytes); /* 3.6 to 3.8 */
    buffer_i64(&bytes, 1);
    buffer_i32(&bytes, 2);
    buffer_i64(&bytes, 99);
    put_seal(&bytes);
    check_load(&bytes, STATUS_OK, NULL);
    put_small(&bytes); /* alphas of 3.6: a digest in hex */
    buffer_i64(&bytes, 1);
    buffer_i32(&bytes, 1);
    jute_put_bytes(&bytes, SLICE("00ff"));
    put_seal(&bytes);
    check_load(&bytes, STATUS_OK, NULL);
    put_small(&bytes); /* a digest of a version to come */
    buffer_i64(&bytes, 1);
    buffer_i32(&bytes, 3);
    buffer_i64(&bytes, 99);
    put_seal(&bytes);
    check_load(&bytes, STATUS_OK, NULL);
    put_small(&bytes); /* 3.9 with digests off: only the last zxid */
    buffer_i64(&bytes, 1);
    put_seal(&bytes);
    check_load(&bytes, STATUS_OK, NULL);
    put_small(&bytes); /* something behind the last section that is known */
    buffer_i64(&bytes, 1);
    buffer_i32(&bytes, 2);
    buffer_i64(&bytes, 99);
    put_seal(&bytes);
    buffer_i64(&bytes, 1);
    put_seal(&bytes);
    buffer_append(&bytes, SLICE("a section of 2040"));
    check_load(&bytes, STATUS_OK, NULL);
    buffer_deinit(&bytes);
}

TEST(wrong_bytes_are_named)
{
    static const char malformed[] = "a part of it is malformed or cut off";
    static const char unsealed[] = "it ends before its seal";
    static const char resealed[] = "wrong seal: its bytes have changed";
    struct buffer bytes = {0};

    check_load(&bytes, STATUS_CORRUPT, "no snapshot header");
    buffer_append(&bytes, SLICE("ZKLG............"));
    check_load(&bytes, STATUS_CORRUPT, "no snapshot header");
    put_head(&bytes); /* no table */
    check_load(&bytes, STATUS_CORRUPT, malformed);
    put_head(&bytes); /* a table cut off */
    buffer_i32(&bytes, 5);
    buffer_i64(&bytes, 1);
    check_load(&bytes, STATUS_CORRUPT, malformed);
    put_head(&bytes); /* an ACL list cut off */
    buffer_i32(&bytes, 0);
    buffer_i32(&bytes, 1);
    buffer_i64(&bytes, 1);
    buffer_i32(&bytes, 3);
    check_load(&bytes, STATUS_CORRUPT, malformed);
    put_head(&bytes); /* a null path */
    buffer_i64(&bytes, 0);
    put_node(&bytes, SLICE_NULL, SLICE(""), -1);
    check_load(&bytes, STATUS_CORRUPT, "a node without a path");
    put_head(&bytes); /* a child before its parent */
    buffer_i64(&bytes, 0);
    put_node(&bytes, SLICE(""), SLICE(""), -1);
    put_node(&bytes, SLICE("/a/b"), SLICE(""), -1);
    put_node(&bytes, SLICE("/a"), SLICE(""), -1);
    jute_put_bytes(&bytes, SLICE("/"));
    put_seal(&bytes);
    check_load(&bytes, STATUS_CORRUPT, "a node without its parent");
    put_head(&bytes); /* twice */
    buffer_i64(&bytes, 0);
    put_node(&bytes, SLICE(""), SLICE(""), -1);
    put_node(&bytes, SLICE("/a"), SLICE("1"), -1);
    put_node(&bytes, SLICE("/a"), SLICE("2"), -1);
    jute_put_bytes(&bytes, SLICE("/"));
    put_seal(&bytes);
    check_load(&bytes, STATUS_CORRUPT, "a node that occurs twice");
    put_head(&bytes); /* no end */
    buffer_i64(&bytes, 0);
    put_node(&bytes, SLICE(""), SLICE(""), -1);
    check_load(&bytes, STATUS_CORRUPT, malformed);
    put_small(&bytes); /* no seal */
    bytes.size -= 3;
    check_load(&bytes, STATUS_CORRUPT, unsealed);
    put_small(&bytes); /* seals that do not match, in value, size and text */
    bytes.data[bytes.size - 6] ^= 1;
    check_load(&bytes, STATUS_CORRUPT, resealed);
    put_small(&bytes);
    bytes.data[bytes.size - 2] ^= 3;
    check_load(&bytes, STATUS_CORRUPT, resealed);
    put_small(&bytes);
    bytes.data[bytes.size - 1] = '!';
    check_load(&bytes, STATUS_CORRUPT, resealed);
    put_small(&bytes); /* a byte of a node */
    bytes.data[80] ^= 0x40;
    check_load(&bytes, STATUS_CORRUPT, NULL);
    put_small(&bytes); /* sections cut off */
    buffer_i64(&bytes, 1);
    check_load(&bytes, STATUS_CORRUPT, malformed);
    put_small(&bytes);
    buffer_i64(&bytes, 1);
    buffer_i32(&bytes, 2);
    buffer_i64(&bytes, 99);
    check_load(&bytes, STATUS_CORRUPT, unsealed);
    put_small(&bytes);
    buffer_i64(&bytes, 1);
    buffer_i32(&bytes, 1);
    check_load(&bytes, STATUS_CORRUPT, malformed);
    put_small(&bytes);
    buffer_i64(&bytes, 1);
    buffer_i32(&bytes, 2);
    buffer_i64(&bytes, 99);
    put_seal(&bytes);
    buffer_i32(&bytes, 0);
    check_load(&bytes, STATUS_CORRUPT, malformed);
    buffer_deinit(&bytes);
}

TEST(a_field_longer_than_the_limit_is_refused_without_reading_all_of_it)
{
    struct buffer bytes = {0};
    struct sim_disk *sim = sim_disk_new(1);
    struct snapshot_info info;

    put_head(&bytes);
    buffer_i64(&bytes, 0);
    jute_put_bytes(&bytes, SLICE(""));
    buffer_i32(&bytes, 0x7f000000);
    size_t size = 30 * 1024 * 1024;
    memset(buffer_extend(&bytes, size), 'x', size);
    sim_disk_put(sim, "snapshot.1", buffer_slice(&bytes));
    CHECK_STATUS(snapshot_load(sim_disk(sim), "snapshot.1", 0, NULL, NULL, &info), STATUS_CORRUPT);
    CHECK(sim_disk_calls(sim, SIM_READ) < 20);
    buffer_deinit(&bytes);
    sim_disk_free(sim);
}

TEST(a_node_of_the_largest_size_is_written_and_read)
{
    struct store_world world;
    struct sim_disk *sim = sim_disk_new(1);
    uint8_t *data = mem_alloc(1048575);
    struct snapshot_info info;
    struct tree *tree;

    world_init(&world, 1);
    memset(data, 'd', 1048575);
    for (int i = 0; i < 4; i++) {
        char path[16];
        (void)snprintf(path, sizeof(path), "/big%d", i);
        (void)world_create(&world, path, slice_of(data, 1048575));
    }
    for (enum store_compression kind = STORE_PLAIN; kind <= STORE_SNAPPY; kind++) {
        char name[SNAPSHOT_NAME_BYTES_MAX];
        CHECK_STATUS(snapshot_write(sim_disk(sim), world.tree, &all_sections, kind), STATUS_OK);
        snapshot_name_write(name, 4, kind);
        CHECK_STATUS(world_read_snapshot(sim_disk(sim), name, &tree, &info), STATUS_OK);
        tree_set_last_zxid(tree, 4);
        check_same_tree(tree, world.tree);
        tree_free(tree);
    }
    mem_free(data);
    world_deinit(&world);
    sim_disk_free(sim);
}

/* What java and we write, cut and changed at many places, is refused or read as it was. */
static void check_damaged(const char *name, const uint8_t *bytes, size_t size, uint64_t digest)
{
    struct sim_disk *sim = sim_disk_new(1);
    struct snapshot_info info;
    struct tree *tree;

    sim_disk_put(sim, name, slice_of(bytes, size));
    enum status status = world_read_snapshot(sim_disk(sim), name, &tree, &info);
    if (status == STATUS_OK)
        CHECK_U64(name, tree_digest(tree), digest);
    else
        CHECK_STATUS(status, STATUS_CORRUPT);
    tree_free(tree);
    sim_disk_free(sim);
}

PROPERTY(a_damaged_snapshot_is_refused_or_gives_the_same_tree)
{
    struct store_world world;
    struct sim_disk *sim = sim_disk_new(seed);

    world_init(&world, seed);
    for (int i = 0; i < 200; i++)
        (void)world_next(&world);
    for (enum store_compression kind = STORE_PLAIN; kind <= STORE_SNAPPY; kind++) {
        char name[SNAPSHOT_NAME_BYTES_MAX];
        CHECK_STATUS(snapshot_write(sim_disk(sim), world.tree, &all_sections, kind), STATUS_OK);
        snapshot_name_write(name, world_zxid(&world), kind);
        struct slice bytes = sim_disk_bytes(sim, name);
        uint8_t *copy = mem_alloc(bytes.size);
        for (int i = 0; i < 100; i++) {
            memcpy(copy, bytes.data, bytes.size);
            size_t at = (size_t)random_below(&seed, (int32_t)bytes.size);
            copy[at] ^= (uint8_t)(1 + random_below(&seed, 255));
            check_damaged(name, copy, bytes.size, tree_digest(world.tree));
            check_damaged(name, bytes.data, at, tree_digest(world.tree));
        }
        mem_free(copy);
    }
    world_deinit(&world);
    sim_disk_free(sim);
}

static void put_snappy(struct buffer *out, struct slice bytes)
{
    size_t size = snappy_max_compressed_length(bytes.size);
    uint8_t *block = mem_alloc(size);

    CHECK(snappy_compress((const char *)bytes.data, bytes.size, (char *)block, &size) == SNAPPY_OK);
    buffer_i32(out, (int32_t)size);
    buffer_append(out, slice_of(block, size));
    mem_free(block);
}

static void check_compressed(const char *name, struct buffer *bytes, enum status want)
{
    struct sim_disk *sim = sim_disk_new(1);
    struct snapshot_info info;

    sim_disk_put(sim, name, buffer_slice(bytes));
    CHECK_STATUS(snapshot_load(sim_disk(sim), name, 0, NULL, NULL, &info), want);
    if (want == STATUS_CORRUPT)
        CHECK_TEXT("problem", info.problem, "it does not decompress");
    sim_disk_free(sim);
    bytes->size = 0;
}

TEST(wrong_compressed_bytes_are_named)
{
    struct buffer bytes = {0}, small = {0};
    static const char snappy[] = "snapshot.1.snappy", gzip[] = "snapshot.1.gz";

    put_small(&small);
    check_compressed(snappy, &bytes, STATUS_CORRUPT);
    buffer_append(&bytes, SLICE("NOSNAPPY........"));
    check_compressed(snappy, &bytes, STATUS_CORRUPT);
    for (int i = 0; i < 7; i++) {
        buffer_append(&bytes, slice_of("\202SNAPPY\0\0\0\0\1\0\0\0\1", 16));
        if (i == 0)
            put_snappy(&bytes, buffer_slice(&small));
        if (i == 1)
            buffer_append(&bytes, SLICE("\1\2")); /* half a block size */
        if (i == 2)
            buffer_i32(&bytes, INT32_MAX); /* a block too large */
        if (i == 3)
            buffer_i32(&bytes, 100); /* a block cut off */
        if (i == 4) {
            buffer_i32(&bytes, 5);
            buffer_append(&bytes, SLICE("\377\377\377\377\377")); /* no length */
        }
        if (i == 5) {
            buffer_i32(&bytes, 5);
            buffer_append(&bytes, SLICE("\377\377\377\177x")); /* far too long when unpacked */
        }
        if (i == 6) {
            buffer_i32(&bytes, 4);
            buffer_append(&bytes, SLICE("\100\0\0\0")); /* does not give 64 bytes */
        }
        check_compressed(snappy, &bytes, i == 0 ? STATUS_OK : STATUS_CORRUPT);
    }
    check_compressed(gzip, &bytes, STATUS_CORRUPT);
    buffer_append(&bytes, SLICE("\37\213 no gzip at all"));
    check_compressed(gzip, &bytes, STATUS_CORRUPT);
    buffer_deinit(&small);
    buffer_deinit(&bytes);
}

TEST(a_file_is_a_candidate_by_its_name_its_size_and_a_few_bytes)
{
    static const struct {
        const char *name;
        struct slice bytes;
        bool candidate;
    } rows[] = {
        {"snapshot.1", {(const uint8_t *)"12345\0\0\0\1/", 10}, true},
        {"snapshot.2", {(const uint8_t *)"1234\0\0\0\1/", 9}, false},
        {"snapshot.3", {(const uint8_t *)"12345\0\0\0\1!", 10}, false},
        {"snapshot.4.gz", {(const uint8_t *)"\37\213345678901", 11}, true},
        {"snapshot.5.gz", {(const uint8_t *)"\37\214345678901", 11}, false},
        {"snapshot.6.snappy", {(const uint8_t *)"\202SNAPPY\0..", 10}, true},
        {"snapshot.7.snappy", {(const uint8_t *)"\202SNAPPI\0..", 10}, false},
        {"snapshot.zz", {(const uint8_t *)"12345\0\0\0\1/", 10}, false},
        {"snapshot.8.tmp", {(const uint8_t *)"12345\0\0\0\1/", 10}, true},
        {"log.1", {(const uint8_t *)"12345\0\0\0\1/", 10}, false},
    };
    struct sim_disk *sim = sim_disk_new(1);
    bool candidate;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        sim_disk_put(sim, rows[i].name, rows[i].bytes);
        CHECK_STATUS(snapshot_is_candidate(sim_disk(sim), rows[i].name, &candidate), STATUS_OK);
        CHECK_I64(rows[i].name, candidate, rows[i].candidate);
    }
    CHECK_STATUS(snapshot_is_candidate(sim_disk(sim), "snapshot.99", &candidate), STATUS_NOT_FOUND);
    sim_disk_fail_at(sim, SIM_SIZE, 1, STATUS_IO);
    CHECK_STATUS(snapshot_is_candidate(sim_disk(sim), "snapshot.1", &candidate), STATUS_IO);
    sim_disk_fail_at(sim, SIM_READ, 1, STATUS_IO);
    CHECK_STATUS(snapshot_is_candidate(sim_disk(sim), "snapshot.1", &candidate), STATUS_IO);
    CHECK(!candidate);
    sim_disk_free(sim);
}

TEST(a_failing_disk_is_told_from_a_damaged_snapshot)
{
    static const enum sim_disk_op ops[] = {SIM_OPEN, SIM_SIZE, SIM_READ};
    struct store_world world;
    struct tree *tree = world_grown(&world, 200), *loaded;
    struct side_work *sides[] = {NULL, test_late_side()};
    struct snapshot_info info;

    for (enum store_compression kind = STORE_PLAIN; kind <= STORE_SNAPPY; kind++) {
        struct sim_disk *sim = sim_disk_new(1);
        char name[SNAPSHOT_NAME_BYTES_MAX];
        CHECK_STATUS(snapshot_write(sim_disk(sim), tree, &all_sections, kind), STATUS_OK);
        snapshot_name_write(name, world_zxid(&world), kind);
        for (size_t i = 0; i < ARRAY_LEN(ops) * ARRAY_LEN(sides); i++) {
            struct side_work *side = sides[i / ARRAY_LEN(ops)];
            sim_disk_fail_at(sim, ops[i % ARRAY_LEN(ops)], 1, STATUS_IO);
            CHECK_STATUS(world_read_snapshot_with(sim_disk(sim), name, side, &loaded, &info),
                         STATUS_IO);
            CHECK_TEXT("problem", info.problem, "input/output error");
            tree_free(loaded);
        }
        sim_disk_short_reads(sim, 1);
        CHECK_STATUS(world_read_snapshot(sim_disk(sim), name, &loaded, &info), STATUS_IO);
        tree_free(loaded);
        sim_disk_free(sim);
    }
    world_deinit(&world);
}

TEST(a_disk_that_fails_between_two_sections_is_told)
{
    struct store_world world;
    struct sim_disk *sim = sim_disk_new(1);
    struct snapshot_info info;
    struct buffer bytes = {0};

    /* Nodes that end near the end of a window of 1 MB: each later part needs a read once. */
    world_init(&world, 1);
    for (size_t end = 1024 * 1024 - 120; end < 1024 * 1024 + 20; end++) {
        put_head(&bytes);
        buffer_i64(&bytes, 0);
        put_node(&bytes, SLICE(""), SLICE(""), -1);
        uint8_t *data = mem_zalloc(700000);
        put_node(&bytes, SLICE("/a"), slice_of(data, 400000), -1);
        put_node(&bytes, SLICE("/b"), slice_of(data, end - bytes.size - 6 - 4 - 8 - 60 - 5), -1);
        mem_free(data);
        jute_put_bytes(&bytes, SLICE("/"));
        put_seal(&bytes);
        buffer_i64(&bytes, 1);
        buffer_i32(&bytes, 2);
        buffer_i64(&bytes, 99);
        put_seal(&bytes);
        buffer_i64(&bytes, 1);
        put_seal(&bytes);
        sim_disk_put(sim, "snapshot.1", buffer_slice(&bytes));
        bytes.size = 0;
        sim_disk_forget_calls(sim);
        CHECK_STATUS(snapshot_load(sim_disk(sim), "snapshot.1", 0, NULL, NULL, &info), STATUS_OK);
        uint64_t reads = sim_disk_calls(sim, SIM_READ);
        for (uint64_t n = 1; n <= reads; n++) {
            sim_disk_fail_at(sim, SIM_READ, n, STATUS_IO);
            CHECK_STATUS(snapshot_load(sim_disk(sim), "snapshot.1", 0, NULL, NULL, &info),
                         STATUS_IO);
        }
    }
    buffer_deinit(&bytes);
    world_deinit(&world);
    sim_disk_free(sim);
}

TEST(a_disk_that_fails_between_two_blocks_of_snappy_is_told)
{
    struct sim_disk *sim = sim_disk_new(1);
    struct snapshot_info info;
    struct buffer plain = {0}, bytes = {0};
    uint8_t *data = mem_zalloc(40000);

    put_head(&plain);
    buffer_i64(&plain, 0);
    put_node(&plain, SLICE(""), slice_of(data, 40000), -1);
    jute_put_bytes(&plain, SLICE("/"));
    put_seal(&plain);
    for (size_t shift = 1; shift <= 8; shift++) {
        bytes.size = 0;
        buffer_append(&bytes, slice_of("\202SNAPPY\0\0\0\0\1\0\0\0\1", 16));
        put_snappy(&bytes, slice_of(plain.data, shift));
        for (size_t at = shift; at < plain.size; at++)
            put_snappy(&bytes, slice_of(plain.data + at, 1));
        sim_disk_put(sim, "snapshot.1.snappy", buffer_slice(&bytes));
        sim_disk_forget_calls(sim);
        CHECK_STATUS(snapshot_load(sim_disk(sim), "snapshot.1.snappy", 0, NULL, NULL, &info),
                     STATUS_OK);
        CHECK_U64("reads", sim_disk_calls(sim, SIM_READ), 2);
        sim_disk_fail_at(sim, SIM_READ, 2, STATUS_IO);
        CHECK_STATUS(snapshot_load(sim_disk(sim), "snapshot.1.snappy", 0, NULL, NULL, &info),
                     STATUS_IO);
    }
    mem_free(data);
    buffer_deinit(&plain);
    buffer_deinit(&bytes);
    sim_disk_free(sim);
}
