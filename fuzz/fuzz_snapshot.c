/* fuzz_snapshot.c: any bytes as a snapshot.
 *
 * The first byte says what the rest is: 0, 1, 2: a plain, gzip or snappy file as it is; 3: all up to
 * the first seal, which is then made to fit. What loads can be written, and loads again the same. */
#include "replica/store/snapshot.h"
#include "sim/disk.h"

#include <zlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct tree_options tree_options = {
    .hash_seed = 1, .extended_types = true, .digest_enabled = true};

static struct tree *load(struct sim_disk *sim, const char *name)
{
    struct tree *tree = tree_new_empty(&tree_options);
    struct snapshot_info info;
    bool candidate;

    ASSERT(snapshot_is_candidate(sim_disk(sim), name, &candidate) == STATUS_OK);
    enum status status = snapshot_load(sim_disk(sim), name, 1 << 20, NULL, tree, &info);
    ASSERT(status == STATUS_OK || status == STATUS_CORRUPT);
    ASSERT(status == STATUS_OK || info.problem != NULL);
    if (status != STATUS_OK) {
        tree_free(tree);
        return NULL;
    }
    tree_load_finish(tree);
    return tree;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sim_disk *sim = sim_disk_new(/* seed= */ 1);
    struct buffer bytes = {0};
    uint8_t kind = size == 0 ? 0 : data[0] % 4;
    char name[SNAPSHOT_NAME_BYTES_MAX];

    snapshot_name_write(name, 1, kind == 3 ? STORE_PLAIN : (enum store_compression)kind);
    buffer_append(&bytes, slice_of(data + (size > 0), size - (size > 0)));
    if (kind == 3) {
        buffer_i64(&bytes, (int64_t)adler32(1, bytes.data, (uInt)bytes.size));
        jute_put_bytes(&bytes, SLICE("/"));
    }
    sim_disk_put(sim, name, buffer_slice(&bytes));
    buffer_deinit(&bytes);
    struct tree *tree = load(sim, name);
    if (tree != NULL) {
        tree_set_last_zxid(tree, 2);
        enum status status =
            snapshot_write(sim_disk(sim), tree, &(struct snapshot_image_options){true, true, false},
                           kind == 1 ? STORE_GZIP : STORE_SNAPPY);
        ASSERT(status == STATUS_OK);
        struct tree *again = load(sim, kind == 1 ? "snapshot.2.gz" : "snapshot.2.snappy");
        ASSERT(again != NULL && tree_digest(again) == tree_digest(tree));
        ASSERT(tree_node_count(again) == tree_node_count(tree));
        ASSERT(tree_session_count(again) == tree_session_count(tree));
        tree_free(again);
    }
    tree_free(tree);
    sim_disk_free(sim);
    return 0;
}
