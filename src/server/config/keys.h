/* keys.h: every name that has a meaning in zoo.cfg or as a -D property, and the handler of its
 * value. */
#ifndef SERVER_CONFIG_KEYS_H
#define SERVER_CONFIG_KEYS_H

#include "server/config/config.h"

enum key_place {                /* where a key may stand */
                 KEY_FILE_LINE, /* QuorumPeerConfig knows it: a line of the file; bad values are errors */
                 KEY_LINE_OR_PROPERTY, /* the same, and -Dzookeeper.X */
                 KEY_PROPERTY, /* a system property zookeeper.X: a line of the file, or -Dzookeeper.X */
                 KEY_BARE_PROPERTY /* a system property without prefix: a line, -DX or -Dzookeeper.X */
};

enum value_type {
    VALUE_INT,
    VALUE_LONG,
    VALUE_BOOL,
    VALUE_TEXT,
    VALUE_DOUBLE,
    VALUE_KB,    /* a number of KB, kept as bytes */
    VALUE_YES,   /* true only for "yes" */
    VALUE_NOT_NO /* false only for "no" */
};

struct key;

/* A value that somebody gave. */
struct setting {
    const struct key *key;
    const char *name; /* without "zookeeper."; the key's own unless that is a pattern */
    const char *value;
    int line; /* 0: a -D property */
};

struct key {
    const char *name; /* a last "*" stands for any rest */
    enum key_place place;
    void (*take)(struct config *config, const struct setting *setting);
    enum value_type type; /* of key_take_field(): what the field at `offset` takes */
    size_t offset;
    const char *harmless_value; /* NULL: every value asks for something */
};

/* NULL: an unknown key, which is ignored. */
const struct key *key_find(const char *name);

#endif
