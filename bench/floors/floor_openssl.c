/* SPDX-License-Identifier: MIT */
/*
 * The bare TLS loop: OpenSSL on nonblocking sockets and a level-triggered epoll.
 *
 * OpenSSL reads and writes the sockets itself. Each event does what can be done,
 * then the connection waits for what OpenSSL wants. A call that wants to be
 * repeated is repeated with the same buffer, so an echo keeps its bytes in the
 * connection.
 */
#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "listener.h"

#define EVENTS 256
#define BURST 16     /* records or blocks that one has before the others have their turn */
#define RECORD 16384 /* bytes that SSL_read returns at most */

struct connection {
    SSL *ssl;
    int fd;
    uint32_t events; /* that it waits for */
    int length;      /* of the bytes to be sent */
    char bytes[];    /* of an echo, RECORD of them; none with another service */
};

static enum service service;
static SSL_CTX *context;
static int epoll_fd;
static char block[BLOCK];

static void watch(int operation, uint32_t events, int fd, void *data)
{
    struct epoll_event event = {.events = events, .data.ptr = data};

    if (epoll_ctl(epoll_fd, operation, fd, &event) < 0)
        fail("epoll_ctl", errno);
}

static void connection_close(struct connection *connection)
{
    SSL_free(connection->ssl);
    close(connection->fd);
    free(connection);
}

/* Waits for what the call that returned rc needs, or, after a burst, for its next turn; at
 * an end or an error, closes. */
static void settle(struct connection *connection, int rc)
{
    int error = SSL_get_error(connection->ssl, rc);
    uint32_t events = EPOLLIN;

    if (error == SSL_ERROR_WANT_WRITE || (rc > 0 && service == SERVICE_SOURCE))
        events = EPOLLOUT;
    if (error == SSL_ERROR_ZERO_RETURN)
        SSL_shutdown(connection->ssl); /* the answer; whether it arrives is the peer's affair */
    if (rc <= 0 && error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) {
        ERR_clear_error();
        connection_close(connection);
    } else if (events != connection->events) {
        connection->events = events;
        watch(EPOLL_CTL_MOD, events, connection->fd, connection);
    }
}

/* One read or write; returns what OpenSSL has. */
static int step(struct connection *connection)
{
    SSL *ssl = connection->ssl;
    int rc;

    if (!SSL_is_init_finished(ssl))
        return SSL_accept(ssl);
    if (service == SERVICE_SOURCE)
        return SSL_write(ssl, block, BLOCK);
    if (service != SERVICE_ECHO)
        return SSL_read(ssl, block, BLOCK);
    if (connection->length == 0) {
        rc = SSL_read(ssl, connection->bytes, RECORD);
        if (rc <= 0)
            return rc;
        connection->length = rc;
    }
    rc = SSL_write(ssl, connection->bytes, connection->length);
    if (rc > 0)
        connection->length = 0;
    return rc;
}

/* Goes on beyond a burst only while OpenSSL has bytes that epoll knows nothing of. */
static void serve(struct connection *connection)
{
    int rc = 1;

    for (int i = 0; rc > 0 && (i < BURST || SSL_pending(connection->ssl) > 0); i++)
        rc = step(connection);
    settle(connection, rc);
}

static void accept_all(int listener)
{
    int fd;

    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        struct connection *connection =
            malloc(sizeof *connection + (service == SERVICE_ECHO ? RECORD : 0));

        if (!connection)
            fail("malloc", ENOMEM);
        connection->ssl = SSL_new(context);
        connection->fd = fd;
        connection->events = EPOLLIN;
        connection->length = 0;
        if (!connection->ssl || SSL_set_fd(connection->ssl, fd) != 1)
            fail("SSL_new", ENOMEM);
        watch(EPOLL_CTL_ADD, EPOLLIN, fd, connection);
    }
    if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
        fail("accept4", errno);
}

static SSL_CTX *context_open(const struct request *request)
{
    SSL_CTX *new = SSL_CTX_new(TLS_server_method());

    if (!request->cert || !request->key)
        fail("--cert and --key", EINVAL);
    if (!new || SSL_CTX_set_min_proto_version(new, TLS1_3_VERSION) != 1 ||
        SSL_CTX_use_certificate_chain_file(new, request->cert) != 1 ||
        SSL_CTX_use_PrivateKey_file(new, request->key, SSL_FILETYPE_PEM) != 1) {
        ERR_print_errors_fp(stderr);
        fail("certificate and key", EINVAL);
    }
    SSL_CTX_set_mode(new, SSL_MODE_RELEASE_BUFFERS);
    return new;
}

int main(int argc, char **argv)
{
    static struct epoll_event events[EVENTS];
    struct request request = request_parse(argc, argv);

    service = request.service;
    context = context_open(&request);
    epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (epoll_fd < 0)
        fail("epoll_create1", errno);
    if (signal(SIGPIPE, SIG_IGN) == SIG_ERR)
        fail("signal", errno);
    int listener = listener_open(request.port);
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
