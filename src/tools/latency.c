/* SPDX-License-Identifier: MIT */
/*
 * A time falls into a row by its highest bit, and there into one of equal steps by the bits behind
 * it: row 0 has 0 to 63 ns one by one, row r the times from 2^(5+r) to 2^(6+r). So the index grows
 * with the time, and each step holds at most a 64th of what it stands for.
 */
#include "tools/latency.h"

#include <stdio.h>

static size_t index_of(uint64_t time)
{
    unsigned shift = 0;
    size_t index;

    while (time >> shift >= 2 * ED_LATENCY_STEPS)
        shift++;
    index = shift * ED_LATENCY_STEPS + (size_t)(time >> shift);
    return index < ED_LATENCY_ROWS * ED_LATENCY_STEPS ? index
                                                      : ED_LATENCY_ROWS * ED_LATENCY_STEPS - 1;
}

/* The longest time that falls into a step. */
static uint64_t time_of(size_t index)
{
    size_t shift = index < 2 * ED_LATENCY_STEPS ? 0 : index / ED_LATENCY_STEPS - 1;
    uint64_t steps = index - shift * ED_LATENCY_STEPS;

    return ((steps + 1) << shift) - 1;
}

void ed_latency_add(struct ed_latency *latency, double seconds)
{
    uint64_t time = seconds > 0 ? (uint64_t)(seconds * 1e9) : 0;

    latency->counts[index_of(time)]++;
    latency->count++;
    latency->sum += seconds;
    if (time > latency->most)
        latency->most = time;
}

double ed_latency_percentile(const struct ed_latency *latency, double percent)
{
    double wanted = (double)latency->count * percent / 100;
    uint64_t seen = 0, time;

    for (size_t i = 0; i < ED_LATENCY_ROWS * ED_LATENCY_STEPS; i++) {
        seen += latency->counts[i];
        if (seen == 0 || (double)seen < wanted)
            continue;
        time = time_of(i) < latency->most ? time_of(i) : latency->most;
        return (double)time * 1e-9;
    }
    return (double)latency->most * 1e-9;
}

const char *ed_latency_text(double seconds, char text[32])
{
    if (seconds < 0.001)
        snprintf(text, 32, "%.0f us", seconds * 1e6);
    else if (seconds < 1)
        snprintf(text, 32, "%.2f ms", seconds * 1e3);
    else
        snprintf(text, 32, "%.2f s", seconds);
    return text;
}
