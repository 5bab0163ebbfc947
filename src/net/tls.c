/* SPDX-License-Identifier: MIT */
/*
 * TLS as a stream over a stream: everything that waits.
 *
 * OpenSSL is called in steps (tls_openssl.c), which do not wait; between two steps a task waits
 * in the lower stream, for bytes to come or for bytes to go. One task reads and one task writes
 * at a time, as for every kind; both may wait at once, each in its half of the lower stream.
 *
 *     a task that waits for bytes to go holds the lower stream's turn to write; what the
 *     other task makes OpenSSL send meanwhile is held, and pushed by the one that waited
 *
 * So nothing is held whenever nobody waits there, unless memory was short, and a record begins
 * only with nothing held. Small writes are copied by the lower stream. Large ones go in blocks
 * of several records, from which the lower stream sends while their writer waits; what is left
 * of a block when the wait is cut short is copied then. A cancelled read has taken nothing; a
 * cancelled write has gone up to the end of a record.
 */
#include "net/tls.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "eddy/scope.h"

#define TLS_UNLIMITED (SIZE_MAX / 2) /* the lower stream's own limits do not count */
#define TLS_GATHER 4096              /* bytes of small parts that become one record */
#define TLS_CLOSE_TIMEOUT 5          /* seconds for an alert to go after a failed handshake */

static const eddy_stream_class tls_class;

static struct ed_tls *tls_of(const eddy_stream *stream)
{
    return (struct ed_tls *)(uintptr_t)stream;
}

int ed_tls_raise(const struct ed_tls *tls, int code, const char *format, ...)
{
    const char *name = tls->server_name ? tls->server_name : eddy_stream_peer_name(tls->lower);
    char text[400];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return eddy_raise(code, "tls%s%s: %s", *name ? " " : "", name, text);
}

/* Waiting in the lower stream. */

/* Bytes that the lower stream has not got yet. */
static size_t tls_held(const struct ed_tls *tls)
{
    return tls->out_size - tls->out_sent + tls->held_size;
}

/* Gives these to the lower stream, if it takes them now: 0, or its error. Records that a write
 * has left go before what was held meanwhile. */
static int tls_push(struct ed_tls *tls)
{
    int rc = 0;

    if (tls->handing)
        return 0;
    if (tls->out && !tls->gathering) {
        rc = eddy_write_nowait(tls->lower, tls->out + tls->out_sent, tls->out_size - tls->out_sent);
        if (rc != -EAGAIN && rc != -ENOMEM)
            ed_tls_release_out(tls);
    }
    if (rc == 0 && tls->held_size > 0) {
        rc = eddy_write_nowait(tls->lower, tls->held, tls->held_size);
        if (rc != -EAGAIN && rc != -ENOMEM)
            ed_tls_release_held(tls);
    }
    return rc == -EAGAIN ? 0 : rc; /* somebody waits there, and will push */
}

/* Waits until the lower stream keeps `kept` bytes or fewer; 0, or an error. */
static int tls_wait_sent(struct ed_tls *tls, size_t kept)
{
    int rc, pushed;

    (void)eddy_stream_set_write_limits(tls->lower, kept, kept); /* equal: valid */
    rc = eddy_drain(tls->lower);
    (void)eddy_stream_set_write_limits(tls->lower, TLS_UNLIMITED, TLS_UNLIMITED);
    pushed = tls_push(tls);
    return rc < 0 ? rc : pushed;
}

/* Where the next bytes are received: in bulk a block, at rest what the stream has anyway. */
static char *tls_room(struct ed_tls *tls, size_t *size)
{
    if (tls->bulk && !tls->big)
        tls->big = eddy_alloc_(ED_TLS_BIG);
    if (!tls->bulk) {
        eddy_free(tls->big);
        tls->big = NULL;
    }
    *size = tls->big ? ED_TLS_BIG : ED_TLS_SMALL;
    return tls->big ? tls->big : tls->small;
}

/* Waits for bytes from the peer, of which OpenSSL has taken all: 1, 0 at the end, or an error. */
static int tls_receive(struct ed_tls *tls)
{
    size_t size;
    char *room;
    ssize_t n;

    if (tls->ended)
        return 0;
    room = tls_room(tls, &size);
    tls->receiving = true;
    n = eddy_read(tls->lower, room, size);
    tls->receiving = false;
    if (n < 0)
        return (int)n;
    tls->ended = n == 0;
    tls->bulk = (size_t)n >= (tls->big ? ED_TLS_MUCH : size);
    tls->in = room;
    tls->in_size = (size_t)n;
    return n > 0;
}

/* Waits for what a step wants: 0, or an error. */
static int tls_wait(struct ed_tls *tls, int want)
{
    int rc;

    if (want == ED_TLS_WRITE)
        return tls_wait_sent(tls, ED_TLS_LOW);
    rc = tls_receive(tls);
    if (rc != 0)
        return rc < 0 ? rc : 0;
    return ed_tls_raise(tls, EDDY_ETLS_TRUNCATED,
                        tls->ready ? "the connection ended without the peer's goodbye"
                                   : "the connection ended in the handshake");
}

/* The kind's functions. */

static ssize_t tls_read(eddy_stream *stream, void *data, size_t size)
{
    struct ed_tls *tls = tls_of(stream);
    size_t got;
    int rc;

    for (;;) {
        rc = ed_tls_read(tls, data, size, &got);
        if (tls_held(tls) > 0)
            (void)tls_push(tls); /* an error is for the writers */
        if (rc == 0)
            return (ssize_t)got;
        if (rc > 0)
            rc = tls_wait(tls, rc);
        if (rc < 0)
            return rc;
    }
}

static size_t tls_pending(const eddy_stream *stream)
{
    const struct ed_tls *tls = tls_of(stream);

    return tls_held(tls) + (tls->lower ? eddy_stream_get_counters(tls->lower).to_send : 0);
}

static int tls_flush(eddy_stream *stream, size_t kept)
{
    struct ed_tls *tls = tls_of(stream);
    int rc = tls_push(tls);

    while (rc == 0 && tls_pending(stream) > kept)
        rc = tls_wait_sent(tls, kept);
    return rc;
}

/* Waits while too much is kept, and until nothing is held: a record may begin. */
static int tls_may_write(struct ed_tls *tls, bool wait)
{
    int rc = tls_held(tls) > 0 ? tls_push(tls) : 0;

    if (rc == 0 && wait && tls_pending(&tls->stream) > tls->stream.high)
        rc = tls_flush(&tls->stream, tls->stream.low);
    while (rc == 0 && wait && tls_held(tls) > 0)
        rc = tls_wait_sent(tls, tls->stream.low);
    return rc == 0 && tls_held(tls) > 0 ? -EAGAIN : rc;
}

/* Gives the records of tls->out, with `plain` bytes in them, to the lower stream from where they
 * are. One that is cut short is as good as done if the rest can be kept. */
static int tls_write_out(struct ed_tls *tls, size_t plain, size_t *done)
{
    size_t size = tls->out_size, sent;
    int rc, pushed;

    tls->handing = true;
    rc = eddy_write(tls->lower, tls->out, tls->out_size);
    tls->handing = false;
    sent = rc < 0 ? eddy_stream_partial(tls->lower) : size;

    tls->out_sent = sent;
    pushed = rc < 0 ? tls_push(tls) : 0;
    if (rc == 0)
        ed_tls_release_out(tls);
    if (pushed < 0 && pushed != -ENOMEM) /* broken */
        plain = plain * sent / size / ED_TLS_RECORD * ED_TLS_RECORD;
    *done += plain;
    return rc < 0 ? rc : tls_push(tls);
}

/* Writes the first records of many bytes: at most ED_TLS_BULK_RECORDS. */
static int tls_write_bulk(struct ed_tls *tls, const char *data, size_t size, size_t *done)
{
    size_t plain = 0, piece;
    int rc = tls_may_write(tls, true);

    if (rc == 0)
        rc = ed_tls_take_out(tls);
    if (rc < 0)
        return rc;
    tls->gathering = true;
    for (int i = 0; i < ED_TLS_BULK_RECORDS && rc == 0 && plain < size; i++) {
        piece = size - plain < ED_TLS_RECORD ? size - plain : ED_TLS_RECORD;
        rc = ed_tls_write(tls, data + plain, piece);
        plain += rc == 0 ? piece : 0;
    }
    tls->gathering = false;
    if (rc < 0) {
        ed_tls_release_out(tls);
        return rc;
    }
    return tls_write_out(tls, plain, done);
}

/* Writes bytes record by record, many at once from a block, few by way of what is kept. */
static int
tls_write_bytes(struct ed_tls *tls, const char *data, size_t size, bool wait, size_t *done)
{
    size_t end = *done + size, before;
    int rc = 0;

    while (rc == 0 && *done < end) {
        size_t left = end - *done, piece = left < ED_TLS_RECORD ? left : ED_TLS_RECORD;

        before = *done;
        if (wait && left >= ED_TLS_RECORD) {
            rc = tls_write_bulk(tls, data, left, done);
        } else {
            rc = tls_may_write(tls, wait);
            if (rc == 0)
                rc = ed_tls_write(tls, data, piece);
            *done += rc == 0 ? piece : 0;
        }
        data += *done - before;
    }
    return rc;
}

/* Many small parts become one record. */
static int tls_write_gathered(struct ed_tls *tls, const struct iovec *parts, size_t count,
                              bool wait, size_t *done)
{
    char data[TLS_GATHER];
    size_t size = 0;

    for (size_t i = 0; i < count; i++) {
        if (parts[i].iov_len == 0)
            continue; /* may have no base */
        memcpy(data + size, parts[i].iov_base, parts[i].iov_len);
        size += parts[i].iov_len;
    }
    return tls_write_bytes(tls, data, size, wait, done);
}

static int
tls_write(eddy_stream *stream, const struct iovec *parts, size_t count, bool wait, size_t *done)
{
    struct ed_tls *tls = tls_of(stream);
    size_t total = 0;
    int rc = 0;

    for (size_t i = 0; i < count && total <= TLS_GATHER; i++)
        total += parts[i].iov_len;
    if (count > 1 && total <= TLS_GATHER)
        return tls_write_gathered(tls, parts, count, wait, done);
    for (size_t i = 0; i < count && rc == 0; i++)
        rc = tls_write_bytes(tls, parts[i].iov_base, parts[i].iov_len, wait, done);
    return rc;
}

/* Reads and drops what the peer still sends, up to its goodbye or its end. */
static int tls_await_goodbye(struct ed_tls *tls)
{
    char dropped[1024];
    size_t got = 1;
    int rc = 0;

    while (rc >= 0 && got > 0) {
        rc = ed_tls_read(tls, dropped, sizeof dropped, &got);
        if (rc > 0) {
            got = 1;
            rc = tls_wait(tls, rc);
        }
    }
    return rc;
}

static int tls_goodbye(eddy_stream *stream)
{
    struct ed_tls *tls = tls_of(stream);
    double seconds = ed_tls_context_shutdown_timeout(tls->context);
    EDDY_TIMEOUT(limit, seconds);
    int rc;

    ed_tls_goodbye(tls);
    rc = tls_flush(stream, 0);
    if (rc == 0 && !stream->ended && !tls->broken)
        rc = tls_await_goodbye(tls);
    if (rc == -ETIMEDOUT && eddy_timeout_expired(&limit))
        return ed_tls_raise(tls, -ETIMEDOUT, "the peer has not said goodbye within %g seconds",
                            seconds);
    if (rc == -EPIPE || rc == -ECONNRESET || rc <= EDDY_ETLS)
        return 0; /* a peer that has left, or made no sense at last, is gone all the same */
    return rc;
}

static void tls_abort(eddy_stream *stream, int rc)
{
    (void)rc;
    if (tls_of(stream)->lower)
        eddy_stream_abort(tls_of(stream)->lower);
}

/* The lower stream stays in sight until it is gone: an abort meanwhile is for it. */
static int tls_close(eddy_stream *stream)
{
    struct ed_tls *tls = tls_of(stream);
    eddy_stream *lower = tls->lower;
    int rc = eddy_stream_close(&lower);

    tls->lower = NULL;
    return rc;
}

/* Frees a stream whose lower one is gone; half-built ones too. */
static void tls_free(eddy_stream *stream)
{
    struct ed_tls *tls = tls_of(stream);

    ed_tls_free(tls);
    eddy_tls_context_free(tls->context);
    eddy_free(tls->server_name);
    eddy_free(tls->problem);
    eddy_free(tls->big);
    eddy_free(tls);
}

static bool tls_quiet(const eddy_stream *stream)
{
    const struct ed_tls *tls = tls_of(stream);

    return !tls->ended && !tls->broken && tls->in_size == 0 && !ed_tls_has_more(tls) &&
           tls->lower && eddy_stream_is_quiet_(tls->lower);
}

static const char *tls_peer_name(const eddy_stream *stream)
{
    return tls_of(stream)->lower ? eddy_stream_peer_name(tls_of(stream)->lower) : "";
}

static const char *tls_local_name(const eddy_stream *stream)
{
    return tls_of(stream)->lower ? eddy_stream_local_name(tls_of(stream)->lower) : "";
}

static int tls_fd(const eddy_stream *stream)
{
    return tls_of(stream)->lower ? eddy_stream_fd(tls_of(stream)->lower) : -1;
}

static const eddy_stream_class tls_class = {
    .name = "tls",
    .read = tls_read,
    .write = tls_write,
    .flush = tls_flush,
    .pending = tls_pending,
    .goodbye = tls_goodbye,
    .abort = tls_abort,
    .close = tls_close,
    .free = tls_free,
    .peer_name = tls_peer_name,
    .local_name = tls_local_name,
    .fd = tls_fd,
    .quiet = tls_quiet,
};

/* Starting. */

/* Bytes that came before TLS began. A server's may be the client's handshake, RFC 8446 5.1. */
static int tls_check_kept(struct ed_tls *tls)
{
    const char *data;
    size_t kept = eddy_stream_kept(tls->lower, &data);

    if (kept == 0 || (ed_tls_context_is_server(tls->context) && data[0] == 22))
        return 0;
    return ed_tls_raise(tls, EDDY_ETLS_NOT_TLS,
                        "%zu bytes were received before TLS began: nobody knows from whom", kept);
}

static int tls_handshake(struct ed_tls *tls)
{
    int rc;

    do {
        int pushed = 0;

        rc = ed_tls_handshake(tls);
        if (rc >= 0)
            pushed = tls_push(tls);
        if (pushed < 0)
            rc = pushed;
        if (rc > 0) {
            rc = tls_wait(tls, rc);
            rc = rc < 0 ? rc : 1;
        }
    } while (rc > 0);
    return rc;
}

/* From the plain stream to the end of the handshake. */
static int tls_begin(struct ed_tls *tls)
{
    double seconds = ed_tls_context_handshake_timeout(tls->context);
    EDDY_TIMEOUT(limit, seconds);
    int rc = eddy_flush(tls->lower);

    if (rc == 0)
        rc = tls_check_kept(tls);
    if (rc == 0)
        rc = ed_tls_open(tls);
    if (rc == 0)
        rc = eddy_stream_set_write_limits(tls->lower, TLS_UNLIMITED, TLS_UNLIMITED);
    if (rc == 0)
        rc = tls_handshake(tls);
    if (rc == -ETIMEDOUT && eddy_timeout_expired(&limit))
        return ed_tls_raise(tls, rc, "the handshake was not done within %g seconds", seconds);
    return rc;
}

/* A copy of a name, without the dot at its end and an address's zone; NULL: no memory. */
static char *tls_copy_name(const char *name)
{
    size_t length = strcspn(name, "%");
    char *copy;

    if (length > 1 && name[length - 1] == '.')
        length--;
    copy = eddy_alloc_(length + 1);
    if (copy)
        memcpy(copy, name, length);
    return copy;
}

static int
tls_new(eddy_stream *lower, eddy_tls_context *context, const char *name, struct ed_tls **out)
{
    struct ed_tls *tls = eddy_alloc_(sizeof *tls);
    int rc = tls ? eddy_stream_init(&tls->stream, &tls_class) : -ENOMEM;

    if (rc == 0 && name && !(tls->server_name = tls_copy_name(name)))
        rc = -ENOMEM;
    if (rc < 0) {
        eddy_free(tls);
        return eddy_raise(rc, "tls: no memory for a connection, or no loop");
    }
    rc = eddy_stream_set_write_limits(&tls->stream, ED_TLS_HIGH, ED_TLS_LOW);
    tls->lower = lower;
    tls->context = context;
    ed_tls_context_ref(context);
    *out = tls;
    return rc;
}

/* Closes the connection under a handshake that failed; an alert may go before. */
static void tls_give_up(eddy_stream **lower)
{
    EDDY_TIMEOUT(limit, TLS_CLOSE_TIMEOUT);

    eddy_stream_end_scope_(lower); /* keeps the text of the failure */
}

/* Whoever keeps the stream below, such as a server, keeps this one from now on. */
static void tls_take_place(struct ed_tls *tls, eddy_stream *lower)
{
    tls->stream.owner = lower->owner;
    lower->owner = NULL;
    if (tls->stream.owner)
        *tls->stream.owner = &tls->stream;
}

static int
tls_start(eddy_stream **stream, eddy_tls_context *context, const char *name, const char *alpn)
{
    eddy_stream *lower = *stream;
    struct ed_tls *tls = NULL;
    int rc = tls_new(lower, context, name, &tls);

    if (rc == 0) {
        tls->alpn = alpn;
        rc = tls_begin(tls);
    }
    if (rc == 0) {
        tls_take_place(tls, lower);
        *stream = &tls->stream;
        return 0;
    }
    tls_give_up(&lower);
    *stream = NULL;
    if (tls) {
        tls->lower = NULL;
        tls_free(&tls->stream);
    }
    return rc;
}

/* Refuses before anything is begun; the connection is closed all the same. */
static int tls_refuse(eddy_stream **stream, int rc, const char *why)
{
    if (why)
        rc = eddy_raise(rc, "tls: %s", why);
    tls_give_up(stream);
    return rc;
}

int eddy_start_tls_offering_(eddy_stream **stream, eddy_tls_context *context,
                             const char *server_name, const char *alpn)
{
    int rc = context ? 0 : ed_tls_default_context(&context);

    if (rc < 0)
        return tls_refuse(stream, rc, NULL);
    if (ed_tls_context_is_server(context))
        return tls_refuse(stream, -EINVAL, "eddy_start_tls needs the context of a client");
    return tls_start(stream, context, server_name, alpn);
}

int eddy_start_tls(eddy_stream **stream, eddy_tls_context *context, const char *server_name)
{
    return eddy_start_tls_offering_(stream, context, server_name, NULL);
}

int eddy_start_tls_server(eddy_stream **stream, eddy_tls_context *context)
{
    if (!context || !ed_tls_context_is_server(context))
        return tls_refuse(stream, -EINVAL, "eddy_start_tls_server needs the context of a server");
    return tls_start(stream, context, NULL, NULL);
}

int eddy_tls_serve(eddy_stream **stream, void *context)
{
    return eddy_start_tls_server(stream, context);
}

int eddy_tls_connect(const char *host, uint16_t port, eddy_tls_context *context,
                     const eddy_connect_options *options, eddy_stream **out)
{
    eddy_stream *stream = NULL;

    EDDY_TRY(eddy_tcp_connect(host, port, options, &stream));
    EDDY_TRY(eddy_start_tls(&stream, context, host));
    *out = stream;
    return 0;
}

/* What a stream tells. */

static struct ed_tls *tls_cast(const eddy_stream *stream)
{
    return stream && stream->kind == &tls_class ? tls_of(stream) : NULL;
}

int eddy_tls_get_info(eddy_stream *stream, eddy_tls_info *info)
{
    struct ed_tls *tls = tls_cast(stream);

    return tls ? ed_tls_inform(tls, info) : eddy_raise(-EINVAL, "not a stream of TLS");
}

int eddy_tls_export(eddy_stream *stream, const char *label, void *data, size_t size)
{
    struct ed_tls *tls = tls_cast(stream);

    return tls ? ed_tls_export(tls, label, data, size) : eddy_raise(-EINVAL, "not a stream of TLS");
}

eddy_stream *eddy_tls_lower_stream(const eddy_stream *stream)
{
    const struct ed_tls *tls = tls_cast(stream);

    return tls ? tls->lower : NULL;
}

/* tls:// */

static int tls_scheme_connect(const char *host, uint16_t port, const eddy_connect_options *options,
                              eddy_stream **out)
{
    return eddy_tls_connect(host, port, NULL, options, out);
}

static int tls_scheme_serve(eddy_server_options *options)
{
    if (options->wrap)
        return 0;
    return eddy_raise(-EINVAL, "tls: a server needs a context: set the option wrap to "
                               "eddy_tls_serve, and wrap_argument to the context");
}

const char eddy_tls_linked_ = 1;

__attribute__((constructor)) static void tls_register(void)
{
    static struct eddy_scheme_ scheme = {"tls", tls_scheme_connect, tls_scheme_serve, NULL};

    eddy_register_scheme_(&scheme);
}
