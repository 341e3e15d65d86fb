/* tool_filter.c: paths fit whole names only: below /a is /a/b, and not /ab. */
#include "tools/tool_filter.h"

#include "base/number.h"

#include <stdlib.h>

void tool_filter_init(struct tool_filter *filter)
{
    *filter = (struct tool_filter){.zxid_first = INT64_MIN, .zxid_last = INT64_MAX};
}

bool tool_filter_set_path(struct tool_filter *filter, struct slice path, bool below)
{
    if (path.size == 0 || path.data[0] != '/' || (path.size > 1 && path.data[path.size - 1] == '/'))
        return false;
    filter->has_path = true;
    filter->below = below;
    filter->path = path;
    return true;
}

bool tool_filter_path(const struct tool_filter *filter, struct slice path)
{
    if (!filter->has_path)
        return true;
    if (path.data == NULL)
        return false;
    if (path.size == 0) /* the root, as a snapshot has it */
        path = SLICE("/");
    if (slice_equal(path, filter->path))
        return true;
    if (!filter->below)
        return false;
    return filter->path.size == 1 ||
           (slice_starts_with(path, filter->path) && path.data[filter->path.size] == '/');
}

static bool zxid_matches(const struct tool_filter *filter, int64_t zxid)
{
    return zxid >= filter->zxid_first && zxid <= filter->zxid_last;
}

static bool any_path(const struct tool_filter *filter, const struct txn *txn)
{
    struct jute_vector paths = txn->op.paths;
    struct slice path;

    if (tool_filter_path(filter, txn->op.path))
        return true;
    for (int32_t i = 0; i < txn->op_count; i++) {
        if (tool_filter_path(filter, txn->ops[i].path))
            return true;
    }
    while (paths.count > 0 && jute_next_text(&paths, &path)) {
        if (tool_filter_path(filter, path))
            return true;
    }
    return false;
}

bool tool_filter_txn(const struct tool_filter *filter, const struct txn *txn)
{
    return zxid_matches(filter, txn->header.zxid) &&
           (!filter->has_session || txn->header.client_id == filter->session) &&
           (!filter->has_path || any_path(filter, txn));
}

bool tool_filter_node(const struct tool_filter *filter, struct slice path,
                      const struct stat_persisted *stat)
{
    return tool_filter_path(filter, path) &&
           (!filter->has_session || stat->owner == filter->session) &&
           (zxid_matches(filter, stat->czxid) || zxid_matches(filter, stat->mzxid) ||
            zxid_matches(filter, stat->pzxid));
}

/* Hexadecimal numbers have 64 bits, the highest one included. */
static bool parse_hex(const char *digits, int64_t *ret_value)
{
    uint64_t value = 0;
    size_t count = strlen(digits);

    if (count == 0 || count > 16)
        return false;
    for (size_t i = 0; i < count; i++) {
        int64_t digit;
        if (!number_parse(slice_of(digits + i, 1), 16, &digit))
            return false;
        value = value << 4 | (uint64_t)digit;
    }
    *ret_value = (int64_t)value;
    return true;
}

bool tool_session_parse(const char *text, int64_t *ret_session)
{
    if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X'))
        return parse_hex(text + 2, ret_session);
    return text[0] != '+' && number_parse(slice_text(text), 10, ret_session);
}

bool tool_zxid_parse(const char *text, int64_t *ret_zxid)
{
    int64_t zxid;

    if (!tool_session_parse(text, &zxid) || zxid < 0)
        return false;
    *ret_zxid = zxid;
    return true;
}

bool tool_zxid_range_parse(const char *text, int64_t *ret_first, int64_t *ret_last)
{
    const char *dots = strstr(text, "..");
    int64_t first = INT64_MIN, last = INT64_MAX;
    char start[24];

    if (dots == NULL) {
        if (!tool_zxid_parse(text, &first))
            return false;
        last = first;
    } else {
        size_t size = (size_t)(dots - text);
        if (size >= sizeof(start) || (size == 0 && dots[2] == '\0'))
            return false;
        memcpy(start, text, size);
        start[size] = '\0';
        if ((size > 0 && !tool_zxid_parse(start, &first)) ||
            (dots[2] != '\0' && !tool_zxid_parse(dots + 2, &last)) || first > last)
            return false;
    }
    *ret_first = first;
    *ret_last = last;
    return true;
}
