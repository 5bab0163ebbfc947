/* SPDX-License-Identifier: MIT */
/*
 * The client as a whole: a conversation with all of its parts, cut short everywhere and with each
 * allocation failing; and servers that mean it badly. H-ERR-6, H-CONN-7, -18, H-RESP-6, H-SEC-24.
 */
#include "stand.h"

/* Answers by what the path says. */
static int serve_all(struct stand *stand, eddy_stream *stream, int number)
{
    int rc;

    (void)number;
    while (stand->seen[0] = '\0', (rc = stand_read(stand, stream)) > 0) {
        const char *answer = STAND_HELLO;

        if (strstr(stand->seen, " /moved "))
            answer = "HTTP/1.1 307 Moved\r\nLocation: /other\r\nSet-Cookie: a=1\r\n"
                     "Content-Length: 4\r\n\r\ngone";
        else if (strstr(stand->seen, " /chunks "))
            answer = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                     "2\r\nhe\r\n3;x=y\r\nllo\r\n0\r\nTrailer: x\r\n\r\n";
        else if (strstr(stand->seen, " /busy ") && stand->value++ == 0)
            answer = "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n";
        else if (strstr(stand->seen, " /stale ") && stand->value++ == 0)
            return 0;
        EDDY_TRY(eddy_write(stream, answer, strlen(answer)));
    }
    return rc;
}

/* What one session can go through. */
static int talk(eddy_http_session *session)
{
    static const char large[40000] = {'x'};
    const eddy_http_options post = {
        .body = EDDY_BODY("abc", 3), .cookies = EDDY_PAIRS({"own", "1"}), .bearer = "token"};
    const eddy_http_options put = {.body = EDDY_BODY(large, sizeof large)};
    const eddy_http_options expect = {.body = EDDY_BODY("abc", 3), .expect_continue = true};
    const eddy_http_options retry = {.retries = &(const eddy_http_retries){.times = 1}};

    EDDY_TRY(stand_get_with(session, "POST", "http://a.test/moved", &post, "hello"));
    EDDY_TRY(stand_get(session, "http://a.test/stale", "hello"));
    EDDY_TRY(stand_get(session, "http://a.test/chunks", "hello"));
    EDDY_TRY(stand_get_with(session, "PUT", "http://a.test/", &put, "hello"));
    EDDY_TRY(stand_get_with(session, "PUT", "http://b.test/", &expect, "hello"));
    return stand_get_with(session, "GET", "http://a.test/busy", &retry, "hello");
}
EDDY_ASYNC(talk, eddy_http_session *);

/* Two at once, who have to wait for each other. */
static int conversation(void)
{
    EDDY_GROUP(group);
    struct stand stand = {.group = &group, .serve = serve_all};
    const eddy_http_session_options options = {.connections = 1};
    EDDY_HTTP_SESSION session = NULL;

    EDDY_TRY(stand_open(&stand, &options, &session));
    return eddy_gather(EDDY_CALL(talk, session), EDDY_CALL(talk, session));
}
EDDY_ASYNC(conversation);

RAW_TEST(client_conversation_under_every_cancel)
{
    int rc = eddy_test_cancels(conversation);

    CHECK_THAT(rc == 0, "%s", eddy_error_message(rc));
}

RAW_TEST(client_conversation_in_many_orders)
{
    int rc = eddy_test_seeds(1, 100, conversation);

    CHECK_THAT(rc == 0, "%s", eddy_error_message(rc));
}

static int short_of_memory(void)
{
    EDDY_GROUP(group);
    struct stand stand = {.group = &group, .serve = serve_all};
    EDDY_HTTP_SESSION session = NULL;
    int rc;

    EDDY_TRY(stand_open(&stand, NULL, &session));
    rc = talk(session);
    return rc < 0 && stand.short_of_memory ? -ENOMEM : rc;
}
EDDY_ASYNC(short_of_memory);

RAW_TEST(client_conversation_with_each_allocation_failing)
{
    int rc = eddy_test_allocations(short_of_memory);

    CHECK_THAT(rc == 0, "%s", eddy_error_message(rc));
}

/* Hostile servers ---------------------------------------------------------------------------- */

/* Sends stand->answer, of which stand->value bytes, byte by byte if that is negative. */
static int serve_cut(struct stand *stand, eddy_stream *stream, int number)
{
    size_t size = strlen(stand->answer);

    (void)number;
    EDDY_TRY(stand_read(stand, stream));
    if (stand->value >= 0)
        return eddy_write(stream, stand->answer, (size_t)stand->value);
    for (size_t i = 0; i < size; i++) {
        EDDY_TRY(eddy_write(stream, stand->answer + i, 1));
        EDDY_TRY(eddy_sleep(0.01));
    }
    return stand_read(stand, stream);
}

static const char chunked_reply[] =
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;a=b\r\nhe\r\n3\r\nllo\r\n0\r\n"
    "X: y\r\n\r\n";

static const char *const replies[] = {
    STAND_HELLO,
    chunked_reply,
    "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nX: y\r\nContent-Length: 5\r\n\r\nhello",
};

TEST(client_reads_an_answer_that_comes_byte_by_byte)
{
    for (size_t i = 0; i < ED_ARRAY_LENGTH(replies); i++) {
        EDDY_GROUP(group);
        struct stand stand = {
            .group = &group, .serve = serve_cut, .answer = replies[i], .value = -1};
        EDDY_HTTP_SESSION session = NULL;

        CHECK_OK(stand_open(&stand, NULL, &session));
        CHECK_OK(stand_get(session, "http://a.test/", "hello"));
        CHECK_EQ(eddy_http_session_get_counters(session).idle, 1);
    }
}

/* The end at each byte of a reply: disconnected, or a body that is not whole; never "hello". */
static int check_cut(const char *reply, size_t size)
{
    EDDY_GROUP(group);
    struct stand stand = {.group = &group, .serve = serve_cut, .answer = reply, .value = (int)size};
    EDDY_HTTP_SESSION session = NULL;
    int rc;

    EDDY_TRY(stand_open(&stand, NULL, &session));
    rc = stand_get(session, "http://a.test/", "hello");
    REQUIRE(rc < 0);
    if (rc == -ECANCELED)
        return rc;
    REQUIRE(rc == EDDY_EHTTP_DISCONNECTED || rc == EDDY_EHTTP_PAYLOAD);
    EDDY_TRY(eddy_expect_equal(eddy_http_session_get_counters(session).in_use, 0));
    return eddy_expect_equal(eddy_http_session_get_counters(session).idle, 0);
}
EDDY_ASYNC(check_cut, const char *, size_t);

RAW_TEST(client_takes_no_answer_for_whole_that_is_cut_anywhere)
{
    for (size_t i = 0; i < ED_ARRAY_LENGTH(replies); i++)
        for (size_t size = 0; size < strlen(replies[i]); size++) {
            int rc = eddy_test(check_cut, replies[i], size);

            CHECK_THAT(rc == 0, "reply %zu cut at %zu: %s", i, size, eddy_error_message(rc));
        }
}

/* What an answer leads to: the error of the request or of its body. */
static int outcome(const char *answer, const char *expected)
{
    EDDY_GROUP(group);
    struct stand stand = {.group = &group, .answer = answer};
    EDDY_HTTP_SESSION session = NULL;
    int rc;

    EDDY_TRY(stand_open(&stand, NULL, &session));
    rc = stand_get(session, "http://a.test/", expected);
    if (rc < 0 && eddy_http_session_get_counters(session).idle > 0)
        return EDDY_ETEST;
    return rc;
}

/* H-SEC-1, -2, -24, from the client's side: what is not clear is refused, and not reused. */
TEST(client_refuses_answers_that_can_be_read_in_two_ways)
{
    CHECK_EQ(outcome("SSH-2.0-OpenSSH_9.2\r\n\r\n", ""), EDDY_EHTTP_PROTOCOL);
    CHECK_EQ(outcome("HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n", ""), EDDY_EHTTP_PROTOCOL);
    CHECK_EQ(outcome("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello", ""),
             EDDY_EHTTP_PROTOCOL);
    CHECK_EQ(outcome("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"
                     "0\r\n\r\n",
                     ""),
             EDDY_EHTTP_PROTOCOL);
    CHECK_EQ(outcome("HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nhello", ""),
             EDDY_EHTTP_PROTOCOL);
    CHECK_EQ(outcome("HTTP/1.1 200 OK\nContent-Length: 0\n\n", ""), EDDY_EHTTP_PROTOCOL);
    CHECK_EQ(outcome("HTTP/1.1 200 OK\r\nA: b\r\n c\r\nContent-Length: 0\r\n\r\n", ""),
             EDDY_EHTTP_PROTOCOL);
    CHECK_EQ(outcome("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", ""),
             EDDY_EHTTP_PROTOCOL);
    CHECK_EQ(outcome("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;\n\r\nhello\r\n", ""),
             EDDY_EHTTP_PROTOCOL); /* H-SEC-3 */
}

/* A head of `count` lines of so many bytes. */
static const char *long_head(size_t count, size_t size)
{
    static char answer[200000];
    size_t at = (size_t)snprintf(answer, sizeof answer, "HTTP/1.1 200 OK\r\n");

    for (size_t i = 0; i < count; i++, at += size + 5) {
        memset(answer + at, 'x', size);
        memcpy(answer + at + size, ": y\r\n", 5);
    }
    snprintf(answer + at, sizeof answer - at, "Content-Length: 0\r\n\r\n");
    return answer;
}

/* H-SES-13, H-SEC-7. */
TEST(client_limits_the_head_of_an_answer)
{
    CHECK_OK(outcome(long_head(100, 500), ""));
    CHECK_OK(outcome(long_head(1, 8000), ""));
    CHECK_EQ(outcome(long_head(1, 10000), ""), EDDY_ELIMIT);
    CHECK_EQ(outcome(long_head(200, 10), ""), EDDY_ELIMIT);
    CHECK_EQ(outcome(long_head(20, 4000), ""), EDDY_ELIMIT);
}

static int serve_endless(struct stand *stand, eddy_stream *stream, int number)
{
    (void)number;
    EDDY_TRY(stand_read(stand, stream));
    EDDY_TRY(eddy_printf(stream, "%s", stand->answer));
    for (;;)
        EDDY_TRY(eddy_printf(stream, "X: y\r\n"));
}

TEST(client_ends_a_head_that_has_no_end)
{
    EDDY_GROUP(group);
    struct stand stand = {.group = &group, .serve = serve_endless, .answer = "HTTP/1.1 200 OK\r\n"};
    EDDY_HTTP_SESSION session = NULL;
    EDDY_HTTP_RESPONSE response = NULL;

    CHECK_OK(stand_open(&stand, NULL, &session));
    CHECK_EQ(eddy_http_get(session, "http://a.test/", &response), EDDY_ELIMIT);
}

static int serve_drip(struct stand *stand, eddy_stream *stream, int number)
{
    (void)number;
    EDDY_TRY(stand_read(stand, stream));
    for (;;) {
        EDDY_TRY(eddy_write(stream, stand->answer++, 1));
        EDDY_TRY(eddy_sleep(1));
    }
}

/* A server that never stops and never ends: the time in all does. */
TEST(client_does_not_wait_for_ever_for_a_server_that_drips)
{
    EDDY_GROUP(group);
    struct stand stand = {.group = &group, .serve = serve_drip};
    EDDY_HTTP_SESSION session = NULL;
    EDDY_HTTP_RESPONSE response = NULL;
    static char answer[2000] = "HTTP/1.1 200 OK\r\nX: ";
    double start = eddy_time();

    memset(answer + strlen(answer), 'x', 1900);
    stand.answer = answer;
    CHECK_OK(stand_open(&stand, NULL, &session));
    CHECK_FAILS(eddy_http_get(session, "http://a.test/", &response), -ETIMEDOUT,
                "not done within 300 seconds in all");
    CHECK(eddy_time() - start < 301);
}
