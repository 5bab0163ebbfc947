/* SPDX-License-Identifier: MIT */
/*
 * Everything that streams do, in one process, for system calls that are made to fail: an echo
 * server at a TCP port and a unix socket, clients that exchange messages with it by writes,
 * vectored writes and files, a pipe, and a job in a thread.
 *
 * Exits with 0 when all that was sent has come back, 1 with a line about what went wrong, or
 * 2 when bytes were not those that were sent, or a descriptor is left.
 */
#include <dirent.h>
#include <eddy.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define LARGEST 40000
#define FILE_SIZE 3000

static const size_t sizes[] = {1, 700, LARGEST, 20, 17000};

static _Noreturn void corrupt(const char *what)
{
    fprintf(stderr, "exchange: corrupt: %s\n", what);
    _exit(2);
}

/* The byte at a place of a connection's sequence. */
static char byte_at(size_t id, size_t at)
{
    return (char)(id * 7 + at * 31 + at / 251);
}

static void fill(char *data, size_t id, size_t from, size_t size)
{
    for (size_t i = 0; i < size; i++)
        data[i] = byte_at(id, from + i);
}

static void check(const char *data, size_t id, size_t from, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (data[i] != byte_at(id, from + i))
            corrupt("what has come back is not what was sent");
}

static int echo(eddy_stream *stream, void *unused)
{
    (void)unused;
    EDDY_TRY(eddy_stream_copy(stream, stream));
    return eddy_write_eof(stream);
}

/* Takes what comes back, and compares it. */
static int take(eddy_stream *stream, size_t id, size_t size)
{
    char data[LARGEST];

    for (size_t at = 0; at < size;) {
        ssize_t n = eddy_read(stream, data, size - at < sizeof data ? size - at : sizeof data);

        if (n < 0)
            return (int)n;
        if (n == 0)
            return eddy_raise(EDDY_EINCOMPLETE, "the echo of %zu bytes ended behind %zu", size, at);
        check(data, id, at, (size_t)n);
        at += (size_t)n;
    }
    if (eddy_read(stream, data, 1) > 0)
        corrupt("more has come back than was sent");
    return 0;
}
EDDY_ASYNC(take, eddy_stream *, size_t, size_t);

static int send_file(eddy_stream *stream, size_t id, size_t from)
{
    char data[FILE_SIZE];
    int fd = memfd_create("exchange", MFD_CLOEXEC);
    ssize_t sent;

    fill(data, id, from, sizeof data);
    if (fd < 0 || pwrite(fd, data, sizeof data, 0) != (ssize_t)sizeof data)
        corrupt("the file");
    sent = eddy_sendfile(stream, fd, 0, SIZE_MAX);
    close(fd);
    return sent < 0 ? (int)sent : 0;
}

static int give(eddy_stream *stream, size_t id)
{
    char data[LARGEST];
    size_t at = 0;

    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        const struct iovec parts[] = {{data, sizes[i] / 2},
                                      {data + sizes[i] / 2, sizes[i] - sizes[i] / 2}};

        fill(data, id, at, sizes[i]);
        EDDY_TRY(i % 2 ? eddy_write(stream, data, sizes[i]) : eddy_writev(stream, parts, 2));
        at += sizes[i];
    }
    EDDY_TRY(send_file(stream, id, at));
    return eddy_write_eof(stream);
}
EDDY_ASYNC(give, eddy_stream *, size_t);

static int client(const char *place, size_t id)
{
    EDDY_STREAM stream = NULL;
    size_t total = FILE_SIZE;

    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        total += sizes[i];
    EDDY_TRY(eddy_connect(place, &stream));
    EDDY_TRY(eddy_gather(EDDY_CALL(give, stream, id), EDDY_CALL(take, stream, id, total)));
    return eddy_stream_close(&stream);
}
EDDY_ASYNC(client, const char *, size_t);

static int pass(eddy_stream **writer)
{
    char data[LARGEST];

    fill(data, 9, 0, sizeof data);
    EDDY_TRY(eddy_write(*writer, data, 100));
    EDDY_TRY(eddy_write(*writer, data + 100, sizeof data - 100));
    return eddy_stream_close(writer);
}
EDDY_ASYNC(pass, eddy_stream **);

/* A stream over one end, which is closed if there is none. */
static int open_end(int fd, eddy_stream **stream)
{
    int rc = eddy_stream_from_fd(fd, stream);

    if (rc < 0)
        close(fd);
    return rc;
}

static int through_pipe(void)
{
    EDDY_STREAM reader = NULL;
    EDDY_STREAM writer = NULL;
    int ends[2], rc;

    if (pipe2(ends, O_CLOEXEC) < 0)
        corrupt("the pipe");
    rc = open_end(ends[0], &reader);
    if (rc < 0)
        close(ends[1]);
    EDDY_TRY(rc);
    EDDY_TRY(open_end(ends[1], &writer));
    return eddy_gather(EDDY_CALL(pass, &writer),
                       EDDY_CALL(take, reader, (size_t)9, (size_t)LARGEST));
}
EDDY_ASYNC(through_pipe);

static int job(void)
{
    return 0;
}
EDDY_ASYNC(job);

static int in_thread(void)
{
    for (int i = 0; i < 3; i++)
        EDDY_TRY(eddy_to_thread(job));
    return 0;
}
EDDY_ASYNC(in_thread);

static int exchange(void)
{
    EDDY_SERVER server = NULL;
    char places[100], tcp[40], unix_[60];

    snprintf(unix_, sizeof unix_, "unix:@eddy-exchange-%d", (int)getpid());
    snprintf(places, sizeof places, "tcp://127.0.0.1:0,%s", unix_);
    EDDY_TRY(eddy_start_server(places, echo, NULL, &server));
    snprintf(tcp, sizeof tcp, "tcp://127.0.0.1:%d", eddy_server_port(server));
    return eddy_gather(EDDY_CALL(client, tcp, (size_t)1), EDDY_CALL(client, unix_, (size_t)2),
                       EDDY_CALL(client, tcp, (size_t)3), EDDY_CALL(client, unix_, (size_t)4),
                       EDDY_CALL(through_pipe), EDDY_CALL(in_thread));
}
EDDY_ASYNC(exchange);

static int descriptors(void)
{
    DIR *folder = opendir("/proc/self/fd");
    int count = 0;

    while (readdir(folder))
        count++;
    closedir(folder);
    return count;
}

int main(void)
{
    int before = descriptors(), rc = eddy_run(exchange);

    if (rc < 0)
        fprintf(stderr, "exchange: failed: %s: %s\n", eddy_error_name(rc), eddy_error_message(rc));
    if (descriptors() != before)
        corrupt("a descriptor is left");
    return rc < 0 ? 1 : 0;
}
