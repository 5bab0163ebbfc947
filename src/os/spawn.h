/* SPDX-License-Identifier: MIT */
/* Starting a program in a child process, without a loop or with one; see spawn.c. */
#ifndef ED_OS_SPAWN_H
#define ED_OS_SPAWN_H

#include <pthread.h>
#include <sys/types.h>

#include "base/compat.h"

/* A descriptor of ours, and its number in the child. Equal ones keep their number. */
struct ed_spawn_fd {
    int source, target;
};

/* By which another thread may cut a start short. */
struct ed_spawn_stop {
    pthread_mutex_t mutex; /* held by who uses or closes `pidfd` */
    int stopped;           /* atomic */
    int pidfd;             /* the child's, from before it runs; -1: there is none */
};
#define ED_SPAWN_STOP_INIT                                                                         \
    {                                                                                              \
        PTHREAD_MUTEX_INITIALIZER, 0, -1                                                           \
    }

/* What is to run, and how. The child gets the descriptors of `fds`, 0 to 2 as they are with us if
 * they are no targets, and no others; the default signal dispositions and an empty mask. */
struct ed_spawn {
    const char *const *argv;       /* the program first, up to a NULL */
    const char *const *env;        /* "NAME=value", up to a NULL; its PATH is searched */
    const char *directory;         /* NULL: ours */
    const struct ed_spawn_fd *fds; /* whose targets differ */
    size_t fd_count;
    bool set_terminal; /* in a new session, whose controlling one it is: */
    int terminal;      /* a descriptor of ours */
    bool new_session;  /* setsid(2), */
    bool new_group;    /* or a process group of its own, */
    pid_t group;       /* or this one; 0: ours */
    bool set_user;     /* becomes these, without other groups */
    uid_t user;
    gid_t gid;
    bool set_umask;
    mode_t umask;
    bool dies_with_us;          /* SIGKILL at the end of the thread that starts it */
    struct ed_spawn_stop *stop; /* or NULL */
};

struct ed_child {
    pid_t pid;
    int pidfd; /* close-on-exec */
};

/*
 * Starts a program. Blocks the calling thread until it runs: as long as the file system takes.
 * Any thread. 0; or, with nothing left behind, a negative error with a text that names the
 * program: of clone(2), execve(2), or of what else was asked for.
 */
int ed_spawn(const struct ed_spawn *spawn, struct ed_child *child);

/* Makes a start that is under way in another thread fail, with -ECANCELED unless the program was
 * faster: then it is killed. */
void ed_spawn_interrupt(struct ed_spawn_stop *stop);

/* The same as ed_spawn in a thread of the loop's, for the running task; `stop` is its own.
 * Suspends. Returns as ed_spawn; -ECANCELED, -ETIMEDOUT: a child that ran already was killed and
 * reaped. */
int ed_spawn_await(const struct ed_spawn *spawn, struct ed_child *child);

/* Kills a child, waits, blocking, for its end, and closes its pidfd. */
void ed_spawn_undo(struct ed_child *child);

#endif
