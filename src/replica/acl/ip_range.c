/* ip_range.c: parses addresses and ranges, and compares their first bits. What is not exactly in one of
 * the known forms is no address. */
#include "replica/acl/ip_range.h"

enum { V4_BYTES = 4, V6_BYTES = 16, V6_GROUPS = 8 };

struct ip {
    uint8_t bytes[V6_BYTES];
    size_t size;
};

static bool parse_v4(struct slice text, struct ip *ret_ip)
{
    unsigned value = 0, digits = 0, count = 0;

    for (size_t i = 0; i <= text.size; i++) {
        if (i < text.size && text.data[i] != '.') {
            if (text.data[i] < '0' || text.data[i] > '9')
                return false;
            value = value * 10 + (text.data[i] - '0');
            if (++digits > 3 || value > 255)
                return false;
            continue;
        }
        if (digits == 0 || count == V4_BYTES)
            return false;
        ret_ip->bytes[count++] = (uint8_t)value;
        value = digits = 0;
    }
    ret_ip->size = V4_BYTES;
    return count == V4_BYTES;
}

static int hex_digit(uint8_t byte)
{
    if (byte >= '0' && byte <= '9')
        return byte - '0';
    if (byte >= 'a' && byte <= 'f')
        return byte - 'a' + 10;
    if (byte >= 'A' && byte <= 'F')
        return byte - 'A' + 10;
    return -1;
}

/* Groups of 1 to 4 hex digits between colons; false on anything else. An empty text has none. */
static bool parse_groups(struct slice text, uint16_t groups[V6_GROUPS], size_t *ret_count)
{
    size_t count = 0, i = 0;

    while (i < text.size) {
        unsigned value = 0, digits = 0;
        for (; i < text.size && text.data[i] != ':'; i++) {
            int digit = hex_digit(text.data[i]);
            if (digit < 0 || ++digits > 4)
                return false;
            value = value << 4 | (unsigned)digit;
        }
        if (digits == 0 || count == V6_GROUPS)
            return false;
        groups[count++] = (uint16_t)value;
        if (i < text.size && ++i == text.size) /* a colon with nothing after */
            return false;
    }
    *ret_count = count;
    return true;
}

static bool parse_v6(struct slice text, struct ip *ret_ip)
{
    uint16_t head[V6_GROUPS] = {0}, tail[V6_GROUPS] = {0};
    size_t head_count = 0, tail_count = 0, gap = text.size;

    for (size_t i = 0; i + 1 < text.size; i++) {
        if (text.data[i] == ':' && text.data[i + 1] == ':') {
            gap = i;
            break;
        }
    }
    if (!parse_groups(slice_of(text.data, gap), head, &head_count))
        return false;
    if (gap < text.size) {
        if (!parse_groups(slice_of(text.data + gap + 2, text.size - gap - 2), tail, &tail_count) ||
            head_count + tail_count >= V6_GROUPS)
            return false;
    } else if (head_count != V6_GROUPS) {
        return false;
    }
    memset(ret_ip->bytes, 0, V6_BYTES);
    for (size_t i = 0; i < head_count; i++) {
        ret_ip->bytes[i * 2] = (uint8_t)(head[i] >> 8);
        ret_ip->bytes[i * 2 + 1] = (uint8_t)head[i];
    }
    for (size_t i = 0; i < tail_count; i++) {
        size_t at = (V6_GROUPS - tail_count + i) * 2;
        ret_ip->bytes[at] = (uint8_t)(tail[i] >> 8);
        ret_ip->bytes[at + 1] = (uint8_t)tail[i];
    }
    ret_ip->size = V6_BYTES;
    return true;
}

static bool parse_ip(struct slice text, struct ip *ret_ip)
{
    const uint8_t *scope = text.size == 0 ? NULL : memchr(text.data, '%', text.size);

    if (scope != NULL)
        text.size = (size_t)(scope - text.data);
    if (text.size > 0 && memchr(text.data, ':', text.size) != NULL)
        return parse_v6(text, ret_ip);
    return parse_v4(text, ret_ip);
}

static bool parse_range(struct slice range, struct ip *ret_ip, unsigned *ret_bits)
{
    const uint8_t *slash = range.size == 0 ? NULL : memchr(range.data, '/', range.size);
    struct slice address = range;

    if (slash != NULL)
        address.size = (size_t)(slash - range.data);
    if (memchr(range.data, '%', range.size) != NULL || !parse_ip(address, ret_ip))
        return false;
    *ret_bits = (unsigned)ret_ip->size * 8;
    if (slash == NULL)
        return true;
    unsigned bits = 0, digits = 0;
    for (size_t i = address.size + 1; i < range.size; i++) {
        if (range.data[i] < '0' || range.data[i] > '9' || ++digits > 3)
            return false;
        bits = bits * 10 + (range.data[i] - '0');
    }
    if (digits == 0 || bits > *ret_bits)
        return false;
    *ret_bits = bits;
    return true;
}

bool ip_range_valid(struct slice range)
{
    struct ip ip;
    unsigned bits;
    return range.size > 0 && parse_range(range, &ip, &bits);
}

bool ip_range_contains(struct slice range, struct slice address)
{
    struct ip wanted, peer;
    unsigned bits;

    if (range.size == 0 || !parse_range(range, &wanted, &bits) || !parse_ip(address, &peer) ||
        wanted.size != peer.size)
        return false;
    for (size_t i = 0; i < wanted.size && bits > 0; i++) {
        unsigned in_byte = bits >= 8 ? 8 : bits;
        uint8_t mask = (uint8_t)(0xff << (8 - in_byte));
        if (((wanted.bytes[i] ^ peer.bytes[i]) & mask) != 0)
            return false;
        bits -= in_byte;
    }
    return true;
}
