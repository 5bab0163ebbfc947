/* SPDX-License-Identifier: MIT */
/*
 * A chat client for the terminal. Two tasks, one for each direction: what is typed goes to the
 * server, what the server says to the screen. The end of either ends the program: Ctrl-D says
 * that no more is typed, and the server then hangs up.
 *
 *     44_chat_client [PLACE]
 */
#include <eddy.h>
#include <stdio.h>

static int type(eddy_stream *keyboard, eddy_stream *server)
{
    EDDY_TRY(eddy_stream_copy(keyboard, server));
    return eddy_write_eof(server);
}
EDDY_ASYNC(type, eddy_stream *, eddy_stream *);

static int show(eddy_stream *server)
{
    eddy_line line;
    int rc;

    EDDY_FOR_EACH(rc, line, eddy_lines(server)) {
        fputs(line.text, stdout);
        fflush(stdout);
    }
    return rc;
}

static int amain(int argc, char **argv)
{
    EDDY_STREAM server = NULL;
    eddy_stream *keyboard; /* the loop's */

    EDDY_TRY(eddy_connect(argc > 1 ? argv[1] : "tcp://127.0.0.1:8888", &server));
    EDDY_TRY(eddy_stdin(&keyboard));

    EDDY_GROUP(group); /* its end, which is that of the block, ends the typing */
    eddy_group_create_task(&group, type, keyboard, server);
    return show(server);
}
EDDY_ASYNC(amain, int, char **);
EDDY_MAIN_ARGS(amain)
