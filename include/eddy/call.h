/* SPDX-License-Identifier: MIT */
/*
 * Async functions and calls of them that have not started yet.
 *
 * An async function is an ordinary function that returns 0 or a negative error
 * and may wait anywhere in its body. Its parameters come first; where it has a
 * result, a pointer to it comes last:
 *
 *     static int fetch(const char *url, int retries, struct page *page);
 *     EDDY_ASYNC_RESULT(struct page, fetch, const char *, int);
 *
 * Called plainly it is awaited: fetch(url, 3, &page). Everything that starts it
 * in some other way takes the same words: eddy_create_task(fetch, url, 3), or
 * EDDY_CALL(fetch, url, 3, &page) for gather and its relatives.
 */
#ifndef EDDY_CALL_H
#define EDDY_CALL_H

#include <stdalign.h>

#include "eddy/compat.h"

EDDY_BEGIN_DECLS

/* The arguments of one call may take 96 bytes in all, a result 4,096; what is
 * larger travels by pointer. */
#define EDDY_ARGS_MAX 96
#define EDDY_RESULT_MAX 4096

/* How a function is started from its copied arguments; `result` is room for
 * the result, or NULL for a function without one. */
typedef int eddy_entry(void *args, void *result);

/* What EDDY_ASYNC says of a function. Must outlive the tasks that run it. */
struct eddy_async {
    eddy_entry *entry;
    const char *name;              /* of the function, for reports */
    void (*destroy)(void *result); /* frees a result that nobody took, or NULL */
    uint16_t args_size;            /* bytes, at most EDDY_ARGS_MAX */
    uint16_t result_size;          /* bytes, at most EDDY_RESULT_MAX */
};

/* Another way to run a function than by its entry: in a thread, say. It is part of
 * what knows how, which `run` finds around it. */
struct eddy_way_ {
    int (*run)(const struct eddy_way_ *way, const struct eddy_async *function, void *args,
               void *result);
};

/* A call that has not started: an asyncio coroutine object. A plain value that
 * may be copied and stored; its pointers must be valid when it is started. */
typedef struct eddy_call {
    const struct eddy_async *function;
    const char *where;           /* "file:line" of the call */
    void *out;                   /* where the result goes on success, or NULL */
    const struct eddy_way_ *way; /* how it is run; NULL: by function->entry */
    alignas(16) unsigned char args[EDDY_ARGS_MAX];
} eddy_call;

EDDY_END_DECLS

#ifndef __cplusplus

/*
 * Makes `f` a function that can be started: as a task, in a gather, in a group,
 * in a thread. Stands at file scope after f's prototype, once in a file, and is
 * checked against it. Where a compiler says "implicit declaration of f_eddy_task",
 * or of f_eddy_call_2, there is no such line above, or f does not take 2 arguments.
 *
 * f      int f(TYPES...)
 * ...    the types of its 0 to 8 parameters
 */
#define EDDY_ASYNC(f, ...)                                                                         \
    _Static_assert(__builtin_types_compatible_p(__typeof__(f), int(EDDY_TYPES_(__VA_ARGS__))),     \
                   "EDDY_ASYNC(" #f ", ...): not the parameters of int " #f "(...)");              \
    EDDY_ASYNC_ARGS_(f, __VA_ARGS__)                                                               \
    static int f##_eddy_entry(void *eddy_p, void *eddy_r)                                          \
    {                                                                                              \
        struct f##_eddy_args *eddy_a = (struct f##_eddy_args *)eddy_p;                             \
        (void)eddy_a, (void)eddy_r;                                                                \
        return f(EDDY_FROM_ARGS_(__VA_ARGS__));                                                    \
    }                                                                                              \
    static const struct eddy_async f##_eddy_async = {f##_eddy_entry, #f, NULL,                     \
                                                     (uint16_t)sizeof(struct f##_eddy_args), 0};   \
    EDDY_ASYNC_STARTERS_(f, __VA_ARGS__)

/*
 * The same for a function with a result: int f(TYPES..., RESULT *out). A task
 * keeps the result until it is taken; it must be copyable by assignment.
 */
#define EDDY_ASYNC_RESULT(result, f, ...) EDDY_ASYNC_OWNED(result, NULL, f, __VA_ARGS__)

/*
 * The same for a result that owns something. When the task succeeded and nobody
 * took its result, `destroy` frees it: void destroy(RESULT *); it must not
 * suspend. Such a result can be taken once; who asks again gets -EALREADY.
 */
#define EDDY_ASYNC_OWNED(result, destroy, f, ...)                                                  \
    _Static_assert(__builtin_types_compatible_p(                                                   \
                       __typeof__(f), int(__VA_ARGS__ __VA_OPT__(, ) __typeof__(result) *)),       \
                   "EDDY_ASYNC_RESULT(" #result ", " #f ", ...): not the parameters of int " #f    \
                   "(..., " #result " *)");                                                        \
    _Static_assert(sizeof(result) <= EDDY_RESULT_MAX,                                              \
                   "the result of " #f " is too large: return a pointer");                         \
    _Static_assert(_Alignof(__typeof__(result)) <= 16,                                             \
                   "the result of " #f " is aligned to more than 16 bytes: return a pointer");     \
    EDDY_ASYNC_ARGS_(f, __VA_ARGS__)                                                               \
    static int f##_eddy_entry(void *eddy_p, void *eddy_r)                                          \
    {                                                                                              \
        struct f##_eddy_args *eddy_a = (struct f##_eddy_args *)eddy_p;                             \
        (void)eddy_a;                                                                              \
        return f(EDDY_FROM_ARGS_(__VA_ARGS__) __VA_OPT__(, )(__typeof__(result) *) eddy_r);        \
    }                                                                                              \
    static const struct eddy_async f##_eddy_async = {                                              \
        f##_eddy_entry, #f, (void (*)(void *))(void (*)(__typeof__(result) *))(destroy),           \
        (uint16_t)sizeof(struct f##_eddy_args), (uint16_t)sizeof(result)};                         \
    __attribute__((unused)) static inline eddy_call EDDY_JOIN_(                                    \
        f##_eddy_call_, EDDY_COUNT_(__VA_ARGS__ __VA_OPT__(, ) out))(                              \
        const char *eddy_w EDDY_PARAMS_(__VA_ARGS__), __typeof__(result) *eddy_out)                \
    {                                                                                              \
        eddy_call eddy_c = {&f##_eddy_async, eddy_w, eddy_out, NULL, {0}};                         \
        *(struct f##_eddy_args *)eddy_c.args = (struct f##_eddy_args){EDDY_NAMES_(__VA_ARGS__)};   \
        return eddy_c;                                                                             \
    }                                                                                              \
    EDDY_ASYNC_STARTERS_(f, __VA_ARGS__)

/*
 * The call f(arguments...), not started yet. For a function with a result, the
 * last argument is where it goes when the call succeeds, as in a plain call; it
 * may be left out, and the result is dropped.
 */
#define EDDY_CALL(f, ...)                                                                          \
    EDDY_JOIN_(f##_eddy_call_, EDDY_COUNT_(__VA_ARGS__))(EDDY_HERE_ __VA_OPT__(, ) __VA_ARGS__)

#define EDDY_ASYNC_ARGS_(f, ...)                                                                   \
    struct __attribute__((may_alias)) f##_eddy_args {                                              \
        EDDY_FIELDS_(__VA_ARGS__)                                                                  \
    };                                                                                             \
    _Static_assert(sizeof(struct f##_eddy_args) <= EDDY_ARGS_MAX,                                  \
                   "the arguments of " #f " are too large: pass a pointer");                       \
    _Static_assert(_Alignof(struct f##_eddy_args) <= 16,                                           \
                   "an argument of " #f " is aligned to more than 16 bytes: pass a pointer");      \
    enum { f##_eddy_pointers = 0 EDDY_POINTERS_(__VA_ARGS__) };

#define EDDY_ASYNC_STARTERS_(f, ...)                                                               \
    __attribute__((unused)) static inline eddy_call EDDY_JOIN_(                                    \
        f##_eddy_call_, EDDY_COUNT_(__VA_ARGS__))(const char *eddy_w EDDY_PARAMS_(__VA_ARGS__))    \
    {                                                                                              \
        eddy_call eddy_c = {&f##_eddy_async, eddy_w, NULL, NULL, {0}};                             \
        *(struct f##_eddy_args *)eddy_c.args = (struct f##_eddy_args){EDDY_NAMES_(__VA_ARGS__)};   \
        return eddy_c;                                                                             \
    }                                                                                              \
    __attribute__((unused, warn_unused_result)) static inline eddy_task *f##_eddy_task(            \
        const char *eddy_w, const struct eddy_task_options *eddy_o EDDY_PARAMS_(__VA_ARGS__))      \
    {                                                                                              \
        eddy_task *eddy_t = eddy_task_new_(&f##_eddy_async, eddy_w, eddy_o);                       \
        if (EDDY_LIKELY_(eddy_t != NULL))                                                          \
            *(struct f##_eddy_args *)((struct eddy_task_head_ *)(void *)eddy_t)->args =            \
                (struct f##_eddy_args){EDDY_NAMES_(__VA_ARGS__)};                                  \
        if (eddy_o)                                                                                \
            eddy_task_start_(eddy_t, eddy_o);                                                      \
        return eddy_t;                                                                             \
    }                                                                                              \
    _Static_assert(sizeof(f##_eddy_async) > 0, "")

/* Lists of 0 to 8 parameter types, turned into what a definition needs. */
#define EDDY_COUNT_(...)                                                                           \
    EDDY_COUNT_PICK_(0 __VA_OPT__(, ) __VA_ARGS__, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0)
#define EDDY_COUNT_PICK_(z, a, b, c, d, e, f, g, h, i, n, ...) n

#define EDDY_TYPES_(...) EDDY_JOIN_(EDDY_TYPES_, EDDY_COUNT_(__VA_ARGS__))(__VA_ARGS__)
#define EDDY_TYPES_0() void
#define EDDY_TYPES_1(...) __VA_ARGS__
#define EDDY_TYPES_2 EDDY_TYPES_1
#define EDDY_TYPES_3 EDDY_TYPES_1
#define EDDY_TYPES_4 EDDY_TYPES_1
#define EDDY_TYPES_5 EDDY_TYPES_1
#define EDDY_TYPES_6 EDDY_TYPES_1
#define EDDY_TYPES_7 EDDY_TYPES_1
#define EDDY_TYPES_8 EDDY_TYPES_1

#define EDDY_FIELDS_(...) EDDY_JOIN_(EDDY_FIELDS_, EDDY_COUNT_(__VA_ARGS__))(__VA_ARGS__)
#define EDDY_FIELDS_0() char none;
#define EDDY_FIELDS_1(a) __typeof__(a) a1;
#define EDDY_FIELDS_2(a, b) EDDY_FIELDS_1(a) __typeof__(b) a2;
#define EDDY_FIELDS_3(a, b, c) EDDY_FIELDS_2(a, b) __typeof__(c) a3;
#define EDDY_FIELDS_4(a, b, c, d) EDDY_FIELDS_3(a, b, c) __typeof__(d) a4;
#define EDDY_FIELDS_5(a, b, c, d, e) EDDY_FIELDS_4(a, b, c, d) __typeof__(e) a5;
#define EDDY_FIELDS_6(a, b, c, d, e, f) EDDY_FIELDS_5(a, b, c, d, e) __typeof__(f) a6;
#define EDDY_FIELDS_7(a, b, c, d, e, f, g) EDDY_FIELDS_6(a, b, c, d, e, f) __typeof__(g) a7;
#define EDDY_FIELDS_8(a, b, c, d, e, f, g, h) EDDY_FIELDS_7(a, b, c, d, e, f, g) __typeof__(h) a8;

/* How many of them are pointers: 5 is pointer_type_class. */
#define EDDY_IS_POINTER_(type) +(__builtin_classify_type(*(__typeof__(type) *)0) == 5)
#define EDDY_POINTERS_(...) EDDY_JOIN_(EDDY_POINTERS_, EDDY_COUNT_(__VA_ARGS__))(__VA_ARGS__)
#define EDDY_POINTERS_0()
#define EDDY_POINTERS_1(a) EDDY_IS_POINTER_(a)
#define EDDY_POINTERS_2(a, ...) EDDY_IS_POINTER_(a) EDDY_POINTERS_1(__VA_ARGS__)
#define EDDY_POINTERS_3(a, ...) EDDY_IS_POINTER_(a) EDDY_POINTERS_2(__VA_ARGS__)
#define EDDY_POINTERS_4(a, ...) EDDY_IS_POINTER_(a) EDDY_POINTERS_3(__VA_ARGS__)
#define EDDY_POINTERS_5(a, ...) EDDY_IS_POINTER_(a) EDDY_POINTERS_4(__VA_ARGS__)
#define EDDY_POINTERS_6(a, ...) EDDY_IS_POINTER_(a) EDDY_POINTERS_5(__VA_ARGS__)
#define EDDY_POINTERS_7(a, ...) EDDY_IS_POINTER_(a) EDDY_POINTERS_6(__VA_ARGS__)
#define EDDY_POINTERS_8(a, ...) EDDY_IS_POINTER_(a) EDDY_POINTERS_7(__VA_ARGS__)

#define EDDY_PARAMS_(...) EDDY_JOIN_(EDDY_PARAMS_, EDDY_COUNT_(__VA_ARGS__))(__VA_ARGS__)
#define EDDY_PARAMS_0()
#define EDDY_PARAMS_1(a) , __typeof__(a) a1
#define EDDY_PARAMS_2(a, b) EDDY_PARAMS_1(a), __typeof__(b) a2
#define EDDY_PARAMS_3(a, b, c) EDDY_PARAMS_2(a, b), __typeof__(c) a3
#define EDDY_PARAMS_4(a, b, c, d) EDDY_PARAMS_3(a, b, c), __typeof__(d) a4
#define EDDY_PARAMS_5(a, b, c, d, e) EDDY_PARAMS_4(a, b, c, d), __typeof__(e) a5
#define EDDY_PARAMS_6(a, b, c, d, e, f) EDDY_PARAMS_5(a, b, c, d, e), __typeof__(f) a6
#define EDDY_PARAMS_7(a, b, c, d, e, f, g) EDDY_PARAMS_6(a, b, c, d, e, f), __typeof__(g) a7
#define EDDY_PARAMS_8(a, b, c, d, e, f, g, h) EDDY_PARAMS_7(a, b, c, d, e, f, g), __typeof__(h) a8

#define EDDY_NAMES_(...) EDDY_JOIN_(EDDY_NAMES_, EDDY_COUNT_(__VA_ARGS__))
#define EDDY_NAMES_0 0
#define EDDY_NAMES_1 a1
#define EDDY_NAMES_2 a1, a2
#define EDDY_NAMES_3 a1, a2, a3
#define EDDY_NAMES_4 a1, a2, a3, a4
#define EDDY_NAMES_5 a1, a2, a3, a4, a5
#define EDDY_NAMES_6 a1, a2, a3, a4, a5, a6
#define EDDY_NAMES_7 a1, a2, a3, a4, a5, a6, a7
#define EDDY_NAMES_8 a1, a2, a3, a4, a5, a6, a7, a8

#define EDDY_FROM_ARGS_(...) EDDY_JOIN_(EDDY_FROM_ARGS_, EDDY_COUNT_(__VA_ARGS__))
#define EDDY_FROM_ARGS_0
#define EDDY_FROM_ARGS_1 eddy_a->a1
#define EDDY_FROM_ARGS_2 EDDY_FROM_ARGS_1, eddy_a->a2
#define EDDY_FROM_ARGS_3 EDDY_FROM_ARGS_2, eddy_a->a3
#define EDDY_FROM_ARGS_4 EDDY_FROM_ARGS_3, eddy_a->a4
#define EDDY_FROM_ARGS_5 EDDY_FROM_ARGS_4, eddy_a->a5
#define EDDY_FROM_ARGS_6 EDDY_FROM_ARGS_5, eddy_a->a6
#define EDDY_FROM_ARGS_7 EDDY_FROM_ARGS_6, eddy_a->a7
#define EDDY_FROM_ARGS_8 EDDY_FROM_ARGS_7, eddy_a->a8

#endif
#endif
