#include "client/connect_string.h"
#include "client/paths.h"
#include "test/lib/check.h"

TEST(the_chroot_is_what_begins_with_the_first_slash)
{
    static const struct {
        const char *text, *hosts, *chroot;
        enum status status;
    } rows[] = {
        {"h:1", "h:1", "", STATUS_OK},
        {"h:1/", "h:1", "", STATUS_OK},
        {"h:1/a/b", "h:1", "/a/b", STATUS_OK},
        {"h:1/a,g:2", "h:1", "/a,g:2", STATUS_OK},
        {"h:1/a/", NULL, NULL, STATUS_INVALID},
        {"h:1/a//b", NULL, NULL, STATUS_INVALID},
        {"h:1/a/../b", NULL, NULL, STATUS_INVALID},
    };
    struct slice hosts, chroot;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CHECK_I64(rows[i].text, connect_string_split(slice_text(rows[i].text), &hosts, &chroot),
                  rows[i].status);
        if (rows[i].status != STATUS_OK)
            continue;
        CHECK_SLICE(rows[i].text, hosts, slice_text(rows[i].hosts));
        CHECK_SLICE(rows[i].text, chroot, slice_text(rows[i].chroot));
    }
}

TEST(the_last_colon_of_an_entry_separates_its_port)
{
    static const struct {
        const char *text, *name;
        int port;
        enum status status;
    } rows[] = {
        {"localhost:2181", "localhost", 2181, STATUS_OK},
        {"  \tlocalhost:2181", "localhost", 2181, STATUS_OK},
        {"::1:2181", "::1", 2181, STATUS_OK},
        {"[::1]:2181", "[::1]", 2181, STATUS_OK},
        {":2181", "", 2181, STATUS_OK},
        {",,h:1", "h", 1, STATUS_OK},
        {"h:0x10", "h", 16, STATUS_OK},
        {"h:010", "h", 8, STATUS_OK},
        {"h:65535", "h", 65535, STATUS_OK},
        {"h:65536", NULL, 0, STATUS_INVALID},
        {"h:0", NULL, 0, STATUS_INVALID},
        {"h:-1", NULL, 0, STATUS_INVALID},
        {"h:", NULL, 0, STATUS_INVALID},
        {"h", NULL, 0, STATUS_INVALID},
        {"h:12x", NULL, 0, STATUS_INVALID},
        {"h:abc", NULL, 0, STATUS_INVALID},
        {"", NULL, 0, STATUS_END},
        {",,", NULL, 0, STATUS_END},
    };
    struct client_host host;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct slice left = slice_text(rows[i].text);
        CHECK_I64(rows[i].text, connect_string_next(&left, &host), rows[i].status);
        if (rows[i].status != STATUS_OK)
            continue;
        CHECK_SLICE(rows[i].text, host.name, slice_text(rows[i].name));
        CHECK_I64(rows[i].text, host.port, rows[i].port);
    }
}

TEST(a_list_is_read_host_by_host)
{
    struct slice left = SLICE("a:1,b:2,,c:3,");
    struct client_host host;
    int sum = 0;

    while (connect_string_next(&left, &host) == STATUS_OK)
        sum = sum * 10 + host.port;
    CHECK_I64("ports", sum, 123);
}

TEST(only_paths_are_sent)
{
    static const struct {
        const char *path;
        bool valid, valid_when_sequential;
    } rows[] = {
        {"/", true, true},         {"/a", true, true},     {"/a/b.c", true, true},
        {"/a..b", true, true},     {"/...", true, true},   {"", false, false},
        {"a", false, false},       {"/a/", false, true},   {"//", false, false},
        {"/a//b", false, false},   {"/./a", false, false}, {"/a/../b", false, false},
        {"/a/.", false, true},     {"/a/..", false, true}, {"/a\x01", false, false},
        {"/a\x1e", false, false},  {"/a\x1f", true, true}, {"/a\x7f", true, true},
        {"/\xc3\xa4", true, true},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct slice path = slice_text(rows[i].path);
        CHECK_I64(rows[i].path, client_path_valid(path, false), rows[i].valid);
        CHECK_I64(rows[i].path, client_path_valid(path, true), rows[i].valid_when_sequential);
    }
}

TEST(a_path_is_shown_without_the_chroot)
{
    static const struct {
        const char *chroot, *path, *shown;
    } rows[] = {
        {"", "/a", "/a"},     {"/c", "/c/a", "/a"},       {"/c", "/c", "/"},
        {"/c", "/ca", "/ca"}, {"/c", "/other", "/other"}, {"/c/d", "/c", "/c"},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        CHECK_SLICE(
            rows[i].path,
            client_path_without_chroot(slice_text(rows[i].chroot), slice_text(rows[i].path)),
            slice_text(rows[i].shown));
}
