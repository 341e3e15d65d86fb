/* options.c: the command line of `paddock bench`.
 *
 * The rule: an option is one row of the table: its name, its kind, the numbers it takes and where its
 * value goes. Reading knows kinds, not options; only the help text names an option again. */
#include "bench/options.h"

#include <getopt.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const op_names[] = {"none", "get", "set", "create", "mix", "watch", "idle"};

const char *bench_op_name(enum bench_op op)
{
    return op_names[op];
}

void bench_options_help(void)
{
    fputs("usage: paddock bench [option...]\n"
          "Measures how fast a ZooKeeper-compatible server answers.\n"
          "\n"
          "  --servers HOST:PORT[,...]  servers to connect to; sessions are spread over them\n"
          "                             (127.0.0.1:2181)\n"
          "  --op OPERATION             what to send (get):\n"
          "                               get     getData on a random path\n"
          "                               set     setData on a random path\n"
          "                               create  create new znodes\n"
          "                               mix     get and set, see --mix\n"
          "                               watch   watch one znode from all sessions; time from\n"
          "                                       setData to the last event\n"
          "                               idle    only pings, for --duration\n"
          "                               none    only create the znodes\n"
          "  --sessions N               client connections (16)\n"
          "  --outstanding N            requests in flight per session (16)\n"
          "  --size BYTES               data of each znode (100)\n"
          "  --paths N                  znodes that get and set choose from (1000)\n"
          "  --mix PERCENT              share of reads in mix (90)\n"
          "  --prefill N                create N znodes first and choose from them\n"
          "  --reuse                    do not create znodes: use those of an earlier run\n"
          "  --spin                     poll for replies instead of sleeping\n"
          "  --duration SECONDS         how long to measure (5)\n"
          "  --warmup SECONDS           load before the measurement (1)\n"
          "  --ops N                    measure N operations (watch: rounds), not a duration\n"
          "  --rate N                   send N requests per second, evenly; latency counts from\n"
          "                             the time at which a request was due\n"
          "  --timeout MS               session timeout (30000)\n"
          "  --seed N                   seed for the choice of paths (1)\n"
          "  --json                     print the result as one line of JSON\n",
          stdout);
}

static bool read_number(const char *name, const char *text, double min, double max, double *ret)
{
    char *end = NULL;
    double number = strtod(text, &end);

    if (end == text || *end != '\0' || !(number >= min && number <= max)) {
        fprintf(stderr, "bench: --%s %s: expected a number from %.0f to %.0f\n", name, text, min,
                max);
        return false;
    }
    *ret = number;
    return true;
}

static bool read_op(const char *text, enum bench_op *ret_op)
{
    for (size_t i = 0; i < ARRAY_LEN(op_names); i++) {
        if (strcmp(text, op_names[i]) == 0) {
            *ret_op = (enum bench_op)i;
            return true;
        }
    }
    fprintf(stderr, "bench: --op %s: expected get, set, create, mix, watch, idle or none\n", text);
    return false;
}

enum option_kind {                   /* the type of the field */
                   OPTION_TEXT,      /* const char * */
                   OPTION_OPERATION, /* enum bench_op */
                   OPTION_U32,
                   OPTION_I32,
                   OPTION_U64,
                   OPTION_DECIMAL, /* double */
                   OPTION_FLAG     /* bool, no value behind it */
};

static const struct option_row {
    const char *name;
    enum option_kind kind;
    double min, max; /* of a number */
    size_t field;    /* its offset in struct bench_options */
} option_rows[] = {
    {"servers", OPTION_TEXT, 0, 0, offsetof(struct bench_options, servers)},
    {"op", OPTION_OPERATION, 0, 0, offsetof(struct bench_options, op)},
    {"sessions", OPTION_U32, 1, 1e6, offsetof(struct bench_options, sessions)},
    {"outstanding", OPTION_U32, 1, 1e5, offsetof(struct bench_options, outstanding)},
    {"size", OPTION_U32, 0, 1e6, offsetof(struct bench_options, data_bytes)},
    {"paths", OPTION_U32, 1, 1e9, offsetof(struct bench_options, paths)},
    {"mix", OPTION_U32, 0, 100, offsetof(struct bench_options, read_percent)},
    {"prefill", OPTION_U32, 1, 1e9, offsetof(struct bench_options, prefill)},
    {"duration", OPTION_DECIMAL, 0, 1e6, offsetof(struct bench_options, duration_s)},
    {"warmup", OPTION_DECIMAL, 0, 1e6, offsetof(struct bench_options, warmup_s)},
    {"ops", OPTION_U64, 1, 1e12, offsetof(struct bench_options, ops)},
    {"rate", OPTION_DECIMAL, 1, 1e9, offsetof(struct bench_options, rate)},
    {"timeout", OPTION_I32, 1, 1e9, offsetof(struct bench_options, timeout_ms)},
    {"seed", OPTION_U64, 0, 1e15, offsetof(struct bench_options, seed)},
    {"reuse", OPTION_FLAG, 0, 0, offsetof(struct bench_options, reuse)},
    {"spin", OPTION_FLAG, 0, 0, offsetof(struct bench_options, spin)},
    {"json", OPTION_FLAG, 0, 0, offsetof(struct bench_options, json)},
};

static bool read_option(const struct option_row *row, const char *value,
                        struct bench_options *options)
{
    void *field = (char *)options + row->field;
    bool is_number = row->kind >= OPTION_U32 && row->kind <= OPTION_DECIMAL;
    double number = 0;

    if (is_number && !read_number(row->name, value, row->min, row->max, &number))
        return false;
    switch (row->kind) {
    case OPTION_TEXT:
        *(const char **)field = value;
        break;
    case OPTION_OPERATION:
        return read_op(value, field);
    case OPTION_U32:
        *(uint32_t *)field = (uint32_t)number;
        break;
    case OPTION_I32:
        *(int32_t *)field = (int32_t)number;
        break;
    case OPTION_U64:
        *(uint64_t *)field = (uint64_t)number;
        break;
    case OPTION_DECIMAL:
        *(double *)field = number;
        break;
    case OPTION_FLAG:
        *(bool *)field = true;
        break;
    }
    return true;
}

bool bench_options_read(int argc, char **argv, struct bench_options *ret_options)
{
    struct option known[ARRAY_LEN(option_rows) + 1] = {{0}};
    struct bench_options options = {.servers = "127.0.0.1:2181",
                                    .op = BENCH_GET,
                                    .sessions = 16,
                                    .outstanding = 16,
                                    .data_bytes = 100,
                                    .paths = 1000,
                                    .read_percent = 90,
                                    .duration_s = 5,
                                    .warmup_s = 1,
                                    .timeout_ms = 30000,
                                    .seed = 1};
    int found, row = 0;

    for (size_t i = 0; i < ARRAY_LEN(option_rows); i++) {
        known[i].name = option_rows[i].name;
        known[i].has_arg = option_rows[i].kind == OPTION_FLAG ? no_argument : required_argument;
    }
    optind = 1;
    while ((found = getopt_long(argc, argv, "", known, &row)) != -1) {
        if (found == '?' || !read_option(&option_rows[row], optarg, &options))
            return false;
    }
    if (optind != argc) {
        fprintf(stderr, "bench: unexpected argument '%s'\n", argv[optind]);
        return false;
    }
    if (options.prefill > 0)
        options.paths = options.prefill;
    *ret_options = options;
    return true;
}
