/* SPDX-License-Identifier: MIT */
/* A web server that is measured, and the load on it. */
#ifndef BENCH_HTTP_LOAD_H
#define BENCH_HTTP_LOAD_H

#include "contest/competitor.h"

struct http_server {
    struct process process;
    pid_t worker; /* who does the work: itself, or nginx's child */
    unsigned port;
};

/* Makes the files that are served and nginx's configuration, and raises the limit of
 * descriptors. */
void http_prepare(void);

/* Starts a competitor, with so many routes besides, and waits until it answers. */
bool http_server_start(const struct competitor *competitor, unsigned routes,
                       struct http_server *out);
void http_server_stop(struct http_server *server);

/* wrk's load: microseconds of processor time for a request, and thousands of requests a second. */
bool http_measure_load(const struct http_server *server, const char *path, unsigned connections,
                       unsigned pipelined, double seconds, double *figures);

/* Bytes of memory for a connection that has had a request, some seconds later. */
bool http_measure_idle(const struct http_server *server, unsigned connections, double *figures);

#endif
