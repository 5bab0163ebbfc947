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
