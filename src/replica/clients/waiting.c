/* waiting.c: queues of frames that wait, each with a copy of its bytes and of its client's identities
 * when it arrived. All queues are counted together, so that reading stops before too much waits. */
#include "replica/clients/client.h"

struct waiting *waiting_add(struct clients *clients, struct waiting_queue *queue,
                            const struct client *client, struct slice bytes)
{
    struct waiting *waiting = mem_alloc(sizeof(*waiting) + bytes.size);

    ASSERT((queue->last == NULL) == (queue->count == 0));
    *waiting = (struct waiting){.identities = identities_hold(client->identities),
                                .after_write = client->writes_proposed,
                                .arrived_ms = clients->step->now_ms,
                                .client = client->id,
                                .session_id =
                                    client->attachment == NULL ? 0 : client->attachment->session_id,
                                .generation = client->generation,
                                .size = bytes.size};
    if (bytes.size > 0)
        memcpy(waiting->bytes, bytes.data, bytes.size);
    if (queue->last == NULL)
        queue->first = waiting;
    else
        queue->last->next = waiting;
    queue->last = waiting;
    queue->count++;
    clients->waiting_count++;
    clients->waiting_bytes += bytes.size;
    return waiting;
}

struct waiting *waiting_take(struct clients *clients, struct waiting_queue *queue)
{
    struct waiting *waiting = queue->first;

    if (waiting == NULL)
        return NULL;
    ASSERT(queue->count > 0);
    ASSERT(clients->waiting_count > 0 && clients->waiting_bytes >= waiting->size);
    queue->first = waiting->next;
    if (queue->first == NULL)
        queue->last = NULL;
    queue->count--;
    ASSERT((queue->first == NULL) == (queue->count == 0));
    clients->waiting_count--;
    clients->waiting_bytes -= waiting->size;
    return waiting;
}

void waiting_free(struct waiting *waiting)
{
    identities_release(waiting->identities);
    mem_free(waiting);
}

void waiting_clear(struct clients *clients, struct waiting_queue *queue)
{
    struct waiting *waiting;

    while ((waiting = waiting_take(clients, queue)) != NULL)
        waiting_free(waiting);
}
