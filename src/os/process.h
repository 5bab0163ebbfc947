/* SPDX-License-Identifier: MIT */
/* What a child process is: made in process_open.c, watched and ended in process.c. */
#ifndef ED_OS_PROCESS_H
#define ED_OS_PROCESS_H

#include "base/list.h"
#include "eddy/process.h"
#include "loop/loop.h"
#include "os/spawn.h"
#include "task/park.h"

#define ED_PROCESS_TERMINAL 3 /* behind the standard streams */
#define ED_PROCESS_STREAMS 4

struct eddy_process {
    /* set at its start */
    eddy_loop *loop;
    struct ed_resource resource;
    struct ed_child child;
    char *name; /* of the program, or the line of the shell */
    bool leads; /* a process group of its own, whose id is its own */
    double stop_timeout;

    eddy_stream *streams[ED_PROCESS_STREAMS]; /* our ends, or NULL */

    int returncode;
    struct ed_op watch;        /* of the pidfd, until it has ended */
    struct eddy_timer_ again;  /* after a watch that failed */
    struct eddy_list_ waiters; /* whose data is an int: the code */
    unsigned inside;           /* calls that are in it now, the close's not among them */
    struct ed_wait *closer;    /* waits until nobody is inside */
    struct eddy_list_ closers; /* other closes, which wait for the first, as waiters do */
    bool closing;
    bool let_go;     /* nobody has a handle any more */
    bool left;       /* its loop is closed over it, */
    bool unkillable; /* which could not kill it: it goes on */
};

/* A process that does not run yet, and is nobody's; takes `name`. NULL: no memory. */
eddy_process *ed_process_new(char *name);
void ed_process_free(eddy_process *process); /* one that was not begun */

/* It runs, as this child, and is its handle's and the loop's from now on. */
void ed_process_begin(eddy_process *process, struct ed_child child);

/* Closes our ends of its streams, dropping what has not gone. Suspends, shielded. */
void ed_process_close_streams(eddy_process *process);

/* A call comes in, 0 or the error that it must return at once, and goes out again. */
int ed_process_enter(eddy_process *process);
void ed_process_leave(eddy_process *process);

/* Waits for the exit, inside. Suspends. */
int ed_process_await(eddy_process *process, int *code);

#endif
