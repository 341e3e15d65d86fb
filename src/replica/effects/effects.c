/* effects.c: gathering what is to be done. Memory is kept from turn to turn. */
#include "replica/effects/effects.h"

#include "base/array.h"

enum { BYTES_KEPT_MAX = 256 * 1024, CLIENTS_FIRST = 64, APPENDS_FIRST = 64 };

void effects_clear(struct effects *effects)
{
    effects->bytes.size = 0;
    if (effects->bytes.capacity > BYTES_KEPT_MAX) /* one large answer must not be paid for ever */
        buffer_deinit(&effects->bytes);
    effects->client_count = effects->append_count = 0;
    effects->snapshot_begin = false;
}

void effects_deinit(struct effects *effects)
{
    buffer_deinit(&effects->bytes);
    mem_free(effects->clients);
    mem_free(effects->appends);
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
