/* SPDX-License-Identifier: MIT */
/* What is measured: the names of the command line. */
#ifndef BENCH_NET_BENCHMARK_H
#define BENCH_NET_BENCHMARK_H

#include "contest/contest.h"
#include "server.h"

/* The command line. */
struct settings {
    unsigned rounds;
    unsigned connections; /* of this run, 0: what the benchmark takes by itself */
    double seconds;       /* of a measurement, 0: the same */
    char *cert, *key;     /* files for TLS */
};

struct benchmark {
    const char *name, *text;
    const char *option;      /* of the server, or NULL */
    unsigned connections[4]; /* one run each, up to a 0 */
    bool peers, tls;         /* who takes part */
    struct figure figures[FIGURES + 1];
    const char *load[3]; /* mode of the load generator and what else it is told */
    bool (*measure)(const struct benchmark *benchmark, const struct settings *settings,
                    const struct server *server, double *figures);
};

/* Their order is the order in which they are run; the last one has no name. */
extern const struct benchmark benchmarks[];

#endif
