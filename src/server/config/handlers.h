/* handlers.h: what can be done with a value that was given to a key. Each handler changes the config or
 * notes a problem in it. The table in keys.c says which key has which. */
#ifndef SERVER_CONFIG_HANDLERS_H
#define SERVER_CONFIG_HANDLERS_H

#include "server/config/keys.h"

typedef void key_handler(struct config *config, const struct setting *setting);

key_handler key_take_field;          /* by the key's type, into the field at the key's offset */
key_handler key_take_nothing;        /* ignored, or examined after all lines were read */
key_handler key_take_without_effect; /* one warning: known, and has no effect yet */
key_handler key_take_security;       /* refused: Paddock does not have it */
key_handler key_take_client_port;
key_handler key_take_observer_master_port;
key_handler key_take_size_limit; /* one warning, unless it is Java's default */
key_handler key_take_secure_client_port;
key_handler key_take_purge_interval;
key_handler key_take_prealloc_size;
key_handler key_take_snapshot_size_factor;
key_handler key_take_commit_log_count;
key_handler key_take_busy_poll;
key_handler key_take_election_algorithm;
key_handler key_take_auth_provider;
key_handler key_take_connection_factory;
key_handler key_take_watch_manager;
key_handler key_take_metrics_provider;

#endif
