/* SPDX-License-Identifier: MIT */
/*
 * Each kind of operation, cancelled at each moment: it completes once, with -ECANCELED or
 * with what it did, and nothing is lost: bytes and connections are delivered, or still there
 * for the next operation, which the older cancel does not hit.
 */
#include "base/fault.h"
#include "engine/stage.h"

enum moment {
    QUEUED,          /* before the kernel has heard of it */
    QUEUED_READY,    /* and it could succeed */
    FLUSHED,         /* handed over, maybe not in the kernel yet */
    FLUSHED_READY,   /* and it could succeed */
    IN_KERNEL,       /* it waits there */
    POSTED,          /* it has succeeded, which nobody has seen yet */
    READY_BEHIND,    /* what it waits for comes behind the cancel */
    BY_AN_EARLIER,   /* by another that completes in the same wait */
    BY_A_LATER,      /* the same, submitted after it */
    LATE,            /* a cancel that takes its time, by a fault */
    LATE_AND_POSTED, /* the same, when it has succeeded */
    MOMENTS,
};

static struct stage stage;
static bool is_ready; /* what the stage's operation waits for has come */

static int make_ready(void)
{
    if (!is_ready)
        REQUIRE(stage_ready(&stage) == 0);
    is_ready = true;
    return 0;
}

static void cancel_the_stage(struct ed_op *op)
{
    probe_done(op);
    ed_engine_cancel(engine, &stage.probe.op);
}

static int submit_with_a_neighbour(enum moment moment)
{
    static struct probe neighbour;

    neighbour = probe_poll(stage.ends[0], ed_op_awaits(&stage.probe.op));
    neighbour.op.done = cancel_the_stage;
    if (moment == BY_AN_EARLIER)
        ed_engine_submit(engine, &neighbour.op);
    ed_engine_submit(engine, &stage.probe.op);
    if (moment == BY_A_LATER)
        ed_engine_submit(engine, &neighbour.op);
    REQUIRE(wait_for(0) == 0 && make_ready() == 0 && wait_all() == 0);
    REQUIRE(neighbour.calls == 1);
    return 0;
}

/* Submits the stage's operation, and cancels it. */
static int cancel_at(enum moment moment)
{
    struct ed_op *op = &stage.probe.op;

    if (moment == BY_AN_EARLIER || moment == BY_A_LATER)
        return submit_with_a_neighbour(moment);
    if (moment == QUEUED_READY || moment == FLUSHED_READY)
        REQUIRE(make_ready() == 0);
    ed_engine_submit(engine, op);
    if (moment == FLUSHED || moment == FLUSHED_READY)
        flush();
    if (moment == IN_KERNEL || moment == POSTED || moment >= READY_BEHIND)
        REQUIRE(wait_for(0) == 0);
    if (moment == POSTED || moment == LATE_AND_POSTED)
        REQUIRE(make_ready() == 0);
    if (moment >= LATE)
        (void)ed_fault_set(ED_FAULT_CANCEL, 1, -EALREADY);
    ed_engine_cancel(engine, op);
    ed_engine_cancel(engine, op);
    if (moment == READY_BEHIND)
        REQUIRE(make_ready() == 0);
    return wait_all();
}

static int cancel_once(enum moment moment)
{
    int calls = stage.probe.calls;

    is_ready = false;
    REQUIRE(cancel_at(moment) == 0);
    REQUIRE(stage.probe.calls == calls + 1);
    REQUIRE(moment != LATE_AND_POSTED || stage.probe.result != -ECANCELED); /* it wins */
    if (stage.probe.result == -ECANCELED) {
        stage_arm(&stage);
        ed_engine_submit(engine, &stage.probe.op);
        for (int i = 0; i < 3; i++)
            REQUIRE(wait_for(0) == 0);
        REQUIRE(is_ready || engine->in_flight == 1);
        REQUIRE(make_ready() == 0 && wait_all() == 0);
    }
    REQUIRE(stage_succeed(&stage) == 0);
    ed_engine_submit(engine, &stage.probe.op); /* not hit by the older cancel */
    for (int i = 0; i < 3; i++)
        REQUIRE(wait_for(0) == 0);
    REQUIRE(engine->in_flight == 1);
    REQUIRE(stage_ready(&stage) == 0 && wait_all() == 0);
    return stage_succeed(&stage);
}

RAW_TEST(cancel_of_each_kind_at_each_moment_loses_nothing)
{
    engine_begin();
    for
        EACH_STAGE_KIND(i)
        {
            CHECK_OK(stage_open(&stage, stage_kinds[i]));
            for (int moment = 0; moment < MOMENTS; moment++)
                for (int round = 0; round < 3; round++)
                    CHECK_OK(cancel_once((enum moment)moment));
            stage_close(&stage);
        }
    engine_end();
}

/* The first of two that wait for the same cancels the other, which wanted the rest. */
RAW_TEST(cancel_of_each_kind_by_its_neighbour_of_the_same_kind_loses_nothing)
{
    struct probe first;

    engine_begin();
    for
        EACH_STAGE_KIND(i)
        {
            CHECK_OK(stage_open(&stage, stage_kinds[i]));
            if (stage_sends(&stage) || stage_kinds[i] == ED_OP_ACCEPT) {
                stage_close(&stage);
                continue;
            }
            first = stage.probe;
            first.op.done = cancel_the_stage;
            for (int round = 1; round <= 3; round++) {
                ed_engine_submit(engine, &first.op);
                ed_engine_submit(engine, &stage.probe.op);
                CHECK_OK(wait_for(0));
                CHECK_OK(stage_ready(&stage));
                while (first.calls + stage.probe.calls < 2 * round - 1)
                    CHECK_OK(wait_for(50 * MS));
                CHECK_OK(stage_ready(&stage));
                CHECK_OK(wait_all());
                CHECK_EQ(first.calls, round);
                CHECK_EQ(stage.probe.calls, round);
                (void)fd_drain(stage.ends[0]);
            }
            stage_close(&stage);
        }
    engine_end();
}

static struct probe connect_to(struct sockaddr_in *address, int fd)
{
    struct probe probe = probe_of(ED_OP_CONNECT, fd);

    probe.op.address = (struct sockaddr *)address;
    probe.op.address_size = sizeof *address;
    return probe;
}

/* Its socket is to be closed then; the listener may see a connection that ends. */
RAW_TEST(cancel_of_a_connect_is_answered_once)
{
    struct sockaddr_in address;
    struct probe probe;
    int listener, fd;

    engine_begin();
    listener = tcp_listen(64, &address);
    for (int round = 0; round < 40; round++) {
        probe = connect_to(&address, tcp_socket());
        ed_engine_submit(engine, &probe.op);
        if (round % 4 == 1)
            flush();
        if (round % 4 == 2)
            CHECK_OK(wait_for(0));
        if (round % 4 != 3)
            ed_engine_cancel(engine, &probe.op);
        CHECK_OK(wait_all());
        CHECK_EQ(probe.calls, 1);
        CHECK(probe.result == 0 || (probe.result == -ECANCELED && round % 4 != 3));
        close(probe.op.fd);
        while ((fd = accept(listener, NULL, NULL)) >= 0)
            close(fd);
    }
    close(listener);
    engine_end();
}

RAW_TEST(cancel_of_a_close_does_not_keep_the_descriptor)
{
    struct probe probe;
    int ends[2];

    engine_begin();
    for (int round = 0; round < 4; round++) {
        CHECK_OK(pair_open(ends));
        probe = probe_of(ED_OP_CLOSE, ends[0]);
        ed_engine_submit(engine, &probe.op);
        if (round % 2)
            flush();
        if (round / 2)
            (void)ed_fault_set(ED_FAULT_CANCEL, 1, -EALREADY);
        ed_engine_cancel(engine, &probe.op);
        CHECK_OK(wait_all());
        (void)ed_fault_set(ED_FAULT_CANCEL, 0, 0);
        CHECK_EQ(probe.calls, 1);
        CHECK_EQ(probe.result, 0);
        CHECK_EQ(fcntl(ends[0], F_GETFD), -1);
        close(ends[1]);
    }
    engine_end();
}

RAW_TEST(cancel_of_a_shutdown_is_answered_once)
{
    struct probe probe;
    int ends[2];

    engine_begin();
    for (int round = 0; round < 20; round++) {
        CHECK_OK(pair_open(ends));
        probe = probe_of(ED_OP_SHUTDOWN, ends[0]);
        probe.op.flags = SHUT_WR;
        ed_engine_submit(engine, &probe.op);
        if (round % 2)
            flush();
        ed_engine_cancel(engine, &probe.op);
        CHECK_OK(wait_all());
        CHECK_EQ(probe.calls, 1);
        CHECK(probe.result == 0 || probe.result == -ECANCELED);
        CHECK_EQ(recv(ends[1], &(char){0}, 1, 0), probe.result == 0 ? 0 : -1);
        close_both(ends);
    }
    engine_end();
}

/* What was queued knows of earlier operations on its descriptor. */
RAW_TEST(cancel_of_what_is_queued_lets_the_engine_forget_its_descriptor)
{
    int64_t start;
    int kept;

    engine_begin();
    CHECK_OK(stage_open(&stage, ED_OP_RECV));
    ed_engine_submit(engine, &stage.probe.op);
    CHECK_OK(wait_for(0));
    CHECK_OK(stage_ready(&stage));
    CHECK_OK(wait_all()); /* it has waited, and the kernel was asked */
    ed_engine_submit(engine, &stage.probe.op);
    ed_engine_cancel(engine, &stage.probe.op);
    kept = dup(stage.ends[0]);
    close(stage.ends[0]);
    CHECK_EQ(write(stage.ends[1], "x", 1), 1);
    CHECK_OK(wait_all());
    start = ed_time_monotonic();
    for (int i = 0; i < 3; i++) /* one may return early */
        CHECK_OK(wait_for(20 * MS));
    CHECK(ed_time_monotonic() - start >= 20 * MS);
    close(stage.ends[1]);
    close(kept);
    engine_end();
}

/* Doubling their number must not make it four times as long: it took seconds. */
RAW_TEST(cancel_of_very_many_in_one_turn_is_not_quadratic)
{
    int count = test_is_slow() ? 2000 : 60000;
    struct probe *probes = calloc((size_t)count, sizeof *probes);
    int64_t start;
    int ends[2];

    engine_begin();
    CHECK_EQ(pipe(ends), 0);
    for (int i = 0; i < count; i++) {
        probes[i] = probe_of(ED_OP_NOP, -1);
        (void)ed_fault_set(ED_FAULT_NOP, 1, -EIO); /* all have ended when they are cancelled */
        ed_engine_submit(engine, &probes[i].op);
    }
    start = ed_time_monotonic();
    for (int i = count - 1; i >= 0; i--)
        ed_engine_cancel(engine, &probes[i].op);
    CHECK(ed_time_monotonic() - start < 2 * ED_SECOND);
    CHECK_OK(wait_all());
    for (int i = 0; i < count; i++)
        CHECK_EQ(probes[i].calls, 1);
    close_both(ends);
    free(probes);
    engine_end();
}
