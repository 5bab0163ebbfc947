/* SPDX-License-Identifier: MIT */
/* Limiting concurrent connections: ten requests, three at a time */
#include <eddy.h>
#include <eddy/http.h>
#include <stdio.h>

static int
fetch(eddy_http_session *session, const char *url, eddy_semaphore *semaphore, size_t *size)
{
    EDDY_TRY(eddy_semaphore_acquire(semaphore));
    EDDY_DEFER(eddy_semaphore_release, semaphore); /* async with semaphore */
    EDDY_HTTP_RESPONSE response = NULL;
    const char *content;

    EDDY_TRY(eddy_http_get(session, url, &response));
    return eddy_http_read(response, &content, size);
}
EDDY_ASYNC_RESULT(size_t, fetch, eddy_http_session *, const char *, eddy_semaphore *);

static int amain(int argc, char **argv)
{
    const char *url = argc > 1 ? argv[1] : "https://www.example.com";
    eddy_semaphore semaphore = EDDY_SEMAPHORE_INIT(3);
    EDDY_HTTP_SESSION session = NULL;
    size_t sizes[10];

    EDDY_TRY(eddy_http_session_open(NULL, &session));
    EDDY_GROUP(group);
    for (int i = 0; i < 10; i++)
        eddy_group_create_task(&group, fetch, session, url, &semaphore, &sizes[i]);
    EDDY_TRY(eddy_group_join(&group));
    for (int i = 0; i < 10; i++)
        printf("Fetched content of length: %zu\n", sizes[i]);
    return 0;
}
EDDY_ASYNC(amain, int, char **);
EDDY_MAIN_ARGS(amain)
