/* walk.h: goes through a subtree, a parent before its children and these in the order of their
 * names, with many outstanding requests. Memory holds what was read ahead, and the names of
 * children that are still to be visited: it grows with the depth and the width of the tree, not
 * with the number of znodes. */
#ifndef SHELL_WALK_H
#define SHELL_WALK_H

#include "shell/service.h"
#include "wire/records.h"

struct walk_node {
    const char *path;
    size_t depth; /* the root has 0 */
    bool last;    /* of the children of its parent */
    /* Why this znode could not be read, ZK_NO_AUTH for instance; then its children are not visited,
     * and the fields below are zero. */
    int32_t err;
    struct zk_stat stat;
    struct slice data;      /* with_data */
    struct jute_vector acl; /* with_acl */
    /* with_kind, which may be used with a Paddock server only. */
    bool kind_known;
    enum owner_kind kind;
    int64_t ttl_ms;
};

/* False: the walk ends. The node is valid during the call, which may not use the connection. */
typedef bool walk_visit(void *context, const struct walk_node *node);

struct walk_options {
    bool with_data, with_acl, with_kind; /* the other two only together with data */
    size_t depth_max;                    /* deeper znodes are not visited */
    const char *leave_out; /* this path is not visited, nor what is below it; NULL: none */
};
enum { WALK_ALL = INT32_MAX };

/* A znode below the root that is deleted meanwhile is not visited. ZK_OK also when `visit` ended it; else
 * the error of the root, or what became of the connection. */
int32_t walk(struct service *connection, const char *root, const struct walk_options *options,
             walk_visit *visit, void *context);

#endif
