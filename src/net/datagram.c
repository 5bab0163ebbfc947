/* SPDX-License-Identifier: MIT */
/*
 * What is done with a datagram endpoint. Every call tries at once, and waits in the line of its
 * direction when the kernel says so (io/turn.h); so a close knows whom to tell, and frees the
 * endpoint when the last one has left.
 */
#include "net/datagram.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/die.h"
#include "base/memory.h"
#include "os/socket.h"

static void datagram_free(eddy_datagram *d)
{
    ed_socket_file_remove(&d->file, &d->local);
    ed_socket_close(d->fd);
    ed_free(d);
}

static void datagram_describe(struct ed_resource *resource, char *text, size_t size)
{
    eddy_datagram *d = ed_container_of(resource, eddy_datagram, resource);
    char address[EDDY_ADDRESS_TEXT];

    snprintf(text, size, "a datagram endpoint (%s)",
             eddy_address_text(&d->local, address, sizeof address));
}

/* The loop closes over it: nobody runs any more. */
static void datagram_left(struct ed_resource *resource, bool end)
{
    if (end)
        datagram_free(ed_container_of(resource, eddy_datagram, resource));
}

int ed_datagram_new(int fd, eddy_datagram **out)
{
    eddy_datagram *d = ed_alloc_zero(sizeof *d);

    if (!d)
        return -ENOMEM;
    d->loop = eddy_thread_.loop;
    d->fd = fd;
    d->local.size = d->remote.size = sizeof d->local.as;
    if (getsockname(fd, &d->local.as.any, &d->local.size) < 0 ||
        d->local.size <= sizeof(sa_family_t))
        d->local.size = 0;
    d->connected = getpeername(fd, &d->remote.as.any, &d->remote.size) == 0;
    d->resource.describe = datagram_describe;
    d->resource.close = datagram_left;
    ed_loop_enter_resource(d->loop, &d->resource);
    ed_loop_own(d->loop, fd);
    *out = d;
    return 0;
}

/* Receiving. */

static const struct ed_wait_kind datagram_receive_kind = ED_TURN_WAIT_KIND("datagram.receive");

static void datagram_count_received(eddy_datagram *d, size_t length, bool truncated)
{
    d->counters.received++;
    d->counters.received_bytes += length;
    d->counters.truncated += truncated;
}

/* A receive of either kind. Behind an error the endpoint may be gone; behind a success it is
 * there until the task waits again, also when another one closes it. */
static int datagram_take(eddy_datagram *d, struct ed_turn *turn)
{
    ED_ASSERT(d->loop == eddy_thread_.loop);
    turn->awaited.op.fd = d->fd;
    return ed_line_do(&d->in, turn, &datagram_receive_kind);
}

/* With MSG_TRUNC the kernel tells the whole length, whatever fits. */
ssize_t eddy_datagram_receive(eddy_datagram *d, void *data, size_t size, eddy_address *from)
{
    struct iovec part = {data, size};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    eddy_address address;
    int rc = ed_checkpoint();
    ED_LINE_TURN(turn);

    if (rc < 0)
        return rc;
    memset(&address, 0, sizeof address);
    message.msg_name = &address.as;
    message.msg_namelen = sizeof address.as;
    turn.awaited.op.kind = ED_OP_RECVMSG;
    turn.awaited.op.message = &message;
    turn.awaited.op.flags = MSG_TRUNC;
    rc = datagram_take(d, &turn);
    if (rc < 0)
        return rc;
    address.size = message.msg_namelen;
    if (from)
        *from = address;
    datagram_count_received(d, (size_t)rc < size ? (size_t)rc : size, (size_t)rc > size);
    if ((size_t)rc > size)
        return ed_raise(EDDY_ELIMIT, "a datagram of %d bytes does not fit into %zu", rc, size);
    return rc;
}

static void datagram_prepare_batch(eddy_datagram_message *messages, size_t count,
                                   struct mmsghdr *headers, struct iovec *parts)
{
    for (size_t i = 0; i < count; i++) {
        parts[i] = (struct iovec){messages[i].data, messages[i].size};
        memset(&messages[i].from, 0, sizeof messages[i].from);
        headers[i] = (struct mmsghdr){.msg_hdr = {.msg_name = &messages[i].from.as,
                                                  .msg_namelen = sizeof messages[i].from.as,
                                                  .msg_iov = &parts[i],
                                                  .msg_iovlen = 1}};
    }
}

ssize_t eddy_datagram_receive_many(eddy_datagram *d, eddy_datagram_message *messages, size_t count)
{
    struct mmsghdr headers[EDDY_DATAGRAM_BATCH];
    struct iovec parts[EDDY_DATAGRAM_BATCH];
    int rc = ed_checkpoint();
    ED_LINE_TURN(turn);

    if (rc < 0)
        return rc;
    if (count == 0)
        return ed_raise(-EINVAL, "no room for any datagram");
    if (count > EDDY_DATAGRAM_BATCH)
        count = EDDY_DATAGRAM_BATCH;
    datagram_prepare_batch(messages, count, headers, parts);
    turn.awaited.op.kind = ED_OP_RECVMMSG;
    turn.awaited.op.messages = headers;
    turn.awaited.op.size = count;
    rc = datagram_take(d, &turn);
    for (int i = 0; i < rc; i++) {
        messages[i].length = headers[i].msg_len;
        messages[i].truncated = headers[i].msg_hdr.msg_flags & MSG_TRUNC;
        messages[i].from.size = headers[i].msg_hdr.msg_namelen;
        datagram_count_received(d, messages[i].length, messages[i].truncated);
    }
    return rc;
}

/* Sending. */

static const struct ed_wait_kind datagram_send_kind = ED_TURN_WAIT_KIND("datagram.send");

/* Whether the endpoint may send there. */
static int datagram_check(const eddy_datagram *d, const eddy_address *to)
{
    if (!to)
        return d->connected ? 0 : ed_raise(-EDESTADDRREQ, "the endpoint is not connected");
    if (d->connected && !eddy_address_equal(to, &d->remote))
        return ed_raise(-EINVAL, "the endpoint is connected, and this is not its peer's address");
    return 0;
}

static void datagram_prepare(const eddy_datagram *d, struct ed_op *op, struct msghdr *message,
                             const eddy_address *to)
{
    if (to && !d->connected) {
        message->msg_name = (void *)(uintptr_t)&to->as; /* only read */
        message->msg_namelen = to->size;
    }
    op->kind = ED_OP_SENDMSG;
    op->fd = d->fd;
    op->message = message;
}

/* The sender's result: a datagram goes whole. */
static int datagram_sent(int rc, size_t size)
{
    if (rc >= 0 && (size_t)rc < size)
        return ed_raise(-EIO, "the kernel took %d of the %zu bytes of a datagram", rc, size);
    return rc < 0 ? rc : 0;
}

static void datagram_count_sent(eddy_datagram *d, int rc)
{
    if (rc < 0)
        return;
    d->counters.sent++;
    d->counters.sent_bytes += (size_t)rc;
}

/* Waits for the turn, and for room. */
static int datagram_send_in_turn(eddy_datagram *d, struct ed_turn *turn)
{
    int rc = ed_line_enter(&d->out, turn, &datagram_send_kind);

    if (rc < 0)
        return rc;
    rc = ed_turn_await(turn, &datagram_send_kind);
    datagram_count_sent(d, rc);
    ed_line_leave(turn);
    return rc;
}

int eddy_datagram_send_to(eddy_datagram *d, const void *data, size_t size, const eddy_address *to)
{
    struct iovec part = {(void *)(uintptr_t)data, size}; /* only read */
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    int rc = ed_checkpoint();
    ED_LINE_TURN(turn);

    if (rc == 0)
        rc = datagram_check(d, to);
    if (rc < 0)
        return rc;
    ED_ASSERT(d->loop == eddy_thread_.loop);
    datagram_prepare(d, &turn.awaited.op, &message, to);
    rc = ed_line_is_free(&d->out) ? ed_engine_try(&turn.awaited.op) : -EAGAIN;
    if (rc == -EAGAIN)
        rc = datagram_send_in_turn(d, &turn);
    else if (rc < 0)
        return ed_fail(rc);
    else
        datagram_count_sent(d, rc);
    return datagram_sent(rc, size);
}

int eddy_datagram_send(eddy_datagram *d, const void *data, size_t size)
{
    return eddy_datagram_send_to(d, data, size, NULL);
}

int eddy_datagram_send_nowait(eddy_datagram *d, const void *data, size_t size,
                              const eddy_address *to)
{
    struct iovec part = {(void *)(uintptr_t)data, size}; /* only read */
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    struct ed_op op = {.kind = ED_OP_SENDMSG};
    int rc = datagram_check(d, to);

    if (rc < 0)
        return rc;
    if (d->out.ended)
        return ed_fail(d->out.ended);
    datagram_prepare(d, &op, &message, to);
    rc = ed_line_is_free(&d->out) ? ed_engine_try(&op) : -EAGAIN;
    datagram_count_sent(d, rc);
    return rc < 0 ? ed_fail(rc) : datagram_sent(rc, size);
}

/* The end. */

void eddy_datagram_close(eddy_datagram **datagram)
{
    eddy_datagram *d = *datagram;

    if (!d)
        return;
    *datagram = NULL;
    ED_ASSERT(d->loop == eddy_thread_.loop);
    ed_line_end(&d->in, -ESHUTDOWN);
    ed_line_end(&d->out, -ESHUTDOWN);
    ed_line_wait(&d->in);
    ed_line_wait(&d->out);
    ed_loop_remove_resource(d->loop, &d->resource);
    ed_loop_disown(d->loop, d->fd);
    ed_engine_forget(d->loop->engine, d->fd);
    datagram_free(d);
}

void eddy_datagram_end_scope_(eddy_datagram **datagram)
{
    eddy_datagram_close(datagram);
}

/* What is known of it. */

eddy_datagram_counters eddy_datagram_get_counters(const eddy_datagram *datagram)
{
    return datagram->counters;
}

const eddy_address *eddy_datagram_local(const eddy_datagram *datagram)
{
    return &datagram->local;
}

const eddy_address *eddy_datagram_remote(const eddy_datagram *datagram)
{
    return datagram->connected ? &datagram->remote : NULL;
}

int eddy_datagram_fd(const eddy_datagram *datagram)
{
    return datagram->fd;
}
