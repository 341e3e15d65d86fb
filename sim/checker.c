/* checker.c: what each server has on its disk, has promised and shows, held against the chain of all
 * transactions. What is on a disk is what the disk's thread has reported, never what the server says. */
#include "sim/checker.h"

#include "base/array.h"
#include "sim/chain.h"

#include <inttypes.h>

enum { EPOCHS_MAX = 4096 };

struct on_node { /* what the checker knows of a server's files */
    int64_t last_zxid, durable_zxid;
    int64_t acked_zxid; /* it had this on disk when it said so */
    bool installing;    /* a leader's state, and until it is complete the old one may come back */
    int64_t before_install_zxid;
    int64_t accepted_epoch, current_epoch;
    int64_t served_epoch;
    bool quarantined;  /* what it has on disk counts nowhere */
    int64_t lost_zxid; /* quarantined: acked_zxid before its disk rotted */
    bool read_only;
};

struct checker {
    struct world *world;
    struct chain *chain; /* the world's */
    struct on_node nodes[WORLD_NODES_MAX];
    int leaders[EPOCHS_MAX]; /* by epoch: index + 1; 0: none yet */
};

struct checker *checker_new(struct world *world)
{
    struct checker *checker = mem_zalloc(sizeof(*checker));

    checker->world = world;
    checker->chain = world->chain;
    for (int i = 0; i < WORLD_NODES_MAX; i++)
        checker->nodes[i].accepted_epoch = checker->nodes[i].current_epoch =
            checker->nodes[i].served_epoch = -1;
    return checker;
}

void checker_free(struct checker *checker)
{
    mem_free(checker);
}

static struct on_node *on(struct checker *checker, const struct node *node)
{
    return &checker->nodes[node->options.index];
}

/* --- logs --- */

/* Zxids of an epoch follow each other without a gap, and an epoch begins with the first one. (Guests of a story
 * may do as they like, and one deliberate bug lets epochs begin late.) */
static void check_next(struct checker *checker, const struct node *node, int64_t before,
                       int64_t zxid)
{
    const struct world *world = checker->world;
    bool begins = zxid_epoch(zxid) > zxid_epoch(before) &&
                  (zxid_counter(zxid) == 1 || world->run->mutant == MUTANT_LATE_COUNTERS ||
                   world->run->mutant == MUTANT_ROLLOVER_WRAP);

    if (zxid != before + 1 && !begins && (world->hand == NULL || world->hand->guests == 0))
        world_fail(checker->world, node, "it logs %" PRIx64 " behind %" PRIx64 ": there is a gap",
                   (uint64_t)zxid, (uint64_t)before);
}

static bool is_unlogged(const struct checker *checker, const struct node *node)
{
    return node->options.unlogged_observer && node->options.index >= checker->world->options.nodes;
}

/* A read-only server shows what is in its log, all of it, and nothing else. (Who writes no log shows what it has
 * heard.) */
static void check_read_only(struct checker *checker, struct node *node,
                            const struct ensemble_info *info)
{
    struct on_node *at = on(checker, node);
    int64_t zxid = tree_last_zxid(replica_tree(node->replica));

    if (info->read_only && !at->read_only)
        world_note(checker->world, node, "it is read-only, zxid=%" PRIx64, (uint64_t)zxid);
    at->read_only = info->read_only;
    if (!info->read_only)
        return;
    if (info->serves || info->state != PEER_LOOKING || at->quarantined)
        world_fail(checker->world, node, "it is read-only, and %s",
                   at->quarantined ? "in quarantine" : "has a role");
    if (zxid != at->last_zxid && !is_unlogged(checker, node))
        world_fail(checker->world, node, "it shows %" PRIx64 ", and its log ends with %" PRIx64,
                   (uint64_t)zxid, (uint64_t)at->last_zxid);
}

void checker_append(struct checker *checker, struct node *node, const struct txnlog_append *append)
{
    struct on_node *at = on(checker, node);
    struct ensemble_info info;
    int64_t before = at->last_zxid;

    /* A server that the story plays has no replica. */
    if (node->replica != NULL && replica_ensemble(node->replica, &info) &&
        (info.read_only || (info.serves && is_unlogged(checker, node))))
        world_fail(checker->world, node, "it is %s, and logs %" PRIx64,
                   info.read_only ? "read-only" : "to write no log", (uint64_t)append->zxid);
    at->last_zxid = append->zxid;
    check_next(checker, node, before, append->zxid);
    chain_add(checker->chain, node, before, append);
}

void checker_durable(struct checker *checker, struct node *node, int64_t zxid)
{
    on(checker, node)->durable_zxid = zxid;
}

void checker_stored(struct checker *checker, struct node *node, const struct store_work *work,
                    enum status status)
{
    struct on_node *at = on(checker, node);

    if (status != STATUS_OK)
        return;
    switch (work->kind) {
    case STORE_WRITE_EPOCHS:
        if (node->accepted_epoch < at->accepted_epoch || node->current_epoch < at->current_epoch)
            world_fail(checker->world, node, "its epochs go back");
        at->accepted_epoch = node->accepted_epoch;
        at->current_epoch = node->current_epoch;
        if (work->current_epoch != EPOCH_NONE)
            at->installing = false;
        if (work->ends_quarantine)
            at->quarantined = false;
        return;
    case STORE_TRUNCATE:
        if (!chain_holds(checker->chain, at->last_zxid, work->zxid))
            world_fail(checker->world, node, "it was cut to %" PRIx64 ", which it did not have",
                       (uint64_t)work->zxid);
        break;
    case STORE_RELOAD:
        at->installing = false;
        break;
    case STORE_RESTART_LOG:
        if (!at->installing)
            at->before_install_zxid = at->durable_zxid;
        at->installing = true;
        break;
    }
    if (work->kind == STORE_TRUNCATE && node->durable_zxid != work->zxid)
        world_fail(checker->world, node, "it was cut to %" PRIx64 " and ends with %" PRIx64,
                   (uint64_t)work->zxid, (uint64_t)node->durable_zxid);
    at->last_zxid = at->durable_zxid = node->durable_zxid;
    if (at->acked_zxid > at->durable_zxid)
        at->acked_zxid = at->durable_zxid;
}

void checker_booted(struct checker *checker, struct node *node)
{
    struct on_node *at = on(checker, node);
    int64_t zxid = node->durable_zxid;
    bool cut = node->interrupted && node->work.kind == STORE_TRUNCATE && zxid == node->work.zxid;

    if (node->quarantined)
        cut = true; /* it has lost something, and says so */
    else if (at->quarantined && !(node->interrupted && node->work.ends_quarantine))
        world_fail(checker->world, node, "it forgot that it was in quarantine");
    if (node->quarantined && !at->quarantined)
        at->lost_zxid = at->acked_zxid;
    at->quarantined = node->quarantined;
    if ((node->accepted_epoch < at->accepted_epoch || node->current_epoch < at->current_epoch) &&
        !(node->quarantined && node->promises_lost))
        world_fail(checker->world, node, "it forgot an epoch that it had written");
    if (node->current_epoch > node->accepted_epoch || zxid_epoch(zxid) > node->accepted_epoch)
        world_fail(checker->world, node, "its epochs do not fit its log");
    if (!cut && !chain_holds(checker->chain, zxid, at->durable_zxid) &&
        !(at->installing && chain_holds(checker->chain, zxid, at->before_install_zxid)))
        world_fail(checker->world, node, "it had %" PRIx64 " on disk and starts with %" PRIx64,
                   (uint64_t)at->durable_zxid, (uint64_t)zxid);
    at->installing = false;
    at->accepted_epoch = node->accepted_epoch;
    at->current_epoch = node->current_epoch;
    at->last_zxid = at->durable_zxid = zxid;
}

void checker_acks(struct checker *checker, struct node *node, int64_t zxid)
{
    struct on_node *at = on(checker, node);

    if (zxid_counter(zxid) == 0 && at->current_epoch < zxid_epoch(zxid) &&
        !is_unlogged(checker, node))
        world_fail(checker->world, node, "it acknowledges epoch %" PRId64 " and has not written it",
                   zxid_epoch(zxid));
    if (zxid_counter(zxid) != 0 && at->quarantined)
        world_fail(checker->world, node, "it acknowledges %" PRIx64 " and is in quarantine",
                   (uint64_t)zxid);
    if (zxid_counter(zxid) != 0 && at->durable_zxid < zxid)
        world_fail(checker->world, node,
                   "it acknowledges %" PRIx64 ", and only %" PRIx64 " is durable", (uint64_t)zxid,
                   (uint64_t)at->durable_zxid);
    if (!at->quarantined)
        at->acked_zxid = zxid_counter(zxid) != 0 ? zxid : at->durable_zxid;
}

void checker_wiped(struct checker *checker, struct node *node)
{
    *on(checker, node) =
        (struct on_node){.accepted_epoch = -1, .current_epoch = -1, .served_epoch = -1};
}

/* --- commits --- */

struct durable_at {
    const struct checker *checker;
    int64_t zxid;
};

/* An acknowledgement that came before the disk of its sender rotted may be counted behind that: the leader
 * cannot know, and no other leader is elected with the vote of that server before it has all again. */
static bool is_durable_at(const void *context, int64_t id)
{
    const struct durable_at *question = context;

    const struct on_node *at = &question->checker->nodes[id - 1];

    return chain_holds(question->checker->chain, at->quarantined ? at->lost_zxid : at->durable_zxid,
                       question->zxid);
}

static void commit_one(struct checker *checker, struct node *node, struct chain_link *link)
{
    struct durable_at question = {.checker = checker, .zxid = link->zxid};

    checker->world->verdict.commits++;
    bool alone = node_was_granted_since(node, checker->world->events.now_us) &&
                 is_durable_at(&question, node->options.id);
    if (!alone && !membership_quorum(checker->world->membership, is_durable_at, &question))
        world_fail(checker->world, node, "it commits %" PRIx64 ", which no quorum has on disk",
                   (uint64_t)link->zxid);
    chain_commit(checker->chain, link);
}

static void commit_up_to(struct checker *checker, struct node *node, int64_t zxid)
{
    struct chain_link *links[4096]; /* the last one first */
    int64_t committed_zxid = chain_committed_zxid(checker->chain);
    size_t count = 0;

    for (int64_t at = zxid; at != committed_zxid;) {
        struct chain_link *link = chain_at(checker->chain, at);
        if (link == NULL || at < committed_zxid || count == ARRAY_LEN(links)) {
            world_fail(checker->world, node,
                       "it commits %" PRIx64 " without %" PRIx64 ", which is committed",
                       (uint64_t)zxid, (uint64_t)committed_zxid);
            return;
        }
        links[count++] = link;
        at = link->before;
    }
    while (count > 0)
        commit_one(checker, node, links[--count]);
}

void checker_commits(struct checker *checker, struct node *node, int64_t zxid)
{
    const struct chain_link *link = chain_at(checker->chain, zxid);

    if (zxid > chain_committed_zxid(checker->chain))
        commit_up_to(checker, node, zxid);
    else if (link == NULL || !link->committed)
        world_fail(checker->world, node,
                   "it commits %" PRIx64 ", and behind it %" PRIx64 " is committed", (uint64_t)zxid,
                   (uint64_t)chain_committed_zxid(checker->chain));
}

static void check_epoch(struct checker *checker, struct node *node,
                        const struct ensemble_info *info)
{
    struct on_node *at = on(checker, node);

    if (at->served_epoch == info->epoch)
        return;
    at->served_epoch = info->epoch;
    world_note(checker->world, node, "%s of epoch %" PRId64 " serves, zxid=%" PRIx64,
               peer_state_name(info->state), info->epoch,
               (uint64_t)tree_last_zxid(replica_tree(node->replica)));
    if (info->state != PEER_LEADING)
        return;
    checker->world->verdict.elections++;
    int *leader = &checker->leaders[info->epoch % EPOCHS_MAX];
    if (*leader != 0 && *leader != node->options.index + 1)
        world_fail(checker->world, node, "it leads epoch %" PRId64 ", which server %d has led",
                   info->epoch, *leader);
    *leader = node->options.index + 1;
}

/* A server that leads writes snapshots only of what is agreed upon. (A learner must write the one that its
 * leader sent, which a quorum agrees to only then.) */
static void check_image(struct checker *checker, struct node *node)
{
    struct ensemble_info info;

    if (!node->image_running || !replica_ensemble(node->replica, &info) ||
        info.state != PEER_LEADING)
        return;
    int64_t zxid = replica_snapshot_zxid(node->replica);
    const struct chain_link *link = chain_at(checker->chain, zxid);
    if (link != NULL && !link->committed)
        world_fail(checker->world, node,
                   "it leads and writes a snapshot of %" PRIx64 ", which is not committed",
                   (uint64_t)zxid);
}

void checker_turned(struct checker *checker, struct node *node)
{
    struct ensemble_info info;
    const struct tree *tree = replica_tree(node->replica);
    int64_t zxid = tree_last_zxid(tree);

    if (replica_ensemble(node->replica, &info))
        check_read_only(checker, node, &info);
    if (!replica_ensemble(node->replica, &info) || !info.serves) {
        check_image(checker, node);
        on(checker, node)->served_epoch = -1;
        return;
    }
    if (on(checker, node)->quarantined)
        world_fail(checker->world, node, "it serves in quarantine");
    check_epoch(checker, node, &info);
    if (info.state == PEER_LEADING && zxid > chain_committed_zxid(checker->chain))
        commit_up_to(checker, node, zxid);
    check_image(checker, node);
    struct chain_link *link = chain_at(checker->chain, zxid);
    if (link == NULL)
        return;
    if (!link->committed) {
        world_fail(checker->world, node, "it has applied %" PRIx64 ", which is not committed",
                   (uint64_t)zxid);
        return;
    }
    if (replica_half_applied(node->replica))
        return;
    if (link->has_digest && link->digest != tree_digest(tree))
        world_fail(checker->world, node, "its tree of %" PRIx64 " is another one than elsewhere",
                   (uint64_t)zxid);
    link->has_digest = true;
    link->digest = tree_digest(tree);
}

/* --- looking in --- */

bool checker_has_all(const struct checker *checker, const struct node *node)
{
    const struct on_node *at = &checker->nodes[node->options.index];

    return !at->installing &&
           chain_holds(checker->chain, at->durable_zxid, chain_committed_zxid(checker->chain));
}

bool checker_is_even(const struct checker *checker)
{
    const struct world *world = checker->world;

    for (int i = 0; i < world->node_count; i++) {
        const struct node *node = &world->nodes[i];
        if (node->up &&
            tree_last_zxid(replica_tree(node->replica)) != chain_committed_zxid(checker->chain))
            return false;
    }
    return true;
}

void checker_compare_all(struct checker *checker)
{
    struct world *world = checker->world;

    for (int i = 0; i < world->node_count; i++) {
        struct node *node = &world->nodes[i];
        struct ensemble_info info;
        if (!node->up || !replica_ensemble(node->replica, &info) || !info.serves) {
            world_fail(world, node, "it does not serve although all is healed");
            return;
        }
        int64_t zxid = tree_last_zxid(replica_tree(node->replica));
        if (zxid != chain_committed_zxid(checker->chain))
            world_fail(world, node, "it is at %" PRIx64 ", and %" PRIx64 " is committed",
                       (uint64_t)zxid, (uint64_t)chain_committed_zxid(checker->chain));
        chain_compare(world->chain, node, replica_tree(node->replica));
    }
}
