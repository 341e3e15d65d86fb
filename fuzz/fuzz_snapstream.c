/* fuzz_snapstream.c: any bytes as the state that a leader sends, behind one byte that says how they are cut
 * into pieces. However they are cut, the answer is the same; what is read can be sent, and is read
 * again the same. */
#include "replica/store/snapshot.h"
#include "replica/store/snapshot_stream.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct tree_options tree_options = {
    .hash_seed = 1, .extended_types = true, .digest_enabled = true};

/* NULL: not done. */
static struct tree *read_stream(struct slice bytes, size_t piece_bytes, enum status *ret_status,
                                uint64_t *ret_consumed)
{
    struct snapshot_stream *stream = snapshot_stream_new(&tree_options, 1 << 20);
    enum status status = STATUS_OK;
    struct tree *tree = NULL;

    for (size_t at = 0, used; at < bytes.size && status == STATUS_OK; at += used) {
        size_t size = bytes.size - at < piece_bytes ? bytes.size - at : piece_bytes;
        status = snapshot_stream_feed(stream, slice_of(bytes.data + at, size), &used);
        ASSERT(used <= size);
        ASSERT(status != STATUS_OK || used == size);
    }
    ASSERT(status == STATUS_OK || status == STATUS_END || status == STATUS_MALFORMED);
    ASSERT(status != STATUS_MALFORMED || snapshot_stream_problem(stream) != NULL);
    if (status == STATUS_END)
        tree = snapshot_stream_take(stream, 1);
    *ret_consumed = snapshot_stream_bytes(stream);
    *ret_status = status;
    snapshot_stream_free(stream);
    return tree;
}

static void check_same(const struct tree *left, const struct tree *right)
{
    ASSERT((left == NULL) == (right == NULL));
    if (left == NULL)
        return;
    ASSERT(tree_digest(left) == tree_digest(right));
    ASSERT(tree_node_count(left) == tree_node_count(right));
    ASSERT(tree_session_count(left) == tree_session_count(right));
}

static void check_sent_again(struct tree *tree)
{
    struct snapshot_image *image =
        snapshot_image_begin(tree, &(struct snapshot_image_options){.wire = true});
    struct buffer bytes = {0};
    enum status status;
    uint64_t consumed;

    while (snapshot_image_next(image, &bytes, 1000) != IMAGE_END)
        ;
    snapshot_image_end(image);
    struct tree *again = read_stream(buffer_slice(&bytes), SIZE_MAX, &status, &consumed);
    ASSERT(again != NULL && consumed == bytes.size);
    check_same(again, tree);
    tree_free(again);
    buffer_deinit(&bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum status status, status_in_pieces;
    uint64_t consumed, consumed_in_pieces;

    if (size == 0)
        return 0;
    struct slice bytes = slice_of(data + 1, size - 1);
    struct tree *tree = read_stream(bytes, SIZE_MAX, &status, &consumed);
    struct tree *in_pieces =
        read_stream(bytes, 1 + (size_t)data[0], &status_in_pieces, &consumed_in_pieces);
    ASSERT(status == status_in_pieces);
    ASSERT(status == STATUS_MALFORMED || consumed == consumed_in_pieces);
    check_same(tree, in_pieces);
    if (tree != NULL)
        check_sent_again(tree);
    tree_free(in_pieces);
    tree_free(tree);
    return 0;
}
