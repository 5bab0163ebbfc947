/* SPDX-License-Identifier: MIT */
/*
 * The testing kit inside cmocka, whose tests are plain functions: the body is an
 * async function, and the test asks whether it passed.
 */
#include <eddy.h>
#include <eddy/test.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

/* What is tested: tries again after 1, 2, 4, ... seconds. */
static int patiently(int (*attempt)(int *calls), int *calls, int limit)
{
    int rc = attempt(calls);

    for (double pause = 1; rc == -EAGAIN && --limit > 0; pause *= 2) {
        EDDY_TRY(eddy_sleep(pause));
        rc = attempt(calls);
    }
    return rc;
}

static int third_time_lucky(int *calls)
{
    return ++*calls < 3 ? -EAGAIN : 0;
}

static int waits_longer_each_time(void)
{
    int calls = 0;

    EDDY_TRY(patiently(third_time_lucky, &calls, 5));
    return eddy_expect(calls == 3 && eddy_time() == 1 + 2);
}
EDDY_ASYNC(waits_longer_each_time);

static void test_patience(void **state)
{
    int rc = eddy_test_thoroughly(waits_longer_each_time);

    (void)state;
    if (rc < 0)
        fail_msg("%s", eddy_error_message(rc));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_patience)};

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
