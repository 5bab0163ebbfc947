/* SPDX-License-Identifier: MIT */
/*
 * The stack switch, for the library and for the inline paths of generators.
 * One file a processor defines eddy_switch_(from, to): saves the running
 * context in *from and goes on with *to. Everything else is the compiler's
 * doing: it is told that all registers are clobbered, and saves what it needs.
 */
#ifndef EDDY_SWITCH_H
#define EDDY_SWITCH_H
#pragma GCC system_header

#include "eddy/compat.h"

/* A suspended flow of control. The frame pointer has its own place because
 * compilers do not let it be clobbered. */
struct eddy_context_ {
    void *sp, *pc, *fp;
};

#if defined(__x86_64__) && !defined(__ILP32__)
#include "eddy/switch_x86_64.h"
#elif defined(__aarch64__)
#include "eddy/switch_aarch64.h"
#else
#error "Eddy has no stack switch for this processor: see eddy/switch.h"
#endif

/* What every task begins with, for the inline paths. */
struct eddy_task_head_ {
    void *args;
    struct eddy_scope_ *scope; /* the innermost open one, or NULL */
    void *ready[2];
    struct eddy_context_ context;
    int pending;
    int rc; /* of the last wait; at the end, of the task */
};

/*
 * Sanitizers must be told of each switch: then nothing is switched inline. Nor where
 * EDDY_NO_INLINE_SWITCH is defined: a file whose functions have a target attribute
 * with more registers than the file itself (function multiversioning with AVX-512)
 * must define it, since the switch saves what the file's own target has.
 */
#if defined(EDDY_NO_INLINE_SWITCH)
#define EDDY_SWITCH_INLINE_ 0
#elif defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define EDDY_SWITCH_INLINE_ 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) ||                         \
    __has_feature(memory_sanitizer)
#define EDDY_SWITCH_INLINE_ 0
#endif
#endif
#ifndef EDDY_SWITCH_INLINE_
#define EDDY_SWITCH_INLINE_ 1
#endif

/*
 * Makes the switch of a wait that a function of the library has begun, and returns
 * the task that waited, which runs again. Inlined into the caller, so that no call
 * is open across the switch and the processor predicts every return: handing an
 * item over takes 12 ns instead of 22, a yield 5.5 instead of 7.
 */
static inline __attribute__((always_inline)) struct eddy_task_head_ *eddy_switch_begun_(void)
{
    struct eddy_task_head_ *self = (struct eddy_task_head_ *)(void *)eddy_thread_.waiting;

    eddy_switch_(&self->context, eddy_thread_.next);
    return (struct eddy_task_head_ *)(void *)eddy_thread_.task;
}

#endif
