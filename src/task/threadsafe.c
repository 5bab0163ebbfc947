/* SPDX-License-Identifier: MIT */
/*
 * Running a call on a loop from another thread. The request lives on the calling
 * thread's stack: the caller stays until the loop has said, under the mutex, that
 * the task has ended, and that it has seen the cancel if there was one.
 */
#include <errno.h>
#include <math.h>
#include <pthread.h>

#include "task/task.h"

struct remote_call {
    eddy_call call;
    eddy_loop *loop;
    eddy_task *task; /* the loop's side */
    struct ed_completion completion;
    eddy_post start, cancel;
    pthread_mutex_t mutex;
    pthread_cond_t ended_condition;
    int expected; /* words from the loop that are to come: the end, the cancel */
    int rc;
};

/* One word to the caller, who may be gone after it. */
static void remote_say(struct remote_call *remote)
{
    pthread_mutex_lock(&remote->mutex);
    remote->expected--;
    pthread_cond_signal(&remote->ended_condition);
    pthread_mutex_unlock(&remote->mutex);
}

static void remote_task_ended(struct ed_completion *completion)
{
    struct remote_call *remote = ed_container_of(completion, struct remote_call, completion);
    eddy_task *task = completion->task;

    task->is.error_read = true;
    remote->rc = task->rc;
    remote->task = NULL;
    if (task->rc >= 0 && remote->call.out)
        (void)ed_task_take_result(task, remote->call.out, task->function->result_size);
    remote_say(remote);
}

static void remote_dropped(void *argument)
{
    struct remote_call *remote = argument;

    remote->rc = -EPERM;
    remote_say(remote);
}

static void remote_cancel_dropped(void *argument)
{
    remote_say(argument);
}

static int remote_start(void *argument)
{
    struct remote_call *remote = argument;

    remote->task = ed_task_new_call(remote->loop, &remote->call, NULL);
    if (!remote->task) {
        remote->rc = -ENOMEM;
        remote_say(remote);
        return 0;
    }
    ed_task_on_completion(remote->task, &remote->completion, remote_task_ended);
    remote->task->is.owner = ED_OWNER_NONE; /* it frees itself */
    return 0;
}

static int remote_cancel(void *argument)
{
    struct remote_call *remote = argument;

    if (remote->task)
        ed_task_cancel_final(remote->task);
    remote_say(remote);
    return 0;
}

/* Waits for all words; false when the time is up first. The mutex is held. */
static bool remote_wait(struct remote_call *remote, double timeout)
{
    int64_t wait = ed_time_from_seconds(timeout);
    int64_t until = wait == ED_NEVER ? ED_NEVER : ed_time_add(ed_time_monotonic(), wait);
    struct timespec limit = {.tv_sec = until / ED_SECOND, .tv_nsec = until % ED_SECOND};
    int error = 0;

    while (remote->expected > 0 && !error)
        error = until == ED_NEVER ? pthread_cond_wait(&remote->ended_condition, &remote->mutex)
                                  : pthread_cond_clockwait(&remote->ended_condition, &remote->mutex,
                                                           CLOCK_MONOTONIC, &limit);
    return remote->expected == 0;
}

int eddy_run_coroutine_threadsafe(eddy_loop *loop, eddy_call call, double timeout)
{
    struct remote_call remote = {.call = call,
                                 .loop = loop,
                                 .start = EDDY_POST_INIT(remote_start, &remote),
                                 .cancel = EDDY_POST_INIT(remote_cancel, &remote),
                                 .mutex = PTHREAD_MUTEX_INITIALIZER,
                                 .ended_condition = PTHREAD_COND_INITIALIZER,
                                 .expected = 1};
    bool in_time;

    if (pthread_equal(loop->thread, pthread_self()))
        return ed_raise(-EDEADLK, "the loop's own thread cannot wait for it");
    if (isnan(timeout))
        return -EINVAL;
    remote.start.dropped = remote_dropped;
    remote.cancel.dropped = remote_cancel_dropped;
    if (eddy_loop_post(loop, &remote.start) < 0)
        return -EPERM;
    pthread_mutex_lock(&remote.mutex);
    in_time = remote_wait(&remote, timeout > 0 ? timeout : 0);
    if (!in_time) {
        remote.expected++; /* under the mutex: before the loop can say it */
        if (eddy_loop_post(loop, &remote.cancel) < 0)
            remote.expected--;
    }
    (void)remote_wait(&remote, EDDY_FOREVER); /* without a limit it always succeeds */
    pthread_mutex_unlock(&remote.mutex);
    return in_time || remote.rc != -ECANCELED ? remote.rc : -ETIMEDOUT;
}
