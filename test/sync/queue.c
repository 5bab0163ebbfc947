/* SPDX-License-Identifier: MIT */
/* Queues: rules A-Q-1 to A-Q-15. */
#include "harness.h"

static int get_one(eddy_queue *queue)
{
    int item;

    return eddy_queue_get(queue, &item);
}
EDDY_ASYNC(get_one, eddy_queue *);

/* A-Q-6: a getter cancelled while it waits must not swallow the next item. */
TEST(queue_get_cancelled_while_waiting_takes_nothing)
{
    eddy_queue q = EDDY_QUEUE_INIT(int, 1);
    EDDY_TASK getter = eddy_create_task(get_one, &q);

    test_settle(); /* the getter is parked in get() */
    eddy_cancel(getter);
    CHECK_OK(eddy_queue_put(&q, &(int){7}));
    CHECK_EQ(eddy_await(getter), -ECANCELED);

    int item = 0;
    CHECK_OK(eddy_queue_get(&q, &item)); /* still there */
    CHECK_EQ(item, 7);
}
