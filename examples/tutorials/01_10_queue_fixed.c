/* SPDX-License-Identifier: MIT */
/* A queue whose consumer ends, because the producer shuts the queue down. */
#include <eddy.h>
#include <stdio.h>

static int producer(eddy_queue *queue)
{
    for (int i = 0; i < 5; i++) {
        EDDY_TRY(eddy_sleep(1));
        EDDY_TRY(eddy_queue_put(queue, &i));
        printf("Produced: %d\n", i);
    }
    eddy_queue_shutdown(queue, false); /* what is in it is still consumed */
    return 0;
}
EDDY_ASYNC(producer, eddy_queue *);

static int consumer(eddy_queue *queue)
{
    int item, rc;

    while ((rc = eddy_queue_get(queue, &item)) == 0) {
        printf("Consumed: %d\n", item);
        eddy_queue_task_done(queue);
    }
    return rc == -ESHUTDOWN ? 0 : rc;
}
EDDY_ASYNC(consumer, eddy_queue *);

static int amain(void)
{
    EDDY_QUEUE(queue, int, 0);
    EDDY_TASK producer_task = eddy_create_task(producer, &queue);
    EDDY_TASK consumer_task = eddy_create_task(consumer, &queue);

    return eddy_gather(EDDY_AWAIT(producer_task), EDDY_AWAIT(consumer_task));
}
EDDY_ASYNC(amain);
EDDY_MAIN(amain)
