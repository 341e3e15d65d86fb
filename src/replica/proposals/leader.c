/* leader.c: turns requests into transactions, one after the other, and keeps the sessions.
 *
 * Each transaction's zxid is the one before plus one. What it will change stands in `outstanding`
 * until it is applied, and the next request is checked against that. */
#include "replica/proposals/leader.h"

struct leader {
    struct leader_options options;
    struct tree *tree;
    struct outstanding *outstanding;
    struct session_table *sessions;
    struct step *step;
    int64_t last_zxid; /* of the newest transaction that was prepared */
    int64_t next_session_id;
};

/* The sessions that the tree knows go on, each with its full timeout. No id is handed out twice, even
 * when the clock went back: the next one is above all of this server's. */
static void adopt_sessions(struct leader *leader)
{
    size_t cursor = 0;
    const struct tree_session *known;

    while ((known = tree_session_next(leader->tree, &cursor)) != NULL) {
        if (known->orphan)
            continue;
        leader_session_created(leader, known->id, known->timeout_ms);
        if (((uint64_t)known->id ^ (uint64_t)leader->next_session_id) >> 56 == 0 &&
            known->id >= leader->next_session_id)
            leader->next_session_id = known->id + 1;
    }
}

/* The server's id in the top byte, below it the low bits of the time in ms, below that 16 bits to
 * count in: docs/protocol.md, "Session ids and passwords". */
static int64_t first_session_id(const struct leader_options *options)
{
    return (int64_t)((uint64_t)options->server_id << 56 |
                     ((uint64_t)options->session_seed_ms << 24 >> 8 & 0x00ffffffffffffff));
}

struct leader *leader_new(const struct leader_options *options, struct tree *tree,
                          struct step *step)
{
    struct leader *leader = mem_zalloc(sizeof(*leader));

    leader->options = *options;
    leader->tree = tree;
    leader->step = step;
    leader->outstanding = outstanding_new(tree);
    leader->sessions = session_table_new(options->tick_ms, step->now_ms);
    leader->last_zxid = tree_last_zxid(tree);
    leader->next_session_id = first_session_id(options);
    adopt_sessions(leader);
    return leader;
}

void leader_free(struct leader *leader)
{
    if (leader == NULL)
        return;
    outstanding_free(leader->outstanding);
    session_table_free(leader->sessions);
    mem_free(leader);
}

/* --- transactions --- */

static struct prepare begin_prepare(struct leader *leader, const struct leader_request *from)
{
    return (struct prepare){.tree = leader->tree,
                            .outstanding = leader->outstanding,
                            .rules = &leader->options.rules,
                            .identities = from->identities,
                            .arena = &leader->step->arena,
                            .header = {.client_id = from->session_id,
                                       .cxid = from->cxid,
                                       .zxid = leader->last_zxid + 1,
                                       .time_ms = leader->step->wall_ms}};
}

static void give_zxid(struct leader *leader, const struct txn *txn)
{
    ASSERT(txn->header.zxid == leader->last_zxid + 1);
    leader->last_zxid = txn->header.zxid;
}

enum status leader_prepare(struct leader *leader, const struct leader_request *from, int32_t op,
                           struct slice body, struct txn *ret_txn)
{
    struct write_request request;
    struct prepare prepare = begin_prepare(leader, from);
    enum status status = write_request_read(op, body, leader->options.rules.text_bytes_max,
                                            &leader->step->arena, &request);

    if (status != STATUS_OK && op != OP_MULTI)
        return status;
    if (status == STATUS_OK)
        prepare_write(&prepare, &request, ret_txn);
    else
        prepare_error(&prepare, ZK_MARSHALLING_ERROR, ret_txn);
    if (op == OP_CLOSE_SESSION) {
        struct session *session = leader_session(leader, from->session_id);
        if (session != NULL)
            session->closing = true;
    }
    give_zxid(leader, ret_txn);
    return STATUS_OK;
}

void leader_prepare_create_session(struct leader *leader, int64_t session_id, int32_t timeout_ms,
                                   struct txn *ret_txn)
{
    struct prepare prepare =
        begin_prepare(leader, &(struct leader_request){.session_id = session_id});

    prepare_create_session(&prepare, timeout_ms, ret_txn);
    give_zxid(leader, ret_txn);
}

void leader_prepare_close_session(struct leader *leader, struct session *session,
                                  struct txn *ret_txn)
{
    const struct write_request request = {.type = OP_CLOSE_SESSION,
                                          .op = {.type = OP_CLOSE_SESSION}};
    struct prepare prepare =
        begin_prepare(leader, &(struct leader_request){.session_id = session->id});

    ASSERT(!session->closing);
    session->closing = true;
    prepare_write(&prepare, &request, ret_txn);
    give_zxid(leader, ret_txn);
}

bool leader_prepare_delete_container(struct leader *leader, struct slice path, struct txn *ret_txn)
{
    struct prepare prepare = begin_prepare(leader, &(struct leader_request){0});

    if (prepare_delete_container(&prepare, path, ret_txn) != ZK_OK)
        return false;
    give_zxid(leader, ret_txn);
    return true;
}

void leader_applied(struct leader *leader, int64_t zxid)
{
    ASSERT(zxid <= leader->last_zxid);
    outstanding_applied(leader->outstanding, zxid);
}

struct outstanding *leader_outstanding(struct leader *leader)
{
    return leader->outstanding;
}

/* --- sessions --- */

int64_t leader_new_session_id(struct leader *leader)
{
    do {
        if (leader->next_session_id == 0 || leader->next_session_id == OWNER_CONTAINER_VALUE)
            leader->next_session_id++;
        leader->next_session_id++;
    } while (leader_session(leader, leader->next_session_id - 1) != NULL ||
             tree_session(leader->tree, leader->next_session_id - 1) != NULL);
    return leader->next_session_id - 1;
}

struct session *leader_session(const struct leader *leader, int64_t id)
{
    return session_table_find(leader->sessions, id);
}

struct session *leader_revalidate(struct leader *leader, int64_t id, struct slice password,
                                  int32_t timeout_ms)
{
    struct session *session = leader_session(leader, id);
    uint8_t expected[PASSWORD_BYTES];

    metrics_count(&leader->step->metrics, METRIC_REVALIDATIONS, 1);
    zk_session_password(id, expected);
    if (session == NULL || session->closing ||
        !slice_equal(password, slice_of(expected, sizeof(expected))))
        return NULL;
    session->timeout_ms = timeout_ms;
    leader_touch(leader, session);
    return session;
}

void leader_touch(struct leader *leader, struct session *session)
{
    session_table_touch(leader->sessions, session, leader->step->now_ms);
}

void leader_touch_all(struct leader *leader)
{
    session_table_touch_all(leader->sessions, leader->step->now_ms);
}

void leader_session_created(struct leader *leader, int64_t id, int32_t timeout_ms)
{
    (void)session_table_add(leader->sessions, id, timeout_ms, leader->step->now_ms);
}

void leader_session_closed(struct leader *leader, int64_t id)
{
    struct session *session = leader_session(leader, id);

    if (session != NULL)
        session_table_remove(leader->sessions, session);
}

struct session *leader_next_expired(struct leader *leader)
{
    struct session *session;

    do
        session = session_table_pop_expired(leader->sessions, leader->step->now_ms);
    while (session != NULL && session->closing);
    return session;
}

int64_t leader_next_expiry_ms(const struct leader *leader)
{
    return session_table_next_bucket_ms(leader->sessions);
}

const struct session_table *leader_sessions(const struct leader *leader)
{
    return leader->sessions;
}
