/* SPDX-License-Identifier: MIT */
/* Asynchronous web requests: three pages at once, in one session */
#include <eddy.h>
#include <eddy/http.h>
#include <stdio.h>

static int fetch_url(eddy_http_session *session, const char *url, char **text)
{
    EDDY_HTTP_RESPONSE response = NULL; /* async with session.get(url) as response */

    EDDY_TRY(eddy_http_get(session, url, &response));
    return eddy_http_text(response, text);
}
EDDY_ASYNC_RESULT(char *, fetch_url, eddy_http_session *, const char *);

static int amain(int argc, char **argv)
{
    const char *printed[] = {"http://example.com", "http://example.org", "http://example.net"};
    const char **urls = argc > 3 ? (const char **)argv + 1 : printed;
    EDDY_HTTP_SESSION session = NULL;
    char *texts[3] = {NULL};

    EDDY_TRY(eddy_http_session_open(NULL, &session));
    int rc = eddy_gather(EDDY_CALL(fetch_url, session, urls[0], &texts[0]),
                         EDDY_CALL(fetch_url, session, urls[1], &texts[1]),
                         EDDY_CALL(fetch_url, session, urls[2], &texts[2]));
    for (int i = 0; i < 3; i++) {
        if (rc == 0)
            puts(texts[i]);
        eddy_free(texts[i]);
    }
    return rc;
}
EDDY_ASYNC(amain, int, char **);
EDDY_MAIN_ARGS(amain)
