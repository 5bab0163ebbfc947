/* SPDX-License-Identifier: MIT */
/*
 * An echo server. Each connection has a task of its own, which reads and writes as if it were
 * alone. Ctrl-C closes them all, and ends the program.
 *
 *     41_echo_server [PLACE]      tcp://:8888, unix:/run/echo, or several with commas
 */
#include <eddy.h>
#include <stdio.h>

static int echo(eddy_stream *client, void *unused)
{
    char data[4096];
    ssize_t size;

    (void)unused;
    while ((size = eddy_read(client, data, sizeof data)) > 0)
        EDDY_TRY(eddy_write(client, data, (size_t)size)); /* waits for a client that is slow */
    return (int)size; /* 0: the end; the stream is closed behind us */
}

static int amain(int argc, char **argv)
{
    const char *places = argc > 1 ? argv[1] : "tcp://127.0.0.1:8888";
    EDDY_SERVER server = NULL;

    EDDY_TRY(eddy_start_server(places, echo, NULL, &server));
    for (size_t i = 0; eddy_server_address(server, i); i++)
        printf("serving at %s\n", eddy_server_name(server, i));
    return eddy_serve_forever(server);
}
EDDY_ASYNC(amain, int, char **);
EDDY_MAIN_ARGS(amain)
