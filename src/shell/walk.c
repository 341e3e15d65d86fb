/* walk.c: a list of what is still to be visited, in the order of the visits. The first znodes of it
 * are requested, a window at a time; the children in an answer are inserted after their parent. Of
 * children only the names are kept until the window reaches them. */
#include "shell/walk.h"

#include "base/array.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    WINDOW_FIRST = 16,
    WINDOW_MAX = 512,
    WINDOW_MIN = 4,
    AHEAD_BYTES_MAX = 32 << 20, /* of data that is read ahead */
    ANSWER_TEXT_BYTES_MAX = 1 << 28
};

struct walk;

/* A znode, or (names) the rest of the children of one. */
struct item {
    struct item *next;
    struct walk *walk;
    char *path; /* of the znode, or of the parent */
    size_t depth;
    enum { TO_ASK, ASKED, TO_LIST, LISTED, DONE } stage;
    unsigned waiting; /* answers to come */
    bool last;
    int32_t err;
    struct zk_stat stat;
    struct buffer data, acl;
    bool has_data, kind_known;
    enum owner_kind kind;
    int64_t ttl_ms;
    int32_t acl_count;
    char **names; /* into text */
    size_t name_at, name_count;
    struct buffer text;
};

struct walk {
    struct service *connection;
    const struct walk_options *options;
    struct item *head;
    size_t in_flight, window, largest;
    struct buffer request;
    int32_t err;
    bool over;
};

static struct item *new_item(struct walk *walk, const char *path, size_t depth)
{
    struct item *item = mem_zalloc(sizeof(*item));
    size_t size = strlen(path) + 1;

    item->walk = walk;
    item->path = mem_alloc(size);
    memcpy(item->path, path, size);
    item->depth = depth;
    return item;
}

static void free_item(struct item *item)
{
    buffer_deinit(&item->data);
    buffer_deinit(&item->acl);
    buffer_deinit(&item->text);
    mem_free(item->names);
    mem_free(item->path);
    mem_free(item);
}

/* --- answers --- */

static void read_answer(struct reader *reader, struct slice answer)
{
    reader_init(reader, answer, NULL, ANSWER_TEXT_BYTES_MAX);
    reader->texts_as_they_are = true;
}

/* All answers of a stage are there: what comes next? */
static void finish_stage(struct item *item)
{
    const struct walk_options *options = item->walk->options;
    bool more = item->stage == ASKED && options->with_data && item->err == ZK_OK &&
                item->stat.num_children > 0 && item->depth < options->depth_max;

    item->stage = more ? TO_LIST : DONE;
}

static void take(struct item *item, int32_t err)
{
    struct walk *walk = item->walk;

    walk->in_flight--;
    item->waiting--;
    if (err != ZK_OK && item->err == ZK_OK)
        item->err = err;
    if (err == CALL_CONNECTION_LOSS || err == ZK_SESSION_EXPIRED || err == ZK_AUTH_FAILED) {
        walk->err = walk->err == ZK_OK ? err : walk->err;
        walk->over = true;
    }
    if (item->waiting == 0)
        finish_stage(item);
}

static int32_t read_stat(struct reader *reader, struct zk_stat *ret_stat)
{
    return zk_stat_read(reader, ret_stat) == STATUS_OK ? (int32_t)ZK_OK
                                                       : (int32_t)ZK_MARSHALLING_ERROR;
}

static void on_stat(void *context, int32_t err, struct slice answer)
{
    struct item *item = context;
    struct reader reader;

    read_answer(&reader, answer);
    take(item, err == ZK_OK ? read_stat(&reader, &item->stat) : err);
}

static void on_data(void *context, int32_t err, struct slice answer)
{
    struct item *item = context;
    struct reader reader;

    read_answer(&reader, answer);
    if (err == ZK_OK) {
        struct slice data = reader_buffer(&reader);
        item->has_data = data.data != NULL;
        buffer_reserve(&item->data, 1); /* empty data is not null */
        if (data.data != NULL)
            buffer_append(&item->data, data);
        err = read_stat(&reader, &item->stat);
        if (data.size > item->walk->largest)
            item->walk->largest = data.size;
    }
    take(item, err);
}

static void on_acl(void *context, int32_t err, struct slice answer)
{
    struct item *item = context;
    struct reader reader;
    struct zk_stat stat;

    read_answer(&reader, answer);
    if (err == ZK_OK) {
        struct jute_vector acl = reader_acls(&reader);
        buffer_append(&item->acl, acl.bytes);
        item->acl_count = acl.count;
        err = read_stat(&reader, &stat);
    }
    take(item, err);
}

static void on_kind(void *context, int32_t err, struct slice answer)
{
    struct item *item = context;
    struct reader reader;

    read_answer(&reader, answer);
    if (err == ZK_OK) {
        int32_t kind = reader_i32(&reader);
        item->ttl_ms = reader_i64(&reader);
        item->kind_known = reader.status == STATUS_OK && kind >= OWNER_NONE && kind <= OWNER_TTL;
        item->kind = item->kind_known ? (enum owner_kind)kind : OWNER_NONE;
    }
    take(item, err);
}

static int by_name(const void *left, const void *right)
{
    return strcmp(*(char *const *)left, *(char *const *)right);
}

static bool is_left_out(const struct walk *walk, const char *parent, const char *name)
{
    const char *path = walk->options->leave_out;
    size_t size = strlen(parent);

    if (path == NULL || strncmp(path, parent, size) != 0)
        return false;
    path += size;
    return strcmp(path + (*path == '/'), name) == 0;
}

/* The names of children, sorted, as an item behind their parent. */
static void put_names(struct item *parent, struct jute_vector names)
{
    struct item *rest = new_item(parent->walk, parent->path, parent->depth + 1);
    struct slice name;
    size_t at = 0;

    while (jute_next_text(&names, &name)) {
        buffer_append(&rest->text, name);
        buffer_u8(&rest->text, '\0');
        rest->name_count++;
    }
    rest->names = mem_alloc((rest->name_count + 1) * sizeof(char *));
    rest->name_count = 0;
    while (at < rest->text.size) {
        char *text = (char *)rest->text.data + at;
        at += strlen(text) + 1;
        if (!is_left_out(parent->walk, parent->path, text))
            rest->names[rest->name_count++] = text;
    }
    qsort(rest->names, rest->name_count, sizeof(char *), by_name);
    rest->next = parent->next;
    parent->next = rest;
}

static void on_children(void *context, int32_t err, struct slice answer)
{
    struct item *item = context;
    struct reader reader;

    read_answer(&reader, answer);
    if (err == ZK_OK) {
        struct jute_vector names = reader_texts(&reader);
        struct zk_stat stat;
        err = read_stat(&reader, &stat);
        if (err == ZK_OK && !item->walk->options->with_data)
            item->stat = stat;
        if (err == ZK_OK && names.count > 0)
            put_names(item, names);
    }
    take(item, err);
}

/* --- requests --- */

static void send(struct item *item, int32_t op, bool watch_field, service_answered *answered)
{
    struct walk *walk = item->walk;

    walk->request.size = 0;
    struct slice path = service_server_path(walk->connection, slice_text(item->path));
    if (watch_field)
        path_watch_request_write(&walk->request, &(struct path_watch_request){.path = path});
    else
        path_request_write(&walk->request, &(struct path_request){path});
    item->waiting++;
    walk->in_flight++;
    service_send(walk->connection, op, buffer_slice(&walk->request), answered, item);
}

static void ask(struct item *item)
{
    const struct walk_options *options = item->walk->options;

    if (item->stage == TO_LIST) {
        item->stage = LISTED;
        send(item, OP_GET_CHILDREN2, true, on_children);
    } else if (item->stage == TO_ASK) {
        item->stage = ASKED;
        item->waiting = 1; /* until all are sent */
        if (options->with_data)
            send(item, OP_GET_DATA, true, on_data);
        else if (item->depth < options->depth_max)
            send(item, OP_GET_CHILDREN2, true, on_children);
        else
            send(item, OP_EXISTS, true, on_stat);
        if (options->with_acl)
            send(item, OP_GET_ACL, false, on_acl);
        if (options->with_kind)
            send(item, OP_GET_KIND, false, on_kind);
        item->waiting--;
        if (item->waiting == 0) /* there is no connection */
            finish_stage(item);
    }
}

/* The next name of a list of names becomes a znode in front of it; the last one takes the list away. */
static void unfold(struct walk *walk, struct item **link)
{
    struct item *rest = *link;

    if (rest->name_at == rest->name_count) {
        *link = rest->next;
        free_item(rest);
        return;
    }
    const char *name = rest->names[rest->name_at++];
    size_t size = strlen(rest->path) + strlen(name) + 2;
    char *path = mem_alloc(size);
    snprintf(path, size, "%s/%s", rest->path[1] == '\0' ? "" : rest->path, name);
    struct item *item = new_item(walk, path, rest->depth);
    mem_free(path);
    item->last = rest->name_at == rest->name_count;
    item->next = rest;
    *link = item;
}

/* Asks for the first znodes of the list, until enough is on its way. */
static void fill(struct walk *walk)
{
    struct item **link = &walk->head;

    for (size_t seen = 0; *link != NULL && !walk->over && seen < walk->window;) {
        if ((*link)->names != NULL) {
            unfold(walk, link);
            continue;
        }
        if (walk->in_flight < walk->window)
            ask(*link);
        link = &(*link)->next;
        seen++;
    }
}

static void grow_window(struct walk *walk)
{
    size_t fitting = AHEAD_BYTES_MAX / (walk->largest + 1);

    walk->window = walk->window * 2 < WINDOW_MAX ? walk->window * 2 : WINDOW_MAX;
    if (walk->window > fitting)
        walk->window = fitting > WINDOW_MIN ? fitting : WINDOW_MIN;
}

/* --- visits --- */

static bool visit_item(const struct item *item, walk_visit *visit, void *context)
{
    const struct walk_node node = {
        .path = item->path,
        .depth = item->depth,
        .last = item->last,
        .err = item->err,
        .stat = item->stat,
        .data = item->has_data ? slice_of(item->data.data, item->data.size) : SLICE_NULL,
        .acl = {buffer_slice(&item->acl), item->acl_count},
        .kind_known = item->kind_known,
        .kind = item->kind,
        .ttl_ms = item->ttl_ms};

    return visit(context, &node);
}

static void visit_done(struct walk *walk, walk_visit *visit, void *context)
{
    while (!walk->over && walk->head != NULL && walk->head->stage == DONE) {
        struct item *item = walk->head;
        if (item->depth == 0 && item->err != ZK_OK) {
            walk->err = item->err;
            walk->over = true;
        } else if (item->err != ZK_NO_NODE && !visit_item(item, visit, context)) {
            walk->over = true;
        }
        walk->head = item->next;
        free_item(item);
    }
}

int32_t walk(struct service *connection, const char *root, const struct walk_options *options,
             walk_visit *visit, void *context)
{
    struct walk walk = {.connection = connection, .options = options, .window = WINDOW_FIRST};

    buffer_init(&walk.request);
    walk.head = new_item(&walk, root, 0);
    walk.head->last = true;
    while (walk.head != NULL && !walk.over) {
        fill(&walk);
        visit_done(&walk, visit, context);
        service_settle(connection, walk.in_flight / 2);
        grow_window(&walk);
    }
    service_settle(connection, 0); /* answers find their items */
    while (walk.head != NULL) {
        struct item *next = walk.head->next;
        free_item(walk.head);
        walk.head = next;
    }
    buffer_deinit(&walk.request);
    return walk.err;
}
