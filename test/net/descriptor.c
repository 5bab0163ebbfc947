/* SPDX-License-Identifier: MIT */
/* Streams over descriptors that come from elsewhere. */
#include <pty.h>

#include "net/peer.h"

/* A-CONN-7: a socket that is connected already; it is non-blocking then, close-on-exec is the
 * caller's affair, and it is closed with the stream. */
TEST(descriptor_of_a_connected_socket_becomes_a_stream)
{
    EDDY_STREAM stream = NULL;
    PEER_FD peer = -1;
    char name[EDDY_ADDRESS_TEXT];
    int fd, copy;

    CHECK_OK(peer_pair(AF_INET, &fd, &peer));
    CHECK_EQ(fcntl(fd, F_SETFL, 0), 0);
    copy = dup(fd);
    EDDY_DEFER(peer_close, &copy);
    CHECK_OK(eddy_stream_from_fd(fd, &stream));
    CHECK_EQ(eddy_stream_fd(stream), fd);
    CHECK(fcntl(fd, F_GETFL) & O_NONBLOCK);
    CHECK_STR(eddy_stream_kind(stream), "tcp");
    snprintf(name, sizeof name, "127.0.0.1:%d", peer_port(peer));
    CHECK_STR(eddy_stream_peer_name(stream), name);
    snprintf(name, sizeof name, "127.0.0.1:%d", peer_port(copy));
    CHECK_STR(eddy_stream_local_name(stream), name);
    CHECK_OK(eddy_write(stream, "x", 1));
    CHECK_OK(eddy_stream_close(&stream));
    CHECK_EQ(fcntl(fd, F_GETFD), -1);
    CHECK(!(fcntl(copy, F_GETFL) & O_NONBLOCK)); /* others that share it find it as it was */
}

TEST(descriptor_that_was_non_blocking_stays_so)
{
    EDDY_STREAM stream = NULL;
    PEER_FD peer = -1;
    int fd, copy;

    CHECK_OK(peer_pair(AF_UNIX, &fd, &peer));
    copy = dup(fd);
    EDDY_DEFER(peer_close, &copy);
    CHECK_OK(eddy_stream_from_fd(fd, &stream));
    CHECK_STR(eddy_stream_kind(stream), "unix");
    CHECK_STR(eddy_stream_peer_name(stream), "");
    CHECK_OK(eddy_stream_close(&stream));
    CHECK(fcntl(copy, F_GETFL) & O_NONBLOCK);
}

/* A-CONN-7, A-UNIX-4: what does not stream is refused, and left alone. */
TEST(descriptor_that_does_not_stream_is_refused)
{
    eddy_stream *stream = NULL;
    PEER_FD datagram = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    PEER_FD unix_datagram = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    PEER_FD packets = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    PEER_FD file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    PEER_FD folder = open("/", O_RDONLY | O_CLOEXEC);

    CHECK_EQ(eddy_stream_from_fd(datagram, &stream), -EINVAL);
    CHECK_EQ(eddy_stream_from_fd(unix_datagram, &stream), -EINVAL);
    CHECK_EQ(eddy_stream_from_fd(packets, &stream), -EINVAL);
    CHECK_EQ(eddy_stream_from_fd(file, &stream), -EINVAL);
    CHECK_HAS(eddy_error_message(-EINVAL), "is not of a stream");
    CHECK_EQ(eddy_stream_from_fd(folder, &stream), -EINVAL);
    CHECK_EQ(eddy_stream_from_fd(-1, &stream), -EBADF);
    CHECK_EQ(eddy_stream_from_fd(1000, &stream), -EBADF);
    CHECK(stream == NULL);
    CHECK(!(fcntl(datagram, F_GETFL) & O_NONBLOCK));
}

RAW_TEST(descriptor_outside_a_loop_is_left_alone)
{
    PEER_FD one = -1;
    PEER_FD other = -1;
    eddy_stream *stream = NULL;

    CHECK_OK(peer_pair(AF_UNIX, &one, &other));
    CHECK_EQ(fcntl(one, F_SETFL, 0), 0);
    CHECK_EQ(eddy_stream_from_fd(one, &stream), -EPERM);
    CHECK(!(fcntl(one, F_GETFL) & O_NONBLOCK));
}

/* A terminal: others who have it, and programs that are started with it, find it as it was. */
TEST(descriptor_of_a_terminal_is_a_stream)
{
    EDDY_STREAM terminal = NULL;
    PEER_FD master = -1;
    PEER_FD copy = -1;
    char line[20];
    int slave;

    if (openpty(&master, &slave, NULL, NULL, NULL) < 0)
        test_skip("there are no terminals here");
    copy = dup(slave);
    CHECK_OK(eddy_stream_from_fd(slave, &terminal));
    CHECK_STR(eddy_stream_kind(terminal), "terminal");
    CHECK_EQ(fcntl(slave, F_GETFD), 0);
    CHECK(!(fcntl(copy, F_GETFL) & O_NONBLOCK));
    CHECK_EQ(write(master, "hello\n", 6), 6);
    CHECK_EQ(eddy_read_line(terminal, line, sizeof line), 6);
    CHECK_STR(line, "hello\n");
    CHECK_OK(eddy_write(terminal, "you", 3));
    CHECK_OK(eddy_flush(terminal));
    CHECK_EQ(read(master, line, 7), 7); /* its echo */
    CHECK(read(master, line, 3) == 3 && memcmp(line, "you", 3) == 0);
}

/* The master of a terminal stays that of its terminal. */
TEST(descriptor_of_a_terminals_master_is_a_stream)
{
    EDDY_STREAM terminal = NULL;
    PEER_FD slave = -1;
    char line[20];
    int master;

    if (openpty(&master, &slave, NULL, NULL, NULL) < 0)
        test_skip("there are no terminals here");
    CHECK_OK(eddy_stream_from_fd(master, &terminal));
    CHECK_EQ(write(slave, "hello\n", 6), 6);
    CHECK_EQ(eddy_read_line(terminal, line, sizeof line), 7);
    CHECK_STR(line, "hello\r\n");
}

/* A-PIPE-1, A-PIPE-2, A-PIPE-4: both ends of a pipe, non-blocking and closed with the stream. */
TEST(descriptor_of_a_pipe_is_a_stream)
{
    EDDY_STREAM from = NULL;
    EDDY_STREAM to = NULL;
    char data[10];
    int ends[2];

    CHECK_EQ(pipe2(ends, O_CLOEXEC), 0);
    CHECK_OK(eddy_stream_from_fd(ends[0], &from));
    CHECK_OK(eddy_stream_from_fd(ends[1], &to));
    CHECK_STR(eddy_stream_kind(from), "pipe");
    CHECK(fcntl(ends[0], F_GETFL) & fcntl(ends[1], F_GETFL) & O_NONBLOCK);
    CHECK_OK(eddy_write(to, "hello", 5));
    CHECK_OK(eddy_stream_close(&to));
    CHECK_EQ(fcntl(ends[1], F_GETFD), -1);
    CHECK_EQ(eddy_read(from, data, sizeof data), 5);
    CHECK_EQ(eddy_read(from, data, sizeof data), 0);
    CHECK(eddy_at_eof(from));
}

static int read_one(eddy_stream *stream)
{
    char byte;

    return (int)eddy_read(stream, &byte, 1);
}
EDDY_ASYNC(read_one, eddy_stream *);

static int write_much(eddy_stream *stream)
{
    static char much[300000];

    EDDY_TRY(eddy_write(stream, much, sizeof much));
    return eddy_flush(stream);
}
EDDY_ASYNC(write_much, eddy_stream *);

/* A-PIPE-3: an idle writer learns that the reader has gone, without an error, */
TEST(descriptor_of_a_pipe_for_writing_ends_when_its_reader_has_gone)
{
    EDDY_STREAM to = NULL;
    PEER_FD reader = -1;
    int ends[2];

    CHECK_EQ(pipe2(ends, O_CLOEXEC), 0);
    reader = ends[0];
    CHECK_OK(eddy_stream_from_fd(ends[1], &to));
    EDDY_TASK watcher = eddy_create_task(read_one, to);

    test_settle();
    CHECK_OK(eddy_write(to, "kept", 4));
    CHECK_OK(eddy_flush(to));
    CHECK(!eddy_task_done(watcher));
    peer_close(&reader);
    CHECK_EQ(eddy_await(watcher), 0);
    CHECK(eddy_at_eof(to));
    CHECK_EQ(write_much(to), -EPIPE);
    CHECK_EQ(read_one(to), 0);
}

/* and one with bytes on their way with one; who only watches may be cancelled. */
TEST(descriptor_of_a_pipe_for_writing_breaks_when_bytes_are_left)
{
    EDDY_STREAM to = NULL;
    PEER_FD reader = -1;
    int ends[2], rc;

    CHECK_EQ(pipe2(ends, O_CLOEXEC), 0);
    reader = ends[0];
    CHECK_OK(eddy_stream_from_fd(ends[1], &to));
    {
        EDDY_TIMEOUT(limit, 0.01);
        rc = read_one(to);
    }
    CHECK_EQ(rc, -ETIMEDOUT);
    EDDY_TASK writer = eddy_create_task(write_much, to);

    test_settle();
    peer_close(&reader);
    CHECK_EQ(eddy_await(writer), -EPIPE);
    CHECK_EQ(read_one(to), 0);
}

/* A-PIPE-4: a terminal that was hung up is an error of the read, and no report. */
TEST(descriptor_of_a_terminal_that_was_hung_up_returns_EIO)
{
    EDDY_STREAM terminal = NULL;
    PEER_FD slave = -1;
    int master;

    if (openpty(&master, &slave, NULL, NULL, NULL) < 0)
        test_skip("there are no terminals here");
    CHECK_OK(eddy_stream_from_fd(master, &terminal));
    EDDY_TASK reader = eddy_create_task(read_one, terminal);

    test_settle();
    peer_close(&slave);
    CHECK_EQ(eddy_await(reader), -EIO);
    CHECK_EQ(read_one(terminal), -EIO);
    CHECK_OK(eddy_stream_close(&terminal));
    CHECK_STR(test_report(), "");
}

TEST(descriptor_is_not_of_two_streams)
{
    EDDY_STREAM stream = NULL;
    EDDY_STREAM again = NULL;
    EDDY_SERVER server = NULL;
    PEER_FD other = -1;
    int fd;

    CHECK_OK(peer_pair(AF_INET, &fd, &other));
    CHECK_OK(eddy_stream_from_fd(fd, &stream));
    CHECK_EQ(eddy_stream_from_fd(fd, &again), -EBUSY);
    CHECK_EQ(eddy_server_from_fd(fd, NULL, NULL, NULL, &server), -EBUSY);
    CHECK(again == NULL && server == NULL);
}

/* What is always ready, and no poll knows. */
TEST(descriptor_of_a_device_is_a_stream)
{
    EDDY_STREAM null = NULL;
    EDDY_STREAM zero = NULL;
    char data[10];

    CHECK_OK(eddy_stream_from_fd(open("/dev/null", O_RDWR | O_CLOEXEC), &null));
    CHECK_OK(eddy_stream_from_fd(open("/dev/zero", O_RDONLY | O_CLOEXEC), &zero));
    CHECK_OK(eddy_write(null, "x", 1));
    CHECK_OK(eddy_flush(null));
    CHECK_EQ(eddy_read(null, data, sizeof data), 0);
    CHECK_OK(eddy_read_exactly(zero, data, sizeof data));
    CHECK(data[0] == 0 && data[9] == 0);
}

static int make_and_close(void)
{
    eddy_stream *stream;
    int rc, fd, other;

    EDDY_TRY(peer_pair(AF_INET, &fd, &other));
    rc = eddy_stream_from_fd(fd, &stream);
    if (rc < 0)
        close(fd);
    else
        rc = eddy_stream_close(&stream);
    close(other);
    return rc;
}
EDDY_ASYNC(make_and_close);

/* A lack of memory leaves the descriptor with the caller. */
RAW_TEST(descriptor_is_the_callers_when_memory_is_short)
{
    CHECK_OK(eddy_test_allocations(make_and_close));
}
