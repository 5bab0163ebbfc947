/* SPDX-License-Identifier: MIT */
/*
 * Thread jobs. A job lives on the stack of the task that waits for it; the worker
 * touches it until it has posted to the loop, and the task goes on only after
 * that. A cancel takes back a job that waits in the queue; one that runs is
 * waited for, since it uses what its caller's arguments point to.
 *
 * The error text and the local values travel with the job: nothing of the loop's
 * is shared with the worker.
 */
#include "eddy/executor.h"

#include <errno.h>
#include <unistd.h>

#include "base/locals.h"
#include "base/memory.h"
#include "eddy/scope.h"
#include "engine/pool.h"
#include "task/park.h"

struct ed_executor {
    struct ed_pool *pool;
    struct eddy_list_ jobs;   /* not back in the loop */
    struct eddy_list_ drains; /* waits for the last job */
    bool shut;
};

struct thread_job {
    struct eddy_link_ link;
    struct ed_job job;
    struct ed_wait wait;
    eddy_post post;
    eddy_loop *loop;
    const struct eddy_async *function;
    void *args, *result;
    struct ed_locals *locals;
    struct ed_error *error;
    int rc;
};

static void executor_close(eddy_loop *loop)
{
    struct eddy_link_ *link;

    ed_pool_free(loop->executor->pool);
    while ((link = ed_list_pop(&loop->executor->jobs))) {
        struct thread_job *j = ed_container_of(link, struct thread_job, link);

        ed_locals_unref(j->locals);
        ed_free(j->error);
    }
    ed_free(loop->executor);
    loop->executor = NULL;
}

static size_t executor_size(void)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);

    return processors < 1 ? 5 : processors > 28 ? 32 : (size_t)processors + 4;
}

static struct ed_executor *executor_of(eddy_loop *loop)
{
    if (loop->executor)
        return loop->executor;
    loop->executor = ed_alloc_zero(sizeof *loop->executor);
    if (!loop->executor)
        return NULL;
    loop->executor->pool = ed_pool_new(executor_size());
    if (!loop->executor->pool) {
        ed_free(loop->executor);
        loop->executor = NULL;
        return NULL;
    }
    loop->executor_close = executor_close;
    return loop->executor;
}

/* In the worker. */
static void job_run(struct ed_job *job)
{
    struct thread_job *j = ed_container_of(job, struct thread_job, job);

    eddy_thread_.locals = j->locals;
    ed_error_start();
    j->rc = j->function->entry(j->args, j->result);
    j->locals = eddy_thread_.locals;
    eddy_thread_.locals = NULL;
    if (j->rc < 0)
        j->error = ed_error_take(j->rc);
    (void)eddy_loop_post(j->loop, &j->post); /* open: it waits for its jobs */
}

static void job_end(struct thread_job *j)
{
    eddy_loop *loop = j->loop;
    struct eddy_link_ *link;

    ed_list_remove(&loop->executor->jobs, &j->link);
    ed_locals_unref(j->locals);
    j->locals = NULL;
    if (--loop->jobs > 0)
        return;
    while ((link = ed_list_pop(&loop->executor->drains)))
        ed_wake(ed_container_of(link, struct ed_wait, link), 0);
}

/* Back in the loop. */
static int job_done(void *argument)
{
    struct thread_job *j = argument;

    job_end(j);
    ed_wake(&j->wait, j->rc);
    return 0;
}

static bool job_abort(struct ed_wait *wait)
{
    struct thread_job *j = ed_container_of(wait, struct thread_job, wait);

    if (!ed_pool_withdraw(j->loop->executor->pool, &j->job))
        return false;
    job_end(j);
    return true;
}

static const struct ed_wait_kind job_kind = {"to_thread", job_abort, NULL};

/* Runs a function in a thread and waits for it: eddy_call.run. */
static int executor_run(const struct eddy_async *function, void *args, void *result)
{
    int rc = ed_checkpoint();
    eddy_loop *loop = eddy_thread_.loop;
    struct ed_executor *executor = rc == 0 ? executor_of(loop) : NULL;
    struct thread_job j = {.job.run = job_run,
                           .wait = ED_WAIT(&job_kind, NULL, NULL),
                           .post = EDDY_POST_INIT(job_done, &j),
                           .loop = loop,
                           .function = function,
                           .args = args,
                           .result = result};

    if (rc < 0)
        return rc;
    if (!executor)
        return ed_raise(-ENOMEM, "no memory for the default executor");
    if (executor->shut)
        return ed_raise(-ESHUTDOWN, "the default executor is shut down");
    rc = ed_locals_copy(&j.locals, j.wait.task->locals);
    if (rc == 0)
        rc = ed_pool_submit(executor->pool, &j.job);
    if (rc < 0) {
        ed_locals_unref(j.locals);
        return ed_raise(rc, "%s() cannot be run in a thread: %s", function->name,
                        eddy_strerror(rc));
    }
    loop->jobs++;
    ed_list_append(&executor->jobs, &j.link);
    rc = ed_park(&j.wait);
    if (rc < 0 && j.rc == rc)
        ed_error_give(j.error, rc);
    return rc;
}

eddy_call eddy_thread_call_(eddy_call call)
{
    call.run = executor_run;
    return call;
}

int eddy_to_thread_call(eddy_call call)
{
    call.run = executor_run;
    return ed_call_here(&call);
}

int eddy_shutdown_default_executor(double timeout)
{
    static const struct ed_wait_kind kind = {"executor.shutdown", NULL, NULL};
    eddy_loop *loop = eddy_thread_.loop;
    int rc = ed_checkpoint();

    if (rc < 0)
        return rc;
    if (!executor_of(loop))
        return ed_raise(-ENOMEM, "no memory for the default executor");
    loop->executor->shut = true;
    if (loop->jobs == 0)
        return 0;

    EDDY_TIMEOUT(limit, timeout);
    struct ed_wait wait = ED_WAIT(&kind, NULL, &loop->executor->drains);
    return ed_park(&wait);
}
