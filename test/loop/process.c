/* SPDX-License-Identifier: MIT */
/*
 * Loops and the process around them: threads, and the choice of an engine.
 * Rules A-POL-1 to A-POL-3, promises 11 and 12.
 */
#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

#include "eddy/debug.h"
#include "loop/trace.h"
#include "programs/program.h"

/* Threads --------------------------------------------------------------------- */

static int ping(int *ends, int rounds)
{
    char byte;

    for (int i = 0; i < rounds; i++) {
        EDDY_TRY(eddy_sleep(0.5));
        if (write(ends[1], "x", 1) != 1 || read(ends[0], &byte, 1) != 1)
            return -EIO;
        EDDY_TRY(eddy_sleep(0));
    }
    return 0;
}
EDDY_ASYNC(ping, int *, int);

static int children(double *time)
{
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) < 0)
        return -errno;
    EDDY_TRY(eddy_gather(EDDY_CALL(ping, ends, 100), EDDY_CALL(ping, ends, 50)));
    close(ends[0]);
    close(ends[1]);
    *time = eddy_time();
    return 0;
}
EDDY_ASYNC_RESULT(double, children);

static void *run_a_loop(void *time)
{
    for (int i = 0; i < 5; i++)
        if (eddy_run(children, time) < 0)
            return NULL;
    return time;
}

/* A-POL-3: loops in several threads know nothing of each other, their clocks too. */
RAW_TEST(loops_in_several_threads_are_independent)
{
    pthread_t threads[4];
    double times[4] = {0};

    for (int i = 0; i < 4; i++)
        CHECK_EQ(pthread_create(&threads[i], NULL, run_a_loop, &times[i]), 0);
    for (int i = 0; i < 4; i++) {
        void *result;

        pthread_join(threads[i], &result);
        CHECK(result == &times[i]);
        CHECK(times[i] == 50);
    }
}

static eddy_loop *loops[2];
static int relayed;

/* Each loop passes the ball to the other. */
static int relay(void *which)
{
    intptr_t here = (intptr_t)which;

    REQUIRE(eddy_get_running_loop() == loops[here]);
    if (++relayed < 2000)
        return eddy_loop_call_soon_threadsafe(loops[!here], relay, (void *)(intptr_t)!here);
    REQUIRE(eddy_loop_call_soon_threadsafe(loops[!here], loop_stop, loops[!here]) == 0);
    return loop_stop(loops[here]);
}

static pthread_barrier_t both_are_open;

static void *run_the_other(void *unused)
{
    loops[1] = loop_open();
    pthread_barrier_wait(&both_are_open);
    if (eddy_loop_run_forever(loops[1]) < 0)
        return NULL;
    pthread_barrier_wait(&both_are_open); /* nobody posts to it any more */
    eddy_loop_free(loops[1]);
    return unused;
}

/* Promise 11: a loop reaches another only by its inbox. */
RAW_TEST(loops_of_two_threads_post_to_each_other)
{
    pthread_t thread;
    void *result;

    pthread_barrier_init(&both_are_open, NULL, 2);
    loops[0] = loop_open();
    CHECK_EQ(pthread_create(&thread, NULL, run_the_other, loops), 0);
    pthread_barrier_wait(&both_are_open);
    CHECK_OK(eddy_loop_call_soon_threadsafe(loops[1], relay, (void *)(intptr_t)1));
    CHECK_OK(eddy_loop_run_forever(loops[0]));
    pthread_barrier_wait(&both_are_open);
    pthread_join(thread, &result);
    CHECK(result == loops);
    CHECK_EQ(relayed, 2000);
    eddy_loop_free(loops[0]);
}

/* A-POL-2, A-RUNL-13: asking never makes a loop. */
RAW_TEST(thread_without_a_running_loop_has_none)
{
    eddy_stats stats;

    CHECK(!eddy_get_running_loop());
    eddy_get_stats(&stats);
    CHECK_EQ(stats.loops, 0);
    CHECK(!eddy_current_task());
    CHECK_EQ(eddy_all_tasks(NULL, 0), 0);
    CHECK(!eddy_create_task(ping, NULL, 1));
}

static int finished; /* atomic */

static void *ask_for_stats(void *unused)
{
    eddy_stats stats;

    while (!__atomic_load_n(&finished, __ATOMIC_ACQUIRE))
        eddy_get_stats(&stats);
    return unused;
}

/* "Any thread", and at any time. */
RAW_TEST(stats_may_be_asked_for_by_a_thread_while_loops_come_and_go)
{
    pthread_t thread;

    CHECK_EQ(pthread_create(&thread, NULL, ask_for_stats, NULL), 0);
    for (int i = 0; i < (test_is_slow() ? 50 : 500); i++) {
        int ends[2];

        CHECK_EQ(pipe(ends), 0);
        CHECK_OK(eddy_run(ping, ends, 1));
        close(ends[0]);
        close(ends[1]);
    }
    __atomic_store_n(&finished, 1, __ATOMIC_RELEASE);
    pthread_join(thread, NULL);
}

/* The engine ------------------------------------------------------------------ */

static int nothing(void)
{
    return eddy_sleep(1);
}
EDDY_ASYNC(nothing);

/* A-POL-1: EDDY_ENGINE is the factory. */
RAW_TEST(engine_name_that_does_not_exist_opens_no_loop)
{
    eddy_loop *loop = NULL;

    setenv("EDDY_ENGINE", "kqueue", 1);
    CHECK_EQ(eddy_loop_new(&loop), -EINVAL);
    CHECK(!loop);
    CHECK_EQ(eddy_run(nothing), -EINVAL);
    CHECK_STR(eddy_engine_info(), "none");
}

/* "Every error text says what, on what, why." */
RAW_TEST(engine_name_that_does_not_exist_is_named_by_the_program)
{
    char text[512];
    int status = program_run(text, sizeof text, "EDDY_ENGINE=kqueue", "engine-info", NULL);

    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 1);
    CHECK_HAS(text, "EDDY_ENGINE");
    CHECK_HAS(text, "kqueue");
}

static int copy_info(void *text)
{
    snprintf(text, 96, "%s", eddy_engine_info());
    return 0;
}

/* Promise 12. The runner has named the engine. */
RAW_TEST(engine_info_says_which_and_why)
{
    bool uring = strcmp(getenv("EDDY_ENGINE"), "uring") == 0;
    eddy_loop *loop = loop_open();
    char inside[96];

    (void)eddy_loop_call_soon(loop, copy_info, inside);
    CHECK_OK(loop_run_for(loop, 1));
    CHECK_STR(inside, uring ? "io_uring" : "epoll (EDDY_ENGINE)");
    CHECK_STR(eddy_engine_info(), inside); /* what a new one would use */
    eddy_loop_free(loop);
}

/* Under a filter that denies io_uring all works, and without a word. */
RAW_TEST(program_works_on_epoll_where_io_uring_is_denied)
{
    char text[512];
    int status = program_run(text, sizeof text, "EDDY_ENGINE=", "EDDY_CLOCK=", "no-uring",
                             "programs/engine-info", NULL);

    if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
        test_skip("no seccomp filters here");
    CHECK_EQ(status, 0);
    if (strstr(text, "not built in"))
        test_skip("io_uring is not built in");
    CHECK_STR(text, "epoll (io_uring: not permitted, by seccomp or kernel.io_uring_disabled)\n");
}

/* Filters from before kernel 5.11 deny epoll_pwait2 the same way. */
RAW_TEST(program_works_where_io_uring_and_epoll_pwait2_are_denied)
{
    char text[512];
    int status = program_run(text, sizeof text, "EDDY_ENGINE=", "EDDY_CLOCK=", "no-uring", "--old",
                             "programs/engine-info", NULL);

    if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
        test_skip("no seccomp filters here");
    CHECK_EQ(status, 0);
    if (strstr(text, "not built in"))
        test_skip("io_uring is not built in");
    CHECK_HAS(text, "epoll (io_uring: not permitted");
}

/* Who asks for io_uring by name gets it or an error, nothing else. */
RAW_TEST(engine_that_was_named_is_not_replaced_by_another)
{
    char text[512];
    int status = program_run(text, sizeof text, "EDDY_ENGINE=uring", "EDDY_CLOCK=", "no-uring",
                             "programs/engine-info", NULL);

    if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
        test_skip("no seccomp filters here");
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 1);
    CHECK(!strstr(text, "epoll ("));
}
