/* SPDX-License-Identifier: MIT */
/*
 * A body that comes, as a stream.
 *
 * Bytes go from the reader into the memory of whoever asks, so a large read is one of the
 * connection's. With a coding they stop in a block between, where `packed` of them wait for the
 * decoder, which never makes more than what was asked for.
 *
 * The body is over when the reader says so and, with a coding, the decoder too. The owner is told
 * at the first moment at which that is known, which may be with the last bytes: so a connection is
 * free again although nobody has read the 0 behind them. Errors that are the calling task's, such
 * as a cancel, leave all as it is: what was taken from the reader is kept for the next call.
 */
#include <string.h>

#include "http/body.h"

#define BODY_PACKED ((size_t)16 << 10) /* bytes for the decoder */

/* Bytes that may come beyond what they become and an eighth of it: coders add some hundredths at
 * most, and a head; but empty blocks could come for ever, and no limit of the body would see it. */
#define BODY_SILENT ((uint64_t)256 << 10)

struct body_reader {
    eddy_stream stream;
    struct ed_reader *reader;
    struct ed_coder *coder; /* NULL: none */
    char *block;            /* for the decoder, BODY_PACKED bytes; made by the first read */
    const char *packed;     /* in the block: what it has not taken, */
    size_t packed_size;     /* so many bytes */
    uint64_t taken;         /* bytes that the decoder was given */
    uint64_t left;          /* bytes that may still be given out */
    uint64_t limit;
    int limit_code;
    struct ed_body_watch watch;
    void *owner;
    bool begun; /* watch.before was called */
    bool told;  /* and watch.ended */
};

static struct body_reader *body_reader_of(eddy_stream *stream)
{
    return (struct body_reader *)stream;
}

/* Whether an error is the calling task's, and not the body's. */
static bool body_error_passes(ssize_t rc)
{
    switch (rc) {
    case -ECANCELED:
    case -ETIMEDOUT:
    case -ESHUTDOWN:
    case -ECONNABORTED:
    case -ENOMEM:
    case -EBUSY:
    case -EAGAIN: return true;
    default: return false;
    }
}

/* Tells the owner of the end, once; returns what was given. */
static ssize_t body_tell(struct body_reader *body, ssize_t rc)
{
    bool ended =
        rc == 0 || (rc > 0 && body->reader && body->reader->ended &&
                    (!body->coder || (body->packed_size == 0 && ed_coder_ended(body->coder))));

    if (!body->told && (ended || (rc < 0 && !body_error_passes(rc)))) {
        body->told = true;
        if (body->watch.ended)
            body->watch.ended(body->owner, rc < 0 ? (int)rc : 0);
    }
    return rc;
}

static ssize_t body_receive(struct body_reader *body, void *data, size_t size)
{
    if (body->watch.read)
        return body->watch.read(body->owner, data, size);
    return ed_reader_body(body->reader, data, size);
}

/* Counts what came: whether it says enough for its length. */
static bool body_take(struct body_reader *body, size_t size)
{
    uint64_t made = body->limit - body->left;

    body->taken += size;
    return body->taken <= made + made / 8 + BODY_SILENT;
}

/* Decodes into the caller's memory, and gets more when the decoder wants it. */
static ssize_t body_decode(struct body_reader *body, void *data, size_t size)
{
    bool last = false;
    ssize_t n;

    if (!body->block)
        body->block = eddy_realloc_(NULL, BODY_PACKED);
    if (!body->block)
        return -ENOMEM;
    for (;;) {
        n = ed_coder_step(body->coder, &body->packed, &body->packed_size, data, size, false, last);
        if (n != 0 || last)
            return n;
        n = body_receive(body, body->block, BODY_PACKED);
        if (n < 0)
            return n;
        if (!body_take(body, (size_t)n))
            return eddy_raise(EDDY_EHTTP_PAYLOAD, "the body goes on, and says nothing");
        last = n == 0;
        body->packed = body->block;
        body->packed_size = (size_t)n;
    }
}

static ssize_t body_next(struct body_reader *body, void *data, size_t size)
{
    return body->coder ? body_decode(body, data, size) : body_receive(body, data, size);
}

/* All is given out that may be: there must be nothing more. */
static ssize_t body_check_end(struct body_reader *body)
{
    char more;
    ssize_t n = body_next(body, &more, 1);

    if (n <= 0)
        return n;
    return eddy_raise(body->limit_code, "the body is longer than %llu bytes",
                      (unsigned long long)body->limit);
}

static ssize_t body_read(eddy_stream *stream, void *data, size_t size)
{
    struct body_reader *body = body_reader_of(stream);
    ssize_t n;

    if (!body->begun && body->watch.before)
        EDDY_TRY(body->watch.before(body->owner));
    body->begun = true;
    if (body->left == 0)
        return body_tell(body, body_check_end(body));
    n = body_next(body, data, size < body->left ? size : (size_t)body->left);
    if (n > 0)
        body->left -= (uint64_t)n;
    return body_tell(body, n);
}

static int body_refuse_write(eddy_stream *stream, const struct iovec *parts, size_t count,
                             bool wait, size_t *done)
{
    (void)stream, (void)parts, (void)count, (void)wait, (void)done;
    return eddy_raise(-EPERM, "the body of a message that came cannot be written");
}

/* What was not read stays with the reader, whose owner sees that it has not ended. */
static void body_abort(eddy_stream *stream, int rc)
{
    (void)stream, (void)rc;
}

static int body_close(eddy_stream *stream)
{
    (void)stream;
    return 0;
}

static void body_free(eddy_stream *stream)
{
    struct body_reader *body = body_reader_of(stream);

    ed_coder_free(body->coder);
    eddy_free(body->block);
    eddy_free(body);
}

static const char *body_peer_name(const eddy_stream *stream)
{
    const struct ed_reader *reader = ((const struct body_reader *)stream)->reader;

    return reader ? eddy_stream_peer_name(reader->stream) : "";
}

static const char *body_local_name(const eddy_stream *stream)
{
    const struct ed_reader *reader = ((const struct body_reader *)stream)->reader;

    return reader ? eddy_stream_local_name(reader->stream) : "";
}

static const eddy_stream_class body_reader_class = {
    .name = "http",
    .read = body_read,
    .write = body_refuse_write,
    .abort = body_abort,
    .close = body_close,
    .free = body_free,
    .peer_name = body_peer_name,
    .local_name = body_local_name,
};

int ed_body_reader_open(struct ed_reader *reader, enum ed_coding coding, uint64_t limit,
                        int limit_code, const struct ed_body_watch *watch, void *owner,
                        eddy_stream **out)
{
    struct body_reader *body = eddy_alloc_(sizeof *body);
    int rc = body ? eddy_stream_init(&body->stream, &body_reader_class) : -ENOMEM;

    if (rc == 0 && coding != ED_CODING_IDENTITY && coding != ED_CODING_UNKNOWN)
        rc = ed_decoder_new(coding, &body->coder);
    if (rc < 0) {
        eddy_free(body);
        return rc;
    }
    body->reader = reader;
    body->left = body->limit = limit;
    body->limit_code = limit_code;
    if (watch)
        body->watch = *watch;
    body->owner = owner;
    *out = &body->stream;
    return 0;
}
