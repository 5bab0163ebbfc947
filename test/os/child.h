/* SPDX-License-Identifier: MIT */
/* What tests of child processes look at: what the kernel says of one, and whether any is left. */
#ifndef CHILD_H
#define CHILD_H

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "harness.h"

/* Whether this process has no child, not even a zombie. */
static inline bool no_child_is_left(void)
{
    siginfo_t info;

    return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) < 0 && errno == ECHILD;
}

/* Lets the loop run until there is none. */
static inline int until_no_child_is_left(void)
{
    while (!no_child_is_left()) {
        usleep(1000);
        EDDY_TRY(eddy_sleep(0));
    }
    return 0;
}

/* The value of a line of /proc/PID/status, "" when there is none; a buffer that is overwritten. */
static inline const char *child_status(pid_t pid, const char *field)
{
    static char line[512];
    char path[64];
    size_t length = strlen(field);
    FILE *file;

    snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    file = fopen(path, "re");
    while (file && fgets(line, sizeof line, file)) {
        if (strncmp(line, field, length) != 0 || line[length] != ':')
            continue;
        fclose(file);
        line[strcspn(line, "\n")] = '\0';
        return line + length + 1 + strspn(line + length + 1, " \t");
    }
    if (file)
        fclose(file);
    return "";
}

/* What a descriptor of a process is, "" when it has none; a buffer that is overwritten. */
static inline const char *child_descriptor(pid_t pid, int fd)
{
    static char link[512];
    char path[64];
    ssize_t length;

    snprintf(path, sizeof path, "/proc/%d/fd/%d", (int)pid, fd);
    length = readlink(path, link, sizeof link - 1);
    link[length > 0 ? length : 0] = '\0';
    return link;
}

/* Whether a process has so many descriptors, up to 128, once its loader has closed its own.
 * valgrind has others in it. */
static inline bool child_has_descriptors(pid_t pid, int expected)
{
    int count = test_is_on_valgrind() ? expected : -1;

    for (int tries = 0; tries < 1000 && count != expected; tries++) {
        count = 0;
        for (int fd = 0; fd < 128; fd++)
            count += child_descriptor(pid, fd)[0] != '\0';
        if (count != expected)
            usleep(1000);
    }
    return count == expected;
}

/* Whether a process is there, and no zombie. */
static inline bool child_lives(pid_t pid)
{
    const char *state = child_status(pid, "State");

    return state[0] && state[0] != 'Z' && state[0] != 'X';
}

/* Waits in real time until it does not live; false: it still does after five seconds. */
static inline bool child_dies(pid_t pid)
{
    for (int i = 0; i < 5000 && child_lives(pid); i++)
        usleep(1000);
    return !child_lives(pid);
}

/* Takes a system call from this process, as an old kernel or a container's filter does: ENOSYS. */
static inline void without_call(unsigned number)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof filter / sizeof filter[0], filter};

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0)
        test_skip("no filter of system calls can be set here");
}

/* Real time, seconds. */
static inline double real_time(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static inline void close_number(int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

/* A process id that a shell has written. */
static inline pid_t number_of(const char *line)
{
    return (pid_t)strtol(line, NULL, 10);
}

/* Starts a command line, and waits until it has written a line: it is ready then. */
static inline int start_ready(const char *line, eddy_process_options options, eddy_process **out)
{
    eddy_process *process = NULL;
    char text[100];
    ssize_t rc;

    options.out = EDDY_PIPE;
    EDDY_TRY(eddy_create_subprocess_shell(line, &options, &process));
    rc = eddy_read_line(eddy_process_out(process), text, sizeof text);
    if (rc <= 0) {
        (void)eddy_process_close(&process);
        return rc < 0 ? (int)rc : -EPIPE;
    }
    *out = process;
    return 0;
}

#endif
