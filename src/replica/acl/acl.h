/* acl.h: who a client is, and what an ACL allows it to do.
 *
 * Schemes: world, auth (a placeholder), digest, ip, super, and ensemble (which adds no identity).
 * docs/protocol.md, "ACLs and identities". */
#ifndef REPLICA_ACL_ACL_H
#define REPLICA_ACL_ACL_H

#include "base/arena.h"
#include "wire/jute.h"
#include "wire/zk.h"

struct acl_rules { /* from the configuration; slices live as long as the rules */
    bool skip_acl, digest_enabled, ensemble_enabled;
    struct slice digest_algorithm; /* "SHA1", "SHA-256", ... */
    struct slice super_digest;     /* null: nobody is super */
    struct slice ensemble_names;   /* comma list; null: any */
};

struct identity {
    struct slice scheme, id;
};

/* An immutable list: adding makes a new one, so that requests that arrived earlier keep theirs. */
struct identities {
    uint32_t references, count;
    struct identity items[];
};
enum { IDENTITIES_MAX = 64 }; /* of one connection; another one gives AUTH_FAILED */

/* A list with one identity, the client's address; the caller holds its only reference. */
struct identities *identities_new(struct slice address);
/* Of another server's client, as that server knows it: any number, in any order. Of null: nobody. */
struct identities *identities_from(struct jute_vector ids);
struct identities *identities_hold(struct identities *identities);
void identities_release(struct identities *identities);
bool identities_have_scheme(const struct identities *identities, struct slice scheme);

enum auth_answer {
    AUTH_OK,
    AUTH_FAILED,        /* answer -115, then close */
    AUTH_CLOSE_SILENTLY /* the client wants another ensemble: close, so that it tries another server */
};
/* Replaces *identities by a longer list when the client has proved a new identity. */
enum auth_answer acl_authenticate(const struct acl_rules *rules, struct slice scheme,
                                  struct slice auth, struct arena *arena,
                                  struct identities **identities);

/* Does the list give any of the permissions asked? */
bool acl_allows(const struct acl_rules *rules, struct jute_vector acl, int32_t permissions,
                const struct identities *identities);

/* The list in the form in which it is stored: duplicates dropped, `auth` replaced by the client's
 * identities. ZK_INVALID_ACL: it is empty, or an entry is invalid. ZK_MARSHALLING_ERROR: an id is null. */
enum zk_error acl_fix_up(const struct acl_rules *rules, struct jute_vector acl,
                         const struct identities *identities, struct arena *arena,
                         struct jute_vector *ret_acl);

/* The list as a client without ADMIN gets it: the hashes of digest entries are hidden. */
void acl_write_masked(struct buffer *buffer, struct jute_vector acl);
/* The user that whoAmI shows for an identity. */
struct slice identity_user(const struct identity *identity);

#endif
