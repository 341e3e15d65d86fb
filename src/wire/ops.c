/* ops.c: looking a row up by its number. */
#include "wire/ops.h"

#define ROW_AT(id, number, cons, name, class, record, rules, handler) ROW_##id,
enum { ZK_OPS(ROW_AT) ROW_COUNT };

#define ROW(id, number, cons, name, class, record, rules, handler)                                 \
    [ROW_##id] = {number, OP_CLASS_##class, rules, cons, name},
static const struct op_info rows[ROW_COUNT] = {ZK_OPS(ROW)};

#define FIND(id, number, cons, name, class, record, rules, handler)                                \
    case number:                                                                                   \
        return &rows[ROW_##id];

const struct op_info *op_find(int32_t number)
{
    switch (number) {
        ZK_OPS(FIND)
    default:
        return NULL;
    }
}

const char *op_cons_name(int32_t number)
{
    const struct op_info *op = op_find(number);

    return op == NULL ? "NA" : op->cons_name;
}
