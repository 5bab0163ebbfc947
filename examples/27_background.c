/* SPDX-License-Identifier: MIT */
/*
 * A task that goes on alone. It is detached by name, so that nobody owns it;
 * the end of the program cancels it and waits for its clean-up.
 */
#include <eddy.h>
#include <stdio.h>

static int flush(const char *log)
{
    int rc = eddy_sleep(0.1); /* a deferred call may wait, also after a cancel */

    printf("%s: flushed\n", log);
    return rc;
}

static int flush_regularly(const char *log)
{
    EDDY_DEFER(flush, log);

    for (int lines = 10;; lines += 10) {
        EDDY_TRY(eddy_sleep(1));
        printf("%s: %d lines\n", log, lines);
    }
}
EDDY_ASYNC(flush_regularly, const char *);

static int amain(void)
{
    eddy_task *flusher = eddy_create_task(flush_regularly, "journal");
    if (flusher == NULL)
        return -ENOMEM;
    eddy_task_detach(&flusher); /* the handle is NULL from here on */

    EDDY_TRY(eddy_sleep(2.5));
    puts("main ends");
    return 0;
}
EDDY_ASYNC(amain);
EDDY_MAIN(amain)
