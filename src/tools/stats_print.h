/* stats_print.h: figures and tables on standard output, as text or as one JSON object. */
#ifndef TOOLS_STATS_PRINT_H
#define TOOLS_STATS_PRINT_H

#include "tools/top_table.h"

struct stats_print {
    bool json;
    uint32_t top;
    const char *before; /* of the JSON form: what stands in front of the next name */
};

void stats_print_begin(struct stats_print *print, bool json, uint32_t top);
void stats_print_number(struct stats_print *print, const char *name, uint64_t value);
void stats_print_hex(struct stats_print *print, const char *name, int64_t value);
void stats_print_text(struct stats_print *print, const char *name, struct slice text);
/* The first ones of the table; `name` in JSON, `title` as text. Where the table has forgotten names it
 * says how much may be missing. Sorts the table. */
void stats_print_table(struct stats_print *print, const char *name, const char *title,
                       struct top_table *table, enum top_order order);
void stats_print_end(struct stats_print *print);

#endif
