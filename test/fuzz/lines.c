/* SPDX-License-Identifier: MIT */
/*
 * Reading in all its ways from a stream that comes in pieces: the bytes are those that went in,
 * in order, whatever they are and however they were cut.
 *
 * The input's first half says how to read and how to cut, the second is what is sent.
 */
#include <eddy.h>

#include "fuzz.h"

struct input {
    const uint8_t *steps, *bytes;
    size_t step_count, size;
};

static int send_cut(eddy_stream *to, const struct input *input)
{
    size_t sent = 0;

    for (size_t i = 0; sent < input->size; i++) {
        size_t piece = input->step_count ? input->steps[i % input->step_count] % 16u + 1u : 1;

        piece = piece < input->size - sent ? piece : input->size - sent;
        EDDY_TRY(eddy_write(to, input->bytes + sent, piece));
        sent += piece;
    }
    return eddy_write_eof(to);
}
EDDY_ASYNC(send_cut, eddy_stream *, const struct input *);

static ssize_t read_by(eddy_stream *from, uint8_t how, char *data, size_t size)
{
    const char *shown;
    ssize_t got;

    switch (how % 5) {
    case 0: return eddy_read(from, data, how % size + 1);
    case 1: return eddy_read_line(from, data, size);
    case 2: return eddy_read_until(from, &"\r\n\r\n"[how / 5 % 3], 2, data, size);
    case 3:
        got = eddy_peek(from, how % 9u, &shown);
        if (got > (ssize_t)size)
            got = (ssize_t)size;
        if (got > 0) {
            memcpy(data, shown, (size_t)got);
            eddy_consume(from, (size_t)got);
        }
        return got;
    default:
        got = eddy_read_exactly(from, data, how % size + 1);
        return got == 0 ? how % (ssize_t)size + 1 : got;
    }
}

static int compare(const struct input *input)
{
    EDDY_STREAM to = NULL;
    EDDY_STREAM from = NULL;
    char data[48];
    size_t at = 0;

    EDDY_TRY(eddy_stream_pair(&to, &from));
    EDDY_TASK sender = eddy_create_task(send_cut, to, input);
    for (size_t i = 0; !eddy_at_eof(from) && i < 4 * input->size + 16; i++) {
        uint8_t how = input->step_count ? input->steps[i % input->step_count] : 0;
        ssize_t got = read_by(from, how, data, sizeof data - 1);

        if (got == EDDY_EINCOMPLETE)
            got = (ssize_t)eddy_stream_partial(from);
        if (got == EDDY_ELIMIT)
            got = eddy_read(from, data, 1);
        FUZZ_CHECK(got >= 0 && at + (size_t)got <= input->size);
        FUZZ_CHECK(memcmp(data, input->bytes + at, (size_t)got) == 0);
        at += (size_t)got;
    }
    EDDY_TRY(eddy_await(sender));
    FUZZ_CHECK(at <= input->size);
    return 0;
}
EDDY_ASYNC(compare, const struct input *);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct input input = {data, data + size / 2, size / 2, size - size / 2};

    FUZZ_CHECK(eddy_run(compare, &input) == 0);
    return 0;
}
