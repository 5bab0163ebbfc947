/* SPDX-License-Identifier: MIT */
/* A pool of worker processes (process_pool.c), and its end of each worker (process_channel.c). */
#ifndef ED_OS_PROCESS_POOL_H
#define ED_OS_PROCESS_POOL_H

#include <sys/uio.h>

#include "eddy/process_pool.h"
#include "loop/loop.h"
#include "os/process_worker.h"
#include "os/spawn.h"
#include "task/park.h"

#define ED_PROCESS_POOL_NAME 32

struct eddy_process_pool {
    struct eddy_way_ way;
    eddy_loop *loop; /* NULL: it could not be made, */
    int error;       /* for this reason */
    struct ed_resource resource;
    char name[ED_PROCESS_POOL_NAME];
    size_t workers_max, queue_limit, jobs_per_worker, limit;

    struct eddy_list_ queue; /* jobs that no worker has yet */
    size_t queued;
    struct eddy_list_ ended; /* jobs that their tasks are about to take */
    size_t awaited;          /* jobs that somebody waits for, queued ones too */

    struct eddy_list_ resting, working; /* workers; the latter also while they end */
    size_t live;                        /* those that may get a job */
    size_t workers;                     /* all */

    struct eddy_list_ joins; /* who waits for `awaited` or `workers` to be 0 */
    bool shut, dropping;     /* takes no jobs; begins none that waits */
    bool left;               /* is freed with its last worker */
};

/* In the frame of the task that waits for a job. */
struct ed_process_wait {
    struct ed_wait wait;
    struct ed_process_job *job; /* NULL: the wait was cut short, and the job is not ours */
    bool parked;
};

struct ed_process_job {
    struct eddy_link_ link; /* in the pool's queue, or among its ended jobs */
    struct ed_worker *worker;
    struct ed_process_wait *wait; /* NULL: nobody waits */
    const char *name;             /* the function's, while somebody waits */
    struct ed_worker_request request;
    const char *path;
    unsigned again; /* how often its worker has ended before it began */
    bool ended;

    /* what comes back */
    int rc;
    struct ed_error *error;
    eddy_bytes output;

    alignas(16) unsigned char input[];
};

enum ed_worker_stage {
    ED_WORKER_GREETING,
    ED_WORKER_ANSWER,
    ED_WORKER_ERROR,
    ED_WORKER_OUTPUT,
    ED_WORKER_ANSWERED,
};

struct ed_worker {
    struct eddy_link_ link;
    struct eddy_process_pool *pool;
    struct ed_child child;
    int fd;
    uint64_t nonce;
    struct ed_process_job *job;
    size_t jobs;                      /* that it has done */
    bool unread;                      /* it has ended without reading its request */
    bool rests;                       /* which of the pool's lists it is in */
    bool greeted, condemned, exited;  /* has come up; gets no more jobs; was reaped */
    bool exit_by_signal;              /* how it ended, */
    int exit_number;                  /* by which signal or status */
    struct ed_op exit, send, receive; /* of the pidfd, and of the socket */

    struct iovec parts[3]; /* of the request, those that are left */
    struct msghdr message;

    enum ed_worker_stage stage; /* of what is received */
    uint64_t greeting;
    struct ed_worker_answer answer;
    char text[ED_WORKER_TEXT];
};

/* Starts a worker, which rests. Blocks until the program runs; it comes up by itself. 0, or a
 * negative error. */
int ed_worker_start(struct eddy_process_pool *pool);

/* Gives a job to a worker that rests, or has just been started. */
void ed_worker_give(struct ed_worker *worker, struct ed_process_job *job);

/* Sends a signal; with SIGKILL it gets no more jobs, and rests no longer. */
void ed_worker_signal(struct ed_worker *worker, int number);

/* Whether a worker that rests has not ended meanwhile; else it rests no longer. */
bool ed_worker_is_there(struct ed_worker *worker);

/* For the channel: a job has its answer, and its worker rests; a job has failed with its worker; it
 * has not begun, and waits again, unless it is to fail; something has changed. */
void ed_process_job_end(struct eddy_process_pool *pool, struct ed_process_job *job);
void ed_process_job_fail(struct eddy_process_pool *pool, struct ed_process_job *job, int rc,
                         const char *format, ...) EDDY_PRINTF_(4, 5);
bool ed_process_job_again(struct eddy_process_pool *pool, struct ed_process_job *job);
void ed_process_pool_go_on(struct eddy_process_pool *pool);

#endif
