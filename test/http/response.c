/* SPDX-License-Identifier: MIT */
/* Bodies as they come: H-RESP-5, -6, -10 to -14, H-CONN-7, -8, H-TMO-2, -5, -6. */
#include "http/client_upgrade.h"
#include "stand.h"

#define HEAD(length) "HTTP/1.1 200 OK\r\nContent-Length: " #length "\r\n\r\n"

/* Sends stand->answer, of which a '|' is a pause of a second; then waits for the end. */
static int serve_pieces(struct stand *stand, eddy_stream *stream, int number)
{
    const char *at = stand->answer;

    (void)number;
    EDDY_TRY(stand_read(stand, stream));
    while (*at) {
        size_t size = strcspn(at, "|");

        EDDY_TRY(eddy_write(stream, at, size));
        at += size;
        if (*at == '|') {
            EDDY_TRY(eddy_sleep(1));
            at++;
        }
    }
    return stand->value ? 0 : stand_read(stand, stream);
}

#define STAND(name, text)                                                                          \
    EDDY_GROUP(name##_group);                                                                      \
    struct stand name = {.group = &name##_group, .serve = serve_pieces, .answer = (text)};         \
    EDDY_HTTP_SESSION session = NULL;                                                              \
    EDDY_HTTP_RESPONSE response = NULL

/* H-RESP-1, -11. */
TEST(response_body_is_a_stream_that_is_read_as_it_comes)
{
    STAND(stand, HEAD(11) "|one\n|two\n|end");
    char data[64];

    CHECK_OK(stand_open(&stand, NULL, &session));
    CHECK_OK(eddy_http_get(session, "http://a.test/", &response));
    CHECK_STR(eddy_stream_kind(eddy_http_body(response)), "http");
    CHECK_EQ(eddy_read(eddy_http_body(response), data, sizeof data), 4);
    CHECK_EQ(eddy_read_until(eddy_http_body(response), "\n", 1, data, sizeof data), 4);
    CHECK_EQ(eddy_http_session_get_counters(session).in_use, 1);
    CHECK_OK(eddy_read_exactly(eddy_http_body(response), data, 3));
    CHECK_EQ(eddy_http_session_get_counters(session).in_use, 0); /* with the last byte */
    CHECK_EQ(eddy_http_session_get_counters(session).idle, 1);
    CHECK_EQ(eddy_read(eddy_http_body(response), data, sizeof data), 0);
    CHECK_EQ(eddy_read(eddy_http_body(response), data, sizeof data), 0);
    CHECK_EQ(eddy_write(eddy_http_body(response), "x", 1), -EPERM);
}

/* H-CONN-8, H-RESP-10. */
TEST(response_that_is_closed_before_its_end_takes_its_connection_with_it)
{
    STAND(stand, HEAD(10) "half|");

    CHECK_OK(stand_open(&stand, NULL, &session));
    CHECK_OK(eddy_http_get(session, "http://a.test/", &response));
    eddy_http_response_close(&response);
    CHECK(!response);
    CHECK_EQ(eddy_http_session_get_counters(session).in_use, 0);
    CHECK_EQ(eddy_http_session_get_counters(session).idle, 0);
    eddy_http_response_close(&response);
}

/* H-RESP-6: what came can be read first. */
TEST(response_that_ends_early_says_so_behind_what_came)
{
    STAND(stand, HEAD(10) "half");
    char data[64];
    const char *all;

    stand.value = 1;
    CHECK_OK(stand_open(&stand, NULL, &session));
    CHECK_OK(eddy_http_get(session, "http://a.test/", &response));
    CHECK_EQ(eddy_read(eddy_http_body(response), data, sizeof data), 4);
    CHECK_FAILS((int)eddy_read(eddy_http_body(response), data, sizeof data), EDDY_EHTTP_PAYLOAD,
                "GET http://a.test/: reading the body: ");
    CHECK_EQ(eddy_http_session_get_counters(session).in_use, 0); /* it is closed at once */
    CHECK_EQ(eddy_http_session_get_counters(session).idle, 0);
    CHECK_EQ(eddy_http_read(response, &all, NULL), EDDY_EHTTP_PAYLOAD);
    eddy_http_response_close(&response);
    stand.answer = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n";
    CHECK_OK(eddy_http_get(session, "http://a.test/", &response));
    CHECK_EQ(eddy_http_read(response, &all, NULL), EDDY_EHTTP_PAYLOAD);
    eddy_http_response_close(&response);
    stand.answer = "HTTP/1.1 200 OK\r\nContent-Le";
    CHECK_FAILS(eddy_http_get(session, "http://a.test/", &response), EDDY_EHTTP_DISCONNECTED,
                "closed the connection within its answer");
}

/* H-TMO-2: the time in all goes on. */
TEST(response_body_must_come_within_the_time_in_all)
{
    STAND(stand, HEAD(10) "1|2|3|4|5|6|7");
    const char *data;
    const eddy_http_options with = {.timeouts = &(const eddy_http_timeouts){.total = 3.5}};

    CHECK_OK(stand_open(&stand, NULL, &session));
    CHECK_OK(eddy_http_request(session, "GET", "http://a.test/", &with, &response));
    CHECK_FAILS(eddy_http_read(response, &data, NULL), -ETIMEDOUT,
                "GET http://a.test/: reading the body: not done within 3.5 seconds in all");
    CHECK_EQ(eddy_http_session_get_counters(session).in_use, 0);
    CHECK_EQ(eddy_http_read(response, &data, NULL), -ETIMEDOUT);
}

/* H-TMO-1, -5, -6: between two reads, and only while one waits. */
TEST(response_body_must_come_within_the_time_of_each_read)
{
    STAND(stand, HEAD(10) "1|2|3||||4");
    const char *data;
    char byte;
    const eddy_http_options with = {.timeouts = &(const eddy_http_timeouts){.read = 1.5}};

    CHECK_OK(stand_open(&stand, NULL, &session));
    CHECK_OK(eddy_http_request(session, "GET", "http://a.test/", &with, &response));
    CHECK_EQ(eddy_read(eddy_http_body(response), &byte, 1), 1);
    CHECK_EQ(eddy_read(eddy_http_body(response), &byte, 1), 1);
    CHECK_OK(eddy_sleep(2)); /* nobody reads: no time runs */
    CHECK_EQ(eddy_read(eddy_http_body(response), &byte, 1), 1);
    CHECK_OK(eddy_sleep(0.5));
    CHECK_FAILS(eddy_http_read(response, &data, NULL), EDDY_EHTTP_READ_TIMEOUT,
                "reading the body: nothing came within 1.5 seconds");
    CHECK_EQ(eddy_http_session_get_counters(session).in_use, 0);
}

/* A read that is cut short by its caller takes nothing, and the next one goes on. */
TEST(response_body_can_be_read_on_behind_a_timeout_of_the_readers)
{
    STAND(stand, HEAD(10) "12345||67890");
    const char *data;
    size_t size;

    CHECK_OK(stand_open(&stand, NULL, &session));
    CHECK_OK(eddy_http_get(session, "http://a.test/", &response));
    {
        EDDY_TIMEOUT(limit, 1);
        CHECK_EQ(eddy_http_read(response, &data, &size), -ETIMEDOUT);
    }
    CHECK_OK(eddy_http_read(response, &data, &size));
    CHECK_STR(data, "1234567890");
    CHECK_EQ(eddy_http_session_get_counters(session).idle, 1);
}

static int serve_much(struct stand *stand, eddy_stream *stream, int number)
{
    static char data[65536];

    (void)number;
    EDDY_TRY(stand_read(stand, stream));
    EDDY_TRY(eddy_printf(stream, "HTTP/1.1 200 OK\r\nContent-Length: 16777216\r\n\r\n"));
    for (stand->value = 0; stand->value < 256; stand->value++)
        EDDY_TRY(eddy_write(stream, data, sizeof data));
    return 0;
}

/* H-RESP-12. */
TEST(response_body_that_nobody_reads_slows_the_server_down)
{
    STAND(stand, NULL);
    static char data[1 << 20];

    stand.serve = serve_much;
    CHECK_OK(stand_open(&stand, NULL, &session));
    CHECK_OK(eddy_http_get(session, "http://a.test/", &response));
    CHECK_OK(eddy_sleep(5));
    CHECK(stand.value < 8);
    for (int i = 0; i < 16; i++)
        CHECK_OK(eddy_read_exactly(eddy_http_body(response), data, sizeof data));
    CHECK_EQ(stand.value, 256);
    CHECK_EQ(eddy_http_session_get_counters(session).in_use, 0);
}

/* "hello, hello" as gzip has it. */
#define ZIPPED                                                                                     \
    "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xcb\x48\xcd\xc9\xc9\xd7\x51\xc8\x00\x51\x00"         \
    "\xff\xc5\xcc\xf3\x0c\x00\x00\x00"

/* H-RESP-13, -14, H-REQ-1. */
TEST(response_body_is_decompressed_unless_it_is_to_be_kept)
{
    STAND(stand, NULL);
    static const char head[] = "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n"
                               "Content-Length: 29\r\n\r\n" ZIPPED;
    const char *data;
    size_t size;

    stand.serve = stand_hello;
    stand.answer = head;
    stand.answer_size = sizeof head - 1;
    CHECK_OK(stand_open(&stand, NULL, &session));
    CHECK_OK(stand_get(session, "http://a.test/", "hello, hello"));
    CHECK_OK(eddy_http_request(session, "GET", "http://a.test/",
                               &(eddy_http_options){.keep_encoding = true}, &response));
    CHECK_OK(eddy_http_read(response, &data, &size));
    CHECK_EQ(size, 29);
    CHECK_STR(eddy_http_header(response, "content-encoding"), "gzip");
    eddy_http_response_close(&response);
    CHECK_OK(eddy_http_head(session, "http://a.test/", &response)); /* has none to decompress */
    CHECK_OK(eddy_http_read(response, &data, &size));
    CHECK_EQ(size, 0);
}

TEST(response_body_of_an_unknown_coding_is_left_as_it_is)
{
    STAND(stand, NULL);

    stand.serve = stand_hello;
    stand.answer = "HTTP/1.1 200 OK\r\nContent-Encoding: rot13\r\nContent-Length: 5\r\n\r\nuryyb";
    CHECK_OK(stand_open(&stand, NULL, &session));
    CHECK_OK(stand_get(session, "http://a.test/", "uryyb"));
}

/* H-SEC-15. */
TEST(response_body_that_is_a_bomb_ends_at_the_limit)
{
    STAND(stand, NULL);
    static const char head[] = "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n"
                               "Content-Length: 29\r\n\r\n" ZIPPED;
    const eddy_http_options with = {.decoded_limit = 5};
    const eddy_http_options few = {.limit = 5};

    stand.serve = stand_hello;
    stand.answer = head;
    stand.answer_size = sizeof head - 1;
    CHECK_OK(stand_open(&stand, NULL, &session));
    CHECK_EQ(stand_get_with(session, "GET", "http://a.test/", &with, ""), EDDY_ELIMIT);
    CHECK_FAILS(stand_get_with(session, "GET", "http://a.test/", &few, ""), EDDY_ELIMIT,
                "longer than 5 bytes");
    CHECK_EQ(eddy_http_session_get_counters(session).in_use, 0);
}

static int serve_upgrade(struct stand *stand, eddy_stream *stream, int number)
{
    char data[4];

    (void)number;
    EDDY_TRY(stand_read(stand, stream));
    if (stand->value)
        return eddy_printf(stream, STAND_HELLO);
    EDDY_TRY(eddy_printf(stream, "HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n"
                                 "\r\nfirst"));
    EDDY_TRY(eddy_read_exactly(stream, data, 4));
    return eddy_write(stream, data, 4);
}

/* The seam of WebSockets: H-RESP-2, H-CONN-7. */
TEST(response_of_101_hands_its_connection_over)
{
    STAND(stand, NULL);
    const eddy_http_options with = {.headers =
                                        EDDY_PAIRS({"Connection", "upgrade"}, {"Upgrade", "x"})};
    eddy_stream *stream = NULL;
    char data[5];

    stand.serve = serve_upgrade;
    CHECK_OK(stand_open(&stand, NULL, &session));
    CHECK_OK(ed_http_upgrade(session, "ws://a.test/x", &with, &response, &stream));
    CHECK_EQ(eddy_http_status(response), 101);
    CHECK_HAS(stand.seen, "GET /x HTTP/1.1\r\n");
    CHECK_HAS(stand.seen, "Connection: upgrade\r\nUpgrade: x\r\n");
    CHECK_OK(eddy_read_exactly(stream, data, 5));
    CHECK(memcmp(data, "first", 5) == 0);
    CHECK_OK(eddy_write(stream, "echo", 4));
    CHECK_OK(eddy_read_exactly(stream, data, 4));
    CHECK(memcmp(data, "echo", 4) == 0);
    CHECK_EQ(eddy_read(eddy_http_body(response), data, 1), 0);
    CHECK_EQ(eddy_http_session_get_counters(session).in_use, 1);
    eddy_http_response_close(&response);
    CHECK_EQ(eddy_http_session_get_counters(session).in_use, 0);
    CHECK_EQ(eddy_http_session_get_counters(session).idle, 0);
    stand.value = 1;
    CHECK_OK(ed_http_upgrade(session, "http://a.test/x", &with, &response, &stream));
    CHECK(!stream && eddy_http_status(response) == 200);
}
