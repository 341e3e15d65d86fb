/* Snapshots from a tree to the disk, and back. */
#include "replica/store/snapshot.h"
#include "sim/disk.h"
#include "test/lib/check.h"
#include "test/lib/late_side.h"
#include "test/lib/requests.h"
#include "test/lib/store_world.h"
#include "test/lib/unpack.h"

#include <zlib.h>

static const struct snapshot_image_options all_sections = {.digest_enabled = true,
                                                           .last_zxid_section = true};

static uint32_t sum(struct slice bytes, size_t size)
{
    return (uint32_t)adler32(1, bytes.data, (uInt)size);
}

TEST(the_snapshot_of_a_fresh_database_is_the_457_bytes_that_java_writes)
{
    struct sim_disk *java = unpack("standalone-rich", "data/version-2"), *sim = sim_disk_new(1);
    struct tree *tree = tree_new(&world_tree_options);
    struct tree *theirs;
    struct snapshot_info info;

    CHECK_STATUS(snapshot_write(sim_disk(sim), tree,
                                &(struct snapshot_image_options){.digest_enabled = true},
                                STORE_PLAIN),
                 STATUS_OK);
    struct slice bytes = sim_disk_bytes(sim, "snapshot.0");
    CHECK_U64("size", bytes.size, sim_disk_bytes(java, "snapshot.0").size);
    CHECK_U64("size", bytes.size, 457);
    CHECK_STATUS(world_read_snapshot(sim_disk(java), "snapshot.0", &theirs, &info), STATUS_OK);
    check_same_tree(theirs, tree);
    tree_free(theirs);
    tree_free(tree);
    sim_disk_free(sim);
    sim_disk_free(java);
}

TEST(each_seal_is_the_checksum_of_all_bytes_before_it)
{
    struct store_world world;
    struct tree *tree = world_grown(&world, 50);
    struct sim_disk *sim = sim_disk_new(1);
    char name[SNAPSHOT_NAME_BYTES_MAX];

    CHECK_STATUS(snapshot_write(sim_disk(sim), tree, &all_sections, STORE_PLAIN), STATUS_OK);
    snapshot_name_write(name, world_zxid(&world), STORE_PLAIN);
    struct slice bytes = sim_disk_bytes(sim, name);
    static const uint8_t end[] = {0, 0, 0, 1, '/'};
    size_t third = bytes.size - 13, second = third - 8 - 13, first = second - 20 - 13;
    const size_t seals[] = {first, second, third};
    for (size_t i = 0; i < 3; i++) {
        CHECK_U64("seal", load_be64(bytes.data + seals[i]), sum(bytes, seals[i]));
        CHECK_SLICE("its end", slice_of(bytes.data + seals[i] + 8, 5), slice_of(end, 5));
    }
    CHECK_U64("digest's zxid", load_be64(bytes.data + first + 13), (uint64_t)world_zxid(&world));
    CHECK_U64("digest", load_be64(bytes.data + first + 25), tree_digest(tree));
    CHECK_U64("last zxid", load_be64(bytes.data + second + 13), (uint64_t)world_zxid(&world));
    CHECK_SLICE("end of nodes", slice_of(bytes.data + first - 5, 5), slice_of(end, 5));
    world_deinit(&world);
    sim_disk_free(sim);
}

TEST(what_is_written_is_read_back_the_same_in_every_compression)
{
    static const enum store_compression kinds[] = {STORE_PLAIN, STORE_GZIP, STORE_SNAPPY};
    struct store_world world;
    struct tree *tree = world_grown(&world, 2000);

    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        for (int options = 0; options < 3; options++) {
            struct sim_disk *sim = sim_disk_new(1);
            struct snapshot_image_options image = {options > 0, options > 1, false};
            struct tree *loaded;
            struct snapshot_info info;
            char name[SNAPSHOT_NAME_BYTES_MAX];
            CHECK_STATUS(snapshot_write(sim_disk(sim), tree, &image, kinds[i]), STATUS_OK);
            CHECK_U64("files", sim_disk_file_count(sim), 1);
            snapshot_name_write(name, world_zxid(&world), kinds[i]);
            bool candidate;
            CHECK_STATUS(snapshot_is_candidate(sim_disk(sim), name, &candidate), STATUS_OK);
            CHECK(candidate);
            CHECK_STATUS(world_read_snapshot(sim_disk(sim), name, &loaded, &info), STATUS_OK);
            tree_set_last_zxid(loaded, world_zxid(&world));
            check_same_tree(loaded, tree);
            CHECK(info.has_digest == (options > 0) && info.has_last_zxid == (options > 1));
            if (info.has_digest)
                CHECK_U64("digest", info.digest, tree_digest(tree));
            if (info.has_last_zxid)
                CHECK_I64("last zxid", info.last_zxid, world_zxid(&world));
            CHECK_U64("open files", sim_disk_open_files(sim), 0);
            tree_free(loaded);
            sim_disk_free(sim);
        }
    }
    world_deinit(&world);
}

/* A list of ACLs that only one node has, and which goes with it. */
TEST(the_lists_of_an_image_are_those_of_its_begin)
{
    struct tree *tree = tree_new(&world_tree_options);
    struct sim_disk *sim = sim_disk_new(1);
    struct jute_vector acl = one_acl(SLICE("ip"), SLICE("10.0.0.1"), PERM_ALL);
    struct tree_create create = {.path = SLICE("/guarded"),
                                 .data = SLICE("secret"),
                                 .acl = acl,
                                 .zxid = 1,
                                 .parent_cversion = -1};
    struct buffer part = {0};
    struct snapshot_file *file;
    struct snapshot_info info;
    struct tree *loaded;
    enum image_part kind;
    uint32_t id;

    CHECK_I64("made", tree_create(tree, &create, &id), ZK_OK);
    tree_set_last_zxid(tree, 1);
    struct snapshot_image *image = snapshot_image_begin(tree, &all_sections);
    /* Before the first part is taken the node goes, and another list takes the place of its own. */
    CHECK_I64("gone", tree_delete(tree, SLICE("/guarded"), 2), ZK_OK);
    create.path = SLICE("/other");
    create.acl = one_acl(SLICE("ip"), SLICE("10.9.9.9"), PERM_ALL);
    CHECK_I64("made", tree_create(tree, &create, &id), ZK_OK);
    CHECK_STATUS(snapshot_file_begin(sim_disk(sim), 1, STORE_PLAIN, &file), STATUS_OK);
    while ((kind = snapshot_image_next(image, &part, 500)) != IMAGE_END) {
        CHECK_STATUS(snapshot_file_write(file, buffer_slice(&part)), STATUS_OK);
        if (kind == IMAGE_PART_SEALED)
            CHECK_STATUS(snapshot_file_seal(file), STATUS_OK);
        part.size = 0;
    }
    snapshot_image_end(image);
    CHECK_STATUS(snapshot_file_finish(file), STATUS_OK);
    CHECK_STATUS(world_read_snapshot(sim_disk(sim), "snapshot.1", &loaded, &info), STATUS_OK);
    id = tree_find(loaded, SLICE("/guarded"));
    CHECK(id != NODE_NONE);
    struct jute_vector got = tree_acl(loaded, tree_node(loaded, id)->acl);
    acl = one_acl(SLICE("ip"), SLICE("10.0.0.1"), PERM_ALL);
    CHECK(slice_equal(got.bytes, acl.bytes));
    tree_free(loaded);
    tree_free(tree);
    sim_disk_free(sim);
    buffer_deinit(&part);
}

TEST(an_image_is_the_tree_as_it_was_however_it_changes_meanwhile)
{
    struct store_world world;
    struct tree *tree = world_grown(&world, 500);
    struct sim_disk *sim = sim_disk_new(1);
    struct snapshot_image *image = snapshot_image_begin(tree, &all_sections);
    struct snapshot_file *file;
    struct buffer part = {0};
    struct tree *loaded;
    struct snapshot_info info;
    char name[SNAPSHOT_NAME_BYTES_MAX];
    int64_t zxid = world_zxid(&world);
    enum image_part kind;
    int parts = 0;

    CHECK_I64("zxid", snapshot_image_zxid(image), zxid);
    CHECK_STATUS(snapshot_file_begin(sim_disk(sim), zxid, STORE_PLAIN, &file), STATUS_OK);
    while ((kind = snapshot_image_next(image, &part, 500)) != IMAGE_END) {
        for (int i = 0; i < 5; i++)
            (void)world_next(&world);
        CHECK_STATUS(snapshot_file_write(file, buffer_slice(&part)), STATUS_OK);
        if (kind == IMAGE_PART_SEALED)
            CHECK_STATUS(snapshot_file_seal(file), STATUS_OK);
        part.size = 0;
        parts++;
    }
    snapshot_image_end(image);
    CHECK(parts > 10);
    uint64_t bytes = snapshot_file_bytes(file);
    CHECK_STATUS(snapshot_file_finish(file), STATUS_OK);
    snapshot_name_write(name, zxid, STORE_PLAIN);
    CHECK_U64("bytes", sim_disk_bytes(sim, name).size, bytes);
    CHECK_STATUS(world_read_snapshot(sim_disk(sim), name, &loaded, &info), STATUS_OK);
    tree_set_last_zxid(loaded, zxid);
    CHECK_U64("digest", tree_digest(loaded), info.digest);
    world_go_back(&world, zxid);
    check_same_tree(loaded, world.tree);
    tree_free(loaded);
    buffer_deinit(&part);
    world_deinit(&world);
    sim_disk_free(sim);
}

TEST(an_image_may_be_given_up_half_way_and_the_next_one_is_whole)
{
    struct store_world world;
    struct tree *tree = world_grown(&world, 300);
    struct sim_disk *sim = sim_disk_new(1);
    struct buffer part = {0};
    struct tree *loaded;
    struct snapshot_info info;
    struct snapshot_file *file;
    char name[SNAPSHOT_NAME_BYTES_MAX];

    struct snapshot_image *image = snapshot_image_begin(tree, &all_sections);
    CHECK(snapshot_image_next(image, &part, 10) == IMAGE_PART);
    CHECK(snapshot_image_next(image, &part, 10) == IMAGE_PART);
    CHECK_STATUS(snapshot_file_begin(sim_disk(sim), 1, STORE_GZIP, &file), STATUS_OK);
    CHECK_STATUS(snapshot_file_write(file, buffer_slice(&part)), STATUS_OK);
    snapshot_file_abort(file);
    snapshot_image_end(image);
    snapshot_image_end(NULL);
    CHECK_U64("files", sim_disk_file_count(sim), 0);
    CHECK_STATUS(snapshot_write(sim_disk(sim), tree, &all_sections, STORE_PLAIN), STATUS_OK);
    snapshot_name_write(name, world_zxid(&world), STORE_PLAIN);
    CHECK_STATUS(world_read_snapshot(sim_disk(sim), name, &loaded, &info), STATUS_OK);
    tree_set_last_zxid(loaded, world_zxid(&world));
    check_same_tree(loaded, tree);
    tree_free(loaded);
    buffer_deinit(&part);
    world_deinit(&world);
    sim_disk_free(sim);
}

TEST(a_snapshot_in_the_making_has_no_name_of_a_snapshot)
{
    struct sim_disk *sim = sim_disk_new(1);
    struct snapshot_file *file;

    CHECK_STATUS(snapshot_file_begin(sim_disk(sim), 0x1c, STORE_SNAPPY, &file), STATUS_OK);
    CHECK_U64("files", sim_disk_file_count(sim), 1);
    const char *name = sim_disk_file_name(sim, 0);
    CHECK_TEXT("name", name, "tmp.snapshot.1c.snappy");
    CHECK_I64("kind", store_name_read(name).kind, STORE_FILE_OTHER);
    snapshot_file_abort(file);
    sim_disk_free(sim);
}

TEST(a_failing_disk_ends_a_snapshot_and_leaves_nothing_behind)
{
    static const enum store_compression kinds[] = {STORE_PLAIN, STORE_GZIP, STORE_SNAPPY};
    static const enum sim_disk_op ops[] = {SIM_OPEN, SIM_WRITE, SIM_SYNC,    SIM_RENAME,
                                           SIM_READ, SIM_SIZE,  SIM_SYNC_DIR};
    struct store_world world;

    world_init(&world, 5);
    world.data_bytes_max = 200000;
    for (int i = 0; i < 60; i++)
        (void)world_next(&world);
    for (size_t kind = 0; kind < ARRAY_LEN(kinds); kind++) {
        for (size_t i = 0; i < ARRAY_LEN(ops); i++) {
            for (uint64_t n = 1;; n++) { /* the first, the second, ... such call fails */
                struct sim_disk *sim = sim_disk_new(1);
                sim_disk_fail_at(sim, ops[i], n, STATUS_IO);
                enum status status =
                    snapshot_write(sim_disk(sim), world.tree, &all_sections, kinds[kind]);
                bool failed = sim_disk_calls(sim, ops[i]) >= n;
                CHECK_STATUS(status, failed ? STATUS_IO : STATUS_OK);
                CHECK_U64("open files", sim_disk_open_files(sim), 0);
                if (failed && ops[i] != SIM_SYNC_DIR)
                    CHECK_U64("files", sim_disk_file_count(sim), 0);
                sim_disk_free(sim);
                if (!failed)
                    break;
            }
        }
    }
    world_deinit(&world);
}

TEST(a_write_after_a_failed_write_answers_the_same)
{
    struct sim_disk *sim = sim_disk_new(1);
    struct snapshot_file *file;
    uint8_t *bytes = mem_zalloc(600000);

    CHECK_STATUS(snapshot_file_begin(sim_disk(sim), 1, STORE_PLAIN, &file), STATUS_OK);
    sim_disk_set_space(sim, 10);
    CHECK_STATUS(snapshot_file_write(file, slice_of(bytes, 600000)), STATUS_NO_SPACE);
    sim_disk_set_space(sim, UINT64_MAX);
    CHECK_STATUS(snapshot_file_write(file, slice_of(bytes, 10)), STATUS_NO_SPACE);
    CHECK_STATUS(snapshot_file_seal(file), STATUS_NO_SPACE);
    CHECK_STATUS(snapshot_file_finish(file), STATUS_NO_SPACE);
    CHECK_U64("files", sim_disk_file_count(sim), 0);
    mem_free(bytes);
    sim_disk_free(sim);
}

TEST(a_snapshot_that_does_not_read_back_is_not_kept)
{
    struct sim_disk *sim = sim_disk_new(1);
    struct snapshot_file *file;

    CHECK_STATUS(snapshot_file_begin(sim_disk(sim), 1, STORE_PLAIN, &file), STATUS_OK);
    CHECK_STATUS(snapshot_file_write(file, SLICE("this is no image of a tree")), STATUS_OK);
    CHECK_STATUS(snapshot_file_seal(file), STATUS_OK);
    CHECK_STATUS(snapshot_file_finish(file), STATUS_CORRUPT);
    CHECK_U64("files", sim_disk_file_count(sim), 0);
    sim_disk_free(sim);
}
