/* SPDX-License-Identifier: MIT */
/* The program, as it is built. */
#include "programs/program.h"

#define EDDY "../../src/eddy" /* from where the programs of tests are */

/* Runs it with one argument. Returns the status it exits with, or -1. */
static int run(const char *argument, char text[4096])
{
    int status;

    if (access(program_path(EDDY), X_OK) < 0)
        test_skip("the eddy command is not built");
    status = program_run(text, 4096, EDDY, argument, NULL);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

RAW_TEST(eddy_says_its_version_and_commands)
{
    char text[4096], wanted[64];

    snprintf(wanted, sizeof wanted, "eddy %s\n", eddy_version());
    CHECK_EQ(run("--version", text), 0);
    CHECK_STR(text, wanted);
    CHECK_EQ(run("--help", text), 0);
    CHECK_HAS(text, "  get      fetch many pages at once\n");
    CHECK_EQ(run("nonsense", text), 2);
    CHECK_HAS(text, "eddy: there is no command 'nonsense'");
}
