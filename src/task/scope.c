/* SPDX-License-Identifier: MIT */
/*
 * Timeouts, shields and deferred calls.
 *
 * A timeout is a timer that gives its scope a code when it fires; it never looks
 * at a clock itself. A deadline that has passed already is due at the next turn
 * of the loop, which is made to come at the next suspension. What stops a block on a signal is
 * in os/stop.c; its text is here, where calls are refused.
 */
#include "task/scope.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/die.h"
#include "eddy/signal.h"
#include "task/park.h"

static const char *const scope_names[] = {
    [ED_SCOPE_TIMEOUT] = "timeout",   [ED_SCOPE_SHIELD] = "shield", [ED_SCOPE_GROUP] = "group",
    [ED_SCOPE_CALL] = "call", /* one that others may end, such as a read */
    [ED_SCOPE_STOP] = "EDDY_STOP_ON", [ED_SCOPE_ENDING] = "ending",
};

void ed_scope_enter(struct eddy_scope_ *scope, enum ed_scope_kind kind, const char *where)
{
    eddy_task *self = eddy_thread_.task;

    *scope = (struct eddy_scope_){.task = self, .kind = (unsigned char)kind, .where = where};
    if (!self)
        return;
    scope->outer = self->scope;
    self->scope = scope;
    if (kind == ED_SCOPE_SHIELD || kind == ED_SCOPE_ENDING)
        ed_task_refresh(self);
}

void ed_scope_exit(struct eddy_scope_ *scope)
{
    eddy_task *self = scope->task;

    if (!self)
        return;
    if (ed_unlikely(self->loop->abandoned)) { /* in a child of fork(2), which leaves the block */
        self->scope = scope->outer;
        scope->task = NULL;
        return;
    }
    if (self != eddy_thread_.task || self->scope != scope)
        ed_die("the %s of %s is closed out of order: scopes end like the blocks they stand in",
               scope_names[scope->kind], scope->where);
    self->scope = scope->outer;
    scope->task = NULL;
    if (scope->code || scope->kind == ED_SCOPE_SHIELD || scope->kind == ED_SCOPE_ENDING)
        ed_task_refresh(self);
}

void ed_scope_fail(struct eddy_scope_ *scope, int code)
{
    scope->code = code;
    if (scope->task)
        ed_task_refresh(scope->task);
}

static void stop_write_text(const eddy_stop_scope *stop, eddy_task *task)
{
    const char *name = sigabbrev_np(stop->number);
    char text[64];

    if (name)
        snprintf(text, sizeof text, "stopped by SIG%s", name);
    else
        snprintf(text, sizeof text, "stopped by signal %d", stop->number);
    ed_error_write(task, task->pending, text);
}

void ed_scope_give_text(eddy_task *task)
{
    struct eddy_scope_ *counts = NULL;

    if (task->error && task->error->code == task->pending)
        return;
    for (struct eddy_scope_ *scope = task->scope; scope; scope = scope->outer) {
        if (scope->kind == ED_SCOPE_SHIELD && !task->is.pierced)
            break;
        if (scope->code)
            counts = scope;
    }
    if (!counts || counts->code != task->pending)
        return;
    if (counts->kind == ED_SCOPE_GROUP)
        ed_group_give_text(ed_container_of(counts, eddy_group, scope), task);
    else if (counts->kind == ED_SCOPE_STOP)
        stop_write_text(ed_container_of(counts, eddy_stop_scope, scope), task);
}

static void timeout_fire(struct eddy_timer_ *timer)
{
    eddy_timeout *timeout = ed_container_of(timer, eddy_timeout, timer);
    struct ed_error *error = timeout->scope.task->error;

    if (error && error->code == -ETIMEDOUT)
        error->code = 0; /* the text of another one */
    ed_scope_fail(&timeout->scope, -ETIMEDOUT);
}

static void timeout_arm(eddy_timeout *timeout, int64_t when)
{
    eddy_loop *loop;

    timeout->timer.when = when;
    if (!timeout->scope.task || when == ED_NEVER)
        return;
    loop = timeout->scope.task->loop;
    ed_loop_start_timer(loop, &timeout->timer, when);
    if (when <= ed_loop_now(loop))
        loop->turns = ED_HURRY;
}

void eddy_timeout_enter_at(eddy_timeout *timeout, double when, const char *where)
{
    ed_scope_enter(&timeout->scope, ED_SCOPE_TIMEOUT, where);
    timeout->timer = (struct eddy_timer_)ED_TIMER_INIT(timeout_fire);
    timeout_arm(timeout, ed_time_from_seconds(when));
}

void eddy_timeout_enter(eddy_timeout *timeout, double seconds, const char *where)
{
    eddy_task *self = eddy_thread_.task;
    int64_t wait = ed_time_from_seconds(seconds);

    ed_scope_enter(&timeout->scope, ED_SCOPE_TIMEOUT, where);
    timeout->timer = (struct eddy_timer_)ED_TIMER_INIT(timeout_fire);
    timeout_arm(timeout, self && wait != ED_NEVER
                             ? ed_time_add(ed_loop_now(self->loop), wait > 0 ? wait : 0)
                             : ED_NEVER);
}

void eddy_timeout_exit(eddy_timeout *timeout)
{
    if (timeout->scope.task)
        ed_loop_stop_timer(timeout->scope.task->loop, &timeout->timer);
    ed_scope_exit(&timeout->scope);
}

bool eddy_timeout_expired(const eddy_timeout *timeout)
{
    return timeout->scope.code != 0;
}

double eddy_timeout_when(const eddy_timeout *timeout)
{
    return ed_time_to_seconds(timeout->timer.when);
}

int eddy_timeout_reschedule(eddy_timeout *timeout, double when)
{
    if (isnan(when))
        return ed_raise(-EINVAL, "eddy_timeout_reschedule: the time is not a number");
    if (!timeout->scope.task)
        return ed_raise(-EINVAL, "eddy_timeout_reschedule: the timeout's block has ended");
    if (timeout->scope.code)
        return ed_raise(-EINVAL, "eddy_timeout_reschedule: the timeout has expired");
    ed_loop_stop_timer(timeout->scope.task->loop, &timeout->timer);
    timeout_arm(timeout, ed_time_from_seconds(when));
    return 0;
}

void eddy_shield_enter(eddy_shield_scope *shield, const char *where)
{
    ed_scope_enter(&shield->scope, ED_SCOPE_SHIELD, where);
}

void eddy_shield_exit(eddy_shield_scope *shield)
{
    ed_scope_exit(&shield->scope);
}

void eddy_defer_run_(struct eddy_defer_ *defer)
{
    struct ed_error *error = ed_error_set_aside(); /* the clean-up's do not hide the block's */
    eddy_shield_scope shield;

    ed_scope_enter(&shield.scope, ED_SCOPE_SHIELD, "EDDY_DEFER");
    defer->function(defer->argument);
    ed_scope_exit(&shield.scope);
    ed_error_put_back(error);
}
