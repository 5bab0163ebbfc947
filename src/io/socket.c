/* SPDX-License-Identifier: MIT */
/*
 * The kind of stream that sockets and pipes are.
 *
 * Receiving has two ways. A connection starts with RECV_MANY: one operation stays in the
 * kernel, bytes come in buffers that all connections share, and are copied to the task that
 * waits or else behind what is kept for readers. That costs least for small messages, and a
 * silent connection holds no memory. When buffers come full and the readers have room, it is
 * a bulk transfer: the operation is cancelled, and each read hands its own memory to the
 * kernel (RECV), without a copy, until small ones come again. Pipes know only the second.
 *
 *     `in` is RECV_MANY or RECV, never both; what it brings is in order
 *
 * Sending: small writes are copied to `next`; when nothing is under way that becomes `out`,
 * and the operation `send` is queued for it. The engine hands it to the kernel with the next
 * look at it, so until then more may be added to `out`. Afterwards more goes to `next` again,
 * whose turn comes with the completion. Large writes wait until both are empty, and hand over
 * the caller's memory.
 *
 *     next is empty or `send` is with the kernel; bytes leave in the order out, next
 *
 * A reader that is cancelled in the first way is simply let go: bytes that come later are
 * kept. In the second the kernel has its memory, and it waits for the completion.
 *
 * Others share what a standard stream is over: its end leaves that as it is. When the loop ends,
 * with nothing in flight any more, what is left is written in a loop of its own.
 */
#include "io/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/die.h"
#include "base/memory.h"
#include "base/stats.h"
#include "eddy/stream_class.h"
#include "io/op.h"
#include "io/parts.h"

#define SOCKET_DIRECT 16384  /* bytes from which on writes, and reads in bulk, are not copied */
#define SOCKET_FULL 4096     /* bytes of a full buffer: a sign of bulk */
#define SOCKET_SMALL_READS 8 /* that end the bulk */
#define SOCKET_TRANSFER (1 << 30) /* bytes that one operation is asked for */
#define SOCKET_PARTS 16           /* parts that one operation sends */

struct socket_stream {
    eddy_stream stream;
    int fd;
    bool plain, is_master; /* a pipe: no receive, no send; a pseudo-terminal's master */
    bool write_only;       /* a pipe's end for writing: its read waits until the reader has gone */
    bool was_blocking;     /* to be put back at the end */
    bool blocks;       /* its descriptor does, so that no more is asked of it than is known to go */
    const char *title; /* of a standard stream, or NULL */
    bool bulk, ended;  /* it has come */
    bool reset;        /* close it by a reset */
    bool left;         /* its loop is closed over it */
    bool closing;      /* nothing waits for the peer any more */
    uint8_t small_reads;
    int broken_in, broken_out; /* the kernel's errors, once they have come */

    struct ed_op in;
    struct ed_wait *reader; /* waits for `in`, */
    char *to;               /* and wants the first bytes here */
    size_t room;

    struct ed_op send;
    struct eddy_buffer_ out, next;
    struct eddy_list_ flushers; /* waits whose data is the bytes that may be kept */

    struct ed_wait *closer; /* waits until neither is in flight */
    struct ed_resource resource;
    ed_socket_namer *namer;
    char *names; /* the peer's and the own, or NULL */
    struct sockaddr_in6 peer;
    socklen_t peer_size; /* 0: to be asked for */
};

static struct socket_stream *socket_of(const eddy_stream *stream)
{
    return ed_container_of(stream, struct socket_stream, stream);
}

static struct ed_engine *socket_engine(const struct socket_stream *s)
{
    return s->stream.loop->engine;
}

/* Lets a close look again at what is in flight. */
static void socket_settle(struct socket_stream *s)
{
    struct ed_wait *closer = s->closer;

    s->closer = NULL;
    if (closer)
        ed_wake(closer, 0);
}

/* Receiving. */

/* The kernel may have the reader's memory: then its completion ends the wait. */
static bool socket_abort_read(struct ed_wait *wait)
{
    struct socket_stream *s = (struct socket_stream *)wait->data;

    if (s->in.in_flight && s->in.kind != ED_OP_RECV_MANY) {
        ed_engine_cancel(socket_engine(s), &s->in);
        return false;
    }
    s->reader = NULL;
    return true;
}

static const struct ed_wait_kind socket_read_kind = {"stream.read", socket_abort_read, NULL};

static void socket_wake_reader(struct socket_stream *s, int result)
{
    struct ed_wait *reader = s->reader;

    s->reader = NULL;
    ed_op_wake(reader, result);
}

/* More bytes than the reader has room for, or no reader: kept, up to a limit. */
static void socket_keep(struct socket_stream *s, const char *data, size_t size)
{
    if (eddy_stream_push(&s->stream, data, size) < 0) {
        s->broken_in = -ENOMEM;
        ed_engine_cancel(socket_engine(s), &s->in);
    } else if (eddy_stream_room(&s->stream) == 0) {
        s->stream.paused = true;
        ed_engine_cancel(socket_engine(s), &s->in);
    }
}

static void socket_take(struct socket_stream *s, const char *data, size_t size)
{
    size_t first = 0;

    if (size >= SOCKET_FULL && s->reader && s->room >= SOCKET_DIRECT) {
        s->bulk = true;
        s->small_reads = 0;
        ed_engine_cancel(socket_engine(s), &s->in);
    }
    if (ed_likely(s->reader != NULL)) {
        first = size < s->room ? size : s->room;
        memcpy(s->to, data, first);
        socket_wake_reader(s, (int)first);
    }
    if (size > first)
        socket_keep(s, data + first, size - first);
}

/* Asks for bytes in the way that suits the reader; there may be none: it is read ahead then. */
static void socket_receive(struct socket_stream *s)
{
    bool direct = s->plain || (s->bulk && s->reader && s->room >= SOCKET_DIRECT);

    s->in.kind = !direct         ? ED_OP_RECV_MANY
                 : s->write_only ? ED_OP_POLL
                 : s->plain      ? ED_OP_READ
                                 : ED_OP_RECV;
    s->in.data = direct ? s->to : NULL;
    s->in.size = direct ? s->room : 0;
    ed_engine_submit(socket_engine(s), &s->in);
}

/* The bulk is over when small messages come one after the other. */
static void socket_count_small(struct socket_stream *s, int size)
{
    if (size >= SOCKET_FULL)
        s->small_reads = 0;
    else if (++s->small_reads == SOCKET_SMALL_READS)
        s->bulk = false;
}

/* The last completion of what was asked for. A RECV_MANY may have been cancelled for the sake of
 * an earlier reader, or of none. */
static void socket_received_last(struct socket_stream *s, int result)
{
    bool many = s->in.kind == ED_OP_RECV_MANY;

    if (result == 0)
        s->ended = true;
    else if (result < 0 && result != -ECANCELED && !s->broken_in)
        s->broken_in = result;
    if (!s->reader)
        socket_settle(s);
    else if (s->broken_in)
        socket_wake_reader(s, s->broken_in);
    else if (many && result < 0)
        socket_receive(s);
    else
        socket_wake_reader(s, result);
}

static void socket_received(struct ed_op *op)
{
    struct socket_stream *s = ed_container_of(op, struct socket_stream, in);

    if (op->more && ed_likely(!s->broken_in)) /* else something before it is lost */
        socket_take(s, op->data, (size_t)op->result);
    if (op->more)
        return;
    if (op->result > 0)
        socket_count_small(s, op->result);
    if (s->write_only ? op->result > 0 : s->is_master && op->result == -EIO)
        op->result = 0; /* is the end */
    socket_received_last(s, op->result);
}

/* There is room again. */
static void socket_resume(eddy_stream *stream)
{
    struct socket_stream *s = socket_of(stream);

    if (!s->in.in_flight && !s->ended && !s->broken_in && !s->bulk)
        socket_receive(s);
}

/* The kernel tells of a reset once: when a write was first, reads find an end, which is not
 * the peer's. (EPIPE is what a write finds behind an end of the peer's.) */
static int socket_end(struct socket_stream *s)
{
    if (s->broken_out && s->broken_out != -EPIPE)
        s->broken_in = s->broken_out;
    return s->broken_in;
}

static ssize_t socket_read(eddy_stream *stream, void *data, size_t size)
{
    struct socket_stream *s = socket_of(stream);
    struct ed_wait wait = ED_WAIT(&socket_read_kind, stream, NULL);
    ssize_t n;

    if (ed_unlikely(s->broken_in))
        return s->broken_in;
    if (ed_unlikely(s->ended))
        return socket_end(s);
    if (ed_unlikely(wait.task->pending))
        return wait.task->pending; /* nothing would interrupt this wait any more */
    wait.data = s;
    s->reader = &wait;
    s->to = data;
    s->room = size < SOCKET_TRANSFER ? size : SOCKET_TRANSFER;
    if (!s->in.in_flight)
        socket_receive(s);
    n = ed_park(&wait);
    return ed_likely(n != 0) ? n : socket_end(s);
}

/* An operation that is in flight would have completed; without one the kernel is asked. */
static bool socket_quiet(const eddy_stream *stream)
{
    const struct socket_stream *s = socket_of(stream);
    struct ed_op look = {.kind = ED_OP_RECV, .fd = s->fd, .size = 1, .flags = MSG_PEEK};
    char byte;

    if (s->ended || s->broken_in || s->broken_out)
        return false;
    look.data = &byte;
    return s->in.in_flight || s->plain || ed_engine_try(&look) == -EAGAIN;
}

/* Sending. */

static size_t socket_pending(const eddy_stream *stream)
{
    const struct socket_stream *s = socket_of(stream);

    return ed_buffer_size(&s->out) + ed_buffer_size(&s->next);
}

/* Lets those flushes go on that want no more than this to be kept. */
static void socket_wake_flushers(struct socket_stream *s)
{
    size_t pending = socket_pending(&s->stream);

    ED_LIST_FOR_EACH(link, &s->flushers) {
        struct ed_wait *wait = ed_container_of(link, struct ed_wait, link);

        if (!s->broken_out && pending > (uintptr_t)wait->data)
            continue;
        ed_list_remove(&s->flushers, link);
        ed_wake(wait, s->broken_out);
    }
}

/* How many of these bytes go in one operation. A pipe that is ready takes PIPE_BUF, pipe(7). */
static size_t socket_portion(const struct socket_stream *s, size_t size)
{
    size_t most = s->plain && s->blocks ? PIPE_BUF : SOCKET_TRANSFER;

    return size < most ? size : most;
}

/* Makes sure that there is something in `out`, if there is anywhere. */
static void socket_fill_out(struct socket_stream *s)
{
    struct eddy_buffer_ empty = s->out;

    if (ed_buffer_size(&s->out) > 0)
        return;
    s->out = s->next;
    s->next = empty;
}

/* Queues what is kept; there is something, and nothing under way. */
static void socket_send(struct socket_stream *s)
{
    socket_fill_out(s);
    s->send.fd = s->fd;
    s->send.data = ed_buffer_bytes(&s->out);
    s->send.size = socket_portion(s, ed_buffer_size(&s->out));
    ed_engine_submit(socket_engine(s), &s->send);
}

/* Bytes that will not go. */
static void socket_drop(struct socket_stream *s, struct eddy_buffer_ *buffer)
{
    s->stream.taken -= ed_buffer_size(buffer);
    s->stream.lost += ed_buffer_size(buffer);
    ed_buffer_release(buffer);
}

/* Who reads finds what has come, and then the error: where the connection itself is whole, nothing
 * else would tell a reader that waits for the answer to what has not gone. */
static void socket_break_out(struct socket_stream *s, int rc)
{
    if (!s->broken_out) {
        s->broken_out = rc;
        if (!s->plain && rc != -EPIPE && rc != -ECONNRESET)
            (void)shutdown(s->fd, SHUT_RD); /* fails where there is nobody to tell */
    }
    if (!s->send.in_flight)
        socket_drop(s, &s->out);
    socket_drop(s, &s->next);
    socket_wake_flushers(s);
}

static void socket_sent(struct ed_op *op)
{
    struct socket_stream *s = ed_container_of(op, struct socket_stream, send);
    bool rest = s->title || (size_t)op->result < op->size; /* a standard stream begins no more */
    bool cut = s->closing && (op->result == -ECANCELED || (op->result >= 0 && rest));

    if (ed_likely(op->result >= 0))
        ed_buffer_consume(&s->out, (size_t)op->result);
    if (cut)
        ; /* the close, or the loop's, sees what is left */
    else if (ed_unlikely(op->result < 0 || s->broken_out))
        socket_break_out(s, op->result < 0 ? op->result : s->broken_out);
    else if (socket_pending(&s->stream) > 0)
        socket_send(s);
    if (ed_unlikely(s->flushers.first != NULL))
        socket_wake_flushers(s);
    socket_settle(s);
}

/* Copies the parts, `total` bytes, behind what is kept: all, or nothing (-ENOMEM). */
static int
socket_copy(struct socket_stream *s, const struct iovec *parts, size_t count, size_t total)
{
    bool into_out = s->send.queued || !s->send.in_flight;
    struct eddy_buffer_ *buffer = into_out ? &s->out : &s->next;
    int rc;

    if (total == 0)
        return 0;
    if (s->send.queued)
        ed_op_set_memory(&s->send, NULL, 0); /* the block may move */
    rc = ed_buffer_reserve(buffer, total);
    for (size_t i = 0; i < count && rc == 0; i++) {
        if (parts[i].iov_len == 0)
            continue; /* may have no base */
        memcpy(ed_buffer_free_space(buffer), parts[i].iov_base, parts[i].iov_len);
        ed_buffer_commit(buffer, parts[i].iov_len);
    }
    if (s->send.queued)
        ed_op_set_memory(&s->send, ed_buffer_bytes(&s->out),
                         socket_portion(s, ed_buffer_size(&s->out)));
    else if (!s->send.in_flight && rc == 0)
        socket_send(s);
    return rc;
}

static const struct ed_wait_kind socket_flush_kind = {"stream.flush", NULL, NULL};

static int socket_flush(eddy_stream *stream, size_t kept)
{
    struct socket_stream *s = socket_of(stream);
    struct ed_wait wait = ED_WAIT(&socket_flush_kind, stream, &s->flushers);

    if (s->broken_out)
        return s->broken_out;
    if (socket_pending(stream) <= kept)
        return 0;
    if (eddy_thread_.task->pending)
        return eddy_thread_.task->pending;
    wait.data = (void *)(uintptr_t)kept;
    return ed_park(&wait);
}

static const struct ed_wait_kind socket_write_kind = ED_OP_WAIT_KIND("stream.write");

/* The first bytes of what is left of the parts, in one operation. */
static void socket_prepare_write(struct socket_stream *s, struct ed_op *op, struct msghdr *message)
{
    op->fd = s->fd;
    op->steady = true;
    op->flags = s->plain ? 0 : MSG_WAITALL; /* all at once, where the kernel sees to it */
    if (!s->plain && message->msg_iovlen > 1) {
        op->kind = ED_OP_SENDMSG;
        op->message = message;
        return;
    }
    op->kind = s->plain ? ED_OP_WRITE : ED_OP_SEND;
    op->data = message->msg_iov[0].iov_base;
    op->size = socket_portion(s, message->msg_iov[0].iov_len);
}

/* Sends the parts from the caller's memory; nothing is kept. */
static int
socket_write_direct(struct socket_stream *s, const struct iovec *parts, size_t count, size_t *done)
{
    struct iovec rest[SOCKET_PARTS];
    struct msghdr message = {.msg_iov = rest};
    ED_AWAITED(write);
    int result;

    while ((message.msg_iovlen = ed_parts_rest(parts, count, *done, rest, SOCKET_PARTS)) > 0) {
        socket_prepare_write(s, &write.op, &message);
        result = ed_op_await(&write, &socket_write_kind);
        if (result < 0)
            return result;
        *done += (size_t)result;
        if (s->broken_out)
            return s->broken_out;
    }
    return 0;
}

/* Whether an error is the connection's, and not the running task's. */
static bool socket_is_lost(int rc)
{
    return rc < 0 && rc != eddy_thread_.task->pending && rc != -ECANCELED && rc != -ENOMEM;
}

static int
socket_write(eddy_stream *stream, const struct iovec *parts, size_t count, bool wait, size_t *done)
{
    struct socket_stream *s = socket_of(stream);
    size_t total = 0;
    int rc;

    *done = 0;
    if (ed_unlikely(s->broken_out))
        return s->broken_out;
    for (size_t i = 0; i < count; i++)
        total += parts[i].iov_len;
    if (total < SOCKET_DIRECT || !wait) {
        rc = socket_copy(s, parts, count, total);
        *done = rc < 0 ? 0 : total;
        return rc;
    }
    rc = socket_flush(stream, 0);
    if (rc < 0)
        return rc;
    rc = socket_write_direct(s, parts, count, done);
    if (socket_is_lost(rc))
        socket_break_out(s, rc);
    return rc;
}

static int socket_sendfile(eddy_stream *stream, int fd, off_t offset, size_t count, size_t *done)
{
    struct socket_stream *s = socket_of(stream);
    ED_AWAITED(file);
    int result = socket_flush(stream, 0);

    *done = 0;
    file.op.kind = ED_OP_SENDFILE;
    file.op.fd = s->fd;
    file.op.steady = true;
    file.op.source = fd;
    file.op.offset = offset;
    while (result == 0 && *done < count) {
        file.op.size = count - *done;
        result = ed_op_await(&file, &socket_write_kind);
        if (result <= 0)
            break;
        *done += (size_t)result;
        result = s->broken_out;
    }
    return result;
}

static int socket_write_eof(eddy_stream *stream)
{
    static const struct ed_wait_kind kind = ED_OP_WAIT_KIND("stream.write_eof");
    struct socket_stream *s = socket_of(stream);
    ED_AWAITED(shut);
    int rc;

    if (s->broken_out)
        return s->broken_out;
    shut.op.kind = ED_OP_SHUTDOWN;
    shut.op.fd = s->fd;
    shut.op.flags = SHUT_WR;
    rc = ed_op_await(&shut, &kind);
    return rc == -ENOTCONN ? -EPIPE : rc; /* it was reset; a write would say so, too */
}

/* The end. */

static void socket_abort(eddy_stream *stream, int rc)
{
    struct socket_stream *s = socket_of(stream);
    struct ed_engine *engine = socket_engine(s);

    s->reset = true;
    s->broken_in = rc;
    ed_engine_cancel(engine, &s->in);
    ed_engine_cancel(engine, &s->send);
    socket_break_out(s, rc);
}

static int socket_close_fd(int fd)
{
    static const struct ed_wait_kind kind = ED_OP_WAIT_KIND("close");
    ED_AWAITED(shut);

    shut.op.kind = ED_OP_CLOSE;
    shut.op.fd = fd;
    return ed_op_await_shielded(&shut, &kind);
}

/* Waits until nothing is in flight. What the kernel does not take at once is left. */
static void socket_drain(struct socket_stream *s)
{
    static const struct ed_wait_kind kind = {"stream.close", NULL, NULL};
    struct ed_engine *engine = socket_engine(s);

    while (s->in.in_flight || s->send.in_flight) {
        struct ed_wait wait = ED_WAIT(&kind, &s->stream, NULL);

        ed_engine_cancel(engine, &s->in);
        ed_engine_cancel_soon(engine, &s->send);
        wait.shielded = true;
        s->closer = &wait;
        (void)ed_park(&wait); /* nothing cuts it short */
    }
}

/* Bytes that have not gone make the end a reset, so that the peer does not take what it has for
 * all. */
static int socket_close(eddy_stream *stream)
{
    struct socket_stream *s = socket_of(stream);
    struct linger now = {.l_onoff = 1};
    int dropped = 0, rc;

    s->closing = true;
    socket_drain(s);
    if (!s->broken_out && socket_pending(stream) > 0)
        dropped = -ECANCELED;
    if ((s->reset || dropped) && !s->plain && !s->title)
        (void)setsockopt(s->fd, SOL_SOCKET, SO_LINGER, &now, sizeof now); /* else in order */
    if (s->was_blocking)
        (void)fcntl(s->fd, F_SETFL, fcntl(s->fd, F_GETFL) & ~O_NONBLOCK); /* as far as it goes */
    ed_loop_disown(stream->loop, s->fd);
    rc = socket_close_fd(s->fd);
    s->fd = -1;
    ed_stats_add(ED_STAT_DESCRIPTORS, -1);
    return dropped ? dropped : rc;
}

static void socket_free(eddy_stream *stream)
{
    struct socket_stream *s = socket_of(stream);

    if (s->fd >= 0) { /* its loop was closed over it */
        close(s->fd);
        ed_stats_add(ED_STAT_DESCRIPTORS, -1);
    }
    if (!s->left)
        ed_loop_remove_resource(stream->loop, &s->resource);
    ed_buffer_release(&s->out);
    ed_buffer_release(&s->next);
    ed_free(s->names);
    ed_free(s);
}

/* What is known of it. */

/* The text of an address, once it is asked for. One that is not known any more keeps what it had; a
 * TCP peer's, which a reset forgets, just when it is wanted, is noted at the start. */
static const char *socket_name(struct socket_stream *s, bool peer)
{
    union {
        struct sockaddr any;
        struct sockaddr_un un;
        struct sockaddr_in6 in6;
    } address = {.in6 = s->peer};
    socklen_t size = peer ? s->peer_size : 0;
    char *text;

    if (s->title)
        return peer ? s->title : "";
    if (!s->names && s->namer)
        s->names = ed_alloc_zero(2 * ED_SOCKET_NAME);
    if (!s->names)
        return "";
    text = s->names + peer * ED_SOCKET_NAME;
    if (size == 0 && s->fd >= 0) {
        size = sizeof address;
        if ((peer ? getpeername : getsockname)(s->fd, &address.any, &size) < 0)
            size = 0;
    }
    if (size > 0)
        s->namer(&address.any, size, text, ED_SOCKET_NAME);
    return text;
}

static const char *socket_peer_name(const eddy_stream *stream)
{
    return socket_name(socket_of(stream), true);
}

static const char *socket_local_name(const eddy_stream *stream)
{
    return socket_name(socket_of(stream), false);
}

static int socket_fd(const eddy_stream *stream)
{
    return socket_of(stream)->fd;
}

#define SOCKET_CLASS(its_name, eof, send_file)                                                     \
    {                                                                                              \
        .name = (its_name), .read = socket_read, .write = socket_write, .flush = socket_flush,     \
        .pending = socket_pending, .write_eof = (eof), .abort = socket_abort,                      \
        .close = socket_close, .hurries = true, .free = socket_free,                               \
        .peer_name = socket_peer_name, .local_name = socket_local_name, .fd = socket_fd,           \
        .resume = socket_resume, .sendfile = (send_file), .quiet = socket_quiet                    \
    }

#define SOCKET_CLASSES(send_file)                                                                  \
    {                                                                                              \
        [ED_SOCKET_TCP] = SOCKET_CLASS("tcp", socket_write_eof, send_file),                        \
        [ED_SOCKET_UNIX] = SOCKET_CLASS("unix", socket_write_eof, send_file),                      \
        [ED_SOCKET_PIPE] = SOCKET_CLASS("pipe", NULL, send_file),                                  \
        [ED_SOCKET_TERMINAL] = SOCKET_CLASS("terminal", NULL, send_file),                          \
        [ED_SOCKET_DEVICE] = SOCKET_CLASS("device", NULL, send_file),                              \
    }

static const eddy_stream_class socket_classes[] = SOCKET_CLASSES(socket_sendfile);
/* Over descriptors that block, which sendfile(2) would. */
static const eddy_stream_class socket_blocking_classes[] = SOCKET_CLASSES(NULL);

static void socket_describe(struct ed_resource *resource, char *text, size_t size)
{
    struct socket_stream *s = ed_container_of(resource, struct socket_stream, resource);
    const char *name = socket_name(s, true);

    snprintf(text, size, "a stream (%s%s%s)", s->stream.kind->name, name[0] ? " " : "", name);
}

double ed_standard_patience = 60;

/* Waits, outside the loop, until the descriptor takes bytes: 0, -ETIMEDOUT, or another error. */
static int socket_await_room(const struct socket_stream *s)
{
    struct pollfd ready = {.fd = s->fd, .events = POLLOUT};
    int rc;

    do
        rc = poll(&ready, 1, (int)(ed_standard_patience * 1000));
    while (rc < 0 && errno == EINTR);
    return rc > 0 ? 0 : rc == 0 ? -ETIMEDOUT : -errno;
}

/* Writes what a standard stream has left, without the loop. */
static int socket_hand_over(struct socket_stream *s)
{
    struct ed_op send = {.kind = s->send.kind, .fd = s->fd};
    int rc = s->broken_out, naps = 0;

    while (rc >= 0 && socket_pending(&s->stream) > 0) {
        socket_fill_out(s);
        send.data = ed_buffer_bytes(&s->out);
        send.size = socket_portion(s, ed_buffer_size(&s->out));
        rc = socket_await_room(s);
        if (rc == 0)
            rc = ed_engine_try(&send);
        if (rc > 0)
            ed_buffer_consume(&s->out, (size_t)rc);
        else if (rc == -EAGAIN) /* somebody was faster */
            rc = ++naps < ed_standard_patience * 1000 ? (poll(NULL, 0, 1), 0) : -ETIMEDOUT;
    }
    return rc < 0 ? rc : 0;
}

/* The same at the end of the loop; nobody can be told but by a report. A program that has aborted
 * the stream knows; and a report on standard error would wait for who reads nothing of that. */
static void socket_end_standard(struct socket_stream *s)
{
    int rc = socket_hand_over(s);
    bool unheard = rc == -ETIMEDOUT && strcmp(s->title, "standard error") == 0;

    if (rc < 0 && rc != -EPIPE && rc != -ECONNABORTED && !unheard && socket_pending(&s->stream) > 0)
        ed_loop_report(s->stream.loop, EDDY_REPORT_RESOURCE, rc, NULL, "%s: %zu bytes are lost: %s",
                       s->title, socket_pending(&s->stream),
                       rc == -ETIMEDOUT ? "nobody has read for a minute" : eddy_strerror(rc));
}

/* The loop closes over it. */
static void socket_left(struct ed_resource *resource, bool end)
{
    struct socket_stream *s = ed_container_of(resource, struct socket_stream, resource);

    if (end) {
        s->left = true;
        if (s->title)
            socket_end_standard(s);
        ed_buffer_release(&s->stream.in);
        ed_buffer_release(&s->stream.behind);
        socket_free(&s->stream);
        return;
    }
    s->closing = s->title != NULL; /* then what has not gone is kept */
    ed_engine_cancel(socket_engine(s), &s->in);
    ed_engine_cancel(socket_engine(s), &s->send);
}

int ed_socket_new(int fd, enum ed_socket_kind kind, ed_socket_namer *namer, eddy_stream **out)
{
    struct socket_stream *s = ed_alloc_zero(sizeof *s);
    int rc;

    if (!s)
        return -ENOMEM;
    rc = eddy_stream_init(&s->stream, &socket_classes[kind]);
    if (rc < 0) {
        ed_free(s);
        return rc;
    }
    s->fd = fd;
    s->namer = namer;
    s->plain = kind >= ED_SOCKET_PIPE;
    s->write_only = kind == ED_SOCKET_PIPE && (fcntl(fd, F_GETFL) & O_ACCMODE) == O_WRONLY;
    s->in = (struct ed_op){.done = socket_received, .kind = ED_OP_RECV_MANY, .fd = fd};
    s->send = (struct ed_op){.done = socket_sent, .fd = fd};
    s->send.kind = s->plain ? ED_OP_WRITE : ED_OP_SEND;
    s->in.steady = s->send.steady = true;
    s->peer_size = sizeof s->peer;
    if (kind != ED_SOCKET_TCP || getpeername(fd, (struct sockaddr *)&s->peer, &s->peer_size) < 0)
        s->peer_size = 0;
    s->resource.describe = socket_describe;
    s->resource.close = socket_left;
    ed_loop_enter_resource(s->stream.loop, &s->resource);
    ed_loop_own(s->stream.loop, fd);
    ed_stats_add(ED_STAT_DESCRIPTORS, 1);
    *out = &s->stream;
    return 0;
}

void ed_socket_was_blocking(eddy_stream *stream)
{
    socket_of(stream)->was_blocking = true;
}

void ed_socket_is_part(eddy_stream *stream, bool is_master)
{
    socket_of(stream)->is_master = is_master;
    socket_of(stream)->resource.describe = NULL;
}

void ed_socket_is_standard(eddy_stream *stream, const char *title, bool blocks)
{
    struct socket_stream *s = socket_of(stream);

    stream->standard = true;
    if (blocks)
        stream->kind = &socket_blocking_classes[stream->kind - socket_classes];
    s->title = title;
    s->blocks = blocks;
    s->resource.describe = NULL;
}
