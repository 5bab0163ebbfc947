/* SPDX-License-Identifier: MIT */
/*
 * The testing kit: an eddy_run under control, and a look at what it left.
 *
 * A trial is one such run. It sets the clock and the order of its loop, counts the
 * suspensions of the test's task by the loop's step hook and cancels it at one of
 * them, lets one allocation fail, and compares the counters of the process before
 * and behind it. Everything else is loops over trials.
 *
 * One trial runs in a thread at a time; the hook and the exception handler find it
 * by a thread-local pointer, since a loop has no place for it.
 */
#include "eddy/test.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/fault.h"
#include "base/memory.h"
#include "eddy/debug.h"
#include "eddy/run.h"
#include "task/park.h"
#include "task/task.h"

#define TRIAL_SEEDS 100
#define TRIAL_TURNS 100000 /* that eddy_test_settle waits at most */

struct trial {
    eddy_test_plan *plan;
    const eddy_call *call;
    eddy_task *task; /* the test's, from its first step on, until it has ended */
    bool over;
    bool due;           /* its next wake-up is the one to cancel it at */
    const char *wait;   /* the kind of the wait that was cancelled */
    char report[512];   /* the first that counts, or "" */
    eddy_stats before;  /* what the process held */
    size_t descriptors; /* that were open */
};

static __thread struct trial *trial_now; /* for the step hook */

/* During the run ------------------------------------------------------------ */

static void trial_cancel(struct trial *trial)
{
    trial->plan->reached = true;
    (void)eddy_cancel(trial->task); /* it has not ended */
}

/* Looks at the test's task before and after each of its steps. */
static void trial_step(eddy_loop *loop, const struct ed_ready *node, bool before)
{
    struct trial *trial = trial_now;
    eddy_test_plan *plan = trial->plan;

    (void)loop;
    if (!trial->task && node->run == ed_task_run) /* the first task of a new loop */
        trial->task = ed_container_of(node, eddy_task, ready);
    if (trial->over || plan->reached || !trial->task || node != &trial->task->ready)
        return;
    if (before) {
        if (trial->due)
            trial_cancel(trial);
        return;
    }
    trial->over = trial->task->is.done;
    if (trial->over || ++plan->suspensions != plan->cancel_at)
        return;
    trial->wait = trial->task->wait ? trial->task->wait->kind->name : "sleep(0)";
    trial->due = plan->cancel_late;
    if (!trial->due)
        trial_cancel(trial);
}

/* Whether a report says no more than that a cut run did not read everything. */
static bool trial_forgives(const struct trial *trial, const eddy_report *report)
{
    return (trial->plan->reached || trial->plan->fail_allocation) &&
           (report->kind == EDDY_REPORT_ERROR_NOT_READ || report->kind == EDDY_REPORT_SHUTDOWN ||
            report->kind == EDDY_REPORT_RESOURCE || report->kind == EDDY_REPORT_NOT_AWAITED ||
            report->kind == EDDY_REPORT_CANCEL_NOT_READ);
}

static void trial_report(eddy_loop *loop, const eddy_report *report, void *argument)
{
    struct trial *trial = argument;

    (void)loop;
    if (!trial->report[0] && !trial_forgives(trial, report))
        snprintf(trial->report, sizeof trial->report, "%s", report->message);
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

/* Raises a failure of the trial: what it did, and then the words. */
static int trial_fail(const struct trial *trial, int code, const char *words)
{
    const eddy_test_plan *plan = trial->plan;
    const char *where = eddy_error_origin(code);
    char how[96] = "";

    if (plan->seed)
        snprintf(how, sizeof how, ", seed %llu", (unsigned long long)plan->seed);
    else if (plan->cancel_at && plan->reached)
        snprintf(how, sizeof how, ", cancelled %s its suspension %u, %s",
                 plan->cancel_late ? "after" : "in", plan->cancel_at, trial->wait);
    else if (plan->fail_allocation && plan->reached)
        snprintf(how, sizeof how, ", without its allocation %llu",
                 (unsigned long long)plan->fail_allocation);
    return eddy_raise_at(where ? where : trial->call->where, code, "%s()%s: %s",
                         trial->call->function->name, how, words);
}

/* What a run that ended with `rc` is worth. */
static int trial_verdict(const struct trial *trial, int rc)
{
    const eddy_test_plan *plan = trial->plan;
    int allowed = !plan->reached ? 0 : plan->cancel_at ? -ECANCELED : -ENOMEM;
    char words[512], left[256];

    trial_left(trial, left, sizeof left);
    if (trial->report[0])
        return trial_fail(trial, rc < 0 && rc != allowed ? rc : EDDY_ETEST, trial->report);
    if (rc < 0 && rc != allowed) {
        snprintf(words, sizeof words, "%s (%s)", eddy_error_message(rc), eddy_error_name(rc));
        return trial_fail(trial, rc, words);
    }
    if (!left[0])
        return 0;
    snprintf(words, sizeof words, "left behind: %s", left);
    return trial_fail(trial, EDDY_ETEST, words);
}

/* The run itself, on a loop of its own. */
static int trial_run(struct trial *trial)
{
    eddy_test_plan *plan = trial->plan;
    eddy_runner runner = EDDY_RUNNER_INIT;
    eddy_loop *loop = eddy_runner_get_loop(&runner);
    int rc;

    if (!loop)
        return ed_fail(runner.error);
    ed_loop_set_order(loop, !plan->real_clock, plan->seed);
    eddy_loop_set_exception_handler(loop, trial_report, trial);
    loop->step = plan->cancel_at ? trial_step : NULL;
    trial_now = trial;
    rc = eddy_runner_run(&runner, *trial->call);
    trial->over = true;
    eddy_runner_close(&runner);
    trial_now = NULL;
    return rc;
}

int eddy_test_run(eddy_test_plan *plan, eddy_call call)
{
    struct trial trial = {.plan = plan, .call = &call, .descriptors = trial_descriptors()};
    bool guarded;
    int rc;

    if (eddy_thread_.loop)
        return ed_raise(-EBUSY, "a loop runs in this thread already");
    guarded = ed_memory_guard(plan->guard);
    eddy_get_stats(&trial.before);
    plan->suspensions = 0;
    plan->reached = false;
    ed_fault_set(ED_FAULT_ALLOC, plan->fail_allocation, -ENOMEM);
    rc = trial_run(&trial);
    plan->allocations = ed_fault_set(ED_FAULT_ALLOC, 0, 0);
    plan->reached |= plan->fail_allocation && plan->allocations >= plan->fail_allocation;
    (void)ed_memory_guard(guarded);
    return trial_verdict(&trial, rc);
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
    int rc = eddy_test_seeds_call(1, TRIAL_SEEDS, call);

    if (rc == 0)
        rc = eddy_test_cancels_call(call);
    return rc < 0 ? rc : eddy_test_allocations_call(call);
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
    for (int turn = 0; turn < TRIAL_TURNS; turn++) {
        int rc = eddy_sleep(0);

        if (rc < 0)
            return rc;
        if (!eddy_thread_.loop->ready && turn >= 2)
            return 0;
    }
    return ed_raise(-ELOOP, "something is still ready after %d turns", TRIAL_TURNS);
}
