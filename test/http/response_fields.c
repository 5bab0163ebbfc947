/* SPDX-License-Identifier: MIT */
/* What a response says: H-RESP-3. */
#include "stand.h"

/* Gets an answer of these fields. */
static int get(struct stand *stand, eddy_http_session *session, const char *fields,
               eddy_http_response **response)
{
    static char answer[1024];

    snprintf(answer, sizeof answer, "HTTP/1.0 200 Fine\r\n%sContent-Length: 0\r\n\r\n", fields);
    stand->answer = answer;
    eddy_http_response_close(response);
    return eddy_http_get(session, "http://a.test/dir/page?x", response);
}

#define STAND(name)                                                                                \
    EDDY_GROUP(name##_group);                                                                      \
    struct stand name = {.group = &name##_group};                                                  \
    EDDY_HTTP_SESSION session = NULL;                                                              \
    EDDY_HTTP_RESPONSE response = NULL;                                                            \
    CHECK_OK(stand_open(&stand, NULL, &session))

TEST(response_tells_type_and_charset_in_small_letters)
{
    STAND(stand);

    CHECK_OK(get(&stand, session, "Content-Type: Text/HTML; Charset=\"UTF-8\"\r\n", &response));
    CHECK_STR(eddy_http_content_type(response), "text/html");
    CHECK_STR(eddy_http_charset(response), "utf-8");
    CHECK_STR(eddy_http_charset(response), "utf-8");
    CHECK_OK(get(&stand, session, "", &response));
    CHECK_STR(eddy_http_content_type(response), "application/octet-stream");
    CHECK(!eddy_http_charset(response));
    CHECK_OK(get(&stand, session, "Content-Type: nonsense\r\n", &response));
    CHECK_STR(eddy_http_content_type(response), "application/octet-stream");
    CHECK_OK(get(&stand, session,
                 "Content-Type: text/plain;x=\"; charset=no\" ;charset=latin1;\r\n", &response));
    CHECK_STR(eddy_http_charset(response), "latin1");
    CHECK_OK(get(&stand, session, "Content-Type: text/plain; charset\r\n", &response));
    CHECK(!eddy_http_charset(response));
    CHECK_OK(get(&stand, session, "Content-Type: text/plain; charset=\"a\\\"b\r\n", &response));
    CHECK_STR(eddy_http_charset(response), "a\"b");
}

TEST(response_tells_fields_cookies_and_version)
{
    STAND(stand);
    size_t index = 0;

    CHECK_OK(get(&stand, session,
                 "Set-Cookie: a=1; Path=/\r\nSet-Cookie: bc=\"2\"\r\nX-Many: 1\r\nx-many: 2\r\n",
                 &response));
    CHECK_STR(eddy_http_version(response), "1.0");
    CHECK_STR(eddy_http_response_reason(response), "Fine");
    CHECK_STR(eddy_http_header(response, "X-MANY"), "1");
    CHECK_STR(eddy_headers_next(eddy_http_headers(response), "X-Many", &index), "1");
    CHECK_STR(eddy_headers_next(eddy_http_headers(response), "X-Many", &index), "2");
    CHECK(!eddy_http_header(response, "None"));
    CHECK_STR(eddy_http_cookie(response, "a"), "1");
    CHECK_STR(eddy_http_cookie(response, "bc"), "\"2\"");
    CHECK(!eddy_http_cookie(response, "b"));
    CHECK_EQ(eddy_headers_set((eddy_headers *)(uintptr_t)eddy_http_headers(response), "X", "1"),
             -EPERM);
    CHECK_OK(eddy_http_raise_for_status(response));
}

TEST(response_tells_links_joined_to_its_url)
{
    STAND(stand);

    CHECK_OK(get(&stand, session,
                 "Link: <page2>; rel=\"next\", </top>; rel=\"first  start\"\r\n"
                 "Link: <http://b.test/z>; title=\"a, b\"; rel=last, <bad; rel=worse\r\n",
                 &response));
    CHECK_STR(eddy_http_link(response, "next"), "http://a.test/dir/page2");
    CHECK_STR(eddy_http_link(response, "start"), "http://a.test/top");
    CHECK_STR(eddy_http_link(response, "last"), "http://b.test/z");
    CHECK(!eddy_http_link(response, "prev"));
    CHECK(!eddy_http_link(response, "worse"));
}
