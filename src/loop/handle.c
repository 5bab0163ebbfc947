/* SPDX-License-Identifier: MIT */
/*
 * Scheduled callbacks. A handle lives in a chunk of the loop's until the loop is
 * closed, and is used again and again under a new id each time: so a caller's
 * eddy_handle may be stale, but never points nowhere.
 *
 *   free --> ready --> free            call_soon
 *   free --> timer --> ready --> free  call_later, call_at
 *
 * A cancel frees a timer at once; a ready node is freed when its turn comes.
 */
#include <errno.h>
#include <math.h>

#include "base/die.h"
#include "base/memory.h"
#include "loop/loop.h"

enum handle_state { HANDLE_FREE, HANDLE_READY, HANDLE_TIMER, HANDLE_CANCELLED };

struct ed_handle {
    struct ed_ready ready;
    struct eddy_timer_ timer;
    struct ed_handle *next_free;
    eddy_loop *loop;
    eddy_callback *callback;
    void *argument;
    struct ed_locals *locals;
    uint64_t id;
    enum handle_state state;
    bool timed, was_cancelled;
};

struct handle_chunk {
    struct eddy_link_ link;
    struct ed_handle handles[32];
};

static void handle_free(struct ed_handle *handle, bool cancelled)
{
    handle->state = HANDLE_FREE;
    handle->was_cancelled = cancelled;
    ed_locals_unref(handle->locals);
    handle->locals = NULL;
    handle->next_free = handle->loop->free_handles;
    handle->loop->free_handles = handle;
}

static void handle_run(struct ed_ready *node)
{
    struct ed_handle *handle = ed_container_of(node, struct ed_handle, ready);
    struct ed_locals *locals = ed_locals_ref(handle->locals);
    eddy_loop *loop = handle->loop;
    bool cancelled = handle->state == HANDLE_CANCELLED;
    eddy_callback *callback = handle->callback;
    void *argument = handle->argument;

    handle_free(handle, cancelled);
    if (!cancelled)
        ed_loop_call(loop, callback, argument, locals);
    ed_locals_unref(locals);
}

static void handle_due(struct eddy_timer_ *timer)
{
    struct ed_handle *handle = ed_container_of(timer, struct ed_handle, timer);

    handle->state = HANDLE_READY;
    ed_loop_ready(handle->loop, &handle->ready);
}

static bool handle_add_chunk(eddy_loop *loop)
{
    struct handle_chunk *chunk = ed_alloc_zero(sizeof *chunk);

    if (!chunk)
        return false;
    ed_list_append(&loop->handle_chunks, &chunk->link);
    for (size_t i = 0; i < ED_ARRAY_LENGTH(chunk->handles); i++) {
        struct ed_handle *handle = &chunk->handles[i];

        handle->loop = loop;
        handle->ready.run = handle_run;
        handle->timer = (struct eddy_timer_)ED_TIMER_INIT(handle_due);
        handle->next_free = loop->free_handles;
        loop->free_handles = handle;
    }
    return true;
}

/* A handle with these local values, which it takes. */
static struct ed_handle *
handle_new(eddy_loop *loop, eddy_callback *callback, void *argument, struct ed_locals *locals)
{
    struct ed_handle *handle;

    if (loop->closed || (!loop->free_handles && !handle_add_chunk(loop))) {
        ed_locals_unref(locals);
        return NULL;
    }
    handle = loop->free_handles;
    loop->free_handles = handle->next_free;
    handle->callback = callback;
    handle->argument = argument;
    handle->locals = locals;
    handle->id = loop->next_handle++;
    handle->timed = handle->was_cancelled = false;
    return handle;
}

eddy_handle ed_loop_call_soon(eddy_loop *loop, eddy_callback *callback, void *argument,
                              struct ed_locals *locals)
{
    struct ed_handle *handle = handle_new(loop, callback, argument, locals);

    if (!handle)
        return (eddy_handle){NULL, 0};
    handle->state = HANDLE_READY;
    ed_loop_ready(loop, &handle->ready);
    return (eddy_handle){handle, handle->id};
}

eddy_handle eddy_loop_call_soon(eddy_loop *loop, eddy_callback *callback, void *argument)
{
    ed_loop_check_thread(loop, "eddy_loop_call_soon");
    return ed_loop_call_soon(loop, callback, argument, ed_loop_take_locals());
}

static eddy_handle handle_at(eddy_loop *loop, int64_t when, eddy_callback *callback, void *argument)
{
    struct ed_handle *handle = handle_new(loop, callback, argument, ed_loop_take_locals());

    if (!handle)
        return (eddy_handle){NULL, 0};
    handle->state = HANDLE_TIMER;
    handle->timed = true;
    ed_loop_start_timer(loop, &handle->timer, when);
    return (eddy_handle){handle, handle->id};
}

eddy_handle
eddy_loop_call_later(eddy_loop *loop, double delay, eddy_callback *callback, void *argument)
{
    int64_t wait = ed_time_from_seconds(delay);

    ed_loop_check_thread(loop, "eddy_loop_call_later");
    if (isnan(delay))
        return (eddy_handle){NULL, 0};
    return handle_at(loop, ed_time_add(ed_loop_now(loop), wait > 0 ? wait : 0), callback, argument);
}

eddy_handle eddy_loop_call_at(eddy_loop *loop, double when, eddy_callback *callback, void *argument)
{
    ed_loop_check_thread(loop, "eddy_loop_call_at");
    if (isnan(when))
        return (eddy_handle){NULL, 0};
    return handle_at(loop, ed_time_from_seconds(when), callback, argument);
}

/* Whether the handle still stands for the call that it was given out for. */
static bool handle_valid(eddy_handle handle)
{
    return handle.handle && handle.handle->id == handle.id;
}

bool eddy_handle_cancel(eddy_handle h)
{
    struct ed_handle *handle = h.handle;

    if (!handle_valid(h))
        return false;
    ed_loop_check_thread(handle->loop, "eddy_handle_cancel");
    if (handle->state == HANDLE_TIMER) {
        ed_loop_stop_timer(handle->loop, &handle->timer);
        handle_free(handle, true);
        return true;
    }
    if (handle->state != HANDLE_READY)
        return false;
    handle->state = HANDLE_CANCELLED;
    return true;
}

bool eddy_handle_cancelled(eddy_handle h)
{
    return handle_valid(h) && (h.handle->state == HANDLE_CANCELLED || h.handle->was_cancelled);
}

double eddy_handle_when(eddy_handle h)
{
    if (!handle_valid(h) || !h.handle->timed || h.handle->state == HANDLE_FREE)
        return NAN;
    return ed_time_to_seconds(h.handle->timer.when);
}

void ed_loop_close_handles(eddy_loop *loop)
{
    ED_LIST_FOR_EACH(link, &loop->handle_chunks) {
        struct handle_chunk *chunk = ed_container_of(link, struct handle_chunk, link);

        for (size_t i = 0; i < ED_ARRAY_LENGTH(chunk->handles); i++) {
            struct ed_handle *handle = &chunk->handles[i];

            ed_loop_stop_timer(loop, &handle->timer);
            if (handle->state != HANDLE_FREE)
                handle_free(handle, handle->state == HANDLE_CANCELLED);
        }
    }
}

void ed_loop_free_handles(eddy_loop *loop)
{
    struct eddy_link_ *link;

    while ((link = ed_list_pop(&loop->handle_chunks)))
        ed_free(ed_container_of(link, struct handle_chunk, link));
}
