/* SPDX-License-Identifier: MIT */
/* Thread jobs of tasks, in both forms; see job.c. */
#ifndef ED_OS_JOB_H
#define ED_OS_JOB_H

#include "eddy/executor.h"
#include "engine/pool.h"

/*
 * Runs function->entry(args, result) in a thread of the pool, and waits for it. Both
 * places are the caller's, and used until this returns. For a task that has passed
 * its checkpoint. Returns as eddy_to_executor does.
 */
int ed_job_run(struct ed_pool *pool, const struct eddy_async *function, void *args, void *result);

/* The same for a function that can be asked to end early: once the caller is cancelled while it
 * runs, interrupt(args) is called on the loop's thread. */
int ed_job_run_interruptible(struct ed_pool *pool, const struct eddy_async *function, void *args,
                             void *result, void (*interrupt)(void *args));

/* What jobs of the library's have to do for their arguments besides; NULL: nothing. */
struct ed_job_care {
    void (*fill)(void *args, const void *from); /* copies them, instead of memcpy */
    void (*drop)(void *args); /* the job will not begin; in the loop's thread, or none */
};

/* The form that takes everything by value, which a cancelled caller leaves at once. `care` may
 * be NULL; without memory it is not asked at all. */
int ed_job_run_abandonable(struct ed_pool *pool, const eddy_abandonable *job,
                           const struct ed_job_care *care, void *out);

/* In a job of that form: whether its caller has left, so that it may stop. */
bool ed_job_is_abandoned(void);

/* For the end of a loop, whose waits are over: waits, blocking, for its jobs. */
void ed_jobs_close(struct eddy_list_ *jobs);

#endif
