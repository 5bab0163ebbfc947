/* SPDX-License-Identifier: MIT */
/*
 * gather with a child that fails. The first error cancels the other calls,
 * waits until they have cleaned up, and is returned with its text; results
 * that were there before stay.
 */
#include <eddy.h>
#include <stdio.h>

static int price(const char *fruit, double seconds, int *cents)
{
    int rc = eddy_sleep(seconds);
    if (rc < 0) {
        printf("%s: %s\n", fruit, eddy_strerror(rc));
        return rc;
    }
    if (fruit[0] == 'd')
        return eddy_raise(-ENOENT, "nobody sells %s", fruit);
    *cents = (int)(100 * seconds);
    return 0;
}
EDDY_ASYNC_RESULT(int, price, const char *, double);

static int amain(void)
{
    int apple = 0, durian = 0, pear = 0;

    EDDY_TRY(eddy_gather(EDDY_CALL(price, "apple", 1.0, &apple),
                         EDDY_CALL(price, "pear", 3.0, &pear))); /* runs for 3 seconds */
    printf("apple %d, pear %d\n", apple, pear);

    eddy_call calls[] = {EDDY_CALL(price, "apple", 1.5, &apple),
                         EDDY_CALL(price, "durian", 2.0, &durian),
                         EDDY_CALL(price, "pear", 3.5, &pear)};
    int rc = eddy_gather_calls(calls, 3); /* gather(*calls): fails after 2 seconds */
    if (rc == -ENOENT)
        printf("error: %s\n", eddy_error_message(rc));
    else if (rc < 0)
        return rc;
    printf("apple %d, pear %d\n", apple, pear); /* the new apple, the old pear */
    return 0;
}
EDDY_ASYNC(amain);
EDDY_MAIN(amain)
