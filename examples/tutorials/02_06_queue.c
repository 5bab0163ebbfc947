/* SPDX-License-Identifier: MIT */
/* A producer and an endless consumer, which is cancelled once all items are dealt with. */
#include <eddy.h>
#include <stdio.h>

static int producer(eddy_queue *queue)
{
    for (int i = 0; i < 5; i++) {
        EDDY_TRY(eddy_sleep(1));
        EDDY_TRY(eddy_queue_put(queue, &i));
        printf("Produced: %d\n", i);
    }
    return 0;
}
EDDY_ASYNC(producer, eddy_queue *);

static int consumer(eddy_queue *queue)
{
    for (;;) {
        int item;
        EDDY_TRY(eddy_queue_get(queue, &item));
        printf("Consumed: %d\n", item);
        eddy_queue_task_done(queue);
    }
}
EDDY_ASYNC(consumer, eddy_queue *);

static int amain(void)
{
    EDDY_QUEUE(queue, int, 0);
    EDDY_TASK producers = eddy_create_task(producer, &queue);
    EDDY_TASK consumers = eddy_create_task(consumer, &queue);

    EDDY_TRY(eddy_await(producers));
    EDDY_TRY(eddy_queue_join(&queue));
    eddy_cancel(consumers);
    return 0;
}
EDDY_ASYNC(amain);
EDDY_MAIN(amain)
