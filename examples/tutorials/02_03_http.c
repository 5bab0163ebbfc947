/* SPDX-License-Identifier: MIT */
/* HTTP requests: the first 100 bytes of a page */
#include <eddy.h>
#include <eddy/http.h>
#include <stdio.h>

static int fetch_url(const char *url, char **text)
{
    EDDY_HTTP_SESSION session = NULL;
    EDDY_HTTP_RESPONSE response = NULL;

    EDDY_TRY(eddy_http_session_open(NULL, &session));
    EDDY_TRY(eddy_http_get(session, url, &response));
    return eddy_http_text(response, text);
}

static int amain(int argc, char **argv)
{
    const char *url = argc > 1 ? argv[1] : "https://example.com";
    char *content;

    EDDY_TRY(fetch_url(url, &content));
    printf("%.100s\n", content);
    eddy_free(content);
    return 0;
}
EDDY_ASYNC(amain, int, char **);
EDDY_MAIN_ARGS(amain)
