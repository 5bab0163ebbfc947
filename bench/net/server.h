/* SPDX-License-Identifier: MIT */
/*
 * The programs that are measured, and the processes that they become.
 *
 * A server runs on the first processor that this process may use, the load
 * generator on the second. What is started here ends with the driver.
 */
#ifndef BENCH_NET_SERVER_H
#define BENCH_NET_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

/* A program that is measured. */
struct competitor {
    const char *name;
    const char *base;       /* name of the competitor that it is compared with, or NULL */
    const char *command[4]; /* begins with a program of this build, or a path or name of PATH */
    const char *engine;     /* EDDY_ENGINE, or NULL */
    const char *module;     /* that Python must have, or NULL if it is no Python program */
    bool peer;              /* left out by --no-peers; has no options */
    bool tls;               /* measured in the TLS benchmarks only */
    bool present;           /* it could be found or built */
};

/* A process that we have started, and our ends of its pipes. */
struct process {
    pid_t pid;
    FILE *in, *out; /* of the process */
};

struct server {
    struct process process;
    unsigned port;
};

/* The path of a file of this build's bench folder; in a static buffer. */
const char *build_path(const char *name);

/* Starts argv on core number `core`, 0 or 1; exits if it cannot. */
struct process process_start(const char *const *argv, const char *engine, int core);

/* Waits for its end; returns the exit status, -1 if a signal ended it. */
int process_wait(struct process *process);

/* Starts the competitor on any port, with up to 5 more arguments up to a NULL; false and a
 * text on stderr if it does not get ready. */
bool server_start(const struct competitor *competitor, const char *const *more, struct server *out);
void server_stop(struct server *server);

/* Bytes of its own that a process occupies, with the page tables; exits if it cannot tell. */
double process_memory(pid_t pid);

/* Voluntary switches of all its threads, that is, how often it went to sleep. */
double process_sleeps(pid_t pid);

/* Seconds of processor time, user and system. */
double process_cpu(pid_t pid);

/* Marks the competitors that exist, building the Go one; tells of those that do not. */
void competitors_find(struct competitor *competitors, size_t count, bool peers);

_Noreturn void fail(const char *what, int error);

#endif
