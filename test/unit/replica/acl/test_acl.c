#include "test/lib/check.h"
#include "test/lib/requests.h"

#include "replica/acl/acl.h"

#include <stdio.h>

static const char U_P[] = "u:Jq7wMyA/w2Vd5WIDAKdu4OIIFEQ=";
static const char SUPER_SECRET[] = "super:lK75jTNcA+U9vtVEw5vB51mj/w4=";

struct world {
    struct acl_rules rules;
    struct arena arena;
    struct identities *who;
};

static void begin(struct world *world)
{
    *world = (struct world){.rules = {.digest_enabled = true, .digest_algorithm = SLICE("SHA1")},
                            .who = identities_new(SLICE("127.0.0.1"))};
    arena_init(&world->arena);
}

static void end(struct world *world)
{
    identities_release(world->who);
    arena_deinit(&world->arena);
}

static enum auth_answer login(struct world *world, const char *scheme, struct slice auth)
{
    return acl_authenticate(&world->rules, slice_text(scheme), auth, &world->arena, &world->who);
}

static bool is(const struct world *world, const char *scheme, const char *id)
{
    for (uint32_t i = 0; i < world->who->count; i++) {
        if (slice_equal(world->who->items[i].scheme, slice_text(scheme)) &&
            slice_equal(world->who->items[i].id, slice_text(id)))
            return true;
    }
    return false;
}

/* --- the auth operation --- */

TEST(a_password_becomes_the_identity_that_the_real_server_makes)
{
    static const struct {
        const char *auth, *id;
    } rows[] = {
        {"u:p", U_P},
        {"super:secret", SUPER_SECRET},
        {"", ":2jmj7l5rSw0yVb/vlWAYkK/YBwk="},
        {"u", "u:UeaYkqtJ34XGIwzMV/jh0WBsrMw="}, /* the hash of all of it */
        {"a:b:c", NULL},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct world world;
        begin(&world);
        CHECK_I64(rows[i].auth, login(&world, "digest", slice_text(rows[i].auth)), AUTH_OK);
        CHECK_U64("one more", world.who->count, 2);
        if (rows[i].id != NULL)
            CHECK_SLICE(rows[i].auth, world.who->items[1].id, slice_text(rows[i].id));
        else /* the user ends at the first colon */
            CHECK_SLICE(rows[i].auth, slice_of(world.who->items[1].id.data, 2), SLICE("a:"));
        end(&world);
    }
}

TEST(an_auth_packet_is_answered_by_its_scheme)
{
    static const struct {
        const char *scheme, *auth;
        enum auth_answer want;
    } rows[] = {
        {"digest", "u:p", AUTH_OK},
        {"digest", NULL, AUTH_FAILED},
        {"ip", "", AUTH_OK},
        {"ip", NULL, AUTH_OK},
        {"world", "anyone", AUTH_FAILED},
        {"auth", "", AUTH_FAILED},
        {"super", "", AUTH_FAILED},
        {"sasl", "", AUTH_FAILED},
        {"x509", "", AUTH_FAILED},
        {"nonsense", "", AUTH_FAILED},
        {"", "", AUTH_FAILED},
        {"ensemble", "x", AUTH_FAILED},
        {"Digest", "u:p", AUTH_FAILED},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct world world;
        begin(&world);
        struct slice auth = rows[i].auth == NULL ? SLICE_NULL : slice_text(rows[i].auth);
        CHECK_I64(rows[i].scheme, login(&world, rows[i].scheme, auth), rows[i].want);
        end(&world);
    }
    struct world world;
    begin(&world);
    CHECK_I64("null",
              acl_authenticate(&world.rules, SLICE_NULL, SLICE(""), &world.arena, &world.who),
              AUTH_FAILED);
    world.rules.digest_enabled = false;
    CHECK_I64("switched off", login(&world, "digest", SLICE("u:p")), AUTH_FAILED);
    world.rules.digest_enabled = true;
    world.rules.digest_algorithm = SLICE("NO-SUCH-HASH");
    CHECK_I64("no such hash", login(&world, "digest", SLICE("u:p")), AUTH_FAILED);
    CHECK_U64("nobody was added", world.who->count, 1);
    end(&world);
}

TEST(another_hash_makes_another_identity)
{
    struct world world;

    begin(&world);
    world.rules.digest_algorithm = SLICE("SHA-256");
    CHECK_I64("login", login(&world, "digest", SLICE("u:p")), AUTH_OK);
    CHECK_U64("u: and 44 characters", world.who->items[1].id.size, 2 + 44);
    end(&world);
}

TEST(who_knows_the_super_digest_is_super_under_any_name_beside)
{
    struct world world;

    begin(&world);
    world.rules.super_digest = slice_text(SUPER_SECRET);
    CHECK_I64("another", login(&world, "digest", SLICE("super:wrong")), AUTH_OK);
    CHECK(!identities_have_scheme(world.who, SLICE("super")));
    CHECK_I64("the one", login(&world, "digest", SLICE("super:secret")), AUTH_OK);
    CHECK(is(&world, "super", "") && is(&world, "digest", SUPER_SECRET));
    end(&world);
}

TEST(identities_add_up_without_repeating)
{
    struct world world;

    begin(&world);
    struct identities *earlier = identities_hold(world.who);
    CHECK_I64("u", login(&world, "digest", SLICE("u:p")), AUTH_OK);
    CHECK_I64("u again", login(&world, "digest", SLICE("u:p")), AUTH_OK);
    CHECK_I64("v", login(&world, "digest", SLICE("v:q")), AUTH_OK);
    CHECK_I64("ip again", login(&world, "ip", SLICE("")), AUTH_OK);
    CHECK_U64("three", world.who->count, 3);
    CHECK(is(&world, "ip", "127.0.0.1") && is(&world, "digest", U_P));
    CHECK_U64("requests taken in earlier keep what they had", earlier->count, 1);
    identities_release(earlier);
    end(&world);
}

TEST(there_is_an_end_to_identities)
{
    struct world world;
    char auth[16];

    begin(&world);
    for (int i = 1; i < IDENTITIES_MAX; i++) {
        snprintf(auth, sizeof(auth), "u%d:p", i);
        CHECK_I64(auth, login(&world, "digest", slice_text(auth)), AUTH_OK);
    }
    CHECK_I64("one too many", login(&world, "digest", SLICE("x:p")), AUTH_FAILED);
    CHECK_I64("a known one", login(&world, "digest", SLICE("u1:p")), AUTH_OK);
    CHECK_U64("count", world.who->count, IDENTITIES_MAX);
    end(&world);
}

TEST(the_ensemble_scheme_asks_for_a_name_of_ours)
{
    static const struct {
        const char *names, *asked;
        enum auth_answer want;
    } rows[] = {
        {"one,two", "two", AUTH_OK},
        {"one,two", "one", AUTH_OK},
        {"one,two", "on", AUTH_CLOSE_SILENTLY},
        {"one,two", "one,two", AUTH_CLOSE_SILENTLY},
        {"one,two", "", AUTH_OK},
        {NULL, "any", AUTH_OK},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct world world;
        begin(&world);
        world.rules.ensemble_enabled = true;
        world.rules.ensemble_names = rows[i].names == NULL ? SLICE_NULL : slice_text(rows[i].names);
        CHECK_I64(rows[i].asked, login(&world, "ensemble", slice_text(rows[i].asked)),
                  rows[i].want);
        CHECK_U64("no identity", world.who->count, 1);
        end(&world);
    }
}

/* --- checking --- */

TEST(a_list_gives_what_its_matching_entries_give)
{
    static const struct {
        const char *name, *scheme, *id;
        int32_t perms, asked;
        bool want;
    } rows[] = {
        {"world", "world", "anyone", PERM_READ, PERM_READ, true},
        {"world, another bit", "world", "anyone", PERM_READ, PERM_WRITE, false},
        {"any of two bits", "world", "anyone", PERM_ADMIN, PERM_READ | PERM_ADMIN, true},
        {"world, another id", "world", "someone", PERM_ALL, PERM_READ, false},
        {"my digest", "digest", "u:Jq7wMyA/w2Vd5WIDAKdu4OIIFEQ=", PERM_ALL, PERM_READ, true},
        {"another digest", "digest", "u:x", PERM_ALL, PERM_READ, false},
        {"my address", "ip", "127.0.0.1", PERM_ALL, PERM_READ, true},
        {"my network", "ip", "127.0.0.0/8", PERM_ALL, PERM_READ, true},
        {"another network", "ip", "10.0.0.0/8", PERM_ALL, PERM_READ, false},
        {"a scheme nobody has", "sasl", "u", PERM_ALL, PERM_READ, false},
        {"all bits set", "world", "anyone", -1, PERM_ADMIN, true},
        {"no bits set", "world", "anyone", 0, PERM_READ, false},
        {"foreign bits only", "world", "anyone", 0x7fffffe0, PERM_ALL, false},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct world world;
        begin(&world);
        CHECK_I64("login", login(&world, "digest", SLICE("u:p")), AUTH_OK);
        struct jute_vector acl =
            one_acl(slice_text(rows[i].scheme), slice_text(rows[i].id), rows[i].perms);
        CHECK_I64(rows[i].name, acl_allows(&world.rules, acl, rows[i].asked, world.who),
                  rows[i].want);
        world.rules.skip_acl = true;
        CHECK_I64("skipACL", acl_allows(&world.rules, acl, rows[i].asked, world.who), true);
        end(&world);
    }
}

TEST(super_may_do_everything_and_an_empty_list_refuses_nobody)
{
    struct world world;
    struct jute_vector nobody = one_acl(SLICE("world"), SLICE("anyone"), 0);

    begin(&world);
    CHECK(acl_allows(&world.rules, (struct jute_vector){SLICE(""), 0}, PERM_ALL, world.who));
    CHECK(acl_allows(&world.rules, (struct jute_vector){SLICE_NULL, -1}, PERM_ALL, world.who));
    CHECK(!acl_allows(&world.rules, nobody, PERM_ALL, world.who));
    world.rules.super_digest = slice_text(SUPER_SECRET);
    CHECK_I64("login", login(&world, "digest", SLICE("super:secret")), AUTH_OK);
    CHECK(acl_allows(&world.rules, nobody, PERM_ALL, world.who));
    end(&world);
}

TEST(a_digest_that_is_switched_off_matches_nothing)
{
    struct world world;

    begin(&world);
    CHECK_I64("login", login(&world, "digest", SLICE("u:p")), AUTH_OK);
    struct jute_vector mine = one_acl(SLICE("digest"), slice_text(U_P), PERM_ALL);
    CHECK(acl_allows(&world.rules, mine, PERM_READ, world.who));
    world.rules.digest_enabled = false;
    CHECK(!acl_allows(&world.rules, mine, PERM_READ, world.who));
    end(&world);
}

/* --- fixing up --- */

struct entry {
    const char *scheme, *id;
    int32_t perms;
};

static struct jute_vector list_of(struct buffer *bytes, const struct entry *entries, size_t count)
{
    bytes->size = 0;
    for (size_t i = 0; i < count; i++) {
        struct jute_acl acl = {entries[i].scheme ? slice_text(entries[i].scheme) : SLICE_NULL,
                               entries[i].id ? slice_text(entries[i].id) : SLICE_NULL,
                               entries[i].perms};
        jute_put_acl(bytes, &acl);
    }
    buffer_reserve(bytes, 1);
    return (struct jute_vector){slice_of(bytes->data, bytes->size), (int32_t)count};
}

enum { ENTRIES_MAX = 4 };

TEST(a_list_is_stored_as_the_real_server_stores_it)
{
    static const struct {
        const char *name;
        struct entry given[ENTRIES_MAX];
        size_t given_count;
        enum zk_error err;
        struct entry stored[ENTRIES_MAX];
        size_t stored_count;
    } rows[] = {
        {"empty", {{0}}, 0, ZK_INVALID_ACL, {{0}}, 0},
        {"open", {{"world", "anyone", 31}}, 1, ZK_OK, {{"world", "anyone", 31}}, 1},
        {"any perms", {{"world", "anyone", -1}}, 1, ZK_OK, {{"world", "anyone", -1}}, 1},
        {"no perms", {{"world", "anyone", 0}}, 1, ZK_OK, {{"world", "anyone", 0}}, 1},
        {"world for others", {{"world", "other", 1}}, 1, ZK_INVALID_ACL, {{0}}, 0},
        {"world null", {{"world", NULL, 1}}, 1, ZK_MARSHALLING_ERROR, {{0}}, 0},
        {"scheme null", {{NULL, "anyone", 1}}, 1, ZK_INVALID_ACL, {{0}}, 0},
        {"both null", {{NULL, NULL, 1}}, 1, ZK_INVALID_ACL, {{0}}, 0},
        {"unknown", {{"foo", "bar", 1}}, 1, ZK_INVALID_ACL, {{0}}, 0},
        {"unknown null", {{"foo", NULL, 1}}, 1, ZK_INVALID_ACL, {{0}}, 0},
        {"super", {{"super", "", 1}}, 1, ZK_INVALID_ACL, {{0}}, 0},
        {"ensemble", {{"ensemble", "e", 1}}, 1, ZK_INVALID_ACL, {{0}}, 0},
        {"digest", {{"digest", "a:b", 1}}, 1, ZK_OK, {{"digest", "a:b", 1}}, 1},
        {"digest :b", {{"digest", ":b", 1}}, 1, ZK_OK, {{"digest", ":b", 1}}, 1},
        {"digest a:b:", {{"digest", "a:b:", 1}}, 1, ZK_OK, {{"digest", "a:b:", 1}}, 1},
        {"digest abc", {{"digest", "abc", 1}}, 1, ZK_INVALID_ACL, {{0}}, 0},
        {"digest a:", {{"digest", "a:", 1}}, 1, ZK_INVALID_ACL, {{0}}, 0},
        {"digest :", {{"digest", ":", 1}}, 1, ZK_INVALID_ACL, {{0}}, 0},
        {"digest empty", {{"digest", "", 1}}, 1, ZK_INVALID_ACL, {{0}}, 0},
        {"digest a:b:c", {{"digest", "a:b:c", 1}}, 1, ZK_INVALID_ACL, {{0}}, 0},
        {"digest null", {{"digest", NULL, 1}}, 1, ZK_MARSHALLING_ERROR, {{0}}, 0},
        {"ip", {{"ip", "127.0.0.0/8", 1}}, 1, ZK_OK, {{"ip", "127.0.0.0/8", 1}}, 1},
        {"ip foo", {{"ip", "foo", 1}}, 1, ZK_INVALID_ACL, {{0}}, 0},
        {"ip null", {{"ip", NULL, 1}}, 1, ZK_MARSHALLING_ERROR, {{0}}, 0},
        {"auth", {{"auth", "ignored", 5}}, 1, ZK_OK, {{"digest", "U_P", 5}}, 1},
        {"auth null", {{"auth", NULL, 5}}, 1, ZK_OK, {{"digest", "U_P", 5}}, 1},
        {"order and duplicates",
         {{"ip", "::1", 1}, {"world", "anyone", 31}, {"ip", "::1", 1}, {"ip", "::1", 2}},
         4,
         ZK_OK,
         {{"ip", "::1", 1}, {"world", "anyone", 31}, {"ip", "::1", 2}},
         3},
        {"auth in place",
         {{"ip", "::1", 1}, {"auth", "", 3}, {"world", "anyone", 1}},
         3,
         ZK_OK,
         {{"ip", "::1", 1}, {"digest", "U_P", 3}, {"world", "anyone", 1}},
         3},
        {"the first wrong one decides",
         {{"foo", "x", 1}, {"world", NULL, 1}},
         2,
         ZK_INVALID_ACL,
         {{0}},
         0},
    };
    struct buffer given_bytes = {0}, want_bytes = {0};

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct world world;
        struct entry stored[ENTRIES_MAX];
        struct jute_vector got = {SLICE_NULL, -1};
        begin(&world);
        CHECK_I64("login", login(&world, "digest", SLICE("u:p")), AUTH_OK);
        memcpy(stored, rows[i].stored, sizeof(stored));
        for (size_t j = 0; j < rows[i].stored_count; j++) {
            if (strcmp(stored[j].id, "U_P") == 0)
                stored[j].id = U_P;
        }
        struct jute_vector given = list_of(&given_bytes, rows[i].given, rows[i].given_count);
        CHECK_I64(rows[i].name, acl_fix_up(&world.rules, given, world.who, &world.arena, &got),
                  rows[i].err);
        if (rows[i].err == ZK_OK) {
            struct jute_vector want = list_of(&want_bytes, stored, rows[i].stored_count);
            CHECK_I64(rows[i].name, got.count, want.count);
            CHECK_SLICE(rows[i].name, got.bytes, want.bytes);
        }
        end(&world);
    }
    buffer_deinit(&given_bytes);
    buffer_deinit(&want_bytes);
}

TEST(a_null_list_is_invalid_and_skipping_acls_does_not_skip_that)
{
    struct world world;
    struct jute_vector got;

    begin(&world);
    world.rules.skip_acl = true;
    CHECK_I64("null",
              acl_fix_up(&world.rules, (struct jute_vector){SLICE_NULL, -1}, world.who,
                         &world.arena, &got),
              ZK_INVALID_ACL);
    CHECK_I64(
        "empty",
        acl_fix_up(&world.rules, (struct jute_vector){SLICE(""), 0}, world.who, &world.arena, &got),
        ZK_INVALID_ACL);
    end(&world);
}

TEST(auth_stands_for_every_digest_of_the_caller_and_for_nobody_without)
{
    struct world world;
    struct jute_vector got, given = one_acl(SLICE("auth"), SLICE(""), 7);

    begin(&world);
    world.rules.super_digest = slice_text(SUPER_SECRET);
    CHECK_I64("nobody", acl_fix_up(&world.rules, given, world.who, &world.arena, &got),
              ZK_INVALID_ACL);
    CHECK_I64("login", login(&world, "digest", SLICE("u:p")), AUTH_OK);
    CHECK_I64("login", login(&world, "digest", SLICE("super:secret")), AUTH_OK);
    CHECK_I64("two", acl_fix_up(&world.rules, given, world.who, &world.arena, &got), ZK_OK);
    CHECK_I64("neither ip nor super", got.count, 2);
    struct jute_acl entry;
    CHECK(jute_next_acl(&got, &entry) && slice_equal(entry.id, slice_text(U_P)));
    CHECK(jute_next_acl(&got, &entry) && slice_equal(entry.id, slice_text(SUPER_SECRET)));
    CHECK_I64("with the entry's permissions", entry.perms, 7);
    end(&world);
}

TEST(a_digest_that_is_switched_off_is_no_scheme)
{
    struct world world;
    struct jute_vector got;

    begin(&world);
    CHECK_I64("login", login(&world, "digest", SLICE("u:p")), AUTH_OK);
    world.rules.digest_enabled = false;
    CHECK_I64("digest",
              acl_fix_up(&world.rules, one_acl(SLICE("digest"), SLICE("a:b"), 1), world.who,
                         &world.arena, &got),
              ZK_INVALID_ACL);
    CHECK_I64("auth",
              acl_fix_up(&world.rules, one_acl(SLICE("auth"), SLICE(""), 1), world.who,
                         &world.arena, &got),
              ZK_INVALID_ACL);
    end(&world);
}

TEST(a_list_that_grows_too_long_is_refused)
{
    struct world world;
    struct buffer bytes = {0};
    struct jute_vector got;
    char auth[64];
    int32_t count = 0;

    begin(&world);
    for (int i = 0; i < 60; i++) {
        snprintf(auth, sizeof(auth), "somebody-with-a-long-name-%d:p", i);
        CHECK_I64(auth, login(&world, "digest", slice_text(auth)), AUTH_OK);
    }
    for (int32_t perms = 0; perms < 2000; perms++, count++)
        jute_put_acl(&bytes, &(struct jute_acl){SLICE("auth"), SLICE(""), perms});
    CHECK_I64("60 x 2000",
              acl_fix_up(&world.rules, (struct jute_vector){buffer_slice(&bytes), count}, world.who,
                         &world.arena, &got),
              ZK_INVALID_ACL);
    buffer_deinit(&bytes);
    end(&world);
}

TEST(a_long_list_takes_no_longer_than_its_length)
{
    struct world world;
    struct buffer bytes = {0};
    struct jute_vector got;
    int32_t count = 0;

    /* Each compared with each, 20 such lists took a minute and a half. */
    begin(&world);
    for (; bytes.size < 500 * 1024; count++)
        jute_put_acl(&bytes, &(struct jute_acl){SLICE("world"), SLICE("anyone"), count});
    buffer_reserve(&bytes, bytes.size);
    memcpy(bytes.data + bytes.size, bytes.data, bytes.size); /* and every one of them again */
    for (int i = 0; i < 20; i++) {
        struct jute_vector twice = {slice_of(bytes.data, 2 * bytes.size), 2 * count};
        CHECK_I64("fix up", acl_fix_up(&world.rules, twice, world.who, &world.arena, &got), ZK_OK);
        CHECK_SLICE("each once", got.bytes, buffer_slice(&bytes));
        arena_reset(&world.arena);
    }
    buffer_deinit(&bytes);
    end(&world);
}

/* --- showing --- */

TEST(who_may_not_administer_sees_digests_behind_the_name_hidden)
{
    static const struct entry given[] = {{"digest", "u:Jq7wMyA", 31},
                                         {"ip", "1:2:3:4:5:6:7:8", 1},
                                         {"digest", "no-colon", 2},
                                         {"digest", ":b", 3}};
    static const struct entry want[] = {{"digest", "u:x", 31},
                                        {"ip", "1:2:3:4:5:6:7:8", 1},
                                        {"digest", "no-colon", 2},
                                        {"digest", ":x", 3}};
    struct buffer given_bytes = {0}, want_bytes = {0}, got = {0}, whole = {0};

    acl_write_masked(&got, list_of(&given_bytes, given, ARRAY_LEN(given)));
    jute_put_vector(&whole, list_of(&want_bytes, want, ARRAY_LEN(want)));
    CHECK_SLICE("masked", buffer_slice(&got), buffer_slice(&whole));
    buffer_deinit(&given_bytes);
    buffer_deinit(&want_bytes);
    buffer_deinit(&got);
    buffer_deinit(&whole);
}

TEST(whoami_names_the_user_of_a_digest_and_the_id_of_others)
{
    static const struct {
        struct identity who;
        struct slice want;
    } rows[] = {
        {{SLICE("digest"), SLICE("u:hash")}, SLICE("u")},
        {{SLICE("digest"), SLICE(":hash")}, SLICE("")},
        {{SLICE("ip"), SLICE("0:0:0:0:0:0:0:1")}, SLICE("0:0:0:0:0:0:0:1")},
        {{SLICE("super"), SLICE("")}, SLICE("")},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct slice got = identity_user(&rows[i].who);
        CHECK(slice_equal(got, rows[i].want));
    }
}
