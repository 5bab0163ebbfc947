/* SPDX-License-Identifier: MIT */
/* A page of live prices, by server-sent events.  67_prices [PLACE] */
#include <eddy.h>
#include <eddy/http.h>
#include <stdlib.h>

static double price = 100;
static eddy_event changed = EDDY_EVENT_INIT;
static bool closed;

static int trade(void)
{
    for (;;) {
        EDDY_TRY(eddy_sleep(0.5));
        price *= 0.99 + 0.02 * drand48();
        eddy_event_set(&changed), eddy_event_clear(&changed); /* wakes all who wait now */
    }
}
EDDY_ASYNC(trade);

static int send_prices(eddy_web_request *request, void *unused)
{
    eddy_stream *events;

    (void)unused;
    EDDY_TRY(eddy_web_begin(request, 200, "text/event-stream", -1, &events));
    while (!closed) {
        EDDY_TRY(eddy_printf(events, "data: %.2f\n\n", price));
        EDDY_TRY(eddy_flush(events));
        EDDY_TRY(eddy_event_wait(&changed));
    }
    return 0;
}

static int show_page(eddy_web_request *request, void *unused)
{
    (void)unused;
    return eddy_web_send_html(request, 200,
                              "<!DOCTYPE html><title>Coffee</title>Coffee: <b id=price></b><script>"
                              "new EventSource('prices').onmessage ="
                              "  event => price.textContent = event.data;</script>");
}

static void close_market(eddy_web_app *app, void *unused)
{
    (void)app, (void)unused, closed = true; /* the pages end at the next change */
}

static int amain(int argc, char **argv)
{
    EDDY_WEB_APP app = NULL;
    EDDY_TRY(eddy_web_app_new(&app));
    EDDY_TRY(eddy_web_get(app, "/", show_page, NULL));
    EDDY_TRY(eddy_web_get(app, "/prices", send_prices, NULL));
    EDDY_TRY(eddy_web_on_shutdown(app, close_market, NULL));
    EDDY_TASK market = eddy_create_task(trade);
    return eddy_web_run(app, argc > 1 ? argv[1] : "tcp://:8080", NULL);
}
EDDY_ASYNC(amain, int, char **);
EDDY_MAIN_ARGS(amain)
