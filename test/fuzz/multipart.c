/* SPDX-License-Identifier: MIT */
/*
 * Multipart bodies: whatever they are, the parts are the same at once and in pieces, no part has
 * more bytes than came, and the reading ends.
 *
 * The input's first byte says in what pieces the body comes and is read.
 */
#include <eddy.h>
#include <eddy/form.h>

#include "fuzz.h"

#define TYPE "multipart/form-data; boundary=B"

struct input {
    const uint8_t *bytes;
    size_t size, piece;
};

static int send_pieces(eddy_stream *to, const struct input *input)
{
    for (size_t sent = 0; sent < input->size; sent += input->piece) {
        size_t left = input->size - sent, piece = left < input->piece ? left : input->piece;

        EDDY_TRY(eddy_write(to, input->bytes + sent, piece));
        if (input->piece < 64)
            EDDY_TRY(eddy_sleep(0));
    }
    return eddy_write_eof(to);
}
EDDY_ASYNC(send_pieces, eddy_stream *, const struct input *);

/* Adds a byte of what was seen to a sum over all of it. */
static void sum_add(uint64_t *sum, const void *data, size_t size)
{
    for (size_t i = 0; i < size; i++)
        *sum = (*sum ^ ((const uint8_t *)data)[i]) * 0x100000001b3;
}

static void sum_add_text(uint64_t *sum, const char *text)
{
    sum_add(sum, text ? text : "", text ? strlen(text) + 1 : 0);
}

static int read_part(const eddy_part *part, size_t piece, uint64_t *sum, size_t *bytes)
{
    char data[512];
    ssize_t n;

    sum_add_text(sum, part->name);
    sum_add_text(sum, part->filename);
    sum_add_text(sum, part->content_type);
    while ((n = eddy_read(part->body, data, piece < sizeof data ? piece : sizeof data)) > 0) {
        sum_add(sum, data, (size_t)n);
        *bytes += (size_t)n;
    }
    sum_add(sum, &n, sizeof n); /* how it ended */
    return 0;
}

static int read_parts(const struct input *input, uint64_t *sum)
{
    EDDY_STREAM to = NULL;
    EDDY_STREAM from = NULL;
    EDDY_MULTIPART multipart = NULL;
    eddy_part part;
    size_t bytes = 0;
    int rc;

    EDDY_TRY(eddy_stream_pair(&to, &from));
    EDDY_TASK sender = eddy_create_task(send_pieces, to, input);
    EDDY_TRY(eddy_multipart_open(TYPE, from, NULL, &multipart));
    while ((rc = eddy_multipart_next(multipart, &part)) > 0)
        EDDY_TRY(read_part(&part, input->piece, sum, &bytes));
    sum_add(sum, &rc, sizeof rc);
    FUZZ_CHECK(bytes <= input->size);
    FUZZ_CHECK(eddy_multipart_next(multipart, &part) == rc);
    eddy_stream_abort(from);
    (void)eddy_await(sender); /* its rest may not have been read */
    return 0;
}
EDDY_ASYNC(read_parts, const struct input *, uint64_t *);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct input whole = {data + 1, size - 1, SIZE_MAX / 2};
    const struct input pieces = {data + 1, size - 1, size > 0 ? data[0] % 100u + 1 : 1};
    uint64_t one = 0, other = 0;

    if (size == 0)
        return 0;
    FUZZ_CHECK(eddy_run(read_parts, &whole, &one) == 0);
    FUZZ_CHECK(eddy_run(read_parts, &pieces, &other) == 0);
    FUZZ_CHECK(one == other);
    return 0;
}
