/* SPDX-License-Identifier: MIT */
/* The processes that are measured or that measure. What is started here ends with the driver. */
#ifndef BENCH_CONTEST_PROCESS_H
#define BENCH_CONTEST_PROCESS_H

#include <stdio.h>
#include <sys/types.h>

#define ANYWHERE (-1) /* no processor in particular */

/* A process that we have started, and our ends of its pipes. */
struct process {
    pid_t pid;
    FILE *in, *out; /* of the process */
};

/* Starts argv on the n-th processor that we may use, from 0, or ANYWHERE; `engine` becomes its
 * EDDY_ENGINE unless NULL. Exits if it cannot. */
struct process process_start(const char *const *argv, const char *engine, int core);

/* Waits for its end; returns the exit status, -1 if a signal ended it. */
int process_wait(struct process *process);

/* Bytes of its own that a process occupies, with the page tables; exits if it cannot tell. */
double process_memory(pid_t pid);

/* Voluntary switches of all its threads, that is, how often it went to sleep. */
double process_sleeps(pid_t pid);

/* Seconds of processor time, user and system. */
double process_cpu(pid_t pid);

/* Seconds that the thread which calls it first has been ready and had no processor, because
 * others had it; 0 where the kernel does not tell. To be called by that thread alone. */
double thread_waited(void);

#endif
