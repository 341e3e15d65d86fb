/* membership.h: the servers of an ensemble, and which of them are a quorum.
 *
 * A membership is what server.N, group.G, weight.N and version lines say. It is made line by line; then
 * only its version may change. Names are kept as they are written and never resolved. */
#ifndef REPLICA_MEMBERSHIP_MEMBERSHIP_H
#define REPLICA_MEMBERSHIP_MEMBERSHIP_H

#include "base/arena.h"
#include "base/buffer.h"

/* An outside party, named by the operator, that may allow one of two voters to continue alone. */
enum oracle {
    ORACLE_NONE, /* none is named */
    ORACLE_REFUSES,
    ORACLE_GRANTS
};

enum member_role { MEMBER_PARTICIPANT, MEMBER_OBSERVER };

struct member_address {
    struct slice host; /* without the brackets of an IPv6 address */
    uint16_t quorum_port, election_port;
};

struct member {
    int64_t id;
    enum member_role role;
    struct member_address *addresses; /* at least one, sorted by host */
    uint32_t address_count;
    struct slice client_host; /* from after the ';' ("0.0.0.0" for a port alone); null: nothing */
    uint16_t client_port;
};

struct membership {
    struct member *members; /* by id */
    uint32_t member_count, voter_count;
    int64_t version; /* of the configuration; 0: none was ever agreed upon */
    bool hierarchical;
    struct membership_share *shares; /* hierarchical only: who is in which group; by server */
    uint32_t share_count;
    struct membership_group *groups; /* by id */
    uint32_t group_count;

    uint32_t member_capacity, share_capacity, group_capacity, weight_capacity;
    struct membership_weight *weights; /* what the weight lines say; by server */
    uint32_t weight_count;
    struct arena arena;
};
struct membership_share {
    int64_t server, group, weight;
};
struct membership_group {
    int64_t id, weight; /* the sum of all of its servers' */
};
struct membership_weight {
    int64_t server, weight;
};

MUST_USE struct membership *membership_new(void);
void membership_free(struct membership *membership); /* may be NULL */

/* One line; a later one of the same name replaces an earlier one. STATUS_INVALID: `problem` got a
 * sentence, the line changed nothing. `many_addresses`: a server may have several, joined by '|'. */
MUST_USE enum status membership_add(struct membership *membership, struct slice name,
                                    struct slice value, bool many_addresses,
                                    struct buffer *problem);
/* After the last line. STATUS_INVALID: groups and servers do not match; `problem` says how, and
 * `*ret_server` is the server that it is about. */
MUST_USE enum status membership_finish(struct membership *membership, struct buffer *problem,
                                       int64_t *ret_server);

/* The text of /zookeeper/config, of NEWLEADER and of notifications; several addresses are taken
 * as they come. NULL: not such a text, and `problem` says why. */
MUST_USE struct membership *membership_parse(struct slice text, struct buffer *problem);
/* As Java writes it, to the byte: the version stands last, without a newline. */
void membership_write(struct buffer *text, const struct membership *membership);
MUST_USE struct membership *membership_copy(const struct membership *membership);
/* Have both the same servers in the same roles, and the same sets of them as quorums? Addresses and
 * versions may differ. */
bool membership_same_servers(const struct membership *left, const struct membership *right);

/* NULL: no such server. */
const struct member *membership_find(const struct membership *membership, int64_t id);
bool membership_is_voter(const struct membership *membership, int64_t id);
/* How much a voter weighs in a quorum: 1 without groups. 0: it never leads. 0 for all others. */
int64_t membership_weight(const struct membership *membership, int64_t id);
/* Are the voters for which `has` is true a quorum? It is called for voters only. */
bool membership_quorum(const struct membership *membership,
                       bool (*has)(const void *context, int64_t id), const void *context);
/* An oracle may be asked only where there are two voters, and no groups. */
bool membership_heeds_oracle(const struct membership *membership);
/* Are all voters but this server a quorum? */
bool membership_can_spare(const struct membership *membership, int64_t id);

/* ---- Addresses as text ---- */

/* "host" or "[host]" where it holds a colon. */
void membership_put_host(struct buffer *text, struct slice host);
/* Takes one "host:port" from the front of a list joined by '|'. False: the list is empty. */
bool membership_next_address(struct slice *list, struct slice *ret_host, uint16_t *ret_port,
                             bool *ret_valid);

#endif
