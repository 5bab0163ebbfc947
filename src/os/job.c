/* SPDX-License-Identifier: MIT */
/*
 * Thread jobs. A worker runs the function and posts the job to the loop, which wakes
 * the task. The error text and the local values travel with the job: nothing of the
 * loop's is shared with the worker.
 *
 * In the usual form the job lives on the stack of the task that waits for it. A cancel
 * takes back a job that waits in the queue; one that runs is waited for, since it uses
 * what its caller's arguments point to, and asked to end early if it can be.
 *
 * The abandonable form has all it needs in one block on the heap. It is the loop's
 * until a cancel abandons it, and the worker's from then on. Which of the two, the
 * pool's mutex decides, when the worker claims the job to post it: until then the
 * worker knows nothing of the loop, and a loop that has claimed jobs waits for their
 * posts before it closes.
 */
#include "os/job.h"

#include <errno.h>
#include <string.h>

#include "base/die.h"
#include "base/error.h"
#include "base/locals.h"
#include "base/memory.h"
#include "os/executor.h"
#include "task/park.h"

struct job_wait;

static __thread struct thread_job *job_here; /* that runs, by value, in this thread */

struct thread_job {
    /* set when it is made */
    struct ed_job job;
    struct ed_pool *pool;
    eddy_loop *loop;
    eddy_entry *entry;
    void (*destroy)(void *result);
    void (*drop)(void *args);      /* until it begins, or NULL */
    void (*interrupt)(void *args); /* asks the function to end early, or NULL */
    void *args, *result;
    size_t result_size;
    bool by_value;

    /* the loop's */
    struct eddy_link_ link; /* in its jobs, until it is back */
    struct job_wait *wait;

    /* the worker's, then the loop's again */
    eddy_post post;
    struct ed_locals *locals;
    struct ed_error *error;
    int rc;
    bool back; /* in the loop, and its task is about to take what it brings */

    alignas(16) unsigned char room[]; /* by value: the arguments, then the result */
};

/* On the stack of the task, in both forms. */
struct job_wait {
    struct ed_wait wait;
    struct thread_job *job; /* NULL: the wait was cut short, and the job is gone */
    void *out;
};

static void job_release(struct thread_job *j)
{
    ed_locals_unref(j->locals);
    ed_free(j->error);
    ed_pool_unref(j->pool);
    if (j->drop)
        j->drop(j->args);
    if (j->by_value)
        ed_free(j);
}

/* Frees a job that has ended, with the result that nobody takes. */
static void job_discard(void *argument)
{
    struct thread_job *j = argument;

    if (j->rc >= 0 && j->destroy)
        j->destroy(j->result);
    job_release(j);
}

/* In the worker. */
static void job_run(struct ed_job *job)
{
    struct thread_job *j = ed_container_of(job, struct thread_job, job);

    eddy_thread_.locals = j->locals;
    ed_error_start();
    j->drop = NULL; /* from here on the arguments are the function's */
    job_here = j->by_value ? j : NULL;
    j->rc = j->entry(j->args, j->result);
    job_here = NULL;
    j->locals = eddy_thread_.locals;
    eddy_thread_.locals = NULL;
    if (j->rc < 0)
        j->error = ed_error_take(j->rc);
    if (j->by_value && !ed_pool_claim(j->pool, job))
        job_discard(j);
    else if (eddy_loop_post(j->loop, &j->post) < 0) /* it waits for its jobs, but not everywhere: */
        ed_die("a thread job has returned in a child of fork(2), where its loop is closed: end the "
               "child by _exit(2)");
}

bool ed_job_is_abandoned(void)
{
    return job_here && ed_pool_is_abandoned(job_here->pool, &job_here->job);
}

/* In a shutdown; the loop is open, since the job was queued. */
static void job_dropped(struct ed_job *job)
{
    struct thread_job *j = ed_container_of(job, struct thread_job, job);

    j->rc = -ESHUTDOWN;
    (void)eddy_loop_post(j->loop, &j->post);
}

static void job_leave_loop(struct thread_job *j)
{
    ed_list_remove(&j->loop->executors->jobs, &j->link);
    j->loop->jobs--;
}

static void job_give_result(struct thread_job *j, void *out)
{
    if (out)
        memcpy(out, j->result, j->result_size);
    else if (j->destroy)
        j->destroy(j->result);
}

/* Back in the loop. The job stays in the loop's list until its task goes on: if the
 * loop is closed before that, the result is still known. */
static int job_back(void *argument)
{
    struct thread_job *j = argument;

    j->back = true;
    j->loop->jobs--;
    ed_wake_with_text(&j->wait->wait, j->rc);
    return 0;
}

/* In the task that waited: takes what the job has brought, and frees it. */
static int job_take(struct job_wait *w, const char *name)
{
    struct thread_job *j = w->job;
    int rc = j->rc;

    ed_list_remove(&j->loop->executors->jobs, &j->link);
    if (j->job.state == ED_JOB_DROPPED) {
        (void)ed_raise(rc, "the executor %s was shut down before %s() began", ed_pool_name(j->pool),
                       name);
    } else if (rc < 0) {
        ed_error_give(w->wait.task, j->error, rc);
        j->error = NULL;
    } else if (j->by_value) {
        job_give_result(j, w->out);
    }
    job_release(j);
    return rc;
}

static bool job_abort(struct ed_wait *wait)
{
    struct job_wait *w = ed_container_of(wait, struct job_wait, wait);
    struct thread_job *j = w->job;

    if (!ed_pool_withdraw(j->pool, &j->job)) {
        if (j->interrupt)
            j->interrupt(j->args);
        return false;
    }
    w->job = NULL;
    job_leave_loop(j);
    job_release(j);
    return true;
}

/* It leaves the loop first: once it is abandoned it may be freed at any time. */
static bool job_abort_by_value(struct ed_wait *wait)
{
    struct job_wait *w = ed_container_of(wait, struct job_wait, wait);
    struct thread_job *j = w->job;
    eddy_loop *loop = j->loop;

    w->job = NULL;
    job_leave_loop(j);
    switch (ed_pool_abandon(j->pool, &j->job)) {
    case ED_JOB_OUT: job_release(j); return true;
    case ED_JOB_ABANDONED: return true;
    default:
        w->job = j;
        ed_list_append(&loop->executors->jobs, &j->link);
        loop->jobs++;
        return false;
    }
}

static const struct ed_wait_kind job_kind = {"to_thread", job_abort, NULL};
static const struct ed_wait_kind job_kind_by_value = {"to_thread_abandonable", job_abort_by_value,
                                                      NULL};

ED_COLD static int job_refused(const struct ed_pool *pool, const char *name, int rc)
{
    const char *pool_name = ed_pool_name(pool);

    switch (rc) {
    case -ENOBUFS:
        return ed_raise(-EAGAIN, "the executor %s is full: its queue limit is %zu", pool_name,
                        ed_pool_queue_limit(pool));
    case -ESHUTDOWN: return ed_raise(rc, "the executor %s is shut down", pool_name);
    case -EPERM:
        return ed_raise(rc, "the executor %s has no threads in a child of fork()", pool_name);
    default: return ed_raise(rc, "%s() cannot be run in a thread: %s", name, ed_error_of_start(rc));
    }
}

/* Submits the job and waits for it. */
static int job_wait(struct thread_job *j, const char *name, void *out)
{
    struct job_wait w = {.wait = ED_WAIT(j->by_value ? &job_kind_by_value : &job_kind, NULL, NULL),
                         .job = j,
                         .out = out};
    int rc = ed_locals_copy(&j->locals, w.wait.task->locals);

    j->wait = &w;
    j->loop->jobs++;
    ed_list_append(&j->loop->executors->jobs, &j->link);
    if (rc == 0)
        rc = ed_pool_submit(j->pool, &j->job);
    if (rc < 0) {
        rc = job_refused(j->pool, name, rc);
        job_leave_loop(j);
        job_release(j);
        return rc;
    }
    rc = ed_park(&w.wait);
    return w.job ? job_take(&w, name) : rc;
}

int ed_job_run(struct ed_pool *pool, const struct eddy_async *function, void *args, void *result)
{
    return ed_job_run_interruptible(pool, function, args, result, NULL);
}

int ed_job_run_interruptible(struct ed_pool *pool, const struct eddy_async *function, void *args,
                             void *result, void (*interrupt)(void *args))
{
    struct thread_job j = {.job = {.run = job_run, .dropped = job_dropped},
                           .pool = ed_pool_ref(pool),
                           .loop = eddy_thread_.loop,
                           .entry = function->entry,
                           .destroy = function->destroy,
                           .interrupt = interrupt,
                           .args = args,
                           .result = result,
                           .post = EDDY_POST_INIT(job_back, &j)};

    return job_wait(&j, function->name, NULL);
}

int ed_job_run_abandonable(struct ed_pool *pool, const eddy_abandonable *job,
                           const struct ed_job_care *care, void *out)
{
    size_t args_room = (job->args_size + 15) & ~(size_t)15;
    struct thread_job *j = NULL;

    if (args_room >= job->args_size && job->result_size <= SIZE_MAX / 4 &&
        args_room <= SIZE_MAX / 4)
        j = ed_alloc(sizeof *j + args_room + job->result_size);
    if (!j)
        return ed_raise(-ENOMEM, "no memory for the arguments and result of %s()", job->name);
    *j = (struct thread_job){.job = {.run = job_run, .dropped = job_dropped},
                             .pool = ed_pool_ref(pool),
                             .loop = eddy_thread_.loop,
                             .entry = job->entry,
                             .destroy = job->destroy,
                             .args = j->room,
                             .result = job->result_size ? j->room + args_room : NULL,
                             .result_size = job->result_size,
                             .by_value = true,
                             .drop = care ? care->drop : NULL,
                             .post = EDDY_POST_INIT(job_back, j)};
    j->post.dropped = job_discard;
    if (care)
        care->fill(j->room, job->args);
    else if (job->args_size)
        memcpy(j->room, job->args, job->args_size);
    return job_wait(j, job->name, out);
}

void ed_jobs_close(struct eddy_list_ *jobs)
{
    struct eddy_link_ *link;

    while ((link = ed_list_pop(jobs))) {
        struct thread_job *j = ed_container_of(link, struct thread_job, link);

        ed_pool_wait(j->pool, &j->job);
        if (j->back || !j->by_value) /* else the loop's inbox, which has it, drops it */
            job_discard(j);
    }
}
