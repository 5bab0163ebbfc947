/* SPDX-License-Identifier: MIT */
/*
 * What tools/check-gdb looks into: two threads with a loop each, and tasks in every
 * state while `halt` runs. The names of the lines that are waited in stand behind them.
 */
#include <eddy.h>
#include <pthread.h>
#include <stdio.h>

static eddy_lock lock = EDDY_LOCK_INIT;

__attribute__((noinline)) static void halt(int tasks)
{
    __asm__ volatile("" ::"r"(tasks) : "memory");
}

static int hold(double seconds)
{
    int rc;

    EDDY_TRY(eddy_lock_acquire(&lock));
    EDDY_DEFER(eddy_lock_release, &lock);
    rc = eddy_sleep(seconds); /* line: hold */
    return rc;
}
EDDY_ASYNC(hold, double);

static int want(void)
{
    EDDY_TRY(eddy_lock_acquire(&lock)); /* line: want */
    eddy_lock_release(&lock);
    return 0;
}
EDDY_ASYNC(want);

static int numbers(eddy_generator *g, double seconds)
{
    int number = 1;

    EDDY_TRY(eddy_yield(g, &number));
    EDDY_TRY(eddy_sleep(seconds)); /* line: numbers */
    return 0;
}
EDDY_ASYNC_GENERATOR(int, numbers, double);

static int count(double seconds)
{
    int rc, number;

    EDDY_FOR_EACH(rc, number, eddy_generate(numbers, seconds)) /* line: count */
        ;
    return rc;
}
EDDY_ASYNC(count, double);

static int get(eddy_queue *queue)
{
    int item, rc = eddy_queue_get(queue, &item); /* line: get */

    return rc == -ESHUTDOWN ? 0 : rc;
}
EDDY_ASYNC(get, eddy_queue *);

static int nothing(void)
{
    return 0;
}
EDDY_ASYNC(nothing);

static int look(eddy_queue *queue)
{
    int rc = eddy_sleep(0.1);
    EDDY_TASK late = eddy_create_task(nothing);

    halt(8); /* line: look */
    eddy_queue_shutdown(queue, false);
    return rc < 0 ? rc : eddy_await(late);
}
EDDY_ASYNC(look, eddy_queue *);

static int amain(double seconds)
{
    EDDY_QUEUE(queue, int, 1);
    EDDY_TASK ended = eddy_create_task(nothing);
    EDDY_GROUP(group);

    eddy_task_set_name(eddy_current_task(), "boss");
    eddy_group_create_task(&group, hold, seconds);
    eddy_group_create_task(&group, want);
    eddy_group_create_task(&group, count, seconds);
    eddy_group_create_task(&group, get, &queue);
    eddy_group_create_task(&group, look, &queue);
    EDDY_TRY(eddy_group_join(&group)); /* line: amain */
    return eddy_await(ended);
}
EDDY_ASYNC(amain, double);

static int other(double seconds)
{
    EDDY_TRY(eddy_sleep(seconds)); /* line: other */
    return 0;
}
EDDY_ASYNC(other, double);

static void *run_other(void *unused)
{
    (void)unused;
    return eddy_run(other, 0.5) < 0 ? &lock : NULL;
}

int main(void)
{
    pthread_t thread;
    void *failure;
    int rc;

    pthread_create(&thread, NULL, run_other, NULL);
    rc = eddy_run(amain, 0.3);
    pthread_join(thread, &failure);
    if (rc == 0 && !failure)
        puts("all went well");
    return rc < 0 || failure;
}
