/* SPDX-License-Identifier: MIT */
/* Jobs for worker processes. */
#ifndef WORKER_JOBS_H
#define WORKER_JOBS_H

#include <errno.h>
#include <unistd.h>

#include "harness.h"

static inline void needs_workers(void)
{
    if (test_is_on_valgrind())
        test_skip("/proc/self/exe is valgrind itself there");
}

static inline int fib(int n, long *result)
{
    long a = 0, b = 0;

    if (n < 2) {
        *result = n;
        return 0;
    }
    EDDY_TRY(fib(n - 1, &a));
    EDDY_TRY(fib(n - 2, &b));
    *result = a + b;
    return 0;
}
EDDY_ASYNC_RESULT(long, fib, int);

static inline int process_id(int *pid)
{
    *pid = getpid();
    return 7;
}
EDDY_ASYNC_RESULT(int, process_id);

static inline int sleep_for(double seconds)
{
    usleep((useconds_t)(seconds * 1e6));
    return 0;
}
EDDY_ASYNC(sleep_for, double);

static inline int reverse(const void *input, size_t size, eddy_bytes *output)
{
    EDDY_TRY(eddy_bytes_resize(output, size));
    for (size_t i = 0; i < size; i++)
        ((char *)output->data)[i] = ((const char *)input)[size - 1 - i];
    return 0;
}

static inline bool is_gone(int pid)
{
    return kill(pid, 0) < 0 && errno == ESRCH;
}

#endif
