/* SPDX-License-Identifier: MIT */
/*
 * A thread that needs the loop: it runs a call there, and waits for its result.
 * Everything else of Eddy belongs to the loop's own thread.
 */
#include <eddy.h>
#include <stdio.h>

static int take(eddy_queue *queue, int *item)
{
    return eddy_queue_get(queue, item);
}
EDDY_ASYNC_RESULT(int, take, eddy_queue *);

/* In a thread: may block, and so may ask the loop and wait for its answer. */
static int add_up(eddy_loop *loop, eddy_queue *numbers, long *sum)
{
    long total = 0;
    int item, rc;

    while ((rc = eddy_run_coroutine_threadsafe(loop, EDDY_CALL(take, numbers, &item),
                                               EDDY_FOREVER)) == 0)
        total += item;
    *sum = total;
    return rc == -ESHUTDOWN ? 0 : rc;
}
EDDY_ASYNC_RESULT(long, add_up, eddy_loop *, eddy_queue *);

static void end_queue(eddy_queue *queue)
{
    eddy_queue_shutdown(queue, false);
}

static int produce(eddy_queue *numbers)
{
    EDDY_DEFER(end_queue, numbers); /* on every way out, or the thread would wait for ever */

    for (int i = 1; i <= 100; i++)
        EDDY_TRY(eddy_queue_put(numbers, &i));
    return 0;
}
EDDY_ASYNC(produce, eddy_queue *);

static int amain(void)
{
    EDDY_QUEUE(numbers, int, 4);
    long sum;

    EDDY_TRY(eddy_gather(EDDY_CALL(produce, &numbers),
                         EDDY_THREAD_CALL(add_up, eddy_get_running_loop(), &numbers, &sum)));
    printf("the thread's sum: %ld\n", sum);
    return 0;
}
EDDY_ASYNC(amain);
EDDY_MAIN(amain)
