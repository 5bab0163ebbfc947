/* SPDX-License-Identifier: MIT */
/*
 * Futures. Whoever sets one gives each waiter its own copy of the result, in the
 * order in which they came, and schedules the callbacks.
 *
 * A threadsafe future is set in two steps: the setter, on whatever thread, takes
 * the right to set it, writes the value and posts to the loop; the loop then sets
 * it. The post orders the two.
 */
#include "eddy/future.h"

#include <errno.h>
#include <string.h>

#include "base/die.h"
#include "base/memory.h"
#include "task/park.h"

struct future_wait {
    struct ed_wait wait;
    void *out;
    size_t size;
};

struct future_callback {
    struct eddy_link_ link;
    eddy_callback *callback;
    void *argument;
    struct ed_locals *locals; /* of whoever added it */
};

static const struct ed_wait_kind future_kind = {"future", NULL, NULL};

static void future_check_size(const eddy_future *future, size_t size)
{
    if (size != future->size)
        ed_die("a future of %zu bytes was given or asked for %zu", future->size, size);
}

/* What a reader gets of a future that is done. */
static int future_outcome(const eddy_future *future, void *out, size_t size)
{
    if (future->code < 0)
        return future->code;
    if (!out)
        return 0;
    future_check_size(future, size);
    memcpy(out, future->value, size);
    return 0;
}

/* The same for the running task. */
static int future_read(const eddy_future *future, void *out, size_t size)
{
    int rc = future_outcome(future, out, size);

    return rc < 0 ? ed_fail(rc) : rc;
}

static void future_finish(eddy_future *future)
{
    struct eddy_link_ *link;

    future->state = 1;
    while ((link = ed_list_pop(&future->waiters))) {
        struct ed_wait *wait = ed_container_of(link, struct ed_wait, link);
        struct future_wait *w = ed_container_of(wait, struct future_wait, wait);

        if (future->loop != eddy_thread_.loop)
            ed_die("a future is set from another thread: prepare it with "
                   "eddy_future_init_threadsafe");
        ed_wake(wait, future_outcome(future, w->out, w->size));
    }
    while ((link = ed_list_pop(&future->callbacks))) {
        struct future_callback *c = ed_container_of(link, struct future_callback, link);

        if (!ed_loop_call_soon(eddy_thread_.loop, c->callback, c->argument, c->locals).handle)
            ed_loop_report(eddy_thread_.loop, EDDY_REPORT_RESOURCE, -ENOMEM, NULL,
                           "no memory to call a future's callback");
        ed_free(c);
    }
}

static int future_take_right(eddy_future *future)
{
    if (future->callbacks.first && !eddy_thread_.loop)
        return -EPERM; /* nobody could call them */
    if (future->state || __atomic_exchange_n(&future->posted, 1, __ATOMIC_ACQ_REL))
        return -EALREADY;
    return 0;
}

static void future_finish_here(eddy_future *future, int code)
{
    future->code = code;
    if (future->threadsafe)
        future->loop->holds--;
    future_finish(future);
}

int eddy_future_set(eddy_future *future, const void *value, size_t size)
{
    future_check_size(future, size);
    int rc = future_take_right(future);

    if (rc < 0)
        return ed_fail(rc);
    memcpy(future->value, value, size);
    future_finish_here(future, 0);
    return 0;
}

int eddy_future_set_error(eddy_future *future, int code)
{
    if (code >= 0)
        ed_die("eddy_future_set_error: the code %d is not negative", code);
    int rc = future_take_right(future);

    if (rc < 0)
        return ed_fail(rc);
    future_finish_here(future, code);
    return 0;
}

int eddy_future_cancel(eddy_future *future)
{
    return eddy_future_set_error(future, -ECANCELED);
}

/* From other threads -------------------------------------------------------- */

static int future_posted(void *argument)
{
    eddy_future *future = argument;

    future->loop->holds--;
    future_finish(future);
    return 0;
}

void eddy_future_init(eddy_future *future, size_t size)
{
    if (size > EDDY_FUTURE_MAX)
        ed_die("a future's result of %zu bytes is too large: use a pointer", size);
    *future = (eddy_future){.size = size};
}

void eddy_future_init_threadsafe(eddy_future *future, size_t size)
{
    eddy_future_init(future, size);
    if (!eddy_thread_.loop)
        ed_die("a threadsafe future is declared outside a running loop");
    future->threadsafe = true;
    future->loop = eddy_thread_.loop;
    future->post = (struct eddy_post_)EDDY_POST_INIT(future_posted, future);
    future->loop->holds++;
}

void eddy_future_close(eddy_future *future)
{
    struct future_wait wait = {.wait = ED_WAIT(&future_kind, future, &future->waiters)};

    if (future->state || eddy_future_cancel(future) == 0)
        return;
    if (!wait.wait.task)
        ed_die("a threadsafe future is closed outside a task while a thread sets it");
    wait.wait.shielded = true;
    (void)ed_park(&wait.wait); /* the result does not matter any more */
}

static int future_post(eddy_future *future, const void *value, int code)
{
    if (!future->threadsafe)
        return -EPERM;
    if (__atomic_exchange_n(&future->posted, 1, __ATOMIC_ACQ_REL))
        return -EALREADY;
    if (value)
        memcpy(future->value, value, future->size);
    future->code = code;
    return eddy_loop_post(future->loop, &future->post);
}

int eddy_future_set_threadsafe(eddy_future *future, const void *value, size_t size)
{
    future_check_size(future, size);
    return future_post(future, value, 0);
}

int eddy_future_set_error_threadsafe(eddy_future *future, int code)
{
    if (code >= 0)
        ed_die("eddy_future_set_error_threadsafe: the code %d is not negative", code);
    return future_post(future, NULL, code);
}

/* Reading ------------------------------------------------------------------- */

int eddy_future_await(eddy_future *future, void *out, size_t size)
{
    struct future_wait wait = {
        .wait = ED_WAIT(&future_kind, future, &future->waiters), .out = out, .size = size};
    int rc = ed_checkpoint();

    if (rc < 0)
        return rc;
    if (out)
        future_check_size(future, size);
    if (future->state)
        return future_read(future, out, size);
    if (future->loop && future->loop != eddy_thread_.loop &&
        (future->threadsafe || future->waiters.first))
        return ed_raise(-EINVAL, "a future of another loop is awaited");
    if (!future->threadsafe) /* other threads read it */
        future->loop = eddy_thread_.loop;
    return ed_park(&wait.wait);
}

int eddy_future_result_nowait(eddy_future *future, void *out, size_t size)
{
    return future->state ? future_read(future, out, size) : ed_fail(-EINPROGRESS);
}

bool eddy_future_done(const eddy_future *future)
{
    return future->state != 0;
}

bool eddy_future_cancelled(const eddy_future *future)
{
    return future->state && future->code == -ECANCELED;
}

int eddy_future_add_done_callback(eddy_future *future, eddy_callback *callback, void *argument)
{
    struct future_callback *entry;

    if (!eddy_thread_.loop)
        return ed_raise(-EPERM, "a future's callback is added outside a running loop");
    if (future->state)
        return eddy_loop_call_soon(eddy_thread_.loop, callback, argument).handle ? 0
                                                                                 : ed_fail(-ENOMEM);
    entry = ed_alloc(sizeof *entry);
    if (!entry)
        return ed_fail(-ENOMEM);
    *entry = (struct future_callback){
        .callback = callback, .argument = argument, .locals = ed_loop_take_locals()};
    ed_list_append(&future->callbacks, &entry->link);
    return 0;
}

size_t
eddy_future_remove_done_callback(eddy_future *future, eddy_callback *callback, void *argument)
{
    size_t removed = 0;

    ED_LIST_FOR_EACH(link, &future->callbacks) {
        struct future_callback *entry = ed_container_of(link, struct future_callback, link);

        if (entry->callback != callback || entry->argument != argument)
            continue;
        ed_list_remove(&future->callbacks, link);
        ed_locals_unref(entry->locals);
        ed_free(entry);
        removed++;
    }
    return removed;
}
