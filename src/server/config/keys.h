/* keys.h: every name that means something in zoo.cfg, and what happens with it. */
#ifndef SERVER_CONFIG_KEYS_H
#define SERVER_CONFIG_KEYS_H

#include "server/config/config.h"

enum key_source {
    KEY_PARSED,   /* QuorumPeerConfig knows it: only from the file, bad values are errors */
    KEY_PROPERTY, /* a system property zookeeper.X: file or -D word */
    KEY_BARE      /* a system property without prefix: file or -D word, both forms taken */
};

enum key_effect {
    KEY_APPLIED, /* `offset` takes the value */
    KEY_HANDLED, /* config.c or ensemble.c look at it themselves */
    KEY_QUIET,   /* about a JVM, or about an ensemble: right for a server alone to ignore */
    KEY_NOT_YET, /* it would change what people see, and does not yet: one warning */
    KEY_SECURITY /* asks for SASL, x509 or TLS: refused */
};

enum value_kind {
    VALUE_INT,
    VALUE_LONG,
    VALUE_BOOL,
    VALUE_TEXT,
    VALUE_DOUBLE,
    VALUE_KB,    /* a number of KB, kept as bytes */
    VALUE_YES,   /* true only for "yes" */
    VALUE_NOT_NO /* false only for "no" */
};

struct key {
    const char *name; /* a last "*" stands for any rest */
    enum key_source source;
    enum key_effect effect;
    enum value_kind kind;
    size_t offset;
    const char *quiet_value; /* NOT_YET, SECURITY: nothing is asked when it has this value */
};

/* NULL: nobody knows it, and nobody minds. */
const struct key *key_find(const char *name);
/* Value of a known key into its place. `line` 0: a -D word. */
void key_apply(struct config *config, const struct key *key, const char *name, const char *value,
               int line);

#endif
