/* SPDX-License-Identifier: MIT */
/*
 * Which command is meant, and how the process treats signals: none ends it but by a status. A
 * command stops in order at the first SIGINT or SIGTERM, as its scope says; outside of that, and
 * from the third on, the handler here ends the process at once.
 */
#include "tools/command.h"

#include <eddy/tls.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "tools/option.h"

static const struct command {
    const char *name, *about;
    int (*run)(char **argv);
} commands[] = {
    {"get", "fetch many pages at once", ed_command_get},
    {"load", "measure how many requests a second a server answers", ed_command_load},
    {"serve", "serve a folder", ed_command_serve},
};

static void print_help(FILE *out)
{
    fputs("Usage: eddy COMMAND [OPTION...]\n\n", out);
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        fprintf(out, "  %-8s %s\n", commands[i].name, commands[i].about);
    fputs("\neddy COMMAND --help tells about its options, eddy --version which version it is.\n",
          out);
}

int ed_command_trust(const char *path, struct eddy_tls_context **out)
{
    const eddy_tls_options options = {.ca_file = path};

    return eddy_tls_client_context(&options, out);
}

static void end_at_once(int number)
{
    _exit(128 + number);
}

static void prepare_signals(void)
{
    signal(SIGPIPE, SIG_IGN);
    signal(SIGINT, end_at_once);
    signal(SIGTERM, end_at_once);
}

/* A standard stream that is closed must not become a socket: what stands in for it can only be used
 * the wrong way round, so that writing to it fails still. */
static void prepare_streams(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0)
            (void)!open("/dev/null",
                        fd == STDIN_FILENO ? O_WRONLY : O_RDONLY); /* takes the lowest */
}

/* As many descriptors as the process may have: each connection is one. */
static void prepare_limits(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit); /* what there is must do, then */
    }
}

static int run_command(const char *name, char **argv)
{
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        if (strcmp(commands[i].name, name) == 0)
            return commands[i].run(argv);
    fprintf(stderr, "eddy: there is no command '%s'\nSee eddy --help.\n", name);
    return ED_EXIT_USAGE;
}

int ed_command_main(char **argv)
{
    static char help[] = "--help", *ask[3] = {NULL, help, NULL};
    const char *name = argv[1];

    prepare_signals();
    prepare_streams();
    prepare_limits();
    if (!name) {
        print_help(stderr);
        return ED_EXIT_USAGE;
    }
    if (strcmp(name, "--version") == 0) {
        printf("eddy %s\n", eddy_version());
        return 0;
    }
    if (strcmp(name, "--help") == 0 || (strcmp(name, "help") == 0 && !argv[2])) {
        print_help(stdout);
        return 0;
    }
    if (strcmp(name, "help") == 0)
        return run_command(argv[2], ask);
    return run_command(name, argv + 1);
}
