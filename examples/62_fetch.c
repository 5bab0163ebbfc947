/* SPDX-License-Identifier: MIT */
/* Fetches many pages at once, ten at a time to each host.  62_fetch URL... */
#include <eddy.h>
#include <eddy/http.h>
#include <stdio.h>

static int fetch(eddy_http_session *session, const char *url)
{
    EDDY_HTTP_RESPONSE response = NULL;
    const char *page;
    size_t size;

    EDDY_TRY(eddy_http_get(session, url, &response));
    EDDY_TRY(eddy_http_read(response, &page, &size));
    printf("%d %7zu %s\n", eddy_http_status(response), size, url);
    return 0;
}
EDDY_ASYNC(fetch, eddy_http_session *, const char *);

static int amain(int argc, char **argv)
{
    const eddy_http_session_options options = {.connections_per_host = 10};
    EDDY_HTTP_SESSION session = NULL;

    EDDY_TRY(eddy_http_session_open(&options, &session));
    EDDY_GROUP(group);
    for (int i = 1; i < argc; i++)
        eddy_group_create_task(&group, fetch, session, argv[i]);
    return eddy_group_join(&group);
}
EDDY_ASYNC(amain, int, char **);
EDDY_MAIN_ARGS(amain)
