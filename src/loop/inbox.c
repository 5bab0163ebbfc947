/* SPDX-License-Identifier: MIT */
/*
 * What other threads ask of a loop: a stack of posts, pushed with one
 * compare-and-swap and taken as a whole, then turned round so that each thread's
 * posts keep their order. Whoever pushes onto an empty inbox wakes the engine;
 * the others need not, since the loop has not looked yet.
 *
 * A closed inbox is marked by an address that is no post. Posts that come
 * before the mark are dropped with the loop's other callbacks, and those that
 * the library allocated are freed.
 */
#include <errno.h>
#include <sched.h>
#include <stdlib.h>

#include "base/memory.h"
#include "loop/loop.h"

/* A post of eddy_loop_call_soon_threadsafe: frees itself. */
struct inbox_call {
    eddy_post post;
    eddy_loop *loop;
    eddy_callback *callback;
    void *argument;
};

static eddy_post inbox_closed;

int eddy_loop_post(eddy_loop *loop, eddy_post *post)
{
    eddy_post *head;
    int rc = 0;

    if (__atomic_exchange_n(&post->posted, 1, __ATOMIC_ACQ_REL))
        return 0;
    __atomic_add_fetch(&loop->posting, 1, __ATOMIC_ACQ_REL);
    head = __atomic_load_n(&loop->inbox, __ATOMIC_ACQUIRE);
    do {
        if (head == &inbox_closed) {
            __atomic_store_n(&post->posted, 0, __ATOMIC_RELEASE);
            rc = -EPERM;
            break;
        }
        post->next = head;
    } while (!__atomic_compare_exchange_n(&loop->inbox, &head, post, true, __ATOMIC_ACQ_REL,
                                          __ATOMIC_ACQUIRE));
    if (rc == 0 && !head)
        ed_engine_wake(loop->engine);
    __atomic_sub_fetch(&loop->posting, 1, __ATOMIC_ACQ_REL);
    return rc;
}

static int inbox_run_call(void *argument)
{
    struct inbox_call *call = argument;
    eddy_callback *callback = call->callback;
    void *callback_argument = call->argument;

    ed_free(call);
    return callback(callback_argument);
}

int eddy_loop_call_soon_threadsafe(eddy_loop *loop, eddy_callback *callback, void *argument)
{
    struct inbox_call *call;
    int rc;

    if (__atomic_load_n(&loop->inbox, __ATOMIC_ACQUIRE) == &inbox_closed)
        return -EPERM;
    call = ed_alloc(sizeof *call);
    if (!call)
        return -ENOMEM;
    *call = (struct inbox_call){.post = EDDY_POST_INIT(inbox_run_call, call),
                                .loop = loop,
                                .callback = callback,
                                .argument = argument};
    call->post.dropped = ed_free;
    rc = eddy_loop_post(loop, &call->post);
    if (rc < 0)
        ed_free(call);
    return rc;
}

static eddy_post *inbox_reverse(eddy_post *newest)
{
    eddy_post *oldest = NULL;

    while (newest) {
        eddy_post *next = newest->next;

        newest->next = oldest;
        oldest = newest;
        newest = next;
    }
    return oldest;
}

bool ed_loop_take_inbox(eddy_loop *loop)
{
    eddy_post *post;

    if (!__atomic_load_n(&loop->inbox, __ATOMIC_ACQUIRE))
        return false;
    post = inbox_reverse(__atomic_exchange_n(&loop->inbox, NULL, __ATOMIC_ACQ_REL));
    while (post && !loop->closed) { /* closed: one has returned in a child of fork(2) */
        eddy_post *next = post->next;
        eddy_callback *callback = post->callback;
        void *argument = post->argument;

        /* From here on the owner may post it again, or free it. */
        __atomic_store_n(&post->posted, 0, __ATOMIC_RELEASE);
        ed_loop_call(loop, callback, argument, NULL);
        post = next;
    }
    return true;
}

void ed_loop_close_inbox(eddy_loop *loop)
{
    eddy_post *post = __atomic_exchange_n(&loop->inbox, &inbox_closed, __ATOMIC_ACQ_REL);

    while (post) {
        eddy_post *next = post->next;

        void (*dropped)(void *argument) = post->dropped;
        void *argument = post->argument;

        __atomic_store_n(&post->posted, 0, __ATOMIC_RELEASE);
        if (dropped)
            dropped(argument);
        post = next;
    }
    while (__atomic_load_n(&loop->posting, __ATOMIC_ACQUIRE))
        sched_yield(); /* a thread that found it open is about to wake the engine */
}

void ed_loop_abandon_inbox(eddy_loop *loop)
{
    __atomic_store_n(&loop->inbox, &inbox_closed, __ATOMIC_RELEASE);
}
