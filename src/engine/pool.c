/* SPDX-License-Identifier: MIT */
/*
 * A pool of threads: one queue, one mutex, one condition. A thread is made when a
 * job comes and all threads are busy, up to the limit; threads stay until the
 * pool ends. They block all signals, which belong to the program's threads.
 */
#include "engine/pool.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>

#include "base/fault.h"
#include "base/memory.h"
#include "base/stats.h"

struct ed_pool {
    pthread_mutex_t mutex;
    pthread_cond_t work;
    struct eddy_list_ jobs;
    size_t queued, idle, count, limit;
    bool ending;
    pthread_t threads[];
};

struct ed_pool *ed_pool_new(size_t limit)
{
    struct ed_pool *pool = ed_alloc_zero(sizeof *pool + limit * sizeof pool->threads[0]);

    if (!pool)
        return NULL;
    pthread_mutex_init(&pool->mutex, NULL);
    pthread_cond_init(&pool->work, NULL);
    pool->limit = limit;
    return pool;
}

/* The next job, waiting for it; NULL when the pool has ended. */
static struct ed_job *pool_take(struct ed_pool *pool)
{
    struct ed_job *job = NULL;
    struct eddy_link_ *link;

    pthread_mutex_lock(&pool->mutex);
    pool->idle++;
    while (!(link = ed_list_pop(&pool->jobs)) && !pool->ending)
        pthread_cond_wait(&pool->work, &pool->mutex);
    pool->idle--;
    if (link) {
        job = ed_container_of(link, struct ed_job, link);
        job->queued = false;
        pool->queued--;
    }
    pthread_mutex_unlock(&pool->mutex);
    return job;
}

static void *pool_thread(void *argument)
{
    struct ed_job *job;

    while ((job = pool_take(argument)))
        job->run(job);
    return NULL;
}

/* Makes one more thread; the mutex is held. */
static int pool_add_thread(struct ed_pool *pool)
{
    sigset_t all, before;
    int error = -ed_fault_check(ED_FAULT_THREAD);

    if (error)
        return -error;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    error = pthread_create(&pool->threads[pool->count], NULL, pool_thread, pool);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error)
        return -error;
    pool->count++;
    ed_stats_add(ED_STAT_THREADS, 1);
    return 0;
}

int ed_pool_submit(struct ed_pool *pool, struct ed_job *job)
{
    int rc = 0;

    pthread_mutex_lock(&pool->mutex);
    if (pool->queued >= pool->idle && pool->count < pool->limit)
        rc = pool_add_thread(pool);
    if (rc == 0 || pool->count > 0) { /* without a new one the others get to it */
        rc = 0;
        job->queued = true;
        ed_list_append(&pool->jobs, &job->link);
        pool->queued++;
        pthread_cond_signal(&pool->work);
    }
    pthread_mutex_unlock(&pool->mutex);
    return rc;
}

bool ed_pool_withdraw(struct ed_pool *pool, struct ed_job *job)
{
    bool queued;

    pthread_mutex_lock(&pool->mutex);
    queued = job->queued;
    if (queued) {
        ed_list_remove(&pool->jobs, &job->link);
        job->queued = false;
        pool->queued--;
    }
    pthread_mutex_unlock(&pool->mutex);
    return queued;
}

void ed_pool_free(struct ed_pool *pool)
{
    if (!pool)
        return;
    pthread_mutex_lock(&pool->mutex);
    pool->ending = true;
    pthread_cond_broadcast(&pool->work);
    pthread_mutex_unlock(&pool->mutex);
    for (size_t i = 0; i < pool->count; i++)
        pthread_join(pool->threads[i], NULL);
    ed_stats_add(ED_STAT_THREADS, -(long)pool->count);
    pthread_cond_destroy(&pool->work);
    pthread_mutex_destroy(&pool->mutex);
    ed_free(pool);
}
