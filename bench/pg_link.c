/* SPDX-License-Identifier: MIT */
/*
 * A link that delays: pg-link PLACE TARGET SECONDS takes connections at a place, and carries what
 * comes from either side to the other so much later, as much as comes. What it prints when it
 * listens is a line.
 */
#include <eddy.h>
#include <stdio.h>
#include <stdlib.h>

#define PIECE 65536
#define PIECES 64 /* under way in one direction, at most */

static double delay; /* seconds */

/* Bytes that are on their way; none, at the end. */
struct piece {
    double due; /* by the loop's clock */
    size_t size;
    char bytes[PIECE];
};

struct way {
    eddy_stream *from, *to;
    eddy_queue pieces; /* of struct piece *, owned */
};

static int collect(struct way *way)
{
    ssize_t size = 1;

    while (size > 0) {
        struct piece *piece = malloc(sizeof *piece);

        if (!piece)
            return -ENOMEM;
        size = eddy_read(way->from, piece->bytes, sizeof piece->bytes);
        piece->size = size > 0 ? (size_t)size : 0; /* a connection that broke has ended */
        piece->due = eddy_time() + delay;
        EDDY_TRY(eddy_queue_put(&way->pieces, &piece));
    }
    return 0;
}
EDDY_ASYNC(collect, struct way *);

static int deliver(struct way *way)
{
    for (;;) {
        struct piece *piece;
        size_t size;
        int rc;

        EDDY_TRY(eddy_queue_get(&way->pieces, &piece));
        double left = piece->due - eddy_time();
        if (left > 0)
            EDDY_TRY(eddy_sleep(left));
        size = piece->size;
        rc = size > 0 ? eddy_write(way->to, piece->bytes, size) : eddy_write_eof(way->to);
        free(piece);
        if (rc < 0 || size == 0)
            return rc;
    }
}
EDDY_ASYNC(deliver, struct way *);

static int relay(eddy_stream *client, void *target)
{
    EDDY_STREAM server = NULL;

    EDDY_TRY(eddy_connect(target, &server));
    struct way there = {client, server, EDDY_QUEUE_INIT(struct piece *, PIECES)};
    struct way back = {server, client, EDDY_QUEUE_INIT(struct piece *, PIECES)};
    int rc = eddy_gather(EDDY_CALL(collect, &there), EDDY_CALL(deliver, &there),
                         EDDY_CALL(collect, &back), EDDY_CALL(deliver, &back));
    eddy_queue_deinit(&there.pieces);
    eddy_queue_deinit(&back.pieces);
    return rc;
}

static int amain(int argc, char **argv)
{
    EDDY_SERVER link = NULL;

    if (argc != 4)
        return eddy_raise(-EINVAL, "usage: %s PLACE TARGET SECONDS", argv[0]);
    delay = strtod(argv[3], NULL);
    EDDY_TRY(eddy_start_server(argv[1], relay, argv[2], &link));
    puts("ready");
    fflush(stdout);
    return eddy_serve_forever(link);
}
EDDY_ASYNC(amain, int, char **);
EDDY_MAIN_ARGS(amain)
