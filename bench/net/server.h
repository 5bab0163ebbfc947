/* SPDX-License-Identifier: MIT */
/*
 * A competitor as a server.
 *
 * It runs on the first processor that this process may use, the load generator on the second.
 */
#ifndef BENCH_NET_SERVER_H
#define BENCH_NET_SERVER_H

#include "contest/competitor.h"

struct server {
    struct process process;
    unsigned port;
};

/* Starts the competitor on any port, with up to 5 more arguments up to a NULL; false and a
 * text on stderr if it does not get ready. */
bool server_start(const struct competitor *competitor, const char *const *more, struct server *out);
void server_stop(struct server *server);

#endif
