/* SPDX-License-Identifier: MIT */
/* What only the epoll engine has to look after; the rest is in engine.c. */
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/memory.h"
#include "base/time.h"
#include "engine/engine.h"
#include "harness.h"

static struct ed_engine *engine;
static int last_result, calls;

static void op_done(struct ed_op *op)
{
    last_result = op->result;
    calls++;
}

static struct ed_op poll_of(int fd, uint32_t events)
{
    return (struct ed_op){.done = op_done, .kind = ED_OP_POLL, .fd = fd, .events = events};
}

static void epoll_begin(void)
{
    setenv("EDDY_ENGINE", "epoll", 1);
    if (ed_engine_open(&engine) < 0)
        test_fail(__FILE__, __LINE__, "no epoll");
}

RAW_TEST(epoll_is_chosen_by_name)
{
    epoll_begin();
    CHECK_STR(engine->class->name, "epoll");
    CHECK_STR(engine->info, "epoll (EDDY_ENGINE)");
    ed_engine_close(engine);
}

/* epoll refuses what has no readiness (EPERM); the loop asks before, see reader.c. */
RAW_TEST(epoll_poll_of_a_regular_file_is_not_permitted)
{
    FILE *file = tmpfile();
    struct ed_op op;

    epoll_begin();
    op = poll_of(fileno(file), ED_POLL_IN);
    ed_engine_submit(engine, &op);
    CHECK_OK(ed_engine_wait(engine, ED_SECOND));
    CHECK_EQ(calls, 1);
    CHECK_EQ(last_result, -EPERM);
    fclose(file);
    ed_engine_close(engine);
}

/* The table of watches, and a watch, may not be had: the operation says so. */
RAW_TEST(epoll_without_memory_for_a_watch_fails_the_operation)
{
    int ends[2];
    struct ed_op op;

    epoll_begin();
    CHECK_EQ(pipe(ends), 0);
    op = poll_of(ends[0], ED_POLL_IN);
    for (uint64_t nth = 1; nth <= 2; nth++) {
        (void)ed_fault_set(ED_FAULT_ALLOC, nth, -ENOMEM);
        ed_engine_submit(engine, &op);
        CHECK_OK(ed_engine_wait(engine, ED_SECOND));
        CHECK_EQ(last_result, -ENOMEM);
    }
    CHECK_EQ(calls, 2);
    (void)ed_fault_set(ED_FAULT_ALLOC, 0, 0);
    CHECK_EQ(write(ends[1], "x", 1), 1);
    ed_engine_submit(engine, &op);
    CHECK_OK(ed_engine_wait(engine, ED_SECOND));
    CHECK_EQ(last_result, ED_POLL_IN);
    close(ends[0]);
    close(ends[1]);
    ed_engine_close(engine);
}

/* The doubt about a watch: the file behind the number is another one, though the
 * kernel was last asked for the same events. */
RAW_TEST(epoll_asks_again_for_a_number_that_became_another_file)
{
    struct ed_op op;
    int ends[2], number;

    epoll_begin();
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    number = ends[0];
    op = poll_of(number, ED_POLL_OUT);
    for (int i = 1; i <= 100; i++) {
        ed_engine_submit(engine, &op);
        CHECK_OK(ed_engine_wait(engine, ED_SECOND));
        CHECK_EQ(calls, i);
        CHECK_EQ(last_result, ED_POLL_OUT);
        close(ends[0]);
        close(ends[1]);
        CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
        CHECK_EQ(ends[0], number);
    }
    close(ends[0]);
    close(ends[1]);
    ed_engine_close(engine);
}

/* More events than one call takes: the others come with the next, none is lost. */
RAW_TEST(epoll_completes_more_than_one_batch)
{
    static struct ed_op ops[300];
    static int ends[300][2];

    epoll_begin();
    for (int i = 0; i < 300; i++) {
        CHECK_EQ(pipe(ends[i]), 0);
        CHECK_EQ(write(ends[i][1], "x", 1), 1);
        ops[i] = poll_of(ends[i][0], ED_POLL_IN);
        ed_engine_submit(engine, &ops[i]);
    }
    for (int i = 0; i < 10 && engine->in_flight; i++)
        CHECK_OK(ed_engine_wait(engine, 0));
    CHECK_EQ(calls, 300);
    for (int i = 0; i < 300; i++) {
        close(ends[i][0]);
        close(ends[i][1]);
    }
    ed_engine_close(engine);
}

/* What the kernel is asked for on a steady descriptor stays, until it is ready for nobody: then
 * the engine sleeps all the same, and a later operation is served. */
RAW_TEST(epoll_steady_descriptor_that_is_ready_for_nobody_does_not_spin)
{
    const int64_t nap = ED_SECOND / 50;
    char data[8];
    struct ed_op op = {
        .done = op_done, .kind = ED_OP_RECV, .data = data, .size = sizeof data, .steady = true};
    int64_t start;
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) < 0)
        test_fail(__FILE__, __LINE__, "no sockets");
    epoll_begin();
    op.fd = ends[0];
    for (int round = 1; round <= 3; round++) {
        ed_engine_submit(engine, &op);
        CHECK_OK(ed_engine_wait(engine, 0)); /* nothing is there: it is watched */
        CHECK(write(ends[1], "a", 1) == 1);
        CHECK_OK(ed_engine_wait(engine, ED_SECOND));
        CHECK_EQ(calls, 2 * round - 1);
        CHECK(write(ends[1], "b", 1) == 1);    /* nobody waits for this */
        CHECK_OK(ed_engine_wait(engine, nap)); /* may find out by returning early */
        start = ed_time_monotonic();
        CHECK_OK(ed_engine_wait(engine, nap));
        CHECK(ed_time_monotonic() - start >= nap);
        ed_engine_submit(engine, &op);
        CHECK_OK(ed_engine_wait(engine, ED_SECOND));
        CHECK_EQ(calls, 2 * round);
        CHECK_EQ(last_result, 1);
    }
    ed_engine_forget(engine, ends[0]);
    ed_engine_close(engine);
    close(ends[0]);
    close(ends[1]);
}
