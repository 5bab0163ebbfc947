/* SPDX-License-Identifier: MIT */
#include "job.h"

int read_lines(const struct order *order)
{
    struct stopwatch start = stopwatch_start();
    uint64_t count = 0, bytes = 0;
    EDDY_STREAM file = NULL;
    eddy_line line;
    int rc;

    EDDY_TRY(eddy_open("lines", "r", &file));
    EDDY_FOR_EACH(rc, line, eddy_lines(file)) {
        bytes += line.size;
        count++;
    }
    EDDY_TRY(rc);
    EDDY_TRY(eddy_stream_close(&file));
    stopwatch_report(&start, count, 0);
    expect(count, order->count);
    if (bytes < 20 * count)
        return eddy_raise(-EPROTO, "lines are missing");
    return 0;
}
