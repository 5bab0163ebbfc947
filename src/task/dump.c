/* SPDX-License-Identifier: MIT */
/*
 * The tree of tasks, for eddy_dump_tasks and the deadlock report.
 *
 * A task hangs under the one that waits for it: the owner of its group, or the
 * first that awaits it. The tree is built in scratch members of the tasks, so
 * that it needs no memory. A link that would close a circle is left out of the
 * tree and named in the text instead.
 */
#include <stdlib.h>

#include "base/memory.h"
#include "eddy/debug.h"
#include "task/park.h"

#define DUMP_LINES ((size_t)10000) /* a million tasks make no readable report */

static eddy_task *dump_holder(const eddy_task *task)
{
    const struct ed_wait *wait = task->wait;
    eddy_task *holder = wait && wait->kind->holder ? wait->kind->holder(wait) : NULL;

    return holder && !holder->is.done ? holder : NULL;
}

/* Whether `task` is `other`, or hangs below it. */
static bool dump_is_below(const eddy_task *task, const eddy_task *other)
{
    for (; task; task = task->awaiter)
        if (task == other)
            return true;
    return false;
}

static void dump_hang(eddy_task *task, eddy_task *awaiter)
{
    if (task->awaiter || dump_is_below(awaiter, task))
        return;
    if (awaiter->first_awaited)
        awaiter->last_awaited->next_awaited = task;
    else
        awaiter->first_awaited = task;
    awaiter->last_awaited = task;
    task->awaiter = awaiter;
}

static void dump_build(struct ed_tasks *tasks)
{
    eddy_task *t;

    for (t = ed_task_next(tasks, NULL); t; t = ed_task_next(tasks, t))
        t->awaiter = t->first_awaited = t->next_awaited = NULL;
    for (t = ed_task_next(tasks, NULL); t; t = ed_task_next(tasks, t))
        if (!t->is.done && t->is.owner == ED_OWNER_GROUP)
            dump_hang(t, t->group->scope.task);
    for (t = ed_task_next(tasks, NULL); t; t = ed_task_next(tasks, t))
        if (!t->is.done && dump_holder(t))
            dump_hang(dump_holder(t), t);
}

static void dump_line(FILE *stream, eddy_task *task, int depth)
{
    const struct ed_wait *wait = task->wait;
    eddy_task *holder = dump_holder(task);

    fprintf(stream, "  %*s%s, %s() created at %s, ", depth * 4, "", eddy_task_name(task),
            task->function->name, task->where);
    if (wait)
        fprintf(stream, "waits in %s", wait->kind->name);
    else
        fputs(task == eddy_thread_.task ? "runs" : "is ready", stream);
    if (wait && wait->object && !holder)
        fprintf(stream, " of %p", wait->object);
    if (holder)
        fprintf(stream, " for %s%s", eddy_task_name(holder),
                holder->awaiter == task       ? ""
                : dump_is_below(task, holder) ? " (a circle)"
                                              : "");
    if (task->pending)
        fprintf(stream, ", %s", eddy_strerror(task->pending));
    if (task->loop->debug)
        fprintf(stream, ", has used %zu of %zu KiB of stack", eddy_task_stack_used(task) / 1024,
                ed_stack_size(&task->stack) / 1024);
    fputc('\n', stream);
}

/* Prints a task and what hangs below it, up to *left lines. */
static void dump_tree(FILE *stream, eddy_task *root, size_t *left)
{
    eddy_task *task = root;
    int depth = 0;

    while (*left > 0) {
        dump_line(stream, task, depth);
        --*left;
        if (task->first_awaited) {
            task = task->first_awaited;
            depth++;
            continue;
        }
        while (task != root && !task->next_awaited) {
            task = task->awaiter;
            depth--;
        }
        if (task == root)
            return;
        task = task->next_awaited;
    }
}

static void dump_all(FILE *stream, struct ed_tasks *tasks)
{
    size_t left = DUMP_LINES, count = 0;

    dump_build(tasks);
    for (eddy_task *t = ed_task_next(tasks, NULL); t; t = ed_task_next(tasks, t)) {
        count += !t->is.done;
        if (!t->is.done && !t->awaiter)
            dump_tree(stream, t, &left);
    }
    if (count > DUMP_LINES)
        fprintf(stream, "  and %zu more\n", count - DUMP_LINES);
}

void eddy_dump_tasks(FILE *stream)
{
    eddy_loop *loop = eddy_thread_.loop;
    size_t count;

    if (!loop || !loop->tasks) {
        fputs("no tasks: no loop runs in this thread\n", stream);
        return;
    }
    count = eddy_all_tasks(NULL, 0);
    fprintf(stream, "%zu task%s:\n", count, count == 1 ? "" : "s");
    dump_all(stream, loop->tasks);
}

void ed_report_deadlock(eddy_loop *loop)
{
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);

    if (stream) {
        fprintf(stream, "deadlock: no task can go on, and nothing can wake one:\n");
        dump_all(stream, loop->tasks);
        fclose(stream);
        if (size && text[size - 1] == '\n')
            text[size - 1] = '\0';
    }
    eddy_loop_call_exception_handler(
        loop, &(eddy_report){.kind = EDDY_REPORT_DEADLOCK,
                             .code = -EDEADLK,
                             .message = text ? text : "deadlock: no task can go on"});
    free(text);
}
