/* trace.c: the lines of a run, its hash and its verdict.
 *
 * The hash has all values of all lines, so that two runs with the same hash did the same. */
#include "sim/world.h"

#include "base/hash.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

/* The length of the conversion behind the '%'; *ret_long, *ret_precision: its value is of 64 bits, a
 * precision comes before it. */
static size_t conversion(const char *at, bool *ret_long, bool *ret_precision)
{
    size_t size = strspn(at, "-.0123456789*lz");

    *ret_long = memchr(at, 'l', size) != NULL || memchr(at, 'z', size) != NULL;
    *ret_precision = memchr(at, '*', size) != NULL;
    return size + 1;
}

/* The line's values go into the hash as they are: to write them as text costs a fifth of a run. */
static uint64_t hash_line(uint64_t hash, const char *format, va_list values)
{
    for (const char *at = strchr(format, '%'); at != NULL; at = strchr(at, '%')) {
        bool is_long, has_precision;
        size_t size = conversion(++at, &is_long, &has_precision);
        char kind = at[size - 1];
        size_t length = has_precision ? (size_t)va_arg(values, int) : SIZE_MAX;
        at += size;
        if (kind == 's') {
            const char *text = va_arg(values, const char *);
            hash = hash_bytes(slice_of(text, length == SIZE_MAX ? strlen(text) : length), hash);
        } else {
            ASSERT(kind == 'd' || kind == 'x' || kind == 'u');
            uint64_t value = is_long ? va_arg(values, uint64_t) : va_arg(values, unsigned);
            hash = hash_u64(value, hash);
        }
    }
    return hash_bytes(slice_text(format), hash);
}

__attribute__((format(printf, 3, 0))) static void vnote(struct world *world,
                                                        const struct node *node, const char *format,
                                                        va_list values)
{
    char line[1024];
    int at = 0;
    va_list again;

    va_copy(again, values);
    uint64_t who = node == NULL ? 0 : (uint64_t)node->options.id;
    uint64_t when = hash_u64((uint64_t)world->events.now_us, world->verdict.hash);
    world->verdict.hash = hash_line(hash_u64(who, when), format, again);
    va_end(again);
    if (world->run->trace == NULL)
        return;
    at = snprintf(line, sizeof(line), "%10.3f ", (double)world->events.now_us / 1000.0);
    at += node != NULL
              ? snprintf(line + at, sizeof(line) - (size_t)at, "n%" PRId64 " ", node->options.id)
              : snprintf(line + at, sizeof(line) - (size_t)at, "-- ");
    vsnprintf(line + at, sizeof(line) - (size_t)at, format, values);
    world->run->trace(world->run->context, line);
}

void world_note(struct world *world, const struct node *node, const char *format, ...)
{
    va_list values;

    va_start(values, format);
    vnote(world, node, format, values);
    va_end(values);
}

void world_fail(struct world *world, const struct node *node, const char *format, ...)
{
    va_list values;

    if (world->verdict.failed)
        return;
    world->verdict.failed = true;
    world->verdict.check = format;
    va_start(values, format);
    vsnprintf(world->verdict.problem, sizeof(world->verdict.problem), format, values);
    va_end(values);
    world_note(world, node, "FAILED: %s", world->verdict.problem);
}
