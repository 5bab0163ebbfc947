/* SPDX-License-Identifier: MIT */
/* Operations that a task awaits: what a cancel finds, before and after the kernel has them. */
#include "io/op.h"

#include "base/fault.h"
#include "socketpair.h"

static const struct ed_wait_kind receive_kind = ED_OP_WAIT_KIND("test.receive");

static size_t in_flight(void)
{
    return eddy_thread_.loop->engine->in_flight;
}

static int receive_byte(int fd, char *out)
{
    ED_AWAITED(receive);

    receive.op.kind = ED_OP_RECV;
    receive.op.fd = fd;
    receive.op.data = out;
    receive.op.size = 1;
    return ed_op_await(&receive, &receive_kind);
}

static int receive_byte_shielded(int fd, char *out)
{
    ED_AWAITED(receive);

    receive.op.kind = ED_OP_RECV;
    receive.op.fd = fd;
    receive.op.data = out;
    receive.op.size = 1;
    return ed_op_await_shielded(&receive, &receive_kind);
}

/* What a receiver saw: the result of its operation, and of a call behind it. */
struct seen {
    int first, second;
    char byte;
};

static int receive(int fd, struct seen *seen)
{
    seen->first = receive_byte(fd, &seen->byte);
    seen->second = eddy_sleep(0);
    return 0;
}
EDDY_ASYNC(receive, int, struct seen *);

static int receive_shielded(int fd, struct seen *seen)
{
    seen->first = receive_byte_shielded(fd, &seen->byte);
    seen->second = eddy_sleep(0);
    return 0;
}
EDDY_ASYNC(receive_shielded, int, struct seen *);

/* Takes the byte that a receiver has left; -EAGAIN: there is none. */
static int byte_left(int fd)
{
    char byte;
    ssize_t size = recv(fd, &byte, 1, MSG_DONTWAIT);

    return size < 0 ? -errno : (int)byte;
}

TEST(op_awaited_gives_its_result)
{
    PAIR(pair, SOCK_STREAM);
    char byte = 0;

    CHECK_EQ(write(pair.other, "a", 1), 1);
    CHECK_EQ(receive_byte(pair.one, &byte), 1);
    CHECK_EQ(byte, 'a');
    CHECK_EQ(in_flight(), 0);
}

TEST(op_awaited_waits_until_it_can_be_done)
{
    PAIR(pair, SOCK_STREAM);
    struct seen seen = {0, 0, 0};
    EDDY_TASK task = eddy_create_task(receive, pair.one, &seen);

    test_settle();
    CHECK(!eddy_task_done(task));
    CHECK_EQ(write(pair.other, "b", 1), 1);
    CHECK_OK(eddy_await(task));
    CHECK_EQ(seen.first, 1);
    CHECK_EQ(seen.byte, 'b');
}

TEST(op_awaited_with_a_cancel_pending_is_not_begun)
{
    PAIR(pair, SOCK_STREAM);
    char byte = 0;

    CHECK_EQ(write(pair.other, "c", 1), 1);
    CHECK_OK(eddy_cancel(eddy_current_task()));
    CHECK_EQ(receive_byte(pair.one, &byte), -ECANCELED);
    CHECK_EQ(in_flight(), 0);
    CHECK_EQ(byte_left(pair.one), 'c');
    (void)eddy_uncancel(); /* -EPERM when the sweep has cancelled as well */
}

TEST(op_cancelled_before_the_kernel_has_it_takes_nothing)
{
    PAIR(pair, SOCK_STREAM);
    struct seen seen = {0, 0, 0};
    EDDY_TASK task = eddy_create_task_eager(receive, pair.one, &seen);

    CHECK_EQ(in_flight(), 1); /* queued, no flush since */
    CHECK_EQ(write(pair.other, "d", 1), 1);
    CHECK_OK(eddy_cancel(task));
    CHECK_OK(eddy_await(task));
    CHECK_EQ(seen.first, -ECANCELED);
    CHECK_EQ(byte_left(pair.one), 'd');
    CHECK_EQ(in_flight(), 0);
}

TEST(op_cancelled_in_the_kernel_takes_nothing)
{
    PAIR(pair, SOCK_STREAM);
    struct seen seen = {0, 0, 0};
    EDDY_TASK task = eddy_create_task(receive, pair.one, &seen);

    test_settle();
    CHECK_OK(eddy_cancel(task));
    CHECK_OK(eddy_await(task));
    CHECK_EQ(seen.first, -ECANCELED);
    CHECK_EQ(seen.second, -ECANCELED); /* it stays cancelled */
    CHECK_EQ(write(pair.other, "e", 1), 1);
    CHECK_EQ(byte_left(pair.one), 'e');
}

/* Promise 3: exactly one of the two, and the byte is in one place. */
TEST(op_cancelled_in_the_tick_of_its_completion_loses_nothing)
{
    PAIR(pair, SOCK_STREAM);
    struct seen seen = {0, 0, 0};
    EDDY_TASK task = eddy_create_task(receive, pair.one, &seen);

    test_settle();
    CHECK_EQ(write(pair.other, "f", 1), 1);
    CHECK_OK(eddy_cancel(task));
    CHECK_OK(eddy_await(task));
    CHECK_EQ(seen.second, -ECANCELED);
    if (seen.first == 1) {
        CHECK_EQ(seen.byte, 'f');
        CHECK_EQ(byte_left(pair.one), -EAGAIN);
    } else {
        CHECK_EQ(seen.first, -ECANCELED);
        CHECK_EQ(byte_left(pair.one), 'f');
    }
}

static void no_cancel_faults(const int *unused)
{
    (void)unused;
    (void)ed_fault_set(ED_FAULT_CANCEL, 0, 0); /* the count does not matter */
}

/* Promise 3: a cancel that comes to the kernel too late is seen by the next call. */
TEST(op_faster_than_its_cancel_has_succeeded)
{
    EDDY_CLEANUP_(no_cancel_faults) int faults = 0;
    PAIR(pair, SOCK_STREAM);
    struct seen seen = {0, 0, 0};
    EDDY_TASK task = eddy_create_task(receive, pair.one, &seen);

    test_settle();
    CHECK_EQ(write(pair.other, "g", 1), 1);
    ed_fault_set(ED_FAULT_CANCEL, 1, -EAGAIN);
    CHECK_OK(eddy_cancel(task));
    CHECK_OK(eddy_await(task));
    CHECK_EQ(seen.first, 1);
    CHECK_EQ(seen.byte, 'g');
    CHECK_EQ(seen.second, -ECANCELED);
}

TEST(op_ends_with_the_reason_that_cut_it_short)
{
    PAIR(pair, SOCK_STREAM);
    char byte;
    int rc;

    {
        EDDY_TIMEOUT(limit, 1);
        rc = receive_byte(pair.one, &byte);
        CHECK(eddy_timeout_expired(&limit) || test_is_cancelled());
    }
    CHECK_EQ(rc, -ETIMEDOUT);
    CHECK_EQ(in_flight(), 0);
}

TEST(op_shielded_is_begun_with_a_cancel_pending)
{
    PAIR(pair, SOCK_STREAM);
    char byte = 0;

    CHECK_EQ(write(pair.other, "h", 1), 1);
    CHECK_OK(eddy_cancel(eddy_current_task()));
    CHECK_EQ(receive_byte_shielded(pair.one, &byte), 1);
    CHECK_EQ(byte, 'h');
    (void)eddy_uncancel(); /* -EPERM when the sweep has cancelled as well */
}

/* Declared behind the task: writes before the task is joined, or that would last for ever. */
static void pair_write(const struct pair *pair)
{
    if (write(pair->other, "i", 1) != 1)
        test_fail(__FILE__, __LINE__, "write: %s", strerror(errno));
}

TEST(op_shielded_is_not_cut_short)
{
    PAIR(pair, SOCK_STREAM);
    struct seen seen = {0, 0, 0};
    EDDY_TASK task = eddy_create_task(receive_shielded, pair.one, &seen);

    {
        EDDY_CLEANUP_(pair_write) struct pair at_the_end = pair;

        test_settle();
        CHECK_OK(eddy_cancel(task));
        test_settle();
        CHECK(!eddy_task_done(task));
    }
    CHECK_OK(eddy_await(task));
    CHECK_EQ(seen.first, 1);
    CHECK_EQ(seen.byte, 'i');
    CHECK_EQ(seen.second, -ECANCELED);
}

static void no_receive_faults(const int *unused)
{
    (void)unused;
    (void)ed_fault_set(ED_FAULT_RECV, 0, 0); /* the count does not matter */
}

TEST(op_that_is_made_to_fail_leaves_what_there_is)
{
    EDDY_CLEANUP_(no_receive_faults) int faults = 0;
    PAIR(pair, SOCK_STREAM);
    char byte = 0;

    CHECK_EQ(write(pair.other, "j", 1), 1);
    ed_fault_set(ED_FAULT_RECV, 1, -ECONNRESET);
    CHECK_EQ(receive_byte(pair.one, &byte), -ECONNRESET);
    CHECK_EQ(receive_byte(pair.one, &byte), 1);
    CHECK_EQ(byte, 'j');
}

static int leave_an_operation(int fd)
{
    char byte;
    ED_AWAITED(receive);

    receive.op.kind = ED_OP_RECV;
    receive.op.fd = fd;
    receive.op.data = &byte;
    receive.op.size = 1;
    ed_engine_submit(eddy_thread_.loop->engine, &receive.op);
    return 0;
}
EDDY_ASYNC(leave_an_operation, int);

static void run_and_leave(void)
{
    PAIR(pair, SOCK_STREAM);

    (void)eddy_run(leave_an_operation, pair.one); /* does not return */
}

RAW_TEST(op_whose_frame_is_left_in_flight_aborts)
{
    CHECK_DIES(run_and_leave, "the frame that holds an operation is left while it is in flight");
}
