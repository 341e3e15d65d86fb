/* inbox.c: an event owns its bytes and its tree until it is taken. */
#include "sim/inbox.h"

#include "base/array.h"

void inbox_init(struct inbox *inbox, void (*arrived)(void *context), void *context)
{
    *inbox = (struct inbox){.arrived = arrived, .context = context};
}

struct inbox_event *inbox_add(struct inbox *inbox, enum replica_event_kind kind)
{
    inbox->events = ARRAY_RESERVE(inbox->events, inbox->capacity, inbox->count + 1, ARRAY_FIRST);
    struct inbox_event *item = &inbox->events[inbox->count++];
    *item = (struct inbox_event){.event = {.kind = kind}};
    inbox->arrived(inbox->context);
    return item;
}

void inbox_own_bytes(struct inbox_event *item, struct slice bytes)
{
    item->bytes = mem_alloc(bytes.size); /* exact: a sanitizer sees a byte too far */
    if (bytes.size > 0)
        memcpy(item->bytes, bytes.data, bytes.size);
    item->event.bytes = slice_of(item->bytes, bytes.size);
}

struct inbox_event *inbox_take(struct inbox *inbox, size_t count)
{
    struct inbox_event *taken;

    ASSERT(count <= inbox->count);
    if (count == 0)
        return NULL;
    taken = mem_alloc(count * sizeof(*taken));
    memcpy(taken, inbox->events, count * sizeof(*taken));
    inbox->count -= count;
    memmove(inbox->events, inbox->events + count, inbox->count * sizeof(*inbox->events));
    return taken;
}

static void free_event(struct inbox_event *item)
{
    mem_free(item->bytes);
    if (item->event.tree != NULL)
        tree_free(item->event.tree);
}

void inbox_forget_connection(struct inbox *inbox, uint64_t connection)
{
    size_t kept = 0;

    for (size_t i = 0; i < inbox->count; i++) {
        if (inbox->events[i].event.connection == connection && connection != 0)
            free_event(&inbox->events[i]);
        else
            inbox->events[kept++] = inbox->events[i];
    }
    inbox->count = kept;
}

void inbox_forget(struct inbox *inbox)
{
    for (size_t i = 0; i < inbox->count; i++)
        free_event(&inbox->events[i]);
    inbox->count = 0;
}

void inbox_deinit(struct inbox *inbox)
{
    inbox_forget(inbox);
    mem_free(inbox->events);
    *inbox = (struct inbox){0};
}
