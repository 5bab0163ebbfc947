/* SPDX-License-Identifier: MIT */
/* Which command is meant. */
#include "command_run.h"

RAW_TEST(command_help)
{
    CHECK_EQ(command_run("eddy"), 2);
    CHECK_HAS(command_said, "Usage: eddy COMMAND");
    CHECK_EQ(command_run("eddy help"), 0);
    CHECK_HAS(command_said, "  serve    serve a folder\n");
    CHECK_EQ(command_run("eddy help get"), 0);
    CHECK_HAS(command_said, "Usage: eddy get [OPTION...] URL...\n");
    CHECK_HAS(command_said, " 130  interrupted (SIGINT)\n");
    CHECK_EQ(command_run("eddy load --help"), 0);
    CHECK_HAS(command_said, "  -d S                     for so many seconds (10)\n");
    CHECK_EQ(command_run("eddy serve --help"), 0);
    CHECK_HAS(command_said, "  --tls CERT KEY           https, with these PEM files\n");
}

RAW_TEST(command_that_is_none)
{
    CHECK_EQ(command_run("eddy fetch"), 2);
    CHECK_STR(command_said, "eddy: there is no command 'fetch'\nSee eddy --help.\n");
    CHECK_EQ(command_run("eddy help fetch"), 2);
}
