/* SPDX-License-Identifier: MIT */
/*
 * Operations on descriptors of the user's.
 *
 * Each tries at once. One that has to wait does so in a line of its descriptor and direction
 * (io/turn.h), which gives the same order on every engine and lets eddy_sock_close find whom
 * to tell. The lines of a descriptor are made by the first task that waits there, and kept: a
 * descriptor that is closed by close(2) while nobody waits leaves empty lines behind, which its
 * number's next owner uses on.
 */
#include "eddy/sock.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "io/turn.h"
#include "loop/loop.h"

enum sock_way { SOCK_IN, SOCK_OUT, SOCK_POLLS, SOCK_WAYS };

struct sock {
    struct ed_line lines[SOCK_WAYS];
};

/* Those of a loop, by descriptor. */
struct ed_socks {
    struct ed_resource resource;
    eddy_loop *loop;
    struct sock **at;
    size_t capacity;
};

/* The loop closes: the tasks in the lines have been taken out, or never run again. */
static void socks_close(struct ed_resource *resource, bool end)
{
    struct ed_socks *socks = ed_container_of(resource, struct ed_socks, resource);

    if (!end)
        return;
    for (size_t i = 0; i < socks->capacity; i++)
        ed_free(socks->at[i]);
    socks->loop->socks = NULL;
    ed_free(socks->at);
    ed_free(socks);
}

static struct ed_socks *socks_of(eddy_loop *loop)
{
    if (!loop->socks) {
        loop->socks = ed_alloc_zero(sizeof *loop->socks);
        if (!loop->socks)
            return NULL;
        loop->socks->loop = loop;
        loop->socks->resource.close = socks_close;
        ed_loop_enter_resource(loop, &loop->socks->resource);
    }
    return loop->socks;
}

static struct sock *sock_find(const eddy_loop *loop, int fd)
{
    const struct ed_socks *socks = loop->socks;

    return socks && fd >= 0 && (size_t)fd < socks->capacity ? socks->at[fd] : NULL;
}

/* The lines of a descriptor, made if need be; NULL when memory is short. */
static struct sock *sock_make(eddy_loop *loop, int fd)
{
    struct ed_socks *socks = socks_of(loop);
    size_t capacity = socks && socks->capacity ? socks->capacity : 64;
    struct sock **at;

    if (!socks)
        return NULL;
    while (capacity <= (size_t)fd)
        capacity *= 2;
    if (capacity > socks->capacity) {
        at = ed_realloc(socks->at, capacity * sizeof(struct sock *));
        if (!at)
            return NULL;
        memset(at + socks->capacity, 0, (capacity - socks->capacity) * sizeof(struct sock *));
        socks->at = at;
        socks->capacity = capacity;
    }
    if (!socks->at[fd])
        socks->at[fd] = ed_alloc_zero(sizeof(struct sock));
    return socks->at[fd];
}

static int sock_owned(int fd)
{
    return ed_raise(-EBUSY, "descriptor %d belongs to a stream or another object of Eddy's", fd);
}

/* A descriptor that a task closes, on that task's stack. */
struct sock_closing {
    struct eddy_link_ link; /* in loop.closing */
    int fd;
};

static bool sock_is_closing(const eddy_loop *loop, int fd)
{
    ED_LIST_FOR_EACH(link, &loop->closing)
        if (ed_container_of(link, struct sock_closing, link)->fd == fd)
            return true;
    return false;
}

/* What each call begins with: it may go on, on this descriptor. */
static int sock_begin(int fd)
{
    int rc = ed_checkpoint(), flags;

    if (rc < 0)
        return rc;
    flags = fcntl(fd, F_GETFL);
    if (flags < 0 || sock_is_closing(eddy_thread_.loop, fd))
        return ed_fail(-EBADF);
    if (!(flags & O_NONBLOCK))
        return ed_raise(-EINVAL, "descriptor %d blocks; it has to be made with SOCK_NONBLOCK", fd);
    return ed_loop_owns(eddy_thread_.loop, fd) ? sock_owned(fd) : 0;
}

/* Enters a line of a descriptor and waits for the turn. */
static int
sock_enter(int fd, enum sock_way way, struct ed_turn *turn, const struct ed_wait_kind *kind)
{
    struct sock *sock = sock_make(eddy_thread_.loop, fd);

    if (!sock)
        return ed_fail(-ENOMEM);
    if (way == SOCK_POLLS)
        return ed_line_join(&sock->lines[way], turn);
    return ed_line_enter(&sock->lines[way], turn, kind);
}

static bool sock_is_free(int fd, enum sock_way way)
{
    struct sock *sock = sock_find(eddy_thread_.loop, fd);

    return !sock || ed_line_is_free(&sock->lines[way]);
}

/* One operation: at once, or in its turn. */
static int sock_do(enum sock_way way, struct ed_turn *turn, const struct ed_wait_kind *kind)
{
    int fd = turn->awaited.op.fd, rc;

    if (turn->awaited.op.kind != ED_OP_CONNECT && sock_is_free(fd, way)) {
        rc = ed_engine_try(&turn->awaited.op);
        if (rc != -EAGAIN)
            return rc < 0 ? ed_fail(rc) : rc;
    }
    rc = sock_enter(fd, way, turn, kind);
    if (rc < 0)
        return rc;
    rc = ed_turn_await(turn, kind);
    ed_line_leave(turn);
    return rc;
}

ssize_t eddy_sock_recv(int fd, void *data, size_t size)
{
    static const struct ed_wait_kind kind = ED_TURN_WAIT_KIND("sock.recv");
    int rc = sock_begin(fd);
    ED_LINE_TURN(turn);

    if (rc < 0)
        return rc;
    turn.awaited.op.kind = ED_OP_RECV;
    turn.awaited.op.fd = fd;
    turn.awaited.op.data = data;
    turn.awaited.op.size = size;
    return sock_do(SOCK_IN, &turn, &kind);
}

ssize_t eddy_sock_recvfrom(int fd, void *data, size_t size, eddy_address *from)
{
    static const struct ed_wait_kind kind = ED_TURN_WAIT_KIND("sock.recvfrom");
    struct iovec part = {data, size};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    eddy_address address;
    int rc = sock_begin(fd);
    ED_LINE_TURN(turn);

    if (rc < 0)
        return rc;
    memset(&address, 0, sizeof address);
    message.msg_name = &address.as;
    message.msg_namelen = sizeof address.as;
    turn.awaited.op.kind = ED_OP_RECVMSG;
    turn.awaited.op.fd = fd;
    turn.awaited.op.message = &message;
    rc = sock_do(SOCK_IN, &turn, &kind);
    address.size = message.msg_namelen;
    if (rc >= 0 && from)
        *from = address;
    return rc;
}

static const struct ed_wait_kind sock_send_kind = ED_TURN_WAIT_KIND("sock.send");

ssize_t eddy_sock_send(int fd, const void *data, size_t size)
{
    int rc = sock_begin(fd);
    ED_LINE_TURN(turn);

    if (rc < 0)
        return rc;
    turn.awaited.op.kind = ED_OP_SEND;
    turn.awaited.op.fd = fd;
    turn.awaited.op.data = (void *)data;
    turn.awaited.op.size = size;
    return sock_do(SOCK_OUT, &turn, &sock_send_kind);
}

ssize_t eddy_sock_sendto(int fd, const void *data, size_t size, const eddy_address *to)
{
    static const struct ed_wait_kind kind = ED_TURN_WAIT_KIND("sock.sendto");
    struct iovec part = {(void *)data, size};
    struct msghdr message = {
        .msg_name = (void *)&to->as, .msg_namelen = to->size, .msg_iov = &part, .msg_iovlen = 1};
    int rc = sock_begin(fd);
    ED_LINE_TURN(turn);

    if (rc < 0)
        return rc;
    turn.awaited.op.kind = ED_OP_SENDMSG;
    turn.awaited.op.fd = fd;
    turn.awaited.op.message = &message;
    return sock_do(SOCK_OUT, &turn, &kind);
}

/* Goes on with a transfer by its operation until all `size` bytes have gone or the file ends.
 * The first try comes before the turn, when nobody is there: if it takes all, nobody waits. What
 * follows goes by way of the loop, however fast the peer is. */
static int sock_transfer(struct ed_turn *turn, size_t size, size_t *sent)
{
    struct ed_op *op = &turn->awaited.op;
    const char *data = op->kind == ED_OP_SEND ? op->data : NULL;
    bool free = sock_is_free(op->fd, SOCK_OUT), entered = false;
    int rc = 0;

    while (*sent < size) {
        op->size = size - *sent;
        if (data)
            op->data = (char *)data + *sent;
        rc = free ? ed_engine_try(op) : -EAGAIN;
        if (rc == -EAGAIN && !entered) {
            rc = sock_enter(op->fd, SOCK_OUT, turn, &sock_send_kind);
            entered = rc == 0;
            if (rc < 0)
                return rc;
        }
        if (entered)
            rc = ed_turn_await(turn, &sock_send_kind);
        if (rc <= 0)
            break;
        *sent += (size_t)rc;
        free = false;
    }
    if (entered)
        ed_line_leave(turn);
    return rc >= 0 ? 0 : entered ? rc : ed_fail(rc);
}

int eddy_sock_sendall(int fd, const void *data, size_t size, size_t *sent)
{
    size_t done = 0;
    int rc = sock_begin(fd);
    ED_LINE_TURN(turn);

    turn.awaited.op.kind = ED_OP_SEND;
    turn.awaited.op.fd = fd;
    turn.awaited.op.data = (void *)data;
    if (rc == 0)
        rc = sock_transfer(&turn, size, &done);
    if (sent)
        *sent = done;
    return rc;
}

/* The end of the file is known before: to find it one would have to wait for room. */
ssize_t eddy_sock_sendfile(int fd, int file, off_t *offset, size_t count)
{
    struct stat status;
    size_t done = 0, left;
    int rc = sock_begin(fd);
    ED_LINE_TURN(turn);

    if (rc < 0)
        return rc;
    if (*offset < 0 || count == 0)
        return ed_raise(-EINVAL, "a file is sent from offset 0 on, and one byte or more");
    if (fstat(file, &status) < 0)
        return ed_fail(-errno);
    if (!S_ISREG(status.st_mode))
        return ed_raise(-EINVAL, "descriptor %d is no file that can be sent", file);
    left = *offset < status.st_size ? (size_t)(status.st_size - *offset) : 0;
    turn.awaited.op.kind = ED_OP_SENDFILE;
    turn.awaited.op.fd = fd;
    turn.awaited.op.source = file;
    turn.awaited.op.offset = *offset;
    rc = sock_transfer(&turn, count < left ? count : left, &done);
    *offset += (off_t)done;
    return rc < 0 ? rc : (ssize_t)done;
}

int eddy_sock_connect(int fd, const eddy_address *address)
{
    static const struct ed_wait_kind kind = ED_TURN_WAIT_KIND("sock.connect");
    int rc = sock_begin(fd);
    ED_LINE_TURN(turn);

    if (rc < 0)
        return rc;
    turn.awaited.op.kind = ED_OP_CONNECT;
    turn.awaited.op.fd = fd;
    turn.awaited.op.address = (struct sockaddr *)&address->as.any;
    turn.awaited.op.address_size = address->size;
    return sock_do(SOCK_OUT, &turn, &kind);
}

int eddy_sock_accept(int fd, eddy_address *from)
{
    static const struct ed_wait_kind kind = ED_TURN_WAIT_KIND("sock.accept");
    eddy_address address;
    int rc = sock_begin(fd);
    ED_LINE_TURN(turn);

    if (rc < 0)
        return rc;
    memset(&address, 0, sizeof address);
    turn.awaited.op.kind = ED_OP_ACCEPT;
    turn.awaited.op.fd = fd;
    turn.awaited.op.address = &address.as.any;
    turn.awaited.op.address_size = sizeof address.as;
    rc = sock_do(SOCK_IN, &turn, &kind);
    address.size = turn.awaited.op.address_size;
    if (rc >= 0 && from)
        *from = address;
    return rc;
}

static int sock_wait(int fd, uint32_t events, const struct ed_wait_kind *kind)
{
    int rc = ed_checkpoint();
    ED_LINE_TURN(turn);

    if (rc < 0)
        return rc;
    rc = sock_is_closing(eddy_thread_.loop, fd) ? -EBADF : ed_reader_check(eddy_thread_.loop, fd);
    if (rc < 0)
        return rc == -EBUSY ? sock_owned(fd) : ed_fail(rc);
    turn.awaited.op.kind = ED_OP_POLL;
    turn.awaited.op.fd = fd;
    turn.awaited.op.events = events;
    rc = sock_enter(fd, SOCK_POLLS, &turn, kind);
    if (rc < 0)
        return rc;
    rc = ed_turn_await(&turn, kind);
    ed_line_leave(&turn);
    return rc < 0 ? rc : 0;
}

int eddy_wait_readable(int fd)
{
    static const struct ed_wait_kind kind = ED_TURN_WAIT_KIND("wait_readable");

    return sock_wait(fd, ED_POLL_IN, &kind);
}

int eddy_wait_writable(int fd)
{
    static const struct ed_wait_kind kind = ED_TURN_WAIT_KIND("wait_writable");

    return sock_wait(fd, ED_POLL_OUT, &kind);
}

/* Removes a descriptor's reader and writer, and waits until the kernel has let go of them. */
static void sock_remove_readers(eddy_loop *loop, int fd)
{
    static const struct ed_wait_kind kind = ED_OP_WAIT_KIND("sock.close");
    ED_AWAITED(turn);

    (void)eddy_loop_remove_reader(loop, fd); /* whether there was one or not */
    (void)eddy_loop_remove_writer(loop, fd);
    while (ed_reader_is_leaving(loop, fd))
        (void)ed_op_await_shielded(&turn, &kind); /* ED_OP_NOP: it is over with this turn's news */
}

/* The last steps are made without a switch between them: nobody sees a number that is closed
 * and still has its lines, or another's. */
int eddy_sock_close(int fd)
{
    eddy_loop *loop = eddy_thread_.loop;
    struct sock_closing closing = {.fd = fd};
    struct sock *sock;

    if (!eddy_thread_.task)
        return ed_raise(-EPERM, "called outside a task: only a task can wait");
    if (ed_loop_owns(loop, fd))
        return sock_owned(fd);
    if (sock_is_closing(loop, fd))
        return ed_fail(-EBADF);
    ed_list_append(&loop->closing, &closing.link);
    sock_remove_readers(loop, fd);
    sock = sock_find(loop, fd);
    for (int i = 0; sock && i < SOCK_WAYS; i++)
        ed_line_end(&sock->lines[i], -EBADF);
    for (int i = 0; sock && i < SOCK_WAYS; i++)
        ed_line_wait(&sock->lines[i]);
    if (sock)
        loop->socks->at[fd] = NULL;
    ed_free(sock);
    ed_list_remove(&loop->closing, &closing.link);
    ed_engine_forget(loop->engine, fd);
    return close(fd) < 0 && errno != EINTR ? ed_fail(-errno) : 0; /* closed all the same */
}
