/* SPDX-License-Identifier: MIT */
/*
 * Tasks: their making, their end, and waiting for it.
 *
 * A task's memory is its stack's: control block at the top, result below it,
 * frames below that. Whoever waits for its end leaves a completion in its list;
 * the end goes through the list once, and gives each waiter its own copy of the
 * result. So nobody needs to touch a task after it was told of the end, and the
 * owner may free it at once.
 */
#include "task/task.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "base/die.h"
#include "base/memory.h"
#include "base/stats.h"
#include "eddy/executor.h"
#include "task/debug.h"
#include "task/park.h"

#define ID_BLOCK 1024 /* ids that a loop takes from the process at a time */

static uint64_t task_ids; /* atomic */

static void tasks_stop(eddy_loop *loop);
static void tasks_close(eddy_loop *loop);

static void tasks_run(eddy_loop *loop, bool begins)
{
    if (begins) {
        ed_overflow_watch(loop->tasks);
        if (loop->debug)
            ed_debug_begin(loop);
    } else {
        if (loop->debug)
            ed_debug_end(loop);
        ed_overflow_unwatch();
    }
}

static struct ed_locals *task_locals(void)
{
    return eddy_thread_.task->locals;
}

/* In a child of fork(2): signals are no longer the parent's. */
static void tasks_forget(void)
{
    ed_interrupt_forget();
    ed_quit_forget();
    ed_overflow_forget();
}

static void tasks_watch_forks(void)
{
    pthread_atfork(NULL, NULL, tasks_forget);
}

struct ed_tasks *ed_tasks_of(eddy_loop *loop)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct ed_tasks *tasks;

    if (ed_likely(loop->tasks != NULL))
        return loop->tasks;
    tasks = ed_alloc_zero(sizeof *tasks);
    if (!tasks)
        return NULL;
    __atomic_store_n(&loop->tasks, tasks, __ATOMIC_RELEASE); /* for eddy_get_stats */
    loop->task_locals = task_locals;
    loop->tasks_run = tasks_run;
    loop->tasks_stop = tasks_stop;
    loop->tasks_close = tasks_close;
    pthread_once(&once, tasks_watch_forks);
    if (loop->running)
        tasks_run(loop, true);
    return loop->tasks;
}

static uint64_t task_next_id(struct ed_tasks *tasks)
{
    if (tasks->next_id == tasks->end_id) {
        tasks->next_id = __atomic_fetch_add(&task_ids, ID_BLOCK, __ATOMIC_RELAXED) + 1;
        tasks->end_id = tasks->next_id + ID_BLOCK;
    }
    return tasks->next_id++;
}

/* Tells everybody who waits for the end of a task. */
ED_INLINE void task_tell(eddy_task *task)
{
    struct eddy_link_ *link;

    while (task->is.has_completions && (link = ed_list_pop(&task->completions))) {
        struct ed_completion *completion = ed_container_of(link, struct ed_completion, link);

        completion->notify(completion);
    }
    task->is.has_completions = false;
}

/* The first frame of every task. */
static _Noreturn void task_main(void)
{
    eddy_task *self = eddy_thread_.task;
    eddy_group *group;
    int rc;

    ed_fiber_entered();
    rc = self->function->entry(self->args, self->result);
    if (ed_unlikely(eddy_thread_.task != self))
        ed_die("task %s has returned in a child of fork(2), where its loop is closed: end the "
               "child by _exit(2)",
               eddy_task_name(self));
    ed_stack_left(&self->stack, self->where);
    if (ed_unlikely(self->is.marked && !ed_debug_mark_is_whole(self)))
        ed_debug_task_was_deep(self);
    if (self->scope)
        ed_die("task %s left the scope of %s open", eddy_task_name(self), self->scope->where);
    if (self->is.cancel_unseen && rc >= 0) {
        if (self->function->destroy)
            self->function->destroy(self->result);
        rc = -ECANCELED;
    }
    self->rc = rc;
    self->is.done = true;
    self->pending = 0;
    self->is.failed_alone =
        rc < 0 && rc != -ECANCELED && (!self->is.cancel_final || self->is.shut_down);
    if (ed_unlikely(self->is.shut_down) && --self->loop->tasks->leaving == 0)
        eddy_loop_stop(self->loop);
    if (self->is.has_completions)
        task_tell(self);
    group = self->group;
    if (self->is.owner == ED_OWNER_GROUP)
        ed_group_child_done(group, self);
    else if (self->is.owner == ED_OWNER_NONE)
        ed_task_free(self);
    ed_leave(self, true);
    ed_die("a task that had ended was resumed");
}

/* Lays out a stack's top, and prepares the first switch to it. */
ED_INLINE void task_lay_out(eddy_task *task, size_t result_size)
{
    char *top = (char *)task;

    if (result_size) {
        top -= (result_size + 15) & ~(size_t)15;
        task->result = top;
    } else {
        task->result = NULL;
    }
    top -= (uintptr_t)top & 15;
    top -= 16;
    ((void **)(void *)top)[0] = NULL; /* where a return address would be: ends backtraces */
    ((void **)(void *)top)[1] = NULL;
    task->context =
        (struct eddy_context_){top + sizeof(void *) * EDDY_ENTRY_WORDS_, (void *)task_main, NULL};
}

ED_COLD static eddy_task *task_refused(int code, const eddy_task_options *options)
{
    if (code == -EINVAL)
        ed_raise(code, "a stack of %zu bytes is too large", options->stack_size);
    else
        ed_raise(code, "no memory for another task, or vm.max_map_count reached: raise it by "
                       "sysctl, or use fewer tasks at a time");
    return NULL;
}

const eddy_task_options eddy_task_eager_ = {.eager_start = true};

/* Whether a task with these options is started by its creation, and not by the queue. */
static bool task_is_eager(const eddy_loop *loop, const eddy_task_options *options)
{
    return options->eager_start && eddy_thread_.loop == loop;
}

/* Takes a stack, makes a task of it, and makes it ready unless it is eager. */
ED_INLINE eddy_task *task_new(eddy_loop *loop, const struct eddy_async *function, const char *where,
                              const eddy_task_options *options)
{
    struct ed_tasks *tasks = ed_tasks_of(loop);
    struct ed_locals *locals = eddy_thread_.task ? eddy_thread_.task->locals : eddy_thread_.locals;
    unsigned class = ED_STACK_CLASS_DEFAULT;
    struct ed_stack *stack;
    eddy_task *task;

    if (ed_unlikely(options && options->stack_size))
        class = ed_stack_class(options->stack_size);
    if (ed_unlikely(!tasks || class == ED_STACK_CLASSES))
        return task_refused(tasks ? -EINVAL : -ENOMEM, options);
    stack = ed_stack_take(&tasks->stacks, class, ED_STACK_TASK);
    if (ed_unlikely(!stack))
        return task_refused(-ENOMEM, options);
    task = ed_container_of(stack, eddy_task, stack);
    task->args = task->args_room;
    task->scope = NULL;
    task->ready.run = ed_task_run;
    task->pending = 0;
    task->is = (struct ed_task_flags){.done = false};
    task->wait = NULL;
    task->loop = loop;
    task->function = function;
    task->where = where;
    task->id = task_next_id(tasks);
    task->locals = locals ? ed_locals_ref(locals) : NULL;
    task->error = NULL;
    task->fiber = &stack->fiber;
    task->name[0] = '\0';
    task->mark = 0;
    if (ed_unlikely(options && options->name))
        eddy_task_set_name(task, options->name);
    task_lay_out(task, function->result_size);
    ed_count(&loop->task_count, 1);
    if (ed_unlikely(loop->debug))
        ed_debug_task_made(task);
    if (ed_likely(!options || !task_is_eager(loop, options)))
        ed_loop_ready(loop, &task->ready);
    return task;
}

/*
 * Runs an eager task up to where it first suspends. A task that creates it waits at
 * the front of the queue meanwhile, so that whatever the new one does, this one is
 * next. In a callback the loop's own stack does the same.
 */
static void task_start(eddy_task *task)
{
    eddy_loop *loop = task->loop;
    eddy_task *self = eddy_thread_.task;
    int turns = loop->turns, credit = eddy_thread_.credit;
    size_t eager = loop->eager;

    if (!self) {
        loop->turns = 1; /* whoever suspends comes back here */
        ed_task_run(&task->ready);
        while (loop->eager > eager)
            ed_task_run(ed_loop_take_ready(loop));
        loop->turns = loop->turns <= ED_HURRY ? ED_HURRY : turns;
        return;
    }
    loop->eager++;
    loop->turns++; /* the way back is none of the turn's resumes */
    ed_loop_ready_first(loop, &self->ready);
    if (ED_FIBERS)
        self->fiber = ed_fiber_now;
    ed_thread_enter(task);
    ed_switch(&self->context, &task->context, task->fiber, false);
    loop->eager--;
    if (!self->pending)
        eddy_thread_.credit = credit; /* or creating tasks would be a way to hold the loop */
}

void eddy_task_start_(eddy_task *task, const eddy_task_options *options)
{
    if (task && task_is_eager(task->loop, options))
        task_start(task);
}

eddy_task *ed_task_new(eddy_loop *loop, const struct eddy_async *function, const char *where,
                       const eddy_task_options *options)
{
    return task_new(loop, function, where, options);
}

eddy_task *eddy_task_new_(const struct eddy_async *function, const char *where,
                          const eddy_task_options *options)
{
    eddy_loop *loop = eddy_thread_.loop;

    if (ed_unlikely(!loop)) {
        ed_raise(-EPERM, "a task was created outside a running loop");
        return NULL;
    }
    return task_new(loop, function, where, options);
}

/* The entry of a call that is run in another way than by its own entry. */
static int task_run_entry(void *args, void *result)
{
    eddy_task *self = eddy_thread_.task;

    return self->way->run(self->way, self->called, args, result);
}

eddy_task *
ed_task_new_call(eddy_loop *loop, const eddy_call *call, const eddy_task_options *options)
{
    eddy_task *task = ed_task_new(loop, call->function, call->where, options);

    if (ed_unlikely(!task))
        return NULL;
    memcpy(task->args, call->args, EDDY_ARGS_MAX);
    if (ed_unlikely(call->way != NULL)) {
        task->way = call->way;
        task->called = call->function;
        task->own_function = *call->function;
        task->own_function.entry = task_run_entry;
        task->function = &task->own_function;
    }
    return task;
}

eddy_task *eddy_loop_create_task(eddy_loop *loop, eddy_call call)
{
    if (!loop->closed && pthread_equal(loop->thread, pthread_self()))
        return ed_task_new_call(loop, &call, NULL);
    ed_raise(-EPERM, "a task was created on a closed loop, or from another thread than its loop's");
    return NULL;
}

eddy_task *eddy_task_from_call(eddy_call call)
{
    eddy_loop *loop = eddy_thread_.loop;
    /* a thread job is submitted now: its executor may be shut or freed next */
    const eddy_task_options *options = call.way ? &eddy_task_eager_ : NULL;
    eddy_task *task;

    if (!loop) {
        ed_raise(-EPERM, "a task was created outside a running loop");
        return NULL;
    }
    task = ed_task_new_call(loop, &call, options);
    if (options)
        eddy_task_start_(task, options);
    return task;
}

int ed_call_here(const eddy_call *call)
{
    alignas(16) unsigned char args[EDDY_ARGS_MAX];
    alignas(16) unsigned char result[EDDY_RESULT_MAX];
    int rc;

    memcpy(args, call->args, sizeof args);
    rc = call->way ? call->way->run(call->way, call->function, args, result)
                   : call->function->entry(args, result);
    if (rc >= 0 && call->out)
        memcpy(call->out, result, call->function->result_size);
    else if (rc >= 0 && call->function->destroy)
        call->function->destroy(result);
    return rc;
}

eddy_task *eddy_task_create(eddy_entry *entry, const void *args, size_t args_size,
                            size_t result_size, const eddy_task_options *options)
{
    struct eddy_async function = {.entry = entry,
                                  .name = "task",
                                  .args_size = (uint16_t)args_size,
                                  .result_size = (uint16_t)result_size};
    eddy_task *task;

    if (args_size > EDDY_ARGS_MAX || result_size > EDDY_RESULT_MAX) {
        ed_raise(-EINVAL, "arguments of %zu or a result of %zu bytes are too large", args_size,
                 result_size);
        return NULL;
    }
    task = eddy_task_new_(&function, "?", options);
    if (!task)
        return NULL;
    task->own_function = function;
    task->function = &task->own_function;
    if (args_size)
        memcpy(task->args, args, args_size);
    if (options)
        eddy_task_start_(task, options);
    return task;
}

eddy_task *ed_task_next(struct ed_tasks *tasks, eddy_task *after)
{
    struct ed_stack *stack = after ? &after->stack : NULL;

    do
        stack = ed_stack_next(&tasks->stacks, stack);
    while (stack && stack->use != ED_STACK_TASK);
    return stack ? ed_container_of(stack, eddy_task, stack) : NULL;
}

eddy_task *ed_task_if_alive(eddy_loop *loop, eddy_task *task, uint64_t id)
{
    if (!task || !ed_stack_is_at(&loop->tasks->stacks, &task->stack, ED_STACK_TASK))
        return NULL;
    return task->id == id ? task : NULL;
}

void eddy_task_trim_(eddy_task *task)
{
    if (task != eddy_thread_.task && task->context.sp)
        ed_stack_trim(&task->stack, task->context.sp);
}

/* Names, state -------------------------------------------------------------- */

const char *eddy_task_name(eddy_task *task)
{
    if (!task)
        return "-";
    if (!task->name[0])
        snprintf(task->name, sizeof task->name, "Task-%llu", (unsigned long long)task->id);
    return task->name;
}

void eddy_task_set_name(eddy_task *task, const char *name)
{
    if (task)
        snprintf(task->name, sizeof task->name, "%s", name);
}

eddy_task *eddy_current_task(void)
{
    return eddy_thread_.task;
}

size_t eddy_all_tasks(eddy_task **found, size_t capacity)
{
    eddy_loop *loop = eddy_thread_.loop;
    size_t count = 0;

    if (!loop || !loop->tasks)
        return 0;
    for (eddy_task *t = ed_task_next(loop->tasks, NULL); t; t = ed_task_next(loop->tasks, t)) {
        if (t->is.done)
            continue;
        if (count < capacity)
            found[count] = t;
        count++;
    }
    return count;
}

bool eddy_task_done(const eddy_task *task)
{
    return task && task->is.done;
}

bool eddy_task_cancelled(const eddy_task *task)
{
    return task && task->is.done && task->rc == -ECANCELED;
}

/* Waiting for the end ------------------------------------------------------- */

struct task_await {
    struct ed_wait wait;
    struct ed_completion completion;
    void *out;
    size_t size;
};

static bool task_await_abort(struct ed_wait *wait)
{
    ed_task_forget_completion(&ed_container_of(wait, struct task_await, wait)->completion);
    return true;
}

static eddy_task *task_await_holder(const struct ed_wait *wait)
{
    return ed_container_of(wait, const struct task_await, wait)->completion.task;
}

static const struct ed_wait_kind task_await_kind = {"await", task_await_abort, task_await_holder};

void ed_task_on_completion(eddy_task *task, struct ed_completion *completion,
                           void (*notify)(struct ed_completion *completion))
{
    completion->task = task;
    completion->notify = notify;
    task->is.awaited = true;
    if (!task->is.has_completions)
        task->completions = (struct eddy_list_){NULL, NULL};
    task->is.has_completions = true;
    ed_list_append(&task->completions, &completion->link);
}

void ed_task_forget_completion(struct ed_completion *completion)
{
    ed_list_remove(&completion->task->completions, &completion->link);
}

ED_COLD static void task_wrong_size(const eddy_task *task, size_t size)
{
    ed_die("the result of %s() (task created at %s) has %u bytes, but %zu were asked for",
           task->function->name, task->where, task->function->result_size, size);
}

int ed_task_take_result(eddy_task *task, void *out, size_t size)
{
    if (!out)
        return 0;
    if (ed_unlikely(size != task->function->result_size))
        task_wrong_size(task, size);
    if (task->function->destroy) {
        if (task->is.result_taken)
            return -EALREADY;
        task->is.result_taken = true;
    }
    memcpy(out, task->result, size);
    return 0;
}

int ed_task_outcome(eddy_task *task, eddy_task *reader, void *out, size_t size)
{
    int taken;

    task->is.awaited = true;
    if (ed_likely(task->rc >= 0)) {
        taken = ed_task_take_result(task, out, size);
        if (ed_unlikely(taken < 0 && reader))
            ed_error_forget(reader, taken);
        return taken < 0 ? taken : task->rc;
    }
    task->is.error_read = true;
    if (reader)
        ed_error_copy(reader, task, task->rc);
    return task->rc;
}

static void task_await_notify(struct ed_completion *completion)
{
    struct task_await *await = ed_container_of(completion, struct task_await, completion);

    ed_wake_with_text(&await->wait,
                      ed_task_outcome(completion->task, await->wait.task, await->out, await->size));
}

/* Awaits a task that has not ended; apart, so that the others save no registers. */
static ED_NOINLINE int task_await_wait(eddy_task *task, void *out, size_t size)
{
    struct task_await await = {
        .wait = ED_WAIT(&task_await_kind, task, NULL), .out = out, .size = size};

    ed_task_on_completion(task, &await.completion, task_await_notify);
    return ed_park(&await.wait);
}

int eddy_task_await(eddy_task *task, void *out, size_t size)
{
    eddy_task *self = eddy_thread_.task;
    int rc = ed_checkpoint();

    if (ed_unlikely(rc < 0))
        return rc;
    if (ed_unlikely(!task))
        return -ENOMEM; /* the text of the failed create still explains it */
    if (ed_unlikely(task == self))
        return ed_raise(-EDEADLK, "task %s awaits itself", eddy_task_name(task));
    if (ed_unlikely(task->loop != self->loop))
        return ed_raise(-EINVAL, "task %s belongs to another loop", eddy_task_name(task));
    if (!task->is.done)
        return task_await_wait(task, out, size);
    return ed_task_outcome(task, self, out, size);
}

int eddy_task_result_nowait(eddy_task *task, void *out, size_t size)
{
    if (!task)
        return ed_fail(-ENOMEM);
    if (!task->is.done)
        return ed_fail(-EINPROGRESS);
    return ed_task_outcome(task, eddy_thread_.task, out, size);
}

int eddy_task_error(eddy_task *task)
{
    return eddy_task_result_nowait(task, NULL, 0);
}

/* An await as a call: runs as a child of a gather or group. */
struct await_args {
    eddy_task *task;
    void *out;
    size_t size;
};

static int await_entry(void *memory, void *result)
{
    struct await_args *args = memory;

    (void)result;
    return eddy_task_await(args->task, args->out, args->size);
}

eddy_call eddy_await_call_(eddy_task *task, void *out, size_t size, const char *where)
{
    static const struct eddy_async function = {
        .entry = await_entry, .name = "eddy_await", .args_size = sizeof(struct await_args)};
    eddy_call call = {.function = &function, .where = where};
    struct await_args args = {task, out, size};

    memcpy(call.args, &args, sizeof args);
    return call;
}

/* The end of ownership ------------------------------------------------------ */

ED_COLD static void task_report_unread(eddy_task *task)
{
    ed_loop_report(task->loop,
                   task->is.shut_down ? EDDY_REPORT_SHUTDOWN : EDDY_REPORT_ERROR_NOT_READ, task->rc,
                   task, "task %s, %s() created at %s, failed%s and nobody read its error: %s (%s)",
                   eddy_task_name(task), task->function->name, task->where,
                   task->is.shut_down ? " while the program ended" : "",
                   ed_error_text(task, task->rc), eddy_error_name(task->rc));
}

void ed_task_free(eddy_task *task)
{
    struct ed_tasks *tasks = task->loop->tasks;

    if (ed_unlikely(task->rc < 0 && !task->is.error_read && task->is.failed_alone))
        task_report_unread(task);
    if (ed_unlikely(task->rc == -ECANCELED && task->loop->debug))
        ed_debug_task_cancelled(task);
    if (ed_unlikely(task->function->destroy && task->rc >= 0 && !task->is.result_taken))
        task->function->destroy(task->result);
    if (ed_unlikely(task->error != NULL))
        ed_free(task->error);
    if (ed_unlikely(task->locals != NULL))
        ed_locals_unref(task->locals);
    ed_count(&task->loop->task_count, -1);
    ed_stack_give(&tasks->stacks, &task->stack);
}

static void task_joined(struct ed_completion *completion)
{
    ed_wake(&ed_container_of(completion, struct task_await, completion)->wait, 0);
}

void ed_task_join(eddy_task *task)
{
    static const struct ed_wait_kind kind = {"join", task_await_abort, task_await_holder};
    struct task_await await = {.wait = ED_WAIT(&kind, task, NULL)};

    if (task->is.done)
        return;
    if (!await.wait.task)
        ed_die("a task handle was released outside a task, while its task %s still runs",
               eddy_task_name(task));
    if (await.wait.task == task)
        ed_die("task %s releases itself", eddy_task_name(task));
    await.wait.shielded = true;
    ed_task_on_completion(task, &await.completion, task_joined);
    (void)ed_park(&await.wait); /* always 0 */
}

ED_COLD static void task_not_owned(const char *what)
{
    ed_die("a task handle is %s that is not owned: it was released or detached before, or it is a "
           "group's",
           what);
}

ED_INLINE void task_release(eddy_task *task)
{
    if (ed_unlikely(task->is.owner != ED_OWNER_HANDLE || task->stack.use != ED_STACK_TASK))
        task_not_owned("released");
    ed_task_check_thread(task, "eddy_task_release");
    if (ed_unlikely(!task->is.done)) {
        if (task->loop->debug && !task->is.awaited && task->context.pc == (void *)task_main)
            ed_debug_task_unborn(task);
        ed_task_cancel_final(task);
        ed_task_join(task);
    }
    ed_task_free(task);
}

void eddy_task_release(eddy_task **place)
{
    eddy_task *task = *place;

    *place = NULL;
    if (task)
        task_release(task);
}

void eddy_task_end_scope_(eddy_task *const *task)
{
    if (ed_likely(*task != NULL))
        task_release(*task);
}

void eddy_task_detach(eddy_task **place)
{
    eddy_task *task = *place;

    *place = NULL;
    if (!task)
        return;
    if (task->is.owner != ED_OWNER_HANDLE || task->stack.use != ED_STACK_TASK)
        task_not_owned("detached");
    ed_task_check_thread(task, "eddy_task_detach");
    task->is.owner = ED_OWNER_NONE;
    if (task->is.done)
        ed_task_free(task);
}

/* An array of handles with its length in front. */
struct task_array {
    size_t count;
    eddy_task *tasks[];
};

eddy_task **eddy_tasks_new_(size_t count)
{
    struct task_array *array =
        count < SIZE_MAX / 64 ? ed_alloc_zero(sizeof *array + count * sizeof(eddy_task *)) : NULL;

    if (!array)
        return NULL;
    array->count = count;
    return array->tasks;
}

void eddy_tasks_end_scope_(eddy_task **const *tasks)
{
    struct task_array *array;

    if (!*tasks)
        return;
    array = ed_container_of(*tasks, struct task_array, tasks);
    for (size_t i = 0; i < array->count; i++)
        if (array->tasks[i])
            ed_task_cancel_final(array->tasks[i]);
    for (size_t i = array->count; i-- > 0;)
        eddy_task_release(&array->tasks[i]);
    ed_free(array);
}

/* The loop is closed: nothing is waited for any more. What cannot be ended at once
 * completes while the loop drains its engine and its threads. */
static void tasks_stop(eddy_loop *loop)
{
    struct ed_tasks *tasks = loop->tasks;

    for (eddy_task *task = ed_task_next(tasks, NULL); task; task = ed_task_next(tasks, task)) {
        struct ed_wait *wait = task->wait;

        if (wait && wait->kind->abort && !wait->aborting)
            (void)wait->kind->abort(wait); /* it will not go on either way */
        else if (wait && wait->list && !wait->aborting)
            ed_list_remove(wait->list, &wait->link);
        if (wait)
            wait->aborting = true; /* another task's abort may come by here */
    }
}

/* Frees all tasks without running them. */
static void tasks_close(eddy_loop *loop)
{
    struct ed_tasks *tasks = loop->tasks;
    eddy_task *task, *next;

    for (task = ed_task_next(tasks, NULL); task; task = next) {
        next = ed_task_next(tasks, task);
        if (!task->is.done) {
            ed_loop_report(loop, EDDY_REPORT_TASK_DESTROYED, 0, task,
                           "task %s, %s() created at %s, was pending when its loop was closed",
                           eddy_task_name(task), task->function->name, task->where);
            task->rc = -ECANCELED;
            task_tell(task);
        }
        ed_task_free(task);
    }
    ed_generators_close(loop);
    ed_stacks_close(&tasks->stacks);
    ed_buffers_trim();
    ed_free(tasks);
    loop->tasks = NULL;
}
