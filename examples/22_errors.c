/* SPDX-License-Identifier: MIT */
/*
 * Errors: a code by return, a text beside it. Outcomes of a gather that waits
 * for all, errors of a group, and an error that nobody reads, which goes to the
 * loop's exception handler.
 */
#include <eddy.h>
#include <stdio.h>

static int fetch(int page)
{
    EDDY_TRY(eddy_sleep(page));
    if (page % 2 == 0)
        return eddy_raise(-ENOENT, "there is no page %d", page);
    return 0;
}
EDDY_ASYNC(fetch, int);

static int fetch_group(void)
{
    EDDY_GROUP(group);

    for (int page = 1; page <= 3; page++)
        eddy_group_create_task(&group, fetch, page);
    return eddy_group_join(&group);
}

static void print_report(eddy_loop *loop, const eddy_report *report, void *argument)
{
    (void)loop, (void)argument;
    printf("report: a task failed: %s\n", eddy_error_name(report->code));
}

static int amain(void)
{
    int outcomes[3];
    EDDY_TRY(eddy_gather_outcomes(outcomes, EDDY_CALL(fetch, 1), EDDY_CALL(fetch, 2),
                                  EDDY_CALL(fetch, 3)));
    for (int i = 0; i < 3; i++)
        printf("page %d: %s\n", i + 1, eddy_error_name(outcomes[i]));

    int rc = fetch_group();
    if (rc == -ENOENT)
        printf("group: %s (%s)\n", eddy_error_message(rc), eddy_error_name(rc));
    else
        EDDY_TRY(rc);

    eddy_loop_set_exception_handler(eddy_get_running_loop(), print_report, NULL);
    eddy_task *alone = eddy_create_task(fetch, 2);
    eddy_task_detach(&alone);
    return eddy_sleep(3);
}
EDDY_ASYNC(amain);
EDDY_MAIN(amain)
