/* SPDX-License-Identifier: MIT */
/*
 * The seam where things go wrong: cancels at every moment, many operations at once,
 * descriptor numbers that come back, and injected faults.
 */
#include <stdlib.h>

#include "base/fault.h"
#include "engine/probe.h"
#include "programs/program.h"

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

/* io_uring overlooks an operation that is about to be tried again. */
RAW_TEST(cancel_that_the_kernel_overlooks_is_asked_for_again)
{
    struct probe probes[3];
    int ends[3][2];

    engine_begin();
    for (int i = 0; i < 3; i++) {
        CHECK_EQ(pipe(ends[i]), 0);
        probes[i] = probe_poll(ends[i][0], ED_POLL_IN);
        ed_engine_submit(engine, &probes[i].op);
    }
    CHECK_OK(wait_for(0));
    ed_engine_overlooked = 3;
    for (int i = 0; i < 3; i++)
        ed_engine_cancel(engine, &probes[i].op);
    CHECK_EQ(write(ends[1][1], "x", 1), 1); /* this one ends by itself */
    CHECK_OK(wait_all());
    for (int i = 0; i < 3; i++) {
        CHECK_EQ(probes[i].calls, 1);
        if (i != 1)
            CHECK_EQ(probes[i].result, -ECANCELED);
        close_both(ends[i]);
    }
    ed_engine_overlooked = 0;
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
