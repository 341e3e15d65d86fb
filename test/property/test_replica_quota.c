#include "test/lib/check.h"
#include "test/lib/requests.h"

#include "replica/tree/tree.h"

#include <stdio.h>

static int64_t zxid;

static bool make(struct tree *tree, const char *path, struct slice data)
{
    uint32_t id;

    return tree_create(tree,
                       &(struct tree_create){.path = slice_text(path),
                                             .data = data,
                                             .acl = OPEN_ACL,
                                             .zxid = ++zxid,
                                             .parent_cversion = -1},
                       &id) == ZK_OK;
}

static void check_usage(const struct tree *tree, const char *path)
{
    char node[64], want[64];
    uint64_t bytes = 0, count = 0;
    uint32_t id = tree_find(tree, slice_text(path));

    if (id != NODE_NONE) {
        count = tree_count_descendants(tree, id, &bytes) + 1;
        bytes += znode_data(tree_node(tree, id)).size;
    }
    snprintf(node, sizeof(node), "/zookeeper/quota%s/zookeeper_stats", path);
    snprintf(want, sizeof(want), "count=%d,bytes=%d", (int)count, (int)bytes);
    uint32_t stats = tree_find(tree, slice_text(node));
    CHECK(stats != NODE_NONE);
    CHECK_SLICE(path, znode_data(tree_node(tree, stats)), slice_text(want));
}

PROPERTY(usage_is_always_what_counting_gives)
{
    static const char *const quotas[] = {"/a", "/b"};
    struct tree *tree = tree_new(&(struct tree_options){.hash_seed = 1, .digest_enabled = true});
    char path[64];
    uint8_t data[64] = {0};
    uint32_t id;

    zxid = 0;
    for (size_t i = 0; i < ARRAY_LEN(quotas); i++) {
        CHECK(make(tree, quotas[i], SLICE("abc")));
        snprintf(path, sizeof(path), "/zookeeper/quota%s", quotas[i]);
        CHECK(make(tree, path, SLICE("")));
        snprintf(path, sizeof(path), "/zookeeper/quota%s/zookeeper_limits", quotas[i]);
        CHECK(make(tree, path, SLICE("count=5,bytes=5")));
        snprintf(path, sizeof(path), "/zookeeper/quota%s/zookeeper_stats", quotas[i]);
        CHECK(make(tree, path, SLICE("")));
    }
    for (int step = 0; step < 2000; step++) {
        struct slice bytes = random_below(&seed, 6) == 0
                                 ? SLICE_NULL
                                 : slice_of(data, (size_t)random_below(&seed, 64));
        int size = 0;
        for (int32_t depth = 1 + random_below(&seed, 4); depth > 0; depth--)
            size += snprintf(path + size, sizeof(path) - (size_t)size, "/%c",
                             'a' + random_below(&seed, 3));
        switch (random_below(&seed, 4)) {
        case 0:
            id = tree_find(tree, slice_text(path)); /* live, only leaves are deleted */
            if (id != NODE_NONE && tree_node(tree, id)->child_count == 0)
                CHECK_I64(path, tree_delete(tree, slice_text(path), ++zxid), ZK_OK);
            break;
        case 1:
            (void)tree_set_data(tree, slice_text(path), bytes, 1, ++zxid, 0, &id);
            break;
        default:
            (void)make(tree, path, bytes);
            break;
        }
        check_usage(tree, quotas[0]);
        check_usage(tree, quotas[1]);
    }
    tree_free(tree);
}
