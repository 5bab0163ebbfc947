/* SPDX-License-Identifier: MIT */
/*
 * A proxy: whoever connects to the one place talks to the other. Each direction ends by itself,
 * so that a client may say that it has sent all, and still wait for its answer.
 *
 *     47_proxy PLACE PLACE      such as  47_proxy tcp://:8080 unix:/run/backend
 */
#include <eddy.h>
#include <stdio.h>

/* One direction, with its end. */
static int carry(eddy_stream *from, eddy_stream *to)
{
    EDDY_TRY(eddy_stream_copy(from, to)); /* reads no faster than `to` takes it */
    return eddy_write_eof(to);
}
EDDY_ASYNC(carry, eddy_stream *, eddy_stream *);

static int reach(const char *place, eddy_stream **server)
{
    EDDY_TIMEOUT(limit, 10);

    return eddy_connect(place, server);
}

static int relay(eddy_stream *client, void *place)
{
    EDDY_STREAM server = NULL;

    EDDY_TRY(reach(place, &server));
    int rc = eddy_gather(EDDY_CALL(carry, client, server), EDDY_CALL(carry, server, client));
    if (rc < 0) { /* what was cut off must not look as if it were whole */
        eddy_stream_abort(client);
        eddy_stream_abort(server);
    }
    return rc;
}

static int amain(int argc, char **argv)
{
    EDDY_SERVER proxy = NULL;

    if (argc != 3) {
        fprintf(stderr, "usage: %s PLACE PLACE\n", argv[0]);
        return 2;
    }
    EDDY_TRY(eddy_start_server(argv[1], relay, argv[2], &proxy));
    printf("%s is %s now\n", argv[1], argv[2]);
    return eddy_serve_forever(proxy);
}
EDDY_ASYNC(amain, int, char **);
EDDY_MAIN_ARGS(amain)
