/* SPDX-License-Identifier: MIT */
/* Bodies that are sent beside the reading of the answer: H-REQ-4 to -11, H-RETRY-3. */
#include <eddy/file.h>
#include <stdlib.h>

#include "stand.h"

#define STAND(name)                                                                                \
    EDDY_GROUP(name##_group);                                                                      \
    struct stand name = {.group = &name##_group};                                                  \
    EDDY_HTTP_SESSION session = NULL;                                                              \
    EDDY_HTTP_RESPONSE response = NULL

static const char large[300000] = {'a'};

/* Reads a head only. */
static int read_head(struct stand *stand, eddy_stream *stream)
{
    ssize_t n = eddy_read_until(stream, "\r\n\r\n", 4, stand->seen, sizeof stand->seen - 1);

    if (n >= 0)
        stand->seen[n] = '\0';
    return (int)n;
}

TEST(upload_of_many_bytes_goes_beside_the_answer)
{
    STAND(stand);

    CHECK_OK(stand_open(&stand, NULL, &session));
    for (int i = 0; i < 3; i++) {
        CHECK_OK(
            eddy_http_put(session, "http://a.test/", EDDY_BODY(large, sizeof large), &response));
        CHECK_OK(eddy_http_raise_for_status(response));
        eddy_http_response_close(&response);
    }
    CHECK_HAS(stand.seen, "Content-Length: 300000\r\n");
}

/* A stream, and what is written to it. */
static int feed(eddy_stream *stream)
{
    EDDY_TRY(eddy_write(stream, "first", 5));
    EDDY_TRY(eddy_sleep(1));
    EDDY_TRY(eddy_write(stream, "second", 6));
    return eddy_write_eof(stream);
}
EDDY_ASYNC(feed, eddy_stream *);

/* H-REQ-4, -7. */
TEST(upload_of_a_stream_is_chunked_and_goes_as_it_comes)
{
    STAND(stand);
    EDDY_STREAM near = NULL, far = NULL;

    CHECK_OK(stand_open(&stand, NULL, &session));
    CHECK_OK(eddy_stream_pair(&near, &far));
    EDDY_TASK feeder = eddy_create_task(feed, far);
    CHECK_OK(eddy_http_post(session, "http://a.test/", EDDY_BODY_STREAM(near, -1), &response));
    CHECK_HAS(stand.seen, "Transfer-Encoding: chunked\r\n");
    CHECK_HAS(stand.seen, "5\r\nfirst\r\n6\r\nsecond\r\n0\r\n");
    CHECK_OK(eddy_http_raise_for_status(response));
    CHECK_OK(eddy_await(feeder));
}

/* H-REQ-11 [C]: fewer bytes than were announced are an error, and the connection is closed. */
TEST(upload_of_a_stream_that_ends_early_breaks_the_connection)
{
    STAND(stand);
    EDDY_STREAM near = NULL, far = NULL;

    CHECK_OK(stand_open(&stand, NULL, &session));
    CHECK_OK(eddy_stream_pair(&near, &far));
    EDDY_TASK feeder = eddy_create_task(feed, far);
    CHECK_FAILS(eddy_http_post(session, "http://a.test/", EDDY_BODY_STREAM(near, 100), &response),
                EDDY_EHTTP_PAYLOAD, "POST http://a.test/: sending the body: ");
    CHECK_EQ(eddy_http_session_get_counters(session).in_use, 0);
    CHECK_EQ(eddy_http_session_get_counters(session).idle, 0);
    CHECK_OK(eddy_await(feeder));
}

static int fail_to_feed(eddy_stream *stream)
{
    EDDY_TRY(eddy_write(stream, "first", 5));
    EDDY_TRY(eddy_sleep(1));
    eddy_stream_abort(stream);
    return 0;
}
EDDY_ASYNC(fail_to_feed, eddy_stream *);

/* H-REQ-11. */
TEST(upload_whose_source_fails_tells_the_caller)
{
    STAND(stand);
    EDDY_STREAM near = NULL, far = NULL;

    CHECK_OK(stand_open(&stand, NULL, &session));
    CHECK_OK(eddy_stream_pair(&near, &far));
    EDDY_TASK feeder = eddy_create_task(fail_to_feed, far);
    CHECK_FAILS(eddy_http_post(session, "http://a.test/", EDDY_BODY_STREAM(near, -1), &response),
                -ECONNRESET, "sending the body: ");
    CHECK_OK(eddy_await(feeder));
}

static int serve_early(struct stand *stand, eddy_stream *stream, int number)
{
    char data[4096];
    ssize_t n = 1;

    (void)number;
    EDDY_TRY(read_head(stand, stream));
    EDDY_TRY(eddy_printf(stream, "HTTP/1.1 413 Too Much\r\nContent-Length: 3\r\n\r\n"));
    EDDY_TRY(eddy_sleep(1));
    EDDY_TRY(eddy_printf(stream, "no!"));
    while (stand->value && n > 0)
        n = eddy_read(stream, data, sizeof data);
    return (int)n;
}

/* H-REQ-10. */
TEST(upload_ends_with_an_answer_that_comes_early)
{
    STAND(stand);
    const char *data;

    stand.serve = serve_early;
    CHECK_OK(stand_open(&stand, NULL, &session));
    CHECK_OK(eddy_http_put(session, "http://a.test/", EDDY_BODY(large, sizeof large), &response));
    CHECK_EQ(eddy_http_status(response), 413);
    CHECK_OK(eddy_http_read(response, &data, NULL));
    CHECK_STR(data, "no!");
    CHECK_EQ(eddy_http_session_get_counters(session).in_use, 0);
    CHECK_EQ(eddy_http_session_get_counters(session).idle, 0);
}

static int serve_expect(struct stand *stand, eddy_stream *stream, int number)
{
    char data[64];

    (void)number;
    EDDY_TRY(read_head(stand, stream));
    if (stand->value == 417)
        return eddy_printf(stream, "HTTP/1.1 417 No\r\nContent-Length: 0\r\n\r\n");
    if (stand->value == 100) {
        EDDY_TRY(eddy_sleep(0.5));
        EDDY_TRY(eddy_printf(stream, "HTTP/1.1 100 Continue\r\n\r\n"));
    }
    EDDY_TRY(eddy_read_exactly(stream, data, 5));
    EDDY_TRY(eddy_printf(stream, STAND_HELLO));
    return stand_read(stand, stream);
}

/* H-REQ-9, and RFC 9110, 10.1.1: nobody waits for ever. */
TEST(upload_waits_until_the_server_wants_it_or_for_a_second)
{
    STAND(stand);
    const eddy_http_options with = {.body = EDDY_BODY("12345", 5), .expect_continue = true};
    double start = eddy_time();

    stand.serve = serve_expect;
    stand.value = 100;
    CHECK_OK(stand_open(&stand, NULL, &session));
    CHECK_OK(stand_get_with(session, "PUT", "http://a.test/", &with, "hello"));
    CHECK_HAS(stand.seen, "Content-Length: 5\r\nExpect: 100-continue\r\n");
    CHECK(eddy_time() - start >= 0.5 && eddy_time() - start < 0.6);
    CHECK_EQ(eddy_http_session_get_counters(session).idle, 1);
    stand.value = 0;
    CHECK_OK(stand_get_with(session, "PUT", "http://b.test/", &with, "hello"));
    CHECK(eddy_time() - start >= 1.5 && eddy_time() - start < 1.7);
    stand.value = 417;
    CHECK_OK(eddy_http_request(session, "PUT", "http://c.test/", &with, &response));
    CHECK_EQ(eddy_http_status(response), 417);
    CHECK_EQ(eddy_http_session_get_counters(session).in_use, 0);
    CHECK_EQ(eddy_http_session_get_counters(session).idle, 2);
}

/* H-REQ-5, -6. */
TEST(upload_can_be_chunked_and_compressed)
{
    STAND(stand);
    const eddy_http_options chunked = {.body = EDDY_BODY("12345", 5), .chunked = true};
    const eddy_http_options gzip = {.body = EDDY_BODY(large, 3000), .compress = "gzip"};
    const eddy_http_options empty = {.body = EDDY_BODY("", 0), .compress = "gzip"};

    CHECK_OK(stand_open(&stand, NULL, &session));
    CHECK_OK(stand_get_with(session, "PUT", "http://a.test/", &chunked, "hello"));
    CHECK_HAS(stand.seen, "Transfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n0\r\n");
    stand.seen[0] = '\0';
    CHECK_OK(stand_get_with(session, "PUT", "http://a.test/", &empty, "hello"));
    CHECK_HAS(stand.seen, "Content-Length: 0\r\n");
    CHECK_EQ(stand_count(&stand, "Content-Encoding"), 0);
    stand.seen[0] = '\0';
    CHECK_OK(stand_get_with(session, "PUT", "http://a.test/", &gzip, "hello"));
    CHECK_HAS(stand.seen, "Content-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n");
}

/* H-REQ-8, H-RETRY-3: a file is sent again from where it was, a stream is not. */
TEST(upload_of_a_file_is_sent_again_and_of_a_stream_is_not)
{
    STAND(stand);
    EDDY_STREAM file = NULL, near = NULL, far = NULL;

    stand.answer = "HTTP/1.1 307 Again\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n";
    CHECK_OK(stand_open(&stand, NULL, &session));
    CHECK_OK(eddy_temporary_file(NULL, &file));
    CHECK_OK(eddy_printf(file, "skipped, sent"));
    CHECK_EQ(eddy_seek(file, 9, SEEK_SET), 9);
    CHECK_EQ(eddy_http_post(session, "http://a.test/", EDDY_BODY_STREAM(file, -1), &response),
             EDDY_EHTTP_REDIRECTS);
    CHECK_EQ(stand_count(&stand, "Content-Length: 4\r\n\r\nsent"), 11);
    CHECK_EQ(stand_count(&stand, "skipped"), 0);
    CHECK_OK(eddy_stream_pair(&near, &far));
    CHECK_OK(eddy_write(far, "once", 4));
    CHECK_OK(eddy_write_eof(far));
    CHECK_FAILS(eddy_http_post(session, "http://a.test/", EDDY_BODY_STREAM(near, -1), &response),
                EDDY_EHTTP_PAYLOAD, "the body cannot be sent a second time"); /* H-REDIR-4 */
}

/* The user's own length. */
TEST(upload_has_the_length_that_the_user_gives_or_is_refused)
{
    STAND(stand);
    EDDY_STREAM near = NULL, far = NULL;
    eddy_http_options with = {.headers = EDDY_PAIRS({"Content-Length", "5"})};

    CHECK_OK(stand_open(&stand, NULL, &session));
    with.body = EDDY_BODY("1234", 4);
    CHECK_FAILS(eddy_http_request(session, "PUT", "http://a.test/", &with, &response), -EINVAL,
                "the Content-Length is 5, and the body has 4 bytes");
    CHECK_OK(eddy_stream_pair(&near, &far));
    CHECK_OK(eddy_write(far, "12345", 5));
    CHECK_OK(eddy_write_eof(far));
    with.body = EDDY_BODY_STREAM(near, -1);
    CHECK_OK(stand_get_with(session, "PUT", "http://a.test/", &with, "hello"));
    CHECK_HAS(stand.seen, "Content-Length: 5\r\n\r\n12345");
}
