/* SPDX-License-Identifier: MIT */
/* A producer and two consumers that end: each gets its sentinel, each item is marked done. */
#include <eddy.h>
#include <stdio.h>
#include <stdlib.h>

struct item {
    char text[16]; /* empty: None, the signal to stop consuming */
};

/* The same delays in every run. */
static double random_uniform(double low, double high)
{
    static unsigned seed = 1;

    return low + (high - low) * rand_r(&seed) / RAND_MAX;
}

/* Producer that generates items and puts them in the queue. */
static int producer(eddy_queue *queue, int n, int consumers)
{
    for (int i = 0; i < n; i++) {
        struct item item;
        EDDY_TRY(eddy_sleep(random_uniform(0.1, 1.0))); /* Simulate a random production time */
        snprintf(item.text, sizeof item.text, "item-%d", i);
        EDDY_TRY(eddy_queue_put(queue, &item));
        printf("Produced %s\n", item.text);
    }
    /* Notify the consumers to stop by putting a None for each in the queue */
    for (int i = 0; i < consumers; i++)
        EDDY_TRY(eddy_queue_put(queue, &(struct item){""}));
    return 0;
}
EDDY_ASYNC(producer, eddy_queue *, int, int);

/* Consumer that takes items from the queue and processes them. */
static int consumer(eddy_queue *queue, int id)
{
    for (;;) {
        struct item item;
        EDDY_TRY(eddy_queue_get(queue, &item));
        EDDY_DEFER(eddy_queue_task_done, queue); /* for the sentinel as well */
        if (item.text[0] == '\0') {
            printf("Consumer %d stopping.\n", id);
            return 0;
        }
        EDDY_TRY(eddy_sleep(random_uniform(0.1, 1.0))); /* Simulate a random processing time */
        printf("Consumer %d processed %s\n", id, item.text);
    }
}
EDDY_ASYNC(consumer, eddy_queue *, int);

static int amain(void)
{
    EDDY_QUEUE(queue, struct item, 0);

    /* Create one producer and two consumers */
    EDDY_TASK producer_task = eddy_create_task(producer, &queue, 10, 2);
    EDDY_TASK consumer_1 = eddy_create_task(consumer, &queue, 1);
    EDDY_TASK consumer_2 = eddy_create_task(consumer, &queue, 2);

    EDDY_TRY(eddy_await(producer_task));
    EDDY_TRY(eddy_queue_join(&queue)); /* all items in the queue have been processed */

    EDDY_TRY(eddy_await(consumer_1));
    EDDY_TRY(eddy_await(consumer_2));
    return 0;
}
EDDY_ASYNC(amain);
EDDY_MAIN(amain)
