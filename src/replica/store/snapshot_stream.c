/* snapshot_stream.c: a leader's state, read as it comes in. Before a part is read, its size is
 * determined as far as the bytes so far allow. So each part is read once, when it is complete, and
 * an impossible size is refused at once, not waited for. */
#include "replica/store/snapshot_stream.h"

#include "replica/store/snapshot_parts.h"
#include "replica/store/txnlog_format.h"

enum { SESSION_BYTES = 12, STAT_PERSISTED_BYTES = 60, ACL_LIST_TEXTS_MAX = 4 };

static const char signature[] = "BenWasHere";

struct snapshot_stream {
    struct snapshot_parts parts;
    struct arena arena;
    size_t text_bytes_max;
    struct buffer pending; /* the beginning of a thing: ... */
    size_t need;           /* ... so many bytes it has at least */
    uint64_t consumed;
    int32_t left; /* of SESSIONS and ACLS */
    enum { SESSION_COUNT, SESSIONS, ACL_COUNT, ACLS, NODES, SIGNATURE, DONE, FAILED } state;
};

struct snapshot_stream *snapshot_stream_new(const struct tree_options *options,
                                            size_t text_bytes_max)
{
    struct snapshot_stream *stream = mem_zalloc(sizeof(*stream));

    stream->parts.tree = tree_new_empty(options);
    stream->text_bytes_max = txnlog_payload_bytes_max(text_bytes_max);
    arena_init(&stream->arena);
    return stream;
}

void snapshot_stream_free(struct snapshot_stream *stream)
{
    if (stream == NULL)
        return;
    tree_free(stream->parts.tree);
    arena_deinit(&stream->arena);
    buffer_deinit(&stream->pending);
    mem_free(stream);
}

const char *snapshot_stream_problem(const struct snapshot_stream *stream)
{
    return stream->parts.problem;
}

uint64_t snapshot_stream_bytes(const struct snapshot_stream *stream)
{
    return stream->consumed;
}

static enum status malformed(struct snapshot_stream *stream, const char *text)
{
    if (stream->parts.problem == NULL)
        stream->parts.problem = text;
    stream->state = FAILED;
    return STATUS_MALFORMED;
}

/* --- measuring --- */

struct measure {
    struct slice bytes;
    size_t size; /* of the thing, as far as is known */
    bool wrong;  /* a size that cannot be */
};

static bool is_known(const struct measure *measure)
{
    return !measure->wrong && measure->size <= measure->bytes.size;
}

static int32_t measure_i32(struct measure *measure)
{
    size_t at = measure->size;

    measure->size += 4;
    return is_known(measure) ? (int32_t)load_be32(measure->bytes.data + at) : 0;
}

static void measure_bytes(struct measure *measure, size_t size)
{
    measure->size += size;
}

/* A text or a buffer. */
static void measure_text(struct measure *measure, size_t bytes_max)
{
    int32_t size = measure_i32(measure);

    if (size < -1 || (size > 0 && (size_t)size > bytes_max))
        measure->wrong = true;
    else if (size > 0)
        measure_bytes(measure, (size_t)size);
}

static void measure_acl(struct measure *measure, size_t text_bytes_max)
{
    measure_bytes(measure, 8);
    int32_t count = measure_i32(measure);
    for (int32_t i = 0; i < count && is_known(measure); i++) {
        measure_bytes(measure, 4);
        measure_text(measure, text_bytes_max);
        if (is_known(measure))
            measure_text(measure, text_bytes_max);
        /* There is no limit to their number: so there is one to their sum. */
        if (measure->size > ACL_LIST_TEXTS_MAX * text_bytes_max)
            measure->wrong = true;
    }
}

static void measure_node(struct measure *measure, size_t text_bytes_max)
{
    measure_text(measure, text_bytes_max);
    if (!is_known(measure))
        return;
    if (slice_equal(slice_of(measure->bytes.data, measure->size), SLICE("\0\0\0\1/")))
        return; /* the end of the nodes */
    measure_text(measure, text_bytes_max);
    if (!is_known(measure))
        return;
    measure_bytes(measure, 8 + STAT_PERSISTED_BYTES);
}

static void measure_next(const struct snapshot_stream *stream, struct measure *measure)
{
    switch (stream->state) {
    case SESSIONS:
        measure_bytes(measure, SESSION_BYTES);
        break;
    case ACLS:
        measure_acl(measure, stream->text_bytes_max);
        break;
    case NODES:
        measure_node(measure, stream->text_bytes_max);
        break;
    case SIGNATURE:
        measure_text(measure, sizeof(signature) - 1);
        break;
    case SESSION_COUNT:
    case ACL_COUNT:
    case DONE:
    case FAILED:
        (void)measure_i32(measure);
        break;
    }
}

/* --- reading --- */

static void begin_table(struct snapshot_stream *stream, struct reader *reader, bool acls)
{
    stream->left = reader_i32(reader); /* below 0: none, as in Java */
    if (stream->left > 0)
        stream->state = acls ? ACLS : SESSIONS;
    else
        stream->state = acls ? NODES : ACL_COUNT;
}

static void end_entry(struct snapshot_stream *stream, bool acls)
{
    if (--stream->left == 0)
        stream->state = acls ? NODES : ACL_COUNT;
}

static enum status read_signature(struct snapshot_stream *stream, struct reader *reader)
{
    struct slice text = reader_text(reader);

    if (!slice_equal(text, slice_text(signature)))
        return malformed(stream, "the signature at its end is wrong");
    if (!tree_load_unique(stream->parts.tree))
        return malformed(stream, "a node that occurs twice");
    tree_load_finish(stream->parts.tree);
    stream->state = DONE;
    return STATUS_END;
}

static enum status read_next(struct snapshot_stream *stream, struct reader *reader)
{
    enum status status = STATUS_OK;

    switch (stream->state) {
    case SESSION_COUNT:
    case ACL_COUNT:
        begin_table(stream, reader, stream->state == ACL_COUNT);
        break;
    case SESSIONS:
        status = snapshot_part_session(&stream->parts, reader);
        end_entry(stream, false);
        break;
    case ACLS:
        status = snapshot_part_acl(&stream->parts, reader);
        end_entry(stream, true);
        break;
    case NODES:
        status = snapshot_part_node(&stream->parts, reader);
        if (status == STATUS_END) {
            stream->state = SIGNATURE;
            status = STATUS_OK;
        }
        break;
    case SIGNATURE:
        return read_signature(stream, reader);
    case DONE:
    case FAILED:
        ASSERT(!"bytes behind the end");
    }
    return status;
}

/* The thing at the beginning of `bytes`. STATUS_NOT_FOUND: not all of it is there; stream->need says how
 * many bytes it has at least. */
static enum status take_one(struct snapshot_stream *stream, struct slice bytes, size_t *ret_used)
{
    struct measure measure = {.bytes = bytes};
    struct reader reader;

    measure_next(stream, &measure);
    if (measure.wrong)
        return malformed(stream, "a string, buffer or list with an impossible length");
    if (measure.size > bytes.size) {
        stream->need = measure.size;
        return STATUS_NOT_FOUND;
    }
    reader_init(&reader, slice_of(bytes.data, measure.size), &stream->arena,
                stream->text_bytes_max);
    reader.texts_as_they_are = true; /* as a server wrote them */
    enum status status = read_next(stream, &reader);
    arena_reset(&stream->arena);
    bool all = reader_left(&reader) == 0;
    if (status == STATUS_MALFORMED || status == STATUS_CORRUPT || !all)
        return malformed(stream, "a part of it is malformed");
    *ret_used = measure.size;
    return status;
}

/* Fills up the thing that has begun, with what it needs at least; reads it when it is whole. */
static enum status go_on(struct snapshot_stream *stream, struct slice bytes, size_t *ret_consumed)
{
    size_t more = stream->need - stream->pending.size, used = 0;

    if (more > bytes.size)
        more = bytes.size;
    buffer_append(&stream->pending, slice_of(bytes.data, more));
    *ret_consumed = more;
    if (stream->pending.size < stream->need)
        return STATUS_NOT_FOUND;
    enum status status = take_one(stream, buffer_slice(&stream->pending), &used);
    if (status == STATUS_OK || status == STATUS_END)
        stream->pending.size = 0;
    return status;
}

enum status snapshot_stream_feed(struct snapshot_stream *stream, struct slice bytes,
                                 size_t *ret_consumed)
{
    size_t at = 0;
    enum status status = STATUS_OK;

    ASSERT(stream->state != DONE && stream->state != FAILED);
    while (at < bytes.size && (status == STATUS_OK || status == STATUS_NOT_FOUND)) {
        struct slice rest = slice_of(bytes.data + at, bytes.size - at);
        size_t used = 0;
        if (stream->pending.size > 0) {
            status = go_on(stream, rest, &used);
        } else {
            status = take_one(stream, rest, &used);
            if (status == STATUS_NOT_FOUND) {
                buffer_append(&stream->pending, rest);
                used = rest.size;
            }
        }
        ASSERT(used <= rest.size);
        at += used;
    }
    stream->consumed += at;
    *ret_consumed = at;
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

struct tree *snapshot_stream_take(struct snapshot_stream *stream, int64_t zxid)
{
    struct tree *tree = stream->parts.tree;

    ASSERT(stream->state == DONE && tree != NULL);
    tree_set_last_zxid(tree, zxid);
    stream->parts.tree = NULL;
    return tree;
}
