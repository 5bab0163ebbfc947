/* SPDX-License-Identifier: MIT */
/*
 * Producer and consumers. A bounded queue slows the producer down, join waits
 * until every item was dealt with, and shutdown ends the consumers: no
 * sentinels to count.
 */
#include <eddy.h>
#include <stdio.h>

static int produce(eddy_queue *queue, int count)
{
    for (int i = 0; i < count; i++)
        EDDY_TRY(eddy_queue_put(queue, &i));
    puts("everything is produced");
    return 0;
}
EDDY_ASYNC(produce, eddy_queue *, int);

static int consume(eddy_queue *queue, const char *name)
{
    int item, rc;

    while ((rc = eddy_queue_get(queue, &item)) == 0) {
        EDDY_DEFER(eddy_queue_task_done, queue); /* also when the work fails */
        EDDY_TRY(eddy_sleep(1));
        printf("%s consumed %d\n", name, item);
    }
    printf("%s stops\n", name);
    return rc == -ESHUTDOWN ? 0 : rc;
}
EDDY_ASYNC(consume, eddy_queue *, const char *);

static int amain(void)
{
    EDDY_QUEUE(queue, int, 2); /* declared before the tasks that use it */
    EDDY_GROUP(group);

    eddy_group_create_task(&group, consume, &queue, "Ann");
    eddy_group_create_task(&group, consume, &queue, "Bob");
    EDDY_TRY(produce(&queue, 6));
    EDDY_TRY(eddy_queue_join(&queue)); /* a consumer that fails ends this wait */
    puts("everything is consumed");
    eddy_queue_shutdown(&queue, false);
    return eddy_group_join(&group);
}
EDDY_ASYNC(amain);
EDDY_MAIN(amain)
