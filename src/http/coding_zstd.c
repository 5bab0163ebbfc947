/* SPDX-License-Identifier: MIT */
/*
 * zstd (RFC 8878), by its library. A decoder's window is 8 MiB at most, as RFC 9659 has it for
 * HTTP. A body may have several frames, one behind the other; at each one's end it may end.
 *
 * An allocator of one's own is among what the library calls experimental, and has been there
 * unchanged since its first version.
 */
#define ZSTD_STATIC_LINKING_ONLY
#include <zstd.h>
#include <zstd_errors.h>

#include "eddy/stream_class.h"
#include "http/coder.h"

#define ZSTD_LEVEL 3
#define ZSTD_ENCODER_WINDOW_BITS 19 /* 512 KiB: what an encoder holds is a few times that */
#define ZSTD_DECODER_WINDOW_BITS 23

struct zstd_coder {
    struct ed_coder coder;
    ZSTD_CCtx *encoder; /* one of the two */
    ZSTD_DCtx *decoder;
    bool full; /* the output was filled: there may be more of it */
};

static struct zstd_coder *zstd_of(struct ed_coder *coder)
{
    return (struct zstd_coder *)coder;
}

static void *zstd_alloc(void *argument, size_t size)
{
    (void)argument;
    return eddy_alloc_(size);
}

static void zstd_release(void *argument, void *memory)
{
    (void)argument;
    eddy_free(memory);
}

static const ZSTD_customMem zstd_memory = {zstd_alloc, zstd_release, NULL};

/* The error behind a result of the library's. */
static int zstd_fail(const struct ed_coder *coder, size_t result)
{
    switch (ZSTD_getErrorCode(result)) {
    case ZSTD_error_memory_allocation: return -ENOMEM;
    case ZSTD_error_frameParameter_windowTooLarge:
        return ed_coder_refuse(coder, "its window is larger than 8 MiB");
    default: return ed_coder_refuse(coder, ZSTD_getErrorName(result));
    }
}

static ssize_t zstd_encode(struct ed_coder *coder, const char **in, size_t *in_size, void *out,
                           size_t size, bool flush, bool last)
{
    ZSTD_inBuffer from = {*in, *in_size, 0};
    ZSTD_outBuffer to = {out, size, 0};
    size_t left;

    if (coder->ended)
        return 0;
    left = ZSTD_compressStream2(zstd_of(coder)->encoder, &to, &from,
                                last    ? ZSTD_e_end
                                : flush ? ZSTD_e_flush
                                        : ZSTD_e_continue);
    if (ZSTD_isError(left))
        return zstd_fail(coder, left);
    *in += from.pos;
    *in_size -= from.pos;
    coder->ended = last && left == 0;
    return (ssize_t)to.pos;
}

static ssize_t zstd_decode(struct ed_coder *coder, const char **in, size_t *in_size, void *out,
                           size_t size, bool flush, bool last)
{
    struct zstd_coder *zstd = zstd_of(coder);
    ZSTD_inBuffer from = {*in, *in_size, 0};
    ZSTD_outBuffer to = {out, size, 0};
    size_t wanted;

    (void)flush, (void)last;
    while (to.pos == 0 && (from.pos < from.size || zstd->full)) {
        wanted = ZSTD_decompressStream(zstd->decoder, &to, &from);
        if (ZSTD_isError(wanted))
            return zstd_fail(coder, wanted);
        coder->ended = wanted == 0;
        zstd->full = to.pos == to.size && wanted > 0;
    }
    *in += from.pos;
    *in_size -= from.pos;
    return (ssize_t)to.pos;
}

static void zstd_free(struct ed_coder *coder)
{
    ZSTD_freeCCtx(zstd_of(coder)->encoder); /* NULL too */
    ZSTD_freeDCtx(zstd_of(coder)->decoder);
    eddy_free(coder);
}

static const struct ed_coder_kind zstd_encoder = {zstd_encode, zstd_free};
static const struct ed_coder_kind zstd_decoder = {zstd_decode, zstd_free};

int ed_zstd_encoder_new(int level, struct ed_coder **out)
{
    struct zstd_coder *zstd = eddy_alloc_(sizeof *zstd);

    if (!zstd)
        return -ENOMEM;
    zstd->coder.kind = &zstd_encoder;
    zstd->encoder = ZSTD_createCCtx_advanced(zstd_memory);
    if (!zstd->encoder) {
        zstd_free(&zstd->coder);
        return -ENOMEM;
    }
    ZSTD_CCtx_setParameter(zstd->encoder, ZSTD_c_compressionLevel, level ? level : ZSTD_LEVEL);
    ZSTD_CCtx_setParameter(zstd->encoder, ZSTD_c_windowLog, ZSTD_ENCODER_WINDOW_BITS);
    ZSTD_CCtx_setParameter(zstd->encoder, ZSTD_c_checksumFlag, 1);
    *out = &zstd->coder;
    return 0;
}

int ed_zstd_decoder_new(struct ed_coder **out)
{
    struct zstd_coder *zstd = eddy_alloc_(sizeof *zstd);

    if (!zstd)
        return -ENOMEM;
    zstd->coder.kind = &zstd_decoder;
    zstd->decoder = ZSTD_createDCtx_advanced(zstd_memory);
    if (!zstd->decoder) {
        zstd_free(&zstd->coder);
        return -ENOMEM;
    }
    ZSTD_DCtx_setParameter(zstd->decoder, ZSTD_d_windowLogMax, ZSTD_DECODER_WINDOW_BITS);
    *out = &zstd->coder;
    return 0;
}
