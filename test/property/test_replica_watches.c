/* Events against a naive model: a list of watches, looked through from end to end for every change.
 * One transaction is made durable at a time, so that each step has one tree. */
#include "sim/driver.h"
#include "test/lib/check.h"
#include "test/lib/replica_rig.h"
#include "test/lib/requests.h"

#include "replica/acl/acl.h"
#include "replica/replica.h"
#include "replica/txn/txn.h"
#include "replica/watch/watch.h"

#include <stdio.h>

enum { SPEAKERS = 4, WATCHES_MAX = 2000, EVENTS_MAX = 512, SENT_MAX = 3000, PATH_MAX_BYTES = 64 };

struct model_watch {
    uint32_t client;
    enum watch_table table;
    enum watch_kind kind;
    char path[PATH_MAX_BYTES];
};

struct model_event {
    int64_t zxid;
    int32_t type;
    char path[PATH_MAX_BYTES];
};

struct sent {           /* of one connection, in order */
    int32_t op, number; /* number: of a watcher type or mode */
    bool watch;
    char path[PATH_MAX_BYTES];
};

struct model {
    struct driver rig;
    struct tree *tree; /* the log, applied one record behind the other */
    size_t applied;
    struct model_watch watches[WATCHES_MAX];
    size_t watch_count;
    struct model_event due[SPEAKERS][EVENTS_MAX];
    size_t due_count[SPEAKERS];
    struct sent sent[SPEAKERS][SENT_MAX];
    size_t sent_count[SPEAKERS], answered[SPEAKERS];
    struct identities *everybody; /* all come from one address */
    struct acl_rules rules;
    bool served[SPEAKERS]; /* by the step at hand */
    int64_t zxid;
    size_t events;
};

/* --- the model --- */

static bool waits_for(const struct model_watch *watch, enum watch_table table, const char *path)
{
    size_t size = strlen(watch->path);

    if (watch->table != table)
        return false;
    if (strcmp(watch->path, path) == 0)
        return true;
    if (watch->kind != WATCH_RECURSIVE)
        return false;
    return strcmp(watch->path, "/") == 0 ||
           (strncmp(watch->path, path, size) == 0 && path[size] == '/');
}

static void forget_watch(struct model *model, size_t at)
{
    memmove(&model->watches[at], &model->watches[at + 1],
            (--model->watch_count - at) * sizeof(model->watches[0]));
}

static void add_watch(struct model *model, uint32_t client, enum watch_table table,
                      enum watch_kind kind, const char *path)
{
    for (size_t i = 0; i < model->watch_count; i++) {
        const struct model_watch *known = &model->watches[i];
        if (known->client == client && known->table == table && known->kind == kind &&
            strcmp(known->path, path) == 0)
            return;
    }
    CHECK(model->watch_count < WATCHES_MAX);
    struct model_watch *added = &model->watches[model->watch_count++];
    *added = (struct model_watch){.client = client, .table = table, .kind = kind};
    snprintf(added->path, sizeof(added->path), "%s", path);
}

static void change(struct model *model, enum watch_table table, int32_t type, struct slice path,
                   uint32_t acl)
{
    char text[PATH_MAX_BYTES];
    bool visible =
        acl_allows(&model->rules, tree_acl(model->tree, acl), PERM_READ, model->everybody);

    snprintf(text, sizeof(text), "%.*s", (int)path.size, (const char *)path.data);
    for (size_t i = 0; i < model->watch_count;) {
        const struct model_watch *watch = &model->watches[i];
        uint32_t client = watch->client;
        if (!waits_for(watch, table, text)) {
            i++;
            continue;
        }
        if (!model->served[client] && visible) {
            CHECK(model->due_count[client] < EVENTS_MAX);
            struct model_event *due = &model->due[client][model->due_count[client]++];
            *due = (struct model_event){.zxid = model->zxid, .type = type};
            snprintf(due->path, sizeof(due->path), "%s", text);
        }
        model->served[client] = true;
        if (watch->kind == WATCH_STANDARD)
            forget_watch(model, i);
        else
            i++;
    }
}

static void created(void *context, struct slice path, uint32_t acl)
{
    struct model *model = context;
    memset(model->served, 0, sizeof(model->served));
    change(model, WATCH_DATA, EVENT_CREATED, path, acl);
}

static void deleted(void *context, struct slice path, uint32_t acl)
{
    struct model *model = context;
    memset(model->served, 0, sizeof(model->served));
    change(model, WATCH_DATA, EVENT_DELETED, path, acl);
    change(model, WATCH_CHILD, EVENT_DELETED, path, acl); /* who was served is not served again */
}

static void data_changed(void *context, struct slice path, uint32_t acl)
{
    struct model *model = context;
    memset(model->served, 0, sizeof(model->served));
    change(model, WATCH_DATA, EVENT_DATA_CHANGED, path, acl);
}

static void children_changed(void *context, struct slice path, uint32_t acl)
{
    struct model *model = context;
    memset(model->served, 0, sizeof(model->served));
    change(model, WATCH_CHILD, EVENT_CHILDREN_CHANGED, path, acl);
}

static void apply_next(struct model *model)
{
    const struct driver_record *append = &model->rig.records[model->applied++];
    struct txn_observer observer = {created, deleted, data_changed, children_changed, model, NULL};
    struct arena arena;
    struct txn txn;

    arena_init(&arena);
    CHECK_STATUS(txn_read(buffer_slice(&append->payload), &arena, &txn), STATUS_OK);
    model->zxid = append->zxid;
    txn_apply(model->tree, &txn, &observer, &arena, NULL);
    arena_deinit(&arena);
}

/* --- what the clients get --- */

static void check_event(struct model *model, uint32_t client, const struct rig_reply *reply,
                        size_t *taken)
{
    struct buffer want = {0};

    if (*taken == model->due_count[client])
        check_failed(__FILE__, __LINE__, "an event that nothing explains: type %d path %.*s",
                     (int)load_be32(reply->body.data), (int)reply->body.size - 12,
                     (const char *)reply->body.data + 12);
    const struct model_event *due = &model->due[client][(*taken)++];
    watcher_event_write(&want, &(struct watcher_event){.type = due->type,
                                                       .state = STATE_SYNC_CONNECTED,
                                                       .path = slice_text(due->path)});
    CHECK_SLICE("event", reply->body, buffer_slice(&want));
    CHECK_I64("its zxid", reply->zxid, due->zxid);
    buffer_deinit(&want);
    model->events++;
}

static void remove_watches(struct model *model, uint32_t client, const struct sent *sent)
{
    for (size_t i = 0; i < model->watch_count;) {
        const struct model_watch *watch = &model->watches[i];
        bool meant = false;
        switch (sent->number) {
        case WATCHER_CHILDREN:
            meant = watch->table == WATCH_CHILD && watch->kind == WATCH_STANDARD;
            break;
        case WATCHER_DATA:
            meant = watch->table == WATCH_DATA && watch->kind == WATCH_STANDARD;
            break;
        case WATCHER_ANY:
            meant = true;
            break;
        case WATCHER_PERSISTENT:
            meant = watch->kind == WATCH_PERSISTENT;
            break;
        case WATCHER_RECURSIVE:
            meant = watch->kind == WATCH_RECURSIVE;
            break;
        default:
            break;
        }
        if (meant && watch->client == client && strcmp(watch->path, sent->path) == 0)
            forget_watch(model, i);
        else
            i++;
    }
}

static void answered(struct model *model, uint32_t client, const struct sent *sent, int32_t err)
{
    if (sent->op == OP_EXISTS && sent->watch && (err == ZK_OK || err == ZK_NO_NODE))
        add_watch(model, client, WATCH_DATA, WATCH_STANDARD, sent->path);
    else if (err != ZK_OK)
        return;
    else if (sent->op == OP_GET_DATA && sent->watch)
        add_watch(model, client, WATCH_DATA, WATCH_STANDARD, sent->path);
    else if (sent->op == OP_GET_CHILDREN && sent->watch)
        add_watch(model, client, WATCH_CHILD, WATCH_STANDARD, sent->path);
    else if (sent->op == OP_ADD_WATCH && sent->number == WATCH_ADD_RECURSIVE)
        add_watch(model, client, WATCH_DATA, WATCH_RECURSIVE, sent->path);
    else if (sent->op == OP_ADD_WATCH) {
        add_watch(model, client, WATCH_DATA, WATCH_PERSISTENT, sent->path);
        add_watch(model, client, WATCH_CHILD, WATCH_PERSISTENT, sent->path);
    } else if (sent->op == OP_REMOVE_WATCHES)
        remove_watches(model, client, sent);
}

/* Events of the step's transaction come before any answer. */
static void read_mail(struct model *model)
{
    for (uint32_t client = 0; client < SPEAKERS; client++) {
        size_t taken = 0;
        while (!rig_silent(&model->rig, client)) {
            if (model->rig.clients[client].read_at == 0) {
                CHECK(rig_shaken(&model->rig, client));
                continue;
            }
            struct rig_reply reply = rig_next(&model->rig, client);
            if (reply.xid == XID_NOTIFICATION) {
                check_event(model, client, &reply, &taken);
                continue;
            }
            CHECK_U64("events that did not come", taken, model->due_count[client]);
            answered(model, client, &model->sent[client][model->answered[client]++], reply.err);
        }
        CHECK_U64("events that did not come", taken, model->due_count[client]);
        model->due_count[client] = 0;
    }
}

static void sync_one(struct model *model)
{
    if (model->applied == model->rig.record_count)
        return;
    apply_next(model);
    driver_sync_to(&model->rig, model->rig.records[model->applied - 1].zxid);
    read_mail(model);
}

/* --- what they do --- */

static void random_place(uint64_t *seed, char path[PATH_MAX_BYTES])
{
    int size = 0;

    if (random_below(seed, 12) == 0) {
        snprintf(path, PATH_MAX_BYTES, "/");
        return;
    }
    for (int32_t depth = 1 + random_below(seed, 3); depth > 0; depth--)
        size += snprintf(path + size, PATH_MAX_BYTES - (size_t)size, "/%c",
                         'a' + random_below(seed, 2));
}

static void ask(struct model *model, uint32_t client, uint64_t *seed)
{
    static const int32_t ops[] = {OP_EXISTS,    OP_GET_DATA,       OP_GET_CHILDREN,
                                  OP_ADD_WATCH, OP_REMOVE_WATCHES, OP_EXISTS};
    struct sent *sent = &model->sent[client][model->sent_count[client]];
    struct buffer body = {0};

    CHECK(model->sent_count[client]++ < SENT_MAX);
    *sent = (struct sent){.op = ops[random_below(seed, (int32_t)ARRAY_LEN(ops))],
                          .watch = random_below(seed, 3) != 0,
                          .number = random_below(seed, 7)};
    random_place(seed, sent->path);
    if (sent->op == OP_ADD_WATCH) {
        sent->number = random_below(seed, 2);
        put_path_type(&body, sent->path, sent->number);
    } else if (sent->op == OP_REMOVE_WATCHES) {
        put_path_type(&body, sent->path, sent->number);
    } else {
        put_path_watch(&body, sent->path, sent->watch);
    }
    (void)rig_send(&model->rig, client, sent->op, &body);
    buffer_deinit(&body);
    read_mail(model);
}

static int32_t put_write(struct buffer *body, uint64_t *seed)
{
    char path[PATH_MAX_BYTES];
    int32_t kind = random_below(seed, 12);

    random_place(seed, path);
    if (kind < 5) {
        put_create_acl(body, path,
                       one_acl(SLICE("world"), SLICE("anyone"),
                               random_below(seed, 6) == 0 ? PERM_ALL & ~PERM_READ : PERM_ALL),
                       random_below(seed, 8) == 0 ? MODE_EPHEMERAL : MODE_PERSISTENT);
        return OP_CREATE;
    }
    if (kind < 8) {
        put_path_version(body, path, -1);
        return OP_DELETE;
    }
    put_set_data(body, path, SLICE("x"), -1);
    return OP_SET_DATA;
}

static void write_something(struct model *model, uint32_t client, uint64_t *seed)
{
    struct sent *sent = &model->sent[client][model->sent_count[client]];
    struct buffer body = {0}, part = {0};
    int32_t op;

    CHECK(model->sent_count[client]++ < SENT_MAX);
    if (random_below(seed, 4) == 0) {
        for (int32_t left = 1 + random_below(seed, 4); left > 0; left--) {
            part.size = 0;
            put_multi_op(&body, put_write(&part, seed));
            buffer_append(&body, buffer_slice(&part));
        }
        put_multi_end(&body);
        op = OP_MULTI;
    } else {
        op = put_write(&body, seed);
    }
    *sent = (struct sent){.op = op};
    (void)rig_send(&model->rig, client, op, &body);
    buffer_deinit(&body);
    buffer_deinit(&part);
    read_mail(model);
}

static void come_or_go(struct model *model, uint32_t client)
{
    struct driver *rig = &model->rig;

    if (rig->clients[client].open) {
        driver_gone(rig, client);
        for (size_t i = 0; i < model->watch_count;) {
            if (model->watches[i].client == client)
                forget_watch(model, i);
            else
                i++;
        }
        return;
    }
    model->sent_count[client] = model->answered[client] = 0;
    driver_open(rig, client);
    driver_shake(rig, client, /* session_id= */ 0, 20000);
    while (model->applied < rig->record_count)
        sync_one(model);
}

PROPERTY(every_client_gets_the_events_that_a_naive_list_of_watches_gives)
{
    struct model *model = mem_zalloc(sizeof(*model));
    struct replica_options options = rig_options();

    rig_init(&model->rig, &options, rig_tree());
    model->tree = rig_tree();
    model->everybody = identities_new(SLICE("127.0.0.1"));
    for (int turn = 0; turn < 1500; turn++) {
        uint32_t client = (uint32_t)random_below(&seed, SPEAKERS);
        int32_t kind = random_below(&seed, 100);
        if (!model->rig.clients[client].open || kind == 0)
            come_or_go(model, client);
        else if (kind < 40)
            ask(model, client, &seed);
        else if (kind < 70)
            write_something(model, client, &seed);
        else
            sync_one(model);
    }
    while (model->applied < model->rig.record_count)
        sync_one(model);
    CHECK(model->events > 0);
    CHECK_I64("mismatches",
              metrics_number(replica_metrics(model->rig.replica), METRIC_DIGEST_MISMATCHES), 0);
    driver_deinit(&model->rig);
    tree_free(model->tree);
    identities_release(model->everybody);
    mem_free(model);
}
