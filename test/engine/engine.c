/* SPDX-License-Identifier: MIT */
/*
 * The seam: what every engine promises, asked of the one that the run is on. Time
 * here is real: an engine knows no other. Waits are short, or ended by a wake.
 */
#include "engine/engine.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/time.h"
#include "harness.h"
#include "programs/program.h"

#define MS INT64_C(1000000)

struct probe {
    struct ed_op op;
    int calls;
    int result; /* of the last call */
};

static struct ed_engine *engine;
static bool waiting; /* inside ed_engine_wait: the only place where done is called */

static void probe_done(struct ed_op *op)
{
    struct probe *probe = ed_container_of(op, struct probe, op);

    if (!waiting || op->in_flight)
        test_fail(__FILE__, __LINE__, "an operation completed outside a wait");
    probe->calls++;
    probe->result = op->result;
}

static struct probe probe_poll(int fd, uint32_t events)
{
    return (struct probe){
        .op = {.done = probe_done, .kind = ED_OP_POLL, .fd = fd, .events = events}};
}

static int wait_for(int64_t timeout)
{
    int rc;

    waiting = true;
    rc = ed_engine_wait(engine, timeout);
    waiting = false;
    return rc;
}

/* Waits, for a second at most, until nothing is in flight. */
static int wait_all(void)
{
    int64_t end = ed_time_monotonic() + ED_SECOND * (test_is_slow() ? 20 : 2);

    while (engine->in_flight && ed_time_monotonic() < end)
        REQUIRE(wait_for(50 * MS) == 0);
    return engine->in_flight ? -ETIMEDOUT : 0;
}

static void engine_begin(void)
{
    int rc = ed_engine_open(&engine);

    if (rc < 0)
        test_fail(__FILE__, __LINE__, "ed_engine_open: %s", eddy_strerror(rc));
}

static void engine_end(void)
{
    if (engine->in_flight)
        test_fail(__FILE__, __LINE__, "%zu operations are left", engine->in_flight);
    ed_engine_close(engine);
}

static void close_both(const int *ends)
{
    close(ends[0]);
    close(ends[1]);
}

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

/* Cancelling ----------------------------------------------------------------- */

RAW_TEST(cancel_before_the_kernel_has_heard_of_the_operation)
{
    struct probe probe;
    int ends[2];

    engine_begin();
    CHECK_EQ(pipe(ends), 0);
    probe = probe_poll(ends[0], ED_POLL_IN);
    ed_engine_submit(engine, &probe.op);
    ed_engine_cancel(engine, &probe.op);
    CHECK_EQ(probe.calls, 0);
    CHECK_OK(wait_all());
    CHECK_EQ(probe.calls, 1);
    CHECK_EQ(probe.result, -ECANCELED);
    close_both(ends);
    engine_end();
}

RAW_TEST(cancel_after_the_kernel_has_taken_the_operation)
{
    struct probe probe;
    int ends[2];

    engine_begin();
    CHECK_EQ(pipe(ends), 0);
    probe = probe_poll(ends[0], ED_POLL_IN);
    ed_engine_submit(engine, &probe.op);
    CHECK_OK(wait_for(0));
    ed_engine_cancel(engine, &probe.op);
    ed_engine_cancel(engine, &probe.op); /* idempotent */
    CHECK_EQ(probe.calls, 0);
    CHECK_OK(wait_all());
    CHECK_EQ(probe.calls, 1);
    CHECK_EQ(probe.result, -ECANCELED);
    CHECK_OK(wait_for(0));
    CHECK_EQ(probe.calls, 1);
    close_both(ends);
    engine_end();
}

/* Both outcomes are right; two completions, or none, would not be. */
RAW_TEST(cancel_after_the_completion_was_posted_but_not_reaped)
{
    struct probe probe;
    int ends[2];

    engine_begin();
    CHECK_EQ(pipe(ends), 0);
    probe = probe_poll(ends[0], ED_POLL_IN);
    for (int i = 1; i <= 200; i++) {
        ed_engine_submit(engine, &probe.op);
        CHECK_OK(wait_for(0));
        CHECK_EQ(write(ends[1], "x", 1), 1);
        ed_engine_cancel(engine, &probe.op);
        CHECK_OK(wait_all());
        CHECK_EQ(probe.calls, i);
        CHECK(probe.result == -ECANCELED || probe.result == ED_POLL_IN);
        CHECK_EQ(read(ends[0], &(char){0}, 1), 1);
    }
    close_both(ends);
    engine_end();
}

RAW_TEST(cancel_of_what_is_not_in_flight_has_no_effect)
{
    struct probe probe;
    int ends[2];

    engine_begin();
    CHECK_EQ(pipe(ends), 0);
    probe = probe_poll(ends[0], ED_POLL_IN);
    ed_engine_cancel(engine, &probe.op);
    CHECK_OK(wait_for(0));
    CHECK_EQ(probe.calls, 0);
    CHECK_EQ(write(ends[1], "x", 1), 1);
    ed_engine_submit(engine, &probe.op);
    CHECK_OK(wait_all());
    CHECK_EQ(probe.result, ED_POLL_IN);
    ed_engine_cancel(engine, &probe.op); /* completed */
    ed_engine_submit(engine, &probe.op); /* not hit by that cancel */
    CHECK_OK(wait_all());
    CHECK_EQ(probe.result, ED_POLL_IN);
    CHECK_EQ(probe.calls, 2);
    close_both(ends);
    engine_end();
}

static struct probe victim;

static void cancel_the_victim(struct ed_op *op)
{
    probe_done(op);
    ed_engine_cancel(engine, &victim.op);
}

/* Two are ready in one wait, and the first to be told cancels the other. */
RAW_TEST(cancel_from_a_completion_of_the_same_wait)
{
    struct probe first;
    int ends[2];

    engine_begin();
    CHECK_EQ(pipe(ends), 0);
    CHECK_EQ(write(ends[1], "x", 1), 1);
    for (int i = 1; i <= 50; i++) {
        first = probe_poll(ends[0], ED_POLL_IN);
        first.op.done = cancel_the_victim;
        victim = probe_poll(ends[0], ED_POLL_IN);
        ed_engine_submit(engine, &first.op);
        ed_engine_submit(engine, &victim.op);
        CHECK_OK(wait_all());
        CHECK_EQ(first.calls, 1);
        CHECK_EQ(victim.calls, 1);
        CHECK(victim.result == -ECANCELED || victim.result == ED_POLL_IN);
    }
    close_both(ends);
    engine_end();
}

/* More than a submission queue of 256 holds, and than the completions' 1,024. */
RAW_TEST(thousands_of_polls_are_cancelled_or_completed_each_once)
{
    static struct probe probes[2500];
    int ends[2], cancelled = 0, ready = 0;

    engine_begin();
    CHECK_EQ(pipe(ends), 0);
    for (int i = 0; i < 2500; i++) {
        probes[i] = probe_poll(ends[0], ED_POLL_IN);
        ed_engine_submit(engine, &probes[i].op);
    }
    CHECK_OK(wait_for(0));
    CHECK_EQ(engine->in_flight, 2500);
    for (int i = 0; i < 2500; i += 2)
        ed_engine_cancel(engine, &probes[i].op);
    for (int i = 0; i < 20 && engine->in_flight > 1250; i++)
        CHECK_OK(wait_for(MS));
    CHECK_EQ(engine->in_flight, 1250);
    CHECK_EQ(write(ends[1], "x", 1), 1);
    CHECK_OK(wait_all());
    for (int i = 0; i < 2500; i++) {
        CHECK_EQ(probes[i].calls, 1);
        cancelled += probes[i].result == -ECANCELED;
        ready += probes[i].result == ED_POLL_IN;
    }
    CHECK_EQ(cancelled, 1250);
    CHECK_EQ(ready, 1250);
    close_both(ends);
    engine_end();
}

RAW_TEST(polls_of_many_descriptors_complete_for_their_own)
{
    enum { COUNT = 400 };
    static struct probe probes[COUNT];
    static int ends[COUNT][2];

    engine_begin();
    if (setrlimit(RLIMIT_NOFILE, &(struct rlimit){1000, 1000}) < 0)
        test_skip("1,000 descriptors are not allowed here");
    for (int i = 0; i < COUNT; i++) {
        CHECK_EQ(pipe(ends[i]), 0);
        probes[i] = probe_poll(ends[i][0], ED_POLL_IN);
        ed_engine_submit(engine, &probes[i].op);
    }
    CHECK_OK(wait_for(0));
    for (int i = 0; i < COUNT; i += 3)
        CHECK_EQ(write(ends[i][1], "x", 1), 1);
    for (int i = 0; i < 20; i++)
        CHECK_OK(wait_for(0));
    for (int i = 0; i < COUNT; i++) {
        CHECK_EQ(probes[i].calls, i % 3 == 0);
        ed_engine_cancel(engine, &probes[i].op);
    }
    CHECK_OK(wait_all());
    for (int i = 0; i < COUNT; i++) {
        CHECK_EQ(probes[i].calls, 1);
        CHECK_EQ(probes[i].result, i % 3 == 0 ? (int)ED_POLL_IN : -ECANCELED);
        close_both(ends[i]);
    }
    engine_end();
}

/* Random operations on few descriptors: each submit is answered exactly once. */
RAW_TEST(random_submits_and_cancels_are_answered_exactly_once)
{
    static struct probe probes[64];
    static int submits[64];
    int ends[8][2], full[8] = {0};
    unsigned random = 12345, rounds = test_is_slow() ? 5000 : 50000;

    engine_begin();
    for (int i = 0; i < 8; i++)
        CHECK_EQ(pipe(ends[i]), 0);
    for (unsigned round = 0; round < rounds; round++) {
        struct probe *probe = &probes[(random = random * 1103515245 + 12345) >> 16 & 63];
        int which = (int)(probe - probes) % 8;

        switch (random >> 24 & 7) {
        case 0: CHECK_OK(wait_for(0)); break;
        case 1: ed_engine_cancel(engine, &probe->op); break;
        case 2:
            if (!full[which])
                CHECK_EQ(write(ends[which][1], "x", 1), 1);
            full[which] = 1;
            break;
        case 3:
            if (full[which])
                CHECK_EQ(read(ends[which][0], &(char){0}, 1), 1);
            full[which] = 0;
            break;
        default:
            if (probe->op.in_flight)
                break;
            probe->op = probe_poll(ends[which][0], ED_POLL_IN).op;
            ed_engine_submit(engine, &probe->op);
            submits[probe - probes]++;
        }
    }
    for (int i = 0; i < 64; i++)
        ed_engine_cancel(engine, &probes[i].op);
    CHECK_OK(wait_all());
    for (int i = 0; i < 64; i++)
        CHECK_EQ(probes[i].calls, submits[i]);
    for (int i = 0; i < 8; i++)
        close_both(ends[i]);
    engine_end();
}

/* Descriptor numbers that come back ------------------------------------------ */

RAW_TEST(descriptor_number_reused_after_a_cancel_gets_its_own_events)
{
    struct probe probe;

    engine_begin();
    for (int round = 0; round < 1000; round++) {
        int ends[2];

        CHECK_EQ(pipe(ends), 0);
        probe = probe_poll(ends[0], ED_POLL_IN);
        ed_engine_submit(engine, &probe.op);
        if (round % 3)
            CHECK_OK(wait_for(0));
        CHECK_EQ(probe.calls, 0); /* nothing of the one before */
        if (round % 2) {
            CHECK_EQ(write(ends[1], "x", 1), 1);
            CHECK_OK(wait_all());
            CHECK_EQ(probe.result, ED_POLL_IN);
        } else {
            ed_engine_cancel(engine, &probe.op);
            CHECK_OK(wait_all());
            CHECK_EQ(probe.result, -ECANCELED);
        }
        CHECK_EQ(probe.calls, 1);
        close_both(ends);
    }
    engine_end();
}

/* As remove_reader, close, add_reader do it: nothing waits for the cancel. */
RAW_TEST(descriptor_number_reused_before_the_cancel_has_completed)
{
    static struct probe probes[1000];
    int ends[2], before = -1;

    engine_begin();
    for (int round = 0; round < 1000; round++) {
        CHECK_EQ(pipe(ends), 0);
        CHECK(before == -1 || ends[0] == before); /* or it tests nothing */
        before = ends[0];
        probes[round] = probe_poll(ends[0], ED_POLL_IN);
        ed_engine_submit(engine, &probes[round].op);
        if (round % 5)
            CHECK_OK(wait_for(0));
        CHECK_EQ(probes[round].calls, 0);
        if (round % 7 == 0)
            CHECK_EQ(write(ends[1], "x", 1), 1);
        ed_engine_cancel(engine, &probes[round].op);
        close_both(ends);
    }
    CHECK_OK(wait_all());
    for (int round = 0; round < 1000; round++)
        CHECK_EQ(probes[round].calls, 1);
    engine_end();
}

/* The kernel keeps an open file while a duplicate lives, in this process or in a
 * child; what was closed here must not wake us any more. */
RAW_TEST(engine_forgets_a_descriptor_that_was_cancelled_and_closed_while_a_duplicate_lives)
{
    struct probe probe;
    int64_t start;
    int ends[2], kept;

    engine_begin();
    CHECK_EQ(pipe(ends), 0);
    kept = dup(ends[0]);
    probe = probe_poll(ends[0], ED_POLL_IN);
    ed_engine_submit(engine, &probe.op);
    CHECK_OK(wait_for(0));
    ed_engine_cancel(engine, &probe.op);
    close(ends[0]);
    CHECK_OK(wait_all());
    CHECK_EQ(write(ends[1], "x", 1), 1);
    start = ed_time_monotonic();
    for (int i = 0; i < 3; i++) /* one may return early */
        CHECK_OK(wait_for(20 * MS));
    CHECK(ed_time_monotonic() - start >= 20 * MS);
    close(ends[1]);
    close(kept);
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

static volatile int signals;

static void wake_in_a_signal(int number)
{
    (void)number;
    errno = ENOTTY;
    ed_engine_wake(engine);
    if (errno == ENOTTY)
        signals = signals + 1;
}

RAW_TEST(wake_from_a_signal_handler_ends_a_wait_and_keeps_errno)
{
    struct sigaction action = {.sa_handler = wake_in_a_signal, .sa_flags = SA_RESTART};
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
    timer_t timer;

    engine_begin();
    sigaction(SIGUSR1, &action, NULL);
    CHECK_EQ(raise(SIGUSR1), 0);
    CHECK_OK(wait_for(ED_NEVER)); /* woken before it began */
    CHECK_EQ(signals, 1);
    CHECK_EQ(timer_create(CLOCK_MONOTONIC, &event, &timer), 0);
    CHECK_EQ(timer_settime(timer, 0, &(struct itimerspec){.it_value = {0, 20 * MS}}, NULL), 0);
    while (signals < 2)
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
    CHECK(signals > 5);
    engine_end();
}

/* Faults --------------------------------------------------------------------- */

RAW_TEST(fault_of_an_operation_is_its_result_in_the_next_wait)
{
    struct probe probe;
    int ends[2];

    engine_begin();
    CHECK_EQ(pipe(ends), 0);
    CHECK_EQ(write(ends[1], "x", 1), 1);
    probe = probe_poll(ends[0], ED_POLL_IN);
    (void)ed_fault_set(ED_FAULT_POLL, 1, -EIO);
    ed_engine_submit(engine, &probe.op);
    ed_engine_cancel(engine, &probe.op); /* it is on its way already */
    CHECK_EQ(probe.calls, 0);
    CHECK_OK(wait_for(ED_NEVER)); /* does not sleep */
    CHECK_EQ(probe.calls, 1);
    CHECK_EQ(probe.result, -EIO);
    ed_engine_submit(engine, &probe.op);
    CHECK_OK(wait_all());
    CHECK_EQ(probe.result, ED_POLL_IN);
    close_both(ends);
    engine_end();
}

/* Two are refused, and the first to be told cancels the other. */
RAW_TEST(fault_of_two_operations_of_which_one_cancels_the_other)
{
    struct probe first = {.op = {.done = cancel_the_victim, .kind = ED_OP_NOP}};
    int ends[2];

    engine_begin();
    CHECK_EQ(pipe(ends), 0);
    victim = probe_poll(ends[0], ED_POLL_IN);
    (void)ed_fault_set(ED_FAULT_NOP, 1, -EIO);
    (void)ed_fault_set(ED_FAULT_POLL, 1, -ENOSPC);
    ed_engine_submit(engine, &first.op);
    ed_engine_submit(engine, &victim.op);
    CHECK_OK(wait_all());
    CHECK_EQ(first.result, -EIO);
    CHECK_EQ(victim.result, -ENOSPC);
    CHECK_EQ(first.calls + victim.calls, 2);
    ed_engine_submit(engine, &victim.op); /* the late cancel must not hit this one */
    for (int i = 0; i < 3; i++)
        CHECK_OK(wait_for(0));
    CHECK_EQ(victim.calls, 1);
    CHECK_EQ(write(ends[1], "x", 1), 1);
    CHECK_OK(wait_all());
    CHECK_EQ(victim.result, ED_POLL_IN);
    close_both(ends);
    engine_end();
}

/* D-12: a cancel may lose; then the operation ends as if nobody had asked. */
RAW_TEST(fault_of_a_cancel_leaves_the_operation_its_result)
{
    struct probe probe;
    int ends[2];

    engine_begin();
    CHECK_EQ(pipe(ends), 0);
    CHECK_EQ(write(ends[1], "x", 1), 1);
    probe = probe_poll(ends[0], ED_POLL_IN);
    ed_engine_submit(engine, &probe.op);
    (void)ed_fault_set(ED_FAULT_CANCEL, 1, -EALREADY);
    ed_engine_cancel(engine, &probe.op);
    CHECK_OK(wait_all());
    CHECK_EQ(probe.calls, 1);
    CHECK_EQ(probe.result, ED_POLL_IN);
    close_both(ends);
    engine_end();
}

/* Invariant: once faults stop, everything ends. */
RAW_TEST(fault_of_a_cancel_does_not_keep_an_operation_for_ever)
{
    struct probe probe;
    int ends[2];

    engine_begin();
    CHECK_EQ(pipe(ends), 0);
    probe = probe_poll(ends[0], ED_POLL_IN);
    ed_engine_submit(engine, &probe.op);
    (void)ed_fault_set(ED_FAULT_CANCEL, 1, -EALREADY);
    ed_engine_cancel(engine, &probe.op);
    CHECK_OK(wait_all());
    CHECK_EQ(probe.calls, 1);
    close_both(ends);
    engine_end();
}

RAW_TEST(fault_variable_reaches_the_operations_of_a_program)
{
    char text[1024];

    CHECK_EQ(program_run(text, sizeof text, "fault", "engine", NULL), 0);
    CHECK_STR(text, "nop 0\nnop 0\npoll ready\npoll ready\ncancelled poll ECANCELED\n");
    CHECK_EQ(program_run(text, sizeof text, "EDDY_FAULT=nop:EIO:2,poll:ENOMEM:1", "fault", "engine",
                         NULL),
             0);
    CHECK_STR(text, "nop 0\nnop EIO\npoll ENOMEM\npoll ready\ncancelled poll ECANCELED\n");
    CHECK_EQ(program_run(text, sizeof text, "EDDY_FAULT=poll:EIO:3", "fault", "engine", NULL), 0);
    CHECK_STR(text, "nop 0\nnop 0\npoll ready\npoll ready\ncancelled poll EIO\n");
    CHECK_EQ(program_run(text, sizeof text, "EDDY_FAULT=cancel:EIO:1", "fault", "engine", NULL), 0);
    CHECK_HAS(text, "poll ready\npoll ready\ncancelled poll "); /* ready or cancelled late */
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
