#include "wire/zk.h"

#include "base/buffer.h"

/* The code points Java refuses, over clean three-byte-at-most UTF-8 or its surrogates. */
static bool refused(const uint8_t *at, size_t left)
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
            if (!continuation && refused(path.data + i, path.size - i))
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

static size_t last_slash(struct slice path)
{
    size_t i = path.size;

    while (i > 0 && path.data[i - 1] != '/')
        i--;
    return i; /* one behind it; 0: none */
}

struct slice zk_path_parent(struct slice path)
{
    size_t behind = last_slash(path);
    return slice_of(path.data, behind == 0 ? 0 : behind - 1);
}

struct slice zk_path_name(struct slice path)
{
    size_t behind = last_slash(path);
    return slice_of(path.data + behind, path.size - behind);
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
    uint64_t state = ((uint64_t)session_id ^ UINT64_C(0xb3415c00) ^ multiplier) & mask48;

    for (size_t i = 0; i < PASSWORD_BYTES; i += 4) {
        state = (state * multiplier + 0xb) & mask48;
        uint32_t word = (uint32_t)(state >> 16);
        for (size_t j = 0; j < 4; j++)
            ret_password[i + j] = (uint8_t)(word >> (8 * j));
    }
}
