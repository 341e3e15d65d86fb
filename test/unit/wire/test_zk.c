#include "test/lib/check.h"
#include "wire/zk.h"

TEST(a_session_password_is_what_the_real_server_gives)
{
    static const struct {
        const char *name;
        int64_t session_id;
        uint8_t password[PASSWORD_BYTES];
    } rows[] = {
        {"1", 0x01000020bcbf0061,
         "\x2f\xc3\xc6\xa6\xa0\x44\x44\x21\x75\x9d\xad\x7e\x1d\xd7\x08\xfd"},
        {"2", 0x01000012006e0000,
         "\x50\xf8\xd2\xa6\x9d\xcb\x40\xa9\xae\x8b\x42\xca\xae\x15\xde\x25"},
        {"3", 0x01000012006e0001,
         "\x63\x19\xcd\xa6\x3d\x17\x20\xee\xa3\xce\xa9\xf5\x82\x9e\xf2\xf2"},
        {"4", 0x0100001200b30000,
         "\x0f\x74\x22\xf8\xf0\x15\x5a\x67\x05\xc3\x51\xf2\xb9\xcf\x44\x56"},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        uint8_t password[PASSWORD_BYTES];
        zk_session_password(rows[i].session_id, password);
        CHECK_SLICE(rows[i].name, slice_of(password, PASSWORD_BYTES),
                    slice_of(rows[i].password, PASSWORD_BYTES));
    }
}

TEST(a_path_may_name_a_node_or_not)
{
    static const struct {
        struct slice path;
        bool valid;
    } rows[] = {
        {SLICE("/"), true},
        {SLICE("/a"), true},
        {SLICE("/a/b.c/..."), true},
        {SLICE("/.a"), true},
        {SLICE("/a.."), true},
        {SLICE("/ "), true},
        {SLICE("/\xc3\xa9"), true},
        {SLICE("/\xe9\xa6\xac"), true},
        {SLICE("/\xc2\xa0"), true},     /* U+00A0, the first behind the control characters */
        {SLICE("/\xed\x9f\xbf"), true}, /* U+D7FF */
        {SLICE("/\xef\xa4\x80"), true}, /* U+F900 */
        {SLICE("/\xef\xbf\xaf"), true}, /* U+FFEF */
        {SLICE("/~"), true},
        {SLICE(""), false},
        {SLICE("a"), false},
        {SLICE("a/b"), false},
        {SLICE("//"), false},
        {SLICE("/a/"), false},
        {SLICE("/a//b"), false},
        {SLICE("/."), false},
        {SLICE("/.."), false},
        {SLICE("/a/./b"), false},
        {SLICE("/a/../b"), false},
        {SLICE("/a/.."), false},
        {SLICE("/a\0b"), false},
        {SLICE("/\x01"), false},
        {SLICE("/\x1f"), false},
        {SLICE("/\x7f"), false},
        {SLICE("/\xc2\x80"), false},
        {SLICE("/\xc2\x9f"), false},
        {SLICE("/\xed\xa0\x80"), false},
        {SLICE("/\xed\xa0\xbd\xed\xb8\x80"), false}, /* an emoji, as Java holds it */
        {SLICE("/\xee\x80\x80"), false},
        {SLICE("/\xef\xa3\xbf"), false},
        {SLICE("/\xef\xbf\xb0"), false},
        {SLICE("/\xef\xbf\xbd"), false},
        {SLICE("/\xef\xbf\xbf"), false},
        /* never handed over by a reader, and refused all the same */
        {SLICE("/\xc2"), false},
        {SLICE("/\xed"), false},
        {SLICE("/\xef\xbf"), false},
        {SLICE("/\xf0\x9f\x98\x80"), false},
        {SLICE("/\xc0\xaf"), false},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (zk_path_valid(rows[i].path) != rows[i].valid)
            CHECK_SLICE(rows[i].valid ? "should be valid" : "should be refused", SLICE_NULL,
                        rows[i].path);
    }
}

TEST(a_path_parts_at_its_last_slash)
{
    CHECK_SLICE("parent", zk_path_parent(SLICE("/a/b")), SLICE("/a"));
    CHECK_SLICE("name", zk_path_name(SLICE("/a/b")), SLICE("b"));
    CHECK_SLICE("parent", zk_path_parent(SLICE("/a")), SLICE(""));
    CHECK_SLICE("name", zk_path_name(SLICE("/a")), SLICE("a"));
    CHECK_SLICE("parent", zk_path_parent(SLICE("/")), SLICE(""));
    CHECK_SLICE("name", zk_path_name(SLICE("/")), SLICE(""));
    CHECK_SLICE("parent", zk_path_parent(SLICE("none")), SLICE(""));
    CHECK_SLICE("name", zk_path_name(SLICE("none")), SLICE("none"));
}

TEST(four_paths_are_special)
{
    CHECK(zk_path_special(SLICE("/")));
    CHECK(zk_path_special(SLICE("/zookeeper")));
    CHECK(zk_path_special(SLICE("/zookeeper/quota")));
    CHECK(zk_path_special(SLICE("/zookeeper/config")));
    CHECK(!zk_path_special(SLICE("/zookeeper/quota/a")));
    CHECK(!zk_path_special(SLICE("/zookeepe")));
    CHECK(!zk_path_special(SLICE("")));
}

TEST(an_operation_is_one_row)
{
    static const int32_t changing[] = {OP_CREATE,     OP_CREATE2,        OP_CREATE_CONTAINER,
                                       OP_CREATE_TTL, OP_DELETE,         OP_DELETE_CONTAINER,
                                       OP_SET_DATA,   OP_SET_ACL,        OP_MULTI,
                                       OP_RECONFIG,   OP_CREATE_SESSION, OP_CLOSE_SESSION};

    for (int32_t number = -20; number < 120; number++) {
        const struct op_info *op = op_find(number);
        bool changes = op != NULL && (op->rules & OP_CHANGES_TREE) != 0, wanted = false;
        for (size_t i = 0; i < ARRAY_LEN(changing); i++)
            wanted |= changing[i] == number;
        CHECK_I64("changes the tree", changes ? number : -1000, wanted ? number : -1000);
        CHECK(op == NULL || op->number == number);
        CHECK(!changes || op->class == OP_CLASS_WRITE || op->class == OP_CLASS_INTERNAL);
        CHECK(!changes || (op->rules & OP_FORWARDED) != 0);
    }
}

TEST(a_zxid_has_an_epoch_and_a_counter)
{
    CHECK_I64("both", zxid_make(5, 7), INT64_C(0x500000007));
    CHECK_I64("epoch", zxid_epoch(INT64_C(0x500000007)), 5);
    CHECK_I64("counter", zxid_counter(INT64_C(0x5ffffffff)), INT64_C(0xffffffff));
    CHECK_I64("the highest epoch is no sign", zxid_epoch(INT64_MIN), INT64_C(0x80000000));
}
