/* SPDX-License-Identifier: MIT */
/*
 * Exit stacks: an array of calls, its first entries in the stack itself.
 *
 * An exit is taken off before it runs. So one that closes, fills or moves the stack that
 * it was on finds it in order, and no exit runs twice.
 *
 * Texts of errors: an exit finds the text of the code that it is given, if there is one,
 * and no other. Unless it returns another error, what was there before it is put back.
 * The copy lies on the stack, since an exit may run because there is no memory.
 */
#include "eddy/exit_stack.h"

#include <errno.h>

#include "base/die.h"
#include "base/memory.h"
#include "task/scope.h"
#include "task/task.h"

static struct eddy_exit_ *exit_stack_entry(eddy_exit_stack *stack, size_t i)
{
    return i < EDDY_EXITS_INLINE_ ? &stack->first[i] : &stack->more[i - EDDY_EXITS_INLINE_];
}

static void exit_stack_check(const eddy_exit_stack *stack)
{
    if (stack->count && stack->self != stack)
        ed_die("an exit stack was copied with the exits in it: eddy_exit_stack_pop_all moves them");
}

/* Whether there is room for that many exits in all. */
static bool exit_stack_reserve(eddy_exit_stack *stack, size_t count)
{
    size_t size = stack->more_size;
    struct eddy_exit_ *more;

    if (count <= EDDY_EXITS_INLINE_ + size)
        return true;
    while (count > EDDY_EXITS_INLINE_ + size)
        size = size ? size * 2 : EDDY_EXITS_INLINE_;
    more = ed_realloc(stack->more, size * sizeof *more);
    if (!more)
        return false;
    stack->more = more;
    stack->more_size = size;
    return true;
}

static void exit_stack_clear(eddy_exit_stack *stack)
{
    ed_free(stack->more);
    stack->count = 0;
    stack->more = NULL;
    stack->more_size = 0;
}

/* Runs one exit and returns what it makes of `rc`. */
static int exit_run(struct eddy_exit_ entry, int rc)
{
    eddy_shield_scope shield;
    struct ed_error before;
    int result = rc;

    ed_error_save(&before, entry.exit ? rc : 0);
    ed_scope_enter(&shield.scope, ED_SCOPE_SHIELD, "an exit stack");
    if (entry.exit)
        result = entry.exit(entry.argument, rc);
    else
        entry.callback(entry.argument);
    ed_scope_exit(&shield.scope);
    if (result >= 0 || result == rc)
        ed_error_restore(&before);
    return result;
}

static int exit_stack_put(eddy_exit_stack *stack, struct eddy_exit_ entry)
{
    exit_stack_check(stack);
    if (!exit_stack_reserve(stack, stack->count + 1)) {
        (void)exit_run(entry, ed_fail(-ENOMEM)); /* it cannot undo the lack of memory */
        return ed_fail(-ENOMEM);
    }
    stack->self = stack;
    *exit_stack_entry(stack, stack->count++) = entry;
    return 0;
}

int eddy_exit_stack_add_callback(eddy_exit_stack *stack, void (*function)(void *), void *argument)
{
    return exit_stack_put(stack, (struct eddy_exit_){.callback = function, .argument = argument});
}

int eddy_exit_stack_add(eddy_exit_stack *stack, eddy_exit *exit, void *argument)
{
    return exit_stack_put(stack, (struct eddy_exit_){.exit = exit, .argument = argument});
}

int eddy_exit_stack_close(eddy_exit_stack *stack, int rc)
{
    exit_stack_check(stack);
    while (stack->count)
        rc = exit_run(*exit_stack_entry(stack, --stack->count), rc);
    exit_stack_clear(stack);
    return rc;
}

void eddy_exit_stack_end_scope_(eddy_exit_stack *stack)
{
    struct ed_error error;

    if (!stack->count)
        return;
    ed_error_save(&error, 0); /* the block's, of whatever code */
    (void)eddy_exit_stack_close(stack, -ECANCELED);
    ed_error_restore(&error);
}

int eddy_exit_stack_pop_all(eddy_exit_stack *from, eddy_exit_stack *to)
{
    exit_stack_check(from);
    exit_stack_check(to);
    if (from == to || !from->count)
        return 0;
    if (!to->count) {
        exit_stack_clear(to);
        *to = *from;
        from->more = NULL;
    } else {
        if (!exit_stack_reserve(to, to->count + from->count))
            return ed_fail(-ENOMEM);
        for (size_t i = 0; i < from->count; i++)
            *exit_stack_entry(to, to->count++) = *exit_stack_entry(from, i);
    }
    to->self = to;
    exit_stack_clear(from);
    return 0;
}
