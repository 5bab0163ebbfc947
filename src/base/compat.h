/* SPDX-License-Identifier: MIT */
/*
 * What differs between compilers, sanitizers and builds; the only header below
 * engine/ that asks the preprocessor what it has.
 */
#ifndef ED_BASE_COMPAT_H
#define ED_BASE_COMPAT_H

#include "eddy/compat.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ED_ASAN 1
#endif
#if __has_feature(thread_sanitizer)
#define ED_TSAN 1
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
#define ED_ASAN 1
#endif
#ifdef __SANITIZE_THREAD__
#define ED_TSAN 1
#endif
#ifndef ED_ASAN
#define ED_ASAN 0
#endif
#ifndef ED_TSAN
#define ED_TSAN 0
#endif

/* What no sanitizer is to see. */
#if defined(__has_attribute) && __has_attribute(disable_sanitizer_instrumentation)
#define ED_UNWATCHED __attribute__((noinline, disable_sanitizer_instrumentation))
#else
#define ED_UNWATCHED __attribute__((noinline, no_sanitize_address, no_sanitize_thread))
#endif

/* The fiber calls of the sanitizers, sanitizer/common_interface_defs.h and
 * tsan_interface.h; declared here because not every compiler ships them. */
#if ED_ASAN
void __sanitizer_start_switch_fiber(void **fake_stack, const void *bottom, size_t size);
void __sanitizer_finish_switch_fiber(void *fake_stack, const void **bottom, size_t *size);
void __asan_unpoison_memory_region(const volatile void *address, size_t size);
#else
static inline void
__sanitizer_start_switch_fiber(void **fake_stack, const void *bottom, size_t size)
{
    (void)fake_stack, (void)bottom, (void)size;
}
static inline void
__sanitizer_finish_switch_fiber(void *fake_stack, const void **bottom, size_t *size)
{
    (void)fake_stack, (void)bottom, (void)size;
}
static inline void __asan_unpoison_memory_region(const volatile void *address, size_t size)
{
    (void)address, (void)size;
}
#endif

#if ED_TSAN
void *__tsan_get_current_fiber(void);
void *__tsan_create_fiber(unsigned flags);
void __tsan_destroy_fiber(void *fiber);
void __tsan_switch_to_fiber(void *fiber, unsigned flags);
#else
static inline void *__tsan_get_current_fiber(void)
{
    return NULL;
}
static inline void *__tsan_create_fiber(unsigned flags)
{
    (void)flags;
    return NULL;
}
static inline void __tsan_destroy_fiber(void *fiber)
{
    (void)fiber;
}
static inline void __tsan_switch_to_fiber(void *fiber, unsigned flags)
{
    (void)fiber, (void)flags;
}
#endif

/* valgrind's stack registration, in builds that are made for it. */
#ifdef ED_VALGRIND
#include <valgrind/memcheck.h>
#endif
#ifdef ED_VALGRIND
#define ed_valgrind_stack_register(start, end) VALGRIND_STACK_REGISTER(start, end)
#define ed_valgrind_stack_deregister(id) VALGRIND_STACK_DEREGISTER(id)
#define ed_valgrind_stack_reused(start, size) ((void)VALGRIND_MAKE_MEM_UNDEFINED(start, size))
#define ed_running_on_valgrind() (RUNNING_ON_VALGRIND != 0)
#define ed_valgrind_look_away() VALGRIND_DISABLE_ERROR_REPORTING /* at what is meant so */
#define ed_valgrind_look_again() VALGRIND_ENABLE_ERROR_REPORTING
#define ED_WATCHED 1
#else
#define ed_valgrind_stack_register(start, end) ((void)(start), (void)(end), 0u)
#define ed_valgrind_stack_deregister(id) ((void)(id))
#define ed_valgrind_stack_reused(start, size) ((void)(start), (void)(size))
#define ed_running_on_valgrind() false
#define ed_valgrind_look_away() ((void)0)
#define ed_valgrind_look_again() ((void)0)
#define ED_WATCHED (ED_ASAN || ED_TSAN) /* somebody must be told of stacks */
#endif

#define ed_likely(x) __builtin_expect(!!(x), 1)
#define ed_unlikely(x) __builtin_expect(!!(x), 0)
#define ED_NOINLINE __attribute__((noinline))
#define ED_COLD __attribute__((noinline, cold))
#define ED_INLINE static inline __attribute__((always_inline))

/* The object of `type` whose `member` is at `pointer`. */
#define ed_container_of(pointer, type, member)                                                     \
    ((type *)(void *)((char *)(pointer)-offsetof(type, member)))

#define ED_ARRAY_LENGTH(a) (sizeof(a) / sizeof((a)[0]))

#endif
