/* SPDX-License-Identifier: MIT */
/*
 * An echo server that speaks TLS.
 *
 *     51_tls_echo PORT CERTIFICATE_FILE KEY_FILE
 *     openssl s_client -connect localhost:PORT -CAfile CERTIFICATE_FILE
 *
 * For a certificate to try it with:
 *
 *     openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 9 \
 *         -subj /CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1 \
 *         -keyout key.pem -out certificate.pem
 */
#include <eddy.h>
#include <eddy/tls.h>
#include <stdio.h>

/* Gets the connection when the handshake is done, and does not know that it is TLS. */
static int echo(eddy_stream *client, void *unused)
{
    char data[4096];
    ssize_t size;

    (void)unused;
    while ((size = eddy_read(client, data, sizeof data)) > 0)
        EDDY_TRY(eddy_write(client, data, (size_t)size));
    return (int)size;
}

static int serve(const char *port, const char *certificate, const char *key)
{
    eddy_tls_options options = {.certificate_file = certificate, .key_file = key};
    EDDY_TLS_CONTEXT context = NULL;
    EDDY_SERVER server = NULL;
    char place[64];

    EDDY_TRY(eddy_tls_server_context(&options, &context));
    eddy_server_options wrapped = {.wrap = eddy_tls_serve, .wrap_argument = context};
    snprintf(place, sizeof place, "tls://:%s", port);
    EDDY_TRY(eddy_start_server_with(place, &wrapped, echo, NULL, &server));
    printf("listening at port %u\n", eddy_server_port(server));
    fflush(stdout);
    return eddy_serve_forever(server);
}

static int amain(int argc, char **argv)
{
    if (argc < 4) {
        puts("usage: 51_tls_echo PORT CERTIFICATE_FILE KEY_FILE");
        return 0;
    }
    return serve(argv[1], argv[2], argv[3]);
}
EDDY_ASYNC(amain, int, char **);
EDDY_MAIN_ARGS(amain)
