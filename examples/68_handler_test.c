/* SPDX-License-Identifier: MIT */
/* A web application, tested without a network and without waiting: memory, and a virtual clock. */
#include <eddy.h>
#include <eddy/http.h>
#include <eddy/test.h>
#include <stdio.h>
#include <string.h>

/* What is tested: asks a station, which takes two seconds, once a minute only. */
static int tell_weather(eddy_web_request *request, void *fresh_until)
{
    long station;

    EDDY_TRY(eddy_web_query_long(request, "station", 1, 99, &station)); /* else 400 */
    if (eddy_time() >= *(double *)fresh_until) {
        EDDY_TRY(eddy_sleep(2));
        *(double *)fresh_until = eddy_time() + 60;
    }
    return eddy_web_printf(request, 200, "station %ld: 21 degrees", station);
}

static int expect(eddy_http_session *session, const char *url, int status, const char *text)
{
    EDDY_HTTP_RESPONSE response = NULL;
    const char *body;

    EDDY_TRY(eddy_http_get(session, url, &response));
    EDDY_TRY(eddy_expect_equal(eddy_http_status(response), status));
    EDDY_TRY(eddy_http_read(response, &body, NULL));
    return eddy_expect(strstr(body, text) != NULL);
}

static int test_weather(void)
{
    double fresh_until = 0;
    EDDY_WEB_APP app = NULL;
    EDDY_WEB_SERVER server = NULL;
    EDDY_HTTP_SESSION session = NULL;

    EDDY_TRY(eddy_web_app_new(&app));
    EDDY_TRY(eddy_web_get(app, "/weather", tell_weather, &fresh_until));
    EDDY_TRY(eddy_web_start_test(app, NULL, &server, &session));
    EDDY_TRY(expect(session, "/weather?station=7", 200, "21 degrees"));
    EDDY_TRY(expect(session, "/weather?station=7", 200, "21 degrees"));
    EDDY_TRY(expect(session, "/weather?station=x", 400, "station"));
    EDDY_TRY(eddy_expect(eddy_time() == 2)); /* only the first one took time */
    EDDY_TRY(eddy_sleep(60));
    EDDY_TRY(expect(session, "/weather?station=7", 200, "21 degrees"));
    return eddy_expect(eddy_time() == 64);
}
EDDY_ASYNC(test_weather);

int main(void)
{
    int rc = eddy_test_cancels(test_weather); /* at each place where anybody waits */

    rc = rc < 0 ? rc : eddy_test_seeds(1, 100, test_weather);
    printf("%s\n", rc < 0 ? eddy_error_message(rc) : "passed");
    return rc < 0;
}
