/* Which writes a server of an ensemble refuses by its own tree (enableEagerACLCheck), and which it leaves to the
 * leader. The znodes: /open, and /shut, where the client may do nothing. */
#include "replica/clients/client.h"
#include "test/lib/check.h"
#include "test/lib/requests.h"

enum { TEXT_BYTES_MAX = 1 << 20 };

static struct step step;
static struct acl_rules rules;
static struct tree *tree;
static struct proposals *proposals;
static struct clients *clients;
static struct client *client;

static void make(const char *path, struct jute_vector acl)
{
    uint32_t id;

    CHECK(tree_create(tree, &(struct tree_create){.path = slice_text(path), .acl = acl}, &id) ==
          ZK_OK);
}

static struct jute_vector nobody(void)
{
    return one_acl(SLICE("ip"), SLICE("10.9.9.9"), PERM_ALL);
}

static void begin(bool enabled, bool ensemble)
{
    struct proposals_options options = {.rules = {.text_bytes_max = TEXT_BYTES_MAX},
                                        .sessions = {.tick_ms = 1000, .server_id = 1},
                                        .snapshots = {.snap_count = 1000},
                                        .ensemble = ensemble};

    arena_init(&step.arena);
    rules = (struct acl_rules){.digest_enabled = true, .digest_algorithm = SLICE("SHA1")};
    tree = tree_new(&(struct tree_options){.digest_enabled = true});
    make("/open", OPEN_ACL);
    make("/shut", nobody());
    proposals = proposals_new(&options, tree, &step);
    clients = clients_new(
        &(struct clients_options){.text_bytes_max = TEXT_BYTES_MAX, .eager_acl_check = enabled},
        proposals, tree, &rules, &step);
    client = client_add(clients, 0, SLICE("10.0.0.1"));
}

static void end(void)
{
    clients_free(clients);
    proposals_free(proposals);
    tree_free(tree);
    arena_deinit(&step.arena);
    metrics_deinit(&step.metrics);
}

enum write { CREATE, CREATE2, CREATE_CONTAINER, DELETE, SET_DATA, SET_ACL, CHECK_VERSION };

static enum zk_error ask_with(enum write write, const char *path, struct jute_vector acl)
{
    static const int32_t types[] = {
        OP_CREATE, OP_CREATE2, OP_CREATE_CONTAINER, OP_DELETE, OP_SET_DATA, OP_SET_ACL, OP_CHECK};
    struct buffer body = {0};

    if (write == CREATE || write == CREATE2 || write == CREATE_CONTAINER)
        put_create_acl(&body, path, acl, 0);
    else if (write == DELETE || write == CHECK_VERSION)
        put_path_version(&body, path, -1);
    else if (write == SET_DATA)
        put_set_data(&body, path, SLICE("x"), -1);
    else
        put_set_acl(&body, path, acl, -1);
    enum zk_error err = eager_check(clients, client, types[write], buffer_slice(&body));
    buffer_deinit(&body);
    return err;
}

static enum zk_error ask(enum write write, const char *path)
{
    return ask_with(write, path, OPEN_ACL);
}

TEST(what_the_acl_of_the_znode_or_of_its_parent_forbids_is_refused)
{
    begin(true, true);
    CHECK_I64("create", ask(CREATE, "/shut/a"), ZK_NO_AUTH);
    CHECK_I64("create2", ask(CREATE2, "/shut/a"), ZK_NO_AUTH);
    CHECK_I64("delete", ask(DELETE, "/shut/a"), ZK_NO_AUTH); /* it need not be there */
    CHECK_I64("setData", ask(SET_DATA, "/shut"), ZK_NO_AUTH);
    CHECK_I64("setACL", ask(SET_ACL, "/shut"), ZK_NO_AUTH);
    end();
}

TEST(what_is_allowed_or_not_there_is_left_to_the_leader)
{
    begin(true, true);
    CHECK_I64("create", ask(CREATE, "/open/a"), ZK_OK);
    CHECK_I64("delete: the ACL of the parent counts", ask(DELETE, "/shut"), ZK_OK);
    CHECK_I64("setData", ask(SET_DATA, "/open"), ZK_OK);
    CHECK_I64("no node", ask(SET_DATA, "/away"), ZK_OK);
    CHECK_I64("no parent", ask(CREATE, "/away/a"), ZK_OK);
    CHECK_I64("no slash", ask(CREATE, "a"), ZK_OK);
    CHECK_I64("special", ask(DELETE, "/zookeeper"), ZK_OK);
    end();
}

TEST(a_permission_of_another_kind_does_not_help)
{
    begin(true, true);
    make("/write-only", one_acl(SLICE("world"), SLICE("anyone"), PERM_WRITE));
    CHECK_I64("setData", ask(SET_DATA, "/write-only"), ZK_OK);
    CHECK_I64("setACL", ask(SET_ACL, "/write-only"), ZK_NO_AUTH);
    CHECK_I64("create", ask(CREATE, "/write-only/a"), ZK_NO_AUTH);
    CHECK_I64("delete", ask(DELETE, "/write-only/a"), ZK_NO_AUTH);
    end();
}

TEST(containers_multis_and_checks_are_left_to_the_leader)
{
    struct buffer body = {0};

    begin(true, true);
    CHECK_I64("container", ask(CREATE_CONTAINER, "/shut/a"), ZK_OK);
    CHECK_I64("check", ask(CHECK_VERSION, "/shut"), ZK_OK);
    put_multi_op(&body, OP_SET_DATA);
    put_set_data(&body, "/shut", SLICE("x"), -1);
    put_multi_end(&body);
    CHECK_I64("multi", eager_check(clients, client, OP_MULTI, buffer_slice(&body)), ZK_OK);
    buffer_deinit(&body);
    end();
}

TEST(an_acl_that_is_not_valid_is_refused_before_the_tree_is_looked_at)
{
    begin(true, true);
    struct jute_vector bad = one_acl(SLICE("auth"), SLICE(""), PERM_ALL);
    CHECK_I64("create", ask_with(CREATE, "/away/a", bad), ZK_INVALID_ACL);
    CHECK_I64("setACL", ask_with(SET_ACL, "/shut", bad), ZK_INVALID_ACL);
    CHECK_I64("behind a wrong path", ask_with(CREATE, "a", bad), ZK_OK);
    end();
}

TEST(a_body_that_does_not_decode_is_left_to_the_leader)
{
    begin(true, true);
    CHECK_I64("short", eager_check(clients, client, OP_SET_DATA, SLICE("abc")), ZK_OK);
    end();
}

TEST(a_client_that_waits_for_answers_is_not_looked_at)
{
    begin(true, true);
    client->writes_proposed++; /* perhaps it is a setACL */
    CHECK_I64("behind a write", ask(SET_DATA, "/shut"), ZK_OK);
    client->writes_applied++;
    CHECK_I64("answered", ask(SET_DATA, "/shut"), ZK_NO_AUTH);
    clients->tree_half_changed = true;
    CHECK_I64("in the midst of a transaction", ask(SET_DATA, "/shut"), ZK_OK);
    end();
}

TEST(nothing_is_refused_where_it_is_not_enabled_or_the_server_is_alone)
{
    begin(false, true);
    CHECK_I64("not enabled", ask(SET_DATA, "/shut"), ZK_OK);
    end();
    begin(true, false);
    CHECK_I64("alone", ask(SET_DATA, "/shut"), ZK_OK);
    end();
}
