/* SPDX-License-Identifier: MIT */
/*
 * The testing kit: an eddy_run under control, and a look at what it left.
 *
 * A trial is one such run. It sets the clock and the order of its loop, counts the
 * suspensions of all tasks by the loop's step hook and cancels the test's task at one
 * of them, lets one allocation fail, looks for handles that nobody released, and
 * compares the counters of the process before and after. Everything else is loops
 * over trials.
 *
 * One trial runs in a process at a time, whose counters it needs for itself; the hook
 * finds it by a thread-local pointer, since a loop has no place for it.
 */
#include "eddy/test.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/flight.h"
#include "base/memory.h"
#include "eddy/debug.h"
#include "eddy/run.h"
#include "task/park.h"
#include "task/task.h"

#define TRIAL_SEEDS 100
#define TRIAL_TURNS 1000000 /* of the loop in a run */
#define THREADS_WAIT 2000   /* ms */
#define SETTLE_TURNS 100000 /* that eddy_test_settle waits at most */

struct trial {
    eddy_test_plan *plan;
    const eddy_call *call;
    eddy_task *task; /* the test's, from its first step on, until it has ended */
    bool over, stuck;
    const struct ed_ready *due; /* the task before whose next step to cancel, or NULL */
    char wait[64];              /* which task was cancelled in what */
    char report[512];           /* the first that counts, or "" */
    bool cancelled;
    size_t handles, generators;  /* that nobody gave back, */
    size_t timers, readers;      /* and that nobody took back */
    char open[ED_RESOURCE_TEXT]; /* the first resource that nobody closed, or "" */
    bool counted;                /* all of these */
    eddy_stats before;           /* what the process held */
    size_t descriptors;          /* that were open */
};

static __thread struct trial *trial_now; /* for the step hook */

/* During the run ------------------------------------------------------------ */

static void trial_cancel(struct trial *trial)
{
    trial->plan->reached = trial->cancelled = true;
    (void)eddy_cancel(trial->task); /* it has not ended */
}

/* Whether the task of a step suspended in it, and has not ended; its memory may have
 * been given back. */
static bool trial_suspended(eddy_loop *loop, eddy_task *task)
{
    return task->stack.use == ED_STACK_TASK && task->loop == loop && !task->is.done;
}

/* Notes where the task of this step has suspended. */
static void trial_note(struct trial *trial, eddy_task *task)
{
    const char *wait = task->wait ? task->wait->kind->name : "sleep(0)";

    if (task == trial->task)
        snprintf(trial->wait, sizeof trial->wait, "in %s", wait);
    else
        snprintf(trial->wait, sizeof trial->wait, "of %.31s in %s", eddy_task_name(task), wait);
}

/* Looks at the tasks before and after each step. */
static void trial_step(eddy_loop *loop, const struct ed_ready *node, bool before)
{
    struct trial *trial = trial_now;
    eddy_test_plan *plan = trial->plan;
    eddy_task *task = ed_container_of(node, eddy_task, ready);

    if (node->run != ed_task_run || trial->over || plan->reached)
        return;
    if (!trial->task) /* the first task of a new loop */
        trial->task = task;
    if (before) {
        if (trial->due == node)
            trial_cancel(trial);
        return;
    }
    trial->over = trial->task->is.done;
    if (trial->over || !trial_suspended(loop, task) || ++plan->suspensions != plan->cancel_at)
        return;
    trial_note(trial, task);
    if (plan->cancel_late)
        trial->due = node;
    else
        trial_cancel(trial);
}

/* Whether a report is none of the test's: of a slow machine, or no more than what a run
 * that was cut short did not come to read. */
static bool trial_forgives(const struct trial *trial, const eddy_report *report)
{
    bool lacks = trial->plan->fail_allocation > 0;

    switch (report->kind) {
    case EDDY_REPORT_SLOW: return true;
    case EDDY_REPORT_CALLBACK_FAILED:
    case EDDY_REPORT_HANDLER_FAILED: return lacks && report->code == -ENOMEM;
    case EDDY_REPORT_RESOURCE: return lacks || trial->cancelled || trial->counted;
    case EDDY_REPORT_ERROR_NOT_READ:
    case EDDY_REPORT_SHUTDOWN:
    case EDDY_REPORT_NOT_AWAITED:
    case EDDY_REPORT_CANCEL_NOT_READ: return lacks || trial->cancelled;
    default: return false;
    }
}

static void trial_report(eddy_loop *loop, const eddy_report *report, void *argument)
{
    struct trial *trial = argument;

    (void)loop;
    if (!trial->report[0] && !trial_forgives(trial, report))
        snprintf(trial->report, sizeof trial->report, "%s", report->message);
}

/* Counts what nobody gave back or closed, when all tasks have ended, and before the loop does it
 * by itself. */
static void trial_count(struct trial *trial, eddy_loop *loop)
{
    if (!loop->tasks)
        return;
    ed_run_clean_up(loop);
    for (eddy_task *t = ed_task_next(loop->tasks, NULL); t; t = ed_task_next(loop->tasks, t))
        trial->handles += t->is.done && t->is.owner == ED_OWNER_HANDLE;
    trial->generators = loop->generator_count;
    trial->timers = loop->timers.count;
    trial->readers = ed_loop_count_readers(loop);
    (void)ed_loop_describe_left(loop, trial->open, sizeof trial->open);
    trial->counted = true; /* what the loop says of it as it closes is known */
}

/* Its end --------------------------------------------------------------------- */

static size_t trial_descriptors(void)
{
    DIR *folder = opendir("/proc/self/fd");
    size_t count = 0;

    while (folder && readdir(folder))
        count++;
    if (folder)
        closedir(folder);
    return count;
}

/* Gives jobs that were abandoned, which nobody waits for, some real time to end: what they hold
 * is nothing that was left behind. */
static void trial_wait_for_threads(const struct trial *trial)
{
    eddy_stats now;

    for (int i = 0; i < THREADS_WAIT; i++) {
        eddy_get_stats(&now);
        if (now.threads <= trial->before.threads)
            return;
        usleep(1000);
    }
}

/* Writes what is there now and was not before, such as "2 tasks, 1 timer". */
static void trial_left(const struct trial *trial, char *text, size_t size)
{
    eddy_stats now, before = trial->before;
    size_t open = trial_descriptors();

    eddy_get_stats(&now);
    const struct {
        const char *name;
        size_t now, before;
    } counters[] = {
        {"task handle", trial->handles, 0},
        {"generator", trial->generators, 0},
        {"timer", trial->timers, 0},
        {"reader or writer", trial->readers, 0},
        {"loop", now.loops, before.loops},
        {"task", now.tasks, before.tasks},
        {"generator", now.generators, before.generators},
        {"timer", now.timers, before.timers},
        {"operation", now.operations, before.operations},
        {"thread", now.threads, before.threads},
        {"stack", now.stacks, before.stacks},
        {"block", now.blocks, before.blocks},
        {"descriptor", open, trial->descriptors},
    };
    size_t length = 0;

    text[0] = '\0';
    for (size_t i = 0; i < ED_ARRAY_LENGTH(counters) && length < size; i++) {
        size_t left = counters[i].now - counters[i].before;

        if (counters[i].now > counters[i].before)
            length +=
                (size_t)snprintf(text + length, size - length, "%s%zu %s%s", length ? ", " : "",
                                 left, counters[i].name, left == 1 ? "" : "s");
    }
}

/* Raises a failure of the trial: which run it was, the words, and where. */
static int trial_fail(const struct trial *trial, int code, const char *words)
{
    const eddy_test_plan *plan = trial->plan;
    const char *where = eddy_error_origin(code);
    char seed[40] = "", how[128] = "";

    if (plan->seed)
        snprintf(seed, sizeof seed, ", seed %llu", (unsigned long long)plan->seed);
    if (trial->cancelled)
        snprintf(how, sizeof how, ", cancelled %s suspension %u, %s",
                 plan->cancel_late ? "just after" : "at", plan->cancel_at, trial->wait);
    else if (plan->fail_allocation && plan->reached)
        snprintf(how, sizeof how, ", without its allocation %llu",
                 (unsigned long long)plan->fail_allocation);
    if (!where)
        where = trial->call->where;
    return eddy_raise_at(where, code, "%s()%s%s: %s (%s, %s)", trial->call->function->name, seed,
                         how, words, eddy_error_name(code), where);
}

/* What a run that ended with `rc` is worth. */
static int trial_verdict(const struct trial *trial, int rc)
{
    const eddy_test_plan *plan = trial->plan;
    bool allowed = (trial->cancelled && rc == -ECANCELED) ||
                   (plan->fail_allocation && plan->reached && rc == -ENOMEM);
    int code = rc < 0 && !allowed ? rc : EDDY_ETEST;
    char words[700], left[256];

    trial_left(trial, left, sizeof left);
    if (rc == -ELOOP && trial->stuck)
        snprintf(words, sizeof words,
                 "does not end: it was given up after %d turns of the loop%s%s", TRIAL_TURNS,
                 trial->report[0] ? "; " : "", trial->report);
    else if (trial->report[0])
        snprintf(words, sizeof words, "%s", trial->report);
    else if (code == rc)
        snprintf(words, sizeof words, "%s", eddy_error_message(rc));
    else if (trial->open[0])
        snprintf(words, sizeof words, "%s was not closed%s%s", trial->open,
                 left[0] ? "; left behind: " : "", left);
    else if (left[0])
        snprintf(words, sizeof words, "left behind: %s", left);
    else
        return 0;
    return trial_fail(trial, code, words);
}

/* The run itself, on a loop of its own. */
static int trial_run(struct trial *trial)
{
    eddy_test_plan *plan = trial->plan;
    eddy_runner runner = EDDY_RUNNER_INIT;
    eddy_loop *loop = eddy_runner_get_loop(&runner);
    int rc;

    if (!loop)
        return ed_raise(runner.error, "no event loop could be opened: %s",
                        eddy_strerror(runner.error));
    ed_loop_set_order(loop, !plan->real_clock, plan->seed);
    eddy_loop_set_exception_handler(loop, trial_report, trial);
    loop->step = plan->cancel_at ? trial_step : NULL;
    loop->turns_max = TRIAL_TURNS;
    if (ed_tasks_of(loop)) {
        loop->tasks->stacks.counted = plan->fail_allocation > 0;
        loop->tasks->next_id = 1; /* names that are the same in each run */
        loop->tasks->end_id = UINT64_MAX;
    }
    trial_now = trial;
    rc = eddy_runner_run(&runner, *trial->call);
    trial->over = true;
    trial_count(trial, loop);
    trial->stuck = loop->turn >= loop->turns_max;
    eddy_runner_close(&runner);
    trial_now = NULL;
    return rc;
}

/* The run with its allocation failing, and what is planned else held back meanwhile. */
static int trial_run_short(struct trial *trial)
{
    struct ed_fault_plan before;
    int rc;

    ed_fault_save(ED_FAULT_ALLOC, &before);
    ed_fault_set(ED_FAULT_ALLOC, trial->plan->fail_allocation, -ENOMEM);
    rc = trial_run(trial);
    trial->plan->allocations = ed_fault_count(ED_FAULT_ALLOC);
    ed_fault_restore(ED_FAULT_ALLOC, &before);
    trial->plan->reached |= trial->plan->allocations >= trial->plan->fail_allocation;
    return rc;
}

int eddy_test_run(eddy_test_plan *plan, eddy_call call)
{
    static int running; /* atomic */
    struct trial trial = {.plan = plan, .call = &call};
    uint64_t allocations = ed_fault_count(ED_FAULT_ALLOC);
    bool guarded, watched;
    int rc;

    if (eddy_thread_.loop)
        return ed_raise(-EBUSY, "a loop runs in this thread already");
    if (__atomic_exchange_n(&running, 1, __ATOMIC_ACQ_REL))
        return ed_raise(-EBUSY, "a test runs already, which is alone with its counters");
    guarded = ed_memory_guarded(); /* which may turn the register on */
    watched = ed_flight_watched();
    (void)ed_memory_guard(guarded || plan->guard);
    ed_flight_watch(watched || plan->guard);
    eddy_get_stats(&trial.before);
    trial.descriptors = trial_descriptors();
    plan->suspensions = 0;
    plan->reached = false;
    if (plan->fail_allocation) {
        rc = trial_run_short(&trial);
    } else {
        rc = trial_run(&trial);
        plan->allocations = ed_fault_count(ED_FAULT_ALLOC) - allocations;
    }
    (void)ed_memory_guard(guarded);
    if (plan->guard)
        ed_flight_watch(watched); /* else as it is: debug mode may have turned it on */
    trial_wait_for_threads(&trial);
    rc = trial_verdict(&trial, rc);
    __atomic_store_n(&running, 0, __ATOMIC_RELEASE);
    return rc;
}

/* Many runs ------------------------------------------------------------------- */

int eddy_test_call(eddy_call call)
{
    eddy_test_plan plan = {.seed = 0};

    return eddy_test_run(&plan, call);
}

int eddy_test_seeds_call(uint64_t first, size_t count, eddy_call call)
{
    int rc = 0;

    for (size_t i = 0; i < count && rc == 0; i++) {
        eddy_test_plan plan = {.seed = first + i};

        rc = eddy_test_run(&plan, call);
    }
    return rc;
}

int eddy_test_cancels_call(eddy_call call)
{
    int rc = eddy_test_call(call);

    for (int late = 0; late < 2; late++) {
        eddy_test_plan plan = {.cancel_late = late != 0, .reached = true};

        while (rc == 0 && plan.reached) {
            plan.cancel_at++;
            rc = eddy_test_run(&plan, call);
        }
    }
    return rc;
}

int eddy_test_allocations_call(eddy_call call)
{
    eddy_test_plan plan = {.reached = true};
    int rc = eddy_test_call(call);

    while (rc == 0 && plan.reached) {
        plan.fail_allocation++;
        rc = eddy_test_run(&plan, call);
    }
    return rc;
}

int eddy_test_thoroughly_call(eddy_call call)
{
    int rc = eddy_test_cancels_call(call); /* once as it is, first of all */

    if (rc == 0)
        rc = eddy_test_seeds_call(1, TRIAL_SEEDS, call);
    return rc < 0 ? rc : eddy_test_allocations_call(call);
}

int eddy_expect_equal_(long long a, long long b, const char *text_a, const char *text_b,
                       const char *where)
{
    if (a == b)
        return 0;
    return eddy_raise_at(where, EDDY_ETEST, "%s == %s does not hold: %lld and %lld", text_a, text_b,
                         a, b);
}

int eddy_expect_error_(long rc, int code, const char *text, const char *where)
{
    if (rc == code)
        return 0;
    if (rc < 0)
        return (int)rc;
    return eddy_raise_at(where, EDDY_ETEST, "%s succeeds, instead of %s", text,
                         eddy_error_name(code));
}

bool eddy_test_refuses_allocation(void)
{
    return ed_fault_check(ED_FAULT_ALLOC) < 0;
}

int eddy_test_settle(void)
{
    for (int turn = 0; turn < SETTLE_TURNS; turn++) {
        int rc = eddy_sleep(0);

        if (rc < 0)
            return rc;
        if (!eddy_thread_.loop->ready && turn >= 2)
            return 0;
    }
    return ed_raise(-ELOOP, "something is still ready after %d turns", SETTLE_TURNS);
}
