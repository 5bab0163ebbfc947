/* SPDX-License-Identifier: MIT */
/*
 * The other ends for tests of the network: plain sockets on this machine, whose calls either
 * succeed at once or fail the test; and a sequence of bytes that tells where each belongs.
 */
#ifndef PEER_H
#define PEER_H

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/compat.h"
#include "harness.h"

/* A descriptor of the test's that is closed at the end of its block; -1: none. */
#define PEER_FD EDDY_CLEANUP_(peer_close) int

static inline void peer_close(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

/* Closes a socket by a reset. */
static inline void peer_reset(int *fd)
{
    const struct linger now = {.l_onoff = 1};

    (void)setsockopt(*fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    peer_close(fd);
}

static inline int peer_set(int fd, int option, int value)
{
    return setsockopt(fd, SOL_SOCKET, option, &value, sizeof value);
}

/* A socket that listens at an address of this machine, port 0: any. */
static inline int peer_listen(const char *ip, uint16_t port, int backlog)
{
    eddy_address address;
    int fd;

    REQUIRE(eddy_address_from_ip(ip, port, &address) == 0);
    fd = socket(address.as.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    REQUIRE(fd >= 0 && peer_set(fd, SO_REUSEADDR, 1) == 0);
    REQUIRE(bind(fd, &address.as.any, address.size) == 0 && listen(fd, backlog) == 0);
    return fd;
}

static inline uint16_t peer_port(int fd)
{
    eddy_address address = {.size = sizeof address.as};

    REQUIRE(getsockname(fd, &address.as.any, &address.size) == 0);
    return eddy_address_port(&address);
}

/* A connection to a port of 127.0.0.1, which takes a listener with room. */
static inline int peer_connect(uint16_t port)
{
    eddy_address address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    REQUIRE(eddy_address_from_ip("127.0.0.1", port, &address) == 0);
    REQUIRE(fd >= 0 && connect(fd, &address.as.any, address.size) == 0);
    return fd;
}

/* The two ends of a connection, AF_INET or AF_UNIX; neither blocks. */
static inline int peer_pair(int family, int *one, int *other)
{
    int ends[2], listener;

    if (family == AF_UNIX) {
        REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
    } else {
        listener = peer_listen("127.0.0.1", 0, 1);
        ends[0] = peer_connect(peer_port(listener));
        ends[1] = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        REQUIRE(ends[1] >= 0);
        close(listener);
        REQUIRE(setsockopt(ends[0], IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int)) == 0);
        REQUIRE(setsockopt(ends[1], IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int)) == 0);
    }
    for (int i = 0; i < 2; i++)
        REQUIRE(fcntl(ends[i], F_SETFL, O_NONBLOCK) == 0);
    *one = ends[0];
    *other = ends[1];
    return 0;
}

/* A stream, and the plain socket at its other end. */
static inline int peer_stream(int family, eddy_stream **stream, int *other)
{
    int fd;

    EDDY_TRY(peer_pair(family, &fd, other));
    return eddy_stream_from_fd(fd, stream);
}

/* Both ends as streams. */
static inline int peer_streams(int family, eddy_stream **one, eddy_stream **other)
{
    int fds[2], rc;

    EDDY_TRY(peer_pair(family, &fds[0], &fds[1]));
    rc = eddy_stream_from_fd(fds[0], one);
    if (rc == 0)
        rc = eddy_stream_from_fd(fds[1], other);
    else
        close(fds[0]);
    if (!*other)
        close(fds[1]);
    return rc;
}

/* A resolver that knows the names of this text, lines of hosts(5), in a file without a name. */
static inline int peer_resolver(const char *hosts, int *file, eddy_resolver **resolver)
{
    char path[40];
    const eddy_resolver_options options = {.hosts = path};

    *file = memfd_create("hosts", MFD_CLOEXEC);
    REQUIRE(*file >= 0 && write(*file, hosts, strlen(hosts)) == (ssize_t)strlen(hosts));
    snprintf(path, sizeof path, "/proc/self/fd/%d", *file);
    return eddy_resolver_new(&options, resolver);
}

/* A place that has the number of this process in it, for "%d": nobody else's. Until the next
 * call. */
static inline const char *peer_place(const char *format)
{
    static char place[100];

    snprintf(place, sizeof place, format, (int)getpid());
    return place;
}

/* The byte at a place of the sequence. */
static inline char peer_byte(size_t at)
{
    return (char)(at * 31 + at / 251 + at / 65521);
}

static inline void peer_fill(char *data, size_t from, size_t size)
{
    for (size_t i = 0; i < size; i++)
        data[i] = peer_byte(from + i);
}

static inline bool peer_is_filled(const char *data, size_t from, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (data[i] != peer_byte(from + i))
            return false;
    return true;
}

/* Sends the sequence from `from` on until it would block, at most `size` bytes. Returns how
 * many went. */
static inline size_t peer_send(int fd, size_t from, size_t size)
{
    char data[4096];
    size_t sent = 0;
    ssize_t n = 1;

    while (n > 0 && sent < size) {
        size_t step = size - sent < sizeof data ? size - sent : sizeof data;

        peer_fill(data, from + sent, step);
        n = send(fd, data, step, MSG_DONTWAIT | MSG_NOSIGNAL);
        sent += n > 0 ? (size_t)n : 0;
    }
    return sent;
}

/* Takes what is there, and checks it against the sequence from `from` on. Returns how many
 * bytes it were. */
static inline size_t peer_take(int fd, size_t from)
{
    static char data[65536];
    size_t got = 0;
    ssize_t n;

    while ((n = recv(fd, data, sizeof data, MSG_DONTWAIT)) > 0) {
        REQUIRE(peer_is_filled(data, from + got, (size_t)n));
        got += (size_t)n;
    }
    return got;
}

/* Lets the others run, and gives a plain socket a moment of real time to become readable. */
static inline int peer_wait(int fd)
{
    struct pollfd ready = {.fd = fd, .events = POLLIN};

    EDDY_TRY(eddy_sleep(0.001));
    (void)poll(&ready, 1, 1);
    return 0;
}

/* Waits until a plain socket has something to read, and takes it: how many bytes, or an error. */
static inline int peer_read(int fd, char *data, size_t size)
{
    for (;;) {
        ssize_t n = recv(fd, data, size, MSG_DONTWAIT);

        if (n >= 0 || errno != EAGAIN)
            return n < 0 ? -errno : (int)n;
        EDDY_TRY(peer_wait(fd));
    }
}

#endif
