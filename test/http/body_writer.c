/* SPDX-License-Identifier: MIT */
/* Bodies that go: framing, guards, compression, and writes that are cut short. */
#include <stdlib.h>

#include "http/body.h"
#include "http/coded.h"

/* A connection in memory, and a body over one of its ends. */
#define CONNECTION                                                                                 \
    EDDY_STREAM near = NULL;                                                                       \
    EDDY_STREAM far = NULL;                                                                        \
    EDDY_STREAM body = NULL;                                                                       \
    CHECK_OK(eddy_stream_pair(&near, &far))

/* What has come at the far end; with a NUL. Valid until the next call. */
static const char *came(eddy_stream *near, eddy_stream *far)
{
    static char text[1 << 18];
    size_t size = 0;
    ssize_t n;

    if (near)
        (void)eddy_write_eof(near); /* so that the reading ends */
    while ((n = eddy_read(far, text + size, sizeof text - size - 1)) > 0)
        size += (size_t)n;
    text[size] = '\0';
    return text;
}

TEST(a_body_of_known_length_goes_as_it_is)
{
    CONNECTION;
    CHECK_OK(ed_body_writer_open(near, 10, false, ED_CODING_IDENTITY, &body));
    CHECK_STR(eddy_stream_kind(body), "http");
    CHECK_OK(eddy_write(body, "hello", 5));
    CHECK_OK(eddy_printf(body, "%s", "world"));
    CHECK_OK(ed_body_finish(body));
    CHECK_OK(ed_body_finish(body));
    CHECK_EQ(ed_body_sent(body), 10);
    CHECK_STR(came(near, far), "helloworld");
}

TEST(a_body_of_unknown_length_goes_in_chunks)
{
    struct iovec parts[] = {{"ab", 2}, {"", 0}, {"cdefghijklmnopqrstuvwxyz", 24}};

    CONNECTION;
    CHECK_OK(ed_body_writer_open(near, -1, false, ED_CODING_IDENTITY, &body));
    CHECK_OK(eddy_write(body, "hello", 5));
    CHECK_OK(eddy_write(body, "", 0)); /* would be the end */
    CHECK_OK(eddy_writev(body, parts, 3));
    CHECK_OK(eddy_write_nowait(body, "now", 3));
    CHECK_OK(ed_body_finish(body));
    CHECK_EQ(ed_body_sent(body), 34);
    CHECK_STR(came(near, far), "5\r\nhello\r\n1a\r\nabcdefghijklmnopqrstuvwxyz\r\n"
                               "3\r\nnow\r\n0\r\n\r\n");
}

TEST(a_body_up_to_the_end_of_the_connection_has_no_framing)
{
    CONNECTION;
    CHECK_OK(ed_body_writer_open(near, -1, true, ED_CODING_IDENTITY, &body));
    CHECK_OK(eddy_write(body, "hello", 5));
    CHECK_OK(ed_body_finish(body));
    CHECK_STR(came(near, far), "hello");
}

TEST(an_empty_body_is_only_its_end)
{
    CONNECTION;
    CHECK_OK(ed_body_writer_open(near, -1, false, ED_CODING_IDENTITY, &body));
    CHECK_OK(ed_body_finish(body));
    CHECK_STR(came(near, far), "0\r\n\r\n");
}

/* H-REQ-11, H-SRESP-5: no byte of a write that is too long is sent. */
TEST(more_bytes_than_announced_are_refused)
{
    CONNECTION;
    CHECK_OK(ed_body_writer_open(near, 6, false, ED_CODING_IDENTITY, &body));
    CHECK_OK(eddy_write(body, "hello", 5));
    CHECK_FAILS(eddy_write(body, "!!", 2), -EMSGSIZE, "1 bytes are left, 2 are written");
    CHECK_EQ(ed_body_finish(body), -EMSGSIZE);
    CHECK_EQ(eddy_stream_close(&body), -EMSGSIZE);
    CHECK_STR(came(near, far), "hello");
}

/* H-REQ-11, H-SRESP-5 */
TEST(fewer_bytes_than_announced_are_an_error)
{
    CONNECTION;
    CHECK_OK(ed_body_writer_open(near, 6, false, ED_CODING_IDENTITY, &body));
    CHECK_OK(eddy_write(body, "hello", 5));
    CHECK_FAILS(ed_body_finish(body), -EMSGSIZE, "1 bytes are missing");
    CHECK_STR(came(near, far), "hello");
}

TEST(nothing_is_written_behind_the_end)
{
    CONNECTION;
    CHECK_OK(ed_body_writer_open(near, -1, false, ED_CODING_IDENTITY, &body));
    CHECK_OK(ed_body_finish(body));
    CHECK_FAILS(eddy_write(body, "x", 1), -EPIPE, "ended");
    CHECK_EQ(eddy_read(body, &(char){0}, 1), -EPERM);
    CHECK_STR(came(near, far), "0\r\n\r\n");
}

TEST(many_parts_are_one_chunk)
{
    struct iovec parts[200];

    CONNECTION;
    CHECK_OK(ed_body_writer_open(near, -1, false, ED_CODING_IDENTITY, &body));
    for (size_t i = 0; i < ED_ARRAY_LENGTH(parts); i++)
        parts[i] = (struct iovec){"x", 1};
    CHECK_OK(eddy_writev(body, parts, ED_ARRAY_LENGTH(parts)));
    CHECK_OK(ed_body_finish(body));
    CHECK(memcmp(came(near, far), "c8\r\nxxx", 7) == 0);
    CHECK_STR(came(NULL, far), "");
}

/* Takes the framing off, as a receiver does: the bytes, -1 for what is no beginning of a chunked
 * body. *whole: it has its end. */
static ssize_t unchunk(const char *text, size_t size, char *out, bool *whole)
{
    const char *end = text + size;
    ssize_t got = 0;

    *whole = false;
    while (text < end) {
        char *line;
        size_t left = strtoul(text, &line, 16);

        if (line == text || left > 1 << 20)
            return -1;
        if (end - line < 2)
            return got;
        if (memcmp(line, "\r\n", 2) != 0)
            return -1;
        text = line + 2;
        *whole = left == 0 && end - text == 2;
        if (left == 0)
            return got;
        if ((size_t)(end - text) < left)
            left = (size_t)(end - text);
        memmove(out + got, text, left);
        got += (ssize_t)left;
        text += left;
        if (end - text >= 2 && memcmp(text, "\r\n", 2) != 0)
            return -1;
        text += 2;
    }
    return got;
}

/* A write that times out has sent a part of a chunk; what is written next goes on with it. */
TEST(a_chunk_that_was_cut_short_is_paid_by_the_next_writes)
{
    static char data[300000], text[400000], got[400000];
    size_t sent, size = 0;
    bool whole;
    ssize_t n;
    int rc;

    CONNECTION;
    memset(data, 'a', sizeof data);
    CHECK_OK(ed_body_writer_open(near, -1, false, ED_CODING_IDENTITY, &body));
    {
        EDDY_TIMEOUT(limit, 1);
        rc = eddy_write(body, data, sizeof data);
    }
    CHECK_EQ(rc, -ETIMEDOUT);
    sent = eddy_stream_partial(body);
    CHECK(sent > 0 && sent < sizeof data);
    while (eddy_stream_get_counters(far).to_read || eddy_stream_get_counters(near).to_send) {
        CHECK_OK(n = eddy_read(far, text + size, sizeof text - size));
        size += (size_t)n;
    }
    CHECK_OK(eddy_write(body, "bc", 2));
    CHECK_EQ(ed_body_finish(body), -EMSGSIZE); /* the chunk is still open */
    CHECK_OK(eddy_write_eof(near));
    while ((n = eddy_read(far, text + size, sizeof text - size)) > 0)
        size += (size_t)n;
    CHECK_EQ(unchunk(text, size, got, &whole), sent + 2);
    CHECK(!whole);
    CHECK(memcmp(got + sent, "bc", 2) == 0);
}

static int write_more(eddy_stream *body, const char *data, size_t size)
{
    /* large, so that the connection takes it in pieces */
    for (size_t done = 0; done < size;) {
        size_t piece = size - done < 70000 ? size - done : 70000;
        int rc = eddy_write(body, data + done, piece);

        if (rc == -ETIMEDOUT || rc == -ECANCELED)
            piece = eddy_stream_partial(body);
        else if (rc < 0)
            return rc;
        done += piece;
        if (rc < 0) {
            EDDY_SHIELD(shield);
            EDDY_TRY(eddy_sleep(0.001)); /* the deadline is over for good */
            return (int)done;
        }
    }
    return 0;
}

static int read_slowly(eddy_stream *far, char *out, size_t *size)
{
    ssize_t n;

    while ((n = eddy_read(far, out + *size, 1000)) > 0) {
        *size += (size_t)n;
        EDDY_TRY(eddy_sleep(0.001));
    }
    return (int)n;
}
EDDY_ASYNC(read_slowly, eddy_stream *, char *, size_t *);

/* Whenever the write is cut short, and however often, the receiver gets what was taken. */
TEST(writes_that_are_cut_short_again_and_again_lose_nothing)
{
    static char data[200000], text[400000], got[400000];
    const enum ed_coding codings_here[] = {ED_CODING_IDENTITY, ED_CODING_GZIP};

    for (size_t i = 0; i < 2; i++) {
        BYTES decoded = {0};
        size_t size = 0, done = 0;
        bool whole;
        ssize_t n;

        CONNECTION;
        fill(data, sizeof data);
        CHECK_OK(ed_body_writer_open(near, -1, false, codings_here[i], &body));
        EDDY_TASK reader = eddy_create_task(read_slowly, far, text, &size);
        while (done < sizeof data) {
            int rc;
            {
                EDDY_TIMEOUT(limit, 0.0171);
                rc = write_more(body, data + done, sizeof data - done);
            }
            CHECK(rc >= 0);
            done = rc > 0 ? done + (size_t)rc : sizeof data;
        }
        n = ed_body_finish(body);
        if (n == -EMSGSIZE && i == 0) { /* a chunk for bytes that were written otherwise */
            eddy_stream_abort(body);
            (void)eddy_stream_close(&body);
        } else {
            CHECK_OK(n);
        }
        CHECK_OK(eddy_write_eof(near));
        CHECK_OK(eddy_await(reader));
        n = unchunk(text, size, got, &whole);
        CHECK(n > 0);
        if (i == 0) {
            CHECK_EQ(n, sizeof data);
            CHECK(memcmp(got, data, sizeof data) == 0);
        } else {
            CHECK(whole);
            CHECK_OK(decode(codings_here[i], got, (size_t)n, 5000, 4096, &decoded));
            CHECK_EQ(decoded.size, sizeof data);
            CHECK(memcmp(decoded.data, data, sizeof data) == 0);
        }
    }
}

/* H-SRESP-12: an event is sent when it is flushed, compressed or not. */
TEST(a_flush_sends_all_that_was_written)
{
    for (size_t i = 0; i <= CODINGS; i++) {
        enum ed_coding coding = i < CODINGS ? codings[i] : ED_CODING_IDENTITY;
        struct ed_coder *decoder = NULL;

        CONNECTION;
        CHECK_OK(eddy_write(near, "head:", 5));
        CHECK_OK(ed_body_writer_open(near, -1, false, coding, &body));
        if (coding)
            CHECK_OK(ed_decoder_new(coding, &decoder));
        for (int round = 0; round < 3; round++) {
            char text[500], plain[100];
            const char *in = text;
            size_t size = 0;
            ssize_t n;
            bool whole;

            CHECK_OK(eddy_write(body, "event\n", 6));
            CHECK_OK(eddy_flush(body));
            CHECK_OK(eddy_flush(body)); /* no more of it */
            CHECK_OK(n = eddy_read(far, text, sizeof text));
            in = round == 0 ? text + 5 : text;
            n = unchunk(in, (size_t)(text + n - in), plain, &whole);
            CHECK(n > 0);
            if (decoder) {
                memcpy(text, plain, (size_t)n);
                in = text;
                size = (size_t)n;
                n = ed_coder_step(decoder, &in, &size, plain, sizeof plain, false, false);
            }
            CHECK_EQ(n, 6);
            CHECK(memcmp(plain, "event\n", 6) == 0);
        }
        CHECK_OK(ed_body_finish(body));
        ed_coder_free(decoder);
    }
}

/* The head goes with the first flush, also when nothing is written yet. */
TEST(a_flush_of_nothing_sends_the_head)
{
    CONNECTION;
    CHECK_OK(ed_body_writer_open(near, -1, false, ED_CODING_GZIP, &body));
    CHECK_OK(eddy_flush(body));
    CHECK_EQ(eddy_stream_get_counters(far).to_read, 0);
    CHECK_EQ(eddy_write_nowait(body, "x", 1), -ENOTSUP);
    eddy_stream_abort(body);
    (void)eddy_stream_close(&body);
}

TEST(a_compressed_body_is_whole_for_its_receiver)
{
    static char data[100000], got[200000];

    fill(data, sizeof data);
    for (size_t i = 0; i < CODINGS; i++) {
        BYTES decoded = {0};
        size_t size = 0;
        bool whole;
        ssize_t n;

        CONNECTION;
        CHECK_OK(ed_body_writer_open(near, -1, false, codings[i], &body));
        EDDY_TASK reader = eddy_create_task(read_slowly, far, got, &size);
        for (size_t done = 0; done < sizeof data; done += 10000)
            CHECK_OK(eddy_write(body, data + done, 10000));
        CHECK_OK(ed_body_finish(body));
        CHECK_OK(eddy_write_eof(near));
        CHECK_OK(eddy_await(reader));
        CHECK(ed_body_sent(body) < sizeof data);
        n = unchunk(got, size, got, &whole);
        CHECK_EQ(n, ed_body_sent(body));
        CHECK(whole);
        CHECK_OK(decode(codings[i], got, (size_t)n, 5000, 4096, &decoded));
        CHECK_EQ(decoded.size, sizeof data);
        CHECK(memcmp(decoded.data, data, sizeof data) == 0);
    }
}

TEST(a_connection_that_breaks_breaks_the_body)
{
    CONNECTION;
    CHECK_OK(ed_body_writer_open(near, 100, false, ED_CODING_IDENTITY, &body));
    CHECK_OK(eddy_write(body, "hello", 5));
    eddy_stream_abort(far);
    CHECK_EQ(eddy_write(body, "hello", 5), -ECONNRESET);
    CHECK_EQ(ed_body_finish(body), -ECONNRESET);
    CHECK_EQ(eddy_stream_close(&body), -ECONNRESET);
}

static int write_whole(void)
{
    EDDY_STREAM near = NULL;
    EDDY_STREAM far = NULL;
    EDDY_STREAM body = NULL;

    EDDY_TRY(eddy_stream_pair(&near, &far));
    EDDY_TRY(ed_body_writer_open(near, -1, false, ED_CODING_DEFLATE, &body));
    EDDY_TRY(eddy_write(body, "hello", 5));
    EDDY_TRY(eddy_flush(body));
    EDDY_TRY(eddy_write(body, "hello", 5));
    EDDY_TRY(ed_body_finish(body));
    return eddy_stream_close(&body);
}
EDDY_ASYNC(write_whole);

RAW_TEST(a_body_that_goes_survives_each_failing_allocation_and_cancel)
{
    CHECK_OK(eddy_test_allocations(write_whole));
    CHECK_OK(eddy_test_cancels(write_whole));
}
