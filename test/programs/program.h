/* SPDX-License-Identifier: MIT */
/* For tests that need a process of its own: runs a program of build/test/programs. */
#ifndef PROGRAM_H
#define PROGRAM_H

#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include "harness.h"

static const char *program_words[16];

/* The path of a program of ours, beside the runner; a buffer that is overwritten. */
static inline const char *program_path(const char *name)
{
    static char path[4096];
    ssize_t length = readlink("/proc/self/exe", path, sizeof path - 64);
    char *slash;

    path[length > 0 ? length : 0] = '\0';
    slash = strrchr(path, '/');
    if (slash)
        snprintf(slash, 60, "/programs/%s", name);
    return path;
}

/* In the child: settings, then the command. A name of ours gets its path. */
static inline void program_exec(void)
{
    char *command[16] = {NULL};
    int count = 0;

    dup2(STDERR_FILENO, STDOUT_FILENO);
    for (int i = 0; program_words[i]; i++) {
        char *word = strdup(program_words[i]);

        if (count == 0 && strchr(word, '='))
            putenv(word);
        else if (count == 0 || strncmp(word, "programs/", 9) == 0)
            command[count] = strdup(program_path(count ? word + 9 : word)), count++;
        else
            command[count++] = word;
    }
    execv(command[0], command);
    fprintf(stderr, "%s: %s\n", command[0], strerror(errno));
    _exit(127);
}

/*
 * Runs a program: settings of the environment, its name, its arguments, NULL. An
 * argument "programs/NAME" stands for the path of another. What it prints goes to
 * `text`. Returns the wait status.
 */
static inline int program_run(char *text, size_t size, ...)
{
    va_list words;
    int count = 0;

    va_start(words, size);
    while (count < 15 && (program_words[count] = va_arg(words, const char *)))
        count++;
    va_end(words);
    program_words[count] = NULL;
    return test_fork(program_exec, text, size);
}

#endif
