/* SPDX-License-Identifier: MIT */
/* Bytes that are encoded and decoded, for tests. */
#ifndef TEST_HTTP_CODED_H
#define TEST_HTTP_CODED_H

#include "base/compat.h"
#include "harness.h"
#include "eddy/stream_class.h"
#include "http/coding.h"

static const enum ed_coding codings[] = {ED_CODING_GZIP, ED_CODING_DEFLATE, ED_CODING_BROTLI,
                                         ED_CODING_ZSTD};

#define CODINGS ED_ARRAY_LENGTH(codings)

/* Bytes that grow, of a test's own. */
struct bytes {
    char *data;
    size_t size;
};

static inline void bytes_free(struct bytes *bytes)
{
    eddy_free(bytes->data);
}

/* Declares some that are freed at the end of their block. */
#define BYTES EDDY_CLEANUP_(bytes_free) struct bytes

static inline void add(struct bytes *to, const void *data, size_t size)
{
    to->data = eddy_realloc_(to->data, to->size + size + 1);
    memcpy(to->data + to->size, data, size);
    to->size += size;
}

/* Codes bytes that come in pieces of `piece`, into pieces of `room`: 0, or an error. */
static inline int code(struct ed_coder *coder, const void *data, size_t size, size_t piece,
                       size_t room, struct bytes *to)
{
    const char *in = data;
    char out[4096];
    ssize_t n;

    do {
        size_t take = size < piece ? size : piece;
        bool last = take == size;

        size -= take;
        do {
            n = ed_coder_step(coder, &in, &take, out, room, false, last);
            if (n > 0)
                add(to, out, (size_t)n);
        } while (n > 0);
        if (n < 0)
            return (int)n;
        REQUIRE(take == 0);
    } while (size > 0);
    return ed_coder_ended(coder) ? 0 : EDDY_EINCOMPLETE;
}

static inline int encode(enum ed_coding coding, const void *data, size_t size, struct bytes *to)
{
    struct ed_coder *coder;
    int rc = ed_encoder_new(coding, 0, &coder);

    if (rc < 0)
        return rc;
    rc = code(coder, data, size, 5000, 4096, to);
    ed_coder_free(coder);
    return rc;
}

static inline int decode(enum ed_coding coding, const void *data, size_t size, size_t piece,
                         size_t room, struct bytes *to)
{
    struct ed_coder *coder;
    int rc = ed_decoder_new(coding, &coder);

    if (rc < 0)
        return rc;
    rc = code(coder, data, size, piece, room, to);
    ed_coder_free(coder);
    return rc;
}

/* A text that compresses, and then bytes that do not. */
static inline void fill(char *data, size_t size)
{
    unsigned state = 1;

    for (size_t i = 0; i < size; i++) {
        state = state * 1103515245u + 12345u;
        data[i] = i < size / 2 ? "an eddy is a loop in a stream; "[i % 31] : (char)(state >> 16);
    }
}

#endif
