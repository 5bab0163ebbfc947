/* SPDX-License-Identifier: MIT */
/*
 * Executors: pools of threads, and the ways of calls into them. What runs there is in
 * job.c.
 *
 * An executor is the owner of a pool; a loop owns three more. A call that is to run in
 * an executor points to the way that is part of it, so that a call needs no more room.
 * The default pool is the loop's that runs the call: its ways are constant.
 *
 * Joining is a watch on the pool. It fires once, under the pool's mutex, and posts to
 * the loop of the task that waits: whoever finds that it has fired knows that the post
 * is made.
 */
#include "os/executor.h"

#include <errno.h>
#include <unistd.h>

#include "base/memory.h"
#include "eddy/scope.h"
#include "os/file_call.h"
#include "os/job.h"
#include "task/park.h"

#define EXECUTOR_THREADS_MAX 4096

struct eddy_executor {
    struct eddy_way_ waited, abandonable;
    struct ed_pool *pool; /* NULL: it could not be made, see `error` */
    int error;
};

/* The pools of a loop --------------------------------------------------------- */

static void executors_close(eddy_loop *loop)
{
    struct ed_executors *executors = loop->executors;

    ed_jobs_close(&executors->jobs);
    ed_file_calls_close(&executors->calls);
    for (int i = 0; i < ED_POOL_KINDS; i++)
        ed_pool_free(executors->pools[i]);
    ed_free(executors);
    loop->executors = NULL;
}

static struct ed_executors *executors_of(eddy_loop *loop)
{
    if (!loop->executors) {
        loop->executors = ed_alloc_zero(sizeof *loop->executors);
        loop->executors_close = executors_close;
    }
    return loop->executors;
}

static size_t executor_size(void)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);

    return processors < 1 ? 5 : processors > 28 ? 32 : (size_t)processors + 4;
}

/* Makes one of a loop's pools; NULL: no memory. */
static struct ed_pool *executor_open(struct ed_executors *executors, enum ed_pool_kind which)
{
    static const char *const names[] = {"eddy-default", "eddy-files", "eddy-names"};
    struct ed_pool_options options = {.name = names[which],
                                      .threads = which == ED_POOL_NAMES ? 16 : executor_size()};

    return executors->pools[which] = ed_pool_new(&options);
}

struct ed_pool *ed_executor_pool(enum ed_pool_kind which)
{
    struct ed_executors *executors = executors_of(eddy_thread_.loop);
    struct ed_pool *pool = executors ? executors->pools[which] : NULL;

    if (executors && !pool)
        pool = executor_open(executors, which);
    if (!pool)
        ed_raise(-ENOMEM, "no memory for the threads of the loop");
    return pool;
}

int ed_executor_run_interruptible(enum ed_pool_kind which, const struct eddy_async *function,
                                  void *args, void *result, void (*interrupt)(void *args))
{
    int rc = ed_checkpoint();
    struct ed_pool *pool = rc == 0 ? ed_executor_pool(which) : NULL;

    if (!pool)
        return rc < 0 ? rc : -ENOMEM;
    return ed_job_run_interruptible(pool, function, args, result, interrupt);
}

int ed_executor_run(enum ed_pool_kind which, const struct eddy_async *function, void *args,
                    void *result)
{
    return ed_executor_run_interruptible(which, function, args, result, NULL);
}

int ed_executor_run_caring(enum ed_pool_kind which, const eddy_abandonable *job,
                           const struct ed_job_care *care, void *out)
{
    int rc = ed_checkpoint();
    struct ed_pool *pool = rc == 0 ? ed_executor_pool(which) : NULL;

    if (!pool)
        return rc < 0 ? rc : -ENOMEM;
    return ed_job_run_abandonable(pool, job, care, out);
}

int ed_executor_run_abandonable(enum ed_pool_kind which, const eddy_abandonable *job, void *out)
{
    return ed_executor_run_caring(which, job, NULL, out);
}

/* Calls into an executor ------------------------------------------------------ */

/* After a checkpoint: 0, or why there is no pool to run a job of this task. */
static int executor_check(const eddy_executor *executor)
{
    if (!executor->pool)
        return ed_raise(executor->error, "the executor could not be made: %s",
                        eddy_strerror(executor->error));
    return executors_of(eddy_thread_.loop) ? 0 : ed_raise(-ENOMEM, "no memory for thread jobs");
}

static int
run_waited(const struct eddy_way_ *way, const struct eddy_async *function, void *args, void *result)
{
    const eddy_executor *executor = ed_container_of(way, const struct eddy_executor, waited);
    int rc = ed_checkpoint();

    if (rc == 0)
        rc = executor_check(executor);
    return rc < 0 ? rc : ed_job_run(executor->pool, function, args, result);
}

static int run_waited_by_default(const struct eddy_way_ *way, const struct eddy_async *function,
                                 void *args, void *result)
{
    (void)way;
    return ed_executor_run(ED_POOL_USER, function, args, result);
}

static int run_abandonable(const eddy_executor *executor, const eddy_abandonable *job, void *out)
{
    int rc;

    if (!executor)
        return ed_executor_run_abandonable(ED_POOL_USER, job, out);
    rc = ed_checkpoint();
    if (rc == 0)
        rc = executor_check(executor);
    return rc < 0 ? rc : ed_job_run_abandonable(executor->pool, job, NULL, out);
}

static eddy_abandonable abandonable_of(const struct eddy_async *function, const void *args)
{
    return (eddy_abandonable){.entry = function->entry,
                              .name = function->name,
                              .args = args,
                              .args_size = function->args_size,
                              .result_size = function->result_size,
                              .destroy = function->destroy};
}

static int run_abandonable_call(const struct eddy_way_ *way, const struct eddy_async *function,
                                void *args, void *result)
{
    eddy_abandonable job = abandonable_of(function, args);
    const eddy_executor *executor = ed_container_of(way, const struct eddy_executor, abandonable);

    return run_abandonable(executor, &job, job.result_size ? result : NULL);
}

static int run_abandonable_by_default(const struct eddy_way_ *way,
                                      const struct eddy_async *function, void *args, void *result)
{
    eddy_abandonable job = abandonable_of(function, args);

    (void)way;
    return run_abandonable(NULL, &job, job.result_size ? result : NULL);
}

eddy_call eddy_executor_call_(eddy_executor *executor, eddy_call call)
{
    static const struct eddy_way_ by_default = {run_waited_by_default};

    call.way = executor ? &executor->waited : &by_default;
    return call;
}

eddy_call eddy_abandonable_call_(eddy_executor *executor, eddy_call call, size_t checked)
{
    static const struct eddy_way_ by_default = {run_abandonable_by_default};

    (void)checked;
    call.way = executor ? &executor->abandonable : &by_default;
    return call;
}

int eddy_to_executor_call(eddy_executor *executor, eddy_call call)
{
    call = eddy_executor_call_(executor, call);
    return ed_call_here(&call);
}

int eddy_to_thread_call(eddy_call call)
{
    return eddy_to_executor_call(NULL, call);
}

int eddy_abandonable_await_(eddy_call call)
{
    return ed_call_here(&call);
}

int eddy_run_abandonable(eddy_executor *executor, const eddy_abandonable *job, void *out)
{
    eddy_abandonable named = *job;

    if (!named.name)
        named.name = "job";
    return run_abandonable(executor, &named, out);
}

/* Joining ---------------------------------------------------------------------- */

struct executor_join {
    struct ed_wait wait;
    struct ed_pool_watch watch;
    eddy_post post;
    eddy_loop *loop;
    struct ed_pool *pool; /* a reference: the executor may be freed first */
};

/* No job is left; in any thread. */
static void join_idle(struct ed_pool_watch *watch)
{
    struct executor_join *join = ed_container_of(watch, struct executor_join, watch);

    (void)eddy_loop_post(join->loop, &join->post); /* open: it ends the watch before it closes */
}

static void join_dropped(void *argument)
{
    ed_pool_unref(((struct executor_join *)argument)->pool);
}

static void join_end(struct executor_join *join)
{
    join->loop->jobs--;
    ed_pool_unref(join->pool);
}

static int join_done(void *argument)
{
    struct executor_join *join = argument;

    join_end(join);
    ed_wake(&join->wait, 0);
    return 0;
}

static bool join_abort(struct ed_wait *wait)
{
    struct executor_join *join = ed_container_of(wait, struct executor_join, wait);

    if (!ed_pool_unwatch(join->pool, &join->watch))
        return false;
    join_end(join);
    return true;
}

/* Parks the running task until the pool has no job left. */
static int executor_join(struct ed_pool *pool, bool shielded)
{
    static const struct ed_wait_kind kind = {"executor.join", join_abort, NULL};
    struct executor_join join = {.wait = ED_WAIT(&kind, NULL, NULL),
                                 .watch.idle = join_idle,
                                 .post = EDDY_POST_INIT(join_done, &join),
                                 .loop = eddy_thread_.loop,
                                 .pool = ed_pool_ref(pool)};

    join.wait.shielded = shielded;
    join.post.dropped = join_dropped;
    join.loop->jobs++; /* somebody is at work, if only for another loop */
    if (ed_pool_watch(pool, &join.watch))
        return ed_park(&join.wait);
    join_end(&join);
    return 0;
}

int eddy_executor_join(eddy_executor *executor)
{
    int rc = ed_checkpoint();

    if (rc < 0)
        return rc;
    if (!executor || !executor->pool)
        return ed_fail(executor ? executor->error : -ENOMEM);
    if (ed_pool_is_foreign(executor->pool))
        return ed_raise(-EPERM, "the executor %s is the parent's, in a child of fork()",
                        ed_pool_name(executor->pool));
    return executor_join(executor->pool, false);
}

int eddy_shutdown_default_executor(double timeout)
{
    int rc = ed_checkpoint();
    struct ed_pool *pool = rc == 0 ? ed_executor_pool(ED_POOL_USER) : NULL;

    if (!pool)
        return rc < 0 ? rc : -ENOMEM;
    ed_pool_shut(pool, false);

    EDDY_TIMEOUT(limit, timeout);
    return executor_join(pool, false);
}

/* An executor's life ------------------------------------------------------------ */

int eddy_executor_new(const eddy_executor_options *options, eddy_executor **out)
{
    static const eddy_executor_options defaults;
    const eddy_executor_options *o = options ? options : &defaults;
    struct ed_pool_options made = {.name = o->name ? o->name : "executor",
                                   .threads = o->threads ? o->threads : executor_size(),
                                   .queue_limit = o->queue_limit};
    eddy_executor *executor;

    if (o->threads > EXECUTOR_THREADS_MAX)
        return ed_raise(-EINVAL, "an executor of %zu threads is too large: at most %d", o->threads,
                        EXECUTOR_THREADS_MAX);
    executor = ed_alloc_zero(sizeof *executor);
    if (!executor)
        return ed_fail(-ENOMEM);
    executor->waited.run = run_waited;
    executor->abandonable.run = run_abandonable_call;
    executor->pool = ed_pool_new(&made);
    if (!executor->pool) {
        ed_free(executor);
        return ed_fail(-ENOMEM);
    }
    *out = executor;
    return 0;
}

eddy_executor *eddy_executor_begin_(const eddy_executor_options *options)
{
    static eddy_executor no_memory = {{run_waited}, {run_abandonable_call}, NULL, -ENOMEM};
    static eddy_executor invalid = {{run_waited}, {run_abandonable_call}, NULL, -EINVAL};
    eddy_executor *executor = NULL;
    int rc = eddy_executor_new(options, &executor);

    return rc == 0 ? executor : rc == -EINVAL ? &invalid : &no_memory;
}

void eddy_executor_shutdown(eddy_executor *executor, bool immediate)
{
    if (executor && executor->pool)
        ed_pool_shut(executor->pool, immediate);
}

void eddy_executor_end_scope_(eddy_executor *const *place)
{
    eddy_executor *executor = *place;

    if (!executor || !executor->pool)
        return;
    ed_pool_check_free(executor->pool);
    ed_pool_shut(executor->pool, false);
    if (eddy_thread_.task)
        (void)executor_join(executor->pool, true); /* shielded: always 0 */
    ed_pool_free(executor->pool);
    ed_free(executor);
}

void eddy_executor_free(eddy_executor **place)
{
    eddy_executor *executor = *place;

    *place = NULL;
    eddy_executor_end_scope_(&executor);
}
