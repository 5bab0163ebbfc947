/* SPDX-License-Identifier: MIT */
/*
 * Stages: an operation of any kind that has to wait, and what it waits for.
 *
 *     stage_open     `op` is ready to be submitted, and would block
 *     stage_ready    now it would not
 *     stage_succeed  checks what it did, and takes that back: it would block again
 *     stage_close
 *
 * Each returns 0; what goes wrong fails the test at its own line.
 */
#ifndef STAGE_H
#define STAGE_H

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>

#include "engine/probe.h"

#define STAGE_FILE 50000 /* bytes of what is sent, more than a small socket takes */

struct stage {
    struct probe probe;
    int ends[2]; /* ours, a listener for accept, and the other's; -1: none */
    int source;
    size_t filled; /* bytes that nobody has read yet, written before the operation */
    char data[STAGE_FILE];
    struct sockaddr_in address;
    struct iovec parts[4];
    struct msghdr message;
    struct mmsghdr messages[4];
};

static const enum ed_op_kind stage_kinds[] = {
    ED_OP_ACCEPT, ED_OP_RECV,    ED_OP_RECVMSG,  ED_OP_RECVMMSG, ED_OP_READ,
    ED_OP_SEND,   ED_OP_SENDMSG, ED_OP_SENDFILE, ED_OP_WRITE,
};

#define EACH_STAGE_KIND(i) (size_t i = 0; i < ED_ARRAY_LENGTH(stage_kinds); i++)

/* Waits for one operation that is not in flight yet. */
static inline int probe_run(struct probe *probe)
{
    ed_engine_submit(engine, &probe->op);
    REQUIRE(wait_all() == 0);
    return probe->result;
}

static inline struct probe probe_of(enum ed_op_kind kind, int fd)
{
    return (struct probe){.op = {.done = probe_done, .kind = kind, .fd = fd}};
}

static inline int pair_open(int *ends)
{
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) == 0);
    return 0;
}

static inline int tcp_socket(void)
{
    return socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

/* A socket that is bound to a port of its own, and listens unless `backlog` is negative. */
static inline int tcp_listen(int backlog, struct sockaddr_in *address)
{
    socklen_t size = sizeof *address;
    int fd = tcp_socket();

    *address =
        (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    REQUIRE(fd >= 0 && bind(fd, (struct sockaddr *)address, size) == 0);
    REQUIRE(getsockname(fd, (struct sockaddr *)address, &size) == 0);
    REQUIRE(backlog < 0 || listen(fd, backlog) == 0);
    return fd;
}

/* A client whose connection stands, in the listener's queue at first. */
static inline int tcp_client(const struct sockaddr_in *address)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    REQUIRE(fd >= 0 && connect(fd, (const struct sockaddr *)address, sizeof *address) == 0);
    REQUIRE(fcntl(fd, F_SETFL, O_NONBLOCK) == 0);
    return fd;
}

static inline int tcp_pair(int *ends)
{
    struct sockaddr_in address;
    int listener = tcp_listen(1, &address);

    ends[0] = tcp_client(&address);
    ends[1] = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    REQUIRE(ends[1] >= 0);
    close(listener);
    return 0;
}

/* A socket of the abstract namespace, of its own address. */
static inline int unix_listen(int backlog, struct sockaddr_un *address, socklen_t *size)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    REQUIRE(fd >= 0 && bind(fd, (struct sockaddr *)address, sizeof(sa_family_t)) == 0);
    *size = sizeof *address;
    REQUIRE(getsockname(fd, (struct sockaddr *)address, size) == 0);
    REQUIRE(backlog < 0 || listen(fd, backlog) == 0);
    return fd;
}

static inline bool is_cloexec_nonblocking(int fd)
{
    return (fcntl(fd, F_GETFD) & FD_CLOEXEC) && (fcntl(fd, F_GETFL) & O_NONBLOCK);
}

/* Bytes written until it would block, and read until there are none. */
static inline size_t fd_fill(int fd)
{
    static const char zeros[4096];
    size_t sum = 0;
    ssize_t count;

    for (size_t size = sizeof zeros; size > 0; size /= 2)
        while ((count = write(fd, zeros, size)) > 0)
            sum += (size_t)count;
    return sum;
}

static inline size_t fd_drain(int fd)
{
    char data[65536];
    size_t sum = 0;
    ssize_t count;

    while ((count = read(fd, data, sizeof data)) > 0)
        sum += (size_t)count;
    return sum;
}

static inline bool stage_sends(const struct stage *s)
{
    return s->probe.op.kind == ED_OP_SEND || s->probe.op.kind == ED_OP_SENDMSG ||
           s->probe.op.kind == ED_OP_SENDFILE || s->probe.op.kind == ED_OP_WRITE;
}

/* What the kernel may have written to is as at first. */
static inline void stage_arm(struct stage *s)
{
    struct ed_op *op = &s->probe.op;

    s->parts[0] = (struct iovec){s->data, sizeof s->data};
    s->message = (struct msghdr){.msg_iov = s->parts, .msg_iovlen = 1};
    for (int i = 0; i < 4 && op->kind == ED_OP_RECVMMSG; i++) {
        s->parts[i] = (struct iovec){s->data + (ptrdiff_t)1000 * i, 1000};
        s->messages[i].msg_hdr = (struct msghdr){.msg_iov = &s->parts[i], .msg_iovlen = 1};
    }
    op->size = sizeof s->data;
    op->data = s->data;
    switch (op->kind) {
    case ED_OP_ACCEPT:
        op->address = (struct sockaddr *)&s->address;
        op->address_size = sizeof s->address;
        break;
    case ED_OP_RECVMSG:
    case ED_OP_SENDMSG: op->message = &s->message; break;
    case ED_OP_RECVMMSG:
        op->messages = s->messages;
        op->size = 4;
        break;
    default: break;
    }
}

static inline int stage_open(struct stage *s, enum ed_op_kind kind)
{
    *s = (struct stage){.ends = {-1, -1}, .source = -1};
    s->probe = probe_of(kind, -1);
    if (kind == ED_OP_ACCEPT) {
        s->ends[0] = tcp_listen(8, &s->address);
    } else if (kind == ED_OP_READ || kind == ED_OP_WRITE) {
        REQUIRE(pipe2(s->ends, O_NONBLOCK | O_CLOEXEC) == 0);
        if (kind == ED_OP_WRITE) {
            int reading = s->ends[0];

            s->ends[0] = s->ends[1];
            s->ends[1] = reading;
        }
    } else {
        int type = kind == ED_OP_RECVMMSG ? SOCK_DGRAM : SOCK_STREAM;

        REQUIRE(socketpair(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, s->ends) == 0);
        REQUIRE(setsockopt(s->ends[0], SOL_SOCKET, SO_SNDBUF, &(int){8192}, sizeof(int)) == 0);
    }
    if (kind == ED_OP_SENDFILE) {
        s->source = memfd_create("source", MFD_CLOEXEC);
        REQUIRE(s->source >= 0 && ftruncate(s->source, STAGE_FILE) == 0);
        s->probe.op.source = s->source;
    }
    s->probe.op.fd = s->ends[0];
    stage_arm(s);
    if (stage_sends(s))
        s->filled = fd_fill(s->ends[0]);
    return 0;
}

static inline int stage_ready(struct stage *s)
{
    if (s->probe.op.kind == ED_OP_ACCEPT) {
        struct sockaddr_in address;
        socklen_t size = sizeof address;

        REQUIRE(getsockname(s->ends[0], (struct sockaddr *)&address, &size) == 0);
        s->ends[1] = tcp_client(&address);
    } else if (stage_sends(s)) {
        REQUIRE(fd_drain(s->ends[1]) == s->filled);
        s->filled = 0;
    } else {
        REQUIRE(write(s->ends[1], "hello", 5) == 5);
    }
    return 0;
}

static inline int stage_succeed(struct stage *s)
{
    struct ed_op *op = &s->probe.op;
    int result = s->probe.result;

    if (op->kind == ED_OP_ACCEPT) {
        struct sockaddr_in client;
        socklen_t size = sizeof client;

        REQUIRE(result >= 0 && is_cloexec_nonblocking(result));
        REQUIRE(getsockname(s->ends[1], (struct sockaddr *)&client, &size) == 0);
        REQUIRE(op->address_size == size && memcmp(&client, &s->address, size) == 0);
        close(result);
        close(s->ends[1]);
        s->ends[1] = -1;
    } else if (stage_sends(s)) {
        REQUIRE(result > 0 && op->size == STAGE_FILE);
        REQUIRE(op->kind != ED_OP_SENDFILE || op->offset == result);
        REQUIRE(fd_drain(s->ends[1]) == s->filled + (size_t)result);
        s->filled = fd_fill(s->ends[0]);
        op->offset = 0;
    } else {
        REQUIRE(result == (op->kind == ED_OP_RECVMMSG ? 1 : 5));
        REQUIRE(op->kind != ED_OP_RECVMMSG || s->messages[0].msg_len == 5);
        REQUIRE(memcmp(s->data, "hello", 5) == 0);
        memset(s->data, 0, 5);
    }
    stage_arm(s);
    return 0;
}

static inline void stage_close(struct stage *s)
{
    for (int i = 0; i < 2; i++)
        if (s->ends[i] >= 0)
            close(s->ends[i]);
    if (s->source >= 0)
        close(s->source);
}

#endif
