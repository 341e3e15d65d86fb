#include "bench/options.h"

#include <getopt.h>
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
          "  --servers HOST:PORT[,...]  default 127.0.0.1:2181; sessions are spread over them\n"
          "  --op get|set|create|mix|watch|idle|none\n"
          "  --sessions N               connections (16)\n"
          "  --outstanding M            requests in flight on each (16)\n"
          "  --size BYTES               data of a znode (100)\n"
          "  --paths N                  znodes that get and set choose from (1000)\n"
          "  --mix PERCENT              reads of mix (90)\n"
          "  --prefill N                first make N znodes, 25-byte paths, and use them all\n"
          "  --reuse                    the znodes are there from an earlier run: make none\n"
          "  --spin                     poll for replies instead of sleeping\n"
          "  --duration S, --warmup S   seconds measured (5), and before (1)\n"
          "  --rate R                   R requests a second at even distances; a latency counts\n"
          "                             from when the request was due\n"
          "  --ops N                    end after N operations (watch: rounds) instead\n"
          "  --timeout MS               session timeout (30000)\n"
          "  --seed N                   choice of paths (1)\n"
          "  --json                     one line of JSON on stdout\n"
          "watch: one znode, a watch of every session on it; the time from setData to the last\n"
          "event. idle: sessions that only ping, for --duration.\n",
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

bool bench_options_read(int argc, char **argv, struct bench_options *ret_options)
{
    enum {
        SERVERS = 1,
        OP,
        SESSIONS,
        OUTSTANDING,
        SIZE,
        PATHS,
        MIX,
        PREFILL,
        DURATION,
        WARMUP,
        OPS,
        RATE,
        TIMEOUT,
        SEED,
        REUSE,
        SPIN,
        JSON
    };
    static const struct option known[] = {{"servers", required_argument, NULL, SERVERS},
                                          {"op", required_argument, NULL, OP},
                                          {"sessions", required_argument, NULL, SESSIONS},
                                          {"outstanding", required_argument, NULL, OUTSTANDING},
                                          {"size", required_argument, NULL, SIZE},
                                          {"paths", required_argument, NULL, PATHS},
                                          {"mix", required_argument, NULL, MIX},
                                          {"prefill", required_argument, NULL, PREFILL},
                                          {"duration", required_argument, NULL, DURATION},
                                          {"warmup", required_argument, NULL, WARMUP},
                                          {"ops", required_argument, NULL, OPS},
                                          {"rate", required_argument, NULL, RATE},
                                          {"timeout", required_argument, NULL, TIMEOUT},
                                          {"seed", required_argument, NULL, SEED},
                                          {"reuse", no_argument, NULL, REUSE},
                                          {"spin", no_argument, NULL, SPIN},
                                          {"json", no_argument, NULL, JSON},
                                          {NULL, 0, NULL, 0}};
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
    double number = 0;
    int which, at = 0;

    optind = 1;
    while ((which = getopt_long(argc, argv, "", known, &at)) != -1) {
        const char *name = which == '?' ? "" : known[at].name;
        bool fine = true;
        switch (which) {
        case SERVERS:
            options.servers = optarg;
            break;
        case OP:
            fine = read_op(optarg, &options.op);
            break;
        case SESSIONS:
            fine = read_number(name, optarg, 1, 1000000, &number);
            options.sessions = (uint32_t)number;
            break;
        case OUTSTANDING:
            fine = read_number(name, optarg, 1, 100000, &number);
            options.outstanding = (uint32_t)number;
            break;
        case SIZE:
            fine = read_number(name, optarg, 0, 1000000, &number);
            options.data_bytes = (uint32_t)number;
            break;
        case PATHS:
            fine = read_number(name, optarg, 1, 1e9, &number);
            options.paths = (uint32_t)number;
            break;
        case MIX:
            fine = read_number(name, optarg, 0, 100, &number);
            options.read_percent = (uint32_t)number;
            break;
        case PREFILL:
            fine = read_number(name, optarg, 1, 1e9, &number);
            options.prefill = (uint32_t)number;
            break;
        case DURATION:
            fine = read_number(name, optarg, 0, 1e6, &options.duration_s);
            break;
        case WARMUP:
            fine = read_number(name, optarg, 0, 1e6, &options.warmup_s);
            break;
        case OPS:
            fine = read_number(name, optarg, 1, 1e12, &number);
            options.ops = (uint64_t)number;
            break;
        case RATE:
            fine = read_number(name, optarg, 1, 1e9, &options.rate);
            break;
        case TIMEOUT:
            fine = read_number(name, optarg, 1, 1e9, &number);
            options.timeout_ms = (int32_t)number;
            break;
        case SEED:
            fine = read_number(name, optarg, 0, 1e15, &number);
            options.seed = (uint64_t)number;
            break;
        case REUSE:
            options.reuse = true;
            break;
        case SPIN:
            options.spin = true;
            break;
        case JSON:
            options.json = true;
            break;
        default:
            fine = false;
        }
        if (!fine)
            return false;
    }
    if (optind != argc) {
        fprintf(stderr, "bench: what is '%s'?\n", argv[optind]);
        return false;
    }
    if (options.prefill > 0)
        options.paths = options.prefill;
    *ret_options = options;
    return true;
}
