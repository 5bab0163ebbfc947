/* SPDX-License-Identifier: MIT */
/* Injected faults: the same results on both engines, and nothing lost on the way. */
#include "base/fault.h"

#include "engine/stage.h"
#include "programs/program.h"

static struct stage stage;

/* An error comes instead of the operation: what it would have taken is still there. */
RAW_TEST(fault_of_each_kind_is_its_result_and_takes_nothing)
{
    static const enum ed_fault faults[ED_OP_KINDS] = {
        [ED_OP_ACCEPT] = ED_FAULT_ACCEPT,     [ED_OP_RECV] = ED_FAULT_RECV,
        [ED_OP_RECVMSG] = ED_FAULT_RECV,      [ED_OP_RECVMMSG] = ED_FAULT_RECV,
        [ED_OP_READ] = ED_FAULT_READ,         [ED_OP_SEND] = ED_FAULT_SEND,
        [ED_OP_SENDMSG] = ED_FAULT_SEND,      [ED_OP_WRITE] = ED_FAULT_WRITE,
        [ED_OP_SENDFILE] = ED_FAULT_SENDFILE,
    };

    engine_begin();
    for
        EACH_STAGE_KIND(i)
        {
            CHECK_OK(stage_open(&stage, stage_kinds[i]));
            CHECK_OK(stage_ready(&stage));
            (void)ed_fault_set(faults[stage_kinds[i]], 2, -ENOBUFS);
            if (stage_sends(&stage)) {
                CHECK(probe_run(&stage.probe) > 0);
                stage.filled += (size_t)stage.probe.result;
                fd_fill(stage.ends[0]);
                fd_drain(stage.ends[1]);
                stage.filled = 0;
            } else {
                (void)probe_run(&stage.probe);
                CHECK_OK(stage_succeed(&stage));
                CHECK_OK(stage_ready(&stage));
            }
            CHECK_EQ(probe_run(&stage.probe), -ENOBUFS);
            stage_arm(&stage);
            stage.probe.op.offset = 0;
            (void)probe_run(&stage.probe);
            CHECK_OK(stage_succeed(&stage));
            (void)ed_fault_set(faults[stage_kinds[i]], 0, 0);
            stage_close(&stage);
        }
    engine_end();
}

static const struct {
    enum ed_op_kind kind;
    enum ed_fault fault;
} short_kinds[] = {
    {ED_OP_RECV, ED_FAULT_RECV},   {ED_OP_READ, ED_FAULT_READ},
    {ED_OP_SEND, ED_FAULT_SEND},   {ED_OP_SENDMSG, ED_FAULT_SEND},
    {ED_OP_WRITE, ED_FAULT_WRITE}, {ED_OP_SENDFILE, ED_FAULT_SENDFILE},
};

/* Who goes on by result, size and parts must find them as they were. */
RAW_TEST(fault_that_makes_a_transfer_short_leaves_the_operation_as_it_was)
{
    engine_begin();
    for (size_t i = 0; i < ED_ARRAY_LENGTH(short_kinds); i++) {
        struct ed_op *op = &stage.probe.op;

        CHECK_OK(stage_open(&stage, short_kinds[i].kind));
        stage.parts[1] = (struct iovec){stage.data, 7};
        stage.message.msg_iovlen = 2;
        CHECK_OK(stage_ready(&stage));
        (void)ed_fault_set(short_kinds[i].fault, 1, ED_FAULT_SHORT);
        CHECK_EQ(probe_run(&stage.probe), 1);
        CHECK_EQ(op->size, STAGE_FILE);
        CHECK_EQ(stage.message.msg_iovlen, 2);
        CHECK_EQ(stage.parts[0].iov_len, STAGE_FILE);
        CHECK_EQ(stage.parts[1].iov_len, 7);
        if (stage_sends(&stage))
            CHECK_EQ(fd_drain(stage.ends[1]), 1);
        else
            CHECK_EQ(probe_run(&stage.probe), 4); /* the rest */
        stage_close(&stage);
    }
    engine_end();
}

/* Also when it has to wait first, and when it is cancelled. */
RAW_TEST(fault_that_makes_a_transfer_short_may_wait_and_be_cancelled)
{
    engine_begin();
    for (size_t i = 0; i < ED_ARRAY_LENGTH(short_kinds); i++) {
        CHECK_OK(stage_open(&stage, short_kinds[i].kind));
        for (int cancelled = 0; cancelled < 3; cancelled++) {
            (void)ed_fault_set(short_kinds[i].fault, 1, ED_FAULT_SHORT);
            ed_engine_submit(engine, &stage.probe.op);
            if (cancelled != 1)
                CHECK_OK(wait_for(0));
            CHECK_EQ(engine->in_flight, 1);
            if (cancelled)
                ed_engine_cancel(engine, &stage.probe.op);
            else
                CHECK_OK(stage_ready(&stage));
            CHECK_OK(wait_all());
            CHECK_EQ(stage.probe.result, cancelled ? -ECANCELED : 1);
            CHECK_EQ(stage.probe.op.size, STAGE_FILE);
            CHECK_EQ(stage.parts[0].iov_len, STAGE_FILE);
            if (!cancelled) {
                fd_drain(stage.ends[stage_sends(&stage)]);
                stage.filled = stage_sends(&stage) ? fd_fill(stage.ends[0]) : 0;
            }
        }
        stage_close(&stage);
    }
    engine_end();
}

RAW_TEST(fault_that_makes_a_transfer_short_holds_for_exchanged_memory)
{
    static char more[100];

    engine_begin();
    CHECK_OK(stage_open(&stage, ED_OP_SEND));
    CHECK_OK(stage_ready(&stage));
    (void)ed_fault_set(ED_FAULT_SEND, 1, ED_FAULT_SHORT);
    ed_engine_submit(engine, &stage.probe.op);
    ed_op_set_memory(&stage.probe.op, more, sizeof more);
    CHECK_OK(wait_all());
    CHECK_EQ(stage.probe.result, 1);
    CHECK_EQ(stage.probe.op.size, sizeof more);
    stage_close(&stage);
    engine_end();
}

/* A message of no parts, or of an empty one, cannot be made shorter. */
RAW_TEST(fault_that_makes_a_message_short_passes_an_empty_one)
{
    engine_begin();
    CHECK_OK(stage_open(&stage, ED_OP_SENDMSG));
    CHECK_OK(stage_ready(&stage));
    for (int i = 0; i < 2; i++) {
        (void)ed_fault_set(ED_FAULT_SEND, 1, ED_FAULT_SHORT);
        stage.message.msg_iovlen = (size_t)i;
        stage.message.msg_iov = i ? stage.parts : NULL;
        stage.parts[0].iov_len = 0;
        CHECK_EQ(probe_run(&stage.probe), 0);
    }
    stage_close(&stage);
    engine_end();
}

RAW_TEST(fault_of_a_connect_leaves_the_socket_unconnected)
{
    struct sockaddr_in address;
    struct probe probe;
    int listener, fd = tcp_socket();

    engine_begin();
    listener = tcp_listen(1, &address);
    probe = probe_of(ED_OP_CONNECT, fd);
    probe.op.address = (struct sockaddr *)&address;
    probe.op.address_size = sizeof address;
    (void)ed_fault_set(ED_FAULT_CONNECT, 1, -ETIMEDOUT);
    CHECK_EQ(probe_run(&probe), -ETIMEDOUT);
    CHECK_EQ(getpeername(fd, (struct sockaddr *)&stage.address, &(socklen_t){16}), -1);
    CHECK_EQ(probe_run(&probe), 0);
    close(fd);
    close(listener);
    engine_end();
}

RAW_TEST(fault_of_a_close_closes_all_the_same)
{
    struct probe probe;
    int ends[2];

    engine_begin();
    for (int cancelled = 0; cancelled < 2; cancelled++) {
        CHECK_OK(pair_open(ends));
        (void)ed_fault_set(ED_FAULT_CLOSE, 1, -EIO);
        probe = probe_of(ED_OP_CLOSE, ends[0]);
        ed_engine_submit(engine, &probe.op);
        if (cancelled)
            ed_engine_cancel(engine, &probe.op);
        CHECK_OK(wait_all());
        CHECK_EQ(probe.result, -EIO);
        CHECK_EQ(fcntl(ends[0], F_GETFD), -1);
        CHECK_EQ(recv(ends[1], &(char){0}, 1, 0), 0);
        close(ends[1]);
    }
    engine_end();
}

/* Deliveries are counted one by one; one that is short comes in two. */
static struct {
    int count, sizes[8], last;
    char bytes[64];
    size_t received;
} many;

static void many_done(struct ed_op *op)
{
    if (op->more) {
        memcpy(many.bytes + many.received, op->data, (size_t)op->result);
        many.received += (size_t)op->result;
        many.sizes[many.count++] = op->result;
    } else {
        many.last = op->result;
    }
}

static int many_receive(uint64_t nth, int code)
{
    struct ed_op op = {.done = many_done, .kind = ED_OP_RECV_MANY};
    int ends[2];

    memset(&many, 0, sizeof many);
    REQUIRE(pair_open(ends) == 0);
    (void)ed_fault_set(ED_FAULT_RECV, nth, code);
    op.fd = ends[0];
    ed_engine_submit(engine, &op);
    for (size_t i = 0; i < 3 && op.in_flight; i++) {
        REQUIRE(write(ends[1], &"onetwosix"[3 * i], 3) == 3);
        for (int turn = 0; turn < 100 && op.in_flight && many.received < 3 * i + 3; turn++)
            REQUIRE(wait_for(50 * MS) == 0);
    }
    close(ends[1]);
    REQUIRE(wait_all() == 0);
    close(ends[0]);
    return 0;
}

RAW_TEST(fault_of_receiving_many_is_counted_by_delivery)
{
    engine_begin();
    CHECK_OK(many_receive(3, -ECONNRESET));
    CHECK_EQ(many.last, -ECONNRESET);
    CHECK_EQ(many.count, 2);
    CHECK_STR(many.bytes, "onetwo");
    CHECK_OK(many_receive(1, -ETIMEDOUT));
    CHECK_EQ(many.last, -ETIMEDOUT);
    CHECK_EQ(many.count, 0);
    CHECK_OK(many_receive(2, ED_FAULT_SHORT));
    CHECK_EQ(many.last, 0);
    CHECK_STR(many.bytes, "onetwosix");
    CHECK_EQ(many.count, 4);
    CHECK_EQ(many.sizes[1], 1);
    CHECK_EQ(many.sizes[2], 2);
    engine_end();
}

/* Two faults at once: the one that ends it is not lost because its cancel is slow. */
RAW_TEST(fault_of_receiving_many_stands_though_its_cancel_is_late)
{
    engine_begin();
    (void)ed_fault_set(ED_FAULT_CANCEL, 1, -EALREADY);
    CHECK_OK(many_receive(2, -ECONNRESET));
    CHECK_EQ(many.last, -ECONNRESET);
    CHECK_EQ(many.count, 1);
    CHECK_STR(many.bytes, "one");
    engine_end();
}

RAW_TEST(fault_variable_reaches_the_sockets_of_a_program)
{
    char text[1024];

    CHECK_EQ(program_run(text, sizeof text, "fault", "sockets", NULL), 0);
    CHECK_STR(text, "connect 0\naccept 0\nsend 10 0\nrecv 10 0\nsend 10 0\nrecv 10 0\nclose 0\n");
    CHECK_EQ(program_run(text, sizeof text, "EDDY_FAULT=recv:ECONNRESET:2,send:short:1,close:EIO:1",
                         "fault", "sockets", NULL),
             0);
    CHECK_STR(text, "connect 0\naccept 0\nsend 1 0\nrecv 1 0\nsend 10 0\nrecv 0 ECONNRESET\n"
                    "close EIO\n");
    CHECK_EQ(program_run(text, sizeof text,
                         "EDDY_FAULT=connect:ETIMEDOUT:1,accept:EMFILE:1,recv:short:2", "fault",
                         "sockets", NULL),
             0);
    CHECK_STR(text, "connect ETIMEDOUT\nconnect 0\naccept EMFILE\naccept 0\nsend 10 0\n"
                    "recv 10 0\nsend 10 0\nrecv 1 0\nclose 0\n");
}
