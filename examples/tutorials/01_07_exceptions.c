/* SPDX-License-Identifier: MIT */
/* An error is raised with a text, and caught by its code. */
#include <eddy.h>
#include <stdio.h>

static int fetch_data(void)
{
    int rc = eddy_sleep(2);
    if (rc == 0)
        rc = eddy_raise(-EINVAL, "An error occurred!");
    if (rc == -EINVAL) {
        printf("Caught an error: %s\n", eddy_error_message(rc));
        return 0;
    }
    return rc;
}
EDDY_ASYNC(fetch_data);
EDDY_MAIN(fetch_data)
