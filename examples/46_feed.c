/* SPDX-License-Identifier: MIT */
/*
 * A feed of stock prices. A reader who is slow holds up neither the market nor the others: he
 * misses prices, and those that he gets are new. Each line says how many he has missed.
 *
 *     46_feed [PLACE]      then  nc 127.0.0.1 8888
 */
#include <eddy.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>

struct market {
    eddy_event news;
    long number; /* of the price */
    double price;
};

/* Makes a price each millisecond. */
static int trade(struct market *market)
{
    for (;;) {
        EDDY_TRY(eddy_sleep(0.001));
        market->number++;
        market->price *= 1 + (rand() % 21 - 10) / 10000.0;
        eddy_event_set(&market->news); /* all who wait for it go on, */
        eddy_event_clear(&market->news);
    }
}

/* Serves one reader. What is written and not sent yet grows old, so little of it is kept: by
 * the stream, which waits for the last byte when there are more than 1,024, and by the kernel. */
static int feed(eddy_stream *reader, void *argument)
{
    struct market *market = argument;
    long seen = market->number;

    EDDY_TRY(eddy_stream_set_write_limits(reader, 1024, 0));
    setsockopt(eddy_stream_fd(reader), IPPROTO_TCP, TCP_NOTSENT_LOWAT, &(int){1024}, sizeof(int));
    for (;;) {
        if (seen == market->number)
            EDDY_TRY(eddy_event_wait(&market->news));
        EDDY_TRY(eddy_printf(reader, "EDDY %.2f, missed %ld\n", market->price,
                             market->number - seen - 1));
        seen = market->number;
        EDDY_TRY(eddy_drain(reader)); /* here a slow reader waits, while the prices go on */
    }
}

static int amain(int argc, char **argv)
{
    const char *place = argc > 1 ? argv[1] : "tcp://127.0.0.1:8888";
    struct market market = {.news = EDDY_EVENT_INIT, .price = 100};
    EDDY_SERVER server = NULL; /* serves while we trade */

    EDDY_TRY(eddy_start_server(place, feed, &market, &server));
    return trade(&market);
}
EDDY_ASYNC(amain, int, char **);
EDDY_MAIN_ARGS(amain)
