/* SPDX-License-Identifier: MIT */
/* A site of many pages, each of which takes a while: what `make run` fetches.
 * site [--port N] [--pages N] [--delay MS]; /list has the URLs, one a line */
#include <eddy.h>
#include <eddy/http.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

struct site {
    long port, pages, delay; /* milliseconds */
};

static int list(eddy_web_request *request, void *site)
{
    eddy_stream *body;

    EDDY_TRY(eddy_web_begin(request, 200, "text/plain; charset=utf-8", -1, &body));
    for (long i = 1; i <= ((struct site *)site)->pages; i++)
        EDDY_TRY(eddy_printf(body, "http://%s/page/%ld\n", eddy_web_host(request), i));
    return 0;
}

static int page(eddy_web_request *request, void *site)
{
    const struct site *of = site;
    long number;

    EDDY_TRY(eddy_web_match_long(request, "number", 1, of->pages, &number));
    EDDY_TRY(eddy_sleep((double)of->delay / 1000));
    EDDY_TRY(eddy_web_set_header(request, "Content-Type", "text/html; charset=utf-8"));
    return eddy_web_printf(request, 200,
                           "<!DOCTYPE html><title>Page %ld</title>\n<p>This is page %ld of %ld. "
                           "<a href=\"/page/%ld\">Next</a></p>\n",
                           number, number, of->pages, number % of->pages + 1);
}

static int serve(struct site *site)
{
    EDDY_WEB_APP app = NULL;
    char place[64];

    EDDY_TRY(eddy_web_app_new(&app));
    EDDY_TRY(eddy_web_get(app, "/list", list, site));
    EDDY_TRY(eddy_web_get(app, "/page/{number}", page, site));
    snprintf(place, sizeof place, "tcp://127.0.0.1:%ld", site->port);
    return eddy_web_run(app, place, NULL);
}
EDDY_ASYNC(serve, struct site *);

int main(int argc, char **argv)
{
    static const struct option options[] = {{"port", required_argument, NULL, 'p'},
                                            {"pages", required_argument, NULL, 'n'},
                                            {"delay", required_argument, NULL, 'd'},
                                            {0}};
    struct site site = {.pages = 300, .delay = 5};
    int option, rc;

    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
        switch (option) {
        case 'p': site.port = strtol(optarg, NULL, 10); break;
        case 'n': site.pages = strtol(optarg, NULL, 10); break;
        case 'd': site.delay = strtol(optarg, NULL, 10); break;
        default: return 2;
        }
    rc = eddy_run(serve, &site);
    if (rc < 0)
        fprintf(stderr, "%s: %s\n", argv[0], eddy_error_message(rc));
    return rc < 0;
}
