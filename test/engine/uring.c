/* SPDX-License-Identifier: MIT */
/* What only the io_uring engine has to look after; the rest is in engine.c. */
#include <dirent.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/time.h"
#include "engine/engine.h"
#include "harness.h"

static struct ed_engine *engine;
static int calls, ready, cancelled;

static void op_done(struct ed_op *op)
{
    calls++;
    ready += op->result > 0;
    cancelled += op->result == -ECANCELED;
}

static struct ed_op poll_of(int fd)
{
    return (struct ed_op){.done = op_done, .kind = ED_OP_POLL, .fd = fd, .events = ED_POLL_IN};
}

static void uring_begin(void)
{
    setenv("EDDY_ENGINE", "uring", 1);
    if (ed_engine_open(&engine) < 0)
        test_skip("io_uring is not to be had here");
}

RAW_TEST(uring_is_chosen_by_name_and_by_default)
{
    uring_begin();
    CHECK_STR(engine->class->name, "uring");
    CHECK_STR(engine->info, "io_uring");
    ed_engine_close(engine);
    unsetenv("EDDY_ENGINE");
    CHECK_OK(ed_engine_open(&engine));
    CHECK_STR(engine->class->name, "uring");
    ed_engine_close(engine);
}

/* Class "submission queue full, completion queue overflow": 5,000 completions are
 * more than the rings hold; the kernel keeps the rest, and none is lost. */
RAW_TEST(uring_loses_no_completion_when_its_rings_overflow)
{
    enum { COUNT = 5000 };
    static struct ed_op ops[COUNT];

    uring_begin();
    for (int i = 0; i < COUNT; i++) {
        ops[i] = (struct ed_op){.done = op_done, .kind = ED_OP_NOP};
        ed_engine_submit(engine, &ops[i]);
    }
    for (int i = 0; i < 100 && engine->in_flight; i++)
        CHECK_OK(ed_engine_wait(engine, 0));
    CHECK_EQ(engine->in_flight, 0);
    CHECK_EQ(calls, COUNT);
    ed_engine_close(engine);
}

/* The same with polls that all become ready at once, and cancels behind them. */
RAW_TEST(uring_overflows_with_cancels_under_way)
{
    enum { COUNT = 3000 };
    static struct ed_op ops[COUNT];
    int ends[2];

    uring_begin();
    CHECK_EQ(pipe(ends), 0);
    for (int i = 0; i < COUNT; i++) {
        ops[i] = poll_of(ends[0]);
        ed_engine_submit(engine, &ops[i]);
    }
    CHECK_OK(ed_engine_wait(engine, 0));
    CHECK_EQ(write(ends[1], "x", 1), 1);
    for (int i = 0; i < COUNT; i++)
        ed_engine_cancel(engine, &ops[i]);
    for (int i = 0; i < 100 && engine->in_flight; i++)
        CHECK_OK(ed_engine_wait(engine, 10000000));
    CHECK_EQ(calls, COUNT);
    CHECK_EQ(ready + cancelled, COUNT);
    close(ends[0]);
    close(ends[1]);
    ed_engine_close(engine);
}

static int threads(void)
{
    DIR *folder = opendir("/proc/self/task");
    int count = 0;

    while (folder && readdir(folder))
        count++;
    if (folder)
        closedir(folder);
    return count;
}

/* What would have a thread of the kernel's do it is done here. */
RAW_TEST(uring_operations_make_no_threads)
{
    static const enum ed_op_kind kinds[] = {ED_OP_SEND, ED_OP_WRITE,    ED_OP_RECV,
                                            ED_OP_READ, ED_OP_SHUTDOWN, ED_OP_CLOSE};
    int before = threads(), ends[2];
    char data[16] = "";

    uring_begin();
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
    CHECK_EQ(write(ends[1], data, sizeof data), (int)sizeof data);
    for (size_t i = 0; i < ED_ARRAY_LENGTH(kinds); i++) {
        struct ed_op op = {
            .done = op_done, .kind = kinds[i], .fd = ends[0], .data = data, .size = 8};

        ed_engine_submit(engine, &op);
        while (op.in_flight)
            CHECK_OK(ed_engine_wait(engine, ED_SECOND));
        CHECK(op.result >= 0);
        CHECK_EQ(threads(), before);
    }
    close(ends[1]);
    ed_engine_close(engine);
}

/* An operation that completed gives its memory back: a cancel still under way in
 * the ring must not hit the next that is submitted there. */
RAW_TEST(uring_late_cancel_does_not_hit_the_next_operation_at_the_same_address)
{
    struct ed_op op;
    int full[2], empty[2];

    uring_begin();
    CHECK_EQ(pipe(full), 0);
    CHECK_EQ(pipe(empty), 0);
    CHECK_EQ(write(full[1], "x", 1), 1);
    for (int i = 0; i < 300; i++) {
        int before = calls;

        op = poll_of(full[0]);
        ed_engine_submit(engine, &op);
        if (i % 2)
            CHECK_OK(ed_engine_wait(engine, 0));
        ed_engine_cancel(engine, &op);
        while (op.in_flight)
            CHECK_OK(ed_engine_wait(engine, ED_SECOND));
        CHECK_EQ(calls, before + 1);
        op = poll_of(empty[0]);
        ed_engine_submit(engine, &op);
        for (int j = 0; j < 3; j++)
            CHECK_OK(ed_engine_wait(engine, 0));
        CHECK_EQ(calls, before + 1);
        ed_engine_cancel(engine, &op);
        while (op.in_flight)
            CHECK_OK(ed_engine_wait(engine, ED_SECOND));
        CHECK_EQ(calls, before + 2);
    }
    close(full[0]);
    close(full[1]);
    close(empty[0]);
    close(empty[1]);
    ed_engine_close(engine);
}
