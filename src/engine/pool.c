/* SPDX-License-Identifier: MIT */
/*
 * A pool of threads: one queue, one mutex. A thread is made when a job comes and
 * all threads are busy, up to the limit; threads stay until the pool ends. They
 * block all signals, which belong to the program's threads.
 *
 * A thread is idle or has a job, never both: it becomes idle when it is made, and
 * again in the same hold of the mutex in which it leaves a job. So `queued` jobs
 * beyond `idle` threads are those that wait. `busy` counts the threads whose job
 * somebody waits for; the pool is at rest when that and `queued` are 0.
 *
 * The owner, each thread and each job that may come back hold a reference, and the
 * last of them frees the memory: a thread can be stuck in a job for ever, but once
 * that job is abandoned nobody waits for it.
 */
#include "engine/pool.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/die.h"
#include "base/fault.h"
#include "base/memory.h"
#include "base/stats.h"

#define POOL_NAME 16 /* of a thread, with its end: what the kernel keeps */

struct ed_pool_thread {
    struct ed_pool *pool;
    pthread_t id;
    struct ed_job *job; /* only compared: its memory may be gone */
    bool abandoned;     /* nobody waits for that job */
    bool detached;
};

struct ed_pool {
    /* set when it is made */
    size_t limit, queue_limit;
    unsigned generation;
    char name[POOL_NAME];

    int refs; /* atomic */

    /* under the mutex */
    pthread_mutex_t mutex;
    pthread_cond_t work;  /* a job, or the end */
    pthread_cond_t ended; /* of a job */
    struct eddy_list_ jobs, watches;
    size_t queued, idle, busy, count;
    bool shut, ending;
    struct ed_pool_thread threads[];
};

static unsigned pool_generation; /* of the process: forks since the first pool */

/* In a child of fork(2): it has none of the threads. */
static void pool_forget(void)
{
    pool_generation++;
    ed_stats_add(ED_STAT_THREADS, -(long)ed_stats_get(ED_STAT_THREADS));
}

static void pool_watch_forks(void)
{
    pthread_atfork(NULL, NULL, pool_forget);
}

struct ed_pool *ed_pool_new(const struct ed_pool_options *options)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct ed_pool *pool = ed_alloc_zero(sizeof *pool + options->threads * sizeof pool->threads[0]);

    if (!pool)
        return NULL;
    pthread_once(&once, pool_watch_forks);
    pthread_mutex_init(&pool->mutex, NULL);
    pthread_cond_init(&pool->work, NULL);
    pthread_cond_init(&pool->ended, NULL);
    pool->limit = options->threads;
    pool->queue_limit = options->queue_limit;
    pool->generation = pool_generation;
    pool->refs = 1;
    snprintf(pool->name, sizeof pool->name, "%s", options->name);
    return pool;
}

struct ed_pool *ed_pool_ref(struct ed_pool *pool)
{
    __atomic_add_fetch(&pool->refs, 1, __ATOMIC_RELAXED);
    return pool;
}

static void pool_unref(struct ed_pool *pool, int refs)
{
    if (__atomic_sub_fetch(&pool->refs, refs, __ATOMIC_ACQ_REL) > 0)
        return;
    if (!ed_pool_is_foreign(pool)) { /* there they may be in use for ever */
        pthread_cond_destroy(&pool->ended);
        pthread_cond_destroy(&pool->work);
        pthread_mutex_destroy(&pool->mutex);
    }
    ed_free(pool);
}

void ed_pool_unref(struct ed_pool *pool)
{
    pool_unref(pool, 1);
}

const char *ed_pool_name(const struct ed_pool *pool)
{
    return pool->name;
}

size_t ed_pool_queue_limit(const struct ed_pool *pool)
{
    return pool->queue_limit;
}

bool ed_pool_is_foreign(const struct ed_pool *pool)
{
    return pool->generation != pool_generation;
}

/* Holds the mutex; false, and does not, in a child to which it is of no use. */
static bool pool_lock(struct ed_pool *pool)
{
    return !ed_pool_is_foreign(pool) && pthread_mutex_lock(&pool->mutex) == 0;
}

static void pool_unlock(struct ed_pool *pool)
{
    pthread_mutex_unlock(&pool->mutex);
}

static bool pool_at_rest(const struct ed_pool *pool)
{
    return pool->queued == 0 && pool->busy == 0;
}

/* A job is no longer there to be waited for; the mutex is held. */
static void pool_job_left(struct ed_pool *pool)
{
    struct eddy_link_ *link;

    pthread_cond_broadcast(&pool->ended);
    while (pool_at_rest(pool) && (link = ed_list_pop(&pool->watches))) {
        struct ed_pool_watch *watch = ed_container_of(link, struct ed_pool_watch, link);

        watch->watching = false;
        watch->idle(watch);
    }
}

/* The threads ---------------------------------------------------------------- */

/* The next job, waiting for it; NULL when the pool has ended. */
static struct ed_job *thread_take(struct ed_pool_thread *self)
{
    struct ed_pool *pool = self->pool;
    struct ed_job *job = NULL;
    struct eddy_link_ *link;

    pthread_mutex_lock(&pool->mutex);
    if (self->job) {
        self->job = NULL;
        pool->idle++;
        pool->busy -= !self->abandoned;
        self->abandoned = false;
        pool_job_left(pool);
    }
    while (!(link = ed_list_pop(&pool->jobs)) && !pool->ending)
        pthread_cond_wait(&pool->work, &pool->mutex);
    if (link) {
        job = ed_container_of(link, struct ed_job, link);
        job->state = ED_JOB_RUNNING;
        job->thread = self;
        self->job = job;
        pool->queued--;
        pool->idle--;
        pool->busy++;
    }
    pthread_mutex_unlock(&pool->mutex);
    return job;
}

/* "name-7": the number stays whole. */
static void thread_set_name(const struct ed_pool_thread *self)
{
    char number[POOL_NAME], name[POOL_NAME];
    int length = snprintf(number, sizeof number, "-%u", (unsigned)(self - self->pool->threads) + 1);
    size_t at = strnlen(self->pool->name, sizeof name - 1 - (size_t)length);

    memcpy(name, self->pool->name, at);
    memcpy(name + at, number, (size_t)length + 1);
    pthread_setname_np(pthread_self(), name);
}

static void *thread_main(void *argument)
{
    struct ed_pool_thread *self = argument;
    struct ed_job *job;

    thread_set_name(self);
    while ((job = thread_take(self)))
        job->run(job);
    ed_pool_unref(self->pool);
    ed_stats_add(ED_STAT_THREADS, -1);
    return NULL;
}

/* Makes one more thread; the mutex is held. */
static int pool_add_thread(struct ed_pool *pool)
{
    struct ed_pool_thread *thread = &pool->threads[pool->count];
    sigset_t all, before;
    int error = -ed_fault_check(ED_FAULT_THREAD);

    if (error)
        return -error;
    thread->pool = ed_pool_ref(pool);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    error = pthread_create(&thread->id, NULL, thread_main, thread);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error) {
        ed_pool_unref(pool);
        return -error;
    }
    pool->count++;
    pool->idle++;
    ed_stats_add(ED_STAT_THREADS, 1);
    return 0;
}

/* Jobs ----------------------------------------------------------------------- */

/* The mutex is held. */
static int pool_submit(struct ed_pool *pool, struct ed_job *job)
{
    int rc = 0;

    if (pool->shut)
        return -ESHUTDOWN;
    if (pool->queued >= pool->idle && pool->count < pool->limit)
        rc = pool_add_thread(pool);
    if (pool->count == 0)
        return rc; /* else, without a new one, the others get to it */
    if (pool->queue_limit && pool->queued >= pool->idle + pool->queue_limit)
        return -ENOBUFS;
    job->state = ED_JOB_QUEUED;
    job->thread = NULL;
    ed_list_append(&pool->jobs, &job->link);
    pool->queued++;
    pthread_cond_signal(&pool->work);
    return 0;
}

int ed_pool_submit(struct ed_pool *pool, struct ed_job *job)
{
    int rc;

    if (!pool_lock(pool))
        return -EPERM;
    rc = pool_submit(pool, job);
    pool_unlock(pool);
    return rc;
}

/* Takes a job out of the queue; the mutex is held. */
static void pool_unqueue(struct ed_pool *pool, struct ed_job *job, enum ed_job_state state)
{
    ed_list_remove(&pool->jobs, &job->link);
    job->state = state;
    pool->queued--;
}

bool ed_pool_withdraw(struct ed_pool *pool, struct ed_job *job)
{
    bool queued;

    if (!pool_lock(pool))
        return true;
    queued = job->state == ED_JOB_QUEUED;
    if (queued) {
        pool_unqueue(pool, job, ED_JOB_OUT);
        pool_job_left(pool);
    }
    pool_unlock(pool);
    return queued;
}

bool ed_pool_claim(struct ed_pool *pool, struct ed_job *job)
{
    bool wanted;

    if (!pool_lock(pool))
        ed_die(
            "a thread job has returned in a child of fork(2), whose parent waits for it: end the "
            "child by _exit(2)");
    wanted = job->state == ED_JOB_RUNNING;
    if (wanted)
        job->state = ED_JOB_CLAIMED;
    pthread_mutex_unlock(&pool->mutex);
    return wanted;
}

enum ed_job_state ed_pool_abandon(struct ed_pool *pool, struct ed_job *job)
{
    enum ed_job_state state;

    if (!pool_lock(pool))
        return ED_JOB_OUT;
    if (job->state == ED_JOB_QUEUED) {
        pool_unqueue(pool, job, ED_JOB_OUT);
        pool_job_left(pool);
    } else if (job->state == ED_JOB_RUNNING) {
        job->state = ED_JOB_ABANDONED;
        job->thread->abandoned = true;
        pool->busy--;
        pool_job_left(pool);
    }
    state = job->state;
    pool_unlock(pool);
    return state;
}

bool ed_pool_is_abandoned(struct ed_pool *pool, struct ed_job *job)
{
    bool abandoned;

    if (!pool_lock(pool))
        return true;
    abandoned = job->state == ED_JOB_ABANDONED;
    pool_unlock(pool);
    return abandoned;
}

void ed_pool_wait(struct ed_pool *pool, struct ed_job *job)
{
    if (!pool_lock(pool))
        return;
    while (job->thread && job->thread->job == job)
        pthread_cond_wait(&pool->ended, &pool->mutex);
    pool_unlock(pool);
}

void ed_pool_wait_until(struct ed_pool *pool, struct ed_job *job, const struct timespec *end)
{
    int error = 0;

    if (!pool_lock(pool))
        return;
    while (error == 0 && job->thread && job->thread->job == job)
        error = pthread_cond_timedwait(&pool->ended, &pool->mutex, end);
    pool_unlock(pool);
}

/* The end -------------------------------------------------------------------- */

void ed_pool_shut(struct ed_pool *pool, bool immediate)
{
    struct eddy_link_ *link;

    if (!pool_lock(pool))
        return;
    pool->shut = true;
    while (immediate && (link = pool->jobs.first)) {
        struct ed_job *job = ed_container_of(link, struct ed_job, link);

        pool_unqueue(pool, job, ED_JOB_DROPPED);
        job->dropped(job);
    }
    pool_job_left(pool);
    pool_unlock(pool);
}

bool ed_pool_watch(struct ed_pool *pool, struct ed_pool_watch *watch)
{
    bool watching;

    if (!pool_lock(pool))
        return false;
    watching = watch->watching = !pool_at_rest(pool);
    if (watching)
        ed_list_append(&pool->watches, &watch->link);
    pool_unlock(pool);
    return watching;
}

bool ed_pool_unwatch(struct ed_pool *pool, struct ed_pool_watch *watch)
{
    bool watching;

    if (!pool_lock(pool))
        return true;
    watching = watch->watching;
    if (watching)
        ed_list_remove(&pool->watches, &watch->link);
    watch->watching = false;
    pool_unlock(pool);
    return watching;
}

/* Lets the threads end, once nobody waits for what they run; the mutex is held. */
static void pool_end_threads(struct ed_pool *pool)
{
    while (!pool_at_rest(pool))
        pthread_cond_wait(&pool->ended, &pool->mutex);
    pool->ending = true;
    pthread_cond_broadcast(&pool->work);
    for (size_t i = 0; i < pool->count; i++) {
        struct ed_pool_thread *thread = &pool->threads[i];

        thread->detached = thread->job != NULL;
        if (thread->detached)
            pthread_detach(thread->id);
    }
}

void ed_pool_check_free(struct ed_pool *pool)
{
    if (!pool_lock(pool))
        return;
    for (size_t i = 0; i < pool->count; i++)
        if (pthread_equal(pool->threads[i].id, pthread_self()))
            ed_die("the executor %s is freed by one of its own jobs", pool->name);
    pool_unlock(pool);
}

void ed_pool_free(struct ed_pool *pool)
{
    if (!pool)
        return;
    ed_pool_check_free(pool);
    if (!pool_lock(pool)) {
        pool_unref(pool, 1 + (int)pool->count);
        return;
    }
    pool->shut = true;
    pool_end_threads(pool);
    pool_unlock(pool);
    for (size_t i = 0; i < pool->count; i++)
        if (!pool->threads[i].detached)
            pthread_join(pool->threads[i].id, NULL);
    ed_pool_unref(pool);
}
