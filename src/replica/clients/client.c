/* client.c: the table of clients, the attachments of their sessions, and how a client ends. A
 * client that is being closed has no watch, no waiting frame and no session. */
#include "replica/clients/client.h"

#include "base/array.h"

enum { CLIENTS_FIRST = 64 };

/* --- attachments --- */

struct attachment *attachment_find(const struct clients *clients, int64_t session_id)
{
    return map_get(&clients->attachments, (uint64_t)session_id);
}

static void attachment_drop_unused(struct clients *clients, struct attachment *attachment)
{
    if (attachment->client != NULL || attachment->write_count > 0)
        return;
    map_remove(&clients->attachments, (uint64_t)attachment->session_id);
    mem_free(attachment);
}

static struct attachment *attachment_get(struct clients *clients, int64_t session_id)
{
    struct attachment *attachment = attachment_find(clients, session_id);

    if (attachment == NULL) {
        attachment = mem_zalloc(sizeof(*attachment));
        attachment->session_id = session_id;
        map_set(&clients->attachments, (uint64_t)session_id, attachment);
    }
    return attachment;
}

void attachment_join(struct clients *clients, struct session *session, struct client *client)
{
    struct attachment *attachment = attachment_get(clients, session->id);

    ASSERT(client->attachment == NULL && client->state != CLIENT_CLOSING);
    ASSERT(!session->closing);
    ASSERT(attachment->client == NULL);
    attachment->session = session;
    attachment->client = client;
    client->attachment = attachment;
}

static void leave_attachment(struct clients *clients, struct client *client)
{
    struct attachment *attachment = client->attachment;

    if (attachment == NULL)
        return;
    ASSERT(attachment->client == client);
    client->attachment = NULL;
    attachment->client = NULL;
    attachment_drop_unused(clients, attachment);
}

void attachment_wrote(struct attachment *attachment)
{
    ASSERT(attachment->client != NULL);
    attachment->write_count++;
}

void attachment_wrote_for_nobody(struct clients *clients, struct session *session)
{
    attachment_get(clients, session->id)->write_count++;
}

bool attachment_applied(struct clients *clients, struct attachment *attachment)
{
    ASSERT(attachment->write_count > 0);
    if (--attachment->write_count > 0)
        return false;
    attachment_drop_unused(clients, attachment);
    return true;
}

/* --- clients --- */

struct client *client_find(const struct clients *clients, uint32_t id, uint32_t generation)
{
    if (id >= clients->capacity)
        return NULL;
    struct client *client = clients->items[id];
    return client == NULL || client->generation != generation ? NULL : client;
}

struct client *client_add(struct clients *clients, uint32_t id, struct slice address)
{
    uint32_t before = clients->capacity;

    clients->items =
        ARRAY_RESERVE(clients->items, clients->capacity, (size_t)id + 1, CLIENTS_FIRST);
    if (clients->capacity > before)
        memset(clients->items + before, 0, (clients->capacity - before) * sizeof(*clients->items));
    ASSERT(clients->items[id] == NULL);
    struct client *client = mem_zalloc(sizeof(*client));
    client->id = id;
    client->generation = ++clients->next_generation;
    client->established_wall_ms = clients->step->wall_ms;
    client->touched_ms = INT64_MIN;
    client->identities = identities_new(address);
    watch_client_init(&client->watch, id);
    list_init(&client->in_paused);
    list_init(&client->in_asked);
    list_init(&client->in_blocked);
    clients->items[id] = client;
    clients->count++;
    return client;
}

void client_pause(struct clients *clients, struct client *client)
{
    if (client->paused)
        return;
    client->paused = true;
    effects_add_client(clients->step->effects,
                       (struct client_effect){.kind = CLIENT_PAUSE, .client = client->id});
}

void client_resume(struct clients *clients, struct client *client)
{
    if (!client->paused || client->state == CLIENT_CLOSING)
        return;
    client->paused = false;
    effects_add_client(clients->step->effects,
                       (struct client_effect){.kind = CLIENT_RESUME, .client = client->id});
}

void client_hold(struct clients *clients, struct client *client)
{
    if (client->answers_held || client->state != CLIENT_SERVING)
        return;
    client->answers_held = true;
    effects_add_client(clients->step->effects,
                       (struct client_effect){.kind = CLIENT_HOLD, .client = client->id});
}

static void release_all(struct clients *clients, struct client *client)
{
    watches_drop_client(clients->watches, &client->watch);
    waiting_clear(clients, &client->waiting_reads);
    waiting_clear(clients, &client->early_frames);
    list_remove(&client->in_paused);
    list_remove(&client->in_asked);
    list_remove(&client->in_blocked);
    leave_attachment(clients, client);
}

void client_close(struct clients *clients, struct client *client, const char *reason)
{
    if (client->state == CLIENT_CLOSING)
        return;
    release_all(clients, client);
    client->state = CLIENT_CLOSING;
    effects_add_client(
        clients->step->effects,
        (struct client_effect){.kind = CLIENT_CLOSE, .client = client->id, .reason = reason});
}

void client_remove(struct clients *clients, struct client *client)
{
    ASSERT(clients->items[client->id] == client && clients->count > 0);
    release_all(clients, client);
    identities_release(client->identities);
    clients->items[client->id] = NULL;
    clients->count--;
    mem_free(client);
}
