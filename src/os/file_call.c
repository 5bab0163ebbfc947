/* SPDX-License-Identifier: MIT */
/*
 * Requests: operations on files that take time.
 *
 * A request has all that it needs in one block, and a reference to the descriptor, so that it
 * depends on nobody. It takes one of two ways, and comes back on both to request_back, on the
 * loop's thread:
 *
 *     the ring      op.done
 *     a thread      run --> ed_pool_claim --> post
 *
 * It is its waiter's (`wait` is set) until it is taken or left. Whoever leaves asks for its end,
 * and goes: a request that no thread has begun is withdrawn, and gone; any other is nobody's from
 * then on, and frees itself when it comes back. What it has opened is closed then; what it has
 * written is told to `left`.
 *
 * At the end of the loop nobody waits any more. The engine is drained, which brings its requests
 * back. Threads get a second for what they have begun, which is long for a file; then the
 * requests are abandoned to them.
 */
#include "os/file_call.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/die.h"
#include "base/memory.h"
#include "base/stats.h"
#include "engine/pool.h"
#include "os/executor.h"
#include "task/park.h"

#define CALLS_GRACE 1 /* seconds */

bool ed_file_calls_in_threads;
void (*ed_file_calls_hold)(const struct ed_op *op);

struct call_wait;

struct file_request {
    /* set when it is made */
    struct ed_op op;
    int64_t (*work)(struct ed_op *op);
    struct ed_file_handle *handle; /* a reference, or NULL */
    struct ed_file_left *left;     /* cleared at the end of the loop */
    eddy_loop *loop;
    struct ed_pool *pool; /* NULL: it is the ring's */

    /* the loop's */
    struct call_wait *wait; /* who waits for it; NULL: it was left */
    bool back;              /* its result is known, and about to be taken */

    struct ed_resource resource; /* on the ring: until it is taken, or has come back to nobody */
    struct eddy_link_ link;      /* in a thread: in the loop's calls, likewise */

    /* the worker's, then the loop's again */
    struct ed_job job;
    eddy_post post;
    int64_t result;

    char room[]; /* the bytes, or the path */
};

/* On the stack of the task. */
struct call_wait {
    struct ed_wait wait;
    struct ed_wait_kind kind;
    struct file_request *request; /* NULL: it was left */
};

/* Descriptors. */

void *ed_file_handle_new(int fd, size_t size)
{
    struct ed_file_handle *handle = ed_alloc_zero(size);

    if (!handle)
        return NULL;
    handle->fd = fd;
    handle->users = 1;
    ed_stats_add(ED_STAT_DESCRIPTORS, fd >= 0);
    return handle;
}

void ed_file_handle_unref(struct ed_file_handle *handle)
{
    if (!handle || __atomic_sub_fetch(&handle->users, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    if (handle->fd >= 0) {
        close(handle->fd); /* nobody is there any more to be told of an error */
        ed_stats_add(ED_STAT_DESCRIPTORS, -1);
    }
    ed_free(handle);
}

void ed_file_handle_drop(struct ed_file_handle *handle)
{
    ed_stats_add(ED_STAT_DESCRIPTORS, -(handle->fd >= 0));
    handle->fd = -1;
    ed_file_handle_unref(handle);
}

/* Those who wait for calls that were left. */

static void left_settled(struct ed_file_left *left, const struct ed_op *op, int64_t result)
{
    struct eddy_link_ *link;

    left->settled(left, op, result);
    if (--left->count > 0)
        return;
    while ((link = ed_list_pop(&left->waiting)))
        ed_wake(ed_container_of(link, struct ed_wait, link), 0);
}

int ed_file_await_left(struct ed_file_left *left, bool shielded)
{
    static const struct ed_wait_kind kind = {"file.settle", NULL, NULL};
    int rc = 0;

    while (rc == 0 && left->count > 0) {
        struct ed_wait wait = ED_WAIT(&kind, left, &left->waiting);

        if (wait.task->pending && !shielded)
            return wait.task->pending;
        wait.shielded = shielded;
        rc = ed_park(&wait);
    }
    return rc;
}

/* The end of a request. */

/* Frees it, with what nobody has taken; any thread. */
static void request_free(struct file_request *r)
{
    if (r->op.kind == ED_OP_OPENAT && r->result >= 0 && !r->work)
        close((int)r->result);
    ed_file_handle_unref(r->handle);
    if (r->pool)
        ed_pool_unref(r->pool);
    ed_free(r);
}

/* The loop knows it no longer. */
static void request_leave_loop(struct file_request *r)
{
    if (r->pool)
        ed_list_remove(&r->loop->executors->calls, &r->link);
    else
        ed_loop_remove_resource(r->loop, &r->resource);
}

/* Nobody waits for it. */
static void request_settle(struct file_request *r)
{
    request_leave_loop(r);
    if (r->left)
        left_settled(r->left, &r->op, r->result);
    request_free(r);
}

/* It has come back, with its result. */
static void request_back(struct file_request *r)
{
    r->back = true;
    if (r->wait)
        ed_wake(&r->wait->wait, 0);
    else
        request_settle(r);
}

/* The way of the ring. */

static void request_completed(struct ed_op *op)
{
    struct file_request *r = ed_container_of(op, struct file_request, op);

    r->result = op->result;
    r->loop->jobs--;
    request_back(r);
}

/* The loop closes: nobody takes its result any more. */
static void request_closed(struct ed_resource *resource, bool end)
{
    struct file_request *r = ed_container_of(resource, struct file_request, resource);

    if (r->wait)
        r->left = NULL; /* nobody counts it */
    if (end)
        request_free(r); /* it had come back, to a task that never went on */
    else
        ed_engine_cancel(r->loop->engine, &r->op);
}

static void request_submit_to_ring(struct file_request *r)
{
    r->op.done = request_completed;
    r->resource.close = request_closed;
    ed_loop_enter_resource(r->loop, &r->resource);
    r->loop->jobs++; /* real time passes until it is done, as in a thread */
    ed_engine_submit(r->loop->engine, &r->op);
}

/* The way of a thread. */

static int request_posted(void *argument)
{
    struct file_request *r = argument;

    r->loop->jobs--;
    request_back(r);
    return 0;
}

static void request_dropped(void *argument)
{
    struct file_request *r = argument;

    if (r->left) {
        r->left->count--;
        r->left->settled(r->left, &r->op, r->result); /* what has not gone is written yet */
    }
    request_free(r);
}

/* In the worker. */
static void request_run(struct ed_job *job)
{
    struct file_request *r = ed_container_of(job, struct file_request, job);
    void (*hold)(const struct ed_op *) = __atomic_load_n(&ed_file_calls_hold, __ATOMIC_RELAXED);

    r->op.blocking = true;
    if (ed_unlikely(hold != NULL))
        hold(&r->op);
    if (r->op.shorten)
        ed_op_shorten(&r->op);
    r->result = r->work ? r->work(&r->op) : ed_op_attempt(&r->op);
    if (!ed_pool_claim(r->pool, job))
        request_free(r);
    else if (eddy_loop_post(r->loop, &r->post) < 0) /* it waits for those that are claimed, but: */
        ed_die("a file operation has returned in a child of fork(2), where its loop is closed: "
               "end the child by _exit(2)");
}

/* 0, or why no thread takes it. */
static int request_submit_to_thread(struct file_request *r)
{
    struct ed_pool *pool = ed_executor_pool(ED_POOL_FILES);
    int rc;

    if (!pool)
        return -ENOMEM;
    r->pool = ed_pool_ref(pool);
    r->job.run = request_run;
    r->post = (eddy_post)EDDY_POST_INIT(request_posted, r);
    r->post.dropped = request_dropped;
    rc = ed_pool_submit(pool, &r->job);
    if (rc < 0)
        return rc;
    ed_list_append(&r->loop->executors->calls, &r->link);
    r->loop->jobs++;
    return 0;
}

void ed_file_calls_close(struct eddy_list_ *calls)
{
    struct timespec end;
    struct eddy_link_ *link;

    clock_gettime(CLOCK_REALTIME, &end);
    end.tv_sec += CALLS_GRACE;

    while ((link = ed_list_pop(calls))) {
        struct file_request *r = ed_container_of(link, struct file_request, link);
        struct ed_pool *pool = ed_pool_ref(r->pool);

        if (r->wait)
            r->left = NULL; /* nobody counts it */
        ed_pool_wait_until(pool, &r->job, &end);
        if (r->back || ed_pool_abandon(pool, &r->job) == ED_JOB_OUT) {
            if (r->left)
                r->left->count--; /* it has not begun */
            request_free(r);
        } /* else it is the thread's, and counted still; or the inbox drops it */
        ed_pool_unref(pool);
    }
}

/* Both. */

static bool call_abort(struct ed_wait *wait)
{
    struct call_wait *w = ed_container_of(wait, struct call_wait, wait);
    struct file_request *r = w->request;

    w->request = NULL;
    r->wait = NULL;
    if (r->pool && ed_pool_withdraw(r->pool, &r->job)) {
        r->loop->jobs--;
        request_leave_loop(r);
        request_free(r);
        return true;
    }
    if (r->left)
        r->left->count++;
    if (!r->pool)
        ed_engine_cancel(r->loop->engine, &r->op);
    return true;
}

/* The bytes of the parts, at most. */
static size_t parts_size(const struct iovec *parts, size_t count, size_t most)
{
    size_t size = 0;

    for (size_t i = 0; i < count && size < most; i++)
        size += parts[i].iov_len < most - size ? parts[i].iov_len : most - size;
    return size;
}

/* Copies between the parts and `size` bytes of memory. */
static void parts_copy(const struct iovec *parts, char *memory, size_t size, bool out)
{
    for (; size > 0; parts++) {
        size_t some = parts->iov_len < size ? parts->iov_len : size;

        if (some > 0 && out)
            memcpy(parts->iov_base, memory, some);
        else if (some > 0)
            memcpy(memory, parts->iov_base, some);
        memory += some;
        size -= some;
    }
}

/* A request for what the try of `op` could not do; NULL: no memory. */
static struct file_request *request_new(const struct ed_file_call *call, const struct ed_op *op)
{
    bool opens = call->kind == ED_OP_OPENAT && !call->work;
    size_t size =
        opens ? strlen(call->path) + 1 : parts_size(call->parts, call->count, ED_FILE_PIECE);
    struct file_request *r = ed_alloc(sizeof *r + size);

    if (!r)
        return NULL;
    *r = (struct file_request){.op = {.fd = op->fd,
                                      .flags = op->flags,
                                      .offset = op->offset,
                                      .size = op->size,
                                      .counted = op->counted,
                                      .shorten = op->shorten,
                                      .apart = op->apart},
                               .work = call->work,
                               .handle = call->handle,
                               .left = call->left,
                               .loop = eddy_thread_.loop,
                               .result = -ECANCELED};
    r->op.kind = call->kind;
    if (opens) {
        r->op.path = memcpy(r->room, call->path, size);
    } else {
        r->op.data = r->room;
        r->op.size = call->parts ? size : op->size;
    }
    if (call->kind == ED_OP_WRITE_AT)
        parts_copy(call->parts, r->room, size, false);
    if (r->handle)
        __atomic_add_fetch(&r->handle->users, 1, __ATOMIC_RELAXED);
    return r;
}

/* Submits it to where it can be done. */
static int request_submit(struct file_request *r)
{
    if (r->work || !r->loop->engine->files || ed_file_calls_in_threads ||
        (r->op.kind == ED_OP_WRITE_AT && r->op.offset < 0) || /* no ring locks the position, */
        ed_file_writes_are_limited(&r->op)) /* nor keeps a signal from who submits */
        return request_submit_to_thread(r);
    request_submit_to_ring(r);
    return 0;
}

/* What it has brought, to the task that waited. */
static int64_t request_take(struct file_request *r, const struct ed_file_call *call)
{
    int64_t result = r->result;

    request_leave_loop(r);
    if (call->kind == ED_OP_READ_AT && !call->work && result > 0)
        parts_copy(call->parts, r->room, (size_t)result, true);
    r->result = -ECANCELED; /* taken */
    request_free(r);
    return result < 0 ? ed_fail((int)result) : result;
}

static int64_t call_wait(struct ed_file_call *call, const struct ed_op *op)
{
    struct call_wait w = {.wait = ED_WAIT(&w.kind, call->handle, NULL),
                          .kind = {call->name, call_abort, NULL}};
    int rc;

    if (w.wait.task->pending && !call->shielded)
        return w.wait.task->pending;
    w.request = request_new(call, op);
    if (!w.request)
        return ed_fail(-ENOMEM);
    w.wait.shielded = call->shielded;
    w.request->wait = &w;
    rc = request_submit(w.request);
    if (rc < 0) {
        request_free(w.request);
        return ed_fail(rc);
    }
    rc = ed_park(&w.wait);
    return w.request ? request_take(w.request, call) : rc;
}

/* The operation of a call, as far as it can be tried with the caller's memory. */
static void call_prepare(const struct ed_file_call *call, struct ed_op *op)
{
    ed_op_prepare(op, call->kind, call->handle ? call->handle->fd : call->directory);
    op->flags = call->flags;
    op->offset = call->offset;
    if (call->kind == ED_OP_OPENAT) {
        op->path = call->path;
        op->size = call->permissions;
    } else if (call->parts) {
        op->kind = call->kind == ED_OP_READ_AT ? ED_OP_READV_AT : ED_OP_WRITEV_AT;
        op->parts = call->parts;
        op->size = call->count;
    } else {
        op->size = call->size;
    }
}

int64_t ed_file_call_nowait(struct ed_file_call *call, struct ed_op *op)
{
    int rc;

    call_prepare(call, op);
    rc = ed_engine_try(op);
    call->local = !op->apart && !op->shorten;
    return rc;
}

int64_t ed_file_call(struct ed_file_call *call)
{
    struct ed_op op;
    int64_t rc = -EAGAIN;

    if (!call->work && !call->tried) {
        rc = ed_file_call_nowait(call, &op);
    } else {
        call_prepare(call, &op);
        call->local = op.counted = call->tried;
    }
    if (ed_unlikely(rc == -EAGAIN)) {
        if (call->kind == ED_OP_READ_AT && !call->work && !call->tried && !op.apart)
            ed_file_charge_miss();
        return call_wait(call, &op);
    }
    if (rc < 0)
        return ed_fail((int)rc);
    ed_file_charge_transfer(call->kind == ED_OP_OPENAT ? 0 : rc);
    return rc;
}
