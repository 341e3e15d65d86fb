/* connect_string.c: connect strings. The last colon of an entry separates the port, so an IPv6 address
 * needs no brackets. */
#include "client/connect_string.h"

#include "base/number.h"
#include "client/paths.h"

enum { PORT_MAX = 65535 };

enum status connect_string_split(struct slice text, struct slice *ret_hosts,
                                 struct slice *ret_chroot)
{
    const uint8_t *slash = text.size == 0 ? NULL : memchr(text.data, '/', text.size);
    struct slice chroot = SLICE("");

    if (slash != NULL) {
        size_t at = (size_t)(slash - text.data);
        chroot = slice_of(slash, text.size - at);
        text.size = at;
        if (!client_path_valid(chroot, false))
            return STATUS_INVALID;
        if (chroot.size == 1)
            chroot = SLICE("");
    }
    *ret_hosts = text;
    *ret_chroot = chroot;
    return STATUS_OK;
}

/* As C reads a number: 0x before hexadecimal digits, 0 before octal ones. */
static bool parse_port(struct slice text, uint16_t *ret_port)
{
    unsigned base = 10;
    int64_t port;

    if (text.size > 2 && text.data[0] == '0' && (text.data[1] | 0x20) == 'x') {
        base = 16;
        text = slice_of(text.data + 2, text.size - 2);
    } else if (text.size > 1 && text.data[0] == '0') {
        base = 8;
    }
    if (!number_parse(text, base, &port) || port <= 0 || port > PORT_MAX)
        return false;
    *ret_port = (uint16_t)port;
    return true;
}

static struct slice without_leading_blanks(struct slice text)
{
    while (text.size > 0 && (text.data[0] == ' ' || text.data[0] == '\t'))
        text = slice_of(text.data + 1, text.size - 1);
    return text;
}

enum status connect_string_next(struct slice *hosts, struct client_host *ret_host)
{
    struct slice entry;

    do {
        if (hosts->size == 0)
            return STATUS_END;
        const uint8_t *comma = memchr(hosts->data, ',', hosts->size);
        size_t size = comma == NULL ? hosts->size : (size_t)(comma - hosts->data);
        size_t taken = comma == NULL ? size : size + 1;
        entry = slice_of(hosts->data, size);
        *hosts = slice_of(hosts->data + taken, hosts->size - taken);
    } while (entry.size == 0);

    size_t colon = entry.size;
    while (colon > 0 && entry.data[colon - 1] != ':')
        colon--;
    if (colon == 0)
        return STATUS_INVALID;
    struct slice port = slice_of(entry.data + colon, entry.size - colon);
    if (!parse_port(port, &ret_host->port))
        return STATUS_INVALID;
    ret_host->name = without_leading_blanks(slice_of(entry.data, colon - 1));
    return STATUS_OK;
}
