/* SPDX-License-Identifier: MIT */
/*
 * wait, as_completed, wait_for and shield.
 *
 * The first two leave a completion with each task and count what has ended; the
 * completions are taken back when the caller leaves, whatever the reason. The
 * last two run a call under a timeout, or as a task that nobody owns.
 */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "base/die.h"
#include "base/memory.h"
#include "eddy/executor.h"
#include "eddy/wait.h"
#include "task/park.h"
#include "task/scope.h"

/* One of several tasks that somebody watches. */
struct watched {
    struct ed_completion completion;
    struct eddy_link_ link; /* of as_completed: in `ended` */
    void *watcher;
    bool pending; /* the completion is with its task */
};

static void watched_forget(struct watched *watched, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (watched[i].pending)
            ed_task_forget_completion(&watched[i].completion);
}

/* Whether all handles may be waited for here. */
static int tasks_check(eddy_task *const *tasks, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!tasks[i])
            return -ENOMEM; /* the text of the failed create still explains it */
        if (tasks[i]->loop != eddy_thread_.loop)
            return ed_raise(-EINVAL, "task %s belongs to another loop", eddy_task_name(tasks[i]));
        if (tasks[i] == eddy_thread_.task)
            return ed_raise(-EDEADLK, "task %s waits for itself", eddy_task_name(tasks[i]));
    }
    return 0;
}

/* wait ---------------------------------------------------------------------- */

struct tasks_wait {
    struct ed_wait wait;
    struct eddy_timer_ timer;
    struct watched *watched;
    size_t count, pending;
    enum eddy_wait_mode mode;
    bool enough; /* has been woken */
};

static bool tasks_wait_abort(struct ed_wait *wait)
{
    struct tasks_wait *w = ed_container_of(wait, struct tasks_wait, wait);

    w->enough = true;
    return true;
}

static eddy_task *tasks_wait_holder(const struct ed_wait *wait)
{
    const struct tasks_wait *w = ed_container_of(wait, const struct tasks_wait, wait);

    for (size_t i = 0; i < w->count; i++)
        if (w->watched[i].pending)
            return w->watched[i].completion.task;
    return NULL;
}

static const struct ed_wait_kind tasks_wait_kind = {"wait", tasks_wait_abort, tasks_wait_holder};

static bool wait_failed(const eddy_task *task)
{
    return task->rc < 0 && task->rc != -ECANCELED;
}

static void tasks_wait_notify(struct ed_completion *completion)
{
    struct watched *watched = ed_container_of(completion, struct watched, completion);
    struct tasks_wait *w = watched->watcher;
    bool enough;

    watched->pending = false;
    w->pending--;
    enough = w->pending == 0 || w->mode == EDDY_FIRST_COMPLETED ||
             (w->mode == EDDY_FIRST_EXCEPTION && wait_failed(completion->task));
    if (!enough || w->enough)
        return;
    w->enough = true;
    ed_wake(&w->wait, 0);
}

static void tasks_wait_expired(struct eddy_timer_ *timer)
{
    struct tasks_wait *w = ed_container_of(timer, struct tasks_wait, timer);

    if (w->enough)
        return;
    w->enough = true;
    ed_wake(&w->wait, 0);
}

/* Leaves completions with the tasks that have not ended; true if there is
 * something to wait for. */
static bool tasks_wait_watch(struct tasks_wait *w, eddy_task *const *tasks)
{
    bool enough = false;

    for (size_t i = 0; i < w->count; i++) {
        w->watched[i].watcher = w;
        w->watched[i].pending = !tasks[i]->is.done;
        if (tasks[i]->is.done) {
            enough |= w->mode == EDDY_FIRST_COMPLETED ||
                      (w->mode == EDDY_FIRST_EXCEPTION && wait_failed(tasks[i]));
            continue;
        }
        ed_task_on_completion(tasks[i], &w->watched[i].completion, tasks_wait_notify);
        w->pending++;
    }
    return w->pending > 0 && !enough;
}

int eddy_wait(eddy_task *const *tasks, size_t count, enum eddy_wait_mode mode, double timeout)
{
    struct tasks_wait w = {.wait = ED_WAIT(&tasks_wait_kind, tasks, NULL),
                           .timer = ED_TIMER_INIT(tasks_wait_expired),
                           .count = count,
                           .mode = mode};
    int rc = ed_checkpoint(), done = 0;

    if (rc < 0)
        return rc;
    if (count == 0 || count > INT32_MAX || isnan(timeout) || (unsigned)mode > EDDY_FIRST_EXCEPTION)
        return ed_raise(-EINVAL, "eddy_wait: no tasks, or an unknown mode or timeout");
    rc = tasks_check(tasks, count);
    if (rc < 0)
        return rc;
    w.watched = ed_alloc_zero(count * sizeof *w.watched);
    if (!w.watched)
        return ed_fail(-ENOMEM);
    if (!tasks_wait_watch(&w, tasks) || timeout <= 0) {
        w.enough = true;
        rc = ed_yield();
    } else {
        if (timeout != EDDY_FOREVER)
            ed_loop_start_timer(
                eddy_thread_.loop, &w.timer,
                ed_time_add(ed_loop_now(eddy_thread_.loop), ed_time_from_seconds(timeout)));
        rc = ed_park(&w.wait);
    }
    ed_loop_stop_timer(eddy_thread_.loop, &w.timer);
    for (size_t i = 0; i < count; i++)
        done += !w.watched[i].pending; /* a task that has ended may be gone by now */
    watched_forget(w.watched, count);
    ed_free(w.watched);
    return rc < 0 ? rc : done;
}

/* as_completed -------------------------------------------------------------- */

struct next_wait {
    struct ed_wait wait;
    struct eddy_timer_ timer;
    eddy_as_completed *iterator;
};

static bool next_abort(struct ed_wait *wait)
{
    struct next_wait *next = ed_container_of(wait, struct next_wait, wait);

    next->iterator->waiter = NULL;
    return true;
}

static eddy_task *next_holder(const struct ed_wait *wait)
{
    const eddy_as_completed *iterator =
        ed_container_of(wait, const struct next_wait, wait)->iterator;

    for (size_t i = 0; i < iterator->count; i++)
        if (iterator->watched[i].pending)
            return iterator->watched[i].completion.task;
    return NULL;
}

static const struct ed_wait_kind next_kind = {"as_completed.next", next_abort, next_holder};

static void next_wake(eddy_as_completed *iterator, int rc)
{
    struct next_wait *next = iterator->waiter;

    if (!next)
        return;
    iterator->waiter = NULL;
    ed_wake(&next->wait, rc);
}

static void next_expired(struct eddy_timer_ *timer)
{
    eddy_as_completed *iterator = ed_container_of(timer, struct next_wait, timer)->iterator;

    iterator->expired = true;
    next_wake(iterator, -ETIMEDOUT);
}

static void as_completed_notify(struct ed_completion *completion)
{
    struct watched *watched = ed_container_of(completion, struct watched, completion);
    eddy_as_completed *iterator = watched->watcher;

    watched->pending = false;
    if (iterator->deadline != ED_NEVER && ed_loop_now(completion->task->loop) > iterator->deadline)
        iterator->expired = true;
    if (iterator->expired)
        return; /* too late to be given */
    ed_list_append(&iterator->ended, &watched->link);
    next_wake(iterator, 0);
}

void eddy_as_completed_begin(eddy_as_completed *iterator, eddy_task *const *tasks, size_t count,
                             double timeout)
{
    eddy_loop *loop = eddy_thread_.loop;
    struct watched *watched;
    uint64_t mark;

    *iterator = (eddy_as_completed){.deadline = ED_NEVER};
    iterator->error = !loop || isnan(timeout) ? ed_fail(-EINVAL) : tasks_check(tasks, count);
    if (iterator->error < 0 || count == 0)
        return;
    if (timeout != EDDY_FOREVER)
        iterator->deadline =
            ed_time_add(ed_loop_now(loop), ed_time_from_seconds(timeout > 0 ? timeout : 0));
    watched = ed_alloc_zero(count * sizeof *watched);
    if (!watched) {
        iterator->error = ed_fail(-ENOMEM);
        return;
    }
    iterator->watched = watched;
    iterator->count = count;
    mark = ++loop->tasks->marks;
    for (size_t i = 0; i < count; i++) {
        watched[i].watcher = iterator;
        watched[i].completion.task = tasks[i];
        if (tasks[i]->mark == mark)
            continue; /* listed before */
        tasks[i]->mark = mark;
        iterator->remaining++;
        watched[i].pending = !tasks[i]->is.done;
        if (tasks[i]->is.done)
            ed_list_append(&iterator->ended, &watched[i].link);
        else
            ed_task_on_completion(tasks[i], &watched[i].completion, as_completed_notify);
    }
}

/* Waits for the next task to end, or the iteration's limit. */
static int as_completed_wait(eddy_as_completed *iterator)
{
    eddy_loop *loop = eddy_thread_.loop;
    struct next_wait next = {.wait = ED_WAIT(&next_kind, iterator, NULL),
                             .timer = ED_TIMER_INIT(next_expired),
                             .iterator = iterator};
    int rc;

    if (iterator->expired)
        return ed_fail(-ETIMEDOUT);
    if (iterator->deadline != ED_NEVER)
        ed_loop_start_timer(loop, &next.timer, iterator->deadline);
    iterator->waiter = &next;
    rc = ed_park(&next.wait);
    ed_loop_stop_timer(loop, &next.timer);
    return rc;
}

int eddy_as_completed_next(eddy_as_completed *iterator, eddy_task **task)
{
    struct eddy_link_ *link;
    int rc = ed_checkpoint();

    if (rc == 0)
        rc = iterator->error;
    if (rc < 0)
        return rc;
    while (ed_list_empty(&iterator->ended)) { /* again when another task was faster */
        if (iterator->remaining == 0)
            return 0;
        if (iterator->waiter)
            return ed_raise(-EBUSY, "another task waits in this as_completed");
        rc = as_completed_wait(iterator);
        if (rc < 0 && ed_list_empty(&iterator->ended))
            return rc;
    }
    link = ed_list_pop(&iterator->ended);
    iterator->remaining--;
    *task = ed_container_of(link, struct watched, link)->completion.task;
    return 1;
}

void eddy_as_completed_end(eddy_as_completed *iterator)
{
    watched_forget(iterator->watched, iterator->count);
    ed_free(iterator->watched);
    iterator->watched = NULL;
    iterator->count = iterator->remaining = 0;
    iterator->ended = (struct eddy_list_){NULL, NULL};
}

/* wait_for, shield ---------------------------------------------------------- */

int eddy_wait_for_call(eddy_call call, double seconds)
{
    int rc = ed_checkpoint();

    if (rc < 0)
        return rc;
    if (isnan(seconds))
        return ed_raise(-EINVAL, "eddy_wait_for: the timeout is not a number");
    if (seconds <= 0)
        return ed_fail(-ETIMEDOUT);

    EDDY_TIMEOUT(limit, seconds);
    return ed_call_here(&call);
}

/* The wait for a task within a limit. Its completion stays with the task until the
 * end has been told: once it has, the task may be gone, and is not touched. */
struct limited_wait {
    struct ed_wait wait;
    struct ed_completion completion;
    bool parked, ended;
    int rc;
};

static bool limited_abort(struct ed_wait *wait)
{
    ed_container_of(wait, struct limited_wait, wait)->parked = false;
    return true;
}

static eddy_task *limited_holder(const struct ed_wait *wait)
{
    return ed_container_of(wait, const struct limited_wait, wait)->completion.task;
}

static const struct ed_wait_kind limited_kind = {"wait_for", limited_abort, limited_holder};

static void limited_notify(struct ed_completion *completion)
{
    struct limited_wait *w = ed_container_of(completion, struct limited_wait, completion);

    w->ended = true;
    w->rc = ed_task_outcome(completion->task, w->wait.task, NULL, 0);
    if (w->parked)
        ed_wake_with_text(&w->wait, 0);
    w->parked = false;
}

/* Cancels the task, and waits for its end, whatever happens. */
static int limited_end(struct limited_wait *w, eddy_task *task)
{
    int pending;

    (void)eddy_cancel(task); /* has not ended */
    w->wait.shielded = w->parked = true;
    (void)ed_park(&w->wait); /* always 0 */
    pending = eddy_thread_.task->pending;
    if (w->rc != -ECANCELED)
        return w->rc;
    return pending ? pending : ed_fail(-ETIMEDOUT);
}

int eddy_wait_for_task(eddy_task *task, double seconds)
{
    struct limited_wait w = {.wait = ED_WAIT(&limited_kind, task, NULL)};
    int rc = ed_checkpoint();

    if (rc < 0)
        return rc;
    if (isnan(seconds))
        return ed_raise(-EINVAL, "eddy_wait_for: the timeout is not a number");
    rc = tasks_check(&task, 1);
    if (rc < 0)
        return rc;
    if (task->is.done)
        return eddy_task_error(task);
    ed_task_on_completion(task, &w.completion, limited_notify);
    if (seconds > 0) {
        EDDY_TIMEOUT(limit, seconds);

        w.parked = true;
        (void)ed_park(&w.wait); /* w.ended tells why */
    }
    return w.ended ? w.rc : limited_end(&w, task);
}

int eddy_shield(eddy_call call)
{
    eddy_task *task;
    int rc = ed_checkpoint();

    if (rc < 0)
        return rc;
    task = eddy_task_from_call(call);
    if (!task)
        return -ENOMEM;
    rc = eddy_task_await(task, call.out, call.out ? call.function->result_size : 0);
    eddy_task_detach(&task);
    return rc;
}
