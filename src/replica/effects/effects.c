/* effects.c: collects what is to be done. Memory is kept from turn to turn; appends are in the
 * order of their zxids. */
#include "replica/effects/effects.h"

#include "base/array.h"

enum { BYTES_KEPT_MAX = 256 * 1024, CLIENTS_FIRST = 64, APPENDS_FIRST = 64, PEERS_FIRST = 16 };

static void clear_bytes(struct buffer *bytes)
{
    bytes->size = 0;
    if (bytes->capacity > BYTES_KEPT_MAX) /* one large answer must not hold memory for ever */
        buffer_deinit(bytes);
}

void effects_clear(struct effects *effects)
{
    clear_bytes(&effects->bytes);
    clear_bytes(&effects->peer_bytes);
    effects->client_count = effects->append_count = effects->frame_count = 0;
    effects->peer_count = effects->history_count = 0;
    effects->snapshot_begin = effects->snapshot_awaited = effects->store_begin = false;
    effects->fatal = NULL;
}

void effects_deinit(struct effects *effects)
{
    buffer_deinit(&effects->bytes);
    buffer_deinit(&effects->peer_bytes);
    mem_free(effects->clients);
    mem_free(effects->appends);
    mem_free(effects->peers);
    mem_free(effects->histories);
    *effects = (struct effects){0};
}

void effects_add_client(struct effects *effects, struct client_effect effect)
{
    effects->clients = ARRAY_RESERVE(effects->clients, effects->client_capacity,
                                     effects->client_count + 1, CLIENTS_FIRST);
    effects->clients[effects->client_count++] = effect;
}

void effects_add_send(struct effects *effects, uint32_t client, size_t offset, size_t size)
{
    ASSERT(offset + size <= effects->bytes.size);
    effects->frame_count++;
    if (effects->client_count > 0) {
        struct client_effect *last = &effects->clients[effects->client_count - 1];
        if (last->kind == CLIENT_SEND && last->client == client &&
            last->offset + last->size == offset) {
            last->size += size;
            return;
        }
    }
    effects_add_client(effects, (struct client_effect){CLIENT_SEND, client, offset, size, NULL});
}

void effects_add_append(struct effects *effects, struct txnlog_append append)
{
    ASSERT(effects->append_count == 0 ||
           effects->appends[effects->append_count - 1].zxid < append.zxid);
    effects->appends = ARRAY_RESERVE(effects->appends, effects->append_capacity,
                                     effects->append_count + 1, APPENDS_FIRST);
    effects->appends[effects->append_count++] = append;
}

void effects_add_peer(struct effects *effects, struct peer_effect effect)
{
    effects->peers =
        ARRAY_RESERVE(effects->peers, effects->peer_capacity, effects->peer_count + 1, PEERS_FIRST);
    effects->peers[effects->peer_count++] = effect;
}

void effects_add_peer_send(struct effects *effects, uint64_t connection, size_t offset, size_t size)
{
    ASSERT(offset + size <= effects->peer_bytes.size);
    if (effects->peer_count > 0) {
        struct peer_effect *last = &effects->peers[effects->peer_count - 1];
        if (last->kind == PEER_SEND && last->connection == connection &&
            last->offset + last->size == offset) {
            last->size += size;
            return;
        }
    }
    effects_add_peer(
        effects, (struct peer_effect){
                     .kind = PEER_SEND, .connection = connection, .offset = offset, .size = size});
}

void effects_add_history(struct effects *effects, struct history_work work)
{
    effects->histories = ARRAY_RESERVE(effects->histories, effects->history_capacity,
                                       effects->history_count + 1, PEERS_FIRST);
    effects->histories[effects->history_count++] = work;
}

void effects_begin_store(struct effects *effects, struct store_work work)
{
    ASSERT(!effects->store_begin);
    effects->store_begin = true;
    effects->store_work = work;
}
