/* SPDX-License-Identifier: MIT */
/* Streams over sockets and pipes: receiving, in both of its ways. */
#include "base/fault.h"
#include "eddy/stream_class.h"
#include "net/peer.h"
#include "socketpair.h"

static int read_into(eddy_stream *stream, char *data, size_t size, int *got)
{
    ssize_t n = eddy_read(stream, data, size);

    *got = (int)n;
    return n < 0 ? (int)n : 0;
}
EDDY_ASYNC(read_into, eddy_stream *, char *, size_t, int *);

static int read_all_of(eddy_stream *stream, char *data, size_t size)
{
    return eddy_read_exactly(stream, data, size);
}
EDDY_ASYNC(read_all_of, eddy_stream *, char *, size_t);

static int write_sequence(eddy_stream *stream, size_t from, size_t size, size_t step)
{
    char *data = malloc(step);
    int rc = data ? 0 : -ENOMEM;

    for (size_t i = 0; i < size && rc == 0; i += step) {
        size_t n = size - i < step ? size - i : step;

        peer_fill(data, from + i, n);
        rc = eddy_write(stream, data, n);
    }
    free(data);
    return rc;
}
EDDY_ASYNC(write_sequence, eddy_stream *, size_t, size_t, size_t);

/* Lets the kernel be asked a few times. */
static int let_come(void)
{
    for (int i = 0; i < 4; i++)
        EDDY_TRY(eddy_sleep(0.001));
    return 0;
}

/* A small write whose bytes do not go is known to nobody but the kernel when it returns: who then
 * waits for an answer is told, behind what had come. */
TEST(socket_reader_is_told_of_a_write_that_did_not_go)
{
    static const int errors[] = {-EIO, -ENOMEM, -ENOBUFS};

    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
        EDDY_STREAM stream = NULL;
        PEER_FD peer = -1;
        char data[8];

        CHECK_OK(peer_stream(AF_INET, &stream, &peer));
        CHECK_EQ(send(peer, "early", 5, 0), 5);
        ed_fault_set(ED_FAULT_SEND, 1, errors[i]);
        CHECK_OK(eddy_write(stream, "question", 8));
        CHECK_EQ(eddy_read(stream, data, sizeof data), 5);
        CHECK_EQ(eddy_read(stream, data, sizeof data), errors[i]);
        ed_fault_set(ED_FAULT_SEND, 0, 0);
    }
}

/* A-READ-2: a read gives what has come, at most as much as it asked for, without waiting for
 * more. */
TEST(socket_read_gives_what_has_come_up_to_its_size)
{
    EDDY_STREAM stream = NULL;
    PEER_FD peer = -1;
    char data[8];

    CHECK_OK(peer_stream(AF_INET, &stream, &peer));
    CHECK_EQ(peer_send(peer, 0, 10), 10);
    CHECK_EQ(eddy_read(stream, data, 4), 4);
    CHECK(peer_is_filled(data, 0, 4));
    CHECK_EQ(eddy_read(stream, data, sizeof data), 6);
    CHECK(peer_is_filled(data, 4, 6));
    CHECK_EQ(eddy_stream_get_counters(stream).received, 10);
}

/* A-READ-2, -14: a reader that waits is given what comes; one that is cancelled takes
 * nothing, and what comes later is for the next. */
TEST(socket_read_that_is_cancelled_takes_nothing)
{
    EDDY_STREAM stream = NULL;
    PEER_FD peer = -1;
    char data[8], other[8];
    int n = 0;

    CHECK_OK(peer_stream(AF_INET, &stream, &peer));
    {
        EDDY_TASK reader = eddy_create_task(read_into, stream, data, sizeof data, &n);

        CHECK_OK(let_come());
        CHECK_OK(eddy_cancel(reader));
        CHECK_EQ(eddy_await(reader), -ECANCELED);
    }
    memset(data, 'x', sizeof data);
    CHECK_EQ(peer_send(peer, 0, 6), 6);
    CHECK_EQ(eddy_read(stream, other, sizeof other), 6);
    CHECK(peer_is_filled(other, 0, 6));
    for (size_t i = 0; i < sizeof data; i++)
        CHECK_EQ(data[i], 'x');
}

/* A-READ-14, promise 3: a cancel in the tick in which the bytes came. Nothing is lost. */
TEST(socket_read_cancelled_as_bytes_come_loses_none)
{
    EDDY_STREAM stream = NULL;
    PEER_FD peer = -1;
    char data[8];
    int n = 0, rc;

    CHECK_OK(peer_stream(AF_INET, &stream, &peer));
    for (size_t round = 0; round < 20; round++) {
        size_t had = 0;
        EDDY_TASK reader = eddy_create_task(read_into, stream, data, sizeof data, &n);

        if (round % 2)
            CHECK_OK(let_come());
        CHECK_EQ(peer_send(peer, 6 * round, 6), 6);
        if (round % 4 > 1)
            CHECK_OK(eddy_sleep(0));
        CHECK_OK(eddy_cancel(reader));
        rc = eddy_await(reader);
        CHECK(rc == 0 || rc == -ECANCELED);
        if (rc == 0) {
            CHECK(peer_is_filled(data, 6 * round, (size_t)n));
            had = (size_t)n;
        }
        CHECK_OK(eddy_read_exactly(stream, data, 6 - had));
        CHECK(peer_is_filled(data, 6 * round + had, 6 - had));
    }
}

/* A-READ-3, -17: what had come before the end stays readable when the peer is gone. */
TEST(socket_data_before_the_end_outlives_the_peer)
{
    EDDY_STREAM stream = NULL;
    PEER_FD peer = -1;
    char data[8];

    CHECK_OK(peer_stream(AF_INET, &stream, &peer));
    CHECK_EQ(eddy_read(stream, data, 0), 0);
    CHECK_EQ(peer_send(peer, 0, 100), 100);
    peer_close(&peer);
    CHECK_EQ(eddy_read(stream, data, 1), 1);
    CHECK_OK(let_come()); /* by now the end has come too */
    CHECK(!eddy_at_eof(stream));
    for (size_t i = 1; i < 100; i += 3) {
        CHECK_EQ(eddy_read(stream, data, 3), 3);
        CHECK(peer_is_filled(data, i, 3));
    }
    CHECK_EQ(eddy_read(stream, data, sizeof data), 0);
    CHECK_EQ(eddy_read(stream, data, sizeof data), 0);
    CHECK(eddy_at_eof(stream));
}

/* A-READ-16: what came before a reset is delivered first, then every read has the error, and
 * so has every write. */
TEST(socket_reset_comes_behind_the_data_and_stays)
{
    EDDY_STREAM stream = NULL;
    PEER_FD peer = -1;
    char data[8];

    CHECK_OK(peer_stream(AF_INET, &stream, &peer));
    CHECK_EQ(peer_send(peer, 0, 6), 6);
    CHECK_EQ(eddy_read(stream, data, 1), 1);
    CHECK_OK(let_come());
    peer_reset(&peer);
    CHECK_OK(let_come());
    CHECK_EQ(eddy_read(stream, data, sizeof data), 5);
    CHECK(peer_is_filled(data, 1, 5));
    CHECK_EQ(eddy_read(stream, data, sizeof data), -ECONNRESET);
    CHECK_HAS(eddy_error_message(-ECONNRESET), "tcp 127.0.0.1:");
    CHECK_EQ(eddy_read(stream, data, sizeof data), -ECONNRESET);
    CHECK_EQ(eddy_write(stream, "x", 1), -ECONNRESET);
    CHECK_OK(eddy_stream_close(&stream)); /* nothing was left to be sent */
}

/* The reader that waits meanwhile has it too. */
TEST(socket_reset_reaches_the_reader_that_waits)
{
    EDDY_STREAM stream = NULL;
    PEER_FD peer = -1;
    char data[8];
    int n = 0;

    CHECK_OK(peer_stream(AF_INET, &stream, &peer));
    EDDY_TASK reader = eddy_create_task(read_into, stream, data, sizeof data, &n);
    CHECK_OK(let_come());
    peer_reset(&peer);
    CHECK_EQ(eddy_await(reader), -ECONNRESET);
}

/* A-READ-1: the kernel's buffers fill up when nobody reads; a reader that wants more than the
 * limit gets it all the same, whole and in order. */
TEST(socket_takes_no_more_than_its_limit_until_somebody_reads)
{
    const size_t much = 4000000;
    char *data = test_room(much);
    EDDY_STREAM stream = NULL;
    PEER_FD peer = -1;
    size_t sent = 0, kept, from = 1;

    CHECK_OK(peer_stream(AF_INET, &stream, &peer));
    CHECK_OK(eddy_stream_set_limit(stream, 1000));
    CHECK_OK(peer_set(peer, SO_SNDBUF, 65536));
    sent = peer_send(peer, 0, much);
    CHECK_EQ(eddy_read(stream, data, 1), 1);
    for (int i = 0; i < 20; i++) {
        CHECK_OK(let_come());
        sent += peer_send(peer, sent, much - sent);
    }
    CHECK(sent < much); /* it would block */
    kept = eddy_stream_get_counters(stream).to_read;
    CHECK_THAT(kept >= 2000 && kept < 2000 + 262144, "%zu bytes are kept", kept);
    while (from < much) { /* a resumed stream takes more */
        size_t size = much - from < 50000 ? much - from : 50000;
        EDDY_TASK reader = eddy_create_task(read_all_of, stream, data, size);

        while (!eddy_task_done(reader)) {
            CHECK_OK(eddy_sleep(0.001));
            sent += peer_send(peer, sent, much - sent);
        }
        CHECK_OK(eddy_await(reader));
        CHECK(peer_is_filled(data, from, size));
        from += size;
    }
    CHECK_EQ(sent, much);
    CHECK_EQ(eddy_stream_get_counters(stream).to_read, 0);
}

/* Large and small pieces in turns: the ways of receiving change, the bytes do not. */
static int socket_passes_everything(int family)
{
    static char data[700000];
    static const size_t steps[] = {300000, 10, 7, 200000, 1, 1, 1, 1, 1, 1, 1, 1, 1, 150000, 100};
    EDDY_STREAM one = NULL;
    EDDY_STREAM other = NULL;
    size_t from = 0;

    EDDY_TRY(peer_streams(family, &one, &other));
    for (size_t i = 0; i < ED_ARRAY_LENGTH(steps); i++) {
        EDDY_TASK writer = eddy_create_task(write_sequence, other, from, steps[i], steps[i]);

        for (size_t got = 0; got < steps[i];) {
            ssize_t n = eddy_read(one, data, i % 2 ? 100 : sizeof data);

            EDDY_TRY(n);
            REQUIRE(n > 0 && peer_is_filled(data, from + got, (size_t)n));
            got += (size_t)n;
        }
        EDDY_TRY(eddy_await(writer));
        from += steps[i];
    }
    REQUIRE(eddy_stream_get_counters(one).received == from);
    REQUIRE(eddy_stream_get_counters(other).sent == from);
    return 0;
}

TEST(tcp_passes_large_and_small_pieces_in_turns)
{
    CHECK_OK(socket_passes_everything(AF_INET));
}

TEST(unix_socket_passes_large_and_small_pieces_in_turns)
{
    CHECK_OK(socket_passes_everything(AF_UNIX));
}

/* A-READ-14 in a bulk transfer: the kernel has the reader's memory, and what it put there
 * before the cancel is not lost. */
TEST(socket_bulk_read_that_is_cancelled_loses_nothing)
{
    static char data[400000];
    EDDY_STREAM one = NULL;
    EDDY_STREAM other = NULL;
    size_t from = 0;

    CHECK_OK(peer_streams(AF_INET, &one, &other));
    for (int round = 0; round < 10; round++) {
        EDDY_TASK writer = eddy_create_task(write_sequence, other, from, sizeof data, 40000);
        {
            EDDY_TASK reader = eddy_create_task(read_all_of, one, data, sizeof data);

            for (int i = 0; i < round; i++)
                CHECK_OK(eddy_sleep(0));
            CHECK_OK(eddy_cancel(reader));
            if (eddy_await(reader) == 0) {
                CHECK(peer_is_filled(data, from, sizeof data));
                from += sizeof data;
                CHECK_OK(eddy_await(writer));
                continue;
            }
        }
        memset(data, 0, sizeof data);
        CHECK_OK(eddy_read_exactly(one, data, sizeof data));
        CHECK(peer_is_filled(data, from, sizeof data));
        from += sizeof data;
        CHECK_OK(eddy_await(writer));
    }
}

/* A read of its own memory waits at first, is cancelled, and nothing comes into that memory
 * afterwards. */
TEST(socket_bulk_read_leaves_its_memory_alone_after_a_cancel)
{
    static char data[100000];
    EDDY_STREAM one = NULL;
    EDDY_STREAM other = NULL;

    CHECK_OK(peer_streams(AF_INET, &one, &other));
    EDDY_TASK writer = eddy_create_task(write_sequence, other, 0, sizeof data, 50000);
    CHECK_OK(eddy_read_exactly(one, data, sizeof data));
    CHECK_OK(eddy_await(writer));
    {
        EDDY_TASK reader = eddy_create_task(read_all_of, one, data, sizeof data);

        CHECK_OK(let_come());
        CHECK_OK(eddy_cancel(reader));
        CHECK_EQ(eddy_await(reader), -ECANCELED);
    }
    memset(data, 'x', sizeof data);
    CHECK_OK(eddy_write(other, "hello", 5));
    CHECK_OK(let_come());
    CHECK(data[0] == 'x' && data[1] == 'x');
    CHECK_EQ(eddy_read(one, data, sizeof data), 5);
    CHECK(memcmp(data, "hello", 5) == 0);
}

/* One byte at a time, by a peer that takes its time: reliability, section 3. */
TEST(socket_line_comes_one_byte_at_a_time)
{
    static const char text[] = "a line\nanother, a longer one\nthe end";
    EDDY_STREAM one = NULL;
    EDDY_STREAM other = NULL;
    char line[64];

    CHECK_OK(peer_streams(AF_INET, &one, &other));
    for (size_t i = 0; i < sizeof text - 1; i++) {
        CHECK_OK(eddy_write(other, text + i, 1));
        CHECK_OK(eddy_flush(other));
        if (text[i] == '\n')
            CHECK(eddy_read_line(one, line, sizeof line) > 0 && strstr(text, line));
    }
    CHECK_OK(eddy_stream_close(&other));
    CHECK_EQ(eddy_read_line(one, line, sizeof line), 7);
    CHECK_STR(line, "the end");
    CHECK_EQ(eddy_read_line(one, line, sizeof line), 0);
}

/* A-READ-11, and an endless line: refused at the limit, and no more than that is kept. */
TEST(socket_endless_line_is_refused_and_not_kept)
{
    static char line[70000];
    EDDY_STREAM stream = NULL;
    PEER_FD peer = -1;

    CHECK_OK(peer_stream(AF_INET, &stream, &peer));
    memset(line, 'x', sizeof line);
    for (int i = 0; i < 20; i++) {
        (void)!send(peer, line, sizeof line, MSG_DONTWAIT | MSG_NOSIGNAL);
        CHECK_EQ(eddy_read_line(stream, line, 10000), EDDY_ELIMIT);
        CHECK(eddy_stream_get_counters(stream).to_read < 2 * 65536 + 65536);
        memset(line, 'x', sizeof line);
    }
}

/* A pipe is a stream in each direction, and a broken one is an error. */
TEST(pipe_is_a_stream_in_one_direction)
{
    EDDY_STREAM in = NULL;
    EDDY_STREAM out = NULL;
    char data[20];
    int ends[2];

    CHECK_EQ(pipe2(ends, O_CLOEXEC), 0);
    CHECK_OK(eddy_stream_from_fd(ends[0], &in));
    CHECK_OK(eddy_stream_from_fd(ends[1], &out));
    CHECK_STR(eddy_stream_kind(in), "pipe");
    CHECK_STR(eddy_stream_peer_name(in), "");
    CHECK_OK(eddy_write(out, "hello", 5));
    CHECK_OK(eddy_flush(out));
    CHECK_EQ(eddy_read(in, data, sizeof data), 5);
    CHECK_EQ(eddy_write_eof(out), -ENOTSUP);
    CHECK_OK(eddy_stream_close(&out));
    CHECK_EQ(eddy_read(in, data, sizeof data), 0);
}

TEST(pipe_passes_large_and_small_pieces_in_turns)
{
    static char data[300000];
    EDDY_STREAM in = NULL;
    EDDY_STREAM out = NULL;
    int ends[2];

    CHECK_EQ(pipe2(ends, O_CLOEXEC), 0);
    CHECK_OK(eddy_stream_from_fd(ends[0], &in));
    CHECK_OK(eddy_stream_from_fd(ends[1], &out));
    for (size_t step = 1000; step <= 100000; step *= 10) {
        EDDY_TASK writer = eddy_create_task(write_sequence, out, 0, sizeof data, step);

        CHECK_OK(eddy_read_exactly(in, data, sizeof data));
        CHECK(peer_is_filled(data, 0, sizeof data));
        CHECK_OK(eddy_await(writer));
    }
}

/* A-WRITE-14, and what stays of a stream: names, closes and a close by another task. */
TEST(socket_close_gets_the_reader_out_in_both_ways)
{
    static char data[100000];
    EDDY_STREAM one = NULL;
    EDDY_STREAM other = NULL;

    for (int bulk = 0; bulk < 2; bulk++) {
        CHECK_OK(peer_streams(AF_INET, &one, &other));
        if (bulk) {
            EDDY_TASK writer = eddy_create_task(write_sequence, other, 0, sizeof data, 50000);

            CHECK_OK(eddy_read_exactly(one, data, sizeof data));
            CHECK_OK(eddy_await(writer));
        }
        EDDY_TASK reader = eddy_create_task(read_all_of, one, data, sizeof data);
        CHECK_OK(let_come());
        CHECK_OK(eddy_stream_close(&one));
        CHECK_EQ(eddy_await(reader), -ESHUTDOWN);
        CHECK_EQ(eddy_read(other, data, sizeof data), 0);
        CHECK_OK(eddy_stream_close(&other));
    }
}

static int never_closes(void)
{
    static eddy_stream *stream;
    char data[4];
    int peer;

    EDDY_TRY(peer_stream(AF_INET, &stream, &peer));
    close(peer);
    return (int)eddy_read(stream, data, sizeof data);
}
EDDY_ASYNC(never_closes);

/* A stream that nobody has closed is reported when its loop closes, and nothing leaks. */
RAW_TEST(socket_left_open_is_reported_and_closed_with_its_loop)
{
    eddy_loop *loop;

    CHECK_OK(eddy_loop_new(&loop));
    test_watch_reports(loop);
    CHECK_OK(eddy_loop_run_until_complete(loop, EDDY_CALL(never_closes)));
    eddy_loop_free(loop);
    CHECK_HAS(test_report(), "a stream (tcp 127.0.0.1:");
}

/* Until the last moment nothing is known; then one look at the kernel tells. */
static int check_quiet(eddy_stream *one, eddy_stream *other)
{
    char byte;

    REQUIRE(eddy_stream_is_quiet_(one) && eddy_stream_is_quiet_(other));
    EDDY_TRY(eddy_write(other, "ab", 2));
    EDDY_TRY(eddy_flush(other));
    EDDY_TRY(eddy_read(one, &byte, 1));
    REQUIRE(!eddy_stream_is_quiet_(one)); /* "b" */
    EDDY_TRY(eddy_read(one, &byte, 1));
    REQUIRE(eddy_stream_is_quiet_(one));
    EDDY_TRY(eddy_write_eof(other));
    EDDY_TRY(eddy_sleep(0));
    EDDY_TRY(eddy_sleep(0));
    REQUIRE(!eddy_stream_is_quiet_(one));
    eddy_stream_abort(other);
    REQUIRE(!eddy_stream_is_quiet_(other));
    return 0;
}

TEST(stream_knows_whether_anything_has_come_that_nobody_reads)
{
    EDDY_STREAM one = NULL, other = NULL, near = NULL, far = NULL;
    PAIR(pair, SOCK_STREAM);

    CHECK_OK(eddy_stream_pair(&one, &other));
    CHECK_OK(check_quiet(one, other));
    CHECK_OK(eddy_stream_from_fd(pair.one, &near));
    pair.one = -1;
    CHECK_OK(eddy_stream_from_fd(pair.other, &far));
    pair.other = -1;
    CHECK_OK(check_quiet(near, far));
}
