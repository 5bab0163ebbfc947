/* SPDX-License-Identifier: MIT */
/*
 * br (RFC 7932), by brotli's library. A decoder's window is what the data ask for, at most 16 MiB,
 * of which no more is touched than has been decoded; the "large windows" of up to 1 GiB, which are
 * no part of the RFC, stay switched off.
 *
 * Of brotli 1.0 the encoder ends the process when an allocation fails. So it is never told: an
 * encoder has a reserve from its beginning, untouched, from which such an allocation is served, and
 * the step that needed it says -ENOMEM at its end. Steps are short, so that the reserve is enough
 * for one of them.
 */
#include <brotli/decode.h>
#include <brotli/encode.h>

#include "eddy/stream_class.h"
#include "http/coder.h"

#define BROTLI_LEVEL 4        /* as fast as gzip, and smaller */
#define BROTLI_WINDOW_BITS 18 /* 256 KiB; with these two an encoder holds 3.5 MiB */
#define BROTLI_BLOCK_BITS 16
#define BROTLI_STEP ((size_t)64 << 10)   /* bytes that are encoded at once, at most */
#define BROTLI_RESERVE ((size_t)8 << 20) /* more than a step ever allocates */
#define BROTLI_ALIGN 16

struct brotli_coder {
    struct ed_coder coder;
    BrotliEncoderState *encoder; /* one of the two */
    BrotliDecoderState *decoder;
    char *reserve;       /* of an encoder */
    size_t reserve_used; /* above 0: memory was short */
};

static struct brotli_coder *brotli_of(struct ed_coder *coder)
{
    return (struct brotli_coder *)coder;
}

static void *brotli_alloc(void *argument, size_t size)
{
    (void)argument;
    return eddy_realloc_(NULL, size);
}

static void brotli_release(void *argument, void *memory)
{
    (void)argument;
    eddy_free(memory);
}

/* The same for an encoder: never NULL. */
static void *brotli_alloc_surely(void *argument, size_t size)
{
    struct brotli_coder *brotli = argument;
    void *memory = eddy_realloc_(NULL, size);

    if (!memory && size <= BROTLI_RESERVE - brotli->reserve_used) {
        memory = brotli->reserve + brotli->reserve_used;
        brotli->reserve_used += (size + BROTLI_ALIGN - 1) & ~(size_t)(BROTLI_ALIGN - 1);
    }
    return memory;
}

static void brotli_release_surely(void *argument, void *memory)
{
    const struct brotli_coder *brotli = argument;
    uintptr_t at = (uintptr_t)memory - (uintptr_t)brotli->reserve;

    if (at >= BROTLI_RESERVE)
        eddy_free(memory);
}

/* One step of the library's: how many bytes were put, or -ENOMEM. */
static ssize_t brotli_encode_some(struct brotli_coder *brotli, const char **in, size_t *in_size,
                                  void *out, size_t size, BrotliEncoderOperation operation)
{
    size_t step = *in_size < BROTLI_STEP ? *in_size : BROTLI_STEP, room = size;
    const uint8_t *next_in = (const uint8_t *)*in;
    uint8_t *next_out = out;

    if (step < *in_size)
        operation = BROTLI_OPERATION_PROCESS;
    if (brotli->reserve_used > 0 ||
        !BrotliEncoderCompressStream(brotli->encoder, operation, &step, &next_in, &room, &next_out,
                                     NULL) ||
        brotli->reserve_used > 0)
        return -ENOMEM;
    *in_size -= (size_t)((const char *)next_in - *in);
    *in = (const char *)next_in;
    return (ssize_t)(size - room);
}

static ssize_t brotli_encode(struct ed_coder *coder, const char **in, size_t *in_size, void *out,
                             size_t size, bool flush, bool last)
{
    struct brotli_coder *brotli = brotli_of(coder);
    BrotliEncoderOperation operation = last    ? BROTLI_OPERATION_FINISH
                                       : flush ? BROTLI_OPERATION_FLUSH
                                               : BROTLI_OPERATION_PROCESS;
    ssize_t n;

    if (coder->ended)
        return 0;
    do {
        n = brotli_encode_some(brotli, in, in_size, out, size, operation);
    } while (n == 0 && *in_size > 0);
    coder->ended = BrotliEncoderIsFinished(brotli->encoder);
    return n;
}

static ssize_t brotli_decode(struct ed_coder *coder, const char **in, size_t *in_size, void *out,
                             size_t size, bool flush, bool last)
{
    BrotliDecoderState *decoder = brotli_of(coder)->decoder;
    const uint8_t *next_in = (const uint8_t *)*in;
    uint8_t *next_out = out;
    size_t room = size;
    BrotliDecoderErrorCode code;

    (void)flush, (void)last;
    if (coder->ended)
        return 0;
    if (BrotliDecoderDecompressStream(decoder, in_size, &next_in, &room, &next_out, NULL) ==
        BROTLI_DECODER_RESULT_ERROR) {
        code = BrotliDecoderGetErrorCode(decoder);
        if (code <= BROTLI_DECODER_ERROR_ALLOC_CONTEXT_MODES &&
            code >= BROTLI_DECODER_ERROR_ALLOC_BLOCK_TYPE_TREES)
            return -ENOMEM;
        return ed_coder_refuse(coder, BrotliDecoderErrorString(code));
    }
    *in = (const char *)next_in;
    coder->ended = BrotliDecoderIsFinished(decoder);
    return (ssize_t)(size - room);
}

static void brotli_free(struct ed_coder *coder)
{
    BrotliEncoderDestroyInstance(brotli_of(coder)->encoder); /* NULL too */
    BrotliDecoderDestroyInstance(brotli_of(coder)->decoder);
    eddy_free(brotli_of(coder)->reserve);
    eddy_free(coder);
}

static const struct ed_coder_kind brotli_encoder = {brotli_encode, brotli_free};
static const struct ed_coder_kind brotli_decoder = {brotli_decode, brotli_free};

int ed_brotli_encoder_new(int level, struct ed_coder **out)
{
    struct brotli_coder *brotli = eddy_alloc_(sizeof *brotli);

    if (!brotli)
        return -ENOMEM;
    brotli->coder.kind = &brotli_encoder;
    brotli->reserve = eddy_alloc_(BROTLI_RESERVE);
    if (brotli->reserve)
        brotli->encoder =
            BrotliEncoderCreateInstance(brotli_alloc_surely, brotli_release_surely, brotli);
    if (!brotli->encoder) {
        brotli_free(&brotli->coder);
        return -ENOMEM;
    }
    BrotliEncoderSetParameter(brotli->encoder, BROTLI_PARAM_QUALITY,
                              (uint32_t)(level ? level : BROTLI_LEVEL));
    BrotliEncoderSetParameter(brotli->encoder, BROTLI_PARAM_LGWIN, BROTLI_WINDOW_BITS);
    BrotliEncoderSetParameter(brotli->encoder, BROTLI_PARAM_LGBLOCK, BROTLI_BLOCK_BITS);
    BrotliEncoderSetParameter(brotli->encoder, BROTLI_PARAM_SIZE_HINT, 1); /* no larger tables */
    *out = &brotli->coder;
    return 0;
}

int ed_brotli_decoder_new(struct ed_coder **out)
{
    struct brotli_coder *brotli = eddy_alloc_(sizeof *brotli);

    if (!brotli)
        return -ENOMEM;
    brotli->coder.kind = &brotli_decoder;
    brotli->decoder = BrotliDecoderCreateInstance(brotli_alloc, brotli_release, NULL);
    if (!brotli->decoder) {
        brotli_free(&brotli->coder);
        return -ENOMEM;
    }
    *out = &brotli->coder;
    return 0;
}
