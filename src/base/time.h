/* SPDX-License-Identifier: MIT */
/*
 * Times: int64_t nanoseconds inside, double seconds outside. Arithmetic
 * saturates at the ends of the range, which mean "never".
 */
#ifndef ED_BASE_TIME_H
#define ED_BASE_TIME_H

#include <time.h>

#include "base/compat.h"

#define ED_NEVER INT64_MAX
#define ED_SECOND INT64_C(1000000000)

/* CLOCK_MONOTONIC. */
static inline int64_t ed_time_monotonic(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * ED_SECOND + now.tv_nsec;
}

/* Seconds as ns, rounded up, so that nothing is ever early. NaN gives 0. */
static inline int64_t ed_time_from_seconds(double seconds)
{
    double ns = seconds * 1e9;
    int64_t whole;

    if (ns != ns)
        return 0;
    if (ns >= 9.2e18)
        return ED_NEVER;
    if (ns <= -9.2e18)
        return INT64_MIN;
    whole = (int64_t)ns;
    while ((double)whole / 1e9 < seconds) /* once or twice: as the way back rounds */
        whole++;
    return whole;
}

static inline double ed_time_to_seconds(int64_t ns)
{
    return ns == ED_NEVER ? EDDY_FOREVER : (double)ns / 1e9;
}

/* a + b, where either may be an end of the range. */
static inline int64_t ed_time_add(int64_t a, int64_t b)
{
    int64_t sum;

    if (__builtin_add_overflow(a, b, &sum))
        return b > 0 ? ED_NEVER : INT64_MIN;
    return sum;
}

#endif
