#include "shell/acl_words.h"
#include "shell/servers.h"
#include "shell/shell.h"
#include "shell/texts.h"

#include "test/lib/check.h"

#include <stdio.h>

static void check_split(const char *line, const char *want)
{
    struct split split;
    char got[256] = "";

    split_line(line, &split);
    for (int i = 0; i < split.count; i++) {
        size_t size = strlen(got);
        snprintf(got + size, sizeof(got) - size, "[%s]", split.words[i]);
    }
    CHECK_TEXT(line, got, want);
    split_free(&split);
}

TEST(marks_hold_a_word_together_only_at_its_start)
{
    check_split("ls  /a ", "[ls][/a]");
    check_split("create /q 'a b'", "[create][/q][a b]");
    check_split("create /q \"double 'in' it\"", "[create][/q][double 'in' it]");
    check_split("create /q a\"b c\"", "[create][/q][a\"b][c\"]");
    check_split("create /q \"a\"b", "[create][/q][a][b]");
    check_split("create /q \"\"", "[create][/q][]");
    check_split("create /q \"un terminated", "[create][/q][un][terminated]");
    check_split("   ", "[ ]");
    check_split("", "");
}

static void check_path(const char *path, const char *want)
{
    char problem[256] = "";

    bool good = path_check(slice_text(path), problem, sizeof(problem));
    CHECK(good == (want[0] == '\0'));
    CHECK_TEXT(path, problem, want);
}

TEST(a_path_that_is_wrong_is_told_with_the_place_in_characters)
{
    check_path("/", "");
    check_path("/a/.b/...", "");
    check_path("", "Path length must be > 0");
    check_path("a", "Path must start with / character");
    check_path("/a/", "Path must not end with / character");
    check_path("/a//b", "Invalid path string \"/a//b\" caused by empty node name specified @3");
    check_path("/a/./b", "Invalid path string \"/a/./b\" caused by relative paths not allowed @3");
    check_path("/a/..", "Invalid path string \"/a/..\" caused by relative paths not allowed @4");
    check_path("/\xe4\xb8\xad\x01",
               "Invalid path string \"/\xe4\xb8\xad\x01\" caused by invalid character @2");
    check_path("/\xef\xbf\xbd",
               "Invalid path string \"/\xef\xbf\xbd\" caused by invalid character @1");
}

static void check_servers(const char *text, const char *want)
{
    struct servers servers;
    char got[512] = "", problem[256] = "";

    if (!servers_parse(text, &servers, problem, sizeof(problem)))
        snprintf(got, sizeof(got), "%s", problem);
    else
        for (size_t i = 0; i < servers.count; i++) {
            size_t size = strlen(got);
            snprintf(got + size, sizeof(got) - size, "%s|%d %s", servers.names[i].host,
                     servers.names[i].port, i + 1 == servers.count ? servers.chroot : "");
        }
    CHECK_TEXT(text, got, want);
    servers_deinit(&servers);
}

TEST(a_connect_string_is_servers_and_a_chroot)
{
    check_servers("a", "a|2181 ");
    check_servers("a:1, b:2", "a|1 b|2 ");
    check_servers("[::1]:3,::2,[::3]/x/y", "::1|3 ::2|2181 ::3|2181 /x/y");
    check_servers("a/", "a|2181 ");
    check_servers("", "A HostProvider may not be empty!");
    check_servers("a:b", "a:b is not host or host:port");
    check_servers("a:65536", "a:65536 is not host or host:port");
    check_servers("a/x/", "Path must not end with / character");
}

TEST(an_acl_list_is_read_without_what_is_wrong_in_it)
{
    struct buffer acl;

    buffer_init(&acl);
    CHECK_I64("entries", acl_parse("world:anyone:r,digest:a:b:cdrwa", &acl), 2);
    CHECK_U64("count", load_be32(acl.data), 2);
    CHECK_U64("permissions", load_be32(acl.data + 4), PERM_READ);
    buffer_deinit(&acl);
}
