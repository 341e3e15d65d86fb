/* removal.c: a node that must go although nobody waits for it. Rule: a removal belongs to its one request
 * that is under way; the completion either sends the next one or frees it. */
#include "recipes/removal.h"

#include <stdatomic.h>
#include <string.h>
#include <time.h>

#include "recipes/ask.h"

#define PAUSE_MS 20
#define SAME_ATTEMPT_MS 5

struct removal {
    zhandle_t *zh;
    char *directory;
    char *name;
    char *path; /* once it is known */
};

static void next_step(struct removal *removal, int synced);

static void end(struct removal *removal)
{
    free(removal->directory);
    free(removal->name);
    free(removal->path);
    free(removal);
}

static struct removal *of(const void *data)
{
    union {
        const void *in;
        struct removal *out;
    } removal = {data};

    return removal.out;
}

/* Without a connection a library may fail a request at once, and every request makes it try to connect: so
 * once for each attempt, however many removals there are, the completion thread waits a little. There is
 * nothing else for it to tell meanwhile but that the next attempt has ended. */
static void again(struct removal *removal)
{
    static _Atomic int64_t last_pause_ms;

    if (zoo_state(removal->zh) != ZOO_CONNECTED_STATE &&
        cell_now_ms() - atomic_load(&last_pause_ms) > SAME_ATTEMPT_MS) {
        nanosleep(&(struct timespec){.tv_nsec = PAUSE_MS * 1000000L}, NULL);
        atomic_store(&last_pause_ms, cell_now_ms());
    }
    next_step(removal, 0);
}

static void on_delete(int rc, const void *data)
{
    if (cell_unknown(rc))
        again(of(data));
    else
        end(of(data));
}

static void on_children(int rc, const struct String_vector *names, const void *data)
{
    struct removal *removal = of(data);

    if (cell_unknown(rc)) {
        again(removal);
        return;
    }
    for (int i = 0; rc == ZOK && i < names->count && removal->path == NULL; i++)
        if (strncmp(names->data[i], removal->name, strlen(removal->name)) == 0)
            removal->path = ask_join(removal->directory, "/", names->data[i]);
    if (removal->path != NULL)
        next_step(removal, 0);
    else
        end(removal);
}

/* The create may be on its way still: only after a sync has come back, the children are all there. */
static void on_sync(int rc, const char *value, const void *data)
{
    (void)value;
    if (rc == ZOK)
        next_step(of(data), 1);
    else if (cell_unknown(rc))
        again(of(data));
    else
        end(of(data));
}

static void next_step(struct removal *removal, int synced)
{
    int rc;

    if (removal->path != NULL)
        rc = zoo_adelete(removal->zh, removal->path, -1, on_delete, removal);
    else if (synced)
        rc = zoo_aget_children(removal->zh, removal->directory, 0, on_children, removal);
    else
        rc = zoo_async(removal->zh, removal->directory, on_sync, removal);
    if (rc != ZOK)
        end(removal);
}

void removal_start(zhandle_t *zh, const char *directory, const char *name, int begins)
{
    struct removal *removal = calloc(1, sizeof(*removal));

    if (removal == NULL)
        return;
    removal->zh = zh;
    removal->directory = strdup(directory);
    removal->name = strdup(name);
    if (removal->directory != NULL && !begins)
        removal->path = ask_join(directory, "/", name);
    if (removal->directory == NULL || removal->name == NULL || (!begins && removal->path == NULL))
        end(removal);
    else
        next_step(removal, 0);
}
