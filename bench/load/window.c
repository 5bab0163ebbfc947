/* SPDX-License-Identifier: MIT */
#include "load.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

static double read_clock(clockid_t clock)
{
    struct timespec t;

    if (clock_gettime(clock, &t) < 0)
        fail("clock_gettime", errno);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Seconds of processor time, user and system, of all threads of the server; 0 without one. */
static double server_cpu(const struct load *load)
{
    clockid_t clock;

    if (load->server == 0)
        return 0;
    int error = clock_getcpuclockid(load->server, &clock);
    if (error)
        fail("clock_getcpuclockid", error);
    return read_clock(clock);
}

void window_start(struct window *window, const struct load *load)
{
    *window = (struct window){.load = load, .begin = now() + load->warm_up};
}

bool window_over(struct window *window, uint64_t count, uint64_t bytes)
{
    const struct load *load = window->load;
    double time = now();

    if (!window->open) {
        if (time < window->begin)
            return false;
        *window = (struct window){load, time, server_cpu(load), count, bytes, true};
        return false;
    }
    if (time < window->begin + load->seconds &&
        (load->rounds == 0 || count - window->count < load->rounds))
        return false;
    printf("count=%" PRIu64 " bytes=%" PRIu64 " seconds=%.6f cpu=%.6f\n", count - window->count,
           bytes - window->bytes, time - window->begin, server_cpu(load) - window->cpu);
    return true;
}
