/* SPDX-License-Identifier: MIT */
/*
 * A limit for one call or task, and a call that outlives its caller's patience.
 * wait_for cancels what is too slow; a shielded call goes on alone.
 */
#include <eddy.h>
#include <stdio.h>

static int answer(double seconds, int *number)
{
    double start = eddy_time();
    int rc = eddy_sleep(seconds);

    printf("after %.0f of %.0f seconds: %s\n", eddy_time() - start, seconds, eddy_strerror(rc));
    EDDY_TRY(rc);
    *number = 42;
    return 0;
}
EDDY_ASYNC_RESULT(int, answer, double);

static int amain(void)
{
    int number = 0;

    int rc = eddy_wait_for(EDDY_CALL(answer, 1.0, &number), 2);
    printf("call: %s, %d\n", eddy_strerror(rc), number);
    rc = eddy_wait_for(EDDY_CALL(answer, 9.0, &number), 2);
    printf("slow call: %s\n", eddy_strerror(rc));

    EDDY_TASK task = eddy_create_task(answer, 9.0);
    rc = eddy_wait_for(task, 2); /* has cancelled it, and waited for its end */
    printf("slow task: %s\n", eddy_strerror(rc));

    {
        EDDY_TIMEOUT(limit, 2);
        rc = eddy_shield(EDDY_CALL(answer, 3.0));
        printf("shielded: %s\n", eddy_strerror(rc));
    }
    EDDY_TRY(eddy_sleep(2)); /* it ends meanwhile, alone */
    puts("done");
    return 0;
}
EDDY_ASYNC(amain);
EDDY_MAIN(amain)
