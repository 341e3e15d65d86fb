/* bench.h: `paddock bench`: a load generator for any address that speaks ZooKeeper's protocol. */
#ifndef BENCH_BENCH_H
#define BENCH_BENCH_H

/* argv[0] is "bench". Returns the exit status: 0 done, 1 the run failed, 2 wrong usage. */
int bench_main(int argc, char **argv);

#endif
