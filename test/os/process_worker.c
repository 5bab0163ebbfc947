/* SPDX-License-Identifier: MIT */
/* What makes a program a worker, and what does not; and the ends of both. */
#include <errno.h>
#include <sys/socket.h>

#include "programs/program.h"

static char text[512];

static int run_with(const char *setting)
{
    if (test_is_on_valgrind())
        test_skip("/proc/self/exe is valgrind itself there");
    return program_run(text, sizeof text, setting, "pool", "triple", NULL);
}

/* A worker never comes to main. */
RAW_TEST(worker_stops_before_main)
{
    CHECK_EQ(run_with("UNUSED=1"), 0);
    CHECK_STR(text, "main\n42\n");
}

/* In a program that is linked statically, its own constructors come first. */
RAW_TEST(worker_of_a_static_program_has_run_its_constructors)
{
    if (test_is_on_valgrind())
        test_skip("/proc/self/exe is valgrind itself there");
    CHECK_EQ(program_run(text, sizeof text, "pool", "constructor", NULL), 0);
    CHECK_STR(text, "main\n1\n");
}

/* A variable that comes from elsewhere makes no worker, and its own workers do not see it. */
RAW_TEST(program_whose_variable_is_no_pools_goes_on_to_main)
{
    const char *settings[] = {"EDDY_WORKER=",    "EDDY_WORKER=x",       "EDDY_WORKER=0:1",
                              "EDDY_WORKER=3:0", "EDDY_WORKER=-1:5",    "EDDY_WORKER=99999999999:1",
                              "EDDY_WORKER=3",   "EDDY_WORKER=1:1:1:1", "EDDY_WORKER=2147483647:f"};

    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
        CHECK_EQ(run_with(settings[i]), 0);
        CHECK_STR(text, "main\n42\n");
    }
}

/* Nor does a socket that has something else to read. */
RAW_TEST(program_whose_socket_has_another_nonce_goes_on_to_main)
{
    char setting[64];
    int ends[2];

    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    snprintf(setting, sizeof setting, "EDDY_WORKER=%d:1", ends[1]);
    CHECK_EQ(run_with(setting), 0); /* nothing to read */
    CHECK_STR(text, "main\n42\n");
    CHECK_EQ(send(ends[0], "12345678", 8, 0), 8);
    CHECK_EQ(run_with(setting), 0);
    CHECK_STR(text, "main\n42\n");
    close(ends[0]);
    close(ends[1]);
}

/* The first line after "main" that a program prints to its pipe. */
static int read_pid(int fd)
{
    size_t length = 0;
    int pid = 0;

    while (length < sizeof text - 1 && sscanf(text, "main\n%d\n", &pid) != 1) {
        ssize_t n = read(fd, text + length, sizeof text - 1 - length);

        if (n <= 0)
            return -1;
        length += (size_t)n;
        text[length] = '\0';
        if (text[length - 1] != '\n')
            pid = 0;
    }
    return pid;
}

/* A worker ends with its program, in the middle of a job, also when that is killed. */
RAW_TEST(worker_ends_with_a_program_that_is_killed)
{
    int ends[2], worker, status;
    char byte;
    pid_t child;

    if (test_is_on_valgrind())
        test_skip("/proc/self/exe is valgrind itself there");
    CHECK_EQ(pipe(ends), 0);
    child = fork();
    if (child == 0) {
        const char *path = program_path("pool");

        dup2(ends[1], STDOUT_FILENO);
        close(ends[0]);
        close(ends[1]);
        execl(path, path, "sleep", (char *)NULL);
        _exit(127);
    }
    close(ends[1]);
    worker = read_pid(ends[0]);
    CHECK(worker > 0);
    kill(worker, SIGINT); /* a Ctrl-C is for the program */
    kill(child, SIGKILL);
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK_EQ(read(ends[0], &byte, 1), 0); /* nobody has the pipe any more */
    close(ends[0]);
}
