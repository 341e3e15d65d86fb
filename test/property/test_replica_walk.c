#include "test/lib/check.h"
#include "test/lib/image.h"
#include "test/lib/requests.h"
#include "test/lib/tree_dump.h"

#include "replica/tree/tree.h"

#include <stdio.h>

static const struct tree_options options = {
    .hash_seed = 3, .extended_types = true, .digest_enabled = true};

static int64_t random_owner(uint64_t *seed)
{
    switch (random_below(seed, 8)) {
    case 0:
    case 1:
        return 1 + random_below(seed, 5);
    case 2:
        return OWNER_CONTAINER_VALUE;
    case 3:
        return (int64_t)(UINT64_C(0xff) << 56) + random_below(seed, 1000);
    default:
        return 0;
    }
}

static struct slice random_path(uint64_t *seed, char at[64])
{
    int size = 0;

    for (int32_t depth = 1 + random_below(seed, 4); depth > 0; depth--)
        size += snprintf(at + size, 64 - (size_t)size, "/%c", 'a' + random_below(seed, 4));
    return slice_of(at, (size_t)size);
}

/* One change by chance; most answers are refusals, which must change nothing either. */
static void change(struct tree *tree, uint64_t *seed, int64_t zxid)
{
    char at[64], data[40];
    struct slice path = random_path(seed, at);
    uint32_t id;
    enum zk_error err = ZK_OK;

    random_fill(seed, data, sizeof(data));
    struct slice bytes = random_below(seed, 6) == 0
                             ? SLICE_NULL
                             : slice_of(data, (size_t)random_below(seed, (int32_t)sizeof(data)));
    switch (random_below(seed, 10)) {
    case 0:
        tree_session_add(tree, 1 + random_below(seed, 5), 1000 + random_below(seed, 1000));
        return;
    case 1:
    case 2:
        err = tree_delete(tree, path, zxid);
        break;
    case 3:
        err = tree_set_acl(tree, path, one_acl(SLICE("ip"), slice_of(at, 2), random_below(seed, 5)),
                           3, &id);
        break;
    case 4:
    case 5:
        err = tree_set_data(tree, path, bytes, random_below(seed, 100), zxid, zxid * 3, &id);
        break;
    default:
        err = tree_create(tree,
                          &(struct tree_create){.path = path,
                                                .data = bytes,
                                                .acl = random_below(seed, 2) == 0
                                                           ? OPEN_ACL
                                                           : one_acl(SLICE("ip"), path, 9),
                                                .owner = random_owner(seed),
                                                .zxid = zxid,
                                                .time_ms = zxid * 3,
                                                .parent_cversion = -1},
                          &id);
        break;
    }
    CHECK(err == ZK_OK || err == ZK_NO_NODE || err == ZK_NODE_EXISTS ||
          err == ZK_NO_CHILDREN_FOR_EPHEMERALS);
}

PROPERTY(an_image_is_the_tree_as_it_was_at_begin_whatever_happens_meanwhile)
{
    struct tree *tree = tree_new(&options);
    int64_t zxid = 0;

    for (int round = 0; round < 40; round++) {
        struct buffer tables = {0}, nodes = {0}, want = {0}, got = {0};
        for (int32_t left = random_below(&seed, 60); left > 0; left--)
            change(tree, &seed, ++zxid);
        tree_dump_content(tree, &want);
        uint64_t digest = tree_digest(tree);
        struct tree_walk *walk = tree_walk_begin(tree);
        tree_walk_tables(walk, &tables);
        do {
            for (int32_t left = random_below(&seed, 20); left > 0; left--)
                change(tree, &seed, ++zxid);
        } while (tree_walk_step(walk, &nodes, nodes.size + (size_t)random_below(&seed, 600)) ==
                 TREE_WALK_MORE);
        /* Finished, not ended: it may live on like this until its reader comes by. */
        change(tree, &seed, ++zxid);
        (void)tree_walk_step(walk, &nodes, nodes.size);
        tree_walk_end(walk);

        struct tree *image = image_load(&options, buffer_slice(&tables), buffer_slice(&nodes));
        tree_dump_content(image, &got);
        check_same_dump("image and tree", &got, &want);
        CHECK_U64("digest", tree_digest(image), digest);
        CHECK_U64("digest of what it is now", tree_digest(tree), tree_digest_from_scratch(tree));
        tree_free(image);
        buffer_deinit(&tables);
        buffer_deinit(&nodes);
        buffer_deinit(&want);
        buffer_deinit(&got);
    }
    tree_free(tree);
}

struct taken { /* an image, as it comes */
    struct tree_walk *walk;
    struct buffer tables, nodes, want;
    bool done;
};

static void begin(struct taken *taken, struct tree *tree)
{
    *taken = (struct taken){0};
    tree_dump_content(tree, &taken->want);
    taken->walk = tree_walk_begin(tree);
    tree_walk_tables(taken->walk, &taken->tables);
}

static void check_and_end(struct taken *taken)
{
    struct buffer got = {0};

    tree_walk_end(taken->walk);
    if (taken->done) { /* else it was given up */
        struct tree *image =
            image_load(&options, buffer_slice(&taken->tables), buffer_slice(&taken->nodes));
        tree_dump_content(image, &got);
        check_same_dump("image and tree", &got, &taken->want);
        tree_free(image);
    }
    buffer_deinit(&taken->tables);
    buffer_deinit(&taken->nodes);
    buffer_deinit(&taken->want);
    buffer_deinit(&got);
    taken->walk = NULL;
}

PROPERTY(several_images_at_once_are_each_the_tree_as_it_was_at_its_own_begin)
{
    enum { WALKS = 4 };
    struct tree *tree = tree_new(&options);
    struct taken taken[WALKS] = {0};
    int64_t zxid = 0;
    int whole = 0;

    for (int round = 0; round < 600; round++) {
        struct taken *one = &taken[random_below(&seed, WALKS)];
        for (int32_t left = random_below(&seed, 10); left > 0; left--)
            change(tree, &seed, ++zxid);
        if (one->walk == NULL) {
            begin(one, tree);
            continue;
        }
        one->done =
            tree_walk_step(one->walk, &one->nodes,
                           one->nodes.size + (size_t)random_below(&seed, 2000)) != TREE_WALK_MORE;
        if (!one->done && random_below(&seed, 20) != 0)
            continue;
        whole += one->done;
        check_and_end(one);
    }
    for (int i = 0; i < WALKS; i++) {
        if (taken[i].walk != NULL)
            check_and_end(&taken[i]);
    }
    CHECK(whole > 10);
    tree_free(tree);
}
