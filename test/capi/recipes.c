/* recipes.c: recipe objects that do what the lines of the input say. What waits runs in a thread of its
 * own; every answer and every change of a state is a line of the output.
 *
 *     recipes HOSTS TIMEOUT_MS */
#include <zookeeper/recipes.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define OBJECT_COUNT 32

static zhandle_t *zh;
static pthread_mutex_t printing = PTHREAD_MUTEX_INITIALIZER;

static struct object {
    char name[32];
    recipe_lock_t *lock;
    recipe_election_t *election;
    recipe_queue_t *queue;
    recipe_double_barrier_t *barrier;
} objects[OBJECT_COUNT];

struct order {
    struct object *object;
    char word[32], argument[200], second[100], third[100];
    int number;
};

#define SAY(...)                                                                                   \
    do {                                                                                           \
        pthread_mutex_lock(&printing);                                                             \
        printf(__VA_ARGS__);                                                                       \
        pthread_mutex_unlock(&printing);                                                           \
    } while (0)

static void watch(zhandle_t *handle, int type, int state, const char *path, void *context)
{
    (void)handle, (void)path, (void)context;
    if (type == ZOO_SESSION_EVENT)
        SAY("event %d\n", state);
}

static void on_state(recipe_state_t state, void *context)
{
    static const char *const names[] = {"free", "waiting", "held", "suspended", "lost"};

    SAY("now %s %s\n", ((struct object *)context)->name, names[state]);
}

static struct object *named(const char *name)
{
    struct object *object = objects;

    while (object->name[0] != '\0' && strcmp(object->name, name) != 0)
        object++;
    if (object->name[0] == '\0')
        snprintf(object->name, sizeof(object->name), "%s", name);
    return object;
}

/* Adds one to a number in a znode, without a version: only the lock keeps two from the same number. */
static int count(recipe_lock_t *lock, const char *path, int times)
{
    for (int i = 0; i < times; i++) {
        char text[32];
        int size = sizeof(text) - 1;
        int rc = recipe_lock_acquire(lock, -1);

        if (rc == ZOK)
            rc = zoo_get(zh, path, 0, text, &size, NULL);
        if (rc != ZOK)
            return rc;
        text[size] = '\0';
        size = snprintf(text, sizeof(text), "%d", atoi(text) + 1);
        rc = zoo_set(zh, path, text, size, -1);
        if (rc == ZOK)
            rc = recipe_lock_release(lock);
        if (rc != ZOK)
            return rc;
    }
    return ZOK;
}

static void *wait_in_thread(void *order_to_free)
{
    struct order *order = order_to_free;
    struct object *object = order->object;
    int timeout_ms = order->number, rc = ZOK;

    if (strcmp(order->word, "acquire") == 0) {
        rc = recipe_lock_acquire(object->lock, timeout_ms);
        SAY("acquired %s %d\n", object->name, rc);
    } else if (strcmp(order->word, "count") == 0) {
        rc = count(object->lock, order->second, atoi(order->third));
        SAY("counted %s %d\n", object->name, rc);
    } else if (strcmp(order->word, "lead") == 0) {
        rc = recipe_election_lead(object->election, timeout_ms);
        SAY("leads %s %d\n", object->name, rc);
    } else if (strcmp(order->word, "put") == 0) {
        rc = recipe_queue_put(object->queue, order->third, (int)strlen(order->third), 100,
                              timeout_ms);
        SAY("put %s %d %d\n", object->name, rc, recipe_queue_in_doubt(object->queue));
    } else if (strcmp(order->word, "take") == 0) {
        char *data = NULL;
        int len = 0;
        rc = recipe_queue_take(object->queue, &data, &len, timeout_ms);
        SAY("took %s %d %d %.*s\n", object->name, rc, len, len > 100 ? 100 : len,
            data != NULL ? data : "");
        free(data);
    } else if (strcmp(order->word, "settle") == 0) {
        rc = recipe_queue_settle(object->queue, timeout_ms);
        SAY("settled %s %d\n", object->name, rc);
    } else if (strcmp(order->word, "wait_barrier") == 0) {
        rc = recipe_barrier_wait(zh, order->argument, timeout_ms);
        SAY("waited %d\n", rc);
    } else if (strcmp(order->word, "enter") == 0) {
        rc = recipe_double_barrier_enter(object->barrier, timeout_ms);
        SAY("entered %s %d\n", object->name, rc);
    } else if (strcmp(order->word, "leave") == 0) {
        rc = recipe_double_barrier_leave(object->barrier, timeout_ms);
        SAY("left %s %d\n", object->name, rc);
    } else {
        SAY("unknown word %s\n", order->word);
    }
    free(order);
    return NULL;
}

static void give_back(struct object *object)
{
    recipe_lock_free(object->lock);
    recipe_election_free(object->election);
    recipe_queue_free(object->queue);
    recipe_double_barrier_free(object->barrier);
    object->lock = NULL;
    object->election = NULL;
    object->queue = NULL;
    object->barrier = NULL;
}

/* True when the word was one that makes, asks or ends, and does not wait. */
static int make(const struct order *order)
{
    struct object *object = order->object;
    recipe_options_t options = {.fn = on_state,
                                .context = object,
                                .names = strcmp(order->third, "kazoo") == 0 ? RECIPE_NAMES_KAZOO
                                                                            : RECIPE_NAMES_CURATOR,
                                .data = object->name,
                                .data_len = (int)strlen(object->name)};
    int rc;

    if (strcmp(order->word, "exclusive") == 0)
        rc = recipe_lock_new(zh, order->second, RECIPE_LOCK_EXCLUSIVE, &options, &object->lock);
    else if (strcmp(order->word, "write") == 0)
        rc = recipe_lock_new(zh, order->second, RECIPE_LOCK_WRITE, &options, &object->lock);
    else if (strcmp(order->word, "read") == 0)
        rc = recipe_lock_new(zh, order->second, RECIPE_LOCK_READ, &options, &object->lock);
    else if (strcmp(order->word, "election") == 0)
        rc = recipe_election_new(zh, order->second, &options, &object->election);
    else if (strcmp(order->word, "queue") == 0)
        rc = recipe_queue_new(zh, order->second, NULL, &object->queue);
    else if (strcmp(order->word, "double") == 0)
        rc = recipe_double_barrier_new(zh, order->second, atoi(order->third), NULL,
                                       &object->barrier);
    else
        return 0;
    SAY("made %s %d\n", object->name, rc);
    return 1;
}

static int ask(const struct order *order)
{
    struct object *object = order->object;

    if (strcmp(order->word, "release") == 0)
        SAY("released %s %d\n", object->name, recipe_lock_release(object->lock));
    else if (strcmp(order->word, "resign") == 0)
        SAY("resigned %s %d\n", object->name, recipe_election_resign(object->election));
    else if (strcmp(order->word, "state") == 0)
        SAY("state %s %d\n", object->name, recipe_lock_state(object->lock));
    else if (strcmp(order->word, "fence") == 0)
        SAY("fence %s %lld\n", object->name, (long long)recipe_lock_fence(object->lock));
    else if (strcmp(order->word, "node") == 0)
        SAY("node %s %s\n", object->name, recipe_lock_node(object->lock));
    else if (strcmp(order->word, "cancel") == 0)
        recipe_lock_cancel(object->lock);
    else if (strcmp(order->word, "free") == 0)
        give_back(object);
    else
        return 0;
    return 1;
}

static int of_paths(const struct order *order)
{
    if (strcmp(order->word, "server") == 0) {
        SAY("server %s\n", zoo_get_current_server(zh));
    } else if (strcmp(order->word, "close_barrier") == 0) {
        SAY("closed %d\n", recipe_barrier_close(zh, order->argument, NULL, 10000));
    } else if (strcmp(order->word, "open_barrier") == 0) {
        SAY("opened %d\n", recipe_barrier_open(zh, order->argument, 10000));
    } else if (strcmp(order->word, "leader") == 0) {
        char buffer[100];
        int len = sizeof(buffer);
        int rc = recipe_election_leader(zh, order->argument, buffer, &len, 10000);
        SAY("leader %d %.*s\n", rc, rc == ZOK ? len : 0, buffer);
    } else {
        return 0;
    }
    return 1;
}

static void obey(struct order *order)
{
    pthread_t thread;

    if (of_paths(order)) {
        free(order);
        return;
    }
    order->object = named(order->argument);
    if (make(order) || ask(order)) {
        free(order);
        return;
    }
    order->number = atoi(order->second);
    pthread_create(&thread, NULL, wait_in_thread, order);
    pthread_detach(thread);
}

int main(int argc, char **argv)
{
    char line[512];

    if (argc < 3)
        return 2;
    setvbuf(stdout, NULL, _IOLBF, 0);
    zoo_set_debug_level(0);
    zoo_deterministic_conn_order(1);
    zh = zookeeper_init(argv[1], watch, atoi(argv[2]), NULL, NULL, ZOO_NO_LOG_CLIENTENV);
    if (zh == NULL)
        return 1;
    while (fgets(line, sizeof(line), stdin) != NULL) {
        struct order *order = calloc(1, sizeof(*order));
        /* What a thread did before it printed is done for this one. */
        pthread_mutex_lock(&printing);
        pthread_mutex_unlock(&printing);
        int words = sscanf(line, "%31s %199s %99s %99s", order->word, order->argument,
                           order->second, order->third);
        if (words < 1 || strcmp(order->word, "quit") == 0) {
            free(order);
            break;
        }
        if (strcmp(order->word, "close_handle") == 0) {
            free(order);
            int rc = zookeeper_close(zh); /* the objects are left as they are */
            SAY("close %d\n", rc);
            return 0;
        }
        obey(order);
    }
    for (int i = 0; i < OBJECT_COUNT; i++)
        give_back(&objects[i]);
    int rc = zookeeper_close(zh);
    SAY("close %d\n", rc);
    return 0;
}
