/* SPDX-License-Identifier: MIT */
/* Streams over descriptors that come from elsewhere. */
#include "io/descriptor.h"

#include <errno.h>
#include <fcntl.h>
#include <pty.h>

#include "io/socketpair.h"

/* A descriptor that is closed at the end of its block; -1: none. */
#define DESCRIPTOR EDDY_CLEANUP_(descriptor_close) int

static void descriptor_close(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static void name_of_its_family(const struct sockaddr *any, socklen_t size, char *text, size_t room)
{
    (void)size;
    snprintf(text, room, "family %d", any->sa_family);
}

/* Names are its namer's; who has none has no names, as a pipe. */
TEST(descriptor_of_a_socket_has_the_names_that_its_namer_gives)
{
    EDDY_STREAM named = NULL;
    EDDY_STREAM nameless = NULL;
    EDDY_STREAM pipe = NULL;
    DESCRIPTOR end = -1;
    PAIR(pair, SOCK_STREAM);
    int ends[2];

    CHECK_EQ(pipe2(ends, O_CLOEXEC), 0);
    end = ends[1];
    CHECK_OK(ed_descriptor_stream(ends[0], name_of_its_family, &pipe));
    CHECK_OK(ed_descriptor_stream(pair.one, name_of_its_family, &named));
    pair.one = -1;
    CHECK_OK(ed_descriptor_stream(pair.other, NULL, &nameless));
    pair.other = -1;
    CHECK_STR(eddy_stream_peer_name(named), "family 1");
    CHECK_STR(eddy_stream_local_name(named), "family 1");
    CHECK_STR(eddy_stream_peer_name(nameless), "");
    CHECK_STR(eddy_stream_local_name(nameless), "");
    CHECK_STR(eddy_stream_peer_name(pipe), "");
}

TEST(descriptor_that_was_non_blocking_stays_so)
{
    EDDY_STREAM stream = NULL;
    PAIR(pair, SOCK_STREAM);
    DESCRIPTOR copy = dup(pair.one);

    CHECK_OK(ed_descriptor_stream(pair.one, NULL, &stream));
    pair.one = -1;
    CHECK_STR(eddy_stream_kind(stream), "unix");
    CHECK_OK(eddy_stream_close(&stream));
    CHECK(fcntl(copy, F_GETFL) & O_NONBLOCK);
}

/* A-CONN-7, A-UNIX-4: what does not stream is refused, and left alone. */
TEST(descriptor_that_does_not_stream_is_refused)
{
    eddy_stream *stream = NULL;
    DESCRIPTOR datagram = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    DESCRIPTOR unix_datagram = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    DESCRIPTOR packets = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    DESCRIPTOR file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    DESCRIPTOR folder = open("/", O_RDONLY | O_CLOEXEC);

    CHECK_EQ(ed_descriptor_stream(datagram, NULL, &stream), -EINVAL);
    CHECK_EQ(ed_descriptor_stream(unix_datagram, NULL, &stream), -EINVAL);
    CHECK_EQ(ed_descriptor_stream(packets, NULL, &stream), -EINVAL);
    CHECK_EQ(ed_descriptor_stream(file, NULL, &stream), -EINVAL);
    CHECK_HAS(eddy_error_message(-EINVAL), "is not of a stream");
    CHECK_EQ(ed_descriptor_stream(folder, NULL, &stream), -EINVAL);
    CHECK_EQ(ed_descriptor_stream(-1, NULL, &stream), -EBADF);
    CHECK_EQ(ed_descriptor_stream(1000, NULL, &stream), -EBADF);
    CHECK(stream == NULL);
    CHECK(!(fcntl(datagram, F_GETFL) & O_NONBLOCK));
}

RAW_TEST(descriptor_outside_a_loop_is_left_alone)
{
    PAIR(pair, SOCK_STREAM);
    eddy_stream *stream = NULL;

    CHECK_EQ(fcntl(pair.one, F_SETFL, 0), 0);
    CHECK_EQ(ed_descriptor_stream(pair.one, NULL, &stream), -EPERM);
    CHECK(!(fcntl(pair.one, F_GETFL) & O_NONBLOCK));
}

/* /dev/null has positions, but this makes no files. */
TEST(descriptor_of_a_device_is_a_stream_and_no_terminal)
{
    EDDY_STREAM stream = NULL;
    char data[4];

    CHECK_OK(ed_descriptor_stream(open("/dev/null", O_RDWR | O_CLOEXEC), NULL, &stream));
    CHECK_STR(eddy_stream_kind(stream), "device");
    CHECK_OK(eddy_write(stream, "x", 1));
    CHECK_OK(eddy_flush(stream));
    CHECK_EQ(eddy_read(stream, data, 4), 0);
}

/* A terminal: others who have it, and programs that are started with it, find it as it was. */
TEST(descriptor_of_a_terminal_is_a_stream)
{
    EDDY_STREAM terminal = NULL;
    DESCRIPTOR master = -1;
    DESCRIPTOR copy = -1;
    char line[20];
    int slave;

    if (openpty(&master, &slave, NULL, NULL, NULL) < 0)
        test_skip("there are no terminals here");
    copy = dup(slave);
    CHECK_OK(ed_descriptor_stream(slave, NULL, &terminal));
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
    DESCRIPTOR slave = -1;
    char line[20];
    int master;

    if (openpty(&master, &slave, NULL, NULL, NULL) < 0)
        test_skip("there are no terminals here");
    CHECK_OK(ed_descriptor_stream(master, NULL, &terminal));
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
    CHECK_OK(ed_descriptor_stream(ends[0], NULL, &from));
    CHECK_OK(ed_descriptor_stream(ends[1], NULL, &to));
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
    DESCRIPTOR reader = -1;
    int ends[2];

    CHECK_EQ(pipe2(ends, O_CLOEXEC), 0);
    reader = ends[0];
    CHECK_OK(ed_descriptor_stream(ends[1], NULL, &to));
    EDDY_TASK watcher = eddy_create_task(read_one, to);

    test_settle();
    CHECK_OK(eddy_write(to, "kept", 4));
    CHECK_OK(eddy_flush(to));
    CHECK(!eddy_task_done(watcher));
    descriptor_close(&reader);
    CHECK_EQ(eddy_await(watcher), 0);
    CHECK(eddy_at_eof(to));
    CHECK_EQ(write_much(to), -EPIPE);
    CHECK_EQ(read_one(to), 0);
}

/* and one with bytes on their way with one; who only watches may be cancelled. */
TEST(descriptor_of_a_pipe_for_writing_breaks_when_bytes_are_left)
{
    EDDY_STREAM to = NULL;
    DESCRIPTOR reader = -1;
    int ends[2], rc;

    CHECK_EQ(pipe2(ends, O_CLOEXEC), 0);
    reader = ends[0];
    CHECK_OK(ed_descriptor_stream(ends[1], NULL, &to));
    {
        EDDY_TIMEOUT(limit, 0.01);
        rc = read_one(to);
    }
    CHECK_EQ(rc, -ETIMEDOUT);
    EDDY_TASK writer = eddy_create_task(write_much, to);

    test_settle();
    descriptor_close(&reader);
    CHECK_EQ(eddy_await(writer), -EPIPE);
    CHECK_EQ(read_one(to), 0);
}

/* A-PIPE-4: a terminal that was hung up is an error of the read, and no report. */
TEST(descriptor_of_a_terminal_that_was_hung_up_returns_EIO)
{
    EDDY_STREAM terminal = NULL;
    DESCRIPTOR slave = -1;
    int master;

    if (openpty(&master, &slave, NULL, NULL, NULL) < 0)
        test_skip("there are no terminals here");
    CHECK_OK(ed_descriptor_stream(master, NULL, &terminal));
    EDDY_TASK reader = eddy_create_task(read_one, terminal);

    test_settle();
    descriptor_close(&slave);
    CHECK_EQ(eddy_await(reader), -EIO);
    CHECK_EQ(read_one(terminal), -EIO);
    CHECK_OK(eddy_stream_close(&terminal));
    CHECK_STR(test_report(), "");
}

/* What is always ready, and no poll knows. */
TEST(descriptor_of_a_device_is_a_stream)
{
    EDDY_STREAM null = NULL;
    EDDY_STREAM zero = NULL;
    char data[10];

    CHECK_OK(ed_descriptor_stream(open("/dev/null", O_RDWR | O_CLOEXEC), NULL, &null));
    CHECK_OK(ed_descriptor_stream(open("/dev/zero", O_RDONLY | O_CLOEXEC), NULL, &zero));
    CHECK_OK(eddy_write(null, "x", 1));
    CHECK_OK(eddy_flush(null));
    CHECK_EQ(eddy_read(null, data, sizeof data), 0);
    CHECK_OK(eddy_read_exactly(zero, data, sizeof data));
    CHECK(data[0] == 0 && data[9] == 0);
}

static int make_and_close(void)
{
    PAIR(pair, SOCK_STREAM);
    eddy_stream *stream;

    EDDY_TRY(ed_descriptor_stream(pair.one, NULL, &stream));
    pair.one = -1;
    return eddy_stream_close(&stream);
}
EDDY_ASYNC(make_and_close);

/* A lack of memory leaves the descriptor with the caller. */
RAW_TEST(descriptor_is_the_callers_when_memory_is_short)
{
    CHECK_OK(eddy_test_allocations(make_and_close));
}
