/* SPDX-License-Identifier: MIT */
/*
 * Clean-up after a cancel. A cancelled task stays cancelled: every call that
 * would wait returns -ECANCELED, so that nothing runs on by mistake. What must
 * be finished all the same stands under a shield.
 */
#include <eddy.h>
#include <stdio.h>

static int save(int words)
{
    EDDY_TRY(eddy_sleep(1));
    printf("saved %d words\n", words);
    return 0;
}

static int write_novel(void)
{
    int words = 0, rc;

    while ((rc = eddy_sleep(0.1)) == 0)
        words += 10;
    printf("after %d words: %s\n", words, eddy_strerror(rc));
    printf("save: %s\n", eddy_strerror(save(words))); /* refused */

    EDDY_SHIELD(cleanup); /* to the end of the function */
    EDDY_TRY(save(words));
    return rc; /* say that the task was cancelled */
}
EDDY_ASYNC(write_novel);

static int amain(void)
{
    EDDY_TASK writer = eddy_create_task(write_novel);
    EDDY_TRY(eddy_sleep(1.05));

    eddy_cancel(writer); /* a request: the task ends in its own time */
    int rc = eddy_await(writer);
    printf("writer: %s\n", eddy_strerror(rc));
    return rc == -ECANCELED && eddy_task_cancelled(writer) ? 0 : rc;
}
EDDY_ASYNC(amain);
EDDY_MAIN(amain)
