/* ensemble.h: the server.N, group.N and weight.N lines: who the servers are, and whether Java would
 * accept that. */
#ifndef SERVER_CONFIG_ENSEMBLE_H
#define SERVER_CONFIG_ENSEMBLE_H

#include "server/config/config.h"

/* Counts voters and observers and reports what is wrong with the lines. The lines are those of
 * config->file, or of `dynamic` when it is not NULL (a file with nothing else in it). */
void ensemble_read(struct config *config, const struct properties *dynamic);
/* After myid is known: the client port after `;`, initLimit, syncLimit, myid itself. */
void ensemble_check(struct config *config, const struct properties *dynamic);
/* The client port's address is given twice, and differently: an error. */
void ensemble_client_address_differs(struct config *config, const struct client_hosts *hosts,
                                     int32_t line_port);
/* The server's number, for `conf` and for session ids. In an ensemble both are the number in myid.
 * A standalone server is 0 in `conf` and 1 in the top byte of its session ids, also when it has a
 * myid (seen with ZooKeeper 3.8.0). */
int64_t ensemble_server_id(const struct config *config);
uint8_t ensemble_session_server_id(const struct config *config);
/* True for more than one voter, or standaloneEnabled=false: Java would run the quorum code. */
bool ensemble_distributed(const struct config *config);
/* syncEnabled, unless observer.syncEnabled says otherwise. */
bool ensemble_observer_logs(const struct config *config);
/* localSessionsEnabled, which has no meaning for a standalone server. */
bool ensemble_local_sessions(const struct config *config);

#endif
