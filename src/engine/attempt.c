/* SPDX-License-Identifier: MIT */
/*
 * The system call behind each kind of operation, made once without waiting. The epoll
 * engine lives on it; the io_uring engine uses it for what io_uring cannot do, or not
 * without a thread of the kernel's: it polls, then attempts.
 *
 * What has no flag against SIGPIPE is called with it blocked, and one that was raised
 * meanwhile is taken away: a broken pipe is an error, never the end of the program. It may
 * be raised by a call that says how much it had written before. So it is with SIGXFSZ, of
 * a file that would be larger than RLIMIT_FSIZE.
 */
#include <errno.h>
#include <signal.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/die.h"
#include "engine/engine.h"

#define ATTEMPT_SENDFILE (1 << 20) /* bytes that one attempt gives to sendfile(2) */

static int attempt_accept(struct ed_op *op)
{
    struct sockaddr *address = op->kind == ED_OP_ACCEPT ? op->address : NULL;

    return accept4(op->fd, address, address ? &op->address_size : NULL,
                   SOCK_CLOEXEC | SOCK_NONBLOCK);
}

/*
 * connect(2) is asked once; then the socket knows how it went, and a second call concludes what
 * went well, as in io_uring: a third says EISCONN. One that a signal interrupted goes on as
 * well. EAGAIN is what a unix socket says whose listener's queue is full, and no readiness
 * tells when it is not any more: it is ENOBUFS above this line.
 */
static int attempt_connect(struct ed_op *op)
{
    int error = 0;
    socklen_t size = sizeof error;

    if (!op->begun) {
        if (connect(op->fd, op->address, op->address_size) == 0)
            return 0;
        if (errno == EAGAIN)
            errno = ENOBUFS;
        if (errno != EINPROGRESS && errno != EINTR)
            return -1;
        op->begun = true;
        errno = EAGAIN;
        return -1;
    }
    if (getsockopt(op->fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
        return -1;
    if (error == 0 && connect(op->fd, op->address, op->address_size) < 0)
        error = errno == EISCONN ? 0 : errno == EALREADY ? EAGAIN : errno;
    errno = error;
    return error ? -1 : 0;
}

static ssize_t attempt_sendfile(struct ed_op *op)
{
    size_t size = op->size < ATTEMPT_SENDFILE ? op->size : ATTEMPT_SENDFILE;
    off_t offset = (off_t)op->offset;
    ssize_t sent = sendfile(op->fd, op->source, &offset, size);

    op->offset = (int64_t)offset;
    return sent;
}

static ssize_t attempt_write(struct ed_op *op)
{
    return write(op->fd, op->data, op->size);
}

/* Does it without the signal that comes with an error. */
static ssize_t
attempt_without_signal(struct ed_op *op, ssize_t (*work)(struct ed_op *op), int number, int code)
{
    const struct timespec now = {0, 0};
    sigset_t broken, before, pending;
    bool was_pending;
    ssize_t result;
    int error;

    sigemptyset(&broken);
    sigaddset(&broken, number);
    sigpending(&pending);
    was_pending = sigismember(&pending, number) == 1;
    pthread_sigmask(SIG_BLOCK, &broken, &before);
    result = work(op);
    error = errno;
    if (!was_pending && (result < 0 ? error == code : (size_t)result < op->size))
        while (sigtimedwait(&broken, NULL, &now) < 0 && errno == EINTR)
            continue;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = error;
    return result;
}

/* A transfer of a file's; a thread of ours has all signals blocked, but the loop's has not. */
static ssize_t attempt_file(struct ed_op *op)
{
    return op->blocking && ed_file_writes_are_limited(op)
               ? attempt_without_signal(op, ed_file_attempt, SIGXFSZ, EFBIG)
               : ed_file_attempt(op);
}

static ssize_t attempt_once(struct ed_op *op)
{
    switch (op->kind) {
    case ED_OP_ACCEPT:
    case ED_OP_ACCEPT_MANY: return attempt_accept(op);
    case ED_OP_CONNECT: return attempt_connect(op);
    case ED_OP_RECV:
    case ED_OP_RECV_MANY: return recv(op->fd, op->data, op->size, op->flags | MSG_DONTWAIT);
    case ED_OP_RECVMSG: return recvmsg(op->fd, op->message, op->flags | MSG_DONTWAIT);
    case ED_OP_RECVMMSG:
        return recvmmsg(op->fd, op->messages, (unsigned)op->size, op->flags | MSG_DONTWAIT, NULL);
    case ED_OP_SEND:
        return send(op->fd, op->data, op->size, op->flags | MSG_DONTWAIT | MSG_NOSIGNAL);
    case ED_OP_SENDMSG:
        return sendmsg(op->fd, op->message, op->flags | MSG_DONTWAIT | MSG_NOSIGNAL);
    case ED_OP_READ: return read(op->fd, op->data, op->size);
    case ED_OP_SENDFILE: return attempt_without_signal(op, attempt_sendfile, SIGPIPE, EPIPE);
    case ED_OP_WRITE: return attempt_without_signal(op, attempt_write, SIGPIPE, EPIPE);
    case ED_OP_SHUTDOWN: return shutdown(op->fd, op->flags);
    case ED_OP_CLOSE: return close(op->fd);
    case ED_OP_NOP: return 0;
    case ED_OP_OPENAT:
    case ED_OP_READ_AT:
    case ED_OP_WRITE_AT:
    case ED_OP_READV_AT:
    case ED_OP_WRITEV_AT:
    case ED_OP_FSYNC: return attempt_file(op);
    case ED_OP_POLL:
    case ED_OP_KINDS: break;
    }
    ed_die("an operation of kind %d cannot be attempted", (int)op->kind);
}

int ed_op_attempt(struct ed_op *op)
{
    ssize_t result;

    do
        result = attempt_once(op);
    while (result < 0 && errno == EINTR && op->kind != ED_OP_CLOSE);
    if (result >= 0)
        return (int)result;
    if (op->kind == ED_OP_CLOSE && errno == EINTR)
        return 0; /* closed all the same, close(2) */
    return errno == EWOULDBLOCK ? -EAGAIN : -errno;
}

uint32_t ed_op_awaits(const struct ed_op *op)
{
    switch (op->kind) {
    case ED_OP_POLL: return op->events | ED_POLL_ERR | ED_POLL_HUP;
    case ED_OP_ACCEPT:
    case ED_OP_ACCEPT_MANY:
    case ED_OP_RECV:
    case ED_OP_RECV_MANY:
    case ED_OP_RECVMSG:
    case ED_OP_RECVMMSG:
    case ED_OP_READ: return ED_POLL_IN;
    case ED_OP_CONNECT:
    case ED_OP_SEND:
    case ED_OP_SENDMSG:
    case ED_OP_SENDFILE:
    case ED_OP_WRITE: return ED_POLL_OUT;
    case ED_OP_NOP:
    case ED_OP_SHUTDOWN:
    case ED_OP_CLOSE:
    case ED_OP_OPENAT:
    case ED_OP_READ_AT:
    case ED_OP_WRITE_AT:
    case ED_OP_READV_AT:
    case ED_OP_WRITEV_AT:
    case ED_OP_FSYNC:
    case ED_OP_KINDS: break;
    }
    return 0;
}
