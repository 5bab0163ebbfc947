/* SPDX-License-Identifier: MIT */
/*
 * Retries with growing pauses, and a test of them. Under EDDY_CLOCK=virtual the
 * test takes no time, and the seconds that it compares are exact.
 */
#include <eddy.h>
#include <math.h>
#include <stdio.h>

struct service {
    int failures; /* that are still to come */
    int calls;
};

static int ask(struct service *service)
{
    service->calls++;
    return service->failures-- > 0 ? eddy_raise(-ECONNREFUSED, "the service is down") : 0;
}

/* Asks up to `tries` times, with pauses of 1, 2, 4, ... seconds. */
static int ask_patiently(struct service *service, int tries)
{
    double pause = 1;
    int rc = -EINVAL;

    for (int i = 0; i < tries; i++, pause *= 2) {
        rc = ask(service);
        if (rc != -ECONNREFUSED) /* fine, or nothing that patience mends */
            return rc;
        if (i + 1 < tries)
            EDDY_TRY(eddy_sleep(pause));
    }
    return rc;
}

static int check(int failures, int right_rc, int right_calls, double right_seconds)
{
    struct service service = {.failures = failures};
    double start = eddy_time();
    int rc = ask_patiently(&service, 4);
    double seconds = eddy_time() - start;

    printf("%d failures: %s, %d calls, %.0f seconds\n", failures, eddy_error_name(rc),
           service.calls, seconds);
    if (rc != right_rc || service.calls != right_calls || fabs(seconds - right_seconds) > 0.5)
        return eddy_raise(-EINVAL, "wrong after %d failures", failures);
    return 0;
}

static int amain(void)
{
    EDDY_TRY(check(0, 0, 1, 0));
    EDDY_TRY(check(2, 0, 3, 1 + 2));
    return check(9, -ECONNREFUSED, 4, 1 + 2 + 4);
}
EDDY_ASYNC(amain);
EDDY_MAIN(amain)
