#include "client/servers.h"
#include "test/lib/check.h"

enum { CLIENTS = 4200 };

static struct client_address numbered(uint32_t number)
{
    struct client_address address = {.size = 4};

    memcpy(address.bytes, &number, sizeof(number));
    return address;
}

static uint32_t number_of(const struct client_address *address)
{
    uint32_t number;

    memcpy(&number, address->bytes, sizeof(number));
    return number;
}

/* Servers first .. first + count - 1. */
static struct client_address *list_of(uint32_t first, uint32_t count)
{
    struct client_address *items = mem_alloc(count * sizeof(*items));

    for (uint32_t i = 0; i < count; i++)
        items[i] = numbered(first + i);
    return items;
}

TEST(servers_are_tried_in_turn_and_each_as_often)
{
    struct client_servers servers;
    uint32_t seen = 0;

    client_servers_init(&servers, 7, false);
    CHECK(!client_servers_set(&servers, list_of(0, 5), 5, NULL));
    for (int i = 0; i < 5; i++)
        seen |= 1u << number_of(client_servers_next(&servers));
    CHECK_U64("all of them", seen, 31);
    client_servers_deinit(&servers);
}

TEST(in_order_means_as_the_list_stands)
{
    struct client_servers servers;

    client_servers_init(&servers, 7, true);
    CHECK(!client_servers_set(&servers, list_of(0, 9), 9, NULL));
    for (uint32_t i = 0; i < 20; i++)
        CHECK_U64("next", number_of(client_servers_next(&servers)), i % 9);
    client_servers_deinit(&servers);
}

TEST(another_seed_gives_another_order)
{
    uint64_t first_counts[4] = {0};

    for (uint64_t seed = 1; seed <= CLIENTS; seed++) {
        struct client_servers servers;
        client_servers_init(&servers, seed * 0x9e3779b97f4a7c15, false);
        CHECK(!client_servers_set(&servers, list_of(0, 4), 4, NULL));
        first_counts[number_of(client_servers_next(&servers))]++;
        client_servers_deinit(&servers);
    }
    for (int i = 0; i < 4; i++)
        CHECK(first_counts[i] > CLIENTS / 5 && first_counts[i] < CLIENTS * 3 / 10);
}

/* Clients, evenly on `old` servers, are given servers `first` .. `first + count - 1`: how many are on
 * each afterwards, and how many had to move. */
static uint64_t rebalance(uint32_t old, uint32_t first, uint32_t count, uint64_t *ret_on)
{
    uint64_t moved = 0;

    for (uint32_t i = 0; i < CLIENTS; i++) {
        struct client_servers servers;
        client_servers_init(&servers, (i + 1) * UINT64_C(0x9e3779b97f4a7c15), false);
        CHECK(!client_servers_set(&servers, list_of(0, old), old, NULL));
        struct client_address current = numbered(i % old);
        bool move = client_servers_set(&servers, list_of(first, count), count, &current);
        moved += move;
        ret_on[move ? number_of(client_servers_next(&servers)) : i % old]++;
        client_servers_deinit(&servers);
    }
    return moved;
}

TEST(after_a_change_of_the_list_all_servers_have_as_many_clients)
{
    static const struct {
        const char *name;
        uint32_t old, first, count;
    } rows[] = {
        {"3 to 6", 3, 0, 6},          {"6 to 3", 6, 0, 3},
        {"3 to 3 others", 3, 3, 3},   {"one of 3 replaced", 3, 1, 3},
        {"4 to 3, one new", 4, 2, 3}, {"9 to 10", 9, 0, 10},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        uint64_t on[16] = {0};
        rebalance(rows[i].old, rows[i].first, rows[i].count, on);
        uint64_t fair = CLIENTS / rows[i].count;
        for (uint32_t j = rows[i].first; j < rows[i].first + rows[i].count; j++) {
            if (on[j] < fair * 85 / 100 || on[j] > fair * 115 / 100)
                check_failed(__FILE__, __LINE__, "%s: %" PRIu64 " on server %u, %" PRIu64 " fair",
                             rows[i].name, on[j], j, fair);
        }
    }
}

TEST(no_more_clients_move_than_must)
{
    uint64_t on[16] = {0};

    CHECK_U64("same list", rebalance(3, 0, 3, on), 0);
    uint64_t moved = rebalance(3, 0, 6, on);
    CHECK(moved > CLIENTS * 45 / 100 && moved < CLIENTS * 55 / 100);
    CHECK_U64("half vanish", rebalance(6, 0, 3, on), CLIENTS / 2);
}
