/* SPDX-License-Identifier: MIT */
/* Follows the links of a site. Eight workers take URLs from a queue, and put into it what the pages
 * link to; a semaphore lets four of them ask the server at a time.  63_crawler URL */
#include <eddy.h>
#include <eddy/http.h>
#include <stdio.h>
#include <string.h>

static eddy_queue queue = EDDY_QUEUE_INIT(eddy_url *, 0);
static eddy_semaphore turns = EDDY_SEMAPHORE_INIT(4);
static eddy_url *seen[1000]; /* all that were put into the queue */
static size_t count;

static int visit_later(const eddy_url *base, const char *link)
{
    eddy_url *url;

    if (count == 1000 || eddy_url_join(base, link, &url) < 0)
        return 0; /* enough, or not a link */
    for (size_t i = 0; i < count; i++)
        if (strcmp(seen[i]->target, url->target) == 0 || !eddy_url_same_origin(base, url))
            return eddy_url_free(url), 0;
    seen[count++] = url;
    return eddy_queue_put_nowait(&queue, &url);
}

static int visit(eddy_http_session *session, const eddy_url *url)
{
    EDDY_TRY(eddy_semaphore_acquire(&turns));
    EDDY_DEFER(eddy_semaphore_release, &turns);
    EDDY_HTTP_RESPONSE response = NULL;
    const char *page;
    char link[500];

    EDDY_TRY(eddy_http_get(session, url->text, &response));
    EDDY_TRY(eddy_http_read(response, &page, NULL));
    printf("%d %s\n", eddy_http_status(response), url->target);
    while ((page = strstr(page, "href=\"")))
        if (sscanf(page++, "href=\"%499[^\"#]", link) == 1)
            EDDY_TRY(visit_later(url, link));
    return 0;
}

static int work(eddy_http_session *session)
{
    for (eddy_url *url;; eddy_queue_task_done(&queue)) {
        EDDY_TRY(eddy_queue_get(&queue, &url));
        int rc = visit(session, url);
        if (rc < 0)
            printf("%s\n", eddy_error_message(rc)); /* says which URL, and why */
    }
}
EDDY_ASYNC(work, eddy_http_session *);

static int amain(int argc, char **argv)
{
    EDDY_HTTP_SESSION session = NULL;
    EDDY_URL start = NULL;

    EDDY_TRY(eddy_http_session_open(NULL, &session));
    EDDY_TRY(eddy_url_parse(argc > 1 ? argv[1] : "http://localhost/", &start));
    EDDY_TRY(visit_later(start, ""));
    EDDY_GROUP(workers);
    for (int i = 0; i < 8; i++)
        eddy_group_create_task(&workers, work, session);
    return eddy_queue_join(&queue); /* the end of the block ends the workers */
}
EDDY_ASYNC(amain, int, char **);
EDDY_MAIN_ARGS(amain)
