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

/* Sanitizers must be told of each switch: then nothing is switched inline. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
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

#endif
