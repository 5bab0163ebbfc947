/* SPDX-License-Identifier: MIT */
/*
 * What the floors have in common: their command line and their listening socket.
 *
 *   floor-NAME PORT [--sink | --source | --close] [--cert FILE --key FILE]
 */
#ifndef BENCH_FLOORS_LISTENER_H
#define BENCH_FLOORS_LISTENER_H

#include <stdint.h>

#include "contest/fail.h"

#define BLOCK (64 * 1024) /* bytes that a source writes at a time */

enum service {
    SERVICE_ECHO,
    SERVICE_SINK,   /* reads and discards */
    SERVICE_SOURCE, /* writes blocks for ever */
    SERVICE_CLOSE,  /* reads until the end and closes */
};

/* The command line. */
struct request {
    enum service service;
    uint16_t port;          /* 0: any */
    const char *cert, *key; /* files in PEM; NULL if not given */
};

/* Reads the command line; exits with a text if it is wrong. */
struct request request_parse(int argc, char **argv);

/* Listens on 127.0.0.1 without blocking and prints `ready PORT`. What is accepted inherits
 * TCP_NODELAY. Exits with a text on an error. */
int listener_open(uint16_t port);

#endif
