/* SPDX-License-Identifier: MIT */
#include "process.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "fail.h"

/* Moves this process to the n-th processor that it may use, or to the only one. */
static void pin(int core)
{
    cpu_set_t allowed, chosen;

    if (sched_getaffinity(0, sizeof allowed, &allowed) < 0)
        fail("sched_getaffinity", errno);
    core %= CPU_COUNT(&allowed);
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        if (CPU_ISSET(cpu, &allowed) && core-- == 0) {
            CPU_ZERO(&chosen);
            CPU_SET(cpu, &chosen);
        }
    }
    if (sched_setaffinity(0, sizeof chosen, &chosen) < 0)
        fail("sched_setaffinity", errno);
}

static _Noreturn void become(const char *const *argv, const char *engine, int core)
{
    (void)prctl(PR_SET_PDEATHSIG, SIGTERM); /* without it, a server may be left over */
    if (core != ANYWHERE)
        pin(core);
    if (engine)
        setenv("EDDY_ENGINE", engine, 1);
    execvp(argv[0], (char *const *)(uintptr_t)argv);
    fail(argv[0], errno);
}

struct process process_start(const char *const *argv, const char *engine, int core)
{
    int in[2], out[2];

    if (pipe2(in, O_CLOEXEC) < 0 || pipe2(out, O_CLOEXEC) < 0)
        fail("pipe2", errno);
    pid_t pid = fork();
    if (pid < 0)
        fail("fork", errno);
    if (pid == 0) {
        if (dup2(in[0], STDIN_FILENO) < 0 || dup2(out[1], STDOUT_FILENO) < 0)
            fail("dup2", errno);
        become(argv, engine, core);
    }
    close(in[0]);
    close(out[1]);
    struct process process = {pid, fdopen(in[1], "w"), fdopen(out[0], "r")};
    if (!process.in || !process.out)
        fail("fdopen", errno);
    return process;
}

int process_wait(struct process *process)
{
    int status;

    (void)fclose(process->in); /* it may be gone already */
    (void)fclose(process->out);
    while (waitpid(process->pid, &status, 0) < 0) {
        if (errno != EINTR)
            fail("waitpid", errno);
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* The number behind `key:` in a file of /proc. */
static double read_status(const char *path, const char *key)
{
    char line[128];
    FILE *file = fopen(path, "r");
    size_t length = strlen(key);

    if (!file)
        fail(path, errno);
    while (fgets(line, sizeof line, file)) {
        if (strncmp(line, key, length) == 0 && line[length] == ':') {
            (void)fclose(file); /* it was only read */
            return strtod(line + length + 1, NULL);
        }
    }
    fail(key, ENODATA);
}

double process_memory(pid_t pid)
{
    char path[64];

    snprintf(path, sizeof path, "/proc/%d/status", pid);
    return 1024 * (read_status(path, "RssAnon") + read_status(path, "VmPTE"));
}

double process_sleeps(pid_t pid)
{
    char path[64], file[512];
    struct dirent *entry;
    double sum = 0;

    snprintf(path, sizeof path, "/proc/%d/task", pid);
    DIR *tasks = opendir(path);
    if (!tasks)
        fail(path, errno);
    while ((entry = readdir(tasks))) {
        if (entry->d_name[0] == '.')
            continue;
        snprintf(file, sizeof file, "%s/%s/status", path, entry->d_name);
        sum += read_status(file, "voluntary_ctxt_switches");
    }
    closedir(tasks);
    return sum;
}

double process_cpu(pid_t pid)
{
    struct timespec t;
    clockid_t clock;
    int error = clock_getcpuclockid(pid, &clock);

    if (error || clock_gettime(clock, &t) < 0)
        fail("processor time of a process", error ? error : errno);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

double thread_waited(void)
{
    static int fd = -1;
    char text[96];

    if (fd < 0)
        fd = open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC);
    ssize_t size = fd < 0 ? -1 : pread(fd, text, sizeof text - 1, 0);
    char *end = text;
    if (size <= 0)
        return 0;
    text[size] = '\0';
    (void)strtoull(text, &end, 10); /* on a processor; what comes behind is off it */
    return 1e-9 * (double)strtoull(end, NULL, 10);
}
