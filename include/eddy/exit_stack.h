/* SPDX-License-Identifier: MIT */
/*
 * Exit stacks: what must happen at the end of a block, decided while it runs. What
 * EDDY_DEFER is for a fixed number of things, this is for any number of them, for
 * those that want to see how the block ended, and for those that are handed on.
 *
 *     static int open_all(const char *const *hosts, int n, struct session *sessions,
 *                         eddy_exit_stack *out)
 *     {
 *         EDDY_EXIT_STACK(opened);
 *
 *         for (int i = 0; i < n; i++) {
 *             EDDY_TRY(session_open(hosts[i], &sessions[i]));
 *             EDDY_TRY(eddy_exit_stack_callback(&opened, session_close, &sessions[i]));
 *         }
 *         return eddy_exit_stack_pop_all(&opened, out);      all, or none
 *     }
 *
 * Two kinds of exits may be mixed. A callback is told nothing, and what it returns is
 * dropped. An exit that is pushed, int f(T *argument, int rc), sees how the block ended,
 * and returns what takes its place: `rc` to leave it as it is, 0 to suppress an error.
 *
 * Exits run last in, first out, each shielded, so that it may suspend, and each whatever
 * the others returned. They run in eddy_exit_stack_close, which gives them the code of
 * the block. Where the block is left without it, by a return, EDDY_TRY or break, they
 * cannot know what the function returns, and are given -ECANCELED: an exit that commits
 * on 0 then rolls back, and what the exits return is dropped.
 *
 *     EDDY_TRY(begin(db));
 *     EDDY_TRY(eddy_exit_stack_push(&stack, end, db));
 *     EDDY_TRY(update(db));                                  end(db, -ECANCELED)
 *     return eddy_exit_stack_close(&stack, 0);               end(db, 0)
 *
 * An exit that is given an error reads its text with eddy_error_message(rc). The text of
 * the block's error survives the exits; an exit that returns another error gives its own.
 *
 * A stack may stay open across an eddy_yield. It may be part of another struct, and is
 * then closed by whoever owns that; no exit of it may free that struct. It must not be
 * copied or moved while it holds something (abort): eddy_exit_stack_pop_all moves what
 * it holds.
 */
#ifndef EDDY_EXIT_STACK_H
#define EDDY_EXIT_STACK_H

#include "eddy/compat.h"

EDDY_BEGIN_DECLS

/* How many exits a stack has room for without allocating. */
#define EDDY_EXITS_INLINE_ 8

/* Sees how the block ended, and returns what takes its place. */
typedef int eddy_exit(void *argument, int rc);

struct eddy_exit_ {
    eddy_exit *exit;          /* or NULL: */
    void (*callback)(void *); /* is told nothing */
    void *argument;
};

typedef struct eddy_exit_stack {
    size_t count;
    struct eddy_exit_ *more;            /* those beyond the first, and room for them */
    size_t more_size;                   /* entries */
    const struct eddy_exit_stack *self; /* where it was when it was empty last */
    struct eddy_exit_ first[EDDY_EXITS_INLINE_];
} eddy_exit_stack;

/* An empty stack that somebody closes: part of a struct, or static. */
/* clang-format off */
#define EDDY_EXIT_STACK_INIT {0, NULL, 0, NULL, {{NULL, NULL, NULL}}}
/* clang-format on */

/* Declares a stack that is unwound, with -ECANCELED, at the end of its block, unless it
 * was closed or moved by then. */
#define EDDY_EXIT_STACK(name)                                                                      \
    EDDY_CLEANUP_(eddy_exit_stack_end_scope_) eddy_exit_stack name = EDDY_EXIT_STACK_INIT

/*
 * Puts function(argument) on the stack: eddy_exit_stack_callback(&stack, function,
 * argument), as with EDDY_DEFER. The argument is a pointer, evaluated now; what it points
 * to must live until the call.
 *
 * Returns 0; -ENOMEM when there is no memory, and then the call has been made already, so
 * that EDDY_TRY leaves nothing open. Suspends only if that call does; never refused.
 */
#ifndef __cplusplus
#define eddy_exit_stack_callback(stack, function, argument)                                        \
    eddy_exit_stack_add_callback((stack),                                                          \
                                 ((void)sizeof((function)(argument), 0),                           \
                                  EDDY_EXIT_ARGUMENT_(argument),                                   \
                                  (void (*)(void *))(void (*)(void))(function)),                   \
                                 (void *)(argument))
#endif
/* The function under it. Suspends only when there is no memory. */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int
eddy_exit_stack_add_callback(eddy_exit_stack *stack, void (*function)(void *), void *argument);

/*
 * Puts an exit on the stack: eddy_exit_stack_push(&stack, exit, argument), with
 * int exit(T *argument, int rc). `rc` is 0 or more when all went well, else an error; what
 * it returns takes the place of `rc`. The argument as above.
 *
 * Returns 0; -ENOMEM when there is no memory, and then exit(argument, -ENOMEM) has been
 * called already. Suspends only if that call does; never refused.
 */
#ifndef __cplusplus
#define eddy_exit_stack_push(stack, exit, argument)                                                \
    eddy_exit_stack_add(                                                                           \
        (stack),                                                                                   \
        ((void)sizeof(struct {                                                                     \
             int eddy_unused;                                                                      \
             _Static_assert(__builtin_types_compatible_p(__typeof__((exit)((argument), -1)), int), \
                            "an exit is int " #exit "(T *argument, int rc)");                      \
         }),                                                                                       \
         EDDY_EXIT_ARGUMENT_(argument), (eddy_exit *)(void (*)(void))(exit)),                      \
        (void *)(argument))
/* Refuses what is no pointer. */
#define EDDY_EXIT_ARGUMENT_(argument)                                                              \
    (void)sizeof(char[sizeof(1 ? (argument) : (argument)) == sizeof(void *) ? 1 : -1])
#endif
/* The function under it. Suspends only when there is no memory. */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int
eddy_exit_stack_add(eddy_exit_stack *stack, eddy_exit *exit, void *argument);

/*
 * Runs all exits now, last in, first out: the first is given `rc`, each next one what the
 * one before it made of it. The stack is empty then, and can be used again; closing an
 * empty one returns `rc`. An exit that is put on the stack by another runs too.
 *
 * Suspends if the exits do; never refused.
 *
 * Returns what the exits made of `rc`.
 */
EDDY_API EDDY_AWAITS int eddy_exit_stack_close(eddy_exit_stack *stack, int rc);

/*
 * Moves everything to another stack, on top of what that one holds; `from` is empty then.
 *
 * Returns 0, as always when `to` is empty; -ENOMEM, with both as they were.
 */
EDDY_NODISCARD EDDY_API int eddy_exit_stack_pop_all(eddy_exit_stack *from, eddy_exit_stack *to);

EDDY_API EDDY_AWAITS void eddy_exit_stack_end_scope_(eddy_exit_stack *stack); /* Suspends. */

EDDY_END_DECLS
#endif
