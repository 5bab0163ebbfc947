/* SPDX-License-Identifier: MIT */
/*
 * Sockets of one's own: rules A-SOCK-1 to A-SOCK-9. Files, readiness and the closing of
 * descriptors stand in sock_ends.c.
 */
#include <fcntl.h>

#include "../io/socketpair.h"
#include "base/fault.h"

static int received[16], received_count; /* the tasks of a test, in the order in which they got */

/* Receives one byte, and notes who did. */
static int receive_one(int fd, int who, char *out)
{
    EDDY_TRY(eddy_sock_recv(fd, out, 1));
    received[received_count++ % 16] = who;
    return 0;
}
EDDY_ASYNC(receive_one, int, int, char *);

/* Receives one byte and says what the call behind it says. */
static int receive_and_go_on(int fd, ssize_t *first, int *second)
{
    char byte;

    *first = eddy_sock_recv(fd, &byte, 1);
    *second = eddy_sleep(0);
    return 0;
}
EDDY_ASYNC(receive_and_go_on, int, ssize_t *, int *);

struct sending {
    const char *data;
    size_t size, sent;
};

static int send_all(int fd, struct sending *sending)
{
    return eddy_sock_sendall(fd, sending->data, sending->size, &sending->sent);
}
EDDY_ASYNC(send_all, int, struct sending *);

/* Receives up to the end, or `size` bytes; returns how many. */
static ssize_t receive_all(int fd, char *data, size_t size)
{
    size_t done = 0;
    ssize_t got = 1;

    while (done < size && got > 0) {
        got = eddy_sock_recv(fd, data + done, size - done);
        done += got > 0 ? (size_t)got : 0;
    }
    return got < 0 ? got : (ssize_t)done;
}

static void close_fd(const int *fd)
{
    if (*fd >= 0)
        close(*fd);
}
#define DESCRIPTOR(name) EDDY_CLEANUP_(close_fd) int name

/* A socket that listens at a free port of the loopback, and its address. */
static int listen_somewhere(eddy_address *address)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (eddy_address_from_ip("127.0.0.1", 0, address) < 0 ||
        bind(fd, &address->as.any, address->size) < 0 || listen(fd, 16) < 0 ||
        getsockname(fd, &address->as.any, &address->size) < 0)
        test_fail(__FILE__, __LINE__, "listen: %s", strerror(errno));
    return fd;
}

static int udp_somewhere(eddy_address *address)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (eddy_address_from_ip("127.0.0.1", 0, address) < 0 ||
        bind(fd, &address->as.any, address->size) < 0 ||
        getsockname(fd, &address->as.any, &address->size) < 0)
        test_fail(__FILE__, __LINE__, "bind: %s", strerror(errno));
    return fd;
}

static int stream_socket(void)
{
    return socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

/* A-SOCK-2: what is there comes at once, without a turn of the loop; the end is 0. */
TEST(sock_recv_gives_what_is_there_and_then_the_end)
{
    PAIR(pair, SOCK_STREAM);
    char data[8];

    CHECK_EQ(write(pair.other, "abc", 3), 3);
    CHECK_EQ(eddy_sock_recv(pair.one, data, 2), 2);
    CHECK_EQ(eddy_sock_recv(pair.one, data + 2, 6), 1);
    CHECK(memcmp(data, "abc", 3) == 0);
    CHECK_EQ(shutdown(pair.other, SHUT_WR), 0);
    CHECK_EQ(eddy_sock_recv(pair.one, data, 8), 0);
    CHECK_EQ(eddy_sock_recv(pair.one, data, 8), 0);
}

TEST(sock_recv_waits_for_the_first_byte)
{
    PAIR(pair, SOCK_STREAM);
    char byte = 0;
    EDDY_TASK task = eddy_create_task(receive_one, pair.one, 1, &byte);

    test_settle();
    CHECK(!eddy_task_done(task));
    CHECK_EQ(eddy_sock_send(pair.other, "x", 1), 1);
    CHECK_OK(eddy_await(task));
    CHECK_EQ(byte, 'x');
}

/* A-SOCK-1 */
TEST(sock_that_blocks_is_refused_with_a_text)
{
    PAIR(pair, SOCK_STREAM);
    eddy_address address = {.size = 0};
    off_t offset = 0;
    char byte;
    int rc;

    CHECK_EQ(fcntl(pair.one, F_SETFL, 0), 0);
    rc = (int)eddy_sock_recv(pair.one, &byte, 1);
    CHECK_THAT(rc == -EINVAL, "%d", rc);
    CHECK_HAS(eddy_error_message(rc), "blocks");
    CHECK_EQ(eddy_sock_recvfrom(pair.one, &byte, 1, NULL), -EINVAL);
    CHECK_EQ(eddy_sock_send(pair.one, "a", 1), -EINVAL);
    CHECK_EQ(eddy_sock_sendall(pair.one, "a", 1, NULL), -EINVAL);
    CHECK_EQ(eddy_sock_sendto(pair.one, "a", 1, &address), -EINVAL);
    CHECK_EQ(eddy_sock_connect(pair.one, &address), -EINVAL);
    CHECK_EQ(eddy_sock_accept(pair.one, NULL), -EINVAL);
    CHECK_EQ(eddy_sock_sendfile(pair.one, pair.other, &offset, 1), -EINVAL);
    CHECK_EQ(recv(pair.other, &byte, 1, MSG_DONTWAIT), -1); /* nothing went */
}

TEST(sock_calls_pass_on_what_the_kernel_says)
{
    EDDY_CLEANUP_(close_fd) int reader = -1;
    DESCRIPTOR(writer) = -1;
    int ends[2];
    char byte;

    CHECK_EQ(pipe2(ends, O_NONBLOCK | O_CLOEXEC), 0);
    reader = ends[0];
    writer = ends[1];
    CHECK_EQ(eddy_sock_recv(-1, &byte, 1), -EBADF);
    CHECK_EQ(eddy_sock_recv(1000, &byte, 1), -EBADF);
    CHECK_EQ(eddy_sock_recv(reader, &byte, 1), -ENOTSOCK);
    CHECK_EQ(eddy_sock_send(writer, "a", 1), -ENOTSOCK);
    CHECK_EQ(eddy_sock_accept(reader, NULL), -ENOTSOCK);
}

/* A-SOCK-3: all, with the peer much slower. */
TEST(sock_sendall_sends_all_and_says_so)
{
    PAIR(pair, SOCK_STREAM);
    static char data[600000], got[600000];
    struct sending sending = {data, sizeof data, 0};

    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (char)(i * 7 + i / 251);
    EDDY_TASK task = eddy_create_task(send_all, pair.one, &sending);
    test_settle();
    CHECK(!eddy_task_done(task)); /* the kernel has no room for it */
    CHECK_EQ(receive_all(pair.other, got, sizeof got), sizeof got);
    CHECK_OK(eddy_await(task));
    CHECK_EQ(sending.sent, sizeof data);
    CHECK(memcmp(data, got, sizeof data) == 0);
}

/* A-SOCK-3, peers 6a (libuv 2051): a cancelled sender learns how much went. */
TEST(sock_sendall_that_is_cancelled_tells_how_much_went)
{
    PAIR(pair, SOCK_STREAM);
    static char data[600000], got[600000];
    struct sending sending = {data, sizeof data, 0};
    EDDY_TASK task = eddy_create_task(send_all, pair.one, &sending);

    test_settle();
    CHECK_OK(eddy_cancel(task));
    CHECK_EQ(eddy_await(task), -ECANCELED);
    CHECK(sending.sent > 0 && sending.sent < sizeof data);
    CHECK_EQ(shutdown(pair.one, SHUT_WR), 0);
    CHECK_EQ(receive_all(pair.other, got, sizeof got), sending.sent);
}

/* Two senders do not mix their bytes, whoever comes first. */
TEST(sock_sendall_of_two_tasks_is_one_behind_the_other)
{
    PAIR(pair, SOCK_STREAM);
    static char as[400000], bs[400000], got[800000];
    struct sending first = {as, sizeof as, 0}, second = {bs, sizeof bs, 0};

    memset(as, 'a', sizeof as);
    memset(bs, 'b', sizeof bs);
    EDDY_TASK one = eddy_create_task(send_all, pair.one, &first);
    EDDY_TASK two = eddy_create_task(send_all, pair.one, &second);
    CHECK_EQ(receive_all(pair.other, got, sizeof got), sizeof got);
    CHECK_OK(eddy_await(one));
    CHECK_OK(eddy_await(two));
    CHECK(memcmp(got, as, sizeof as) == 0);
    CHECK(memcmp(got + sizeof as, bs, sizeof bs) == 0);
}

TEST(sock_sendall_to_nobody_is_an_error_and_no_signal)
{
    PAIR(pair, SOCK_STREAM);
    size_t sent = 7;

    close(pair.other);
    pair.other = -1;
    CHECK_EQ(eddy_sock_sendall(pair.one, "abc", 3, &sent), -EPIPE);
    CHECK_EQ(sent, 0);
    CHECK_EQ(eddy_sock_send(pair.one, "abc", 3), -EPIPE);
    CHECK_OK(eddy_sock_sendall(pair.one, "", 0, &sent));
}

static void no_faults(const int *unused)
{
    (void)unused;
    for (int i = 0; i < ED_FAULT_COUNT; i++)
        (void)ed_fault_set((enum ed_fault)i, 0, 0); /* the counts do not matter */
}
#define FAULTS() EDDY_CLEANUP_(no_faults) int faults = 0

TEST(sock_sendall_goes_on_behind_a_short_send)
{
    FAULTS();
    PAIR(pair, SOCK_STREAM);
    char got[8];
    size_t sent;

    ed_fault_set(ED_FAULT_SEND, 1, ED_FAULT_SHORT);
    CHECK_OK(eddy_sock_sendall(pair.one, "abcdef", 6, &sent));
    CHECK_EQ(sent, 6);
    CHECK_EQ(eddy_sock_recv(pair.other, got, 8), 6);
    CHECK(memcmp(got, "abcdef", 6) == 0);
}

TEST(sock_sendall_that_fails_tells_how_much_went)
{
    FAULTS();
    PAIR(pair, SOCK_STREAM);
    size_t sent;

    ed_fault_set(ED_FAULT_SEND, 2, -ENOBUFS);
    CHECK_EQ(eddy_sock_send(pair.one, "a", 1), 1);
    CHECK_EQ(eddy_sock_sendall(pair.one, "bcd", 3, &sent), -ENOBUFS);
    CHECK_EQ(sent, 0);
    CHECK_OK(eddy_sock_sendall(pair.one, "bcd", 3, &sent)); /* it is usable still */
}

/* A fault at once and one behind a wait. */
TEST(sock_recv_that_is_made_to_fail_loses_nothing)
{
    FAULTS();
    PAIR(pair, SOCK_STREAM);
    char byte = 0;

    for (uint64_t nth = 1; nth <= 2; nth++) {
        ed_fault_set(ED_FAULT_RECV, nth, -ECONNRESET);
        EDDY_TASK task = eddy_create_task(receive_one, pair.one, 1, &byte);
        CHECK_EQ(eddy_await(task), -ECONNRESET);
        CHECK_EQ(write(pair.other, "k", 1), 1);
        CHECK_EQ(eddy_sock_recv(pair.one, &byte, 1), 1);
        CHECK_EQ(byte, 'k');
    }
}

/* A-SOCK-6 */
TEST(sock_sendto_and_recvfrom_know_each_other)
{
    eddy_address here, there, from = {.size = 0};
    DESCRIPTOR(one) = udp_somewhere(&here);
    DESCRIPTOR(other) = udp_somewhere(&there);
    static char data[70000];

    CHECK_EQ(eddy_sock_sendto(one, "hello", 5, &there), 5);
    CHECK_EQ(eddy_sock_recvfrom(other, data, sizeof data, &from), 5);
    CHECK(eddy_address_equal(&from, &here));
    CHECK_EQ(eddy_sock_sendto(other, "", 0, &from), 0);
    CHECK_EQ(eddy_sock_recvfrom(one, data, sizeof data, NULL), 0); /* a datagram, no end */
    CHECK_EQ(eddy_sock_sendto(one, data, sizeof data, &there), -EMSGSIZE);
}

static int send_three(int fd)
{
    return (int)eddy_sock_send(fd, "abc", 3) - 3;
}
EDDY_ASYNC(send_three, int);

/* A datagram that had to wait arrives whole. */
TEST(sock_send_of_a_datagram_that_waits_for_room)
{
    PAIR(pair, SOCK_DGRAM);
    char data[8];
    ssize_t size;

    while (send(pair.one, "123", 3, 0) == 3)
        continue;
    EDDY_TASK task = eddy_create_task(send_three, pair.one);
    test_settle();
    CHECK(!eddy_task_done(task));
    while ((size = recv(pair.other, data, sizeof data, 0)) >= 0)
        CHECK_EQ(size, 3);
    CHECK_OK(eddy_await(task));
    CHECK_EQ(eddy_sock_recv(pair.other, data, sizeof data), 3);
    CHECK(memcmp(data, "abc", 3) == 0);
}

/* A-SOCK-4 and A-SOCK-5 */
TEST(sock_connect_and_accept_meet)
{
    eddy_address address, peer, mine = {.size = sizeof mine.as};
    DESCRIPTOR(listener) = listen_somewhere(&address);
    DESCRIPTOR(client) = stream_socket();
    DESCRIPTOR(served) = -1;
    char data[4];

    CHECK_OK(eddy_sock_connect(client, &address));
    served = eddy_sock_accept(listener, &peer);
    CHECK_OK(served);
    CHECK(fcntl(served, F_GETFL) & O_NONBLOCK);
    CHECK(fcntl(served, F_GETFD) & FD_CLOEXEC);
    CHECK_EQ(getsockname(client, &mine.as.any, &mine.size), 0);
    CHECK(eddy_address_equal(&peer, &mine));
    CHECK_OK(eddy_sock_sendall(client, "ping", 4, NULL));
    CHECK_EQ(eddy_sock_recv(served, data, 4), 4);
    CHECK_EQ(eddy_sock_connect(client, &address), -EISCONN);
}

/* A-SOCK-4: the error is that of the connect. */
TEST(sock_connect_to_nobody_is_refused)
{
    eddy_address address;
    DESCRIPTOR(listener) = listen_somewhere(&address);
    DESCRIPTOR(client) = stream_socket();

    close(listener);
    listener = -1;
    CHECK_EQ(eddy_sock_connect(client, &address), -ECONNREFUSED);
    CHECK_EQ(eddy_sock_close(client), 0);
    client = -1;
    CHECK_OK(eddy_address_from_path("/nonexistent/socket", &address));
    client = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    CHECK_EQ(eddy_sock_connect(client, &address), -ENOENT);
}

static int accept_one(int listener, int *out)
{
    int fd = eddy_sock_accept(listener, NULL);

    *out = fd;
    return fd < 0 ? fd : 0;
}
EDDY_ASYNC(accept_one, int, int *);

/* A-SOCK-7: a connection that a cancelled accept has not taken waits for the next. */
TEST(sock_accept_that_is_cancelled_loses_no_connection)
{
    eddy_address address;
    DESCRIPTOR(listener) = listen_somewhere(&address);
    DESCRIPTOR(client) = stream_socket();
    DESCRIPTOR(served) = -1;
    EDDY_TASK first = eddy_create_task(accept_one, listener, &served);
    int rc;

    test_settle();
    (void)connect(client, &address.as.any, address.size); /* EINPROGRESS, or done */
    CHECK_OK(eddy_cancel(first));
    rc = eddy_await(first);
    CHECK(rc == 0 || rc == -ECANCELED);
    if (rc < 0)
        served = eddy_sock_accept(listener, NULL);
    CHECK_OK(served);
}

/* A-SOCK-7 */
TEST(sock_recv_that_is_cancelled_leaves_its_bytes_to_the_next)
{
    PAIR(pair, SOCK_STREAM);
    ssize_t first = 0;
    int second = 0;
    char byte = 0;
    EDDY_TASK task = eddy_create_task(receive_and_go_on, pair.one, &first, &second);

    test_settle();
    CHECK_OK(eddy_cancel(task));
    CHECK_OK(eddy_await(task));
    CHECK_EQ(first, -ECANCELED);
    CHECK_EQ(second, -ECANCELED);
    CHECK_EQ(write(pair.other, "z", 1), 1);
    CHECK_EQ(eddy_sock_recv(pair.one, &byte, 1), 1);
    CHECK_EQ(byte, 'z');
}

/* Promise 2: on entry a cancel wins, and nothing is taken. */
TEST(sock_recv_with_a_cancel_pending_takes_nothing)
{
    PAIR(pair, SOCK_STREAM);
    char byte = 0;

    CHECK_EQ(write(pair.other, "y", 1), 1);
    CHECK_OK(eddy_cancel(eddy_current_task()));
    CHECK_EQ(eddy_sock_recv(pair.one, &byte, 1), -ECANCELED);
    (void)eddy_uncancel(); /* -EPERM when the sweep has cancelled as well */
    CHECK_EQ(eddy_sock_recv(pair.one, &byte, 1), 1);
}

TEST(sock_recv_times_out_and_takes_nothing)
{
    PAIR(pair, SOCK_STREAM);
    char byte = 0;
    int rc;

    {
        EDDY_TIMEOUT(limit, 2);
        rc = (int)eddy_sock_recv(pair.one, &byte, 1);
    }
    CHECK_EQ(rc, -ETIMEDOUT);
    CHECK_EQ(write(pair.other, "w", 1), 1);
    CHECK_EQ(eddy_sock_recv(pair.one, &byte, 1), 1);
}

/* Peers 6a (libmill 132): two tasks read one descriptor; first come, first served. */
TEST(sock_receivers_of_one_descriptor_are_served_in_their_order)
{
    PAIR(pair, SOCK_STREAM);
    char got[3] = "";
    EDDY_TASK a = eddy_create_task(receive_one, pair.one, 1, &got[0]);
    EDDY_TASK b = eddy_create_task(receive_one, pair.one, 2, &got[1]);
    EDDY_TASK c = eddy_create_task(receive_one, pair.one, 3, &got[2]);

    test_settle();
    CHECK_EQ(write(pair.other, "123", 3), 3);
    CHECK_OK(eddy_await(c));
    CHECK_OK(eddy_await(b));
    CHECK_OK(eddy_await(a));
    CHECK(memcmp(got, "123", 3) == 0);
    for (int i = 0; i < 3; i++)
        CHECK_EQ(received[i], i + 1);
}

/* Who comes while others wait waits behind them, also when there is something. */
TEST(sock_receiver_does_not_overtake_those_that_wait)
{
    PAIR(pair, SOCK_STREAM);
    char got[2] = "", mine = 0;
    EDDY_TASK a = eddy_create_task(receive_one, pair.one, 1, &got[0]);
    EDDY_TASK b = eddy_create_task(receive_one, pair.one, 2, &got[1]);

    test_settle();
    CHECK_EQ(write(pair.other, "123", 3), 3);
    CHECK_EQ(eddy_sock_recv(pair.one, &mine, 1), 1);
    CHECK_EQ(mine, '3');
    CHECK_OK(eddy_await(a));
    CHECK_OK(eddy_await(b));
}

TEST(sock_receiver_that_is_cancelled_leaves_the_line)
{
    PAIR(pair, SOCK_STREAM);
    char got[3] = "";
    EDDY_TASK a = eddy_create_task(receive_one, pair.one, 1, &got[0]);
    EDDY_TASK b = eddy_create_task(receive_one, pair.one, 2, &got[1]);
    EDDY_TASK c = eddy_create_task(receive_one, pair.one, 3, &got[2]);

    test_settle();
    CHECK_OK(eddy_cancel(b)); /* waits for its turn */
    CHECK_EQ(eddy_await(b), -ECANCELED);
    CHECK_OK(eddy_cancel(a)); /* has it */
    CHECK_EQ(eddy_await(a), -ECANCELED);
    CHECK_EQ(write(pair.other, "1", 1), 1);
    CHECK_OK(eddy_await(c));
    CHECK_EQ(got[2], '1');
}

static int cancel_task(eddy_task *task)
{
    return eddy_cancel(task);
}
EDDY_ASYNC(cancel_task, eddy_task *);

/* A cancel between being given the turn and using it: the next one has it. */
TEST(sock_receiver_cancelled_in_the_tick_of_its_turn_gives_it_on)
{
    PAIR(pair, SOCK_STREAM);
    char got[3] = "";
    EDDY_TASK a = eddy_create_task(receive_one, pair.one, 1, &got[0]);
    EDDY_TASK b = eddy_create_task(receive_one, pair.one, 2, &got[1]);
    EDDY_TASK c = eddy_create_task(receive_one, pair.one, 3, &got[2]);

    test_settle();
    CHECK_EQ(write(pair.other, "12", 2), 2);
    CHECK_OK(eddy_await(a)); /* woken by a's end, behind b's wake for its turn */
    (void)cancel_task(b);    /* or it has its byte by now */
    int rc = eddy_await(b);
    CHECK(rc == 0 || rc == -ECANCELED);
    if (rc == 0)
        CHECK_EQ(write(pair.other, "3", 1), 1);
    CHECK_OK(eddy_await(c));
    CHECK_EQ(got[2], rc == 0 ? '3' : '2');
}

/* The two directions do not wait for each other. */
TEST(sock_can_send_while_another_task_receives)
{
    PAIR(pair, SOCK_STREAM);
    char byte = 0, echo = 0;
    EDDY_TASK task = eddy_create_task(receive_one, pair.one, 1, &byte);

    test_settle();
    CHECK_OK(eddy_sock_sendall(pair.one, "q", 1, NULL));
    CHECK_EQ(eddy_sock_recv(pair.other, &echo, 1), 1);
    CHECK_EQ(echo, 'q');
    CHECK_OK(eddy_sock_sendall(pair.other, "r", 1, NULL));
    CHECK_OK(eddy_await(task));
    CHECK_EQ(byte, 'r');
}

static int exchange(void)
{
    PAIR(pair, SOCK_STREAM);
    char byte = 0;
    EDDY_TASK task = eddy_create_task(receive_one, pair.one, 1, &byte);

    EDDY_TRY(eddy_sleep(1));
    EDDY_TRY(eddy_sock_sendall(pair.other, "m", 1, NULL));
    return eddy_await(task);
}
EDDY_ASYNC(exchange);

RAW_TEST(sock_calls_stand_every_failing_allocation_and_every_order)
{
    CHECK_OK(eddy_test_thoroughly(exchange));
}

RAW_TEST(sock_calls_are_for_tasks)
{
    char byte;

    CHECK_EQ(eddy_sock_recv(0, &byte, 1), -EPERM);
    CHECK_EQ(eddy_sock_sendall(0, &byte, 1, NULL), -EPERM);
    CHECK_EQ(eddy_wait_readable(0), -EPERM);
    CHECK_EQ(eddy_sock_close(1000), -EPERM);
}
