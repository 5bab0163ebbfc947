/* SPDX-License-Identifier: MIT */
/*
 * The bytes of a part, as a stream: where they end, and how they are decoded.
 *
 * What the body has is searched for the delimiter once: `ready` bytes in front of it are known to
 * be the part's, and are read without another look. A delimiter may be cut anywhere: bytes at the
 * end that could be its beginning are not ready before those behind them have come. Only its first
 * character is a CR, so they begin at the last CR, and are fewer than a delimiter has; the body is
 * never asked for more than one byte beyond those. So the cost is linear in the bytes, whatever
 * they are and however they come.
 */
#include <string.h>

#include "http/multipart.h"

/* How many bytes at the end could be the beginning of a delimiter, which is not there as a whole.
 * */
static size_t part_held_back(const struct eddy_multipart *multipart, const char *data, size_t size)
{
    size_t most = size < multipart->delimiter_size ? size : multipart->delimiter_size - 1;
    const char *begin = memrchr(data + size - most, '\r', most);
    size_t held = begin ? (size_t)(data + size - begin) : 0;

    return held > 0 && memcmp(begin, multipart->delimiter, held) == 0 ? held : 0;
}

/* Whether a delimiter begins right at the start, without a line end before it: 1; 0: it does not;
 * -1: that is not known yet. */
static int
part_begins_with_delimiter(const struct eddy_multipart *multipart, const char *data, size_t size)
{
    size_t all = multipart->delimiter_size - 2;

    if (memcmp(data, multipart->delimiter + 2, size < all ? size : all) != 0)
        return 0;
    return size < all ? -1 : 1;
}

/* Looks through bytes that have come: whether it is known what the first of them is. */
static bool part_look_through(struct eddy_multipart *multipart, const char *data, size_t size)
{
    const char *found;
    int begins = multipart->fresh ? part_begins_with_delimiter(multipart, data, size) : 0;

    if (begins != 0) {
        multipart->at_end = begins > 0;
        multipart->end_size = multipart->delimiter_size - 2;
        return begins > 0;
    }
    found = memmem(data, size, multipart->delimiter, multipart->delimiter_size);
    multipart->at_end = found != NULL;
    multipart->end_size = multipart->delimiter_size;
    multipart->ready =
        found ? (size_t)(found - data) : size - part_held_back(multipart, data, size);
    return found || multipart->ready > 0;
}

ssize_t ed_multipart_scan(struct eddy_multipart *multipart)
{
    size_t least = 1;
    const char *data;
    ssize_t n;

    while (multipart->ready == 0 && !multipart->at_end) {
        n = eddy_peek(multipart->body, least, &data);
        if (n < 0)
            return n;
        if ((size_t)n < least)
            return ed_multipart_fail(multipart, EDDY_EINCOMPLETE,
                                     "the multipart body ends before its last boundary");
        if (!part_look_through(multipart, data, (size_t)n))
            least = (size_t)n + 1;
    }
    return (ssize_t)multipart->ready;
}

void ed_multipart_took(struct eddy_multipart *multipart, size_t size)
{
    multipart->ready -= size;
    multipart->fresh = false;
}

struct part {
    eddy_stream stream;
    struct eddy_multipart *multipart;
    struct ed_transfer transfer;
};

/* Bytes that are not encoded go as they are. */
static ssize_t part_read_plain(struct part *part, void *data, size_t size)
{
    ssize_t n = ed_multipart_scan(part->multipart);

    if (n <= 0)
        return n;
    n = eddy_read(part->multipart->body, data, size < (size_t)n ? size : (size_t)n);
    if (n > 0)
        ed_multipart_took(part->multipart, (size_t)n);
    return n;
}

static ssize_t part_read_encoded(struct part *part, char *data, size_t size)
{
    eddy_stream *body = part->multipart->body;
    const char *in;
    size_t before, left;
    ssize_t ready, n;

    do {
        ready = ed_multipart_scan(part->multipart);
        if (ready <= 0)
            return ready < 0 ? ready : ed_transfer_end(&part->transfer);
        n = eddy_peek(body, (size_t)ready, &in);
        if (n < 0)
            return n;
        before = left = (size_t)ready;
        n = ed_transfer_step(&part->transfer, &in, &left, data, size);
        if (n < 0)
            return n;
        eddy_consume(body, before - left);
        ed_multipart_took(part->multipart, before - left);
    } while (n == 0);
    return n;
}

static ssize_t part_read(eddy_stream *stream, void *data, size_t size)
{
    struct part *part = (struct part *)stream;

    return part->transfer.kind == ED_TRANSFER_NONE ? part_read_plain(part, data, size)
                                                   : part_read_encoded(part, data, size);
}

static int part_refuse_write(eddy_stream *stream, const struct iovec *parts, size_t count,
                             bool wait, size_t *done)
{
    (void)stream, (void)parts, (void)count, (void)wait, (void)done;
    return eddy_raise(-EPERM, "a part that came cannot be written");
}

static void part_abort(eddy_stream *stream, int rc)
{
    (void)stream, (void)rc;
}

static int part_close(eddy_stream *stream)
{
    (void)stream;
    return 0;
}

static void part_free(eddy_stream *stream)
{
    eddy_free(stream);
}

static const eddy_stream_class part_class = {
    .name = "multipart",
    .read = part_read,
    .write = part_refuse_write,
    .abort = part_abort,
    .close = part_close,
    .free = part_free,
};

int ed_multipart_part_open(struct eddy_multipart *multipart, enum ed_transfer_kind kind,
                           eddy_stream **out)
{
    struct part *part = eddy_alloc_(sizeof *part);
    int rc = part ? eddy_stream_init(&part->stream, &part_class) : -ENOMEM;

    if (rc < 0) {
        eddy_free(part);
        return rc;
    }
    part->multipart = multipart;
    part->transfer.kind = kind;
    *out = &part->stream;
    return 0;
}
