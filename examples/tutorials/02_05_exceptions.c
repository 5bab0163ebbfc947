/* SPDX-License-Identifier: MIT */
/* An error travels up through an await, with its text. */
#include <eddy.h>
#include <stdio.h>

static int faulty_task(void)
{
    EDDY_TRY(eddy_sleep(2));
    return eddy_raise(-EINVAL, "Something went wrong!");
}

static int amain(void)
{
    int rc = faulty_task();
    if (rc == -EINVAL) {
        printf("Caught an error: %s\n", eddy_error_message(rc));
        return 0;
    }
    return rc;
}
EDDY_ASYNC(amain);
EDDY_MAIN(amain)
