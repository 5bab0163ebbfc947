/* SPDX-License-Identifier: MIT */
/*
 * Running a program: a loop, a main task, and the clean-up behind it.
 *
 * The clean-up goes in rounds: every task that is left is cancelled for good, and
 * the loop runs until those have ended; tasks that their clean-up started make
 * the next round. A round that deadlocks is reported and cancelled again with its
 * shields pierced; a second time the loop is closed over what is left.
 *
 * SIGINT comes in by the loop's inbox, so that the handler only posts. It rests while the
 * program has asked for the signal itself (os/signal.c).
 */
#include "eddy/run.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/die.h"
#include "loop/signal.h"
#include "task/debug.h"
#include "task/park.h"
#include "task/task.h"

/* What the last run of this thread was ended by, when it returned -EINTR. */
static __thread int run_signal = SIGINT;

struct main_run {
    struct ed_completion completion;
    eddy_loop *loop;
    eddy_task *task;
};

/* SIGINT -------------------------------------------------------------------- */

static struct {
    eddy_loop *loop;      /* that gets the signals, or NULL; one in the process */
    struct main_run *run; /* the loop's, while its main task runs */
    int count;            /* atomic: signals so far */
    int handled;          /* signals that the loop has seen */
    eddy_post *post;      /* the loop's own: an older one may still be on its way to another loop */
} interrupt;

static int interrupt_seen(void *unused)
{
    int count = __atomic_load_n(&interrupt.count, __ATOMIC_ACQUIRE);
    struct ed_tasks *tasks = interrupt.loop ? interrupt.loop->tasks : NULL;

    (void)unused;
    if (!tasks || interrupt.handled == count)
        return 0;
    tasks->stopped_by = SIGINT;
    if (interrupt.handled == 0 && interrupt.run)
        (void)eddy_cancel(interrupt.run->task); /* may have ended */
    if (count > 1 || !interrupt.run) {
        for (eddy_task *t = ed_task_next(tasks, NULL); t; t = ed_task_next(tasks, t)) {
            t->is.pierced = true;
            if (t->is.shut_down || (interrupt.run && t == interrupt.run->task))
                (void)eddy_cancel(t); /* may have ended */
        }
    }
    interrupt.handled = count;
    return 0;
}

/* From the third on, the default action follows. */
static bool interrupt_signal(int number)
{
    (void)number;
    if (__atomic_add_fetch(&interrupt.count, 1, __ATOMIC_ACQ_REL) > 2)
        return true;
    (void)eddy_loop_post(interrupt.loop, interrupt.post); /* it is open while we handle */
    return false;
}

/* Takes over SIGINT in the main thread, if the program does not. */
static bool interrupt_watch(eddy_loop *loop)
{
    if (!loop->tasks || getpid() != gettid() || interrupt.loop)
        return false;
    interrupt.loop = loop;
    interrupt.count = interrupt.handled = 0;
    interrupt.post = &loop->tasks->interrupt;
    interrupt.post->callback = interrupt_seen;
    if (ed_signal_take(SIGINT, ED_SIGNAL_LIBRARY, interrupt_signal) == 0)
        return true;
    interrupt.loop = NULL;
    return false;
}

static void interrupt_unwatch(bool watching)
{
    if (!watching)
        return;
    ed_signal_give_back(SIGINT, ED_SIGNAL_LIBRARY);
    interrupt.loop = NULL;
}

void ed_interrupt_forget(void)
{
    interrupt.loop = NULL;
    interrupt.run = NULL;
}

/* The main task ------------------------------------------------------------- */

static void main_ended(struct ed_completion *completion)
{
    eddy_loop_stop(ed_container_of(completion, struct main_run, completion)->loop);
}

/* Runs the loop until the task has ended. -EINTR: somebody else stopped it;
 * -EDEADLK: reported; or the engine's error. */
static int run_until_done(struct main_run *run)
{
    int rc;

    ed_task_on_completion(run->task, &run->completion, main_ended);
    rc = ed_loop_run(run->loop, true);
    if (run->task->is.done)
        return 0;
    ed_task_forget_completion(&run->completion);
    if (rc == -EDEADLK)
        ed_report_deadlock(run->loop);
    return rc == 0 ? ed_raise(-ESHUTDOWN, "the loop was stopped before %s() had ended",
                              run->task->function->name)
                   : rc;
}

/* Takes over the outcome of the main task, and frees it. */
static int main_outcome(eddy_task *task, void *out)
{
    int rc = eddy_task_result_nowait(task, task->rc >= 0 ? out : NULL, task->function->result_size);

    ed_error_keep(task, rc);
    ed_task_free(task);
    return rc;
}

int eddy_loop_run_until_complete(eddy_loop *loop, eddy_call call)
{
    struct main_run run = {.loop = loop};
    int rc = ed_loop_check_run(loop);

    if (rc < 0)
        return rc;
    run.task = ed_task_new_call(loop, &call, NULL);
    if (!run.task)
        return -ENOMEM;
    rc = run_until_done(&run);
    if (rc == 0)
        return main_outcome(run.task, call.out);
    eddy_task_detach(&run.task);
    return rc;
}

/* Cancels everything that is left for good; whether there was anything. */
static bool round_cancel(struct ed_tasks *tasks, bool pierce)
{
    tasks->leaving = 0;
    for (eddy_task *t = ed_task_next(tasks, NULL); t; t = ed_task_next(tasks, t)) {
        if (t->is.done)
            continue;
        tasks->leaving++;
        t->is.shut_down = true;
        t->is.pierced |= pierce;
        ed_task_cancel_final(t);
    }
    return tasks->leaving > 0;
}

static void run_close_generators(eddy_loop *loop)
{
    struct main_run run = {.loop = loop};

    run.task = ed_task_new(loop, &ed_generators_finish, "eddy_run", NULL);
    if (!run.task)
        return; /* no memory: they are freed without their clean-up */
    if (run_until_done(&run) == 0)
        ed_task_free(run.task);
}

void ed_run_clean_up(eddy_loop *loop)
{
    struct ed_tasks *tasks = loop->tasks;
    bool pierce = false;
    int rc = 0;

    while (tasks && rc == 0 && round_cancel(tasks, pierce)) {
        while (tasks->leaving > 0 && rc == 0)
            rc = ed_loop_run(loop, true);
        if (rc != -EDEADLK)
            continue;
        ed_report_deadlock(loop);
        if (!pierce)
            rc = 0;
        pierce = true;
    }
    if (tasks && loop->generator_count && rc == 0)
        run_close_generators(loop);
}

ED_COLD static int run_no_loop(const eddy_runner *runner)
{
    const char *engine = getenv("EDDY_ENGINE");

    if (runner->closed)
        return ed_raise(-EPERM, "the runner is closed");
    if (runner->error == -EINVAL && engine)
        return ed_raise(-EINVAL, "EDDY_ENGINE=%s names no engine: uring or epoll", engine);
    return ed_raise(runner->error, "no event loop could be opened%s%s: %s",
                    engine ? " with EDDY_ENGINE=" : "", engine ? engine : "",
                    eddy_strerror(runner->error));
}

int eddy_runner_run(eddy_runner *runner, eddy_call call)
{
    eddy_loop *loop = eddy_thread_.loop ? NULL : eddy_runner_get_loop(runner);
    struct main_run run = {.loop = loop};
    bool watching;
    int rc;

    if (eddy_thread_.loop)
        return ed_raise(-EBUSY, "a loop runs in this thread already");
    if (!loop)
        return run_no_loop(runner);
    rc = ed_loop_check_run(loop);
    if (rc < 0)
        return ed_raise(rc, "the runner's loop is closed, or another thread's");
    run.task = ed_task_new_call(loop, &call, NULL);
    if (!run.task)
        return -ENOMEM;
    ed_locals_unref(run.task->locals);
    run.task->locals = ed_locals_ref(runner->locals);
    loop->tasks->stopped_by = 0;
    loop->tasks->stop_cancelled = false;
    watching = interrupt_watch(loop);
    if (watching)
        interrupt.run = &run;
    rc = run_until_done(&run);
    if (rc < 0) /* it has not ended: end it, and all others with it */
        ed_run_clean_up(loop);
    ed_locals_unref(runner->locals);
    runner->locals = ed_locals_ref(run.task->locals);
    if (rc < 0) {
        run.task->is.error_read = true; /* the reason why it ended counts */
        if (run.task->is.done)
            ed_task_free(run.task);
    } else {
        rc = main_outcome(run.task, call.out);
        if (rc == -ECANCELED &&
            ((watching && interrupt.handled > 0) || loop->tasks->stop_cancelled))
            rc = -EINTR;
        run_signal = loop->tasks->stopped_by ? loop->tasks->stopped_by : SIGINT;
    }
    if (watching)
        interrupt.run = NULL;
    interrupt_unwatch(watching);
    return rc;
}

eddy_loop *eddy_runner_get_loop(eddy_runner *runner)
{
    if (!runner->loop && !runner->closed)
        runner->error = eddy_loop_new(&runner->loop);
    return runner->loop;
}

void eddy_runner_close(eddy_runner *runner)
{
    eddy_loop *loop = runner->loop;
    bool watching;

    if (loop && loop->running)
        ed_die("eddy_runner_close: its loop is running");
    runner->closed = true;
    ed_locals_unref(runner->locals);
    runner->locals = NULL;
    if (!loop)
        return;
    runner->loop = NULL;
    if (!loop->closed) {
        watching = interrupt_watch(loop);
        ed_run_clean_up(loop);
        interrupt_unwatch(watching);
        if (loop->debug && loop->tasks)
            ed_debug_forgotten(loop);
    }
    eddy_loop_free(loop); /* in a child of fork(2): without effect */
}

int eddy_run_call(eddy_call call)
{
    eddy_runner runner = EDDY_RUNNER_INIT;
    int rc = eddy_runner_run(&runner, call);

    eddy_runner_close(&runner);
    return rc;
}

int eddy_main_(eddy_call call)
{
    int rc = eddy_run_call(call);

    fflush(stdout);
    if (rc == -EINTR) {
        signal(run_signal, SIG_DFL);
        raise(run_signal);
    }
    if (rc >= 0)
        return rc;
    fprintf(stderr, "%s: %s (%s%s%s)\n", call.function->name, eddy_error_message(rc),
            eddy_error_name(rc), eddy_error_origin(rc) ? ", " : "",
            eddy_error_origin(rc) ? eddy_error_origin(rc) : "");
    return 1;
}
