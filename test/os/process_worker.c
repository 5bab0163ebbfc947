/* SPDX-License-Identifier: MIT */
/* What makes a program a worker, and what does not; and the ends of both. */
#include <errno.h>
#include <sys/socket.h>

#include "os/child.h"
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
    char setting[64], bytes[16];
    int ends[2];

    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    snprintf(setting, sizeof setting, "EDDY_WORKER=%d:1", ends[1]);
    CHECK_EQ(run_with(setting), 0); /* nothing to read */
    CHECK_STR(text, "main\n42\n");
    CHECK_EQ(send(ends[0], "12345678", 8, 0), 8);
    CHECK_EQ(run_with(setting), 0);
    CHECK_STR(text, "main\n42\n");
    CHECK_EQ(recv(ends[1], bytes, sizeof bytes, MSG_DONTWAIT), 8); /* and it is still there */
    CHECK(memcmp(bytes, "12345678", 8) == 0);
    close(ends[0]);
    close(ends[1]);
}

/* The first numbers, a line each, after "main" that a program prints to its pipe. */
static bool read_numbers(int fd, int *numbers, int count)
{
    size_t length = 0;

    for (int lines = 0; lines <= count;) {
        if (length == sizeof text - 1 || read(fd, text + length, 1) != 1)
            return false;
        lines += text[length++] == '\n';
    }
    text[length] = '\0';
    for (char *line = text; count-- > 0; numbers++) {
        line = strchr(line, '\n') + 1;
        *numbers = (int)strtol(line, NULL, 10);
        if (*numbers <= 0)
            return false;
    }
    return true;
}

/* Starts the program, which prints so many numbers to a pipe; returns its end of it. */
static int start_program(const char *way, pid_t *program, int *numbers, int count)
{
    int ends[2];

    if (test_is_on_valgrind())
        test_skip("/proc/self/exe is valgrind itself there");
    if (pipe(ends) < 0)
        test_fail(__FILE__, __LINE__, "no pipe");
    *program = fork();
    if (*program == 0) {
        const char *path = program_path("pool");

        dup2(ends[1], STDOUT_FILENO);
        close(ends[0]);
        close(ends[1]);
        execl(path, path, way, (char *)NULL);
        _exit(127);
    }
    close(ends[1]);
    if (!read_numbers(ends[0], numbers, count))
        test_fail(__FILE__, __LINE__, "the program has not begun");
    return ends[0];
}

/* A worker ends with its program, in the middle of a job, also when that is killed. */
RAW_TEST(worker_ends_with_a_program_that_is_killed)
{
    int worker, status, fd;
    char byte;
    pid_t program;

    fd = start_program("sleep", &program, &worker, 1);
    kill(worker, SIGINT); /* a Ctrl-C is for the program */
    kill(program, SIGKILL);
    CHECK_EQ(waitpid(program, &status, 0), program);
    CHECK_EQ(read(fd, &byte, 1), 0); /* nobody has the pipe any more */
    close(fd);
}

/* And although a child of the program's keeps its end of the socket open. */
RAW_TEST(worker_ends_with_a_program_whose_child_goes_on)
{
    int numbers[2], status, fd;
    pid_t program;
    bool ended, lives;

    fd = start_program("fork", &program, numbers, 2);
    kill(program, SIGKILL);
    CHECK_EQ(waitpid(program, &status, 0), program);
    ended = child_dies(numbers[1]);
    lives = child_lives(numbers[0]);
    kill(numbers[0], SIGKILL);
    kill(numbers[1], SIGKILL);
    CHECK(ended && lives);
    close(fd);
}
