/* requests.h: the requests of a load, written straight into a session's buffer. */
#ifndef BENCH_REQUESTS_H
#define BENCH_REQUESTS_H

#include "bench/fleet.h"

#define BENCH_ROOT "/paddock-bench" /* with '/' and ten digits: paths of 25 bytes */
enum { BENCH_PATH_BYTES = 25 };

void bench_path(uint32_t number, char ret_path[BENCH_PATH_BYTES + 1]);
void request_get(struct fleet_session *session, struct slice path, bool watch);
void request_set(struct fleet_session *session, struct slice path, struct slice data);
void request_create(struct fleet_session *session, struct slice path, struct slice data);

#endif
