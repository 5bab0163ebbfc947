/* SPDX-License-Identifier: MIT */
/* CORS: what pages of other origins are told. */
#include "http/web.h"

static int work(eddy_web_request *request, void *unused)
{
    eddy_stream *body = NULL;

    (void)unused;
    if (eddy_web_query(request, "fail"))
        return eddy_raise(EDDY_HTTP_STATUS(409), "not now");
    if (eddy_web_query(request, "vary"))
        EDDY_TRY(eddy_web_set_header(request, "Vary", "Accept-Language"));
    if (!eddy_web_query(request, "stream"))
        return eddy_web_send_text(request, 200, "done");
    EDDY_TRY(eddy_web_begin(request, 200, "text/plain", -1, &body));
    return eddy_write(body, "done", 4);
}

#define SERVER(...)                                                                                \
    static eddy_web_cors_options cors = {__VA_ARGS__};                                             \
    WEB(app, server, NULL);                                                                        \
    CHECK_OK(eddy_web_use(app, eddy_web_cors, &cors));                                             \
    CHECK_OK(eddy_web_get(app, "/", work, NULL));                                                  \
    CHECK_OK(eddy_web_put(app, "/", work, NULL));                                                  \
    WEB_START(app, server)

#define FROM_A "Origin: https://a.test\r\n"
#define FROM_B "Origin: https://b.test:81\r\n"
#define FROM_EVIL "Origin: https://a.test.evil\r\n"

TEST(web_cors_tells_origins_that_are_named)
{
    SERVER(.origins = "https://a.test, https://b.test:81", .expose = "ETag, Link");
    const char *heard = web_ask(server, "GET", "/", FROM_B);

    CHECK_STATUS(heard, 200);
    CHECK_HAS(heard, "Access-Control-Allow-Origin: https://b.test:81\r\n");
    CHECK_HAS(heard, "Access-Control-Expose-Headers: ETag, Link\r\n");
    CHECK_HAS(heard, "Vary: Origin\r\n");
    CHECK(!strstr(heard, "Credentials"));
    heard = web_ask(server, "GET", "/?stream=1", FROM_A);
    CHECK_HAS(heard, "Access-Control-Allow-Origin: https://a.test\r\n");
    CHECK_HAS(heard, "Vary: Origin\r\n");
    heard = web_ask(server, "GET", "/?fail=1", FROM_A);
    CHECK_STATUS(heard, 409);
    CHECK_HAS(heard, "Access-Control-Allow-Origin: https://a.test\r\n");
    heard = web_ask(server, "GET", "/nowhere", FROM_A);
    CHECK_STATUS(heard, 404);
    CHECK_HAS(heard, "Access-Control-Allow-Origin: https://a.test\r\n");
    heard = web_ask(server, "GET", "/?vary=1", FROM_A);
    CHECK_HAS(heard, "Vary: Accept-Language\r\n");
    CHECK_HAS(heard, "Vary: Origin\r\n");
}

TEST(web_cors_tells_others_nothing)
{
    SERVER(.origins = "https://a.test, https://b.test:81", .credentials = true);
    const char *others[] = {FROM_EVIL,          "Origin: http://a.test\r\n",
                            "Origin: null\r\n", "Origin: https://b.test\r\n",
                            "Origin: \r\n",     ""};

    for (size_t i = 0; i < ED_ARRAY_LENGTH(others); i++) {
        const char *heard = web_ask(server, "GET", "/", others[i]);

        CHECK_STATUS(heard, 200);
        CHECK(!strstr(heard, "Access-Control-"));
        CHECK_HAS(heard, "Vary: Origin\r\n");
    }
    CHECK_STATUS(
        web_ask(server, "OPTIONS", "/", FROM_EVIL "Access-Control-Request-Method: PUT\r\n"), 403);
}

TEST(web_cors_answers_who_asks_before)
{
    SERVER(.origins = "https://a.test", .headers = "Content-Type, X-Token", .credentials = true,
           .max_age = 600);
    const char *heard = web_ask(server, "OPTIONS", "/",
                                FROM_A "Access-Control-Request-Method: PUT\r\n"
                                       "Access-Control-Request-Headers: x-token\r\n");

    CHECK_STATUS(heard, 204);
    CHECK_HAS(heard, "Access-Control-Allow-Origin: https://a.test\r\n");
    CHECK_HAS(heard, "Access-Control-Allow-Credentials: true\r\n");
    CHECK_HAS(heard, "Access-Control-Allow-Methods: PUT\r\n");
    CHECK_HAS(heard, "Access-Control-Allow-Headers: Content-Type, X-Token\r\n");
    CHECK_HAS(heard, "Access-Control-Max-Age: 600\r\n");
    CHECK_HAS(heard, "Vary: Origin\r\n");
    heard = web_ask(server, "OPTIONS", "/", FROM_A "Access-Control-Request-Method: DELETE\r\n");
    CHECK_STATUS(heard, 204);
    CHECK(!strstr(heard, "Allow-Methods") && !strstr(heard, "Allow-Headers"));
    CHECK_STATUS(web_ask(server, "OPTIONS", "/", FROM_A), 405); /* asks nothing of the kind */
}

TEST(web_cors_of_any_origin_takes_no_credentials)
{
    SERVER(.origins = "*", .methods = "GET, PATCH", .headers = "*", .credentials = true);
    const char *heard = web_ask(server, "GET", "/", FROM_EVIL);

    CHECK_HAS(heard, "Access-Control-Allow-Origin: *\r\n");
    CHECK(!strstr(heard, "Credentials") && !strstr(heard, "Vary"));
    heard = web_ask(server, "OPTIONS", "/",
                    FROM_EVIL "Access-Control-Request-Method: PATCH\r\n"
                              "Access-Control-Request-Headers: x-a, x-b\r\n");
    CHECK_HAS(heard, "Access-Control-Allow-Methods: GET, PATCH\r\n");
    CHECK_HAS(heard, "Access-Control-Allow-Headers: x-a, x-b\r\n");
    CHECK_HAS(heard, "Vary: Access-Control-Request-Headers\r\n");
    CHECK(!strstr(heard, "Max-Age"));
}

TEST(web_cors_of_nobody)
{
    SERVER(.origins = NULL);

    CHECK(!strstr(web_ask(server, "GET", "/", FROM_A), "Access-Control-"));
}
