/* SPDX-License-Identifier: MIT */
#include "stopwatch.h"

#include <errno.h>
#include <inttypes.h>
#include <sys/resource.h>
#include <time.h>

#include "fail.h"

double now(void)
{
    struct timespec t;

    if (clock_gettime(CLOCK_MONOTONIC, &t) < 0)
        fail("clock_gettime", errno);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static double seconds_of(const struct timeval *t)
{
    return (double)t->tv_sec + 1e-6 * (double)t->tv_usec;
}

static double cpu_of(int who)
{
    struct rusage usage;

    if (getrusage(who, &usage) < 0)
        fail("getrusage", errno);
    return seconds_of(&usage.ru_utime) + seconds_of(&usage.ru_stime);
}

struct stopwatch stopwatch_start(void)
{
    struct stopwatch start = {.cpu = cpu_of(RUSAGE_SELF) + cpu_of(RUSAGE_CHILDREN)};

    start.wall = now();
    return start;
}

void stopwatch_report(const struct stopwatch *start, uint64_t count, double worst)
{
    double wall = now() - start->wall;
    double cpu = cpu_of(RUSAGE_SELF) + cpu_of(RUSAGE_CHILDREN) - start->cpu;

    printf("count=%" PRIu64 " wall=%.6f cpu=%.6f worst=%.6f\n", count, wall, cpu, worst);
    if (fflush(stdout) != 0)
        fail("stdout", errno);
}

bool reading_parse(FILE *in, struct reading *out)
{
    return fscanf(in, " count=%lf wall=%lf cpu=%lf worst=%lf", &out->count, &out->wall, &out->cpu,
                  &out->worst) == 4 &&
           out->count > 0;
}
