/* SPDX-License-Identifier: MIT */
/* The seam: what every engine promises, asked of the one that the run is on. */
#include "engine/engine.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>

#include "base/fault.h"
#include "engine/probe.h"

/* Readiness ------------------------------------------------------------------ */

RAW_TEST(poll_of_an_empty_pipe_completes_when_something_is_written)
{
    struct probe probe;
    int ends[2];

    engine_begin();
    CHECK_EQ(pipe(ends), 0);
    probe = probe_poll(ends[0], ED_POLL_IN);
    ed_engine_submit(engine, &probe.op);
    CHECK_EQ(probe.calls, 0);
    for (int i = 0; i < 5; i++)
        CHECK_OK(wait_for(0));
    CHECK_EQ(probe.calls, 0);
    CHECK_EQ(engine->in_flight, 1);
    CHECK_EQ(write(ends[1], "x", 1), 1);
    CHECK_OK(wait_all());
    CHECK_EQ(probe.calls, 1);
    CHECK_EQ(probe.result, ED_POLL_IN);
    close_both(ends);
    engine_end();
}

RAW_TEST(poll_of_what_is_ready_completes_in_the_next_wait)
{
    struct probe readable, writable;
    int ends[2];

    engine_begin();
    CHECK_EQ(pipe(ends), 0);
    CHECK_EQ(write(ends[1], "x", 1), 1);
    readable = probe_poll(ends[0], ED_POLL_IN);
    writable = probe_poll(ends[1], ED_POLL_OUT);
    ed_engine_submit(engine, &readable.op);
    ed_engine_submit(engine, &writable.op);
    CHECK_EQ(readable.calls + writable.calls, 0);
    CHECK_OK(wait_for(0));
    CHECK_EQ(readable.result, ED_POLL_IN);
    CHECK_EQ(writable.result, ED_POLL_OUT);
    CHECK_EQ(readable.calls + writable.calls, 2);
    close_both(ends);
    engine_end();
}

RAW_TEST(poll_tells_hang_up_and_error_unasked)
{
    struct probe hang_up, error;
    int one[2], two[2];

    engine_begin();
    CHECK_EQ(pipe(one), 0);
    CHECK_EQ(pipe(two), 0);
    hang_up = probe_poll(one[0], ED_POLL_IN);
    error = probe_poll(two[1], ED_POLL_IN);
    ed_engine_submit(engine, &hang_up.op);
    ed_engine_submit(engine, &error.op);
    CHECK_OK(wait_for(0));
    CHECK_EQ(hang_up.calls + error.calls, 0);
    close(one[1]);
    close(two[0]);
    CHECK_OK(wait_all());
    CHECK_EQ(hang_up.result, ED_POLL_HUP);
    CHECK_EQ(error.result, ED_POLL_ERR);
    close(one[0]);
    close(two[1]);
    engine_end();
}

/* A poll that asks for nothing still waits for the end. */
RAW_TEST(poll_for_no_event_completes_on_hang_up)
{
    struct probe probe;
    int ends[2];

    engine_begin();
    CHECK_EQ(pipe(ends), 0);
    probe = probe_poll(ends[0], 0);
    ed_engine_submit(engine, &probe.op);
    CHECK_EQ(write(ends[1], "x", 1), 1);
    CHECK_OK(wait_for(0));
    CHECK_OK(wait_for(0));
    CHECK_EQ(probe.calls, 0);
    close(ends[1]);
    CHECK_OK(wait_all());
    CHECK_EQ(probe.result, ED_POLL_HUP);
    close(ends[0]);
    engine_end();
}

RAW_TEST(polls_of_one_descriptor_complete_each_for_its_own_event)
{
    struct probe in, out, both;
    int ends[2];

    engine_begin();
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    in = probe_poll(ends[0], ED_POLL_IN);
    out = probe_poll(ends[0], ED_POLL_OUT);
    ed_engine_submit(engine, &in.op);
    ed_engine_submit(engine, &out.op);
    CHECK_OK(wait_for(ED_SECOND));
    CHECK_EQ(out.result, ED_POLL_OUT);
    CHECK_EQ(in.calls, 0);
    both = probe_poll(ends[0], ED_POLL_IN | ED_POLL_OUT);
    ed_engine_submit(engine, &both.op);
    CHECK_OK(wait_for(ED_SECOND));
    CHECK_EQ(both.result, ED_POLL_OUT);
    CHECK_EQ(write(ends[1], "x", 1), 1);
    CHECK_OK(wait_all());
    CHECK_EQ(in.result, ED_POLL_IN);
    CHECK_EQ(in.calls + out.calls + both.calls, 3);
    close_both(ends);
    engine_end();
}

RAW_TEST(poll_of_a_descriptor_that_is_not_open_is_bad)
{
    struct probe probes[3];
    int ends[2];

    engine_begin();
    CHECK_EQ(pipe(ends), 0);
    close_both(ends);
    probes[0] = probe_poll(ends[0], ED_POLL_IN);
    probes[1] = probe_poll(-1, ED_POLL_IN);
    probes[2] = probe_poll(1 << 20, ED_POLL_IN);
    for (int i = 0; i < 3; i++)
        ed_engine_submit(engine, &probes[i].op);
    CHECK_OK(wait_all());
    for (int i = 0; i < 3; i++) {
        CHECK_EQ(probes[i].calls, 1);
        CHECK_EQ(probes[i].result, -EBADF);
    }
    engine_end();
}

/* An operation may be started again as soon as it has completed, in done too. */
static int nops_left;

static void nop_again(struct ed_op *op)
{
    if (op->result != 0)
        test_fail(__FILE__, __LINE__, "a no-op ended with %d", op->result);
    if (--nops_left > 0)
        ed_engine_submit(engine, op);
}

RAW_TEST(operation_may_be_submitted_again_from_its_own_completion)
{
    struct ed_op op = {.done = nop_again, .kind = ED_OP_NOP};

    engine_begin();
    nops_left = 5000;
    ed_engine_submit(engine, &op);
    CHECK_OK(wait_all());
    CHECK_EQ(nops_left, 0);
    engine_end();
}

/* Waiting and waking --------------------------------------------------------- */

RAW_TEST(wait_with_nothing_to_do_lasts_as_long_as_it_is_told)
{
    static const int64_t times[] = {0, 1, 1000, 100000, MS, 20 * MS};

    engine_begin();
    CHECK_OK(wait_for(0)); /* sets up the wake */
    for (int i = 0; i < 6; i++) {
        int64_t start = ed_time_monotonic(), took;

        CHECK_OK(wait_for(times[i]));
        took = ed_time_monotonic() - start;
        CHECK_THAT(took >= times[i], "%lld ns instead of %lld", (long long)took,
                   (long long)times[i]);
        CHECK(took < times[i] + ED_SECOND);
    }
    engine_end();
}

RAW_TEST(wait_ends_when_an_operation_completes)
{
    struct ed_op nop = {.done = probe_done, .kind = ED_OP_NOP};
    struct probe probe = {.op = nop};
    int64_t start = ed_time_monotonic();

    engine_begin();
    ed_engine_submit(engine, &probe.op);
    CHECK_OK(wait_for(ED_NEVER));
    CHECK_EQ(probe.calls, 1);
    CHECK_EQ(probe.result, 0);
    CHECK(ed_time_monotonic() - start < 5 * ED_SECOND);
    engine_end();
}

static void *wake_soon(void *unused)
{
    usleep(20000);
    ed_engine_wake(engine);
    return unused;
}

RAW_TEST(wake_from_another_thread_ends_a_wait)
{
    pthread_t thread;

    engine_begin();
    for (int i = 0; i < 3; i++) {
        CHECK_EQ(pthread_create(&thread, NULL, wake_soon, NULL), 0);
        CHECK_OK(wait_for(i == 0 ? ED_NEVER : i == 1 ? ED_NEVER - 1 : 3600 * ED_SECOND));
        pthread_join(thread, NULL);
        CHECK_OK(wait_for(0));
    }
    engine_end();
}

static int signals; /* atomic */

static void wake_in_a_signal(int number)
{
    int error = errno;

    (void)number;
    errno = ENOTTY;
    ed_engine_wake(engine);
    if (errno == ENOTTY)
        __atomic_add_fetch(&signals, 1, __ATOMIC_RELAXED);
    errno = error;
}

static int signals_seen(void)
{
    return __atomic_load_n(&signals, __ATOMIC_RELAXED);
}

RAW_TEST(wake_from_a_signal_handler_ends_a_wait_and_keeps_errno)
{
    struct sigaction action = {.sa_handler = wake_in_a_signal, .sa_flags = SA_RESTART};
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
    timer_t timer;

    engine_begin();
    if (ED_TSAN && strcmp(engine->class->name, "uring") == 0)
        test_skip("ThreadSanitizer delivers no signal in a system call that it does not know");
    sigaction(SIGUSR1, &action, NULL);
    CHECK_EQ(raise(SIGUSR1), 0);
    CHECK_OK(wait_for(ED_NEVER)); /* woken before it began */
    CHECK_EQ(signals_seen(), 1);
    CHECK_EQ(timer_create(CLOCK_MONOTONIC, &event, &timer), 0);
    CHECK_EQ(timer_settime(timer, 0, &(struct itimerspec){.it_value = {0, 20 * MS}}, NULL), 0);
    while (signals_seen() < 2)
        CHECK_OK(wait_for(ED_NEVER));
    timer_delete(timer);
    CHECK_OK(wait_for(0));
    engine_end();
}

/* A-LOOP-18: wakes that nobody has seen yet are one. */
RAW_TEST(wakes_before_a_wait_are_one)
{
    int64_t start;
    int early = 0;

    engine_begin();
    for (int i = 0; i < 1000; i++)
        ed_engine_wake(engine);
    CHECK_OK(wait_for(ED_NEVER));
    for (int i = 0; i < 5; i++) {
        start = ed_time_monotonic();
        CHECK_OK(wait_for(10 * MS));
        early += ed_time_monotonic() - start < 10 * MS;
    }
    CHECK(early <= 1);
    engine_end();
}

/* Signals end a wait early at most; they are no error. */
RAW_TEST(wait_takes_a_signal_for_no_error)
{
    struct sigaction action = {.sa_handler = wake_in_a_signal}; /* without SA_RESTART */
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
    timer_t timer;

    engine_begin();
    sigaction(SIGUSR1, &action, NULL);
    CHECK_EQ(timer_create(CLOCK_MONOTONIC, &event, &timer), 0);
    CHECK_EQ(timer_settime(timer, 0, &(struct itimerspec){{0, MS}, {0, MS}}, NULL), 0);
    for (int i = 0; i < 30; i++)
        CHECK_OK(wait_for(3 * MS));
    timer_delete(timer);
    CHECK(signals_seen() > 5);
    engine_end();
}

/* Opening and closing -------------------------------------------------------- */

RAW_TEST(engine_without_memory_is_not_opened)
{
    (void)ed_fault_set(ED_FAULT_ALLOC, 1, -ENOMEM);
    CHECK_EQ(ed_engine_open(&engine), -ENOMEM);
}

/* Nothing stays open when the nth descriptor is one too many. */
RAW_TEST(engine_without_descriptors_is_not_opened)
{
    struct rlimit limit;
    int lowest = dup(0), rc;

    close(lowest);
    CHECK_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
    for (unsigned room = 0; room < 3; room++) {
        struct rlimit tight = {(rlim_t)lowest + room, limit.rlim_max};

        CHECK_EQ(setrlimit(RLIMIT_NOFILE, &tight), 0);
        rc = ed_engine_open(&engine);
        CHECK_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
        if (rc == 0)
            ed_engine_close(engine);
        else
            CHECK_EQ(rc, -EMFILE);
        CHECK_EQ(dup(0), lowest); /* and that is free again */
        close(lowest);
    }
}

static void close_with_something_in_flight(void)
{
    struct probe probe;
    int ends[2];

    if (ed_engine_open(&engine) < 0 || pipe(ends) < 0)
        return;
    probe = probe_poll(ends[0], ED_POLL_IN);
    ed_engine_submit(engine, &probe.op);
    ed_engine_close(engine);
}

static void submit_twice(void)
{
    struct ed_op op = {.done = probe_done, .kind = ED_OP_NOP};

    if (ed_engine_open(&engine) < 0)
        return;
    ed_engine_submit(engine, &op);
    ed_engine_submit(engine, &op);
}

RAW_TEST(engine_aborts_when_it_is_closed_over_an_operation)
{
    CHECK_DIES(close_with_something_in_flight, "broken invariant: engine->in_flight == 0");
    ed_engine_close(NULL);
}

RAW_TEST(engine_aborts_when_an_operation_is_submitted_twice)
{
    CHECK_DIES(submit_twice, "broken invariant: !op->in_flight");
}

/* Close-on-exec: what a program starts does not inherit an engine. */
RAW_TEST(engine_descriptors_are_closed_on_exec)
{
    engine_begin();
    for (int fd = 3; fd < 64; fd++) {
        char path[64], target[256];
        ssize_t length;

        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        length = readlink(path, target, sizeof target - 1);
        target[length > 0 ? length : 0] = '\0';
        if (strstr(target, "anon_inode") != NULL)
            CHECK_THAT(fcntl(fd, F_GETFD) & FD_CLOEXEC, "%s is inherited", target);
    }
    engine_end();
}

RAW_TEST(engine_name_that_does_not_exist_is_invalid)
{
    setenv("EDDY_ENGINE", "kqueue", 1);
    CHECK_EQ(ed_engine_open(&engine), -EINVAL);
    setenv("EDDY_ENGINE", "", 1); /* as unset */
    CHECK_OK(ed_engine_open(&engine));
    ed_engine_close(engine);
}
