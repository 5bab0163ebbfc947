/* SPDX-License-Identifier: MIT */
/*
 * Requests: however the bytes come, they are the same messages, and the same verdict. What is taken
 * for a head, llhttp takes for one too, of the same length and framing.
 */
#include <llhttp.h>

#include "fuzz.h"
#include "../http/messages.h"
#include "http/parser.h"

static struct messages whole, cut;

static int on_head(llhttp_t *llhttp)
{
    (void)llhttp;
    return HPE_PAUSED;
}

/* Whether llhttp, which knows a list of methods, must agree. */
static bool is_known(const uint8_t *data, size_t size)
{
    static const char *const methods[] = {"GET ", "POST ", "PUT ", "HEAD ", "DELETE ", "OPTIONS "};

    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
        size_t length = strlen(methods[i]);

        if (size > length && memcmp(data, methods[i], length) == 0)
            return true;
    }
    return false;
}

/* The first head, by both. */
static void compare(const uint8_t *data, size_t size)
{
    static const llhttp_settings_t settings = {.on_headers_complete = on_head};
    struct ed_parser *parser = ed_parser_new(false, &whole.limits);
    struct ed_arena arena = {0};
    struct ed_head head;
    llhttp_t llhttp;

    ed_parser_begin(parser, false);
    if (ed_parser_head(parser, (const char *)data, size, 0) == 0 &&
        parser->stage == ED_PARSER_HEAD &&
        ed_parser_finish_head(parser, (const char *)data, &arena, &head) == 0) {
        llhttp_init(&llhttp, HTTP_REQUEST, &settings);
        FUZZ_CHECK(llhttp_execute(&llhttp, (const char *)data, parser->taken) == HPE_PAUSED);
        FUZZ_CHECK(!!(llhttp.flags & F_CHUNKED) == head.chunked);
        FUZZ_CHECK(llhttp.content_length == (uint64_t)(head.length < 0 ? 0 : head.length));
        llhttp_init(&llhttp, HTTP_REQUEST, &settings);
        FUZZ_CHECK(llhttp_execute(&llhttp, (const char *)data, parser->taken - 1) == HPE_OK);
    }
    ed_arena_free(&arena);
    ed_parser_free(parser);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t piece = size ? data[size - 1] % 8u + 1 : 1;

    whole = (struct messages){
        .text = (const char *)data,
        .size = size,
        .limits = {.line_size = 200, .fields = 10, .head_size = 600},
        .room = 64,
    };
    memcpy(&cut, &whole, offsetof(struct messages, said));
    cut.piece = piece;
    FUZZ_CHECK(eddy_run(messages_read, &whole) == 0);
    FUZZ_CHECK(eddy_run(messages_read, &cut) == 0);
    FUZZ_CHECK(whole.code == cut.code && whole.status == cut.status);
    FUZZ_CHECK(whole.count == cut.count && strcmp(whole.said, cut.said) == 0);
    if (is_known(data, size))
        compare(data, size);
    return 0;
}
