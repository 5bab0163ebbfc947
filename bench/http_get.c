/* SPDX-License-Identifier: MIT */
/*
 * An HTTP client as a user writes one: http-get URL N CONCURRENCY gets a page N times, so many at
 * once, and prints the bytes of all bodies.
 */
#include <eddy.h>
#include <eddy/http.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

struct work {
    const char *url;
    eddy_http_session *session;
    long left;
    uint64_t bytes;
};

static int get_pages(struct work *work)
{
    while (work->left-- > 0) {
        EDDY_HTTP_RESPONSE response = NULL;
        const char *data;
        size_t size;

        EDDY_TRY(eddy_http_get(work->session, work->url, &response));
        EDDY_TRY(eddy_http_raise_for_status(response));
        EDDY_TRY(eddy_http_read(response, &data, &size));
        work->bytes += size;
    }
    return 0;
}
EDDY_ASYNC(get_pages, struct work *);

static int get(const char *url, long count, long concurrency)
{
    const eddy_http_session_options options = {.connections = (size_t)concurrency};
    EDDY_HTTP_SESSION session = NULL;
    struct work work = {.url = url, .left = count};
    EDDY_GROUP(group);

    EDDY_TRY(eddy_http_session_open(&options, &session));
    work.session = session;
    for (long i = 0; i < concurrency; i++)
        EDDY_TRY(eddy_group_create_task(&group, get_pages, &work));
    EDDY_TRY(eddy_group_join(&group));
    printf("%" PRIu64 "\n", work.bytes);
    return 0;
}
EDDY_ASYNC(get, const char *, long, long);

int main(int argc, char **argv)
{
    long count = argc == 4 ? strtol(argv[2], NULL, 10) : 0;
    long concurrency = argc == 4 ? strtol(argv[3], NULL, 10) : 0;
    int rc;

    if (count < 1 || concurrency < 1) {
        fprintf(stderr, "usage: %s URL N CONCURRENCY\n", argv[0]);
        return 2;
    }
    rc = eddy_run(get, argv[1], count, concurrency);
    if (rc < 0)
        fprintf(stderr, "%s: %s\n", argv[0], eddy_error_message(rc));
    return rc < 0;
}
