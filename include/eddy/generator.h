/* SPDX-License-Identifier: MIT */
/*
 * Async generators: functions that produce a sequence of values, and may wait
 * between them.
 *
 *     static int countdown(eddy_generator *g, int from)
 *     {
 *         for (int i = from; i > 0; i--) {
 *             EDDY_TRY(eddy_sleep(1));
 *             EDDY_TRY(eddy_yield(g, &i));
 *         }
 *         return 0;
 *     }
 *     EDDY_ASYNC_GENERATOR(int, countdown, int);
 *
 *     int value, rc;
 *     EDDY_FOR_EACH(rc, value, eddy_generate(countdown, 3))
 *         printf("%d\n", value);
 *     return rc;
 *
 * The body runs on a stack of its own, but in the task that asks for the next
 * value: it shares that task's cancellation, name and local values. Nothing
 * runs before the first value is asked for. A timeout, shield or group that is
 * open across a yield would hit whoever runs then, and aborts.
 */
#ifndef EDDY_GENERATOR_H
#define EDDY_GENERATOR_H

#include <string.h>

#include "eddy/call.h"
#include "eddy/compat.h"
#include "eddy/switch.h"
#include "eddy/task.h"

EDDY_BEGIN_DECLS

/* What the inline paths need; the library keeps the rest behind it. */
typedef struct eddy_generator {
    struct eddy_context_ body, caller; /* one of them runs, the other waits */
    void *out;                         /* where the next value goes */
    size_t item_size;
    struct eddy_scope_ *scope; /* the caller's innermost, while the body runs */
    int state;
    int thrown; /* what the pending yield returns, when THROWN_ */
    eddy_loop *loop;
    const void *sent; /* the sender's value, during eddy_send, until it is received */
    size_t sent_size;
} eddy_generator;

enum eddy_generator_state_ {
    EDDY_GENERATOR_CREATED_,
    EDDY_GENERATOR_SUSPENDED_, /* at a yield */
    EDDY_GENERATOR_RUNNING_,
    EDDY_GENERATOR_CLOSING_, /* running; its yields are refused */
    EDDY_GENERATOR_ENDED_,
    EDDY_GENERATOR_THROWN_, /* running; its pending yield is to return an error */
};

/* How a generator's body is started from its copied arguments. */
typedef int eddy_generator_entry(eddy_generator *generator, void *args);

/*
 * Makes f a generator of values of type `item`. Stands at file scope after its
 * prototype: int f(eddy_generator *, TYPES...).
 */
#define EDDY_ASYNC_GENERATOR(item, f, ...)                                                         \
    _Static_assert(__builtin_types_compatible_p(__typeof__(f),                                     \
                                                int(eddy_generator * __VA_OPT__(, ) __VA_ARGS__)), \
                   "EDDY_ASYNC_GENERATOR(" #item ", " #f ", ...): not the parameters of int " #f   \
                   "(eddy_generator *, ...)");                                                     \
    EDDY_ASYNC_ARGS_(f, __VA_ARGS__)                                                               \
    static int f##_eddy_body(eddy_generator *eddy_g, void *eddy_p)                                 \
    {                                                                                              \
        struct f##_eddy_args *eddy_a = (struct f##_eddy_args *)eddy_p;                             \
        (void)eddy_a;                                                                              \
        return f(eddy_g __VA_OPT__(, ) EDDY_FROM_ARGS_(__VA_ARGS__));                              \
    }                                                                                              \
    __attribute__((unused)) static inline eddy_generator *f##_eddy_generate(                       \
        const char *eddy_w EDDY_PARAMS_(__VA_ARGS__))                                              \
    {                                                                                              \
        struct f##_eddy_args eddy_a = {EDDY_NAMES_(__VA_ARGS__)};                                  \
        return eddy_generator_create(f##_eddy_body, &eddy_a, sizeof eddy_a, sizeof(item), #f,      \
                                     eddy_w);                                                      \
    }                                                                                              \
    _Static_assert(sizeof(item) > 0, "")

/*
 * A generator f(arguments...) that has not started; owned by the caller. NULL
 * when there is no memory or no running loop, which eddy_next reports.
 */
#define eddy_generate(f, ...) f##_eddy_generate(EDDY_HERE_ __VA_OPT__(, ) __VA_ARGS__)

/* Declares an owning handle: at the end of its block the generator is closed
 * and freed.  EDDY_GENERATOR numbers = eddy_generate(countdown, 3); */
#define EDDY_GENERATOR EDDY_CLEANUP_(eddy_generator_end_scope_) eddy_generator *const

/*
 * Runs a block for each value: async for. Takes the generator, and closes and
 * frees it however the loop is left. Afterwards `rc`, an int, is 0 when the
 * values ended, or the error; after a break it is 0.
 */
#define EDDY_FOR_EACH(rc, value, generator)                                                        \
    for (EDDY_GENERATOR EDDY_JOIN_(eddy_each_, __LINE__) = (generator);                            \
         ((rc) = eddy_next(EDDY_JOIN_(eddy_each_, __LINE__), &(value))) > 0 &&                     \
         (((rc) = 0), true);)

/*
 * The next value: eddy_next(generator, &value). The value's size must be the
 * generator's (abort).
 *
 * Suspends if the body does.
 *
 * Returns 1 with a value; 0 when the values have ended, then and ever after;
 * the error with which the body ended, once, then 0; -EBUSY when another task
 * is inside; -ENOMEM for NULL; -ECANCELED or -ETIMEDOUT before the body runs on.
 */
#define eddy_next(generator, out) eddy_next_inline_((generator), (out), sizeof *(out))
/* The function under it. Suspends if the body does. */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int
eddy_generator_next(eddy_generator *generator, void *out, size_t size);

/*
 * Hands a copy of *value to whoever asked for it, and waits to be asked again:
 * eddy_yield(g, &value). Only in the body. Returns 0; -ECANCELED when the generator
 * is being closed: clean up and return; clean-up may suspend; or the error of an
 * eddy_throw.
 */
#define eddy_yield(generator, ...)                                                                 \
    eddy_yield_inline_((generator), (__VA_ARGS__), sizeof *(__VA_ARGS__))
/* The function under it. */
EDDY_NODISCARD EDDY_API int
eddy_generator_yield(eddy_generator *generator, const void *value, size_t size);

/*
 * As eddy_next, and the pending yield receives a copy of *value, which need live no
 * longer than the call: eddy_send(generator, &value, &out). A plain eddy_yield drops
 * it.
 *
 * Suspends if the body does.
 *
 * Returns what eddy_next does; -EINVAL for a generator that has not started, where no
 * yield waits for a value; 0 when the values have ended. The value is not delivered
 * when the caller is refused before the body runs on.
 */
#define eddy_send(generator, value, out)                                                           \
    eddy_send_inline_((generator), (value), sizeof *(value), (out), sizeof *(out))
/* The function under it. Suspends if the body does. */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int eddy_generator_send(eddy_generator *generator,
                                                            const void *value, size_t value_size,
                                                            void *out, size_t size);

/*
 * As eddy_next, and the pending yield returns `code`: eddy_throw(generator, code, &out).
 * The body may go on and yield again, end, or fail with this or another error. The
 * code's text, as of eddy_throw(g, eddy_raise(-EIO, "..."), &out), is the body's to
 * read. `code` is negative (abort).
 *
 * Suspends if the body does.
 *
 * Returns what eddy_next does; `code` itself, without running the body, for a generator
 * that has not started, which ends it, or that has ended: nobody has handled it.
 */
#define eddy_throw(generator, code, out)                                                           \
    eddy_generator_throw((generator), (code), (out), sizeof *(out))
/* The function under it. Suspends if the body does. */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int
eddy_generator_throw(eddy_generator *generator, int code, void *out, size_t size);

/*
 * As eddy_yield, in a body that takes values: eddy_yield_receive(g, &item, &received).
 *
 * Returns 1 when it was asked by eddy_send, with a copy of the value in *received, whose
 * size must be the sender's (abort); 0, with *received untouched, when it was asked by a
 * plain eddy_next; the error of an eddy_throw; -ECANCELED when the generator is closed.
 */
#define eddy_yield_receive(generator, item, received)                                              \
    eddy_yield_receive_inline_((generator), (item), sizeof *(item), (received), sizeof *(received))
/* The function under it. */
EDDY_NODISCARD EDDY_API int eddy_generator_yield_receive(eddy_generator *generator,
                                                         const void *item, size_t size,
                                                         void *received, size_t received_size);

/*
 * Ends a generator early: its pending yield returns -ECANCELED and its body
 * cleans up, shielded. One that has not started never runs. Idempotent.
 *
 * Suspends if the clean-up does; never refused.
 *
 * Returns what the body returned, with -ECANCELED as 0; -EBUSY when the body
 * is running; -ENOMEM for NULL.
 */
EDDY_API EDDY_AWAITS int eddy_generator_close(eddy_generator *generator);

/* Closes and frees. Accepts NULL. Suspends if the clean-up does. */
EDDY_API EDDY_AWAITS void eddy_generator_free(eddy_generator *generator);

/* The function under eddy_generate. `args` is copied; strings must stay. */
EDDY_API eddy_generator *eddy_generator_create(eddy_generator_entry *body, const void *args,
                                               size_t args_size, size_t item_size, const char *name,
                                               const char *where);
/* For the library's own: what is to be done with the arguments of one that never starts. */
EDDY_API void eddy_generator_on_drop_(eddy_generator *generator, void (*drop)(void *args));
EDDY_API EDDY_AWAITS void eddy_generator_end_scope_(eddy_generator *const *g); /* Suspends. */
EDDY_API int eddy_generator_ended_(eddy_generator *generator);
EDDY_API int eddy_generator_receive_(eddy_generator *generator, void *received, size_t size);

/* next and yield where the body stands at a yield and nothing else is due. */
EDDY_NODISCARD static inline int eddy_next_inline_(eddy_generator *g, void *out, size_t size)
{
    if (EDDY_SWITCH_INLINE_ && EDDY_LIKELY_(g != NULL && g->state == EDDY_GENERATOR_SUSPENDED_ &&
                                            eddy_thread_.credit > 0 && size == g->item_size &&
                                            g->loop == eddy_thread_.loop)) {
        eddy_thread_.credit--;
        g->out = out;
        g->scope = ((struct eddy_task_head_ *)(void *)eddy_thread_.task)->scope;
        g->state = EDDY_GENERATOR_RUNNING_;
        eddy_switch_(&g->caller, &g->body);
        if (EDDY_LIKELY_(g->state == EDDY_GENERATOR_SUSPENDED_))
            return 1;
        return eddy_generator_ended_(g);
    }
    return eddy_generator_next(g, out, size);
}

EDDY_NODISCARD static inline int
eddy_yield_inline_(eddy_generator *g, const void *value, size_t size)
{
    if (EDDY_SWITCH_INLINE_ &&
        EDDY_LIKELY_(g->state == EDDY_GENERATOR_RUNNING_ && size == g->item_size &&
                     g->scope == ((struct eddy_task_head_ *)(void *)eddy_thread_.task)->scope)) {
        memcpy(g->out, value, size);
        g->state = EDDY_GENERATOR_SUSPENDED_;
        eddy_switch_(&g->body, &g->caller);
        if (EDDY_LIKELY_(g->state == EDDY_GENERATOR_RUNNING_))
            return 0;
    }
    return eddy_generator_yield(g, value, size);
}

/* The same with a value. It is set only when next cannot give way before the body runs on,
 * since another task that asked meanwhile would find it. */
EDDY_NODISCARD static inline int
eddy_send_inline_(eddy_generator *g, const void *value, size_t value_size, void *out, size_t size)
{
    int rc;

    if (!EDDY_SWITCH_INLINE_ || EDDY_UNLIKELY_(g == NULL || g->state != EDDY_GENERATOR_SUSPENDED_ ||
                                               g->loop != eddy_thread_.loop ||
                                               eddy_thread_.credit <= 0 || size != g->item_size))
        return eddy_generator_send(g, value, value_size, out, size);
    g->sent = value;
    g->sent_size = value_size;
    rc = eddy_next_inline_(g, out, size);
    g->sent = NULL; /* what a plain yield has dropped is not for the next one */
    return rc;
}

EDDY_NODISCARD static inline int eddy_yield_receive_inline_(eddy_generator *g, const void *item,
                                                            size_t size, void *received,
                                                            size_t received_size)
{
    int rc = eddy_yield_inline_(g, item, size);

    return rc < 0 || !g->sent ? rc : eddy_generator_receive_(g, received, received_size);
}

EDDY_END_DECLS
#endif
