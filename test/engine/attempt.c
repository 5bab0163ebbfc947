/* SPDX-License-Identifier: MIT */
/* What each kind of operation does: success, waiting, the end, errors, broken pipes. */
#include <pthread.h>

#include "engine/stage.h"

static struct stage stage;

/* Success -------------------------------------------------------------------- */

RAW_TEST(operation_of_each_kind_succeeds_at_once_when_it_can)
{
    engine_begin();
    for
        EACH_STAGE_KIND(i)
        {
            CHECK_OK(stage_open(&stage, stage_kinds[i]));
            CHECK_OK(stage_ready(&stage));
            ed_engine_submit(engine, &stage.probe.op);
            CHECK_EQ(stage.probe.calls, 0); /* never from inside submit */
            CHECK_OK(wait_all());
            CHECK_OK(stage_succeed(&stage));
            stage_close(&stage);
        }
    engine_end();
}

RAW_TEST(operation_of_each_kind_waits_until_it_can_succeed)
{
    engine_begin();
    for
        EACH_STAGE_KIND(i)
        {
            CHECK_OK(stage_open(&stage, stage_kinds[i]));
            for (int round = 1; round <= 3; round++) {
                ed_engine_submit(engine, &stage.probe.op);
                for (int j = 0; j < 3; j++)
                    CHECK_OK(wait_for(0));
                CHECK_THAT(engine->in_flight == 1, "kind %d did not wait", (int)stage_kinds[i]);
                CHECK_OK(stage_ready(&stage));
                CHECK_OK(wait_all());
                CHECK_EQ(stage.probe.calls, round);
                CHECK_OK(stage_succeed(&stage));
            }
            stage_close(&stage);
        }
    engine_end();
}

RAW_TEST(receive_takes_no_more_than_it_has_room_for)
{
    static const enum ed_op_kind kinds[] = {ED_OP_RECV, ED_OP_RECVMSG, ED_OP_READ};

    engine_begin();
    for (int i = 0; i < 3; i++) {
        CHECK_OK(stage_open(&stage, kinds[i]));
        CHECK_OK(stage_ready(&stage));
        for (int round = 0; round < 3; round++) {
            stage_arm(&stage);
            stage.parts[0].iov_len = 2;
            if (kinds[i] != ED_OP_RECVMSG)
                stage.probe.op.size = 2;
            CHECK_EQ(probe_run(&stage.probe), round < 2 ? 2 : 1);
            CHECK_EQ(memcmp(stage.data, &"hello"[2 * round], (size_t)stage.probe.result), 0);
        }
        stage_close(&stage);
    }
    engine_end();
}

RAW_TEST(recvmmsg_takes_all_messages_that_are_there)
{
    engine_begin();
    CHECK_OK(stage_open(&stage, ED_OP_RECVMMSG));
    for (int i = 0; i < 3; i++)
        CHECK_EQ(write(stage.ends[1], "message", (size_t)i + 1), i + 1);
    CHECK_EQ(probe_run(&stage.probe), 3);
    for (int i = 0; i < 3; i++)
        CHECK_EQ(stage.messages[i].msg_len, i + 1);
    for (int i = 0; i < 6; i++)
        CHECK_OK(stage_ready(&stage));
    CHECK_EQ(probe_run(&stage.probe), 4); /* as many as it has room for */
    CHECK_EQ(probe_run(&stage.probe), 2);
    stage_close(&stage);
    engine_end();
}

RAW_TEST(sendmsg_and_recvmsg_carry_a_descriptor)
{
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof(int))];
    } out = {.header = {CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS}}, in;
    char byte = 'x';
    struct iovec part = {&byte, 1};
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = &out, .msg_controllen = sizeof out};
    struct probe probe;
    int ends[2], received;

    engine_begin();
    CHECK_OK(pair_open(ends));
    memcpy(CMSG_DATA(&out.header), &ends[0], sizeof(int));
    probe = probe_of(ED_OP_SENDMSG, ends[0]);
    probe.op.message = &message;
    CHECK_EQ(probe_run(&probe), 1);
    message.msg_control = &in;
    probe = probe_of(ED_OP_RECVMSG, ends[1]);
    probe.op.message = &message;
    probe.op.flags = MSG_CMSG_CLOEXEC;
    CHECK_EQ(probe_run(&probe), 1);
    CHECK_EQ(message.msg_controllen, CMSG_SPACE(sizeof(int)));
    memcpy(&received, CMSG_DATA(&in.header), sizeof(int));
    CHECK(is_cloexec_nonblocking(received));
    close(received);
    close_both(ends);
    engine_end();
}

/* The kernel counts in 32 bits on one engine; sizes here do not. */
RAW_TEST(transfer_of_four_gigabytes_is_cut_and_not_taken_for_none)
{
    size_t size = (size_t)1 << 32;
    char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    struct probe probe;
    int ends[2];

    if (memory == MAP_FAILED)
        test_skip("no address space");
    engine_begin();
    CHECK_OK(pair_open(ends));
    probe = probe_of(ED_OP_RECV, ends[0]);
    probe.op.data = memory;
    probe.op.size = size;
    CHECK_EQ(write(ends[1], "hello", 5), 5);
    CHECK_EQ(probe_run(&probe), 5);
    CHECK_EQ(memcmp(memory, "hello", 5), 0);
    probe.op.kind = ED_OP_SEND;
    CHECK(probe_run(&probe) > 0);
    CHECK_EQ(fd_drain(ends[1]), probe.result);
    close_both(ends);
    munmap(memory, size);
    engine_end();
}

RAW_TEST(shutdown_and_close_tell_the_other_side)
{
    struct probe probe;
    int ends[2];

    engine_begin();
    for (int tcp = 0; tcp < 2; tcp++) {
        CHECK_OK(tcp ? tcp_pair(ends) : pair_open(ends));
        probe = probe_of(ED_OP_SHUTDOWN, ends[0]);
        probe.op.flags = SHUT_WR;
        CHECK_EQ(probe_run(&probe), 0);
        probe = probe_of(ED_OP_RECV, ends[1]);
        probe.op.data = stage.data;
        probe.op.size = 1;
        CHECK_EQ(probe_run(&probe), 0);
        CHECK_EQ(write(ends[1], "x", 1), 1); /* the other half stands */
        probe.op.fd = ends[0];
        CHECK_EQ(probe_run(&probe), 1);
        probe = probe_of(ED_OP_CLOSE, ends[0]);
        CHECK_EQ(probe_run(&probe), 0);
        CHECK_EQ(fcntl(ends[0], F_GETFD), -1);
        close(ends[1]);
    }
    engine_end();
}

/* In one flush: what is sent first arrives, and then the end. */
RAW_TEST(shutdown_and_close_come_behind_what_was_sent_before)
{
    static const enum ed_op_kind ends_with[] = {ED_OP_SHUTDOWN, ED_OP_CLOSE};
    struct probe probes[5];
    char data[16];
    int ends[2];

    engine_begin();
    for (int round = 0; round < 40; round++) {
        CHECK_OK(round % 4 / 2 ? tcp_pair(ends) : pair_open(ends));
        for (int i = 0; i < 4; i++) {
            probes[i] = probe_of(ED_OP_SEND, ends[0]);
            probes[i].op.data = &"abcd"[i];
            probes[i].op.size = 1;
            ed_engine_submit(engine, &probes[i].op);
        }
        probes[4] = probe_of(ends_with[round % 2], ends[0]);
        probes[4].op.flags = SHUT_WR;
        ed_engine_submit(engine, &probes[4].op);
        CHECK_OK(wait_all());
        for (int i = 0; i < 5; i++)
            CHECK_EQ(probes[i].result, i < 4);
        CHECK_EQ(fcntl(ends[1], F_SETFL, 0), 0); /* the end may be on its way */
        CHECK_EQ(recv(ends[1], data, 4, MSG_WAITALL), 4);
        CHECK_EQ(memcmp(data, "abcd", 4), 0);
        CHECK_EQ(recv(ends[1], data, 4, 0), 0);
        close(ends[1]);
        if (round % 2 == 0)
            close(ends[0]);
    }
    engine_end();
}

/* The end, and errors -------------------------------------------------------- */

RAW_TEST(receive_of_a_stream_that_has_ended_is_zero_after_its_last_bytes)
{
    static const enum ed_op_kind kinds[] = {ED_OP_RECV, ED_OP_RECVMSG, ED_OP_READ};

    engine_begin();
    for (int i = 0; i < 3; i++)
        for (int waits = 0; waits < 2; waits++) {
            CHECK_OK(stage_open(&stage, kinds[i]));
            CHECK_OK(stage_ready(&stage));
            if (!waits)
                close(stage.ends[1]);
            CHECK_EQ(probe_run(&stage.probe), 5);
            stage_arm(&stage);
            ed_engine_submit(engine, &stage.probe.op);
            if (waits) {
                CHECK_OK(wait_for(0));
                CHECK_EQ(engine->in_flight, 1);
                close(stage.ends[1]);
            }
            CHECK_OK(wait_all());
            CHECK_EQ(stage.probe.result, 0);
            CHECK_EQ(probe_run(&stage.probe), 0); /* and stays so */
            stage.ends[1] = -1;
            stage_close(&stage);
        }
    engine_end();
}

RAW_TEST(operation_of_each_kind_on_a_descriptor_that_is_not_open_is_bad)
{
    struct probe probe;

    engine_begin();
    for (int kind = ED_OP_POLL; kind < ED_OP_OPENAT; kind++) { /* files: see file.c */
        CHECK_OK(stage_open(&stage, ED_OP_RECV));
        close_both(stage.ends);
        for (int i = 0; i < 2; i++) {
            probe = stage.probe;
            probe.op.kind = (enum ed_op_kind)kind;
            probe.op.fd = i ? -1 : stage.ends[0];
            if (kind == ED_OP_RECVMSG || kind == ED_OP_SENDMSG)
                probe.op.message = &stage.message;
            if (kind == ED_OP_RECVMMSG) {
                probe.op.messages = stage.messages;
                probe.op.size = 1;
            }
            if (kind == ED_OP_CONNECT || kind == ED_OP_ACCEPT) {
                stage.address.sin_family = AF_INET;
                probe.op.address = (struct sockaddr *)&stage.address;
                probe.op.address_size = sizeof stage.address;
            }
            (void)probe_run(&probe);
            CHECK_THAT(probe.result == -EBADF && probe.calls == 1, "kind %d: %d", kind,
                       probe.result);
        }
    }
    engine_end();
}

RAW_TEST(operation_of_each_kind_on_the_wrong_socket_says_what_the_kernel_says)
{
    static const struct {
        enum ed_op_kind kind;
        int on_pipe, on_new_socket;
    } cases[] = {
        {ED_OP_ACCEPT, -ENOTSOCK, -EINVAL},     {ED_OP_ACCEPT_MANY, -ENOTSOCK, -EINVAL},
        {ED_OP_RECV, -ENOTSOCK, -ENOTCONN},     {ED_OP_RECV_MANY, -ENOTSOCK, -ENOTCONN},
        {ED_OP_RECVMSG, -ENOTSOCK, -ENOTCONN},  {ED_OP_RECVMMSG, -ENOTSOCK, -ENOTCONN},
        {ED_OP_SEND, -ENOTSOCK, -EPIPE},        {ED_OP_SENDMSG, -ENOTSOCK, -EPIPE},
        {ED_OP_SHUTDOWN, -ENOTSOCK, -ENOTCONN},
    };
    struct probe probe;
    int ends[2];

    engine_begin();
    for (size_t i = 0; i < ED_ARRAY_LENGTH(cases); i++)
        for (int is_socket = 0; is_socket < 2; is_socket++) {
            CHECK_OK(stage_open(&stage, ED_OP_READ));
            bool out = cases[i].kind == ED_OP_SEND || cases[i].kind == ED_OP_SENDMSG;
            int fd = is_socket ? tcp_socket() : stage.ends[out];

            CHECK_EQ(write(stage.ends[1], "x", 1), 1); /* a poll would say: go */
            probe = probe_of(cases[i].kind, fd);
            stage.probe.op.kind = cases[i].kind;
            stage_arm(&stage);
            probe.op.data = stage.probe.op.data;
            probe.op.size = stage.probe.op.size;
            probe.op.address_size = stage.probe.op.address_size;
            (void)probe_run(&probe);
            CHECK_THAT(probe.calls == 1 &&
                           probe.result == (is_socket ? cases[i].on_new_socket : cases[i].on_pipe),
                       "kind %d on %d: %d", (int)cases[i].kind, is_socket, probe.result);
            stage_close(&stage);
            if (is_socket)
                close(fd);
        }
    (void)ends;
    engine_end();
}

RAW_TEST(receive_and_send_after_a_reset_say_so)
{
    struct linger now = {1, 0};

    engine_begin();
    for (int sends = 0; sends < 2; sends++)
        for (int waits = 0; waits < 2; waits++) {
            struct probe probe;
            int ends[2];

            CHECK_OK(tcp_pair(ends));
            if (sends)
                fd_fill(ends[0]);
            CHECK_EQ(setsockopt(ends[1], SOL_SOCKET, SO_LINGER, &now, sizeof now), 0);
            probe = probe_of(sends ? ED_OP_SEND : ED_OP_RECV, ends[0]);
            probe.op.data = stage.data;
            probe.op.size = 10;
            if (!waits)
                close(ends[1]);
            ed_engine_submit(engine, &probe.op);
            CHECK_OK(wait_for(0));
            if (waits)
                close(ends[1]);
            CHECK_OK(wait_all());
            CHECK_EQ(probe.calls, 1);
            CHECK(probe.result == -ECONNRESET || (sends && probe.result == -EPIPE));
            close(ends[0]);
        }
    engine_end();
}

/* Connecting ----------------------------------------------------------------- */

static struct probe probe_connect(int fd, void *address, socklen_t size)
{
    struct probe probe = probe_of(ED_OP_CONNECT, fd);

    probe.op.address = address;
    probe.op.address_size = size;
    return probe;
}

RAW_TEST(connect_succeeds_or_is_refused)
{
    struct sockaddr_in address;
    struct probe probe;
    int listener, fd, taken;

    engine_begin();
    for (int refused = 0; refused < 2; refused++) {
        listener = tcp_listen(refused ? -1 : 8, &address);
        fd = tcp_socket();
        probe = probe_connect(fd, &address, sizeof address);
        CHECK_EQ(probe_run(&probe), refused ? -ECONNREFUSED : 0);
        if (!refused) {
            CHECK_EQ(write(fd, "x", 1), 1);
            taken = accept(listener, NULL, NULL);
            CHECK_EQ(read(taken, &(char){0}, 1), 1);
            close(taken);
        }
        close(fd);
        close(listener);
    }
    engine_end();
}

RAW_TEST(connect_to_a_unix_socket_succeeds_or_says_why_not)
{
    struct sockaddr_un address;
    struct probe probe;
    socklen_t size;
    int listener, fd;

    engine_begin();
    for (int refused = 0; refused < 2; refused++) {
        listener = unix_listen(refused ? -1 : 8, &address, &size);
        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
        probe = probe_connect(fd, &address, size);
        CHECK_EQ(probe_run(&probe), refused ? -ECONNREFUSED : 0);
        close(fd);
        close(listener);
    }
    address = (struct sockaddr_un){.sun_family = AF_UNIX, .sun_path = "/nowhere/at/all"};
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
    probe = probe_connect(fd, &address, sizeof address);
    CHECK_EQ(probe_run(&probe), -ENOENT);
    close(fd);
    engine_end();
}

/* Nothing tells when there is room: it must not wait for ever. */
RAW_TEST(connect_to_a_unix_socket_whose_queue_is_full_is_refused)
{
    struct sockaddr_un address;
    struct probe probe;
    socklen_t size;
    int clients[8], count = 0, listener, last = 0;

    engine_begin();
    listener = unix_listen(1, &address, &size);
    while (count < 8 && last == 0) {
        clients[count] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
        probe = probe_connect(clients[count++], &address, size);
        last = probe_run(&probe);
    }
    CHECK_EQ(last, -ENOBUFS);
    while (count-- > 0)
        close(clients[count]);
    close(listener);
    engine_end();
}

/* A full queue of TCP's drops what knocks: the client waits, and may be cancelled. */
RAW_TEST(connect_to_a_tcp_socket_whose_queue_is_full_waits)
{
    struct sockaddr_in address;
    struct probe probe = {.result = 0};
    int clients[8], count = 0, listener;

    engine_begin();
    listener = tcp_listen(0, &address);
    do {
        clients[count] = tcp_socket();
        probe = probe_connect(clients[count++], &address, sizeof address);
        ed_engine_submit(engine, &probe.op);
        for (int i = 0; i < 3; i++)
            CHECK_OK(wait_for(MS));
    } while (count < 8 && !probe.op.in_flight);
    CHECK(probe.op.in_flight);
    ed_engine_cancel(engine, &probe.op);
    CHECK_OK(wait_all());
    CHECK_EQ(probe.result, -ECANCELED);
    while (count-- > 0)
        close(clients[count]);
    close(listener);
    engine_end();
}

/* Two operations on one descriptor ------------------------------------------- */

RAW_TEST(receive_and_send_wait_side_by_side)
{
    struct probe send;

    engine_begin();
    CHECK_OK(stage_open(&stage, ED_OP_RECV));
    fd_fill(stage.ends[0]);
    send = stage.probe;
    send.op.kind = ED_OP_SEND;
    for (int round = 1; round <= 4; round++) {
        ed_engine_submit(engine, round % 2 ? &stage.probe.op : &send.op);
        ed_engine_submit(engine, round % 2 ? &send.op : &stage.probe.op);
        CHECK_OK(wait_for(0));
        CHECK_EQ(engine->in_flight, 2);
        CHECK_OK(stage_ready(&stage));
        while (stage.probe.calls < round)
            CHECK_OK(wait_for(50 * MS));
        CHECK_EQ(send.calls, round - 1);
        CHECK_OK(stage_succeed(&stage));
        fd_drain(stage.ends[1]);
        CHECK_OK(wait_all());
        CHECK_EQ(send.calls, round);
        CHECK(send.result > 0);
        fd_fill(stage.ends[0]);
    }
    stage_close(&stage);
    engine_end();
}

/* Each byte goes to one of them; which is not said. */
RAW_TEST(receives_side_by_side_share_the_bytes)
{
    char data[2][4] = {"", ""};
    struct probe probes[2];
    int ends[2];

    engine_begin();
    CHECK_OK(pair_open(ends));
    for (int i = 0; i < 2; i++) {
        probes[i] = probe_of(ED_OP_RECV, ends[0]);
        probes[i].op.data = data[i];
        probes[i].op.size = 3;
        ed_engine_submit(engine, &probes[i].op);
    }
    CHECK_OK(wait_for(0));
    CHECK_EQ(write(ends[1], "abc", 3), 3);
    for (int i = 0; i < 10 && engine->in_flight == 2; i++)
        CHECK_OK(wait_for(50 * MS));
    CHECK_EQ(probes[0].calls + probes[1].calls, 1); /* the other waits on */
    CHECK_STR(data[probes[1].calls], "abc");
    CHECK_EQ(write(ends[1], "def", 3), 3);
    CHECK_OK(wait_all());
    CHECK(strcmp(data[0], "def") == 0 || strcmp(data[1], "def") == 0);
    CHECK_EQ(probes[0].result + probes[1].result, 6);
    close_both(ends);
    engine_end();
}

RAW_TEST(receive_whose_neighbour_was_cancelled_gets_all_bytes)
{
    struct probe neighbour;

    engine_begin();
    CHECK_OK(stage_open(&stage, ED_OP_RECV));
    neighbour = stage.probe;
    neighbour.op.data = &(char){0};
    neighbour.op.size = 1;
    ed_engine_submit(engine, &neighbour.op);
    ed_engine_submit(engine, &stage.probe.op);
    CHECK_OK(wait_for(0));
    ed_engine_cancel(engine, &neighbour.op);
    while (neighbour.op.in_flight)
        CHECK_OK(wait_for(50 * MS));
    CHECK_EQ(neighbour.result, -ECANCELED);
    CHECK_OK(stage_ready(&stage));
    CHECK_OK(wait_all());
    CHECK_OK(stage_succeed(&stage));
    stage_close(&stage);
    engine_end();
}

/* Broken pipes --------------------------------------------------------------- */

static int broken_pipes_seen;

static void broken_pipe_seen(int number)
{
    (void)number;
    broken_pipes_seen++;
}

static bool broken_pipe_is_pending(void)
{
    sigset_t pending;

    sigpending(&pending);
    return sigismember(&pending, SIGPIPE) == 1;
}

static int break_pipe(enum ed_op_kind kind, bool waits)
{
    REQUIRE(stage_open(&stage, kind) == 0);
    if (!waits) {
        fd_drain(stage.ends[1]);
        close(stage.ends[1]);
    }
    ed_engine_submit(engine, &stage.probe.op);
    REQUIRE(wait_for(0) == 0);
    if (waits) {
        REQUIRE(engine->in_flight == 1);
        close(stage.ends[1]);
    }
    REQUIRE(wait_all() == 0);
    stage.ends[1] = -1;
    stage_close(&stage);
    return stage.probe.result;
}

static int break_pipes(void)
{
    for
        EACH_STAGE_KIND(i)
    for (int waits = 0; waits < 2; waits++) {
        stage.probe.op.kind = stage_kinds[i];
        if (stage_sends(&stage))
            REQUIRE(break_pipe(stage_kinds[i], waits) == -EPIPE);
    }
    return 0;
}

RAW_TEST(broken_pipe_is_an_error_and_no_signal)
{
    engine_begin();
    signal(SIGPIPE, SIG_DFL);
    CHECK_OK(break_pipes());
    CHECK(!broken_pipe_is_pending());
    signal(SIGPIPE, broken_pipe_seen);
    CHECK_OK(break_pipes());
    CHECK_EQ(broken_pipes_seen, 0);
    signal(SIGPIPE, SIG_IGN);
    CHECK_OK(break_pipes());
    engine_end();
}

RAW_TEST(broken_pipe_leaves_a_signal_mask_and_a_pending_signal_as_they_were)
{
    sigset_t broken, mask;

    engine_begin();
    signal(SIGPIPE, broken_pipe_seen);
    CHECK_OK(break_pipes());
    pthread_sigmask(SIG_SETMASK, NULL, &mask);
    CHECK_EQ(sigismember(&mask, SIGPIPE), 0);
    sigemptyset(&broken);
    sigaddset(&broken, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &broken, NULL);
    CHECK_OK(break_pipes());
    CHECK(!broken_pipe_is_pending());
    raise(SIGPIPE);
    CHECK_OK(break_pipes());
    CHECK(broken_pipe_is_pending());
    pthread_sigmask(SIG_UNBLOCK, &broken, NULL);
    CHECK_EQ(broken_pipes_seen, 1);
    engine_end();
}

static void *close_soon(void *arg)
{
    char data[8192];
    int fd = *(int *)arg;

    for (int i = 0; i < 3; i++)
        (void)!read(fd, data, sizeof data);
    close(fd);
    return NULL;
}

/* sendfile(2) says how much it has sent when the pipe breaks on the way, and the
 * signal is raised all the same. */
RAW_TEST(broken_pipe_after_some_bytes_of_a_file_is_no_signal)
{
    int rounds = test_is_slow() ? 20 : 300;

    engine_begin();
    signal(SIGPIPE, SIG_DFL);
    for (int round = 0; round < rounds; round++) {
        pthread_t thread;

        CHECK_OK(stage_open(&stage, ED_OP_SENDFILE));
        fd_drain(stage.ends[1]);
        CHECK_EQ(ftruncate(stage.source, 1 << 20), 0);
        CHECK_EQ(setsockopt(stage.ends[0], SOL_SOCKET, SO_SNDBUF, &(int){1 << 20}, sizeof(int)), 0);
        stage.probe.op.size = 1 << 20;
        CHECK_EQ(fcntl(stage.ends[1], F_SETFL, 0), 0);
        CHECK_EQ(pthread_create(&thread, NULL, close_soon, &stage.ends[1]), 0);
        while (probe_run(&stage.probe) > 0)
            stage.probe.op.offset = 0;
        CHECK_EQ(stage.probe.result, -EPIPE);
        CHECK(!broken_pipe_is_pending());
        pthread_join(thread, NULL);
        stage.ends[1] = -1;
        stage_close(&stage);
    }
    engine_end();
}

/* The attempt itself --------------------------------------------------------- */

RAW_TEST(attempt_says_again_when_it_is_not_the_time)
{
    for
        EACH_STAGE_KIND(i)
        {
            CHECK_OK(stage_open(&stage, stage_kinds[i]));
            CHECK_EQ(ed_op_attempt(&stage.probe.op), -EAGAIN);
            CHECK_EQ(ed_op_awaits(&stage.probe.op), stage_sends(&stage) ? ED_POLL_OUT : ED_POLL_IN);
            CHECK_OK(stage_ready(&stage));
            stage.probe.result = ed_op_attempt(&stage.probe.op);
            CHECK_OK(stage_succeed(&stage));
            stage_close(&stage);
        }
}

static void attempt_a_poll(void)
{
    struct ed_op op = {.kind = ED_OP_POLL};

    (void)ed_op_attempt(&op);
}

RAW_TEST(attempt_of_a_poll_aborts)
{
    CHECK_DIES(attempt_a_poll, "an operation of kind 1 cannot be attempted");
}
