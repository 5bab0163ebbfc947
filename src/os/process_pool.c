/* SPDX-License-Identifier: MIT */
/*
 * Pools of worker processes: who waits, for which job, and which worker gets the next.
 *
 * A job is a block of its own, with all that its worker reads; so whoever waits for it may leave.
 * It is in the queue, where a cancel takes it back; or a worker's, where a cancel only forgets who
 * waited; or among the ended ones until its task takes what it has brought. A worker that rests and
 * a job that waits are never there at the same time.
 *
 * What is in flight with workers is in process_channel.c.
 */
#include "os/process_pool.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "base/die.h"
#include "base/error.h"
#include "base/memory.h"

#define JOB_AGAIN 3 /* workers that may end over a job before it begins */
#define PROCESS_WORKERS_MAX 1024
#define PROCESS_LIMIT (UINT64_C(64) << 20)

/* Jobs -------------------------------------------------------------------------- */

static void job_free(struct ed_process_job *job)
{
    ed_free(job->error);
    eddy_bytes_free(&job->output);
    ed_free(job);
}

/* Nobody waits for anything any more, or for any worker: tells those who wait for that. */
static void pool_tell_joins(eddy_process_pool *pool)
{
    struct eddy_link_ *link;

    if (pool->awaited > 0)
        return;
    while ((link = ed_list_pop(&pool->joins)))
        ed_wake(ed_container_of(link, struct ed_wait, link), 0);
}

/* The task that waited goes on, or leaves. */
static void job_is_left(eddy_process_pool *pool, struct ed_process_job *job)
{
    job->wait = NULL;
    pool->awaited--;
    pool->loop->jobs--;
    pool_tell_joins(pool);
}

void ed_process_job_end(eddy_process_pool *pool, struct ed_process_job *job)
{
    struct ed_process_wait *wait = job->wait;

    job->worker = NULL;
    job->ended = true;
    if (!wait) {
        job_free(job);
        return;
    }
    ed_list_append(&pool->ended, &job->link);
    job_is_left(pool, job);
    if (wait->parked && !pool->loop->closed)
        ed_wake_with_text(&wait->wait, job->rc);
}

void ed_process_job_fail(eddy_process_pool *pool, struct ed_process_job *job, int rc,
                         const char *format, ...)
{
    va_list arguments;

    ed_free(job->error);
    job->rc = rc;
    job->error = job->wait ? ed_alloc(sizeof *job->error) : NULL;
    if (job->error) {
        job->error->code = rc;
        job->error->where = NULL;
        va_start(arguments, format);
        vsnprintf(job->error->text, sizeof job->error->text, format, arguments);
        va_end(arguments);
    }
    ed_process_job_end(pool, job);
}

bool ed_process_job_again(eddy_process_pool *pool, struct ed_process_job *job)
{
    if (!job->wait || pool->dropping || pool->loop->closed || job->again++ >= JOB_AGAIN)
        return false;
    job->worker = NULL;
    ed_list_prepend(&pool->queue, &job->link);
    pool->queued++;
    return true;
}

static struct ed_process_job *pool_take_queued(eddy_process_pool *pool)
{
    pool->queued--;
    return ed_container_of(ed_list_pop(&pool->queue), struct ed_process_job, link);
}

static void pool_drop_queued(eddy_process_pool *pool)
{
    pool->dropping = true;
    while (pool->queued > 0) {
        struct ed_process_job *job = pool_take_queued(pool);

        ed_process_job_fail(pool, job, -ESHUTDOWN, "the %s was shut down before %s() began",
                            pool->name, job->name);
    }
}

/* Gives jobs to workers that rest, and starts more, as long as there are jobs. A job whose worker
 * cannot be started waits for another one, if there is any. */
static void pool_dispatch(eddy_process_pool *pool)
{
    while (pool->queued > 0) {
        int rc = 0;

        if (ed_list_empty(&pool->resting) && pool->live < pool->workers_max)
            rc = ed_worker_start(pool);
        if (rc < 0 && pool->live == 0) {
            struct ed_process_job *job = pool_take_queued(pool);

            ed_process_job_fail(pool, job, rc, "no worker could be started for %s(): %s", job->name,
                                ed_error_of_start(rc));
        } else if (ed_list_empty(&pool->resting)) {
            return;
        } else {
            struct eddy_link_ *link = pool->resting.first;
            struct ed_worker *worker = ed_container_of(link, struct ed_worker, link);

            if (ed_worker_is_there(worker))
                ed_worker_give(worker, pool_take_queued(pool));
        }
    }
}

static void pool_free(eddy_process_pool *pool)
{
    struct eddy_link_ *link;

    while ((link = ed_list_pop(&pool->queue)))
        job_free(ed_container_of(link, struct ed_process_job, link));
    while ((link = ed_list_pop(&pool->ended)))
        job_free(ed_container_of(link, struct ed_process_job, link));
    ed_free(pool);
}

/* Its owner has left it: frees it behind the last worker, and the last who takes a result. */
static void pool_free_if_left(eddy_process_pool *pool)
{
    if (!pool->left || pool->workers > 0 || !ed_list_empty(&pool->ended))
        return;
    ed_loop_remove_resource(pool->loop, &pool->resource);
    pool_free(pool);
}

void ed_process_pool_go_on(eddy_process_pool *pool)
{
    if (pool->loop->closed)
        return;
    pool_dispatch(pool);
    pool_tell_joins(pool);
    pool_free_if_left(pool);
}

/* Waiting for a job -------------------------------------------------------------- */

static bool process_abort(struct ed_wait *wait)
{
    struct ed_process_wait *w = ed_container_of(wait, struct ed_process_wait, wait);
    struct ed_process_job *job = w->job;
    eddy_process_pool *pool = (eddy_process_pool *)(uintptr_t)wait->object;

    w->job = NULL;
    if (!job->worker) {
        ed_list_remove(&pool->queue, &job->link);
        pool->queued--;
        job_is_left(pool, job);
        job_free(job);
    } else {
        job_is_left(pool, job); /* it goes on by itself */
    }
    return true;
}

/* 0, or why the pool takes no job of this task now. */
static int pool_check(const eddy_process_pool *pool, const char *name)
{
    if (!pool)
        return ed_fail(-ENOMEM);
    if (!pool->loop)
        return ed_raise(pool->error, "the process pool could not be made: %s",
                        eddy_strerror(pool->error));
    if (pool->loop != eddy_thread_.loop)
        return ed_raise(-EPERM, "the %s belongs to another loop", pool->name);
    if (pool->shut)
        return ed_raise(-ESHUTDOWN, "the %s is shut down", pool->name);
    if (pool->queue_limit && pool->queued >= pool->queue_limit)
        return ed_raise(-EAGAIN, "the %s is full: %s() would be one of more than %zu that wait",
                        pool->name, name, pool->queue_limit);
    return 0;
}

/* A job for a function, with a copy of its input. NULL: *rc, raised. */
static struct ed_process_job *job_new(const eddy_process_pool *pool, uintptr_t code,
                                      const char *name, const void *input, size_t size, int *rc)
{
    struct ed_place_in_module place = {.path = NULL};
    struct ed_process_job *job = NULL;

    if (size > pool->limit)
        *rc = ed_raise(EDDY_ELIMIT, "an input of %zu bytes for %s() is over the limit of %zu", size,
                       name, pool->limit);
    else if (!ed_module_name((const void *)code, &place) || strlen(place.path) >= ED_WORKER_PATH)
        *rc = ed_raise(-EINVAL, "%s() is in no module that a worker could find", name);
    else if (!(job = ed_alloc(sizeof *job + size)))
        *rc = ed_raise(-ENOMEM, "no memory for the input of %s()", name);
    if (!job)
        return NULL;
    *job = (struct ed_process_job){.name = name,
                                   .path = place.path,
                                   .request = {.identity = place.identity,
                                               .offset = place.offset,
                                               .path_size = (uint32_t)strlen(place.path) + 1,
                                               .input_size = size,
                                               .limit = pool->limit}};
    if (size)
        memcpy(job->input, input, size);
    return job;
}

/* Sends a job and waits for it. With a success, `output` has what it has brought. */
static int process_wait(eddy_process_pool *pool, struct ed_process_job *job, eddy_bytes *output)
{
    static const struct ed_wait_kind kind = {"to_process", process_abort, NULL};
    struct ed_process_wait w = {.wait = ED_WAIT(&kind, pool, NULL), .job = job};
    int rc;

    job->wait = &w;
    ed_list_append(&pool->queue, &job->link);
    pool->queued++;
    pool->awaited++;
    pool->loop->jobs++;
    pool_dispatch(pool);
    if (!job->ended) {
        w.parked = true;
        rc = ed_park(&w.wait);
        if (!w.job)
            return rc;
    }
    rc = job->rc;
    ed_list_remove(&pool->ended, &job->link);
    if (rc < 0) {
        ed_error_give(w.wait.task, job->error, rc);
        job->error = NULL;
    } else if (output) {
        *output = job->output;
        job->output = (eddy_bytes){NULL, 0, 0};
    }
    job_free(job);
    pool_free_if_left(pool);
    return rc;
}

static int run_in_process(const struct eddy_way_ *way, const struct eddy_async *function,
                          void *args, void *result)
{
    eddy_process_pool *pool =
        ed_container_of((struct eddy_way_ *)(uintptr_t)way, struct eddy_process_pool, way);
    struct ed_process_job *job;
    EDDY_BYTES output = {NULL, 0, 0};
    int rc = ed_checkpoint();

    if (rc == 0)
        rc = pool_check(pool, function->name);
    if (rc < 0)
        return rc;
    if (function->destroy)
        return ed_raise(-EINVAL, "the result of %s() owns memory, which would stay in the worker",
                        function->name);
    job = job_new(pool, (uintptr_t)function->entry, function->name, args, function->args_size, &rc);
    if (!job)
        return rc;
    job->request.output_size = function->result_size;
    rc = process_wait(pool, job, &output);
    if (rc >= 0 && result && function->result_size)
        memcpy(result, output.data, function->result_size);
    return rc;
}

static int run_nowhere(const struct eddy_way_ *way, const struct eddy_async *function, void *args,
                       void *result)
{
    int rc = ed_checkpoint();

    (void)way, (void)function, (void)args, (void)result;
    return rc < 0 ? rc : ed_fail(-ENOMEM);
}

eddy_call eddy_process_call_(eddy_process_pool *pool, eddy_call call, size_t checked)
{
    static const struct eddy_way_ nowhere = {run_nowhere};

    (void)checked;
    call.way = pool ? &pool->way : &nowhere;
    return call;
}

int eddy_process_await_(eddy_call call)
{
    return ed_call_here(&call);
}

int eddy_process_bytes(eddy_process_pool *pool, eddy_bytes_function *function, const char *name,
                       const void *input, size_t size, eddy_bytes *output)
{
    struct ed_process_job *job;
    eddy_bytes brought = {NULL, 0, 0};
    int rc = ed_checkpoint();

    if (rc == 0)
        rc = pool_check(pool, name);
    if (rc < 0)
        return rc;
    job = job_new(pool, (uintptr_t)function, name, input, size, &rc);
    if (!job)
        return rc;
    job->request.on_bytes = true;
    rc = process_wait(pool, job, &brought);
    if (rc < 0)
        return rc;
    if (output) {
        eddy_bytes_free(output);
        *output = brought;
    } else {
        eddy_bytes_free(&brought);
    }
    return rc;
}

/* A pool's life -------------------------------------------------------------------- */

static void pool_describe(struct ed_resource *resource, char *text, size_t size)
{
    eddy_process_pool *pool = ed_container_of(resource, eddy_process_pool, resource);

    snprintf(text, size, "a process pool (%s)", pool->name);
}

static void pool_signal_workers(eddy_process_pool *pool, int number)
{
    struct eddy_link_ *next;

    ED_LIST_FOR_EACH(link, &pool->working)
        ed_worker_signal(ed_container_of(link, struct ed_worker, link), number);
    for (struct eddy_link_ *link = pool->resting.first; link; link = next) {
        next = link->next;
        ed_worker_signal(ed_container_of(link, struct ed_worker, link), number);
    }
}

/* The loop closes over it. Nobody waits any more, or ever runs; the workers end while the engine
 * completes what is in flight. */
static void pool_left(struct ed_resource *resource, bool end)
{
    eddy_process_pool *pool = ed_container_of(resource, eddy_process_pool, resource);

    if (end)
        pool_free(pool);
    else
        pool_signal_workers(pool, SIGKILL);
}

static size_t pool_workers(size_t wanted)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);

    return wanted ? wanted : processors < 1 ? 1 : (size_t)processors;
}

int eddy_process_pool_new(const eddy_process_pool_options *options, eddy_process_pool **out)
{
    static const eddy_process_pool_options defaults;
    const eddy_process_pool_options *o = options ? options : &defaults;
    eddy_process_pool *pool;

    if (!eddy_thread_.loop)
        return ed_raise(-EPERM, "a process pool is made for a loop that runs");
    if (getauxval(AT_SECURE)) /* the variable that makes a worker is not read there */
        return ed_raise(-EPERM, "a program with raised privileges has no worker processes");
    if (o->workers > PROCESS_WORKERS_MAX)
        return ed_raise(-EINVAL, "a process pool of %zu workers is too large: at most %d",
                        o->workers, PROCESS_WORKERS_MAX);
    pool = ed_alloc_zero(sizeof *pool);
    if (!pool)
        return ed_fail(-ENOMEM);
    pool->way.run = run_in_process;
    pool->loop = eddy_thread_.loop;
    snprintf(pool->name, sizeof pool->name, "%s", o->name ? o->name : "process pool");
    pool->workers_max = pool_workers(o->workers);
    pool->queue_limit = o->queue_limit;
    pool->jobs_per_worker = o->jobs_per_worker;
    pool->limit = o->limit ? o->limit : PROCESS_LIMIT;
    pool->resource.describe = pool_describe;
    pool->resource.close = pool_left;
    ed_loop_enter_resource(pool->loop, &pool->resource);
    *out = pool;
    return 0;
}

eddy_process_pool *eddy_process_pool_begin_(const eddy_process_pool_options *options)
{
    static eddy_process_pool failed[] = {{.way = {run_in_process}, .error = -ENOMEM},
                                         {.way = {run_in_process}, .error = -EINVAL},
                                         {.way = {run_in_process}, .error = -EPERM}};
    eddy_process_pool *pool = NULL;
    int rc = eddy_process_pool_new(options, &pool);

    return rc == 0 ? pool : &failed[rc == -EINVAL ? 1 : rc == -EPERM ? 2 : 0];
}

/* Whether there is a pool to do something to, on its own thread. */
static bool pool_is_open(const eddy_process_pool *pool, const char *what)
{
    if (!pool || !pool->loop || pool->loop->closed) /* as it is in a child of fork(2) */
        return false;
    ed_loop_check_thread(pool->loop, what);
    return true;
}

void eddy_process_pool_shutdown(eddy_process_pool *pool, bool immediate)
{
    if (!pool_is_open(pool, "eddy_process_pool_shutdown"))
        return;
    pool->shut = true;
    if (immediate)
        pool_drop_queued(pool);
}

void eddy_process_pool_terminate_workers(eddy_process_pool *pool)
{
    eddy_process_pool_shutdown(pool, true);
    if (pool_is_open(pool, "eddy_process_pool_terminate_workers"))
        pool_signal_workers(pool, SIGTERM);
}

void eddy_process_pool_kill_workers(eddy_process_pool *pool)
{
    eddy_process_pool_shutdown(pool, true);
    if (pool_is_open(pool, "eddy_process_pool_kill_workers"))
        pool_signal_workers(pool, SIGKILL);
}

static int pool_join(eddy_process_pool *pool, bool shielded)
{
    static const struct ed_wait_kind kind = {"process_pool.join", NULL, NULL};
    struct ed_wait wait = ED_WAIT(&kind, pool, &pool->joins);

    wait.shielded = shielded;
    return ed_park(&wait);
}

int eddy_process_pool_join(eddy_process_pool *pool)
{
    int rc = ed_checkpoint();

    if (rc < 0)
        return rc;
    if (!pool || !pool->loop)
        return ed_fail(pool ? pool->error : -ENOMEM);
    if (pool->loop != eddy_thread_.loop)
        return ed_raise(-EPERM, "the %s belongs to another loop", pool->name);
    return pool->awaited > 0 ? pool_join(pool, false) : 0;
}

void eddy_process_pool_end_scope_(eddy_process_pool *const *place)
{
    eddy_process_pool *pool = *place;

    if (!pool_is_open(pool, "the end of a process pool"))
        return;
    pool->shut = true;
    if (eddy_thread_.task)
        while (pool->awaited > 0)
            (void)pool_join(pool, true); /* shielded: always 0 */
    else
        pool_drop_queued(pool);
    pool_signal_workers(pool, SIGKILL);
    pool->loop->jobs++; /* processes are about to end */
    while (eddy_thread_.task && pool->workers > 0)
        (void)pool_join(pool, true);
    pool->loop->jobs--;
    pool->resource.describe = NULL;
    pool->left = true;
    pool_free_if_left(pool);
}

void eddy_process_pool_free(eddy_process_pool **place)
{
    eddy_process_pool *pool = *place;

    *place = NULL;
    eddy_process_pool_end_scope_(&pool);
}
