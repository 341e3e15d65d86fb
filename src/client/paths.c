/* paths.c: the check of paths before they are sent, and the chroot. A path that passes here may still be
 * refused by the server. */
#include "client/paths.h"

static bool is_dots(const uint8_t *name, size_t size)
{
    return (size == 1 && name[0] == '.') || (size == 2 && name[0] == '.' && name[1] == '.');
}

bool client_path_valid(struct slice path, bool sequential)
{
    if (path.size == 0 || path.data[0] != '/')
        return false;
    if (path.size == 1)
        return true;
    size_t start = 1; /* of the component at hand */
    for (size_t i = 1; i <= path.size; i++) {
        if (i < path.size && path.data[i] != '/') {
            if (path.data[i] < 0x1f)
                return false;
            continue;
        }
        bool number_follows = sequential && i == path.size;
        size_t size = i - start;
        if (!number_follows && (size == 0 || is_dots(path.data + start, size)))
            return false;
        start = i + 1;
    }
    return true;
}

struct slice client_path_without_chroot(struct slice chroot, struct slice path)
{
    if (chroot.size == 0 || !slice_starts_with(path, chroot))
        return path;
    if (path.size == chroot.size)
        return SLICE("/");
    if (path.data[chroot.size] != '/')
        return path;
    return slice_of(path.data + chroot.size, path.size - chroot.size);
}
