/* SPDX-License-Identifier: MIT */
/*
 * The pools of threads that each loop has for itself, made at first use: one for what
 * users send there, one for files, one for names, so that slow ones of a kind do not
 * hold up the others.
 */
#ifndef ED_OS_EXECUTOR_H
#define ED_OS_EXECUTOR_H

#include "base/list.h"
#include "eddy/executor.h"

enum ed_pool_kind {
    ED_POOL_USER,  /* min(32, processors + 4) threads: eddy_to_thread */
    ED_POOL_FILES, /* as many: what may wait for a disk */
    ED_POOL_NAMES, /* 16: what may wait for a name server */
    ED_POOL_KINDS,
};

/* A loop's, attached at first use. */
struct ed_executors {
    struct ed_pool *pools[ED_POOL_KINDS];
    struct eddy_list_ jobs;  /* of the loop's tasks in any pool, not back yet */
    struct eddy_list_ calls; /* of files, in threads, not taken yet; see file_call.c */
};

struct ed_pool;

/* One of the running loop's pools; NULL: no memory, raised. */
struct ed_pool *ed_executor_pool(enum ed_pool_kind which);

/*
 * Runs function->entry(args, result) in a thread of one of the loop's pools, and waits
 * for it: a job that runs is waited for, whatever happens, since it uses both.
 * Suspends. Returns as eddy_to_thread does.
 */
int ed_executor_run(enum ed_pool_kind which, const struct eddy_async *function, void *args,
                    void *result);

/* The same for a function that can be asked to end early, see job.h. */
int ed_executor_run_interruptible(enum ed_pool_kind which, const struct eddy_async *function,
                                  void *args, void *result, void (*interrupt)(void *args));

/* The same for work that a cancelled caller leaves at once: eddy_run_abandonable. */
int ed_executor_run_abandonable(enum ed_pool_kind which, const eddy_abandonable *job, void *out);

/* The same for arguments that need care, see os/job.h. */
struct ed_job_care;
int ed_executor_run_caring(enum ed_pool_kind which, const eddy_abandonable *job,
                           const struct ed_job_care *care, void *out);

#endif
