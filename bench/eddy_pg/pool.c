/* SPDX-License-Identifier: MIT */
/* A connection that is free is acquired and released. */
#include "job.h"

int acquire_and_release(unsigned count)
{
    EDDY_PG_POOL pool = NULL;

    EDDY_TRY(eddy_pg_pool_open(NULL, NULL, &pool));
    struct stopwatch start = stopwatch_start();
    for (unsigned i = 0; i < count; i++) {
        EDDY_PG_ACQUIRED db = NULL;

        EDDY_TRY(eddy_pg_acquire(pool, &db));
    }
    stopwatch_report(&start, count, 0);
    return 0;
}
