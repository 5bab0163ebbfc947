/* SPDX-License-Identifier: MIT */
/*
 * gzip (RFC 1952) and deflate (RFC 1950, or RFC 1951 alone), by zlib.
 *
 * A gzip body may have several members, one behind the other. Between two of them the decoder is
 * at a possible end: `ended` is set, and goes again when the next one begins.
 *
 * "deflate" is zlib's format, but some send the compressed data without its frame. The first two
 * bytes tell: those of zlib say its method, 8, and are a multiple of 31. They are held in `head`
 * until both have come, and are then decoded like all others.
 */
#define ZLIB_CONST
#include <string.h>
#include <zlib.h>

#include "eddy/stream_class.h"
#include "http/coder.h"

#define ZLIB_GZIP 16 /* added to the bits of the window */
#define ZLIB_MEMORY 8

struct zlib_coder {
    struct ed_coder coder;
    z_stream stream;
    bool gzip;
    bool open;       /* the stream is set up */
    int members;     /* that have ended */
    uint8_t head[2]; /* of a deflate body, */
    size_t held;     /* so many bytes of it, */
    size_t shown;    /* of which so many are decoded */
};

static struct zlib_coder *zlib_of(struct ed_coder *coder)
{
    return (struct zlib_coder *)coder;
}

static void *zlib_alloc(void *argument, uInt count, uInt size)
{
    (void)argument;
    return eddy_alloc_((size_t)count * size);
}

static void zlib_release(void *argument, void *memory)
{
    (void)argument;
    eddy_free(memory);
}

/* Points the stream at what is to be taken and filled; a body comes in pieces of any size. */
static void zlib_aim(z_stream *stream, const void *in, size_t in_size, void *out, size_t size)
{
    stream->next_in = in;
    stream->avail_in = in_size < UINT32_MAX ? (uInt)in_size : UINT32_MAX;
    stream->next_out = out;
    stream->avail_out = size < INT32_MAX ? (uInt)size : INT32_MAX;
}

/* Moves on behind what was taken: how many bytes were put. */
static ssize_t zlib_account(const z_stream *stream, const char **in, size_t *in_size, void *out)
{
    *in_size -= (size_t)((const char *)stream->next_in - *in);
    *in = (const char *)stream->next_in;
    return (char *)stream->next_out - (char *)out;
}

static ssize_t zlib_encode(struct ed_coder *coder, const char **in, size_t *in_size, void *out,
                           size_t size, bool flush, bool last)
{
    z_stream *stream = &zlib_of(coder)->stream;
    bool all;
    int rc;

    if (coder->ended)
        return 0;
    zlib_aim(stream, *in, *in_size, out, size);
    all = stream->avail_in == *in_size;
    rc = deflate(stream, last && all ? Z_FINISH : flush && all ? Z_SYNC_FLUSH : Z_NO_FLUSH);
    coder->ended = rc == Z_STREAM_END;
    return zlib_account(stream, in, in_size, out);
}

static void zlib_encoder_free(struct ed_coder *coder)
{
    if (zlib_of(coder)->open)
        deflateEnd(&zlib_of(coder)->stream);
    eddy_free(coder);
}

/* Looks at the first bytes of a deflate body: whether more of them are needed. */
static bool zlib_hold(struct zlib_coder *zlib, const char **in, size_t *in_size, bool last)
{
    while (zlib->held<sizeof zlib->head && * in_size> 0) {
        zlib->head[zlib->held++] = (uint8_t) * *in;
        (*in)++;
        (*in_size)--;
    }
    return zlib->held < sizeof zlib->head && !last;
}

/* Sets the stream up for what the first bytes are of: 0, -ENOMEM. */
static int zlib_begin(struct zlib_coder *zlib)
{
    unsigned head = zlib->head[0] * 256u + zlib->head[1];
    bool framed = (zlib->head[0] & 15) == 8 && zlib->head[0] >> 4 <= 7 && head % 31 == 0;

    zlib->open = inflateInit2(&zlib->stream, framed ? MAX_WBITS : -MAX_WBITS) == Z_OK;
    return zlib->open ? 0 : -ENOMEM;
}

/* Begins with the next member of a gzip body, when there are bytes of it. */
static int zlib_next_member(struct zlib_coder *zlib)
{
    if (++zlib->members >= ED_CODER_MEMBERS)
        return ed_coder_refuse(&zlib->coder, "it has too many members");
    inflateReset(&zlib->stream);
    zlib->coder.ended = false;
    return 0;
}

/* One step of zlib's from a piece of memory. */
static ssize_t
zlib_inflate(struct zlib_coder *zlib, const char **in, size_t *in_size, void *out, size_t size)
{
    int rc;

    zlib_aim(&zlib->stream, *in, *in_size, out, size);
    rc = inflate(&zlib->stream, Z_NO_FLUSH);
    switch (rc) {
    case Z_STREAM_END: zlib->coder.ended = true; break;
    case Z_OK:
    case Z_BUF_ERROR: break;
    case Z_MEM_ERROR: return -ENOMEM;
    case Z_NEED_DICT: return ed_coder_refuse(&zlib->coder, "it needs a dictionary");
    default:
        return ed_coder_refuse(&zlib->coder, zlib->stream.msg ? zlib->stream.msg : "broken data");
    }
    return zlib_account(&zlib->stream, in, in_size, out);
}

static ssize_t zlib_decode_gzip(struct ed_coder *coder, const char **in, size_t *in_size, void *out,
                                size_t size, bool flush, bool last)
{
    struct zlib_coder *zlib = zlib_of(coder);
    ssize_t n = 0;

    (void)flush, (void)last;
    while (n == 0 && *in_size > 0) {
        if (coder->ended)
            EDDY_TRY(zlib_next_member(zlib));
        n = zlib_inflate(zlib, in, in_size, out, size);
    }
    /* what zlib still has of the input before */
    if (n == 0 && !coder->ended)
        n = zlib_inflate(zlib, in, in_size, out, size);
    return n;
}

/* Decodes what is held of the beginning, and then the rest. */
static ssize_t zlib_decode_deflate(struct ed_coder *coder, const char **in, size_t *in_size,
                                   void *out, size_t size, bool flush, bool last)
{
    struct zlib_coder *zlib = zlib_of(coder);
    ssize_t n = 0;

    (void)flush;
    if (coder->ended || (!zlib->open && zlib_hold(zlib, in, in_size, last)))
        return 0;
    if (!zlib->open)
        EDDY_TRY(zlib_begin(zlib));
    while (zlib->shown < zlib->held && !coder->ended) {
        const char *head = (const char *)zlib->head + zlib->shown;
        size_t left = zlib->held - zlib->shown;

        n = zlib_inflate(zlib, &head, &left, out, size);
        zlib->shown = zlib->held - left;
        if (n != 0)
            return n;
    }
    if (zlib->shown < zlib->held)
        return ed_coder_refuse(coder, "there are bytes behind its end");
    return coder->ended ? 0 : zlib_inflate(zlib, in, in_size, out, size);
}

static void zlib_decoder_free(struct ed_coder *coder)
{
    if (zlib_of(coder)->open)
        inflateEnd(&zlib_of(coder)->stream);
    eddy_free(coder);
}

static const struct ed_coder_kind zlib_encoder = {zlib_encode, zlib_encoder_free};
static const struct ed_coder_kind zlib_gzip_decoder = {zlib_decode_gzip, zlib_decoder_free};
static const struct ed_coder_kind zlib_deflate_decoder = {zlib_decode_deflate, zlib_decoder_free};

static struct zlib_coder *zlib_new(bool gzip, const struct ed_coder_kind *kind)
{
    struct zlib_coder *zlib = eddy_alloc_(sizeof *zlib);

    if (!zlib)
        return NULL;
    zlib->coder.kind = kind;
    zlib->gzip = gzip;
    zlib->stream.zalloc = zlib_alloc;
    zlib->stream.zfree = zlib_release;
    return zlib;
}

int ed_zlib_encoder_new(bool gzip, int level, struct ed_coder **out)
{
    struct zlib_coder *zlib = zlib_new(gzip, &zlib_encoder);

    if (!zlib)
        return -ENOMEM;
    zlib->open =
        deflateInit2(&zlib->stream, level ? level : Z_DEFAULT_COMPRESSION, Z_DEFLATED,
                     MAX_WBITS + (gzip ? ZLIB_GZIP : 0), ZLIB_MEMORY, Z_DEFAULT_STRATEGY) == Z_OK;
    if (!zlib->open) {
        zlib_encoder_free(&zlib->coder);
        return -ENOMEM;
    }
    *out = &zlib->coder;
    return 0;
}

int ed_zlib_decoder_new(bool gzip, struct ed_coder **out)
{
    struct zlib_coder *zlib = zlib_new(gzip, gzip ? &zlib_gzip_decoder : &zlib_deflate_decoder);

    if (!zlib)
        return -ENOMEM;
    if (gzip)
        zlib->open = inflateInit2(&zlib->stream, MAX_WBITS + ZLIB_GZIP) == Z_OK;
    if (gzip && !zlib->open) {
        zlib_decoder_free(&zlib->coder);
        return -ENOMEM;
    }
    *out = &zlib->coder;
    return 0;
}
