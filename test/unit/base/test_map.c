#include "base/map.h"
#include "test/lib/check.h"

static int values[1000];

TEST(an_empty_map_has_nothing)
{
    struct map map;
    size_t cursor = 0;

    map_init(&map);
    CHECK(map_get(&map, 7) == NULL);
    CHECK(map_remove(&map, 7) == NULL);
    CHECK(map_next(&map, &cursor, NULL) == NULL);
    map_deinit(&map);
}

TEST(a_value_set_twice_is_the_second_and_counts_once)
{
    struct map map;

    map_init(&map);
    map_set(&map, 0, &values[0]);
    map_set(&map, 0, &values[1]);
    CHECK(map_get(&map, 0) == &values[1]);
    CHECK_U64("count", map.count, 1);
    map_deinit(&map);
}

PROPERTY(a_map_agrees_with_an_array_through_sets_and_removes)
{
    struct map map;
    int *expected[1000] = {0};
    size_t expected_count = 0;

    map_init(&map);
    for (int step = 0; step < 20000; step++) {
        int key = random_below(&seed, ARRAY_LEN(expected));
        if (random_below(&seed, 2) == 0) {
            if (expected[key] == NULL)
                expected_count++;
            expected[key] = &values[random_below(&seed, ARRAY_LEN(values))];
            map_set(&map, (uint64_t)key, expected[key]);
        } else {
            CHECK(map_remove(&map, (uint64_t)key) == expected[key]);
            if (expected[key] != NULL)
                expected_count--;
            expected[key] = NULL;
        }
        CHECK_U64("count", map.count, expected_count);
    }
    for (size_t key = 0; key < ARRAY_LEN(expected); key++)
        CHECK(map_get(&map, key) == expected[key]);
    size_t cursor = 0, seen = 0;
    uint64_t key;
    for (void *value; (value = map_next(&map, &cursor, &key)) != NULL; seen++)
        CHECK(expected[key] == value);
    CHECK_U64("walked", seen, expected_count);
    map_deinit(&map);
}
