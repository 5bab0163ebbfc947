/* SPDX-License-Identifier: MIT */
/*
 * Waiting for several tasks: for all of them within a limit, and for each as
 * it completes. Both borrow the handles, and end no task.
 */
#include <eddy.h>
#include <stdio.h>

static int swim(const char *name, double seconds, const char **winner)
{
    EDDY_TRY(eddy_sleep(seconds));
    *winner = name;
    return 0;
}
EDDY_ASYNC_RESULT(const char *, swim, const char *, double);

static int race(eddy_task *const swimmers[], size_t count)
{
    int arrived = eddy_wait(swimmers, count, EDDY_ALL_COMPLETED, 1.5);
    EDDY_TRY(arrived);
    printf("%d of %zu arrived within 1.5 seconds\n", arrived, count);

    EDDY_AS_COMPLETED(finished, swimmers, count, EDDY_FOREVER);
    eddy_task *swimmer;
    const char *name;
    int rc;
    while ((rc = eddy_as_completed_next(&finished, &swimmer)) > 0) {
        EDDY_TRY(eddy_await(swimmer, &name)); /* it has ended: no wait */
        printf("%s\n", name);
    }
    return rc;
}

static int amain(void)
{
    EDDY_TASK carp = eddy_create_task(swim, "carp", 3.0);
    EDDY_TASK pike = eddy_create_task(swim, "pike", 1.0);
    EDDY_TASK trout = eddy_create_task(swim, "trout", 2.0);

    return race((eddy_task *[]){carp, pike, trout}, 3);
}
EDDY_ASYNC(amain);
EDDY_MAIN(amain)
