/* SPDX-License-Identifier: MIT */
/*
 * The load generator: what its modes have in common.
 *
 * A mode opens its connections, then works until window_over() says so, which
 * prints the one line of the result. An error ends the program with a text: a
 * measurement that met one is worth nothing.
 */
#ifndef BENCH_LOAD_LOAD_H
#define BENCH_LOAD_LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "contest/fail.h"
#include "contest/stopwatch.h"

#define BLOCK (64 * 1024) /* bytes that a stream takes at a time */

/* The command line. */
struct load {
    uint16_t port;
    unsigned connections;
    unsigned depth;  /* messages in flight on a connection */
    size_t size;     /* bytes of a message */
    double seconds;  /* of the measured part */
    double warm_up;  /* seconds before it */
    uint64_t rounds; /* that end it early, unless 0 */
    pid_t server;    /* whose processor time is read, unless 0 */
    bool receive;    /* a stream comes from the server */
    const char *ca;  /* file with the certificate to trust */
};

/* The measured part of a run. */
struct window {
    const struct load *load;
    double begin, cpu;     /* at its begin; the time in which it is to begin, before */
    uint64_t count, bytes; /* done before it began */
    bool open;
};

/* Memory, zeroed; never NULL. */
void *allocate(size_t count, size_t size);

/* Starts the warm-up. */
void window_start(struct window *window, const struct load *load);

/* Tells what has been done since the start. True once the measured part is over: the line
 * `count=N bytes=N seconds=S cpu=S` has been printed then, cpu being the server's. */
bool window_over(struct window *window, uint64_t count, uint64_t bytes);

/* Connects connection number `number`, blocking, with TCP_NODELAY. The number chooses the
 * source address, as one has ports for 28,000 only. */
int connect_to(const struct load *load, unsigned number);

void load_echo(const struct load *load);
void load_websocket(const struct load *load);
void load_stream(const struct load *load);
void load_accept(const struct load *load);
void load_idle(const struct load *load);
void load_tls_handshake(const struct load *load);
void load_tls_bulk(const struct load *load);

#endif
