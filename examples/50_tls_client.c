/* SPDX-License-Identifier: MIT */
/*
 * Says a line over TLS, and prints who answers what.
 *
 *     50_tls_client HOST PORT [CA_FILE [LINE]]
 *
 * Without a file the system's roots are trusted. A certificate that is not fit is an error,
 * which says what is wrong with it.
 */
#include <eddy.h>
#include <eddy/tls.h>
#include <stdio.h>
#include <stdlib.h>

static int print_peer(eddy_stream *peer)
{
    eddy_tls_info info;

    EDDY_TRY(eddy_tls_get_info(peer, &info));
    printf("%s with %s, issued by %s\n", info.version, info.subject, info.issuer);
    for (size_t i = 0; i < info.name_count; i++)
        printf("  %s\n", info.names[i]);
    return 0;
}

static int talk(const char *host, const char *port, const char *ca_file, const char *text)
{
    eddy_tls_options options = {.ca_file = ca_file};
    EDDY_TLS_CONTEXT context = NULL;
    EDDY_STREAM peer = NULL;
    char line[1024];

    EDDY_TRY(eddy_tls_client_context(&options, &context)); /* once for many connections */
    EDDY_TRY(eddy_tls_connect(host, (uint16_t)strtoul(port, NULL, 10), context, NULL, &peer));
    EDDY_TRY(print_peer(peer));
    EDDY_TRY(eddy_printf(peer, "%s\r\n", text));
    EDDY_TRY(eddy_read_line(peer, line, sizeof line));
    printf("%s", line);
    return eddy_stream_close(&peer); /* says goodbye; its error would be lost without this */
}

static int amain(int argc, char **argv)
{
    if (argc < 3) {
        puts("usage: 50_tls_client HOST PORT [CA_FILE [LINE]]");
        return 0;
    }
    return talk(argv[1], argv[2], argc > 3 ? argv[3] : NULL, argc > 4 ? argv[4] : "hello");
}
EDDY_ASYNC(amain, int, char **);
EDDY_MAIN_ARGS(amain)
