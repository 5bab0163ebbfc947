/* SPDX-License-Identifier: MIT */
/* Whole files and whole streams: rules A-SFILE-1 to -5. */
#include "script.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char content[150000];

static void close_descriptor(void *fd)
{
    close(*(int *)fd);
}

/* A file without a name that holds `size` bytes of content. */
static int open_file(size_t size)
{
    char name[] = "/tmp/eddy-sendfile-XXXXXX";
    int fd = mkstemp(name);

    for (size_t i = 0; i < sizeof content; i++)
        content[i] = (char)(i * 3 + i / 1000);
    if (fd < 0 || write(fd, content, size) != (ssize_t)size || unlink(name) < 0)
        test_fail(__FILE__, __LINE__, "no file: %s", strerror(errno));
    return fd;
}

static int collect(eddy_stream *stream, char **data, size_t *size)
{
    return eddy_read_all(stream, 0, data, size);
}
EDDY_ASYNC(collect, eddy_stream *, char **, size_t *);

static int copy_it(eddy_stream *from, eddy_stream *to, int64_t *copied)
{
    *copied = eddy_stream_copy(from, to);
    return *copied < 0 ? (int)*copied : 0;
}
EDDY_ASYNC(copy_it, eddy_stream *, eddy_stream *, int64_t *);

static void free_it(void *data)
{
    eddy_free(*(char **)data);
}

/* A-SFILE-1, -2: to the file's end, a part of it, and from beyond it. */
TEST(sendfile_sends_a_file)
{
    int fd = open_file(sizeof content);
    EDDY_DEFER(close_descriptor, (void *)&fd);
    EDDY_STREAM one = NULL;
    EDDY_STREAM other = NULL;
    char *data = NULL;
    EDDY_DEFER(free_it, (void *)&data);
    size_t size = 0;

    CHECK_OK(eddy_stream_pair(&one, &other));
    EDDY_TASK reader = eddy_create_task(collect, other, &data, &size);
    CHECK_EQ(eddy_sendfile(one, fd, 0, SIZE_MAX), sizeof content);
    CHECK_EQ(eddy_sendfile(one, fd, 10, 5), 5);
    CHECK_EQ(eddy_sendfile(one, fd, sizeof content - 3, 5), 3);
    CHECK_EQ(eddy_sendfile(one, fd, sizeof content, 5), 0);
    CHECK_EQ(eddy_sendfile(one, fd, 1 << 30, SIZE_MAX), 0);
    CHECK_OK(eddy_write_eof(one));
    CHECK_OK(eddy_await(reader));
    CHECK_EQ(size, sizeof content + 8);
    CHECK(memcmp(data, content, sizeof content) == 0);
    CHECK(memcmp(data + sizeof content, content + 10, 5) == 0);
    CHECK(memcmp(data + sizeof content + 5, content + sizeof content - 3, 3) == 0);
    CHECK_EQ(eddy_sendfile(one, fd, 0, 1), -EPIPE);
}

/* A-SFILE-2. */
TEST(sendfile_of_what_is_no_file)
{
    struct script script = SCRIPT("");
    EDDY_STREAM stream = script_open(&script);
    int fd = open_file(10), null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    EDDY_DEFER(close_descriptor, (void *)&fd);
    EDDY_DEFER(close_descriptor, (void *)&null);

    CHECK_EQ(eddy_sendfile(stream, fd, -1, 5), -EINVAL);
    CHECK_EQ(eddy_sendfile(stream, fd, 0, 0), -EINVAL);
    CHECK_EQ(eddy_sendfile(stream, null, 0, 5), -EINVAL);
    CHECK_HAS(eddy_error_message(-EINVAL), "not a regular file");
    CHECK_EQ(eddy_sendfile(stream, -1, 0, 5), -EBADF);
    CHECK_EQ(script.written, 0);
    CHECK_EQ(eddy_sendfile(stream, fd, 0, 5), 5); /* nothing is broken */
}

/* A file that cannot be read: the stream is as it was. */
TEST(sendfile_of_a_file_that_cannot_be_read)
{
    struct script script = SCRIPT("");
    EDDY_STREAM stream = script_open(&script);
    int fd = open_file(10), writable;
    char path[64];

    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    writable = open(path, O_WRONLY | O_CLOEXEC);
    EDDY_DEFER(close_descriptor, (void *)&fd);
    EDDY_DEFER(close_descriptor, (void *)&writable);
    CHECK(writable >= 0);
    CHECK_EQ(eddy_sendfile(stream, writable, 0, 10), -EBADF);
    CHECK_HAS(eddy_error_message(-EBADF), "sendfile: the file is not open for reading");
    CHECK_OK(eddy_write(stream, "x", 1));
}

/* A-SFILE-5: how much had gone when the connection broke, or the time was up. */
TEST(sendfile_cut_short_says_how_much_went)
{
    struct script script = SCRIPT("", .room = 100000, .write_error = -EPIPE);
    EDDY_STREAM stream = script_open(&script);
    struct script slow = SCRIPT("", .slow_write = true);
    EDDY_STREAM second = script_open(&slow);
    int fd = open_file(sizeof content);
    EDDY_DEFER(close_descriptor, (void *)&fd);

    CHECK_EQ(eddy_sendfile(stream, fd, 0, SIZE_MAX), -EPIPE);
    CHECK_EQ(eddy_stream_partial(stream), 100000);
    {
        EDDY_TIMEOUT(limit, 0.0705);
        CHECK_EQ(eddy_sendfile(second, fd, 0, SIZE_MAX), -ETIMEDOUT);
    }
    CHECK_EQ(eddy_stream_partial(second), slow.written);
    CHECK(slow.written > 65536 && slow.written < 80000);
}

/* A kind that can send files by itself. */
static int own_result;

static int own_sendfile(eddy_stream *stream, int fd, off_t offset, size_t count, size_t *done)
{
    (void)fd, (void)offset;
    *done = own_result < 0 ? count / 2 : count;
    script_of(stream)->written += *done;
    return own_result;
}

TEST(sendfile_by_the_kind_itself)
{
    eddy_stream_class kind = script_class;
    struct script script = SCRIPT("", .kept = 100);
    EDDY_STREAM stream = script_open(&script);
    int fd = open_file(1000);
    EDDY_DEFER(close_descriptor, (void *)&fd);

    kind.sendfile = own_sendfile;
    stream->kind = &kind;
    CHECK_OK(eddy_stream_set_write_limits(stream, 10, 0));
    CHECK_OK(eddy_write(stream, "x", 1));
    CHECK_EQ(eddy_sendfile(stream, fd, 100, SIZE_MAX), 900);
    CHECK_EQ(script.kept_now, 0); /* earlier writes go first, while too much is kept */
    CHECK_EQ(eddy_stream_get_counters(stream).sent, 901);
    own_result = -ECONNRESET;
    CHECK_EQ(eddy_sendfile(stream, fd, 0, 1000), -ECONNRESET);
    CHECK_EQ(eddy_stream_partial(stream), 500);
    CHECK_HAS(eddy_error_message(-ECONNRESET), "sendfile: 500 of 1000 bytes sent: Connection");
    CHECK_EQ(eddy_write(stream, "x", 1), -ECONNRESET);
    CHECK_EQ(eddy_stream_close(&stream), -ECONNRESET);
}

/* What a copy could not write stays, if it had come before. */
TEST(sendfile_copy_leaves_what_it_did_not_write)
{
    struct script source = SCRIPT("abcdef"), full = SCRIPT("", .room = 2, .write_error = -EPIPE);
    EDDY_STREAM from = script_open(&source);
    EDDY_STREAM to = script_open(&full);
    const char *shown;

    CHECK_EQ(eddy_peek(from, 6, &shown), 6);
    CHECK_EQ(eddy_stream_copy(from, to), -EPIPE);
    CHECK_EQ(eddy_peek(from, 0, &shown), 4);
    CHECK(memcmp(shown, "cdef", 4) == 0);
}

TEST(sendfile_copy_carries_a_stream_over)
{
    for (size_t step = 0; step < 3; step++) {
        struct script source = {.text = content,
                                .size = sizeof content,
                                .step = step * 1000,
                                .pushed = step * 300,
                                .slow = step == 1};
        EDDY_STREAM from = script_open(&source);
        EDDY_STREAM one = NULL;
        EDDY_STREAM other = NULL;
        char *data = NULL;
        EDDY_DEFER(free_it, (void *)&data);
        size_t size = 0;
        char byte;

        CHECK_OK(eddy_stream_pair(&one, &other));
        EDDY_TASK reader = eddy_create_task(collect, other, &data, &size);
        CHECK_EQ(eddy_read(from, &byte, 1), 1);
        CHECK_EQ(eddy_stream_copy(from, one), sizeof content - 1);
        CHECK_OK(eddy_stream_close(&one));
        CHECK_OK(eddy_await(reader));
        CHECK_EQ(size, sizeof content - 1);
        CHECK(memcmp(data, content + 1, size) == 0);
    }
}

/* From a stream to itself: an echo server. */
TEST(sendfile_copy_of_a_stream_to_itself_is_an_echo)
{
    EDDY_STREAM one = NULL;
    EDDY_STREAM other = NULL;
    char data[16] = "";
    int64_t copied = 0;

    CHECK_OK(eddy_stream_pair(&one, &other));
    EDDY_TASK echo = eddy_create_task(copy_it, other, other, &copied);
    CHECK_OK(eddy_write(one, "hello", 5));
    CHECK_OK(eddy_read_exactly(one, data, 5));
    CHECK_STR(data, "hello");
    CHECK_OK(eddy_write_eof(one));
    CHECK_OK(eddy_await(echo));
    CHECK_EQ(copied, 5);
}

/* The error of either side. */
TEST(sendfile_copy_returns_the_error_of_either)
{
    struct script broken = SCRIPT("abc", .end = -ECONNRESET), whole = SCRIPT("abc");
    struct script sink = SCRIPT(""), full = SCRIPT("", .room = 2, .write_error = -EPIPE);
    EDDY_STREAM from = script_open(&broken);
    EDDY_STREAM to = script_open(&sink);
    EDDY_STREAM second = script_open(&whole);
    EDDY_STREAM narrow = script_open(&full);

    CHECK_EQ(eddy_stream_copy(from, to), -ECONNRESET);
    CHECK_STR(sink.out, "abc");
    CHECK_HAS(eddy_error_message(-ECONNRESET), "script nobody:7: read: Connection reset");
    CHECK_EQ(eddy_stream_copy(second, narrow), -EPIPE);
    CHECK_HAS(eddy_error_message(-EPIPE), "2 of 3 bytes sent");
}
