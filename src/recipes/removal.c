/* removal.c: removes a node in the background. Rule: a removal belongs to its one outstanding
 * request, or to the removal that it waits for; the completion sends the next request, queues it
 * after another removal, or frees it. */
#include "recipes/removal.h"

#include <string.h>
#include <time.h>

#include "recipes/ask.h"

#define PAUSE_MS 100
#define LOOK_MS 10

struct removal {
    zhandle_t *zh;
    char *directory;
    char *name;
    char *path;             /* once it is known */
    struct removal *behind; /* a list: they go on when this one ends */
    struct removal *next;   /* in such a list */
};

/* The removal that asks for all others while there is no connection. A handle has one thread for all of its
 * completions, so this one is of the same handle, and nothing of it is left when the handle is closed. */
static _Thread_local struct removal *scout;

static void next_step(struct removal *removal, int synced);

static void end(struct removal *removal)
{
    struct removal *behind = removal->behind;

    if (scout == removal)
        scout = NULL;
    while (behind != NULL) {
        struct removal *next = behind->next;
        next_step(behind, 0);
        behind = next;
    }
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

/* Without a connection each request fails at once in Apache ZooKeeper's library, and makes it resolve the
 * names of its servers and connect again, without the pause that it makes between attempts of its own. So
 * one removal asks for all, and not often: the completion thread waits before, as there is nothing else for
 * it to tell meanwhile but that the connection is back, and then it goes on. */
static void again(struct removal *removal)
{
    if (!cell_has_server(removal->zh)) {
        if (scout != NULL && scout != removal) {
            removal->next = scout->behind;
            scout->behind = removal;
            return;
        }
        scout = removal;
        for (int at_ms = 0; at_ms < PAUSE_MS && !cell_has_server(removal->zh); at_ms += LOOK_MS)
            nanosleep(&(struct timespec){.tv_nsec = LOOK_MS * 1000000L}, NULL);
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
