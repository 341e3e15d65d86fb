/* stats_print.c: the same figures for people and for programs. */
#include "tools/stats_print.h"

#include "tools/tool_text.h"

#include <inttypes.h>
#include <stdio.h>

void stats_print_begin(struct stats_print *print, bool json, uint32_t top)
{
    *print = (struct stats_print){json, top, "{"};
}

static void put_name(struct stats_print *print, const char *name)
{
    if (print->json)
        printf("%s\"%s\":", print->before, name);
    else
        printf("%-18s ", name);
    print->before = ",";
}

void stats_print_number(struct stats_print *print, const char *name, uint64_t value)
{
    put_name(print, name);
    printf("%" PRIu64 "%s", value, print->json ? "" : "\n");
}

void stats_print_hex(struct stats_print *print, const char *name, int64_t value)
{
    put_name(print, name);
    printf(print->json ? "\"0x%" PRIx64 "\"" : "0x%" PRIx64 "\n", (uint64_t)value);
}

void stats_print_text(struct stats_print *print, const char *name, struct slice text)
{
    struct buffer out;

    buffer_init(&out);
    if (print->json)
        tool_put_json(&out, text);
    else
        tool_put_path(&out, text);
    put_name(print, name);
    printf("%.*s%s", (int)out.size, (const char *)out.data, print->json ? "" : "\n");
    buffer_deinit(&out);
}

static void put_entry(const struct stats_print *print, const struct top_entry *entry,
                      const char *before)
{
    struct slice name = slice_of(entry->name, entry->name_size);
    struct buffer out;

    buffer_init(&out);
    if (print->json) {
        buffer_printf(&out, "%s{\"name\":", before);
        tool_put_json(&out, name);
        buffer_printf(&out, ",\"count\":%" PRIu64 ",\"bytes\":%" PRIu64 "}", entry->count,
                      entry->bytes);
    } else {
        buffer_printf(&out, "%12" PRIu64 " %14" PRIu64 "  ", entry->count, entry->bytes);
        tool_put_path(&out, name);
        buffer_u8(&out, '\n');
    }
    fwrite(out.data, 1, out.size, stdout);
    buffer_deinit(&out);
}

void stats_print_table(struct stats_print *print, const char *name, const char *title,
                       struct top_table *table, enum top_order order)
{
    uint32_t shown = top_table_sort(table, order, print->top);

    if (print->json)
        printf("%s\"%s\":{\"missing_count\":%" PRIu64 ",\"missing_bytes\":%" PRIu64
               ",\"entries\":[",
               print->before, name, table->missing_count, table->missing_bytes);
    else
        printf("\n%s\n%12s %14s\n", title, "count", "bytes");
    for (uint32_t i = 0; i < shown; i++)
        put_entry(print, &table->entries[i], i == 0 ? "" : ",");
    if (print->json)
        fputs("]}", stdout);
    else if (table->missing_count > 0)
        printf("too many names to keep: up to %" PRIu64 " and %" PRIu64
               " bytes may be missing from a line\n",
               table->missing_count, table->missing_bytes);
    print->before = ",";
}

void stats_print_end(struct stats_print *print)
{
    if (print->json)
        fputs("}\n", stdout);
}
