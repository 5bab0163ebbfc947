/* SPDX-License-Identifier: MIT */
/* A body as it is sent, for tests. */
#ifndef TEST_HTTP_PAYLOADS_H
#define TEST_HTTP_PAYLOADS_H

#include "base/compat.h"
#include "harness.h"
#include "http/payload.h"

static inline void test_payload_close(struct ed_payload **payload)
{
    ed_payload_close(*payload);
}

static inline void test_arena_free(struct ed_arena *arena)
{
    ed_arena_free(arena);
}

#define ARENA EDDY_CLEANUP_(test_arena_free) struct ed_arena
#define PAYLOAD EDDY_CLEANUP_(test_payload_close) struct ed_payload *

/* Writes a payload, and gives what came of it, of some 100 KiB at most, with a NUL behind it: how
 * many bytes, or the error. */
static inline ssize_t written(struct ed_payload *payload, char *text, size_t size)
{
    EDDY_STREAM near = NULL;
    EDDY_STREAM far = NULL;
    ssize_t n;
    size_t got = 0;

    EDDY_TRY(eddy_stream_pair(&near, &far));
    EDDY_TRY(ed_payload_write(payload, near));
    EDDY_TRY(eddy_write_eof(near));
    while ((n = eddy_read(far, text + got, size - 1 - got)) > 0)
        got += (size_t)n;
    text[got] = '\0';
    return n < 0 ? n : (ssize_t)got;
}

#endif
