/* SPDX-License-Identifier: MIT */
/* Operations and the memory that they hold: what tools do not see. */
#include <errno.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/memory.h"
#include "engine/engine.h"
#include "harness.h"
#include "loop/loop.h"

#if ED_HAVE_URING
#include <liburing.h>
#endif

static struct ed_engine *open_engine(void)
{
    struct ed_engine *engine;

    if (ed_engine_open(&engine) < 0)
        test_fail(__FILE__, __LINE__, "no engine");
    return engine;
}

static void ignore_done(struct ed_op *op)
{
    (void)op;
}

static void free_an_operation(void)
{
    struct ed_engine *engine = open_engine();
    struct ed_op *op = ed_alloc_zero(sizeof *op);

    op->kind = ED_OP_NOP;
    op->done = ignore_done;
    ed_engine_submit(engine, op);
    ed_free(op);
}

static void leave_an_operation(void)
{
    struct ed_engine *engine = open_engine();
    ED_LOCAL_OP(op);

    op.kind = ED_OP_NOP;
    op.done = ignore_done;
    ed_engine_submit(engine, &op);
}

RAW_TEST(flight_operation_that_is_freed_or_left_aborts_and_names_both_places)
{
    CHECK_DIES(free_an_operation, "memory is freed at " __FILE__);
    CHECK_DIES(free_an_operation, "\"nop\" that stands in it, submitted at " __FILE__);
    CHECK_DIES(leave_an_operation, "the frame that holds an operation is left while it is in "
                                   "flight: \"nop\", submitted at " __FILE__);
}

RAW_TEST(flight_operation_that_completed_may_be_left)
{
    struct ed_engine *engine = open_engine();
    {
        ED_LOCAL_OP(op);

        op.kind = ED_OP_NOP;
        op.done = ignore_done;
        ed_engine_submit(engine, &op);
        CHECK(ed_flights > 0);
        while (op.in_flight)
            CHECK_OK(ed_engine_wait(engine, 0));
        CHECK(ed_flights == 0);
    }
    ed_engine_close(engine);
}

static int leave_the_stack(void)
{
    struct ed_op op = {.kind = ED_OP_NOP, .done = ignore_done}; /* as if it had no guard */

    ed_engine_submit(eddy_get_running_loop()->engine, &op);
    return 0;
}
EDDY_ASYNC(leave_the_stack);

static int leave_the_generator(eddy_generator *g)
{
    (void)g;
    return leave_the_stack();
}
EDDY_ASYNC_GENERATOR(int, leave_the_generator);

static int ask_the_generator(void)
{
    EDDY_GENERATOR g = eddy_generate(leave_the_generator);
    int value;

    return eddy_next(g, &value);
}
EDDY_ASYNC(ask_the_generator);

static void end_with_an_operation(void)
{
    (void)eddy_run(leave_the_stack);
}

static void end_a_generator_with_an_operation(void)
{
    (void)eddy_run(ask_the_generator);
}

RAW_TEST(flight_operation_on_a_stack_that_is_left_aborts_and_names_both_places)
{
    CHECK_DIES(end_with_an_operation, "memory is left by what was started at " __FILE__);
    CHECK_DIES(end_with_an_operation, "\"nop\" that stands in it, submitted at " __FILE__);
    CHECK_DIES(end_a_generator_with_an_operation,
               "memory is left by what was started at " __FILE__);
}

/* EDDY_FAULT stands for a kernel that met bad memory. */
static void meet_bad_memory(void)
{
    struct ed_engine *engine = open_engine();
    ED_LOCAL_OP(op);

    (void)ed_memory_guard(true);
    ed_fault_set(ED_FAULT_NOP, 1, -EFAULT);
    op.kind = ED_OP_NOP;
    op.done = ignore_done;
    ed_engine_submit(engine, &op);
    while (op.in_flight)
        (void)ed_engine_wait(engine, 0);
}

RAW_TEST(flight_operation_that_completes_with_efault_aborts_under_the_guard_allocator)
{
    CHECK_DIES(meet_bad_memory, "the operation \"nop\", submitted at " __FILE__);
    CHECK_DIES(meet_bad_memory, "met memory that is freed or nobody's (EFAULT)");
}

#if ED_HAVE_URING
/* The case that sanitizers miss: the kernel's write comes after the free. */
RAW_TEST(flight_write_of_the_kernel_into_freed_guarded_memory_is_an_error)
{
    struct io_uring ring;
    struct io_uring_cqe *cqe;
    bool before = ed_memory_guard(true);
    char *buffer = ed_alloc(5);
    int ends[2];

    (void)ed_memory_guard(before);
    if (io_uring_queue_init(4, &ring, 0) < 0)
        test_skip("no io_uring here");
    CHECK_EQ(pipe(ends), 0);
    io_uring_prep_read(io_uring_get_sqe(&ring), ends[0], buffer, 5, 0);
    CHECK_EQ(io_uring_submit(&ring), 1);
    ed_free(buffer); /* the register does not know of this operation */
    CHECK_EQ(write(ends[1], "hello", 5), 5);
    CHECK_EQ(io_uring_wait_cqe(&ring, &cqe), 0);
    CHECK_EQ(cqe->res, -EFAULT);
    io_uring_queue_exit(&ring);
    close(ends[0]);
    close(ends[1]);
}
#endif
