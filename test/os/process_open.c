/* SPDX-License-Identifier: MIT */
/* What a process is started with: A-SUBP-1, -2, -10, -13. */
#include <sys/resource.h>
#include <sys/stat.h>

#include "base/fault.h"
#include "eddy/process.h"
#include "loop/loop.h"
#include "os/child.h"

/* What a command line writes, with these options. */
static int output_of(const char *line, eddy_process_options options, char *text, size_t size)
{
    EDDY_PROCESS process = NULL;
    eddy_process_output output = {.out = NULL};

    options.out = EDDY_PIPE;
    EDDY_TRY(eddy_create_subprocess_shell(line, &options, &process));
    EDDY_TRY(eddy_process_communicate(process, NULL, 0, &output));
    snprintf(text, size, "%s", output.out);
    eddy_process_output_free(&output);
    return eddy_process_check(process);
}

#define OUTPUT_OF(line, ...)                                                                       \
    CHECK_OK(output_of((line), (eddy_process_options){__VA_ARGS__}, text, sizeof text))

TEST(process_open_runs_a_program_with_its_arguments)
{
    EDDY_PROCESS process = NULL;
    eddy_process_options options = {.out = EDDY_PIPE};
    eddy_process_output output = {.out = NULL};

    CHECK_OK(eddy_create_subprocess_exec(EDDY_ARGV("printf", "%s|%s", "a b", "$HOME"), &options,
                                         &process));
    CHECK_OK(eddy_process_communicate(process, NULL, 0, &output));
    CHECK_STR(output.out, "a b|$HOME");
    eddy_process_output_free(&output);
}

/* A-SUBP-2, issue 3: the text names the command, or the directory; nothing is left. */
TEST(process_open_fails_with_the_errors_of_the_system)
{
    EDDY_PROCESS process = NULL;
    eddy_process_options pipes = {.in = EDDY_PIPE, .out = EDDY_PIPE, .err = EDDY_PIPE};
    eddy_process_options nowhere = {.directory = "/nowhere"}, file = {.directory = "/etc/passwd"};

    CHECK_FAILS(eddy_create_subprocess_exec(EDDY_ARGV("no-such-program"), &pipes, &process),
                -ENOENT, "cannot run no-such-program: No such file");
    CHECK_FAILS(eddy_create_subprocess_exec(EDDY_ARGV("/etc/passwd"), &pipes, &process), -EACCES,
                "cannot run /etc/passwd: Permission denied");
    CHECK_FAILS(eddy_create_subprocess_exec(EDDY_ARGV("true"), &nowhere, &process), -ENOENT,
                "directory /nowhere: No such file");
    CHECK_FAILS(eddy_create_subprocess_shell("true", &file, &process), -ENOTDIR,
                "directory /etc/passwd: Not a directory");
    CHECK(process == NULL && no_child_is_left());
}

TEST(process_open_refuses_what_makes_no_sense)
{
    EDDY_PROCESS process = NULL;
    eddy_process_options in = {.in = EDDY_STDOUT}, out = {.out = EDDY_STDOUT}, err = {.err = -9};
    eddy_process_options none = {.out = EDDY_FD(-1)}, closed = {.err = EDDY_FD(999)};
    int numbers[] = {998, -1};
    eddy_process_options pass = {.pass = numbers};

    CHECK_EQ(eddy_create_subprocess_exec(NULL, NULL, &process), -EINVAL);
    for (int error = 1; error < 200; error++) { /* never another choice by mistake */
        none.out = EDDY_FD(-error);
        CHECK_EQ(eddy_create_subprocess_exec(EDDY_ARGV("true"), &none, &process), -EBADF);
    }
    CHECK_EQ(eddy_create_subprocess_exec(EDDY_ARGV(NULL), NULL, &process), -EINVAL);
    CHECK_FAILS(eddy_create_subprocess_exec(EDDY_ARGV(""), NULL, &process), -EINVAL, "no program");
    CHECK_FAILS(eddy_create_subprocess_shell(NULL, NULL, &process), -EINVAL, "no command");
    CHECK_FAILS(eddy_create_subprocess_shell("true", &in, &process), -EINVAL,
                "the input of true: there is no such choice");
    CHECK_FAILS(eddy_create_subprocess_shell("true", &out, &process), -EINVAL, "the output of");
    CHECK_FAILS(eddy_create_subprocess_shell("true", &err, &process), -EINVAL, "the error output");
    CHECK_FAILS(eddy_create_subprocess_shell("true", &none, &process), -EBADF, "the output of");
    CHECK_EQ(eddy_create_subprocess_shell("true", &closed, &process), -EBADF);
    CHECK_EQ(eddy_create_subprocess_shell("true", &pass, &process), -EBADF);
    CHECK(process == NULL && no_child_is_left());
}

static eddy_process *outside;

RAW_TEST(process_open_needs_a_task)
{
    CHECK_EQ(eddy_create_subprocess_exec(EDDY_ARGV("true"), NULL, &outside), -EPERM);
}

TEST(process_open_says_when_there_is_no_room)
{
    EDDY_PROCESS process = NULL;
    eddy_process_options pipes = {.in = EDDY_PIPE, .out = EDDY_PIPE, .err = EDDY_PIPE};
    struct rlimit limit, less;
    int first = dup(0), rc = -EMFILE;

    close(first);
    if (test_is_on_valgrind())
        test_skip("valgrind aborts when clone(2) fails");
    (void)ed_fault_set(ED_FAULT_SPAWN, 1, -EAGAIN);
    CHECK_FAILS(eddy_create_subprocess_exec(EDDY_ARGV("true"), &pipes, &process), -EAGAIN,
                "cannot run true: no more processes or threads may be started");
    getrlimit(RLIMIT_NOFILE, &limit);
    for (rlim_t more = 0; more < 100 && rc == -EMFILE; more++) {
        less = (struct rlimit){(rlim_t)first + more, limit.rlim_max};
        setrlimit(RLIMIT_NOFILE, &less);
        rc = eddy_create_subprocess_exec(EDDY_ARGV("true"), &pipes, &process);
        setrlimit(RLIMIT_NOFILE, &limit);
        CHECK(rc == 0 || rc == -EMFILE);
        CHECK(more > 8 || rc == -EMFILE); /* it needs six, and three to start it */
    }
    CHECK_OK(rc);
    CHECK_OK(eddy_process_wait(process, NULL));
}

TEST(process_open_sets_the_environment)
{
    static const char *const env[] = {"A=1", "B=2", "PATH=/usr/bin:/bin", NULL};
    static const char *const set[] = {"B=3", "C=4", "C=5", "AA=6", NULL};
    static const char *const none[] = {NULL};
    char text[200];

    if (test_is_on_valgrind())
        test_skip("valgrind adds to the environment");
    setenv("EDDY_OURS", "ours", 1);
    setenv("EDDY_OURS_TOO", "too", 1);
    OUTPUT_OF("echo $EDDY_OURS $EDDY_OURS_TOO", .env = NULL);
    CHECK_STR(text, "ours too\n");
    OUTPUT_OF("env | grep -v -e PWD -e SHLVL -e _= | sort", .env = env);
    CHECK_STR(text, "A=1\nB=2\nPATH=/usr/bin:/bin\n");
    OUTPUT_OF("echo $A $AA $B $C", .env = env, .set = set);
    CHECK_STR(text, "1 6 3 5\n");
    OUTPUT_OF("echo $EDDY_OURS $EDDY_OURS_TOO", .set = (const char *const[]){"EDDY_OURS=x", NULL});
    CHECK_STR(text, "x too\n");
    OUTPUT_OF("echo $EDDY_OURS .", .env = none, .set = set);
    CHECK_STR(text, ".\n");
}

TEST(process_open_sets_directory_umask_session_group)
{
    EDDY_PROCESS leader = NULL, member = NULL;
    eddy_process_options group = {.new_group = true, .stop_timeout = -1};
    char text[200];

    if (test_is_on_valgrind())
        test_skip("valgrind cannot start as another user");
    OUTPUT_OF("pwd; umask", .directory = "/proc", .set_umask = true, .umask = 0123);
    CHECK_STR(text, "/proc\n0123\n");
    CHECK_OK(eddy_create_subprocess_exec(EDDY_ARGV("sleep", "100"), &group, &leader));
    group.new_group = false;
    group.group = eddy_process_pid(leader);
    CHECK_OK(eddy_create_subprocess_exec(EDDY_ARGV("sleep", "100"), &group, &member));
    CHECK_EQ(getpgid(eddy_process_pid(leader)), eddy_process_pid(leader));
    CHECK_EQ(getpgid(eddy_process_pid(member)), eddy_process_pid(leader));
    if (geteuid() != 0)
        return;
    OUTPUT_OF("id -u; id -g; id -G", .set_user = true, .user = 65534, .gid = 65533);
    CHECK_STR(text, "65534\n65533\n65533\n");
}

static int memory_file(const char *content)
{
    int fd = memfd_create("text", MFD_CLOEXEC);

    if (write(fd, content, strlen(content)) < 0 || lseek(fd, 0, SEEK_SET) < 0)
        return -errno;
    return fd;
}

/* A-SUBP-1: descriptors of ours, also crossed, and error output where the output goes. */
TEST(process_open_gives_descriptors_as_standard_streams)
{
    int in = memory_file("from a file\n"), out = memory_file("");
    char text[200] = "";
    EDDY_DEFER(close_number, &in);
    EDDY_DEFER(close_number, &out);
    {
        EDDY_PROCESS process = NULL;
        eddy_process_options options = {.in = EDDY_FD(in), .out = EDDY_FD(out), .err = EDDY_STDOUT};

        CHECK_OK(eddy_create_subprocess_shell("cat; echo bad >&2", &options, &process));
        CHECK_OK(eddy_process_check(process));
    }
    CHECK_EQ(pread(out, text, sizeof text - 1, 0), 16);
    CHECK_STR(text, "from a file\nbad\n");
    OUTPUT_OF("echo one; echo two >&2; echo three", .err = EDDY_STDOUT);
    CHECK_STR(text, "one\ntwo\nthree\n");
    OUTPUT_OF("cat; echo end", .in = EDDY_DEVNULL, .err = EDDY_DEVNULL);
    CHECK_STR(text, "end\n");
    OUTPUT_OF("ls -l /proc/self/fd/0 >/dev/null && echo yes", .in = EDDY_FD(0), .err = EDDY_FD(2));
    CHECK_STR(text, "yes\n");
}

/* The output of one is the input of another, by a stream's descriptor. */
TEST(process_open_joins_two_processes)
{
    EDDY_PROCESS first = NULL, second = NULL;
    eddy_process_options from = {.out = EDDY_PIPE}, to = {.out = EDDY_PIPE};
    eddy_process_output output = {.out = NULL};

    CHECK_OK(eddy_create_subprocess_shell("echo b; sleep 0.01; echo a", &from, &first));
    to.in = EDDY_FD(eddy_stream_fd(eddy_process_out(first)));
    CHECK_OK(eddy_process_wait(first, NULL)); /* what it wrote does not block: all is there */
    CHECK_OK(eddy_create_subprocess_exec(EDDY_ARGV("sort"), &to, &second));
    CHECK_OK(eddy_process_communicate(second, NULL, 0, &output));
    CHECK_STR(output.out, "a\nb\n");
    eddy_process_output_free(&output);
    CHECK_OK(eddy_process_check(first));
}

static void close_sixties(void *unused)
{
    (void)unused;
    for (int fd = 60; fd < 70; fd++)
        close(fd);
}

/* A-SUBP-13: the child has what it was given, and no more; not even what is not close-on-exec. */
TEST(process_open_passes_the_descriptors_that_were_asked_for)
{
    int numbers[] = {60, 61, -1};
    EDDY_PROCESS process = NULL;
    eddy_process_options options = {.in = EDDY_PIPE, .out = EDDY_PIPE, .pass = numbers};
    pid_t pid;

    for (int fd = 60; fd < 70; fd++)
        CHECK_EQ(dup2(0, fd), fd);
    EDDY_DEFER(close_sixties, &options);
    CHECK_OK(eddy_create_subprocess_exec(EDDY_ARGV("sleep", "100"), &options, &process));
    pid = eddy_process_pid(process);
    CHECK(child_has_descriptors(pid, 5));
    CHECK(child_descriptor(pid, 60)[0] && child_descriptor(pid, 61)[0]);
    CHECK_HAS(child_descriptor(pid, 0), "pipe:");
}

/* A-SUBP-13: `limit` is that of the readers. */
TEST(process_open_sets_the_limit_of_lines)
{
    EDDY_PROCESS process = NULL;
    eddy_process_options options = {.out = EDDY_PIPE, .limit = 10};
    eddy_line line;
    int rc, count = 0;

    CHECK_OK(eddy_create_subprocess_shell("echo 123456789; echo 12345678901", &options, &process));
    EDDY_FOR_EACH(rc, line, eddy_lines(eddy_process_out(process)))
        count++;
    CHECK_EQ(rc, EDDY_ELIMIT);
    CHECK_EQ(count, 1);
}

TEST(process_open_restores_the_default_of_signals)
{
    EDDY_PROCESS process = NULL;

    if (test_is_on_valgrind())
        test_skip("valgrind has handlers of its own in the child");
    signal(SIGPIPE, SIG_IGN);
    signal(SIGINT, SIG_IGN);
    CHECK_OK(eddy_create_subprocess_exec(EDDY_ARGV("sleep", "100"), NULL, &process));
    CHECK_STR(child_status(eddy_process_pid(process), "SigIgn"), "0000000000000000");
    CHECK_STR(child_status(eddy_process_pid(process), "SigBlk"), "0000000000000000");
    CHECK_OK(eddy_process_send_signal(process, SIGINT));
    CHECK_OK(eddy_process_wait(process, NULL));
    CHECK_EQ(eddy_process_returncode(process), -SIGINT);
}

static int open_it(void)
{
    static const char *const set[] = {"A=1", NULL};
    int numbers[] = {2, 3, -1};
    EDDY_PROCESS process = NULL;
    eddy_process_options options = {.in = EDDY_DEVNULL,
                                    .out = EDDY_PIPE,
                                    .err = EDDY_PIPE,
                                    .set = set,
                                    .pass = numbers,
                                    .stop_timeout = -1};

    return eddy_create_subprocess_exec(EDDY_ARGV("sleep", "100"), &options, &process);
}
EDDY_ASYNC(open_it);

static int open_nothing(void)
{
    EDDY_PROCESS process = NULL;
    eddy_process_options options = {.in = EDDY_PIPE, .out = EDDY_PIPE};
    int rc = eddy_create_subprocess_exec(EDDY_ARGV("/nowhere/x"), &options, &process);

    return rc == -ENOENT ? 0 : rc;
}
EDDY_ASYNC(open_nothing);

/* A-SUBP-10: killed and reaped. */
RAW_TEST(process_open_survives_every_cancel_and_every_lack_of_memory)
{
    CHECK_OK(eddy_test_cancels(open_it));
    CHECK_OK(eddy_test_allocations(open_it));
    CHECK_OK(eddy_test_cancels(open_nothing));
    CHECK_OK(eddy_test_allocations(open_nothing));
    CHECK(no_child_is_left());
}
