/* SPDX-License-Identifier: MIT */
/*
 * Stack overflows: promise 9. (RethinkDB #5309, Photon #148.) With a sanitizer, which
 * reports overflows itself, there is nothing to see here.
 */
#include "harness.h"

#include <pthread.h>
#include <unistd.h>

static void skip_if_sanitized(void)
{
    if (test_is_slow())
        test_skip("sanitizers and valgrind report stack overflows themselves");
}

static int recurse(volatile int depth)
{
    volatile char frame[2000];

    frame[depth % 2000] = 1;
    return depth == 0 ? 0 : recurse(depth - 1) + frame[depth % 2000];
}

static int overflows(int depth)
{
    EDDY_TRY(eddy_sleep(0));
    return recurse(depth) < 0 ? -EINVAL : 0;
}
EDDY_ASYNC(overflows, int);

static int starts_plain(void)
{
    return eddy_gather(EDDY_CALL(overflows, 10), EDDY_CALL(overflows, 1000000));
}
EDDY_ASYNC(starts_plain);

static int starts_named(void)
{
    EDDY_TASK task = eddy_create_task_with(
        (&(eddy_task_options){.name = "deep thought", .stack_size = (size_t)1 << 20}), overflows,
        1000000);

    return eddy_await(task);
}
EDDY_ASYNC(starts_named);

static int yields_deep(eddy_generator *g, int depth)
{
    int value = recurse(depth);

    return eddy_yield(g, &value);
}
EDDY_ASYNC_GENERATOR(int, yields_deep, int);

static int starts_generator(void)
{
    EDDY_GENERATOR generator = eddy_generate(yields_deep, 1000000);
    int value;

    return eddy_next(generator, &value);
}
EDDY_ASYNC(starts_generator);

static void run_plain(void)
{
    (void)eddy_run(starts_plain);
}

static void run_named(void)
{
    (void)eddy_run(starts_named);
}

static void run_generator(void)
{
    (void)eddy_run(starts_generator);
}

static void *run_in_thread(void *unused)
{
    (void)unused;
    run_named();
    return NULL;
}

static void run_thread(void)
{
    pthread_t thread;

    pthread_create(&thread, NULL, run_in_thread, NULL);
    pthread_join(thread, NULL);
}

static int stop_loop(void *loop)
{
    eddy_loop_stop(loop);
    return 0;
}

static int start_in_callback(void *loop)
{
    eddy_task *task = eddy_create_task(starts_named);

    eddy_task_detach(&task);
    eddy_loop_call_later(loop, 5, stop_loop, loop);
    return 0;
}

static void run_for_ever(void)
{
    eddy_loop *loop;

    if (eddy_loop_new(&loop) < 0)
        return;
    eddy_loop_call_soon(loop, start_in_callback, loop);
    (void)eddy_loop_run_forever(loop);
}

static char text[8192];

static bool dies_of_segv(void (*function)(void))
{
    int status = test_fork(function, text, sizeof text);

    return WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV;
}

/* The report names the task, its function, where it was created, and the size; then
 * the process dies of SIGSEGV as without Eddy. */
RAW_TEST(an_overflow_names_the_task_and_dies_of_segv)
{
    skip_if_sanitized();
    CHECK(dies_of_segv(run_named));
    CHECK_HAS(text, "eddy: stack overflow in task deep thought, overflows(), created at ");
    CHECK_HAS(text, "overflow.c:");
    CHECK_HAS(text, "its stack of 1984 KiB is full");
    CHECK_HAS(text, "stack_size");
}

/* A task without a name of its own, and the default size. */
RAW_TEST(an_overflow_of_a_plain_task_is_named_too)
{
    skip_if_sanitized();
    CHECK(dies_of_segv(run_plain));
    CHECK_HAS(text, "eddy: stack overflow in task Task-");
    CHECK_HAS(text, "its stack of 192 KiB is full");
}

/* In a generator. */
RAW_TEST(an_overflow_of_a_generator_is_named)
{
    skip_if_sanitized();
    CHECK(dies_of_segv(run_generator));
    CHECK_HAS(text, "eddy: stack overflow in generator yields_deep(), created at ");
}

/* In a loop of another thread. */
RAW_TEST(an_overflow_in_another_thread_is_named)
{
    skip_if_sanitized();
    CHECK(dies_of_segv(run_thread));
    CHECK_HAS(text, "eddy: stack overflow in task deep thought");
}

/* In a loop that runs for ever. */
RAW_TEST(an_overflow_in_run_forever_is_named)
{
    skip_if_sanitized();
    CHECK(dies_of_segv(run_for_ever));
    CHECK_HAS(text, "eddy: stack overflow in task deep thought");
}

static volatile int *volatile nowhere;

static int reads_nowhere(void)
{
    return *nowhere;
}
EDDY_ASYNC(reads_nowhere);

static void run_reads_nowhere(void)
{
    (void)eddy_run(reads_nowhere);
}

static int is_sent_a_fault(void)
{
    kill(getpid(), SIGSEGV);
    return 0;
}
EDDY_ASYNC(is_sent_a_fault);

static void run_is_sent_a_fault(void)
{
    (void)eddy_run(is_sent_a_fault);
}

/* Another fault is no overflow, and takes the default action without a word. */
RAW_TEST(another_fault_dies_without_a_word)
{
    skip_if_sanitized();
    CHECK(dies_of_segv(run_reads_nowhere));
    CHECK_STR(text, "");
}

/* A SIGSEGV that was sent kills too: it is not repeated by itself. */
RAW_TEST(a_fault_signal_that_was_sent_kills)
{
    skip_if_sanitized();
    CHECK(dies_of_segv(run_is_sent_a_fault));
}

static void own_handler(int number)
{
    (void)number;
    _exit(42);
}

static void run_with_own_handler(void)
{
    struct sigaction action = {.sa_handler = own_handler, .sa_flags = SA_ONSTACK};

    sigaction(SIGSEGV, &action, NULL);
    (void)eddy_run(reads_nowhere);
}

static int looks_at_handler(struct sigaction *seen)
{
    return sigaction(SIGSEGV, NULL, seen);
}
EDDY_ASYNC(looks_at_handler, struct sigaction *);

/* A handler of the program's is left alone. */
RAW_TEST(a_handler_of_the_program_is_left_alone)
{
    struct sigaction seen;
    int status;

    skip_if_sanitized();
    status = test_fork(run_with_own_handler, text, sizeof text);
    CHECK(WIFEXITED(status));
    CHECK_EQ(WEXITSTATUS(status), 42);
    CHECK_OK(eddy_run(looks_at_handler, &seen));
    CHECK(seen.sa_flags & SA_ONSTACK);
}

/* Behind the run the default action is back, and no signal stack of ours is left. */
RAW_TEST(behind_the_run_the_signal_is_as_before)
{
    struct sigaction action;
    stack_t stack;

    skip_if_sanitized();
    CHECK_OK(eddy_run(looks_at_handler, &action));
    CHECK_EQ(sigaction(SIGSEGV, NULL, &action), 0);
    CHECK(action.sa_handler == SIG_DFL);
    CHECK_EQ(sigaltstack(NULL, &stack), 0);
    CHECK(stack.ss_flags & SS_DISABLE);
}
