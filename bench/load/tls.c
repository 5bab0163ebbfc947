/* SPDX-License-Identifier: MIT */
/*
 * TLS 1.3 to a server on loopback, whose certificate is verified if --ca is given.
 *
 * Handshakes: as many as are asked for are under way at a time, each a full one.
 * A connection shakes hands, says that it closes, and is over when the server has
 * closed it too. Bulk: one connection, blocking.
 */
#ifdef BENCH_TLS
#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "load.h"

#define EVENTS 256

struct client {
    SSL *ssl;
    int fd;
    bool greeted; /* the handshake is complete */
};

static _Noreturn void fail_tls(const char *what)
{
    ERR_print_errors_fp(stderr);
    fail(what, EPROTO);
}

static SSL_CTX *context_open(const struct load *load)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());

    if (!context || SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION) != 1)
        fail_tls("SSL_CTX_new");
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    if (load->ca) {
        if (SSL_CTX_load_verify_file(context, load->ca) != 1)
            fail_tls(load->ca);
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    }
    signal(SIGPIPE, SIG_IGN); /* OpenSSL's writes would raise it */
    return context;
}

static SSL *ssl_open(SSL_CTX *context, int fd)
{
    SSL *ssl = SSL_new(context);

    if (!ssl || SSL_set_fd(ssl, fd) != 1 || SSL_set1_host(ssl, "localhost") != 1)
        fail_tls("SSL_new");
    return ssl;
}

/* Goes on with the handshake, and starts the close after it. */
static void client_greet(struct client *client)
{
    int rc = SSL_connect(client->ssl);

    if (rc == 1) {
        client->greeted = true;
        if (SSL_shutdown(client->ssl) < 0 || shutdown(client->fd, SHUT_WR) < 0)
            fail_tls("SSL_shutdown");
    } else if (SSL_get_error(client->ssl, rc) != SSL_ERROR_WANT_READ) {
        fail_tls("SSL_connect");
    }
}

static void client_open(struct client *client, SSL_CTX *context, const struct load *load,
                        int epoll_fd, unsigned number)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = client};
    int fd = connect_to(load, number);

    if (fcntl(fd, F_SETFL, O_NONBLOCK) < 0 || epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0)
        fail("epoll_ctl", errno);
    *client = (struct client){.ssl = ssl_open(context, fd), .fd = fd};
    client_greet(client);
}

/* True once the server has closed; what still comes (tickets, its close) is of no interest. */
static bool client_closed(struct client *client)
{
    char bytes[4096];
    ssize_t n;

    while ((n = recv(client->fd, bytes, sizeof bytes, 0)) > 0)
        continue;
    if (n < 0 && errno == EAGAIN)
        return false;
    if (n < 0)
        fail("recv", errno);
    SSL_free(client->ssl);
    close(client->fd);
    return true;
}

void load_tls_handshake(const struct load *load)
{
    static struct epoll_event events[EVENTS];
    SSL_CTX *context = context_open(load);
    struct client *clients = allocate(load->connections, sizeof *clients);
    int epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    unsigned number = 1000 * (unsigned)getpid(); /* not the ports of the run before */
    struct window window;
    uint64_t count = 0;

    window_start(&window, load);
    for (unsigned i = 0; i < load->connections; i++)
        client_open(&clients[i], context, load, epoll_fd, number++);
    while (!window_over(&window, count, 0)) {
        int n = epoll_wait(epoll_fd, events, EVENTS, 1000);

        for (int i = 0; i < n; i++) {
            struct client *client = events[i].data.ptr;

            if (!client->greeted) {
                client_greet(client);
            } else if (client_closed(client)) {
                count++;
                client_open(client, context, load, epoll_fd, number++);
            }
        }
    }
    free(clients);
}

void load_tls_bulk(const struct load *load)
{
    static char block[BLOCK];
    SSL *ssl = ssl_open(context_open(load), connect_to(load, 0));
    uint64_t count = 0, bytes = 0;
    struct window window;

    if (SSL_connect(ssl) != 1)
        fail_tls("SSL_connect");
    window_start(&window, load);
    while (!window_over(&window, count, bytes)) {
        int n = load->receive ? SSL_read(ssl, block, BLOCK) : SSL_write(ssl, block, BLOCK);

        if (n <= 0)
            fail_tls(load->receive ? "SSL_read" : "SSL_write");
        bytes += (uint64_t)n;
        count++;
    }
}
#endif
