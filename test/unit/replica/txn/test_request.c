#include "test/lib/check.h"
#include "test/lib/requests.h"

#include "replica/txn/request.h"

enum { TEXT_BYTES_MAX = 1000 };

static struct arena arena;

static enum status read_body(int32_t type, const struct buffer *body, struct write_request *request)
{
    uint8_t *exact = mem_alloc(body->size);

    if (body->size > 0)
        memcpy(exact, body->data, body->size);
    struct slice copy = arena_copy(&arena, slice_of(exact, body->size));
    enum status status = write_request_read(type, copy, TEXT_BYTES_MAX, &arena, request);
    mem_free(exact);
    return status;
}

TEST(every_write_is_read_field_by_field)
{
    struct buffer body = {0};
    struct write_request request;

    static const int32_t creates[] = {OP_CREATE, OP_CREATE2, OP_CREATE_CONTAINER};
    for (size_t i = 0; i < ARRAY_LEN(creates); i++) {
        body.size = 0;
        put_create(&body, "/a", SLICE("xy"), 3);
        CHECK_STATUS(read_body(creates[i], &body, &request), STATUS_OK);
        CHECK_I64("type", request.op.type, creates[i]);
        CHECK_SLICE("path", request.op.path, SLICE("/a"));
        CHECK_SLICE("data", request.op.data, SLICE("xy"));
        CHECK_SLICE("acl", request.op.acl.bytes, OPEN_ACL.bytes);
        CHECK_I64("flags", request.op.flags, 3);
        CHECK_I64("no ttl", request.op.ttl_ms, -1);
    }
    body.size = 0;
    put_create_ttl(&body, "/t", MODE_TTL, 1234);
    CHECK_STATUS(read_body(OP_CREATE_TTL, &body, &request), STATUS_OK);
    CHECK_I64("ttl", request.op.ttl_ms, 1234);
    CHECK_I64("flags", request.op.flags, MODE_TTL);

    body.size = 0;
    put_path_version(&body, "/d", 9);
    CHECK_STATUS(read_body(OP_DELETE, &body, &request), STATUS_OK);
    CHECK(slice_equal(request.op.path, SLICE("/d")) && request.op.version == 9);

    body.size = 0;
    put_set_data(&body, "/s", SLICE_NULL, -1);
    CHECK_STATUS(read_body(OP_SET_DATA, &body, &request), STATUS_OK);
    CHECK(request.op.data.data == NULL && request.op.version == -1);

    body.size = 0;
    put_set_acl(&body, "/s", OPEN_ACL, 4);
    CHECK_STATUS(read_body(OP_SET_ACL, &body, &request), STATUS_OK);
    CHECK(request.op.acl.count == 1 && request.op.version == 4);

    body.size = 0;
    for (int i = 0; i < 3; i++)
        put_text(&body, NULL);
    buffer_i64(&body, -1);
    CHECK_STATUS(read_body(OP_RECONFIG, &body, &request), STATUS_OK);

    body.size = 0;
    CHECK_STATUS(read_body(OP_CLOSE_SESSION, &body, &request), STATUS_OK);
    buffer_deinit(&body);
    arena_deinit(&arena);
}

TEST(a_body_that_is_cut_anywhere_is_malformed_and_one_that_is_longer_is_not)
{
    static const int32_t types[] = {OP_CREATE,  OP_CREATE_TTL, OP_DELETE, OP_SET_DATA,
                                    OP_SET_ACL, OP_RECONFIG,   OP_MULTI};
    struct buffer body = {0};
    struct write_request request;

    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        body.size = 0;
        switch (types[i]) {
        case OP_CREATE:
            put_create(&body, "/a", SLICE("xy"), 3);
            break;
        case OP_CREATE_TTL:
            put_create_ttl(&body, "/a", 5, 9);
            break;
        case OP_DELETE:
            put_path_version(&body, "/a", 1);
            break;
        case OP_SET_DATA:
            put_set_data(&body, "/a", SLICE("xy"), 1);
            break;
        case OP_SET_ACL:
            put_set_acl(&body, "/a", OPEN_ACL, 1);
            break;
        case OP_RECONFIG:
            for (int j = 0; j < 3; j++)
                put_text(&body, "x");
            buffer_i64(&body, 1);
            break;
        default:
            put_multi_op(&body, OP_DELETE);
            put_path_version(&body, "/a", 1);
            put_multi_op(&body, OP_CREATE);
            put_create(&body, "/a", SLICE("xy"), 0);
            put_multi_end(&body);
            break;
        }
        size_t whole = body.size;
        for (body.size = 0; body.size < whole; body.size++)
            CHECK_STATUS(read_body(types[i], &body, &request), STATUS_MALFORMED);
        buffer_append(&body, SLICE("left over"));
        CHECK_STATUS(read_body(types[i], &body, &request), STATUS_OK);
    }
    buffer_deinit(&body);
    arena_deinit(&arena);
}

TEST(a_text_or_buffer_over_the_limit_is_malformed)
{
    static char long_text[TEXT_BYTES_MAX + 2];
    struct buffer body = {0};
    struct write_request request;

    memset(long_text, 'a', TEXT_BYTES_MAX + 1);
    put_path_version(&body, long_text, 1);
    CHECK_STATUS(read_body(OP_DELETE, &body, &request), STATUS_MALFORMED);
    long_text[TEXT_BYTES_MAX] = 0;
    body.size = 0;
    put_path_version(&body, long_text, 1);
    CHECK_STATUS(read_body(OP_DELETE, &body, &request), STATUS_OK);
    buffer_deinit(&body);
    arena_deinit(&arena);
}

TEST(a_create_in_a_multi_is_what_its_flags_make_of_it)
{
    enum { BAD = 0 };
    static const struct {
        const char *name;
        int32_t type, flags, effective;
    } rows[] = {
        {"create", OP_CREATE, 0, OP_CREATE},
        {"create sequential", OP_CREATE, 3, OP_CREATE},
        {"create2", OP_CREATE2, 1, OP_CREATE2},
        {"create with container flags", OP_CREATE, 4, OP_CREATE_CONTAINER},
        {"create2 with container flags", OP_CREATE2, 4, OP_CREATE_CONTAINER},
        {"createContainer", OP_CREATE_CONTAINER, 4, OP_CREATE_CONTAINER},
        {"createContainer with other flags", OP_CREATE_CONTAINER, 0, OP_CREATE_CONTAINER},
        {"create with TTL flags", OP_CREATE, 5, BAD},
        {"create2 with TTL flags", OP_CREATE2, 6, BAD},
        {"createContainer with TTL flags", OP_CREATE_CONTAINER, 5, BAD},
        {"createTTL", OP_CREATE_TTL, 5, OP_CREATE_TTL},
        {"createTTL sequential", OP_CREATE_TTL, 6, OP_CREATE_TTL},
        {"createTTL without TTL flags", OP_CREATE_TTL, 0, OP_CREATE},
        {"createTTL with container flags", OP_CREATE_TTL, 4, OP_CREATE_CONTAINER},
        {"flags 7", OP_CREATE, 7, BAD},
        {"flags -1", OP_CREATE2, -1, BAD},
        {"createTTL with flags 7", OP_CREATE_TTL, 7, BAD},
    };
    struct buffer body = {0};

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct write_request request;
        body.size = 0;
        put_multi_op(&body, rows[i].type);
        put_create(&body, "/a", SLICE(""), rows[i].flags);
        if (rows[i].type == OP_CREATE_TTL)
            buffer_i64(&body, 50);
        put_multi_end(&body);
        enum status status = read_body(OP_MULTI, &body, &request);
        if (rows[i].effective == BAD) {
            CHECK_STATUS(status, STATUS_MALFORMED);
            continue;
        }
        CHECK_STATUS(status, STATUS_OK);
        CHECK_I64(rows[i].name, request.op_count, 1);
        CHECK_I64(rows[i].name, request.ops[0].type, rows[i].effective);
        CHECK_I64(rows[i].name, request.ops[0].ttl_ms,
                  rows[i].effective == OP_CREATE_TTL ? 50 : -1);
    }
    buffer_deinit(&body);
    arena_deinit(&arena);
}

TEST(only_writes_and_checks_belong_into_a_multi)
{
    struct buffer body = {0};
    struct write_request request;

    for (int32_t type = -12; type < 110; type++) {
        bool belongs = type == OP_CREATE || type == OP_CREATE2 || type == OP_CREATE_CONTAINER ||
                       type == OP_CREATE_TTL || type == OP_DELETE || type == OP_SET_DATA ||
                       type == OP_CHECK;
        body.size = 0;
        put_multi_op(&body, type);
        /* A body that reads as any of them: path, two lengths of zero, flags or version. */
        put_text(&body, "/a");
        for (int i = 0; i < (type == OP_DELETE || type == OP_CHECK ? 1 : 2); i++)
            buffer_i32(&body, 0);
        if (type != OP_DELETE && type != OP_CHECK && type != OP_SET_DATA)
            buffer_i32(&body, type == OP_CREATE_TTL ? MODE_TTL : 0);
        if (type == OP_CREATE_TTL)
            buffer_i64(&body, 1);
        put_multi_end(&body);
        CHECK_STATUS(read_body(OP_MULTI, &body, &request), belongs ? STATUS_OK : STATUS_MALFORMED);
    }
    buffer_deinit(&body);
    arena_deinit(&arena);
}

TEST(a_multi_may_be_empty_or_long)
{
    struct buffer body = {0};
    struct write_request request;

    put_multi_end(&body);
    CHECK_STATUS(read_body(OP_MULTI, &body, &request), STATUS_OK);
    CHECK_I64("none", request.op_count, 0);
    body.size = 0;
    for (int32_t i = 0; i < 1000; i++) {
        put_multi_op(&body, OP_DELETE);
        put_path_version(&body, "/a", i);
    }
    put_multi_end(&body);
    CHECK_STATUS(read_body(OP_MULTI, &body, &request), STATUS_OK);
    CHECK_I64("count", request.op_count, 1000);
    for (int32_t i = 0; i < 1000; i++)
        CHECK_I64("in order", request.ops[i].version, i);
    buffer_deinit(&body);
    arena_deinit(&arena);
}

TEST(a_multi_read_takes_get_data_and_get_children_only)
{
    struct buffer body = {0};
    struct read_op *ops;
    int32_t count;

    for (int32_t type = -12; type < 110; type++) {
        bool belongs = type == OP_GET_DATA || type == OP_GET_CHILDREN;
        body.size = 0;
        put_multi_op(&body, OP_GET_DATA);
        put_path_watch(&body, "/a", true);
        put_multi_op(&body, type);
        put_path_watch(&body, "/b", false);
        put_multi_end(&body);
        CHECK_STATUS(
            multi_read_request_read(buffer_slice(&body), TEXT_BYTES_MAX, &arena, &ops, &count),
            belongs ? STATUS_OK : STATUS_MALFORMED);
        if (!belongs)
            continue;
        CHECK_I64("count", count, 2);
        CHECK_I64("type", ops[1].type, type);
        CHECK_SLICE("path", ops[1].path, SLICE("/b"));
    }
    size_t whole = body.size;
    put_multi_op(&body, OP_GET_DATA);
    put_path_watch(&body, "/a", true);
    put_multi_end(&body);
    whole = body.size - whole;
    for (size_t cut = 0; cut < whole; cut++)
        CHECK_STATUS(multi_read_request_read(slice_of(body.data + body.size - whole, cut),
                                             TEXT_BYTES_MAX, &arena, &ops, &count),
                     STATUS_MALFORMED);
    buffer_deinit(&body);
    arena_deinit(&arena);
}
