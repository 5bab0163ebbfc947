/* SPDX-License-Identifier: MIT */
/* Responses: however the bytes come, they are the same messages, and the same verdict. */
#include "fuzz.h"
#include "../http/messages.h"

static struct messages whole, cut;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t piece = size ? data[size - 1] % 8u + 1 : 1;

    whole = (struct messages){
        .text = (const char *)data,
        .size = size,
        .response = true,
        .limits = {.line_size = 200, .fields = 10, .head_size = 600},
        .room = 64,
    };
    memcpy(&cut, &whole, offsetof(struct messages, said));
    cut.piece = piece;
    FUZZ_CHECK(eddy_run(messages_read, &whole) == 0);
    FUZZ_CHECK(eddy_run(messages_read, &cut) == 0);
    FUZZ_CHECK(whole.code == cut.code && whole.status == cut.status);
    FUZZ_CHECK(whole.count == cut.count && strcmp(whole.said, cut.said) == 0);
    return 0;
}
