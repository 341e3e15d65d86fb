/* zk.c: the checks on paths, and a session's password. A path's bytes are looked at as they stand:
 * the reader of the record has already replaced what is not UTF-8. */
#include "wire/zk.h"

#include "base/buffer.h"

/* The code point that begins here is one that no new path may have. */
static bool code_point_forbidden(const uint8_t *at, size_t left)
{
    if (at[0] < 0x20 || at[0] == 0x7f)
        return true;
    if (at[0] < 0xc2)
        return at[0] >= 0x80;
    if (at[0] == 0xc2)
        return left < 2 || at[1] <= 0x9f;
    if (at[0] < 0xed)
        return false;
    if (at[0] == 0xed)
        return left < 2 || at[1] >= 0xa0;
    if (at[0] == 0xee)
        return true;
    if (at[0] == 0xef)
        return left < 3 || at[1] <= 0xa3 || (at[1] == 0xbf && at[2] >= 0xb0);
    return true;
}

bool zk_path_valid(struct slice path)
{
    if (path.size == 0 || path.data[0] != '/')
        return false;
    if (path.size == 1)
        return true;
    if (path.data[path.size - 1] == '/')
        return false;
    size_t start = 1; /* of the component at hand */
    for (size_t i = 1; i <= path.size; i++) {
        if (i < path.size && path.data[i] != '/') {
            uint8_t byte = path.data[i];
            bool continuation = byte >= 0x80 && byte < 0xc0;
            if (!continuation && code_point_forbidden(path.data + i, path.size - i))
                return false;
            continue;
        }
        size_t size = i - start;
        const uint8_t *name = path.data + start;
        if (size == 0 || (size == 1 && name[0] == '.') ||
            (size == 2 && name[0] == '.' && name[1] == '.'))
            return false;
        start = i + 1;
    }
    return true;
}

static size_t index_after_last_slash(struct slice path)
{
    size_t i = path.size;

    while (i > 0 && path.data[i - 1] != '/')
        i--;
    return i; /* the index after it; 0: there is none */
}

struct slice zk_path_parent(struct slice path)
{
    size_t name_at = index_after_last_slash(path);
    return slice_of(path.data, name_at == 0 ? 0 : name_at - 1);
}

struct slice zk_path_name(struct slice path)
{
    size_t name_at = index_after_last_slash(path);
    return slice_of(path.data + name_at, path.size - name_at);
}

bool zk_path_special(struct slice path)
{
    return slice_equal(path, SLICE("/")) || slice_equal(path, SLICE("/zookeeper")) ||
           slice_equal(path, SLICE("/zookeeper/quota")) ||
           slice_equal(path, SLICE("/zookeeper/config"));
}

void zk_session_password(int64_t session_id, uint8_t ret_password[PASSWORD_BYTES])
{
    const uint64_t mask48 = (UINT64_C(1) << 48) - 1, multiplier = UINT64_C(0x5deece66d);
    uint64_t random = ((uint64_t)session_id ^ UINT64_C(0xb3415c00) ^ multiplier) & mask48;

    for (size_t i = 0; i < PASSWORD_BYTES; i += 4) {
        random = (random * multiplier + 0xb) & mask48;
        uint32_t word = (uint32_t)(random >> 16);
        for (size_t j = 0; j < 4; j++)
            ret_password[i + j] = (uint8_t)(word >> (8 * j));
    }
}
