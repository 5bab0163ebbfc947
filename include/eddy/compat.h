/* SPDX-License-Identifier: MIT */
/*
 * What every public header needs: visibility, attributes, C++ guards, and the
 * small per-thread block that the inline fast paths read.
 *
 * Names that end in an underscore belong to the library: they are visible
 * because macros and inline functions need them, and may change at any time.
 */
#ifndef EDDY_COMPAT_H
#define EDDY_COMPAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EDDY_API __attribute__((visibility("default")))

/* Marks a function that may suspend the calling task. Each is a cancellation
 * check, whether it needs to wait or not, unless its comment says otherwise. */
#define EDDY_AWAITS

/* The result says whether the call worked; dropping it draws a warning, which a
 * cast to void silences. Stands first in a declaration. */
#if defined(__cplusplus)
#define EDDY_NODISCARD [[nodiscard]]
#elif defined(__GNUC__) && !defined(__clang__)
#define EDDY_NODISCARD __extension__ [[nodiscard]]
#else
#define EDDY_NODISCARD __attribute__((warn_unused_result))
#endif

#define EDDY_PRINTF_(text, first) __attribute__((format(printf, text, first)))
#define EDDY_LIKELY_(x) __builtin_expect(!!(x), 1)
#define EDDY_UNLIKELY_(x) __builtin_expect(!!(x), 0)
#define EDDY_CLEANUP_(f) __attribute__((cleanup(f), unused))

#define EDDY_STRINGIFY_(x) #x
#define EDDY_STRING_(x) EDDY_STRINGIFY_(x)
#define EDDY_PASTE_(a, b) a##b
#define EDDY_JOIN_(a, b) EDDY_PASTE_(a, b)

/* "file.c:12", where the macro is used. */
#define EDDY_HERE_ __FILE__ ":" EDDY_STRING_(__LINE__)

#ifdef __cplusplus
#define EDDY_BEGIN_DECLS extern "C" {
#define EDDY_END_DECLS }
#else
#define EDDY_BEGIN_DECLS
#define EDDY_END_DECLS
#endif

EDDY_BEGIN_DECLS

typedef struct eddy_task eddy_task;
typedef struct eddy_loop eddy_loop;

/* A time that never comes: no limit. */
#define EDDY_FOREVER ((double)__builtin_inf())

/*
 * The calling thread's share of the library. `credit` counts down the checked
 * calls that the running task may make before it has to look up: 0 outside a
 * task, in a task that is cancelled, and after 128 calls without a switch.
 */
struct eddy_thread_ {
    int credit;
    eddy_task *task;            /* the running task, NULL in callbacks and outside a loop */
    eddy_loop *loop;            /* the running loop, NULL outside */
    void *locals;               /* task-local values of what runs now */
    eddy_task *waiting;         /* a wait that was begun inline: whose, */
    struct eddy_context_ *next; /* and where it is to switch */
};

extern EDDY_API __thread struct eddy_thread_ eddy_thread_
    __attribute__((tls_model("initial-exec")));

EDDY_END_DECLS
#endif
