/* SPDX-License-Identifier: MIT */
#include "job.h"

int copy_big(const struct order *order)
{
    struct stopwatch start = stopwatch_start();
    int64_t size = eddy_copy_file("big", "copy");

    if (size < 0)
        return (int)size;
    stopwatch_report(&start, order->count, 0);
    expect((uint64_t)size, BIG_SIZE);
    return 0;
}
