/* SPDX-License-Identifier: MIT */
/* The program; all of it is in command.c, so that tests can link it. */
#include <stdio.h>

#include "tools/command.h"

int main(int argc, char **argv)
{
    int status;

    (void)argc;
    status = ed_command_main(argv);
    if (fflush(stdout) != 0 && status == 0)
        status = 23;
    return status;
}
