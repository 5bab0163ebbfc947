/* SPDX-License-Identifier: MIT */
/*
 * The bare epoll loop: what a server costs that has no runtime at all.
 *
 * Level-triggered, since that takes the fewest calls: one recv and one send a
 * round trip, and one epoll_wait for all that are ready. A connection waits for
 * EPOLLOUT only while the socket does not take the rest of an echo; until then
 * it is not read.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "listener.h"

#define EVENTS 1024
#define BURST 16 /* blocks that a source writes before others have their turn */

struct connection {
    int fd;
    size_t length; /* of the rest of an echo that is still to be sent */
    char *rest;    /* on the heap, NULL if there is none */
};

static enum service service;
static int epoll_fd;
static char buffer[4 * BLOCK];

static void watch(int operation, uint32_t events, int fd, void *data)
{
    struct epoll_event event = {.events = events, .data.ptr = data};

    if (epoll_ctl(epoll_fd, operation, fd, &event) < 0)
        fail("epoll_ctl", errno);
}

static void connection_close(struct connection *connection)
{
    close(connection->fd);
    free(connection->rest);
    free(connection);
}

static bool would_block(void)
{
    return errno == EAGAIN || errno == EINTR;
}

/* Keeps what the socket did not take, and waits until it does. */
static void keep_rest(struct connection *connection, const char *bytes, size_t length)
{
    connection->rest = malloc(length);
    if (!connection->rest)
        fail("malloc", ENOMEM);
    memcpy(connection->rest, bytes, length);
    connection->length = length;
    watch(EPOLL_CTL_MOD, EPOLLOUT, connection->fd, connection);
}

static void send_rest(struct connection *connection)
{
    ssize_t n = send(connection->fd, connection->rest, connection->length, MSG_NOSIGNAL);

    if (n == (ssize_t)connection->length) {
        free(connection->rest);
        connection->rest = NULL;
        watch(EPOLL_CTL_MOD, EPOLLIN, connection->fd, connection);
    } else if (n >= 0) {
        connection->length -= (size_t)n;
        memmove(connection->rest, connection->rest + n, connection->length);
    } else if (!would_block()) {
        connection_close(connection);
    }
}

static void echo(struct connection *connection)
{
    ssize_t n = recv(connection->fd, buffer, BLOCK, 0);

    if (n > 0) {
        ssize_t sent = send(connection->fd, buffer, (size_t)n, MSG_NOSIGNAL);

        if (sent == n)
            return;
        if (sent < 0 && !would_block())
            connection_close(connection);
        else
            keep_rest(connection, buffer + (sent > 0 ? sent : 0),
                      (size_t)(n - (sent > 0 ? sent : 0)));
    } else if (n == 0 || !would_block()) {
        connection_close(connection);
    }
}

static void sink(struct connection *connection)
{
    ssize_t n = recv(connection->fd, buffer, sizeof buffer, 0);

    if (n == 0 || (n < 0 && !would_block()))
        connection_close(connection);
}

static void source(struct connection *connection)
{
    for (int i = 0; i < BURST; i++) {
        ssize_t n = send(connection->fd, buffer, BLOCK, MSG_NOSIGNAL);

        if (n == BLOCK)
            continue;
        if (n < 0 && !would_block())
            connection_close(connection);
        return;
    }
}

static void accept_all(int listener)
{
    int fd;

    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        struct connection *connection = calloc(1, sizeof *connection);

        if (!connection)
            fail("calloc", ENOMEM);
        connection->fd = fd;
        watch(EPOLL_CTL_ADD, service == SERVICE_SOURCE ? EPOLLOUT : EPOLLIN, fd, connection);
    }
    if (!would_block() && errno != ECONNABORTED)
        fail("accept4", errno);
}

static void serve(struct connection *connection)
{
    if (connection->rest)
        send_rest(connection);
    else if (service == SERVICE_ECHO)
        echo(connection);
    else if (service == SERVICE_SOURCE)
        source(connection);
    else
        sink(connection);
}

int main(int argc, char **argv)
{
    static struct epoll_event events[EVENTS];
    struct request request = request_parse(argc, argv);
    int listener = listener_open(request.port);

    service = request.service;
    epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (epoll_fd < 0)
        fail("epoll_create1", errno);
    watch(EPOLL_CTL_ADD, EPOLLIN, listener, NULL);
    while (true) {
        int n = epoll_wait(epoll_fd, events, EVENTS, -1);

        for (int i = 0; i < n; i++) {
            if (events[i].data.ptr)
                serve(events[i].data.ptr);
            else
                accept_all(listener);
        }
    }
}
