/* SPDX-License-Identifier: MIT */
/*
 * A pool of threads for what would block a loop.
 *
 * A job's way:
 *
 *     submit --> queued --> running -----------> its `run` tells the submitter
 *                  |           |   ed_pool_claim
 *                  |           +--> abandoned --> its `run` frees it
 *                  +--> out: withdrawn
 *                  +--> dropped: by a shutdown
 *
 * Any thread may call what stands here. After fork(2) the threads are not the
 * child's, nor is the mutex of any use there: a pool of the parent's refuses jobs
 * with -EPERM, gives every job back as withdrawn, waits for nothing, and can be
 * freed.
 */
#ifndef ED_ENGINE_POOL_H
#define ED_ENGINE_POOL_H

#include <time.h>

#include "base/compat.h"
#include "base/list.h"

struct ed_pool;

enum ed_job_state {
    ED_JOB_OUT, /* not submitted, or withdrawn: nobody else knows it */
    ED_JOB_QUEUED,
    ED_JOB_RUNNING,
    ED_JOB_CLAIMED,   /* has run, its submitter is being told */
    ED_JOB_ABANDONED, /* runs, and its submitter has left */
    ED_JOB_DROPPED,   /* never runs, its submitter has been told */
};

/* One piece of work; its memory is the submitter's until `run` has told it, or
 * `dropped` has, and is not touched after that. */
struct ed_job {
    struct eddy_link_ link;
    void (*run)(struct ed_job *job);     /* in a thread of the pool */
    void (*dropped)(struct ed_job *job); /* in an immediate shutdown, under the mutex */
    struct ed_pool_thread *thread;       /* that runs it, or has */
    enum ed_job_state state;             /* under the mutex */
};

/* Somebody to be told that a pool has no job left. */
struct ed_pool_watch {
    struct eddy_link_ link;
    void (*idle)(struct ed_pool_watch *watch); /* once, under the mutex */
    bool watching;
};

struct ed_pool_options {
    const char *name;   /* of its threads and in reports; copied, cut after 15 bytes */
    size_t threads;     /* at most, at least 1 */
    size_t queue_limit; /* jobs that may wait for a thread; 0: no limit */
};

/* A pool with no thread yet, and one reference: ed_pool_free. NULL: no memory. */
struct ed_pool *ed_pool_new(const struct ed_pool_options *options);

/* Whoever may come back to a pool after its end keeps a reference. */
struct ed_pool *ed_pool_ref(struct ed_pool *pool);
void ed_pool_unref(struct ed_pool *pool);

const char *ed_pool_name(const struct ed_pool *pool);
size_t ed_pool_queue_limit(const struct ed_pool *pool);
bool ed_pool_is_foreign(const struct ed_pool *pool); /* made before a fork */

/*
 * Queues a job. 0, or with the job not taken: -ENOBUFS when as many jobs wait as
 * may, -ESHUTDOWN, -EPERM for the parent's pool; another error when it has no
 * thread, and none can be made.
 */
int ed_pool_submit(struct ed_pool *pool, struct ed_job *job);

/* Takes back a job that no thread has begun; whether it could. */
bool ed_pool_withdraw(struct ed_pool *pool, struct ed_job *job);

/* In the job's `run`, when its work is done: whether somebody waits for it still,
 * who is then to be told. Else it is abandoned, and belongs to `run`. */
bool ed_pool_claim(struct ed_pool *pool, struct ed_job *job);

/* The submitter leaves a job that claims itself. Returns what has become of it:
 * ED_JOB_OUT, withdrawn; ED_JOB_ABANDONED, not to be touched any more; else the
 * submitter will be told as if nothing had happened, or was already. */
enum ed_job_state ed_pool_abandon(struct ed_pool *pool, struct ed_job *job);

/* In the job's `run`: whether its submitter has left meanwhile. */
bool ed_pool_is_abandoned(struct ed_pool *pool, struct ed_job *job);

/* Waits, blocking, until a job that is not queued has told its submitter. */
void ed_pool_wait(struct ed_pool *pool, struct ed_job *job);

/* The same until a time of CLOCK_REALTIME at most. */
void ed_pool_wait_until(struct ed_pool *pool, struct ed_job *job, const struct timespec *end);

/* Takes no more jobs. With `immediate` those that wait are dropped, else they run. */
void ed_pool_shut(struct ed_pool *pool, bool immediate);

/* Asks to be told when no job waits or runs, abandoned ones aside; false when that
 * is so now. Unwatch: whether it was not told yet, and will not be. */
bool ed_pool_watch(struct ed_pool *pool, struct ed_pool_watch *watch);
bool ed_pool_unwatch(struct ed_pool *pool, struct ed_pool_watch *watch);

/* Aborts in one of the pool's own threads, which cannot wait for itself. */
void ed_pool_check_free(struct ed_pool *pool);

/* Shuts the pool, waits, blocking, for its jobs, and ends its threads. Those that run
 * an abandoned job end by themselves after it. Accepts NULL. */
void ed_pool_free(struct ed_pool *pool);

#endif
