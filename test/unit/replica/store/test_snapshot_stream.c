/* A leader's state, as it comes in: in any pieces, and whatever its bytes are. */
#include "replica/store/snapshot.h"
#include "replica/store/snapshot_stream.h"
#include "test/lib/check.h"
#include "test/lib/json.h"
#include "test/lib/store_world.h"

#include <stdlib.h>

static void write_wire(struct tree *tree, struct buffer *out, size_t part_bytes)
{
    struct snapshot_image *image =
        snapshot_image_begin(tree, &(struct snapshot_image_options){.wire = true});

    while (snapshot_image_next(image, out, part_bytes) != IMAGE_END)
        ;
    snapshot_image_end(image);
}

/* Feeds all bytes in pieces of at most piece_max; what is behind the end is not fed. */
static enum status feed_pieces(struct snapshot_stream *stream, struct slice bytes, size_t piece_max,
                               uint64_t *seed)
{
    size_t at = 0;
    enum status status = STATUS_OK;

    while (at < bytes.size && status == STATUS_OK) {
        size_t size = 1 + (size_t)random_below(seed, (int32_t)piece_max), used;
        if (size > bytes.size - at)
            size = bytes.size - at;
        status = snapshot_stream_feed(stream, slice_of(bytes.data + at, size), &used);
        CHECK(used <= size && (status != STATUS_OK || used == size));
        at += used;
    }
    CHECK_U64("bytes", snapshot_stream_bytes(stream), at);
    return status;
}

static struct snapshot_stream *new_stream(void)
{
    return snapshot_stream_new(&world_tree_options, 0);
}

PROPERTY(what_a_running_tree_sends_is_the_same_tree_however_it_is_cut)
{
    struct store_world world;
    struct buffer bytes = {0};

    world_init(&world, seed);
    for (int i = 0; i < 200; i++)
        (void)world_next(&world);
    write_wire(world.tree, &bytes, 1 + (size_t)random_below(&seed, 3000));
    size_t end = bytes.size;
    buffer_append(&bytes, SLICE("the next packet"));
    for (size_t piece_max = 1; piece_max < 4 * bytes.size; piece_max *= 5) {
        struct snapshot_stream *stream = new_stream();
        CHECK_STATUS(feed_pieces(stream, buffer_slice(&bytes), piece_max, &seed), STATUS_END);
        CHECK_U64("its bytes", snapshot_stream_bytes(stream), end);
        struct tree *tree = snapshot_stream_take(stream, world_zxid(&world));
        snapshot_stream_free(stream);
        check_same_tree(tree, world.tree);
        tree_free(tree);
    }
    buffer_deinit(&bytes);
    world_deinit(&world);
}

static uint8_t hex_digit(char digit)
{
    return (uint8_t)(digit <= '9' ? digit - '0' : digit - 'a' + 10);
}

static void golden_stream(struct buffer *out)
{
    struct json *json = json_read("test/golden/storage/wire-sync-snap.json");

    for (const struct json *event = json->first; event != NULL; event = event->next) {
        if (strncmp(json_get(event, "decode")->text, "SNAPSHOT-STREAM", 15) != 0)
            continue;
        for (const char *at = json_get(event, "hex")->text; *at != '\0'; at += 2)
            buffer_u8(out, (uint8_t)(hex_digit(at[0]) << 4 | hex_digit(at[1])));
    }
    json_free(json);
    CHECK_U64("captured bytes", out->size, 1140);
}

TEST(the_state_that_a_java_leader_sent_is_read)
{
    struct buffer bytes = {0};
    uint64_t seed = 1;

    golden_stream(&bytes);
    struct snapshot_stream *stream = new_stream();
    CHECK_STATUS(feed_pieces(stream, buffer_slice(&bytes), 7, &seed), STATUS_END);
    CHECK_U64("its bytes", snapshot_stream_bytes(stream), 1140);
    struct tree *tree = snapshot_stream_take(stream, 0x300000002);
    snapshot_stream_free(stream);
    CHECK_I64("zxid", tree_last_zxid(tree), 0x300000002);
    CHECK_U64("nodes", tree_node_count(tree), 10);
    CHECK_U64("sessions", tree_session_count(tree), 5);
    CHECK(tree_session(tree, 0x300002857e70000) != NULL);
    const struct znode *config = tree_node(tree, tree_find(tree, SLICE("/zookeeper/config")));
    CHECK_U64("configuration", znode_data(config).size, 138);
    CHECK_I64("its ACL's count", tree_acl(tree, config->acl).count, 1);
    CHECK(tree_find(tree, SLICE("/epoch3")) != NODE_NONE);
    /* Written again it has the same length: sessions and nodes may come in another order. */
    struct buffer again = {0};
    write_wire(tree, &again, 100);
    CHECK(again.size <=
          bytes.size); /* ACL 2 is world:anyone:31, which needs no entry of the table */
    tree_free(tree);
    buffer_deinit(&again);
    buffer_deinit(&bytes);
}

TEST(a_stream_that_ends_anywhere_is_not_done)
{
    struct buffer bytes = {0};

    golden_stream(&bytes);
    for (size_t size = 0; size < bytes.size; size++) {
        struct snapshot_stream *stream = new_stream();
        size_t used;
        CHECK_STATUS(snapshot_stream_feed(stream, slice_of(bytes.data, size), &used), STATUS_OK);
        CHECK_U64("used", used, size);
        snapshot_stream_free(stream);
    }
    buffer_deinit(&bytes);
}

#define STAT                                                                                       \
    "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0" \
    "\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
#define OPEN_ACL "\xff\xff\xff\xff\xff\xff\xff\xff"
#define NO_TABLES "\0\0\0\0\0\0\0\0"
#define ROOT "\0\0\0\0\0\0\0\0" OPEN_ACL STAT

TEST(a_stream_that_cannot_be_is_refused_as_soon_as_its_bytes_show_it)
{
    static const struct {
        const char *name;
        struct slice bytes;
    } rows[] = {
        {"a path of negative size", SLICE(NO_TABLES "\xff\xff\xff\xfe")},
        {"a path longer than any", SLICE(NO_TABLES "\x7f\0\0\0")},
        {"data longer than any", SLICE(NO_TABLES "\0\0\0\0\x7f\0\0\0")},
        {"an ACL with a scheme of negative size",
         SLICE("\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\1\0\0\0\1\0\0\0\1\xff\xff\xff\xf0")},
        {"a node without a path", SLICE(NO_TABLES "\xff\xff\xff\xff\0\0\0\0" OPEN_ACL STAT)},
        {"a node without its parent", SLICE(NO_TABLES ROOT "\0\0\0\4/a/b\0\0\0\0" OPEN_ACL STAT)},
        {"a node that occurs twice",
         SLICE(NO_TABLES ROOT "\0\0\0\2/a\0\0\0\0" OPEN_ACL STAT "\0\0\0\2/a\0\0\0\0" OPEN_ACL STAT
                              "\0\0\0\1/\0\0\0\nBenWasHere")},
        {"a signature that is longer", SLICE(NO_TABLES ROOT "\0\0\0\1/\0\0\0\x0b")},
        {"another signature", SLICE(NO_TABLES ROOT "\0\0\0\1/\0\0\0\nBenWasHerf")},
        {"no signature", SLICE(NO_TABLES ROOT "\0\0\0\1/\xff\xff\xff\xff")},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct snapshot_stream *stream = new_stream();
        enum status status = STATUS_OK;
        for (size_t at = 0; at < rows[i].bytes.size; at++) {
            size_t used;
            CHECK_STATUS(status, STATUS_OK); /* not one byte too early */
            status = snapshot_stream_feed(stream, slice_of(rows[i].bytes.data + at, 1), &used);
        }
        if (status != STATUS_MALFORMED)
            check_failed(__FILE__, __LINE__, "%s: not refused", rows[i].name);
        CHECK(snapshot_stream_problem(stream) != NULL);
        snapshot_stream_free(stream);
    }
}

TEST(sessions_that_are_there_twice_and_negative_counts_are_taken_as_java_takes_them)
{
    static const struct slice bytes =
        SLICE("\0\0\0\2\0\0\0\0\0\0\0\1\0\0\0\5\0\0\0\0\0\0\0\1\0\0\0\6\xff\xff\xff\xff" ROOT
              "\0\0\0\1/\0\0\0\nBenWasHere");
    struct snapshot_stream *stream = new_stream();
    size_t used;

    CHECK_STATUS(snapshot_stream_feed(stream, bytes, &used), STATUS_END);
    struct tree *tree = snapshot_stream_take(stream, 1);
    CHECK_U64("sessions", tree_session_count(tree), 1);
    CHECK_I64("timeout", tree_session(tree, 1)->timeout_ms, 6);
    tree_free(tree);
    snapshot_stream_free(stream);
}
