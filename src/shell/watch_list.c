/* watch_list.c: a list: people type watches one by one. */
#include "shell/watch_list.h"

#include "base/array.h"

static size_t find(const struct watch_list *watches, struct slice path)
{
    size_t i = 0;

    while (i < watches->count && !slice_equal(slice_text(watches->paths[i]), path))
        i++;
    return i;
}

void watch_list_deinit(struct watch_list *watches)
{
    for (size_t i = 0; i < watches->count; i++)
        mem_free(watches->paths[i]);
    mem_free(watches->paths);
    *watches = (struct watch_list){0};
}

void watch_list_add(struct watch_list *watches, struct slice path)
{
    if (watch_list_has(watches, path))
        return;
    watches->paths =
        ARRAY_RESERVE(watches->paths, watches->capacity, watches->count + 1, ARRAY_FIRST);
    char *copy = mem_alloc(path.size + 1);
    memcpy(copy, path.data, path.size);
    copy[path.size] = '\0';
    watches->paths[watches->count++] = copy;
}

bool watch_list_has(const struct watch_list *watches, struct slice path)
{
    return find(watches, path) < watches->count;
}

void watch_list_drop(struct watch_list *watches, struct slice path)
{
    size_t at = find(watches, path);

    if (at == watches->count)
        return;
    mem_free(watches->paths[at]);
    watches->paths[at] = watches->paths[--watches->count];
}
