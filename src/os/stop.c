/* SPDX-License-Identifier: MIT */
/*
 * Stop scopes: a signal gives the scope the code -EINTR, as a deadline gives a timeout its own; a
 * second one cancels the task.
 *
 * A task that computes sees neither; so the third is counted where it arrives, in the kernel's
 * handler. That knows no scopes, which lie on the stacks of tasks: it has two numbers a signal, how
 * many came, and up to how many are for the scopes. One that begins has a right to two more.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "os/signal.h"
#include "task/park.h"
#include "task/scope.h"

static struct {
    unsigned scopes;              /* that want it, in all loops */
    uint32_t arrived;             /* while there were any */
    uint32_t limit;               /* up to which they are for the scopes */
} stop_counts[ED_SIGNAL_MAX + 1]; /* atomic each */

bool ed_stops_count(int number)
{
    uint32_t arrived;

    if (!__atomic_load_n(&stop_counts[number].scopes, __ATOMIC_SEQ_CST))
        return false;
    arrived = __atomic_add_fetch(&stop_counts[number].arrived, 1, __ATOMIC_SEQ_CST);
    return (int32_t)(arrived - __atomic_load_n(&stop_counts[number].limit, __ATOMIC_SEQ_CST)) > 0;
}

/* How many have come of those that a scope wants; the sum may wrap. */
static uint32_t stop_count(const eddy_stop_scope *stop)
{
    uint32_t sum = 0;

    for (uint64_t left = stop->wanted; left; left &= left - 1)
        sum += __atomic_load_n(&stop_counts[__builtin_ctzll(left) + 1].arrived, __ATOMIC_SEQ_CST);
    return sum;
}

static void stop_tell(eddy_stop_scope *stop, int number)
{
    eddy_task *task = stop->scope.task;
    struct ed_tasks *tasks = task->loop->tasks;
    bool first = stop->number == 0;

    if (first) {
        stop->number = tasks->stopped_by = number;
        ed_error_forget(task, -EINTR); /* the text of another one */
        ed_scope_fail(&stop->scope, -EINTR);
        if (task->pending == -EINTR)
            ed_scope_give_text(task);
    }
    if (!first || stop_count(stop) - stop->before > 1) {
        tasks->stop_cancelled = true;
        (void)eddy_cancel(task); /* its block has not ended, so nor has the task */
    }
}

void ed_stops_tell(const struct eddy_list_ *stops, int number)
{
    ED_LIST_FOR_EACH(link, stops) {
        eddy_stop_scope *stop = ed_container_of(link, eddy_stop_scope, link);

        if (stop->wanted & ED_SIGNAL_BIT(number))
            stop_tell(stop, number);
    }
}

static void stop_ask(eddy_stop_scope *stop)
{
    for (uint64_t left = stop->wanted; left; left &= left - 1) {
        int number = __builtin_ctzll(left) + 1;
        uint32_t arrived = __atomic_load_n(&stop_counts[number].arrived, __ATOMIC_SEQ_CST);

        __atomic_store_n(&stop_counts[number].limit, arrived + 2, __ATOMIC_SEQ_CST);
        __atomic_add_fetch(&stop_counts[number].scopes, 1, __ATOMIC_SEQ_CST);
    }
    stop->before = stop_count(stop);
}

void ed_stop_drop(eddy_stop_scope *stop)
{
    for (uint64_t left = stop->wanted; left; left &= left - 1)
        __atomic_sub_fetch(&stop_counts[__builtin_ctzll(left) + 1].scopes, 1, __ATOMIC_SEQ_CST);
}

void ed_stops_forget(void)
{
    memset(stop_counts, 0, sizeof stop_counts);
}

void eddy_stop_enter(eddy_stop_scope *stop, const int *numbers, const char *where)
{
    eddy_task *self = eddy_thread_.task;
    struct ed_signals *signals;
    int rc, refused;

    *stop = (eddy_stop_scope){.number = 0};
    ed_scope_enter(&stop->scope, ED_SCOPE_STOP, where);
    signals = self ? ed_signals_of(self->loop, &rc) : NULL;
    if (!signals || ed_signals_ask_all(signals, numbers, &stop->wanted, &refused) < 0)
        return;
    stop_ask(stop);
    stop->loop = self->loop;
    ed_list_append(&signals->stops, &stop->link);
}

void eddy_stop_exit(eddy_stop_scope *stop)
{
    eddy_loop *loop = stop->loop;
    eddy_task *stop_task = stop->scope.task;
    uint64_t unseen;

    ed_scope_exit(&stop->scope);
    if (!loop || loop->closed) /* in a child of fork(2) */
        return;
    ed_list_remove(&loop->signals->stops, &stop->link);
    ed_stop_drop(stop);
    unseen = ed_signals_drop_all(loop->signals, stop->wanted);
    if (unseen && stop->number) /* a second one */
        (void)eddy_cancel(stop_task);
    else /* the loop has not looked before the block ended: it does what it did before */
        for (; unseen; unseen &= unseen - 1)
            (void)kill(getpid(), __builtin_ctzll(unseen) + 1);
}

int eddy_stop_signal(const eddy_stop_scope *stop)
{
    return stop->number;
}
