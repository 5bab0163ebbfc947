/* SPDX-License-Identifier: MIT */
/*
 * The measured server alone, for any load generator: plain reads and writes on the public
 * stream API.
 *
 *     echo-server PORT [--sink | --source | --close] [--cert FILE --key FILE]
 *
 * Echoes; reads and drops; writes blocks without end; or reads to the end and closes. With a
 * certificate it speaks TLS 1.3. Prints "ready PORT" when it listens, and ends on SIGTERM.
 */
#include <eddy.h>
#ifdef BENCH_TLS
#include <eddy/tls.h>
#endif
#include <getopt.h>
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

struct request {
    const char *port;
    eddy_connection_handler *handler;
    const char *cert, *key; /* NULL: no TLS */
};

#ifdef BENCH_TLS
static int wrap(const struct request *request, eddy_server_options *options)
{
    eddy_tls_options tls = {.certificate_file = request->cert, .key_file = request->key};
    eddy_tls_context *context;

    tls.least = EDDY_TLS_1_3;
    EDDY_TRY(eddy_tls_server_context(&tls, &context)); /* ends with the process */
    options->wrap = eddy_tls_serve;
    options->wrap_argument = context;
    return 0;
}
#else
static int wrap(const struct request *request, eddy_server_options *options)
{
    (void)request, (void)options;
    return eddy_raise(-ENOSYS, "built without TLS");
}
#endif

static int amain(const struct request *request)
{
    eddy_server_options options = {.backlog = 4096, .stack_size = 2 * BLOCK};
    char place[64];
    EDDY_SERVER server = NULL;

    if (request->cert)
        EDDY_TRY(wrap(request, &options));
    snprintf(place, sizeof place, "tcp://127.0.0.1:%s", request->port);
    EDDY_TRY(eddy_start_server_with(place, &options, request->handler, NULL, &server));
    printf("ready %u\n", eddy_server_port(server));
    fflush(stdout);
    return eddy_serve_forever(server);
}
EDDY_ASYNC(amain, const struct request *);

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"sink", no_argument, NULL, 's'},      {"close", no_argument, NULL, 's'},
        {"source", no_argument, NULL, 'w'},    {"cert", required_argument, NULL, 'c'},
        {"key", required_argument, NULL, 'k'}, {0},
    };
    struct request request = {.handler = echo};
    int option, rc;

    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (option) {
        case 's': request.handler = sink; break;
        case 'w': request.handler = source; break;
        case 'c': request.cert = optarg; break;
        case 'k': request.key = optarg; break;
        default: return 2;
        }
    }
    if (optind + 1 != argc) {
        fprintf(stderr, "usage: echo-server PORT [--sink | --source | --close] "
                        "[--cert FILE --key FILE]\n");
        return 2;
    }
    request.port = argv[optind];
    signal(SIGTERM, SIG_DFL);
    rc = eddy_run(amain, &request);
    if (rc < 0)
        fprintf(stderr, "echo-server: %s\n", eddy_error_message(rc));
    return rc < 0;
}
