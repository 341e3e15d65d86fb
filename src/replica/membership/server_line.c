/* server_line.c: parses what follows "server.N=".
 *
 * The order of the checks and the messages are Java's, which operators know. */
#include "replica/membership/server_line.h"

#include "base/number.h"

#include <inttypes.h>

enum { PARTS_MAX = 5 };

static const char wrong_form[] =
    " does not have the form server_config or server_config;client_config where server_config is "
    "the pipe separated list of host:port:port or host:port:port:type and client_config is port or "
    "host:port";

#define TEXT(slice) (int)(slice).size, (const char *)(slice).data

static size_t find(struct slice text, char wanted)
{
    const uint8_t *at = text.size == 0 ? NULL : memchr(text.data, wanted, text.size);

    return at == NULL ? text.size : (size_t)(at - text.data);
}

static struct slice skip_bytes(struct slice text, size_t size)
{
    return slice_of(text.data + size, text.size - size);
}

/* Cuts what stands before `separator` off the front; the separator goes too. */
static struct slice cut(struct slice *text, char separator)
{
    size_t size = find(*text, separator);
    struct slice first = slice_of(text->data, size);

    *text = skip_bytes(*text, size < text->size ? size + 1 : size);
    return first;
}

/* "host:1:2" or "[::1]:1:2" cut at its colons. Returns how many parts there are, also when more
 * than fit. */
static size_t split_address(struct slice text, struct slice parts[PARTS_MAX])
{
    size_t count = 0;

    for (;;) {
        size_t start = text.size > 0 && text.data[0] == '[' ? find(text, ']') : 0;
        size_t size =
            start == text.size ? find(text, ':') : start + find(skip_bytes(text, start), ':');
        if (count < PARTS_MAX)
            parts[count] = slice_of(text.data, size);
        count++;
        if (size == text.size)
            return count;
        text = skip_bytes(text, size + 1);
    }
}

static struct slice without_brackets(struct slice host)
{
    if (host.size > 2 && host.data[0] == '[' && host.data[host.size - 1] == ']')
        return slice_of(host.data + 1, host.size - 2);
    return host;
}

static enum status invalid_form(struct slice value, struct buffer *problem)
{
    buffer_printf(problem, "%.*s%s", TEXT(value), wrong_form);
    return STATUS_INVALID;
}

/* Java says "unresolved" for a port that is no number. */
static enum status read_port(struct slice host, struct slice text, const char *expected,
                             struct buffer *problem, uint16_t *ret_port)
{
    int64_t port;

    if (!number_parse(text, 10, &port) || port > INT32_MAX || port < INT32_MIN) {
        buffer_printf(problem, "Address unresolved: %.*s:%.*s%s", TEXT(host), TEXT(text), expected);
        return STATUS_INVALID;
    }
    if (port < 0 || port > UINT16_MAX) {
        buffer_printf(problem, "port out of range:%" PRId64, port);
        return STATUS_INVALID;
    }
    *ret_port = (uint16_t)port;
    return STATUS_OK;
}

static bool same_word(struct slice text, const char *lower)
{
    if (text.size != strlen(lower))
        return false;
    for (size_t i = 0; i < text.size; i++) {
        uint8_t at = text.data[i];
        if ((at >= 'A' && at <= 'Z' ? at + 32 : at) != lower[i])
            return false;
    }
    return true;
}

/* The first word: what stands after it is a comment. */
static enum status read_role(struct slice text, struct buffer *problem, enum member_role *ret_role)
{
    struct slice trimmed = slice_trim(text), word = trimmed;

    word.size = find(word, ' ');
    word.size = find(word, '\t');
    if (same_word(word, "observer")) {
        *ret_role = MEMBER_OBSERVER;
    } else if (same_word(word, "participant")) {
        *ret_role = MEMBER_PARTICIPANT;
    } else {
        buffer_printf(problem, "Unrecognised peertype: %.*s", TEXT(trimmed));
        return STATUS_INVALID;
    }
    return STATUS_OK;
}

static enum status read_client(struct arena *arena, struct slice value, struct slice text,
                               struct member *member, struct buffer *problem)
{
    struct slice parts[PARTS_MAX];
    size_t count = split_address(text, parts);

    if (count > 2)
        return invalid_form(value, problem);
    struct slice host = count == 2 ? parts[0] : SLICE("0.0.0.0");
    enum status status = read_port(host, parts[count - 1], "", problem, &member->client_port);
    if (status == STATUS_OK)
        member->client_host = arena_copy(arena, without_brackets(host));
    return status;
}

/* One of the addresses between the bars; `ret_has_role`: it says a role. */
static enum status read_address(struct slice value, struct slice text, const struct member *member,
                                struct member_address *ret_address, bool *ret_has_role,
                                enum member_role *ret_role, struct buffer *problem)
{
    struct slice parts[PARTS_MAX];
    size_t count = split_address(text, parts);
    enum status status;

    if (count < 3 || count > 4)
        return invalid_form(value, problem);
    status = read_port(parts[0], parts[1], ", expected a port number", problem,
                       &ret_address->quorum_port);
    if (status == STATUS_OK)
        status = read_port(parts[0], parts[2], ", expected a port number", problem,
                           &ret_address->election_port);
    if (status != STATUS_OK)
        return status;
    if (ret_address->quorum_port == ret_address->election_port) {
        buffer_printf(problem,
                      "Client and election port must be different! Please update the configuration "
                      "file on server.%" PRId64,
                      member->id);
        return STATUS_INVALID;
    }
    ret_address->host = without_brackets(parts[0]);
    *ret_has_role = count == 4;
    return count == 4 ? read_role(parts[3], problem, ret_role) : STATUS_OK;
}

static int compare_bytes(struct slice left, struct slice right)
{
    size_t size = left.size < right.size ? left.size : right.size;
    int order = size == 0 ? 0 : memcmp(left.data, right.data, size);

    return order != 0 ? order : left.size < right.size ? -1 : left.size > right.size;
}

/* Kept by host, as Java writes them; one that is there twice counts once. */
static void put_address(struct member *member, struct member_address address)
{
    uint32_t at = member->address_count;

    for (uint32_t i = 0; i < member->address_count; i++) {
        const struct member_address *known = &member->addresses[i];
        if (slice_equal(known->host, address.host) && known->quorum_port == address.quorum_port &&
            known->election_port == address.election_port)
            return;
    }
    while (at > 0 && compare_bytes(member->addresses[at - 1].host, address.host) > 0) {
        member->addresses[at] = member->addresses[at - 1];
        at--;
    }
    member->addresses[at] = address;
    member->address_count++;
}

enum status server_line_read(struct arena *arena, struct slice value, bool many_addresses,
                             struct member *member, struct buffer *problem)
{
    struct slice rest = value, peers = cut(&rest, ';');
    enum status status = STATUS_OK;
    size_t bars = 0;
    bool role_known = false;

    if (peers.size < value.size) /* a third part is for later releases */
        status = read_client(arena, value, cut(&rest, ';'), member, problem);
    if (status != STATUS_OK)
        return status;
    for (size_t i = 0; i < peers.size; i++)
        bars += peers.data[i] == '|' ? 1 : 0;
    if (bars > 0 && !many_addresses) {
        buffer_printf(problem,
                      "Multiple address feature is disabled, but multiple addresses were specified "
                      "for sid %" PRId64,
                      member->id);
        return STATUS_INVALID;
    }
    member->addresses = arena_alloc(arena, (bars + 1) * sizeof(*member->addresses));
    for (size_t i = 0; i <= bars; i++) {
        struct member_address address;
        enum member_role role = MEMBER_PARTICIPANT;
        bool has_role = false;
        status = read_address(value, cut(&peers, '|'), member, &address, &has_role, &role, problem);
        if (status != STATUS_OK)
            return status;
        if (has_role && role_known && role != member->role) {
            buffer_printf(problem, "Multiple addresses should have similar type");
            return STATUS_INVALID;
        }
        if (has_role)
            member->role = role;
        role_known = role_known || has_role;
        address.host = arena_copy(arena, address.host);
        put_address(member, address);
    }
    return STATUS_OK;
}

bool membership_next_address(struct slice *list, struct slice *ret_host, uint16_t *ret_port,
                             bool *ret_valid)
{
    struct slice parts[PARTS_MAX];
    int64_t port = 0;

    if (list->size == 0)
        return false;
    size_t count = split_address(cut(list, '|'), parts);
    *ret_valid = count == 2 && parts[0].size > 0 && number_parse(parts[1], 10, &port) &&
                 port >= 0 && port <= UINT16_MAX;
    *ret_port = (uint16_t)port;
    *ret_host = without_brackets(parts[0]);
    return true;
}
