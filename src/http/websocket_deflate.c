/* SPDX-License-Identifier: MIT */
/*
 * permessage-deflate over zlib's raw streams.
 *
 * A message goes out as what deflate makes of it up to a sync flush, without the four bytes with
 * which every such flush ends; they are added again where it comes in. Pieces before the last keep
 * theirs. A last piece for which deflate has nothing to say is one byte, the begin of an empty
 * block.
 *
 * What comes is expanded in steps whose output is bounded by the caller, so that a bomb explodes no
 * faster than somebody makes room for it. A stream that says it has ended begins anew, with its
 * window (RFC 7692, 7.2.3.4); a message of many that are empty is refused, as it costs much and
 * says nothing.
 */
#include "http/websocket_deflate.h"

#include <errno.h>
#include <string.h>
#include <zlib.h>

#include "eddy/error.h"

#define LEVEL 6         /* as fast as it pays */
#define MEMORY 8        /* deflate's usual */
#define WINDOW 32768    /* bytes, the largest */
#define SMALLEST_BITS 9 /* of a window: zlib has none of 8 without a header */
#define ENDS 8          /* of streams in a message, and one more for each KiB that it has */

struct ed_deflate {
    z_stream out, in;
    bool has_out, has_in;
    bool out_alone, in_alone;
    int out_bits, in_bits;
    uint64_t made; /* bytes of the message that comes, before this step */
    uint64_t ends; /* of streams in it */
};

static void *deflate_allocate(void *unused, unsigned count, unsigned size)
{
    (void)unused;
    return eddy_alloc_((size_t)count * size);
}

static void deflate_free(void *unused, void *memory)
{
    (void)unused;
    eddy_free(memory);
}

int ed_deflate_open(const struct ed_deflate_terms *terms, bool client, struct ed_deflate **out)
{
    struct ed_deflate *deflate = eddy_alloc_(sizeof *deflate);

    if (!deflate)
        return -ENOMEM;
    deflate->out.zalloc = deflate->in.zalloc = deflate_allocate;
    deflate->out.zfree = deflate->in.zfree = deflate_free;
    deflate->out_alone = client ? terms->client_alone : terms->server_alone;
    deflate->in_alone = client ? terms->server_alone : terms->client_alone;
    deflate->out_bits = client ? terms->client_bits : terms->server_bits;
    deflate->in_bits = client ? terms->server_bits : terms->client_bits;
    *out = deflate;
    return 0;
}

void ed_deflate_close(struct ed_deflate *deflate)
{
    if (!deflate)
        return;
    if (deflate->has_out)
        (void)deflateEnd(&deflate->out); /* says that something was not sent: so it was meant */
    if (deflate->has_in)
        (void)inflateEnd(&deflate->in);
    eddy_free(deflate);
}

bool ed_deflate_can_send(const struct ed_deflate *deflate)
{
    return deflate->out_bits >= SMALLEST_BITS;
}

/* Sending ------------------------------------------------------------------------ */

static int deflate_begin(struct ed_deflate *deflate)
{
    if (deflate->has_out)
        return 0;
    if (deflateInit2(&deflate->out, LEVEL, Z_DEFLATED, -deflate->out_bits, MEMORY,
                     Z_DEFAULT_STRATEGY) != Z_OK)
        return -ENOMEM;
    deflate->has_out = true;
    return 0;
}

/* Runs deflate until it has put out all it has. 0, -ENOMEM. */
static int deflate_run(z_stream *stream, struct eddy_buffer_ *out)
{
    size_t room;

    do {
        if (ed_buffer_reserve(out, stream->avail_in / 2 + 64) < 0)
            return -ENOMEM;
        room = ed_buffer_room(out);
        stream->next_out = (Bytef *)ed_buffer_free_space(out);
        stream->avail_out = room < UINT32_MAX ? (unsigned)room : UINT32_MAX;
        room = stream->avail_out;
        (void)deflate(stream, Z_SYNC_FLUSH); /* Z_BUF_ERROR: there was nothing to say */
        ed_buffer_commit(out, room - stream->avail_out);
    } while (stream->avail_out == 0);
    return 0;
}

/* Takes off what a flush ends with, or, when there is nothing of one, begins an empty block. */
static int deflate_cut(struct eddy_buffer_ *out, size_t before)
{
    if (ed_buffer_size(out) - before < ED_DEFLATE_TAIL_SIZE)
        return ed_buffer_append(out, "", 1);
    out->end -= ED_DEFLATE_TAIL_SIZE;
    return 0;
}

int ed_deflate_send(struct ed_deflate *deflate, const void *data, size_t size, bool last,
                    struct eddy_buffer_ *out)
{
    size_t before = ed_buffer_size(out), piece;
    const char *next = data;
    int rc = deflate_begin(deflate);

    for (; rc == 0 && size > 0; next += piece, size -= piece) {
        piece = size < UINT32_MAX / 2 ? size : UINT32_MAX / 2;
        deflate->out.next_in = (Bytef *)(uintptr_t)next;
        deflate->out.avail_in = (unsigned)piece;
        rc = deflate_run(&deflate->out, out);
    }
    if (rc == 0 && last) {
        rc = deflate_cut(out, before);
        if (deflate->out_alone)
            (void)deflateReset(&deflate->out); /* cannot fail on a stream that works */
    }
    return rc;
}

/* Receiving ---------------------------------------------------------------------- */

/* Begins anew behind the end of a stream, with its window. 0, -EBADMSG, -ENOMEM. */
static int inflate_again(z_stream *stream)
{
    Bytef *window = eddy_alloc_(WINDOW);
    unsigned size = 0;
    int rc = 0;

    if (!window)
        return -ENOMEM;
    if (inflateGetDictionary(stream, window, &size) != Z_OK || inflateReset(stream) != Z_OK ||
        (size > 0 && inflateSetDictionary(stream, window, size) != Z_OK))
        rc = -EBADMSG;
    eddy_free(window);
    return rc;
}

/* Counts an end: an empty stream is two bytes, and to begin anew takes microseconds. */
static bool inflate_may_end(struct ed_deflate *deflate, size_t made)
{
    return deflate->ends++ < ENDS + (deflate->made + made) / 1024;
}

static int inflate_begin(struct ed_deflate *deflate)
{
    if (deflate->has_in)
        return 0;
    /* a larger window than the peer's does no harm */
    if (inflateInit2(&deflate->in, -(deflate->in_bits < SMALLEST_BITS ? SMALLEST_BITS
                                                                      : deflate->in_bits)) != Z_OK)
        return -ENOMEM;
    deflate->has_in = true;
    return 0;
}

ssize_t ed_deflate_receive(struct ed_deflate *deflate, const char **in, size_t *in_size, char *out,
                           size_t size)
{
    z_stream *stream = &deflate->in;
    int rc = inflate_begin(deflate), result = Z_OK;

    if (rc < 0)
        return rc;
    size = size < UINT32_MAX ? size : UINT32_MAX;
    stream->next_in = (Bytef *)(uintptr_t)*in;
    stream->avail_in = *in_size < UINT32_MAX ? (unsigned)*in_size : UINT32_MAX;
    stream->next_out = (Bytef *)out;
    stream->avail_out = (unsigned)size;
    while (result == Z_OK && stream->avail_out > 0) {
        result = inflate(stream, Z_SYNC_FLUSH);
        if (result == Z_STREAM_END) {
            rc = inflate_may_end(deflate, size - stream->avail_out) ? inflate_again(stream)
                                                                    : -EBADMSG;
            result = rc == 0 ? Z_OK : Z_DATA_ERROR;
        }
        if (stream->avail_in == 0 && stream->avail_out > 0)
            break;
    }
    deflate->made += size - stream->avail_out;
    *in_size -= (size_t)((const char *)stream->next_in - *in);
    *in = (const char *)stream->next_in;
    if (result == Z_MEM_ERROR || rc == -ENOMEM)
        return -ENOMEM;
    return result == Z_OK || result == Z_BUF_ERROR ? (ssize_t)(size - stream->avail_out) : -EBADMSG;
}

void ed_deflate_received(struct ed_deflate *deflate)
{
    deflate->ends = 0;
    deflate->made = 0;
    if (deflate->has_in && deflate->in_alone)
        (void)inflateReset(&deflate->in); /* cannot fail on a stream that works */
}
