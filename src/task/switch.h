/* SPDX-License-Identifier: MIT */
/*
 * The stack switch with the words that sanitizers need about it.
 *
 * A fiber is what AddressSanitizer and ThreadSanitizer keep of one stack; in
 * other builds it stays empty and costs nothing.
 */
#ifndef ED_TASK_SWITCH_H
#define ED_TASK_SWITCH_H

#include "base/compat.h"
#include "eddy/switch.h"

#define ED_FIBERS (ED_ASAN || ED_TSAN)

struct ed_fiber {
    const void *bottom; /* lowest address; NULL: a thread's own stack, not known yet */
    size_t size;
    void *fake_stack; /* AddressSanitizer's, while the stack is not running */
    void *tsan;       /* ThreadSanitizer's fiber */
};

/* The stack that runs in this thread, and the one that ran before. */
extern __thread struct ed_fiber *ed_fiber_now, *ed_fiber_before;

/* First thing on a stack that has not run before. */
ED_INLINE void ed_fiber_entered(void)
{
    if (ED_ASAN) {
        const void *bottom = NULL;
        size_t size = 0;

        __sanitizer_finish_switch_fiber(NULL, &bottom, &size);
        if (!ed_fiber_before->bottom) {
            ed_fiber_before->bottom = bottom;
            ed_fiber_before->size = size;
        }
    }
}

/* Saves the running context in *from and goes on with *to, on the stack of
 * `fiber`. With `last` the running stack never runs again. */
ED_INLINE void
ed_switch(struct eddy_context_ *from, struct eddy_context_ *to, struct ed_fiber *fiber, bool last)
{
    if (ED_FIBERS) {
        struct ed_fiber *self = ed_fiber_now;

        ed_fiber_before = self;
        ed_fiber_now = fiber;
        __sanitizer_start_switch_fiber(last ? NULL : &self->fake_stack, fiber->bottom, fiber->size);
        __tsan_switch_to_fiber(fiber->tsan, 0);
        eddy_switch_(from, to);
        __sanitizer_finish_switch_fiber(self->fake_stack, NULL, NULL);
    } else {
        eddy_switch_(from, to);
    }
}

#endif
