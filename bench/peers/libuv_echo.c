/* SPDX-License-Identifier: MIT */
/*
 * An echo server as one writes it with libuv: libuv-echo PORT. What has been read
 * is written out of the same buffer, at once if the socket takes it.
 */
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <uv.h>

#define BUFFER (64 * 1024)

struct connection {
    uv_tcp_t tcp;
    uv_shutdown_t shutdown;
};

/* What the socket did not take at once. */
struct reply {
    uv_write_t request;
    char *bytes;
};

static void check(int rc, const char *what)
{
    if (rc < 0) {
        fprintf(stderr, "libuv-echo: %s: %s\n", what, uv_strerror(rc));
        exit(1);
    }
}

static void *allocate(size_t size)
{
    void *memory = malloc(size);

    check(memory ? 0 : UV_ENOMEM, "malloc");
    return memory;
}

static void on_close(uv_handle_t *handle)
{
    free(handle);
}

static void stream_close(uv_stream_t *stream)
{
    if (!uv_is_closing((uv_handle_t *)stream))
        uv_close((uv_handle_t *)stream, on_close);
}

static void on_shutdown(uv_shutdown_t *request, int status)
{
    (void)status;
    stream_close(request->handle);
}

/* One buffer serves all connections, as it is written or copied before the next read. */
static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *out)
{
    static char buffer[BUFFER];

    (void)handle;
    (void)suggested;
    *out = uv_buf_init(buffer, sizeof buffer);
}

static void on_written(uv_write_t *request, int status)
{
    struct reply *reply = (struct reply *)request;

    if (status < 0)
        stream_close(request->handle);
    free(reply->bytes);
    free(reply);
}

/* Queues the bytes that the socket did not take. */
static void write_rest(uv_stream_t *stream, const char *bytes, size_t length)
{
    struct reply *reply = allocate(sizeof *reply);

    reply->bytes = allocate(length);
    for (size_t i = 0; i < length; i++)
        reply->bytes[i] = bytes[i];
    uv_buf_t buffer = uv_buf_init(reply->bytes, (unsigned)length);
    check(uv_write(&reply->request, stream, &buffer, 1, on_written), "uv_write");
}

static void on_read(uv_stream_t *stream, ssize_t length, const uv_buf_t *buffer)
{
    struct connection *connection = (struct connection *)stream;

    if (length < 0) { /* what is queued is written first, unless the connection is lost */
        if (length != UV_EOF || uv_shutdown(&connection->shutdown, stream, on_shutdown) < 0)
            stream_close(stream);
        return;
    }
    uv_buf_t reply = uv_buf_init(buffer->base, (unsigned)length);
    int written = uv_try_write(stream, &reply, 1);
    written = written < 0 ? 0 : written; /* an error comes back with the next write */
    if (written < length)
        write_rest(stream, buffer->base + written, (size_t)(length - written));
}

static void on_connection(uv_stream_t *listener, int status)
{
    struct connection *connection = allocate(sizeof *connection);
    uv_stream_t *stream = (uv_stream_t *)&connection->tcp;

    check(status, "listen");
    check(uv_tcp_init(listener->loop, &connection->tcp), "uv_tcp_init");
    check(uv_accept(listener, stream), "uv_accept");
    check(uv_tcp_nodelay(&connection->tcp, 1), "uv_tcp_nodelay");
    check(uv_read_start(stream, on_alloc, on_read), "uv_read_start");
}

int main(int argc, char **argv)
{
    uv_loop_t *loop = uv_default_loop();
    struct sockaddr_in address;
    int length = sizeof address;
    uv_tcp_t listener;

    signal(SIGPIPE, SIG_IGN); /* libuv leaves that to its user */
    check(uv_ip4_addr("127.0.0.1", argc > 1 ? (int)strtol(argv[1], NULL, 10) : 0, &address),
          "port");
    check(uv_tcp_init(loop, &listener), "uv_tcp_init");
    check(uv_tcp_bind(&listener, (struct sockaddr *)&address, 0), "uv_tcp_bind");
    check(uv_listen((uv_stream_t *)&listener, 4096, on_connection), "uv_listen");
    check(uv_tcp_getsockname(&listener, (struct sockaddr *)&address, &length), "getsockname");
    printf("ready %u\n", ntohs(address.sin_port));
    fflush(stdout);
    return uv_run(loop, UV_RUN_DEFAULT);
}
