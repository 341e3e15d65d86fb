/* requests.c: paths and requests of a load. Nothing is allocated for a request that is sent many times. */
#include "bench/requests.h"

#include "wire/records.h"

#define NUMBER_0 "0000000000"
enum { NUMBER_DIGITS = sizeof(NUMBER_0) - 1, PATH_AT = 4 /* in a body, after its length */ };

/* Two digits at a time: of all that a request costs here this is the most. */
static void put_number(uint8_t path[BENCH_PATH_BYTES], uint32_t number)
{
    static const char pairs[] = "000102030405060708091011121314151617181920212223242526272829"
                                "303132333435363738394041424344454647484950515253545556575859"
                                "606162636465666768697071727374757677787980818283848586878889"
                                "90919293949596979899";

    memcpy(path + BENCH_PATH_BYTES - NUMBER_DIGITS, NUMBER_0, NUMBER_DIGITS);
    for (uint8_t *at = path + BENCH_PATH_BYTES - 2; number > 0; at -= 2, number /= 100)
        memcpy(at, pairs + 2 * (number % 100), 2);
}

void bench_path(uint32_t number, char ret_path[BENCH_PATH_BYTES + 1])
{
    memcpy(ret_path, BENCH_ROOT "/" NUMBER_0, BENCH_PATH_BYTES + 1);
    put_number((uint8_t *)ret_path, number);
}

static struct slice path_number_0(void)
{
    return SLICE(BENCH_ROOT "/" NUMBER_0);
}

void request_form_get(struct request_form *form, bool watch)
{
    *form = (struct request_form){.op = OP_GET_DATA};
    path_watch_request_write(&form->body, &(struct path_watch_request){path_number_0(), watch});
}

void request_form_set(struct request_form *form, struct slice data)
{
    struct set_data_request request = {.path = path_number_0(), .data = data, .version = -1};

    *form = (struct request_form){.op = OP_SET_DATA};
    set_data_request_write(&form->body, &request);
}

void request_form_deinit(struct request_form *form)
{
    buffer_deinit(&form->body);
}

void request_send(struct fleet_session *session, struct request_form *form, uint32_t number)
{
    put_number(form->body.data + PATH_AT, number);
    fleet_send(session, form->op, buffer_slice(&form->body));
}

void request_create(struct fleet_session *session, struct slice path, struct slice data)
{
    /* one entry: world:anyone may do everything */
    static const uint8_t open_acl[] = "\0\0\0\x1f\0\0\0\5world\0\0\0\6anyone";
    struct create_request request = {.path = path,
                                     .data = data,
                                     .acl = {slice_of(open_acl, sizeof(open_acl) - 1), 1},
                                     .flags = MODE_PERSISTENT};
    struct buffer body = {0};

    create_request_write(&body, &request);
    fleet_send(session, OP_CREATE, buffer_slice(&body));
    buffer_deinit(&body);
}
