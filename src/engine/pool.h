/* SPDX-License-Identifier: MIT */
/* A pool of threads for what would block a loop. */
#ifndef ED_ENGINE_POOL_H
#define ED_ENGINE_POOL_H

#include "base/compat.h"
#include "base/list.h"

/* One piece of work; its memory is the submitter's until `run` has returned,
 * which must not touch it after it has told the submitter. */
struct ed_job {
    struct eddy_link_ link;
    void (*run)(struct ed_job *job); /* in a thread of the pool */
    bool queued;
};

struct ed_pool;

/* A pool of at most `limit` threads, none of them made yet; NULL: no memory. */
struct ed_pool *ed_pool_new(size_t limit);

/* Queues a job. 0, or -EAGAIN when no thread can be made to run it. */
int ed_pool_submit(struct ed_pool *pool, struct ed_job *job);

/* Takes back a job that no thread has begun; whether it could. */
bool ed_pool_withdraw(struct ed_pool *pool, struct ed_job *job);

/* Ends the threads after the queued jobs, waits for them, and frees the pool. */
void ed_pool_free(struct ed_pool *pool);

#endif
