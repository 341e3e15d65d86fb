/* options.h: the command line of `paddock bench`. */
#ifndef BENCH_OPTIONS_H
#define BENCH_OPTIONS_H

#include "base/base.h"

enum bench_op {
    BENCH_NONE, /* only the prefill */
    BENCH_GET,
    BENCH_SET,
    BENCH_CREATE,
    BENCH_MIX,
    BENCH_WATCH,
    BENCH_IDLE
};

struct bench_options {
    const char *servers;
    enum bench_op op;
    uint32_t sessions, outstanding;
    uint32_t data_bytes;
    uint32_t paths;   /* znodes that get and set choose from */
    uint32_t prefill; /* znodes made before; 0: only `paths` of them */
    uint32_t read_percent;
    double duration_s, warmup_s;
    double rate;  /* requests per second, at equal intervals; 0: as fast as answers come */
    uint64_t ops; /* 0: by duration */
    int32_t timeout_ms;
    uint64_t seed;
    bool spin; /* poll for replies instead of sleeping: the client's wake-up is not measured */
    bool json;
    bool reuse; /* the znodes exist from an earlier run */
};

const char *bench_op_name(enum bench_op op);
/* False: the error was printed on stderr. */
MUST_USE bool bench_options_read(int argc, char **argv, struct bench_options *ret_options);
void bench_options_help(void);

#endif
