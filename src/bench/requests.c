/* requests.c: paths and requests of a load. They are written in place: no copy, no allocation. */
#include "bench/requests.h"

#include "wire/records.h"
#include "wire/zk.h"

void bench_path(uint32_t number, char ret_path[BENCH_PATH_BYTES + 1])
{
    memcpy(ret_path, BENCH_ROOT "/0000000000", BENCH_PATH_BYTES + 1);
    for (char *at = ret_path + BENCH_PATH_BYTES - 1; number > 0; at--, number /= 10)
        *at = (char)('0' + number % 10);
}

void request_get(struct fleet_session *session, struct slice path, bool watch)
{
    struct path_watch_request request = {.path = path, .watch = watch};

    path_watch_request_write(fleet_request_begin(session, OP_GET_DATA), &request);
    fleet_request_end(session);
}

void request_set(struct fleet_session *session, struct slice path, struct slice data)
{
    struct set_data_request request = {.path = path, .data = data, .version = -1};

    set_data_request_write(fleet_request_begin(session, OP_SET_DATA), &request);
    fleet_request_end(session);
}

void request_create(struct fleet_session *session, struct slice path, struct slice data)
{
    /* one entry: world:anyone may do everything */
    static const uint8_t open_acl[] = "\0\0\0\x1f\0\0\0\5world\0\0\0\6anyone";
    struct create_request request = {.path = path,
                                     .data = data,
                                     .acl = {slice_of(open_acl, sizeof(open_acl) - 1), 1},
                                     .flags = MODE_PERSISTENT};

    create_request_write(fleet_request_begin(session, OP_CREATE), &request);
    fleet_request_end(session);
}
