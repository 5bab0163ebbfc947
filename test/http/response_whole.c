/* SPDX-License-Identifier: MIT */
/* Bodies as a whole: H-RESP-7, -8. */
#include <jansson.h>
#include <stdlib.h>

#include "stand.h"

#define STAND(name)                                                                                \
    EDDY_GROUP(name##_group);                                                                      \
    struct stand name = {.group = &name##_group};                                                  \
    EDDY_HTTP_SESSION session = NULL;                                                              \
    EDDY_HTTP_RESPONSE response = NULL;                                                            \
    CHECK_OK(stand_open(&stand, NULL, &session))

/* Gets an answer of this type and body. */
static int get(struct stand *stand, eddy_http_session *session, const char *type, const char *body,
               size_t size, eddy_http_response **response)
{
    static char answer[8192];
    int head =
        snprintf(answer, sizeof answer, "HTTP/1.1 200 OK\r\n%s%s\r\nContent-Length: %zu\r\n\r\n",
                 type ? "Content-Type: " : "X: ", type ? type : "y", size);

    memcpy(answer + head, body, size);
    stand->answer = answer;
    stand->answer_size = (size_t)head + size;
    eddy_http_response_close(response);
    return eddy_http_get(session, "http://a.test/", response);
}

#define GET(type, body) get(&stand, session, (type), (body), sizeof(body) - 1, &response)

TEST(response_is_read_again_as_the_same_bytes)
{
    STAND(stand);
    const char *one, *other;
    size_t size;

    CHECK_OK(GET(NULL, "a\0b"));
    CHECK_OK(eddy_http_read(response, &one, &size));
    CHECK(size == 3 && memcmp(one, "a\0b", 4) == 0);
    CHECK_OK(eddy_http_read(response, &other, NULL));
    CHECK(one == other);
    CHECK_OK(GET(NULL, ""));
    CHECK_OK(eddy_http_read(response, &one, &size));
    CHECK_EQ(size, 0);
    CHECK_STR(one, "");
}

TEST(response_is_read_as_text_of_its_charset)
{
    STAND(stand);
    char *text = NULL;

    CHECK_OK(GET("text/plain; charset=iso-8859-1", "gr\xfc\xdf"));
    CHECK_OK(eddy_http_text(response, &text));
    CHECK_STR(text, "gr\xc3\xbc\xc3\x9f");
    eddy_free(text);
    CHECK_OK(GET("text/plain", "gr\xc3\xbc\xff"));
    CHECK_OK(eddy_http_text(response, &text));
    CHECK_STR(text, "gr\xc3\xbc\xef\xbf\xbd");
    eddy_free(text);
    CHECK_OK(GET("text/plain; charset=klingon", "x"));
    CHECK_FAILS(eddy_http_text(response, &text), -EINVAL, "the charset \"klingon\" is not known");
}

TEST(response_is_read_as_json_if_it_is_some)
{
    STAND(stand);
    json_t *value = NULL;

    CHECK_OK(GET("application/json; charset=utf-8", "{\"a\": [1, 2, \"]\\\"\"]}"));
    CHECK_OK(eddy_http_json(response, &value));
    CHECK_EQ(json_integer_value(json_array_get(json_object_get(value, "a"), 1)), 2);
    json_decref(value);
    CHECK_OK(GET("application/problem+json", "17"));
    CHECK_OK(eddy_http_json(response, &value));
    CHECK_EQ(json_integer_value(value), 17);
    json_decref(value);
    CHECK_OK(GET("application/json; charset=utf-16le", "\"\0\xe4\0\"\0"));
    CHECK_OK(eddy_http_json(response, &value));
    CHECK_STR(json_string_value(value), "\xc3\xa4");
    json_decref(value);
    CHECK_OK(GET("application/json", " \r\n"));
    CHECK_OK(eddy_http_json(response, &value));
    CHECK(!value);
    CHECK_OK(GET("text/html", "{}"));
    CHECK_FAILS(eddy_http_json(response, &value), EDDY_EHTTP_CONTENT_TYPE, "of the type text/html");
    CHECK_OK(GET("application/json", "{\"a\":\n tru}"));
    CHECK_FAILS(eddy_http_json(response, &value), EDDY_EJSON, "GET http://a.test/: line 2, column");
    CHECK_OK(GET("application/json", "{\"a\": 1} x"));
    CHECK_EQ(eddy_http_json(response, &value), EDDY_EJSON);
    CHECK_OK(GET("application/json", "\"\xff\""));
    CHECK_EQ(eddy_http_json(response, &value), EDDY_EJSON);
}

/* jansson's parser calls itself; a task's stack must not be the limit. */
TEST(response_of_json_that_is_nested_too_deep_is_refused)
{
    STAND(stand);
    static char deep[601];
    json_t *value = NULL;

    memset(deep, '[', 256);
    memset(deep + 256, ']', 256);
    CHECK_OK(get(&stand, session, "application/json", deep, 512, &response));
    CHECK_OK(eddy_http_json(response, &value));
    json_decref(value);
    memset(deep, '[', 300);
    memset(deep + 300, ']', 300);
    CHECK_OK(get(&stand, session, "application/json", deep, 600, &response));
    CHECK_FAILS(eddy_http_json(response, &value), EDDY_EJSON, "nested more than 256 deep");
}

static int serve_chunks(struct stand *stand, eddy_stream *stream, int number)
{
    static char data[1000];

    (void)number;
    memset(data, 'x', sizeof data);
    EDDY_TRY(stand_read(stand, stream));
    EDDY_TRY(eddy_printf(stream, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"));
    for (int i = 0; i < 200; i++) {
        EDDY_TRY(eddy_printf(stream, "3e8\r\n"));
        EDDY_TRY(eddy_write(stream, data, sizeof data));
        EDDY_TRY(eddy_printf(stream, "\r\n"));
    }
    EDDY_TRY(eddy_printf(stream, "0\r\n\r\n"));
    return stand_read(stand, stream);
}

TEST(response_of_unknown_length_is_read_up_to_the_limit_and_no_further)
{
    STAND(stand);
    const char *data;
    size_t size;

    stand.serve = serve_chunks;
    CHECK_OK(eddy_http_get(session, "http://a.test/", &response));
    CHECK_OK(eddy_http_read(response, &data, &size));
    CHECK_EQ(size, 200000);
    CHECK(data[0] == 'x' && data[199999] == 'x' && data[200000] == '\0');
    eddy_http_response_close(&response);
    CHECK_EQ(eddy_http_session_get_counters(session).idle, 1);
    CHECK_OK(eddy_http_request(session, "GET", "http://b.test/",
                               &(eddy_http_options){.limit = 200000}, &response));
    CHECK_OK(eddy_http_read(response, &data, &size));
    eddy_http_response_close(&response);
    CHECK_OK(eddy_http_request(session, "GET", "http://c.test/",
                               &(eddy_http_options){.limit = 199999}, &response));
    CHECK_FAILS(eddy_http_read(response, &data, &size), EDDY_ELIMIT, "longer than 199999 bytes");
}

/* A length that is announced is not memory that is taken. */
TEST(response_that_announces_much_and_sends_little_takes_little)
{
    STAND(stand);
    const char *data;

    stand.answer = "HTTP/1.1 200 OK\r\nContent-Length: 60000000\r\n\r\nx";
    CHECK_OK(eddy_http_get(session, "http://a.test/", &response));
    {
        EDDY_TIMEOUT(limit, 1);
        CHECK_EQ(eddy_http_read(response, &data, NULL), -ETIMEDOUT);
    }
    CHECK(response->room < 100000);
}
