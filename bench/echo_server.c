/* SPDX-License-Identifier: MIT */
/*
 * The measured server alone, for any load generator: plain reads and writes on the public
 * stream API.
 *
 *     echo-server PORT [--sink | --source | --close]
 *
 * Echoes; reads and drops; writes blocks without end; or reads to the end and closes. Prints
 * "ready PORT" when it listens, and ends on SIGTERM.
 */
#include <eddy.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK 65536   /* of a bulk transfer */
#define MESSAGES 1024 /* bytes: room for many small messages */

static int echo(eddy_stream *client, void *unused)
{
    char data[MESSAGES];
    ssize_t size;

    (void)unused;
    while ((size = eddy_read(client, data, sizeof data)) > 0)
        EDDY_TRY(eddy_write(client, data, (size_t)size));
    return (int)size;
}

static int sink(eddy_stream *client, void *unused)
{
    char data[BLOCK];
    ssize_t size;

    (void)unused;
    while ((size = eddy_read(client, data, sizeof data)) > 0)
        continue;
    return (int)size;
}

static int source(eddy_stream *client, void *unused)
{
    char data[BLOCK];

    (void)unused;
    memset(data, 'x', sizeof data);
    for (;;)
        EDDY_TRY(eddy_write(client, data, sizeof data));
}

static int amain(const char *port, eddy_connection_handler *handler)
{
    eddy_server_options options = {.backlog = 4096, .stack_size = 2 * BLOCK};
    char place[64];
    EDDY_SERVER server = NULL;

    snprintf(place, sizeof place, "tcp://127.0.0.1:%s", port);
    EDDY_TRY(eddy_start_server_with(place, &options, handler, NULL, &server));
    printf("ready %u\n", eddy_server_port(server));
    fflush(stdout);
    return eddy_serve_forever(server);
}
EDDY_ASYNC(amain, const char *, eddy_connection_handler *);

int main(int argc, char **argv)
{
    const char *mode = argc > 2 ? argv[2] : "";
    eddy_connection_handler *handler = strcmp(mode, "--sink") == 0     ? sink
                                       : strcmp(mode, "--close") == 0  ? sink
                                       : strcmp(mode, "--source") == 0 ? source
                                                                       : echo;
    int rc;

    if (argc < 2) {
        fprintf(stderr, "usage: echo-server PORT [--sink | --source | --close]\n");
        return 2;
    }
    signal(SIGTERM, SIG_DFL);
    rc = eddy_run(amain, argv[1], handler);
    if (rc < 0)
        fprintf(stderr, "echo-server: %s\n", eddy_error_message(rc));
    return rc < 0;
}
