/* SPDX-License-Identifier: MIT */
/* A producer and a slower consumer; a sentinel ends the consumer. */
#include <eddy.h>
#include <stdio.h>

struct item {
    char text[16]; /* empty: None */
};

static int producer(eddy_queue *queue, int n)
{
    for (int i = 0; i < n; i++) {
        struct item item;
        snprintf(item.text, sizeof item.text, "item-%d", i);
        EDDY_TRY(eddy_queue_put(queue, &item));
        printf("Produced %s\n", item.text);
        EDDY_TRY(eddy_sleep(1));
    }
    return eddy_queue_put(queue, &(struct item){""}); /* Sentinel to signal completion */
}
EDDY_ASYNC(producer, eddy_queue *, int);

static int consumer(eddy_queue *queue)
{
    for (;;) {
        struct item item;
        EDDY_TRY(eddy_queue_get(queue, &item));
        if (item.text[0] == '\0')
            return 0;
        printf("Consumed %s\n", item.text);
        EDDY_TRY(eddy_sleep(2));
    }
}
EDDY_ASYNC(consumer, eddy_queue *);

static int amain(void)
{
    EDDY_QUEUE(queue, struct item, 0);
    EDDY_TASK producer_task = eddy_create_task(producer, &queue, 5);
    EDDY_TASK consumer_task = eddy_create_task(consumer, &queue);

    return eddy_gather(EDDY_AWAIT(producer_task), EDDY_AWAIT(consumer_task));
}
EDDY_ASYNC(amain);
EDDY_MAIN(amain)
