/* requests.h: the requests of a load, written straight into a session's buffer. */
#ifndef BENCH_REQUESTS_H
#define BENCH_REQUESTS_H

#include "bench/fleet.h"

#define BENCH_ROOT "/paddock-bench" /* with '/' and ten digits: paths of 25 bytes */
enum { BENCH_PATH_BYTES = 25 };

void bench_path(uint32_t number, char ret_path[BENCH_PATH_BYTES + 1]);

/* A request that is made once and sent many times: only the number at the end of its path changes. */
struct request_form {
    int32_t op;
    struct buffer body;
};
void request_form_get(struct request_form *form, bool watch);
void request_form_set(struct request_form *form, struct slice data);
void request_form_deinit(struct request_form *form);
void request_send(struct fleet_session *session, struct request_form *form, uint32_t number);

void request_create(struct fleet_session *session, struct slice path, struct slice data);

#endif
