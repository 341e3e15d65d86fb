#include "test/lib/check.h"
#include "test/lib/requests.h"

#include "replica/tree/tree_internal.h"

#include <stdio.h>

enum { LISTS = 100000 };

static struct jute_vector list_of(int number)
{
    static char id[32];

    snprintf(id, sizeof(id), "user%d:hash", number);
    return one_acl(SLICE("digest"), slice_text(id), PERM_ALL);
}

static uint32_t longest_chain(const struct acl_table *table)
{
    uint32_t longest = 0;

    for (uint32_t head = 0; head < table->head_count; head++) {
        uint32_t length = 0;
        for (uint32_t id = table->heads[head]; id != 0; id = table->entries[id].hash_next)
            length++;
        longest = length > longest ? length : longest;
    }
    return longest;
}

TEST(a_list_is_found_in_a_few_steps_however_many_there_are)
{
    const struct tree_options options = {.hash_seed = 11};
    struct tree *tree = tree_new_empty(&options);
    uint32_t *ids = mem_alloc(LISTS * sizeof(*ids));

    for (int i = 0; i < LISTS; i++)
        ids[i] = tree_acl_intern(tree, list_of(i));
    CHECK(longest_chain(&tree->acls) < 20);
    for (int i = 0; i < LISTS; i += 997) {
        CHECK_U64("the same id", tree_acl_intern(tree, list_of(i)), ids[i]);
        tree_acl_release(tree, ids[i]);
    }
    for (int i = 0; i < LISTS; i++)
        tree_acl_release(tree, ids[i]);
    CHECK_U64("lists", tree->acls.used, 0);
    mem_free(ids);
    tree_free(tree);
}

TEST(lists_that_collide_under_one_seed_do_not_under_another)
{
    const struct tree_options seeds[] = {{.hash_seed = 1}, {.hash_seed = 2}};
    uint32_t heads[2][64];

    for (size_t i = 0; i < ARRAY_LEN(seeds); i++) {
        struct tree *tree = tree_new_empty(&seeds[i]);
        for (int number = 0; number < 40; number++)
            (void)tree_acl_intern(tree, list_of(number));
        CHECK_U64("heads", tree->acls.head_count, ARRAY_LEN(heads[i]));
        memcpy(heads[i], tree->acls.heads, sizeof(heads[i]));
        tree_free(tree);
    }
    CHECK(memcmp(heads[0], heads[1], sizeof(heads[0])) != 0);
}
