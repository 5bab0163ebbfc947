/* SPDX-License-Identifier: MIT */
/*
 * The start of a program, as vfork(2) does it.
 *
 * The child shares our memory, on a stack of its own, and the calling thread stands still until
 * it has called execve(2) or ended: no page table is copied, however large this process is. So it
 * must leave our memory as it is: it makes bare system calls, allocates nothing and takes no lock,
 * and no signal handler of ours runs in it, since all signals are blocked until it has none. Only
 * one that becomes another user has a copy of its own: the kernel would take the rights of a
 * shared one, such as that to a core dump, from us too.
 *
 * What fails in the child comes back by a pipe that is close-on-exec: nothing in it means that the
 * program runs. The parent never waits for that pipe: when the thread goes on, it has been written.
 *
 * Another thread may cut a start short. It says so in `stopped`, and then kills by the pidfd if
 * there is one; the kernel tells the pidfd before the child runs, and the child looks at `stopped`
 * before it calls execve(2). So one of the two sees the other, and nobody stays in an exec that
 * takes long. (Not so for a child with a copy of our memory, in the moment of the copying.)
 *
 * Descriptors. All from 3 on become close-on-exec. A source that stands on the target of another
 * one is moved away first; so each dup2(2) finds its source, in whatever order.
 */
#include "os/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fault.h"
#include "base/memory.h"
#include "base/stats.h"
#include "task/task.h"

#define SPAWN_STACK 16384 /* bytes; a tenth of it is used */
#define SPAWN_SIGNALS 64
#define SPAWN_SIGNAL_SET (SPAWN_SIGNALS / 8)
#define SPAWN_DESCRIPTORS (1 << 20) /* where a kernel without close_range(2) ends its search */

enum spawn_step {
    SPAWN_TO_TERMINAL,
    SPAWN_TO_MAP,
    SPAWN_TO_GROUP,
    SPAWN_TO_DIRECTORY,
    SPAWN_TO_USER,
    SPAWN_TO_EXEC,
};

struct spawn_report {
    int error;
    enum spawn_step step;
};

/* All that the child works with: it must not allocate. */
struct spawn_start {
    const struct ed_spawn *spawn;
    struct ed_spawn_stop *stop;
    pid_t parent;
    int report;          /* the child's end of the pipe */
    int *sources;        /* of the descriptors, where they are now */
    const char *path;    /* the directories to search */
    char *file;          /* room for one of them and the program's name */
    const char **script; /* room for the arguments of the shell that runs a script */
    alignas(16) char stack[SPAWN_STACK];
};

/* In the child ------------------------------------------------------------------------------ */

ED_UNWATCHED static void spawn_fail(const struct spawn_start *s, enum spawn_step step)
{
    struct spawn_report report = {errno, step};

    (void)syscall(SYS_write, s->report, &report, sizeof report);
    syscall(SYS_exit_group, 127);
}

ED_UNWATCHED static bool spawn_is_target(const struct spawn_start *s, int fd)
{
    for (size_t i = 0; i < s->spawn->fd_count; i++)
        if (s->spawn->fds[i].target == fd)
            return true;
    return false;
}

/* A duplicate on a number that is nobody's target, or a negative number. */
ED_UNWATCHED static int spawn_move(const struct spawn_start *s, int fd)
{
    long moved = 2;

    do
        moved = syscall(SYS_fcntl, fd, F_DUPFD_CLOEXEC, moved + 1);
    while (moved >= 0 && spawn_is_target(s, (int)moved));
    return (int)moved;
}

/* Makes everything from 3 on close-on-exec. */
ED_UNWATCHED static void spawn_close_others(void)
{
    struct rlimit limit = {.rlim_cur = 0};

    if (syscall(SYS_close_range, 3, ~0u, CLOSE_RANGE_CLOEXEC) == 0)
        return;
    syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, NULL, &limit);
    for (int fd = 3; fd < SPAWN_DESCRIPTORS && (rlim_t)fd < limit.rlim_cur; fd++)
        syscall(SYS_fcntl, fd, F_SETFD, FD_CLOEXEC);
}

ED_UNWATCHED static bool spawn_map_descriptors(struct spawn_start *s)
{
    const struct ed_spawn *spawn = s->spawn;

    for (size_t i = 0; i < spawn->fd_count; i++) {
        s->sources[i] = spawn->fds[i].source;
        if (s->sources[i] != spawn->fds[i].target && spawn_is_target(s, s->sources[i]) &&
            (s->sources[i] = spawn_move(s, s->sources[i])) < 0)
            return false;
    }
    if (spawn_is_target(s, s->report)) {
        int moved = spawn_move(s, s->report);

        if (moved < 0)
            return false;
        s->report = moved;
    }
    spawn_close_others();
    for (size_t i = 0; i < spawn->fd_count; i++) {
        bool stays = s->sources[i] == spawn->fds[i].target;

        if ((stays ? syscall(SYS_fcntl, s->sources[i], F_SETFD, 0)
                   : syscall(SYS_dup3, s->sources[i], spawn->fds[i].target, 0)) < 0)
            return false;
    }
    return true;
}

ED_UNWATCHED static void spawn_become(struct spawn_start *s)
{
    const struct ed_spawn *spawn = s->spawn;

    if (spawn->new_session)
        syscall(SYS_setsid); /* a child leads no group: it cannot fail */
    if (spawn->set_terminal && syscall(SYS_ioctl, spawn->terminal, TIOCSCTTY, 0) < 0)
        spawn_fail(s, SPAWN_TO_TERMINAL);
    if (!spawn_map_descriptors(s))
        spawn_fail(s, SPAWN_TO_MAP);
    if (!spawn->new_session && (spawn->new_group || spawn->group) &&
        syscall(SYS_setpgid, 0, spawn->group) < 0)
        spawn_fail(s, SPAWN_TO_GROUP);
    if (spawn->directory && syscall(SYS_chdir, spawn->directory) < 0)
        spawn_fail(s, SPAWN_TO_DIRECTORY);
    if (spawn->set_umask)
        syscall(SYS_umask, spawn->umask);
    if (spawn->set_user && (syscall(SYS_setgroups, 0, NULL) < 0 ||
                            syscall(SYS_setresgid, spawn->gid, spawn->gid, spawn->gid) < 0 ||
                            syscall(SYS_setresuid, spawn->user, spawn->user, spawn->user) < 0))
        spawn_fail(s, SPAWN_TO_USER);
    if (spawn->dies_with_us) { /* last, since becoming another user forgets it */
        syscall(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
        if (syscall(SYS_getppid) != s->parent) /* it was too late */
            syscall(SYS_exit_group, 127);
    }
}

/* A file that is no program is a script of the shell's, as for execvp(3). */
ED_UNWATCHED static void spawn_try(struct spawn_start *s, const char *file)
{
    const struct ed_spawn *spawn = s->spawn;

    errno = ECANCELED;
    if (!__atomic_load_n(&s->stop->stopped, __ATOMIC_SEQ_CST))
        syscall(SYS_execve, file, spawn->argv, spawn->env);
    if (errno != ENOEXEC)
        return;
    s->script[0] = "/bin/sh";
    s->script[1] = file;
    for (size_t i = 1; i == 1 || spawn->argv[i - 1]; i++)
        s->script[i + 1] = spawn->argv[i];
    syscall(SYS_execve, s->script[0], s->script, spawn->env);
}

/* Tries one directory after the other. A file that must not be executed is what is told when
 * there is no other. */
ED_UNWATCHED static void spawn_search(struct spawn_start *s, const char *name)
{
    size_t name_size = strlen(name) + 1;
    bool denied = false;

    for (const char *start = s->path, *end;; start = end + 1) {
        end = strchrnul(start, ':');
        memcpy(s->file, start, (size_t)(end - start));
        s->file[end - start] = '/';
        memcpy(s->file + (end - start) + (end > start), name, name_size);
        spawn_try(s, s->file);
        if (errno == EACCES)
            denied = true;
        else if (errno != ENOENT && errno != ENOTDIR && errno != ESTALE && errno != ENODEV &&
                 errno != ETIMEDOUT)
            return;
        if (!*end)
            break;
    }
    if (denied)
        errno = EACCES;
}

ED_UNWATCHED static int spawn_child(void *argument)
{
    struct spawn_start *s = argument;
    const char *name = s->spawn->argv[0];
    const long by_default[8] = {0}; /* the kernel's struct sigaction: SIG_DFL, no flags, no mask */

    for (int number = 1; number <= SPAWN_SIGNALS; number++)
        syscall(SYS_rt_sigaction, number, by_default, NULL, SPAWN_SIGNAL_SET);
    spawn_become(s);
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, by_default, NULL, SPAWN_SIGNAL_SET);
    if (strchr(name, '/'))
        spawn_try(s, name);
    else
        spawn_search(s, name);
    spawn_fail(s, SPAWN_TO_EXEC);
    return 0;
}

/* In the parent ----------------------------------------------------------------------------- */

/* Where the child's program is searched. */
static const char *spawn_path(const struct ed_spawn *spawn)
{
    for (const char *const *each = spawn->env; *each; each++)
        if (strncmp(*each, "PATH=", 5) == 0)
            return *each + 5;
    return "/bin:/usr/bin";
}

/* All that the child needs, in one block; NULL: no memory. */
static struct spawn_start *spawn_new(const struct ed_spawn *spawn)
{
    const char *path = spawn_path(spawn);
    size_t file_size = strlen(path) + strlen(spawn->argv[0]) + 2;
    size_t arguments = 0, pointers, sources = spawn->fd_count * sizeof(int);
    struct spawn_start *s;

    while (spawn->argv[arguments])
        arguments++;
    pointers = (arguments + 2) * sizeof(char *);
    s = ed_alloc(sizeof *s + pointers + sources + file_size);
    if (!s)
        return NULL;
    s->spawn = spawn;
    s->parent = getpid();
    s->path = path;
    s->script = (const char **)(void *)(s + 1);
    s->sources = (int *)(void *)((char *)(s + 1) + pointers);
    s->file = (char *)(s + 1) + pointers + sources;
    return s;
}

/* What went wrong in the child, as a sentence. */
static int spawn_raise(const struct ed_spawn *spawn, struct spawn_report report)
{
    const char *name = spawn->argv[0], *text = ed_error_of_start(-report.error);

    switch (report.step) {
    case SPAWN_TO_TERMINAL:
        return ed_raise(-report.error, "cannot run %s on a terminal: %s", name, text);
    case SPAWN_TO_MAP:
        return ed_raise(-report.error, "cannot run %s with its descriptors: %s", name, text);
    case SPAWN_TO_GROUP:
        return ed_raise(-report.error, "cannot run %s in process group %d: %s", name,
                        (int)spawn->group, text);
    case SPAWN_TO_DIRECTORY:
        return ed_raise(-report.error, "cannot run %s in directory %s: %s", name, spawn->directory,
                        text);
    case SPAWN_TO_USER:
        return ed_raise(-report.error, "cannot run %s as user %u and group %u: %s", name,
                        (unsigned)spawn->user, (unsigned)spawn->gid, text);
    default: return ed_raise(-report.error, "cannot run %s: %s", name, text);
    }
}

/* clone(2), with all signals blocked, those of the C library too. */
static int spawn_clone(struct spawn_start *s, pid_t *out)
{
    const long all = -1;
    long before;
    /* ThreadSanitizer changes its own memory in a child, which must not be the parent's. */
    int memory = s->spawn->set_user || ED_TSAN ? 0 : CLONE_VM;
    pid_t pid;

    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, &before, SPAWN_SIGNAL_SET);
    pid = clone(spawn_child, s->stack + sizeof s->stack,
                memory | CLONE_VFORK | CLONE_PIDFD | SIGCHLD, s, &s->stop->pidfd);
    if (pid < 0)
        pid = -errno;
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &before, NULL, SPAWN_SIGNAL_SET);
    *out = pid;
    return pid < 0 ? pid : 0;
}

/* Nobody is to use the pidfd any more, which is to be closed. */
static void spawn_withdraw(struct ed_spawn_stop *stop)
{
    pthread_mutex_lock(&stop->mutex);
    stop->pidfd = -1;
    pthread_mutex_unlock(&stop->mutex);
}

void ed_spawn_interrupt(struct ed_spawn_stop *stop)
{
    int pidfd;

    pthread_mutex_lock(&stop->mutex);
    __atomic_store_n(&stop->stopped, 1, __ATOMIC_SEQ_CST);
    pidfd = __atomic_load_n(&stop->pidfd, __ATOMIC_SEQ_CST);
    if (pidfd >= 0)
        (void)syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0); /* or it has ended */
    pthread_mutex_unlock(&stop->mutex);
}

/* The child has been made: whether its program runs. */
static int
spawn_outcome(const struct spawn_start *s, struct spawn_report report, struct ed_child *child)
{
    const struct ed_spawn *spawn = s->spawn;

    child->pidfd = s->stop->pidfd;
    if (child->pidfd < 0) {
        (void)kill(child->pid, SIGKILL); /* it is there: nobody has reaped it */
        (void)waitpid(child->pid, NULL, 0);
        return ed_raise(-ENOSYS, "cannot run %s: this kernel gives no pidfd", spawn->argv[0]);
    }
    ed_stats_add(ED_STAT_DESCRIPTORS, 1);
    if (report.error == 0)
        return 0;
    spawn_withdraw(s->stop);
    ed_spawn_undo(child);
    return spawn_raise(spawn, report);
}

/* Makes the child, and waits until it runs its program or has failed. */
static int spawn_run(struct spawn_start *s, struct ed_child *child)
{
    struct spawn_report report = {0, SPAWN_TO_EXEC};
    int ends[2], rc = ed_fault_check(ED_FAULT_SPAWN);

    if (rc == 0 && pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
        rc = -errno;
    if (rc == 0) {
        s->report = ends[1];
        rc = spawn_clone(s, &child->pid);
        close(ends[1]);
        if (rc == 0 && read(ends[0], &report, sizeof report) != (ssize_t)sizeof report)
            report.error = 0;
        close(ends[0]);
    }
    if (rc < 0)
        return ed_raise(rc, "cannot run %s: %s", s->spawn->argv[0], ed_error_of_start(rc));
    return spawn_outcome(s, report, child);
}

int ed_spawn(const struct ed_spawn *spawn, struct ed_child *child)
{
    struct ed_spawn_stop nobody = ED_SPAWN_STOP_INIT;
    struct spawn_start *s = spawn_new(spawn);
    int rc;

    if (!s)
        return ed_raise(-ENOMEM, "cannot run %s: no memory", spawn->argv[0]);
    s->stop = spawn->stop ? spawn->stop : &nobody;
    rc = spawn_run(s, child);
    ed_free(s);
    return rc;
}

void ed_spawn_undo(struct ed_child *child)
{
    siginfo_t unused;

    if (syscall(SYS_pidfd_send_signal, child->pidfd, SIGKILL, NULL, 0) < 0 && errno == ENOSYS)
        (void)kill(child->pid, SIGKILL); /* or it has ended */
    while (waitid(P_PIDFD, (id_t)child->pidfd, &unused, WEXITED) < 0 && errno == EINTR)
        ;
    close(child->pidfd);
    ed_stats_add(ED_STAT_DESCRIPTORS, -1);
}
