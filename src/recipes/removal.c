/* removal.c: removes a node in the background. Rule: a removal belongs to its one outstanding
 * request, or to the removal that it waits for; the completion sends the next request, queues it
 * after another removal, or frees it. It has all of its memory from the start; where the C API has
 * none, the step is repeated: a node that stays would keep all others waiting. */
#include "recipes/removal.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "recipes/ask.h"

#define PAUSE_MS 100
#define LOOK_MS 10
#define NUMBER_SIZE 16 /* of a sequence number in a name, with room for a sign */

struct removal {
    zhandle_t *zh;
    char *directory;
    char *name;
    char *path;
    bool path_known;
    struct removal *behind; /* a list: they go on when this one ends */
    struct removal *next;   /* in such a list */
    char texts[];
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

/* Whether a step was not answered, or is refused for now: then it is made again. */
static bool repeats(struct removal *removal, int rc)
{
    bool pauses = rc == ZSYSTEMERROR || cell_refused_now(rc);

    if (!cell_unknown(rc) && (!pauses || !cell_wait_a_moment(removal->zh)))
        return false;
    again(removal);
    return true;
}

static void on_delete(int rc, const void *data)
{
    struct removal *removal = of(data);

    if (!repeats(removal, rc))
        end(removal);
}

static void on_children(int rc, const struct String_vector *names, const void *data)
{
    struct removal *removal = of(data);
    size_t size = strlen(removal->name);

    if (repeats(removal, rc))
        return;
    for (int i = 0; rc == ZOK && i < names->count && !removal->path_known; i++) {
        const char *name = names->data[i];
        if (strncmp(name, removal->name, size) != 0 || strlen(name) >= size + NUMBER_SIZE)
            continue;
        strcpy(strrchr(removal->path, '/') + 1, name);
        removal->path_known = true;
    }
    if (removal->path_known)
        next_step(removal, 0);
    else
        end(removal);
}

/* The create may be on its way still: only after a sync has come back, the children are all there. */
static void on_sync(int rc, const char *value, const void *data)
{
    struct removal *removal = of(data);

    (void)value;
    if (rc == ZOK)
        next_step(removal, 1);
    else if (!repeats(removal, rc))
        end(removal);
}

static int ask(struct removal *removal, int synced)
{
    if (removal->path_known)
        return zoo_adelete(removal->zh, removal->path, -1, on_delete, removal);
    if (synced)
        return zoo_aget_children(removal->zh, removal->directory, 0, on_children, removal);
    return zoo_async(removal->zh, removal->directory, on_sync, removal);
}

static void next_step(struct removal *removal, int synced)
{
    zhandle_t *zh = removal->zh;
    int rc;

    do
        rc = ask(removal, synced); /* with ZOK it may be gone already */
    while (rc == ZSYSTEMERROR && cell_wait_a_moment(zh));
    if (rc != ZOK)
        end(removal);
}

void removal_start(zhandle_t *zh, const char *directory, const char *name, int begins)
{
    size_t directory_size = strlen(directory) + 1, name_size = strlen(name) + 1;
    size_t path_size = directory_size + name_size + NUMBER_SIZE;
    struct removal *removal;

    do
        removal = calloc(1, sizeof(*removal) + directory_size + name_size + path_size);
    while (removal == NULL && cell_wait_a_moment(zh));
    if (removal == NULL)
        return;
    removal->zh = zh;
    removal->directory = removal->texts;
    removal->name = removal->directory + directory_size;
    removal->path = removal->name + name_size;
    removal->path_known = !begins;
    memcpy(removal->directory, directory, directory_size);
    memcpy(removal->name, name, name_size);
    snprintf(removal->path, path_size, "%s/%s", directory, begins ? "" : name);
    next_step(removal, 0);
}
