/* Every archive of a real server's data directory gives what that server showed of it. Where the
 * server refuses and we do not, or the other way, the row says why. */
#include "replica/store/recovery.h"
#include "sim/disk.h"
#include "test/lib/check.h"
#include "test/lib/json.h"
#include "test/lib/unpack.h"
#include "wire/records.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static struct json *expected(const char *name)
{
    char path[256];

    (void)snprintf(path, sizeof(path), "test/golden/storage/%s.expected.json", name);
    return json_read(path);
}

static struct recovery_options default_options(void)
{
    return (struct recovery_options){
        .tree = {.hash_seed = 7, .extended_types = true, .digest_enabled = true},
        .db_autocreate = true,
        .last_zxid_section = true};
}

static const char *last_note(const struct recovery *recovery)
{
    return recovery->notes.count == 0 ? "" : recovery->notes.notes[recovery->notes.count - 1].text;
}

static bool noted(const struct recovery *recovery, const char *part)
{
    for (size_t i = 0; i < recovery->notes.count; i++) {
        if (strstr(recovery->notes.notes[i].text, part) != NULL)
            return true;
    }
    return false;
}

static void check_stat(const char *path, const struct json *want, const struct zk_stat *stat)
{
    const struct {
        const char *name;
        int64_t got;
    } fields[] = {{"czxid", stat->czxid},
                  {"mzxid", stat->mzxid},
                  {"pzxid", stat->pzxid},
                  {"ctime", stat->ctime},
                  {"mtime", stat->mtime},
                  {"version", stat->version},
                  {"cversion", stat->cversion},
                  {"aversion", stat->aversion},
                  {"ephemeralOwner", stat->ephemeral_owner},
                  {"dataLength", stat->data_length},
                  {"numChildren", stat->num_children}};
    char name[512];

    CHECK_U64(path, json_count(want), ARRAY_LEN(fields));
    for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
        (void)snprintf(name, sizeof(name), "%s of %s", fields[i].name, path);
        CHECK_I64(name, fields[i].got, json_get(want, fields[i].name)->number);
    }
}

static void check_acl(const char *path, const struct json *want, struct jute_vector acl)
{
    struct jute_acl entry;

    CHECK_U64(path, (uint64_t)acl.count, json_count(want));
    for (const struct json *wanted = want->first; wanted != NULL; wanted = wanted->next) {
        CHECK(jute_next_acl(&acl, &entry));
        CHECK_I64(path, entry.perms, json_get(wanted, "perms")->number);
        CHECK_SLICE(path, entry.scheme, slice_text(json_get(wanted, "scheme")->text));
        CHECK_SLICE(path, entry.id, slice_text(json_get(wanted, "id")->text));
    }
}

static void check_node(const struct tree *tree, const struct json *want)
{
    const char *path = want->key;
    struct zk_stat stat;

    uint32_t id = tree_find(tree, slice_text(path));
    if (id == NODE_NONE)
        check_failed(__FILE__, __LINE__, "%s is not there", path);
    const struct znode *node = tree_node(tree, id);
    struct slice data = json_base64(json_get(want, "data"));
    CHECK_SLICE(path, znode_data(node), data);
    CHECK((znode_data(node).data == NULL) == (data.data == NULL));
    free((void *)(uintptr_t)data.data);
    tree_stat(tree, node, &stat);
    check_stat(path, json_get(want, "stat"), &stat);
    check_acl(path, json_get(want, "acl"), tree_acl(tree, node->acl));
    const struct json *children = json_get(want, "children");
    for (const struct json *child = children->first; child != NULL; child = child->next)
        CHECK(tree_find_child(tree, id, slice_text(child->text)) != NODE_NONE);
    CHECK_U64(path, (uint64_t)stat.num_children, json_count(children));
}

/* "Sessions with Ephemerals" of the dump word: "0x<id>:" lines, "\t<path>" lines below them. */
static void check_ephemerals(const struct tree *tree, const char *dump)
{
    const char *at = strstr(dump, "Sessions with Ephemerals");
    int64_t session = 0;
    uint32_t count = 0;

    CHECK(at != NULL);
    for (at = strchr(at, '\n') + 1; strncmp(at, "Connections", 11) != 0;
         at = strchr(at, '\n') + 1) {
        if (*at != '\t') {
            session = (int64_t)strtoull(at, NULL, 16);
            CHECK(tree_session(tree, session) != NULL);
            continue;
        }
        uint32_t id = tree_find(tree, slice_of(at + 1, strcspn(at + 1, "\n")));
        CHECK(id != NODE_NONE);
        CHECK_I64("owner", tree_node(tree, id)->owner, session);
        count++;
    }
    CHECK_U64("ephemerals", tree_ephemeral_count(tree), count);
    at = strstr(dump, "\n\t0x");
    uint32_t sessions = 0;
    for (; at != NULL && at < strstr(dump, "ephemeral nodes dump"); at = strstr(at + 1, "\n\t0x"))
        sessions++;
    CHECK_U64("sessions", tree_session_count(tree), sessions);
}

static void check_tree(const struct tree *tree, const struct json *want, const char *except)
{
    const struct json *nodes = json_get(want, "nodes");

    for (const struct json *node = nodes->first; node != NULL; node = node->next) {
        if (except == NULL || strcmp(node->key, except) != 0)
            check_node(tree, node);
    }
    CHECK_U64("nodes", tree_node_count(tree), json_count(nodes));
    CHECK_I64("zxid", tree_last_zxid(tree),
              strtoll(json_get(want, "highest_zxid_at_load")->text, NULL, 16));
    CHECK_U64("digest", tree_digest(tree), (uint64_t)json_get(want, "tree_digest_at_load")->number);
    const struct json *dump = json_get(want, "dump_4lw_before_client");
    if (dump != NULL)
        check_ephemerals(tree, dump->text);
}

static void check_loads(const char *name, const char *variant, struct recovery_options options)
{
    struct sim_disk *sim = unpack(name, "data/version-2");
    struct json *json = expected(name);
    const struct json *want = variant == NULL ? json : json_get(json, variant);
    struct recovery recovery;

    enum status status = store_recover(sim_disk(sim), sim_disk(sim), &options, &recovery);
    if (status != STATUS_OK)
        check_failed(__FILE__, __LINE__, "%s: %s", name, last_note(&recovery));
    check_tree(recovery.tree, want, NULL);
    CHECK((recovery.digest_mismatches > 0) == json_get(want, "digest_mismatch_logged")->truth);
    CHECK_U64("open files", sim_disk_open_files(sim), 0);
    tree_free(recovery.tree);
    recovery_deinit(&recovery);
    json_free(json);
    sim_disk_free(sim);
}

/* `part`: what the refusal says. */
static void check_refused(const char *name, const char *part)
{
    struct sim_disk *sim = unpack(name, "data/version-2");
    struct recovery_options options = default_options();
    struct recovery recovery;
    size_t files = sim_disk_file_count(sim);

    CHECK_STATUS(store_recover(sim_disk(sim), sim_disk(sim), &options, &recovery), STATUS_CORRUPT);
    CHECK(recovery.tree == NULL);
    if (strstr(last_note(&recovery), part) == NULL)
        check_failed(__FILE__, __LINE__, "%s: the refusal says: %s", name, last_note(&recovery));
    CHECK_U64("files left as they were", sim_disk_file_count(sim), files);
    recovery_deinit(&recovery);
    sim_disk_free(sim);
}

TEST(every_directory_that_java_loads_gives_the_same_tree_here)
{
    static const char *const names[] = {"standalone-rich",
                                        "fuzzy-snapshot",
                                        "legacy-34",
                                        "log-corrupt-older-unread",
                                        "log-header-only-last",
                                        "log-torn-no-eor",
                                        "log-torn-truncated",
                                        "log-torn-zero-tail",
                                        "snap-bad-digest",
                                        "snap-complete-tmp",
                                        "snap-newest-bad-crc",
                                        "snap-newest-truncated",
                                        "snap-no-digest",
                                        "fuzzy-acl-ids",
                                        "snap-395",
                                        "snap-gz",
                                        "snap-snappy",
                                        "empty-myid-only"};

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        printf("    %s\n", names[i]);
        check_loads(names[i], NULL, default_options());
    }
}

TEST(an_empty_newest_log_is_removed_as_3_9_3_and_later_do)
{
    check_loads("log-zero-length-last", "java-3.9.5", default_options());
}

TEST(logs_without_a_snapshot_are_replayed_with_trust_empty)
{
    struct recovery_options options = default_options();

    options.trust_empty = true;
    check_loads("snap-none-with-logs-trust", NULL, options);
}

TEST(what_java_refuses_is_refused)
{
    check_refused("log-corrupt-middle", "log.12 is damaged at byte");
    check_refused("log-corrupt-older-read", "log.9 is damaged at byte");
    check_refused("snap-none-with-logs", "There is no snapshot, but there are log files");
}

TEST(a_damaged_end_of_record_byte_in_the_middle_is_refused_where_java_drops_the_rest)
{
    check_refused("log-corrupt-eor-middle", "after transaction 0x15: no end-of-record byte, with "
                                            "whole records behind it");
}

TEST(what_java_wrote_and_cannot_read_itself_loads)
{
    struct recovery_options options = default_options();
    static const struct {
        const char *name;
        int64_t zxid;
    } rows[] = {{"java-bug-closesession-body-off", 0x8}, {"java-bug-toplevel-check", 0x3}};

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct sim_disk *sim = unpack(rows[i].name, "data/version-2");
        struct recovery recovery;
        enum status status = store_recover(sim_disk(sim), sim_disk(sim), &options, &recovery);
        if (status != STATUS_OK)
            check_failed(__FILE__, __LINE__, "%s: %s", rows[i].name, last_note(&recovery));
        CHECK_I64(rows[i].name, recovery.last_zxid, rows[i].zxid);
        CHECK_U64("digests right", recovery.digest_mismatches, 0);
        CHECK(recovery.digests_checked > 0);
        tree_free(recovery.tree);
        recovery_deinit(&recovery);
        sim_disk_free(sim);
    }
}

TEST(each_server_of_an_ensemble_loads_to_the_same_tree)
{
    struct json *json = expected("ensemble-3-epochs");
    const struct json *servers = json_get(json, "per_server_standalone_load");
    struct recovery_options options = default_options();

    CHECK_U64("servers", json_count(servers), 3);
    for (const struct json *server = servers->first; server != NULL; server = server->next) {
        char directory[64];
        (void)snprintf(directory, sizeof(directory), "data/%s/version-2", server->key);
        struct sim_disk *sim = unpack("ensemble-3-epochs", directory);
        struct recovery recovery;
        enum status status = store_recover(sim_disk(sim), sim_disk(sim), &options, &recovery);
        if (status != STATUS_OK)
            check_failed(__FILE__, __LINE__, "%s: %s", server->key, last_note(&recovery));
        CHECK_I64(server->key, recovery.last_zxid,
                  strtoll(json_get(server, "highest_zxid_at_load")->text, NULL, 16));
        CHECK_U64(server->key, tree_digest(recovery.tree),
                  (uint64_t)json_get(server, "tree_digest_at_load")->number);
        CHECK_U64("digests right", recovery.digest_mismatches, 0);
        const struct json *nodes = json_get(json, "nodes");
        for (const struct json *node = nodes->first; node != NULL; node = node->next) {
            /* A running ensemble shows its own configuration there. */
            if (strcmp(node->key, "/zookeeper/config") != 0)
                check_node(recovery.tree, node);
        }
        CHECK_U64("nodes", tree_node_count(recovery.tree), json_count(nodes));
        tree_free(recovery.tree);
        recovery_deinit(&recovery);
        sim_disk_free(sim);
    }
    json_free(json);
}

TEST(the_directories_before_and_after_a_truncation_load)
{
    struct json *json = expected("sync-trunc-before-after");
    const struct json *loads = json_get(json, "standalone_load");
    struct recovery_options options = default_options();

    for (const struct json *want = loads->first; want != NULL; want = want->next) {
        char directory[64];
        (void)snprintf(directory, sizeof(directory), "data/%s/version-2", want->key);
        struct sim_disk *sim = unpack("sync-trunc-before-after", directory);
        struct recovery recovery;
        enum status status = store_recover(sim_disk(sim), sim_disk(sim), &options, &recovery);
        if (status != STATUS_OK)
            check_failed(__FILE__, __LINE__, "%s: %s", want->key, last_note(&recovery));
        check_tree(recovery.tree, want, NULL);
        tree_free(recovery.tree);
        recovery_deinit(&recovery);
        sim_disk_free(sim);
    }
    json_free(json);
}

TEST(a_torn_tail_is_cut_off_kept_and_told)
{
    struct recovery_options options = default_options();
    static const char *const names[] = {"log-torn-no-eor", "log-torn-truncated",
                                        "log-torn-zero-tail"};

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        struct sim_disk *sim = unpack(names[i], "data/version-2");
        struct recovery recovery;
        size_t before = sim_disk_bytes(sim, "log.12").size;
        CHECK_STATUS(store_recover(sim_disk(sim), sim_disk(sim), &options, &recovery), STATUS_OK);
        CHECK(noted(&recovery, "with a write that a crash had cut short"));
        size_t size = sim_disk_bytes(sim, "log.12").size;
        CHECK(size < before);
        char torn[64];
        (void)snprintf(torn, sizeof(torn), "torn.log.12.%zu", size);
        CHECK(sim_disk_bytes(sim, torn).size > 0);
        CHECK(noted(&recovery, torn));
        tree_free(recovery.tree);
        recovery_deinit(&recovery);
        /* Again: nothing more to say. */
        CHECK_STATUS(store_recover(sim_disk(sim), sim_disk(sim), &options, &recovery), STATUS_OK);
        CHECK_I64(names[i], recovery.last_zxid, 0x1a);
        CHECK(!noted(&recovery, "cut"));
        tree_free(recovery.tree);
        recovery_deinit(&recovery);
        sim_disk_free(sim);
    }
}
