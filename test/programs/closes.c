/* SPDX-License-Identifier: MIT */
/* A program that writes a file, closes it, and prints what the close has returned. */
#include <eddy.h>
#include <stdio.h>

static int amain(int argc, char **argv)
{
    EDDY_STREAM file = NULL;

    if (argc != 2)
        return -22;
    EDDY_TRY(eddy_open(argv[1], "w", &file));
    EDDY_TRY(eddy_write(file, "x", 1));
    printf("close: %d\n", eddy_stream_close(&file));
    return 0;
}
EDDY_ASYNC(amain, int, char **);
EDDY_MAIN_ARGS(amain)
