/* SPDX-License-Identifier: MIT */
/* For tests of commands: runs `eddy` in a process of its own. */
#ifndef COMMAND_RUN_H
#define COMMAND_RUN_H

#include "harness.h"
#include "tools/command.h"

#include <stdlib.h>
#include <unistd.h>

static char *command_words[16];
static char command_said[8192]; /* on both standard streams */

/* Commands run by the real clock: who refuses a connection needs a moment where the kernel is busy,
 * and virtual time would not wait for it. */
static inline void command_exec(void)
{
    int status;

    unsetenv("EDDY_CLOCK");
    dup2(STDERR_FILENO, STDOUT_FILENO);
    status = ed_command_main(command_words);
    fflush(stdout);
    _exit(status);
}

/* Runs a line, words parted by blanks. Returns the status that it exits with. */
static inline int command_run(const char *line)
{
    static char text[1024];
    char *rest = text;
    int count = 0, status;

    snprintf(text, sizeof text, "%s", line);
    while (count < 15 && (command_words[count] = strsep(&rest, " ")))
        count++;
    command_words[count] = NULL;
    status = test_fork(command_exec, command_said, sizeof command_said);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

#endif
