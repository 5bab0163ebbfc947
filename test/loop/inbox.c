/* SPDX-License-Identifier: MIT */
/*
 * What other threads and signal handlers ask of a loop: rules A-LOOP-16 to
 * A-LOOP-18. Real threads; the loop waits for them without a limit of time.
 */
#include <pthread.h>
#include <sched.h>
#include <time.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/memory.h"
#include "loop/trace.h"

#define THREADS 8
#define AHEAD 10000 /* posts that a thread may have on their way: a bound on memory */

static eddy_loop *loop;
static int per_thread, arrived, wrong;
static int next_number[THREADS]; /* atomic */

static int arrive(void *what)
{
    int number = (int)((uintptr_t)what >> 8), thread = (int)((uintptr_t)what & 0xff);

    wrong += next_number[thread] != number;
    __atomic_store_n(&next_number[thread], number + 1, __ATOMIC_RELAXED);
    if (++arrived == THREADS * per_thread)
        eddy_loop_stop(loop);
    return 0;
}

static void *post_many(void *thread)
{
    for (int i = 0; i < per_thread; i++) {
        uintptr_t what = (uintptr_t)i << 8 | (uintptr_t)thread;

        while (i - __atomic_load_n(&next_number[(uintptr_t)thread], __ATOMIC_RELAXED) > AHEAD)
            sched_yield();
        if (eddy_loop_call_soon_threadsafe(loop, arrive, (void *)what) < 0)
            test_fail(__FILE__, __LINE__, "a post was refused");
    }
    return NULL;
}

/* A-LOOP-16: calls of one thread keep their order, and none is lost. */
RAW_TEST(posts_of_many_threads_all_arrive_each_thread_in_order)
{
    pthread_t threads[THREADS];

    loop = loop_open();
    per_thread = (test_is_deep() ? 10000000 : test_is_slow() ? 20000 : 400000) / THREADS;
    for (uintptr_t i = 0; i < THREADS; i++)
        CHECK_EQ(pthread_create(&threads[i], NULL, post_many, (void *)i), 0);
    CHECK_OK(eddy_loop_run_forever(loop));
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    CHECK_EQ(arrived, THREADS * per_thread);
    CHECK_EQ(wrong, 0);
    eddy_loop_free(loop);
}

static void *stop_from_outside(void *seconds)
{
    usleep((useconds_t)(uintptr_t)seconds);
    if (eddy_loop_call_soon_threadsafe(loop, loop_stop, loop) < 0)
        test_fail(__FILE__, __LINE__, "a post was refused");
    return NULL;
}

/* A-LOOP-16: a loop that sleeps for ever, or for a timer, is woken. */
RAW_TEST(post_wakes_a_loop_that_sleeps)
{
    pthread_t thread;

    loop = loop_open_real(); /* or the hour below would pass at once */
    for (int i = 0; i < 3; i++) {
        if (i == 1)
            (void)eddy_loop_call_later(loop, 3600, trace_add, "no");
        CHECK_EQ(pthread_create(&thread, NULL, stop_from_outside, (void *)(uintptr_t)20000), 0);
        CHECK_OK(eddy_loop_run_forever(loop));
        pthread_join(thread, NULL);
    }
    CHECK_STR(trace, "");
    eddy_loop_free(loop);
}

/* From the loop's own thread, and before it runs. */
RAW_TEST(posts_of_the_loops_own_thread_keep_their_order)
{
    eddy_post two = EDDY_POST_INIT(trace_add, "2"), four = EDDY_POST_INIT(trace_add, "4");

    loop = loop_open();
    CHECK_OK(eddy_loop_call_soon_threadsafe(loop, trace_add, "1"));
    CHECK_OK(eddy_loop_post(loop, &two));
    CHECK_OK(eddy_loop_call_soon_threadsafe(loop, trace_add, "3"));
    CHECK_OK(eddy_loop_post(loop, &four));
    CHECK_OK(loop_run_for(loop, 1));
    CHECK_STR(trace, "1 2 3 4 ");
    eddy_loop_free(loop);
}

/* Differs from A-LOOP-16: the inbox is emptied once a turn, behind what is ready, so
 * that a post does not stand in one line with call_soon. */
RAW_TEST(post_runs_behind_the_callbacks_that_are_ready_in_its_turn)
{
    loop = loop_open();
    CHECK_OK(eddy_loop_call_soon_threadsafe(loop, trace_add, "posted"));
    (void)eddy_loop_call_soon(loop, trace_add, "soon");
    CHECK_OK(loop_run_for(loop, 1));
    CHECK_STR(trace, "soon posted ");
    eddy_loop_free(loop);
}

static eddy_local color = EDDY_LOCAL_INIT("color", "none");

static int say_color(void *word)
{
    trace_add(word);
    trace_add(eddy_local_get(&color));
    return 0;
}

static int set_and_post(void *word)
{
    REQUIRE(eddy_local_set(&color, word, NULL) == 0);
    (void)eddy_loop_call_soon(loop, say_color, "soon");
    return eddy_loop_call_soon_threadsafe(loop, say_color, "posted");
}

/* Differs from A-LOOP-19: local values belong to one thread and do not travel. */
RAW_TEST(posted_callback_has_no_local_values)
{
    loop = loop_open();
    (void)eddy_loop_call_soon(loop, set_and_post, "red");
    CHECK_OK(loop_run_for(loop, 1));
    CHECK_STR(trace, "soon red posted none ");
    eddy_loop_free(loop);
}

static eddy_post again;

static int post_again(void *word)
{
    trace_add(word);
    return strlen(trace) < 8 ? eddy_loop_post(loop, &again) : 0;
}

RAW_TEST(post_that_waits_is_not_posted_twice_but_may_post_itself_again)
{
    loop = loop_open();
    again = (eddy_post)EDDY_POST_INIT(post_again, "x");
    CHECK_OK(eddy_loop_post(loop, &again));
    CHECK_OK(eddy_loop_post(loop, &again));
    CHECK_OK(eddy_loop_post(loop, &again));
    CHECK_OK(loop_run_for(loop, 1));
    CHECK_STR(trace, "x x x x ");
    eddy_loop_free(loop);
}

/* Signals -------------------------------------------------------------------- */

static eddy_post from_signal;
static int signals; /* atomic */

static void post_in_a_signal(int number)
{
    (void)number;
    __atomic_add_fetch(&signals, 1, __ATOMIC_RELAXED);
    (void)eddy_loop_post(loop, &from_signal); /* checked by its arrival */
}

static int signal_seen(void *unused)
{
    (void)unused;
    trace_add("s");
    if (__atomic_load_n(&signals, __ATOMIC_RELAXED) < 5)
        raise(SIGUSR1); /* in a callback */
    else
        eddy_loop_stop(loop);
    return 0;
}

/* A-LOOP-16: from a signal handler, into a callback and into a sleep. */
RAW_TEST(post_from_a_signal_handler_arrives)
{
    struct sigaction action = {.sa_handler = post_in_a_signal, .sa_flags = SA_RESTART};
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
    timer_t timer;

    loop = loop_open();
    if (ED_TSAN && strcmp(loop->engine->class->name, "uring") == 0)
        test_skip("ThreadSanitizer delivers no signal in a system call that it does not know");
    from_signal = (eddy_post)EDDY_POST_INIT(signal_seen, NULL);
    sigaction(SIGUSR1, &action, NULL);
    CHECK_EQ(timer_create(CLOCK_MONOTONIC, &event, &timer), 0);
    CHECK_EQ(timer_settime(timer, 0, &(struct itimerspec){.it_value = {0, 20000000}}, NULL), 0);
    CHECK_OK(eddy_loop_run_forever(loop)); /* sleeps until the first */
    CHECK_EQ(__atomic_load_n(&signals, __ATOMIC_RELAXED), 5);
    CHECK_STR(trace, "s s s s s ");
    timer_delete(timer);
    eddy_loop_free(loop);
}

static int flood_count;

static int flood_seen(void *unused)
{
    (void)unused;
    flood_count++;
    return 0;
}

/* Class "signals, EINTR": 1,000 a second, while threads post as well. */
RAW_TEST(posts_under_a_flood_of_signals_all_arrive)
{
    struct sigaction action = {.sa_handler = post_in_a_signal};
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
    pthread_t threads[THREADS];
    timer_t timer;

    loop = loop_open();
    per_thread = test_is_slow() ? 1000 : 20000;
    from_signal = (eddy_post)EDDY_POST_INIT(flood_seen, NULL);
    sigaction(SIGUSR1, &action, NULL);
    CHECK_EQ(timer_create(CLOCK_MONOTONIC, &event, &timer), 0);
    CHECK_EQ(timer_settime(timer, 0, &(struct itimerspec){{0, 1000000}, {0, 1000000}}, NULL), 0);
    for (uintptr_t i = 0; i < THREADS; i++)
        CHECK_EQ(pthread_create(&threads[i], NULL, post_many, (void *)i), 0);
    CHECK_OK(eddy_loop_run_forever(loop));
    while (flood_count < 5)
        CHECK_OK(loop_run_for(loop, 0));
    timer_delete(timer);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    CHECK_EQ(arrived, THREADS * per_thread);
    CHECK_EQ(wrong, 0);
    eddy_loop_free(loop);
}

/* Wakes ---------------------------------------------------------------------- */

static struct ed_engine_class counting;
static const struct ed_engine_class *real;
static int wakes;

static void count_wake(struct ed_engine *engine)
{
    wakes++;
    real->wake(engine);
}

/* A-LOOP-18: posts that the loop has not seen yet need one wake. */
RAW_TEST(many_posts_wake_the_loop_once)
{
    loop = loop_open();
    real = loop->engine->class;
    counting = *real;
    counting.wake = count_wake;
    loop->engine->class = &counting;
    for (int i = 0; i < 1000; i++)
        CHECK_OK(eddy_loop_call_soon_threadsafe(loop, flood_seen, NULL));
    CHECK_EQ(wakes, 1);
    CHECK_OK(loop_run_for(loop, 1));
    CHECK_EQ(flood_count, 1000);
    CHECK_OK(eddy_loop_call_soon_threadsafe(loop, flood_seen, NULL));
    CHECK_EQ(wakes, 2);
    loop->engine->class = real;
    eddy_loop_free(loop);
}

/* The end -------------------------------------------------------------------- */

/* A-LOOP-17. */
RAW_TEST(closed_loop_refuses_posts)
{
    eddy_post post = EDDY_POST_INIT(trace_add, "x");

    loop = loop_open();
    CHECK_OK(eddy_loop_close(loop));
    CHECK_EQ(eddy_loop_call_soon_threadsafe(loop, trace_add, "x"), -EPERM);
    CHECK_EQ(eddy_loop_post(loop, &post), -EPERM);
    CHECK_EQ(eddy_loop_post(loop, &post), -EPERM); /* not taken for posted */
    eddy_loop_free(loop);
    CHECK_STR(trace, "");
}

/* A-RUNL-10: what waits is dropped, and its memory given back. */
RAW_TEST(close_drops_posts_without_running_them)
{
    eddy_post post = EDDY_POST_INIT(trace_add, "x");

    loop = loop_open();
    CHECK_OK(eddy_loop_post(loop, &post));
    for (int i = 0; i < 10; i++)
        CHECK_OK(eddy_loop_call_soon_threadsafe(loop, trace_add, "x"));
    CHECK_OK(eddy_loop_close(loop));
    eddy_loop_free(loop);
    CHECK_STR(trace, "");
}

RAW_TEST(post_dropped_by_a_close_may_be_posted_to_another_loop)
{
    eddy_post post = EDDY_POST_INIT(trace_add, "second");

    loop = loop_open();
    CHECK_OK(eddy_loop_post(loop, &post));
    eddy_loop_free(loop);
    loop = loop_open();
    CHECK_OK(eddy_loop_post(loop, &post));
    CHECK_OK(loop_run_for(loop, 1));
    CHECK_STR(trace, "second ");
    eddy_loop_free(loop);
}

static void *post_until_refused(void *unused)
{
    while (eddy_loop_call_soon_threadsafe(loop, flood_seen, NULL) == 0)
        ;
    return unused;
}

/* The loop outlives the calls, but is closed under them. */
RAW_TEST(posts_racing_with_a_close_are_taken_or_refused)
{
    for (int round = 0; round < (test_is_slow() ? 50 : 300); round++) {
        pthread_t threads[2];

        loop = loop_open();
        for (int i = 0; i < 2; i++)
            CHECK_EQ(pthread_create(&threads[i], NULL, post_until_refused, NULL), 0);
        CHECK_OK(loop_run_for(loop, 0));
        CHECK_OK(eddy_loop_close(loop));
        for (int i = 0; i < 2; i++)
            pthread_join(threads[i], NULL);
        eddy_loop_free(loop);
    }
}

RAW_TEST(post_without_memory_is_refused)
{
    loop = loop_open();
    (void)ed_fault_set(ED_FAULT_ALLOC, 1, -ENOMEM);
    CHECK_EQ(eddy_loop_call_soon_threadsafe(loop, trace_add, "x"), -ENOMEM);
    CHECK_OK(eddy_loop_call_soon_threadsafe(loop, trace_add, "fine"));
    CHECK_OK(loop_run_for(loop, 1));
    CHECK_STR(trace, "fine ");
    eddy_loop_free(loop);
}

/* eddy_loop_post needs none. */
RAW_TEST(post_in_the_callers_memory_allocates_nothing)
{
    eddy_post post = EDDY_POST_INIT(trace_add, "post");
    size_t blocks;

    loop = loop_open();
    blocks = ed_memory_blocks();
    CHECK_OK(eddy_loop_post(loop, &post));
    CHECK_EQ(ed_memory_blocks(), blocks);
    CHECK_OK(loop_run_for(loop, 1));
    CHECK_STR(trace, "post ");
    eddy_loop_free(loop);
}

static int fail(void *unused)
{
    (void)unused;
    return -EIO;
}

/* A-LOOP-14 holds for posted callbacks. */
RAW_TEST(posted_callback_that_fails_is_reported_and_the_next_one_runs)
{
    loop = loop_open();
    CHECK_OK(eddy_loop_call_soon_threadsafe(loop, fail, NULL));
    CHECK_OK(eddy_loop_call_soon_threadsafe(loop, trace_add, "next"));
    CHECK_OK(loop_run_for(loop, 1));
    CHECK_STR(trace, "next ");
    CHECK_HAS(test_report(), "EIO");
    eddy_loop_free(loop);
}
