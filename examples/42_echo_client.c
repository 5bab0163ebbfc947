/* SPDX-License-Identifier: MIT */
/*
 * A client of the echo server: says something, says that this was all, and reads the answer
 * to its end. One time limit holds for everything.
 *
 *     42_echo_client [PLACE [TEXT]]
 */
#include <eddy.h>
#include <stdio.h>
#include <string.h>

static int amain(int argc, char **argv)
{
    const char *place = argc > 1 ? argv[1] : "tcp://127.0.0.1:8888";
    const char *text = argc > 2 ? argv[2] : "Hello World!";
    EDDY_TIMEOUT(limit, 10);
    EDDY_STREAM server = NULL; /* closed at the end of the block, on every way out */

    EDDY_TRY(eddy_connect(place, &server));
    printf("Send: '%s'\n", text);
    EDDY_TRY(eddy_write(server, text, strlen(text)));
    EDDY_TRY(eddy_write_eof(server));

    char *answer;
    EDDY_TRY(eddy_read_all(server, 0, &answer, NULL));
    EDDY_DEFER(eddy_free, answer);
    printf("Received: '%s'\n", answer);

    puts("Close the connection");
    return eddy_stream_close(&server);
}
EDDY_ASYNC(amain, int, char **);
EDDY_MAIN_ARGS(amain)
