/* SPDX-License-Identifier: MIT */
/* Streams over sockets and pipes: sending, half-closing, closing and breaking. */
#include <sys/mman.h>

#include "net/peer.h"

#define LARGE ((size_t)8 << 20) /* more than the kernel takes at once */

static int write_all(eddy_stream *stream, const char *data, size_t size)
{
    return eddy_write(stream, data, size);
}
EDDY_ASYNC(write_all, eddy_stream *, const char *, size_t);

static int drain(eddy_stream *stream)
{
    return eddy_drain(stream);
}
EDDY_ASYNC(drain, eddy_stream *);

static int close_it(eddy_stream *stream)
{
    return eddy_stream_close(&stream);
}
EDDY_ASYNC(close_it, eddy_stream *);

static char *sequence(size_t size)
{
    char *data = malloc(size);

    if (!data)
        test_fail(__FILE__, __LINE__, "no memory");
    peer_fill(data, 0, size);
    return data;
}

static void free_text(char **data)
{
    free(*data);
}

#define SEQUENCE(name, size) EDDY_CLEANUP_(free_text) char *name = sequence(size)

/* A small buffer in the kernel, so that little is enough to fill it. */
static int small_stream(int family, eddy_stream **stream, int *peer)
{
    EDDY_TRY(peer_stream(family, stream, peer));
    return peer_set(eddy_stream_fd(*stream), SO_SNDBUF, 8192);
}

/* Takes the sequence from a plain socket until `size` bytes have come. */
static int take_until(int peer, size_t size, size_t *taken)
{
    while (*taken < size) {
        size_t n = peer_take(peer, *taken);

        *taken += n;
        if (n == 0)
            EDDY_TRY(peer_wait(peer));
    }
    return 0;
}

/* A-WRITE-1, -2: small writes do not wait; they are copied, go together, and the caller may
 * use its memory again. */
TEST(socket_small_writes_are_copied_and_go_together)
{
    EDDY_STREAM stream = NULL;
    PEER_FD peer = -1;
    char data[10];

    CHECK_OK(peer_stream(AF_INET, &stream, &peer));
    for (size_t i = 0; i < 10; i++) {
        peer_fill(data, 10 * i, sizeof data);
        CHECK_OK(eddy_write(stream, data, sizeof data));
        memset(data, 0, sizeof data);
    }
    CHECK_EQ(eddy_stream_get_counters(stream).to_send, 100);
    CHECK_EQ(eddy_stream_get_counters(stream).sent, 0);
    CHECK_EQ(peer_take(peer, 0), 0);
    CHECK_OK(eddy_flush(stream));
    CHECK_EQ(eddy_stream_get_counters(stream).to_send, 0);
    CHECK_EQ(eddy_stream_get_counters(stream).sent, 100);
    CHECK_EQ(peer_take(peer, 0), 100);
}

/* A-WRITE-1, -17: nothing, and parts, in order with all else. */
TEST(socket_writes_of_all_sizes_keep_their_order)
{
    SEQUENCE(data, 600000);
    EDDY_STREAM one = NULL;
    EDDY_STREAM other = NULL;
    size_t at = 0, got = 0;

    CHECK_OK(peer_streams(AF_INET, &one, &other));
    for (int round = 0; round < 12; round++) {
        size_t size = (size_t[]){0, 1, 100, 5000, 16383, 16384, 30000}[round % 7];
        struct iovec parts[] = {{data + at, size}, {NULL, 0}, {data + at + size, 1}};

        CHECK_OK(eddy_write(one, data + at, 0));
        CHECK_OK(eddy_writev(one, parts, 3));
        at += size + 1;
        CHECK_OK(eddy_write(one, data + at, size));
        at += size;
        CHECK_OK(eddy_write_nowait(one, data + at, 3));
        at += 3;
        while (got < at) {
            char seen[50000];
            ssize_t n = eddy_read(other, seen, sizeof seen);

            CHECK(n > 0 && peer_is_filled(seen, got, (size_t)n));
            got += (size_t)n;
        }
    }
    CHECK_OK(eddy_flush(one));
    CHECK_EQ(eddy_stream_get_counters(one).sent, at);
}

static int write_parts(eddy_stream *stream, const char *data)
{
    struct iovec parts[1000];

    for (size_t i = 0; i < 1000; i++)
        parts[i] = (struct iovec){(void *)(uintptr_t)(data + 1024 * i), 1024};
    return eddy_writev(stream, parts, 1000);
}
EDDY_ASYNC(write_parts, eddy_stream *, const char *);

/* A-WRITE-17: a writev of more parts than one operation takes, which the kernel takes bit by
 * bit. */
TEST(socket_writev_of_many_parts_waits_for_a_slow_reader)
{
    SEQUENCE(data, 1024000);
    EDDY_STREAM stream = NULL;
    PEER_FD peer = -1;
    size_t taken = 0;

    CHECK_OK(small_stream(AF_INET, &stream, &peer));
    EDDY_TASK writer = eddy_create_task(write_parts, stream, data);
    CHECK_OK(take_until(peer, 1024000, &taken));
    CHECK_OK(eddy_await(writer));
    CHECK_EQ(taken, 1024000);
}

/* A-WRITE-3, -5: above `high` writers and drainers wait, all of them, until `low` is left. */
TEST(socket_writers_and_drainers_wait_between_the_marks)
{
    SEQUENCE(data, 4000000);
    EDDY_STREAM stream = NULL;
    PEER_FD peer = -1;
    size_t sent = 0, taken = 0;

    CHECK_OK(small_stream(AF_INET, &stream, &peer));
    CHECK_OK(eddy_stream_set_write_limits(stream, 20000, 5000));
    CHECK_OK(eddy_drain(stream));
    while (eddy_stream_get_counters(stream).to_send <= 20000) {
        CHECK_OK(eddy_write(stream, data + sent, 1000));
        sent += 1000;
        CHECK_OK(eddy_drain(stream));
        CHECK(sent < 3000000);
        if (eddy_stream_get_counters(stream).to_send >= 20000)
            break;
    }
    CHECK_OK(eddy_write(stream, data + sent, 1000)); /* at 20,000 it does not wait yet */
    sent += 1000;
    CHECK_EQ(eddy_write_nowait(stream, data, 1), -EAGAIN);
    EDDY_TASK writer = eddy_create_task(write_all, stream, data + sent, 1000);
    EDDY_TASK one = eddy_create_task(drain, stream);
    EDDY_TASK two = eddy_create_task(drain, stream);
    test_settle();
    CHECK(!eddy_task_done(writer) && !eddy_task_done(one) && !eddy_task_done(two));
    sent += 1000;
    while (!eddy_task_done(writer)) {
        CHECK(eddy_stream_get_counters(stream).to_send > 5000);
        taken += peer_take(peer, taken);
        CHECK_OK(eddy_sleep(0.001));
    }
    CHECK_OK(eddy_await(writer));
    CHECK_OK(eddy_await(one));
    CHECK_OK(eddy_await(two));
    CHECK_OK(take_until(peer, sent, &taken));
    CHECK_EQ(taken, sent);
}

/* A-WRITE-9, -19: the writers and drainers that wait when the connection breaks get its
 * error, and so does everything afterwards. No signal is raised. */
static int broken_while_they_wait(int family)
{
    SEQUENCE(data, LARGE);
    EDDY_STREAM stream = NULL;
    PEER_FD peer = -1;
    int code;

    EDDY_TRY(small_stream(family, &stream, &peer));
    while (eddy_stream_get_counters(stream).to_send <= 65536)
        EDDY_TRY(eddy_write_nowait(stream, data, 8000));
    EDDY_TASK writer = eddy_create_task(write_all, stream, data, LARGE);
    EDDY_TASK drainer = eddy_create_task(drain, stream);
    EDDY_TRY(eddy_sleep(0.001));
    REQUIRE(!eddy_task_done(writer) && !eddy_task_done(drainer));
    peer_reset(&peer);
    code = eddy_await(writer);
    REQUIRE(code == (family == AF_INET ? -ECONNRESET : -EPIPE));
    REQUIRE(eddy_await(drainer) == code);
    REQUIRE(eddy_write(stream, "x", 1) == code);
    REQUIRE(eddy_stream_get_counters(stream).to_send == 0);
    REQUIRE(eddy_stream_close(&stream) == code);
    return 0;
}

TEST(tcp_writers_and_drainers_get_the_error_of_a_broken_connection)
{
    CHECK_OK(broken_while_they_wait(AF_INET));
}

TEST(unix_writers_and_drainers_get_the_error_of_a_broken_connection)
{
    CHECK_OK(broken_while_they_wait(AF_UNIX));
}

/* SIGPIPE never kills: every way of writing to a peer that is gone is an error. */
static int write_to_nobody(int way, int family)
{
    SEQUENCE(data, 100000);
    struct iovec parts[] = {{data, 50000}, {data + 50000, 50000}};
    EDDY_STREAM stream = NULL;
    PEER_FD peer = -1;
    PEER_FD file = memfd_create("source", MFD_CLOEXEC);
    int rc = 0;

    REQUIRE(file >= 0 && write(file, data, 100000) == 100000);
    EDDY_TRY(peer_stream(family, &stream, &peer));
    peer_reset(&peer);
    for (int i = 0; i < 3 && rc >= 0; i++) {
        switch (way) {
        case 0: rc = eddy_write(stream, data, 10); break;
        case 1: rc = eddy_write(stream, data, 100000); break;
        case 2: rc = eddy_writev(stream, parts, 2); break;
        case 3: rc = (int)eddy_sendfile(stream, file, 0, SIZE_MAX); break;
        default: rc = eddy_write_nowait(stream, data, 10); break;
        }
        if (rc >= 0)
            rc = eddy_flush(stream);
    }
    REQUIRE(rc == -EPIPE || rc == -ECONNRESET);
    return 0;
}

TEST(socket_no_way_of_writing_to_a_peer_that_is_gone_raises_a_signal)
{
    CHECK(signal(SIGPIPE, SIG_DFL) != SIG_ERR);
    for (int way = 0; way < 5; way++) {
        CHECK_OK(write_to_nobody(way, AF_INET));
        CHECK_OK(write_to_nobody(way, AF_UNIX));
    }
}

TEST(pipe_whose_reader_is_gone_raises_no_signal)
{
    SEQUENCE(data, 100000);
    EDDY_STREAM stream = NULL;
    int ends[2];

    CHECK(signal(SIGPIPE, SIG_DFL) != SIG_ERR);
    for (size_t size = 10; size <= 100000; size *= 100) {
        int rc;

        CHECK_EQ(pipe2(ends, O_CLOEXEC), 0);
        close(ends[0]);
        CHECK_OK(eddy_stream_from_fd(ends[1], &stream));
        rc = eddy_write(stream, data, size);
        CHECK_EQ(rc < 0 ? rc : eddy_flush(stream), -EPIPE);
        CHECK_EQ(eddy_stream_close(&stream), -EPIPE);
    }
}

/* A cancel during a large write: the caller learns how many bytes went, its memory is its own
 * at once, and the stream goes on behind them. */
static int cancelled_write(int family, bool parts)
{
    SEQUENCE(data, LARGE);
    EDDY_STREAM stream = NULL;
    PEER_FD peer = -1;
    size_t partial, taken = 0;

    EDDY_TRY(small_stream(family, &stream, &peer));
    {
        EDDY_TASK writer = parts ? eddy_create_task(write_parts, stream, data)
                                 : eddy_create_task(write_all, stream, data, LARGE);

        for (int i = 0; i < 5; i++)
            EDDY_TRY(eddy_sleep(0.001));
        taken += peer_take(peer, 0);
        EDDY_TRY(eddy_sleep(0.001));
        REQUIRE(!eddy_task_done(writer));
        (void)eddy_cancel(writer);
        REQUIRE(eddy_await(writer) == -ECANCELED);
    }
    partial = eddy_stream_partial(stream);
    REQUIRE(partial > 0 && partial < LARGE && partial >= taken);
    memset(data, 0, LARGE);
    peer_fill(data, partial, 50000);
    EDDY_TASK writer = eddy_create_task(write_all, stream, data, 50000);
    EDDY_TRY(take_until(peer, partial + 50000, &taken));
    REQUIRE(taken == partial + 50000);
    EDDY_TRY(eddy_await(writer));
    return eddy_stream_close(&stream);
}

TEST(tcp_cancelled_large_write_tells_how_much_went)
{
    CHECK_OK(cancelled_write(AF_INET, false));
}

TEST(tcp_cancelled_writev_tells_how_much_went)
{
    CHECK_OK(cancelled_write(AF_INET, true));
}

TEST(unix_cancelled_large_write_tells_how_much_went)
{
    CHECK_OK(cancelled_write(AF_UNIX, false));
}

/* Promise 2: the writers of a group that fails are cut short, and their stream goes on, with
 * whatever error it was. */
static int fail_soon(int code)
{
    EDDY_TRY(eddy_sleep(0.001));
    return code;
}
EDDY_ASYNC(fail_soon, int);

static int write_beside_a_failure(eddy_stream *stream, const char *data, int code)
{
    EDDY_GROUP(group);

    EDDY_TRY(eddy_group_create_task(&group, fail_soon, code));
    return eddy_write(stream, data, LARGE);
}

TEST(socket_write_cut_short_by_a_failing_group_breaks_nothing)
{
    SEQUENCE(data, LARGE);
    EDDY_STREAM stream = NULL;
    PEER_FD peer = -1;

    for (int i = 0; i < 4; i++) {
        int code = (int[]){-EIO, -ECONNRESET, -ESHUTDOWN, -ETIMEDOUT}[i];
        size_t taken = 0, partial;

        CHECK_OK(small_stream(AF_INET, &stream, &peer));
        CHECK_EQ(write_beside_a_failure(stream, data, code), code);
        partial = eddy_stream_partial(stream);
        CHECK(partial > 0 && partial < LARGE);
        CHECK_OK(eddy_write(stream, data + partial, 1000));
        CHECK_OK(take_until(peer, partial + 1000, &taken));
        CHECK_OK(eddy_stream_close(&stream));
        peer_close(&peer);
    }
}

/* A-WRITE-11, -12: the peer reads the end, this side reads on; again it does nothing. */
TEST(socket_write_eof_ends_one_half)
{
    EDDY_STREAM stream = NULL;
    PEER_FD peer = -1;
    char data[10];

    CHECK_OK(peer_stream(AF_INET, &stream, &peer));
    peer_fill(data, 0, sizeof data);
    CHECK_OK(eddy_write(stream, data, sizeof data));
    CHECK_OK(eddy_write_eof(stream));
    CHECK_OK(eddy_write_eof(stream));
    CHECK_EQ(peer_take(peer, 0), 10);
    CHECK_EQ(recv(peer, data, 1, 0), 0);
    CHECK_EQ(eddy_write(stream, data, 1), -EPIPE);
    CHECK_EQ(peer_send(peer, 0, 5), 5);
    peer_close(&peer);
    CHECK_EQ(eddy_read(stream, data, sizeof data), 5);
    CHECK_EQ(eddy_read(stream, data, sizeof data), 0);
    CHECK_OK(eddy_stream_close(&stream));
}

TEST(socket_write_eof_behind_a_reset_is_a_broken_pipe)
{
    EDDY_STREAM stream = NULL;
    PEER_FD peer = -1;
    char byte;

    CHECK_OK(peer_stream(AF_INET, &stream, &peer));
    peer_reset(&peer);
    CHECK_EQ(eddy_write_eof(stream), -EPIPE);
    CHECK_EQ(eddy_read(stream, &byte, 1), -ECONNRESET);
}

/* A-WRITE-14: a close lets everything go, to a peer that takes its time. */
TEST(socket_close_waits_until_all_has_gone)
{
    SEQUENCE(data, 300000);
    EDDY_STREAM stream = NULL;
    PEER_FD peer = -1;
    size_t taken = 0;
    char more;

    CHECK_OK(small_stream(AF_INET, &stream, &peer));
    CHECK_OK(eddy_stream_set_write_limits(stream, 400000, 0));
    for (size_t i = 0; i < 300000; i += 1000)
        CHECK_OK(eddy_write(stream, data + i, 1000));
    EDDY_TASK closer = eddy_create_task(close_it, stream);
    stream = NULL;
    CHECK_OK(take_until(peer, 300000, &taken));
    CHECK_OK(eddy_await(closer));
    CHECK_EQ(recv(peer, &more, 1, 0), 0);
}

/* A close that is cancelled, or whose time is up, is an abort. */
TEST(socket_close_that_is_cancelled_is_an_abort)
{
    SEQUENCE(data, 60000);
    EDDY_STREAM stream = NULL;
    PEER_FD peer = -1;
    char seen[1000];
    int rc;

    CHECK_OK(small_stream(AF_INET, &stream, &peer));
    CHECK_OK(eddy_stream_set_write_limits(stream, 400000, 0));
    for (int i = 0; i < 6; i++)
        CHECK_OK(eddy_write_nowait(stream, data, 60000));
    {
        EDDY_TIMEOUT(limit, 1);

        CHECK_EQ(eddy_stream_close(&stream), -ETIMEDOUT);
    }
    while ((rc = peer_read(peer, seen, sizeof seen)) > 0)
        continue;
    CHECK_EQ(rc, -ECONNRESET);
}

/* A-WRITE-15: an abort drops what is kept, and the peer sees a reset. What went counts. */
TEST(socket_abort_drops_what_was_not_sent)
{
    SEQUENCE(data, 300000);
    EDDY_STREAM stream = NULL;
    PEER_FD peer = -1;
    eddy_stream_counters counters;

    CHECK_OK(small_stream(AF_INET, &stream, &peer));
    CHECK_OK(eddy_stream_set_write_limits(stream, 400000, 0));
    for (size_t i = 0; i < 300000; i += 1000) {
        CHECK_OK(eddy_write(stream, data + i, 1000));
        if (i == 200000)
            CHECK_OK(eddy_sleep(0.001));
    }
    eddy_stream_abort(stream);
    CHECK(eddy_stream_is_closing(stream));
    CHECK_EQ(eddy_write(stream, data, 1), -ECONNABORTED);
    CHECK_EQ(eddy_read(stream, data, 1), -ECONNABORTED);
    CHECK_OK(eddy_sleep(0.001));
    counters = eddy_stream_get_counters(stream);
    CHECK_EQ(counters.to_send, 0);
    CHECK(counters.sent > 0 && counters.sent <= 201000);
    CHECK_EQ(peer_take(peer, 0), counters.sent);
    CHECK_EQ(eddy_stream_close(&stream), -ECONNABORTED);
    CHECK_EQ(peer_read(peer, data, 1), -ECONNRESET);
}

/* A-READ-16: a reset that a writer got first is no clean end for the reader. */
TEST(socket_reset_seen_by_a_writer_is_no_end_for_the_reader)
{
    SEQUENCE(data, 100000);

    for (size_t size = 10; size <= 100000; size *= 100) {
        EDDY_STREAM stream = NULL;
        PEER_FD peer = -1;
        int rc;

        CHECK_OK(peer_stream(AF_INET, &stream, &peer));
        peer_reset(&peer);
        rc = eddy_write(stream, data, size);
        CHECK_EQ(rc < 0 ? rc : eddy_flush(stream), -ECONNRESET);
        CHECK_EQ(eddy_read(stream, data, 1), -ECONNRESET);
        CHECK(!eddy_at_eof(stream));
    }
}

/* A-READ-17: but a clean end stays one, whatever becomes of what is written later. */
TEST(socket_end_stays_clean_when_writes_fail_afterwards)
{
    EDDY_STREAM stream = NULL;
    PEER_FD peer = -1;
    char data[10];
    int rc = 0;

    CHECK_OK(peer_stream(AF_INET, &stream, &peer));
    CHECK_EQ(peer_send(peer, 0, 5), 5);
    peer_close(&peer);
    while (rc == 0) { /* answered by a reset */
        rc = eddy_write(stream, "x", 1);
        if (rc == 0)
            rc = eddy_flush(stream);
    }
    CHECK_EQ(rc, -EPIPE);
    CHECK_EQ(eddy_read(stream, data, sizeof data), 5);
    CHECK_EQ(eddy_read(stream, data, sizeof data), 0);
}

/* A-WRITE-9: those who wait inside are got out, by an abort and by a close. */
TEST(socket_abort_and_close_get_the_writer_out)
{
    SEQUENCE(data, LARGE);

    for (int i = 0; i < 4; i++) {
        EDDY_STREAM stream = NULL;
        PEER_FD peer = -1;

        CHECK_OK(small_stream(i % 2 ? AF_INET : AF_UNIX, &stream, &peer));
        EDDY_TASK writer = eddy_create_task(write_all, stream, data, LARGE);
        CHECK_OK(eddy_sleep(0.001));
        if (i < 2) {
            eddy_stream_abort(stream);
            CHECK_EQ(eddy_await(writer), -ECONNABORTED);
            CHECK_EQ(eddy_stream_close(&stream), -ECONNABORTED);
        } else {
            CHECK_OK(eddy_stream_close(&stream));
            CHECK_EQ(eddy_await(writer), -ESHUTDOWN);
        }
    }
}

/* eddy_sendfile(): a file larger than the kernel's buffers, from an offset, between writes. */
TEST(socket_sendfile_stands_in_order_with_writes)
{
    SEQUENCE(data, 2000000);
    EDDY_STREAM one = NULL;
    EDDY_STREAM other = NULL;
    PEER_FD file = memfd_create("source", MFD_CLOEXEC);
    char *all = NULL;
    size_t size = 0;

    CHECK(file >= 0 && write(file, data, 2000000) == 2000000);
    CHECK_OK(peer_streams(AF_INET, &one, &other));
    CHECK_OK(eddy_write(one, data, 1000));
    CHECK_EQ(eddy_sendfile(one, file, 1000, 9000), 9000);
    CHECK_OK(eddy_write(one, data + 10000, 10));
    CHECK_EQ(eddy_sendfile(one, file, 1999999, 100), 1);
    CHECK_OK(eddy_write_eof(one));
    CHECK_OK(eddy_read_all(other, 0, &all, &size));
    EDDY_DEFER(eddy_free, all);
    CHECK_EQ(size, 10011);
    CHECK(peer_is_filled(all, 0, 10010));
    CHECK(all[10010] == data[1999999]);
}
