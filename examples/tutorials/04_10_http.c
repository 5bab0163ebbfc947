/* SPDX-License-Identifier: MIT */
/* An asynchronous HTTP GET request */
#include <eddy.h>
#include <eddy/http.h>
#include <stdio.h>

static int fetch(eddy_http_session *session, const char *url, char **text)
{
    EDDY_HTTP_RESPONSE response = NULL;

    EDDY_TRY(eddy_http_get(session, url, &response));
    return eddy_http_text(response, text);
}

static int amain(int argc, char **argv)
{
    EDDY_HTTP_SESSION session = NULL;
    char *html;

    EDDY_TRY(eddy_http_session_open(NULL, &session));
    EDDY_TRY(fetch(session, argc > 1 ? argv[1] : "https://www.example.com", &html));
    puts(html);
    eddy_free(html);
    return 0;
}
EDDY_ASYNC(amain, int, char **);
EDDY_MAIN_ARGS(amain)
